"""How files are built: read from bytes, compared among siblings, told once."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from builders import a_group, a_summary
from PIL import Image
from see_landscapes import landscape

from gtloc_forensics.case.case import open_case
from gtloc_forensics.checks import Context
from gtloc_forensics.checks.rules.gf411_file_structure import file_structure
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.metadata.jpeg_structure import structure
from gtloc_forensics.records import FileStructure, Finding, Outcome, PhotoSummary

CAMERAS = FileStructure(
    segments="APP1 Exif, APP2 MPF, DQT, SOF0, DHT",
    quantisation="a" * 16,
    huffman="standard",
    sampling="2x1 1x1 1x1",
    exif_order="little-endian, at 8",
    exif_blocks="IFD0, values of IFD0, ExifIFD, values of ExifIFD, MakerNote",
    exif_tags="010f 0110 8769",
    maker_note="there",
    thumbnail="160x120; 2x1 1x1 1x1",
)
SAVED_AGAIN = replace(
    CAMERAS, segments="APP0 JFIF, APP1 Exif, DQT, SOF0, DHT", quantisation="b" * 16, sampling="2x2 1x1 1x1"
)


def drawn(number: int = 0, *, exif: bytes = b"", **how: object) -> bytes:
    out = io.BytesIO()
    landscape(number, daylight=0.8).resize((320, 240)).save(out, "JPEG", exif=exif, **how)
    return out.getvalue()


def exif_of_camera(number: int = 0) -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131] = "Acme", "One", "1.02"
    inner = exif.get_ifd(0x8769)
    inner[0x9003] = f"2024:06:15 10:{number:02}:00"
    inner[0xA431] = "4711"
    return exif.tobytes()


# --------------------------------------------------------------------------- reading


def test_what_the_encoder_was_told_is_read() -> None:
    fine, coarse = structure(drawn(quality=95, subsampling=0)), structure(drawn(quality=50, subsampling=2))
    assert fine is not None and coarse is not None
    assert fine.quantisation != coarse.quantisation
    assert (fine.sampling, coarse.sampling) == ("1x1 1x1 1x1", "2x2 1x1 1x1")
    assert fine.huffman == "standard"
    optimised = structure(drawn(optimize=True))
    assert optimised is not None and optimised.huffman == "own"
    assert fine.segments.startswith("APP0 JFIF, DQT, SOF0, DHT")


def test_the_picture_itself_changes_nothing() -> None:
    first, second = structure(drawn(1, exif=exif_of_camera(1))), structure(drawn(2, exif=exif_of_camera(2)))
    assert first == second


def test_the_layout_of_exif_is_read() -> None:
    found = structure(drawn(exif=exif_of_camera()))
    assert found is not None
    assert found.exif_order == "big-endian, at 8"
    assert found.exif_tags == "010f 0110 0131 8769"
    assert found.exif_blocks.startswith("IFD0, ")
    assert found.maker_note == "not there"
    assert found.thumbnail == "not there"


def test_another_kind_of_file_has_no_such_structure() -> None:
    assert structure(b"") is None
    assert structure(b"\x89PNG\r\n\x1a\n" + b"\0" * 64) is None


def test_no_cut_and_no_changed_byte_raises() -> None:
    whole = drawn(exif=exif_of_camera())
    for length in range(0, 700, 7):
        structure(whole[:length])
    for place in range(2, 700):
        for value in (0x00, 0xFF, whole[place] ^ 0x80):
            structure(whole[:place] + bytes([value]) + whole[place + 1 :])


def test_directories_that_point_at_themselves_end() -> None:
    tiff = b"II*\0" + struct.pack("<IHHHII", 8, 1, 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    block = b"Exif\0\0" + tiff
    found = structure(b"\xff\xd8\xff\xe1" + struct.pack(">H", len(block) + 2) + block)
    assert found is not None
    assert found.exif_blocks == "IFD0"


def test_what_is_too_long_is_kept_short() -> None:
    comments = b"".join(b"\xff" + bytes([0xE0 + number % 16]) + b"\0\3x" for number in range(3000))
    found = structure(b"\xff\xd8" + comments + drawn()[2:])
    assert found is None or len(found.segments) < 400


# --------------------------------------------------------------------------- comparing


def siblings(count: int = 12, **changes: object) -> list[PhotoSummary]:
    times = (f"2024-06-15 10:{number:02}:00" for number in range(count))
    return [
        a_summary(f"{number:02}.jpg", local_time=time, software="1.02", structure=CAMERAS, **changes)
        for number, time in enumerate(times)
    ]


def said(photos: list[PhotoSummary]) -> dict[str, Finding]:
    names = {photo.source_id: photo.name for photo in photos}
    found = file_structure.function(a_group(*photos), Context(now_utc=None))  # type: ignore[arg-type]
    return {names[finding.source_ids[0]]: finding for finding in found}


def test_the_one_that_was_saved_again_is_told_and_its_siblings_pass() -> None:
    photos = siblings()
    photos[5] = replace(photos[5], structure=SAVED_AGAIN)
    found = said(photos)
    told = found.pop("05.jpg")
    assert told.outcome is Outcome.EXPLAINED
    assert told.cause is not None and told.cause.kind == "rewritten" and told.cause.device_key == ""
    assert "quantisation tables, colour sampling, first segment and order of the segments" in told.summary
    assert "11 other photos" in told.summary
    assert {finding.outcome for finding in found.values()} == {Outcome.CONSISTENT}


def test_one_trait_alone_may_be_a_mode_of_the_camera() -> None:
    photos = siblings()
    photos[5] = replace(photos[5], structure=replace(CAMERAS, quantisation="c" * 16))
    assert said(photos)["05.jpg"].outcome is Outcome.NOT_TESTABLE


def test_several_traits_of_one_part_may_be_a_mode_of_the_camera() -> None:
    photos = siblings()
    other = replace(CAMERAS, quantisation="c" * 16, huffman="own", sampling="2x2 1x1 1x1")
    photos[5] = replace(photos[5], structure=other)
    assert said(photos)["05.jpg"].outcome is Outcome.NOT_TESTABLE


def test_metadata_alone_written_otherwise_may_be_another_mode_too() -> None:
    photos = siblings()
    other = replace(CAMERAS, segments="APP0 JFIF, APP1 Exif, APP1 XMP, DQT, SOF0, DHT", exif_tags="010f 0110")
    photos[5] = replace(photos[5], structure=other)
    assert said(photos)["05.jpg"].outcome is Outcome.NOT_TESTABLE


def test_a_missing_thumbnail_and_an_unread_picture_say_nothing() -> None:
    photos = siblings()
    bare = replace(CAMERAS, thumbnail="not there", segments="", quantisation="", huffman="", sampling="")
    photos[5] = replace(photos[5], structure=bare)
    assert said(photos)["05.jpg"].outcome is Outcome.CONSISTENT


def test_tables_that_siblings_do_not_share_are_no_trait() -> None:
    photos = [
        replace(photo, structure=replace(CAMERAS, quantisation=f"{number:016x}", sampling=f"{number}"))
        for number, photo in enumerate(siblings())
    ]
    photos[5] = replace(photos[5], structure=SAVED_AGAIN)
    assert said(photos)["05.jpg"].outcome is Outcome.NOT_TESTABLE  # how the file begins is left, and no more


def test_seven_siblings_are_too_few() -> None:
    photos = siblings(8)
    photos[5] = replace(photos[5], structure=SAVED_AGAIN)
    assert {finding.outcome for finding in said(photos).values()} == {Outcome.NOT_TESTABLE}


def test_another_firmware_is_compared_with_its_own() -> None:
    older = siblings()
    newer = [
        replace(photo, source_id=f"n{photo.source_id}", name=f"n{photo.name}", software="2.0", structure=SAVED_AGAIN)
        for photo in siblings()
    ]
    assert {finding.outcome for finding in said([*older, *newer]).values()} == {Outcome.CONSISTENT}


def test_what_an_editor_saved_goes_with_what_gf115_tells_of_it() -> None:
    photos = siblings()
    photos[5] = replace(photos[5], structure=SAVED_AGAIN, software="Adobe Photoshop 25.0")
    cause = said(photos)["05.jpg"].cause
    assert cause is not None and cause.kind == "exported"


# --------------------------------------------------------------------------- from the file to the sentence


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_a_photo_saved_by_another_program_is_found_among_its_siblings(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(10):
        path = folder / f"{number:02}.jpg"
        path.write_bytes(drawn(number, exif=exif_of_camera(number), quality=93, subsampling=0))
    odd = folder / "04.jpg"
    odd.write_bytes(drawn(4, exif=exif_of_camera(4), quality=75, subsampling=2, progressive=True))
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-XMP-dc:Title=x", str(odd)], check=True)
    with open_case(folder, tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0))
        found = {
            entry.photo.source.display_path: next(item for item in entry.findings if item.check_id == "GF411")
            for entry in case.view().photos()
        }
        causes = [group.cause.kind for group in case.view().causes() if "GF411" in group.check_ids]
    assert found.pop("04.jpg").outcome is Outcome.EXPLAINED
    assert {finding.outcome for finding in found.values()} == {Outcome.CONSISTENT}
    assert causes == ["rewritten"]
