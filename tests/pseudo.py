"""Languages that nobody speaks, made from English, which show what was forgotten: never shipped.

Every letter is another one, so a letter of English on a page was never translated. `LONG` reads like English with
marks on it, is 40 % longer and stands in brackets, so that what is cut off is seen. `MIRRORED` is written from right
to left in Hebrew letters.
"""

import io
import re
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from cli import catalogues
from consent_center.texts import Texts

FORGOTTEN = re.compile(r"[A-Za-z]+")
"""A letter that no sentence of a pseudo-language has."""

_KEPT = re.compile(r"(%\(\w+\)s|%%|\{\w+\})")
"""Where a sentence of a catalogue or of a policy takes a value."""

_LONG = str.maketrans(string.ascii_letters, "åƀçðéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýžÅƁÇÐÉƑĜĤÎĴĶĻḾÑÖÞǪŔŠŢÛṼŴẊÝŽ")
_MIRRORED = str.maketrans(string.ascii_letters, "אבגדהוזחטיכלמנסעפצקרשתךםןף" * 2)


class Pseudo(NamedTuple):
    code: str
    """A language that is not shipped, by whose code it goes."""
    direction: str
    letters: Mapping[int, int]
    longer: float
    """How much longer a sentence gets, as a part of its length."""

    def say(self, sentence: str) -> str:
        """The sentence in this language; its values stay where they are."""
        said = "".join(
            part if _KEPT.fullmatch(part) else part.translate(self.letters) for part in _KEPT.split(sentence)
        )
        words, width = len(_KEPT.sub("", sentence)), 5
        filling = ("~" * width + " ") * -(-int(words * self.longer) // width)
        return f"[{said} {filling.strip()}]" if self.longer and words else said

    def of(self, value: Any, kept: frozenset[str] = frozenset()) -> Any:
        """The same rows with every text said in this language, but for what stands under a key that is kept."""
        if isinstance(value, dict):
            return {key: inner if key in kept else self.of(inner, kept) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.of(inner, kept) for inner in value]
        return self.say(value) if isinstance(value, str) else value


LONG = Pseudo("sv", "ltr", _LONG, 0.4)
MIRRORED = Pseudo("he", "rtl", _MIRRORED, 0)


def write_catalogue(pseudo: Pseudo, sentences: Catalog, locales: Path) -> None:
    """The catalogue of the language, as a translator who translated every sentence would leave it."""
    catalogue = Catalog(locale=pseudo.code)
    for message in sentences:
        if message.pluralizable:
            one, many = message.id
            forms = [pseudo.say(one), *[pseudo.say(many)] * (catalogue.num_plurals - 1)]
            catalogue.add(message.id, tuple(forms))
        elif message.id:
            catalogue.add(message.id, pseudo.direction if message.id == "ltr" else pseudo.say(str(message.id)))
    file = locales / pseudo.code / "LC_MESSAGES" / "consent_center.mo"
    file.parent.mkdir(parents=True)
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    file.write_bytes(buffer.getvalue())


def texts_in(locales: Path) -> Texts:
    """All pages and letters in these languages, from catalogues of today's sentences that are written there."""
    sentences = catalogues.collected()
    for pseudo in (LONG, MIRRORED):
        write_catalogue(pseudo, sentences, locales)
    return Texts(locales=locales)
