"""Images of disks as evidence: partitions and file systems, live and deleted photos, times, hashes, corrections."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import made_images
import pytest
from click.testing import CliRunner
from PIL import Image

pytest.importorskip("pytsk3", reason="needs the extra images")
pytest.importorskip("pyewf", reason="needs the extra images")

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.case.comparing import Difference
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.errors import EvidenceTreeError, UsageError
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.files import acquiring, hashing, reading
from gtloc_forensics.files.containers import disk_images, fat_times, identity
from gtloc_forensics.records import Candidate, FileStat, Skipped, visible
from gtloc_forensics.report.chapters import recorded

pytestmark = pytest.mark.xdist_group("images")

INLINE = Settings(model="none", jobs=0)
WRITTEN = datetime(2026, 11, 28, 12, 34, 56)


def photo(path: Path, number: int = 0, *, taken: str = "2026:11:28 12:30:00", written: datetime = WRITTEN) -> Path:
    """Draw a photo with the usual tags, last written at a moment in UTC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.effect_noise((96, 64), 20 + number).convert("RGB").point(lambda value: (value + 37 * number) % 256)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0132] = "Acme", f"Model {number % 3}", taken
    exif.get_ifd(0x8769)[0x9003] = taken
    exif.get_ifd(0x8769)[0xA431] = f"serial {number % 3}"
    picture.save(path, "JPEG", exif=exif)
    moment = written.replace(tzinfo=UTC).timestamp()
    os.utime(path, (moment, moment))
    return path


def listed(image: Path) -> dict[str, Candidate | Skipped]:
    return {visible(entry.relative): entry for entry in reading.entries(image)}


def stat_of(image: Path, inner: str) -> FileStat:
    return reading.look(image, f"{image.name}!/{inner}".encode())


def audited(evidence: Path, output: Path, **options: Any) -> dict[str, Any]:
    """Examine without a model and return the findings document."""
    with open_case(evidence, output, **options) as case:
        case.audit(INLINE)
        return json.loads(case.write_findings().read_text())


def trace(path: Path) -> tuple[Any, ...]:
    """Return everything about a file that a careless reader would change."""
    stat = path.stat()
    return hashing.sha256_of(path), stat.st_mtime_ns, stat.st_ctime_ns, stat.st_atime_ns


# --------------------------------------------------------------------------- file systems


def test_a_fat_card_gives_live_and_deleted_photos_with_the_right_content(tmp_path: Path) -> None:
    names = ["kept.jpg", "a long name that goes.jpg"]
    content = {name: photo(tmp_path / "card/DCIM" / name, number).read_bytes() for number, name in enumerate(names)}
    image = made_images.fat(tmp_path / "card.dd", tmp_path / "card", deleted=["DCIM/a long name that goes.jpg"])
    deleted = [name for name in listed(image) if "-deleted/" in name]
    assert [name.rpartition("/")[2] for name in deleted] == ["a long name that goes.jpg"]
    assert re.fullmatch(r"card\.dd!/p0-deleted/\d+/DCIM/a long name that goes\.jpg", deleted[0])
    into = tmp_path / "into"
    into.mkdir()
    for name, inner in (("kept.jpg", "card.dd!/p0/DCIM/kept.jpg"), ("a long name that goes.jpg", deleted[0])):
        taken = acquiring.take(image, Candidate(inner.encode()), into=into)
        assert taken.source.sha256 == hashlib.sha256(content[name]).hexdigest()
        assert taken.working_copy.read_bytes() == content[name]
        assert taken.source.stat.is_deleted is ("deleted" in inner)


def test_what_was_in_a_deleted_folder_is_found_and_marked(tmp_path: Path) -> None:
    photo(tmp_path / "card/DCIM/trip/inside.jpg")
    photo(tmp_path / "card/DCIM/kept.jpg", 1)
    image = made_images.fat(tmp_path / "card.dd", tmp_path / "card")
    made_images.run("mdeltree", "-i", image, "::DCIM/trip")
    found = [name for name, entry in listed(image).items() if isinstance(entry, Candidate)]
    # deleting writes over the first letter of a short name
    assert [name.rpartition("/")[2] for name in found if "p0-deleted" in name] == ["_nside.jpg"]
    assert [name for name in found if "p0-deleted" not in name] == ["card.dd!/p0/DCIM/kept.jpg"]


