"""Which file systems, partition tables and formats of images are read: each on an image made here."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import made_images
import pytest
from PIL import Image

pytest.importorskip("pytsk3", reason="needs the extra images")

from gtloc_forensics.errors import UsageError
from gtloc_forensics.files import acquiring, reading
from gtloc_forensics.records import Candidate, Skipped, visible

pytestmark = pytest.mark.xdist_group("images")

WRITTEN = datetime(2026, 11, 28, 12, 34, 56, tzinfo=UTC)


@cache
def a_photo(number: int = 0) -> bytes:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Acme", "One"
    Image.effect_noise((64, 48), 40 + number).convert("RGB").save(file, "JPEG", exif=exif)
    return file.getvalue()


def a_folder(place: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(a_photo(number))
        os.utime(path, (WRITTEN.timestamp(), WRITTEN.timestamp()))
    return place


def listed(image: Path) -> dict[str, Candidate | Skipped]:
    return {visible(entry.relative).removeprefix(f"{image.name}!/"): entry for entry in reading.entries(image)}


def photos(image: Path) -> list[str]:
    return [name for name, entry in listed(image).items() if isinstance(entry, Candidate)]


def sha256_of(image: Path, inner: str) -> str:
    return acquiring.rehash(image, f"{image.name}!/{inner}".encode())


def photo_sha256(number: int) -> str:
    return hashlib.sha256(a_photo(number)).hexdigest()


@pytest.mark.parametrize(("bits", "size_mb"), [(12, 4), (16, 16), (32, 40)])
def test_fat_of_every_width_gives_live_and_deleted_photos_and_their_local_times(
    tmp_path: Path, bits: int, size_mb: int
) -> None:
    made_images.needs("mkfs.vfat", "mcopy", "mdel")
    folder = a_folder(tmp_path / "card", "DCIM/KEPT.JPG", "DCIM/GONE.JPG")
    image = tmp_path / "f.dd"
    made_images.run("mkfs.vfat", "-F", bits, "-C", image, size_mb * 1024)
    made_images.run("mcopy", "-i", image, "-s", "-m", folder / "DCIM", "::")
    made_images.run("mdel", "-i", image, "::DCIM/GONE.JPG")
    kept, gone = sorted(photos(image), key=lambda name: "deleted" in name)
    # mcopy writes in the order of the folder, which is the disk's
    assert kept == "p0/DCIM/KEPT.JPG"
    assert gone.startswith("p0-deleted/")
    assert gone.endswith("/DCIM/_ONE.JPG")
    assert (sha256_of(image, kept), sha256_of(image, gone)) == (photo_sha256(0), photo_sha256(1))
    stat = reading.look(image, b"f.dd!/" + kept.encode())
    assert (stat.mtime_ns, stat.is_local, stat.mtime_step_ns) == (int(WRITTEN.timestamp()) * 10**9, True, 2 * 10**9)


def test_two_names_that_are_no_text_and_read_alike_are_two_photos(tmp_path: Path) -> None:
    """Half a character of UTF-16 is no text: the library writes the same mark for each."""
    folder = a_folder(tmp_path / "card", "long name a.jpg", "long name b.jpg")
    image = made_images.fat(tmp_path / "f.dd", folder)
    data = bytearray(image.read_bytes())
    beginning = "long ".encode("utf-16-le")  # of the first of the parts that a long name stands in; its eleventh letter
    for letter, half in (("a", 0xD800), ("b", 0xD801)):
        at = data.find(beginning)
        while data[at + 23 : at + 25] != letter.encode("utf-16-le"):
            at = data.find(beginning, at + 1)
        struct.pack_into("<H", data, at + 23, half)
    image.write_bytes(data)
    first, second = photos(image)
    assert first.startswith("p0/long name ")
    assert second.startswith("p0-namesake/")
    assert {sha256_of(image, first), sha256_of(image, second)} == {photo_sha256(0), photo_sha256(1)}
    assert not [entry for entry in listed(image).values() if isinstance(entry, Skipped) and entry.blocks]


@pytest.mark.parametrize(("bits", "size_mb"), [(12, 4), (16, 16), (32, 40)])
@pytest.mark.parametrize("length", [0xFFFFFFFF, 300 << 20])
def test_a_photo_whose_entry_claims_more_than_the_card_holds_is_not_missed_in_silence(
    tmp_path: Path, bits: int, size_mb: int, length: int
) -> None:
    """The Sleuth Kit leaves such an entry out of its list."""
    made_images.needs("mkfs.vfat", "mcopy")
    folder = a_folder(tmp_path / "card", "DCIM/HIDDEN.JPG", "DCIM/KEPT.JPG", "ROOT.JPG", "a long name.jpg")
    image = tmp_path / "f.dd"
    made_images.run("mkfs.vfat", "-F", bits, "-C", image, size_mb * 1024)
    made_images.run("mcopy", "-i", image, "-s", "-m", *sorted(folder.iterdir()), "::")
    assert not [entry for entry in listed(image).values() if isinstance(entry, Skipped) and entry.blocks]
    data = bytearray(image.read_bytes())
    for name in (b"HIDDEN  JPG", b"ROOT    JPG"):
        struct.pack_into("<I", data, data.index(name) + 28, length)
    image.write_bytes(data)
    assert photos(image) == ["p0/a long name.jpg", "p0/DCIM/KEPT.JPG"]
    rows = {name: entry for name, entry in listed(image).items() if isinstance(entry, Skipped) and entry.blocks}
    assert set(rows) == {"p0/DCIM/HIDDEN.JPG", "p0/ROOT.JPG"}
    assert all(f"cannot be as it says, {length} bytes" in str(row.reason) for row in rows.values())


@pytest.mark.parametrize(
    ("at", "form", "value"), [(24, "<Q", 1 << 40), (20, "<I", 0xFFFFFFF0)], ids=["length", "place"]
)
def test_a_photo_whose_entry_on_exfat_cannot_be_is_not_missed_in_silence(
    tmp_path: Path, at: int, form: str, value: int
) -> None:
    image = made_images.exfat(tmp_path / "e.dd", "a photo.jpg", a_photo(), wall=datetime(2024, 6, 15), quarters=8)
    data = bytearray(image.read_bytes())
    entry = next(place for place in range(0, len(data), 32) if data[place] == 0x85 and data[place + 32] == 0xC0)
    struct.pack_into(form, data, entry + 32 + at, value)
    image.write_bytes(data)
    row = listed(image)["p0/a photo.jpg"]
    assert isinstance(row, Skipped)
    assert row.blocks
    assert "cannot be as it says" in str(row.reason)


@pytest.mark.parametrize(("kind", "step_ns"), [("ext2", 10**9), ("ext3", 10**9), ("ext4", 1)])
def test_ext_of_every_age_gives_live_and_deleted_photos_and_instants(tmp_path: Path, kind: str, step_ns: int) -> None:
    made_images.needs(f"mkfs.{kind}", "debugfs")
    folder = a_folder(tmp_path / "s", "a.jpg", "b.jpg")
    image = tmp_path / "e.dd"
    made_images.run(f"mkfs.{kind}", "-q", "-F", "-d", folder, image, "8M")
    made_images.run("debugfs", "-w", "-R", "rm /b.jpg", image)
    kept, gone = sorted(photos(image), key=lambda name: "deleted" in name)
    assert kept == "p0/a.jpg"
    assert (sha256_of(image, kept), sha256_of(image, gone)) == (photo_sha256(0), photo_sha256(1))
    stat = reading.look(image, b"e.dd!/p0/a.jpg")
    assert (stat.mtime_ns, stat.is_local, stat.mtime_step_ns) == (int(WRITTEN.timestamp()) * 10**9, False, step_ns)


def test_hfs_plus_gives_its_photos(tmp_path: Path) -> None:
    """By xorriso, which puts HFS+ and ISO 9660 over the same files; Debian has no mkfs for HFS+ any more."""
    made_images.needs("xorriso")
    folder = a_folder(tmp_path / "s", "DCIM/a.jpg", "DCIM/b.jpg")
    image = tmp_path / "h.dd"
    made_images.run("xorriso", "-as", "mkisofs", "-quiet", "-hfsplus", "-o", image, folder)
    found = [name for name in photos(image) if name.endswith(".jpg")]
    assert len(found) == 2
    assert [sha256_of(image, name) for name in found] == [photo_sha256(0), photo_sha256(1)]
    stat = reading.look(image, b"h.dd!/" + found[0].encode())
    assert (stat.mtime_ns, stat.is_local) == (int(WRITTEN.timestamp()) * 10**9, False)
    assert not [name for name in listed(image) if "partition_map" in name]


@pytest.mark.parametrize(
    ("options", "name"),
    [(["-J", "-R"], "DCIM/a long name.jpg"), (["-J"], "DCIM/a long name.jpg"), ([], "DCIM/A_LONG_N.JPG")],
)
def test_a_disc_gives_its_photos_and_no_times(tmp_path: Path, options: list[str], name: str) -> None:
    """ISO 9660, with longer names by Joliet or Rock Ridge, or without."""
    made_images.needs("xorriso")
    folder = a_folder(tmp_path / "s", "DCIM/a long name.jpg")
    image = tmp_path / "i.dd"
    made_images.run("xorriso", "-as", "mkisofs", "-quiet", *options, "-o", image, folder)
    assert photos(image) == [f"p0/{name}"]
    assert sha256_of(image, f"p0/{name}") == photo_sha256(0)
    stat = reading.look(image, f"i.dd!/p0/{name}".encode())
    assert (stat.mtime_ns, stat.birth_ns) == (0, None)


def test_a_gpt_table_is_read_and_a_broken_apfs_partition_is_named(tmp_path: Path) -> None:
    made_images.needs("mkfs.vfat", "mcopy")
    card = made_images.fat(tmp_path / "fat", a_folder(tmp_path / "card", "a.jpg"))
    apfs = bytearray(1 << 20)
    apfs[32:36] = b"NXSB"
    (tmp_path / "apfs").write_bytes(apfs)
    image = made_images.gpt(tmp_path / "g.dd", card, tmp_path / "apfs")
    assert photos(image) == ["p1/a.jpg"]
    row = listed(image)["p2"]
    assert isinstance(row, Skipped)
    assert row.blocks
    assert str(row.reason).startswith("a partition of APFS")
    bare = tmp_path / "bare.dd"
    bare.write_bytes(apfs)
    with pytest.raises(UsageError, match="a partition of APFS"):
        listed(bare)


def test_a_deleted_photo_of_ntfs_is_found_and_marked(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "s", "kept.jpg", "gone.jpg")
    made_images.needs("mkfs.ntfs", "ntfscp")
    image = made_images.ntfs(tmp_path / "n.dd", sorted(folder.iterdir()))
    data = bytearray(image.read_bytes())
    name = "gone.jpg".encode("utf-16-le")
    records = [
        at for at in range(0, len(data) - 1024, 1024)
        if data[at : at + 4] == b"FILE" and name in data[at : at + 1024] and data[at + 0x16] & 1
    ]  # fmt: skip
    assert records
    for at in records:  # no longer in use: the table and its mirror
        data[at + 0x16] &= 0xFE
    image.write_bytes(data)
    found = {name.rpartition("/")[2]: name for name in photos(image)}
    assert found["kept.jpg"] == "p0/kept.jpg"
    assert found["gone.jpg"].startswith("p0-deleted/")
    assert sha256_of(image, found["gone.jpg"]) == photo_sha256(1)


def test_a_deleted_photo_of_exfat_is_found_and_marked(tmp_path: Path) -> None:
    image = made_images.exfat(
        tmp_path / "x.dd", "gone.jpg", a_photo(1), wall=datetime(2026, 11, 28, 12, 34, 56), quarters=4
    )
    data = bytearray(image.read_bytes())
    at = next(at for at in range(0, len(data), 32) if data[at] == 0x85 and data[at + 32] == 0xC0)
    for entry in range(3):
        data[at + 32 * entry] &= 0x7F
    image.write_bytes(data)
    (gone,) = photos(image)
    assert gone.startswith("p0-deleted/")
    assert gone.endswith("/gone.jpg")
    assert sha256_of(image, gone) == photo_sha256(1)
    stat = reading.look(image, b"x.dd!/" + gone.encode())
    assert (stat.mtime_ns, stat.is_local, stat.is_deleted) == (int(WRITTEN.timestamp() - 3600) * 10**9, False, True)


@pytest.mark.parametrize("form", ["smart", "ftk", "encase1", "encase7", "linen7", "ewfx"])
def test_ewf_of_every_program_is_read_and_its_hash_compared(tmp_path: Path, form: str) -> None:
    pytest.importorskip("pyewf", reason="needs the extra images")
    made_images.needs("mkfs.ext4", "ewfacquire")
    system = made_images.ext4(tmp_path / "e.dd", a_folder(tmp_path / "s", "a.jpg"), size_mb=2)
    image = made_images.ewf(tmp_path / "card", system, "-f", form)
    assert photos(image) == ["p0/a.jpg"]
    assert sha256_of(image, "p0/a.jpg") == photo_sha256(0)
    identity = reading.identity_of(image)
    assert identity is not None
    assert identity.mismatch is None
    assert "MD5" in identity.compared


def test_gpt_as_made_here_has_the_sums_that_a_table_must_have(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(bytes(1 << 20))
    head = made_images.gpt(tmp_path / "g.dd", tmp_path / "s").read_bytes()[512:1024]
    assert head[:8] == b"EFI PART"
    assert struct.unpack_from("<I", head, 16)[0] == zlib.crc32(head[:16] + bytes(4) + head[20:92])
