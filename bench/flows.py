"""What each operation asks of DynamoDB, SQS, SES and Secrets Manager: the real handlers against the double.

Run as `python -m bench.flows <address of the double>`; prints one JSON object.
"""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.loopback import LINKS, PEPPER, Loopback, control
from bench.units import size_of, total

ROOT = Path(__file__).resolve().parents[1]
EVENTS = ROOT / "events"

CONTEXT = SimpleNamespace(
    function_name="bench",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:eu-north-1:000000000000:function:bench",
    aws_request_id="00000000-0000-4000-8000-000000000002",
)

ALL_TOPICS = ("product-news", "knowledge", "events", "surveys")
PURPOSE = "direct-marketing-email"
YES = "2026-01-05T10:00:00Z"
"""When those said yes who are imported."""


def environment(url: str) -> dict[str, str]:
    """What the functions find in their environment, with the double in AWS's place."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_DEFAULT_REGION": "eu-north-1",
        "AWS_REGION": "eu-north-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_METRICS_NAMESPACE": "ConsentCenter",
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
        "SUBJECTS_TABLE": "subjects",
        "LEDGER_TABLE": "ledger",
        "TRANSIENT_TABLE": "transient",
        "SIGN_UPS_PER_ADDRESS": "1000000",
        "SIGN_UPS_PER_SOURCE": "1000000",
        "DEAD_LETTERS_QUEUE_URL": "https://sqs.invalid/dead",
        "LETTERS_QUEUE_URL": f"{url}/000000000000/letters",
        "PEPPER_SECRET": "pepper",
        "LINKS_SECRET": "links",
        "SIGNING_KEY": "arn:aws:kms:eu-north-1:000000000000:key/bench",
        "SCOPE_PREFIX": "consent.",
        "PUBLIC_URL": "https://consent.example.com",
    }


def event(name: str, **changes: Any) -> dict[str, Any]:
    """A real event of a function, such as `subscription_links/post-subscribe`."""
    return {**json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8")), **changes}


def posted(form: Mapping[str, Any]) -> str:
    """A form as API Gateway hands it over."""
    return base64.b64encode(urlencode(form, doseq=True).encode()).decode()


def sign_up_event(address: str, topics: Sequence[str] = ("product-news", "events")) -> dict[str, Any]:
    """A valid sign-up with every field filled in. The form was shown five seconds ago."""
    from consent_center.adapters.policy_files import load_policy
    from consent_center.domain.capability import FormShown, seal_form

    shown = FormShown(time.time_ns() // 1_000_000 - 5_000, load_policy().newest_notice.version, "en")
    form = {
        "email": address,
        "topic": topics,
        "name": "Test Person",
        "company": "Test Company",
        "form": seal_form(shown, _keys(LINKS)),
    }
    return event("subscription_links/post-subscribe", body=posted(form))


def check_event(recipients: Sequence[str], *, record_send: bool = False) -> dict[str, Any]:
    """May I send these people news of events?"""
    body = {
        "purpose": PURPOSE,
        "channel": "email",
        "topic": "events",
        "recipients": recipients,
        "record_send": record_send,
    }
    return event("consent_api/post-permission-checks", body=json.dumps(body))


def page_event(address: str) -> dict[str, Any]:
    """Somebody looks at their preferences."""
    from consent_center.domain.capability import ManageLink, seal_manage

    token = seal_manage(ManageLink(_contact(address), int(time.time()) + 3_600), _keys(LINKS))
    asked = dict(json.loads(json.dumps(event("preference_center/get-preferences")).replace("TOKEN", token)))
    asked["headers"]["accept-encoding"] = "gzip, deflate, br, zstd"
    return asked


def profile(address: str) -> list[dict[str, Any]]:
    """Who this person is, beside the record that `states` makes."""
    from consent_center.adapters.dynamodb import keys

    texts = {"address": address, "normalised": address, "name": "Test Person", "company": "Test Company", "lang": "en"}
    item = {"pk": {"S": keys.of_contact(_contact(address))}, "sk": {"S": keys.PROFILE}, "v": {"N": "1"}}
    return [{**item, **{name: {"S": text} for name, text in texts.items()}, "interests": {"L": []}}]


STOCK_PERSON = "somebody"


def stock_page_event() -> dict[str, Any]:
    """The same at the stock handler."""
    return dict(json.loads(json.dumps(event("preference_center/get-preferences")).replace("TOKEN", STOCK_PERSON)))


def stock_preferences(count: int = 10) -> list[dict[str, Any]]:
    """What one person said yes or no to, an item each."""
    texts = {"name": "News of events", "description": "Invitations to fairs, courses and webinars.", "lang": "en"}
    more = {"state": "ConsentGiven", "wording": "I agree to receive news of events by e-mail.", "notice": "2026-11-01"}
    return [
        {
            "pk": {"S": f"P#{STOCK_PERSON}"},
            "sk": {"S": f"purpose-{number}"},
            "v": {"N": "1"},
            "decided_at": {"N": "1795367345587"},
            **{name: {"S": text} for name, text in {**texts, **more}.items()},
        }
        for number in range(count)
    ]


def addresses(count: int) -> list[str]:
    """People who cannot exist (RFC 2606)."""
    return [f"person-{number}@example.org" for number in range(count)]


def states(state: Mapping[str, Any], people: Sequence[str]) -> list[dict[str, Any]]:
    """The same record for many people."""
    from consent_center.adapters.dynamodb import keys

    return [{**state, "pk": {"S": keys.of_contact(_contact(text))}} for text in people]


def _contact(address: str) -> Any:
    from consent_center.domain.contact import Address, contact_point

    return contact_point(Address(address, address), controller="fjordmeter", channel="email", peppers=_keys(PEPPER))


def _keys(secret: str) -> Any:
    from consent_center.domain.contact import Keyring

    return Keyring("k1", {"k1": secret.encode()})


class _Flow:
    """One person after the other, with what each step asked for."""

    def __init__(self, url: str) -> None:
        import consent_api.app
        import delivery_worker.app
        import preference_center.app
        import subscription_links.app

        self._url = url
        self._pages = subscription_links.app.lambda_handler
        self._preferences = preference_center.app.lambda_handler
        self._api = consent_api.app.lambda_handler
        self._worker = delivery_worker.app.lambda_handler
        self.counted: dict[str, Any] = {}

    def records(self) -> list[dict[str, Any]]:
        return list(control(self._url, "records", {}))

    def count(self, name: str) -> list[dict[str, Any]]:
        """Keep what was asked since the last step under this name."""
        records = [record for record in self.records() if record["service"] != "secretsmanager"]
        units = total(records)
        self.counted[name] = {
            "requests": dict(sorted(Counter(f"{each['service']}:{each['operation']}" for each in records).items())),
            "reads": units.reads,
            "writes": units.writes,
            "index_writes": units.index_writes,
            "bytes": {
                write["after"]["sk"]["S"].partition("#")[0] + f" in {write['table']}": size_of(write["after"])
                for record in records
                for write in record["writes"]
                if write["after"] and record["operation"] != "BatchWriteItem"
            },
        }
        return records

    def page(self, name: str, token: str = "", form: Mapping[str, Any] | None = None, status: int = 200) -> str:
        text = json.dumps(event(f"subscription_links/{name}")).replace("TOKEN", token)
        asked = json.loads(text)
        if form is not None:
            asked["body"] = posted(form)
        return str(_good(self._pages(asked, CONTEXT), status)["body"])

    def sign_up(self, name: str, address: str, topics: Sequence[str]) -> tuple[Any, str, int]:
        """The contact point, the request's id and its end."""
        from consent_center.domain.contact import ContactPoint

        _good(self._pages(sign_up_event(address, topics), CONTEXT))
        (write,) = [record for record in self.count(name) if record["operation"] == "PutItem"]
        item = write["writes"][0]["after"]
        _, key_id, pseudonym = item["pk"]["S"].split("#")
        contact = ContactPoint("fjordmeter", "email", key_id, pseudonym)
        return contact, item["sk"]["S"].partition("#")[2], int(item["expires_at"]["N"])

    def story(self, address: str, topics: Sequence[str], suffix: str) -> dict[str, Any]:
        """Sign up, letter, confirm twice, withdraw twice. Answers the STATE that the confirmation stored."""
        from consent_center.domain.capability import RequestLink, WithdrawLink, seal_request, seal_withdrawal

        contact, request, ends_at = self.sign_up(f"sign-up{suffix}", address, topics)
        self.deliver(contact, request)
        self.count(f"letter{suffix}")
        self.type_codes(contact, request, ends_at, suffix)
        token = seal_request(RequestLink(contact, request, ends_at), _keys(LINKS))
        shown = re.search(r'name="shown" value="([^"]+)"', self.page("get-confirm", token))
        assert shown
        self.count(f"confirm page{suffix}")
        self.page("post-confirm", token, {"shown": shown[1]})
        (transaction,) = [record for record in self.count(f"first confirm{suffix}") if record["writes"]]
        self.page("post-confirm", token, {"shown": shown[1]})
        self.count(f"repeated confirm{suffix}")
        self.deliver(contact, "1", "receipt")
        self.count(f"letter with receipt{suffix}")
        stop = seal_withdrawal(WithdrawLink(contact, "dm"), _keys(LINKS))
        self.page("get-unsubscribe", stop)
        self.count(f"unsubscribe page{suffix}")
        self.page("post-one-click-base64", stop)
        self.count(f"withdraw{suffix}")
        self.page("post-one-click-base64", stop)
        self.count(f"repeated withdraw{suffix}")
        return dict(transaction["writes"][0]["after"])

    def type_codes(self, contact: Any, request: str, ends_at: int, suffix: str) -> None:
        """First a wrong one, then the one in the letter."""
        from consent_center.domain.capability import WaitingLink, seal_waiting
        from consent_center.domain.passcode import passcode

        keys = _keys(LINKS)
        link = WaitingLink(contact, request, ends_at, keys.current)
        token, code = seal_waiting(link, keys), passcode(link, keys)
        self.page("get-waiting", token)
        self.count(f"waiting page{suffix}")
        self.page("post-waiting", token, {"code": f"{(int(code) + 1) % 1_000_000:06d}"}, status=422)
        self.count(f"type a wrong code{suffix}")
        self.page("post-waiting", token, {"code": code}, status=303)
        self.count(f"type the code{suffix}")

    def deliver(self, contact: Any, request: str, letter: str = "confirm") -> None:
        text = (EVENTS / "delivery_worker/letters.json").read_text(encoding="utf-8")
        filled = text.replace("REQUEST", request).replace("PSEUDONYM", contact.pseudonym)
        filled = filled.replace('\\"confirm\\"', f'\\"{letter}\\"')
        answer = self._worker(json.loads(filled), CONTEXT)
        assert answer == {"batchItemFailures": []}, answer

    def cancel(self, address: str) -> None:
        """Somebody else signed this person up, and they say so."""
        from consent_center.domain.capability import Capability, WithdrawLink, seal_withdrawal

        contact, request, _ = self.sign_up("sign-up", address, ["events"])
        link = WithdrawLink(contact, "dm", ("ev",), request, 0)
        self.page("post-not-me", seal_withdrawal(link, _keys(LINKS), Capability.NOT_ME))
        self.count("this was not me")

    def prefer(self, address: str) -> None:
        """Look at one's preferences, stop a topic, undo that, pause, object, and look at what was decided."""
        contact, request, ends_at = self.sign_up("sign-up", address, ALL_TOPICS)
        self.deliver(contact, request)
        from consent_center.domain.capability import ManageLink, RequestLink, seal_manage, seal_request

        token = seal_request(RequestLink(contact, request, ends_at), _keys(LINKS))
        shown = re.search(r'name="shown" value="([^"]+)"', self.page("get-confirm", token))
        assert shown
        self.page("post-confirm", token, {"shown": shown[1]})
        self.records()
        manage = seal_manage(ManageLink(contact, int(time.time()) + 3_600), _keys(LINKS))
        self.visit("get-preferences", manage)
        self.count("preference page")
        location = self.visit("post-preferences", manage, {"do": "stop", "purpose": PURPOSE, "topic": "events"})
        self.count("preference page: stop")
        done = parse_qs(urlsplit(location).query)["done"][0]
        self.visit("post-preferences", manage, {"do": "undo", "done": done})
        self.count("preference page: undo")
        self.visit("post-preferences", manage, {"do": "pause", "purpose": PURPOSE, "period": "3.0"})
        self.count("preference page: pause")
        self.visit("post-preferences", manage, {"do": "object", "to": "direct-marketing"})
        self.count("preference page: object")
        self.visit("get-history", manage)
        self.count("history of five decisions")
        self.visit("get-receipt-file", manage)
        self.count("signed receipt")

    def bring(self) -> None:
        """Rows of imports, of one person each, and what the expiry worker does after them."""
        yes = {"recipient": "imported@example.org", "decision": "given", "topics": ["events"], "confirmed_at": YES}
        self.row("import a yes", {**yes, "collected_at": YES}, "recorded")
        self.look("imported@example.org", "look at a record after its first decision")
        self.look("imported@example.org", "look at a record that stays as it is")
        self.row("import the same row again", {**yes, "collected_at": YES}, "recorded")
        self.row("import a no", {"recipient": "imported@example.org", "decision": "withdrawn", "decided_at": YES})
        self.row("import a no of somebody unknown", {"recipient": "another@example.org", "decision": "withdrawn"})
        self.row("import a yes without evidence", {**yes, "recipient": "third@example.org"}, "refused")

    def row(self, name: str, said: Mapping[str, Any], outcome: str = "recorded") -> None:
        """Carry out an import of one row."""
        from consent_center.bootstrap import services
        from consent_center.usecases.imports import import_part

        having = services()
        outcomes = import_part(
            "bench",
            1,
            deadline=having.clock() + 60_000,
            imports=_OneRow(json.dumps({"row": 2, **said})),
            policy=having.policy,
            subjects=having.subjects,
            ledger=having.ledger,
            addresses=having.addresses,
            secrets=having.secrets,
            chance=having.chance,
            clock=having.clock,
            pause=having.pause,
        )
        assert outcomes == {outcome: 1}, outcomes
        self.count(name)

    def look(self, address: str, name: str) -> None:
        """What follows from a decision: the ends of a person's items are worked out anew."""
        from consent_center.bootstrap import services
        from consent_center.usecases.retention import reconsider

        having = services()
        reconsider(
            _contact(address),
            policy=having.policy,
            subjects=having.subjects,
            retention=having.retention,
            ledger=having.ledger,
            chance=having.chance,
            clock=having.clock,
            pause=having.pause,
        )
        self.count(name)

    def seal(self, entries: int) -> None:
        """Seal a day of so many entries, which lie in the index that has the keys alone."""
        from consent_center.adapters.dynamodb import keys
        from consent_center.adapters.dynamodb.day_index import DynamoDayIndex
        from consent_center.bootstrap import services
        from consent_center.domain.seal import day_after, day_of
        from consent_center.usecases.sealing import seal_days

        having = services()
        day = day_after(day_of(having.clock()), -1)
        hashes = [hashlib.sha256(f"{entries} {number}".encode()).hexdigest() for number in range(entries)]
        items = [
            {
                "pk": {"S": f"C#chain-{number}"},
                "sk": {"S": "E#0000000001"},
                "day": {"S": keys.of_day(day, entry_hash)},
                "hash": {"S": entry_hash},
            }
            for number, entry_hash in enumerate(hashes)
        ]
        control(self._url, "put", {"table": "index", "items": items})
        index = DynamoDayIndex(having._database, "index")  # noqa: SLF001 - the index apart from its table
        done = seal_days(index=index, seals=_NoSeals(day_after(day, -1)), signer=having.seal_signer, clock=having.clock)
        assert (done.failed, done.entries) == (None, entries), done
        self.count(f"seal a day of {entries:,}")

    def visit(self, name: str, token: str, form: Mapping[str, Any] | None = None) -> str:
        """A page of one person; where it leads to, if it leads on."""
        asked = json.loads(json.dumps(event(f"preference_center/{name}")).replace("TOKEN", token))
        if form is not None:
            asked["body"], asked["isBase64Encoded"] = posted(form), True
        answer = self._preferences(asked, CONTEXT)
        assert answer["statusCode"] in (200, 303), f"a handler answered {answer['statusCode']}"
        return str(answer["headers"].get("Location", ""))

    def check(self, name: str, people: Sequence[str], *, record_send: bool = False) -> None:
        answer = json.loads(_good(self._api(check_event(people, record_send=record_send), CONTEXT))["body"])
        assert all(row["allowed"] for row in answer["results"])
        self.count(name)


