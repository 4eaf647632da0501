"""Streams and schedules: what happens to records without anybody asking, and the seal of the ledger."""

import gc

# Importing makes a hundred thousand objects that stay; looking through them again and again for garbage is a tenth of
# a cold start. Requests leave little garbage in cycles, so looking seldom is enough.
gc.set_threshold(50_000)
