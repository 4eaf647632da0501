"""One person's random acts under random faults, beside a model of what may be stored after each of them."""

import copy
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from consent_center.domain.decision import DecisionState
from faults import (
    ANSWER_LOST,
    CLOSED,
    CONFLICT,
    FAILING,
    HANGING,
    OVERLOADED,
    QUEUE_REFUSES,
    THROTTLED,
    Fault,
)
from spoiled import LETTERS, Person, World
from world import Answer, first_link

TOPICS = ("events", "product-news", "surveys")
ACTS = 40
SPOILED = 0.3
"""How likely a fault meets a request."""


@dataclass
class Model:
    """What holds by what was acknowledged. Times are counted in acts."""

    now: int = 0
    decided: dict[str, tuple[bool, int]] = field(default_factory=dict)
    """The newest yes or no by topic, and when it was said."""
    objected_at: int | None = None
    asked: set[str] = field(default_factory=set)
    """Topics that a letter still asks about."""
    is_paused: bool = False
    events: int = 0

    def says_yes(self, topic: str) -> bool:
        return self.decided.get(topic, (False, 0))[0]

    def newest_no(self, topic: str) -> int | None:
        """When the no was said that stands now, about the topic or about all letters."""
        is_yes, at = self.decided.get(topic, (False, -1))
        noes = [] if is_yes or at < 0 else [at]
        if self.objected_at is not None and self.objected_at > at:
            noes.append(self.objected_at)
        return max(noes, default=None)

    def give(self, topic: str) -> None:
        if not self.says_yes(topic):
            self.decide({topic: True})

    def stop(self, *topics: str, also_asked: bool) -> None:
        self.decide({one: False for one in topics if self.says_yes(one) or (also_asked and one in self.asked)})

    def decide(self, changes: dict[str, bool], *, always: bool = False) -> None:
        self.decided |= {topic: (is_yes, self.now) for topic, is_yes in changes.items()}
        self.asked -= set(changes)
        self.events += bool(changes) or always

    def object(self) -> None:
        running = {one: False for one in TOPICS if self.says_yes(one) or one in self.asked}
        # Again, where a yes came since: that is stopped once more.
        if self.objected_at is None or running:
            self.objected_at = self.now
            self.decide(running, always=True)

    def lift(self) -> None:
        if self.objected_at is not None:
            self.objected_at = None
            self.events += 1

    def pause(self, *, is_paused: bool) -> None:
        # A pause of somebody who decided nothing is nothing.
        if self.events and (is_paused or self.is_paused):
            self.is_paused = is_paused
            self.events += 1


