"""Audiences: files of whom a purpose may write to, made every night and after decisions."""

import gc

# As in the functions that people wait for: what importing makes stays.
gc.set_threshold(50_000)
