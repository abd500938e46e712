"""What a command loads: nothing heavy before it is needed, and what one does not need never."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gtloc_forensics.cli.commands import Commands
from gtloc_forensics.cli.main import gtloc

HEAVY = {
    *("torch", "timm", "faiss", "scipy", "reportlab", "jinja2", "sqlalchemy", "numpy", "PIL", "imagehash"),
    *("pluggy", "cattrs", "msgspec", "watchdog", "rich", "exiftool", "timezonefinder", "tomlkit", "pytsk3"),
}


def loaded_by(code: str, *arguments: str) -> set[str]:
    """Return the heavy packages, and the modules of ours, that a fresh process has loaded after *code*."""
    script = (
        f"import sys\ntry:\n    {code}\nexcept SystemExit: pass\nprint()\n"
        f"print('loaded', *sorted(name for name in sys.modules if name in {HEAVY!r} or name.startswith('gtloc_')))"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()[1:])


RUN = "from gtloc_forensics.cli.main import gtloc; gtloc(sys.argv[1:])"


@pytest.mark.parametrize("command", ["audit", "search", "export", "correct", "doctor"])
def test_the_help_of_a_command_loads_nothing_heavy_and_no_other_command(command: str) -> None:
    loaded = loaded_by(RUN, command, "--help")
    assert not loaded & HEAVY
    of_commands = {name for name in loaded if name.startswith("gtloc_forensics.cli.commands.")}
    assert len(of_commands) <= 1


def test_the_doctor_says_that_torch_and_the_models_are_there_without_loading_them() -> None:
    loaded = loaded_by(RUN, "doctor")
    assert not loaded & {"torch", "timm", "faiss", "scipy", "sqlalchemy", "reportlab", "PIL", "imagehash", "rich"}
    assert "gtloc_forensics.vision.intact" in loaded


def test_listing_a_folder_loads_neither_numpy_nor_readers_of_containers() -> None:
    loaded = loaded_by("from gtloc_forensics.files import acquiring, listing")
    assert not loaded & HEAVY
    readers = {"gtloc_forensics.files.containers.container", "gtloc_forensics.files.stores.store"}
    assert not loaded & readers
    assert not any(name.endswith(".findings") for name in loaded)


@pytest.mark.parametrize("command", [["search", "--months", "6-8"], ["correct"], ["export", "--format", "csv"]])
def test_commands_on_a_case_load_no_model_and_no_drawing_of_a_report(command: list[str], tmp_path: Path) -> None:
    from test_case import audit, photo

    photo(tmp_path / "evidence" / "a.jpg")
    audit(tmp_path / "evidence", tmp_path / "case")
    loaded = loaded_by(RUN, command[0], str(tmp_path / "case"), *command[1:])
    assert "sqlalchemy" in loaded
    assert not loaded & {"torch", "timm", "scipy", "reportlab", "watchdog", "pytsk3"}


def test_every_command_is_known_by_name_before_any_is_loaded() -> None:
    commands = Commands()
    assert {*commands} | {"audit", "doctor"} == {*gtloc.commands}
    assert all(command.name == name for name, command in commands.items())
    with pytest.raises(KeyError):
        commands["no such command"]


def test_every_name_of_the_records_comes_from_the_module_that_defines_it() -> None:
    from gtloc_forensics import records

    assert all(getattr(records, name) is not None for name in records.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = records.Nothing
