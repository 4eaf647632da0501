"""Logos of brands. Pages carry them inside, as data: addresses, so nothing in one may run, load or weigh much."""

import base64
import re
import struct
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

LARGEST = 4_096
"""Bytes of a file: with it the largest page is still about 30 kB."""

WIDEST, HIGHEST = 240, 40
"""CSS pixels that a page has for it, also on the smallest screen."""

LIGHT, DARK = "#ffffff", "#1a1e22"
"""The grounds on which pages show a logo."""

LEAST_CONTRAST = 3.0
"""WCAG 2.2, 1.4.11; logos are exempt from it, but one that nobody sees is none."""

TEXT_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3."""

_PNG = b"\x89PNG\r\n\x1a\n"
_SVG = "{http://www.w3.org/2000/svg}"

_DRAWN = frozenset({
    _SVG + name
    for name in (
        *("svg", "g", "defs", "title", "desc", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon"),
        *("text", "tspan", "linearGradient", "radialGradient", "stop", "clipPath", "mask"),
    )
})  # fmt: skip
"""Elements that draw and do nothing else; `use` is left out, because a few of them in one another draw without end."""

_LOADS = r"url\((?!#)|(?:image|-set|-fade|src|element)\(|//|\\|@|expression"

_STYLE_REACHES_OUT = re.compile(_LOADS, re.IGNORECASE)
"""Signs of it anywhere in a style, whose declarations each have a colon."""

_REACHES_OUT = re.compile(rf"{_LOADS}|[a-z]+:", re.IGNORECASE)
"""Signs of a value that loads or runs something; `style="fill:#123456"` is told apart by what stands behind."""

_HIDES = frozenset({"mask", "clip-path"})
"""Attributes that hide a part; the elements of `_HIDERS` say which."""

_HIDERS = frozenset({f"{_SVG}mask", f"{_SVG}clipPath"})

_OTHER_ENCODING = re.compile(r"""\s*<\?xml[^>]*encoding\s*=\s*["'](?!utf-8["'])""", re.IGNORECASE)

_COLOUR = re.compile(r"#([0-9a-f]{6}|[0-9a-f]{3})\b|\b(white|black)\b", re.IGNORECASE)


def compiled(name: str | None, files: dict[str, bytes]) -> dict[str, Any] | None:
    """A checked logo as pages use it: its data: address and its size in CSS pixels."""
    if name is None:
        return None
    width, height = _size(files[name])
    scale = min(1, WIDEST / width, HIGHEST / height)
    if name.endswith(".svg"):
        drawing = " ".join(files[name].decode().split()).replace("> <", "><")
        url = "data:image/svg+xml," + quote(drawing, safe=" !$&'()*+,-./:;=?@_~").replace(" ", "%20")
    else:
        url = "data:image/png;base64," + base64.b64encode(files[name]).decode()
    # A line of a picture is still shown.
    return {"url": url, "width": max(1, round(width * scale)), "height": max(1, round(height * scale))}


def faults(name: str, content: bytes, ground: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a logo that stands on a ground, and the mend of it."""
    if len(content) > LARGEST:
        what = f"{name} has {len(content):,} bytes, and a logo has at most {LARGEST:,}."
        yield what, "Remove what a drawing program added, or use a simpler picture."
    elif name.endswith(".png"):
        # It begins with its size and ends with its last chunk, and then there is nothing more.
        is_whole = content.startswith(_PNG) and content[12:16] == b"IHDR" and content[-8:-4] == b"IEND"
        if not is_whole or 0 in struct.unpack(">II", content[16:24]):
            yield f"{name} is not a PNG picture.", "Save it as PNG."
    else:
        yield from _faults_of_drawing(name, content, ground)


def contrast(one: str, other: str) -> float:
    """How far two colours `#rrggbb` stand apart, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _faults_of_drawing(name: str, content: bytes, ground: str) -> Iterator[tuple[str, str]]:
    text = _text(content)
    if text is None:
        yield f"{name} is not an SVG drawing in UTF-8.", "Save it in UTF-8."
        return
    # Without a document type there are no entities, which could grow without end or read files.
    if b"<!DOCTYPE" in content.upper() or b"<?XML-STYLESHEET" in content.upper():
        yield f"{name} has a document type or a stylesheet of its own.", "Save it as plain SVG."
        return
    try:
        root = ET.fromstring(content)  # noqa: S314 - it has no entities, as was just looked at
        width, height = _size(content)
    except (ET.ParseError, ArithmeticError, ValueError, KeyError):
        yield f"{name} is not an SVG drawing with a viewBox.", 'Save it as SVG with viewBox="0 0 width height".'
        return
    if not (0 < width <= 2_000 and 0 < height <= 2_000):
        yield f"{name} is {width} by {height}.", "Give it a viewBox of at most 2,000 by 2,000."
    acting = list(_faults_of_parts(name, root))
    yield from acting
    if acting:
        return
    painted = [_written_out(found[0]) for found in _COLOUR.finditer(text)] or ["#000000"]
    if max(contrast(colour, ground) for colour in painted) < LEAST_CONTRAST:
        yield f"Nothing in {name} can be seen on {ground}.", "Use a darker or lighter logo there."


def _text(content: bytes) -> str | None:
    """What a drawing says; None unless it is UTF-8 and says nothing else: a browser reads it as it says itself."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text or _OTHER_ENCODING.match(text) else text


def _faults_of_parts(name: str, root: ET.Element) -> Iterator[tuple[str, str]]:
    for element in root.iter():
        if element.tag not in _DRAWN:
            yield f"{name} has an element that does not draw.", "Leave only shapes, texts, gradients and clips."
            return
        for key, value in element.attrib.items():
            if _may_act(key, value):
                yield f"{name} has “{key}”, which may run or load something.", "Remove it."
                return
    if root.tag != f"{_SVG}svg":
        yield f"{name} begins with another element than svg.", "Save it as plain SVG."
    if _hides_within(root):
        yield f"{name} has a mask or clip within another.", "Leave one: some within one another draw without end."


def _may_act(key: str, value: str) -> bool:
    name = key.rpartition("}")[2].lower()
    if name.startswith("on") or name == "base":
        return True
    if name == "href":
        return not value.startswith("#")
    if name == "style":
        # A declaration is a name, a colon and a value; what follows the colon must not reach out.
        after = (one.partition(":")[2] for one in value.split(";"))
        return _STYLE_REACHES_OUT.search(value) is not None or any(map(_REACHES_OUT.search, after))
    return _REACHES_OUT.search(value) is not None


def _hides_within(root: ET.Element) -> bool:
    """Whether a mask or clip holds something that is masked or clipped itself."""
    inside = [inner for hider in root.iter() if hider.tag in _HIDERS for inner in hider.iter()]
    return any(
        _HIDES & set(one.keys()) or any(name in one.get("style", "").lower() for name in _HIDES) for one in inside
    )


def _size(content: bytes) -> tuple[int, int]:
    if content.startswith(_PNG):
        # At twice its size a picture is sharp on screens of today.
        width, height = struct.unpack(">II", content[16:24])
        return max(1, round(width / 2)), max(1, round(height / 2))
    box = ET.fromstring(content).attrib["viewBox"]  # noqa: S314 - asked only of what has no entities
    _, _, wide, high = (float(part) for part in re.split(r"[\s,]+", box.strip()))
    return round(wide), round(high)


def _written_out(colour: str) -> str:
    named = {"white": "#ffffff", "black": "#000000"}.get(colour.lower(), colour.lower())
    return named if len(named) == 7 else "#" + "".join(part * 2 for part in named[1:])


def _luminance(colour: str) -> float:
    linear = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in linear)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
