"""Checks a privacy policy written as YAML and compiles it to the JSON that the product runs on."""
