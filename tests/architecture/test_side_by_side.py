"""The tests are divided so that what is shared is started once."""

import pytest

from side_by_side import SHARED_STACK, group_of


def test_whatever_names_the_shared_stack_runs_in_the_process_that_has_it(request: pytest.FixtureRequest) -> None:
    elsewhere = [
        item.nodeid
        for item in request.session.items
        if "stack" in getattr(item, "fixturenames", ()) and group_of(item.nodeid) != SHARED_STACK
    ]

    assert elsewhere == []
