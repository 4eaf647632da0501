"""Files that staff collect by hand: they go into the person's package as they are, or are refused before anything."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from case_world import CASE, CaseWorld
from consent_center.domain.case import CaseState, Right
from consent_center.domain.errors import (
    ClosedCaseError,
    InvalidFormError,
    SettledTaskError,
    UnavailableError,
    UnknownCaseError,
)
from consent_center.domain.recipient import LARGEST_FILES, Answer, GivenFile, TaskState, as_collected, content_of
from consent_center.usecases.answers_of_recipients import hand_in, note_answer

PDF = b"%PDF-1.7\n\xe2\xe3\xcf\xd3\r\n\x00\xff"
FILES = [GivenFile("customer.json", '{"name": "Æ"}\r\n'.encode()), GivenFile("scan.pdf", PDF)]
BY_HAND = Answer(TaskState.ASKED, "manual")


@pytest.fixture
def world() -> CaseWorld:
    """An access case in which staff are to collect from the CRM, and the other recipient has answered."""
    world = CaseWorld()
    world.subscribe()
    world.crm.script = [BY_HAND]
    world.open(Right.ACCESS)
    world.look()
    assert world.tasks["crm"].state is TaskState.ASKED
    return world


def hand(world: CaseWorld, files: list[GivenFile], recipient: str = "crm", case: str = CASE) -> bool:
    return hand_in(
        case,
        recipient,
        files,
        by="staff:desk",
        cases=world.cases,
        particulars=world.particulars,
        orders=world.orders,
        clock=world.clock,
    )


def kept(world: CaseWorld) -> Any:
    return (world.particulars.read(CASE) or {}).get("collected", {})


def test_files_that_staff_hand_in_settle_the_task_and_end_in_the_package(world: CaseWorld) -> None:
    assert hand(world, FILES)
    assert (world.tasks["crm"].state, world.tasks["crm"].answer) == (TaskState.DONE, "collected")
    assert (world.orders.orders[-1][0], world.file.log[-1].by) == (CASE, "staff:desk")
    world.run(1)

    assert world.case.state is CaseState.DONE
    package = world.exports.kept[CASE, "access.zip"][0].decode()
    assert "customer.json" in package
    assert base64.b64encode(PDF).decode() in package


def test_what_is_handed_in_is_read_as_it_was_byte_by_byte() -> None:
    collected = as_collected(FILES)

    assert isinstance(collected["customer.json"], str)
    for file in FILES:
        content = content_of(collected[file.name])
        assert (content.encode() if isinstance(content, str) else content) == file.content


def test_handing_in_the_same_again_is_harmless_and_other_files_are_refused(world: CaseWorld) -> None:
    world.post_house.script = [Answer(TaskState.ASKED, "accepted")]
    assert hand(world, FILES)
    assert not hand(world, FILES)
    with pytest.raises(SettledTaskError):
        hand(world, FILES[:1])
    assert set(kept(world)["crm"]) == {"customer.json", "scan.pdf"}


def test_whoever_never_heard_that_the_files_were_taken_hands_them_in_again_after_the_case_is_closed(
    world: CaseWorld,
) -> None:
    hand(world, FILES)
    world.run(1)
    assert world.case.state is CaseState.DONE

    assert not hand(world, FILES)
    with pytest.raises(ClosedCaseError):
        hand(world, FILES[:1])


def test_a_task_that_staff_settled_without_files_takes_none_after(world: CaseWorld) -> None:
    note_answer(
        CASE, "crm", TaskState.NOTHING_HELD, by="staff:desk", cases=world.cases, orders=world.orders, clock=world.clock
    )
    with pytest.raises(SettledTaskError):
        hand(world, FILES)
    assert "crm" not in kept(world)


def test_whoever_was_cut_short_after_keeping_hands_in_again(world: CaseWorld) -> None:
    commit = world.cases.commit

    def dies(*_: Any, **__: Any) -> Any:
        raise UnavailableError("commit case")

    world.cases.commit = dies  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        hand(world, FILES)
    assert world.tasks["crm"].state is TaskState.ASKED

    world.cases.commit = commit  # type: ignore[method-assign]
    assert hand(world, FILES[:1])
    assert list(kept(world)["crm"]) == ["customer.json"]


def test_files_that_another_writer_kept_itself_over_are_asked_for_again(world: CaseWorld) -> None:
    before = world.particulars.read(CASE)
    hand(world, FILES)
    world.particulars.keep(CASE, before or {})
    world.look()

    assert world.case.state is CaseState.RUNNING
    assert (world.tasks["crm"].state, world.tasks["crm"].answer) == (TaskState.ASKED, "manual")
    assert hand(world, FILES)
    world.run(1)
    assert world.case.state is CaseState.DONE


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ([GivenFile("../etc/passwd", b"x")], "file_name"),
        ([GivenFile("a/b.txt", b"x")], "file_name"),
        ([GivenFile("a\\b.txt", b"x")], "file_name"),
        ([GivenFile("=cmd.csv", b"x")], "file_name"),
        ([GivenFile(".hidden", b"x")], "file_name"),
        ([GivenFile("a.tar.gz", b"x")], "file_name"),
        ([GivenFile("", b"x")], "file_name"),
        ([GivenFile("a.txt\n", b"x")], "file_name"),
        ([GivenFile("a.txt", b"x"), GivenFile("A.TXT", b"y")], "twice"),
        ([GivenFile("a.bin", b"x" * (LARGEST_FILES + 1))], "too_large"),
        ([GivenFile(f"a{n}.txt", b"") for n in range(101)], "too_large"),
        # A hundred and eighty kilobytes that are no text take a third more.
        ([GivenFile("a.bin", b"\xff" * 180_000)], "too_large"),
        ([GivenFile("latin.CSV", "Æ;=1+1".encode("latin-1"))], "not_utf8"),
    ],
)
def test_what_cannot_be_given_to_the_person_is_refused_and_nothing_is_kept(
    world: CaseWorld, files: list[GivenFile], rule: str
) -> None:
    with pytest.raises(InvalidFormError, match=rule):
        hand(world, files)
    assert "crm" not in kept(world)
    assert world.tasks["crm"].state is TaskState.ASKED


def test_only_what_was_to_be_collected_takes_files() -> None:
    world = CaseWorld()
    world.subscribe()
    world.crm.script = [BY_HAND]
    world.open(Right.ERASURE)
    world.look()
    with pytest.raises(InvalidFormError, match="not_collected"):
        hand(world, FILES)
    assert world.tasks["crm"].state is TaskState.ASKED


def test_a_closed_case_an_unknown_one_and_a_stranger_take_no_files(world: CaseWorld) -> None:
    with pytest.raises(UnknownCaseError):
        hand(world, FILES, case="nothing")
    with pytest.raises(UnknownCaseError):
        hand(world, FILES, recipient="lab")
    world.cases.files[CASE] = replace(world.file, case=replace(world.case, state=CaseState.LAPSED))
    with pytest.raises(ClosedCaseError):
        hand(world, FILES)
    assert "crm" not in kept(world)


def test_particulars_that_are_gone_do_not_come_back_as_a_shell(world: CaseWorld) -> None:
    world.particulars.shred(CASE)
    with pytest.raises(UnavailableError):
        hand(world, FILES)
    assert world.particulars.read(CASE) is None


def test_a_file_shows_nothing_of_itself() -> None:
    assert "Æ" not in repr(FILES)
    assert "customer" not in repr(FILES)
