"""Who is responsible and in whose name people are written to: controllers, brands and their sign-up forms."""

import re
from collections.abc import Iterator
from typing import Any

from policy_compiler import calendars, logos, shape
from policy_compiler.policy import Policy
from policy_compiler.problems import Problem
from policy_compiler.rules.rule import Finding, policy_rule
from policy_compiler.source import child


@policy_rule()
def authorities_cover_jurisdictions(policy: Policy) -> Iterator[Finding | Problem]:
    """Every jurisdiction has an authority to complain to (GDPR Art. 13(2)(d))."""
    for index, country in enumerate(policy.data["jurisdictions"]):
        if country not in policy.data["authorities"]:
            where = child("/jurisdictions", index)
            yield where, f"{country} has no authority.", f"Add “{country}” under authorities, or remove it here."


@policy_rule()
def clocks_are_known(policy: Policy) -> Iterator[Finding | Problem]:
    """Every controller has a clock, by which its days end."""
    for pointer, _, controller in policy.rows("controllers"):
        try:
            calendars.zone(calendars.time_zone(controller))
        except KeyError:
            what = f"No time zone is known for {controller.get('time_zone') or controller['country']}."
            yield f"{pointer}/time_zone", what, "Write “time_zone” with a name such as Europe/Copenhagen."


@policy_rule()
def controllers_have_brands(policy: Policy) -> Iterator[Finding | Problem]:
    """Whoever is responsible for a purpose has a brand, in whose name letters about it are sent."""
    for pointer, _, purpose in policy.rows("purposes"):
        if _brand_of(purpose, policy) is None:
            what = f"“{purpose['controller']}” has no brand to speak in."
            yield f"{pointer}/controller", what, "Add a brand with this controller."
    for pointer, key, _ in policy.rows("controllers"):
        if not any(row["controller"] == key for _, _, row in policy.rows("purposes")):
            yield pointer, f"“{key}” is responsible for no purpose.", "Add a purpose, or remove the controller."


@policy_rule()
def brands_belong(policy: Policy) -> Iterator[Finding | Problem]:
    """A purpose and its brand belong to the same controller."""
    for pointer, _, purpose in policy.rows("purposes"):
        brand = policy.data["brands"].get(purpose.get("brand"))
        if brand and brand["controller"] != purpose["controller"]:
            what = f"The brand belongs to “{brand['controller']}”, the purpose to “{purpose['controller']}”."
            yield f"{pointer}/brand", what, "Name a brand of the same controller."


@policy_rule()
def senders_are_apart(policy: Policy) -> Iterator[Finding | Problem]:
    """Brands of different controllers send from different addresses: a bounce may say nothing else of whose it is."""
    seen: dict[str, str] = {}
    for pointer, _, brand in policy.rows("brands"):
        address = brand["sender"]["address"].lower()
        first = seen.setdefault(address, brand["controller"])
        if first != brand["controller"]:
            yield f"{pointer}/sender/address", f"A brand of “{first}” sends from it too.", "Use another address."


@policy_rule()
def addresses_can_be_written_to(policy: Policy) -> Iterator[Finding | Problem]:
    """Every e-mail address has the form of one, in plain letters."""
    for pointer, address in shape.each("email", policy.data):
        if isinstance(address, str) and not _ADDRESS.fullmatch(address):
            yield pointer, "This is not an e-mail address.", "Write an address such as privacy@example.com."


# The part of RFC 5321 that every mail system takes: no quotes, no comments, no dot at an end or twice in a row.
_ADDRESS = re.compile(
    r"(?=.{6,254}$)(?=.{1,64}@)[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
)


@policy_rule()
def logos_only_draw(policy: Policy) -> Iterator[Finding | Problem]:
    """A logo is there, is small, can be seen where it stands, and neither runs nor loads anything."""
    for pointer, _, brand in policy.rows("brands"):
        if "dark_logo" in brand and "logo" not in brand:
            yield f"{pointer}/dark_logo", "It takes the place of a logo that is missing.", "Add “logo”."
        for key, ground in (("logo", logos.LIGHT), ("dark_logo", logos.DARK)):
            if key in brand and brand[key] not in policy.logos:
                yield f"{pointer}/{key}", f"{brand[key]} does not exist.", "Put the file there, or name another."
            elif key in brand:
                for what, mend in logos.faults(brand[key], policy.logos[brand[key]], ground):
                    yield f"{pointer}/{key}", what, mend


@policy_rule(warns=True)
def colours_can_be_read(policy: Policy) -> Iterator[Finding | Problem]:
    """Text in the colour of a brand can be read on white; pages darken what cannot (WCAG 2.2, 1.4.3)."""
    for pointer, _, brand in policy.rows("brands"):
        found = logos.contrast(brand["colour"], logos.LIGHT)
        if found < logos.TEXT_CONTRAST:
            what = f"On white its contrast is {found:.1f} : 1, so pages show a darker one."
            yield (
                f"{pointer}/colour",
                what,
                f"Choose one with at least {logos.TEXT_CONTRAST} : 1 to decide it yourself.",
            )


@policy_rule()
def form_asks_for_consent(policy: Policy) -> Iterator[Finding | Problem]:
    """Each form serves a purpose in use that rests on consent, and asks for the address it needs."""
    for pointer, _, form in forms(policy):
        purpose = policy.data["purposes"].get(form["purpose"])
        if purpose and (purpose["legal_basis"] != "consent" or purpose.get("retired")):
            mend = "Name a consent purpose not retired."
            yield f"{pointer}/purpose", "The form must ask for a consent that is in use.", mend
        if not form["fields"]["email"]["required"]:
            yield (
                f"{pointer}/fields/email/required",
                "Nobody can confirm without an address.",
                "Write “required: true”.",
            )


@policy_rule()
def forms_speak_for_their_brands(policy: Policy) -> Iterator[Finding | Problem]:
    """A form under the id of a brand serves a purpose of that brand, and each brand has one form."""
    default = _brand_of(policy.data["purposes"][policy.data["form"]["purpose"]], policy)
    for pointer, brand, form in policy.rows("forms"):
        purpose = policy.data["purposes"].get(form["purpose"])
        if brand == default:
            yield pointer, f"“{brand}” has its form under form.", "Remove one of the two."
        elif purpose and _brand_of(purpose, policy) != brand:
            what = f"“{form['purpose']}” speaks for “{_brand_of(purpose, policy)}”."
            yield f"{pointer}/purpose", what, f"Name a purpose with “brand: {brand}”."


@policy_rule(warns=True)
def form_data_is_used(policy: Policy) -> Iterator[Finding | Problem]:
    """What a form asks for is used by the purpose of the form."""
    for pointer, _, form in forms(policy):
        uses = policy.data["purposes"].get(form["purpose"], {}).get("data_types", [])
        for key, row in form["fields"].items():
            if row["data_type"] not in uses:
                what = f"The form asks for “{row['data_type']}”, which “{form['purpose']}” does not use."
                yield f"{pointer}/fields/{key}/data_type", what, "Add it to the purpose, or remove the field."


def forms(policy: Policy) -> Iterator[tuple[str, str | None, dict[str, Any]]]:
    """Pointer, brand and form of each sign-up form; that of the default brand is under no brand's name."""
    yield "/form", None, policy.data["form"]
    yield from policy.rows("forms")


def _brand_of(purpose: dict[str, Any], policy: Policy) -> Any:
    """The brand that a purpose speaks for; without one that is its controller's first."""
    own = (key for _, key, brand in policy.rows("brands") if brand["controller"] == purpose["controller"])
    return purpose.get("brand") or next(own, None)
