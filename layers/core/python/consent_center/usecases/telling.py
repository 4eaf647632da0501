"""Letters that the law wants sent without anybody asking: a changed notice, and data that came from somebody else.

Each is written once, is no marketing, and is entered into the person's chain after the mail service took it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from consent_center.domain.affected import Follows, who_is_affected
from consent_center.domain.capability import WithdrawLink, seal_withdrawal
from consent_center.domain.chain import Payload
from consent_center.domain.contact import ContactPoint
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import LetterRefusedError
from consent_center.domain.letter import Letter
from consent_center.domain.notice import Kind, common_language, difference, edition_before
from consent_center.domain.objection import in_force
from consent_center.domain.policy import Brand, Notice, Policy, Purpose, Scope, Topic
from consent_center.domain.reach import UNDELIVERABLE
from consent_center.domain.replay import epoch_ms
from consent_center.domain.subject import Act, Subject, tell
from consent_center.domain.told import TOLD, About, Telling, untold
from consent_center.ports.basics import Chance, Clock, Pause, Secrets
from consent_center.ports.evidence import Ledger
from consent_center.ports.letters import Claims, LetterOrder, LetterTexts, Mailer, Outbox, Tellings, WrittenLetter
from consent_center.ports.people import Profile, Subjects
from consent_center.usecases.acts import facts
from consent_center.usecases.attempts import ATTEMPTS, decided_afresh
from consent_center.usecases.changes import UNDO_SECONDS
from consent_center.usecases.envelopes import addressed
from consent_center.usecases.letters import Delivery
from consent_center.usecases.links import stop_url, unsubscribe_headers

SOURCE = "letter"
"""The source and the capability of what a letter told."""

CLAIMED_SECONDS = 400 * 86_400
"""How long it is known that a person got the letter about an edition: longer than anybody announces one."""

MOST_LINES, MOST_CHARACTERS = 8, 1_500
"""Of what changed in the words; the rest is a link away."""


def notice_order(contact: ContactPoint, version: str, in_force_from: int) -> LetterOrder:
    """The order of a letter about an edition that people are shown since `in_force_from` (epoch milliseconds)."""
    return LetterOrder(Letter.NOTICE_CHANGED, contact, f"{version}/{in_force_from}")


def order_source_letters(contact: ContactPoint, seqs: Iterable[int], *, outbox: Outbox) -> None:
    """Order the letter about each event that brought a person's data from somebody else. Harmless to repeat.

    UnavailableError.
    """
    for seq in seqs:
        outbox.order(LetterOrder(Letter.SOURCE, contact, str(seq)))


def deliver_notice_change(
    order: LetterOrder,
    *,
    base_url: str,
    site: Callable[[Brand, str], Mapping[str, Any]],
    notice_text: Callable[[str, str, str], Mapping[str, Any]],
    policy: Policy,
    subjects: Subjects,
    claims: Claims,
    mailer: Mailer,
    tellings: Tellings,
    texts: LetterTexts,
    secrets: Secrets,
    clock: Clock,
) -> Delivery:
    """Tell one person that the notice changed, if by what they decided until now they still have to hear of it.

    Safe to run twice: one letter for each person and edition. LetterRefusedError if it can never be sent;
    UnavailableError to try again later.
    """
    now = clock()
    version, _, since = order.request.partition("/")
    edition = policy.notices.get(version)
    if edition is None or not (since.isascii() and since.isdigit()):
        raise LetterRefusedError("the order names no edition")
    held = subjects.holdings(order.contact)
    subject = held.subject
    if subject.chain is None or held.profile is None:
        return Delivery.NOTHING_HELD
    if UNDELIVERABLE in subject.locks:
        return Delivery.UNDELIVERABLE
    affected = who_is_affected(subject, edition, policy, in_force_from=int(since), now=now)
    if affected.follows is Follows.NOBODY:
        return Delivery.NOTHING_TO_ASK
    claim = f"notice-{subject.chain}-{version}"
    if not claims.take(claim, now // 1000, now // 1000 + CLAIMED_SECONDS):
        return Delivery.SENT_BEFORE
    mine = [one.id for one in policy.purposes_of(order.contact.controller)]
    purpose = _to_stop(subject, [*affected.told, *mine], policy, now) or policy.purpose(affected.told[0])
    language = policy.spoken(subject.language)
    changes, is_whole = _changes(edition, policy, order.contact.controller, language, notice_text)
    asked = [policy.text(_named(one, policy).name, language) for one in affected.asked]
    stop = seal_withdrawal(WithdrawLink(order.contact, purpose.code, made_at=now), secrets.links())
    written = texts.letter(
        "notice_changed",
        language,
        **_common(policy, purpose, site, base_url, stop, language, edition.version),
        in_force_at=int(since) // 1000,
        summary=policy.text(edition.summary, language) if edition.summary else "",
        purposes=[policy.text(policy.purpose(one).name, language) for one in affected.told],
        asked=list(dict.fromkeys(asked)),
        changes=changes,
        is_whole=is_whole,
        changes_url=f"{base_url}/notice/{edition.version}/changes{policy.brand_of(purpose).said(language)}",
    )
    _send(written, held.profile, policy, purpose, base_url, stop, mailer)
    telling = Telling(About.NOTICE, edition.version, affected.follows.value, language, clock())
    # Before the claim is closed: a letter that is sent twice is worth more than one that nobody knows of.
    tellings.note(order.contact, telling)
    claims.finish(claim, clock() // 1000)
    return Delivery.SENT


def deliver_source(
    order: LetterOrder,
    *,
    base_url: str,
    site: Callable[[Brand, str], Mapping[str, Any]],
    policy: Policy,
    subjects: Subjects,
    ledger: Ledger,
    claims: Claims,
    mailer: Mailer,
    tellings: Tellings,
    texts: LetterTexts,
    secrets: Secrets,
    clock: Clock,
) -> Delivery:
    """Tell one person which data somebody else gave us, from where, and what for (Art. 14(1) and (2) GDPR).

    Safe to run twice: one letter for each event. LetterRefusedError if it can never be sent; UnavailableError to try
    again later.
    """
    now = clock()
    if not (order.request.isascii() and order.request.isdigit() and len(order.request) <= 10):
        raise LetterRefusedError("the order names no event")
    seq = int(order.request)
    held = subjects.holdings(order.contact)
    subject = held.subject
    if subject.chain is None or held.profile is None:
        return Delivery.NOTHING_HELD
    if UNDELIVERABLE in subject.locks or (subject.suppression is not None and subject.suppression.holds_at(now)):
        return Delivery.UNDELIVERABLE
    if not subject.inform_by:
        return Delivery.NOTHING_TO_ASK
    entry, payload = ledger.entry(subject.chain, seq), subjects.payload(subject.chain, seq)
    if entry is None or "inform_by" not in entry.body:
        raise LetterRefusedError("the order names no event of this kind")
    changes = [one for one in entry.body["changes"] if DecisionState(one["after"]).permits]
    purposes = list(dict.fromkeys(policy.purpose(one["purpose"]).id for one in changes))
    if not purposes:
        return Delivery.NOTHING_TO_ASK
    claim = f"source-{subject.chain}-{seq}"
    if not claims.take(claim, now // 1000, now // 1000 + CLAIMED_SECONDS):
        return Delivery.SENT_BEFORE
    purpose = policy.purpose(purposes[0])
    language = policy.spoken(subject.language)
    stop = seal_withdrawal(WithdrawLink(order.contact, purpose.code, made_at=now), secrets.links())
    written = texts.letter(
        "source",
        language,
        **_common(policy, purpose, site, base_url, stop, language, policy.notice_of(purpose.controller).version),
        address=held.profile.address.mailable,
        received_at=_seconds(entry.at),
        origin=_origin(payload),
        purposes=[
            {
                "name": policy.text(one.name, language),
                "description": policy.text(one.description, language),
                "topics": [
                    policy.text(one.topic(topic).name, language)
                    for change in changes
                    if change["purpose"] == one.id
                    for topic in change.get("topics") or ()
                ],
                "rests_on_consent": one.rests_on_consent,
            }
            for one in map(policy.purpose, purposes)
        ],
    )
    _send(written, held.profile, policy, purpose, base_url, stop, mailer)
    tellings.note(order.contact, Telling(About.SOURCE, str(seq), None, language, clock()))
    claims.finish(claim, clock() // 1000)
    return Delivery.SENT


def note_told(
    contact: ContactPoint,
    telling: Telling,
    *,
    policy: Policy,
    subjects: Subjects,
    ledger: Ledger,
    tellings: Tellings,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> bool:
    """Enter into a person's chain that they were told; whether this call did. Harmless to repeat.

    Whoever did something themselves a moment ago can still undo it, which only the newest event allows: until then the
    note is put off. UnavailableError.
    """

    def attempt() -> bool:
        now = clock()
        held = subjects.holdings(contact)
        subject = held.subject
        if subject.chain is None:
            return False
        if now - subject.heard_at < UNDO_SECONDS * 1000:
            tellings.put_off(contact, telling)
            return False
        entries = ledger.entries(subject.chain)
        if any(telling.is_told_by(entry) for entry in entries):
            return False
        act = Act(
            TOLD,
            by_person=False,
            facts={**facts(policy, (), source=SOURCE, capability=SOURCE), **telling.facts},
            details={"address": held.profile.address.mailable} if held.profile else {},
        )
        left = untold(entries)
        if telling.about is About.SOURCE:
            left.deadlines.pop(int(telling.of), None)
        inform_by = left.inform_by if subject.inform_by else 0
        subjects.commit(tell(subject, act, inform_by=inform_by, now=now, chance=chance.decision()))
        return True

    return decided_afresh(attempt, attempts=ATTEMPTS, pause=pause)


def _common(
    policy: Policy,
    purpose: Purpose,
    site: Callable[[Brand, str], Mapping[str, Any]],
    base_url: str,
    stop: str,
    language: str,
    version: str,
) -> dict[str, Any]:
    """What both letters say: who writes, how to stop and object, and where to complain."""
    brand = policy.brand_of(purpose)
    query = brand.said(language)
    return {
        "site": site(brand, language),
        "stop_url": f"{stop_url(base_url, stop)}{query}",
        "preferences_url": f"{base_url}/preferences{query}",
        "authority_url": policy.authority(policy.controller(purpose.controller)["authority"])["url"],
        "notice_url": f"{base_url}/notice/{version}{query}",
        "stop_address": brand.stop_address,
        "may_object": any(one.marketing or one.profiling for one in policy.purposes_of(purpose.controller)),
    }


def _send(
    written: WrittenLetter, profile: Profile, policy: Policy, purpose: Purpose, base_url: str, stop: str, mailer: Mailer
) -> None:
    brand = policy.brand_of(purpose)
    mailer.send(
        addressed(
            written,
            profile.address.mailable,
            brand,
            headers=unsubscribe_headers(base_url, stop, list_id=f"{purpose.id}.{brand.list_domain}"),
        )
    )


def _to_stop(subject: Subject, purposes: Iterable[str], policy: Policy, now: int) -> Purpose | None:
    """What the letter's link stops: of these the first that is in use."""
    for name in purposes:
        purpose = policy.purpose(name)
        answers = [in_force(subject, purpose, scope) for scope in purpose.all_scopes()] if purpose.takes_consent else []
        if any(answer is not None and answer.permits_at(now) for answer in answers):
            return purpose
    return None


