"""The colours of a page, worked out from the one colour of a brand so that everything stays readable."""

import colorsys
import re
from dataclasses import dataclass

TEXT_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3: the least contrast between text and what lies behind it."""

_DARK_CONTRAST = 6.0
"""More than must be: what only just passes looks dull on dark paper."""

_WHITE, _INK = "#ffffff", "#15181c"
_LIGHT_PAGE, _LIGHT_PAPER = "#f6f7f8", "#ffffff"
_DARK_PAGE, _DARK_PAPER = "#111417", "#1a1e22"


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme, each as `#rrggbb`.

    `brand` is readable on `page`, `paper` and `tint`; `on_brand` is readable on `brand`.
    """

    brand: str
    on_brand: str
    page: str
    paper: str
    tint: str


def light(colour: str) -> Palette:
    """The palette on white paper; the brand's colour is darkened where it must be.

    ValueError unless the colour is written `#rrggbb`.
    """
    return _palette(colour, _LIGHT_PAGE, _LIGHT_PAPER, towards=0.0, wanted=TEXT_CONTRAST)


def dark(colour: str) -> Palette:
    """The palette on dark paper; the brand's colour is lightened where it must be.

    ValueError unless the colour is written `#rrggbb`.
    """
    return _palette(colour, _DARK_PAGE, _DARK_PAPER, towards=1.0, wanted=_DARK_CONTRAST)


def contrast(one: str, other: str) -> float:
    """How far two colours stand apart, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _palette(colour: str, page: str, paper: str, *, towards: float, wanted: float) -> Palette:
    for step in range(51):
        brand = _lightened(colour, towards, step / 50)
        behind, tint = _mix(page, brand, 0.03), _mix(paper, brand, 0.07)
        if all(contrast(brand, ground) >= wanted for ground in (behind, paper, tint)):
            break
    return Palette(brand, max((_WHITE, _INK), key=lambda text: contrast(text, brand)), behind, paper, tint)


def _lightened(colour: str, towards: float, share: float) -> str:
    """The colour with its lightness moved a share of the way towards 0 (black) or 1 (white); its hue stays.

    It gets a little greyer on the way, because a pale colour at full strength glares.
    """
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in _parts(colour)))
    moved = colorsys.hls_to_rgb(hue, lightness + (towards - lightness) * share, saturation * (1 - share * 0.8))
    return "#" + "".join(f"{round(part * 255):02x}" for part in moved)


def _mix(colour: str, other: str, share: float) -> str:
    mixed = (round(a + (b - a) * share) for a, b in zip(_parts(colour), _parts(other), strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _luminance(colour: str) -> float:
    linear = [part / 255 for part in _parts(colour)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in linear)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parts(colour: str) -> tuple[int, int, int]:
    # The colour ends up inside a stylesheet, so nothing but a colour may pass.
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise ValueError("a colour is written #rrggbb")
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
