"""What comes back: mails that people write to the stop address, and what the mail service reports of letters.

All of it may come twice, late and out of order. So each act says when it happened, and whatever was decided after that
moment stays: a mail or a complaint stops what was agreed to before it, and no delay lets it overrule a newer yes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from consent_center.domain.capability import WithdrawLink, open_withdrawal
from consent_center.domain.contact import ContactPoint, Keyring
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import InvalidAddressError, InvalidTokenError, UnavailableError, UnknownNameError
from consent_center.domain.incoming import IncomingMail, StopWords, read_mail
from consent_center.domain.policy import Brand, Policy, Scope
from consent_center.domain.reach import UNDELIVERABLE, unreachable
from consent_center.domain.subject import Act, Subject, decide
from consent_center.domain.wishes import consent_scopes, running
from consent_center.ports.basics import Addresses, Chance, Clock, Pause, Secrets
from consent_center.ports.people import Subjects
from consent_center.usecases.acts import facts
from consent_center.usecases.attempts import WITHDRAWAL_ATTEMPTS, decided_afresh
from consent_center.usecases.sends import SendOutcome, confirm_sends
from consent_center.usecases.whereabouts import meant_by
from consent_center.usecases.whose import whose
from consent_center.usecases.withdraw import given_by, withdraw

CHANNEL = "email"

MAIL, COMPLAINT, BOUNCE = "mail", "complaint", "bounce"
"""The sources that ledger entries name."""


class Outcome(StrEnum):
    """What became of a mail or a report."""

    WITHDRAWN = "withdrawn"
    WITHDRAWN_BEFORE = "withdrawn_before"
    IGNORED = "ignored"
    """A computer wrote the mail, or the report decides nothing."""
    DROPPED = "dropped"
    """The receiving service found a virus in it, or took it for spam."""
    FOR_STAFF = "for_staff"
    """Somebody has to read it."""
    UNDELIVERABLE = "undeliverable"
    SOFT_BOUNCE = "soft_bounce"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of it; `reason` is a word that names nobody, for whatever staff have to read."""

    outcome: Outcome
    reason: str = ""


class Happening(StrEnum):
    """What a mail service reports of a letter."""

    COMPLAINT = "complaint"
    HARD_BOUNCE = "hard_bounce"
    SOFT_BOUNCE = "soft_bounce"
    SENT = "sent"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Report:
    """One report: what happened, when (epoch milliseconds), and what is known of the letter."""

    happening: Happening
    at: int
    tokens: Sequence[str]
    """Texts in the letter's headers or tags that look like tokens of ours."""
    recipients: Sequence[str]
    sender: str
    """The address in `From`, or an empty text."""

    def __repr__(self) -> str:
        """Hides the recipients, because a repr ends up in logs and tracebacks."""
        return f"Report({self.happening!r})"