@dataclass
class Walk:
    """One person who acts at random; `seed` repeats a walk."""

    world: World
    seed: int
    model: Model = field(default_factory=Model)
    _links: list[tuple[str, str, int]] = field(default_factory=list)
    """Confirm links with their topic, and when they were asked for."""
    _stop_links: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.person = Person(self.world)

    def go(self) -> None:
        likely = {
            self.sign_up: 4,
            self.confirm: 5,
            self.one_click: 3,
            self.stop: 1,
            self.stop_everything: 1,
            self.object: 1,
            self.lift: 1,
            self.pause: 2,
            self.record_yes: 2,
            self.record_no: 1,
            self.check: 4,
        }
        acts = list(likely)
        for number in range(ACTS):
            self.model.now = number + 1
            self.chance.choices(acts, list(likely.values()))[0]()
        # Every fault is over: what the person is told is what the model says, for each topic.
        for topic in TOPICS:
            assert self.person.check(topic)["allowed"] == self._allowed(topic)

    def sign_up(self) -> None:
        topic = self.chance.choice(TOPICS)
        letters = len(self.person.letters())
        operation, fault, answer = self._press(
            "sign-up", ["UpdateItem", "PutItem", "SendMessage"], lambda: self.person.sign_up(topic)
        )
        ordered = answer.status == 200 or (operation == "SendMessage" and fault is ANSWER_LOST)
        if ordered and not self.model.says_yes(topic):
            end = time.monotonic() + 30
            while len(self.person.letters()) == letters:
                assert time.monotonic() < end, "no letter arrived"
                time.sleep(0.05)
            link = next(link for link in self.person.letters()[-1]["links"] if "/confirm/" in link)
            self._links.append((link, topic, self.model.now))
            self.model.asked.add(topic)

    def confirm(self) -> None:
        if not self._links:
            return self.sign_up()
        # Mostly the newest letter, and now and then one that was lying about.
        link, topic, asked_at = self.chance.choice([self._links[-1], self.chance.choice(self._links)])
        page = self.person.get(link)
        no = self.model.newest_no(topic)
        if not self.model.says_yes(topic) and no is not None and no > asked_at:
            assert page.status == 410, "an old letter confirms nothing after a no"
            self._press("old-link", _DECIDES, lambda: self.person.post(link, shown="any"), refused=410)
            return None
        shown = "any" if self.model.says_yes(topic) else self.person.hidden(page.body, "shown")
        after = self._after(lambda model: model.give(topic))
        self._press("confirm", _DECIDES, lambda: self.person.post(link, shown=shown), after)
        return None

    def one_click(self) -> None:
        if not self._stop_links:
            return self.check()
        topic, link = self.chance.choice(sorted(self._stop_links.items()))
        after = self._after(lambda model: model.stop(topic, also_asked=False))
        self._press("one-click", _DECIDES, lambda: self.person.post(link, **{"List-Unsubscribe": "One-Click"}), after)
        return None

    def stop(self) -> None:
        topic = self.chance.choice(TOPICS)
        after = self._after(lambda model: model.stop(topic, also_asked=True))
        self._on_page("stop", after, do="stop", purpose=LETTERS, topic=topic)

    def stop_everything(self) -> None:
        after = self._after(lambda model: model.stop(*TOPICS, also_asked=True))
        self._on_page("stop-everything", after, do="stop_everything")

    def object(self) -> None:
        self._on_page("object", self._after(Model.object), do="object", to="direct-marketing")

    def lift(self) -> None:
        self._on_page("lift", self._after(Model.lift), do="allow", to="direct-marketing")

    def pause(self) -> None:
        if self.model.is_paused:
            after = self._after(lambda model: model.pause(is_paused=False))
            self._on_page("resume", after, do="pause", purpose=LETTERS, period="")
        else:
            after = self._after(lambda model: model.pause(is_paused=True))
            self._on_page("pause", after, do="pause", purpose=LETTERS, period="1.0")

    def record_yes(self) -> None:
        topic = self.chance.choice(TOPICS)
        if not self.model.says_yes(topic) and self.model.newest_no(topic) is not None:
            self._press("yes-over-no", _DECIDES, lambda: self.person.decide("given", topic), refused=409)
        else:
            after = self._after(lambda model: model.give(topic))
            self._press("recorded-yes", _DECIDES, lambda: self.person.decide("given", topic), after)

    def record_no(self) -> None:
        topic = self.chance.choice(TOPICS)

        def change(model: Model) -> None:
            if model.says_yes(topic) or topic not in model.decided:
                model.decide({topic: False})

        self._press("recorded-no", _DECIDES, lambda: self.person.decide("refused", topic), self._after(change))

    def check(self) -> None:
        topic = self.chance.choice(TOPICS)
        question = {"purpose": LETTERS, "channel": "email", "topic": topic, "recipients": [self.person.email]}
        _, fault, answer = self._press(
            "check", ["BatchGetItem"], lambda: self.person.api("check", "/v1/permission-checks", **question)
        )
        (row,) = answer.json["results"]
        if row["reason"] == "unavailable":
            assert fault is not None
            assert not row["allowed"]
            return
        assert row["allowed"] == self._allowed(topic)
        if row["allowed"]:
            self._stop_links[topic] = first_link(row["headers"])

    def _allowed(self, topic: str) -> bool:
        return self.model.says_yes(topic) and not self.model.is_paused

    def _after(self, change: Callable[[Model], None]) -> Model:
        after = copy.deepcopy(self.model)
        change(after)
        return after

    def _on_page(self, name: str, after: Model, **fields: str) -> None:
        path = self.person.manage()
        self._press(name, _DECIDES, lambda: self.person.post(path, **fields), after)

    def _press(
        self,
        name: str,
        operations: list[str],
        press: Callable[[], Answer],
        after: Model | None = None,
        refused: int | None = None,
    ) -> tuple[str, Fault | None, Answer]:
        """Send one request, perhaps spoiled, and look whether the books say what the model may say by now."""
        operation = self.chance.choice(operations)
        fault = self.chance.choice(_FAULTS[operation]) if self.chance.random() < SPOILED else None
        times = self.chance.choice([1, None])
        before = self.person.books()
        if fault is None:
            answer = press()
        else:
            with self.world.proxy.spoiling(operation, fault, *self.person.names, times=times):
                answer = press()
        self.log.append(f"{self.model.now} {name} {operation} {fault or 'unspoiled'} {times}: {answer.status}")
        books = self.person.books()
        grown = len(books.entries) - len(before.entries)
        after = after or self.model
        if answer.status == 503:
            assert fault is not None, "nothing was spoiled"
            # Wholly there, or wholly absent.
            if grown:
                self.model = after
        elif refused is not None:
            assert answer.status == refused
        else:
            assert answer.status in (200, 303)
            self.model = after
        assert len(books.entries) == self.model.events
        stored = {topic: self._stored(topic) for topic in TOPICS}
        assert stored == {topic: self.model.says_yes(topic) for topic in TOPICS}
        return operation, fault, answer

    def _stored(self, topic: str) -> bool:
        scope = self.world.policy.purpose(LETTERS).scope(topic, "email")
        return self.person.books().subject.state_of(scope) is DecisionState.GIVEN


_DECIDES = ["GetItem", "TransactWriteItems"]

_REFUSALS = [THROTTLED, FAILING, OVERLOADED, CLOSED]

_FAULTS: dict[str, list[Fault]] = {
    "GetItem": _REFUSALS,
    "BatchGetItem": [*_REFUSALS, HANGING],
    "UpdateItem": [*_REFUSALS, ANSWER_LOST],
    "PutItem": [*_REFUSALS, ANSWER_LOST],
    "SendMessage": [QUEUE_REFUSES, CLOSED, ANSWER_LOST],
    "TransactWriteItems": [*_REFUSALS, CONFLICT, HANGING, ANSWER_LOST, ANSWER_LOST, ANSWER_LOST],
}
