"""Noting in the ledger when an edition of the notice came into force on a deployment: once for each."""

from collections.abc import Sequence
from typing import Any

from consent_center.domain.chain import GENESIS, Entry, Payload, extend
from consent_center.domain.errors import StaleSubjectError
from consent_center.domain.policy import Notice, Policy
from consent_center.domain.subject import timestamp
from consent_center.ports.basics import Chance, Clock
from consent_center.ports.evidence import Ledger

CHAIN = "notices"
"""The chain of the editions. Chains of people have random names of 26 characters."""

KIND = "notice_published"


def note_editions(*, policy: Policy, ledger: Ledger, chance: Chance, clock: Clock) -> list[str]:
    """Enter the editions that came into force since the last time; the versions that were entered now.

    On a new deployment that is the edition in force and none before it, since nobody was shown those here. Of two that
    run at once one is refused its place in the chain, and enters nothing. UnavailableError.
    """
    known = ledger.entries(CHAIN)
    done = []
    for notice in _new(
        list(policy.notices.values()), policy.newest_notice, {entry.body.get("notice") for entry in known}
    ):
        entry = _entry(notice, known, policy, chance, clock())
        try:
            ledger.append(entry)
        except StaleSubjectError:
            break
        known.append(entry)
        done.append(notice.version)
    return done


def _new(notices: Sequence[Notice], current: Notice, known: set[object]) -> list[Notice]:
    """Up to the edition in force, those after the newest that is known."""
    versions = [notice.version for notice in notices]
    until = versions.index(current.version) + 1
    newest = max((versions.index(version) for version in versions if version in known), default=until - 2)
    return list(notices[newest + 1 : until])


def _hashes(notice: Notice, policy: Policy) -> dict[str, Any]:
    """By language; by controller and language where the policy has several controllers."""
    told = {controller: dict(texts) for controller, texts in notice.hashes.items() if texts}
    return told if len(policy.controllers) > 1 else told.get(policy.controllers[0], {})


def _entry(notice: Notice, known: Sequence[Entry], policy: Policy, chance: Chance, now: int) -> Entry:
    last = known[-1] if known else None
    return extend(
        chain=CHAIN,
        seq=len(known) + 1,
        prev=last.hash if last else GENESIS,
        # As along every chain, times never run backwards, even if a computer's clock does.
        at=max(timestamp(now), last.at if last else ""),
        kind=KIND,
        changes=(),
        facts={
            "source": "clock",
            "notice": notice.version,
            "published_on": notice.published_on,
            "change": notice.change,
            "notice_hashes": _hashes(notice, policy),
            "policy_hash": policy.hash,
        },
        payload=Payload(chance.decision().salt, {}),
    )
