"""The only place that joins ports to adapters. Each is made on first use, so that a function pays only for its own."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from consent_center.adapters.chance import SystemChance
from consent_center.config import Config, current_trace
from consent_center.domain.incoming import StopWords
from consent_center.domain.policy import Policy
from consent_center.domain.recipient import takes_events
from consent_center.domain.subject import Subject
from consent_center.ports.basics import Addresses, Chance, Clock, DeadLetters, Limits, Pause, PublicKeys, Secrets
from consent_center.ports.cases import CaseOrders, Cases, Connectors, Days, Exports, Particulars, RecipientSecrets
from consent_center.ports.evidence import DayIndex, Ledger, Seals, Signer
from consent_center.ports.exchange import (
    AnnouncementOrders,
    Announcements,
    AudienceFiles,
    AudienceOrders,
    Imports,
    Statistics,
    ToldRecipients,
)
from consent_center.ports.letters import Claims, IncomingMails, Mailer, Outbox, Tellings
from consent_center.ports.people import AddressMoves, Listing, Moves, Removals, Retention, Reviews, Subjects
from consent_center.texts import Texts

if TYPE_CHECKING:
    from consent_center.adapters.dynamodb.restore import DynamoRestoredRecords


@dataclass
class Services:
    """Everything a function may need. Tests replace what they like by assigning to it."""

    config: Config

    @cached_property
    def policy(self) -> Policy:
        from consent_center.adapters.policy_files import load_policy

        return load_policy()

    @cached_property
    def notice_text(self) -> Callable[[str, str, str], Mapping[str, Any]]:
        """The notice of a version in a language, of a controller."""
        from consent_center.adapters.policy_files import load_notice

        return lambda version, language, controller: load_notice(self.policy, version, language, controller)

    @cached_property
    def texts(self) -> Texts:
        return Texts()

    @cached_property
    def clock(self) -> Clock:
        return lambda: time.time_ns() // 1_000_000

    @cached_property
    def pause(self) -> Pause:
        return _pause

    @cached_property
    def chance(self) -> Chance:
        return SystemChance()

    @cached_property
    def addresses(self) -> Addresses:
        from consent_center.adapters.addresses import parse_address

        return parse_address

    @cached_property
    def secrets(self) -> Secrets:
        from consent_center.adapters.secretsmanager import ManagedSecrets

        return ManagedSecrets(
            self._wire("secretsmanager"),
            pepper_secret=lambda: self.config.pepper_secret,
            links_secret=lambda: self.config.links_secret,
            clock=self.clock,
        )

    @cached_property
    def _database(self) -> Any:
        from consent_center.adapters.dynamodb.database import Database

        return Database(self._wire("dynamodb"))

    def _wire(self, service: str) -> Any:
        from consent_center.adapters.aws import wire

        return wire(service, self.config.environment, clock=self.clock, pause=self.pause, trace=current_trace)

    @cached_property
    def subjects(self) -> Subjects:
        from consent_center.adapters.dynamodb.items import LEDGER_ITEMS, SUBJECTS_ITEMS
        from consent_center.adapters.dynamodb.subjects import DynamoSubjects

        self._database.bind(SUBJECTS_ITEMS, self.config.subjects_table)
        if "LEDGER_TABLE" in self.config.environment:
            self._database.bind(LEDGER_ITEMS, self.config.ledger_table)
        return DynamoSubjects(self._database, self.pause, self.clock)

    @cached_property
    def ledger(self) -> Ledger:
        from consent_center.adapters.dynamodb.items import LEDGER_ITEMS
        from consent_center.adapters.dynamodb.ledger import DynamoLedger

        self._database.bind(LEDGER_ITEMS, self.config.ledger_table)
        return DynamoLedger()

    @cached_property
    def claims(self) -> Claims:
        from consent_center.adapters.dynamodb.claims import DynamoClaims
        from consent_center.adapters.dynamodb.items import TRANSIENT_ITEMS

        self._database.bind(TRANSIENT_ITEMS, self.config.transient_table)
        return DynamoClaims()

    @cached_property
    def limits(self) -> Limits:
        from consent_center.adapters.dynamodb.items import TRANSIENT_ITEMS
        from consent_center.adapters.dynamodb.limits import DynamoLimits

        self._database.bind(TRANSIENT_ITEMS, self.config.transient_table)
        return DynamoLimits(self._database)

    @cached_property
    def dead_letters(self) -> DeadLetters:
        from consent_center.adapters.sqs import QueueOfDeadLetters

        return QueueOfDeadLetters(self._wire("sqs"), self.config.dead_letters_queue_url)

    @cached_property
    def outbox(self) -> Outbox:
        from consent_center.adapters.sqs import QueueOutbox

        return QueueOutbox(self._wire("sqs"), self.config.letters_queue_url)

    @cached_property
    def mailer(self) -> Mailer:
        from consent_center.adapters.ses import SesMailer

        return SesMailer(self._wire("sesv2"), self.config.configuration_set)

    @cached_property
    def mails(self) -> IncomingMails:
        from consent_center.adapters.mails_s3 import BucketOfMails

        return BucketOfMails(self.config.mail_bucket)

    @cached_property
    def stop_words(self) -> StopWords:
        from consent_center.adapters.policy_files import load_stop_words

        return load_stop_words(self.policy)

    @cached_property
    def day_index(self) -> DayIndex:
        from consent_center.adapters.dynamodb.day_index import DynamoDayIndex

        return DynamoDayIndex(self._database, self.config.ledger_table)

    @cached_property
    def seals(self) -> Seals:
        from consent_center.adapters.s3 import S3Seals

        return S3Seals(self.config.seals_bucket)

    @cached_property
    def seal_signer(self) -> Signer:
        from consent_center.adapters.kms import Algorithm, KmsSigner

        return KmsSigner(self._wire("kms"), lambda: self.config.signing_key, Algorithm.SEALS)

    @cached_property
    def retention(self) -> Retention:
        from consent_center.adapters.dynamodb.items import SUBJECTS_ITEMS
        from consent_center.adapters.dynamodb.retention import DynamoRetention

        self._database.bind(SUBJECTS_ITEMS, self.config.subjects_table)
        return DynamoRetention(self._database, self.clock)

    @cached_property
    def reviews(self) -> Reviews:
        from consent_center.adapters.dynamodb.items import SUBJECTS_ITEMS
        from consent_center.adapters.dynamodb.retention import DynamoReviewIndex
        from consent_center.adapters.sqs import QueuedReviews

        self._database.bind(SUBJECTS_ITEMS, self.config.subjects_table)
        index = DynamoReviewIndex(self._database)
        return QueuedReviews(self._wire("sqs"), self.config.reviews_queue_url, index.due)

    @cached_property
    def tellings(self) -> Tellings:
        from consent_center.adapters.sqs import QueuedTellings

        return QueuedTellings(self._wire("sqs"), self.config.reviews_queue_url)

    @cached_property
    def listing(self) -> Listing:
        from consent_center.adapters.dynamodb.items import SUBJECTS_ITEMS
        from consent_center.adapters.dynamodb.listing import DynamoListing

        self._database.bind(SUBJECTS_ITEMS, self.config.subjects_table)
        return DynamoListing(self._database)

    @cached_property
    def moves(self) -> Moves:
        from consent_center.adapters.dynamodb.items import SUBJECTS_ITEMS
        from consent_center.adapters.dynamodb.moves import DynamoMoves

        self._database.bind(SUBJECTS_ITEMS, self.config.subjects_table)
        return DynamoMoves(self._database)

    def restored_records(self, table: str) -> "DynamoRestoredRecords":
        """A table of Subjects that was restored, or the one that it was restored from."""
        from consent_center.adapters.dynamodb.restore import DynamoRestoredRecords

        return DynamoRestoredRecords(self._database, table, self.clock)

    @cached_property
    def address_moves(self) -> AddressMoves:
        from consent_center.adapters.dynamodb.address_moves import DynamoAddressMoves
        from consent_center.adapters.dynamodb.items import SUBJECTS_ITEMS

        self._database.bind(SUBJECTS_ITEMS, self.config.subjects_table)
        return DynamoAddressMoves(self._database, self.clock, lambda: self.config.ledger_table)

    @cached_property
    def removals(self) -> Removals:
        from consent_center.adapters.dynamodb.retention import DynamoRemovals

        return DynamoRemovals(self._database, self.config.ledger_table)

    @cached_property
    def announcements(self) -> Announcements | None:
        """Where changes are told; None where they are not."""
        if self.config.event_bus is None:
            return None
        from consent_center.adapters.event_bus import EventBus

        return EventBus(self._wire("events"), self.config.event_bus)

    @cached_property
    def announcement_orders(self) -> AnnouncementOrders:
        from consent_center.adapters.sqs import QueuedAnnouncements

        return QueuedAnnouncements(self._wire("sqs"), lambda: self.config.announcements_queue_url or "")

    @cached_property
    def recipients_to_tell(self) -> tuple[str, ...]:
        """The recipients that are told of every change that concerns them; none where nothing could be signed."""
        if self.config.announcements_queue_url is None:
            return ()
        return tuple(name for name, settings in self.recipient_connectors.items() if takes_events(settings))

    @cached_property
    def told_recipients(self) -> ToldRecipients:
        from consent_center.adapters.connectors.announcing import RecipientsByWebhook
        from consent_center.adapters.connectors.outside import Outside

        outside = Outside(inside_too=self.config.recipients_inside)
        return RecipientsByWebhook(self.recipient_connectors, self.recipient_secrets, outside, self.clock)

    @cached_property
    def subject_in(self) -> Callable[[Mapping[str, Any]], Subject]:
        """Reads a stored state as a stream carries it."""
        from consent_center.adapters.dynamodb.stored import subject_in

        return subject_in

    @cached_property
    def receipt_signer(self) -> Signer:
        """Signs receipts."""
        from consent_center.adapters.kms import Algorithm, KmsSigner

        return KmsSigner(self._wire("kms"), lambda: self.config.signing_key, Algorithm.RECEIPTS)

    @cached_property
    def public_keys(self) -> PublicKeys:
        from consent_center.adapters.kms import KmsPublicKeys

        return KmsPublicKeys(self._wire("kms"), lambda: self.config.signing_key)

    @cached_property
    def statistics(self) -> Statistics:
        from consent_center.adapters.dynamodb.statistics import DynamoStatistics

        return DynamoStatistics(self._database, self.config.statistics_table, self.pause)

    @cached_property
    def imports(self) -> Imports:
        from consent_center.adapters.imports_s3 import S3Imports, s3_client

        return S3Imports(s3_client(), self.config.imports_bucket)

    @cached_property
    def audience_orders(self) -> AudienceOrders:
        from consent_center.adapters.sqs import QueuedAudiences

        return QueuedAudiences(
            self._wire("sqs"),
            lambda: self.config.audience_parts_queue_url,
            lambda: self.config.audience_changes_queue_url or "",
        )

    @cached_property
    def cases(self) -> Cases:
        from consent_center.adapters.dynamodb.cases import DynamoCases

        return DynamoCases(self._database, self.config.cases_table, self.clock)

    @cached_property
    def particulars(self) -> Particulars:
        from consent_center.adapters.sealed import SealedParticulars

        return SealedParticulars(self._database, self.config.cases_table, self.config.case_keys_table)

    @cached_property
    def days(self) -> Days:
        from consent_center.domain.deadline import CaseDays

        return CaseDays(self.policy)

    @cached_property
    def case_orders(self) -> CaseOrders:
        from consent_center.adapters.sqs import QueuedCases

        return QueuedCases(self._wire("sqs"), self.config.case_steps_queue_url)

    @cached_property
    def recipient_connectors(self) -> Mapping[str, Mapping[str, Any]]:
        """The settings of each recipient's connector, by recipient: the policy's, or what the deployment puts there."""
        written = {row["id"]: row.get("connector") or {} for row in self.policy.raw.get("recipients", ())}
        return {**written, **self.config.recipient_connectors}

    @cached_property
    def recipient_secrets(self) -> RecipientSecrets:
        from consent_center.adapters.recipient_secrets import ManagedRecipientSecrets

        return ManagedRecipientSecrets(lambda: self._wire("secretsmanager"), self.config.recipient_secrets, self.clock)

    @cached_property
    def connectors(self) -> Connectors:
        from consent_center.adapters.connectors.registry import RegisteredConnectors

        return RegisteredConnectors(
            self.recipient_connectors,
            self.recipient_secrets,
            self._wire,
            self.clock,
            public_url=self.config.public_url,
            inside_too=self.config.recipients_inside,
        )

    @cached_property
    def audience_files(self) -> AudienceFiles:
        from consent_center.adapters.audiences_s3 import S3Audiences

        return S3Audiences(self.config.audiences_bucket)

    @cached_property
    def exports(self) -> Exports:
        from consent_center.adapters.exports_s3 import S3Exports

        return S3Exports(self.config.exports_bucket)


def _pause(attempt: int) -> None:
    """Full jitter: up to 20 ms at first, doubling to at most 320 ms, so that those who collided spread out."""
    time.sleep(random.uniform(0, 0.02 * 2 ** min(attempt, 4)))  # noqa: S311 - jitter is no secret


@cache
def services() -> Services:
    return Services(Config.from_env())