class _OneRow:
    """An import of one row, in memory: what the bucket costs is the same for 250 rows as for one."""

    def __init__(self, row: str) -> None:
        self._row = row

    def about(self, import_id: str) -> Any:
        from consent_center.ports.exchange import Import

        known = {"method": "form", "notice": "2026-11-01", "language": "en"}
        return Import(PURPOSE, import_id, time.time_ns() // 1_000_000, 1, 1, **known)

    def rows(self, import_id: str, part: int) -> list[str]:
        return [self._row]

    def is_reported(self, import_id: str, part: int) -> bool:
        return False

    def add_report(self, import_id: str, part: int, lines: Iterable[str]) -> None:
        assert len(list(lines)) == 1


class _NoSeals:
    """Seals that are forgotten, the newest of them of a given day. What they cost is S3's: see docs/performance.md."""

    def __init__(self, newest: str) -> None:
        self._newest = newest

    def newest(self) -> Any:
        from consent_center.domain.seal import Draft, SignedSeal

        return SignedSeal(Draft(self._newest).finish(None, "key"), b"")

    def of_day(self, day: str) -> None:
        return None

    def leaves(self, seal: Any) -> Any:
        return iter(())

    def add(self, leaves: Iterable[Any], sign: Callable[[], Any]) -> Any:
        for _ in leaves:
            pass
        return sign()


def _good(answer: dict[str, Any], status: int = 200) -> dict[str, Any]:
    assert answer["statusCode"] == status, f"a handler answered {answer['statusCode']}"
    return answer


def run(url: str) -> dict[str, Any]:
    """Every operation's requests by name, its units, and the bytes of what it wrote."""
    flow = _Flow(url)
    state = flow.story("one-topic@example.com", ["events"], "")
    flow.story("all-topics@example.com", ALL_TOPICS, ", four topics")
    flow.prefer("preferences@example.com")
    flow.cancel("not-me@example.com")
    flow.bring()
    for entries in (10, 1_000, 10_000):
        flow.seal(entries)
    people = addresses(1_000)
    control(url, "put", {"table": "subjects", "items": states(state, people)})
    flow.check("check of 1", people[:1])
    flow.check("check of 1,000", people)
    flow.check("check and record send of 1,000", people, record_send=True)
    return flow.counted


def without_sizes(counted: Mapping[str, Any]) -> dict[str, Any]:
    """Requests and units alone. Bytes vary by a few: a moment that ends in zeros is stored as a shorter number."""
    return {name: {key: each[key] for key in each if key != "bytes"} for name, each in counted.items()}


def counted(python_path: Sequence[str], *, people: int = 0) -> dict[str, Any]:
    """`run` in a fresh process, with so many strangers in the table. `python_path` leads to functions and layers."""
    with Loopback() as double:
        control(double.url, "fill", {"table": "subjects", "people": people})
        done = subprocess.run(
            [sys.executable, "-m", "bench.flows", double.url],
            cwd=ROOT,
            env={"PYTHONPATH": os.pathsep.join(python_path), "PATH": os.environ.get("PATH", "")},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2_000:])
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    os.environ.update(environment(sys.argv[1]))
    sys.stdout.write(f"{json.dumps(run(sys.argv[1]))}\n")
