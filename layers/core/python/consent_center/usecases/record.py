"""Recording what a person decided somewhere else. It lowers freely, and raises only with evidence and over no no."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from consent_center.domain import wishes
from consent_center.domain.chain import evidence_id
from consent_center.domain.contact import Address, ContactPoint
from consent_center.domain.decision import DecisionState, require_allowed
from consent_center.domain.errors import InvalidAddressError, InvalidFormError, MovedAwayError, SuppressedError
from consent_center.domain.moving import UNDER_WAY_MS
from consent_center.domain.objection import Against, in_force
from consent_center.domain.policy import Policy, Purpose, Scope
from consent_center.domain.subject import Act, Subject, decide
from consent_center.domain.suppression import base_of
from consent_center.domain.wording import Wording
from consent_center.ports.basics import Addresses, Chance, Clock, Pause, Secrets
from consent_center.ports.people import Profile, Subjects
from consent_center.usecases.acts import facts
from consent_center.usecases.attempts import WITHDRAWAL_ATTEMPTS, decided_afresh
from consent_center.usecases.whose import whose

CHANNEL = "email"

API = "api"
"""The source and the capability of what comes this way."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that the person really decided so."""

    collected_at: datetime
    method: str
    wording: Sequence[str]
    language: str
    notice: str | None = None
    reference: str | None = None
    confirmed_at: datetime | None = None
    """When they confirmed it from the address itself (double opt-in)."""
    jurisdiction: str | None = None
    """The country whose retention rule counts, if that is not the controller's."""
    opt_out_offered: bool = False
    """Whether they could say no when the address was collected (soft opt-in). `reference` then names the sale."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A decision as another system states it: about a purpose and some of its topics, or an objection to all."""

    recipient: str
    state: DecisionState
    purpose: str | None = None
    topics: Sequence[str] = ()
    """Of a soft opt-in: its one product group."""
    against: Against | None = None
    proof: Proof | None = None
    decided_at: datetime | None = None
    """When a no was said, if that is known."""
    jurisdiction: str | None = None
    """As in a proof, for a no without one. A no counts whatever stands here: what the policy lacks is left out."""
    controller: str | None = None
    """Whom an objection to everything of a kind binds: the only controller where none is named. A purpose has its own,
    and may be named with it."""

    def __repr__(self) -> str:
        """Hides the person, because a repr ends up in logs and tracebacks."""
        return f"Statement({self.state!r})"


@dataclass(frozen=True, slots=True)
class Recorded:
    """`evidence` names the event that holds now; `is_new` whether this call made it."""

    is_new: bool
    evidence: str | None
    scopes: Sequence[Scope]


def record_decision(
    statement: Statement,
    *,
    client: str,
    policy: Policy,
    subjects: Subjects,
    addresses: Addresses,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
    source: str = API,
    told: Mapping[str, object] | None = None,
    is_own_yes: Callable[[str, int], bool] | None = None,
    inform_by: int = 0,
) -> Recorded:
    """Store a decision; `client` is the system that states it. What it answers is stored.

    `source` is the door it came by and `told` are further facts of the entry. `is_own_yes` answers whether an event of
    a chain is a consent that the person pressed here: a dated no that is older leaves it alone. `inform_by` is by when
    the person has to be told of a yes that somebody else gave us (epoch seconds).

    InvalidFormError names each field that is wrong, by its path; UnknownNameError for what the policy lacks;
    ForbiddenTransitionError for a yes or a soft opt-in over the person's no (Art. 7(3), 21(3) GDPR), SuppressedError
    for one about somebody who is suppressed, MovedAwayError for one whose evidence is from before the person at this
    address moved to another; UnavailableError.
    """
    try:
        address = addresses(statement.recipient)
    except InvalidAddressError as error:
        raise InvalidFormError({"recipient": str(error)}) from None
    purpose = policy.purpose(statement.purpose) if statement.purpose is not None else None
    controller = purpose.controller if purpose else policy.controller_meant(statement.controller)
    if statement.controller not in (None, controller):
        raise InvalidFormError({"controller": "of_purpose"})
    contact = whose(address, controller=controller, subjects=subjects, secrets=secrets)
    base = base_of(address)
    untagged = whose(base, controller=controller, subjects=subjects, secrets=secrets) if base else None
    gives = statement.state.permits
    until = _end(statement, purpose, policy, clock()) if gives and purpose is not None else None

    def attempt() -> Recorded:
        now = clock()
        subject = subjects.load(contact).subject
        changes = _changes(statement, subject, purpose, policy, now)
        scopes = [scope for scope, _ in changes]
        wanted = [
            scope
            for scope, after in changes
            if _is_news(subject, scope, after, now, until) and not _is_outdated(statement, subject, scope, is_own_yes)
        ]
        if gives and purpose is not None:
            # A no to one group of products is a no to whatever else nobody asked for.
            is_sale = statement.state is DecisionState.SOFT_OPT_IN
            _refuse_over_a_no(subject, purpose, purpose.scopes(CHANNEL) if is_sale and wanted else wanted)
            if wanted:
                _refuse_from_before(statement, subject)
            if wanted and untagged is not None:
                _refuse_suppressed(subjects.load(untagged).subject, now)
        if not wanted:
            return Recorded(is_new=False, evidence=_evidence(subject, scopes), scopes=scopes)
        act = _act(statement, wanted, address, client, policy, controller, source, told or {})
        decision = decide(
            subject,
            [(scope, after) for scope, after in changes if scope in wanted],
            replace(act, inform_by=inform_by) if gives else act,
            now=now,
            chance=chance.decision(),
            valid_until=dict.fromkeys((scope.code for scope in wanted), until) if until is not None else None,
        )
        profile = Profile(address, None, None, (), statement.proof.language) if gives and statement.proof else None
        subjects.commit(decision, profile)
        return Recorded(is_new=True, evidence=decision.entry.evidence, scopes=scopes)

    return decided_afresh(attempt, attempts=WITHDRAWAL_ATTEMPTS, pause=pause)


