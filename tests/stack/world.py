"""The running stack as people and mail tools meet it, and as an auditor does."""

import http.client
import json
import re
import time
import urllib.parse
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from html import unescape
from pathlib import Path
from typing import Any

from consent_center.domain.chain import Entry, Payload
from local.stack import LocalStack

FORM = "application/x-www-form-urlencoded"

PERSONAL = re.compile(
    r"\bada-[0-9a-f]{12}|Ada Lovelace|v1\.k\d+\.[\w-]{8,}\.[\w-]{8,}|%40example|@example\.(org|invalid)"
)
"""The people of the stack and browser tests, and the tokens in their links."""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def first_link(headers: dict[str, str]) -> str:
    """The address for one-click in a letter's headers; a `mailto:` may follow it."""
    return headers["List-Unsubscribe"].partition(">")[0].removeprefix("<")


@dataclass
class Visitor:
    """Somebody with an address of their own, talking HTTP to the front door."""

    stack: LocalStack
    email: str = field(default_factory=lambda: f"ada-{uuid.uuid4().hex[:12]}@example.org")

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=40)
        try:
            connection.request(method, path.removeprefix(self.stack.url), body, headers or {})
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read().decode())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def post(self, path: str, **fields: Any) -> Answer:
        return self.request("POST", path, urllib.parse.urlencode(fields, doseq=True).encode(), {"Content-Type": FORM})

    def hidden(self, page: str, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', page)
        assert found, f"the page has no field {name}"
        return unescape(found[1])

    def sign_up(self, *topics: str) -> Answer:
        form = self.hidden(self.get("/subscribe").body, "form")
        time.sleep(1.05)
        return self.post("/subscribe", email=self.email, topic=topics, name="Ada Lovelace", form=form)

    def letters(self) -> list[dict[str, Any]]:
        """Every letter but the receipts, which come some time after a confirmation and are no answer to anything."""
        return [letter for letter in self._mail() if not letter["attachments"]]

    def receipts(self, count: int = 0, *, seconds: float = 20) -> list[dict[str, Any]]:
        """The letters that bring receipts, once there are at least so many."""
        end = time.monotonic() + seconds
        while len(found := [letter for letter in self._mail() if letter["attachments"]]) < count:
            assert time.monotonic() < end, "no receipt arrived"
            time.sleep(0.05)
        return found

    def _mail(self) -> list[dict[str, Any]]:
        return [letter for letter in self.get("/_local/mailbox.json").json if letter["to"] == self.email]

    def letter(self, *, seconds: float = 20) -> dict[str, Any]:
        """The newest letter to this person, waited for."""
        end = time.monotonic() + seconds
        while not (found := self.letters()):
            assert time.monotonic() < end, "no letter arrived"
            time.sleep(0.05)
        return found[-1]

    def code(self) -> str:
        """The six digits in the newest letter to this person, as they stand in it."""
        found = re.search(r"^\d{3} \d{3}$", self.letter()["text"], re.MULTILINE)
        assert found, "the letter has no code"
        return found[0]

    def waiting(self, page: Answer) -> str:
        """The address that the page after a sign-up posts the code to."""
        found = re.search(r'action="(/waiting/[^"]+)"', unescape(page.body))
        assert found, "the page has no form for a code"
        return found[1]

    def link(self, route: str, *, seconds: float = 20) -> str:
        """The newest link of a kind that was mailed to this person, waited for."""
        end = time.monotonic() + seconds
        while True:
            found = [link for letter in self.letters() for link in letter["links"] if f"/{route}/" in link]
            if found:
                return str(found[-1])
            assert time.monotonic() < end, f"no letter with a {route} link arrived"
            time.sleep(0.05)

    def preferences(self) -> str:
        """Ask for the link to the preferences, and take it out of the letter: a path without a query."""
        assert self.post("/preferences", email=self.email).status == 200
        return self.link("preferences").removeprefix(self.stack.url).partition("?")[0]

    def press(self, path: str, **fields: Any) -> Answer:
        """Press a button of the preference page, and follow to the page that says what was done."""
        answer = self.post(path, **fields)
        return self.get(answer.headers["location"]) if answer.status == 303 else answer

    def confirm(self, link: str | None = None) -> Answer:
        link = link or self.link("confirm")
        return self.post(link, shown=self.hidden(self.get(link).body, "shown"))

    def subscribed(self, *topics: str) -> "Visitor":
        """Sign up and confirm."""
        assert self.sign_up(*topics).status == 200
        assert self.confirm().status == 200
        return self

    def check(self, topic: str | None = None, **other: Any) -> dict[str, Any]:
        """The answer for this person."""
        question = {"purpose": "direct-marketing-email", "channel": "email", "recipients": [self.email], **other}
        if topic:
            question["topic"] = topic
        answer = self.api("check", "/v1/permission-checks", **question)
        assert answer.status == 200, answer.body
        (result,) = answer.json["results"]
        return dict(result)

    def api(self, scope: str, path: str, **body: Any) -> Answer:
        """Call the API as a system with one scope."""
        token = self.get(f"/_local/token?scope=consent.{scope}").json["access_token"]
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        return self.request("POST", path, json.dumps(body).encode(), headers)

    def stop_link(self, topic: str | None = None) -> str:
        return first_link(self.check(topic)["headers"])


@dataclass
class Auditor:
    """Reads every table as the account's owner."""

    stack: LocalStack

    @cached_property
    def database(self) -> Any:
        return self.stack.client("dynamodb")

    def everything(self) -> dict[str, list[Any]]:
        """Every item of every table, in a stable order."""
        tables = {}
        for name in ("SubjectsTable", "LedgerTable", "TransientTable"):
            pages = self.database.get_paginator("scan").paginate(
                TableName=self.stack.resources[name], ConsistentRead=True
            )
            items = [item for page in pages for item in page["Items"]]
            tables[name] = sorted(items, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))
        return tables

    def of_chain(self, table: str, chain: str) -> list[dict[str, Any]]:
        return list(
            self.database.query(
                TableName=self.stack.resources[table],
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": f"C#{chain}"}},
                ConsistentRead=True,
            )["Items"]
        )

    def entries(self, chain: str) -> list[Entry]:
        return [Entry(json.loads(item["body"]["S"]), item["hash"]["S"]) for item in self.of_chain("LedgerTable", chain)]

    def payloads(self, chain: str) -> dict[int, Payload]:
        return {
            int(item["sk"]["S"].removeprefix("E#")): Payload(
                item["salt"]["S"],
                json.loads(item["content"]["S"]),
                json.loads(item["more"]["S"]) if "more" in item else None,
            )
            for item in self.of_chain("SubjectsTable", chain)
        }

    def head(self, chain: str) -> str:
        """The hash that the person's record names as newest."""
        (state,) = [item for item in self.everything()["SubjectsTable"] if item.get("chain", {}).get("S") == chain]
        return str(state["head"]["S"])


def assert_that_no_log_names_a_person(state: Path) -> None:
    """Read everything that a stack with this state folder has logged."""
    logs = [path for path in state.rglob("*.log") if path.is_file()]
    assert logs
    for path in logs:
        found = PERSONAL.search(path.read_text(errors="replace"))
        assert found is None, f"{path.name} names a person: {found[0]!r}"
