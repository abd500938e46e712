"""Photos in space that no file claims: found on request, marked, bounded, and never twice."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import made_images
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

pytest.importorskip("pytsk3", reason="needs the extra images")

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.errors import UsageError
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.files import acquiring, reading
from gtloc_forensics.files.containers import carving
from gtloc_forensics.files.containers.carving import Carved, Stretch, photos_in
from gtloc_forensics.records import Candidate, Sentence, Skipped, visible
from gtloc_forensics.report.chapters import recorded
from gtloc_forensics.report.template import load_words

pytestmark = pytest.mark.xdist_group("images")

CARVING = Settings(model="none", jobs=0, reach=reading.Reach(carved=True))


@cache
def a_photo(
    number: int = 0,
    *,
    kind: str = "JPEG",
    size: tuple[int, int] = (320, 240),
    with_thumbnail: bool = False,
    doubtful: bool = False,
) -> bytes:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Acme", "One"
    exif.get_ifd(0x8769)[0x9003] = f"2024:06:{number % 28 + 1:02} 12:00:00"
    if doubtful:
        exif.get_ifd(0x8769)[0x9003] = "2031:06:08 12:00:00"  # still to come
    picture = Image.effect_noise(size, 40 + number).convert("RGB").point(lambda value: (value + 31 * number) % 256)
    picture.save(file, kind, exif=exif)
    data = file.getvalue()
    if with_thumbnail:  # a whole JPEG with both its markers in a segment of its own, as Exif has it
        small = io.BytesIO()
        picture.resize((80, 60)).save(small, "JPEG")
        within = b"MPF\0" + small.getvalue()
        data = data[:2] + b"\xff\xe2" + (len(within) + 2).to_bytes(2, "big") + within + data[2:]
    return data


def put(image: Path, offset: int, *contents: bytes) -> None:
    """Write bytes into an image where they lie, as if what they were of had been forgotten."""
    with image.open("r+b") as file:
        file.seek(offset)
        file.write(b"".join(contents))


def a_card(folder: Path, *, live: int = 2) -> tuple[Path, int]:
    """Make a FAT card with live photos and return it with a byte far behind them, at the start of a sector."""
    for number in range(live):
        path = folder / "card/DCIM" / f"IMG_{number:04}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(a_photo(number))
    return made_images.fat(folder / "card.dd", folder / "card"), 20 << 20


def listed(image: Path, *, carved: bool = True) -> dict[str, Candidate | Skipped]:
    reach = reading.Reach(carved=carved)
    return {visible(entry.relative).removeprefix(f"{image.name}!/"): entry for entry in reading.entries(image, reach)}


def carved_in(image: Path) -> list[str]:
    return [name for name, entry in listed(image).items() if "-carved/" in name and isinstance(entry, Candidate)]


def content_of(image: Path, inner: str) -> bytes:
    with reading.source_file(image, f"{image.name}!/{inner}".encode()) as file:
        return b"".join(file.blocks())


def found(data: bytes) -> list[Carved | Sentence]:
    """Look for photos in bytes."""
    stretch = Stretch(b"p1", 0, len(data))
    return list(photos_in(lambda at, length: data[at : at + length], stretch, deadline=float("inf")))


# --------------------------------------------------------------------------- in an image


def test_a_photo_in_free_space_is_found_only_on_request_with_its_bytes_and_without_name_and_times(
    tmp_path: Path,
) -> None:
    image, at = a_card(tmp_path)
    lost = a_photo(7, with_thumbnail=True)
    put(image, at, lost)
    assert not [name for name in listed(image, carved=False) if "carved" in name]
    name = f"p0-carved/offset-0x{at:x}-{len(lost)}-bytes.jpg"
    assert carved_in(image) == [name]
    assert content_of(image, name) == lost
    stat = reading.look(image, f"card.dd!/{name}".encode())
    assert (stat.is_carved, stat.is_deleted, stat.mtime_ns, stat.birth_ns, stat.inode) == (True, False, 0, None, at)


def test_what_a_directory_forgot_is_carved_from_fat_and_from_ext4(tmp_path: Path) -> None:
    """The entry itself is written over, so that no record tells of the photo any more."""
    image, _ = a_card(tmp_path, live=3)
    gone = a_photo(1)
    data = image.read_bytes()
    made_images.run("mdel", "-i", image, "::DCIM/IMG_0001.jpg")
    now = image.read_bytes()
    entry = next(at for at in range(0, len(now), 32) if now[at] == 0xE5 and now[at + 1 : at + 11] == b"MG_0001JPG")
    put(image, entry, b"\xe5" + bytes(31))
    assert not [name for name in listed(image) if "-deleted/" in name and isinstance(listed(image)[name], Candidate)]
    assert carved_in(image) == [f"p0-carved/offset-0x{data.index(gone):x}-{len(gone)}-bytes.jpg"]

    folder = tmp_path / "phone"
    folder.mkdir()
    for number in (4, 5):
        (folder / f"{number}.jpg").write_bytes(a_photo(number, size=(640, 480)))
    phone = made_images.ext4(tmp_path / "phone.dd", folder)
    made_images.needs("debugfs")
    before = phone.read_bytes()
    for request in ("clri 5.jpg", "unlink 5.jpg"):  # as a kernel leaves it: the record says nothing any more
        made_images.run("debugfs", "-w", "-R", request, phone)
    gone = a_photo(5, size=(640, 480))
    assert carved_in(phone) == [f"p0-carved/offset-0x{before.index(gone):x}-{len(gone)}-bytes.jpg"]


def test_what_a_deleted_entry_still_gives_is_not_given_twice(tmp_path: Path) -> None:
    image, _ = a_card(tmp_path)
    made_images.run("mdel", "-i", image, "::DCIM/IMG_0001.jpg")
    entries = listed(image)
    assert len([name for name, entry in entries.items() if "-deleted/" in name and isinstance(entry, Candidate)]) == 1
    (twice,) = [entry for name, entry in entries.items() if "-carved/" in name]
    assert isinstance(twice, Skipped)
    assert not twice.blocks
    assert re.fullmatch(r"the same bytes as card\.dd!/p0-deleted/\d+/DCIM/_MG_0001\.jpg", str(twice.reason))


def test_what_breaks_off_where_a_deleted_record_begins_is_that_record_s_photo(tmp_path: Path) -> None:
    """Two claims of one photo would be told as two."""
    image, _ = a_card(tmp_path)
    gone = a_photo(1)
    at = image.read_bytes().index(gone)
    made_images.run("mdel", "-i", image, "::DCIM/IMG_0001.jpg")
    put(image, at + len(gone) // 2 // 512 * 512, b"\xff\x45" * 256)  # written over in the middle
    (row,) = [entry for name, entry in listed(image).items() if "-carved/" in name]
    assert isinstance(row, Skipped)
    assert not row.blocks
    assert re.fullmatch(r"the beginning of card\.dd!/p0-deleted/\d+/DCIM/_MG_0001\.jpg", str(row.reason))


def test_of_a_deleted_photo_in_pieces_the_record_gives_all_and_carving_nothing_more(tmp_path: Path) -> None:
    made_images.needs("mkfs.ext2", "debugfs")
    folder = tmp_path / "phone"
    folder.mkdir()
    content = a_photo(5, size=(640, 480))
    (folder / "a.jpg").write_bytes(content)
    image = tmp_path / "phone.dd"
    # ext2 puts a block of its own into every file, behind its first twelve
    made_images.run("mkfs.ext2", "-q", "-F", "-b", "1024", "-d", folder, image, "8M")
    assert content not in image.read_bytes(), "it lies in one piece"
    made_images.run("debugfs", "-w", "-R", "rm a.jpg", image)
    entries = listed(image)
    (deleted,) = [name for name, entry in entries.items() if isinstance(entry, Candidate)]
    assert content_of(image, deleted) == content
    (row,) = [entry for name, entry in entries.items() if "-carved/" in name]
    assert str(row.reason) == f"begins at the same byte as phone.dd!/{deleted}, and goes on otherwise"  # type: ignore[union-attr]


def test_an_old_copy_of_a_live_photo_is_told_and_not_examined_again(tmp_path: Path) -> None:
    image, at = a_card(tmp_path)
    put(image, at, a_photo(1))
    (twice,) = [entry for name, entry in listed(image).items() if "-carved/" in name]
    assert isinstance(twice, Skipped)
    assert str(twice.reason) == "the same bytes as card.dd!/p0/DCIM/IMG_0001.jpg"


def test_a_carved_photo_goes_through_the_whole_case_and_is_marked_everywhere(tmp_path: Path) -> None:
    image, at = a_card(tmp_path)
    lost, cut = a_photo(7, doubtful=True), a_photo(9, size=(800, 600))
    put(image, at, lost)
    put(image, at + (2 << 20), cut[: len(cut) // 2], bytes(4096))
    runner = CliRunner()
    ran = runner.invoke(gtloc, ["audit", str(image), "-o", str(tmp_path / "case"), "--model", "none", "--carve"])
    document = json.loads((tmp_path / "case/findings.json").read_text())
    photos = {photo["path"]: photo for photo in document["photos"]}
    whole = photos[f"card.dd!/p0-carved/offset-0x{at:x}-{len(lost)}-bytes.jpg"]
    assert whole["sha256"] == hashlib.sha256(lost).hexdigest()
    assert whole["recorded"] == {
        "deleted": False, "carved": True, "modified": None, "modified_step_s": 1e-9,
        "created": None, "created_step_s": 0.0, "zone": None,
    }  # fmt: skip
    assert whole["claim"]["local_time"]["value"] == "2031-06-08T12:00:00"
    (told,) = [finding for finding in whole["findings"] if finding["outcome"] == "contradiction"]
    assert "its head and its picture may be of different files" in json.dumps(told["innocent"])
    assert document["environment"]["command"].endswith("card.dd --model none --carve")
    # a photo that breaks off still says when it was taken; its picture is not examined, with the reason
    (broken,) = [photo for path, photo in photos.items() if path.endswith("-bytes-cut.jpg")]
    assert broken["claim"]["local_time"]["value"] == "2024-06-10T12:00:00"
    reasons = {item["stage"]: item["reason"] for item in broken["not_examined"]}
    assert "the file is truncated" in reasons["decode"]
    assert ran.exit_code == 3
    with Case(tmp_path / "case") as case:
        case.export("html", tmp_path / "page.html")
        page = (tmp_path / "page.html").read_text()
        (entry,) = [entry for entry in case.view().photos() if entry.photo.source.relative.endswith(b"-bytes.jpg")]
        edition: Any = SimpleNamespace(words=load_words("default", "en"))
        told = [text for _, text in recorded.rows(edition, entry.photo.source.stat)]
        assert f"It was found at byte {at:,} of the image, in space that no file claims" in str(told)
        assert "what stands below p1-carved was found where no file claims the space" in page
        (event,) = [event for event in case.store.custody() if event.action == "container"]
        assert event.detail["free space"] == "searched for photos"
        assert case.verify(Settings(model="none", jobs=0), sample=4).differences == ()


def test_a_case_that_was_carved_is_verified_by_a_process_that_lists_nothing_first(tmp_path: Path) -> None:
    from gtloc_forensics.files.containers import container

    image, at = a_card(tmp_path)
    put(image, at, a_photo(7))
    with open_case(image, tmp_path / "case") as case:
        case.audit(CARVING)
    container._open.clear()
    (name,) = [f"card.dd!/p0-carved/offset-0x{at:x}-{len(a_photo(7))}-bytes.jpg"]
    assert acquiring.rehash(image, name.encode()) == hashlib.sha256(a_photo(7)).hexdigest()
    for wrong in ("p0-carved/offset-0x0-99999999-bytes.jpg", "p0-carved/offset-0xfffffffffff-10-bytes.jpg"):
        with pytest.raises(FileNotFoundError):
            reading.look(image, f"card.dd!/{wrong}".encode())


def test_the_name_that_we_gave_is_no_claim(tmp_path: Path) -> None:
    """A byte whose digits read as a date is no date, and its number is no counter of a camera."""
    file = io.BytesIO()
    Image.effect_noise((160, 120), 60).convert("RGB").save(file, "JPEG")  # no metadata at all
    image = tmp_path / "wiped.dd"
    image.write_bytes(b"")
    at = 0x20200
    os.truncate(image, 1 << 20)
    put(image, at, file.getvalue())
    with open_case(image, tmp_path / "case") as case:
        case.audit(CARVING)
        (entry,) = case.view().photos()
    assert entry.photo.source.display_path.startswith(f"wiped.dd!/p0-carved/offset-0x{at:x}-")
    assert entry.photo.claim.times == ()
    assert not hasattr(entry.photo.claim.local_time, "wall")


def test_a_wiped_card_is_an_image_by_its_name_and_is_not_examined_unless_carved(tmp_path: Path) -> None:
    image = tmp_path / "wiped.dd"
    image.write_bytes(bytes(8192) + a_photo(3) + bytes(8192))
    (row,) = listed(image, carved=False).values()
    assert isinstance(row, Skipped)
    assert row.blocks
    assert "gtloc audit --carve looks for photos in it" in row.reason
    assert carved_in(image) == [f"p0-carved/offset-0x2000-{len(a_photo(3))}-bytes.jpg"]
    image.rename(tmp_path / "letter.doc")
    with pytest.raises(UsageError, match="no folder, no archive"):
        listed(tmp_path / "letter.doc")


def test_space_that_no_partition_claims_is_looked_into_as_well(tmp_path: Path) -> None:
    (tmp_path / "card").mkdir()
    (tmp_path / "card/a.jpg").write_bytes(a_photo(1))
    system = made_images.fat(tmp_path / "fat", tmp_path / "card")
    image = made_images.disk(tmp_path / "card.dd", (made_images.FAT32, system))
    at = image.stat().st_size
    os.truncate(image, at + (20 << 20))
    put(image, at + (4 << 20), a_photo(2))
    assert carved_in(image) == [f"unclaimed-carved/offset-0x{at + (4 << 20):x}-{len(a_photo(2))}-bytes.jpg"]
    assert content_of(image, carved_in(image)[0]) == a_photo(2)


@pytest.mark.parametrize("make", [made_images.ntfs, None], ids=["ntfs", "exfat"])
def test_free_space_of_ntfs_and_exfat_is_what_their_files_do_not_claim(
    tmp_path: Path, make: Callable[..., Path] | None
) -> None:
    from datetime import datetime

    live = tmp_path / "live.jpg"
    live.write_bytes(a_photo(1, size=(60, 40)))
    if make is not None:
        image = make(tmp_path / "n.dd", [live])
    else:
        wall = datetime(2026, 11, 28, 12, 0)
        image = made_images.exfat(tmp_path / "x.dd", "live.jpg", live.read_bytes(), wall=wall, quarters=0)
    assert carved_in(image) == []
    at = (7 << 20) + 512 * 3
    put(image, at, a_photo(2))
    assert carved_in(image) == [f"p0-carved/offset-0x{at:x}-{len(a_photo(2))}-bytes.jpg"]


# --------------------------------------------------------------------------- the structure


def test_png_and_heic_end_where_their_own_structure_does() -> None:
    png = a_photo(1, kind="PNG")
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0\0\0\x10meta" + bytes(8) + b"\0\0\x01\x00mdat" + bytes(248)
    data = png + bytes(-len(png) % 512) + heic + bytes(-len(heic) % 512) + bytes(1024)
    second = len(png) + -len(png) % 512
    assert found(data) == [
        Carved(b"p1", 0, len(png), b"png", is_whole=True),
        Carved(b"p1", second, len(heic), b"heic", is_whole=True),
    ]
    damaged = png[:-30] + bytes([png[-30] ^ 1]) + png[-29:]
    (broken,) = found(damaged + bytes(512))
    assert isinstance(broken, Carved)
    assert not broken.is_whole


def test_a_photo_that_runs_into_another_breaks_off_and_the_other_is_found() -> None:
    first, second = a_photo(1), a_photo(2)
    kept = len(first) // 2 // 512 * 512
    data = first[:kept] + second + bytes(2000)
    assert found(data) == [
        Carved(b"p1", 0, kept, b"jpg", is_whole=False),
        Carved(b"p1", kept, len(second), b"jpg", is_whole=True),
    ]


def test_a_photo_that_breaks_off_into_empty_space_ends_there_and_not_at_the_next_file() -> None:
    """Zeros decode as grey, so that a picture filled up with them would pass for a whole one."""
    whole = a_photo(1)
    kept = len(whole) // 2
    first, second = found(whole[:kept] + bytes(-kept % 512 + (3 << 20)) + a_photo(2) + bytes(512))
    assert first == Carved(b"p1", 0, kept, b"jpg", is_whole=False)
    assert second == Carved(b"p1", kept + -kept % 512 + (3 << 20), len(a_photo(2)), b"jpg", is_whole=True)


def test_a_photo_that_breaks_off_in_its_head_is_told_and_not_examined(tmp_path: Path) -> None:
    whole = a_photo(1)
    head = whole[: whole.index(b"\xff\xdb")]
    (broken,) = found(head + bytes(4096))
    assert isinstance(broken, Carved)
    assert (broken.has_head, broken.is_whole) == (False, False)
    image = tmp_path / "wiped.dd"
    image.write_bytes(head + bytes(4096))
    (row,) = [entry for name, entry in listed(image).items() if "-carved/" in name]
    assert isinstance(row, Skipped)
    assert row.blocks
    assert "breaks off after" in row.reason


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff\xe0" + os.urandom(5000),
        b"\xff\xd8\xff" * 3000,
        b"\xff\xd8\xff\xd9" + bytes(1000),
        b"\xff\xd8\xff\xda\0\x04\1\2" + bytes(3000) + b"\xff\xd9",
        b"\x89PNG\r\n\x1a\n" + bytes(1000),
        b"\0\0\0\x18ftypheic" + bytes(1000),
        b"\0\0\0\0ftypheic" + b"\0\0\0\1mdat" + b"\xff" * 8 + bytes(100),
        b"\xff" * 4096,
        b"",
    ],
)
def test_what_only_begins_like_a_photo_is_none(data: bytes) -> None:
    assert [item for item in found(data) if isinstance(item, Carved) and item.has_head] == []


def test_a_thumbnail_at_the_start_of_a_sector_is_not_a_photo_of_its_own() -> None:
    small = a_photo(3, size=(80, 60))
    outer = a_photo(4)
    within = b"MPF\0" + bytes(512 - 2 - 4 - 4) + small
    data = outer[:2] + b"\xff\xe2" + (len(within) + 2).to_bytes(2, "big") + within + outer[2:]
    assert data.index(small) == 512
    (photo,) = found(data + bytes(600))
    assert photo == Carved(b"p1", 0, len(data), b"jpg", is_whole=True)


def test_what_is_found_is_bounded_in_number_size_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = a_photo(1, size=(64, 48))
    each = photo + bytes(-len(photo) % 512)
    image = tmp_path / "wiped.dd"
    image.write_bytes(each * 5)
    monkeypatch.setattr(carving, "MOST_PHOTOS", 3)
    entries = listed(image)
    assert len(carved_in(image)) == 3
    assert "more than 3 photos begin in free space" in entries["p0-carved"].reason  # type: ignore[union-attr]
    monkeypatch.setattr(carving, "MOST_PHOTOS", 100)
    monkeypatch.setattr(carving, "MOST_BYTES", len(photo) // 2)
    assert all("-cut" in name for name in carved_in(image))
    monkeypatch.setattr(carving, "MOST_SECONDS", -1.0)
    entries = listed(image)
    assert carved_in(image) == []
    row = entries["p0-carved"]
    assert isinstance(row, Skipped)
    assert row.blocks
    assert "was stopped" in row.reason


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_whatever_lies_there_what_is_found_lies_within_it_and_in_order(data: st.DataObject) -> None:
    whole = bytearray(
        a_photo(1) + bytes(700) + a_photo(2, kind="PNG", size=(40, 30)) + bytes(900) + a_photo(3, size=(64, 48))
    )
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(whole) - 1))
        piece = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"\xff\xd8\xff", b"\xff\xd9", b"\xff\xda", bytes(600)])
        )
        whole[at : at + data.draw(st.sampled_from([0, len(piece)]))] = piece
    content = bytes(whole)
    behind = 0
    for photo in found(content):
        assert isinstance(photo, Carved)
        assert behind <= photo.offset < photo.offset + photo.length <= len(content)
        assert photo.offset % 512 == 0
        assert carving.PATH.fullmatch(photo.path)
        behind = photo.offset + 1


def test_a_hostile_image_of_nothing_but_beginnings_ends(tmp_path: Path) -> None:
    """Every sector begins a photo that claims the longest segment: the work stays in proportion to the image."""
    image = tmp_path / "wiped.dd"
    image.write_bytes((b"\xff\xd8\xff\xe1\xff\xffExif\0\0" + bytes(500)) * 4096)
    rows = [entry for name, entry in listed(image).items() if "-carved/" in name]
    assert rows
    assert all(isinstance(row, Skipped) for row in rows)
