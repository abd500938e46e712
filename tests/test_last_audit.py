"""An audit of a folder in which nothing changed says what the last one said and loads nothing; else it is made."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock
from test_case import photo

from gtloc_forensics.case import last_audit
from gtloc_forensics.cli.main import gtloc

pytest.importorskip("fcntl", reason="the lock of a case is compared as Unix holds it")

HEAVY = ("numpy", "sqlalchemy", "cattrs", "msgspec", "pluggy", "rich", "PIL", "torch", "scipy", "reportlab", "exiftool")


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    for number in range(3):
        photo(folder / f"{number}.jpg", number)
    (folder / "0.jpg.xmp").write_text("<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    (folder / "notes.txt").write_text("no photo")
    return folder


@pytest.fixture
def case(evidence: Path, tmp_path: Path) -> Path:
    assert audit(evidence, tmp_path / "case").exit_code in (0, 1, 3)
    assert (tmp_path / "case" / last_audit.NOTE).is_file()
    return tmp_path / "case"


def audit(evidence: Path, case: Path, *more: str) -> Result:
    arguments = ["audit", str(evidence), "-o", str(case), "--model", "none", "--no-report", *more]
    return CliRunner().invoke(gtloc, arguments)


@pytest.fixture
def said_again(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each audit from now on was said again."""
    found: list[bool] = []
    real = last_audit.unchanged

    def watched(*arguments: object, **more: object) -> object:
        said = real(*arguments, **more)
        found.append(said is not None)
        return said

    monkeypatch.setattr(last_audit, "unchanged", watched)
    return found


def events(case: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(case / "case.sqlite")
    try:
        return connection.execute("SELECT sequence, action, event_hash FROM custody ORDER BY sequence").fetchall()
    finally:
        connection.close()


def test_the_second_audit_says_the_same_and_writes_nothing(evidence: Path, tmp_path: Path, said_again: list) -> None:
    first = audit(evidence, tmp_path / "case")
    held = {path.name: path.read_bytes() for path in (tmp_path / "case").iterdir()}
    second = audit(evidence, tmp_path / "case")
    assert said_again == [True]
    assert (second.stdout, second.exit_code) == (first.stdout, first.exit_code)
    assert "3 of 3 were done before" in second.stderr
    assert "hashing again: 3 of 3" in second.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "case").iterdir()} == held


def test_a_full_run_would_add_nothing_to_the_custody_chain_either(evidence: Path, case: Path) -> None:
    before = events(case)
    (case / last_audit.NOTE).unlink()
    audit(evidence, case)
    assert events(case) == before


def test_the_second_audit_loads_none_of_what_the_first_one_needs(evidence: Path, case: Path) -> None:
    code = (
        "import sys\nfrom gtloc_forensics.cli.main import gtloc\n"
        "try: gtloc(sys.argv[1:])\n"
        f"finally: print('loaded', *sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)\n"
    )
    arguments = ["audit", str(evidence), "-o", str(case), "--model", "none", "--no-report"]
    command = [sys.executable, "-c", code, *arguments]
    audit(evidence, case)
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # its own surroundings
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.stderr.splitlines()[-1] == "loaded"
    assert "3 photos" in done.stdout


def test_a_document_altered_together_with_the_note_is_not_repeated(
    evidence: Path, case: Path, said_again: list
) -> None:
    """What was written is said by the custody chain; the note alone is believed in nothing that lies in a file."""
    audit(evidence, case)
    whole = (case / "findings.json").read_bytes()
    (case / "findings.json").write_bytes(b"{}")
    note = json.loads((case / last_audit.NOTE).read_bytes())
    note["products"]["findings.json"] = hashlib.sha256(b"{}").hexdigest()
    (case / last_audit.NOTE).write_text(json.dumps(note), encoding="utf-8")
    audit(evidence, case)
    assert said_again[-1] is False
    assert json.loads((case / "findings.json").read_bytes()) == json.loads(whole)


def test_the_document_is_printed_again_too(evidence: Path, case: Path, said_again: list) -> None:
    first = audit(evidence, case, "--json")
    second = audit(evidence, case, "--json")
    assert said_again == [False, True]
    assert json.loads(second.stdout) == json.loads(first.stdout)


def touch(evidence: Path, case: Path) -> None:
    os.utime(evidence / "1.jpg")


def same_size_and_time(evidence: Path, case: Path) -> None:
    path = evidence / "1.jpg"
    found, now = bytearray(path.read_bytes()), path.stat()
    found[-3] ^= 1
    path.write_bytes(found)
    os.utime(path, ns=(now.st_atime_ns, now.st_mtime_ns))


def add(evidence: Path, case: Path) -> None:
    photo(evidence / "9.jpg", 9)


