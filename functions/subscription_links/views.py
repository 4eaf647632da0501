"""What the pages show, put together from the policy in the reader's language."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from consent_center.domain.notice import common_language, difference, editions_between
from consent_center.domain.passcode import MOST_TRIES
from consent_center.domain.policy import Notice, Policy, SignUpForm, Topic
from consent_center.domain.statistics import StopReason
from consent_center.texts import Texts
from consent_center.usecases.confirm import Confirmation
from consent_center.usecases.sign_up import SignUp
from consent_center.usecases.withdraw import Coverage, Withdrawal
from consent_center.web.periods import period_in_words

_FAULTS = {
    ("email", "required"): "Enter your e-mail address.",
    ("email", "too_long"): "Enter an e-mail address of at most 254 characters.",
    ("email", "address"): "Enter an e-mail address like name@example.com.",
    ("topic", "required"): "Choose at least one topic.",
    ("topic", "unknown"): "Choose among the topics shown; one of those sent no longer exists.",
    ("interest", "unknown"): "Choose among the interests shown; one of those sent no longer exists.",
    ("interest", "required"): "Choose at least one interest.",
    ("name", "required"): "Enter your name.",
    ("company", "required"): "Enter your company.",
    ("name", "too_long"): "Enter a name of at most 200 characters.",
    ("name", "characters"): "Enter a name without line breaks or control characters.",
    ("company", "too_long"): "Enter a company of at most 200 characters.",
    ("code", "required"): "Enter the six digits from the e-mail.",
    ("code", "digits"): "Enter six digits, such as 123 456.",
    ("code", "wrong"): "This code does not fit. Compare it with the newest e-mail from us, or open the link in it.",
    ("company", "characters"): "Enter a company without line breaks or control characters.",
}

_MESSAGES = {
    "again": "Please check the form and press the button once more. Nothing has been stored yet.",
    "embedded": "Please check what you entered and press the button. Nothing has been stored yet.",
    "changed": "The text has changed since you opened this page. Please read it again before you decide.",
}


def topics(chosen: Iterable[Topic], policy: Policy, language: str) -> list[dict[str, Any]]:
    return [
        {
            "id": topic.id,
            "name": policy.text(topic.name, language),
            "description": policy.text(topic.description, language),
            "frequency": policy.sentence(topic.frequency, language),
        }
        for topic in chosen
    ]


def form(
    asked: SignUpForm,
    sign_up: SignUp,
    faults: Mapping[str, str],
    message: str | None,
    policy: Policy,
    texts: Texts,
    language: str,
    first: Sequence[str] = (),
) -> dict[str, Any]:
    """A brand's sign-up form with what was typed kept, and a sentence beside each field that needs mending.

    The topics in `first` stand before the others.
    """
    purpose = asked.purpose
    running = sorted((topic for topic in purpose.topics if not topic.retired), key=lambda topic: topic.id not in first)
    offered = topics(running, policy, language)
    say = texts.translator(language)
    fields = {
        name: {
            "shown": True,
            "required": field["required"],
            "consequence": policy.text(field["consequence"], language),
        }
        for name, field in asked.fields.items()
    }
    hidden = {"shown": False, "required": False, "consequence": ""}
    return {
        "purpose": {
            "name": policy.text(purpose.name, language),
            "description": policy.text(purpose.description, language),
        },
        "withdrawal_text": policy.text(purpose.withdrawal_text or {}, language).format_map(
            {"brand": asked.brand.name, "controller": policy.controller(purpose.controller)["name"]}
        ),
        "topics": [{**topic, "checked": topic["id"] in sign_up.topics} for topic in offered],
        "fields": {name: fields.get(name, hidden) for name in ("name", "company", "interest")},
        "interests": [
            {"id": interest, "name": policy.text(name, language), "checked": interest in sign_up.interests}
            for interest, name in asked.interests.items()
        ],
        "values": {"email": sign_up.email, "name": sign_up.name, "company": sign_up.company},
        "errors": {field: say(_FAULTS[field, rule]) for field, rule in faults.items()},
        "message": say(_MESSAGES[message]) if message else None,
    }


_MEANINGS = {
    "first": "This is the first edition.",
    "typo": "Spelling was corrected. Nothing is done differently.",
    "information": "You are told more, or told better. Nothing is done with your data that was not done before.",
    "material": "Something is done differently.",
    "new_purpose": "Data are used for something new.",
}
"""What the class of a change means to people."""


def changes(
    before: Notice | None,
    version: str,
    controller: str,
    read: Callable[[str, str, str], Mapping[str, Any]],
    policy: Policy,
    texts: Texts,
    language: str,
) -> dict[str, Any]:
    """What changed for a controller from the edition `before` to `version`; `read` gives their text in a language."""
    if before is None:
        return {"before": None, "editions": [], "sections": [], "compared_in": None, "compared_name": None}
    say = texts.translator(language)
    old, new = (policy.notices[one].hashes[controller] for one in (before.version, version))
    spoken = common_language(old, new, language, policy.default_language)
    sections = difference(*(read(one, spoken, controller) for one in (before.version, version))) if spoken else ()
    return {
        "before": before.version,
        "editions": [
            {
                "version": edition.version,
                "published_on": edition.published_on,
                "summary": policy.text(edition.summary, language),
                "meaning": say(_MEANINGS[edition.change]),
            }
            for edition in editions_between(policy, controller, before.version, version)
        ],
        "compared_in": spoken,
        "compared_name": texts.name_of(spoken) if spoken else None,
        "sections": [
            {
                "id": section.id,
                "heading": section.heading,
                "kind": str(section.kind),
                "lines": [
                    {
                        "kind": str(line.kind),
                        "name": line.name,
                        "parts": [
                            {
                                "label": part.label,
                                "pieces": [{"kind": str(piece.kind), "text": piece.text} for piece in part.pieces],
                            }
                            for part in line.parts
                        ],
                    }
                    for line in section.lines
                ],
            }
            for section in sections
        ],
    }


LONGEST_CODE_SHOWN = 20
"""Characters of a typed code that come back with the page; nothing longer was copied from a letter."""


def code_form(
    texts: Texts, language: str, *, typed: str = "", fault: str | None = None, is_open: bool = True
) -> dict[str, Any]:
    """The form for the six digits; `fault` is the rule that what was typed breaks. Closed when no try is left."""
    say = texts.translator(language)
    return {
        "is_open": is_open,
        "code": typed if len(typed) <= LONGEST_CODE_SHOWN else "",
        "tries": MOST_TRIES,
        "errors": {"code": say(_FAULTS["code", fault])} if fault else {},
    }


def typed(confirmation: Confirmation, policy: Policy, language: str) -> dict[str, Any]:
    """What was typed at sign-up beside the address; empty where nothing was."""
    profile, known = confirmation.profile, policy.interests_of(confirmation.purpose.controller)
    interests = [policy.text(known[one], language) for one in profile.interests if one in known]
    return {"name": profile.name or "", "company": profile.company or "", "interests": interests}


def confirm_message(message: str | None, texts: Texts, language: str) -> str | None:
    return texts.translator(language)(_MESSAGES[message]) if message else None


_REASONS = {
    StopReason.TOO_MANY: "There were too many of them.",
    StopReason.NOT_RELEVANT: "They were not about what I need.",
    StopReason.NEVER_ASKED: "I never asked for them.",
    StopReason.OTHER: "Another reason.",
}


def withdrawn(found: Withdrawal, policy: Policy, texts: Texts, language: str) -> dict[str, Any]:
    """What a press has stopped, what still comes, and what else can be done about it."""
    say = texts.translator(language)
    purpose = found.coverage.purpose
    return {
        **coverage(found.coverage, policy, language),
        "already": not found.is_new,
        "done": found.done,
        "still": [policy.text((topic or one).name, language) for one, topic in found.still],
        "instead": [
            {"value": f"{kind} {period}", "kind": kind, **period_in_words(period)}
            for kind, periods in (("fewer", purpose.fewer), ("pause", purpose.pauses))
            for period in periods
        ]
        if found.done and found.coverage.kind != "request"
        else [],
        "reasons": [{"value": reason.value, "text": say(_REASONS[reason])} for reason in _REASONS],
    }


def coverage(stopped: Coverage, policy: Policy, language: str) -> dict[str, Any]:
    """What a withdraw link stops, by name."""
    names = [policy.text(topic.name, language) for topic in stopped.topics]
    return {"scope": stopped.kind, "topics": names or [policy.text(stopped.purpose.name, language)]}
