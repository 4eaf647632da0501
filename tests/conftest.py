"""What every test runs under: credentials that are worth nothing, and a region."""

import io
import os
import re
from collections.abc import Iterator

import pytest
import systems

from builders import NAMES, PEOPLE
from local.stack import LocalStack, free_port
from world import assert_that_no_log_names_a_person

os.environ.update(
    {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-north-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_METRICS_NAMESPACE": "ConsentCenter",
        "POWERTOOLS_SERVICE_NAME": "test",
    }
)
os.environ.pop("AWS_ENDPOINT_URL", None)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The real template on the local stack, shared by all tests. In the end nobody may be named in its logs."""
    state, port = tmp_path_factory.mktemp("stack") / "state", free_port()
    with LocalStack(port, state, parameters=systems.parameters(port)) as running:
        systems.build(running)
        yield running
    assert_that_no_log_names_a_person(state)


@pytest.fixture
def emulator_url(stack: LocalStack) -> str:
    """The local engine; the credentials above are those of its owner."""
    return stack.emulator_url


FORBIDDEN = re.compile(
    "|".join(
        [
            *map(re.escape, PEOPLE),
            *map(re.escape, NAMES),
            r"192\.0\.2\.",
            r"v1\.k\d+\.[\w-]{8,}",
            "pepper-",
            "links-one",
        ]
    ),
    re.IGNORECASE,
)
"""Addresses, names, callers, tokens and keys."""


@pytest.fixture(autouse=True)
def printed(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[io.StringIO]:
    """Everything that is printed, logged and measured. No test may end with a person in it."""
    # Imported here, because Powertools reads the environment above when it is imported.
    from consent_center import observability

    text = io.StringIO()
    observability.logger.registered_handler.stream = text  # type: ignore[attr-defined]
    yield text
    shown = capsys.readouterr()
    logged = [record.getMessage() for record in caplog.records]
    found = FORBIDDEN.search("\n".join([text.getvalue(), shown.out, shown.err, *logged]))
    assert found is None, f"personal data was printed: {found[0]!r}"
