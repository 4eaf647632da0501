"""Letters that the law wants sent: written once, entered after they were taken, and disturbing nothing."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

import expiry_worker.app
from builders import PEOPLE, PURPOSE
from consent_center.domain.contact import ContactPoint
from consent_center.domain.decision import DecisionState
from consent_center.domain.errors import LetterRefusedError, UnavailableError
from consent_center.domain.importing import Evidence, ImportedRow
from consent_center.domain.policy import Policy
from consent_center.ports.exchange import Import
from consent_center.ports.letters import Part
from consent_center.usecases.telling import notice_order
from deployment import CONTEXT, Deployment

AT = datetime(2026, 11, 20, tzinfo=UTC)
EDITION = "2027-03-01"


def imported(
    deployment: Deployment,
    *,
    from_person: bool = False,
    name: str = "import-1",
    state: DecisionState = DecisionState.GIVEN,
) -> ContactPoint:
    """Somebody else gave us a decision of the first person."""
    proof = Evidence(AT, confirmed_at=AT) if state is DecisionState.GIVEN else Evidence()
    row = ImportedRow(2, PEOPLE[0], state, ("events",), evidence=proof)
    about = Import(
        PURPOSE, "list-team", deployment.clock(), 1, 1, from_person, "fair of meters", (), "2026-11-01", "en"
    )
    deployment.imports.kept[name] = about
    deployment.imports.parts[name, 1] = [row.written(Evidence())]
    assert deployment.carry_out(json.dumps({"import": name, "part": 1})) == {"batchItemFailures": []}
    (contact,) = deployment.subjects.subjects
    return contact


def take(deployment: Deployment, *bodies: Any) -> Any:
    """Hand messages to the worker that looks at records, as its queue does."""
    record = deployment.event("expiry_worker/reviews")["Records"][0]
    records = [{**record, "messageId": str(number), "body": json.dumps(one)} for number, one in enumerate(bodies)]
    return expiry_worker.app.lambda_handler({"Records": records}, CONTEXT)  # type: ignore[arg-type]


def enter(deployment: Deployment) -> None:
    """Hand over what was noted about letters, and what was put off before."""
    told = [*deployment.tellings.put_back, *deployment.tellings.noted]
    deployment.tellings.put_back.clear()
    deployment.tellings.noted.clear()
    assert take(deployment, *({"contact": contact, "told": telling} for contact, telling in told)) == {
        "batchItemFailures": []
    }


def reason(deployment: Deployment) -> str:
    return str(deployment.check(topic="events").json["results"][0]["reason"])


def test_whose_data_came_from_somebody_else_is_told_before_any_marketing(deployment: Deployment) -> None:
    contact = imported(deployment)
    assert reason(deployment) == "not_informed"

    assert take(deployment, contact, contact) == {"batchItemFailures": []}
    deployment.deliver()
    (letter,) = deployment.mailer.letters
    assert letter.to == PEOPLE[0]
    assert "fair of meters" in letter.text
    assert letter.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (reason(deployment), deployment.kinds()) == ("not_informed", ["given"]), "the entry comes after the letter"

    enter(deployment)
    assert deployment.kinds() == ["given", "told"]
    assert reason(deployment) == "given"
    entry = list(deployment.subjects.entry_of.values())[-1]
    assert (entry.body["about"], entry.body["informs"], entry.body["changes"]) == ("source", 1, [])
    assert not any(person in json.dumps(entry.body) for person in PEOPLE)


def test_what_came_from_the_person_needs_no_letter(deployment: Deployment) -> None:
    contact = imported(deployment, from_person=True)
    take(deployment, contact)

    assert (reason(deployment), deployment.outbox.orders) == ("given", [])


def test_a_letter_that_was_not_taken_is_not_entered(deployment: Deployment) -> None:
    take(deployment, imported(deployment))
    deployment.mailer.fails_with = LetterRefusedError("send letter: MessageRejected")
    deployment.deliver()

    assert deployment.tellings.noted == []
    assert reason(deployment) == "not_informed"


def test_a_letter_that_could_not_be_noted_is_written_again_rather_than_forgotten(deployment: Deployment) -> None:
    take(deployment, imported(deployment))
    deployment.tellings.refuses = True
    assert len(deployment.deliver()["batchItemFailures"]) == 1
    deployment.tellings.refuses = False
    deployment.clock.move(seconds=120)

    assert deployment.deliver() == {"batchItemFailures": []}
    assert len(deployment.tellings.noted) == 1


def test_being_told_twice_is_one_entry(deployment: Deployment) -> None:
    take(deployment, imported(deployment))
    deployment.deliver()
    deployment.tellings.noted *= 2
    enter(deployment)

    assert deployment.kinds() == ["given", "told"]


def test_what_the_person_does_themselves_ends_the_duty_and_can_still_be_undone(deployment: Deployment) -> None:
    contact = imported(deployment)
    take(deployment, contact)
    deployment.deliver()
    token = deployment.manage_token()
    page = deployment.press(token, do="stop_everything")
    assert deployment.subjects.subjects[contact].inform_by == 0
    enter(deployment)
    assert deployment.kinds() == ["given", "withdrawn"], "the note waits until nothing can be undone any more"

    done = re.search(r'name="done" value="([^"]+)"', page.body)
    deployment.press(token, do="undo", done=done[1] if done else "")
    assert deployment.kinds()[-1] == "restored"
    deployment.clock.move(seconds=901)
    enter(deployment)
    assert deployment.kinds()[-1] == "told"
    assert reason(deployment) == "given"


def test_who_should_have_been_told_makes_the_job_fail_until_they_are(deployment: Deployment) -> None:
    contact = imported(deployment)
    take(deployment, contact)
    deployment.clock.move(days=32)
    take(deployment, contact)
    assert deployment.subjects.reviews[contact] == "untold"

    with pytest.raises(UnavailableError, match="told"):
        deployment.job("review")
    assert (reason(deployment), deployment.reviews.ordered) == ("not_informed", [contact])

    deployment.deliver()
    enter(deployment)
    take(deployment, contact)
    assert deployment.job("review")["overdue"] == 0
    assert reason(deployment) == "given"


def new_edition(deployment: Deployment, what: str = "recipient-added") -> Policy:
    policy = deployment.services.policy
    latest = policy.raw["notices"][-1]
    edition = {**latest, "version": EDITION, "change": "material", "changes": [{"what": what, "purpose": PURPOSE}]}
    deployment.services.policy = Policy({**policy.raw, "notices": [*policy.raw["notices"], edition]})
    text = dict(deployment.services.notice_text(latest["version"], "en", "fjordmeter"))
    changed = {"id": "new", "heading": "Who receives it", "blocks": [{"kind": "paragraph", "text": "Mail Tool ApS."}]}
    deployment.services.notice_text = lambda version, _, __: (
        {**text, "sections": [*text["sections"], changed]} if version == EDITION else text
    )
    return deployment.services.policy


def announced(deployment: Deployment) -> ContactPoint:
    (contact,) = deployment.subjects.subjects
    deployment.outbox.orders[:] = [notice_order(contact, EDITION, deployment.clock())]
    deployment.mailer.letters.clear()
    deployment.deliver()
    return contact


def test_who_must_hear_of_an_edition_gets_one_letter_that_says_what_changed(deployment: Deployment) -> None:
    deployment.confirm(deployment.asked("events"))
    new_edition(deployment)
    deployment.clock.move(days=1)
    announced(deployment)
    deployment.outbox.orders *= 2
    deployment.deliver()

    (letter,) = deployment.mailer.letters
    assert "Mail Tool ApS." in letter.text
    assert f"/notice/{EDITION}/changes" in letter.text
    assert letter.text.index("/u/v1.") < letter.text.index("Mail Tool ApS.")
    enter(deployment)
    assert deployment.kinds() == ["given", "told"]
    assert reason(deployment) == "given"


def test_who_agreed_to_other_words_is_told_what_needs_a_new_yes(deployment: Deployment) -> None:
    deployment.confirm(deployment.asked("events"))
    new_edition(deployment, "consent-wording")
    deployment.clock.move(days=1)
    announced(deployment)

    ((_, telling),) = deployment.tellings.noted
    assert telling.follows == "asked_again"
    assert "new yes" in deployment.mailer.letters[0].text


def test_who_withdrew_since_the_order_gets_no_letter(deployment: Deployment) -> None:
    deployment.confirm(deployment.asked("events"))
    new_edition(deployment)
    deployment.page("post-unsubscribe-page", deployment.stop_link("events"))
    deployment.clock.move(days=1)
    announced(deployment)

    assert (deployment.mailer.letters, deployment.tellings.noted) == ([], [])


@pytest.mark.parametrize("request_", ["", "2027-03-01", "2027-03-01/x", "1999-01-01/1"])
def test_an_order_that_names_no_edition_is_set_aside(deployment: Deployment, request_: str) -> None:
    deployment.confirm(deployment.asked("events"))
    (contact,) = deployment.subjects.subjects
    order = notice_order(contact, EDITION, 0)
    deployment.outbox.orders[:] = [type(order)(order.letter, contact, request_)]
    deployment.deliver()

    assert len(deployment.dead_letters.orders) == 1


def test_being_told_moves_no_end(deployment: Deployment) -> None:
    deployment.confirm(deployment.asked("events"))
    deployment.page("post-unsubscribe-page", deployment.stop_link("events"))
    (contact,) = deployment.subjects.subjects
    deployment.clock.move(days=1)
    take(deployment, contact)
    before = {part: end for (_, part), end in deployment.subjects.ends.items()}
    heard = deployment.subjects.subjects[contact].heard_at
    take(
        deployment,
        {"contact": contact, "told": ["notice", EDITION, "told", "en", deployment.clock()]},
        contact,
    )

    after = {part: end for (_, part), end in deployment.subjects.ends.items()}
    assert deployment.kinds()[-1] == "told"
    assert {part: end for part, end in after.items() if part in before} == before
    assert after[Part("payload", "3")] == before[Part("state")]
    assert deployment.subjects.subjects[contact].heard_at == heard


def test_being_told_is_no_contact_that_keeps_the_profile_longer(deployment: Deployment) -> None:
    imported(deployment, from_person=True)
    contact = imported(deployment, from_person=True, name="import-2", state=DecisionState.WITHDRAWN)
    deployment.clock.move(days=1)
    take(deployment, contact)
    before = deployment.subjects.ends[contact, Part("profile")]
    deployment.clock.move(days=10)
    take(deployment, {"contact": contact, "told": ["notice", EDITION, "told", "en", deployment.clock()]}, contact)

    assert deployment.kinds()[-1] == "told"
    assert deployment.subjects.ends[contact, Part("profile")] == before


def test_the_history_names_in_words_what_was_told(deployment: Deployment) -> None:
    take(deployment, imported(deployment))
    deployment.deliver()
    enter(deployment)
    page = deployment.preferences("get-history", deployment.manage_token())

    assert "We told you where we have your data from" in page.text
