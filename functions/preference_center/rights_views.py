"""What the pages of rights requests show."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from consent_center.domain.case import Case, CaseState, Right
from consent_center.domain.deadline import CaseDays
from consent_center.domain.lock import Ground
from consent_center.domain.policy import Policy
from consent_center.ports.basics import Clock, Secrets
from consent_center.ports.cases import CaseFile
from consent_center.texts import Texts
from consent_center.usecases.case_days import answer_days
from consent_center.usecases.case_letters import stays
from consent_center.usecases.cases import Asked, scopes_of
from consent_center.usecases.deadlines import proof_day, unproven_until
from consent_center.usecases.downloads import package_token
from consent_center.usecases.naming import recipient_name

_KINDS = {
    Right.ACCESS: "A copy of your data",
    Right.RECTIFICATION: "Your data put right",
    Right.ERASURE: "Your data deleted",
    Right.RESTRICTION: "Your data kept and not used",
    Right.PORTABILITY: "Your data to take with you",
    Right.OBJECTION: "Your objection",
    Right.COMPLAINT: "Your complaint",
}

_MEANINGS = {
    Right.ACCESS: "All that we hold about you, where it is from, what we use it for, and who gets it.",
    Right.RECTIFICATION: "Something is wrong or missing: write below what it should be.",
    Right.ERASURE: "We delete what we hold about you, and tell everybody who has it from us.",
    Right.RESTRICTION: "We go on keeping your data, and do nothing else with them until you are told.",
    Right.PORTABILITY: "What you gave us, as files that other systems read.",
    Right.OBJECTION: "We stop using your data for marketing, or for an interest of ours.",
    Right.COMPLAINT: "We did something wrong: write below what it was.",
}

_GROUNDS = {
    Ground.ACCURACY: "They are wrong, and you are to check them first.",
    Ground.UNLAWFUL: "You were not allowed to use them, and I want them kept all the same.",
    Ground.CLAIMS: "I need them for a legal claim.",
    Ground.OBJECTION: "I objected to their use, and you are still weighing it.",
}

_FAULTS = {
    ("type", "required"): "Choose what your request is about.",
    ("details", "required"): "Write what we should know: without it we cannot answer.",
    ("details", "too_long"): "Write at most 10,000 characters; what you wrote is still here.",
    ("ground", "unknown"): "Choose one of the reasons shown.",
    ("scope", "unknown"): "Choose among the uses shown; one of those sent no longer exists.",
    ("email", "required"): "Enter your e-mail address.",
    ("email", "too_long"): "Enter an e-mail address of at most 254 characters.",
    ("email", "address"): "Enter an e-mail address like name@example.com.",
}

_AGAIN = {"again": "Please check what you entered and press the button. Nothing has been stored yet."}

_STANDINGS = {
    CaseState.UNPROVEN: "We wait until you open the link in the e-mail that we sent you.",
    CaseState.WITH_PERSON: "We have asked you something and wait for your answer.",
    CaseState.COOLING_OFF: "We will delete your data soon, and until then you can take it back.",
    CaseState.WITH_STAFF: "A person here is looking at your request.",
    CaseState.RUNNING: "We are carrying out your request.",
    CaseState.PARTLY_DONE: "We are done, and somebody who has your data from us has not answered yet.",
    CaseState.DONE: "Your request is done.",
    CaseState.REFUSED: "We do not do what you asked, for the reason below.",
    CaseState.CANCELLED: "Your request was taken back, and you can ask again at any time.",
    CaseState.LAPSED: "Your request ended without an answer from you, and you can ask again at any time.",
}

_LOG = {
    "received": "We received your request",
    "asked_again": "The same was asked for again",
    "asked_further": "Something was added to it",
    "proved": "We know that it was you",
    "stopped": "We stopped using your data",
    "cancelled": "It was taken back",
    "taken_back": "What had stopped goes on as before",
    "identity_asked": "We asked you who you are",
    "identity_sure": "We are sure who you are",
    "extended": "We took more time",
    "refused": "We refused it",
    "start_decided": "We decided to carry it out",
    "cool_off_over": "The time to take it back was over",
    "held": "We have to keep your data for a legal claim first",
    "erased": "We deleted what we held",
    "restricted": "We keep your data and do not use them",
    "packed": "We made the file for you",
    "downloaded": "The file was fetched",
    "told": "We wrote to you",
    "partly_done": "We did our part",
    "done": "It was done",
    "lifted": "We may use your data again",
    "lapsed": "It ended without an answer",
}
"""What a person sees of a case's log; what is not named here is work of ours that says nothing about them."""

_FORBIDDEN = {"too_late": "It is being carried out already and cannot be taken back any more."}


def faults(fields: Mapping[str, str], texts: Texts, language: str) -> dict[str, str]:
    """A sentence for each field that is wrong."""
    say = texts.translator(language)
    return {field: say(_FAULTS[field, rule]) for field, rule in fields.items()}


