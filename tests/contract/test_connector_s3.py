"""Files of a recipient's bucket: what is about others stays as it is, and what cannot be read is not called done."""

import csv
import io
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from connected_systems import (
    ADA,
    EDSGER,
    GRACE,
    HEADER,
    OF_ADA,
    OF_GRACE,
    System,
    alone,
    an_ask,
    correction,
    stored_text,
)
from consent_center.adapters.connectors import s3
from consent_center.domain.errors import UnavailableError
from consent_center.domain.recipient import Answer, TaskState, Verb


@alone("moto s3 csv")
def test_a_file_of_lines_keeps_every_other_byte_and_what_is_said_of_it(system: System) -> None:
    client = system.extra["client"]
    untouched = client.get_object(Bucket="exports", Key="lists/b.csv")["LastModified"]

    assert system.connector().ask(an_ask(Verb.ERASE)).state is TaskState.DONE

    found = client.get_object(Bucket="exports", Key="lists/2026/a.csv")
    assert found["Body"].read().decode() == HEADER + OF_GRACE
    assert (found["ContentType"], found["Metadata"]) == ("text/csv", {"made-by": "nightly"})
    assert client.get_object(Bucket="exports", Key="lists/b.csv")["LastModified"] == untouched
    assert ADA in stored_text(client, "lists/readme.txt")


@alone("moto s3 csv")
def test_a_corrected_record_stays_readable_and_its_neighbours_as_they_were(system: System) -> None:
    asked = an_ask(Verb.CORRECT, corrections={"address": EDSGER, "note": '=1+1; "x"'})

    assert system.connector().ask(asked).state is TaskState.DONE

    text = stored_text(system.extra["client"], "lists/2026/a.csv")
    assert text.startswith(HEADER + OF_GRACE)
    assert list(csv.reader(io.StringIO(text), delimiter=";"))[2] == ["1", EDSGER, '=1+1; "x"']


@alone("moto s3 csv")
def test_collected_lines_come_with_their_header_and_without_anybody_else(system: System) -> None:
    (text,) = system.connector().ask(an_ask(Verb.COLLECT)).collected.values()

    assert text == HEADER + OF_ADA


@alone("moto s3 ndjson")
@pytest.mark.parametrize("content", [b'{"mail": "x"\n', b"\xff\xfe\n", b"x" * 1_100_000, b"[" * 100_000 + b"\n"])
def test_a_file_that_cannot_be_read_is_never_called_done(system: System, content: bytes) -> None:
    system.extra["client"].put_object(Bucket="exports", Key="lists/0.ndjson", Body=content)

    assert system.connector().ask(an_ask(Verb.ERASE)) == Answer(TaskState.FAILED, "unreadable_file")


@alone("moto s3 csv")
@pytest.mark.parametrize("verb", [Verb.COLLECT, Verb.CORRECT, Verb.ERASE])
def test_a_quotation_mark_that_is_never_closed_takes_no_record_of_others_with_it(system: System, verb: Verb) -> None:
    """Neither are they removed with the record before them, nor handed out with it."""
    broken = f'{HEADER}1;{ADA};"Ada\n{OF_GRACE}'.encode()
    system.extra["client"].put_object(Bucket="exports", Key="lists/0.csv", Body=broken)

    assert system.connector().ask(an_ask(verb, corrections=correction(verb))) == Answer(
        TaskState.FAILED, "unreadable_file"
    )
    assert stored_text(system.extra["client"], "lists/0.csv") == broken.decode()


@alone("moto s3 csv")
@pytest.mark.parametrize(
    "note", ['"two\nlines; and ""words"""', 'a 5" screen', '"ends in a mark"""', "l'été", '""', '"comma, here"']
)
def test_a_table_as_programs_write_it_is_read_with_its_marks(system: System, note: str) -> None:
    of_ada = f"1;{ADA};{note}\r\n"
    client = system.extra["client"]
    client.put_object(Bucket="exports", Key="lists/0.csv", Body=f"{HEADER}{of_ada}{OF_GRACE}".encode())

    assert of_ada in system.connector().ask(an_ask(Verb.COLLECT)).collected["lines-1.csv"]
    system.connector().ask(an_ask(Verb.ERASE))
    assert stored_text(client, "lists/0.csv") == HEADER + OF_GRACE


@alone("moto s3 csv")
def test_a_file_without_the_column_is_never_called_done(system: System) -> None:
    system.extra["client"].put_object(Bucket="exports", Key="lists/0.csv", Body=b"name\nAda\n")

    assert system.connector().ask(an_ask(Verb.ERASE)) == Answer(TaskState.FAILED, "unreadable_file")


@alone("moto s3 ndjson")
def test_a_file_that_grew_meanwhile_is_not_overwritten(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    client, rewritten = system.extra["client"], s3.Lines._replace

    def grown(*arguments: Any) -> None:
        client.put_object(Bucket="exports", Key="lists/a.ndjson", Body=f'{{"mail": "{ADA}"}}\n{{"new": 1}}\n'.encode())
        rewritten(*arguments)

    monkeypatch.setattr(s3.Lines, "_replace", grown)
    with pytest.raises(UnavailableError):
        system.connector().ask(an_ask(Verb.ERASE))

    assert '"new": 1' in stored_text(client, "lists/a.ndjson")


@alone("moto s3 ndjson")
def test_a_long_file_is_written_in_parts_and_only_a_part_is_in_memory(system: System) -> None:
    client = system.extra["client"]
    other = json.dumps({"mail": GRACE, "text": "x" * 50_000}) + "\n"
    person = json.dumps({"mail": ADA}) + "\n"
    client.put_object(Bucket="exports", Key="lists/a.ndjson", Body=(person + other * 400 + person).encode())

    assert system.connector().ask(an_ask(Verb.ERASE)).state is TaskState.DONE

    assert client.get_object(Bucket="exports", Key="lists/a.ndjson")["Body"].read() == (other * 400).encode()
    assert client.list_multipart_uploads(Bucket="exports").get("Uploads", []) == []


def test_a_stream_is_cut_into_parts_without_being_gathered() -> None:
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(1_000):
            taken += 1
            yield b"x" * 100_000

    first = next(s3._parts(pieces()))

    assert len(first) <= s3.PART_BYTES + 100_000
    assert taken <= 85


@alone("moto s3 objects")
def test_more_than_a_case_can_keep_is_left_to_staff(system: System) -> None:
    digest = sha256(ADA.encode()).hexdigest()
    system.extra["client"].put_object(Bucket="exports", Key=f"people/{digest}/big", Body=b"x" * 150_001)

    assert system.connector().ask(an_ask(Verb.COLLECT)) == Answer(TaskState.FAILED, "too_large")


@alone("moto s3 objects")
def test_what_is_collected_bears_no_hash_of_the_address_in_its_name(system: System) -> None:
    collected = system.connector().ask(an_ask(Verb.COLLECT)).collected

    assert sorted(collected) == ["object-1.txt", "object-2.json"]
