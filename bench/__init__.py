"""Measures what the design promises: `make bench`. Ratios come from interleaved runs, counts from recorded requests."""
