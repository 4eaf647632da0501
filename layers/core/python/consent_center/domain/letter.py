"""What kinds of letters there are, and what may stop them."""

from enum import StrEnum


class LetterClass(StrEnum):
    """Withdrawal, pause, objection and suppression stop marketing, and nothing else."""

    MARKETING = "marketing"
    """Asked about by the permission check before each letter; never ordered from this product's own queue."""
    SERVICE = "service"
    """Somebody asked for it a moment ago: to confirm, to reach their preferences, or by agreeing to something."""
    STATUTORY = "statutory"
    """The law wants it sent (Arts. 12, 13(3), 14, 18(3), 34 GDPR); only an address that takes no mail stops it."""


class Letter(StrEnum):
    """The letters that the product sends itself."""

    CONFIRM = "confirm"
    PREFERENCES = "preferences"
    RECEIPT = "receipt"
    """What somebody has just agreed to, on paper that lasts."""
    NOTICE_CHANGED = "notice_changed"
    """That data are used differently (Art. 13(3), 14(4) GDPR)."""
    SOURCE = "source"
    """That somebody else gave us the data (Art. 14 GDPR)."""
    CASE = "case"
    """Whatever a person is written about a rights request of theirs (Art. 12 GDPR): see `domain/case.py`."""

    @property
    def letter_class(self) -> LetterClass:
        is_statutory = self in (Letter.NOTICE_CHANGED, Letter.SOURCE, Letter.CASE)
        return LetterClass.STATUTORY if is_statutory else LetterClass.SERVICE

    @property
    def yields_to_not_me(self) -> bool:
        """Whether "this was not me" keeps it back: a stranger can order it by typing an address."""
        return self is Letter.CONFIRM
