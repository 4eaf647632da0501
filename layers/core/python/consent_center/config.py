"""The only reader of the environment. Every setting is documented in docs/configuration.md."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


def current_trace() -> str | None:
    """The trace of the event in hand, which Lambda puts into the environment anew for each; None outside Lambda.

    AWS finds functions that call themselves in a circle by it, so it is passed on whether or not tracing is on.
    """
    return os.environ.get("_X_AMZN_TRACE_ID")


class MissingSettingError(Exception):
    """The template did not give this function a setting that its code needs."""


@dataclass(frozen=True, slots=True)
class Config:
    """Settings by name. A function has only those that its template entry gives it; asking for another is an error."""

    environment: Mapping[str, str]

    @classmethod
    def from_env(cls) -> "Config":
        return cls(dict(os.environ))

    @property
    def subjects_table(self) -> str:
        return self._required("SUBJECTS_TABLE")

    @property
    def ledger_table(self) -> str:
        return self._required("LEDGER_TABLE")

    @property
    def transient_table(self) -> str:
        return self._required("TRANSIENT_TABLE")

    @property
    def letters_queue_url(self) -> str:
        return self._required("LETTERS_QUEUE_URL")

    @property
    def dead_letters_queue_url(self) -> str:
        return self._required("DEAD_LETTERS_QUEUE_URL")

    @property
    def sign_ups_per_address(self) -> int:
        """How many sign-ups for one address are taken in an hour."""
        return int(self._required("SIGN_UPS_PER_ADDRESS"))

    @property
    def sign_ups_per_source(self) -> int:
        """How many sign-ups from one network are taken in an hour."""
        return int(self._required("SIGN_UPS_PER_SOURCE"))

    @property
    def pepper_secret(self) -> str:
        return self._required("PEPPER_SECRET")

    @property
    def links_secret(self) -> str:
        return self._required("LINKS_SECRET")

    @property
    def reviews_queue_url(self) -> str:
        return self._required("REVIEWS_QUEUE_URL")

    @property
    def signing_key(self) -> str:
        """The ARN of the key that signs."""
        return self._required("SIGNING_KEY")

    @property
    def event_bus(self) -> str | None:
        """The event bus that every change is told on; None where nothing is."""
        return self.environment.get("EVENT_BUS") or None

    @property
    def seals_bucket(self) -> str:
        return self._required("SEALS_BUCKET")

    @property
    def mail_bucket(self) -> str:
        """The bucket that mails to the stop address arrive in."""
        return self._required("MAIL_BUCKET")

    @property
    def stop_mail_address(self) -> str | None:
        """The address that takes withdrawals by mail; None where none is received."""
        return self.environment.get("STOP_MAIL_ADDRESS") or None

    @property
    def configuration_set(self) -> str | None:
        """What Amazon SES reports about letters sent with it; None where it reports nothing."""
        return self.environment.get("CONFIGURATION_SET") or None

    @property
    def imports_bucket(self) -> str:
        return self._required("IMPORTS_BUCKET")

    @property
    def statistics_table(self) -> str:
        return self._required("STATISTICS_TABLE")

    @property
    def statistics_kept_days(self) -> int:
        """How many days after a day its counters are kept."""
        return int(self._required("STATISTICS_KEPT_DAYS"))

    @property
    def audiences_bucket(self) -> str:
        return self._required("AUDIENCES_BUCKET")

    @property
    def exports_bucket(self) -> str:
        """The bucket with files that were made for people."""
        return self._required("EXPORTS_BUCKET")

    @property
    def audience_parts_queue_url(self) -> str:
        return self._required("AUDIENCE_PARTS_QUEUE_URL")

    @property
    def audience_changes_queue_url(self) -> str | None:
        """Where it is said who decided; None where no audiences are made."""
        return self.environment.get("AUDIENCE_CHANGES_QUEUE_URL") or None

    @property
    def audience_purposes(self) -> tuple[str, ...]:
        """The purposes that audiences are made for; none by default."""
        names = self.environment.get("AUDIENCE_PURPOSES", "").split(",")
        return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))

    @property
    def cases_table(self) -> str:
        return self._required("CASES_TABLE")

    @property
    def case_keys_table(self) -> str:
        """The table of the keys that a case's particulars are sealed with."""
        return self._required("CASE_KEYS_TABLE")

    @property
    def case_steps_queue_url(self) -> str:
        return self._required("CASE_STEPS_QUEUE_URL")

    @property
    def announcements_queue_url(self) -> str | None:
        """Where it is said what recipients are to be told; None where nothing could be signed for them."""
        return self.environment.get("ANNOUNCEMENTS_QUEUE_URL") or None

    @property
    def recipient_secrets(self) -> str | None:
        """The name of the secret with the keys of recipients; None where none has one."""
        return self.environment.get("RECIPIENT_SECRETS") or None

    @property
    def recipient_connectors(self) -> dict[str, dict[str, Any]]:
        """Connectors that stand in for those of the policy, by recipient; none by default."""
        connectors: dict[str, dict[str, Any]] = json.loads(self.environment.get("RECIPIENT_CONNECTORS") or "{}")
        return connectors

    @property
    def recipients_inside(self) -> bool:
        """Whether webhooks may go to this machine and its network. Off, except where everything is local."""
        return self.environment.get("RECIPIENTS_INSIDE") == "on"

    @property
    def scope_prefix(self) -> str:
        return self._required("SCOPE_PREFIX")

    @property
    def public_url(self) -> str | None:
        """The address that people see, without a slash at the end; None where each request brings its own."""
        return self.environment.get("PUBLIC_URL", "").rstrip("/") or None

    def _required(self, name: str) -> str:
        value = self.environment.get(name)
        if not value:
            raise MissingSettingError(f"the setting {name} is missing from this function's environment")
        return value
