"""Every key in every table, and nothing else: where a record lives is decided here."""

from consent_center.domain.contact import ContactPoint

STATE = "STATE"
PROFILE = "PROFILE"
_REQUEST = "PENDING#"
_SEND = "SENT#"
LEDGER_SHARDS = 8
"""Partitions that one day's entries are spread over in the sealing index."""


def of_contact(contact: ContactPoint) -> str:
    return f"S#{contact.key_id}#{contact.pseudonym}"


def contact_in(partition_key: str) -> tuple[str, str]:
    """Key id and pseudonym of the contact point whose partition it is; ValueError for any other partition."""
    kind, key_id, pseudonym = partition_key.split("#")
    if kind != "S":
        raise ValueError("no partition of a contact point")
    return key_id, pseudonym


def of_request(request: str) -> str:
    return f"{_REQUEST}{request}"


def of_send(purpose: str, channel: str) -> str:
    return f"{_SEND}{purpose}#{channel}"


def is_request(sort_key: str) -> bool:
    return sort_key.startswith(_REQUEST)


def send_in(sort_key: str) -> tuple[str, str] | None:
    """Purpose and channel of a recorded send, or None for any other item."""
    if not sort_key.startswith(_SEND):
        return None
    purpose, channel = sort_key.removeprefix(_SEND).rsplit("#", 1)
    return purpose, channel


def of_chain(chain: str) -> str:
    return f"C#{chain}"


def of_event(seq: int) -> str:
    """Ten digits, so that sort order is the order of events."""
    return f"E#{seq:010d}"


def seq_in(sort_key: str) -> int:
    return int(sort_key.removeprefix("E#"))


def of_day(at: str, entry_hash: str) -> str:
    """The sealing partition of an entry: its UTC day and a shard taken from its hash."""
    return f"{at[:10]}#{int(entry_hash[:4], 16) % LEDGER_SHARDS}"


def of_limit(name: str, hour: int) -> str:
    return f"RL#{name}#{hour}"


def of_limit_until_end(name: str) -> str:
    return f"RL#{name}"


def of_block(name: str) -> str:
    return f"BLOCK#{name}"


def of_letter(name: str) -> str:
    return f"LETTER#{name}"