def take_mail(
    raw: bytes,
    at: int,
    *,
    words: StopWords,
    policy: Policy,
    subjects: Subjects,
    addresses: Addresses,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> Verdict:
    """Do what a mail asks for that arrived at `at` (epoch milliseconds). When it says withdrawn, that is stored.

    A token is an authority by itself, as in a link. Without one the sender has to be proven, because `From` is
    anybody's to write: a forged mail must not stop somebody's letters without their knowing. UnavailableError.
    """
    mail = read_mail(raw, words)
    if mail.verdict is not None:
        return Verdict(Outcome.DROPPED, mail.verdict)

    def stop_by(token: str) -> Verdict:
        stopped = withdraw(
            token,
            route=MAIL,
            as_of=at,
            policy=policy,
            subjects=subjects,
            secrets=secrets,
            chance=chance,
            clock=clock,
            pause=pause,
        )
        return Verdict(Outcome.WITHDRAWN if stopped.is_new else Outcome.WITHDRAWN_BEFORE)

    # A subject with a token was written by our own `mailto:` link, for which a mail program may act by itself.
    mailto = _first_link(mail.tokens_of_subject, policy, secrets.links())
    if mailto is not None:
        return stop_by(mailto[0])
    if mail.is_automatic:
        return Verdict(Outcome.IGNORED, "automatic")
    if not mail.says_stop:
        return Verdict(Outcome.FOR_STAFF, "not_understood")
    quoted = _first_link(mail.tokens, policy, secrets.links())
    if quoted is not None:
        return stop_by(quoted[0])
    if not mail.is_vouched_for:
        return Verdict(Outcome.FOR_STAFF, "sender_not_proven")
    controllers = _controllers_written_to(mail, policy)
    contacts = _contacts(mail.senders, controllers, addresses, subjects, secrets)
    known = [contact for contact in contacts if _is_known(subjects.load(contact).subject)]
    if not known:
        # Perhaps they subscribed under another address: then nothing has stopped, and somebody has to look.
        return Verdict(Outcome.FOR_STAFF, "unknown_person")
    stopped = [_withdraw_marketing(contact, (), at, MAIL, policy, subjects, chance, clock, pause) for contact in known]
    return Verdict(Outcome.WITHDRAWN if any(stopped) else Outcome.WITHDRAWN_BEFORE)


def take_report(
    report: Report,
    *,
    policy: Policy,
    subjects: Subjects,
    addresses: Addresses,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> Verdict:
    """Do what follows from a report. When it says withdrawn, undeliverable or sent, that is stored. UnavailableError.

    A complaint withdraws whichever letter it is about: it is the person's newest word, unless they decided since. A
    hard bounce is ignored where somebody agreed to something after it: that press came from the address itself.
    """
    happening = report.happening
    if happening is Happening.SENT:
        outcomes = confirm_sends(report.tokens, policy=policy, subjects=subjects, secrets=secrets, clock=clock)
        if SendOutcome.UNAVAILABLE in outcomes:
            raise UnavailableError("confirm send: not stored")
        return Verdict(Outcome.SENT if SendOutcome.RECORDED in outcomes else Outcome.IGNORED)
    if happening is Happening.SOFT_BOUNCE:
        return Verdict(Outcome.SOFT_BOUNCE)
    if happening is Happening.OTHER:
        return Verdict(Outcome.IGNORED)
    link = _first_link(report.tokens, policy, secrets.links())
    made_at = link[1].meant_at if link else None
    brands = _brands(link[1] if link else None, report.sender, policy)
    if link is not None:
        contacts = [link[1].contact]
    else:
        controllers = list(dict.fromkeys(brand.controller for brand in brands)) or _controllers(policy)
        contacts = _contacts(report.recipients, controllers, addresses, subjects, secrets)
    if happening is Happening.COMPLAINT:
        did = [
            _withdraw_marketing(contact, brands, report.at, COMPLAINT, policy, subjects, chance, clock, pause, made_at)
            for contact in contacts
        ]
        return Verdict(Outcome.WITHDRAWN if any(did) else Outcome.WITHDRAWN_BEFORE)
    did = [_end_holder(contact, report.at, policy, subjects, chance, clock, pause) for contact in contacts]
    return Verdict(Outcome.UNDELIVERABLE if any(did) else Outcome.IGNORED)


def _is_known(subject: Subject) -> bool:
    """Whether somebody decided something, or is asked by a letter."""
    return subject.chain is not None or bool(subject.requested)


def _withdraw_marketing(
    contact: ContactPoint,
    brands: Sequence[Brand],
    at: int,
    source: str,
    policy: Policy,
    subjects: Subjects,
    chance: Chance,
    clock: Clock,
    pause: Pause,
    made_at: int | None = None,
) -> bool:
    """Withdraw all marketing by e-mail, of these brands or, without any, of all; whether some still ran at `at`.

    `made_at` is when the letter was made that it is about (epoch milliseconds; 0: nobody knows): its reader is found
    wherever they are. None for whoever has the address now.
    """
    stored: list[ContactPoint] = []
    scopes = [
        scope
        for scope in consent_scopes(policy, contact)
        for purpose in [policy.purpose(scope.purpose)]
        if purpose.marketing and (not brands or policy.brand_of(purpose) in brands)
    ]

    def attempt() -> bool:
        here = subjects.load(contact).subject
        for subject in [here] if made_at is None else meant_by(here, made_at, subjects):
            stop(subject, clock())
        return bool(stored)

    def stop(subject: Subject, now: int) -> None:
        stopped = given_by(at, subject, running(subject, scopes, now))
        if not stopped:
            return
        act = Act(
            "withdrawn",
            by_person=True,
            facts=facts(policy, stopped, source=source, capability=source),
            details={"route": source},
        )
        changes = [(scope, DecisionState.WITHDRAWN) for scope in stopped]
        subjects.commit(decide(subject, changes, act, now=now, chance=chance.decision()))
        stored.append(subject.contact)

    return decided_afresh(attempt, attempts=WITHDRAWAL_ATTEMPTS, pause=pause)


def _end_holder(
    contact: ContactPoint, at: int, policy: Policy, subjects: Subjects, chance: Chance, clock: Clock, pause: Pause
) -> bool:
    """Note that no letter reaches an address any more; whether this was news. Nothing happens where nothing is held."""
    scopes = consent_scopes(policy, contact)

    def attempt() -> bool:
        subject = subjects.load(contact).subject
        given = [scope for scope in scopes if subject.state_of(scope).permits]
        if subject.chain is None or UNDELIVERABLE in subject.locks or given != _agreed_by(at, subject, given):
            return False
        act = Act(
            "undeliverable",
            by_person=False,
            facts=facts(policy, given, source=BOUNCE, capability=BOUNCE),
            details={"route": BOUNCE},
        )
        changes = [(scope, DecisionState.TERMINATED) for scope in given]
        subjects.commit(unreachable(decide(subject, changes, act, now=clock(), chance=chance.decision())))
        return True

    return decided_afresh(attempt, attempts=WITHDRAWAL_ATTEMPTS, pause=pause)


def _agreed_by(at: int, subject: Subject, scopes: Iterable[Scope]) -> list[Scope]:
    return [scope for scope in scopes if subject.decided[scope.code].at <= at]


def _first_link(tokens: Iterable[str], policy: Policy, keys: Keyring) -> tuple[str, WithdrawLink] | None:
    """The first of these texts that is a link of ours which withdraws, and what it says."""
    for token in tokens:
        try:
            link = open_withdrawal(token, keys)
            policy.purpose_by_code(link.purpose_code)
        except (InvalidTokenError, UnknownNameError):
            continue
        return token, link
    return None


def _brands(link: WithdrawLink | None, sender: str, policy: Policy) -> list[Brand]:
    """Whose letter it was: as its token says, or else all with its sender; none where nobody can tell."""
    if link is not None:
        return [policy.brand_of(policy.purpose_by_code(link.purpose_code))]
    sender = sender.lower()
    return [brand for brand in policy.brands.values() if brand.sender_address.lower() == sender]


def _controllers(policy: Policy) -> list[str]:
    return list(dict.fromkeys(purpose.controller for purpose in policy.purposes.values()))


def _controllers_written_to(mail: IncomingMail, policy: Policy) -> list[str]:
    """The controllers whose stop address the mail was written to; every one where it names none of them."""
    written_to = {address.lower() for address in mail.recipients}
    named = [brand.controller for brand in policy.brands.values() if brand.stop_address.lower() in written_to]
    return list(dict.fromkeys(named)) or _controllers(policy)


def _contacts(
    texts: Iterable[str], controllers: Sequence[str], addresses: Addresses, subjects: Subjects, secrets: Secrets
) -> list[ContactPoint]:
    """The contact points of addresses; what is none is left out, because nobody can be known under it."""
    found = []
    for text in texts:
        try:
            address = addresses(text)
        except InvalidAddressError:
            continue
        found += [
            whose(address, controller=controller, subjects=subjects, secrets=secrets) for controller in controllers
        ]
    return found
