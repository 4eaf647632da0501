"""Keeps translations up to date: collects what pages, letters and code say, merges and compiles catalogues."""

import argparse
import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]

TEXTS = ROOT / "layers/core/python/consent_center/texts"

LOCALES = TEXTS / "locales"

CODE = (ROOT / "layers/core/python/consent_center", ROOT / "functions")
"""Where Python may say something to people."""

_TEMPLATES = [("**.html", "jinja2.ext:babel_extract"), ("**.txt", "jinja2.ext:babel_extract")]

# A template that cannot be read must fail here, or its sentences would silently be missing.
_OPTIONS = {pattern: {"silent": "false"} for pattern, _ in _TEMPLATES}

_KEYWORDS = {"_": None, "ngettext": (1, 2)}

# What the library adds would differ from day to day and from version to version.
_NOISE = re.compile(
    r'^"(Project-Id|Language-Team|POT-Creation|PO-Revision|Generated-By|Last-Translator|Report-Msgid)[^:]*:.*\n',
    re.MULTILINE,
)

_HEADER = """\
# What Consent Center says to people. How to work with this file: docs/texts.md.
"""

Sentence = str | tuple[str, ...]


def po(language: str, locales: Path = LOCALES) -> Path:
    return locales / language / "LC_MESSAGES" / "consent_center.po"


def languages(locales: Path = LOCALES) -> list[str]:
    return sorted(file.parts[-3] for file in locales.glob("*/LC_MESSAGES/consent_center.po"))


def collected(texts: Path = TEXTS, code: tuple[Path, ...] = CODE) -> Catalog:
    """Every sentence that can reach people, as a template for translators. ValueError if one cannot be collected."""
    found = Catalog(project="Consent Center", header_comment=_HEADER, fuzzy=False, charset="utf-8")
    for file, _, sentence, _, _ in extract_from_dir(texts, _TEMPLATES, _OPTIONS, _KEYWORDS):
        found.add(sentence, locations=[(file, 0)])
    for folder in code:
        for path in sorted(folder.rglob("*.py")):
            for said in said_in(path.read_text("utf-8"), path.name):
                found.add(said, locations=[(path.relative_to(folder.parent).as_posix(), 0)])
    return found


def said_in(source: str, name: str) -> Iterator[str]:
    """The sentences that a Python file says: `say("…")`, and all of a module's table after `say(TABLE[…])`."""
    tree = ast.parse(source)
    tables = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _speaks(node.func) and node.args:
            argument = node.args[0]
            if isinstance(argument, ast.Subscript) and isinstance(argument.value, ast.Name):
                table = tables.get(argument.value.id)
                sentences: list[ast.expr] = list(table.values) if table else [argument]
            else:
                sentences = [argument]
            for one in sentences:
                if not (isinstance(one, ast.Constant) and isinstance(one.value, str)):
                    raise ValueError(f"{name}:{one.lineno}: a sentence to translate is neither here nor in a table")
                yield one.value


def _speaks(function: ast.expr) -> bool:
    """Whether something is translated here: `say(…)` or `texts.translator(language)(…)`."""
    if isinstance(function, ast.Call):
        return isinstance(function.func, ast.Attribute) and function.func.attr == "translator"
    return isinstance(function, ast.Name) and function.id == "say"


def read(language: str, locales: Path = LOCALES) -> Catalog:
    with po(language, locales).open("rb") as file:
        return read_po(file, locale=language)


def update(language: str, template: Catalog, locales: Path = LOCALES) -> Catalog:
    """Bring a catalogue up to date with what is said, or begin it; a sentence that changed is translated anew."""
    path = po(language, locales)
    catalogue = read(language, locales) if path.exists() else Catalog(locale=language)
    catalogue.update(template, no_fuzzy_matching=True, update_header_comment=True)
    catalogue.obsolete.clear()
    catalogue.fuzzy = False
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(catalogue, path)
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, catalogue)
    return catalogue


def missing(catalogue: Catalog) -> list[Sentence]:
    """The sentences that have no translation, or not every plural form of one."""
    return [
        message.id
        for message in catalogue
        if message.id and not all(message.string if isinstance(message.string, tuple) else [message.string])
    ]


def _write(catalogue: Catalog, path: Path) -> None:
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=0, sort_by_file=True, include_lineno=False)
    path.write_text(_NOISE.sub("", buffer.getvalue().decode()), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="catalogues", description=__doc__)
    parser.add_argument("new", nargs="*", help="languages to begin, such as sv")
    template = collected()
    _write(template, LOCALES / "consent_center.pot")
    for language in sorted({*languages(), *parser.parse_args().new}):
        open_ones = missing(update(language, template))
        print(f"{language}: {len(open_ones)} of {len(template)} sentences to translate")
        for sentence in open_ones:
            print(f"  {sentence if isinstance(sentence, str) else sentence[0]}")


if __name__ == "__main__":
    main()
