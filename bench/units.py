"""Capacity units of recorded requests, by AWS's published rules; emulators report them wrongly.

Sizes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
Units: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import base64
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Item = Mapping[str, Any]

INDEXES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "ledger": (("day", "hash"),),
    "subjects": (("review", "controller"), ("listed",)),
    "cases": (("due_shard", "due_at"), ("open_shard", "answer_by", "version", "body")),
}
"""By table, what each index has beside the keys of the table. An item that lacks any of it is not in the index."""

WRITE_BYTES = 1024
READ_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Units:
    """Read units, write units of tables, and write units of indexes."""

    reads: float = 0
    writes: float = 0
    index_writes: float = 0

    def __add__(self, other: "Units") -> "Units":
        return Units(self.reads + other.reads, self.writes + other.writes, self.index_writes + other.index_writes)


def size_of(item: Item) -> int:
    """Bytes of an item in DynamoDB's own JSON: names and values."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def value_size(value: Mapping[str, Any]) -> int:
    """Bytes of one value, such as `{"S": "text"}`; ValueError for a type that DynamoDB lacks."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return number_size(content)
        case "B":
            return len(base64.b64decode(content))
        case "BOOL" | "NULL":
            return 1
        case "SS":
            return sum(len(text.encode()) for text in content)
        case "NS":
            return sum(number_size(number) for number in content)
        case "BS":
            return sum(len(base64.b64decode(data)) for data in content)
        case "L":
            return 3 + sum(1 + value_size(element) for element in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + value_size(element) for name, element in content.items())
    raise ValueError(kind)


def number_size(text: str) -> int:
    """About one byte for two significant digits, one more, and one for a sign."""
    number = Decimal(text)
    digits = "".join(map(str, number.normalize().as_tuple().digits)) if number else ""
    return math.ceil(len(digits) / 2) + 1 + (number < 0)


def write_units(before: Item | None, after: Item | None) -> int:
    """Of one write: the larger of the item before and after, in steps of 1 kB. Writing nothing costs one."""
    larger = max(size_of(before or {}), size_of(after or {}))
    return max(1, math.ceil(larger / WRITE_BYTES))


def read_units(items: Iterable[Item], *, consistent: bool) -> float:
    """Of one read: what was found, in steps of 4 kB. Finding nothing costs one step."""
    steps = max(1, math.ceil(sum(map(size_of, items)) / READ_BYTES))
    return steps if consistent else steps / 2


def index_units(table: str, before: Item | None, after: Item | None) -> int:
    """What a write costs in the indexes of its table: nothing where the index's own item stays the same."""
    units = 0
    for keys in INDEXES.get(table, ()):
        old, new = (_projected(item, keys) for item in (before, after))
        if old != new:
            moved = old and new and any(old[key] != new[key] for key in keys)
            units += write_units(old, None) + write_units(None, new) if moved else write_units(old, new)
    return units


def _projected(item: Item | None, keys: tuple[str, ...]) -> dict[str, Any] | None:
    if item is None or any(key not in item for key in keys):
        return None
    return {name: item[name] for name in ("pk", "sk", *keys)}


def units_of(record: Mapping[str, Any]) -> Units:
    """Of one request that the loopback double recorded. A transaction doubles what it reads and writes in tables."""
    factor = 2 if record.get("transaction") else 1
    return Units(
        reads=factor * sum(read_units(read["items"], consistent=read["consistent"]) for read in record["reads"]),
        writes=factor * sum(write_units(write["before"], write["after"]) for write in record["writes"]),
        index_writes=sum(index_units(write["table"], write["before"], write["after"]) for write in record["writes"]),
    )


def total(records: Iterable[Mapping[str, Any]]) -> Units:
    """Of all these requests together."""
    return sum(map(units_of, records), Units())