def take_away(evidence: Path, case: Path) -> None:
    (evidence / "2.jpg").unlink()


def change_sidecar(evidence: Path, case: Path) -> None:
    (evidence / "0.jpg.xmp").write_text("<x:xmpmeta xmlns:x='adobe:ns:meta/'><a/></x:xmpmeta>")


def change_what_is_no_photo(evidence: Path, case: Path) -> None:
    (evidence / "notes.txt").write_text("still none")


def change_document(evidence: Path, case: Path) -> None:
    with (case / "findings.json").open("ab") as file:
        file.write(b" ")


def lose_document(evidence: Path, case: Path) -> None:
    (case / "findings.json").unlink()


def add_to_the_chain(evidence: Path, case: Path) -> None:
    from gtloc_forensics.case.case import Case

    with Case(case) as opened:
        opened.note("verify", "case", {})


def put_something_into_the_case(evidence: Path, case: Path) -> None:
    (case / "corrections").mkdir()


def spoil_note(evidence: Path, case: Path) -> None:
    (case / last_audit.NOTE).write_text('{"surroundings": []}')


def replace_note_by_a_link(evidence: Path, case: Path) -> None:
    (case / last_audit.NOTE).rename(case.parent / "elsewhere.json")
    (case / last_audit.NOTE).symlink_to(case.parent / "elsewhere.json")


CHANGES = (
    *(touch, same_size_and_time, add, take_away, change_sidecar, change_what_is_no_photo),
    *(change_document, lose_document, add_to_the_chain, put_something_into_the_case),
    *(spoil_note, replace_note_by_a_link),
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_whatever_changed_the_audit_is_made_in_full(
    change: Callable[[Path, Path], None], evidence: Path, case: Path, said_again: list
) -> None:
    change(evidence, case)
    audit(evidence, case)
    assert said_again == [False]


def test_a_file_that_reads_otherwise_is_examined_again(
    evidence: Path, case: Path, said_again: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a disk gives may change under an unchanged stat tuple: the hash is asked each time."""
    real = last_audit.acquiring.rehash
    monkeypatch.setattr(
        last_audit.acquiring, "rehash", lambda root, name: "0" * 64 if name == b"1.jpg" else real(root, name)
    )
    done = audit(evidence, case)
    assert said_again == [False]
    assert "its content changed" in done.stdout


def test_another_request_is_another_audit(evidence: Path, case: Path, said_again: list) -> None:
    audit(evidence, case, "--examiner", "A. Examiner")
    assert said_again == [False]
    audit(evidence, case, "--examiner", "A. Examiner")
    assert said_again == [False, True]


def test_other_surroundings_are_another_audit(
    evidence: Path, case: Path, said_again: list, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.setenv("GTLOC_MODELS", str(tmp_path / "models"))
    audit(evidence, case)
    audit(evidence, case)
    (tmp_path / "models" / "new-model").mkdir()
    (tmp_path / "models" / "new-model" / "manifest.json").write_text("{}")
    audit(evidence, case)
    assert said_again == [False, True, False]


def test_a_case_that_another_process_holds_is_not_read(evidence: Path, case: Path) -> None:
    with FileLock(case / "case.lock"):
        done = audit(evidence, case)
    assert done.exit_code == 2
    assert "in use by another process" in done.stderr


def test_what_a_missing_package_may_yet_change_is_tried_again(
    evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from test_kept_results import HEIC

    (evidence / "a.heic").write_bytes(HEIC)
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    arguments = ["audit", str(evidence), "-o", str(tmp_path / "case"), "--model", "none", "--no-report", "--jobs", "0"]
    done = CliRunner().invoke(gtloc, arguments)
    assert "pip install" in done.stdout
    assert not (tmp_path / "case" / last_audit.NOTE).exists()


def test_a_folder_without_photos_is_told_as_one_again(tmp_path: Path, said_again: list) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "notes.txt").write_text("no photo")
    first, second = (audit(tmp_path / "evidence", tmp_path / "case") for _ in range(2))
    assert said_again == [True]
    assert second.exit_code == first.exit_code == 2
    assert "no photo in" in second.stderr


def test_a_decision_made_while_an_audit_ends_is_not_left_out(
    evidence: Path, case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = last_audit.newest(case / "case.sqlite")
    assert kept is not None
    said = last_audit.LastAudit(last_audit.Tally(), {})
    (case / last_audit.NOTE).unlink()
    stands = (kept.examination, (kept.chain[0] - 1, "0" * 64))
    assert not last_audit.keep(evidence, case, {}, said=said, stands=stands)
    assert not (case / last_audit.NOTE).exists()
    assert last_audit.keep(evidence, case, {}, said=said, stands=(kept.examination, kept.chain))
