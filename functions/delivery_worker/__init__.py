"""Everything that leaves: letters."""
