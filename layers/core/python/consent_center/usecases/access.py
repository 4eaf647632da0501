"""The answer to "what do you hold about me?" (Art. 15 GDPR): a page to read and print, and the same for programs."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from consent_center.domain.lock import names_of
from consent_center.domain.objection import OBJECTIONS
from consent_center.domain.policy import Period, Policy, Purpose
from consent_center.domain.retention import Keeping, reasons
from consent_center.domain.subject import timestamp
from consent_center.domain.told import TOLD
from consent_center.ports.cases import CaseFile
from consent_center.ports.letters import FileTexts
from consent_center.usecases.naming import Names, collected_files
from consent_center.usecases.packing import File
from consent_center.usecases.person_file import Happened, PersonFile, epoch_ms, without_staff
from consent_center.usecases.portability import as_csv, with_rows

PAGE, DATA, EVENTS = "answer.html", "answer.json", "events.csv"

MOST_SHOWN = 100
"""Events on the page, the newest ones; the files hold all of them."""

_OWN_RULES = ("rights-file", "rights-payload", "export")
"""Kinds of records that a request itself leaves behind, as the rules of a policy cover them."""


def access_files(
    person: PersonFile, *, policy: Policy, texts: FileTexts, site: Mapping[str, Any], base_url: str, language: str
) -> Iterator[File]:
    """The files of the answer in their order."""
    made = _Answer(person, policy, language)
    collected = list(collected_files(person.collected, policy))
    named = {name: [file.name for file in files] for name, files in collected}
    words = {"address": person.address, "number": person.case.number, "made_at": person.now // 1000}
    readme = texts.file("answer_readme.txt", language, site=site, holds_anything=person.holds_anything, **words)
    yield File("README.txt", [readme])
    yield File(DATA, made.json(site, named))
    yield File(EVENTS, made.csv())
    for _, files in collected:
        yield from files

    def page() -> Iterator[str]:
        # Only now are all events known, because the files before it were packed.
        brand = policy.brand_for(person.case.contact.controller)
        context = made.page(named, rights_url=f"{base_url}/rights{brand.said()}")
        yield texts.page("answer", language, site={**site, "authority": made.authority}, **words, **context)

    yield File(PAGE, page())


class _Answer:
    def __init__(self, person: PersonFile, policy: Policy, language: str) -> None:
        self._person, self._policy, self._language = person, policy, language
        self._names = Names(policy, person.case.contact.controller, language)
        self._told = self._names.told(person.profile)
        self._shown: deque[Happened] = deque(maxlen=MOST_SHOWN)
        self._count = 0
        self._purposes = sorted(self._applying(), key=lambda row: not row["decided"])

    @property
    def authority(self) -> dict[str, Any]:
        """That of the country whose law the case follows, if the policy has it; else the controller's."""
        country = self._person.case.jurisdiction
        lead = str(self._policy.controller(self._person.case.contact.controller)["authority"])
        known = {row["id"] for row in self._policy.raw["authorities"]}
        row = self._policy.authority(country if country in known else lead)
        return {"name": self._policy.text(row["name"], self._language), "url": row["url"]}

    def json(self, site: Mapping[str, Any], collected: Mapping[str, list[str]]) -> Iterator[str]:
        """Everything, for programs."""
        person = self._person
        subject = person.subject
        head = {
            "format": 1,
            "made_at": timestamp(person.now),
            "language": self._language,
            "request": {"number": person.case.number, "address": person.address},
            "holds_anything": person.holds_anything,
            "controller": dict(site["controller"]),
            "data_protection_officer": site["dpo"]["email"],
            "authority": self.authority,
            "person": [one._asdict() for one in self._told],
            "person_kept": self._kept(person.kept.profile) if person.profile else None,
            "record_kept": self._kept(person.kept.state) if person.holds_anything else None,
            "decisions": self._standing(),
            "preferences": self._preferences(),
            "suppression": subject.suppression._asdict() if subject.suppression else None,
            "restrictions_and_holds": self._locks(),
            "last_letters": self._sends(),
            "open_sign_ups": self._requests(),
            "rights_requests": [self._case(file, whole=True) for file in person.cases],
            "from_recipients": collected,
            "purposes": self._purposes,
            "recipients": self._recipients(),
            "kept_of_requests": self._own_rules(),
        }
        return with_rows(head, "events", map(self._event_row, self._noted()))

    def _noted(self) -> Iterator[Happened]:
        """All events; the newest are kept for the page."""
        self._shown.clear()
        self._count = 0
        for happened in self._person.events():
            self._shown.append(happened)
            self._count += 1
            yield happened

    def _event_row(self, happened: Happened) -> dict[str, Any]:
        entry, end = happened.entry, happened.kept.end if happened.kept else None
        return {
            "entry": without_staff(entry.body),
            "hash": entry.hash,
            "details": happened.details,
            "kept_until": timestamp(end.at * 1000) if end else None,
            "kept_by": end.rule if end else None,
        }

    def csv(self) -> Iterator[str]:
        """What happened, for a spreadsheet."""
        rows = (
            (
                happened.entry.seq,
                happened.entry.at,
                happened.entry.kind,
                "; ".join(name for change in changes for name in self._names.about(change)),
                "; ".join(str(change["after"]) for change in changes),
                happened.entry.body.get("source"),
                "\n".join(happened.wording),
                happened.entry.body.get("notice"),
            )
            for happened in self._person.events()
            for changes in [happened.entry.body.get("changes", ())]
        )
        return as_csv(("number", "at", "kind", "about", "state", "source", "wording", "notice"), rows)

    def page(self, collected: Mapping[str, list[str]], rights_url: str) -> dict[str, Any]:
        """What the page shows."""
        person = self._person
        suppression = person.subject.suppression
        return {
            "asked_at": person.case.received_at // 1000,
            "holds_anything": person.holds_anything,
            "told": [one._asdict() for one in self._told],
            "profile_kept": self._kept(person.kept.profile) if person.profile else None,
            "record_kept": self._kept(person.kept.state),
            "standing": self._standing(),
            "preferences": self._preferences(),
            "suppression": {"at": suppression.at // 1000, "until": suppression.until} if suppression else None,
            "locks": self._locks(),
            "sends": self._sends(),
            "requests": self._requests(),
            "events": [self._shown_event(one) for one in reversed(self._shown)],
            "left_out": self._count - len(self._shown),
            "cases": [self._case(file, whole=False) for file in person.cases],
            "purposes": self._purposes,
            "recipients": self._recipients(),
            "own_rules": self._own_rules(),
            "collected": [{"name": name, "files": files} for name, files in collected.items()],
            "rights_url": rights_url,
        }

    def _shown_event(self, happened: Happened) -> dict[str, Any]:
        entry, body = happened.entry, happened.entry.body
        end = happened.kept.end if happened.kept else None
        kind = f"told-{body.get('about')}" if entry.kind == TOLD else entry.kind
        return {
            "number": entry.seq,
            "at": epoch_ms(entry.at) // 1000,
            "kind": "told-asked" if entry.kind == TOLD and body.get("follows") == "asked_again" else kind,
            "source": str(body.get("source") or ""),
            "notice": str(body.get("notice") or ""),
            "changes": [
                {"name": ", ".join(self._names.about(change)), "state": str(change["after"])}
                for change in body.get("changes", ())
            ],
            "wording": happened.wording,
            "wording_language": str(body.get("language") or self._language),
            "has_details": happened.kept is not None,
            "network": str((happened.details or {}).get("network") or ""),
            "until": end.at if end else None,
        }

    def _standing(self) -> list[dict[str, Any]]:
        rows = []
        for code, decided in sorted(self._person.subject.decided.items()):
            scope = self._names.scope(code)
            keeping = self._person.kept.by_scope.get(code)
            rows.append(
                {
                    "name": self._name_of_code(code),
                    "purpose": scope.purpose if scope else "*",
                    "topic": scope.topic if scope else None,
                    "state": decided.state.value,
                    "at": decided.at // 1000,
                    "until": decided.valid_until,
                    "kept": self._kept(keeping) if keeping else None,
                }
            )
        return rows

    def _name_of_code(self, code: str) -> str:
        if code in OBJECTIONS:
            return f"* {OBJECTIONS[code].value}"
        scope = self._names.scope(code)
        if scope is None:
            return code
        whole = self._names.purpose(scope.purpose)
        return f"{whole}: {self._names.topic(scope.purpose, scope.topic)}" if scope.topic else whole

    def _preferences(self) -> list[dict[str, Any]]:
        by_code = {purpose.code: purpose.id for purpose in self._policy.purposes.values()}
        return [
            {
                "name": self._names.purpose(by_code.get(key.split(".")[0], key)),
                "paused_until": one.paused_until,
                "at_most_every": _in_words(one.at_most_every),
            }
            for key, one in sorted(self._person.subject.preferences.items())
        ]

    def _locks(self) -> list[dict[str, Any]]:
        return [
            {
                "kind": lock.kind,
                "ground": lock.ground,
                "until": lock.until,
                "purposes": [self._names.purpose(one) for one in names_of(lock, self._policy)],
            }
            for lock in self._person.locks
        ]

    def _sends(self) -> list[dict[str, Any]]:
        return [
            {"name": self._names.purpose(purpose), "channel": channel, "at": at // 1000}
            for (purpose, channel), at in sorted(self._person.last_sends.items())
        ]

    def _requests(self) -> list[dict[str, Any]]:
        return [
            {
                "name": self._names.purpose(one.purpose),
                "topics": [self._names.topic(one.purpose, topic) for topic in one.topics],
                "told": [told for told in (one.name, one.company, *map(self._names.interest, one.interests)) if told],
                "at": one.requested_at // 1000,
                "until": one.expires_at,
            }
            for one in self._person.requests
        ]

    def _case(self, file: CaseFile, *, whole: bool) -> dict[str, Any]:
        """A request that they made; the whole of it has its log, in which our people are a role."""
        case = file.case
        told = {
            "number": case.number,
            "right": case.right.value,
            "state": case.state.value,
            "at": case.received_at // 1000,
            "answer_by": case.answer_by,
            "closed_at": case.closed_at // 1000 or None,
            "details": self._person.details_of.get(case.id, ""),
            "recipients": [
                {
                    "name": self._names.recipient(task.recipient),
                    "verb": task.verb.value,
                    "state": task.state.value,
                    "told_at": task.told_at // 1000 or None,
                    "answered_at": task.answered_at // 1000 or None,
                }
                for task in file.tasks
                if task.told_at
            ],
        }
        if not whole:
            return told
        log = [
            {"at": timestamp(one.at), "what": one.what, "by": _role(one.by), "facts": without_staff(one.facts)}
            for one in file.log
        ]
        return {**told, "choices": without_staff(case.choices), "outcome": without_staff(case.outcome), "log": log}

    def _kept(self, keeping: Keeping) -> dict[str, Any]:
        found = reasons(keeping, self._policy, self._language)
        return {
            "why": found.why.value,
            "until": found.until,
            "held_until": found.held_until,
            "rule": found.name,
            "rule_id": found.rule,
            "law": found.legal_source,
            "justification": found.justification,
        }

    def _applying(self) -> Iterator[dict[str, Any]]:
        """The purposes that they decided about, and those that need no decision and use what is held."""
        person = self._person
        decided = {scope.purpose for code in person.subject.decided if (scope := self._names.scope(code))}
        decided |= {*person.purposes, *(one.purpose for one in person.requests)}
        held = {one.data_type for one in self._told}
        for purpose in self._policy.purposes_of(person.case.contact.controller):
            row = self._policy.purpose_row(purpose.id)
            applies_by_itself = not purpose.takes_consent and not purpose.retired and held & set(row["data_types"])
            if purpose.id in decided or applies_by_itself:
                yield {**self._purpose(purpose, row, held), "decided": purpose.id in decided}

    def _purpose(self, purpose: Purpose, row: Mapping[str, Any], held: set[str]) -> dict[str, Any]:
        policy = self._policy
        words = {"brand": policy.brand_of(purpose).name, "controller": policy.controller(purpose.controller)["name"]}

        def told(texts: Mapping[str, str] | None) -> str:
            return policy.text(texts, self._language).format_map(words) if texts else ""

        def named(table: str, ids: list[str]) -> list[str]:
            rows = {one["id"]: one for one in policy.raw[table]}
            return [policy.text(rows[one]["name"], self._language) for one in ids]

        bases = sorted(self._person.purposes.get(purpose.id, ())) or [purpose.legal_basis]
        return {
            "id": purpose.id,
            "name": told(purpose.name),
            "description": told(purpose.description),
            "bases": bases,
            "law": row["law"],
            "interest": told(purpose.interest),
            "balancing": told(row["balancing_test"]),
            "objection": told(purpose.objection_text),
            "withdrawal": told(purpose.withdrawal_text),
            "categories": named("categories", row["categories"]),
            "data": named("data_types", row["data_types"]),
            "held": named("data_types", [one for one in row["data_types"] if one in held]),
            "sources": named("sources", row["sources"]),
            "recipients": [self._names.recipient(one) for one in purpose.recipients],
            "recipient_ids": list(purpose.recipients),
            "profiling": purpose.profiling,
            "kept": self._rule(purpose.rule_in(policy.country_of(purpose.controller))),
        }

    def _recipients(self) -> list[dict[str, Any]]:
        """Who may see data of these purposes, and who was told something of this person."""
        told: dict[str, int] = {}
        for file in self._person.cases:
            for task in file.tasks:
                told[task.recipient] = max(task.told_at, told.get(task.recipient, 0))
        ids = dict.fromkeys([one for row in self._purposes for one in row["recipient_ids"]])
        ids |= dict.fromkeys(one for one, at in told.items() if at)
        known = {row["id"] for row in self._policy.raw["recipients"]}
        rows = []
        for one in ids:
            row = self._policy.recipient(one) if one in known else {}
            rows.append(
                {
                    "name": self._names.recipient(one),
                    "role": row.get("role") or "",
                    "country": row.get("country") or "",
                    "safeguard": row.get("transfer_tool") or "",
                    "sharing": self._policy.text(row["purpose_of_sharing"], self._language) if row else "",
                    "told_at": told.get(one, 0) // 1000 or None,
                }
            )
        return rows

    def _own_rules(self) -> list[dict[str, Any]]:
        found = (self._policy.rule_covering(kind) for kind in _OWN_RULES)
        return [self._rule(rule.id) for rule in found if rule]

    def _rule(self, rule_id: str) -> dict[str, Any]:
        """A rule for whoever reads what it is called, how long it keeps, from when on, and why so long."""
        row, rule = self._policy.retention_rule(rule_id), self._policy.rules[rule_id]
        return {
            "name": self._policy.text(row["name"], self._language),
            "clock": "hold" if row["hold"] else rule.clock,
            "period": _in_words(rule.period),
            "never_sent": _in_words(rule.never_sent),
            "justification": self._policy.text(words, self._language) if (words := row["justification"]) else "",
        }


def _role(by: str) -> str:
    """Who did something in a case: our people and their systems are a role (C-579/21, Pankki S)."""
    return "staff" if by.startswith("staff") else by


def _in_words(period: Period | None) -> dict[str, int] | None:
    """A period for templates: its months, else weeks where it is whole weeks, else days."""
    if period is None:
        return None
    weeks = period.days // 7 if period.days % 7 == 0 and not period.months else 0
    return {"months": period.months, "weeks": weeks, "days": 0 if weeks else period.days}
