"""A user pool of Amazon Cognito, in which people are found by their e-mail address."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from consent_center.adapters.connectors.kind import DONE, NOTHING, Kind, failed, spellings
from consent_center.adapters.wire import CallFailedError, Wire
from consent_center.domain.recipient import Answer, Ask, TaskState, Verb

_GONE = "UserNotFoundException"


class UserPool(Kind):
    possible = frozenset({Verb.COLLECT, Verb.CORRECT, Verb.RESTRICT, Verb.LIFT, Verb.ERASE})
    """A pool sends nothing that could be stopped."""

    def __init__(self, verbs: Iterable[Verb], *, wire: Wire, user_pool: str) -> None:
        super().__init__(verbs)
        self._wire, self._pool = wire, user_pool

    @property
    def _ways(self) -> Mapping[Verb, Callable[[Ask], Answer]]:
        return {
            Verb.COLLECT: self._collect,
            Verb.CORRECT: self._correct,
            Verb.RESTRICT: lambda ask: self._for_each(ask, "AdminDisableUser"),
            Verb.LIFT: lambda ask: self._for_each(ask, "AdminEnableUser"),
            Verb.ERASE: lambda ask: self._for_each(ask, "AdminDeleteUser"),
        }

    def _names(self, address: str) -> list[str]:
        """The user names of everybody with this address: a pool may allow several."""
        names: dict[str, None] = {}
        for spelling in spellings(address):
            quoted = spelling.replace("\\", "\\\\").replace('"', '\\"')
            asked: dict[str, Any] = {"UserPoolId": self._pool, "Filter": f'email = "{quoted}"'}
            while True:
                page = self._wire.call("ListUsers", asked)
                # What a filter finds is looked at again: deleting somebody else could not be taken back.
                names |= {
                    user["Username"]: None
                    for user in page.get("Users", ())
                    if _attribute(user.get("Attributes", ()), "email").lower() == address.lower()
                }
                if not page.get("PaginationToken"):
                    break
                asked = {**asked, "PaginationToken": page["PaginationToken"]}
        return list(names)

    def _for_each(self, ask: Ask, operation: str, **arguments: Any) -> Answer:
        names = self._names(ask.address)
        for name in names:
            try:
                self._wire.call(operation, {"UserPoolId": self._pool, "Username": name, **arguments})
            except CallFailedError as error:
                if error.code != _GONE:
                    raise
        return DONE if names else NOTHING

    def _correct(self, ask: Ask) -> Answer:
        new_address = ask.corrections.get("address")
        if new_address is None:
            return failed("not_offered", was_sent=False)
        # Nobody has confirmed the new mailbox to us: whether it has to be is for the pool to say.
        attributes = [{"Name": "email", "Value": new_address}]
        changed = self._for_each(ask, "AdminUpdateUserAttributes", UserAttributes=attributes)
        return DONE if changed is NOTHING and self._names(new_address) else changed

    def _collect(self, ask: Ask) -> Answer:
        users = []
        for name in self._names(ask.address):
            try:
                user = self._wire.call("AdminGetUser", {"UserPoolId": self._pool, "Username": name})
            except CallFailedError as error:
                if error.code != _GONE:
                    raise
                continue
            held = {one["Name"]: one.get("Value", "") for one in user.get("UserAttributes", ())}
            about = ("Username", "UserCreateDate", "UserLastModifiedDate", "Enabled", "UserStatus")
            users.append({**{name: user[name] for name in about if name in user}, "attributes": held})
        if not users:
            return NOTHING
        return Answer(TaskState.DONE, "", {"users.json": json.dumps(users, ensure_ascii=False, indent=1)})


def _attribute(attributes: Iterable[Mapping[str, Any]], name: str) -> str:
    return next((str(one.get("Value", "")) for one in attributes if one.get("Name") == name), "")
