"""Where each service is, and with whose credentials it is called."""

import botocore.session
import pytest

from consent_center.adapters.aws import SERVICES, endpoint, wire
from fakes import SettableClock, no_pause

KEYS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}

REGIONS = (
    "us-east-1",
    "eu-north-1",
    "cn-north-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "eusc-de-east-1",
)


def botocores(service: str, region: str) -> str:
    return str(botocore.session.Session().create_client(service, region_name=region).meta.endpoint_url)


@pytest.mark.parametrize("region", REGIONS)
def test_services_are_where_botocore_finds_them_in_every_partition(
    region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)

    for name, service in SERVICES.items():
        assert endpoint(service, region, {}) == botocores(name, region)


@pytest.mark.parametrize(
    "settings",
    [
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
        {"AWS_ENDPOINT_URL_{}": "http://127.0.0.1:4567", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
        {"AWS_ENDPOINT_URL_{}": "http://127.0.0.1:4567", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
    ],
)
@pytest.mark.parametrize("name", SERVICES)
def test_settings_move_a_service_as_they_move_botocore(
    name: str, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {setting.format(SERVICES[name].setting): value for setting, value in settings.items()}
    for setting, value in environment.items():
        monkeypatch.setenv(setting, value)

    assert endpoint(SERVICES[name], "eu-north-1", environment) == botocores(name, "eu-north-1")


@pytest.mark.parametrize("flag", ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
def test_special_hosts_are_never_silently_replaced_by_the_usual_ones(flag: str) -> None:
    with pytest.raises(LookupError, match="AWS_ENDPOINT_URL_DYNAMODB"):
        endpoint(SERVICES["dynamodb"], "us-gov-west-1", {flag: "true"})

    named = {flag: "true", "AWS_ENDPOINT_URL_DYNAMODB": "https://dynamodb.us-gov-west-1.api.aws"}
    assert endpoint(SERVICES["dynamodb"], "us-gov-west-1", named) == "https://dynamodb.us-gov-west-1.api.aws"


def test_a_region_is_needed() -> None:
    with pytest.raises(LookupError, match="AWS_REGION"):
        wire("dynamodb", KEYS, clock=SettableClock(), pause=no_pause)


def test_credentials_come_from_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {**KEYS, "AWS_SESSION_TOKEN": "token", "AWS_REGION": "eu-north-1"}
    made = wire("dynamodb", environment, clock=SettableClock(), pause=no_pause)

    assert tuple(made._credentials()) == ("id", "secret", "token")


def test_without_credentials_of_lambda_botocore_finds_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("aws") / "credentials"
    file.write_text("[mine]\naws_access_key_id = profile\naws_secret_access_key = other\n")
    for name in KEYS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "mine")
    made = wire("dynamodb", {"AWS_REGION": "eu-north-1"}, clock=SettableClock(), pause=no_pause)

    assert tuple(made._credentials()) == ("profile", "other", None)


def test_no_credentials_at_all_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in KEYS:
        monkeypatch.delenv(name)
    for setting in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(setting, str(tmp_path_factory.mktemp("aws") / "none"))

    with pytest.raises(LookupError, match="AWS_ACCESS_KEY_ID"):
        wire("dynamodb", {"AWS_REGION": "eu-north-1"}, clock=SettableClock(), pause=no_pause)


def test_a_letter_is_sent_once_and_reads_and_writes_are_tried_again() -> None:
    assert {name: service.attempts for name, service in SERVICES.items()} == {
        "cognito-idp": 2,
        "dynamodb": 3,
        "events": 2,
        "kms": 2,
        "secretsmanager": 2,
        "sqs": 2,
        "sesv2": 1,
    }
