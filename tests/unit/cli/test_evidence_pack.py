"""What stands in an evidence pack, made from a small world of fakes."""

import hashlib
import html
import json
import re
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.unit.usecases.test_offline import Office
from typer.testing import CliRunner

import shipped_policy
from builders import PEOPLE, PURPOSE
from cli.__main__ import app
from cli.evidence import _about_letter
from cli.evidence_pack import Asked, Case, Kept, archive_at, make
from cli.ledger import BadInputError
from consent_center.adapters.policy_files import load_policy
from consent_center.domain.chain import Entry, Payload, canonical, evidence_id
from consent_center.domain.replay import Question
from consent_center.ports.people import End
from consent_center.texts import Texts
from fakes import HashingSigner
from ledgers import SealedLedger
from local.samples import a_site
from unit.test_ledger_commands import RsaSigner, written
from usecase_world import World

TEXTS = Texts()
ENTRY = re.compile(r"\bname\d{22}\.\d+")


class Rows(HTMLParser):
    """The texts of the elements that state something, and every address on the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.statements: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self._open: list[bool] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.add(tag)
        self.links += [str(named[name]) for name in ("href", "src") if named.get(name)]
        self.ids += [str(named["id"])] if "id" in named else []
        if tag == "li":
            states = (named.get("class") or "") in ("statement", "answer")
            self._open.append(states)
            if states:
                self.statements.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "li":
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if any(self._open):
            self.statements[-1] += data


class Desk:
    """Whoever makes packs, and opens them."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.ledger = SealedLedger(signer=RsaSigner())
        self.signer: HashingSigner | None = RsaSigner()
        self.end: End | None = None
        self.lost: set[int] = set()
        self.lines: list[str] | None = None
        self.sealed = False
        self.nights = 2

    def case(self, **other: Any) -> Case:
        world, contact = self.world, self.world.contact()
        held = world.subjects.holdings(contact)
        chain = held.subject.chain

        def lines() -> list[str]:
            return self.lines if self.lines is not None else [line_of(entry) for entry in self.entries(chain)]

        def payloads() -> list[Kept]:
            return [
                Kept(entry.seq, world.subjects.payload_of[chain, entry.seq], self.end)
                for entry in self.entries(chain)
                if entry.seq not in self.lost
            ]

        if not self.sealed:
            for entry in self.entries(chain):
                self.ledger.index.entry_of[entry.chain, entry.seq] = entry
            self.ledger.add("somebody-else")
            for _ in range(self.nights):
                self.ledger.next_night()
            written(self.ledger, self.folder / "sealed")
            self.sealed = True
        values: dict[str, Any] = {
            "address": PEOPLE[0],
            "controller": "fjordmeter",
            "held": held,
            "other_keys": [],
            "lines": lines,
            "payloads": payloads,
            "policy": world.policy,
            "notice": lambda version, language: b"{}",
            "seals": self.folder / "sealed" / "seals",
            "signer": self.signer,
            "base_url": "https://consent.example.com",
            "now": world.clock(),
            "undo_ms": 900_000,
            "language": "en",
        }
        return Case(**{**values, **other})

    def entries(self, chain: str | None) -> list[Entry]:
        kept = sorted(self.world.subjects.entry_of.items())
        return [entry for (of_chain, _), entry in kept if of_chain == chain]

    def pack(self, **other: Any) -> tuple[bool, dict[str, bytes]]:
        to = self.folder / f"pack-{len(list(self.folder.iterdir()))}.zip"
        case = self.case(**other)
        with archive_at(to, case.now) as archive:
            holds = make(case, archive, TEXTS, {**a_site(TEXTS), "languages": []})
        with zipfile.ZipFile(to) as opened:
            return holds, {name: opened.read(name) for name in opened.namelist()}


def line_of(entry: Entry) -> str:
    body = canonical(dict(entry.body)).decode()
    return json.dumps({"chain": entry.chain, "seq": entry.seq, "hash": entry.hash, "body": body})


@pytest.fixture
def world() -> World:
    shipped_policy.compiled()
    return World(policy=load_policy())


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Desk:
    (tmp_path / "sealed").mkdir()
    return Desk(world, tmp_path)


@pytest.fixture
def left(desk: Desk, world: World) -> Desk:
    """Somebody said yes to two topics, was sent a letter, and stopped one."""
    world.confirm(world.asked("product-news", "events"))
    world.clock.move(days=1)
    stop = world.stop_token("events")
    world.clock.move(days=1)
    world.withdraw(stop)
    return desk


