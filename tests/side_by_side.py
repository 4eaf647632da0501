"""Which tests run in one process where several run side by side: a plugin for pytest-xdist, named in pyproject.toml.

All that use the shared local stack run in one process, so that it and the browser are started once; else each file
is one, because its fixtures are its own.
"""

from typing import Any

import pytest

SHARED_STACK = "the shared stack"
ON_THE_SHARED_STACK = (
    "tests/browser/",
    "tests/stack/",
    "tests/contract/test_races.py",
    "tests/contract/test_signatures.py",
    "tests/contract/test_seals.py",
)
ENGINE = "engine"
"""In the id of a contract test that is run on it."""

OWN_STACK = (
    *("test_faults.py", "test_local_stack.py", "test_sealed_ledger.py", "test_evidence_pack.py"),
    "test_texts_static.py",
)
"""Files that start stacks of their own, or need none."""

LONGEST_FIRST = (SHARED_STACK, *(f"tests/stack/{name}" for name in OWN_STACK), "tests/browser/test_texts_static.py")


def group_of(test: str) -> str:
    """The group of a test by its id; pytest-xdist's own marks are not heeded by this pytest."""
    file, _, name = test.partition("::")
    on_the_engine = file.startswith("tests/contract/") and ENGINE in name
    is_shared = file.startswith(ON_THE_SHARED_STACK) and not file.endswith(OWN_STACK)
    return SHARED_STACK if is_shared or on_the_engine else file


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let those begin first that take longest."""
    order = {group: place for place, group in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(group_of(item.nodeid), len(order)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    config.option.loadscopereorder = False
    return ByGroup(config, log)
