"""A good policy becomes the document that the product runs on, the same bytes every time."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.policy.policy_copies import EXAMPLE, ROOT, TODAY, Copy

from policy_compiler import __main__, build, compiler, periods, shape
from policy_compiler.problems import PolicyError
from policy_compiler.rules.references import state_size


def compiled(folder: Path, out: Path) -> Any:
    compiler.compile_policy(folder, out, TODAY)
    return json.loads((out / "consent_policy" / "policy.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return compiled(EXAMPLE, tmp_path_factory.mktemp("out"))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def resolve(document: Any, pointer: str) -> Any:
    for key in pointer[1:].split("/"):
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def rows(document: Any, kind: str) -> dict[str, Any]:
    return {row["id"]: row for row in document[kind]}


def test_the_package_holds_the_policy_and_its_notices_only(tmp_path: Path) -> None:
    stray = tmp_path / "consent_policy" / "notices" / "2020-01-01.en.json"
    stray.parent.mkdir(parents=True)
    stray.write_text("{}", encoding="utf-8")

    compiled(EXAMPLE, tmp_path)

    notices = ["2026-11-01.en", "2026-11-22.da", "2026-11-22.en", "2026-11-22.nb"]
    notices += [f"2026-11-25.{language}" for language in ("da", "de", "en", "nb")]
    names = ["__init__.py", *(f"notices/{notice}.json" for notice in notices), "policy.json"]
    assert list(files(tmp_path / "consent_policy")) == names


def test_the_same_policy_gives_the_same_bytes(example: Copy, tmp_path: Path) -> None:
    compiled(EXAMPLE, tmp_path / "a")
    compiled(example.folder, tmp_path / "b")
    compiled(example.folder, tmp_path / "b")

    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_the_hash_is_that_of_everything_else(document: Any) -> None:
    rest = {key: value for key, value in document.items() if key != "hash"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert document["hash"] == hashlib.sha256(text.encode()).hexdigest()


def test_the_hash_of_a_notice_is_that_of_its_file(document: Any) -> None:
    for notice, languages in zip(
        document["notices"], (["en"], ["en", "da", "nb"], ["en", "da", "nb", "de"]), strict=True
    ):
        assert list(notice["languages"]) == sorted(languages)
        for language, hashed in notice["languages"].items():
            file = EXAMPLE / "notices" / f"{notice['version']}.{language}.json"
            content = json.loads(file.read_text(encoding="utf-8"))
            assert hashed == build.content_hash(content)
            assert (content["version"], content["language"]) == (notice["version"], language)
    assert notice["version"] == document["current_notice"]


def test_every_row_has_every_key(document: Any) -> None:
    keys = {
        "authorities": "id name address url email",
        "controllers": "id name address country time_zone email phone registration dpo authority",
        "brands": "id controller name website sender stop_address colour logo dark_logo list_domain",
        "categories": "id name description data_types",
        "data_types": "id name required consequence origin",
        "sources": "id name from_person",
        "recipients": "id name role country transfer_tool contract purpose_of_sharing connector",
        "retention_rules": "id name covers clock period never_sent legal_source justification signed_by review_on hold",
        "purposes": "id code retired name description controller brand legal_basis law marketing channels topics "
        "categories data_types sources recipients retention double_opt_in tracking profiling valid_for stale_after "
        "pauses fewer consent_text withdrawal_text interest balancing_test objection_text served_by import_grades",
        "notices": "version published_on change changes summary approved_by languages",
        "seed": "id carried_by",
    }
    for kind, named in keys.items():
        for row in document[kind]:
            assert set(row) == set(named.split()), (kind, row.get("id"))
    assert set(document) == {
        *keys, "format", "hash", "languages", "default_language", "audience", "jurisdictions", "form", "periods",
        "current_notice", "rights", "calendar",
    }  # fmt: skip
    assert set(document["form"]) == {"purpose", "fields", "interests"}


def test_every_statement_of_the_seed_is_carried(document: Any) -> None:
    carried = rows(document, "seed")

    assert list(carried) == [f"S{number}" for number in range(1, 19)]
    for row in carried.values():
        pointers = [place for place in row["carried_by"] if place.startswith("/")]
        assert pointers, row["id"]
        for place in pointers:
            assert resolve(document, place), place


def test_pointers_of_the_seed_lead_to_the_rows_they_name(document: Any) -> None:
    carried = rows(document, "seed")

    assert [resolve(document, place)["id"] for place in carried["S1"]["carried_by"]] == [
        "website", "marketing", "events", "enquiries",
    ]  # fmt: skip
    assert len(carried["S3"]["carried_by"]) == 12
    assert resolve(document, carried["S9"]["carried_by"][0]) == {"months": 36, "days": 0}


def test_tracking_is_a_consent_of_its_own_and_profiling_can_be_objected_to(document: Any) -> None:
    purposes = rows(document, "purposes")

    assert purposes["email-tracking"]["legal_basis"] == "consent"
    assert [topic["id"] for topic in purposes["email-tracking"]["topics"]] == ["opens", "clicks"]
    assert purposes["profiling"]["legal_basis"] == "legitimate_interest"
    assert not {"email-opens", "email-clicks", "visit-history"} & set(purposes["profiling"]["data_types"])


def test_proof_of_marketing_consent_is_kept_three_years_after_the_last_send(document: Any) -> None:
    rule = rows(document, "retention_rules")["marketing-evidence"]

    assert (rule["clock"], rule["period"], rule["never_sent"]) == (
        "last_send", {"months": 36, "days": 0}, {"months": 6, "days": 0},
    )  # fmt: skip
    assert rule["justification"]
    assert rule["signed_by"]
    assert rule["review_on"]


def test_the_example_can_write_to_nobody_real() -> None:
    text = (EXAMPLE / "policy.yaml").read_text(encoding="utf-8")
    domains = {word.partition("@")[2].strip(".,;:}\"'") for word in text.split() if "@" in word}

    assert domains == {"example.com"}


def test_nothing_is_written_when_there_is_an_error(example: Copy, tmp_path: Path) -> None:
    example.edit("country: US", "country: CH")

    with pytest.raises(PolicyError):
        compiled(example.folder, tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_the_command_prints_each_problem_and_fails(
    example: Copy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example.edit("country: US", "country: CH")
    line = example.line_of("country: CH")

    status = __main__.main(["--policy", str(example.folder), "--out", str(tmp_path / "out")])

    said = capsys.readouterr().err.splitlines()
    assert status == 1
    for language, told in zip(("da", "de", "en", "nb"), said[:-1], strict=True):
        assert told.startswith(
            f"policy.yaml:{line}: /recipients/survey-lab/country: The country CH has no name in “{language}”. Mend: Add"
        )
    assert said[-1] == "4 errors; nothing was written."


def test_the_command_compiles_and_tells_warnings(
    example: Copy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example.edit('"2027-11-01"\n  contact-record', '"2025-11-01"\n  contact-record')

    status = __main__.main(["--policy", str(example.folder), "--out", str(tmp_path)])

    assert status == 0
    assert "warning: The review was due on 2025-11-01." in capsys.readouterr().err
    assert (tmp_path / "consent_policy" / "policy.json").exists()


def test_without_a_folder_the_command_only_checks(example: Copy) -> None:
    before = files(example.folder)

    assert __main__.main(["--policy", str(example.folder)]) == 0
    assert files(example.folder) == before


@pytest.mark.parametrize(
    ("text", "months", "days"),
    [("1 day", 0, 1), ("2 weeks", 0, 14), ("6 months", 6, 0), ("3 years", 36, 0), ("1 year and 6 months", 18, 0)],
)
def test_periods_are_months_and_days(text: str, months: int, days: int) -> None:
    assert periods.parse(text) == {"months": months, "days": days}


@pytest.mark.parametrize("text", ["", "0 days", "7", "days", "7 days ", "1.5 years", "7 days and", "-1 day"])
def test_what_is_not_a_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a period"):
        periods.parse(text)


def test_the_schema_and_the_parser_know_the_same_periods() -> None:
    assert shape.definitions()["period"]["pattern"] == periods.PATTERN


def test_the_largest_state_counts_purposes_topics_and_channels() -> None:
    topics = {"a": {"code": "aa"}, "b": {"code": "bb"}}
    data = {
        "purposes": {
            "x": {
                "code": "xx",
                "legal_basis": "consent",
                "channels": ["email", "sms"],
                "topics": topics,
                "pauses": ["1 month"],
            },
            "y": {"code": "y", "legal_basis": "legitimate_interest", "channels": ["any"]},
            "z": {"code": "z", "legal_basis": "contract", "channels": ["any"]},
        }
    }

    rows = 2 * (len("xx.aa.email") + len("xx.aa.sms")) + len("y.-.any") + 5 * 44
    codes = sum(len(purpose["code"]) + 1 for purpose in data["purposes"].values())
    assert state_size(data) == 1000 + 4 * (56 + codes) + rows + 2 * (len("xx") + 32)


def test_another_company_in_two_languages_compiles(other: Copy, tmp_path: Path) -> None:
    compiler.publish(other.folder, "2026-12-01", "first", TODAY)

    document = compiled(other.folder, tmp_path)

    assert document["languages"] == ["de", "en", "fr"]
    assert document["default_language"] == "de"
    assert rows(document, "data_types")["email"]["name"]["fr"] == "Adresse électronique"
    assert rows(document, "data_types")["orders"]["name"] == {"de": "Bestellungen", "en": "Orders", "fr": "Orders"}
    assert rows(document, "retention_rules")["proof"]["period"] == {"months": 18, "days": 0}
    assert rows(document, "controllers")["tonwerk"]["registration"] == "HRB 0"
    assert set(document["notices"][0]["languages"]) == {"de", "en"}
    assert document["form"]["interests"] == []
    assert document["seed"] == []


def test_no_problem_of_the_small_policy_but_that_nothing_is_published(other: Copy) -> None:
    assert [one.rule for one in other.problems()] == ["editions-are-published"]


def test_the_compiler_knows_no_organisation() -> None:
    for path in sorted((ROOT / "layers" / "policy" / "policy_compiler").rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            text = path.read_text(encoding="utf-8").lower()
            assert not [word for word in ("fjordmeter", "astrid", "direct-marketing-email:") if word in text], path.name
