"""Which language a person gets."""

import pytest

from consent_center.web.languages import preferred

OFFERED = ("en", "da", "nb", "de")


@pytest.mark.parametrize(
    ("chosen", "header", "language"),
    [
        (None, None, "en"),
        (None, "", "en"),
        ("da", None, "da"),
        ("da", "nb,en;q=0.5", "da"),
        ("nb-NO", None, "nb"),
        ("DA", None, "da"),
        ("de-AT", None, "de"),
        (None, "de-CH,de;q=0.9,fr;q=0.8", "de"),
        ("no", None, "nb"),
        ("nn", "da", "nb"),
        ("fi", "da", "da"),
        ("fi", None, "en"),
        ("", "da", "da"),
        (None, "da-DK,da;q=0.9,en;q=0.8", "da"),
        (None, "no", "nb"),
        (None, "nn-NO", "nb"),
        (None, "nn-NO,nn;q=0.9,no;q=0.8,nb;q=0.7,en;q=0.1", "nb"),
        (None, "nb_NO", "en"),
        (None, "fi, da;q=0.4, en;q=0.3", "da"),
        (None, "en;q=0.3, da;q=0.4", "da"),
        (None, "da;q=0, en", "en"),
        (None, "da;q=lots, nb", "nb"),
        (None, "*", "en"),
        (None, ",;,=;q", "en"),
        (None, "x" * 600 + ",da", "en"),
    ],
)
def test_a_person_gets_the_language_asked_for_or_the_nearest_one(chosen, header, language):
    assert preferred(chosen, header, OFFERED, "en") == language


@pytest.mark.parametrize("tag", ["no", "nn", "nb"])
def test_norwegian_is_the_default_language_where_it_is_not_offered(tag):
    assert preferred(tag, tag, ("en", "da"), "en") == "en"


def test_nynorsk_is_read_where_it_is_offered():
    assert preferred(None, "nn", ("nb", "nn"), "nb") == "nn"
