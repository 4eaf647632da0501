"""What machines look for at addresses that everybody knows."""

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from deployment import Deployment


def test_whoever_finds_a_weakness_is_told_where_to_report_it_for_the_next_half_year(deployment: Deployment) -> None:
    answer = deployment.page("get-security-txt")

    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert fields["Contact"] == "mailto:privacy@example.com"
    days = (datetime.fromisoformat(fields["Expires"]) - datetime.fromtimestamp(deployment.clock() / 1000, UTC)).days
    assert 175 < days < 365
    assert "en" in fields["Preferred-Languages"].split(", ")


def test_global_privacy_control_is_said_to_be_honoured_since_the_current_edition(deployment: Deployment) -> None:
    answer = deployment.page("get-gpc-json")

    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json["gpc"] is True
    datetime.fromisoformat(answer.json["lastUpdate"])


def test_search_engines_are_kept_from_every_link_of_a_person(deployment: Deployment) -> None:
    lines = deployment.page("get-robots-txt").text.splitlines()

    assert lines[0] == "User-agent: *"
    assert lines[-1] == "Disallow: /"
    assert not [line for line in lines if any(path in line for path in ("/u/", "/confirm", "/preferences", "/rights"))]


def test_the_icon_is_a_picture_that_browsers_may_keep_and_that_runs_nothing(deployment: Deployment) -> None:
    answer = deployment.page("get-favicon")

    root = ET.fromstring(answer.text)
    assert root.tag.endswith("svg")
    assert "script" not in answer.text
    assert answer.headers["cache-control"] == "public, max-age=86400"
    assert "set-cookie" not in answer.headers


def test_a_link_to_some_topics_puts_them_first_and_ticks_nothing(deployment: Deployment) -> None:
    answer = deployment.page("get-subscribe", queryStringParameters={"topic": "surveys"})

    boxes = [line for line in answer.text.splitlines() if 'name="topic"' in line]
    assert 'value="surveys"' in boxes[0]
    assert not [box for box in boxes if "checked" in box]
