"""Fetching the package of a rights request: a link of its own, which leads to the file for a minute."""

from consent_center.domain.capability import PackageLink, open_package, seal_package
from consent_center.domain.case import Case, LogLine
from consent_center.domain.errors import InvalidTokenError, NothingHeldError, TooManyRequestsError
from consent_center.ports.basics import Clock, Limits, Pause, Secrets
from consent_center.ports.cases import Cases, Exports
from consent_center.ports.people import Subjects
from consent_center.usecases.askers import is_former_holders
from consent_center.usecases.attempts import ATTEMPTS, decided_afresh

DOWNLOADED = "downloaded"
"""What the log of a case calls it."""

LINK_SECONDS = 60
"""How long the address of the file itself works: it is opened at once."""

TOKEN_SECONDS = 3600
"""How long a link to a package works; the status page makes a new one each time it is shown."""

MOST_PER_HOUR = 20
"""Fetches of one package that are answered in an hour, so that its log stays short."""


def package_token(case: Case, name: str, *, secrets: Secrets, clock: Clock) -> str:
    """A token that fetches a package of a case for an hour. It belongs on the status page, not into a letter."""
    return seal_package(PackageLink(case.contact, case.id, name, clock() // 1000 + TOKEN_SECONDS), secrets.links())


def fetch(
    token: str,
    *,
    subjects: Subjects,
    cases: Cases,
    exports: Exports,
    limits: Limits,
    secrets: Secrets,
    clock: Clock,
    pause: Pause,
) -> str:
    """The address of the file behind a link, once the log of the case says that it was fetched. The case stays as is.

    InvalidTokenError, ExpiredTokenError; NothingHeldError for a file that is gone; TooManyRequestsError;
    UnavailableError.
    """
    now = clock()
    link = open_package(token, secrets.links(), now=now // 1000)
    if not limits.take(f"download#{link.case}", MOST_PER_HOUR, now // 1000):
        raise TooManyRequestsError
    case = _case(link, cases)
    if is_former_holders(case, subjects):
        # The mailbox has another holder since: what was made for the one before is not theirs.
        raise NothingHeldError
    address = exports.link(link.case, link.name, LINK_SECONDS, now // 1000)
    if address is None:
        raise NothingHeldError

    def attempt() -> str:
        cases.commit(_case(link, cases), [LogLine(clock(), DOWNLOADED, "person", {"name": link.name})])
        return address

    return decided_afresh(attempt, attempts=ATTEMPTS, pause=pause)


def _case(link: PackageLink, cases: Cases) -> Case:
    """The case of a link, if it is about the same contact point: a link of one person opens nothing of another."""
    file = cases.load(link.case)
    if file is None or file.case.contact != link.contact:
        raise InvalidTokenError
    return file.case
