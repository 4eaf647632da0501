"""Who has to hear of a new edition of the notice: who is told, who is asked again, and who is left in peace.

Art. 13(3) and 14(4) GDPR: people hear of a new purpose before data are used for it. Art. 7 GDPR: a consent covers the
words that were agreed to and no others, so a change never widens it; whoever is asked and says nothing has not agreed.
"""

from enum import StrEnum
from typing import NamedTuple

from consent_center.domain.lock import is_restricted
from consent_center.domain.objection import in_force, objection
from consent_center.domain.policy import Notice, Policy, Purpose, Scope
from consent_center.domain.reach import UNDELIVERABLE
from consent_center.domain.subject import Subject


class Follows(StrEnum):
    """What an edition means for one person, from the least to the most."""

    NOBODY = "nobody"
    """Nothing is sent."""
    TOLD = "told"
    ASKED_AGAIN = "asked_again"


class Affected(NamedTuple):
    """`told` are ids of purposes that the person hears of; `asked` are the scopes that need a new yes."""

    told: tuple[str, ...] = ()
    asked: tuple[Scope, ...] = ()

    @property
    def follows(self) -> Follows:
        if self.asked:
            return Follows.ASKED_AGAIN
        return Follows.TOLD if self.told else Follows.NOBODY


LEFT_IN_PEACE = Affected()

_REACHES_PEOPLE = frozenset({"material", "new_purpose"})
"""The classes that anybody hears of."""

_DONE_DIFFERENTLY = frozenset({
    "purpose-added", "basis", "controller", "recipient-added", "recipient-changed", "kept-longer", "valid-longer",
    "data-added", "source-added", "channel-added", "marketing-began", "tracking-began", "profiling-began",
    "confirmation-dropped", "consent-wording",
})  # fmt: skip
"""What is told of in such an edition; what only became less is not worth a letter."""


def who_is_affected(subject: Subject, edition: Notice, policy: Policy, *, in_force_from: int, now: int) -> Affected:
    """What follows for one contact point from an edition, under the policy that it belongs to.

    `in_force_from` is when people began to be shown it, `now` the moment of the question (both epoch milliseconds):
    a consent given since then covers the new words. Told is only who has a relation to what changed: a consent in
    force to it or, for what rests on another basis, to anything of the same controller, and no objection. So nobody
    who withdrew, refused, objected or whose consent ran out is told or asked, and nobody whose data are locked or who
    is suppressed.
    """
    is_suppressed = subject.suppression is not None and subject.suppression.holds_at(now)
    controller = subject.contact.controller
    # What changes nothing of a controller's notice is none of their people's business.
    reaches = edition.change in _REACHES_PEOPLE and edition.hashes.get(controller)
    if not reaches or UNDELIVERABLE in subject.locks or is_suppressed:
        return LEFT_IN_PEACE
    changed = [(what, purpose) for what, purpose in edition.changes if what in _DONE_DIFFERENTLY]
    everywhere = not changed or any(purpose is None for _, purpose in changed)
    named = {purpose for _, purpose in changed}
    reworded = {purpose for what, purpose in changed if what == "consent-wording"}
    added = {purpose for what, purpose in changed if what == "purpose-added"}
    told: list[str] = []
    asked: list[Scope] = []
    for purpose in policy.purposes_of(controller):
        if is_restricted(subject, purpose, now) or purpose.retired or not (everywhere or purpose.id in named):
            continue
        given = _in_use(subject, purpose, now)
        if purpose.id in added and not given:
            if _is_known_to(subject, purpose, policy, now):
                told.append(purpose.id)
                asked += _undecided(subject, purpose) if purpose.rests_on_consent else ()
            continue
        if not given and (purpose.takes_consent or not _is_known_to(subject, purpose, policy, now)):
            continue
        told.append(purpose.id)
        if purpose.id in reworded:
            asked += [
                scope
                for scope in given
                if subject.state_of(scope).is_consent and subject.decided[scope.code].at < in_force_from
            ]
    return Affected(tuple(told), tuple(asked))


def _in_use(subject: Subject, purpose: Purpose, now: int) -> list[Scope]:
    """The scopes of a purpose that the person agreed to and that may be relied on."""
    return [
        scope
        for scope in purpose.all_scopes()
        if not purpose.is_retired(scope.topic)
        and (answer := in_force(subject, purpose, scope)) is not None
        and answer.permits_at(now)
    ]


def _is_known_to(subject: Subject, purpose: Purpose, policy: Policy, now: int) -> bool:
    """Whether data of this person are in use with the controller at all, and the purpose is not objected to."""
    decided = [answer for scope in purpose.all_scopes() if (answer := subject.decided.get(scope.code))]
    if objection(subject, purpose) is not None or any(answer.state.is_the_persons_no for answer in decided):
        return False
    return any(
        not other.retired and _in_use(subject, other, now)
        for other in policy.purposes_of(purpose.controller)
        if other.takes_consent
    )


def _undecided(subject: Subject, purpose: Purpose) -> list[Scope]:
    return [
        scope
        for scope in purpose.all_scopes()
        if not purpose.is_retired(scope.topic) and scope.code not in subject.decided
    ]
