"""What the preference pages show, put together from the policy and the record in the reader's language."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from consent_center.domain.capability import MANAGE_SECONDS
from consent_center.domain.decision import Decided, DecisionState
from consent_center.domain.objection import Against
from consent_center.domain.policy import Brand, Period, Policy, Purpose
from consent_center.domain.told import TOLD
from consent_center.texts import Part, Texts
from consent_center.usecases.history import Event, Explanation
from consent_center.usecases.preferences import Choice, PreferencePage, Row
from consent_center.usecases.receipts import Receipt
from consent_center.web.periods import period_in_words

LINK_MINUTES = MANAGE_SECONDS // 60

_ADDRESS = {
    "required": "Enter your e-mail address.",
    "too_long": "Enter an e-mail address of at most 254 characters.",
    "address": "Enter an e-mail address like name@example.com.",
    "same": "We write to this address already: enter another one.",
}

_MESSAGES = {
    "stopped": "“%(what)s” stops now.",
    "everything": "Everything stops now: we send you no more of it.",
    "started": "“%(what)s” is on now.",
    "asked": "We have sent you an e-mail about “%(what)s”: it starts once you confirm there.",
    "objected": "We stop now, and you need give no reason.",
    "lifted": "Your objection is taken back. What it had stopped stays off until you switch it on.",
    "paused": "“%(what)s” is paused.",
    "resumed": "“%(what)s” goes on.",
    "fewer": "How often you get “%(what)s” is changed.",
    "language": "We write to you in this language from now on.",
    "undone": "Undone: everything is as it was before.",
    "too_late": "That cannot be undone any more. Nothing was changed now.",
    "same": "It was so already. Nothing was changed.",
}

_SAID_BY_ADDRESS = {"same", "language"}
"""What the page's address alone may say; whatever else was done, a signed token says it."""

_FAULTS = {
    "changed": "The text has changed since you opened this page. Please read it again before you decide.",
    "unknown": "That choice no longer exists. Nothing was changed.",
    "too_many": "You have asked for several e-mails this hour. Wait an hour before you ask for another.",
}

_BASES = {
    "consent": "Your consent",
    "legitimate_interest": "Our interest, which you can object to",
    "soft_opt_in": "What you bought from us, for similar products of ours, until you say no",
}

_EVENTS = {
    "given": "You said yes",
    "soft_opt_in": "You bought something and could say no to letters about similar products",
    "withdrawn": "You stopped",
    "objected": "You objected",
    "lifted": "You took an objection back",
    "preferences": "You changed how often you hear from us",
    "restored": "You undid what you did before",
    "recorded": "Somebody recorded it for you",
    "suppressed": "You asked us not to contact you",
    "undeliverable": "A letter could not be delivered to this address",
    "expired": "What you had agreed to ended on its day",
    "stale": "What you had agreed to ended, because nobody used it",
    "hold_set": "Your data are kept for a legal claim",
    "hold_lifted": "Your data are no longer kept for a legal claim",
    "restricted": "Your data are kept and no longer used",
    "restriction_lifted": "Your data may be used again",
    "moved": "Your e-mail address changed",
    "corrected": "Your data were put right",
    "told-notice": "We told you that our privacy notice changed",
    "told-asked": "We told you that our privacy notice changed, and what needs a new yes",
    "told-source": "We told you where we have your data from",
}

_SOURCES = {
    "form": "On our sign-up page, confirmed from an e-mail",
    "preferences": "On the page with your preferences, confirmed from an e-mail",
    "page": "With one press on one of our pages",
    "one-click": "With the button of your mail program",
    "not-me": "With “This was not me” in an e-mail",
    "api": "In another service of ours",
    "clock": "By itself",
    "letter": "With a letter from us",
    "rights": "With a request about your rights",
}

