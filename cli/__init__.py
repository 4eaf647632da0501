"""Commands for those who run and translate the product."""
