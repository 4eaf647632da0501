"""Counts what happened, from the streams of the tables: numbers, and nobody in them."""

import gc

# As in the functions that people wait for: what importing makes stays.
gc.set_threshold(50_000)
