"""Key rings from Secrets Manager: `{"current": "k1", "k1": "…", …}`, read once per process."""

import json
from functools import cached_property

from botocore.exceptions import BotoCoreError, ClientError

from consent_center.adapters import aws
from consent_center.domain.contact import Keyring
from consent_center.domain.errors import UnavailableError


class ManagedSecrets:
    def __init__(self, *, pepper_secret: str, links_secret: str) -> None:
        self._pepper_secret, self._links_secret = pepper_secret, links_secret

    def peppers(self) -> Keyring:
        return self._peppers

    def links(self) -> Keyring:
        return self._links

    @cached_property
    def _peppers(self) -> Keyring:
        return _keyring(self._pepper_secret)

    @cached_property
    def _links(self) -> Keyring:
        return _keyring(self._links_secret)


def _keyring(secret: str) -> Keyring:
    try:
        stored = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
    except (BotoCoreError, ClientError) as error:
        raise UnavailableError(f"secret: {type(error).__name__}") from None
    current = stored.pop("current")
    return Keyring(current, {key_id: key.encode() for key_id, key in stored.items()})