def form(
    asked: Asked,
    email: str | None,
    message: str | None,
    now: int,
    controller: str,
    policy: Policy,
    texts: Texts,
    language: str,
) -> dict[str, Any]:
    """The form of a controller with what was typed so far; `email` is None where the link says who asks.

    `now` in milliseconds.
    """
    say = texts.translator(language)
    return {
        "message": say(_AGAIN[message]) if message else None,
        "kinds": [
            {"id": right.value, "name": say(_KINDS[right]), "description": say(_MEANINGS[right])}
            | {"checked": asked.right == right.value}
            for right in Right
        ],
        # What was chosen is shown; the questions about other kinds stay folded up.
        "opened": [asked.right],
        "grounds": [
            {"id": ground.value, "name": say(_GROUNDS[ground]), "checked": asked.ground == ground.value}
            for ground in Ground
        ],
        "restrictable": _purposes(Right.RESTRICTION, asked, controller, policy, language),
        "objectionable": _purposes(Right.OBJECTION, asked, controller, policy, language),
        "keep": asked.keep_fingerprint,
        "details": asked.details,
        "is_typed": email is not None,
        "email": email or "",
        "answer_by": answer_days(policy, controller, now)[0],
    }


def before(requests: Sequence[tuple[Case, str]], texts: Texts, language: str) -> list[dict[str, Any]]:
    """What a person asked for before, each with its page."""
    say = texts.translator(language)
    return [
        {
            "name": say(_KINDS[case.right]),
            "number": case.number,
            "received_at": case.received_at // 1000,
            "standing": _standing(case, say),
            "url": f"/rights/status/{token}?lang={language}",
        }
        for case, token in requests
    ]


def _standing(case: Case, say: Callable[[str], str]) -> str:
    if "hold" in case.outcome and not case.state.is_closed:
        return say("We have to keep your data for a legal claim first, and delete them as soon as that is over.")
    return say(_STANDINGS[case.state])


def proof(case: Case, details: str) -> dict[str, Any]:
    """What somebody is asked to say that it was theirs."""
    return {
        "right": case.right.value,
        "number": case.number,
        "received_at": case.received_at // 1000,
        "details": [line for line in details.split("\n") if line.strip()],
    }


def status(
    file: CaseFile, fault: str | None, secrets: Secrets, clock: Clock, policy: Policy, texts: Texts, language: str
) -> dict[str, Any]:
    """How a case stands."""
    say = texts.translator(language)
    case, days = file.case, CaseDays(policy)
    until = unproven_until(file, days, policy.rights.step_up_lapses_days, clock() // 1000)
    return {
        "fault": say(_FORBIDDEN[fault]) if fault else None,
        "right": case.right.value,
        "state": case.state.value,
        "is_open": not case.state.is_closed,
        "standing": _standing(case, say),
        "number": case.number,
        "received_at": case.received_at // 1000,
        "answer_by": case.extension.until if case.extension else case.answer_by,
        "ends_by": proof_day(case, days, until),
        "extended": case.extension.reasons if case.extension else "",
        "question": str(case.outcome.get("question", "")) if case.state is CaseState.WITH_PERSON else "",
        "cool_off_until": case.cool_off_until // 1000 if case.state is CaseState.COOLING_OFF else None,
        "can_cancel": case.can_be_taken_back,
        "ground": str(case.outcome.get("ground", "")),
        "reasons": str(case.outcome.get("reasons", "")),
        "held": case.outcome.get("held") is not False,
        "stays": stays(case.outcome, policy, language),
        "package_url": _package_url(case, secrets, clock),
        "tasks": [
            {
                "name": recipient_name(task.recipient, policy),
                "state": task.state.value,
                "reason": task.reason,
                "told_at": task.told_at // 1000 if task.told_at else None,
                "answered_at": task.answered_at // 1000 if task.answered_at else None,
            }
            for task in file.tasks
        ],
        "log": _log(file, say),
    }


def _log(file: CaseFile, say: Callable[[str], str]) -> list[dict[str, Any]]:
    return [{"at": line.at // 1000, "what": say(_LOG[line.what])} for line in file.log if line.what in _LOG]


def _package_url(case: Case, secrets: Secrets, clock: Clock) -> str:
    """The button's address while there is a file: `outcome["package"]` has its `name` and `expires_at` (seconds)."""
    package = case.outcome.get("package")
    if not isinstance(package, Mapping) or package["expires_at"] <= clock() // 1000:
        return ""
    return f"/rights/download/{package_token(case, package['name'], secrets=secrets, clock=clock)}"


def _purposes(right: Right, asked: Asked, controller: str, policy: Policy, language: str) -> list[dict[str, Any]]:
    return [
        {"id": name, "name": policy.text(policy.purpose(name).name, language), "checked": name in asked.scope}
        for name in scopes_of(right, policy, controller)
    ]
