"""Every letter: complete in plain text alone, and carrying nothing that loads or watches."""

import re

import pytest

from consent_center.texts import Letter, Texts
from local import samples
from unit.texts.test_pages import HOSTILE, PICTURES, REGRET, Tree, hostile

TEXTS = Texts()
LETTERS = dict(samples.letters())


def write(name, **changes):
    return TEXTS.letter(name, "en", site=samples.a_site(TEXTS), **{**LETTERS[name], **changes})


@pytest.fixture(params=LETTERS)
def name(request):
    return request.param


def addresses_in(context):
    return [value for key, value in context.items() if key.endswith("_url")]


def test_a_letter_has_a_short_subject_in_one_line(name):
    subject = write(name).subject

    assert 10 < len(subject) <= 60
    assert "\n" not in subject


def test_a_subject_stays_one_line_whatever_the_brand_is_called(name):
    site = samples.a_site(TEXTS)
    site["brand"]["name"] = "Fjord\r\nBcc: ada@example.org\u2028meter\x00"
    letter = TEXTS.letter(name, "en", site=site, **LETTERS[name])

    assert "Fjord Bcc: ada@example.org meter" in letter.subject
    assert letter.subject.isprintable()


def test_both_bodies_carry_every_link_and_no_other(name):
    letter, given = write(name), set(addresses_in(LETTERS[name]))
    in_html = {attributes["href"] for _, attributes in Tree(letter.html).all("a")}

    assert given <= set(re.findall(r"https?://\S+", letter.text)) <= given
    assert given <= in_html <= given | {"mailto:dpo@example.com"}


def test_each_link_of_the_plain_letter_stands_alone_in_its_line(name):
    for line in write(name).text.splitlines():
        assert line.startswith("http") or "http" not in line


def test_lines_of_the_plain_letter_are_short_and_end_without_blanks(name):
    for line in write(name).text.splitlines():
        assert line == line.rstrip()
        assert len(line) <= 72 or line.startswith("https://")


def test_the_plain_letter_is_no_html(name):
    site = samples.a_site(TEXTS)
    site["brand"]["name"] = "Fjord & Søn's"
    letter = TEXTS.letter(name, "en", site=site, **LETTERS[name])

    assert "Fjord & Søn's" in letter.subject
    assert "Fjord & Søn's" in " ".join(letter.text.split())
    assert "\n\n\n" not in letter.text


def test_the_html_letter_is_well_formed_and_loads_nothing(name):
    tree = Tree(write(name).html)

    assert not tree.all("script", "img", "link", "iframe", "form", "input", "object", "video")
    assert len(tree.all("h1")) == 1
    assert "url(" not in write(name).html
    assert not [tag for tag, attributes, _ in tree.elements if "style" in attributes or "src" in attributes]


def test_a_button_is_a_cell_with_one_link_and_nobody_is_told_of_a_table(name):
    tree = Tree(write(name).html)
    cells = tree.all("td")

    assert {attributes["role"] for _, attributes in tree.all("table")} <= {"presentation"}
    assert {attributes["class"] for _, attributes in cells} <= {"button", "button other"}
    assert len(cells) == len([1 for tag, _, inside in tree.elements if tag == "a" and inside[-1:] == ("td",)])
    # Word reads what other programs skip, and needs a cell of its own for the whole letter.
    assert write(name).html.count("<!--[if mso]>") == write(name).html.count("<![endif]-->") == 3


def test_a_letter_says_who_writes_and_where_to_ask(name):
    letter = write(name)

    for body in (letter.text, Tree(letter.html).text):
        for told in ("Fjordmeter A/S", "Målervej 12", "DK-8000 Aarhus C", "Astrid Holm", "dpo@example.com"):
            assert told in body
        for topic in LETTERS[name].get("topics", []):
            for part in ("name", "description", "frequency"):
                assert topic[part] in " ".join(body.split())


def test_the_question_says_why_it_comes_and_what_happens_without_an_answer():
    letter = write("confirm")

    for body in (letter.text, Tree(letter.html).text):
        flat = " ".join(body.split())
        assert "On 22 November 2026, 16:05 UTC, someone entered your e-mail address" in flat
        assert "If you ignore this e-mail, you get nothing else, and we delete your address after 7 days." in flat
        assert "This was not me" in flat


def test_the_code_stands_in_a_line_of_its_own_in_both_bodies_and_never_in_the_subject():
    letter = write("confirm", code="012 345")
    lines = letter.text.splitlines()
    place = lines.index("012 345")

    assert lines[place - 2] == "Or type this code on the page that waits for it:"
    assert lines[place - 1] == lines[place + 1] == ""
    tree = Tree(letter.html)
    assert ("p", {"class": "code"}) in tree.all("p")
    assert ("span", {"dir": "ltr"}) in tree.all("span")
    assert tree.text_of("span") == "012 345"
    assert "012" not in letter.subject


@pytest.mark.parametrize("language", ["da", "nb", "de"])
def test_the_code_is_in_the_letter_in_every_language(language):
    letter = TEXTS.letter("confirm", language, site=samples.a_site(TEXTS), **LETTERS["confirm"])

    assert "123 456" in letter.text.splitlines()
    assert "123 456" in letter.html


def test_a_letter_that_no_page_waits_for_says_nothing_of_a_code():
    letter = write("confirm", code="")

    assert "code on the page" not in letter.text + letter.html
    assert not Tree(letter.html).all("span")


def test_whatever_a_policy_says_is_text_in_the_html_letter(name):
    context = {key: value if key.endswith("_url") else hostile(value) for key, value in LETTERS[name].items()}
    site = samples.a_site(TEXTS)
    site["brand"]["name"] = HOSTILE
    letter = TEXTS.letter(name, "en", site=site, **context)

    assert not Tree(letter.html).all("script", "img")
    assert HOSTILE.split("&")[0] in Tree(letter.html).text


def test_no_letter_pleads_or_jokes(name):
    letter = write(name)
    assert not REGRET.search(letter.text)
    assert not PICTURES.search(letter.text)


def test_a_letter_is_small_and_cannot_be_changed(name):
    letter = write(name)

    assert isinstance(letter, Letter)
    assert len(letter.html.encode()) < 10_000
    with pytest.raises(AttributeError):
        letter.subject = "other"
