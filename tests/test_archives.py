"""Archives as evidence: photos of zip, tar and 7z, and whatever a hostile one may hold; each thing is a row."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import random
import struct
import subprocess
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path

import made_images
import pytest
from PIL import Image

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.errors import UsageError
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.files import acquiring, reading
from gtloc_forensics.files.containers import members, seven_zips, spool
from gtloc_forensics.files.containers.container import Container
from gtloc_forensics.records import Candidate, Skipped, visible

INLINE = Settings(model="none", jobs=0)


@cache
def a_jpeg(number: int = 0) -> bytes:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Acme", "One"
    exif.get_ifd(0x8769)[0x9003] = f"2026:11:{number % 28 + 1:02} 12:00:00"
    Image.effect_noise((64, 48), 30 + number).convert("RGB").save(file, "JPEG", exif=exif)
    return file.getvalue()


def listed(archive: Path) -> dict[str, Candidate | Skipped]:
    return {visible(entry.relative).removeprefix(f"{archive.name}!/"): entry for entry in reading.entries(archive)}


def refused(archive: Path) -> dict[str, str]:
    """Return what is not examined, with the reason."""
    found = {name: entry for name, entry in listed(archive).items() if isinstance(entry, Skipped)}
    return {name: str(entry.reason) for name, entry in found.items() if entry.blocks}


def photos(archive: Path) -> set[str]:
    return {name for name, entry in listed(archive).items() if isinstance(entry, Candidate)}


def a_zip(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], packing: int = zipfile.ZIP_DEFLATED) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", packing) as archive:
        warnings.simplefilter("ignore")  # a name that comes twice is what is wanted
        for name, content in entries:
            archive.writestr(name, content)
    return path


def a_tar(path: Path, *entries: tuple[tarfile.TarInfo | str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for entry, content in entries:
            info = tarfile.TarInfo(entry) if isinstance(entry, str) else entry
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def a_7z(path: Path, folder: Path, *options: str) -> Path:
    made_images.needs("7z")
    pytest.importorskip("py7zr", reason="needs the extra images")
    subprocess.run(["7z", "a", "-bd", *options, str(path.absolute()), "."], cwd=folder, check=True, capture_output=True)
    return path


def packed_zip(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return path


def packed_tar(path: Path, folder: Path) -> Path:
    with tarfile.open(path, "w") as archive:
        archive.add(folder, ".")
    return path


def packed_tgz(path: Path, folder: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, ".")
    return path


@pytest.mark.parametrize(("name", "how"), [("a.tar.bz2", "w:bz2"), ("a.txz", "w:xz")])
def test_a_tar_packed_otherwise_is_read_too(tmp_path: Path, name: str, how: str) -> None:
    (tmp_path / "a.jpg").write_bytes(a_jpeg())
    with tarfile.open(tmp_path / name, how) as archive:  # type: ignore[call-overload]
        archive.add(tmp_path / "a.jpg", "DCIM/a.jpg")
    assert photos(tmp_path / name) == {"DCIM/a.jpg"}
    found = acquiring.rehash(tmp_path / name, f"{name}!/DCIM/a.jpg".encode())
    assert found == hashlib.sha256(a_jpeg()).hexdigest()


@pytest.mark.parametrize(
    ("name", "pack"),
    [("a.zip", packed_zip), ("a.tar", packed_tar), ("a.tar.gz", packed_tgz), ("a.7z", a_7z)],
)
def test_an_archive_gives_the_findings_of_its_folder(
    tmp_path: Path, name: str, pack: Callable[[Path, Path], Path]
) -> None:
    folder = tmp_path / "folder"
    for number in range(6):
        place = folder / "DCIM" / f"{number % 2}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"IMG_{number}.jpg").write_bytes(a_jpeg(number))
    (folder / "DCIM/0/IMG_0.jpg.xmp").write_text("<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    (folder / "DCIM/unnamed").write_bytes(a_jpeg(9))
    (folder / "notes.txt").write_text("no photo")
    archive = pack(tmp_path / name, folder)
    before = archive.read_bytes(), archive.stat().st_mtime_ns, archive.stat().st_atime_ns
    documents = {}
    for place, evidence in (("folder", folder), ("archive", archive)):
        with open_case(evidence, tmp_path / f"{place} case") as case:
            case.audit(INLINE)
            documents[place] = json.loads(case.write_findings().read_text())
            assert case.verify(INLINE, sample=2).differences == ()
    found = {
        place: {
            (item["path"].removeprefix(f"{name}!/"), item["sha256"], item["status"], len(item["findings"]))
            for item in document["photos"]
        }
        for place, document in documents.items()
    }
    assert len(found["folder"]) == 7
    assert found["archive"] == found["folder"]
    assert (archive.read_bytes(), archive.stat().st_mtime_ns, archive.stat().st_atime_ns) == before
    entry = listed(archive)["DCIM/0/IMG_0.jpg"]
    assert isinstance(entry, Candidate)
    assert entry.sidecars == (f"{name}!/DCIM/0/IMG_0.jpg.xmp".encode(),)


# --------------------------------------------------------------------------- zip


def test_what_is_hostile_in_a_zip_is_a_row_with_its_reason_and_the_photos_are_examined(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = 0o120777 << 16
    archive = a_zip(
        tmp_path / "z.zip",
        ("good.jpg", a_jpeg()),
        ("../out.jpg", a_jpeg(1)),
        ("/root.jpg", a_jpeg(1)),
        ("..\\windows.jpg", a_jpeg(1)),
        ("C:/drive.jpg", a_jpeg(1)),
        (link, b"good.jpg"),
        ("twice.jpg", a_jpeg(2)),
        ("twice.jpg", a_jpeg(3)),
        ("more.zip", b"PK\x03\x04"),
        ("bomb.jpg", bytes(40 << 20)),
    )
    reasons = refused(archive)
    assert photos(archive) == {"good.jpg", "twice.jpg"}
    for name in ("%2E%2E/out.jpg", "root.jpg", "..\\windows.jpg", "C:/drive.jpg"):
        assert "leads out of the folder" in reasons.pop(name)
    assert "link" in reasons.pop("link.jpg")
    assert "further entry of the same name" in reasons.pop("twice.jpg#2")
    assert "gtloc audit --nested opens it" in reasons.pop("more.zip")
    assert "no picture packs so tightly" in reasons.pop("bomb.jpg")
    assert not reasons
    first = hashlib.sha256(a_jpeg(2)).hexdigest()
    assert acquiring.rehash(archive, b"z.zip!/twice.jpg") == first


def test_every_hostile_member_is_told_in_the_case(tmp_path: Path) -> None:
    archive = a_zip(tmp_path / "z.zip", ("good.jpg", a_jpeg()), ("../out.jpg", a_jpeg(1)))
    with open_case(archive, tmp_path / "case") as case:
        case.audit(INLINE)
        document = json.loads(case.write_findings().read_text())
    (row,) = [item for item in document["photos"] if item["path"] == "z.zip!/%2E%2E/out.jpg"]
    assert row["status"] == "not_examined"
    assert not (tmp_path / "out.jpg").exists()


def test_an_encrypted_member_is_not_examined(tmp_path: Path) -> None:
    made_images.needs("7z")
    (tmp_path / "s").mkdir()
    (tmp_path / "s/a.jpg").write_bytes(a_jpeg())
    archive = tmp_path / "z.zip"
    subprocess.run(
        ["7z", "a", "-bd", "-tzip", "-psecret", str(archive), "."], cwd=tmp_path / "s", check=True, capture_output=True
    )
    assert "encrypted" in refused(archive)["a.jpg"]


def test_a_member_whose_check_sum_does_not_fit_is_not_examined(tmp_path: Path) -> None:
    content = a_jpeg()
    archive = a_zip(tmp_path / "z.zip", ("a.jpg", content), ("b.jpg", a_jpeg(1)), packing=zipfile.ZIP_STORED)
    data = bytearray(archive.read_bytes())
    data[data.index(content) + 500] ^= 1
    archive.write_bytes(data)
    with open_case(archive, tmp_path / "case") as case:
        tally = case.audit(INLINE)
        rejected = [entry for entry in case.view().passed_over() if entry.blocks]
    assert tally.photos == 2
    assert [visible(entry.relative) for entry in rejected] == ["z.zip!/a.jpg"]
    assert "Bad CRC-32" in rejected[0].reason


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_member_of_any_packing_costs_itself(tmp_path: Path, method: int) -> None:
    archive = tmp_path / "z.zip"
    with zipfile.ZipFile(archive, "w", method) as file:
        file.writestr("bad.jpg", a_jpeg() * 20)
        file.writestr("good.jpg", a_jpeg(1))
    data = bytearray(archive.read_bytes())
    start = data.index(b"bad.jpg") + 7
    data[start + 20 : start + 60] = b"\xff" * 40
    archive.write_bytes(data)
    with open_case(archive, tmp_path / "case") as case:
        case.audit(INLINE)
        document = json.loads(case.write_findings().read_text())
    told = {item["path"]: item["status"] for item in document["photos"]}
    assert "z.zip!/good.jpg" in told
    assert told["z.zip!/bad.jpg"] == "not_examined"
    assert "the archive could not be read there" in json.dumps(document)


def test_many_members_that_claim_too_much_together_are_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "FREE_BYTES", 10_000)
    monkeypatch.setattr(members, "MOST_GROWTH", 1)
    pictures = [(f"{number}.jpg", bytes(3_000)) for number in range(9)]
    reasons = refused(a_zip(tmp_path / "z.zip", *pictures))
    assert sorted(reasons) == [f"{number}.jpg" for number in range(3, 9)]
    assert all("more than 1 times the archive" in reason for reason in reasons.values())


def test_a_zip_that_claims_an_endless_list_is_refused(tmp_path: Path) -> None:
    archive = a_zip(tmp_path / "z.zip", ("a.jpg", a_jpeg()))
    data = bytearray(archive.read_bytes())
    struct.pack_into("<I", data, data.rindex(b"PK\x05\x06") + 12, 0xF0000000)
    archive.write_bytes(data)
    with pytest.raises(UsageError, match="claims a list of members"):
        reading.identity_of(archive)


def test_zip_times_are_local_unless_a_field_says_utc(tmp_path: Path) -> None:
    plain, stated = (
        zipfile.ZipInfo("plain.jpg", (2026, 11, 28, 12, 34, 56)),
        zipfile.ZipInfo("utc.jpg", (2026, 11, 28, 13, 34, 56)),
    )
    moment = datetime(2026, 11, 28, 12, 34, 57)
    stated.extra = struct.pack("<HHBi", 0x5455, 5, 1, made_images.epoch_ns(moment) // 10**9)
    archive = a_zip(tmp_path / "z.zip", (plain, a_jpeg()), (stated, a_jpeg(1)))
    local = reading.look(archive, b"z.zip!/plain.jpg")
    utc = reading.look(archive, b"z.zip!/utc.jpg")
    wall = made_images.epoch_ns(datetime(2026, 11, 28, 12, 34, 56))
    assert (local.mtime_ns, local.is_local, local.mtime_step_ns) == (wall, True, 2 * 10**9)
    assert (utc.mtime_ns, utc.is_local, utc.mtime_step_ns) == (made_images.epoch_ns(moment), False, 10**9)


def test_names_that_are_no_text_keep_their_bytes(tmp_path: Path) -> None:
    archive = a_zip(tmp_path / "z.zip", ("grün.jpg", a_jpeg()))
    data = archive.read_bytes().replace("grün.jpg".encode(), b"gr\xff\xfen.jpg")
    flags = data.replace(b"PK\x03\x04\x14\x00\x00\x08", b"PK\x03\x04\x14\x00\x00\x00").replace(
        b"\x14\x03\x14\x00\x00\x08", b"\x14\x03\x14\x00\x00\x00"
    )
    archive.write_bytes(flags)
    (entry,) = reading.entries(archive)
    assert entry.relative == b"z.zip!/gr\xff\xfen.jpg"


def test_a_name_that_is_no_utf8_though_it_is_marked_so_hides_no_other_member(tmp_path: Path) -> None:
    archive = tmp_path / "z.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("other.jpg", a_jpeg())
        file.writestr("gr\u00fcn.jpg", a_jpeg(1))
        file.writestr("Zo\u00eb.jpg", a_jpeg(2))
    bad = archive.read_bytes().replace("\u00fc".encode(), b"\xff\xfe")
    archive.write_bytes(bad)
    found = {entry.relative: acquiring.rehash(archive, entry.relative) for entry in reading.entries(archive)}
    assert found == {
        b"z.zip!/other.jpg": hashlib.sha256(a_jpeg()).hexdigest(),
        b"z.zip!/gr\xff\xfen.jpg": hashlib.sha256(a_jpeg(1)).hexdigest(),
        "z.zip!/Zo\u00eb.jpg".encode(): hashlib.sha256(a_jpeg(2)).hexdigest(),
    }


def test_what_macos_puts_beside_a_photo_is_no_photo_and_a_photo_of_such_a_name_is_one(tmp_path: Path) -> None:
    beside = b"\0\x05\x16\x07\0\x02\0\0Mac OS X        " + b"\0" * 200
    archive = tmp_path / "z.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("IMG_1.jpg", a_jpeg())
        file.writestr("__MACOSX/._IMG_1.jpg", beside)
        file.writestr("._IMG_2.jpg", a_jpeg(1))
    assert photos(archive) == {"IMG_1.jpg", "._IMG_2.jpg"}
    (row,) = [entry for entry in reading.entries(archive) if isinstance(entry, Skipped)]
    assert (str(row.reason), row.blocks) == ("not a photo (application/applefile)", False)


def test_a_time_beyond_the_calendar_is_no_time_and_every_export_is_written(tmp_path: Path) -> None:
    archive = tmp_path / "z.zip"
    with zipfile.ZipFile(archive, "w") as file:
        info = zipfile.ZipInfo("far.jpg", (2024, 6, 1, 0, 0, 0))
        info.extra = struct.pack("<HHIHHQQQ", 0x0A, 32, 0, 1, 24, 2**64 - 1, 2**63, 2**64 - 5)
        file.writestr(info, a_jpeg())
    with open_case(archive, tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0))
        for kind in ("case-uco", "csv", "json", "kml", "l2tcsv", "plaso", "timesketch"):
            case.export(kind, tmp_path / f"far.{kind}")
    assert "60056" not in (tmp_path / "far.l2tcsv").read_text()


# --------------------------------------------------------------------------- tar


def test_what_is_hostile_in_a_tar_is_a_row_with_its_reason(tmp_path: Path) -> None:
    def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        return info

    archive = a_tar(
        tmp_path / "t.tar",
        ("./good.jpg", a_jpeg()),
        ("../../etc/out.jpg", a_jpeg(1)),
        (special("sym.jpg", tarfile.SYMTYPE, "/etc/passwd"), b""),
        (special("hard.jpg", tarfile.LNKTYPE, "good.jpg"), b""),
        (special("gone.jpg", tarfile.LNKTYPE, "nothing.jpg"), b""),
        (special("out.jpg", tarfile.LNKTYPE, "../../etc/out.jpg"), b""),
        (special("dev.jpg", tarfile.CHRTYPE), b""),
        (special("pipe.jpg", tarfile.FIFOTYPE), b""),
        ("good.jpg", a_jpeg(3)),
        ("more.tar.gz", b"\x1f\x8b"),
    )
    reasons = refused(archive)
    assert photos(archive) == {"good.jpg", "hard.jpg"}
    assert "leads out of the folder" in reasons.pop("%2E%2E/%2E%2E/etc/out.jpg")
    assert reasons.pop("sym.jpg") == "a link to /etc/passwd, not followed"
    assert reasons.pop("gone.jpg") == "a link to nothing.jpg, not followed"
    assert reasons.pop("out.jpg") == "a link to ../../etc/out.jpg, not followed"
    assert "device" in reasons.pop("dev.jpg")
    assert "pipe" in reasons.pop("pipe.jpg")
    assert "same name" in reasons.pop("good.jpg#2")
    assert "gtloc audit --nested opens it" in reasons.pop("more.tar.gz")
    assert not reasons
    for name in (b"good.jpg", b"hard.jpg"):  # a hard link is a further name of what it names
        assert acquiring.rehash(archive, b"t.tar!/" + name) == hashlib.sha256(a_jpeg()).hexdigest()


def test_a_tar_that_breaks_off_says_so(tmp_path: Path) -> None:
    archive = a_tar(tmp_path / "t.tar", ("a.jpg", a_jpeg()), ("b.jpg", a_jpeg(1)))
    data = archive.read_bytes()
    second = data.index(a_jpeg(1))
    archive.write_bytes(data[: second + 700])
    assert photos(archive) == {"a.jpg"}
    assert "ends within it" in refused(archive)["b.jpg"]
    archive.write_bytes(data[: second - 512] + b"\x01" * 512 + data[second:])
    assert photos(archive) == {"a.jpg"}
    assert any("no member" in reason or "breaks off" in reason for reason in refused(archive).values())


def test_a_packed_tar_that_unpacks_for_ever_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MOST_BYTES", 1 << 20)
    archive = tmp_path / "t.tar.gz"
    with gzip.open(archive, "wb") as file:
        file.write(a_tar(tmp_path / "plain.tar", ("a.jpg", bytes(3 << 20))).read_bytes())
    with pytest.raises(UsageError, match="unpacks to more than 1 MB"):
        reading.identity_of(archive)


# --------------------------------------------------------------------------- 7z


def test_a_7z_archive_with_encrypted_members_or_list_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(a_jpeg())
    assert "encrypted" in refused(a_7z(tmp_path / "e.7z", folder, "-psecret"))["a.jpg"]
    with pytest.raises(UsageError, match="encrypted"):
        reading.identity_of(a_7z(tmp_path / "h.7z", folder, "-psecret", "-mhe=on"))


def test_a_7z_archive_gives_links_as_rows_and_keeps_little_of_what_is_no_photo(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(a_jpeg())
    (folder / "film.bin").write_bytes(bytes(3 << 20))
    (folder / "link.jpg").symlink_to("a.jpg")
    archive = a_7z(tmp_path / "s.7z", folder, "-snl")
    container = Container(archive)
    assert isinstance(container._root._reader, seven_zips.SevenZipArchive)
    assert container._root._reader._spool.size_bytes < 1 << 20
    container.close()
    assert photos(archive) == {"a.jpg"}
    assert "link" in refused(archive)["link.jpg"]
    assert acquiring.rehash(archive, b"s.7z!/a.jpg") == hashlib.sha256(a_jpeg()).hexdigest()


def test_a_damaged_7z_archive_is_told_photo_by_photo(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(a_jpeg())
    archive = a_7z(tmp_path / "d.7z", folder, "-mx=0")
    data = bytearray(archive.read_bytes())
    data[data.index(a_jpeg()) + 300] ^= 1
    archive.write_bytes(data)
    with open_case(archive, tmp_path / "case") as case:
        case.audit(INLINE)
        (entry,) = [entry for entry in case.view().passed_over() if entry.blocks]
    assert visible(entry.relative) == "d.7z!/a.jpg"


# --------------------------------------------------------------------------- whole cases


def test_an_archive_is_opened_again_when_it_changed(tmp_path: Path) -> None:
    archive = a_zip(tmp_path / "z.zip", ("a.jpg", a_jpeg()))
    assert photos(archive) == {"a.jpg"}
    a_zip(archive, ("b.jpg", a_jpeg(1)))
    assert photos(archive) == {"b.jpg"}


def test_an_archive_that_is_gone_is_told_by_verify(tmp_path: Path) -> None:
    archive = a_zip(tmp_path / "z.zip", ("a.jpg", a_jpeg()))
    with open_case(archive, tmp_path / "case") as case:
        case.audit(INLINE)
    archive.unlink()
    with Case(tmp_path / "case") as case:
        differences = case.verify(INLINE, sample=0).differences
    assert any("can no longer be read" in found.what for found in differences)


def test_a_member_that_claims_more_than_is_examined_is_not_read() -> None:
    said = members.Allowance(archive_bytes=1 << 40).refusal(600 << 20, None)
    assert said == "600 MB is more than the 512 MB that are examined"


@pytest.mark.parametrize("name", ["z.zip", "t.tar", "t.tar.gz"])
def test_a_damaged_archive_is_refused_or_listed_and_nothing_else(tmp_path: Path, name: str) -> None:
    entries = [(f"DCIM/{number}.jpg", a_jpeg(number)) for number in range(3)]
    whole = a_zip(tmp_path / name, *entries) if name == "z.zip" else a_tar(tmp_path / name, *entries, mode=MODES[name])
    sound = whole.read_bytes()
    for seed in range(40):
        chance = random.Random(seed)
        data = bytearray(sound[: chance.randrange(1, len(sound))] if chance.random() < 0.2 else sound)
        for _ in range(chance.choice((1, 3, 10, 60))):
            data[chance.randrange(len(data))] = chance.choice((0, 255, chance.randrange(256)))
        whole.write_bytes(data)
        with contextlib.suppress(UsageError):  # any other error ends the test
            container = Container(whole)
            for entry in container.walk():
                with contextlib.suppress(OSError):
                    if isinstance(entry, Candidate):
                        assert sum(map(len, container.blocks(entry.relative))) <= 512 << 20
            container.close()


MODES = {"t.tar": "w", "t.tar.gz": "w:gz"}
