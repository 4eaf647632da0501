"""What letters and other sites name of a brand goes on being its own, and who sends is told by the address."""

import json

import pytest
from tests.unit.policy.test_policy_brands import house, published, rules_broken

from policy_compiler import compiler
from several_brands import TODAY
from unit.policy.policy_copies import Copy

__all__ = ["house", "published"]

LARDER = "  larder:\n    controller: havn\n    name: The Larder\n"


def test_a_published_brand_is_never_called_by_another_id(published: Copy) -> None:
    path = published.folder / "policy.yaml"
    path.write_text(path.read_text().replace("  larder:\n", "  pantry:\n").replace("brand: larder", "brand: pantry"))

    assert ("published-brands-stay", "/brands/larder") in rules_broken(published)


def test_a_published_brand_is_never_another_controllers(published: Copy) -> None:
    published.edit(LARDER, LARDER.replace("havn", "fjell"))

    assert ("published-brands-stay", "/brands/larder/controller") in rules_broken(published)


def test_a_brand_of_a_list_from_before_may_change_until_it_is_recorded(published: Copy) -> None:
    path = published.folder / "notices/published.lock.json"
    lock = json.loads(path.read_text())
    brands = lock.pop("brands")
    lock["hash"] = compiler.build.content_hash({**lock, "hash": None})
    path.write_text(json.dumps(lock))
    assert rules_broken(published, compiling=True) == set()

    compiler.record(published.folder, TODAY)

    assert json.loads(path.read_text())["brands"] == brands
    assert [one["brand"] for one in brands] == ["noir", "larder", "fjell"]


@pytest.mark.parametrize(
    ("address", "is_refused"), [("post@noir.example.com", False), ("Post@Fjell.example.org", True)]
)
def test_one_address_sends_for_one_controller(house: Copy, address: str, is_refused: bool) -> None:
    house.edit("address: post@larder.example.com", f"address: {address}")

    assert (("senders-are-apart", "/brands/fjell/sender/address") in rules_broken(house)) is is_refused
