"""The connector of each recipient, as the policy describes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from consent_center.adapters.connectors.kind import Kind, failed
from consent_center.adapters.connectors.manual import Manual
from consent_center.adapters.connectors.outside import Outside
from consent_center.adapters.wire import Wire
from consent_center.domain.recipient import Answer, Ask, Verb
from consent_center.ports.basics import Clock
from consent_center.ports.cases import Connector, RecipientSecrets

Settings = Mapping[str, Any]
"""Of one recipient: `kind`, `verbs`, and what the kind needs."""


class Misset(Kind):
    """A recipient whose settings make no connector. Asking it fails, so that staff see it in the case."""

    possible = frozenset(Verb)

    @property
    def _ways(self) -> Mapping[Verb, Callable[[Ask], Answer]]:
        return dict.fromkeys(Verb, lambda _: failed("settings", was_sent=False))


@dataclass
class RegisteredConnectors:
    """Makes each connector on first use. A recipient without one is a task for staff."""

    recipients: Mapping[str, Settings]
    secrets: RecipientSecrets
    wire: Callable[[str], Wire]
    """Calls to a service of AWS, by its name in `adapters/aws.py`."""
    clock: Clock
    public_url: str | None = None
    """Where call-backs reach us, without a slash at the end."""
    inside_too: bool = False
    """Whether webhooks may go to this machine and its network: for tests only."""
    _made: dict[str, Connector] = field(default_factory=dict)

    def of(self, recipient: str) -> Connector:
        if recipient not in self._made:
            settings = self.recipients.get(recipient) or {}
            try:
                self._made[recipient] = self._make(recipient, settings)
            except (LookupError, ValueError, TypeError):
                self._made[recipient] = Misset(Verb)
        return self._made[recipient]

    def _make(self, recipient: str, settings: Settings) -> Connector:
        kind = settings.get("kind", "manual")
        verbs = [Verb(one) for one in settings.get("verbs", Verb)]
        if kind == "manual":
            return Manual(verbs)
        return _MAKERS[kind](self, recipient, verbs, settings)

    def _webhook(self, recipient: str, verbs: list[Verb], settings: Settings) -> Connector:
        from consent_center.adapters.connectors.webhook import Webhook

        return Webhook(
            verbs,
            url=settings["url"],
            secret_name=settings["secret_name"],
            secrets=self.secrets,
            outside=Outside(inside_too=self.inside_too),
            clock=self.clock,
            answer_to=self._answer_to(recipient),
        )

    def _dynamodb(self, _: str, verbs: list[Verb], settings: Settings) -> Connector:
        from consent_center.adapters.connectors.dynamodb import Table

        return Table(verbs, wire=self.wire("dynamodb"), table=settings["table"], key=settings["key"])

    def _s3(self, _: str, verbs: list[Verb], settings: Settings) -> Connector:
        from consent_center.adapters.connectors.s3 import Lines, OwnObjects

        form, pattern = settings["format"], settings["pattern"]
        where: dict[str, Any] = {
            "client": lambda: self._s3_client,
            "bucket": settings["bucket"],
            "prefix": settings.get("prefix", ""),
        }
        if form == "objects":
            return OwnObjects(verbs, pattern=pattern, **where)
        return Lines(verbs, pattern=pattern, form=form, column=settings.get("column", "email"), **where)

    def _ses(self, _: str, verbs: list[Verb], settings: Settings) -> Connector:
        from consent_center.adapters.connectors.ses import ContactList

        return ContactList(verbs, client=lambda: self._ses_client, contact_list=settings["contact_list"])

    def _cognito(self, _: str, verbs: list[Verb], settings: Settings) -> Connector:
        from consent_center.adapters.connectors.cognito import UserPool

        return UserPool(verbs, wire=self.wire("cognito-idp"), user_pool=settings["user_pool"])

    def _eventbridge(self, recipient: str, verbs: list[Verb], settings: Settings) -> Connector:
        from consent_center.adapters.connectors.eventbridge import EventBridge

        return EventBridge(
            verbs,
            wire=self.wire("events"),
            bus=settings["bus"],
            clock=self.clock,
            answer_to=self._answer_to(recipient),
            answers="secret_name" in settings,
        )

    def _answer_to(self, recipient: str) -> str | None:
        return f"{self.public_url}/recipients/{recipient}/answers" if self.public_url else None

    @cached_property
    def _s3_client(self) -> Any:
        from consent_center.adapters.connectors.s3 import s3_client

        return s3_client()

    @cached_property
    def _ses_client(self) -> Any:
        from consent_center.adapters.connectors.ses import ses_client

        return ses_client()


_MAKERS = {
    "webhook": RegisteredConnectors._webhook,
    "dynamodb": RegisteredConnectors._dynamodb,
    "s3": RegisteredConnectors._s3,
    "ses": RegisteredConnectors._ses,
    "cognito": RegisteredConnectors._cognito,
    "eventbridge": RegisteredConnectors._eventbridge,
}
