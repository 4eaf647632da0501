"""Every sentence that reaches people is translated into every language, and nothing else is."""

import gettext
import re

import pytest
import yaml
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from cli import catalogues
from consent_center.texts import Texts
from local import samples

LANGUAGES = catalogues.languages()

SOURCE = "en"
"""The language of the sentences in templates and code, which needs no catalogue."""

PLACEHOLDER = re.compile(r"%\(\w+\)s|%")

TOO_FORMAL_OR_TOO_FAMILIAR = {
    "da": r"(?<!^)(?<![.:?] )\b(De|Dem|Deres)\b",
    "nb": r"(?<!^)(?<![.:?] )\b(De|Dem|Deres)\b",
    "de": r"\b([Dd]u|[Dd]ich|[Dd]ir|[Dd]eine?[mnrs]?|[Ee]uch|[Ee]uer)\b",
}

REGRET = r"beklage|desværre|dessverre|undskyld|unnskyld|leider|bedauer|entschuldig|\bschade\b|tut uns leid"


@pytest.fixture(scope="module")
def said() -> Catalog:
    return catalogues.collected()


def sentences(catalogue):
    return {message.id for message in catalogue if message.id}


def forms(text):
    return list(text) if isinstance(text, tuple | list) else [text]


def mend():
    return "Run: make texts; then translate what it names in locales/*/LC_MESSAGES/consent_center.po."


def test_there_is_a_catalogue_for_every_language_of_the_policy():
    approved = yaml.safe_load((catalogues.ROOT / "layers/policy/policy.yaml").read_text("utf-8"))["languages"][
        "approved"
    ]

    assert set(approved) <= {SOURCE, *LANGUAGES}


def test_the_template_for_translators_holds_every_sentence_and_no_other(said):
    with (catalogues.LOCALES / "consent_center.pot").open("rb") as file:
        assert sentences(read_po(file)) == sentences(said), mend()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated_and_no_translation_is_unused(said, language):
    catalogue = catalogues.read(language)

    assert sentences(catalogue) == sentences(said), mend()
    assert catalogues.missing(catalogue) == [], mend()
    assert not catalogue.obsolete, mend()
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_plural_forms_of_its_language(language):
    catalogue = catalogues.read(language)
    numbers = {len(message.string) for message in catalogue if message.pluralizable}

    assert numbers == {catalogue.num_plurals}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_placeholders_of_its_sentence(language):
    for message in catalogues.read(language):
        if not message.id:
            continue
        *_, most = forms(message.id)
        for number, translation in enumerate(forms(message.string)):
            # "Within a day" need not say the number that "within 7 days" says.
            expected = forms(message.id)[min(number, len(forms(message.id)) - 1)]
            assert sorted(PLACEHOLDER.findall(translation)) in (
                sorted(PLACEHOLDER.findall(expected)),
                sorted(PLACEHOLDER.findall(most)),
            ), translation


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_shipped_is_what_was_translated(language):
    shipped = gettext.translation("consent_center", catalogues.LOCALES, [language])
    for message in catalogues.read(language):
        if message.pluralizable:
            assert [shipped.ngettext(*message.id, number) for number in (1, 2, 0)] == [
                message.string[0],
                message.string[1],
                message.string[1],
            ], mend()
        elif message.id:
            assert shipped.gettext(message.id) == message.string, mend()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_its_manners(language):
    for message in catalogues.read(language):
        if not message.id:
            continue
        for text in forms(message.string):
            assert text == text.strip()
            assert "!" not in text
            assert not re.search(TOO_FORMAL_OR_TOO_FAMILIAR.get(language, "^$"), text), text
            assert not re.search(REGRET, text, re.IGNORECASE), text
            assert all(ord(letter) < 0x2600 for letter in text), text
            assert text.endswith(".") == forms(message.id)[0].endswith("."), text


@pytest.mark.parametrize(
    ("language", "date"),
    [
        ("en", "22 November 2026, 16:05 UTC"),
        ("da", "22. november 2026 kl. 16.05 UTC"),
        ("nb", "22. november 2026 kl. 16.05 UTC"),
        ("de", "22. November 2026, 16:05 Uhr UTC"),
    ],
)
def test_a_time_is_written_as_the_language_writes_it(language, date):
    texts = Texts()
    context = next(context for state, _, context in samples.pages() if state == "confirmed")

    assert date in texts.page("confirmed", language, site=samples.a_site(texts), **context)


def test_each_language_is_named_in_itself():
    names = {language: Texts().name_of(language) for language in (SOURCE, *LANGUAGES)}

    assert names == {"en": "English", "da": "Dansk", "de": "Deutsch", "nb": "Norsk bokmål"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", [state for state, _, _ in samples.pages()])
def test_no_english_sentence_is_left_on_a_page(said, language, state):
    texts = Texts()
    page, context = next((page, context) for name, page, context in samples.pages() if name == state)
    given = repr((context, samples.a_site(texts)["languages"]))
    english, translated = (
        set(re.findall(r">([^<>]+)<", texts.page(page, one, site=samples.a_site(texts), **context)))
        for one in ("en", language)
    )
    # What stands in the context is given in the reader's language by whoever renders the page; samples are English.
    ours = {text for sentence in sentences(said) for text in forms(sentence) if text not in given}
    same = {text for sentence in catalogues.read(language) for text in forms(sentence.string)}

    assert {text.strip() for text in english & translated} & ours <= same


def test_a_table_of_sentences_and_single_sentences_are_collected():
    source = 'T = {"a": "One.", "b": "Two."}\ndef f(say, texts, k):\n    say(T[k]); texts.translator("da")("Three.")\n'

    assert sorted(catalogues.said_in(source, "views.py")) == ["One.", "Three.", "Two."]


@pytest.mark.parametrize("source", ["say(sentence)", "say(T[k])", 'T = {"a": b}\nsay(T[k])', 'say(f"{a} and {b}")'])
def test_a_sentence_that_cannot_be_collected_is_refused(source):
    with pytest.raises(ValueError, match=r"views\.py:"):
        list(catalogues.said_in(source, "views.py"))


def test_a_sentence_that_nobody_collected_is_noticed(tmp_path, said):
    (tmp_path / "page.html").write_text('{{ _("A new sentence.") }}', "utf-8")

    assert sentences(catalogues.collected(tmp_path, ())) - sentences(said) == {"A new sentence."}


def test_a_new_language_begins_with_every_sentence_open(tmp_path, said):
    begun = catalogues.update("sv", said, tmp_path)

    assert catalogues.languages(tmp_path) == ["sv"]
    assert len(catalogues.missing(begun)) == len(sentences(said))
    again = catalogues.po("sv", tmp_path).read_bytes()
    catalogues.update("sv", said, tmp_path)
    assert catalogues.po("sv", tmp_path).read_bytes() == again
