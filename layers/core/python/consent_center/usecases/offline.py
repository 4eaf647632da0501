"""Asking for somebody who asked staff: a request as a sign-up makes one, and the letter that asks if it was meant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from consent_center.domain.contact import address_name
from consent_center.domain.errors import InvalidAddressError, TooManyRequestsError
from consent_center.domain.letter import Letter
from consent_center.domain.offline import Attestation, Method, ProofFile
from consent_center.domain.policy import Policy, Purpose
from consent_center.domain.request import Request, faulty_names, missing_names, require_no_faults
from consent_center.ports.basics import Addresses, Chance, Clock, Limits, Secrets
from consent_center.ports.letters import LetterOrder, Outbox
from consent_center.ports.people import Subjects
from consent_center.usecases.whose import whose

CHANNEL = "email"


@dataclass(frozen=True, slots=True)
class Asked:
    """What staff tell about somebody who asked them, unread."""

    recipient: str
    purpose: str
    topics: Sequence[str]
    language: str
    method: Method
    collected_at: datetime
    asked_by_person: bool
    """Their attestation. Without it nobody is written to."""
    reference: str | None = None
    proof: ProofFile | None = None
    name: str = ""
    company: str = ""

    def __repr__(self) -> str:
        """Hides the person, because a repr ends up in logs and tracebacks."""
        return f"Asked({self.purpose!r})"


def request_for_somebody(
    asked: Asked,
    *,
    client: str,
    most_per_address: int,
    limits: Limits,
    policy: Policy,
    addresses: Addresses,
    subjects: Subjects,
    outbox: Outbox,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
) -> str:
    """Store the request, then order the letter; answers the id of the request. What it answers is stored.

    `client` is the system that attests it. Nothing is read about the person. What they decided after they asked is
    never overruled, so the request counts from then.

    InvalidFormError names each field that is wrong; UnknownNameError for a purpose that the policy lacks;
    TooManyRequestsError for an address that was asked too often this hour; UnavailableError if the letter could not be
    ordered.
    """
    now = clock()
    purpose = policy.purpose(asked.purpose)
    wrong = _faults(asked, purpose, policy, now)
    try:
        address = addresses(asked.recipient)
    except InvalidAddressError as error:
        require_no_faults({**wrong, "recipient": str(error)})
        raise
    require_no_faults(wrong)
    contact = whose(address, controller=purpose.controller, subjects=subjects, secrets=secrets)
    if not limits.take(address_name(contact), most_per_address, now // 1000):
        raise TooManyRequestsError
    attested = Attestation(
        asked.method, int(asked.collected_at.timestamp() * 1000), now, client, asked.reference, asked.proof
    )
    request = Request(
        id=chance.name(),
        contact=contact,
        address=address,
        purpose=purpose.id,
        topics=tuple(topic.id for topic in purpose.topics if topic.id in asked.topics),
        language=asked.language,
        notice=policy.notice_of(purpose.controller).version,
        requested_at=attested.collected_at,
        expires_at=policy.pending_period.after_epoch(now),
        name=asked.name.strip() or None,
        company=asked.company.strip() or None,
        source=attested.source,
        attested=attested,
    )
    subjects.add_request(request)
    outbox.order(LetterOrder(Letter.CONFIRM, contact, request.id))
    return request.id


def _faults(asked: Asked, purpose: Purpose, policy: Policy, now: int) -> dict[str, str]:
    wrong = {}
    if not asked.asked_by_person:
        wrong["asked_by_person"] = "not_attested"
    if not purpose.double_opt_in or CHANNEL not in purpose.channels:
        wrong["purpose"] = "not_by_letter"
    elif purpose.retired:
        wrong["purpose"] = "retired"
    known = {topic.id for topic in purpose.topics}
    if known and not asked.topics:
        wrong["topics"] = "required"
    elif not known.issuperset(asked.topics):
        wrong["topics"] = "unknown"
    elif any(purpose.topic(topic).retired for topic in asked.topics):
        wrong["topics"] = "retired"
    if asked.language not in policy.languages:
        wrong["language"] = "unknown"
    if asked.collected_at.timestamp() * 1000 > now:
        wrong["collected_at"] = "future"
    return {**wrong, **_faults_of_names(asked, policy)}


def _faults_of_names(asked: Asked, policy: Policy) -> dict[str, str]:
    """What is wrong by the form of the purpose; a purpose without one asks for neither of them."""
    form = next((form for form in policy.forms.values() if form.purpose.id == asked.purpose), None)
    fields = form.fields if form else {}
    given = {"name": asked.name, "company": asked.company}
    return {
        **faulty_names(asked.name, asked.company),
        **(missing_names(form, asked.name, asked.company) if form else {}),
        **{field: "not_asked" for field, text in given.items() if text.strip() and field not in fields},
    }
