"""No page of ours has a dark pattern, and the linter that says so catches one of each."""

import pytest

from consent_center.texts import Texts
from dark_patterns import REGRET, findings
from local import samples

TEXTS = Texts()
STATES = {state: (page, context) for state, page, context in samples.pages()}
LANGUAGES = tuple(REGRET)

SHOWN_AGAIN = ("kept", "errors", "fault", "wrong", "again", "embedded")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", STATES)
def test_a_page_has_no_dark_pattern(state: str, language: str) -> None:
    page, context = STATES[state]
    html = TEXTS.page(page, language, site=samples.a_site(TEXTS), **context)

    assert findings(html, language, is_shown_again=any(word in state for word in SHOWN_AGAIN)) == []


def _form(do: str, inside: str, kind: str = "button") -> str:
    button = f'<button class="{kind}">Go</button>'
    return f'<form method="post"><input type="hidden" name="do" value="{do}">{inside}{button}</form>'


PLANTED = {
    "nothing is ticked beforehand": '<input type="checkbox" name="topic" checked>',
    "nobody has to agree to go on": '<input type="checkbox" name="terms" required>',
    "nobody has to log in": '<input type="password" name="p">',
    "nothing is typed to say no": _form("stop", '<input type="email" name="email">'),
    "no reason is asked for before a no": _form("stop", '<input type="radio" name="reason" required>'),
    "a no is as easy to see as a yes": _form("start", "", "button") + _form("stop", "", "button small"),
    "no double negative": "<label>Do not uncheck this if you never want letters</label>",
    "nobody is shamed for saying no": "<button>No thanks, I like paying more</button>",
    "no answer is chosen for the person": "<button autofocus>Yes</button>",
    "no regret and no hurry": "<p>We are sorry to see you go.</p>",
    "no emoji": "<p>Bye \U0001f622</p>",
    "nothing is made hard to see": '<button style="color:#fff">Unsubscribe</button>',
    "no page leaves by itself": '<meta http-equiv="refresh" content="3;url=/">',
}


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_dark_pattern_is_named_with_its_element(rule: str) -> None:
    found = findings(f"<main><h1>Preferences</h1>{PLANTED[rule]}</main>", "en")

    assert [one.rule for one in found] == [rule]
    assert found[0].element.startswith("<")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("da", "Vi er kede af at se dig gå. Er du sikker?"),
        ("nb", "Er du sikker? Du går glipp av mye."),
        ("de", "Schade, dass Sie gehen. Sind Sie sicher?"),
        ("de", "Schade, wir werden Sie vermissen."),
    ],
)
def test_regret_is_found_in_every_language(language: str, text: str) -> None:
    assert [one.rule for one in findings(f"<p>{text}</p>", language)] == ["no regret and no hurry"]


def test_what_a_person_ticked_before_a_mistake_may_be_ticked_when_the_page_is_shown_again() -> None:
    html = '<input type="checkbox" name="topic" checked>'

    assert findings(html, "en", is_shown_again=True) == []
