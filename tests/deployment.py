"""The functions over one set of fakes: real events in, answers out."""

import base64
import html
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import audience_worker.app
import consent_api.app
import delivery_worker.app
import expiry_worker.app
import feedback_worker.app
import import_worker.app
import preference_center.app
import retention_worker.app
import rights_worker.app
import shipped_policy
import statistics_worker.app
import subscription_links.app
from builders import PEOPLE
from consent_center.bootstrap import Services
from consent_center.config import Config
from fakes import (
    CollectingAnnouncementOrders,
    CollectingAnnouncements,
    CollectingAudienceOrders,
    CollectingDeadLetters,
    CollectingMailer,
    CollectingOutbox,
    CollectingRemovals,
    CollectingReviews,
    CollectingTellings,
    CountingChance,
    FixedSecrets,
    HashingSigner,
    InMemoryAddressMoves,
    InMemoryAudiences,
    InMemoryClaims,
    InMemoryDayIndex,
    InMemoryImports,
    InMemoryLedger,
    InMemoryLimits,
    InMemoryListing,
    InMemoryMails,
    InMemoryRetention,
    InMemorySeals,
    InMemoryStatistics,
    InMemorySubjects,
    PlainKeys,
    ScriptedRecipients,
    SettableClock,
    no_pause,
)
from fakes.cases import InMemoryCases, InMemoryExports, InMemoryParticulars, ListOfCaseOrders

EVENTS = Path(__file__).parents[1] / "events"

