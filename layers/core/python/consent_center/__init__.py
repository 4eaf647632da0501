"""Consent and preference management: the code that every function shares."""
