"""Asking for letters: a request is stored, and a letter asks whether it was really meant."""

from collections.abc import Sequence
from dataclasses import dataclass

from consent_center.domain.capability import FormShown, WaitingLink, seal_waiting
from consent_center.domain.contact import address_name, source_name
from consent_center.domain.errors import InvalidAddressError, TooManyRequestsError
from consent_center.domain.letter import Letter
from consent_center.domain.policy import Policy, SignUpForm
from consent_center.domain.request import Request, read_choices, require_no_faults
from consent_center.ports.basics import Addresses, Chance, Clock, Limits, Secrets
from consent_center.ports.letters import LetterOrder, Outbox
from consent_center.ports.people import Subjects
from consent_center.usecases.whose import whose


@dataclass(frozen=True, slots=True)
class MostSignUps:
    """How many sign-ups are taken in an hour: for one address, and from one network."""

    per_address: int
    per_source: int


@dataclass(frozen=True, slots=True)
class SignUp:
    """What was typed into the form, unread."""

    email: str
    topics: Sequence[str]
    name: str = ""
    company: str = ""
    interests: Sequence[str] = ()

    def __repr__(self) -> str:
        """Hides the person, because a repr ends up in logs and tracebacks."""
        return "SignUp(…)"


def request_subscription(
    sign_up: SignUp,
    form: SignUpForm,
    shown: FormShown,
    *,
    network: str | None,
    most: MostSignUps,
    limits: Limits,
    policy: Policy,
    addresses: Addresses,
    subjects: Subjects,
    outbox: Outbox,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
) -> str:
    """Store the request, then order the letter; answers the token of the page that waits for the letter's code.

    `form` is that of the brand whose page it was, and `shown` which state of it the person saw.

    Nothing is read about the person, so that known and unknown addresses get the same answer after the same calls. An
    address that was signed up too often this hour gets that answer too, and no further letter: the answer goes to
    whoever filled in the form, and the letters to somebody who may not have asked for any. Its token looks like any
    other, and no code ever fits it.

    InvalidFormError names every wrong field; TooManyRequestsError if `network` (already shortened) was used too often;
    UnavailableError if the letter could not be ordered.
    """
    choices, wrong = read_choices(
        form, topics=sign_up.topics, name=sign_up.name, company=sign_up.company, interests=sign_up.interests
    )
    try:
        address = addresses(sign_up.email)
    except InvalidAddressError as error:
        # The field order of the form, so that the first fault named is the first one seen.
        require_no_faults({"email": str(error), **wrong})
        raise
    require_no_faults(wrong)
    purpose = form.purpose
    peppers = secrets.peppers()
    contact = whose(address, controller=purpose.controller, subjects=subjects, secrets=secrets)
    now = clock()
    if not limits.take(source_name(network or "unknown", purpose.controller, peppers), most.per_source, now // 1000):
        raise TooManyRequestsError
    keys = secrets.links()
    waiting = WaitingLink(contact, chance.name(), policy.pending_period.after_epoch(now), keys.current)
    token = seal_waiting(waiting, keys)
    if not limits.take(address_name(contact), most.per_address, now // 1000):
        return token
    request = Request(
        id=waiting.request,
        contact=contact,
        address=address,
        purpose=purpose.id,
        topics=choices.topics,
        language=shown.language,
        notice=shown.notice,
        requested_at=now,
        expires_at=waiting.ends_at,
        name=choices.name,
        company=choices.company,
        interests=choices.interests,
        # A form that was shown by another controller may be posted here.
        source=f"form:{shown.source}" if policy.is_source_of(shown.source, purpose) else "form",
        code_key=waiting.key_id,
    )
    subjects.add_request(request)
    outbox.order(LetterOrder(Letter.CONFIRM, contact, request.id))
    return token
