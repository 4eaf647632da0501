"""A receipt says what the ledger and the policy say, and nothing about whom."""

import copy
import json
from typing import Any

import pytest

import shipped_policy
from builders import NOON, PEOPLE, a_contact
from consent_center.adapters.policy_files import load_policy
from consent_center.domain.chain import canonical
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import UnknownNameError
from consent_center.domain.policy import Policy
from consent_center.domain.receipt import receipt, signed, signing_input
from consent_center.domain.subject import Act, Decision, Randomness, Subject, decide

BASE_URL = "https://consent.example.com"


@pytest.fixture(scope="module")
def policy() -> Policy:
    shipped_policy.compiled()
    return load_policy()


def a_consent(policy: Policy, purpose: str = "direct-marketing-email", kind: str = "given") -> Decision:
    known = policy.purpose(purpose)
    scopes = known.all_scopes()[:1] if kind == "given" else []
    facts = {"source": "form", "policy_hash": policy.hash, "wording_hash": "a" * 64, "notice_hash": "b" * 64}
    return decide(
        Subject(a_contact()),
        [(scope, DecisionState.GIVEN) for scope in scopes],
        Act(kind, True, facts, {"address": PEOPLE[0], "wording": ["Yes."]}, "en"),
        now=NOON,
        chance=Randomness("chain-1", "c" * 64, "d" * 64),
    )


def of(decision: Decision, policy: Policy, **other: Any) -> dict[str, Any]:
    given = {"language": "en", "base_url": BASE_URL, **other}
    return receipt(policy, decision.entry, decision.payload, **given)


def test_the_address_stands_nowhere_in_it(policy: Policy) -> None:
    assert PEOPLE[0] not in json.dumps(of(a_consent(policy), policy))


def test_the_same_event_has_the_same_receipt_and_each_event_its_own_ids(policy: Policy) -> None:
    first, again = of(a_consent(policy), policy), of(a_consent(policy), policy)
    ids = {first["dpv:hasIdentifier"], first["cc:receipt"]}

    assert canonical(first) == canonical(again)
    assert len(ids) == 2


def test_a_later_policy_is_named_beside_the_one_of_then_and_changes_no_id(policy: Policy) -> None:
    raw = {**copy.deepcopy(dict(policy.raw)), "hash": "d" * 64}
    then, now = of(a_consent(policy), policy), of(a_consent(policy), Policy(raw))

    assert now["cc:evidence"] == {**then["cc:evidence"], "cc:policyNow": "d" * 64}
    assert now["cc:receipt"] == then["cc:receipt"]


def test_once_the_payload_is_gone_the_words_go_and_their_hash_stays(policy: Policy) -> None:
    decision = a_consent(policy)
    evidence = receipt(policy, decision.entry, None, language="en", base_url=BASE_URL)["cc:evidence"]

    assert evidence["cc:wording"] == []
    assert evidence["cc:wordingHash"] == "a" * 64


def test_a_consent_with_an_end_says_for_how_long_it_counts(policy: Policy) -> None:
    raw = copy.deepcopy(dict(policy.raw))
    for row in raw["purposes"]:
        row["valid_for"] = {"months": 24, "days": 0}
    endless, ending = of(a_consent(policy), policy), of(a_consent(policy), Policy(raw))

    assert ending["dpv:hasProcess"][0]["cc:event"][0]["dct:valid"] == {
        "@type": ["dpv:TemporalDuration"],
        "rdf:value": "P24M",
    }
    assert endless["dpv:hasProcess"][0]["cc:event"][0]["dct:valid"]["@type"] == ["dpv:UntilEventDuration"]


@pytest.mark.parametrize(("language", "name"), [("en", "News by e-mail"), ("da", "Nyheder på e-mail")])
def test_its_texts_are_in_the_language_asked_for(policy: Policy, language: str, name: str) -> None:
    found = of(a_consent(policy), policy, language=language)

    assert found["dct:language"] == language
    assert found["dpv:hasProcess"][0]["dpv:hasPurpose"][0]["skos:prefLabel"] == name


def test_every_recipient_controller_and_authority_that_is_named_is_a_party(policy: Policy) -> None:
    for purpose in policy.purposes:
        found = of(a_consent(policy, purpose), policy)
        (process,) = found["dpv:hasProcess"]
        named = {*process["dpv:hasRecipient"], *process["dpv:hasDataController"], process["dpv:hasAuthority"]}
        assert named == set(found["dpv:hasEntity"])


def test_an_event_about_no_purpose_has_no_receipt(policy: Policy) -> None:
    with pytest.raises(UnknownNameError):
        of(a_consent(policy, kind="moved"), policy)


def test_the_file_is_canonical_json_and_ends_in_a_line(policy: Policy) -> None:
    document = of(a_consent(policy), policy)
    signing = signing_input(document, "arn:aws:kms:eu-north-1:000000000000:key/the-key")
    file = signed(document, signing, b"signature")

    assert file == canonical(json.loads(file)) + b"\n"
    assert json.loads(file)["jws"].startswith(signing.decode() + ".")
    assert b"arn:aws" not in file
