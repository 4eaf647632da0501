"""Why each item of a record is still here, until when, and by which rule; or that nothing is held."""

from dataclasses import dataclass

from consent_center.domain.errors import InvalidAddressError, InvalidFormError
from consent_center.domain.lock import Lock, locks_of
from consent_center.domain.policy import Policy
from consent_center.domain.retention import Keeping, Reasons, Why, reasons, state_kept
from consent_center.ports.basics import Addresses, Clock, Secrets
from consent_center.ports.evidence import Ledger
from consent_center.ports.people import Retention, Subjects
from consent_center.usecases.retention import keeping_of, look_into
from consent_center.usecases.whose import whose

CHANNEL = "email"


@dataclass(frozen=True, slots=True)
class Kept:
    """One item. `what` is `state`, `profile`, `sent`, `payload` or `request`."""

    what: str
    of: str
    """Of `sent` its purpose, of `payload` the number of its event; else empty."""
    kind: str
    """The kind of the event of a `payload`; else empty."""
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class Account:
    """All that is held about one person. Without items nothing is held."""

    items: tuple[Kept, ...] = ()
    locks: tuple[Lock, ...] = ()


def why_kept(
    recipient: str,
    controller: str | None = None,
    *,
    policy: Policy,
    subjects: Subjects,
    retention: Retention,
    ledger: Ledger,
    addresses: Addresses,
    secrets: Secrets,
    clock: Clock,
) -> Account:
    """Account for everything that a controller holds about an address, by the policy in force now. Reads only.

    With one controller none needs to be named. InvalidFormError for what is no address, or where a controller has to
    be named; UnknownNameError; UnavailableError.
    """
    try:
        address = addresses(recipient)
    except InvalidAddressError as error:
        raise InvalidFormError({"recipient": str(error)}) from None
    controller = policy.controller_meant(controller)
    contact = whose(address, controller=controller, subjects=subjects, secrets=secrets)
    now = clock()
    held = subjects.holdings(contact)
    dossier = retention.dossier(contact)
    items: list[tuple[str, str, str, Keeping]] = []
    if dossier is not None:
        found = look_into(dossier, policy=policy, ledger=ledger, now=now)
        kinds = {str(entry.seq): entry.kind for entry in ledger.entries(dossier.subject.chain or "")}
        for part in dossier.ends:
            kind = kinds.get(part.of, "") if part.kind == "payload" else ""
            items.append((part.kind, part.of.split("#")[0], kind, keeping_of(part, found)))
    else:
        items.append(("state", "", "", state_kept(held.subject, (), policy, now)))
        if held.profile is not None:
            # It may outlive the state: contact data have a clock of their own.
            end = held.profile_end
            keeping = Keeping(Why.RULE, end.at, end.rule) if end else Keeping(Why.RULE)
            items.append(("profile", "", "", keeping))
    pending = policy.rule_covering("pending")
    items += [
        ("request", request.purpose, "", Keeping(Why.RULE, request.expires_at, pending.id if pending else None))
        for request in held.requests
        if request.is_pending_at(now)
    ]
    return Account(
        tuple(
            Kept(what, of, kind, reasons(keeping, policy, policy.default_language))
            for what, of, kind, keeping in items
            if not keeping.is_over_at(now)
        ),
        tuple(locks_of(dossier.subject, now)) if dossier is not None else (),
    )
