"""In languages that nobody speaks, what was never translated and what runs the wrong way can be seen."""

import re
from typing import Any

import pytest

from consent_center.texts import Part, Texts
from local import samples
from pseudo import FORGOTTEN, LONG, MIRRORED, Pseudo, texts_in
from unit.texts.test_pages import Tree

STATES = {state: (page, context) for state, page, context in samples.pages()}
LETTERS = dict(samples.letters())

KEPT = frozenset({"url", "style", "colour", "id"})

CODES = frozenset({"kind", "reason", "scope", "code"})
"""What a template decides by; where the same key holds a sentence, that has spaces."""

UNTRANSLATABLE = re.compile(
    r"https?://\S+|/rights\b|/\.well-known/jwks\.json|[\w-]+\.(csv|json|txt)|\b(CSV|JSON|[0-9a-f]{8,64}(-[0-9a-f-]+)?|given|stale|withdrawn)\b"
)
"""Addresses, files, their formats, hashes, and what a permission check answers, as its interface calls it."""

READ_ALOUD = ("alt", "aria-label", "placeholder", "title")

FSI, PDI = "\u2068", "\u2069"


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Texts:
    return texts_in(tmp_path_factory.mktemp("locales"))


def _is_code(key: str, value: Any) -> bool:
    return key in KEPT or key.endswith(("_on", "_url")) or (key in CODES and " " not in str(value))


def foreign(pseudo: Pseudo, value: Any) -> Any:
    """A context as a policy in this language gives it; codes and addresses of pages stay."""
    if isinstance(value, Part):
        return Part(value.template, foreign(pseudo, value.context))
    if isinstance(value, dict):
        return {key: inner if _is_code(key, inner) else foreign(pseudo, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [foreign(pseudo, inner) for inner in value]
    return pseudo.say(value) if isinstance(value, str) else value


def untranslated(html: str) -> set[str]:
    tree = Tree(html)
    spoken = [text for _, text in tree.texts]
    spoken += [attributes[name] for _, attributes, _ in tree.elements for name in READ_ALOUD if name in attributes]
    return forgotten(" ".join(spoken))


def forgotten(text: str) -> set[str]:
    return set(FORGOTTEN.findall(UNTRANSLATABLE.sub("", text)))


@pytest.mark.parametrize("pseudo", [LONG, MIRRORED], ids=lambda pseudo: pseudo.direction)
@pytest.mark.parametrize("state", STATES)
def test_every_word_of_a_page_comes_from_the_catalogue_or_the_policy(texts: Texts, state: str, pseudo: Pseudo) -> None:
    page, context = STATES[state]
    site = foreign(pseudo, samples.a_site(texts))
    html = texts.page(page, pseudo.code, site=site, **foreign(pseudo, context))

    assert f'<html lang="{pseudo.code}" dir="{pseudo.direction}">' in html
    assert untranslated(html) == set()


@pytest.mark.parametrize("pseudo", [LONG, MIRRORED], ids=lambda pseudo: pseudo.direction)
@pytest.mark.parametrize("name", LETTERS)
def test_every_word_of_a_letter_comes_from_the_catalogue_or_the_policy(texts: Texts, name: str, pseudo: Pseudo) -> None:
    site = foreign(pseudo, samples.a_site(texts))
    letter = texts.letter(name, pseudo.code, site=site, **foreign(pseudo, LETTERS[name]))

    assert f'<html lang="{pseudo.code}" dir="{pseudo.direction}">' in letter.html
    assert untranslated(letter.html) == set()
    assert forgotten(letter.subject) == forgotten(letter.text) == set()


@pytest.mark.parametrize("planted", ["<p>Forgotten</p>", '<p aria-label="Forgotten"></p>', "{{ kind }}"])
def test_a_word_that_nobody_can_translate_is_seen(texts: Texts, tmp_path: Any, planted: str) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/one.html").write_text(f"{planted}{{{{ _('Privacy') }}}}", "utf-8")
    page = Texts(tmp_path, texts._locales).page("one", LONG.code, kind="Forgotten")

    assert untranslated(page) == {"Forgotten"}


def test_names_and_addresses_are_isolated_where_they_run_against_the_sentence(texts: Texts) -> None:
    site = samples.a_site(texts)
    against, along = (texts.letter("confirm", code, site=site, **LETTERS["confirm"]) for code in ("he", "sv"))

    for part in (against.subject, against.text, against.html):
        assert f"{FSI}Fjordmeter{PDI}" in part
        assert part.count(FSI) == part.count(PDI)
    assert f'{FSI}<a href="mailto:dpo@example.com">dpo@example.com</a>{PDI}' in against.html.replace("&#x2f;", "/")
    assert FSI not in along.subject + along.text + along.html


def test_a_sentence_of_code_and_one_with_a_number_isolate_their_values_too(texts: Texts) -> None:
    stops = texts.translator(MIRRORED.code)("“%(what)s” stops now.")
    page, context = STATES["check-mail"]

    assert f"{FSI}%(what)s{PDI}" in stops
    assert f"{FSI}7{PDI}" in texts.page(page, MIRRORED.code, site=samples.a_site(texts), **context)


def test_an_address_is_typed_from_left_to_right_in_every_language(texts: Texts) -> None:
    page, context = STATES["subscribe-errors"]
    tree = Tree(texts.page(page, MIRRORED.code, site=samples.a_site(texts), **context))
    fields = {field["name"]: field for _, field in tree.all("input")}

    assert fields["email"]["dir"] == "ltr"
    assert "dir" not in fields["name"]
