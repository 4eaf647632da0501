"""Real events into real handlers, on fakes."""

import pytest

import consent_api.app
import delivery_worker.app
import import_worker.app
import preference_center.app
import subscription_links.app
from deployment import Deployment


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Deployment:
    deployment = Deployment()
    functions = (subscription_links.app, preference_center.app, consent_api.app, delivery_worker.app, import_worker.app)
    for function in functions:
        monkeypatch.setattr(function, "services", lambda: deployment.services)
    return deployment
