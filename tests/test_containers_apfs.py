"""APFS: live files of its volumes, their instants, what is encrypted or damaged, and what it is without its library."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import made_apfs
import made_images
import pytest
from click.testing import CliRunner

pytest.importorskip("pytsk3", reason="needs the extra images")
pytest.importorskip("pyfsapfs", reason="needs the extra images")

from test_files_systems import a_photo, photo_sha256, photos, sha256_of

from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.errors import UsageError
from gtloc_forensics.files import reading
from gtloc_forensics.files.containers import apfs, disk_images
from gtloc_forensics.files.containers.media import RawMedia
from gtloc_forensics.files.containers.members import Member
from gtloc_forensics.records import Sentence, Skipped

pytestmark = pytest.mark.xdist_group("images")

MOMENT_NS = int(datetime(2026, 11, 28, 12, 34, 56, tzinfo=UTC).timestamp()) * 10**9 + 123_456_789


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a container without a partition table."""
    files = {"DCIM/a.jpg": a_photo(0), "DCIM/b.JPG": a_photo(1), "DCIM/note.txt": b"no photo", "Zoë.jpg": a_photo(2)}
    return made_apfs.apfs(tmp_path_factory.mktemp("apfs") / "a.dd", files, moment_ns=MOMENT_NS)


@pytest.fixture(scope="module")
def disk(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Put it behind a FAT card in one image."""
    place = tmp_path_factory.mktemp("disk")
    (place / "card").mkdir()
    (place / "card/first.jpg").write_bytes(a_photo(3))
    image = made_images.disk(place / "d.dd", (made_images.FAT32, made_images.fat(place / "fat", place / "card")))
    start = image.stat().st_size // made_images.SECTOR
    with image.open("r+b") as file:
        file.seek(446 + 16 + 4)
        file.write(struct.pack("<B3xII", 0xAF, start, bare.stat().st_size // made_images.SECTOR))
    made_images.run("dd", f"if={bare}", f"of={image}", "bs=512K", f"seek={start // 1024}", "conv=sparse,notrunc")
    return image


def of_image(image: Path) -> dict[str, Member | Skipped]:
    """List an image without hashing its half a gigabyte."""
    reader = disk_images.DiskImage(RawMedia([image]), "a.dd", identity=0)
    return {(entry.path if isinstance(entry, Member) else entry.relative).decode(): entry for entry in reader.members()}


def blocking(image: Path) -> list[Skipped]:
    return [entry for entry in of_image(image).values() if isinstance(entry, Skipped) and entry.blocks]


def read_of(image: Path) -> list[str]:
    return sorted(name for name, entry in of_image(image).items() if isinstance(entry, Member) and "note" not in name)


def test_live_files_of_a_volume_have_their_bytes_and_their_instants(bare: Path) -> None:
    found = {"p0/v1/DCIM/a.jpg": 0, "p0/v1/DCIM/b.JPG": 1, "p0/v1/Zoë.jpg": 2}
    assert set(photos(bare)) == set(found)
    for name, number in found.items():
        assert sha256_of(bare, name) == photo_sha256(number)
        stat = reading.look(bare, f"a.dd!/{name}".encode())
        assert (stat.mtime_ns, stat.birth_ns, stat.is_local, stat.mtime_step_ns) == (MOMENT_NS, MOMENT_NS, False, 1)
        assert not stat.is_deleted


def test_an_apfs_partition_beside_a_card_is_audited_and_verified(disk: Path, tmp_path: Path) -> None:
    runner, case = CliRunner(), str(tmp_path / "case")
    ran = runner.invoke(gtloc, ["audit", str(disk), "-o", case, "--model", "none", "--no-report"])
    document = json.loads((tmp_path / "case/findings.json").read_text())
    assert {item["path"] for item in document["photos"]} == {
        "d.dd!/p1/first.jpg", "d.dd!/p2/v1/DCIM/a.jpg", "d.dd!/p2/v1/DCIM/b.JPG", "d.dd!/p2/v1/Zoë.jpg",
    }, ran.output  # fmt: skip
    told = next(item for item in document["photos"] if item["path"].endswith("a.jpg"))
    assert told["recorded"]["zone"] == "UTC"
    assert "v1 below a partition is the first volume of the APFS" in (tmp_path / "case/findings.json").read_text()
    verified = runner.invoke(gtloc, ["verify", case])
    assert verified.exit_code == ExitCode.CLEAN, verified.output


def test_a_damaged_container_is_named_and_the_other_partition_is_read(disk: Path, tmp_path: Path) -> None:
    image = tmp_path / "d.dd"
    subprocess.run(["cp", "--sparse=always", disk, image], check=True)
    (start,) = struct.unpack_from("<I", image.open("rb").read(512), 446 + 16 + 8)
    with image.open("r+b") as file:
        file.seek(start * 512 + 36)
        file.write(b"\xff" * 4000)
    assert read_of(image) == ["p1/first.jpg"]
    row = of_image(image)["p2"]
    assert isinstance(row, Skipped)
    assert row.blocks
    assert str(row.reason).startswith("a partition of APFS that could not be read (")


def test_a_damaged_catalogue_is_told_and_ends(bare: Path, tmp_path: Path) -> None:
    image = tmp_path / "a.dd"
    subprocess.run(["cp", "--sparse=always", bare, image], check=True)
    with image.open("r+b") as file:
        for at in made_apfs._blocks_of(file, made_apfs._FS_TREE):
            file.seek(at + 32)
            file.write(b"\xff" * 500)
    (row,) = blocking(image)
    assert "could not be read" in str(row.reason)


def a_copy(image: Path, place: Path) -> Path:
    subprocess.run(["cp", "--sparse=always", image, place / "a.dd"], check=True)
    return place / "a.dd"


def test_a_volume_without_its_root_folder_is_told(bare: Path, tmp_path: Path) -> None:
    image = made_apfs.changed(a_copy(bare, tmp_path), lambda records: records.pop(made_apfs.inode_key(2)))
    row = of_image(image)["p0/v1"]
    assert isinstance(row, Skipped)
    assert row.blocks
    assert "no root folder" in str(row.reason)


def test_an_entry_without_its_record_is_told_and_the_others_are_read(bare: Path, tmp_path: Path) -> None:
    image = made_apfs.changed(a_copy(bare, tmp_path), lambda records: records.pop(made_apfs.inode_key(0x1000)))
    assert read_of(image) == ["p0/v1/DCIM/b.JPG", "p0/v1/Zoë.jpg"]
    (row,) = blocking(image)
    assert "an entry of a folder that could not be read" in str(row.reason)


def test_folders_that_hold_themselves_end(bare: Path, tmp_path: Path) -> None:
    def loop(records: dict[bytes, bytes]) -> None:
        for name in ("again", "and again"):
            records.update([made_apfs.entry(made_apfs.FIRST_FOLDER, name, made_apfs.FIRST_FOLDER, MOMENT_NS)])

    image = made_apfs.changed(a_copy(bare, tmp_path), loop)
    assert read_of(image) == ["p0/v1/DCIM/a.jpg", "p0/v1/DCIM/b.JPG", "p0/v1/Zoë.jpg"]


def test_an_encrypted_volume_is_told_and_the_others_are_read(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No program at hand encrypts a volume: the answer of the library is put in its place."""
    container = apfs.ApfsContainer(RawMedia([bare]), b"p1", 0, bare.stat().st_size, number=0, identity=0)

    class Locked:
        name = "Data\u202e"

        def is_locked(self) -> bool:
            return True

    container._volumes.insert(0, Locked())
    first, *others = container.members()
    assert isinstance(first, Skipped)
    assert (first.relative, first.blocks) == (b"p1/v1", True)
    assert str(first.reason).startswith("a volume of APFS, Data\\u202e, that is encrypted")
    assert any(not isinstance(entry, Skipped) for entry in others)


def test_without_its_library_the_partition_is_named_with_what_is_needed(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyfsapfs", None)
    found = apfs.opened(RawMedia([bare]), b"p2", 0, bare.stat().st_size, number=0, identity=0)
    assert isinstance(found, Sentence)
    assert "libfsapfs-python is needed" in found
    alone = bare.with_name("alone.dd")
    subprocess.run(["cp", "--sparse=always", bare, alone], check=True)
    with pytest.raises(UsageError, match="libfsapfs-python is needed"):
        of_image(alone)
