"""A linter for dark patterns in rendered pages: what EDPB guidelines 03/2022 call stirring, hindering and skipping.

It reads a page as a browser would, and names the rule that is broken and the element that breaks it. What a page offers
is told by its forms: a hidden field or a button named `do` says what a press does.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import NamedTuple

RAISES = {"start", "allow", "lift", "confirm"}
"""What a press that says yes is called in `do`."""

LOWERS = {"stop", "everything", "object", "take_back", "not-me", "pause", "fewer"}

VOID = {"input", "meta", "br", "path", "rect", "circle", "img", "link", "hr"}

PROMINENCE = ("plain", "small", "other", "")
"""Classes of a button from the quietest; a button without any of them is the loudest."""


class Finding(NamedTuple):
    rule: str
    element: str


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    parent: "Element | None" = None
    children: list["Element"] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator["Element"]:
        yield self
        for child in self.children:
            yield from child

    @property
    def text(self) -> str:
        return " ".join(" ".join(word for element in self for word in element.words).split())

    @property
    def name(self) -> str:
        """How a finding shows it."""
        said = " ".join(f'{key}="{value}"' for key, value in self.attributes.items() if key in ("id", "name", "class"))
        return f"<{self.tag}{' ' if said else ''}{said}> {self.text[:60]}".strip()

    def all(self, *tags: str) -> list["Element"]:
        return [element for element in self if element.tag in tags]

    def get(self, name: str) -> str:
        return self.attributes.get(name) or ""


class _Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self._at = Element("page", {})
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs), self._at)
        self._at.children.append(element)
        if tag not in VOID:
            self._at = element

    def handle_endtag(self, tag: str) -> None:
        if self._at.parent is not None and self._at.tag == tag:
            self._at = self._at.parent

    def handle_data(self, data: str) -> None:
        if self._at.tag not in ("style", "script", "title"):
            self._at.words.append(data)


Note = Callable[[str, Element], None]

REGRET = {
    "en": r"sorry to see|miss you|are you sure|don.t go|before you go|last chance|we.d hate|lose out|miss out|hurry",
    "da": r"ked af (at|det)|savne|er du sikker|før du går|sidste chance|går glip|skynd dig|\bøv\b",
    "nb": r"lei (oss|for)|savne|er du sikker|før du går|siste sjanse|går glipp|skynd deg",
    "de": r"schade|vermissen|sind sie sicher|bist du sicher|bevor (sie|du) geh|letzte chance|verpassen|beeilen",
}
"""Words that play on feelings or hurry people, by language."""

NO = {
    "en": r"\b(not|no|never|without|don.t|do not|won.t|cannot|uncheck|unsubscribe from not)\b",
    "da": r"\b(ikke|ingen|aldrig|uden|fravælg)\b",
    "nb": r"\b(ikke|ingen|aldri|uten|velg bort)\b",
    "de": r"\b(nicht|kein|keine|keinen|nie|ohne|abwählen)\b",
}

SHAMING = {
    "en": r"^no,? (thanks|thank you),? (i|we)\b|\bi don.t (want|care|like)\b",
    "da": r"^nej,? tak,? jeg\b|\bjeg vil (ikke|hellere) (spare|gå)\b",
    "nb": r"^nei,? takk,? jeg\b|\bjeg vil (ikke|heller) (spare|gå)\b",
    "de": r"^nein,? danke,? ich\b|\bich will (nicht|lieber)\b",
}

EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u26ff\u2700-\u27bf]")


def findings(html: str, language: str, *, is_shown_again: bool = False) -> list[Finding]:
    """Every dark pattern in a page. One that is shown again, after a mistake, may hold what the person had ticked."""
    page = _Reader(html).root
    found: list[Finding] = []

    def note(rule: str, element: Element) -> None:
        found.append(Finding(rule, element.name))

    for box in page.all("input"):
        _check_box(box, note, is_shown_again)
    for form in page.all("form"):
        _check_form(form, note)
    _check_prominence(page, note)
    for element in page:
        _check_words(element, language, note)
        _check_looks(element, note)
    return found


def _check_box(box: Element, note: Note, is_shown_again: bool) -> None:
    kind = box.get("type")
    if kind in ("checkbox", "radio") and "checked" in box.attributes and not is_shown_again:
        note("nothing is ticked beforehand", box)
    if kind == "checkbox" and "required" in box.attributes:
        note("nobody has to agree to go on", box)
    if kind == "password":
        note("nobody has to log in", box)


def _check_words(element: Element, language: str, note: Note) -> None:
    own, whole = " ".join(element.words), element.text.lower()
    if element.tag in ("label", "legend", "button") and len(re.findall(NO[language], whole)) > 1:
        note("no double negative", element)
    if element.tag in ("button", "a") and re.search(SHAMING[language], whole):
        note("nobody is shamed for saying no", element)
    if re.search(REGRET[language], own.lower()):
        note("no regret and no hurry", element)
    if EMOJI.search(own):
        note("no emoji", element)


def _check_looks(element: Element, note: Note) -> None:
    if "style" in element.attributes or "hidden" in element.attributes:
        note("nothing is made hard to see", element)
    if "autofocus" in element.attributes and element.tag in ("button", "a"):
        note("no answer is chosen for the person", element)
    if element.tag == "meta" and element.get("http-equiv").lower() == "refresh":
        note("no page leaves by itself", element)


def _check_form(form: Element, note: Note) -> None:
    does = _does(form)
    if does & LOWERS:
        for box in form.all("input", "textarea"):
            if box.tag == "textarea" or box.get("type") in ("text", "email", "password", "tel", ""):
                note("nothing is typed to say no", box)
            if "required" in box.attributes and box.get("type") in ("radio", "checkbox"):
                note("no reason is asked for before a no", box)


def _does(form: Element) -> set[str]:
    """What a form's presses do."""
    fields = [one for one in form.all("input", "button") if one.get("name") == "do"]
    return {one.get("value") for one in fields}


def _check_prominence(page: Element, note: Note) -> None:
    """A no is never quieter than the yes beside it."""
    loudest_yes, quietest_no = -1, len(PROMINENCE)
    quietest: Element | None = None
    for form in page.all("form"):
        does = _does(form)
        for button in form.all("button"):
            loudness = _loudness(button)
            if does & RAISES:
                loudest_yes = max(loudest_yes, loudness)
            if does & LOWERS and loudness < quietest_no:
                quietest_no, quietest = loudness, button
    if quietest is not None and quietest_no < loudest_yes:
        note("a no is as easy to see as a yes", quietest)


def _loudness(button: Element) -> int:
    classes = button.get("class").split()
    return min((PROMINENCE.index(one) for one in classes if one in PROMINENCE), default=len(PROMINENCE) - 1)
