"""A little app on a local stack of its own, for tests of the local stack itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import LocalStack, free_port

LITTLE_APP = Path(__file__).parent / "little_app"


@pytest.fixture(scope="session")
def little(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The little app running; shared, so a test leaves nothing behind that another would notice."""
    with LocalStack(free_port(), tmp_path_factory.mktemp("little") / "state", root=LITTLE_APP) as running:
        yield running
