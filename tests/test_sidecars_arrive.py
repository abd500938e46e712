"""Corrections laid beside the photos arrive where people keep them, and what other programs wrote there stays."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from test_case import INLINE, photo

from gtloc_forensics.case.case import open_case
from gtloc_forensics.cli.main import ExitCode, gtloc

HISTORY = """<rdf:Seq>
     <rdf:li
      darktable:num="0"
      darktable:operation="flip"
      darktable:enabled="1"
      darktable:modversion="2"
      darktable:params="05000000"
      darktable:multi_name=""
      darktable:multi_priority="0"
      darktable:blendop_version="11"
      darktable:blendop_params="gz08eJxjYGBgYAFiCQYYOOHEgAYY0QWAgBGLGANDgz0Ej1Q+dlAx68oBEMbFxwX+AwGIBgCbGCeh"/>
    </rdf:Seq>"""

SIDECAR = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
    xmlns:darktable="http://darktable.sf.net/"
    xmlns:acdsee="http://ns.acdsee.com/iptc/1.0/"
   exif:DateTimeOriginal="2024:06:15 12:00:30.000"
   xmp:Rating="4"
   xmpMM:DerivedFrom="0.jpg"
   darktable:import_timestamp="63931496258621560"
   darktable:change_timestamp="-1"
   darktable:xmp_version="5"
   darktable:raw_params="0"
   darktable:auto_presets_applied="0"
   darktable:history_end="{end}"
   darktable:iop_order_version="2"
   acdsee:notes="mine">
   <darktable:masks_history>
    <rdf:Seq/>
   </darktable:masks_history>
   <darktable:history>
    {history}
   </darktable:history>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
"""A sidecar in the form of darktable 4.2: of a picture that was not edited its lists are there, and empty."""


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number in range(2):
        photo(folder / f"{number}.jpg", number, taken=f"2024:06:15 12:0{number}:30")
    return folder


def case_of(evidence: Path) -> Path:
    folder = evidence.parent / "case"
    with open_case(evidence, folder) as opened:
        opened.audit(INLINE)
    return folder


def correct(case: Path, *arguments: str) -> Result:
    return CliRunner().invoke(gtloc, ["correct", str(case), *arguments])


def in_darktable(photo_path: Path, room: Path) -> tuple[datetime, list[tuple], dict[int, str]]:
    """Import a photo into a library of darktable's own; return its time, its edits and its texts."""
    if shutil.which("darktable-cli") is None:
        pytest.skip("darktable-cli is not installed")
    room.mkdir()
    command = ["darktable-cli", str(photo_path), str(room / "out.jpg"), "--core", "--disable-opencl"]
    folders = ["--configdir", str(room), "--cachedir", str(room), "--library", str(room / "library.db")]
    subprocess.run([*command, *folders], check=True, capture_output=True, timeout=120)
    library = sqlite3.connect(room / "library.db")
    ((microseconds,),) = library.execute("SELECT datetime_taken FROM images")
    edits = library.execute("SELECT operation, hex(op_params), enabled FROM history ORDER BY num").fetchall()
    texts = dict(library.execute("SELECT key, value FROM meta_data").fetchall())
    library.close()
    return datetime(1, 1, 1) + timedelta(microseconds=microseconds), edits, texts


def test_a_clock_put_right_beside_the_photos_is_what_darktable_imports(evidence: Path, tmp_path: Path):
    case = case_of(evidence)
    correct(case, "--offset", "-01:02:00")
    assert correct(case, "--apply", "--beside").exit_code == ExitCode.CLEAN
    taken, _, _ = in_darktable(evidence / "0.jpg", tmp_path / "darktable")
    assert taken == datetime(2024, 6, 15, 10, 58, 30)


@pytest.mark.parametrize(("history", "end"), [("<rdf:Seq/>", 0), (HISTORY, 1)], ids=["not edited", "edited"])
def test_a_sidecar_of_darktable_is_merged_keeps_its_edits_and_comes_back_to_the_byte(
    evidence: Path, tmp_path: Path, history: str, end: int
):
    sidecar = evidence / "0.jpg.xmp"
    sidecar.write_text(SIDECAR.format(history=history, end=end), encoding="utf-8")
    before = sidecar.read_bytes()
    _, edits, texts = in_darktable(evidence / "0.jpg", tmp_path / "before")
    sidecar.write_bytes(before)  # darktable may have written its own
    case = case_of(evidence)
    correct(case, "--offset", "-01:02:00")
    applied = correct(case, "--apply", "--beside")
    assert applied.exit_code == ExitCode.CLEAN, applied.output
    merged = sidecar.read_text("utf-8")
    assert re.search(r"DateTimeOriginal\W+2024-06-15T10:58:30", merged)
    assert "mine" in merged
    corrected = sidecar.read_bytes()
    taken, edits_after, texts_after = in_darktable(evidence / "0.jpg", tmp_path / "after")
    assert (taken, edits_after, texts_after) == (datetime(2024, 6, 15, 10, 58, 30), edits, texts)
    sidecar.write_bytes(corrected)
    undone = correct(case, "--undo")
    assert undone.exit_code == ExitCode.CLEAN, undone.output
    assert sidecar.read_bytes() == before
    assert not (evidence / "1.jpg.xmp").exists()


@pytest.mark.parametrize(("style", "names"), [("a.jpg.xmp", ["0.jpg.xmp", "1.jpg.xmp"]), ("a.xmp", ["0.xmp", "1.xmp"])])
def test_sidecars_beside_the_photos_come_in_both_styles(evidence: Path, style: str, names: list[str]):
    case = case_of(evidence)
    correct(case, "--offset", "-01:02:00")
    assert correct(case, "--apply", "--beside", "--sidecar-style", style).exit_code == ExitCode.CLEAN
    assert sorted(path.name for path in evidence.glob("*.xmp")) == names
    assert correct(case, "--undo").exit_code == ExitCode.CLEAN
    assert not list(evidence.glob("*.xmp"))


def test_only_what_is_named_is_carried_out(evidence: Path):
    case = case_of(evidence)
    correct(case, "--offset", "-01:02:00")
    done = correct(case, "--apply", "--beside", "--only", "1.jpg")
    assert "1 file written" in done.output
    assert [path.name for path in evidence.glob("*.xmp")] == ["1.jpg.xmp"]
    none = correct(case, "--apply", "--only", "no-such-folder")
    assert none.exit_code == ExitCode.FAILURE


def test_a_transaction_is_taken_back_by_its_name(evidence: Path):
    case = case_of(evidence)
    correct(case, "--offset", "-01:02:00")
    correct(case, "--apply", "--beside", "--only", "0.jpg")
    correct(case, "--apply", "--beside", "--only", "1.jpg")
    assert correct(case, "--undo", "--transaction", "T0001").exit_code == ExitCode.CLEAN
    assert [path.name for path in evidence.glob("*.xmp")] == ["1.jpg.xmp"]
    assert correct(case, "--undo", "--transaction", "T0009").exit_code == ExitCode.FAILURE
    assert correct(case, "--transaction", "T0002").exit_code == ExitCode.FAILURE
