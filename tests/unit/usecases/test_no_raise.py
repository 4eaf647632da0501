"""Whatever happens in whatever order: nothing but the person's own act leads from a no to a yes, or to one unproven."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.unit.usecases.test_imports import ADA, ImportWorld

from builders import PURPOSE, a_policy_with_sales
from consent_center.adapters.addresses import parse_address
from consent_center.adapters.policy_files import load_stop_words
from consent_center.domain import wishes
from consent_center.domain.contact import ContactPoint, Keyring
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import DomainError
from consent_center.domain.importing import Evidence, ImportedRow
from consent_center.domain.objection import Against, in_force
from consent_center.domain.offline import Method
from consent_center.domain.reach import UNDELIVERABLE
from consent_center.domain.suppression import Basis
from consent_center.domain.told import About, Telling
from consent_center.usecases.feedback import Happening, Report, take_mail, take_report
from consent_center.usecases.letters import Delivery
from consent_center.usecases.offline import Asked, request_for_somebody
from consent_center.usecases.record import Proof, Statement, record_decision
from consent_center.usecases.rotation import move_to_current
from consent_center.usecases.suppress import erase, suppress
from consent_center.usecases.telling import note_told
from consent_center.usecases.whose import whose
from fakes import CollectingTellings, InMemoryLedger, InMemoryMoves

TOPICS = st.sampled_from([("product-news",), ("events",), ("product-news", "events")])
STATES = st.sampled_from([DecisionState.GIVEN, DecisionState.WITHDRAWN, DecisionState.REFUSED])
GROUPS = st.sampled_from(["meters", "valves"])
SPELLINGS = st.sampled_from([ADA, ADA.upper(), ADA.title(), f" {ADA} "])


class Roads(RuleBasedStateMachine):
    """Imports, the API, the page, mail, reports, one-click, a confirmed sign-up, undo, moves, suppression, erasure.

    Whoever has the address now is looked at; who had it before and moved away is a second person, at `elsewhere`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.world = ImportWorld(policy=a_policy_with_sales())
        self.world.most = type(self.world.most)(per_address=10**6, per_source=10**6)
        self.imports = self.moves = 0
        self.token: str | None = None
        self.done: str | None = None
        self.stops: list[str] = []
        """Links of letters that were sent to who moved away, before they did."""
        self.elsewhere: ContactPoint | None = None
        self.moved_before: dict[str, DecisionState] = {}
        self.before: dict[str, DecisionState] = {}
        self.was_the_person = True
        self.was_suppressed = False

    def others_act(self) -> None:
        self.remember(by_person=False)

    def remember(self, *, by_person: bool) -> None:
        self.world.clock.move(seconds=30)
        self.before = {code: one.state for code, one in self.decided().items()}
        self.was_the_person = by_person
        self.moved_before = {code: one.state for code, one in self.decided_elsewhere().items()}
        self.was_suppressed = self.world.subjects.load(self.mine()).subject.suppression is not None

    def mine(self) -> ContactPoint:
        """Where the person is found, under whichever pepper."""
        means = {"subjects": self.world.subjects, "secrets": self.world.secrets}
        return whose(parse_address(ADA), controller="fjordmeter", **means)

    def can_ask_for_the_link(self) -> bool:
        held = self.world.subjects.holdings(self.mine())
        return held.profile is not None and UNDELIVERABLE not in held.subject.locks

    def decided(self) -> dict[str, Any]:
        return dict(self.world.subjects.load(self.mine()).subject.decided)

    def decided_elsewhere(self) -> dict[str, Any]:
        """What stands of who moved away last."""
        return dict(self.world.subjects.load(self.elsewhere).subject.decided) if self.elsewhere else {}

    @precondition(lambda self: self.can_ask_for_the_link())
    @rule()
    def move_to_another_address(self) -> None:
        self.remember(by_person=True)
        if self.world.subjects.load(self.mine()).subject.chain is None:
            return
        headers = self.world.check(topic="product-news")[0].headers
        self.stops = [headers["List-Unsubscribe"].rsplit("/", 1)[1].rstrip(">")] if headers else []
        self.moves += 1
        to = f"ada-{self.moves}@example.com"
        self.world.clock.move(seconds=10)
        self.world.confirm_change(self.world.asked_to_move(to))
        self.elsewhere = self.world.contact(to)
        self.moved_before = {code: one.state for code, one in self.decided_elsewhere().items()}
        assert self.moved_before == self.before
        assert self.decided() == {}
        self.world.clock.move(seconds=10)
        # Whoever comes to the address next is somebody else, though the list of who is suppressed names it still.
        self.before, self.token, self.done = {}, None, None

    @precondition(lambda self: self.stops)
    @rule()
    def press_a_link_from_before_the_move(self) -> None:
        self.remember(by_person=False)
        here = self.decided()
        self.world.withdraw(self.stops[0])
        assert self.decided() == here, "a letter to who moved away is nothing to who is here now"
        assert not any(
            one.state.permits and code.startswith("dm.pn.") for code, one in self.decided_elsewhere().items()
        )

    @rule(state=STATES, topics=TOPICS, who=SPELLINGS, grade=st.sampled_from("ABC"), age=st.integers(0, 3))
    def import_a_row(self, state: DecisionState, topics: tuple[str, ...], who: str, grade: str, age: int) -> None:
        self.others_act()
        at = self.world.moment - timedelta(days=age)
        evidence = {"A": Evidence(at, confirmed_at=at), "B": Evidence(at), "C": Evidence()}[grade]
        given = state is DecisionState.GIVEN
        row = ImportedRow(2, who, state, topics, None if given else at, evidence if given else Evidence())
        self.imports += 1
        (report,) = self.world.bring(row, name=f"import-{self.imports}")
        assert not (given and grade != "A" and report["outcome"] == "recorded")

    @precondition(lambda self: self.imports)
    @rule()
    def deliver_a_part_again(self) -> None:
        self.others_act()
        name = f"import-{self.imports}"
        self.world.imports.reports.pop((name, 1), None)
        self.world.run(name)
        assert json.loads(self.world.imports.reports[name, 1][0])["row"] == 2

    @rule(state=STATES, topics=TOPICS, proven=st.booleans())
    def state_it_by_the_api(self, state: DecisionState, topics: tuple[str, ...], proven: bool) -> None:
        self.others_act()
        at = datetime.fromtimestamp(self.world.clock() / 1000, UTC)
        proof = Proof(at, "phone", ("Yes.",), "en", confirmed_at=at if proven else None)
        statement = Statement(ADA, state, PURPOSE, topics, proof=proof if state is DecisionState.GIVEN else None)
        try:
            record_decision(statement, client="crm", addresses=parse_address, **self.world.deciding)
        except DomainError:
            return

    @rule(against=st.sampled_from(Against))
    def object_by_the_api(self, against: Against) -> None:
        self.others_act()
        statement = Statement(ADA, DecisionState.OBJECTED, against=against)
        record_decision(statement, client="crm", addresses=parse_address, **self.world.deciding)

    @rule(who=SPELLINGS)
    def suppress_on_their_word(self, who: str) -> None:
        self.others_act()
        door = {"source": "api", "client": "crm", "controller": "fjordmeter"}
        suppress(parse_address(who), basis=Basis.REQUEST, **door, **self.world.deciding)
        self.was_suppressed = True

    @rule(who=SPELLINGS)
    def erase_and_keep_a_fingerprint(self, who: str) -> None:
        self.others_act()
        door = {"source": "operator", "client": "operator", "controller": "fjordmeter"}
        erase(parse_address(who), keep_fingerprint=True, **door, **self.world.deciding)
        self.before, self.was_suppressed, self.token, self.done = {}, True, None, None

    @rule(group=GROUPS, who=SPELLINGS, offered=st.booleans())
    def sell_something(self, group: str, who: str, offered: bool) -> None:
        self.others_act()
        at = datetime.fromtimestamp(self.world.clock() / 1000, UTC)
        proof = Proof(at, "shop", ("No, thank you.",), "en", reference="sale", opt_out_offered=offered)
        statement = Statement(who, DecisionState.SOFT_OPT_IN, "similar", (group,), proof=proof)
        said_no = self.said_no()
        try:
            recorded = record_decision(statement, client="shop", addresses=parse_address, **self.world.deciding)
        except DomainError:
            return
        assert offered
        assert not (recorded.is_new and said_no)

    def said_no(self) -> bool:
        """To any group of similar products, or to all marketing."""
        purpose, subject = self.world.policy.purpose("similar"), self.world.subjects.load(self.mine()).subject
        noes = [in_force(subject, purpose, scope) for scope in purpose.all_scopes()]
        return any(no is not None and no.state.is_the_persons_no for no in noes)

    @rule(topics=TOPICS, age=st.integers(0, 2))
    def staff_ask_and_the_letter_goes_out(self, topics: tuple[str, ...], age: int) -> None:
        self.others_act()
        at = datetime.fromtimestamp(self.world.clock() / 1000, UTC) - timedelta(days=age)
        asked = Asked(ADA, PURPOSE, topics, "en", Method.FAIR, at, asked_by_person=True)
        told = {name: one for name, one in self.world.deciding.items() if name != "pause"}
        others = {"limits": self.world.limits, "outbox": self.world.outbox, "most_per_address": 10**6}
        request_for_somebody(asked, client="fair-team", addresses=parse_address, **told, **others)
        self.world.deliver()

    @rule(group=GROUPS)
    def stop_a_group_by_the_api(self, group: str) -> None:
        self.others_act()
        statement = Statement(ADA, DecisionState.WITHDRAWN, "similar", (group,))
        record_decision(statement, client="shop", addresses=parse_address, **self.world.deciding)

    @rule(about=st.sampled_from(About), of=st.integers(1, 3))
    def be_told_by_letter(self, about: About, of: int) -> None:
        self.others_act()
        named = str(of) if about is About.SOURCE else f"2027-01-0{of}"
        telling = Telling(about, named, "told", "en", self.world.clock())
        told = {name: one for name, one in self.world.deciding.items() if name != "secrets"}
        # While something can be undone the note would be put off.
        self.world.clock.move(seconds=901)
        before = self.decided()
        note_told(
            self.mine(),
            telling,
            ledger=InMemoryLedger(self.world.subjects),
            tellings=CollectingTellings(),
            **told,
        )
        assert self.decided() == before

    @rule(text=st.sampled_from(["Stop", "Lovely!", "Please start again"]), is_proven=st.booleans())
    def write_to_the_stop_address(self, text: str, is_proven: bool) -> None:
        # Whoever writes, a mail can only lower: so it counts as another's act.
        self.others_act()
        proof = "pass" if is_proven else "fail"
        top = f"Authentication-Results: amazonses.com; dmarc={proof} header.from=example.com;\n"
        raw = f"{top}From: {ADA}\nTo: stop@example.com\nSubject: Re: News\n\n{text}\n".encode()
        deciding = {**self.world.deciding, "addresses": parse_address}
        take_mail(raw, self.world.clock(), words=load_stop_words(self.world.policy), **deciding)

    @rule(happening=st.sampled_from(Happening))
    def have_a_letter_reported(self, happening: Happening) -> None:
        self.others_act()
        report = Report(happening, self.world.clock(), (), recipients=(ADA,), sender="news@example.com")
        take_report(report, **self.world.deciding, addresses=parse_address)

    @precondition(lambda self: len(self.world.secrets.pepper.keys) < 4)
    @rule(moves=st.booleans())
    def rotate_the_pepper(self, moves: bool) -> None:
        self.others_act()
        decided = self.decided()
        known = self.world.secrets.pepper.keys
        new = f"k{len(known) + 1}"
        self.world.secrets.pepper = Keyring(new, {**known, new: new.encode()})
        for contact in list(self.world.subjects.subjects) if moves else []:
            means = {"subjects": self.world.subjects, "secrets": self.world.secrets, "pause": self.world.pause}
            mover = InMemoryMoves(self.world.subjects)
            move_to_current(contact, moves=mover, addresses=parse_address, **means)
        assert self.decided() == decided
        # An undo belongs to the link that the page was opened with.
        self.done = None

    @rule(topics=TOPICS)
    def sign_up_and_confirm(self, topics: tuple[str, ...]) -> None:
        self.remember(by_person=True)
        self.world.sign_up(*topics)
        if self.world.deliver() is Delivery.SENT:
            self.world.confirm(self.world.letter_token("confirm_url"))
        if self.can_ask_for_the_link():
            self.token = self.world.manage_token()

    @rule()
    def one_click(self) -> None:
        headers = self.world.check(topic="product-news")[0].headers
        self.remember(by_person=True)
        if headers:
            self.world.withdraw(headers["List-Unsubscribe"].rsplit("/", 1)[1].rstrip(">"))

    @precondition(lambda self: self.token and self.can_ask_for_the_link())
    @rule(topic=st.sampled_from(["product-news", "events"]))
    def stop_on_the_page(self, topic: str) -> None:
        self.remember(by_person=True)
        self.token = self.world.manage_token()
        self.done = self.world.wish(self.token, wishes.stop(self.world.policy.purpose(PURPOSE), topic)) or self.done

    @precondition(lambda self: self.done)
    @rule()
    def undo(self) -> None:
        self.remember(by_person=True)
        assert self.token
        self.world.undo(self.token, self.done)
        self.done = None

    @invariant()
    def only_the_person_turns_a_no_into_a_yes(self) -> None:
        if self.was_the_person:
            return
        for code, state in self.before.items():
            if state.is_the_persons_no:
                assert not self.decided()[code].state.permits

    @invariant()
    def nothing_that_is_done_at_an_address_raises_anything_for_who_moved_away(self) -> None:
        for code, one in self.decided_elsewhere().items():
            assert not one.state.permits or self.moved_before[code].permits

    @invariant()
    def only_the_person_lifts_a_suppression(self) -> None:
        if self.was_suppressed and not self.was_the_person:
            subject = self.world.subjects.load(self.mine()).subject
            assert subject.suppression is not None
            assert not any(one.state.permits for one in subject.decided.values())

    @invariant()
    def every_yes_is_proven_and_the_chain_holds(self) -> None:
        chain = self.world.subjects.load(self.mine()).subject.chain
        entries = {entry.seq: entry for entry in InMemoryLedger(self.world.subjects).entries(chain or "")}
        for one in self.decided().values():
            if not one.state.permits:
                continue
            entry = entries[one.seq]
            # An undo takes up what it restores, and says so itself.
            assert one.state is not DecisionState.SOFT_OPT_IN or entry.kind in ("soft_opt_in", "restored")
            assert entry.kind != "soft_opt_in" or entry.body["opt_out_offered"]
            if entry.kind == "given" and entry.body["source"] in ("import", "api"):
                assert entry.body["confirmed_at"]


TestRoads = Roads.TestCase
TestRoads.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
