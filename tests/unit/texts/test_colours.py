"""Whatever colour a brand has, people can read it."""

import pytest

from consent_center.texts import colours

BRANDS = ["#0b5c7a", "#ffdd00", "#000000", "#ffffff", "#808080", "#ff0000", "#00ff00", "#0000ff", "#F4A6C0"]


@pytest.mark.parametrize("theme", [colours.light, colours.dark])
@pytest.mark.parametrize("brand", BRANDS)
def test_text_in_and_on_the_colour_of_a_brand_is_readable(brand, theme):
    palette = theme(brand)

    assert colours.contrast(palette.on_brand, palette.brand) >= colours.TEXT_CONTRAST
    for behind in (palette.page, palette.paper, palette.tint):
        assert colours.contrast(palette.brand, behind) >= colours.TEXT_CONTRAST


def test_a_colour_that_is_readable_already_stays_as_it_is():
    assert colours.light("#0b5c7a").brand == "#0b5c7a"


def test_contrast_is_21_between_black_and_white_and_1_between_equals():
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#ffffff", "#000000") == pytest.approx(21)
    assert colours.contrast("#123456", "#123456") == 1


@pytest.mark.parametrize("wrong", ["", "red", "#fff", "#12345g", "#123456;}", "#123456\n", "</style>"])
def test_what_is_no_colour_never_reaches_a_stylesheet(wrong):
    with pytest.raises(ValueError, match="#rrggbb"):
        colours.light(wrong)
