"""Every key in every table, and nothing else: where a record lives is decided here."""

from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from consent_center.domain.contact import ContactPoint

STATE = "STATE"
PROFILE = "PROFILE"
_REQUEST = "PENDING#"
_SEND = "SENT#"
LEDGER_SHARDS = 8
"""Partitions that one day's entries are spread over in the sealing index."""

LIST_SHARDS = 16
"""Partitions that all records of a controller are spread over in the index of records."""


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


def of_review(day: str, contact: ContactPoint) -> str:
    """The index partition of records that are looked at again on a UTC day: a shard taken from the pseudonym."""
    return f"{day}#{sum(contact.pseudonym.encode()) % LEDGER_SHARDS}"


def of_list(controller: str, shard: int) -> str:
    """A shard of the index of all records of a controller."""
    return f"{controller}#{shard}"


def list_of(contact: ContactPoint) -> str:
    """The index partition of all records that a record stands in: a shard taken from the pseudonym."""
    return of_list(contact.controller, sum(contact.pseudonym.encode()) % LIST_SHARDS)


def of_remains(controller: str, shard: int) -> str:
    """A shard of the index of what is left of people who are suppressed and have no record."""
    return f"{controller}#gone#{shard}"


def listed(contact: ContactPoint, *, is_living: bool) -> str:
    """The index partition of a state: a record's own, or that of what is left of one."""
    return (
        list_of(contact) if is_living else of_remains(contact.controller, sum(contact.pseudonym.encode()) % LIST_SHARDS)
    )


def of_removals(removed_at: int, key_hash: str) -> str:
    """The partition of proofs of deletion of a UTC day (epoch seconds): a shard taken from the key's hash."""
    day = datetime.fromtimestamp(removed_at, UTC).date().isoformat()
    return f"P#{day}#{int(key_hash[:4], 16) % LEDGER_SHARDS}"


def contact_of(partition_key: str, controller: str) -> ContactPoint:
    """The contact point behind a partition of Subjects. Only addresses of e-mail have any."""
    _, key_id, pseudonym = partition_key.split("#")
    return ContactPoint(controller, "email", key_id, pseudonym)


def shards_of_day(day: str) -> list[str]:
    """Every sealing partition of a UTC day."""
    return [f"{day}#{shard}" for shard in range(LEDGER_SHARDS)]


def of_limit(name: str, hour: int) -> str:
    return f"RL#{name}#{hour}"


def of_limit_until_end(name: str) -> str:
    return f"RL#{name}"


def of_block(name: str) -> str:
    return f"BLOCK#{name}"


def of_letter(name: str) -> str:
    return f"LETTER#{name}"


CASE = "CASE"
LAST_OF_FILE = "TASK$"
"""What follows the tasks of a case, which are the last of its file."""
PARTICULARS = "WHO"
"""Sorts last in the partition of a case, so that reading its file leaves it out."""
CASE_SHARDS = 8
"""Partitions that cases are spread over in the indexes of what is due and what is open."""


def of_case(case: str) -> str:
    return f"CASE#{case}"


def case_in(key: str) -> str:
    """The case that a key names."""
    return key.removeprefix("CASE#")


def of_task(recipient: str) -> str:
    return f"TASK#{recipient}"


def is_task(sort_key: str) -> bool:
    return sort_key.startswith("TASK#")


def is_log(sort_key: str) -> bool:
    return sort_key.startswith("LOG#")


def of_log(at: int, version: int, number: int) -> str:
    """Sort order is the order of time (epoch milliseconds), and within it the order of writing."""
    return f"LOG#{at:015d}#{version:06d}.{number:03d}"


def of_asker(contact: ContactPoint) -> str:
    """The partition of what leads from a contact point to its cases."""
    return f"P#{contact.key_id}#{contact.pseudonym}"


def of_open(right: str) -> str:
    """Is there while a case of that right is open."""
    return f"OPEN#{right}"


def case_shard(case: str) -> int:
    return sum(case.encode()) % CASE_SHARDS


MARK = "MARK"
COUNTER_SHARDS = 4
"""Items that one counter is spread over, so that batches which count at once seldom meet."""


def of_mark(mark: str) -> str:
    return f"MARK#{mark}"


def of_counters(month: str) -> str:
    """The partition of a month's counters, such as that of 2026-11."""
    return f"N#{month}"


def of_counter(values: Iterable[str], shard: int) -> str:
    """A day, and what is counted on it; whatever may stand in a value, it stays one value."""
    return "#".join([*(quote(value, safe="*") for value in values), str(shard)])


def counter_in(sort_key: str) -> list[str]:
    """The values in the key of a counter."""
    return [unquote(value) for value in sort_key.split("#")[:-1]]


def months_between(first: str, last: str) -> list[str]:
    """The months that the days from `first` through `last` lie in."""
    year, month, found = int(first[:4]), int(first[5:7]), []
    while (name := f"{year:04d}-{month:02d}") <= last[:7]:
        found.append(name)
        year, month = year + month // 12, month % 12 + 1
    return found
