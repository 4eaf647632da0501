"""What a policy may say of a recipient's connector: by kind, what it needs, what else it knows, and what it can do."""

from typing import Any, NamedTuple

VERBS = ("collect", "correct", "restrict", "lift", "stop", "erase")


class Kind(NamedTuple):
    needs: tuple[str, ...] = ()
    knows: tuple[str, ...] = ()
    can: tuple[str, ...] = VERBS


KINDS = {
    "manual": Kind(),
    "webhook": Kind(("url", "secret_name"), ("events",)),
    "dynamodb": Kind(("table", "key")),
    "s3": Kind(("bucket", "pattern", "format"), ("prefix", "column"), ("collect", "correct", "erase")),
    "ses": Kind(("contact_list",), can=("collect", "correct", "stop", "erase")),
    "cognito": Kind(("user_pool",), can=("collect", "correct", "restrict", "lift", "erase")),
    "eventbridge": Kind(("bus",), ("secret_name",), ("correct", "restrict", "lift", "stop", "erase")),
}


def verbs_of(connector: dict[str, Any]) -> tuple[str, ...]:
    """What a connector is able to do."""
    can = KINDS[connector["kind"]].can
    # An object of its own is the person's whole file, in which nothing can be put right from here.
    return tuple(verb for verb in can if verb != "correct") if connector.get("format") == "objects" else can


def compiled(connector: dict[str, Any] | None) -> dict[str, Any]:
    """A connector as functions read it: without one, staff do everything by hand; without verbs, it does all."""
    written = connector or {"kind": "manual"}
    return {"verbs": list(verbs_of(written)), **written}