def require_valid(statement: Statement, *, policy: Policy, now: int) -> None:
    """Refuse what `record_decision` would refuse whoever the person is, before anything is stored.

    InvalidFormError and UnknownNameError as there; the address is not looked at. `now` in epoch milliseconds.
    """
    purpose = policy.purpose(statement.purpose) if statement.purpose is not None else None
    if statement.state.permits and purpose is not None:
        _end(statement, purpose, policy, now)
    _changes(statement, Subject(ContactPoint("", CHANNEL, "", "")), purpose, policy, now)


def _changes(
    statement: Statement, subject: Subject, purpose: Purpose | None, policy: Policy, now: int
) -> list[tuple[Scope, DecisionState]]:
    if statement.against is not None:
        change = wishes.object_to_all(policy, statement.against)(subject, now)
        return list(change.decisions) if change else [(statement.against.scope, DecisionState.OBJECTED)]
    if purpose is None:
        raise InvalidFormError({"purpose": "required"})
    if statement.state is DecisionState.OBJECTED:
        if not purpose.may_be_objected_to:
            raise InvalidFormError({"decision": "not_an_interest"})
        return [(scope, statement.state) for scope in purpose.all_scopes()]
    if not purpose.takes_consent:
        raise InvalidFormError({"decision": "not_a_consent"})
    topics = statement.topics or [topic.id for topic in purpose.topics]
    return [(scope, statement.state) for scope in purpose.scopes_of(topics, CHANNEL)]


def _refuse_over_a_no(subject: Subject, purpose: Purpose, scopes: Sequence[Scope]) -> None:
    """An objection to everything of a kind is a no about each scope that it covers. ForbiddenTransitionError."""
    for scope in scopes:
        newest = in_force(subject, purpose, scope)
        require_allowed(newest.state if newest else DecisionState.UNKNOWN, DecisionState.GIVEN, by_person=False)


def _refuse_suppressed(subject: Subject, now: int) -> None:
    """Who is suppressed without a tag is so with any. SuppressedError."""
    if subject.suppression is not None and subject.suppression.holds_at(now):
        raise SuppressedError


def _refuse_from_before(statement: Statement, subject: Subject) -> None:
    """Evidence from before a change of address is about the person who moved, and not about who is here since.

    MovedAwayError.
    """
    proof = statement.proof
    if proof is None:
        return
    given = _ms(proof.confirmed_at or proof.collected_at)
    if subject.next_move(given - UNDER_WAY_MS) is not None:
        raise MovedAwayError


def _is_news(subject: Subject, scope: Scope, after: DecisionState, now: int, until: int | None) -> bool:
    """`until` is when a yes or a soft opt-in that is stated now ends, if it does."""
    decided = subject.decided.get(scope.code)
    if decided is None:
        return True
    if after.permits and decided.state is DecisionState.SOFT_OPT_IN and decided.permits_at(now):
        return after.is_consent or (until is not None and until > (decided.valid_until or until))
    if after.permits:
        return not decided.permits_at(now)
    # Refused and withdrawn are the same no; a second one proves nothing more.
    return not decided.state.is_the_persons_no


def _is_outdated(
    statement: Statement, subject: Subject, scope: Scope, is_own_yes: Callable[[str, int], bool] | None
) -> bool:
    """Whether the person said yes on our own pages after this no."""
    decided = subject.decided.get(scope.code)
    if is_own_yes is None or statement.decided_at is None or decided is None or subject.chain is None:
        return False
    is_newer = decided.state.permits and decided.at > _ms(statement.decided_at)
    return is_newer and is_own_yes(subject.chain, decided.seq)


