"""What the local stack refuses before it touches anything."""

import socket
from pathlib import Path

import pytest

from local import layers
from local.errors import LocalStackError, RefusedToStartError
from local.front_door import FrontDoor
from local.state_folder import STATE_VERSION, StateFolder


def told_nothing(_: str) -> None:
    """Hear no log."""


def test_a_taken_port_is_named_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(RefusedToStartError, match=rf"PORT={port} is taken") as told:
            FrontDoor(port, log=told_nothing, secret="secret")

    assert "\n" not in str(told.value)
    assert told.value.exit_code == 2


@pytest.mark.parametrize("version", ["0", "", "older"])
def test_a_state_folder_of_another_version_is_refused_and_untouched(tmp_path: Path, version: str) -> None:
    (tmp_path / "state-version").write_text(version)
    (tmp_path / "mailbox.jsonl").write_text("precious")

    with pytest.raises(RefusedToStartError, match="another version") as told:
        StateFolder(tmp_path).open()

    assert "\n" not in str(told.value)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        "state-version": version,
        "mailbox.jsonl": "precious",
    }


def test_a_state_folder_of_this_version_opens_again(tmp_path: Path) -> None:
    for _ in range(2):
        state = StateFolder(tmp_path / "state")
        state.open()
        state.close()

    assert (tmp_path / "state/state-version").read_text().strip() == STATE_VERSION


def a_layer(folder: Path, recipe: str) -> Path:
    """The makefile of one layer, which notes each time that it is built."""
    folder.mkdir()
    note = folder.parent / "built"
    (folder / "Makefile").write_text(f"build-CoreLayer:\n\techo once >> {note}\n\t{recipe}\n")
    return folder


def test_a_layer_is_built_once_so_a_second_start_needs_no_network(tmp_path: Path) -> None:
    sources = a_layer(tmp_path / "layers", "mkdir -p $(ARTIFACTS_DIR)/python")
    for _ in range(2):
        layers.build(sources, ["CoreLayer"], tmp_path / "builds", Path("/usr/bin/python3"))

    assert (tmp_path / "built").read_text() == "once\n"


def test_a_layer_that_cannot_be_fetched_is_told_in_one_line_and_built_at_the_next_start(tmp_path: Path) -> None:
    sources = a_layer(tmp_path / "layers", "echo 'ERROR: no network' >&2; exit 1")
    python = Path("/usr/bin/python3")
    for _ in range(2):
        with pytest.raises(LocalStackError, match=r"The layer CoreLayer could not be built: ERROR: no network") as told:
            layers.build(sources, ["CoreLayer"], tmp_path / "builds", python)
        assert "\n" not in str(told.value)

    assert told.value.exit_code != 0
    assert (tmp_path / "built").read_text() == "once\n" * 2
