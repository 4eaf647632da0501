"""Real events into real handlers, on fakes."""

import pytest

import audience_worker.app
import consent_api.app
import delivery_worker.app
import expiry_worker.app
import feedback_worker.app
import import_worker.app
import preference_center.app
import retention_worker.app
import rights_worker.app
import statistics_worker.app
import subscription_links.app
from deployment import Deployment


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Deployment:
    deployment = Deployment()
    for function in (
        *(subscription_links.app, preference_center.app, consent_api.app, import_worker.app),
        *(delivery_worker.app, feedback_worker.app, retention_worker.app, expiry_worker.app, statistics_worker.app),
        *(audience_worker.app, rights_worker.app),
    ):
        monkeypatch.setattr(function, "services", lambda: deployment.services)
    return deployment
