"""Writing and sending what a person is told about a rights request of theirs (Art. 12(3)-(4), 18(3), 19 GDPR).

All of it is statutory: neither a withdrawal nor a suppression keeps it back. It says nothing of what is held.
"""

from collections.abc import Callable, Mapping
from typing import Any

from consent_center.domain.capability import RightsLink, StatusLink, seal_rights, seal_status
from consent_center.domain.case import Case, CaseLetter, CaseState, Right
from consent_center.domain.deadline import CaseDays
from consent_center.domain.errors import LetterRefusedError
from consent_center.domain.policy import Brand, Policy
from consent_center.ports.basics import Clock, Secrets
from consent_center.ports.cases import CaseFile, Cases, Particulars
from consent_center.ports.letters import Claims, LetterOrder, LetterTexts, Mailer
from consent_center.ports.people import Subjects
from consent_center.usecases.askers import followed
from consent_center.usecases.deadlines import proof_day, unproven_until
from consent_center.usecases.envelopes import addressed
from consent_center.usecases.letters import Delivery
from consent_center.usecases.links import rights_proof_url, rights_status_url, rights_url
from consent_center.usecases.naming import recipient_name


def deliver_case_letter(
    order: LetterOrder,
    *,
    base_url: str,
    site: Callable[[Brand, str], Mapping[str, Any]],
    policy: Policy,
    subjects: Subjects,
    cases: Cases,
    particulars: Particulars,
    claims: Claims,
    mailer: Mailer,
    texts: LetterTexts,
    secrets: Secrets,
    clock: Clock,
) -> Delivery:
    """Send one letter of a case to where its person is now; that an address was put right, to both addresses.

    It is from the controller that was asked, in the name of their first brand; `site` says who writes, for a brand and
    language. Safe to run twice: one letter to each address for each order.
    LetterRefusedError if the order names no letter of this person's case, or the mail service will never take it;
    UnavailableError to try again later.
    """
    case_id, letter = _named(order)
    now = clock() // 1000
    file = cases.load(case_id)
    kept = particulars.read(case_id) if file else None
    if file is None or kept is None:
        return Delivery.NOTHING_HELD
    case = file.case
    if case.contact != order.contact:
        raise LetterRefusedError("the case is another person's")
    # Whoever has the old address by now must get no link of theirs.
    details = followed(case, kept, subjects=subjects)
    if details is None:
        return Delivery.NOTHING_HELD
    proof_ends_at = unproven_until(file, CaseDays(policy), policy.rights.step_up_lapses_days, now)
    if letter is CaseLetter.PROVE and (case.state is not CaseState.UNPROVEN or proof_ends_at <= now):
        return Delivery.NOTHING_TO_ASK
    language, brand = policy.spoken(case.language), policy.brand_for(case.contact.controller)
    written = texts.letter(
        f"case_{letter}",
        language,
        site=site(brand, language),
        **_links(case, letter, proof_ends_at, base_url, brand.said(language), policy, secrets),
        **_told(file, letter, proof_ends_at, policy, language),
    )
    addresses = [str(details["address"])]
    # What was not put right here may be the address of somebody else.
    is_put_right = case.right is Right.RECTIFICATION and "own_at" in case.outcome
    if letter is CaseLetter.DONE and is_put_right and details.get("new_address"):
        # Whoever has the old address has to learn that it counts no more, and the new one that it does.
        addresses.append(str(details["new_address"]))
    outcome = Delivery.SENT_BEFORE
    for number, address in enumerate(addresses):
        claim = f"{order.request}/{number}" if number else order.request
        if not claims.take(claim, now):
            continue
        mailer.send(addressed(written, address, brand))
        claims.finish(claim, clock() // 1000)
        outcome = Delivery.SENT
    return outcome


def _named(order: LetterOrder) -> tuple[str, CaseLetter]:
    case, _, rest = order.request.partition("/")
    try:
        return case, CaseLetter(rest.partition("/")[0])
    except ValueError:
        raise LetterRefusedError("no such letter of a case") from None


def _links(
    case: Case, letter: CaseLetter, proof_ends_at: int, base_url: str, query: str, policy: Policy, secrets: Secrets
) -> dict[str, str]:
    """Only the links that the letter carries: each of them is a key to something."""
    keys = secrets.links()
    authority = policy.authority(policy.controller(case.contact.controller)["authority"])
    links = {"notice_url": f"{base_url}/notice{query}"}
    if letter in _OVER:
        links["rights_url"] = f"{rights_url(base_url)}{query}"
    else:
        token = seal_status(StatusLink(case.contact, case.id), keys)
        links["status_url"] = f"{rights_status_url(base_url, token)}{query}"
    if letter not in _WITHOUT_REMEDIES:
        links["authority_url"] = str(authority["url"])
    if letter is CaseLetter.PROVE:
        proof = seal_rights(RightsLink(case.contact, case.id, proof_ends_at), keys)
        links["prove_url"] = f"{rights_proof_url(base_url, proof)}{query}"
    return links


_OVER = (CaseLetter.CANCELLED, CaseLetter.LAPSED, CaseLetter.LIFTING)
"""After these there is nothing left to see, and something new to ask for."""

_WITHOUT_REMEDIES = (CaseLetter.PROVE, CaseLetter.CANCELLED)


_MORE: Mapping[CaseLetter, tuple[str, ...]] = {
    CaseLetter.PROVE: ("answer_by", "ends_by"),
    CaseLetter.RECEIVED: ("answer_by", "state", "can_cancel", "what_next_at"),
    CaseLetter.MORE_NEEDED: ("reasons", "rests", "can_cancel"),
    CaseLetter.EXTENDED: ("reasons", "answer_by", "can_cancel"),
    CaseLetter.READY: ("held", "fetch_until"),
    CaseLetter.PARTLY: ("tasks", "is_held_up", "is_waiting"),
    CaseLetter.DONE: ("held", "done_at", "kept_fingerprint", "reasons", "stays", "tasks"),
    CaseLetter.REFUSED: ("ground", "reasons"),
    CaseLetter.LIFTING: ("reasons",),
}
"""What each letter says beside what it is about."""


def _told(file: CaseFile, letter: CaseLetter, proof_ends_at: int, policy: Policy, language: str) -> dict[str, Any]:
    """What the letter says, without what the person wrote. Names of the policy are said in the language."""
    case, outcome = file.case, file.case.outcome
    why = {
        CaseLetter.MORE_NEEDED: str(outcome.get("question", "")),
        CaseLetter.EXTENDED: case.extension.reasons if case.extension else "",
    }
    package = outcome.get("package")
    more: dict[str, Any] = {
        "answer_by": case.answer_by,
        "ends_by": proof_day(case, CaseDays(policy), proof_ends_at),
        "state": case.state.value,
        "can_cancel": case.can_be_taken_back,
        "what_next_at": case.cool_off_until // 1000 if case.state is CaseState.COOLING_OFF else None,
        "reasons": why.get(letter, str(outcome.get("reasons", ""))),
        "rests": case.pause is not None and not case.pause.answered_at,
        "ground": str(outcome.get("ground", "")),
        "held": outcome.get("held") is not False,
        "kept_fingerprint": bool(case.choices.get("keep_fingerprint")),
        "done_at": (case.closed_at or case.told.get(CaseLetter.DONE) or case.received_at) // 1000,
        "fetch_until": package.get("expires_at") if isinstance(package, Mapping) else None,
        "is_held_up": "hold" in outcome,
        "is_waiting": any(not task.state.is_settled for task in file.tasks),
        "stays": stays(outcome, policy, language),
        "tasks": [
            {"name": recipient_name(task.recipient, policy), "state": task.state.value, "reason": task.reason}
            for task in file.tasks
        ],
    }
    return {
        "right": case.right.value,
        "number": case.number,
        "received_at": case.received_at // 1000,
        **{name: more[name] for name in _MORE.get(letter, ())},
    }


def stays(outcome: Mapping[str, Any], policy: Policy, language: str) -> list[dict[str, Any]]:
    """What an erasure leaves: a code of what, the words of the policy's rule if it has one, and until which ISO day."""
    return [
        {"what": str(row["what"]), "why": _rule(row.get("rule"), policy, language), "until": row.get("until")}
        for row in outcome.get("stays", ())
    ]


def _rule(rule: str | None, policy: Policy, language: str) -> str:
    if rule is None or rule not in policy.rules:
        return ""
    row = policy.retention_rule(rule)
    source = row.get("legal_source")
    name = policy.text(row["name"], language)
    return f"{name} ({source})" if source else name
