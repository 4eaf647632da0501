"""Imports of consents from lists and other tools, one part after the other."""

import gc

# As in the functions that people wait for: what importing makes stays.
gc.set_threshold(50_000)