CONTEXT = SimpleNamespace(
    function_name="test",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:eu-north-1:000000000000:function:test",
    aws_request_id="00000000-0000-4000-8000-000000000002",
)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str
    cookies: list[str]

    @property
    def text(self) -> str:
        """The body of a page with its character references resolved."""
        return html.unescape(self.body)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Deployment:
    """The functions over one set of fakes."""

    subjects: InMemorySubjects = field(default_factory=InMemorySubjects)
    outbox: CollectingOutbox = field(default_factory=CollectingOutbox)
    mailer: CollectingMailer = field(default_factory=CollectingMailer)
    claims: InMemoryClaims = field(default_factory=InMemoryClaims)
    limits: InMemoryLimits = field(default_factory=InMemoryLimits)
    dead_letters: CollectingDeadLetters = field(default_factory=CollectingDeadLetters)
    clock: SettableClock = field(default_factory=SettableClock)
    seals: InMemorySeals = field(default_factory=InMemorySeals)
    signer: HashingSigner = field(default_factory=HashingSigner)
    receipt_signer: HashingSigner = field(
        default_factory=lambda: HashingSigner("arn:aws:kms:eu-north-1:000000000000:key/receipts-1")
    )
    keys: PlainKeys = field(default_factory=PlainKeys)

    mails: InMemoryMails = field(default_factory=InMemoryMails)
    stop_mail: str | None = None

    imports: InMemoryImports = field(default_factory=InMemoryImports)
    statistics: InMemoryStatistics = field(default_factory=InMemoryStatistics)
    audiences: InMemoryAudiences = field(default_factory=InMemoryAudiences)
    audience_orders: CollectingAudienceOrders = field(default_factory=CollectingAudienceOrders)

    cases: InMemoryCases = field(default_factory=InMemoryCases)
    particulars: InMemoryParticulars = field(default_factory=InMemoryParticulars)
    case_orders: ListOfCaseOrders = field(default_factory=ListOfCaseOrders)

    def __post_init__(self) -> None:
        shipped_policy.compiled()
        self.subjects.clock = self.clock
        settings = {"SIGN_UPS_PER_ADDRESS": "5", "SIGN_UPS_PER_SOURCE": "8", "SCOPE_PREFIX": "consent."}
        settings |= {"LEDGER_TABLE": "ledger", "STATISTICS_KEPT_DAYS": "1096"}

        if self.stop_mail is not None:
            settings["STOP_MAIL_ADDRESS"] = self.stop_mail
        settings |= {"AUDIENCE_PURPOSES": "direct-marketing-email", "PUBLIC_URL": "https://consent.example.com"}
        self.settings = settings
        services = Services(Config(settings))
        services.subjects = self.subjects
        services.ledger = InMemoryLedger(self.subjects)
        services.outbox = self.outbox
        services.mailer = self.mailer
        services.claims = self.claims
        services.limits = self.limits
        services.dead_letters = self.dead_letters
        services.mails = self.mails
        services.clock = self.clock
        services.imports = self.imports
        services.statistics = self.statistics
        services.audience_files = self.audiences
        services.audience_orders = self.audience_orders
        self.cases.clock = self.clock
        services.cases = self.cases
        services.particulars = self.particulars
        services.case_orders = self.case_orders
        services.listing = InMemoryListing(self.subjects)
        services.address_moves = InMemoryAddressMoves(self.subjects)
        services.exports = InMemoryExports()
        services.cases = self.cases
        services.particulars = self.particulars
        services.case_orders = self.case_orders
        services.pause = no_pause
        services.chance = CountingChance()
        services.secrets = FixedSecrets()
        self.index = InMemoryDayIndex(self.subjects.entry_of)
        services.day_index = self.index
        services.seals = self.seals
        services.seal_signer = self.signer
        services.retention = InMemoryRetention(self.subjects)
        self.reviews = CollectingReviews(self.subjects)
        services.reviews = self.reviews
        self.tellings = CollectingTellings()
        services.tellings = self.tellings
        self.removals = CollectingRemovals()
        services.removals = self.removals
        self.announcements = CollectingAnnouncements()
        services.announcements = self.announcements
        self.announcement_orders = CollectingAnnouncementOrders()
        services.announcement_orders = self.announcement_orders
        self.told_recipients = ScriptedRecipients()
        services.told_recipients = self.told_recipients

        services.receipt_signer = self.receipt_signer
        services.public_keys = self.keys
        self.services = services

    def event(self, name: str, token: str = "", **changes: Any) -> dict[str, Any]:
        text = (EVENTS / f"{name}.json").read_text().replace("TOKEN", token)
        return {**json.loads(text), **changes}

    def page(self, name: str, token: str = "", form: dict[str, Any] | None = None, **changes: Any) -> Answer:
        event = self.event(f"subscription_links/{name}", token, **changes)
        if form is not None:
            event["body"] = base64.b64encode(urlencode(form, doseq=True).encode()).decode()
        return _answer(subscription_links.app.lambda_handler(event, CONTEXT))  # type: ignore[arg-type]

    def preferences(self, name: str, token: str = "", form: dict[str, Any] | None = None, **changes: Any) -> Answer:
        event = self.event(f"preference_center/{name}", token, **changes)
        if form is not None:
            event["body"] = base64.b64encode(urlencode(form, doseq=True).encode()).decode()
        return _answer(preference_center.app.lambda_handler(event, CONTEXT))  # type: ignore[arg-type]

    def press(self, token: str, **form: Any) -> Answer:
        """Press a button of the preference page and follow to the page that says what was done."""
        answer = self.preferences("post-preferences", token, form=form)
        if answer.status != 303:
            return answer
        query = dict(parse_qsl(answer.headers["location"].partition("?")[2]))
        return self.preferences("get-preferences", token, queryStringParameters=query)

    def manage_token(self, email: str = PEOPLE[0]) -> str:
        """Ask for the link to the preferences and take it out of the letter."""
        assert self.preferences("post-lost-link", form={"email": email}).status == 200
        assert self.deliver() == {"batchItemFailures": []}
        return self.link("preferences")

    def subscribed(self, *topics: str) -> str:
        """Subscribe, and come a minute later with the link to the preferences."""
        assert self.confirm(self.asked(*topics)).status == 200
        self.clock.move(seconds=60)
        return self.manage_token()

    def api(self, name: str, token: str = "", **changes: Any) -> Answer:
        return _answer(consent_api.app.lambda_handler(self.event(f"consent_api/{name}", token, **changes), CONTEXT))  # type: ignore[arg-type]

    def check(self, *recipients: str, topic: str | None = None, **other: Any) -> Answer:
        body = {
            "purpose": "direct-marketing-email",
            "channel": "email",
            "recipients": recipients or PEOPLE[:1],
            **other,
        }
        return self.api("post-permission-checks", body=json.dumps({**body, **({"topic": topic} if topic else {})}))

    def deliver(self) -> dict[str, Any]:
        """Hand every queued order to the worker."""
        record = self.event("delivery_worker/letters")["Records"][0]
        records = [
            {
                **record,
                "messageId": f"message-{number}",
                "body": json.dumps(
                    {
                        **json.loads(record["body"]),
                        "letter": order.letter,
                        "request": order.request,
                        "controller": order.contact.controller,
                        "pseudonym": order.contact.pseudonym,
                        **({"brand": order.brand} if order.brand else {}),
                    }
                ),
            }
            for number, order in enumerate(self.outbox.orders)
        ]
        return delivery_worker.app.lambda_handler({"Records": records}, CONTEXT)  # type: ignore[arg-type]

    def job(self, name: str) -> dict[str, Any]:
        """Run a job as its schedule does."""
        worker = {
            "seal": retention_worker.app,
            "review": expiry_worker.app,
            "audience": audience_worker.app,
            "rights": rights_worker.app,
        }[name]
        return worker.lambda_handler({"job": name}, CONTEXT) or {}  # type: ignore[arg-type]

    def feed_back(self, *bodies: Any) -> dict[str, Any]:
        """Hand messages to the worker for what comes back; what is no text is sent as JSON."""
        record = self.event("feedback_worker/mail")["Records"][0]
        records = [
            {**record, "messageId": f"message-{number}", "body": body if isinstance(body, str) else json.dumps(body)}
            for number, body in enumerate(bodies)
        ]
        return feedback_worker.app.lambda_handler({"Records": records}, CONTEXT)  # type: ignore[arg-type]

    def carry_out(self, *parts: str, milliseconds_left: int = 25_000) -> dict[str, Any]:
        """Hand messages about parts of imports to the worker."""
        record = self.event("import_worker/parts")["Records"][0]
        records = [{**record, "messageId": f"message-{number}", "body": body} for number, body in enumerate(parts)]
        context = SimpleNamespace(**vars(CONTEXT), get_remaining_time_in_millis=lambda: milliseconds_left)
        return import_worker.app.lambda_handler({"Records": records}, context)  # type: ignore[arg-type]

    def look(self, *bodies: Any, tries: int = 1) -> dict[str, Any]:
        """Hand messages about cases to the worker, as delivered so often: all ordered, unless others are given."""
        record = self.event("rights_worker/cases")["Records"][0]
        ordered = bodies or [{"case": case, "due_at": due_at} for case, due_at in self.case_orders.orders]
        record = {**record, "attributes": {**record["attributes"], "ApproximateReceiveCount": str(tries)}}
        records = [
            {**record, "messageId": f"message-{number}", "body": body if isinstance(body, str) else json.dumps(body)}
            for number, body in enumerate(ordered)
        ]
        return rights_worker.app.lambda_handler({"Records": records}, CONTEXT)  # type: ignore[arg-type]

    def tell(self, *records: dict[str, Any]) -> None:
        """Hand changes of tables to the worker that counts."""
        statistics_worker.app.lambda_handler({"Records": list(records)}, CONTEXT)  # type: ignore[arg-type]

    def form_token(self) -> str:
        token = re.search(r'name="form" value="([^"]+)"', self.page("get-subscribe").body)
        assert token
        self.clock.move(seconds=2)
        return token[1]

    def sign_up(self, *topics: str, email: str = PEOPLE[0], **fields: Any) -> Answer:
        form = {"email": email, "topic": topics or ("product-news", "events"), "form": self.form_token(), **fields}
        return self.page("post-subscribe", form=form)

    def asked(self, *topics: str, **fields: Any) -> str:
        """Sign up and take the confirm token out of the letter."""
        assert self.sign_up(*topics, **fields).status == 200
        assert self.deliver() == {"batchItemFailures": []}
        return self.link("confirm")

    def waiting(self, *topics: str, **fields: Any) -> tuple[str, str]:
        """Sign up: the token of the page that waits for the code, and the code as it stands in the letter."""
        token = self.waiting_token(self.sign_up(*topics, **fields))
        assert self.deliver() == {"batchItemFailures": []}
        return token, self.letter_code()

    def waiting_token(self, page: Answer) -> str:
        found = re.search(r'action="/waiting/([^"?]+)', page.text)
        assert found, "the page has no form for a code"
        return found[1]

    def letter_code(self) -> str:
        found = re.search(r"^\d{3} \d{3}$", self.mailer.letters[-1].text, re.MULTILINE)
        assert found, "the letter has no code"
        return found[0]

    def enter(self, token: str, code: str, **changes: Any) -> Answer:
        return self.page("post-waiting", token, form={"code": code}, **changes)

    def link(self, route: str) -> str:
        found = re.search(rf"https://consent\.example\.com/{route}/([^\s>)?]+)", self.mailer.letters[-1].text)
        assert found, f"the letter has no {route} link"
        return found[1]

    def confirm(self, token: str) -> Answer:
        shown = re.search(r'name="shown" value="([^"]+)"', self.page("get-confirm", token).body)
        return self.page("post-confirm", token, form={"shown": shown[1] if shown else ""})

    def stop_link(self, topic: str | None = None) -> str:
        header = self.check(topic=topic).json["results"][0]["headers"]["List-Unsubscribe"]
        return str(header.partition(">")[0].rsplit("/", 1)[1])

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.subjects.entry_of.values()]


def _answer(answer: dict[str, Any]) -> Answer:
    headers = {name.lower(): value for name, value in answer.get("headers", {}).items()}
    headers |= {name.lower(): value[0] for name, value in answer.get("multiValueHeaders", {}).items()}
    return Answer(answer["statusCode"], headers, answer.get("body") or "", answer.get("cookies", []))
