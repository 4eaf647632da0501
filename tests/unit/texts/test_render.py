"""The engine behind pages and letters: languages, times, colours, and errors that keep silent about people."""

import base64
import hashlib
import html
import struct

import pytest

from consent_center.texts import Part, Texts
from consent_center.texts.render import FOLDER
from local import samples


def write_catalogue(locales, language, messages):
    """A gettext catalogue (.mo) as GNU gettext lays it out, without a hash table."""
    messages = {"": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n", **messages}
    texts = [(key.encode(), messages[key].encode()) for key in sorted(messages)]
    count = len(texts)
    at, tables, data = 28 + 16 * count, ([], []), b""
    for which in (0, 1):
        for pair in texts:
            tables[which].append(struct.pack("<II", len(pair[which]), at + len(data)))
            data += pair[which] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 28 + 16 * count)
    file = locales / language / "LC_MESSAGES" / "consent_center.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(head + b"".join(tables[0] + tables[1]) + data)


def not_me_done(texts, language):
    return texts.page("not_me_done", language, was_confirmed=False, days=7, site=samples.a_site(texts))


def test_a_sentence_without_a_translation_stays_english():
    assert "The request is cancelled" in not_me_done(Texts(), "fi")


def test_a_page_speaks_the_language_asked_for(tmp_path):
    write_catalogue(tmp_path, "da", {"The request is cancelled": "Anmodningen er annulleret"})
    texts = Texts(locales=tmp_path)

    assert "<h1>Anmodningen er annulleret</h1>" in not_me_done(texts, "da")
    assert "<h1>The request is cancelled</h1>" in not_me_done(texts, "en")
    assert texts.translator("da")("The request is cancelled") == "Anmodningen er annulleret"


def test_what_is_the_same_for_everybody_is_rendered_once_in_each_language(tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/one.html").write_text("{{ part(same) }} {{ who }}")
    (tmp_path / "same.html").write_text('{{ words }} {{ _("English") }}')
    write_catalogue(tmp_path / "locales", "da", {"English": "Dansk"})
    context = {"words": "1 < 2"}
    texts, same = Texts(tmp_path), Part("same.html", context)

    assert texts.page("one", "en", same=same, who="Ada") == "1 &lt; 2 English Ada"
    assert texts.page("one", "da", same=same, who="Ada") == "1 &lt; 2 Dansk Ada"
    context["words"] = "looked at again"
    assert texts.page("one", "en", same=same, who="Bo") == "1 &lt; 2 English Bo"


def test_a_page_whose_part_is_missing_fails(tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/one.html").write_text("{{ part(same) }}")
    with pytest.raises((RuntimeError, ValueError)):
        Texts(tmp_path).page("one", "en", same=None)


def test_a_region_falls_back_to_its_language(tmp_path):
    write_catalogue(tmp_path, "de", {"The request is cancelled": "Die Anfrage ist abgebrochen"})
    assert "Die Anfrage ist abgebrochen" in not_me_done(Texts(locales=tmp_path), "de-AT")


def test_plural_and_dates_follow_the_language(tmp_path):
    one = "You are not subscribed yet. If you do not confirm within a day, we delete what you entered."
    many = one.replace("a day", "%(number)s days")
    write_catalogue(
        tmp_path,
        "de",
        {
            f"{one}\0{many}": "Bis morgen.\0In %(number)s Tagen.",
            "November": "Nov.",
            "%(day)s %(month)s %(year)s": "%(day)s. %(month)s %(year)s",
            "%(date)s, %(hour)s:%(minute)s UTC": "%(date)s um %(hour)s:%(minute)s UTC",
        },
    )
    texts = Texts(locales=tmp_path)
    context = next(context for _, name, context in samples.pages() if name == "check_mail")
    context = {key: value for key, value in context.items() if key != "days"} | {"site": samples.a_site(texts)}

    assert "Bis morgen." in texts.page("check_mail", "de", days=1, **context)
    assert "In 7 Tagen." in texts.page("check_mail", "de", days=7, **context)
    confirm = dict(samples.letters())["confirm"]
    assert "22. Nov. 2026 um 16:05 UTC" in " ".join(
        texts.letter("confirm", "de", site=samples.a_site(texts), **confirm).text.split()
    )


def test_a_translation_cannot_add_markup(tmp_path):
    sentence = "If it happens again, write to %(address)s."
    write_catalogue(tmp_path, "da", {sentence: "<b>Skriv</b> til %(address)s", "Privacy": '"><b>'})
    page = not_me_done(Texts(locales=tmp_path), "da")

    assert '&lt;b&gt;Skriv&lt;/b&gt; til <a href="mailto:stop@example.com">' in page.replace("&#x2f;", "/")
    assert "<b>" not in page


def test_a_translation_may_hold_any_sign_that_means_something_to_the_engine(tmp_path):
    odd = """Nej 'tak' "nu" {{ site }} {% if %} {# # } \\ 100 %\u2028 <b> &amp;"""
    write_catalogue(tmp_path, "da", {"The request is cancelled": odd})
    page = not_me_done(Texts(locales=tmp_path), "da")

    assert odd in html.unescape(page)
    assert "<b>" not in page


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("nb", "ltr"), ("ar", "rtl"), ("ar-EG", "rtl")])
def test_a_page_says_its_language_and_the_direction_that_its_catalogue_names(tmp_path, language, direction):
    write_catalogue(tmp_path, "ar", {"ltr": "rtl"})
    write_catalogue(tmp_path, "nb", {"ltr": "ltr"})

    assert f'<html lang="{language}" dir="{direction}">' in not_me_done(Texts(locales=tmp_path), language)


