"""Odd files that somebody names as a logo: each is refused with a mend, and none gets past by how it is written."""

import struct

import pytest
from tests.unit.policy.test_policy_logos import DRAWN, XMLNS, png, svg

from policy_compiler import logos

UTF_16 = '<?xml version="1.0" encoding="utf-16"?>'
STYLESHEET = '<?xml-stylesheet href="https://example.com/x.css"?>'
ENTITIES = '<!DOCTYPE svg [<!ENTITY a "hello"><!ENTITY x SYSTEM "file:///x">]>'
HEAD = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


def faults(content: bytes, name: str = "brand.svg") -> list[str]:
    return [what for what, _ in logos.faults(name, content, logos.LIGHT)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("prologue", [ENTITIES, STYLESHEET])
def test_no_other_encoding_hides_a_document_type_or_a_stylesheet(encoding: str, prologue: str) -> None:
    (what,) = faults((UTF_16 + prologue + DRAWN.decode()).encode(encoding))

    assert "UTF-8" in what


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'<?xml version="1.0" encoding="ISO-8859-1"?>' + svg("<title>Café</title>"), "UTF-8"),
        (svg("<title>Café</title>").decode().encode("latin-1"), "UTF-8"),
        (svg('<rect style="fill:var(--x,{;url(//example.com/x)})"/>'), "“style”"),
        (svg('<rect style="fill:var(--x,{;url(x.svg)})"/>'), "“style”"),
        (svg("<rect style=\"mask:image('x.svg')\"/>"), "“style”"),
        (svg("<rect style=\"mask-image:image-set('x.png' 1x)\"/>"), "“style”"),
        (svg("<rect style=\"mask:-webkit-cross-fade('x.png', 1)\"/>"), "“style”"),
        (svg("<rect mask=\"src('x.svg')\"/>"), "“mask”"),
        (svg("<rect/>", f'{XMLNS} viewBox="0 0 9 9" xml:base="x/"'), "base”"),
        (svg('<mask id="a"><g mask="url(#b)"/></mask><mask id="b"><rect/></mask>'), "within another"),
        (svg('<clipPath id="a"><rect style="clip-path:url(#b)"/></clipPath>'), "within another"),
        (svg('<clipPath id="a" clip-path="url(#b)"><rect/></clipPath>'), "within another"),
        (f'<g {XMLNS} viewBox="0 0 9 9"><rect/></g>'.encode(), "another element than svg"),
        (svg("<rect/>", XMLNS + ' viewBox="0 0 1e999 10"'), "viewBox"),
        (svg("<rect/>", XMLNS + ' viewBox="0 0 nan 10"'), "viewBox"),
        (svg("<rect/>", XMLNS + ' viewBox="0 0 10 0"'), "10 by 0"),
    ],
)
def test_a_drawing_that_is_written_oddly_is_refused(content: bytes, told: str) -> None:
    (what,) = faults(content)

    assert told in what


@pytest.mark.parametrize(
    "content",
    [
        png(9, 9)[:24],
        png(9, 9)[:-1],
        png(9, 9) + b"<script>",
        HEAD[:8] + b"\0" * 40,
        HEAD[:8] + b"<script>alert(1)</script>",
        HEAD + struct.pack(">II", 0, 9) + png(9, 9)[24:],
    ],
)
def test_a_picture_that_is_not_whole_is_refused(content: bytes) -> None:
    assert faults(content, "brand.png") == ["brand.png is not a PNG picture."]


@pytest.mark.parametrize(
    ("content", "name", "size"),
    [
        (png(1, 1), "brand.png", (1, 1)),
        (png(2000, 2), "brand.png", (240, 1)),
        (svg("<rect/>", XMLNS + ' viewBox="0 0 2000 1"'), "brand.svg", (240, 1)),
        (b"\xef\xbb\xbf" + DRAWN, "brand.svg", (160, 32)),
        (
            b'<?xml version="1.0" encoding="UTF-8"?>' + svg('<g mask="url(#a)"/><mask id="a"><rect/></mask>'),
            "b.svg",
            (160, 32),
        ),
    ],
)
def test_a_thin_or_small_logo_is_shown(content: bytes, name: str, size: tuple[int, int]) -> None:
    assert faults(content, name) == []

    logo = logos.compiled(name, {name: content})
    assert logo is not None
    assert (logo["width"], logo["height"]) == size
