"""Metadata that cannot be read is an outcome of its own: never "not there", and never clean."""

from __future__ import annotations

import io
import random
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from gtloc_forensics.case.case import open_case
from gtloc_forensics.examination.instruments import Settings
from gtloc_forensics.metadata import exif_directory, exiftool
from gtloc_forensics.metadata.exiftool.unread import unread_blocks
from gtloc_forensics.records import Absent, Claim, MetadataBlock, PhotoEntry, Status

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")

INLINE = Settings(model="none", jobs=0)


def an_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0132] = "Acme", "One", "2024:06:15 12:00:00"
    inner = exif.get_ifd(0x8769)
    inner[0x9003] = inner[0x9004] = "2024:06:15 12:00:00"
    inner[0x9011], inner[0x8827] = "+02:00", 100
    inner[0x829A], inner[0x829D] = IFDRational(1, 100), IFDRational(28, 10)
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (48.0, 51.0, 24.0), "E", (2.0, 21.0, 3.0)
    gps[7], gps[29] = (10.0, 0.0, 0.0), "2024:06:15"
    return exif


def drawn(kind: str = "JPEG", **more: object) -> bytes:
    """Return a small picture with a whole EXIF block."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).convert("RGB").save(out, kind, exif=an_exif(), **more)
    return out.getvalue()


def entries(folder: Path, output: Path) -> dict[str, PhotoEntry]:
    with open_case(folder, output) as case:
        case.audit(INLINE)
        return {entry.photo.source.display_path: entry for entry in case.view().photos()}


def told(entry: PhotoEntry) -> list[str]:
    return [item.reason for item in entry.unexamined if item.stage == "metadata"]


def _tiff_at(picture: bytes) -> int:
    return picture.index(b"Exif\0\0") + 6


def _changed(picture: bytes, at: int, value: bytes) -> bytes:
    return picture[:at] + value + picture[at + len(value) :]


def ifd0_far_away(picture: bytes) -> bytes:
    return _changed(picture, _tiff_at(picture) + 4, b"\x7f")


def wrong_byte_order(picture: bytes) -> bytes:
    at = _tiff_at(picture)
    return _changed(picture, at, b"MM" if picture[at : at + 2] == b"II" else b"II")


def wrong_magic(picture: bytes) -> bytes:
    return _changed(picture, _tiff_at(picture) + 2, b"\x77\x77")


def exif_pointer_far_away(picture: bytes) -> bytes:
    entry = struct.pack(">HHI", 0x8769, 4, 1)
    return _changed(picture, picture.index(entry) + 8, b"\x7f\x00\x00\x00")


def truncated_segment(picture: bytes) -> bytes:
    at = picture.index(b"Exif\0\0") - 2
    return _changed(picture, at, b"\x00\x0a")


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "first directory": ifd0_far_away,
    "byte order": wrong_byte_order,
    "magic": wrong_magic,
    "pointer": exif_pointer_far_away,
    "segment": truncated_segment,
}


@needs_exiftool
def test_each_damage_of_a_block_is_told_and_gf118_does_not_speak_of_removal(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "whole.jpg").write_bytes(drawn())
    for name, damage in DAMAGES.items():
        (folder / f"{name}.jpg").write_bytes(damage(drawn()))
    found = entries(folder, tmp_path / "case")
    assert not told(found["whole.jpg"])
    for name in DAMAGES:
        entry = found[f"{name}.jpg"]
        assert any("EXIF block is damaged" in reason for reason in told(entry)), name
        assert entry.status is not Status.CLEAN
        assert not any("removed or never written" in finding.summary for finding in entry.findings), name
        claim = entry.photo.claim
        assert isinstance(claim, Claim)
        assert claim.device.make is not Absent.MISSING
        assert claim.local_time is not Absent.MISSING


@needs_exiftool
def test_xmp_that_takes_the_place_of_a_damaged_exif_block_does_not_hide_it(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    path = folder / "a.jpg"
    path.write_bytes(drawn())
    command = ["exiftool", "-q", "-overwrite_original", "-XMP-exif:DateTimeOriginal=2024:06:15 12:00:00", path]
    subprocess.run(command, check=True)
    path.write_bytes(ifd0_far_away(path.read_bytes()))
    entry = entries(folder, tmp_path / "case")["a.jpg"]
    assert isinstance(entry.photo.claim, Claim)
    assert not isinstance(entry.photo.claim.local_time, Absent)
    assert told(entry)


@needs_exiftool
@pytest.mark.parametrize("content", [b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF><rdf:Descr", b"\0" * 40])
def test_a_sidecar_that_cannot_be_read_is_an_outcome_of_its_photo(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(drawn())
    (folder / "a.jpg.xmp").write_bytes(content)
    (reason,) = told(entries(folder, tmp_path / "case")["a.jpg"])
    assert reason.startswith("the sidecar a.jpg.xmp could not be read")
    assert entries(folder, tmp_path / "case")["a.jpg"].photo.source.sidecars == (b"a.jpg.xmp",)


@needs_exiftool
def test_a_sidecar_too_long_to_be_read_is_an_outcome_of_its_photo(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(drawn())
    (folder / "a.xmp").write_bytes(b"<?xpacket ?>" + b" " * (17 << 20))
    (reason,) = told(entries(folder, tmp_path / "case")["a.jpg"])
    assert "17 MB is more than the 16 MB" in reason


def png_with(exif: bytes) -> bytes:
    picture = drawn("PNG")
    start = picture.index(b"eXIf") - 4
    length = int.from_bytes(picture[start : start + 4], "big")
    chunk = struct.pack(">I", len(exif)) + b"eXIf" + exif + struct.pack(">I", zlib.crc32(b"eXIf" + exif))
    return picture[:start] + chunk + picture[start + 12 + length :]


@needs_exiftool
def test_the_exif_chunk_of_a_png_is_a_block_too(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    picture = drawn("PNG")
    start = picture.index(b"eXIf")
    length = int.from_bytes(picture[start - 4 : start], "big")
    exif = picture[start + 4 : start + 4 + length]
    (folder / "whole.png").write_bytes(png_with(exif))
    (folder / "ifd0.png").write_bytes(png_with(exif[:4] + b"\x7f" + exif[5:]))
    (folder / "header.png").write_bytes(png_with(b"XX" + exif[2:]))
    found = entries(folder, tmp_path / "case")
    assert not told(found["whole.png"])
    assert told(found["ifd0.png"])
    assert told(found["header.png"])


@pytest.mark.parametrize(
    ("warning", "block"),
    [
        ("Bad IFD0 directory", MetadataBlock.EXIF),
        ("Bad ExifOffset SubDirectory start", MetadataBlock.EXIF),
        ("Bad GPSInfo SubDirectory start", MetadataBlock.GPS),
        ("Wrong byte order for EXIF", MetadataBlock.EXIF),
        ("Malformed APP1 EXIF segment", MetadataBlock.EXIF),
        ("Bad format (77) for IFD0 entry 3", MetadataBlock.EXIF),
        ("XMP format error (no closing tag for x)", MetadataBlock.XMP),
        ("Invalid XMP", MetadataBlock.XMP),
        ("Bad Photoshop resource block", MetadataBlock.IPTC),
        ("Error rebuilding maker notes (may be corrupt)", MetadataBlock.MAKER_NOTES),
        ("Truncated 'moov' data (missing 8 bytes)", MetadataBlock.QUICKTIME),
        ("Truncated PNG image", MetadataBlock.PNG),
        ("JPEG format error", MetadataBlock.CONTAINER),
        ("Error: File format error", MetadataBlock.CONTAINER),
        ("[Minor] Too many warnings -- IFD0 parsing aborted", MetadataBlock.EXIF),
        ("a warning that nobody has seen yet", MetadataBlock.CONTAINER),
    ],
)
def test_a_warning_names_the_block_that_was_not_read(warning: str, block: MetadataBlock) -> None:
    (found,) = unread_blocks([warning, warning])
    assert (found.block, found.said) == (block, warning)


@pytest.mark.parametrize(
    "warning",
    [
        "[minor] Unrecognized MakerNotes",
        "[minor] Possibly incorrect maker notes offsets (fix by 12?)",
        "Bad length ICC_Profile (length 3144)",
        "Invalid offset for IFD1 ThumbnailOffset",
        "IPTCDigest is not current. XMP may be out of sync",
        "Superfluous BOM at start of XMP",
        "The ExtractEmbedded option may find more tags in the media data",
    ],
)
def test_a_warning_about_what_no_claim_stands_in_is_no_outcome(warning: str) -> None:
    assert unread_blocks([warning]) == ()


@needs_exiftool
def test_a_whole_file_has_no_unread_block(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(drawn())
    with exiftool.ExifTool() as client:
        (read,) = client.read([bytes(tmp_path / "a.jpg")])
    assert isinstance(read, exiftool.TagsRead)
    assert unread_blocks(read.warnings) == ()


def test_a_whole_directory_has_no_damage() -> None:
    assert exif_directory.damage(drawn()) == exif_directory.Damage()
    assert exif_directory.damage(drawn("PNG")) == exif_directory.Damage()


@pytest.mark.parametrize("at", range(-10, 0))
def test_a_changed_letter_in_the_header_of_the_exif_segment_is_told(tmp_path: Path, at: int) -> None:
    """Marker, length and name of the segment: with any bit of them changed exiftool may see no EXIF at all."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    picture = bytearray(drawn())
    picture[_tiff_at(picture) + at] ^= 0x04
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(picture)
    entry = entries(folder, tmp_path / "case")["a.jpg"]
    assert told(entry) or (isinstance(entry.photo.claim, Claim) and entry.photo.claim.warnings)
    assert not any("removed or never written" in finding.summary for finding in entry.findings)


