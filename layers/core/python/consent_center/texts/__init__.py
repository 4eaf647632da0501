"""What people read: pages and letters, their looks and their languages."""

from consent_center.texts.render import Letter, Part, Texts

__all__ = ["Letter", "Part", "Texts"]