_STATES = {
    DecisionState.UNKNOWN: "No decision",
    DecisionState.REQUESTED: "Asked, not answered yet",
    DecisionState.DEFERRED: "Asked, put off",
    DecisionState.REFUSED: "Refused",
    DecisionState.GIVEN: "Consent given",
    DecisionState.RENEWED: "Consent renewed",
    DecisionState.WITHDRAWN: "Consent withdrawn",
    DecisionState.EXPIRED: "Consent expired",
    DecisionState.TERMINATED: "Consent ended by us",
    DecisionState.INVALIDATED: "Consent not valid",
    DecisionState.OBJECTED: "Objection",
    DecisionState.LIFTED: "Objection taken back",
    DecisionState.SOFT_OPT_IN: "Letters about similar products until you say no",
}

_COLUMNS = {
    "seq": "Number",
    "at": "Time (UTC)",
    "what": "What happened",
    "about": "About",
    "how": "How",
    "wording": "Words",
    "notice": "Privacy notice",
    "hash": "Hash",
}

_OBJECTIONS = {
    Against.MARKETING: "Direct marketing",
    Against.PROFILING: "Profiling for marketing",
}


def faults(fields: Mapping[str, str], texts: Texts, language: str) -> dict[str, str]:
    """A sentence for each field that is wrong."""
    say = texts.translator(language)
    return {field: say(_ADDRESS[rule]) for field, rule in fields.items()}


def preferences(
    page: PreferencePage,
    brand: Brand,
    fault: str | None,
    did: str | None,
    policy: Policy,
    texts: Texts,
    language: str,
) -> dict[str, Any]:
    """The preference page of a brand; `did` is what has just been done where no token says so.

    What a controller does under no brand is on the pages of all of theirs, and so are objections, which bind them all.
    """
    say = texts.translator(language)

    def is_here(one: Choice | Row) -> bool:
        return one.purpose.brand in (None, brand.id)

    return {
        "fault": say(_FAULTS[fault]) if fault else None,
        "result": _status(page, did, policy, texts, language),
        "received": [_choice(choice, policy, language) for choice in page.received if is_here(choice)],
        "recorded": [_choice(choice, policy, language) for choice in page.recorded if is_here(choice)],
        "anything_on": any(row.is_on for choice in (*page.received, *page.recorded) for row in choice.rows),
        "objections": [
            {
                "id": against.value,
                "name": say(_OBJECTIONS[against]),
                "since": _seconds(decided),
                "event": decided.seq if decided else None,
            }
            for against, decided in page.objections.items()
        ],
        "interests": [_interest(row, policy, language) for row in page.interests if is_here(row)],
        "about": _about(page, policy, language),
    }


def history(events: Sequence[Event], policy: Policy, texts: Texts, language: str) -> dict[str, Any]:
    """Everything a person decided, newest first."""
    say = texts.translator(language)
    return {
        "events": [
            {
                "number": event.seq,
                "at": event.at // 1000,
                "what": _what(event, say),
                "about": [_name_of(name, topics, policy, texts, language) for name, topics in event.about],
                "wording": list(event.wording),
                "notice": event.notice,
                # What is about no purpose has none.
                "has_receipt": bool(event.about or event.entry.body.get("preferences")),
            }
            for event in reversed(events)
        ]
    }


def told_history(events: Sequence[Event], policy: Policy, texts: Texts, language: str) -> dict[str, Any]:
    """Everything a person decided, oldest first, for programs: with the ledger's own words and hashes.

    Whose it is stands in it as the chain, and not as an address: files are passed on.
    """
    say = texts.translator(language)
    return {
        "format": 1,
        "chain": events[0].entry.chain if events else None,
        "language": language,
        "events": [
            {
                "seq": event.seq,
                "at": event.entry.at,
                "kind": event.kind,
                "what": _what(event, say),
                "about": [_name_of(name, topics, policy, texts, language) for name, topics in event.about],
                "changes": event.entry.body.get("changes", []),
                "preferences": event.entry.body.get("preferences", {}),
                "source": event.entry.body.get("source"),
                "wording": list(event.wording),
                "wording_hash": event.entry.body.get("wording_hash"),
                "notice": event.notice,
                "prev": event.entry.body.get("prev"),
                "hash": event.entry.hash,
            }
            for event in events
        ],
    }