def test_every_statement_on_the_cover_page_names_an_entry_that_is_in_the_file(left: Desk) -> None:
    purpose = left.world.policy.purpose(PURPOSE)
    asked = Asked(Question(purpose, "email", "events"), left.world.clock() - 86_400_000, left.world.clock(), 1)
    holds, files = left.pack(asked=asked)
    page = Rows(files["index.html"].decode())
    rows = [json.loads(line) for line in files["ledger.ndjson"].splitlines()[1:]]
    known = {evidence_id(row["chain"], row["seq"]) for row in rows}

    assert holds
    assert len(page.statements) == 2 + 2 + 2
    for statement in page.statements:
        named = ENTRY.findall(statement)
        assert named, statement
        assert set(named) <= known
    for link in page.links:
        if link.startswith(("mailto:", "https://authority.")):
            continue
        assert link.partition("#")[0] in ("", *files), link
        assert not link.startswith("#") or link[1:] in page.ids
    assert page.tags.isdisjoint({"script", "img", "link", "iframe", "form"})


def test_the_page_says_what_was_agreed_to_in_which_words_what_ended_it_and_how_long_it_stays(left: Desk) -> None:
    _, files = left.pack()
    text = re.sub(r"<[^>]+>", "", files["index.html"].decode())
    first, second = left.world.events()

    assert PEOPLE[0] in text
    assert "Consent given" in text
    assert "Consent withdrawn" in text
    assert "Yes, Fjordmeter may send me" in text
    assert left.world.policy.newest_notice.version in text
    assert re.search(rf"Ended by\s+{re.escape(second.evidence)}", text)
    assert "Proof of consent" in text
    assert f"{first.evidence}" in text


def test_the_cover_names_who_attested_that_the_person_asked_and_the_hash_of_the_proof(tmp_path: Path) -> None:
    shipped_policy.compiled()
    (tmp_path / "sealed").mkdir()
    office = Office(policy=load_policy())
    office.ask_for()
    office.deliver()
    office.confirm(office.letter_token("confirm_url"))
    _, files = Desk(office, tmp_path).pack()
    cover = html.unescape(files["index.html"].decode())

    assert "Attested by staff" in cover
    assert f"fair-team; card 12; application/pdf, SHA-256 {'a' * 64}" in cover


def test_each_file_has_the_hash_that_the_manifest_says(left: Desk) -> None:
    _, files = left.pack()
    manifest = json.loads(files.pop("manifest.json"))

    assert manifest["sha256"] == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def test_the_data_hold_all_that_is_stored_with_its_ends_and_rules(left: Desk) -> None:
    left.end = End(2_000_000_000, "proof")
    _, files = left.pack()
    data = json.loads(files["data.json"])

    assert data["profile"]["address"] == PEOPLE[0]
    assert data["state"]["decided"]["dm.ev.email"]["entry"] == left.world.events()[1].evidence
    assert [row["expires_at"] for row in data["payloads"]] == [2_000_000_000] * 2
    assert data["payloads"][0]["rule"] == "proof"
    assert data["payloads"][0]["kept"]["why"] == "active"


def test_receipts_are_signed_by_whoever_may_and_else_say_that_they_are_not(left: Desk) -> None:
    _, files = left.pack()
    assert "As a file, signed" in files["index.html"].decode()
    left.signer = RsaSigner(refuses=True)
    left.signer.sign = HashingSigner(refuses=True).sign  # type: ignore[method-assign]
    _, files = left.pack()
    assert json.loads(files["receipts/receipt-1.json"])["cc:evidence"]["cc:seq"] == 1
    assert "As a file, not signed" in files["index.html"].decode()


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda lines: [lines[0].replace("given", "gavin"), lines[1]], "does not have the hash"),
        (lambda lines: lines[1:], "is missing before this one"),
        (lambda lines: lines[:1], "is missing before this one"),
        (lambda lines: [*lines, lines[1]], "two entries claim the same place"),
    ],
)
def test_what_was_tampered_with_is_found_and_then_nothing_is_said_to_be_lawful(
    left: Desk, spoil: Callable[[list[str]], list[str]], fault: str
) -> None:
    left.lines = spoil([line_of(entry) for entry in left.world.events()])
    purpose = left.world.policy.purpose(PURPOSE)
    now = left.world.clock()
    holds, files = left.pack(asked=Asked(Question(purpose, "email", "events"), now, now))

    assert not holds
    assert fault in files["verification.json"].decode()
    page = files["index.html"].decode()
    assert "The evidence does not hold, so nothing can be said." in page
    assert "<strong>Allowed</strong>" not in page


def test_personal_details_that_were_exchanged_are_found(left: Desk) -> None:
    chain = left.world.events()[0].chain
    payload = left.world.subjects.payload_of[chain, 1]
    left.world.subjects.payload_of[chain, 1] = Payload(payload.salt, {**payload.content, "wording": ["Another"]})

    holds, files = left.pack()
    assert not holds
    assert json.loads(files["verification.json"])["findings"][0]["seq"] == 1


def test_when_personal_details_are_gone_the_entry_stays_and_says_so(left: Desk) -> None:
    left.lost = {1}
    holds, files = left.pack()

    assert holds
    assert "the entry stays and names nobody" in files["index.html"].decode()
    assert [row["event"].rpartition(".")[2] for row in json.loads(files["data.json"])["payloads"]] == ["2"]


