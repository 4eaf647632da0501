"""Contacts of a recipient's list of letters stay stopped, whatever becomes of their address."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from connected_systems import ADA, EDSGER, GRACE, System, alone, an_ask
from consent_center.adapters.connectors import ses
from consent_center.domain.recipient import TaskState, Verb


@alone("moto ses")
def test_a_stopped_contact_keeps_its_topics_and_gets_no_letters(system: System) -> None:
    client = system.extra["client"]

    system.connector().ask(an_ask(Verb.STOP))

    stopped = client.get_contact(ContactListName="letters", EmailAddress=ADA)
    assert stopped["UnsubscribeAll"] is True
    assert stopped["TopicPreferences"] == [{"TopicName": "news", "SubscriptionStatus": "OPT_IN"}]
    assert client.get_contact(ContactListName="letters", EmailAddress=GRACE)["UnsubscribeAll"] is False


@alone("moto ses")
def test_a_contact_that_stopped_is_still_stopped_under_a_new_address(system: System) -> None:
    connector, client = system.connector(), system.extra["client"]

    connector.ask(an_ask(Verb.STOP))
    connector.ask(an_ask(Verb.CORRECT, corrections={"address": EDSGER}))

    assert client.get_contact(ContactListName="letters", EmailAddress=EDSGER)["UnsubscribeAll"] is True


class FullList:
    """SES refuses a contact that is on the list already; moto puts the new one in its place."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def create_contact(self, **_: Any) -> None:
        raise ClientError({"Error": {"Code": "AlreadyExistsException"}}, "CreateContact")


@alone("moto ses")
@pytest.mark.parametrize("stopped", [ADA, EDSGER])
def test_a_contact_that_stopped_stays_so_where_the_new_address_is_on_the_list_already(
    system: System, stopped: str
) -> None:
    client = system.extra["client"]
    connector = ses.ContactList(list(Verb), client=lambda: FullList(client), contact_list="letters")
    topics = [{"TopicName": "news", "SubscriptionStatus": "OPT_IN"}]
    client.create_contact(ContactListName="letters", EmailAddress=EDSGER, TopicPreferences=topics)
    connector.ask(replace(an_ask(Verb.STOP), address=stopped))

    assert connector.ask(an_ask(Verb.CORRECT, corrections={"address": EDSGER})).state is TaskState.DONE
    found = client.get_contact(ContactListName="letters", EmailAddress=EDSGER)
    assert (found["UnsubscribeAll"], found["TopicPreferences"]) == (True, topics)
    assert not system.holds(ADA)
