"""A layer of the little app: shows that layers reach the functions."""

WORDS = "hello from the layer"
