"""The person's own copy of one event: a record and receipt after ISO/IEC TS 27560:2023, in the words of DPV.

Its fields are those that the DPV guide to the specification asks for under the GDPR, as JSON-LD;
docs/receipt.schema.json says which have to be there. What the ledger says about the event is copied; what the policy
says about its purposes is added. No address stands in it, because a receipt is made to be shown to others: the chain
names the person, and the ledger's commitment binds the address to it.
"""

import base64
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from consent_center.domain.chain import Entry, Payload, canonical
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.objection import Against
from consent_center.domain.policy import Period, Policy, Purpose

SCHEMA = "urn:consent-center:schema:receipt:1"
"""What every receipt conforms to; receipts of consents conform to the guide's schemas too."""

_GUIDE = [f"https://w3id.org/dpv/schema/dpv-27560#{kind}-eu-gdpr" for kind in ("record", "receipt")]

_NAMESPACES = {
    "cc": "urn:consent-center:terms:",
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "jws": "urn:consent-center:terms:jws",
    "loc": "https://w3id.org/dpv/loc#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
}

_NAMES = (
    "dct:conformsTo",
    "dpv:hasConsentStatus",
    "dpv:hasCountry",
    "dpv:hasJurisdiction",
    "dpv:hasLegalBasis",
    "dpv:hasLocation",
    "dpv:hasNecessity",
    "dpv:hasProcessing",
    "dpv:hasRight",
    "skos:broader",
)
"""Fields whose values are names in these vocabularies and not texts."""

CONTEXT = {
    **_NAMESPACES,
    **{name: {"@id": name, "@type": "@id"} for name in _NAMES},
    "dpv:hasEntity": {"@id": "dpv:hasEntity", "@container": "@index"},
}

_OURS = uuid.UUID("5d1f6f0e-8f5c-5f55-9c1e-2f2b1d3f6a27")
"""The namespace of the names below (RFC 9562, 5.5): the same event always has the same two ids."""

_BASES = {
    "consent": ["dpv:Consent", "eu-gdpr:A6-1-a"],
    # Directive 2002/58/EC is its own rule, and needs no further basis (C-654/23, Inteligo Media).
    "soft_opt_in": ["cc:SoftOptIn", "dpv:LegalBasis"],
    "legitimate_interest": ["dpv:LegitimateInterestOfController", "eu-gdpr:A6-1-f"],
    "legal_claims": ["dpv:LegitimateInterestOfController", "eu-gdpr:A6-1-f"],
    "legal_obligation": ["dpv:LegalObligation", "eu-gdpr:A6-1-c"],
    "contract": ["dpv:ContractPerformance", "eu-gdpr:A6-1-b-contract-performance"],
    "pre_contract": ["dpv:EnterIntoContract", "eu-gdpr:A6-1-b-enter-into-contract"],
}

_RIGHTS = ["eu-gdpr:A15", "eu-gdpr:A16", "eu-gdpr:A17", "eu-gdpr:A18"]

_ORIGINS = {
    "provided": "dpv:ProvidedPersonalData",
    "observed": "dpv:ObservedPersonalData",
    "inferred": "dpv:InferredPersonalData",
}

_ROLES = {
    "processor": "dpv:DataProcessor",
    "joint": "dpv:JointDataControllers",
    "separate": "dpv:ThirdParty",
    "authority": "dpv:Authority",
}

_NO_STATE_OF_CONSENT = (DecisionState.OBJECTED, DecisionState.LIFTED, DecisionState.SOFT_OPT_IN)


