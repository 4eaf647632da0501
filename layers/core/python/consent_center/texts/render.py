"""Turns templates, translations and a context into pages and letters."""

import base64
import gettext
import hashlib
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from consent_center.texts import colours
from consent_center.texts.spoken import spoken

if TYPE_CHECKING:
    from minijinja import Environment

FOLDER = Path(__file__).parent

_DOMAIN = "consent_center"

_PLACE = re.compile(r"%\(\w+\)s")

_LINE = 72
"""Characters in a line of a plain letter, so that a reply can still quote it (RFC 3676, 4.2)."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as it leaves: one line of subject, plain text with "\\n" line ends, and the same as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What a page says to everybody in the same words: `part` prints it, rendered once in each language.

    It is kept as long as the object, so nothing that is about a person may stand in its context.
    """

    template: str
    context: Mapping[str, Any]
    rendered: dict["_Language", str] = field(default_factory=dict, repr=False)


class Texts:
    """The pages and letters in every language. Templates are read when they are first needed and then kept."""

    def __init__(self, folder: Path = FOLDER, locales: Path | None = None) -> None:
        """`folder` holds pages, letters, partials and style.css; `locales` the gettext catalogues, by default in it."""
        self._folder = folder
        self._locales = locales or folder / "locales"
        self._languages: dict[str, _Language] = {}
        self._styles: dict[str, str] = {}
        self._hashes: dict[str, str] = {}

    def page(self, name: str, language: str, **context: Any) -> str:
        """The page as HTML. RuntimeError or ValueError if the context lacks what the page shows; neither quotes it."""
        return self._speak(language).render(f"pages/{name}.html", context)

    def file(self, name: str, language: str, **context: Any) -> str:
        """The plain file of that name, with "\\n" line ends and no more than one empty line in a row."""
        return re.sub(r"\n{3,}", "\n\n", self._speak(language).render(f"files/{name}", context)).strip() + "\n"

    def letter(self, name: str, language: str, **context: Any) -> Letter:
        """The letter in its three parts. The subject is one line, whatever the context holds."""
        speak, folder = self._speak(language), f"letters/{name}"
        # A line end in a subject would let whoever chose the words add headers of their own.
        subject = _one_line(speak.render(f"{folder}/subject.txt", context))
        text = speak.render(f"{folder}/body.txt", {**context, "subject": subject})
        html = speak.render(f"{folder}/body.html", {**context, "subject": subject})
        return Letter(subject, re.sub(r"\n{3,}", "\n\n", text).strip() + "\n", html)

    def translator(self, language: str) -> Callable[[str], str]:
        """Translates sentences that stand in code; a sentence without a translation stays English."""
        return self._speak(language).say

    def name_of(self, language: str) -> str:
        """What a language calls itself: its catalogue translates the name of the source language with its own."""
        say = self.translator(language)
        return say("English")

    def style_for(self, colour: str) -> str:
        """The stylesheet of a brand: `site.style` in every page. ValueError unless the colour is `#rrggbb`."""
        if colour not in self._styles:
            light, dark = colours.light(colour), colours.dark(colour)
            self._styles[colour] = (
                f":root{{{_properties(light)}}}"
                f"@media (prefers-color-scheme:dark){{:root{{{_properties(dark)}}}}}"
                f"{self._stylesheet}"
            )
        return self._styles[colour]

    def style_hash(self, colour: str) -> str:
        """The Content-Security-Policy source of exactly what `style_for` returns: `sha256-<base64>`."""
        if colour not in self._hashes:
            digest = hashlib.sha256(self.style_for(colour).encode()).digest()
            self._hashes[colour] = "sha256-" + base64.b64encode(digest).decode()
        return self._hashes[colour]

    @cached_property
    def _stylesheet(self) -> str:
        """The stylesheet without comments, spaces and leading zeros, which people need and browsers do not."""
        source = (self._folder / "style.css").read_text("utf-8")
        bare = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
        tight = re.sub(r'\s*([{};,>])\s*|(?<=:)\s(?!")', r"\1", " ".join(bare.split()))
        return re.sub(r"(?<![\w.])0(?=\.\d)", "", tight).replace(";}", "}").strip()

    def _speak(self, language: str) -> "_Language":
        if language not in self._languages:
            self._languages[language] = _Language(self._folder, self._locales, language)
        return self._languages[language]


