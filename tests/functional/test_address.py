"""The pages and letters of a change of address: real events into the real handlers."""

from typing import Any

import pytest

import expiry_worker.app
import statistics_worker.app
from builders import PEOPLE
from consent_center.adapters.dynamodb.stored import state_item, subject_in
from consent_center.domain.subject import Subject
from deployment import CONTEXT, Answer, Deployment

NEW = "new@example.com"


@pytest.fixture
def token(deployment: Deployment) -> str:
    return deployment.subscribed()


def ask(deployment: Deployment, token: str, email: str = NEW) -> Answer:
    return deployment.preferences("post-address", token, form={"email": email})


def link_of(deployment: Deployment, token: str, email: str = NEW) -> str:
    """Ask, and take the link out of the letter to the new address."""
    assert ask(deployment, token, email).status == 200
    assert deployment.deliver() == {"batchItemFailures": []}
    assert deployment.mailer.letters[-1].to == email
    return deployment.link("address")


def reason(deployment: Deployment, email: str) -> str:
    return str(deployment.check(email, topic="events").json["results"][0]["reason"])


def test_a_change_of_address_from_the_page_to_the_letter_at_the_old_one(deployment: Deployment, token: str) -> None:
    assert f'href="/preferences/{token}/address"' in deployment.preferences("get-preferences", token).text
    form = deployment.preferences("get-address", token)
    assert (form.status, PEOPLE[0] in form.text) == (200, True)
    stop = deployment.stop_link("events")

    link = link_of(deployment, token)
    page = deployment.preferences("get-change-of-address", link)
    assert (page.status, NEW in page.text, PEOPLE[0] in page.text) == (200, True, False)
    assert reason(deployment, PEOPLE[0]) == "given"

    done = deployment.preferences("post-change-of-address", link)
    assert (done.status, "Your address is changed" in done.text) == (200, True)
    assert (reason(deployment, NEW), reason(deployment, PEOPLE[0])) == ("given", "no_record")
    deployment.deliver()
    told = deployment.mailer.letters[-1]
    assert (told.to, NEW in told.text + told.html) == (PEOPLE[0], False)
    assert deployment.page("post-one-click-urlencoded", stop).status == 200
    assert reason(deployment, NEW) == "withdrawn"


def test_pressing_again_says_the_same_and_tells_the_old_address_once(deployment: Deployment, token: str) -> None:
    link = link_of(deployment, token)
    for _ in range(2):
        assert "Your address is changed" in deployment.preferences("post-change-of-address", link).text
        deployment.deliver()

    assert "Your address is changed" in deployment.preferences("get-change-of-address", link).text
    assert [letter.to for letter in deployment.mailer.letters].count(PEOPLE[0]) == 4, (
        "confirmation, receipt, link, notice"
    )
    assert deployment.kinds() == ["given", "moved"]


def test_the_page_answers_alike_whatever_is_known_of_the_new_address(deployment: Deployment, token: str) -> None:
    deployment.confirm(deployment.asked(email=PEOPLE[1]))
    known, unknown = ask(deployment, token, PEOPLE[1]), ask(deployment, token)

    assert known.status == unknown.status == 200
    assert known.text.replace(PEOPLE[1], "…") == unknown.text.replace(NEW, "…")
    deployment.deliver()
    taken = deployment.preferences("post-change-of-address", deployment.link("address"))
    assert taken.status == 200
    assert deployment.mailer.letters[-2].to == PEOPLE[1]


def test_a_new_address_that_somebody_has_is_refused_where_only_they_can_read_it(
    deployment: Deployment, token: str
) -> None:
    deployment.confirm(deployment.asked(email=PEOPLE[1]))
    answer = deployment.preferences("post-change-of-address", link_of(deployment, token, PEOPLE[1]))

    assert (answer.status, "This address is in use" in answer.text) == (409, True)
    assert reason(deployment, PEOPLE[0]) == "given"


@pytest.mark.parametrize(("email", "words"), [("ada@", "like name@example.com"), (PEOPLE[0].upper(), "already")])
def test_an_address_that_cannot_be_moved_to_comes_back_with_the_form(
    deployment: Deployment, token: str, email: str, words: str
) -> None:
    before = list(deployment.outbox.orders)
    answer = ask(deployment, token, email)

    assert (answer.status, words in answer.text) == (422, True)
    assert deployment.outbox.orders == before


def test_a_mailbox_gets_no_more_letters_than_a_sign_up_could_send_it(deployment: Deployment, token: str) -> None:
    for number in range(deployment.services.config.sign_ups_per_address):
        deployment.sign_up(email=NEW, name=str(number))
    before = len(deployment.outbox.orders)

    assert ask(deployment, token).status == 200
    assert len(deployment.outbox.orders) == before


def test_somebody_who_asks_for_many_moves_has_to_wait(deployment: Deployment, token: str) -> None:
    most = deployment.services.config.sign_ups_per_address
    answers = [ask(deployment, token, f"new-{number}@example.com").status for number in range(most + 1)]

    assert answers == [*[200] * most, 429]


def test_a_link_that_is_too_old_used_elsewhere_or_of_somebody_erased_moves_nothing(
    deployment: Deployment, token: str
) -> None:
    late, other = link_of(deployment, token), link_of(deployment, token, "third@example.com")
    assert deployment.preferences("post-change-of-address", other).status == 200
    assert deployment.preferences("post-change-of-address", late).status == 410
    deployment.clock.move(days=8)

    gone = deployment.preferences("get-change-of-address", late)
    assert (gone.status, "The time to confirm is over" in gone.text) == (410, True)
    assert reason(deployment, NEW) == "no_record"