def test_a_deleted_photo_whose_place_was_written_over_is_passed_over_with_the_reason(tmp_path: Path) -> None:
    photo(tmp_path / "card/gone.jpg")
    image = made_images.fat(tmp_path / "card.dd", tmp_path / "card", deleted=["gone.jpg"])
    data = image.read_bytes()
    image.write_bytes(data.replace(b"\xff\xd8\xff\xe0", b"\x00\x00\x00\x00").replace(b"\xff\xd8\xff\xe1", b"\0\0\0\0"))
    (entry,) = [entry for name, entry in listed(image).items() if "-deleted/" in name]
    assert isinstance(entry, Skipped)
    assert not entry.blocks
    assert "a deleted photo by its name" in entry.reason


def test_a_known_date_on_fat_is_told_as_it_stands_there_whatever_the_zone_of_this_machine(tmp_path: Path) -> None:
    """One back-end is a month late; others turn the wall clock by this machine's zone and lose the hour of spring."""
    moments = {
        "autumn.jpg": WRITTEN,
        "spring.jpg": datetime(2024, 3, 31, 2, 30, 10),
        "january.jpg": datetime(2025, 1, 31),
    }
    for name, moment in moments.items():
        photo(tmp_path / "card" / name, written=moment)
    image = made_images.fat(tmp_path / "card.dd", tmp_path / "card")
    asked = (
        "import sys; from pathlib import Path; from gtloc_forensics.files import reading\n"
        "for name in sys.argv[2:]:\n"
        "    stat = reading.look(Path(sys.argv[1]), b'card.dd!/p0/' + name.encode())\n"
        "    print(name, stat.mtime_ns, stat.is_local, stat.mtime_step_ns, stat.birth_step_ns)\n"
    )
    wanted = [f"{name} {made_images.epoch_ns(moment)} True 2000000000 2000000000" for name, moment in moments.items()]
    for zone in ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"):
        said = subprocess.run(
            [sys.executable, "-c", asked, str(image), *moments],
            env={**os.environ, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout.splitlines() == wanted, zone


def test_a_fat_time_is_a_local_time_in_the_claim_and_an_instant_nowhere(tmp_path: Path) -> None:
    photo(tmp_path / "card/a.jpg")
    image = made_images.fat(tmp_path / "card.dd", tmp_path / "card")
    with open_case(image, tmp_path / "case") as case:
        case.audit(INLINE)
        (entry,) = case.view().photos()
        case.export("timesketch", tmp_path / "timeline.jsonl")
    times = [reading_ for reading_ in entry.photo.claim.times if reading_.tag == "System:FileModifyDate"]
    assert [(time_.wall, time_.kind.name, time_.offset_hours, time_.resolution_s) for time_ in times] == [
        (WRITTEN, "LOCAL", None, 2.0)
    ]
    lines = [json.loads(line) for line in (tmp_path / "timeline.jsonl").read_text().splitlines()]
    certain = [line for line in lines if line["timestamp_desc"] == "Content Modification Time"]
    assert certain
    assert all(line["time_certainty"] != "instant stated" for line in certain)


def test_a_file_older_than_its_photo_is_told_without_a_zone(tmp_path: Path) -> None:
    photo(tmp_path / "card/a.jpg", taken="2027:03:01 12:00:00")
    image = made_images.fat(tmp_path / "card.dd", tmp_path / "card")
    said = json.dumps(audited(image, tmp_path / "case"))
    assert "Last written 2026-11-28 12:34:56 by a clock whose zone is not recorded." in said
    assert "Last written 2026-11-28 12:34:56 UTC." not in said


@pytest.mark.parametrize(
    ("quarters", "wanted", "is_local"),
    [
        (22, datetime(2026, 11, 28, 7, 4, 57, 780_000), False),
        (-32, datetime(2026, 11, 28, 20, 34, 57, 780_000), False),
        (None, datetime(2026, 11, 28, 12, 34, 57, 780_000), True),
    ],
    ids=["UTC+05:30", "UTC-08:00", "no offset"],
)
def test_exfat_times_are_instants_where_their_offset_is_recorded(
    tmp_path: Path, quarters: int | None, wanted: datetime, is_local: bool
) -> None:
    content = photo(tmp_path / "a.jpg").read_bytes()
    wall = datetime(2026, 11, 28, 12, 34, 57, 780_000)
    image = made_images.exfat(tmp_path / "x.dd", "Photo of a card.JPG", content, wall=wall, quarters=quarters)
    stat = stat_of(image, "p0/Photo of a card.JPG")
    assert (stat.mtime_ns, stat.birth_ns, stat.is_local) == (*[made_images.epoch_ns(wanted)] * 2, is_local)
    assert stat.mtime_step_ns == fat_times.EXFAT_STEP_NS
    assert acquiring.rehash(image, b"x.dd!/p0/Photo of a card.JPG") == hashlib.sha256(content).hexdigest()


def test_ntfs_gives_instants_and_the_further_streams_of_a_file(tmp_path: Path) -> None:
    shown, hidden = photo(tmp_path / "a.jpg"), photo(tmp_path / "b.jpg", 1)
    image = made_images.ntfs(tmp_path / "n.dd", [shown])
    made_images.run("ntfscp", "-f", "-N", "hidden", image, hidden, "a.jpg")
    found = {name for name, entry in listed(image).items() if isinstance(entry, Candidate)}
    assert found == {"n.dd!/p0/a.jpg", "n.dd!/p0/a.jpg:hidden"}
    assert not [entry for entry in listed(image).values() if isinstance(entry, Skipped) and entry.blocks]
    for inner, path in (("a.jpg", shown), ("a.jpg:hidden", hidden)):
        assert acquiring.rehash(image, b"n.dd!/p0/" + inner.encode()) == hashlib.sha256(path.read_bytes()).hexdigest()
    stat = stat_of(image, "p0/a.jpg")
    assert abs(stat.mtime_ns / 1e9 - time.time()) < 3600
    assert (stat.is_local, stat.mtime_step_ns) == (False, 100)


def test_ext4_keeps_its_instants_and_gives_deleted_photos(tmp_path: Path) -> None:
    made_images.needs("debugfs")
    photo(tmp_path / "s/a.jpg")
    gone = photo(tmp_path / "s/b.jpg", 1).read_bytes()
    image = made_images.ext4(tmp_path / "e.dd", tmp_path / "s")
    made_images.run("debugfs", "-w", "-R", "rm /b.jpg", image)
    stat = stat_of(image, "p0/a.jpg")
    assert (stat.mtime_ns, stat.is_local) == (made_images.epoch_ns(WRITTEN), False)
    (deleted,) = [name for name, entry in listed(image).items() if isinstance(entry, Candidate) and "-deleted/" in name]
    assert acquiring.rehash(image, deleted.encode()) == hashlib.sha256(gone).hexdigest()


def test_a_partition_that_cannot_be_read_is_not_examined_and_the_others_are(tmp_path: Path) -> None:
    photo(tmp_path / "card/a.jpg")
    noise = tmp_path / "noise"
    noise.write_bytes(os.urandom(1 << 20))
    system = made_images.fat(tmp_path / "fat", tmp_path / "card")
    image = made_images.disk(tmp_path / "d.dd", (made_images.NTFS, noise), (made_images.FAT32, system))
    found = listed(image)
    lost = found["d.dd!/p1"]
    assert isinstance(lost, Skipped)
    assert lost.blocks
    assert "encrypted or damaged" in lost.reason
    assert isinstance(found["d.dd!/p2/a.jpg"], Candidate)


def test_links_sidecars_and_archives_within_an_image_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    photo(folder / "a.jpg")
    (folder / "a.jpg.xmp").write_text("<x:xmpmeta/>")
    (folder / "alone.xmp").write_text("<x:xmpmeta/>")
    (folder / "more.zip").write_bytes(b"PK\x03\x04")
    (folder / "link.jpg").symlink_to("a.jpg")
    found = listed(made_images.ext4(tmp_path / "e.dd", folder))
    entry = found["e.dd!/p0/a.jpg"]
    assert isinstance(entry, Candidate)
    assert entry.sidecars == (b"e.dd!/p0/a.jpg.xmp",)
    assert "e.dd!/p0/a.jpg.xmp" not in found
    assert "sidecar without its photo" in found["e.dd!/p0/alone.xmp"].reason
    assert "gtloc audit --nested opens it" in found["e.dd!/p0/more.zip"].reason
    assert found["e.dd!/p0/more.zip"].blocks
    assert "link" in found["e.dd!/p0/link.jpg"].reason


def test_a_split_raw_image_is_read_across_its_segments_and_a_missing_one_is_told(tmp_path: Path) -> None:
    content = photo(tmp_path / "card/a.jpg").read_bytes()
    data = made_images.fat(tmp_path / "fat", tmp_path / "card").read_bytes()
    size = 13 << 20
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    for number, part in enumerate(parts, 1):
        (tmp_path / f"card.{number:03}").write_bytes(part)
    first = tmp_path / "card.001"
    assert acquiring.rehash(first, b"card.001!/p0/a.jpg") == hashlib.sha256(content).hexdigest()
    with pytest.raises(UsageError, match=r"name the first, card\.001"):
        reading.identity_of(tmp_path / "card.002")
    (tmp_path / "card.002").unlink()
    with pytest.raises(UsageError, match="segment 2 is missing"):
        reading.identity_of(first)


# --------------------------------------------------------------------------- whole cases


PHOTOS = 60


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Make sixty photos as a folder, and as a card (one of them deleted) and a disk of a phone in one image."""
    place = tmp_path_factory.mktemp("corpus")
    for number in range(PHOTOS):
        # every tenth says that it was taken long after its file was written, every seventh is in doubt otherwise
        taken = f"2026:11:{number % 28 + 1:02} 12:{number % 60:02}:30" if number % 10 else "2027:05:01 12:00:00"
        system = "p1/DCIM" if number < 40 else "p2/media"
        photo(place / "folder" / system / f"IMG_20261{number % 2}11_{number:06}.jpg", number, taken=taken)
    card = made_images.fat(place / "fat", place / "folder/p1", deleted=["DCIM/IMG_20261111_000007.jpg"])
    phone = made_images.ext4(place / "ext", place / "folder/p2")
    image = made_images.disk(place / "card.dd", (made_images.FAT32, card), (made_images.LINUX, phone))
    return {"folder": place / "folder", "dd": image}


@pytest.fixture(scope="module")
def audited_image(corpus: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Examine the image once; return the case folder, which nobody changes, and its document."""
    case = tmp_path_factory.mktemp("cases") / "case"
    os.utime(corpus["dd"], ns=(1_000_000_000 * 10**9, 1_600_000_000 * 10**9))  # an access would show under relatime
    before = trace(corpus["dd"])
    document = audited(corpus["dd"], case)
    assert trace(corpus["dd"]) == before
    return case, document


def comparable(document: dict[str, Any]) -> dict[str, Any]:
    """Return what was found of each photo, under its path within image or folder; ids and hashes of paths left out."""
    found = {}
    ids = {item["source_id"]: inner(item["path"]) for item in document["photos"]}
    text = json.dumps(document["photos"])
    for source_id, name in ids.items():
        text = text.replace(source_id, name)
    for item in json.loads(text):
        found[inner(item["path"])] = (item["sha256"], item["status"], json.loads(inner(json.dumps(item["findings"]))))
    return found


def inner(path: str) -> str:
    return re.sub(r"card\.(?:dd|E01)!/", "", re.sub(r"(p\d)-deleted/\d+/", r"\1/", path))


def test_an_image_of_sixty_photos_gives_the_findings_of_the_folder(
    corpus: dict[str, Path], audited_image: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder = comparable(audited(corpus["folder"], tmp_path / "of folder"))
    image = comparable(audited_image[1])
    assert len(folder) == PHOTOS
    assert any(findings for _, _, findings in folder.values())
    assert without_the_file_system(image) == without_the_file_system(folder)
    deleted = [item for item in audited_image[1]["photos"] if item["recorded"]["deleted"]]
    assert [item["path"].rpartition("/")[2] for item in deleted] == ["IMG_20261111_000007.jpg"]


def without_the_file_system(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out in which words the file system's time is told: a card has no zone, the folder has."""
    text = json.dumps(found, sort_keys=True)
    return json.loads(text.replace(" by a clock whose zone is not recorded.", " UTC."))


def test_an_ewf_image_gives_the_same_and_its_stored_hashes_are_compared(
    corpus: dict[str, Path], audited_image: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    made_images.needs("ewfacquire")
    image = made_images.ewf(tmp_path / "card", corpus["dd"], "-c", "deflate:fast")
    before = trace(image)
    document = audited(image, tmp_path / "of E01")
    assert comparable(document) == comparable(audited_image[1])
    assert trace(image) == before
    with Case(tmp_path / "of E01") as case:
        said = case.view().mandate()
        (event,) = [event for event in case.store.custody() if event.action == "container"]
        assert case.verify(INLINE, sample=2).differences == ()
    md5 = hashlib.md5(corpus["dd"].read_bytes()).hexdigest()
    assert event.detail["stated MD5"] == event.detail["content MD5"] == md5
    assert event.detail["said examiner_name"] == "An Examiner"
    assert said["container_check"] == "MD5 and SHA1 of its content as stated in it"
    assert f"stated MD5: {md5}" in said["container_hashes"]


def test_a_container_whose_hash_does_not_match_is_told_loudly(tmp_path: Path) -> None:
    photo(tmp_path / "card/a.jpg")
    needle = os.urandom(400)
    (tmp_path / "card/other.bin").write_bytes(needle)
    system = made_images.fat(tmp_path / "fat.dd", tmp_path / "card")
    image = made_images.ewf(tmp_path / "card", system, "-c", "none")
    data = bytearray(image.read_bytes())
    data[data.index(needle)] ^= 1
    image.write_bytes(data)
    ran = CliRunner().invoke(gtloc, ["audit", str(image), "-o", str(tmp_path / "case"), "--model", "none"])
    assert ran.exit_code == ExitCode.INCOMPLETE
    document = json.loads((tmp_path / "case/findings.json").read_text())
    assert "THE HASH DOES NOT MATCH" in json.dumps(document)
    with Case(tmp_path / "case") as case:
        assert case.view().mandate()["container_check"].startswith("NOT AS STATED IN IT: MD5 and SHA1")
        assert any("DOES NOT MATCH" in found.what for found in case.verify(INLINE, sample=0).differences)


def test_an_ewf_image_damaged_at_its_beginning_is_refused_with_the_damage(tmp_path: Path) -> None:
    photo(tmp_path / "card/a.jpg")
    image = made_images.ewf(
        tmp_path / "card", made_images.fat(tmp_path / "fat.dd", tmp_path / "card"), "-c", "deflate:fast"
    )
    data = bytearray(image.read_bytes())
    at = data.index(b"sectors\0") + 76  # behind the head of its section the first chunk begins
    data[at : at + 40] = b"\xff" * 40
    image.write_bytes(data)
    with pytest.raises(UsageError, match=r"THE HASH DOES NOT MATCH|COULD NOT BE READ TO ITS END"):
        reading.identity_of(image)


def test_a_medium_that_cannot_be_read_is_told_as_such_and_never_compared(tmp_path: Path) -> None:
    class Broken:
        size_bytes, stored, said, libraries = 1 << 20, {"MD5": "00" * 16}, {}, ""

        def read(self, offset: int, length: int) -> bytes:
            raise OSError("a chunk is damaged\nand more")

        def close(self) -> None: ...

    computed, unread = identity.hashes_of(Broken())
    assert (computed, unread) == ({}, "a chunk is damaged")
    found = identity.Identity("EWF image", (), 1 << 20, computed, Broken.stored, unread)
    assert "COULD NOT BE READ TO ITS END (a chunk is damaged)" in str(found.mismatch)
    with pytest.raises(UsageError, match="no folder, no archive"):
        disk_images.DiskImage(Broken(), "broken.E01", identity=0)


def test_a_split_ewf_image_is_read_and_its_segments_are_evidence(corpus: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "e").mkdir()
    image = made_images.ewf(tmp_path / "e/card", corpus["dd"], "-c", "none", "-S", "30MiB")
    segments = sorted((tmp_path / "e").iterdir())
    assert len(segments) > 1
    found = reading.identity_of(image)
    assert found is not None
    assert [part.name for part in found.parts] == [os.fsencode(part.name) for part in segments]
    assert found.mismatch is None
    for segment in segments:
        with pytest.raises(EvidenceTreeError):
            audited(image, tmp_path / "case", database_url=f"sqlite:///{segment}")


def test_an_image_that_changed_since_is_told_by_verify(tmp_path: Path) -> None:
    for number in range(3):
        photo(tmp_path / f"card/{number}.jpg", number)
    system = made_images.fat(tmp_path / "fat", tmp_path / "card")
    image = made_images.disk(tmp_path / "card.dd", (made_images.FAT32, system))
    audited(image, tmp_path / "case")
    data = bytearray(image.read_bytes())
    data[-1] ^= 1
    at = data.index(b"\xff\xd8\xff")
    data[at + 400] ^= 1
    image.write_bytes(data)
    with Case(tmp_path / "case") as case:
        differences = case.verify(INLINE, sample=0).differences
    assert any(found.subject == "card.dd" and "sha256 of card.dd was" in found.what for found in differences)
    assert any(found.subject.startswith("card.dd!/p1/") and "content changed" in found.what for found in differences)
    assert all(isinstance(found, Difference) for found in differences)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_killed_and_run_again_an_image_ends_as_if_unbroken(corpus: dict[str, Path], tmp_path: Path) -> None:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1795910400"}

    def command(output: Path) -> list[str]:
        words = ["audit", str(corpus["dd"]), "-o", str(output), "--model", "none", "--no-report", "--jobs", "0"]
        return [sys.executable, "-m", "gtloc_forensics", *words]

    broken, whole = tmp_path / "broken", tmp_path / "whole"
    with subprocess.Popen(command(broken), env=environment, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not acquired(broken):
            time.sleep(0.02)
        process.kill()
    known = acquired(broken)
    assert known > 0
    assert not (broken / "findings.json").exists()
    for output in (broken, whole):
        done = subprocess.run(command(output), env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == ExitCode.INCOMPLETE, done.stderr
    documents = [json.loads((output / "findings.json").read_text()) for output in (broken, whole)]
    assert documents[0]["photos"] == documents[1]["photos"]
    assert len(documents[0]["photos"]) == PHOTOS
    assert acquired(broken) == PHOTOS  # nothing was taken in twice


def acquired(case: Path) -> int:
    import sqlite3

    if not (case / "case.sqlite").is_file():
        return 0
    with sqlite3.connect(f"file:{case / 'case.sqlite'}?mode=ro", uri=True) as database:
        try:
            return int(database.execute("SELECT count(*) FROM source").fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def test_corrections_of_an_image_go_to_the_case_and_never_into_it(
    corpus: dict[str, Path], audited_image: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    image, case = corpus["dd"], Path(shutil.copytree(audited_image[0], tmp_path / "case"))
    before = trace(image)
    runner = CliRunner()
    only = "card.dd!/p2/media/IMG_20261011_000040.jpg"
    planned = runner.invoke(gtloc, ["correct", str(case), "--offset", "+01:00:00", "--only", only])
    assert planned.exit_code == 0, planned.output
    for words in (["--beside"], ["--in-place", "--yes-change-originals"]):
        refused = runner.invoke(gtloc, ["correct", str(case), "--apply", *words])
        assert refused.exit_code == ExitCode.FAILURE
        assert "card.dd, which is never written to" in refused.output
    written = runner.invoke(gtloc, ["correct", str(case), "--apply"])
    assert written.exit_code == 0, written.output
    assert (case / "sidecars" / f"{only}.xmp").is_file()
    assert not (case / "corrections/taken-out").exists()
    assert runner.invoke(gtloc, ["correct", str(case), "--undo"]).exit_code == 0
    assert not (case / "sidecars" / f"{only}.xmp").exists()
    copied = runner.invoke(gtloc, ["correct", str(case), "--apply", "--copy", str(tmp_path / "copies")])
    assert copied.exit_code == 0, copied.output
    assert (tmp_path / "copies" / only).is_file()
    assert trace(image) == before


def test_reports_and_tables_print_the_inner_path(audited_image: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    with Case(Path(shutil.copytree(audited_image[0], tmp_path / "case"))) as case:
        case.export("csv", tmp_path / "table.csv")
        case.export("html", tmp_path / "page.html")
    path = "card.dd!/p2/media/IMG_20261011_000050.jpg"
    assert path in (tmp_path / "table.csv").read_text()
    page = (tmp_path / "page.html").read_text()
    assert path in page
    assert "below p1-deleted and the number of a record was deleted" in page
    assert "it states no hash of its content" in page


def test_a_recorded_time_is_told_with_its_zone_and_its_step() -> None:
    nanoseconds = made_images.epoch_ns(WRITTEN)
    assert recorded.moment_of(nanoseconds, 2.0, is_local=True) == (
        "2026-11-28 12:34:56, by a clock whose zone is not recorded, in steps of 2.00 s"
    )
    assert recorded.moment_of(nanoseconds, 1e-7, is_local=False) == "2026-11-28 12:34:56 UTC"
    assert recorded.moment_of(0, 1.0, is_local=False) is None


# --------------------------------------------------------------------------- what is refused


def test_what_is_no_image_is_refused_before_a_case_is_made(tmp_path: Path) -> None:
    picture = photo(tmp_path / "a.jpg")
    for name, content in (
        ("a.jpg", picture.read_bytes()),
        ("l.L01", b"LVF\x09\x0d\x0a\xff\x00" + bytes(600)),
        ("v.vmdk", b"KDMV" + bytes(600)),
        ("b.E01", b"EVF\x09\x0d\x0a\xff\x00" + bytes(600)),
        ("z.aff4", b"PK\x03\x04" + bytes(600)),
        ("l.Lx01", b"LEF2\x0d\x0a\x81\x00" + bytes(600)),
        ("r.rar", b"Rar!\x1a\x07" + bytes(600)),
        ("q.qcow2", b"QFI\xfb" + bytes(600)),
        ("v.vhdx", b"vhdxfile" + bytes(600)),
        ("v.vhd", b"conectix" + bytes(600)),
        ("m.dmg", b"encrcdsa" + bytes(600)),
        ("i.vdi", bytes(64) + b"\x7f\x10\xda\xbe" + bytes(600)),
        ("f.ad1", b"ADSEGMENTEDFILE\0" + bytes(600)),
        ("a.aff", b"AFF10\r\n\0" + bytes(600)),
        ("card.dd.gz", b"\x1f\x8b\x08" + bytes(600)),
        ("p.tar.zst", b"\x28\xb5\x2f\xfd" + bytes(600)),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        is_named = "does not read" if name[:2] in ("l.", "v.", "r.", "q.", "m.", "i.", "f.") else ""
        with pytest.raises(UsageError, match=f"{re.escape(name)}.*{is_named}"):
            open_case(path, tmp_path / "case")
        assert not (tmp_path / "case").exists()


def test_an_image_is_listed_in_flat_memory(tmp_path: Path) -> None:
    """The list grows on the disk: ten times the files take hardly more of Python's memory."""
    import tracemalloc

    from gtloc_forensics.files.containers.container import Container

    made_images.needs("mkfs.ext4")
    peaks = []
    for count in (200, 2000):
        folder = tmp_path / f"files {count}"
        for number in range(count):
            place = folder / f"{number // 100:03}"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"IMG_{number:06}.jpg").write_bytes(b"\xff\xd8\xff")
        image = made_images.ext4(tmp_path / f"{count}.dd", folder, size_mb=32)
        tracemalloc.start()
        container = Container(image)
        assert sum(isinstance(entry, Candidate) for entry in container.walk()) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        container.close()
    assert peaks[1] < peaks[0] * 1.5, peaks


def test_the_reading_of_local_times_is_not_off_by_the_difference_of_two_clocks() -> None:
    """The entry of a file of which every byte is known: 28 November 2026, 12:34:56, made 12:34:57.50."""
    entry = bytearray(32)
    entry[:11], entry[11] = b"IMG_0001JPG", 0x20
    day, clock = (2026 - 1980) << 9 | 11 << 5 | 28, 12 << 11 | 34 << 5 | 56 // 2
    entry[13] = 150
    entry[14:18] = clock.to_bytes(2, "little") + day.to_bytes(2, "little")
    entry[22:26] = clock.to_bytes(2, "little") + day.to_bytes(2, "little")
    found = fat_times.of_entry(lambda at, length: bytes(entry), 1, fat_times.FIRST_ENTRY, is_exfat=False)
    assert found is not None
    assert found.modified_ns == made_images.epoch_ns(WRITTEN)
    assert found.created_ns == made_images.epoch_ns(WRITTEN + timedelta(seconds=1.5))
    assert found.is_local
