"""Real events into real handlers, on fakes; and nothing that they print may name a person."""

import io
from collections.abc import Iterator

import pytest

import consent_api.app
import delivery_worker.app
import subscription_links.app
from consent_center import observability
from deployment import FORBIDDEN, Deployment


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Deployment:
    deployment = Deployment()
    for function in (subscription_links.app, consent_api.app, delivery_worker.app):
        monkeypatch.setattr(function, "services", lambda: deployment.services)
    return deployment


@pytest.fixture(autouse=True)
def printed(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[io.StringIO]:
    """Everything the functions print, log and measure. No test may end with a person in it."""
    text = io.StringIO()
    handler = observability.logger.registered_handler
    before = handler.setStream(text)  # type: ignore[attr-defined]
    yield text
    handler.setStream(before)  # type: ignore[attr-defined]
    shown = capsys.readouterr()
    logged = [record.getMessage() for record in caplog.records]
    found = FORBIDDEN.search("\n".join([text.getvalue(), shown.out, shown.err, *logged]))
    assert found is None, f"personal data was printed: {found[0]!r}"
