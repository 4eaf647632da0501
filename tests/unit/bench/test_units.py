"""Capacity units by the rules that AWS publishes."""

import pytest

from bench.units import Units, index_units, number_size, read_units, size_of, total, units_of, write_units


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "å"}, 2),
        ({"N": "0"}, 1),
        ({"N": "27"}, 2),
        ({"N": "-27"}, 3),
        ({"N": "1000"}, 2),
        ({"N": "123456789"}, 6),
        ({"B": "AAAA"}, 3),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["ab", "c"]}, 3),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}]}, 6),
        ({"M": {"key": {"S": "ab"}}}, 9),
    ],
)
def test_an_attribute_is_as_large_as_its_name_and_value(value: dict[str, object], size: int) -> None:
    assert size_of({"name": value}) == 4 + size


@pytest.mark.parametrize(("number", "size"), [("1795367345587", 8), ("0.001", 2), ("100", 2)])
def test_a_number_takes_a_byte_for_two_significant_digits_and_one_more(number: str, size: int) -> None:
    assert number_size(number) == size


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match="X"):
        size_of({"name": {"X": 1}})


def item(size: int) -> dict[str, dict[str, str]]:
    return {"a": {"S": "x" * (size - 1)}}


@pytest.mark.parametrize(("size", "units"), [(1, 1), (1024, 1), (1025, 2), (3000, 3)])
def test_a_write_is_counted_in_kilobytes_of_the_larger_image(size: int, units: int) -> None:
    assert write_units(None, item(size)) == units
    assert write_units(item(size), item(1)) == units
    assert write_units(item(size), None) == units


def test_deleting_what_is_not_there_costs_one() -> None:
    assert write_units(None, None) == 1


@pytest.mark.parametrize(("size", "units"), [(1, 1), (4096, 1), (4097, 2)])
def test_a_read_is_counted_in_four_kilobytes_and_half_when_it_may_be_old(size: int, units: int) -> None:
    assert read_units([item(size)], consistent=True) == units
    assert read_units([item(size)], consistent=False) == units / 2


def test_reading_nothing_costs_one_and_a_query_is_rounded_once() -> None:
    assert read_units([], consistent=True) == 1
    assert read_units([item(1000)] * 4, consistent=True) == 1


def test_a_transaction_doubles_the_tables_but_not_their_indexes() -> None:
    entry = {name: {"S": "x"} for name in ("pk", "sk", "day", "hash")} | {"body": {"S": "x" * 2000}}
    write = {"table": "ledger", "before": None, "after": entry}
    record = {"transaction": True, "reads": [], "writes": [write]}

    assert units_of(record) == Units(writes=4, index_writes=1)
    assert total([record, {**record, "transaction": False}]) == Units(writes=6, index_writes=2)


def test_an_index_is_written_only_when_its_own_item_changes() -> None:
    old, new, other = ({"pk": {"S": "1"}, "sk": {"S": "1"}, "day": {"S": day}, "hash": {"S": "h"}} for day in "aab")

    assert index_units("ledger", old, {**new, "body": {"S": "x"}}) == 0
    assert index_units("ledger", old, other) == 2
    assert index_units("ledger", old, None) == 1
    assert index_units("subjects", None, new) == 0
