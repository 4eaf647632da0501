"""Makes what a person is given: the answer to an access request, or the package that they take along."""

from collections.abc import Callable, Mapping
from typing import Any

from consent_center.domain.case import Case, Right
from consent_center.domain.errors import ForbiddenStepError
from consent_center.domain.policy import Brand, Policy
from consent_center.ports.basics import Addresses, Clock, Secrets
from consent_center.ports.cases import Cases, Exports, Particulars, StoredPackage
from consent_center.ports.evidence import Ledger
from consent_center.ports.letters import FileTexts
from consent_center.ports.people import Subjects
from consent_center.usecases.access import access_files
from consent_center.usecases.packing import Packed, packed
from consent_center.usecases.person_file import person_file
from consent_center.usecases.portability import portability_files


def make(
    case: Case,
    particulars: Mapping[str, Any],
    *,
    base_url: str,
    site: Callable[[Brand, str], Mapping[str, Any]],
    policy: Policy,
    addresses: Addresses,
    subjects: Subjects,
    ledger: Ledger,
    cases: Cases,
    kept: Particulars,
    texts: FileTexts,
    exports: Exports,
    secrets: Secrets,
    clock: Clock,
) -> StoredPackage:
    """Make and keep the package of an access or portability case; that nothing is held is an answer too.

    `particulars` as the case has them: `address`, and `collected` as `{recipient: {file name: content}}`. `site` says
    who answers, for a brand and language. Everything passes by as a stream. Safe to run again: the package of a case
    has one name, and a newer one takes the place of an older one. ForbiddenStepError for another right;
    UnavailableError.
    """
    if case.right not in (Right.ACCESS, Right.PORTABILITY):
        raise ForbiddenStepError(case.right.value, "package")
    now = clock()
    language = policy.spoken(case.language)
    person = person_file(
        case,
        particulars,
        policy=policy,
        addresses=addresses,
        subjects=subjects,
        ledger=ledger,
        cases=cases,
        kept=kept,
        secrets=secrets,
        now=now,
    )
    done: list[Packed] = []
    who = site(policy.brand_for(case.contact.controller), language)
    files = (
        access_files(person, policy=policy, texts=texts, site=who, base_url=base_url, language=language)
        if case.right is Right.ACCESS
        else portability_files(person, policy=policy, texts=texts, site=who, language=language, done=done)
    )
    return exports.write(case.id, package_name(case), packed(files, now, done), now // 1000)


def package_name(case: Case) -> str:
    """What the package of a case is called; it says nothing but the number of the case."""
    return f"{'answer' if case.right is Right.ACCESS else 'portability'}-{case.number.lower()}.zip"
