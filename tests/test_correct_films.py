"""A film is corrected with the rest of its camera, by sidecar or in its own dates; it is on record, and comes back."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_case import photo as make_photo
from test_decode_films import dates_of, film

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.examination.settings import Settings

pytestmark = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A photo without a zone, and a film of the same camera that states one and counts UTC inside."""
    make_photo(tmp_path / "photos" / "a.jpg", 1, taken="2024:06:15 12:00:30")
    path = film(tmp_path / "photos" / "b.mov")
    said = ("-Keys:Make=Acme", "-Keys:Model=One", "-Keys:CreationDate=2024:06:15 12:10:30+02:00",
            "-QuickTime:CreateDate=2024:06:15 10:10:30", "-Track1:MediaCreateDate=2024:06:15 10:10:30")  # fmt: skip
    subprocess.run(["exiftool", "-q", "-overwrite_original", *said, str(path)], check=True)
    with open_case(tmp_path / "photos", tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0))
    return tmp_path


def correct(folder: Path, *arguments: str) -> str:
    done = CliRunner().invoke(gtloc, ["correct", str(folder / "case"), *arguments])
    assert done.exit_code == ExitCode.CLEAN, done.output
    return done.output


def steps(folder: Path, name: str) -> list[tuple[str, dict[str, str]]]:
    """Return what the journal says of one file, in order."""
    rows = map(json.loads, (folder / "case" / "corrections" / "journal.jsonl").read_text("utf-8").splitlines())
    return [(row["step"], row["facts"]) for row in rows if bytes.fromhex(row["photo"]).decode() == name]


def test_one_order_about_the_camera_is_about_its_films_too(folder: Path) -> None:
    told = correct(folder, "--camera", "Acme One", "--offset", "-01:02:00", "--zone", "Europe/Berlin")
    assert "a.jpg  OffsetTimeOriginal: – → +02:00" in told
    assert "b.mov  DateTimeOriginal: 2024-06-15 12:10:30 → 2024-06-15 11:08:30" in told


def test_a_film_gets_a_sidecar_and_stays_to_the_byte(folder: Path) -> None:
    before = (folder / "photos" / "b.mov").read_bytes()
    correct(folder, "--offset", "-01:02:00")
    correct(folder, "--apply", "--beside")
    sidecar = folder / "photos" / "b.mov.xmp"
    assert re.search(r"DateTimeOriginal\W+2024-06-15T11:08:30\+02:00", sidecar.read_text("utf-8"))
    assert (folder / "photos" / "b.mov").read_bytes() == before
    correct(folder, "--undo")
    assert not sidecar.exists()


def test_the_journal_follows_a_film_from_its_old_bytes_to_the_new_ones_and_back(folder: Path) -> None:
    path = folder / "photos" / "b.mov"
    before = path.read_bytes()
    correct(folder, "--offset", "-01:02:00")
    correct(folder, "--apply", "--in-place", "--yes-change-originals")
    assert dates_of(path) == {
        "CreateDate": "2024:06:15 09:08:30",
        "CreationDate": "2024:06:15 11:08:30+02:00",
        "MediaCreateDate": "2024:06:15 09:08:30",
    }
    written = hashlib.sha256(path.read_bytes()).hexdigest()
    correct(folder, "--undo")
    assert path.read_bytes() == before
    told = steps(folder, "b.mov")
    hashes = {value for _, facts in told for value in map(str, facts.values())}
    assert {hashlib.sha256(before).hexdigest(), written} <= hashes
    assert [step for step, _ in told][-2:] == ["undoing", "undone"]
    with Case(folder / "case") as case:
        assert case.custody_faults() == ()
        assert [event.subject for event in case.view().custody() if event.action == "correct"].count("b.mov") >= 1
