"""What a sidecar of ours says is what docs/photo-managers.md promises to the programs that read it, tag by tag."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_case import INLINE

from gtloc_forensics.case.case import open_case
from gtloc_forensics.cli.main import ExitCode, gtloc

ROOT = Path(__file__).parents[1]
PROGRAMS = ("digikam", "lightroom-classic", "photoprism", "shotwell")
EXIFTOOL = shutil.which("exiftool")
PHOTO = "NV000120.JPG"
NOT_OURS = {"XMP-x:XMPToolkit", "ExifTool:ExifToolVersion"}

pytestmark = pytest.mark.skipif(EXIFTOOL is None, reason="exiftool is not installed")


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photos of a clock six hours ahead: clock, zone, position and keywords in one plan, not yet applied."""
    folder = tmp_path_factory.mktemp("contract")
    for name in (PHOTO, "NV000124.JPG"):
        (folder / "photos").mkdir(exist_ok=True)
        shutil.copy(ROOT / "examples" / "case_folder" / "nordvale" / name, folder / "photos" / name)
    with open_case(folder / "photos", folder / "case") as opened:
        opened.audit(INLINE)
    correct(folder / "case", "--offset", "-06:00:00", "--zone", "America/Denver", "--gps", "sign-lon", "--keywords")
    return folder


def correct(case: Path, *arguments: str) -> None:
    done = CliRunner().invoke(gtloc, ["correct", str(case), *arguments])
    assert done.exit_code == ExitCode.CLEAN, done.output


def read(sidecar: Path) -> dict[str, object]:
    """Return what exiftool reads of a sidecar, ``group:tag`` → value, without the facts about the file."""
    command = [str(EXIFTOOL), "-j", "-G1", "-a", "-e", "-struct", "--System:all", "--File:all", str(sidecar)]
    tags = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)[0]
    return {name: value for name, value in tags.items() if ":" in name and name not in NOT_OURS}


@pytest.fixture(scope="module", params=["a.jpg.xmp", "a.xmp"])
def sidecar(request: pytest.FixtureRequest, corrected: Path) -> dict[str, object]:
    correct(corrected / "case", "--apply", "--beside", "--sidecar-style", request.param)
    name = PHOTO + ".xmp" if request.param == "a.jpg.xmp" else "NV000120.xmp"
    told = read(corrected / "photos" / name)
    correct(corrected / "case", "--undo")
    assert not (corrected / "photos" / name).exists()
    return told


def test_the_dates_of_a_sidecar_carry_their_zone(sidecar):
    assert sidecar["XMP-exif:DateTimeOriginal"] == "2022:04:02 09:10:51-06:00"
    assert sidecar["XMP-photoshop:DateCreated"] == "2022:04:02 09:10:51-06:00"


def test_a_position_is_written_as_exif_in_xmp_writes_it(sidecar):
    assert re.fullmatch(r"39 deg 4\d' [\d.]+\" N", str(sidecar["XMP-exif:GPSLatitude"]))
    assert str(sidecar["XMP-exif:GPSLongitude"]).endswith("E")  # the sign was exchanged as ordered


def test_keywords_stand_in_the_three_places_where_programs_look(sidecar):
    (word,) = sidecar["XMP-lr:HierarchicalSubject"]
    assert re.fullmatch(r"gtloc\|(contradiction|suspicious)\|[a-z-]+", word)
    assert sidecar["XMP-digiKam:TagsList"] == [word.replace("|", "/")]
    assert sidecar["XMP-dc:Subject"] == [word.rpartition("|")[2]]  # the leaf, as Lightroom writes it


def test_the_page_lists_every_tag_that_a_sidecar_has_and_no_other(sidecar):
    page = (ROOT / "docs" / "photo-managers.md").read_text("utf-8")
    section = page[page.index("### What stands in a sidecar") :]
    listed = set(re.findall(r"`(XMP-[A-Za-z-]+:[A-Za-z]+)`", section[: section.index("\n### ", 5)]))
    assert set(sidecar) <= listed, set(sidecar) - listed
    assert listed - set(sidecar) == {"XMP-exif:GPSDateTime"}  # the GPS clock was right here, and stays


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_program_has_a_page_that_says_what_was_tried_and_leads_to_the_tags(program):
    page = (ROOT / "docs" / "managers" / f"{program}.md").read_text("utf-8")
    assert "what-stands-in-a-sidecar" in page
    assert re.search(r"not (run|tried)", page), "a page says that the program itself was not run"