def _end(statement: Statement, purpose: Purpose, policy: Policy, now: int) -> int | None:
    """When a consent that is stated now ends: counted from when it was given, so that none gets a second life.

    InvalidFormError if the proof does not do.
    """
    is_sale = statement.state is DecisionState.SOFT_OPT_IN
    if is_sale and not purpose.rests_on_a_sale:
        raise InvalidFormError({"decision": "not_a_sale"})
    proof = statement.proof
    if proof is None:
        raise InvalidFormError({"evidence": "required"})
    given = _ms(proof.confirmed_at or proof.collected_at)
    until = purpose.valid_for.after_epoch(given) if purpose.valid_for else None
    wrong = _wrong_sale(proof) if is_sale else {}
    wrong |= {**_wrong_times(proof, purpose, now, is_sale), **_wrong_names(proof, statement, purpose, policy)}
    if until is not None and until * 1000 <= now:
        wrong["evidence/collected_at"] = "ended"
    if wrong:
        raise InvalidFormError(wrong)
    return until


def _wrong_sale(proof: Proof) -> dict[str, str]:
    """What makes a soft opt-in one: a sale, and a no that was offered with it (Art. 13(2) of Directive 2002/58/EC)."""
    wrong = {}
    if not proof.opt_out_offered:
        wrong["evidence/opt_out_offered"] = "not_offered"
    if not (proof.reference or "").strip():
        wrong["evidence/reference"] = "required"
    if not any(paragraph.strip() for paragraph in proof.wording):
        wrong["evidence/wording"] = "required"
    return wrong


def _wrong_times(proof: Proof, purpose: Purpose, now: int, is_sale: bool) -> dict[str, str]:
    wrong = {}
    collected = _ms(proof.collected_at)
    if collected > now:
        wrong["evidence/collected_at"] = "future"
    if proof.confirmed_at is None:
        if purpose.double_opt_in and not is_sale:
            wrong["evidence/confirmed_at"] = "not_confirmed"
    elif not collected <= _ms(proof.confirmed_at) <= now:
        wrong["evidence/confirmed_at"] = "future"
    return wrong


def _wrong_names(proof: Proof, statement: Statement, purpose: Purpose, policy: Policy) -> dict[str, str]:
    wrong = {}
    if proof.notice is not None and proof.notice not in policy.notices_of(purpose.controller):
        wrong["evidence/notice"] = "unknown"
    if proof.language not in policy.languages:
        wrong["evidence/language"] = "unknown"
    if proof.jurisdiction is not None and proof.jurisdiction not in policy.jurisdictions:
        wrong["evidence/jurisdiction"] = "unknown"
    if purpose.retired:
        wrong["purpose"] = "retired"
    named = "product_group" if statement.state is DecisionState.SOFT_OPT_IN else "topics"
    if purpose.topics and not statement.topics:
        wrong[named] = "required"
    elif not {topic.id for topic in purpose.topics}.issuperset(statement.topics) and named == "product_group":
        wrong[named] = "unknown"
    elif not purpose.retired and any(purpose.is_retired(topic) for topic in statement.topics):
        wrong[named] = "retired"
    return wrong


def _act(
    statement: Statement,
    scopes: Sequence[Scope],
    address: Address,
    client: str,
    policy: Policy,
    controller: str,
    source: str,
    also: Mapping[str, object],
) -> Act:
    is_consent = statement.state.is_consent
    told = {**facts(policy, scopes, source=source, capability=source, is_consent=is_consent), **also}
    told["recorded_by"] = client
    details: dict[str, object] = {"address": address.mailable}
    proof = statement.proof
    jurisdiction = proof.jurisdiction if proof is not None else statement.jurisdiction
    if jurisdiction in policy.jurisdictions:
        told["jurisdiction"] = jurisdiction
    if statement.decided_at is not None:
        told["decided_at"] = statement.decided_at.isoformat()
    if proof is not None:
        told |= {"collected_at": proof.collected_at.isoformat(), "language": proof.language}
        if proof.confirmed_at is not None:
            told["confirmed_at"] = proof.confirmed_at.isoformat()
        if proof.notice in policy.notices_of(controller):
            told |= {
                "notice": proof.notice,
                "notice_hash": policy.notice_hash(str(proof.notice), proof.language, controller),
            }
        details |= {"method": proof.method, "wording": list(proof.wording), "reference": proof.reference}
        if statement.state is DecisionState.SOFT_OPT_IN:
            offered = Wording(tuple(proof.wording), proof.language, proof.notice or "")
            told |= {"wording_hash": offered.hash, "opt_out_offered": True}
    return Act(
        _KINDS[statement.state],
        by_person=False,
        facts=told,
        details=details,
        language=proof.language if proof else None,
    )


_KINDS = {
    DecisionState.GIVEN: "given",
    DecisionState.SOFT_OPT_IN: "soft_opt_in",
    DecisionState.WITHDRAWN: "withdrawn",
    DecisionState.REFUSED: "refused",
    DecisionState.OBJECTED: "objected",
}


def _evidence(subject: Subject, scopes: Sequence[Scope]) -> str | None:
    seqs = [subject.decided[scope.code].seq for scope in scopes if scope.code in subject.decided]
    return evidence_id(subject.chain, max(seqs)) if subject.chain and seqs else None


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