@needs_exiftool
@pytest.mark.parametrize("seed", range(3))
def test_one_changed_bit_of_any_byte_of_the_exif_block_takes_no_tag_without_a_word(tmp_path: Path, seed: int) -> None:
    """Either the tags are all there (a value may be another: no reader can know), or there is a word about it.

    One thing cannot be seen: an entry whose number became that of another tag of the same type in the right order.
    """
    rng = random.Random(seed)
    picture = drawn()
    start = _tiff_at(picture)
    length = int.from_bytes(picture[start - 8 : start - 6], "big") - 8
    (tmp_path / "whole.jpg").write_bytes(picture)
    paths = [tmp_path / "whole.jpg"]
    for at in range(start - 10, start + length):
        changed = bytearray(picture)
        changed[at] ^= 1 << rng.randrange(8)
        paths.append(tmp_path / f"{at}.jpg")
        paths[-1].write_bytes(changed)
    with exiftool.ExifTool() as client:
        whole, *results = client.read([bytes(path) for path in paths])
    assert isinstance(whole, exiftool.TagsRead)
    renamed = []
    for path, read in zip(paths[1:], results, strict=True):
        if isinstance(read, exiftool.Unread) or read.warnings:
            continue
        gone = {tag for tag in whole.tags if tag not in read.tags and not tag.startswith("File:")}
        found = exif_directory.damage(path.read_bytes())
        if gone and not (found.unread or found.warnings):
            renamed.append((path.name, sorted(gone), sorted(set(read.tags) - set(whole.tags))))
    assert all(len(gone) == 1 and len(new) == 1 for _, gone, new in renamed), renamed
    assert len(renamed) <= 4, renamed