def history_rows(events: Sequence[Event], policy: Policy, texts: Texts, language: str) -> list[tuple[object, ...]]:
    """The same for a spreadsheet: a heading, and a row for each event, oldest first."""
    say = texts.translator(language)
    return [
        tuple(say(_COLUMNS[column]) for column in _COLUMNS),
        *(
            (
                event.seq,
                event.entry.at,
                _what(event, say),
                "; ".join(_name_of(name, topics, policy, texts, language) for name, topics in event.about),
                _how(event, texts, language),
                "\n".join(event.wording),
                event.notice,
                event.entry.hash,
            )
            for event in events
        ),
    ]


def purposes_of(found: Receipt, policy: Policy) -> list[Purpose]:
    """What a receipt is about, each once."""
    ids = [process["dpv:hasPurpose"][0]["dpv:hasIdentifier"] for process in found.document["dpv:hasProcess"]]
    return [policy.purpose(one) for one in dict.fromkeys(ids)]


def receipt(found: Receipt, purposes: Sequence[Purpose], policy: Policy, texts: Texts, language: str) -> dict[str, Any]:
    """One event as its receipt says it, for people; `purposes` are those that it is about."""
    say = texts.translator(language)
    event = found.event
    return {
        "number": event.seq,
        "id": found.document["cc:receipt"],
        "evidence": event.entry.evidence,
        "at": event.at // 1000,
        "what": _what(event, say),
        "how": _how(event, texts, language),
        "changes": [
            {
                "name": _name_of(change["purpose"], change["topics"], policy, texts, language),
                "state": say(_STATES[DecisionState(change["after"])]),
            }
            for change in event.entry.body.get("changes", ())
        ],
        "wording": list(event.wording),
        "wording_language": found.language,
        "notice": event.notice,
        "purposes": [
            {
                "name": policy.text(purpose.name, language),
                "description": policy.text(purpose.description, language),
                "basis": say(_BASES[basis]) if (basis := _basis_then(event, purpose)) in _BASES else basis,
                "data": [
                    policy.text(policy.data_type(one)["name"], language)
                    for one in policy.purpose_row(purpose.id)["data_types"]
                ],
                "recipients": [_recipient(policy.recipient(one)) for one in purpose.recipients],
                "kept": _kept(purpose, policy, language),
            }
            for purpose in purposes
        ],
        "is_as_then": event.entry.body.get("policy_hash") in (policy.hash, None),
        "stop_address": policy.brand_of(purposes[0]).stop_address,
    }


def _what(event: Event, say: Callable[[str], str]) -> str:
    kind = event.kind
    if kind == TOLD:
        about = event.entry.body.get("about")
        kind = "told-asked" if event.entry.body.get("follows") == "asked_again" else f"told-{about}"
    return say(_EVENTS[kind]) if kind in _EVENTS else kind


def _basis_then(event: Event, purpose: Purpose) -> str:
    """As the entry says it: where a purpose rests on sales, a person's own yes is a consent all the same."""
    then = event.entry.body.get("purposes", {}).get(purpose.id, {})
    return str(then.get("basis", purpose.legal_basis))


def _how(event: Event, texts: Texts, language: str) -> str:
    say = texts.translator(language)
    source = str(event.entry.body.get("source", ""))
    if source.startswith("form:"):
        return say(_SOURCES["form"])
    if source.startswith("offline:"):
        return say("You asked our staff, and confirmed it from an e-mail")
    return say(_SOURCES[source]) if source in _SOURCES else source


def _recipient(row: Mapping[str, Any]) -> str:
    """A name, the country, and what protects the data there if the policy needs something to."""
    return ", ".join(str(one) for one in (row["name"], row["country"], row["transfer_tool"]) if one)


