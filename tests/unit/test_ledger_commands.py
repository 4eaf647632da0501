"""`consentctl ledger verify`: files in, findings out, without a network."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typer.testing import CliRunner, Result

from cli.__main__ import app
from cli.ledger import shards_of_day
from consent_center.adapters.dynamodb import keys
from consent_center.domain.chain import canonical
from fakes import HashingSigner
from ledgers import SealedLedger


class RsaSigner(HashingSigner):
    """Signs as KMS does with RSASSA_PSS_SHA_512."""

    private = rsa.generate_private_key(65537, 2048)

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message, padding.PSS(padding.MGF1(SHA512()), 64), SHA512())


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """An export of three entries and a folder with two seals and the key."""
    ledger = SealedLedger(signer=RsaSigner())
    ledger.add("anna")
    ledger.add("bert")
    ledger.next_night()
    ledger.add("anna")
    ledger.next_night()
    folder, export = tmp_path / "seals", tmp_path / "ledger.ndjson"
    (folder / "seals").mkdir(parents=True)
    for day, text in ledger.files():
        (folder / "seals" / f"{day}.json").write_bytes(text)
    for (day, name), leaves in ledger.seals.lists.items():
        (folder / "leaves" / day).mkdir(parents=True)
        (folder / "leaves" / day / f"{name}.txt").write_text("".join(f"{leaf.line}\n" for leaf in leaves))
    public = RsaSigner.private.public_key()
    (folder / "public-key.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    lines = [json.dumps({"export": 1, "from": "2027-01-15", "through": ledger.day})]
    for entry in ledger.export():
        body = canonical(dict(entry.body)).decode()
        lines.append(json.dumps({"chain": entry.chain, "seq": entry.seq, "hash": entry.hash, "body": body}))
    export.write_text("\n".join(lines) + "\n")
    return export, folder


def verify(files: tuple[Path, Path], *options: str) -> Result:
    return CliRunner().invoke(app, ["ledger", "verify", *map(str, files), *options], catch_exceptions=False)


def test_a_whole_ledger_holds(files: tuple[Path, Path]) -> None:
    done = verify(files)

    assert done.exit_code == 0
    assert "3 entries in 2 chains, 2 seals through 2027-01-16; 0 entries are not sealed yet." in done.stdout
    assert "The ledger holds." in done.stdout


def test_the_report_as_json_is_all_that_stdout_has(files: tuple[Path, Path]) -> None:
    report = json.loads(verify(files, "--json").stdout)

    assert (report["holds"], report["findings"], report["seals"]) == (True, [], 2)


Damage = Callable[[Path, Path], object]


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda export, _: change(export, r"\"given\"", r"\"refused\""), "does not have the hash"),
        (lambda export, _: change(export, r"{\"at\"", r"{ \"at\""), "does not have the hash"),
        (lambda export, _: change(export, r"\"seq\":1", r"\"seq\":1.0"), "does not have the hash"),
        (lambda export, _: export.write_text(export.read_text().rsplit("\n", 2)[0] + "\n"), "is not there"),
        (lambda _, folder: (folder / "seals/2027-01-15.json").unlink(), "does not follow from"),
        (lambda _, folder: (folder / "seals/2027-01-15.json").write_text("{}"), "is no seal"),
        (lambda _, folder: change(folder / "seals/2027-01-16.json", '"entries":1', '"entries":2'), "signature"),
        (lambda _, folder: next((folder / "leaves/2027-01-16").iterdir()).unlink(), "list of leaves is not there"),
        (
            lambda _, folder: next((folder / "leaves/2027-01-16").iterdir()).write_text("x\n"),
            "list of leaves is not the",
        ),
    ],
)
def test_whatever_is_spoilt_is_named_and_the_exit_code_is_one(
    files: tuple[Path, Path], damage: Damage, fault: str
) -> None:
    damage(*files)
    done = verify(files, "--json")

    assert done.exit_code == 1
    assert any(fault in found["fault"] for found in json.loads(done.stdout)["findings"])


def test_the_newest_seals_are_missed_when_it_is_said_how_far_they_must_go(files: tuple[Path, Path]) -> None:
    assert verify(files, "--through", "2027-01-16").exit_code == 0
    done = verify(files, "--through", "2027-01-18", "--json")

    missing = [found["day"] for found in json.loads(done.stdout)["findings"]]
    assert (done.exit_code, missing) == (1, ["2027-01-17", "2027-01-18"])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda export, _: export.unlink(), "There is no file"),
        (lambda export, _: export.write_text(""), "is no export of a ledger"),
        (lambda export, _: export.write_text('{"export": 2, "through": "2027-01-17"}\n'), "is no export of a ledger"),
        (lambda export, _: change(export, "\n{", "\n\n{"), "line 2 is no exported entry"),
        (lambda export, _: export.write_text(export.read_text()[:-20]), "line 4 is no exported entry"),
        (lambda _, folder: (folder / "public-key.pem").unlink(), "There is no public key"),
        (lambda _, folder: (folder / "public-key.pem").write_text("key"), "is no public key in PEM"),
    ],
)
def test_what_cannot_be_verified_is_said_in_one_sentence_and_the_exit_code_is_two(
    files: tuple[Path, Path], damage: Damage, said: str
) -> None:
    damage(*files)
    done = verify(files)

    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())


def test_a_key_that_was_kept_elsewhere_is_believed_instead_of_the_folders(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    other = rsa.generate_private_key(65537, 2048).public_key()
    (tmp_path / "own.pem").write_bytes(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    report = json.loads(verify(files, "--json", "--key", str(tmp_path / "own.pem")).stdout)

    assert {found["fault"] for found in report["findings"]} == {"the signature is not one of this key"}


def test_commands_read_the_partitions_of_a_day_that_the_product_writes() -> None:
    assert shards_of_day("2027-01-15") == keys.shards_of_day("2027-01-15")