def receipt(policy: Policy, entry: Entry, payload: Payload | None, *, language: str, base_url: str) -> dict[str, Any]:
    """The receipt of one event, with all texts in `language`: the same arguments always give the same receipt.

    The wording is left out once the payload is gone; its hash stays. UnknownNameError for an event that is about no
    purpose of this policy.
    """
    about = _about(policy, entry)
    if not about:
        raise UnknownNameError("seq")
    controller = str(entry.body["controller"])
    is_of_consent = any(
        _is_consent(purpose, change) and change["after"] not in set(_NO_STATE_OF_CONSENT)
        for purposes, change in about
        for purpose in purposes
    )
    recipients = sorted({one for purposes, _ in about for purpose in purposes for one in purpose.recipients})
    wording = payload.content.get("wording", ()) if payload else ()
    return {
        "@context": CONTEXT,
        "@type": ["dpv:ConsentReceipt", "dpv:ConsentRecord"] if is_of_consent else ["dpv:DataProcessingRecord"],
        "dct:conformsTo": [
            SCHEMA,
            *(_GUIDE if is_of_consent else []),
        ],
        "dpv:hasIdentifier": _id("record", entry),
        "cc:receipt": _id("receipt", entry),
        "dct:created": entry.at,
        "dct:creator": controller,
        "dct:language": language,
        "dpv:hasDataSubject": {"@type": ["dpv:DataSubject"], "dpv:hasIdentifier": entry.chain},
        "dpv:hasNotice": [_notice(policy, entry, language, base_url)],
        "dpv:hasJurisdiction": [f"loc:{country}" for country in policy.raw["jurisdictions"]],
        "dpv:hasProcess": [
            _process(policy, entry, purpose, change, language, base_url)
            for purposes, change in about
            for purpose in purposes
        ],
        "dpv:hasEntity": {
            controller: _controller(policy, controller),
            **{one: _recipient(policy.recipient(one), policy, language) for one in recipients},
            _authority_key(policy, controller): _authority(policy, controller, language),
        },
        "cc:evidence": {
            "cc:chain": entry.chain,
            "cc:seq": entry.seq,
            "cc:kind": entry.kind,
            "cc:hash": entry.hash,
            "cc:commitment": entry.body.get("commitment"),
            "cc:wording": [str(paragraph) for paragraph in wording],
            "cc:wordingHash": entry.body.get("wording_hash"),
            "cc:policyThen": entry.body.get("policy_hash"),
            "cc:policyNow": policy.hash,
        },
    }


def key_name(key_id: str) -> str:
    """What a key is called to the public (`kid`): the last part of its ARN, without region and account."""
    return key_id.rsplit("/", 1)[-1]


def signing_input(document: Mapping[str, Any], key_id: str) -> bytes:
    """What is signed: header and payload of a JWS by RS256 (RFC 7515, 5.1; RFC 7518, 3.3)."""
    header = {"alg": "RS256", "kid": key_name(key_id), "typ": "JOSE"}
    return f"{_base64url(canonical(header))}.{_base64url(canonical(dict(document)))}".encode()


def signed(document: Mapping[str, Any], signing: bytes, signature: bytes) -> bytes:
    """The receipt as a file, UTF-8: the document, and under `jws` its signature with all that it covers."""
    return canonical({**document, "jws": f"{signing.decode()}.{_base64url(signature)}"}) + b"\n"


# ---- Parts ------------------------------------------------------------------------------------------------------

_Change = Mapping[str, Any]