def why(found: Explanation, policy: Policy, texts: Texts, language: str) -> dict[str, Any]:
    """Why somebody got a letter."""
    say = texts.translator(language)
    return {
        "purpose": policy.text(found.purpose.name, language),
        "topic": policy.text(found.topic.name, language) if found.topic else None,
        "description": policy.text((found.topic or found.purpose).description, language),
        "rests_on_consent": found.purpose.takes_consent,
        "is_by_sale": found.is_by_sale,
        "basis": say(_BASES[found.purpose.legal_basis]) if found.purpose.legal_basis in _BASES else None,
        "checked_at": found.checked_at // 1000,
        "given_at": found.given_at // 1000 if found.given_at is not None else None,
        "how": found.how,
        "still": found.still_allowed,
        "notice": found.notice,
    }


def _status(
    page: PreferencePage, did: str | None, policy: Policy, texts: Texts, language: str
) -> dict[str, Any] | None:
    if page.done:
        what, about = page.done.did, page.done.about
    elif did in _SAID_BY_ADDRESS:
        what, about = str(did), ""
    else:
        return None
    say = texts.translator(language)
    sentence = say(_MESSAGES[what])
    return {
        "text": sentence % {"what": _about_name(about, policy, language)} if "%(what)s" in sentence else sentence,
        "can_undo": page.can_undo and what not in ("undone", "too_late"),
        "kind": "stop" if what in ("too_late", "same") else "done",
    }


def _choice(choice: Choice, policy: Policy, language: str) -> dict[str, Any]:
    purpose, preference = choice.purpose, choice.preference
    words = _same_for_everyone(policy, purpose.id, language)
    return {
        "id": words["id"],
        "name": words["name"],
        "description": words["description"],
        "rows": [_row(row, policy, language) for row in choice.rows],
        "is_on": any(row.is_on for row in choice.rows),
        "paused_until": preference.paused_until,
        "facts": words["facts"],
        "pace": _pace(policy, purpose.id, language, preference.at_most_every, preference.paused_until is not None),
    }


@lru_cache(maxsize=1_000)
def _pace(policy: Policy, purpose_id: str, language: str, every: Period | None, is_paused: bool) -> Part:
    """How often letters of a purpose may come, as everybody sees it who wants as many."""
    use = _same_for_everyone(policy, purpose_id, language)
    context = {"use": use, "every": str(every) if every else "", "is_paused": is_paused}
    return Part("partials/choice_pace.html", context)


@lru_cache(maxsize=1_000)
def _same_for_everyone(policy: Policy, purpose_id: str, language: str) -> Mapping[str, Any]:
    """What there is to say about a purpose, whoever looks at it."""
    purpose = policy.purpose(purpose_id)
    use = {
        "id": purpose.id,
        "name": policy.text(purpose.name, language),
        "description": policy.text(purpose.description, language),
        "interest": policy.text(purpose.interest, language) if purpose.interest else "",
        "objection_text": policy.text(purpose.objection_text, language) if purpose.objection_text else "",
        "rests_on_a_sale": purpose.rests_on_a_sale,
        "withdrawal_text": _filled(purpose, purpose.withdrawal_text, policy, language),
        "pauses": [period_in_words(period) for period in purpose.pauses],
        "fewer": [period_in_words(period) for period in purpose.fewer],
        "recipients": [str(policy.recipient(one)["name"]) for one in purpose.recipients],
        "kept": _kept(purpose, policy, language),
    }
    return {
        **use,
        "facts": Part("partials/choice_facts.html", {"use": use}),
    }


