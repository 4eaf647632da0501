"""What every store of recipients' secrets does."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from consent_center.adapters.recipient_secrets import ManagedRecipientSecrets
from consent_center.adapters.secretsmanager import FRESH_MS
from consent_center.domain.errors import UnavailableError
from consent_center.domain.webhook import key_of
from consent_center.ports.cases import RecipientSecrets
from fakes import SettableClock
from fakes.cases import FixedRecipientSecrets
from moto_wire import ENVIRONMENT, by_moto

CRM, LAB = "whsec_" + base64.b64encode(b"c" * 24).decode(), "a plain text of the survey lab"


@dataclass
class Kept:
    secrets: RecipientSecrets
    put: Callable[[Any], None]
    clock: SettableClock


@pytest.fixture
def managed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client: Any = botocore.session.get_session().create_client("secretsmanager")
        arn = client.create_secret(Name="recipients", SecretString=json.dumps({"crm": CRM, "lab": [LAB, CRM]}))["ARN"]

        def put(said: Any) -> None:
            text = said if isinstance(said, str) else json.dumps(said)
            client.put_secret_value(SecretId=arn, SecretString=text)

        clock = SettableClock()
        yield Kept(ManagedRecipientSecrets(lambda: by_moto("secretsmanager"), arn, clock), put, clock)


@pytest.fixture(params=["memory", "moto"])
def secrets(request: pytest.FixtureRequest) -> RecipientSecrets:
    if request.param == "memory":
        return FixedRecipientSecrets({"crm": (key_of(CRM),), "lab": (key_of(LAB), key_of(CRM))})
    kept: Kept = request.getfixturevalue("managed")
    return kept.secrets


def test_a_name_has_its_keys_the_newest_first(secrets: RecipientSecrets) -> None:
    assert secrets.keys("crm") == (b"c" * 24,)
    assert secrets.keys("lab") == (LAB.encode(), b"c" * 24)


@pytest.mark.parametrize("name", ["", "cloud", "CRM"])
def test_another_name_has_none(secrets: RecipientSecrets, name: str) -> None:
    assert secrets.keys(name) == ()


class TestMotoSecret:
    def test_a_new_key_is_found_within_five_minutes(self, managed: Kept) -> None:
        assert managed.secrets.keys("new") == ()
        managed.put({"new": LAB})
        managed.clock.move(seconds=FRESH_MS / 1000 - 1)
        assert managed.secrets.keys("new") == ()

        managed.clock.move(seconds=1)

        assert managed.secrets.keys("new") == (LAB.encode(),)

    @pytest.mark.parametrize("said", ["no json", "[]", {"crm": "short"}, {"crm": 7}, {"crm": ["whsec_!!!!"]}])
    def test_a_secret_that_cannot_be_read_is_not_taken_for_none(self, managed: Kept, said: Any) -> None:
        managed.put(said)

        with pytest.raises(UnavailableError) as caught:
            managed.secrets.keys("crm")

        assert "short" not in str(caught.value)

    def test_keys_that_were_good_stay_so_when_the_secret_is_spoiled(self, managed: Kept) -> None:
        managed.secrets.keys("crm")
        managed.put("no json")
        managed.clock.move(seconds=FRESH_MS / 1000)

        assert managed.secrets.keys("crm") == (b"c" * 24,)

    def test_a_secret_that_is_not_there_is_unavailable(self, managed: Kept) -> None:
        away = ManagedRecipientSecrets(lambda: by_moto("secretsmanager"), "nowhere", managed.clock)

        with pytest.raises(UnavailableError):
            away.keys("crm")

    def test_where_no_secret_is_named_nobody_has_keys_and_nothing_is_called(self) -> None:
        def never() -> Any:
            raise AssertionError

        assert ManagedRecipientSecrets(never, None, SettableClock()).keys("crm") == ()