def _id(kind: str, entry: Entry) -> str:
    return str(uuid.uuid5(_OURS, f"{kind}/{entry.evidence}"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _about(policy: Policy, entry: Entry) -> list[tuple[list[Purpose], _Change]]:
    """What the event was about: for each of its changes the purposes that it touched."""
    changes: Sequence[_Change] = entry.body.get("changes", ())
    about = [(_purposes_of(change, policy, entry), change) for change in changes]
    set_by_key: Mapping[str, Any] = entry.body.get("preferences", {})
    for key, values in sorted(set_by_key.items()):
        code, channel = key.split(".")
        purpose = policy.purpose_by_code(code)
        about.append(([purpose], {"topics": [], "channel": channel, "after": "PreferenceChanged", "values": values}))
    return [(purposes, change) for purposes, change in about if purposes]


def _purposes_of(change: _Change, policy: Policy, entry: Entry) -> list[Purpose]:
    if change["purpose"] != "*":
        return [policy.purpose(change["purpose"])]
    mine = policy.purposes_of(str(entry.body["controller"]))
    return [one for one in mine if any(Against(topic).covers(one) for topic in change["topics"])]


def _notice(policy: Policy, entry: Entry, language: str, base_url: str) -> dict[str, Any]:
    """The edition that was shown, or for an event that showed none the one in force."""
    shown = entry.body.get("notice")
    controller = str(entry.body["controller"])
    editions = policy.notices_of(controller)
    version = str(shown) if shown in editions else policy.notice_of(controller).version
    return {
        "@type": ["dpv:PrivacyNotice", *(["dpv:ConsentNotice"] if shown else [])],
        "dpv:hasIdentifier": version,
        "dpv:hasLocation": f"{base_url}/notice/{version}{policy.brand_for(controller).said(language)}",
        "dct:date": editions[version].published_on,
        "cc:hash": entry.body.get("notice_hash") or policy.notice_hash(version, language, controller),
    }


def _process(
    policy: Policy, entry: Entry, purpose: Purpose, change: _Change, language: str, base_url: str
) -> dict[str, Any]:
    raw = policy.purpose_row(purpose.id)
    objected_to_all = change.get("purpose") == "*"
    topics = [] if objected_to_all else [purpose.topic(one) for one in change["topics"]]
    return {
        "@type": ["dpv:Process"],
        "dpv:hasPurpose": [
            {
                "@type": ["dpv:Purpose"],
                "dpv:hasIdentifier": purpose.id,
                "skos:broader": ["dpv:DirectMarketing" if purpose.marketing else "dpv:Purpose"],
                "skos:prefLabel": policy.text(purpose.name, language),
                "skos:definition": policy.text(purpose.description, language),
                "skos:narrower": [
                    {
                        "dpv:hasIdentifier": topic.id,
                        "skos:prefLabel": policy.text(topic.name, language),
                        "skos:definition": policy.text(topic.description, language),
                        "dpv:hasFrequency": policy.text(topic.frequency, language),
                    }
                    for topic in topics
                ],
            }
        ],
        "dpv:hasLegalBasis": _BASES["consent" if _is_consent(purpose, change) else purpose.legal_basis],
        "dpv:hasApplicableLaw": raw["law"],
        "dpv:hasPersonalData": [_data_type(policy, one, language) for one in raw["data_types"]],
        "dpv:hasProcessing": ["dpv:Collect", "dpv:Store", "dpv:Use", *(["dpv:Profiling"] if purpose.profiling else [])],
        "dpv:hasDataController": [purpose.controller],
        "dpv:hasRecipient": [purpose.controller, *purpose.recipients],
        "dpv:hasStorageCondition": _storage(policy, purpose, language),
        "dpv:hasConsentControl" if _is_consent(purpose, change) else "cc:control": _controls(policy, purpose, base_url),
        "dpv:hasRight": _rights(purpose),
        "dpv:hasAuthority": _authority_key(policy, purpose.controller),
        "cc:channel": change["channel"],
        "cc:event": [_event(entry, purpose, change, base_url)],
    }


def _event(entry: Entry, purpose: Purpose, change: _Change, base_url: str) -> dict[str, Any]:
    """When, by whom, how, and what holds since; the words for a state are DPV's where it has them."""
    after = str(change["after"])
    is_dpv = after in set(DecisionState) and after not in set(_NO_STATE_OF_CONSENT)
    state = f"dpv:{after}" if is_dpv else f"cc:{after}"
    is_consent = is_dpv and (_is_consent(purpose, change) or not purpose.rests_on_a_sale)
    by_person = "recorded_by" not in entry.body
    return {
        "dct:date": entry.at,
        "dpv:isIndicatedAtTime": entry.at,
        "dpv:isIndicatedBy": entry.chain,
        "dpv:isImplementedByEntity": str(entry.body["controller"]),
        "dpv:hasIndicationMethod": str(entry.body.get("collection") or entry.body.get("source") or entry.kind),
        "dpv:isExercisedAt": base_url if by_person else str(entry.body["recorded_by"]),
        "dpv:hasLegalBasis": "dpv:ExpressedConsent" if _is_consent(purpose, change) else _BASES[purpose.legal_basis][0],
        "dpv:hasConsentStatus" if is_consent else "cc:hasStatus": state,
        "cc:state": state,
        "cc:values": change.get("values"),
        "dct:valid": _validity(purpose, after),
    }


def _is_consent(purpose: Purpose, change: _Change) -> bool:
    """Whether an event is about a consent: where a purpose rests on sales, only the person's own yes and its end."""
    states = [DecisionState(change[side]) for side in ("before", "after") if change.get(side) in set(DecisionState)]
    return purpose.rests_on_consent or (purpose.rests_on_a_sale and any(state.is_consent for state in states))


def _validity(purpose: Purpose, after: str) -> dict[str, Any]:
    """For how long the event counts: a period from when it was said, or until the person says otherwise."""
    if purpose.valid_for is not None and after in set(DecisionState) and DecisionState(after).permits:
        return {"@type": ["dpv:TemporalDuration"], "rdf:value": _iso(purpose.valid_for)}
    return {"@type": ["dpv:UntilEventDuration"], "rdf:value": "the person decides otherwise"}


def _data_type(policy: Policy, data_type: str, language: str) -> dict[str, Any]:
    row = policy.data_type(data_type)
    return {
        "@type": ["dpv:PersonalData", _ORIGINS[row["origin"]]],
        "dpv:hasIdentifier": data_type,
        "skos:broader": ["dpv:PersonalData"],
        "skos:prefLabel": policy.text(row["name"], language),
        "dpv:hasNecessity": "dpv:Required" if row["required"] else "dpv:Optional",
    }


def _storage(policy: Policy, purpose: Purpose, language: str) -> list[dict[str, Any]]:
    """Where and how long: in the countries of who processes for us, by the policy's rule."""
    processors = [row for row in map(policy.recipient, purpose.recipients) if row["role"] == "processor"]
    home = policy.controller(purpose.controller)["country"]
    countries: Iterable[str] = sorted({row["country"] for row in processors} or {home})
    rule = policy.retention_rule(purpose.rule_in(policy.country_of(purpose.controller)))
    period = rule["period"]
    never_sent = rule["never_sent"]
    how_long: dict[str, Any] = (
        {"@type": ["dpv:TemporalDuration"], "rdf:value": _iso(Period(period["months"], period["days"]))}
        if period
        else {"@type": ["dpv:UntilEventDuration"], "rdf:value": str(rule["clock"])}
    )
    return [
        {"@type": ["dpv:StorageLocation"], "dpv:hasLocation": [f"loc:{country}" for country in countries]},
        {
            "@type": ["dpv:StorageDuration"],
            "dpv:hasDuration": how_long,
            "cc:countsFrom": str(rule["clock"]),
            "cc:ifNeverSent": _iso(Period(never_sent["months"], never_sent["days"])) if never_sent else None,
            "skos:prefLabel": policy.text(rule["name"], language),
            "dpv:hasApplicableLaw": str(rule["legal_source"]),
        },
    ]


def _controls(policy: Policy, purpose: Purpose, base_url: str) -> list[dict[str, Any]]:
    """How to end it: on the page, or by writing."""
    what = "dpv:WithdrawConsent" if purpose.rests_on_consent else "eu-gdpr:A21"
    brand = policy.brand_of(purpose)
    ways = (f"{base_url}/preferences{brand.said()}", f"mailto:{brand.stop_address}")
    return [{"@type": [what], "dpv:isExercisedAt": way} for way in ways]


def _rights(purpose: Purpose) -> list[str]:
    if purpose.rests_on_consent:
        return ["eu-gdpr:A7-3", *_RIGHTS, "eu-gdpr:A20", "eu-gdpr:A77"]
    can_object = purpose.may_be_objected_to or purpose.rests_on_a_sale
    return [*_RIGHTS, *(["eu-gdpr:A21"] if can_object else []), "eu-gdpr:A77"]


def _controller(policy: Policy, controller: str) -> dict[str, Any]:
    row = policy.controller(controller)
    return {
        "@type": ["dpv:DataController"],
        "dpv:hasIdentifier": controller,
        "dpv:hasName": row["name"],
        "dpv:hasAddress": ", ".join(row["address"]),
        "dpv:hasContact": row["email"],
        "dpv:hasCountry": f"loc:{row['country']}",
        "dpv:hasDataProtectionOfficer": {
            "@type": ["dpv:DataProtectionOfficer"],
            "dpv:hasName": row["dpo"]["name"],
            "dpv:hasContact": row["dpo"]["email"],
        },
    }


def _recipient(row: Mapping[str, Any], policy: Policy, language: str) -> dict[str, Any]:
    """Somebody who gets data too. The policy knows them by name and country, and answers for them."""
    return {
        "@type": ["dpv:Recipient", _ROLES[row["role"]]],
        "dpv:hasIdentifier": row["id"],
        "dpv:hasName": row["name"],
        "dpv:hasAddress": row["country"],
        "dpv:hasContact": "through the controller",
        "dpv:hasCountry": f"loc:{row['country']}",
        "cc:transferTool": row["transfer_tool"],
        "skos:definition": policy.text(row["purpose_of_sharing"], language),
    }


def _authority_key(policy: Policy, controller: str) -> str:
    return f"authority-{policy.controller(controller)['authority']}"


def _authority(policy: Policy, controller: str, language: str) -> dict[str, Any]:
    row = policy.authority(policy.controller(controller)["authority"])
    return {
        "@type": ["dpv:DataProtectionAuthority"],
        "dpv:hasIdentifier": _authority_key(policy, controller),
        "dpv:hasName": policy.text(row["name"], language),
        "dpv:hasAddress": ", ".join(row["address"]),
        "dpv:hasContact": row["url"],
    }


def _iso(period: Period) -> str:
    """A period as ISO 8601 writes it."""
    months = f"{period.months}M" if period.months else ""
    days = f"{period.days}D" if period.days or not period.months else ""
    return f"P{months}{days}"
