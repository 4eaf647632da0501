"""What a person is given: all that is theirs, nothing of anybody else, in files that open everywhere."""

import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import shipped_policy
from builders import NAMES, PEOPLE, PURPOSE
from consent_center.adapters.addresses import parse_address
from consent_center.adapters.policy_files import load_policy
from consent_center.domain.case import Case, CaseState, LogLine, Right
from consent_center.domain.chain import Entry
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import ForbiddenStepError, UnavailableError
from consent_center.domain.lock import HOLD, Lock
from consent_center.domain.policy import Policy
from consent_center.domain.recipient import Task, TaskState, Verb
from consent_center.domain.retention import outline, plan
from consent_center.domain.subject import Act, decide
from consent_center.domain.suppression import Basis, Suppression
from consent_center.ports.cases import StoredPackage
from consent_center.ports.people import KeptPayload
from consent_center.texts import Texts
from consent_center.usecases.access import MOST_SHOWN
from consent_center.usecases.answers import make
from consent_center.usecases.feedback import Happening, Report, take_report
from consent_center.usecases.rectification import put_right
from consent_center.web.site import site
from fakes import InMemoryLedger
from fakes.cases import InMemoryCases, InMemoryExports, InMemoryParticulars
from unit.texts.test_pages import Tree
from usecase_world import BASE_URL, World

SCHEMA_FILE = Path(__file__).parents[3] / "docs/portability.schema.json"

TEXTS = Texts()

FORMULA = '=HYPERLINK("https://example.invalid")'


@pytest.fixture
def policy() -> Policy:
    shipped_policy.compiled()
    return load_policy()


@dataclass
class Answers:
    """A person, their case, and the package that is made of both."""

    world: World
    cases: InMemoryCases = field(default_factory=InMemoryCases)
    kept: InMemoryParticulars = field(default_factory=InMemoryParticulars)
    exports: InMemoryExports = field(default_factory=InMemoryExports)
    ledger: Any = None

    def case(self, right: Right, email: str = PEOPLE[0], **changes: Any) -> Case:
        now = self.world.clock()
        case = Case(
            f"case{len(self.cases.files)}{right.value}",
            right,
            CaseState.RUNNING,
            self.world.contact(email),
            "en",
            "DK",
            "page",
            now,
            "2027-02-15",
            "2027-02-15",
        )
        case = replace(case, **changes)
        self.cases.add(case, LogLine(now, "received", "person"))
        return self.cases.files[case.id].case

    def made(self, case: Case, email: str = PEOPLE[0], **particulars: Any) -> dict[str, bytes]:
        package = self.make(case, email, **particulars)
        data, _ = self.exports.kept[case.id, package.name]
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            return {name: archive.read(name) for name in archive.namelist()}

    def make(self, case: Case, email: str = PEOPLE[0], **particulars: Any) -> StoredPackage:
        world = self.world
        return make(
            case,
            {"address": email, **particulars},
            base_url=BASE_URL,
            site=partial(site, TEXTS, world.policy),
            policy=world.policy,
            addresses=parse_address,
            subjects=world.subjects,
            ledger=self.ledger or InMemoryLedger(world.subjects),
            cases=self.cases,
            kept=self.kept,
            texts=TEXTS,
            exports=self.exports,
            secrets=world.secrets,
            clock=world.clock,
        )

    def access(self, email: str = PEOPLE[0], **particulars: Any) -> tuple[dict[str, Any], str]:
        """The answer as data and as the text of its page."""
        files = self.made(self.case(Right.ACCESS, email), email, **particulars)
        return json.loads(files["answer.json"]), Tree(files["answer.html"].decode()).text

    def portable(self, email: str = PEOPLE[0], **particulars: Any) -> dict[str, Any]:
        files = self.made(self.case(Right.PORTABILITY, email), email, **particulars)
        told: dict[str, Any] = json.loads(files["portability.json"])
        jsonschema.validate(told, json.loads(SCHEMA_FILE.read_text()))
        return told


@pytest.fixture
def answers(policy: Policy) -> Answers:
    return Answers(World(policy=policy))