def test_a_link_of_another_kind_moves_nobody(deployment: Deployment, token: str) -> None:
    assert deployment.preferences("post-change-of-address", token).status == 400
    assert deployment.preferences("post-address", link_of(deployment, token), form={"email": NEW}).status == 400


def test_the_old_link_to_the_page_reads_as_expired_and_its_new_one_goes_to_the_new_address(
    deployment: Deployment, token: str
) -> None:
    deployment.preferences("post-change-of-address", link_of(deployment, token))
    deployment.deliver()

    for page in ("get-preferences", "get-address", "get-history"):
        assert deployment.preferences(page, token).status == 410
    assert deployment.press(token, do="stop_everything").status == 410
    assert deployment.preferences("post-lost-link", form={"link": token}).status == 200
    deployment.deliver()
    assert deployment.mailer.letters[-1].to == NEW
    assert deployment.preferences("get-history", deployment.link("preferences")).text.count("address changed") == 1


def test_opening_the_pages_changes_nothing(deployment: Deployment, token: str) -> None:
    link = link_of(deployment, token)
    before = (dict(deployment.subjects.subjects), dict(deployment.limits.used), list(deployment.outbox.orders))
    for name, given in (("address", token), ("change-of-address", link)):
        for method in ("get", "head"):
            assert deployment.preferences(f"{method}-{name}", given).status == 200

    assert (dict(deployment.subjects.subjects), dict(deployment.limits.used), list(deployment.outbox.orders)) == before


def test_a_refused_order_of_the_notice_leaves_the_move_and_is_made_up_by_the_next_press(
    deployment: Deployment, token: str
) -> None:
    link = link_of(deployment, token)
    deployment.outbox.refuses = True
    assert deployment.preferences("post-change-of-address", link).status == 200
    deployment.outbox.refuses = False
    assert deployment.preferences("post-change-of-address", link).status == 200
    deployment.deliver()

    assert deployment.mailer.letters[-1].to == PEOPLE[0]


# ---- What follows from it -----------------------------------------------------------------------------------------


def changes(deployment: Deployment, before: dict[Any, Subject]) -> dict[str, Any]:
    """What the stream of Subjects tells of all states that are not as they were."""
    record = deployment.event("expiry_worker/state-decided")["Records"][0]
    records = []
    for contact, after in deployment.subjects.subjects.items():
        if after != before.get(contact):
            image = state_item(after).to_dynamodb_dict()
            change = {**record["dynamodb"], "Keys": {"pk": image["pk"], "sk": image["sk"]}, "NewImage": image}
            del change["OldImage"]
            if contact in before:
                change["OldImage"] = state_item(before[contact]).to_dynamodb_dict()
            name = "MODIFY" if contact in before else "INSERT"
            records.append({**record, "eventID": contact.pseudonym, "eventName": name, "dynamodb": change})
    return {"Records": records}


def test_a_move_is_told_once_as_a_move_and_is_nobodys_erasure(deployment: Deployment, token: str) -> None:
    deployment.settings["AUDIENCE_CHANGES_QUEUE_URL"] = "https://queue.example.com/changes"
    deployment.services.subject_in = subject_in
    before = dict(deployment.subjects.subjects)
    link = link_of(deployment, token)
    deployment.preferences("post-change-of-address", link)
    event = changes(deployment, before)
    assert len(event["Records"]) == 2
    expiry_worker.app.lambda_handler(event, CONTEXT)  # type: ignore[arg-type]

    (noted,) = deployment.audience_orders.noted
    (told,) = deployment.announcements.told
    moved = next(one for one in deployment.subjects.subjects.values() if one.chain)
    assert (told["chain"], told["moved"], told["erased"], told["changes"]) == (moved.chain, True, False, [])
    assert (told["seq"], told["deliverable"], told["locks"]) == (2, True, [])
    assert noted[:2] == (moved.contact, moved.chain)
    assert deployment.reviews.ordered == [moved.contact]


def test_a_move_counts_as_no_end_and_no_beginning(deployment: Deployment, token: str) -> None:
    before = dict(deployment.subjects.subjects)
    deployment.preferences("post-change-of-address", link_of(deployment, token))
    statistics_worker.app.lambda_handler(changes(deployment, before), CONTEXT)  # type: ignore[arg-type]

    assert deployment.statistics.numbers == {}


def test_what_led_on_from_a_place_is_put_back_when_the_record_there_has_ended(
    deployment: Deployment, token: str
) -> None:
    deployment.services.subject_in = subject_in
    deployment.preferences("post-change-of-address", link_of(deployment, token))
    stub = next(one for one in deployment.subjects.subjects.values() if one.former)
    del deployment.subjects.subjects[stub.contact]
    record = deployment.event("expiry_worker/item-expired")["Records"][0]
    image = state_item(stub).to_dynamodb_dict()
    removed = {**record["dynamodb"], "Keys": {"pk": image["pk"], "sk": image["sk"]}, "OldImage": image}
    expiry_worker.app.lambda_handler({"Records": [{**record, "dynamodb": removed}]}, CONTEXT)  # type: ignore[arg-type]

    (back,) = [one for one in deployment.subjects.subjects.values() if one.former]
    assert (back.former, back.chain, back.version) == (stub.former, None, stub.version + 1)