def test_a_direction_is_one_of_two_whatever_a_translator_writes(tmp_path):
    write_catalogue(tmp_path, "ar", {"ltr": '"><script>'})

    assert '<html lang="ar" dir="ltr">' in not_me_done(Texts(locales=tmp_path), "ar")


@pytest.mark.parametrize(
    ("page", "missing"), [("check_mail", "days"), ("check_mail", "subscribe_url"), ("confirm", "not_me_url")]
)
def test_a_missing_value_is_an_error_that_tells_nothing_about_people(page, missing):
    context = next(context for _, name, context in samples.pages() if name == page)
    context = {key: value for key, value in context.items() if key != missing}

    with pytest.raises((RuntimeError, ValueError)) as caught:
        Texts().page(page, "en", site=samples.a_site(Texts()), **context)

    assert "ada@" not in f"{caught.value!r} {caught.value}"


def test_every_value_of_a_letter_is_needed():
    for name, context in samples.letters():
        for missing in ("site", *context):
            given = {"site": samples.a_site(Texts()), **context}
            del given[missing]
            with pytest.raises((RuntimeError, ValueError)):
                Texts().letter(name, "en", **given)


@pytest.mark.parametrize("name", ["nowhere", "../style", "../../config"])
def test_only_pages_that_exist_inside_the_folder_are_shown(name):
    with pytest.raises(RuntimeError):
        Texts().page(name, "en")


def test_the_hash_is_that_of_exactly_what_stands_in_the_style_element():
    texts = Texts()
    page = not_me_done(texts, "en")
    style = page.split("<style>")[1].split("</style>")[0]

    expected = "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert texts.style_hash(samples.COLOUR) == expected


def test_each_brand_has_a_stylesheet_of_its_own_and_the_same_one_always():
    assert Texts().style_for("#0b5c7a") == Texts().style_for("#0b5c7a")
    assert Texts().style_hash("#0b5c7a") != Texts().style_hash("#7a0b5c")


def test_the_stylesheet_is_small_and_asks_for_nothing_from_anywhere():
    source = (FOLDER / "style.css").read_text("utf-8")
    shipped = Texts().style_for(samples.COLOUR)

    # Without comments it is 11 kB of pages that all stay below 30 kB, which a test of each of them sets.
    assert len(source.encode()) <= 16_384
    for text in (source, shipped):
        assert "url(" not in text
        assert "@import" not in text
        assert "<" not in text
        assert text.count("{") == text.count("}")
    assert "/*" not in shipped


def test_the_stylesheet_knows_no_left_and_right():
    source = (FOLDER / "style.css").read_text("utf-8")
    for word in ("left", "right", "width:", "height:"):
        for line in source.splitlines():
            if not line.lstrip().startswith(("/*", "@media", "outline")) and "stroke" not in line:
                assert f"-{word}" not in line.replace("line-height:", "").replace("right-to-left", ""), line


def test_no_template_marks_anything_but_the_stylesheet_as_safe():
    marked = [
        line.strip()
        for file in sorted(FOLDER.rglob("*.*"))
        if file.suffix in {".html", ".txt"}
        for line in file.read_text("utf-8").splitlines()
        if "|safe" in line or "autoescape" in line
    ]
    assert marked == ["<style>{{ site.style|safe }}</style>"]
