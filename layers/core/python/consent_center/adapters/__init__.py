"""How AWS does it."""
