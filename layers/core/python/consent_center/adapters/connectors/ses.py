"""A contact list of Amazon SES.

Its API is not one of the JSON calls that the wire makes, so this is a client of botocore's; only workers come here.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from consent_center.adapters.connectors.kind import DONE, NOTHING, Kind, failed, spellings
from consent_center.adapters.wire import CallFailedError
from consent_center.domain.recipient import Answer, Ask, TaskState, Verb


def ses_client() -> Any:
    """A client with short times and few tries: whoever calls has a queue behind it that tries again."""
    import botocore.session
    from botocore.config import Config

    settings = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 3})
    return botocore.session.get_session().create_client("sesv2", config=settings)


class ContactList(Kind):
    possible = frozenset({Verb.COLLECT, Verb.CORRECT, Verb.STOP, Verb.ERASE})

    def __init__(self, verbs: Iterable[Verb], *, client: Callable[[], Any], contact_list: str) -> None:
        super().__init__(verbs)
        self._client, self._list = client, contact_list

    @property
    def _ways(self) -> Mapping[Verb, Callable[[Ask], Answer]]:
        return {
            Verb.COLLECT: self._collect,
            Verb.CORRECT: self._correct,
            Verb.STOP: self._stop,
            Verb.ERASE: self._erase,
        }

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """An operation on the list; CallFailedError with AWS's code and no word of the rest, which quotes addresses."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer: dict[str, Any] = getattr(self._client(), operation)(ContactListName=self._list, **arguments)
        except ClientError as error:
            raise CallFailedError(str(error.response.get("Error", {}).get("Code", "Unknown"))) from None
        except BotoCoreError as error:
            raise CallFailedError(type(error).__name__) from None
        return answer

    def _held(self, address: str) -> list[dict[str, Any]]:
        """The contacts of an address. SES says the same of a list that is not there, so the list is asked for then."""
        held = []
        for spelling in spellings(address):
            try:
                held.append(self._call("get_contact", EmailAddress=spelling))
            except CallFailedError as error:
                if error.code != "NotFoundException":
                    raise
        if not held:
            self._call("get_contact_list")
        return held

    def _stop(self, ask: Ask) -> Answer:
        return self._unsubscribe(ask.address)

    def _unsubscribe(self, address: str) -> Answer:
        held = self._held(address)
        for contact in held:
            # Whatever is not said in an update is taken away by it.
            kept = {name: contact[name] for name in ("TopicPreferences", "AttributesData") if contact.get(name)}
            self._call("update_contact", EmailAddress=contact["EmailAddress"], UnsubscribeAll=True, **kept)
        return DONE if held else NOTHING

    def _erase(self, ask: Ask) -> Answer:
        held = self._held(ask.address)
        for contact in held:
            self._delete(contact["EmailAddress"])
        return DONE if held else NOTHING

    def _delete(self, address: str) -> None:
        try:
            self._call("delete_contact", EmailAddress=address)
        except CallFailedError as error:
            if error.code != "NotFoundException":
                raise

    def _correct(self, ask: Ask) -> Answer:
        """The new address gets what the old one had, and the old one goes last: a kill leaves both, never none."""
        new_address = ask.corrections.get("address")
        if new_address is None:
            return failed("not_offered", was_sent=False)
        held = [contact for contact in self._held(ask.address) if contact["EmailAddress"] != new_address]
        if not held:
            return DONE if self._held(new_address) else NOTHING
        contact = held[0]
        kept = {name: contact[name] for name in ("TopicPreferences", "AttributesData") if contact.get(name)}
        unsubscribed = any(one.get("UnsubscribeAll") for one in held)
        try:
            self._call("create_contact", EmailAddress=new_address, UnsubscribeAll=unsubscribed, **kept)
        except CallFailedError as error:
            if error.code != "AlreadyExistsException":
                raise
            if unsubscribed:
                self._unsubscribe(new_address)
        for contact in held:
            self._delete(contact["EmailAddress"])
        return DONE

    def _collect(self, ask: Ask) -> Answer:
        held = self._held(ask.address)
        if not held:
            return NOTHING
        said = [{name: value for name, value in contact.items() if name != "ResponseMetadata"} for contact in held]
        text = json.dumps(said, ensure_ascii=False, indent=1, default=str)
        return Answer(TaskState.DONE, "", {f"{self._list}.json": text})
