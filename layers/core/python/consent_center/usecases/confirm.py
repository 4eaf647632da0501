"""The confirm page: its button is the consent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from consent_center.domain.capability import Capability, RequestLink, open_request, seal_withdrawal
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import ExpiredTokenError, RequestGoneError, UnavailableError, WordingChangedError
from consent_center.domain.letter import Letter
from consent_center.domain.policy import Policy, Purpose, Scope, Topic
from consent_center.domain.reach import reached
from consent_center.domain.request import Request, Standing, standing
from consent_center.domain.subject import Act, Subject, decide
from consent_center.domain.wording import Wording, consent_wording
from consent_center.ports.basics import Chance, Clock, Pause, Secrets
from consent_center.ports.letters import LetterOrder, Outbox
from consent_center.ports.people import Profile, Subjects
from consent_center.usecases.acts import facts, wording_facts
from consent_center.usecases.attempts import ATTEMPTS, decided_afresh
from consent_center.usecases.links import not_me_link


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a confirm link stands for. With `confirmed_at` (epoch milliseconds) it has been pressed already."""

    purpose: Purpose
    topics: tuple[Topic, ...]
    wording: Wording
    confirmed_at: int | None
    not_me_token: str
    """What the link "this was not me" on the page carries."""
    profile: Profile
    """What was typed at sign-up, and is stored with the press."""
    event: int | None = None
    """The event that proves it, once it has been pressed."""


def look_at_request(token: str, *, policy: Policy, subjects: Subjects, secrets: Secrets, clock: Clock) -> Confirmation:
    """What the page shows. Reads only. InvalidTokenError or RequestGoneError if there is nothing to confirm."""
    now = clock()
    link = _open(token, secrets, now)
    request, subject, purpose, state = _current(link, subjects, policy, now)
    return _confirmation(policy, purpose, request, subject, state, secrets)


def confirm(
    token: str,
    shown: str,
    *,
    policy: Policy,
    subjects: Subjects,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
    network: str | None = None,
) -> tuple[Confirmation, bool]:
    """Give consent, as worded on the page whose hash is `shown`; True if this press did it, False if done before.

    Its receipt is to be ordered by `order_receipt`.

    `network` is where the press came from, already shortened. InvalidTokenError, RequestGoneError, WordingChangedError
    if the policy's text is no longer the one shown, UnavailableError.
    """
    link = _open(token, secrets, clock())

    def attempt() -> tuple[Confirmation, bool]:
        now = clock()
        request, subject, purpose, state = _current(link, subjects, policy, now)
        page = _confirmation(policy, purpose, request, subject, state, secrets)
        if not state.to_give:
            return page, False
        if shown != page.wording.hash:
            raise WordingChangedError
        given = decide(
            subject,
            [(scope, DecisionState.GIVEN) for scope in state.to_give],
            _act_of_consent(request, state.to_give, page.wording, policy, network),
            now=now,
            chance=chance.decision(),
            valid_until=purpose.ends(state.to_give, now),
        )
        decision = reached(given)
        subjects.commit(decision, page.profile)
        return replace(page, confirmed_at=decision.subject.last_at, event=decision.entry.seq), True

    return decided_afresh(attempt, attempts=ATTEMPTS, pause=pause)


def order_receipt(token: str, confirmation: Confirmation, *, outbox: Outbox, secrets: Secrets, clock: Clock) -> bool:
    """Order the letter with the receipt of what was confirmed; False if the queue takes no order now.

    The consent is stored by then and stays: whoever presses again, because they got no answer, orders it again, and the
    worker sends one letter for each event.
    """
    if confirmation.event is None:
        return False
    try:
        contact = _open(token, secrets, clock()).contact
        outbox.order(LetterOrder(Letter.RECEIPT, contact, str(confirmation.event)))
    except (RequestGoneError, UnavailableError):
        return False
    return True


def _open(token: str, secrets: Secrets, now: int) -> RequestLink:
    try:
        return open_request(token, secrets.links(), now=now // 1000)
    except ExpiredTokenError:
        raise RequestGoneError("expired") from None


def _current(
    link: RequestLink, subjects: Subjects, policy: Policy, now: int
) -> tuple[Request, Subject, Purpose, Standing]:
    record = subjects.load(link.contact, link.request)
    request = record.request
    if request is None:
        raise RequestGoneError("cancelled")
    if not request.is_pending_at(now):
        raise RequestGoneError("expired")
    purpose = policy.purpose(request.purpose)
    state = standing(request, record.subject, purpose, now)
    if not state.to_give and not state.given:
        # Without a later no, everything it asked about was retired since.
        raise RequestGoneError("withdrawn", state.newest_no.at) if state.newest_no else RequestGoneError("expired")
    return request, record.subject, purpose, state


def _confirmation(
    policy: Policy, purpose: Purpose, request: Request, subject: Subject, state: Standing, secrets: Secrets
) -> Confirmation:
    """The page asks for what is left to give; once nothing is left it says what was given, and when."""
    scopes = state.to_give or state.given
    topics = tuple(purpose.topic(scope.topic) for scope in scopes if scope.topic is not None)
    given = () if state.to_give else tuple(subject.decided[scope.code] for scope in scopes)
    confirmed_at = max((decided.at for decided in given), default=None)
    event = max((decided.seq for decided in given), default=None)
    wording = consent_wording(policy, purpose, topics, request.language)
    not_me = seal_withdrawal(not_me_link(request, purpose), secrets.links(), Capability.NOT_ME)
    profile = Profile(request.address, request.name, request.company, request.interests, request.language)
    return Confirmation(purpose, topics, wording, confirmed_at, not_me, profile, event)


def _act_of_consent(
    request: Request, scopes: Sequence[Scope], wording: Wording, policy: Policy, network: str | None
) -> Act:
    return Act(
        kind="given",
        by_person=True,
        facts={
            **facts(policy, scopes, source=request.source, capability=Capability.CONFIRM.value, is_consent=True),
            **wording_facts(policy, wording, request.contact.controller, "double opt-in"),
        },
        details={
            "address": request.address.mailable,
            "wording": list(wording.paragraphs),
            "requested_at": request.requested_at,
            **({"asked": request.attested.details()} if request.attested else {}),
        },
        circumstances={"request_notice": request.notice, "network": network},
        language=request.language,
    )