def test_the_seals_of_other_people_s_entries_are_no_finding(left: Desk) -> None:
    left.nights = 3
    left.world.clock.move(days=1)

    holds, files = left.pack()
    assert "somebody-else" in "".join(text.decode() for name, text in files.items() if "/leaves/" in name)
    report = json.loads(files["verification.json"])
    assert (holds, report["findings"], report["unsealed"], report["entries"]) == (True, [], 0, 2)


def test_an_edition_that_is_not_the_one_that_was_shown_is_left_out(left: Desk, world: World) -> None:
    chain = world.events()[0].chain
    body = {**world.subjects.entry_of[chain, 1].body, "notice_hash": "b" * 64}
    world.subjects.entry_of[chain, 1] = Entry(body, hashlib.sha256(canonical(body)).hexdigest())
    _, files = left.pack()
    assert not [name for name in files if name.startswith("notices/")]


def test_somebody_unknown_gets_a_pack_that_says_so(desk: Desk) -> None:
    holds, files = desk.pack()

    assert holds
    assert "Nothing is held about this address." in files["index.html"].decode()
    assert json.loads(files["data.json"])["state"] is None
    assert next(json.loads(line) for line in files["ledger.ndjson"].splitlines())["chains"] == []


def test_the_page_shows_the_newest_events_and_the_files_hold_all(left: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    # A deque takes its length when the pack is begun.
    monkeypatch.setattr("cli.evidence_pack.MOST_SHOWN", 1)
    _, files = left.pack()
    page = files["index.html"].decode()

    assert 'id="event-2"' in page
    assert 'id="event-1"' not in page
    assert "One older entry stands in the files only." in page
    assert len(files["ledger.ndjson"].splitlines()) == 3


def test_a_pack_that_fails_half_way_leaves_nothing_and_a_file_that_is_there_stays(left: Desk) -> None:
    to = left.folder / "pack.zip"

    def fails() -> list[str]:
        raise ConnectionError

    with pytest.raises(ConnectionError), archive_at(to, 0) as archive:
        make(left.case(lines=fails), archive, TEXTS, a_site(TEXTS))
    assert not list(left.folder.glob("*pack.zip*"))

    to.write_text("an older pack")
    with pytest.raises(FileExistsError), archive_at(to, left.world.clock()) as archive:
        make(left.case(), archive, TEXTS, a_site(TEXTS))
    assert to.read_text() == "an older pack"
    assert not list(left.folder.glob(".*"))


def test_only_the_owner_may_read_a_pack(left: Desk) -> None:
    left.pack()
    (pack,) = left.folder.glob("*.zip")
    assert pack.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody at all"], "no address"),
        ([PEOPLE[0], "--on", "yesterday", "--purpose", "direct-marketing-email"], "neither a day"),
        ([PEOPLE[0], "--on", "2026-11-24"], "--on needs --purpose"),
        ([PEOPLE[0], "--on", "2026-11-24", "--letter", "x"], "not both"),
        ([PEOPLE[0], "--language", "xx"], "does not speak"),
        ([PEOPLE[0], "--controller", "nobody"], "no such controller"),
    ],
)
def test_wrong_input_is_told_in_one_sentence_names_nobody_and_makes_nothing(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.evidence.operators_services", lambda deployment: NoAdapters())
    monkeypatch.setattr("cli.evidence._holdings", lambda address, whose, services: _nobody())
    monkeypatch.setattr("cli.deployment.Deployment.output", lambda self, name: "x")
    done = CliRunner().invoke(app, ["evidence", *arguments, "--to", str(tmp_path / "pack.zip")])

    assert done.exit_code == 2
    assert said in done.output
    assert PEOPLE[0] not in done.output
    assert not list(tmp_path.iterdir())


class NoAdapters:
    receipt_signer = None

    def close(self) -> None:
        """There is nothing to close."""


def _nobody() -> list[Any]:
    world = World()
    return [world.subjects.holdings(world.contact())]


def test_a_letter_to_somebody_else_proves_nothing_about_this_address(left: Desk, tmp_path: Path) -> None:
    header = f"<https://consent.example.com/u/{left.world.stop_token('product-news')}>"
    services: Any = left.world
    asked = _about_letter(header, left.case(), _Secrets(services))
    assert (asked.question.topic, asked.seq, asked.since == asked.until) == ("product-news", 1, True)

    with pytest.raises(BadInputError, match="not written to this address"):
        _about_letter(header, left.case(address=PEOPLE[1]), _Secrets(services))
    altered = header.replace("/u/v1.k1.", "/u/v1.k1.A")
    with pytest.raises(BadInputError, match="no letter that a check allowed"):
        _about_letter(altered, left.case(), _Secrets(services))
    mail = tmp_path / "letter.eml"
    mail.write_text(f"To: x\nList-Unsubscribe:\n {header}\n\nHello\n")
    assert _about_letter(str(mail), left.case(), _Secrets(services)).seq == 1


class _Secrets:
    """As much of the services as a letter needs."""

    def __init__(self, world: Any) -> None:
        self.secrets = world.secrets