class _Language:
    """One language: its catalogue, and an environment whose filters speak it."""

    def __init__(self, folder: Path, locales: Path, language: str) -> None:
        self._folder, self._language = folder, language
        # A page names the same few days again and again; what is kept is a line a day.
        self._named_day = lru_cache(maxsize=1_000)(self._name_day)
        wanted = [language.replace("-", "_"), language.split("-", 1)[0]]
        self.translations = gettext.translation(_DOMAIN, locales, wanted, fallback=True)

    @cached_property
    def _direction(self) -> str:
        """Which way the language is written, which its catalogue says as it says its name."""
        say = self.translations.gettext
        return "rtl" if say("ltr") == "rtl" else "ltr"

    def say(self, message: str) -> str:
        """The sentence in this language, or in English if it has none."""
        return self._apart(self.translations.gettext(message))

    def _apart(self, message: str) -> str:
        """A sentence that is written from right to left, with its values isolated: names and addresses seldom are.

        The signs are those of Unicode (UAX #9), since a plain letter has no elements.
        """
        return _PLACE.sub("\u2068\\g<0>\u2069", message) if self._direction == "rtl" else message

    def render(self, template: str, context: Mapping[str, Any]) -> str:
        return str(self._environment.render_template(template, **context))

    @cached_property
    def _environment(self) -> "Environment":
        from minijinja import Environment

        return Environment(
            loader=self._load,
            undefined_behavior="strict",
            # With debugging on, an error carries the variables it met, and those are people's data.
            debug=False,
            trim_blocks=True,
            lstrip_blocks=True,
            filters={
                "date": self._moment,
                "day": self._day,
                "wrap": _wrapped,
            },
            globals={
                # gettext tools know these two by name.
                "_": self._gettext_function(),
                "ngettext": self._ngettext_function(),
                "lacks": _refuse_lack,
                "part": self._part,
                "language": self._language,
                "direction": self._direction,
                "palette": colours.light,
                "dark_palette": colours.dark,
            },
        )

    def _part(self, part: Part) -> str:
        _refuse_missing({"part": part})
        rendered = part.rendered.get(self)
        if rendered is None:
            _, safe = _html()
            rendered = part.rendered[self] = safe(self.render(part.template, part.context))
        return rendered

    def _load(self, name: str) -> str | None:
        file = (self._folder / name).resolve()
        inside = file.is_relative_to(self._folder.resolve())
        return spoken(file.read_text("utf-8"), self.say) if inside and file.is_file() else None

    def _gettext_function(self) -> Callable[..., str]:
        def translate(state: Any, message: str, /, **values: Any) -> str:
            return _filled(self.say(message), values, escaped=bool(state.auto_escape))

        return _with_state(translate)

    def _ngettext_function(self) -> Callable[..., str]:
        def translate(state: Any, one: str, many: str, number: int, /, **values: Any) -> str:
            _refuse_missing({"number": number})
            # A page says the same few periods again and again.
            told = counted if values or not isinstance(number, int) else kept
            return told(one, many, number, bool(state.auto_escape), **values)

        def counted(one: str, many: str, number: int, escaped: bool, /, **values: Any) -> str:
            message = self._apart(self.translations.ngettext(one, many, number))
            return _filled(message, {"number": number, **values}, escaped=escaped)

        kept = lru_cache(maxsize=1_000)(counted)
        return _with_state(translate)

    def _moment(self, epoch_seconds: float, _language: str | None = None) -> str:
        """A time for people, in UTC: "22 November 2026, 16:05 UTC"."""
        _refuse_missing({"time": epoch_seconds})
        moment = datetime.fromtimestamp(epoch_seconds, UTC)
        say = self.translations.gettext
        return say("%(date)s, %(hour)s:%(minute)s UTC") % {
            "date": self._named_day(moment.date()),
            "hour": f"{moment.hour:02d}",
            "minute": f"{moment.minute:02d}",
        }

    def _day(self, iso: str | float) -> str:
        """A date for people: "2026-11-01", or a time in epoch seconds, becomes "1 November 2026".

        Words that are no date stay as they are.
        """
        _refuse_missing({"day": iso})
        if not isinstance(iso, str):
            return self._named_day(datetime.fromtimestamp(iso, UTC).date())
        try:
            return self._named_day(date.fromisoformat(iso))
        except ValueError:
            return iso

    def _name_day(self, day: date) -> str:
        say = self.translations.gettext
        return say("%(day)s %(month)s %(year)s") % {
            "day": day.day,
            "month": self._months[day.month - 1],
            "year": day.year,
        }

    @cached_property
    def _months(self) -> tuple[str, ...]:
        say = self.translations.gettext
        return (
            say("January"),
            say("February"),
            say("March"),
            say("April"),
            say("May"),
            say("June"),
            say("July"),
            say("August"),
            say("September"),
            say("October"),
            say("November"),
            say("December"),
        )


def _with_state(function: Callable[..., str]) -> Callable[..., str]:
    """The function, told by the engine whether it stands in HTML."""
    from minijinja import pass_state

    told: Callable[..., str] = pass_state(function)
    return told


def _filled(message: str, values: Mapping[str, Any], *, escaped: bool) -> str:
    """A sentence with its values. In HTML both are escaped, so neither a translator nor a person can add markup."""
    if not values:
        return message
    _refuse_missing(values)
    if not escaped:
        return message % values
    escape, safe = _html()
    filled: str = safe(_markup(message) % {name: escape(value) for name, value in values.items()})
    return filled


@cache
def _markup(message: str) -> str:
    """A sentence of the catalogues as HTML; there are as many as are translated, so keeping all is little."""
    escape, _ = _html()
    return str(escape(message))


@cache
def _html() -> tuple[Callable[[object], str], Callable[[str], str]]:
    """The engine's functions that make text markup. Looking them up for each of a page's sixty sentences would show."""
    from minijinja import escape, safe

    return escape, safe


def _refuse_missing(values: Mapping[str, Any]) -> None:
    # Strict templates refuse what is undefined where it is printed, but hand it to a function as None.
    if None in values.values():
        _refuse_lack(", ".join(sorted(name for name, value in values.items() if value is None)))


def _refuse_lack(name: str) -> NoReturn:
    raise ValueError(f"a sentence lacks its {name}")


def _one_line(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text).split())


def _wrapped(text: str, first: str = "", rest: str | None = None) -> str:
    """A paragraph of a plain letter in lines of at most 72 characters; addresses of pages are never broken.

    Its first line begins with `first`, the others with `rest` (by default with `first` too).
    """
    _refuse_missing({"text": text})
    lines = textwrap.wrap(
        " ".join(str(text).split()),
        _LINE,
        break_long_words=False,
        break_on_hyphens=False,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
    )
    return "\n".join(lines)


def _properties(palette: colours.Palette) -> str:
    return (
        f"--brand:{palette.brand};--on-brand:{palette.on_brand};"
        f"--page:{palette.page};--paper:{palette.paper};--tint:{palette.tint}"
    )
