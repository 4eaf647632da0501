"""A logo is a picture and nothing else: what may run, load, weigh or hide is refused when the policy is compiled."""

import base64
import json
import struct
import zlib
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests.unit.policy.policy_copies import TODAY, Copy

from policy_compiler import compiler
from policy_compiler.logos import LARGEST

XMLNS = 'xmlns="http://www.w3.org/2000/svg"'


def svg(inside: str, attributes: str = XMLNS + ' viewBox="0 0 160 32"') -> bytes:
    return f"<svg {attributes}>{inside}</svg>".encode()


DRAWN = svg('<path d="M0 0h160v32H0z" fill="#0b5c7a"/>')


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x40" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def with_logo(example: Copy, content: bytes, name: str = "brand.svg", key: str = "logo") -> list[str]:
    """What is wrong with the example policy once its brand has that logo."""
    (example.folder / "logos").mkdir(exist_ok=True)
    (example.folder / "logos" / name).write_bytes(content)
    example.edit('    colour: "#0b5c7a"\n', f'    colour: "#0b5c7a"\n    {key}: logos/{name}\n')
    return [problem.what for problem in example.problems() if problem.rule == "logos-only-draw"]


def compiled_brand(example: Copy, out: Path) -> dict[str, dict[str, object] | None]:
    compiler.compile_policy(example.folder, out, TODAY)
    document = json.loads((out / "consent_policy/policy.json").read_text(encoding="utf-8"))
    brand: dict[str, dict[str, object] | None] = document["brands"][0]
    return brand


def test_a_drawing_stands_in_the_compiled_policy_with_its_size(example: Copy, tmp_path: Path) -> None:
    assert with_logo(example, DRAWN.replace(b"><", b">\n  <")) == []

    logo = compiled_brand(example, tmp_path / "out")["logo"]
    assert logo is not None
    assert (logo["width"], logo["height"]) == (160, 32)
    kind, _, drawing = str(logo["url"]).partition(",")
    assert kind == "data:image/svg+xml"
    assert unquote(drawing).encode() == DRAWN
    # What ends an attribute or a candidate of several pictures stands in no address.
    assert not set(str(logo["url"])) & set(' "<>#')


def test_a_picture_is_shown_at_half_its_size(example: Copy, tmp_path: Path) -> None:
    picture = png(320, 64)
    assert with_logo(example, picture, "brand.png") == []

    brand = compiled_brand(example, tmp_path / "out")
    encoded = base64.b64encode(picture).decode()
    assert brand["logo"] == {"url": f"data:image/png;base64,{encoded}", "width": 160, "height": 32}
    assert brand["dark_logo"] is None


def test_a_large_logo_is_shown_as_large_as_a_page_has_room(example: Copy, tmp_path: Path) -> None:
    with_logo(example, svg("<path/>", XMLNS + ' viewBox="0 0 1200 100"'))

    logo = compiled_brand(example, tmp_path / "out")["logo"]
    assert logo is not None
    assert (logo["width"], logo["height"]) == (240, 20)


def test_a_brand_without_a_logo_has_none(example: Copy, tmp_path: Path) -> None:
    assert compiled_brand(example, tmp_path / "out")["logo"] is None


@pytest.mark.parametrize(
    "content",
    [
        svg('<defs><linearGradient id="a"><stop stop-color="#0b5c7a"/></linearGradient></defs><rect fill="url(#a)"/>'),
        svg('<g style="fill:#0b5c7a;stroke:none"><text font-family="sans-serif" x="1">Brand</text></g>'),
        svg("<path d='M0 0h9'/>"),
    ],
)
def test_what_only_draws_may_pass(example: Copy, content: bytes) -> None:
    assert with_logo(example, content) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (svg("<script>alert(1)</script>"), "does not draw"),
        (svg("<foreignObject><p/></foreignObject>"), "does not draw"),
        (svg("<style>@import 'x'</style>"), "does not draw"),
        (svg('<image href="https://example.com/x.png"/>'), "does not draw"),
        (svg('<g id="a"><use href="#a"/></g>'), "does not draw"),
        (svg('<a href="https://example.com"><path d="M0 0"/></a>'), "does not draw"),
        (svg('<h:path xmlns:h="http://www.w3.org/1999/xhtml"/>'), "does not draw"),
        (svg('<set attributeName="href" to="x"/>'), "does not draw"),
        (svg('<path d="M0 0" onload="alert(1)"/>'), "“onload”"),
        (svg('<path d="M0 0" fill="url(https://example.com/x)"/>'), "“fill”"),
        (svg('<path d="M0 0" style="fill:url(//example.com/x)"/>'), "“style”"),
        (svg('<path d="M0 0" style="fill:\\75rl(x)"/>'), "“style”"),
        (svg('<path d="M0 0" filter="javascript:alert(1)"/>'), "“filter”"),
        (svg('<linearGradient xmlns:x="http://www.w3.org/1999/xlink" x:href="data:,x"/>'), "href"),
        (b'<!DOCTYPE svg [<!ENTITY a "aa">]>' + svg("<text>&a;</text>"), "document type"),
        (b'<?xml-stylesheet href="https://example.com/x.css"?>' + DRAWN, "stylesheet"),
        (svg("<path/>", XMLNS), "viewBox"),
        (svg("<path/>", 'viewBox="0 0 9 9"'), "does not draw"),
        (svg("<path/>", XMLNS + ' viewBox="0 0 0 0"'), "0 by 0"),
        (svg("<path/>", XMLNS + ' viewBox="0 0 9000 9000"'), "9000 by 9000"),
        (b"<svg", "not an SVG"),
        (b"\xff\xfe", "not an SVG"),
        (svg("<path/>" * 1000), f"at most {LARGEST:,}"),
        (svg('<path d="M0 0" fill="#fefefe"/>'), "can be seen"),
    ],
)
def test_whatever_is_more_than_a_small_visible_drawing_is_refused(example: Copy, content: bytes, told: str) -> None:
    (what,) = with_logo(example, content)

    assert told in what


def test_a_drawing_that_says_it_is_a_picture_is_refused(example: Copy) -> None:
    assert with_logo(example, DRAWN, "brand.png") == ["logos/brand.png is not a PNG picture."]


@pytest.mark.parametrize(("colour", "count"), [("#0a0a0a", 1), ("#ffffff", 0)])
def test_a_logo_for_dark_pages_has_to_be_seen_there(example: Copy, colour: str, count: int) -> None:
    with_logo(example, DRAWN)
    example.edit("    logo: logos/brand.svg\n", "    logo: logos/brand.svg\n    dark_logo: logos/dark.svg\n")
    (example.folder / "logos/dark.svg").write_bytes(svg(f'<path d="M0 0h9" fill="{colour}"/>'))

    found = [problem for problem in example.problems() if problem.rule == "logos-only-draw"]
    assert [problem.pointer for problem in found] == ["/brands/fjordmeter/dark_logo"] * count