def subscribed(answers: Answers, email: str = PEOPLE[0], **fields: Any) -> None:
    world = answers.world
    world.confirm(world.asked("product-news", email=email, name=NAMES[0], company=NAMES[2], **fields))
    world.clock.move(seconds=60)


def change_state(answers: Answers, **changes: Any) -> None:
    contact = answers.world.contact()
    answers.world.subjects.subjects[contact] = replace(answers.world.subjects.subjects[contact], **changes)


def rows_of(file: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig"), newline="")))


def test_an_answer_tells_who_somebody_is_what_they_decided_and_all_that_the_policy_says_of_it(answers: Answers) -> None:
    subscribed(answers)

    told, page = answers.access()

    assert {one["data_type"]: one["value"] for one in told["person"]} == {
        "email": PEOPLE[0],
        "name": NAMES[0],
        "employer": NAMES[2],
    }
    assert [(one["topic"], one["state"]) for one in told["decisions"]] == [("product-news", "ConsentGiven")]
    assert told["decisions"][0]["kept"]["why"] == "active"
    (event,) = told["events"]
    assert event["details"]["address"] == PEOPLE[0]
    assert not {"before", "salt"} & event["details"].keys()
    purpose = next(one for one in told["purposes"] if one["id"] == PURPOSE)
    assert (purpose["bases"], purpose["recipients"][0]) == (["consent"], "Brevkaravanen Udsendelse ApS")
    assert any("contractual clauses" in one["safeguard"] for one in told["recipients"])
    assert "Datatilsynet" in told["authority"]["name"]
    for words in (PEOPLE[0], *NAMES[::2], "You said yes", "Product news", "Prairie Lantern Surveys", "Datatilsynet"):
        assert words in page
    assert event["details"]["wording"][0] in page


def test_whoever_is_unknown_is_told_that_nothing_is_held_but_their_request(answers: Answers) -> None:
    subscribed(answers)

    told, page = answers.access(PEOPLE[1])

    assert told["holds_anything"] is False
    assert (told["person"], told["decisions"], told["events"], told["purposes"]) == ([], [], [], [])
    assert [one["number"] for one in told["rights_requests"]] == [told["request"]["number"]]
    assert f"We hold nothing about {PEOPLE[1]}" in page
    assert PEOPLE[0] not in page
    assert not set(NAMES) & set(page.split())


def test_a_package_of_somebody_unknown_is_empty_and_says_so(answers: Answers) -> None:
    files = answers.made(answers.case(Right.PORTABILITY))

    told = json.loads(files["portability.json"])
    assert (told["data"], told["decisions"], told["events"]) == ([], [], [])
    assert b"There is nothing to take along" in files["README.txt"]


def test_a_package_holds_what_was_given_under_consent_and_fits_its_schema(answers: Answers) -> None:
    subscribed(answers)
    answers.world.withdraw(answers.world.stop_token("product-news"))

    told = answers.portable()

    assert {one["data_type"]: one["origin"] for one in told["data"]} == {
        "email": "provided",
        "name": "provided",
        "employer": "provided",
    }
    assert [(one["topic"], one["state"]) for one in told["decisions"]] == [("product-news", "ConsentWithdrawn")]
    assert [one["changes"][0]["state"] for one in told["events"]] == ["ConsentGiven", "ConsentWithdrawn"]
    assert told["events"][0]["wording"]


def test_what_rests_on_a_sale_or_on_an_interest_is_not_taken_along_but_shown(answers: Answers) -> None:
    subscribed(answers)
    scope = answers.world.policy.purpose(PURPOSE).scope("events", "email")
    sale = Act("soft_opt_in", by_person=False, facts={"purposes": {PURPOSE: {"basis": "soft_opt_in"}}}, details={})
    answers.world.subjects.commit(decision_of(answers, [(scope, DecisionState.SOFT_OPT_IN)], sale))
    (interest,) = answers.world.policy.purpose("profiling").all_scopes()
    no = Act("objected", by_person=True, facts={}, details={})
    answers.world.subjects.commit(decision_of(answers, [(interest, DecisionState.OBJECTED)], no))

    told = answers.portable()
    shown, _ = answers.access()

    assert [one["topic"] for one in told["decisions"]] == ["product-news"]
    assert len(told["events"]) == 1
    assert len(shown["events"]) == 3
    assert {one["topic"] for one in shown["decisions"]} == {"product-news", "events", None}


def decision_of(answers: Answers, changes: Any, act: Act) -> Any:
    world = answers.world
    subject = world.subjects.load(world.contact()).subject
    return decide(subject, changes, act, now=world.clock(), chance=world.chance.decision())


def test_what_was_worked_out_about_somebody_is_not_taken_along(policy: Policy) -> None:
    rows = [{**row, "origin": "inferred"} if row["id"] == "employer" else row for row in policy.raw["data_types"]]
    answers = Answers(World(policy=Policy({**policy.raw, "data_types": rows})))
    subscribed(answers)

    assert {one["data_type"] for one in answers.portable()["data"]} == {"email", "name"}


def test_nothing_of_a_former_holder_is_told(answers: Answers) -> None:
    subscribed(answers)
    change_state(answers, holder_since=answers.world.clock(), locks=(str(Lock(HOLD, 1, None, "controller")),))
    answers.world.subjects.sends[answers.world.contact(), PURPOSE] = answers.world.clock() - 1

    answers.world.clock.move(seconds=1)
    told, page = answers.access()
    taken = answers.portable()

    assert told["holds_anything"] is False
    assert (told["events"], told["decisions"], told["last_letters"], told["restrictions_and_holds"]) == ([], [], [], [])
    assert (taken["data"], taken["decisions"], taken["events"]) == ([], [], [])
    assert NAMES[0] not in page
    assert NAMES[0] not in json.dumps(told)


def test_a_new_holder_is_told_what_is_theirs(answers: Answers) -> None:
    subscribed(answers)
    change_state(answers, holder_since=answers.world.clock())
    answers.world.clock.move(seconds=60)
    answers.world.confirm(answers.world.asked("events", name=NAMES[1]))
    answers.world.clock.move(seconds=60)

    told, _ = answers.access()

    assert [one["topic"] for one in told["decisions"]] == ["events"]
    assert [one["entry"]["seq"] for one in told["events"]] == [2]
    assert NAMES[1] in json.dumps(told)
    assert NAMES[0] not in json.dumps(told)


def test_who_was_put_right_after_a_bounce_is_told_what_is_held_of_them(answers: Answers) -> None:
    subscribed(answers)
    world = answers.world
    report = Report(Happening.HARD_BOUNCE, world.clock(), (), (PEOPLE[0],), "")
    take_report(report, addresses=parse_address, **world.deciding)
    world.clock.move(days=1)
    asked = answers.case(Right.RECTIFICATION)
    put_right(
        asked,
        {"address": "new@example.com", "name": "Ada King"},
        source="rights",
        client="case:1",
        moves=world.address_moves,
        addresses=parse_address,
        **world.deciding,
    )
    world.clock.move(seconds=60)
    told, _ = answers.access("new@example.com")

    assert "Ada King" in json.dumps(told)


def test_suppression_holds_last_letters_and_open_sign_ups_are_told(answers: Answers) -> None:
    subscribed(answers)
    world = answers.world
    change_state(
        answers,
        suppression=Suppression(next(iter(Basis)), world.clock(), "2026-11-22", world.clock() // 1000 + 86400),
        locks=(str(Lock(HOLD, 1, world.clock() // 1000 + 3600, "controller")),),
    )
    world.subjects.sends[world.contact(), PURPOSE] = world.clock()
    world.sign_up("surveys", name=FORMULA)

    told, page = answers.access()

    assert told["suppression"]["notice"] == "2026-11-22"
    assert [one["kind"] for one in told["restrictions_and_holds"]] == ["hold"]
    assert [one["name"] for one in told["last_letters"]] == ["News by e-mail"]
    assert [FORMULA] in [one["told"] for one in told["open_sign_ups"]]
    assert told["decisions"][0]["kept"]["why"] == "locked"
    for words in ("We do not contact you", "kept for a legal claim", "The last letter went out", "Asked for on"):
        assert words in page


@pytest.mark.parametrize("days", [0, 30, 400, 2_000])
@pytest.mark.parametrize("is_locked", [False, True])
def test_the_outline_of_a_record_says_what_its_whole_plan_says(answers: Answers, days: int, is_locked: bool) -> None:
    world = answers.world
    for topic in ("product-news", "events", "product-news"):
        world.confirm(world.asked(topic))
        world.clock.move(days=3)
        world.withdraw(world.stop_token(topic))
        world.clock.move(days=3)
    world.confirm(world.asked("knowledge"))
    if is_locked:
        change_state(answers, locks=(str(Lock(HOLD, 1, None, "controller")),))
    subject = world.subjects.load(world.contact()).subject
    entries = InMemoryLedger(world.subjects).entries(str(subject.chain))
    now = world.clock() + days * 86_400_000
    sends = {PURPOSE: world.clock()}

    whole, short = (
        plan(subject, entries, sends, world.policy, now),
        outline(subject, iter(entries), sends, world.policy, now),
    )

    assert (short.state, short.profile) == (whole.state, whole.profile)
    assert set(short.by_scope) == set(subject.decided)


def test_earlier_requests_are_told_with_whom_we_told_and_our_people_by_role(answers: Answers) -> None:
    subscribed(answers)
    at = answers.world.clock()
    case = answers.case(Right.ERASURE)
    answers.kept.keep(case.id, {"details": "Please <b>all</b> of it."})
    answers.cases.commit(
        case.moved(CaseState.DONE, proved_at=at, closed_at=at),
        [LogLine(at, "decided", "staff:maria.example", {"recorded_by": "maria.example", "ground": "none"})],
        [Task("crm", Verb.ERASE, TaskState.DONE, told_at=at)],
    )

    told, page = answers.access()

    erasure = next(one for one in told["rights_requests"] if one["right"] == "erasure")
    assert erasure["log"][-1] == {
        "at": erasure["log"][-1]["at"],
        "what": "decided",
        "by": "staff",
        "facts": {"ground": "none"},
    }
    assert erasure["details"] == "Please <b>all</b> of it."
    assert next(one["told_at"] for one in told["recipients"] if one["name"].startswith("Kundenkompass")) == at // 1000
    assert "maria" not in json.dumps(told)
    assert "Please <b>all</b> of it." in page


def test_what_recipients_gave_goes_in_under_their_names_and_leads_out_of_no_folder(answers: Answers) -> None:
    subscribed(answers)
    given = {"crm": {"../notes.txt": "Met in Aarhus.", "visits.csv": "day,what\n2026-11-02,=1+1\n"}}

    files = answers.made(answers.case(Right.PORTABILITY), collected=given)

    assert files["from/crm/_notes.txt"] == b"Met in Aarhus."
    assert rows_of(files["from/crm/visits.csv"]) == [["day", "what"], ["2026-11-02", "'=1+1"]]
    told = json.loads(files["portability.json"])["collected"]
    assert told == [
        {"recipient": "Kundenkompass Software GmbH", "files": ["from/crm/_notes.txt", "from/crm/visits.csv"]}
    ]


@pytest.mark.parametrize("right", [Right.ACCESS, Right.PORTABILITY])
def test_no_cell_of_a_table_is_taken_for_a_formula(answers: Answers, right: Right) -> None:
    world = answers.world
    world.confirm(world.asked("product-news", name=FORMULA, company="+45 1", interests=("heat",)))
    world.clock.move(seconds=1)

    files = answers.made(answers.case(right))

    cells = [cell for name in files if name.endswith(".csv") for row in rows_of(files[name]) for cell in row]
    assert cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
    if right is Right.PORTABILITY:
        assert f"'{FORMULA}" in cells


def test_the_manifest_names_every_other_file_with_its_checksum(answers: Answers) -> None:
    subscribed(answers)

    files = answers.made(answers.case(Right.PORTABILITY), collected={"crm": {"a.txt": "a"}})

    told = {one["name"]: (one["size"], one["sha256"]) for one in json.loads(files.pop("manifest.json"))["files"]}
    assert told == {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()}


def test_the_schema_in_the_package_is_the_one_in_the_documents(answers: Answers) -> None:
    files = answers.made(answers.case(Right.PORTABILITY))

    assert files["schema.json"].decode() == SCHEMA_FILE.read_text()
    jsonschema.Draft202012Validator.check_schema(json.loads(files["schema.json"]))


def test_the_page_runs_nothing_loads_nothing_and_shows_markup_as_text(answers: Answers) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    world = answers.world
    world.confirm(world.asked("product-news", name=hostile, company="</style><script>alert(1)</script>"))
    world.clock.move(seconds=1)

    files = answers.made(answers.case(Right.ACCESS, language="da"))
    html = files["answer.html"].decode()
    tree = Tree(html)

    assert html.startswith('<!doctype html>\n<html lang="da" dir="ltr">')
    assert not tree.all("script", "link", "img", "iframe", "object", "embed", "base", "form")
    assert hostile in tree.text
    assert all(attributes["href"].startswith(("https://", "mailto:", "#")) for _, attributes in tree.all("a")), (
        "a file has no place to lead to by itself"
    )
    assert "oplysninger" in tree.text


def test_a_standard_tool_finds_the_zip_whole(answers: Answers, tmp_path: Path) -> None:
    subscribed(answers)
    case = answers.case(Right.ACCESS)
    package = answers.make(case)
    file = tmp_path / package.name
    file.write_bytes(answers.exports.kept[case.id, package.name][0])

    tool = ["unzip", "-t"] if shutil.which("unzip") else [sys.executable, "-m", "zipfile", "-t"]
    found = subprocess.run([*tool, str(file)], capture_output=True, text=True, check=False)

    assert found.returncode == 0, found.stdout


def test_making_it_again_takes_the_place_of_the_first(answers: Answers) -> None:
    case = answers.case(Right.ACCESS)
    first, second = answers.make(case), answers.make(case)

    assert first == second
    assert len(answers.exports.kept) == 1


def test_only_two_rights_have_a_package(answers: Answers) -> None:
    with pytest.raises(ForbiddenStepError):
        answers.make(answers.case(Right.ERASURE))


def test_nothing_is_said_to_be_kept_while_it_cannot_be(answers: Answers) -> None:
    answers.exports.is_full = True

    with pytest.raises(UnavailableError):
        answers.make(answers.case(Right.ACCESS))


class LongLife:
    """Events without end, none of which is kept in memory."""

    def __init__(self, world: World, count: int) -> None:
        self._world, self._count = world, count
        contact = world.contact()
        subject = world.subjects.subjects[contact]
        world.subjects.subjects[contact] = replace(subject, seq=count)
        chain = str(subject.chain)
        self._entry = world.subjects.entry_of[chain, 1]
        self._payload = world.subjects.payload_of[chain, 1]

    def stream(self, chain: str) -> Iterator[Entry]:
        start = datetime.fromisoformat(self._entry.at).timestamp()
        for seq in range(1, self._count + 1):
            at = datetime.fromtimestamp(start + seq / 1000, UTC).isoformat(timespec="milliseconds")
            yield Entry({**self._entry.body, "seq": seq, "at": at.replace("+00:00", "Z")}, self._entry.hash)

    def kept_payloads(self, chain: str) -> Iterator[KeptPayload]:
        yield from (KeptPayload(seq, self._payload, None) for seq in range(1, self._count + 1))


@dataclass
class CountingExports:
    """Takes everything and keeps nothing."""

    size: int = 0

    def write(self, case: str, name: str, content: Iterable[bytes], now: int) -> StoredPackage:
        self.size = sum(len(chunk) for chunk in content)
        return StoredPackage(name, self.size, "", now)


@pytest.mark.parametrize("right", [Right.ACCESS, Right.PORTABILITY])
def test_a_hundred_times_the_events_need_hardly_more_memory(answers: Answers, right: Right) -> None:
    subscribed(answers)
    answers.exports = CountingExports()  # type: ignore[assignment]
    case = answers.case(right)
    peaks = []
    for count in (MOST_SHOWN, MOST_SHOWN, 10_000):
        life = LongLife(answers.world, count)
        answers.world.subjects.kept_payloads = life.kept_payloads
        answers.ledger = life
        tracemalloc.start()
        answers.make(case)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert answers.exports.size > 100_000
    assert peaks[2] <= 1.5 * peaks[1], peaks
