"""The evidence pack of a person on the running stack: made by one command, verified from the unpacked folder alone."""

import json
import re
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_sealed_ledger import ctl, entries_with, job_of_tomorrow  # noqa: F401 - fixtures

from consent_center.adapters.dynamodb import keys
from local.stack import LocalStack, free_port
from world import PERSONAL, Visitor


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack of this module's own: its seals are made a day ahead, and an entry is tampered with."""
    with LocalStack(free_port(), tmp_path_factory.mktemp("evidence") / "state") as running:
        yield running


def unpacked(pack: Path) -> Path:
    folder = pack.with_suffix("")
    with zipfile.ZipFile(pack) as opened:
        opened.extractall(folder)
    return folder


def statements(folder: Path) -> list[str]:
    page = (folder / "index.html").read_text()
    return re.findall(r'<li(?: id="[^"]*")? class="(?:statement|answer)">(.*?)\n</li>', page, re.DOTALL)


def test_a_letter_of_today_is_looked_at_from_both_sides_of_the_withdrawal(
    own: LocalStack,
    ctl: Callable[..., tuple[int, str]],  # noqa: F811
    tmp_path: Path,
) -> None:
    visitor = Visitor(own).subscribed("events")
    stop = visitor.stop_link("events")
    time.sleep(0.05)
    visitor.post(stop, **{"List-Unsubscribe": "One-Click"})
    today = time.strftime("%Y-%m-%d", time.gmtime())
    pack = tmp_path / "pack.zip"
    about = ("--purpose", "direct-marketing-email", "--topic", "events")

    assert ctl("evidence", visitor.email, "--to", str(pack), "--on", today, *about, "--language", "da")[0] == 0
    answers = [one for one in statements(unpacked(pack)) if "Fra " in one]
    assert [re.findall(r"<strong>(.*?)</strong>", one) for one in answers] == [
        ["Ikke tilladt"],
        ["Tilladt"],
        ["Ikke tilladt"],
    ]

    letter = tmp_path / "letter.eml"
    letter.write_text(f"From: news@example.com\nList-Unsubscribe: <{stop}>\n\nHello\n")
    other = Visitor(own)
    code, said = ctl("evidence", other.email, "--to", str(tmp_path / "other.zip"), "--letter", str(letter))
    assert (code, "was not written to this address" in said) == (2, True)
    code, said = ctl("evidence", other.email, "--to", str(tmp_path / "other.zip"), "--letter", stop[:-3])
    assert (code, "no letter that a check allowed" in said) == (2, True)
    assert ctl("evidence", other.email, "--to", str(tmp_path / "other.zip"))[0] == 0
    assert "Nothing is held" in (unpacked(tmp_path / "other.zip") / "index.html").read_text()
    assert ctl("evidence", visitor.email, "--to", str(tmp_path / "mail.zip"), "--letter", str(letter))[0] == 0


def test_a_pack_of_an_entry_that_was_changed_is_made_and_says_so(
    own: LocalStack,
    ctl: Callable[..., tuple[int, str]],  # noqa: F811
    tmp_path: Path,
) -> None:
    visitor = Visitor(own).subscribed("events")
    chain = visitor.check("events")["evidence"].partition(".")[0]
    key = {"pk": {"S": keys.of_chain(chain)}, "sk": {"S": keys.of_event(1)}}
    item = own.client("dynamodb").get_item(TableName=own.resources["LedgerTable"], Key=key)["Item"]
    entries_with(own, chain, 1, body=item["body"]["S"].replace('"kind":"given"', '"kind":"other"'))

    code, said = ctl("evidence", visitor.email, "--to", str(tmp_path / "pack.zip"))
    assert (code, "does not hold" in said) == (1, True)
    report = json.loads((unpacked(tmp_path / "pack.zip") / "verification.json").read_text())
    assert [(one["seq"], one["fault"]) for one in report["findings"]] == [
        (1, "the entry does not have the hash that was recorded for it")
    ]


def test_a_pack_is_made_by_one_command_and_verified_without_the_stack(
    own: LocalStack,
    job_of_tomorrow: Callable[[], dict[str, Any]],  # noqa: F811
    ctl: Callable[..., tuple[int, str]],  # noqa: F811
    tmp_path: Path,
) -> None:
    somebody_else = Visitor(own).subscribed("events")
    visitor = Visitor(own).subscribed("events", "surveys")
    answer = visitor.check("events", record_send=True)
    chain = answer["evidence"].partition(".")[0]
    header = answer["headers"]["List-Unsubscribe"]
    visitor.post(visitor.stop_link("events"), **{"List-Unsubscribe": "One-Click"})
    assert job_of_tomorrow()["entries"] >= 3

    pack = tmp_path / "pack.zip"
    code, said = ctl("evidence", visitor.email, "--to", str(pack), "--letter", header)
    assert code == 0, said
    assert PERSONAL.search(said) is None
    folder = unpacked(pack)

    lines = (folder / "ledger.ndjson").read_text().splitlines()
    assert [json.loads(line)["chain"] for line in lines[1:]] == [chain] * 2
    found = statements(folder)
    known = {f"{chain}.{json.loads(line)['seq']}" for line in lines[1:]}
    assert len(found) == 1 + 2 + 2
    for statement in found:
        named = re.findall(rf"{chain}\.\d+", statement)
        assert named, statement
        assert set(named) <= known
    assert "<strong>Allowed</strong>" in found[0]
    assert f"{chain}.1" in found[0]
    report = json.loads((folder / "verification.json").read_text())
    assert (report["holds"], report["findings"], report["seals"], report["unsealed"]) == (True, [], 1, 0)
    assert somebody_else.email not in "".join(one.read_text() for one in folder.rglob("*") if one.is_file())

    offline = ("ledger", "verify", str(folder / "ledger.ndjson"), str(folder / "seals"))
    key = ("--key", str(folder / "public-key.pem"))
    code, said = ctl(*offline, *key, there=False)
    assert (code, "The ledger holds." in said) == (0, True)
    if shutil.which("openssl"):
        (seal,) = (folder / "seals/seals").glob("*.json")
        told = (folder / "README.txt").read_text()
        commands = told.partition("by openssl alone:")[2].partition("To check a file")[0].replace("DAY.json", seal.name)
        done = subprocess.run(["sh", "-ec", commands], cwd=folder, check=False, capture_output=True, text=True)
        assert done.stdout == "Verified OK\n", done.stderr

    (folder / "ledger.ndjson").write_text("\n".join([lines[0], lines[2]]) + "\n")
    code, said = ctl(*offline, *key, "--json", there=False)
    faults = {one["fault"] for one in json.loads(said[said.index('{"holds"') :])["findings"]}
    assert code == 1
    assert "the seal holds an entry that is not there" in faults