def _row(row: Row, policy: Policy, language: str) -> dict[str, Any]:
    about = row.topic or row.purpose
    return {
        "purpose": row.purpose.id,
        "topic": row.topic.id if row.topic else "",
        "name": policy.text(about.name, language),
        "description": policy.text(about.description, language),
        "frequency": policy.sentence(row.topic.frequency, language) if row.topic else "",
        "is_on": row.is_on,
        "since": _seconds(row.decided) if row.is_on else None,
        "until": row.decided.valid_until if row.is_on and row.decided else None,
        "stopped": _seconds(row.decided) if _is_no(row.decided) else None,
        "ended": row.ended_at,
        "asked_until": row.asked_until,
        "event": row.decided.seq if row.decided else None,
        "is_by_sale": row.is_on and row.decided is not None and row.decided.state is DecisionState.SOFT_OPT_IN,
        "by_letter": row.purpose.double_opt_in,
        "wording": list(row.wording.paragraphs) if row.wording else [],
        "wording_language": row.wording.language if row.wording else "",
        "shown": row.wording.hash if row.wording else "",
    }


def _interest(row: Row, policy: Policy, language: str) -> dict[str, Any]:
    if row.is_on and row.decided is None:
        return {"untouched": _untouched_interest(policy, row.purpose.id, language)}
    return {
        **_same_for_everyone(policy, row.purpose.id, language),
        "untouched": None,
        "is_on": row.is_on,
        "stopped": _seconds(row.decided) if not row.is_on else None,
        "event": row.decided.seq if row.decided else None,
    }


@lru_cache(maxsize=1_000)
def _untouched_interest(policy: Policy, purpose_id: str, language: str) -> Part:
    use = _same_for_everyone(policy, purpose_id, language)
    return Part("partials/interest_untouched.html", {"one": {**use, "is_on": True, "stopped": None, "event": None}})


def _about(page: PreferencePage, policy: Policy, language: str) -> dict[str, Any] | None:
    profile = page.profile
    if profile is None:
        return None
    interests = policy.interests_of(page.contact.controller)
    return {
        "email": profile.address.mailable,
        "name": profile.name,
        "company": profile.company,
        "interests": [policy.text(interests[one], language) for one in profile.interests if one in interests],
        "language": language,
    }


def _kept(purpose: Purpose, policy: Policy, language: str) -> dict[str, Any]:
    """The rule by which data are kept: its name, its periods, and the event that they count from (`clock`)."""
    rule = policy.retention_rule(purpose.rule_in(policy.country_of(purpose.controller)))
    periods = {key: _period(rule[key]) for key in ("period", "never_sent")}
    clock = "hold" if rule["hold"] else rule["clock"]
    return {"name": policy.text(rule["name"], language), "clock": clock, **periods}


def _period(raw: Mapping[str, int] | None) -> dict[str, Any] | None:
    return period_in_words(Period(raw["months"], raw["days"])) if raw else None


def _filled(purpose: Purpose, text: Mapping[str, str] | None, policy: Policy, language: str) -> str:
    words = {"brand": policy.brand_of(purpose).name, "controller": policy.controller(purpose.controller)["name"]}
    return policy.text(text, language).format_map(words) if text else ""


def _name_of(name: str, topics: Sequence[str], policy: Policy, texts: Texts, language: str) -> str:
    """A purpose, with the topics that an event was about."""
    if name == "*":
        say = texts.translator(language)
        return ", ".join(say(_OBJECTIONS[Against(topic)]) for topic in topics)
    purpose = policy.purpose(name)
    words = [policy.text(purpose.topic(topic).name, language) for topic in topics]
    return ", ".join(words) if words else policy.text(purpose.name, language)


def _about_name(about: str, policy: Policy, language: str) -> str:
    """What a press was about: a topic or a purpose, as `purpose` or `purpose/topic`."""
    purpose_id, _, topic_id = about.partition("/")
    purpose = policy.purpose(purpose_id)
    return policy.text((purpose.topic(topic_id) if topic_id else purpose).name, language)


def _seconds(decided: Decided | None) -> int | None:
    return decided.at // 1000 if decided else None


def _is_no(decided: Decided | None) -> bool:
    return decided is not None and decided.state in (
        DecisionState.WITHDRAWN,
        DecisionState.OBJECTED,
        DecisionState.REFUSED,
    )
