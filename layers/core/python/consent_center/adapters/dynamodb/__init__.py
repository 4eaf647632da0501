"""Records in DynamoDB, by pynamodb's models over this product's own wire.

pynamodb imports botocore's client, session and signer, to make a client of its own if nobody gives it another way to
call DynamoDB. It is given one (`database.py`), and importing those is a third of a cold start: so it gets empty modules
in their place, which are gone again afterwards. Whoever needs the real ones later can import them.
"""

import importlib
import sys
from types import ModuleType
from typing import Any

import botocore.exceptions

_NEVER_CALLED = ("client", "config", "credentials", "endpoint", "hooks", "model", "session", "signers")


class _Empty(ModuleType):
    """A module in which every name is a class without content, and botocore's exceptions are themselves."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(botocore.exceptions, name, None) or type(name, (), {})


def _import_pynamodb() -> None:
    places = {f"botocore.{name}": name for name in _NEVER_CALLED}
    if "pynamodb.connection" in sys.modules or any(place in sys.modules for place in places):
        return  # Somebody has paid for them already.
    for place, name in places.items():
        sys.modules[place] = _Empty(place)
        setattr(botocore, name, sys.modules[place])
    try:
        importlib.import_module("pynamodb.connection")
    finally:
        for place, name in places.items():
            del sys.modules[place]
            delattr(botocore, name)


_import_pynamodb()
