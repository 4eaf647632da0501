"""The world that use cases are tried in."""

import pytest

from usecase_world import World


@pytest.fixture
def world() -> World:
    return World()
