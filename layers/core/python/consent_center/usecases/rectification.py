"""Putting right what our own record says of a person, as staff found it to be (Art. 16 GDPR)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from consent_center.domain.case import Case
from consent_center.domain.contact import Address
from consent_center.domain.errors import InvalidAddressError
from consent_center.domain.policy import Policy
from consent_center.domain.request import faulty_names, require_no_faults
from consent_center.domain.subject import Act, decide
from consent_center.ports.basics import Addresses, Chance, Clock, Pause, Secrets
from consent_center.ports.people import AddressMoves, Profile, Subjects
from consent_center.usecases.acts import facts
from consent_center.usecases.askers import who_asked
from consent_center.usecases.attempts import ATTEMPTS, decided_afresh
from consent_center.usecases.move_address import move_address

CORRECTED = "corrected"
"""The kind of the event."""

ADDRESS = "address"


class Corrections(NamedTuple):
    """The fields of a profile that are corrected; None or nothing for those that stay."""

    address: Address | None
    name: str | None
    company: str | None
    interests: tuple[str, ...]


def corrections_in(fields: Mapping[str, str], controller: str, *, policy: Policy, addresses: Addresses) -> Corrections:
    """What of some corrections is about a controller's own record; other fields are for recipients alone.

    `interest` holds ids of the policy with commas between them. InvalidFormError names every field that is wrong; one
    that is named and empty is, because nothing would come of it.
    """
    wrong = {f"corrections/{field}": "required" for field in _OURS if field in fields and not fields[field].strip(" ,")}
    name, company = fields.get("name", "").strip(), fields.get("company", "").strip()
    interests = [one.strip() for one in fields.get("interest", "").split(",") if one.strip()]
    wrong |= {f"corrections/{field}": rule for field, rule in faulty_names(name, company).items()}
    offered = policy.interests_of(controller)
    if not set(offered).issuperset(interests):
        wrong["corrections/interest"] = "unknown"
    address = None
    if fields.get(ADDRESS, "").strip():
        try:
            address = addresses(fields[ADDRESS])
        except InvalidAddressError as error:
            wrong["corrections/address"] = str(error)
    require_no_faults(wrong)
    return Corrections(address, name or None, company or None, tuple(i for i in offered if i in interests))


_OURS = (ADDRESS, "name", "company", "interest")


def put_right(
    case: Case,
    fields: Mapping[str, str],
    *,
    source: str,
    client: str,
    policy: Policy,
    subjects: Subjects,
    moves: AddressMoves,
    addresses: Addresses,
    secrets: Secrets,
    chance: Chance,
    clock: Clock,
    pause: Pause,
) -> None:
    """Correct the record of who asked in a case, wherever it is. Nothing happens without one; harmless to repeat.

    `source` is the door it came by, `client` who came. TakenPlaceError where somebody is known at the new address, and
    TooManyRequestsError for a record that had too many: then nothing was changed. UnavailableError.
    """
    right = corrections_in(fields, case.contact.controller, policy=policy, addresses=addresses)
    asker = who_asked(case, subjects)
    known = subjects.holdings(asker.contact).profile if asker else None
    if asker is None or asker.chain is None or known is None:
        return
    if right.address is not None and right.address.normalised != known.address.normalised:
        move_address(
            asker.contact,
            right.address,
            source=source,
            client=client,
            policy=policy,
            subjects=subjects,
            moves=moves,
            secrets=secrets,
            chance=chance,
            clock=clock,
            pause=pause,
        )

    def attempt() -> None:
        here = who_asked(case, subjects)
        held = subjects.holdings(here.contact) if here else None
        if held is None or held.profile is None or held.subject.chain is None:
            return
        profile = _corrected(held.profile, right)
        if profile == held.profile:
            return
        told = {**facts(policy, (), source=source, capability=source), "recorded_by": client}
        details = {field: value for field, value in right._asdict().items() if value and field != ADDRESS}
        act = Act(CORRECTED, by_person=False, facts=told, details=details)
        subjects.commit(decide(held.subject, (), act, now=clock(), chance=chance.decision()), profile)

    decided_afresh(attempt, attempts=ATTEMPTS, pause=pause)


def _corrected(profile: Profile, right: Corrections) -> Profile:
    known, new = profile.address, right.address or profile.address
    return replace(
        profile,
        # Another spelling of the same address; another address is a move.
        address=new if new.normalised == known.normalised else known,
        name=right.name or profile.name,
        company=right.company or profile.company,
        interests=right.interests or profile.interests,
    )
