"""A sign-up that nobody has confirmed yet. It is no consent and no ledger event; it ends by itself."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from consent_center.domain.contact import Address, ContactPoint
from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.errors import InvalidFormError
from consent_center.domain.objection import in_force
from consent_center.domain.offline import Attestation
from consent_center.domain.policy import Purpose, Scope, SignUpForm
from consent_center.domain.subject import Subject

LONGEST_TEXT = 200
"""Characters in a name or a company; longer ones are refused rather than cut."""


_NOT_WRITTEN = {"Cc", "Cs", "Co", "Cn"}
"""Unicode categories of what nobody types. Cf is not among them: Persian names need joiners."""

_TURNS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of writing, and could make a name read as something else."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked for, under an address nobody has proven yet."""

    id: str
    contact: ContactPoint
    address: Address
    purpose: str
    topics: tuple[str, ...]
    language: str
    notice: str
    requested_at: int
    """When the person asked, in epoch milliseconds. What they decided since is never overruled."""
    expires_at: int
    """Epoch seconds."""
    name: str | None = None
    company: str | None = None
    interests: tuple[str, ...] = ()
    source: str = "form"
    code_key: str | None = None
    """The key of links that its six digits are made with; None where no page waits for them."""
    attested: Attestation | None = None
    """What staff answer for, where the person asked them."""

    def scopes(self, purpose: Purpose) -> tuple[Scope, ...]:
        """What it asks about: the topics that were chosen, or a purpose that has none."""
        return purpose.scopes_of(self.topics, self.contact.channel)

    def is_pending_at(self, now: int) -> bool:
        """Whether it can still be confirmed at `now` (epoch milliseconds). DynamoDB removes expired items days late."""
        return now < self.expires_at * 1000

    def __repr__(self) -> str:
        """Hides who asked, because a repr ends up in logs and tracebacks."""
        return f"Request({self.id!r})"


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form carried, once it is known to be in order."""

    topics: tuple[str, ...]
    name: str | None
    company: str | None
    interests: tuple[str, ...]


def read_choices(
    form: SignUpForm, *, topics: Sequence[str], name: str, company: str, interests: Sequence[str]
) -> tuple[Choices, dict[str, str]]:
    """The choices, and the rule that each wrong field breaks: `required`, `unknown`, `too_long`, `characters`.

    What the form does not ask for is not taken (Art. 5(1)(c) GDPR).
    """
    purpose = form.purpose
    name, company = (text if field in form.fields else "" for field, text in (("name", name), ("company", company)))
    offered_interests = form.interests if "interest" in form.fields else {}
    offered = {topic.id for topic in purpose.topics if not topic.retired}
    wrong = {}
    if not topics and offered:
        wrong["topic"] = "required"
    elif not offered.issuperset(topics):
        wrong["topic"] = "unknown"
    wrong |= faulty_names(name, company) | missing_names(form, name, company)
    if "interest" in form.fields and not offered_interests.keys() >= set(interests):
        wrong["interest"] = "unknown"
    elif offered_interests and not interests and form.fields["interest"]["required"]:
        wrong["interest"] = "required"
    # In the policy's order and each once, so that the same choice always gives the same wording.
    chosen = tuple(topic.id for topic in purpose.topics if topic.id in topics)
    return Choices(
        chosen, name.strip() or None, company.strip() or None, tuple(i for i in offered_interests if i in interests)
    ), wrong


def missing_names(form: SignUpForm, name: str, company: str) -> dict[str, str]:
    """`required` for each of them that the form demands and that is empty."""
    given = {"name": name, "company": company}
    return {
        field: "required"
        for field, text in given.items()
        if field in form.fields and form.fields[field]["required"] and not text.strip()
    }


def faulty_names(name: str, company: str) -> dict[str, str]:
    """The rule that each of them breaks: `too_long`, `characters`."""
    wrong = {}
    for field, text in (("name", name), ("company", company)):
        if len(text) > LONGEST_TEXT:
            wrong[field] = "too_long"
        elif any(unicodedata.category(character) in _NOT_WRITTEN or character in _TURNS for character in text):
            wrong[field] = "characters"
    return wrong


def require_no_faults(wrong: dict[str, str]) -> None:
    if wrong:
        raise InvalidFormError(wrong)


@dataclass(frozen=True, slots=True)
class Standing:
    """What confirming a request would still do."""

    to_give: tuple[Scope, ...]
    given: tuple[Scope, ...]
    """Already given: confirming again changes nothing."""
    newest_no: Decided | None
    """The newest decision that came after the request and took its place."""


def standing(request: Request, subject: Subject, purpose: Purpose, now: int) -> Standing:
    """Compare a request with what was decided since. A request raises only what nobody decided after it was made."""
    to_give, given, later_noes = [], [], []
    for scope in request.scopes(purpose):
        decided = in_force(subject, purpose, scope)
        if decided is not None and decided.state is DecisionState.SOFT_OPT_IN:
            # A sale is no answer to what was asked: the person's own yes takes its place.
            decided = None
        if decided is not None and decided.permits_at(now) and not purpose.may_be_renewed(decided.at, now):
            given.append(scope)
        elif (
            decided is not None
            # That a consent ran out is nobody's word.
            and decided.state is not DecisionState.EXPIRED
            and decided.at >= request.requested_at
        ):
            later_noes.append(decided)
        elif not purpose.is_retired(scope.topic):
            to_give.append(scope)
    newest_no = max(later_noes, key=lambda no: no.at, default=None)
    return Standing(tuple(to_give), tuple(given), newest_no)
