"""The exports of photo services: each JSON file goes to the photo it belongs to, and to no other."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from builders import a_photo, only
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gtloc_forensics.case.case import open_case
from gtloc_forensics.checks.rules.gf105_other_blocks import other_blocks
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.files import sidecar_names
from gtloc_forensics.files.listing import candidates_among, walk
from gtloc_forensics.records import (
    Candidate,
    CauseKind,
    Outcome,
    Position,
    Skipped,
    TimeKind,
    TimeReading,
    TimeRole,
)

LONG = "Screenshot_20210314_150926_com.example.of.a.long.name"
"""Longer than the 46 characters that an export leaves of it before ``.json``."""


def of_photos(*names: str) -> dict[str, tuple[str, ...]]:
    pairing = sidecar_names.paired(name.encode() for name in names)
    return {photo.decode(): tuple(map(bytes.decode, group)) for photo, group in pairing.of_photo.items()}


def ambiguous(*names: str) -> dict[str, tuple[str, ...]]:
    pairing = sidecar_names.paired(name.encode() for name in names)
    return {name.decode(): tuple(map(bytes.decode, group)) for name, group in pairing.ambiguous.items()}


@pytest.mark.parametrize(
    "mark",
    ["", ".supplemental-metadata", ".supplemental-meta", ".supplemental-me", ".suppl", ".s", "."],
)
def test_a_mark_may_be_cut_anywhere(mark: str) -> None:
    assert of_photos("a.jpg", f"a.jpg{mark}.json") == {"a.jpg": (f"a.jpg{mark}.json",)}


def test_a_name_that_was_cut_belongs_to_the_photo_that_begins_so() -> None:
    photo, beside = f"{LONG[:47]}.jpg", f"{LONG[:46]}.json"
    assert of_photos(photo, "other.jpg", beside) == {photo: (beside,)}


@pytest.mark.parametrize("left", ["f.j", "f.jp", "f."])
def test_a_name_may_be_cut_within_its_extension(left: str) -> None:
    title = f"{LONG[: 46 - len(left)]}{left}"
    photo = f"{title.rpartition('.')[0]}.jpg"
    assert of_photos(photo, f"{title}.json") == {photo: (f"{title}.json",)}


def test_the_number_of_a_copy_stands_after_the_extension_in_the_name_of_its_file() -> None:
    names = ("a.jpg", "a(1).jpg", "a.jpg.json", "a.jpg(1).json")
    assert of_photos(*names) == {"a.jpg": ("a.jpg.json",), "a(1).jpg": ("a.jpg(1).json",)}
    marked = ("a.jpg", "a(1).jpg", "a.jpg.supplemental-metadata.json", "a.jpg.supplemental-metadata(1).json")
    assert of_photos(*marked)["a(1).jpg"] == ("a.jpg.supplemental-metadata(1).json",)


@pytest.mark.parametrize(
    "mark", ["-edited", "-bearbeitet", "-modifié", "-modifie\u0301", "-ha editado", "-bewerkt", "-編集済み"]
)
def test_a_changed_copy_has_the_file_of_its_original(mark: str) -> None:
    names = (f"a{mark}.jpg", f"a{mark}(1).jpg", "a(1).jpg", "a.jpg.json", "a.jpg(1).json")
    assert of_photos(*names) == {
        f"a{mark}.jpg": ("a.jpg.json",),
        "a(1).jpg": ("a.jpg(1).json",),
        f"a{mark}(1).jpg": ("a.jpg(1).json",),
    }


def test_a_changed_copy_whose_mark_was_cut_has_it_too() -> None:
    original = LONG[:42]
    names = (f"{original}.jpg", f"{original}-edit.jpg", f"{original}.jpg.json")
    assert of_photos(*names) == {names[0]: (names[2],), names[1]: (names[2],)}


def test_another_photo_with_a_hyphen_is_no_changed_copy() -> None:
    assert of_photos("a.jpg", "a-b.jpg", "a-edi.jpg", "a.jpg.json") == {"a.jpg": ("a.jpg.json",)}


@pytest.mark.parametrize("film", ["a.MP4", "a.MOV", "a.mp4"])
def test_both_halves_of_a_live_photo_share_one_file(film: str) -> None:
    assert of_photos("a.HEIC", film, "a.HEIC.json") == {"a.HEIC": ("a.HEIC.json",), film: ("a.HEIC.json",)}


def test_the_film_of_a_motion_photo_shares_it_too() -> None:
    names = ("PXL_1.MP.jpg", "PXL_1.MP", "PXL_1.MP.jpg.json")
    assert of_photos(*names) == {names[0]: (names[2],), names[1]: (names[2],)}


def test_a_film_with_a_file_of_its_own_has_that() -> None:
    names = ("a.HEIC", "a.MP4", "a.HEIC.json", "a.MP4.json")
    assert of_photos(*names) == {"a.HEIC": ("a.HEIC.json",), "a.MP4": ("a.MP4.json",)}


def test_a_picture_does_not_take_the_file_of_a_film() -> None:
    assert of_photos("a.HEIC", "a.MP4", "a.MP4.json") == {"a.MP4": ("a.MP4.json",)}


def test_the_file_of_an_album_is_no_photos() -> None:
    names = ("metadata.jpg", "metadata.json", "metadata(1).json", "Metadaten.json", "métadonnées.json")
    assert of_photos(*names) == {}


def test_names_that_differ_in_case_only_have_their_own_files() -> None:
    assert of_photos("a.jpg", "A.JPG", "a.jpg.json", "A.JPG.json") == {
        "a.jpg": ("a.jpg.json",),
        "A.JPG": ("A.JPG.json",),
    }
    assert of_photos("a.JPG", "a.jpg.json") == {"a.JPG": ("a.jpg.json",)}


def test_a_name_is_the_same_however_its_accents_are_written() -> None:
    assert of_photos("cafe\u0301.jpg", "caf\u00e9.jpg.json") == {"cafe\u0301.jpg": ("caf\u00e9.jpg.json",)}


def test_a_cut_name_that_fits_two_photos_is_given_to_neither() -> None:
    photos, beside = [f"{LONG[:46]}{letter}.jpg" for letter in "ab"], f"{LONG[:46]}.json"
    assert of_photos(*photos, beside) == {}
    assert ambiguous(*photos, beside) == {beside: tuple(photos)}


def test_a_cut_name_goes_to_the_photo_that_no_other_file_names() -> None:
    first, second = (f"{LONG[:40]}{letter}.jpg" for letter in "ab")
    longer = f"{LONG[:47]}.jpg"
    names = (longer, f"{LONG[:46]}.json", first, f"{first}.json", second)
    assert of_photos(*names) == {longer: (f"{LONG[:46]}.json",), first: (f"{first}.json",)}


def test_a_cut_name_is_of_a_picture_with_its_film_and_its_changed_copy() -> None:
    photo, film, beside = f"{LONG[:47]}.heic", f"{LONG[:47]}.mp4", f"{LONG[:46]}.json"
    assert of_photos(photo, film, beside) == {photo: (beside,), film: (beside,)}


def test_ten_thousand_photos_are_paired_in_a_moment() -> None:
    names = [name for i in range(10_000) for name in (f"IMG_{i}.jpg", f"IMG_{i}.jpg.supplemental-metadata.json")]
    names += [name for i in range(10_000) for name in (f"{i:05}{LONG[:42]}.jpg", f"{i:05}{LONG[:41]}.json")]
    began = time.monotonic()
    assert len(of_photos(*names)) == 20_000
    assert time.monotonic() - began < 20.0


# --------------------------------------------------------------------------- in a folder


def put(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        content = b"{}" if name.endswith(".json") else b"\xff\xd8\xff\xe0" + bytes(100)
        (folder / name).write_bytes(content)


def test_what_is_ambiguous_is_said_to_be(tmp_path: Path) -> None:
    put(tmp_path, f"{LONG[:46]}a.jpg", f"{LONG[:46]}b.jpg", f"{LONG[:46]}.json")
    said = [entry for entry in walk(tmp_path) if isinstance(entry, Skipped)]
    assert [entry.relative.decode() for entry in said] == [f"{LONG[:46]}.json"]
    assert "given to none of them" in said[0].reason
    assert f"{LONG[:46]}a.jpg and {LONG[:46]}b.jpg" in said[0].reason


def test_a_service_s_file_without_its_photo_is_told_as_that(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg.json", "metadata.json")
    said = {entry.relative: str(entry.reason) for entry in walk(tmp_path) if isinstance(entry, Skipped)}
    assert said[b"a.jpg.json"].startswith("a photo service's file without its photo")
    assert said[b"metadata.json"].startswith("not a photo")


def test_a_file_that_arrives_brings_back_every_photo_whose_files_it_changes(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg", "a-edited.jpg", "b.jpg", "a.jpg.json")
    found = list(candidates_among(tmp_path, b"", names=[b"a.jpg.json"]))
    assert [entry.relative for entry in found] == [b"a-edited.jpg", b"a.jpg"]
    (tmp_path / "a.jpg.json").unlink()
    found = list(candidates_among(tmp_path, b"", names=[b"a.jpg.json"]))
    assert found == [Candidate(b"a-edited.jpg"), Candidate(b"a.jpg")]


# --------------------------------------------------------------------------- through a whole audit

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")

NOTE = {
    "title": f"{LONG}.jpg",
    "photoTakenTime": {"timestamp": "1055412345"},
    "geoData": {"latitude": 50.0875, "longitude": 14.4214, "altitude": 0.0},
}


@needs_exiftool
def test_a_photo_with_a_cut_name_has_the_time_of_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "Takeout"
    folder.mkdir()
    Image.effect_noise((96, 64), 30).convert("RGB").save(folder / f"{LONG[:47]}.jpg")
    Image.effect_noise((96, 64), 20).convert("RGB").save(folder / f"{LONG[:47]}(1).jpg")
    (folder / f"{LONG[:46]}.json").write_text(json.dumps(NOTE))
    with open_case(folder, tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0))
        claims = {entry.photo.source.display_path: entry.photo.claim for entry in case.view().photos()}
    assert claims[f"{LONG[:47]}.jpg"].utc_time.value == datetime(2003, 6, 12, 10, 5, 45)
    assert claims[f"{LONG[:47]}.jpg"].position.value == Position(50.0875, 14.4214)
    assert not claims[f"{LONG[:47]}(1).jpg"].times or all(
        "JSON" not in reading.tag for reading in claims[f"{LONG[:47]}(1).jpg"].times
    )


def test_what_a_service_keeps_is_not_called_a_correction() -> None:
    captured = datetime(2024, 6, 15, 12, 0)
    instant = TimeReading(
        datetime(2023, 6, 15, 10, 0), TimeKind.UTC, TimeRole.CAPTURE, "sidecar:JSON:PhotoTakenTimeTimestamp", "1", 0.0
    )
    photo = a_photo(local=captured, offset=2.0, tags={"ExifIFD:DateTimeOriginal": "2024:06:15 12:00:00"})
    photo = replace(photo, claim=replace(photo.claim, times=(*photo.claim.times, instant)))
    found = only(other_blocks, photo)
    assert (found.outcome, found.cause.kind) == (Outcome.EXPLAINED, CauseKind.SECOND_WITNESS)
    assert "correction" not in found.summary


APPLE = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 6.0.0">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/">
   <exif:GPSLongitudeRef>W</exif:GPSLongitudeRef>
   <exif:GPSLongitude>70.6693</exif:GPSLongitude>
   <exif:GPSLatitudeRef>S</exif:GPSLatitudeRef>
   <exif:GPSLatitude>33.4489</exif:GPSLatitude>
   <photoshop:DateCreated>2024-06-15T12:00:00-04:00</photoshop:DateCreated>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""


@needs_exiftool
def test_an_export_of_apple_s_photos_says_time_and_place_in_its_sidecar(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    Image.effect_noise((96, 64), 30).convert("RGB").save(folder / "IMG_1.jpg")
    (folder / "IMG_1.xmp").write_text(APPLE)
    with open_case(folder, tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0))
        (entry,) = case.view().photos()
    assert entry.photo.claim.local_time.value == datetime(2024, 6, 15, 12, 0)
    assert entry.photo.claim.position.value == Position(-33.4489, -70.6693), "it lies in Chile, not in China"


PARTS = st.sampled_from([b"a", b"-edited", b"(1)", b".jpg", b".json", b".supplemental-metadata", b".s", b".MP", b".mp4",
                         b"\xff", b"\xc3", b"e\xcc\x81", b".xmp", b".", b"x" * 46, b"(", b")"])  # fmt: skip


@given(st.lists(st.lists(PARTS, min_size=1, max_size=6).map(b"".join), max_size=8))
def test_whatever_files_are_called_each_service_s_file_is_given_or_said_to_be_ambiguous(names: list[bytes]) -> None:
    pairing = sidecar_names.paired(names)
    for photo, group in pairing.of_photo.items():
        assert {photo, *group} <= {*names}
        assert sidecar_names.may_be_photo(photo)
        assert not {*group} & {*pairing.ambiguous}
    for photos in pairing.ambiguous.values():
        assert len(photos) > 1