def _changes(
    edition: Notice,
    policy: Policy,
    controller: str,
    language: str,
    notice_text: Callable[[str, str, str], Mapping[str, Any]],
) -> tuple[list[dict[str, str]], bool]:
    """The first changes of the words, each with what became of it, and whether these are all."""
    before = edition_before(policy, controller, edition.version)
    if before is None:
        return [], False
    languages = (before.hashes[controller], edition.hashes[controller])
    if common_language(*languages, language, policy.default_language) != language:
        return [], False
    old, new = (notice_text(one.version, language, controller) for one in (before, edition))
    found: list[dict[str, str]] = []
    length = 0
    for section in difference(old, new):
        for line in section.lines:
            gone = Kind.ADDED if line.kind is Kind.REMOVED else Kind.REMOVED
            said = ["".join(one.text for one in part.pieces if one.kind is not gone) for part in line.parts]
            text = " – ".join(" ".join(one.split()) for one in ([line.name] if line.name else []) + said)
            length += len(text)
            if len(found) == MOST_LINES or length > MOST_CHARACTERS:
                return found, False
            found.append({"kind": line.kind.value, "heading": section.heading, "text": text})
    return found, True


def _named(scope: Scope, policy: Policy) -> Purpose | Topic:
    purpose = policy.purpose(scope.purpose)
    return purpose.topic(scope.topic) if scope.topic else purpose


def _origin(payload: Payload | None) -> str:
    """What whoever brought the data said of where they are from; empty where that is not kept any more."""
    said = [payload.content.get(name) for name in ("method", "reference")] if payload else []
    return ", ".join(str(one) for one in said if one)


def _seconds(at: str) -> int:
    return epoch_ms(at) // 1000
