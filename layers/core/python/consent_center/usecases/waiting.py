"""Typing the code from the letter in place of opening its link: it leads to the very page that the link opens."""

from consent_center.domain.capability import RequestLink, WaitingLink, open_waiting, seal_request
from consent_center.domain.contact import source_name
from consent_center.domain.errors import (
    ExpiredTokenError,
    InvalidFormError,
    RequestGoneError,
    TooManyRequestsError,
    TooManyTriesError,
)
from consent_center.domain.passcode import MOST_TRIES, fits, read_passcode
from consent_center.ports.basics import Clock, Limits, Secrets
from consent_center.ports.letters import Claims


def look_at_waiting(token: str, *, secrets: Secrets, clock: Clock) -> WaitingLink:
    """What the page waits for. Reads nothing stored. InvalidTokenError, or RequestGoneError once the time is over."""
    try:
        return open_waiting(token, secrets.links(), now=clock() // 1000)
    except ExpiredTokenError:
        raise RequestGoneError("expired") from None


def enter_code(
    token: str,
    typed: str,
    *,
    network: str | None,
    most_per_source: int,
    limits: Limits,
    claims: Claims,
    secrets: Secrets,
    clock: Clock,
) -> str:
    """The confirm token of the request whose letter holds this code. Nothing is decided, and only the try is stored.

    A try is counted before anything is compared, for requests that never were too, so that neither a guess nor a lost
    race is free. A code fits only if its letter went out: where none did, there is nobody who could have read it.

    InvalidTokenError; RequestGoneError once the time is over; InvalidFormError with the rule that `code` breaks:
    `required`, `digits`, `wrong`; TooManyTriesError after MOST_TRIES, for the right code too; TooManyRequestsError if
    more than `most_per_source` were typed this hour from `network` (already shortened); UnavailableError.
    """
    link = look_at_waiting(token, secrets=secrets, clock=clock)
    code = read_passcode(typed)
    if code is None:
        # What cannot fit tells nothing to anyone, and a slip of the finger should not use up a try.
        raise InvalidFormError({"code": "digits" if typed.strip() else "required"})
    source = source_name(network or "unknown", link.contact.controller, secrets.peppers())
    if not limits.take(f"code#{source}", most_per_source, clock() // 1000):
        raise TooManyRequestsError
    if not limits.take_until(f"code#{link.request}", MOST_TRIES, link.ends_at):
        raise TooManyTriesError
    keys = secrets.links()
    if not fits(code, link, keys) or not claims.was_taken(link.request):
        raise InvalidFormError({"code": "wrong"})
    return seal_request(RequestLink(link.contact, link.request, link.ends_at), keys)
