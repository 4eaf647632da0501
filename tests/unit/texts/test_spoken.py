"""Translations put into templates when these are read: the same words as by calling back, and the same refusals."""

import pytest
from minijinja import Environment

from consent_center.texts.spoken import spoken

GERMAN = {
    "Hello": "Hallo {{ name }} \"'\\",
    "Hello %(name)s": "<b>%(name)s</b>, hallo",
    "%(a)s and %(b)s": "%(b)s nach %(a)s, 100 %%",
    "Bye %(name)s": "Tschüss %(person)s",
}


def lacks(name):
    raise ValueError(f"a sentence lacks its {name}")


def called_back(_message, **_values):
    return "called back"


def shown(template, name="page.html", **context):
    environment = Environment(
        loader=lambda _: spoken(template, lambda sentence: GERMAN.get(sentence, sentence)),
        undefined_behavior="strict",
        filters={"loud": str.upper},
        globals={"lacks": lacks, "_": called_back},
    )
    return environment.render_template(name, **context)


def test_values_and_translations_are_escaped_in_html_and_nowhere_else():
    template = '{{ _("Hello %(name)s", name=who) }}'

    assert shown(template, who="<i>") == "&lt;b&gt;&lt;i&gt;&lt;&#x2f;b&gt;, hallo"
    assert shown(template, "letter.txt", who="<i>") == "<b><i></b>, hallo"


def test_a_translation_orders_its_values_as_it_likes_and_may_say_percent():
    assert shown('{{ _("%(a)s and %(b)s", a=one|loud, b=two["x"]) }}', one="a", two={"x": "z"}) == "z nach A, 100 %"


def test_a_value_may_be_any_expression():
    template = """{% macro strong(x) %}<b>{{ x }}</b>{% endmacro %}{{ _('%(a)s and %(b)s', a=strong(")}}, c=" ~ x),
        b={"k": [_("Hello")]}["k"][0]) }}"""

    assert shown(template, x="&") == "Hallo {{ name }} &quot;&#x27;\\ nach <b>)}}, c=&amp;</b>, 100 %"


def test_space_is_kept_or_taken_away_as_the_template_says():
    assert shown('a {{- _("Hello %(name)s", name="x") -}} b', "t.txt") == "a<b>x</b>, hallob"
    assert shown('a {{ _("Hello %(name)s", name="x") }} b', "t.txt") == "a <b>x</b>, hallo b"


@pytest.mark.parametrize(
    "template",
    [
        '{{ _("Bye %(name)s", name="x") }}',
        '{{ _("Hello %(name)s", name="x")|loud }}',
        '{{ _("Hello %(name)s", name="x") ~ "!" }}',
        '{% set words = _("Hello %(name)s", name="x") %}{{ words }}',
    ],
)
def test_what_it_cannot_read_is_left_to_the_function(template):
    words = shown(template)

    assert words.lower().startswith("called back")


def test_a_value_that_is_none_or_not_there_is_refused_without_being_quoted():
    template = '{{ _("Hello %(name)s", name=person.name) }}'

    for context in ({"person": {"name": None}}, {"person": {}}, {}):
        with pytest.raises((RuntimeError, ValueError)) as caught:
            shown(template, secret="ada@example.com", **context)
        assert "ada@" not in f"{caught.value!r} {caught.value}"


def test_a_template_that_ends_in_the_middle_of_a_sentence_is_the_engines_to_refuse():
    with pytest.raises(RuntimeError):
        shown('{{ _("Hello %(name)s", name=(')
