"""Libraries of telephones as second witnesses: what each version keeps, which photo is meant, and what is told."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import made_images
import pytest
from builders import a_photo, when
from made_libraries import NONE_DEG, asset, backup, encrypted_backup, media_store, photos_library
from test_case import photo

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.checks import Check, Context
from gtloc_forensics.checks.rules.gf123_second_witness import second_witness
from gtloc_forensics.checks.rules.gf136_cached_exif_time import cached_exif_time
from gtloc_forensics.checks.rules.gf137_library_zone import library_zone
from gtloc_forensics.checks.rules.gf138_library_states import library_states
from gtloc_forensics.errors import UsageError
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.metadata import catalogues
from gtloc_forensics.records import Absent, Finding, Outcome, Position, SecondWitness, Severity, Skipped, WitnessState

TAKEN = datetime(2024, 6, 15, 12, 0, 30)
UTC = TAKEN - timedelta(hours=2)
EXIF = "2024:06:15 12:00:30"
SUMMER_S = 7200


def read(path: Path) -> SecondWitness:
    (witness,) = catalogues.read(path, source=path.name).witnesses
    return witness


# --------------------------------------------------------------------------- Apple Photos


@pytest.mark.parametrize("is_old", [False, True])
def test_photos_keeps_an_instant_a_zone_a_place_and_the_files_own_time(tmp_path: Path, is_old: bool):
    shot = asset(
        "DCIM/100APPLE/IMG_0001.HEIC",
        UTC,
        offset_s=SUMMER_S,
        exif=EXIF,
        place=(48.9, 2.3),
        exif_place=(48.9, 2.3),
        original="IMG_E0001.HEIC",
        size=1234,
        hidden=1,
        trashed=1,
        edited=1,
    )
    path = photos_library(tmp_path / "Photos.sqlite", shot, is_old=is_old, version=13537 if is_old else 17120)
    assert catalogues.read(path, source="").doubt == ""
    witness = read(path)
    assert (witness.program, witness.photo_path) == ("Apple Photos", "DCIM/100APPLE/IMG_0001.HEIC")
    assert (witness.utc_time, witness.local_time, witness.exif_time) == (UTC, TAKEN, TAKEN)
    assert (witness.utc_offset_hours, witness.position, witness.size_bytes) == (2.0, Position(48.9, 2.3), 1234)
    assert (witness.is_time_edited, witness.is_position_edited) == (False, False)
    assert witness.states == (WitnessState.TRASHED, WitnessState.HIDDEN, WitnessState.EDITED)
    assert witness.other_paths == ("IMG_E0001.HEIC",)


def test_minus_180_degrees_is_no_place(tmp_path: Path):
    witness = read(photos_library(tmp_path / "a.sqlite", asset("DCIM/1/a.jpg", UTC, place=(NONE_DEG, NONE_DEG))))
    assert witness.position is Absent.NO_FIX


def test_an_adjusted_time_and_place_are_known_by_what_the_file_came_with(tmp_path: Path):
    shot = asset(
        "DCIM/100APPLE/a.jpg",
        UTC + timedelta(days=3),
        offset_s=SUMMER_S,
        exif=EXIF,
        place=(43.3, 5.4),
        exif_place=(48.9, 2.3),
    )
    witness = read(photos_library(tmp_path / "a.sqlite", shot))
    assert (witness.is_time_edited, witness.is_position_edited) == (True, True)


def test_an_unknown_version_says_so_and_missing_columns_are_missed_not_guessed(tmp_path: Path):
    path = photos_library(tmp_path / "a.sqlite", asset("DCIM/1/a.jpg", UTC), version=99_000)
    with closing(sqlite3.connect(path)) as database, database:
        for column in ("ZTIMEZONEOFFSET", "ZEXIFTIMESTAMPSTRING", "ZORIGINALFILESIZE", "ZORIGINALFILENAME"):
            database.execute(f"ALTER TABLE ZADDITIONALASSETATTRIBUTES DROP COLUMN {column}")
        database.execute("DROP TABLE ZEXTENDEDATTRIBUTES")
    found = catalogues.read(path, source="")
    assert "version (99000) is not among those that are known" in found.doubt
    (witness,) = found.witnesses
    assert (witness.utc_time, witness.utc_offset_hours) == (UTC, Absent.MISSING)
    assert (witness.local_time, witness.exif_time) == (Absent.UNDERIVABLE, Absent.MISSING)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("ALTER TABLE ZASSET DROP COLUMN ZDATECREATED")
    with pytest.raises(catalogues.NotRead, match="ZASSET has no column ZDATECREATED"):
        catalogues.read(path, source="")


@pytest.mark.parametrize("value", ["soon", b"\xff", 1e300, -1e300, 10**18, "", None])
def test_hostile_values_are_absent(tmp_path: Path, value: object):
    path = photos_library(tmp_path / "a.sqlite", asset("DCIM/1/a.jpg", UTC))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "UPDATE ZASSET SET ZDATECREATED = ?1, ZADDEDDATE = ?1, ZLATITUDE = ?1, ZLONGITUDE = ?1, ZHIDDEN = ?1",
            (value,),
        )
        database.execute(
            "UPDATE ZADDITIONALASSETATTRIBUTES SET ZTIMEZONEOFFSET = ?1, ZEXIFTIMESTAMPSTRING = ?1, "
            "ZORIGINALFILESIZE = ?1, ZORIGINALFILENAME = ?1",
            (value,),
        )
        database.execute("UPDATE Z_METADATA SET Z_PLIST = ?", (value,))
    witness = read(path)
    for kept in (witness.utc_time, witness.added_utc, witness.position, witness.exif_time):
        assert isinstance(kept, Absent)


# --------------------------------------------------------------------------- Android


@pytest.mark.parametrize("unit", [1, 1000, 1_000_000])
def test_the_media_store_keeps_instants_in_seconds_or_finer(tmp_path: Path, unit: int):
    seconds = int((UTC - datetime(1970, 1, 1)).total_seconds())
    row = {"_data": "/storage/emulated/0/DCIM/Camera/a.jpg", "_size": 99, "datetaken": seconds * unit}
    witness = read(media_store(tmp_path / "external.db", row | {"latitude": 48.9, "longitude": 2.3, "is_trashed": 1}))
    assert (witness.program, witness.version) == ("Android MediaStore", "1308")
    assert witness.photo_path == "/storage/emulated/0/DCIM/Camera/a.jpg"
    assert (witness.utc_time, witness.local_time) == (UTC, Absent.MISSING)
    assert (witness.position, witness.states) == (Position(48.9, 2.3), (WitnessState.TRASHED,))


def test_a_media_store_of_an_unknown_version_says_so_and_a_song_is_no_photo(tmp_path: Path):
    song = {"_data": "/storage/emulated/0/Music/a.mp3", "media_type": 2}
    found = catalogues.read(media_store(tmp_path / "external.db", song, version=9900), source="")
    assert found.witnesses == ()
    assert "version (9900)" in found.doubt


@pytest.mark.parametrize("name", ["Photos.sqlite", "external.db", "external-1a2b3c.db", "Manifest.db"])
def test_libraries_are_known_by_their_names(name: str):
    assert catalogues.may_be_catalogue(name)


# --------------------------------------------------------------------------- what is told


def kept(**values: object) -> SecondWitness:
    return replace(SecondWitness("Photos.sqlite", "Apple Photos", "17120", "DCIM/100APPLE/photo.jpg"), **values)


def judged(rule: Check, witness: SecondWitness, *, same_size: bool = True, **claimed: object) -> Finding:
    about = a_photo(**{"local": TAKEN, **claimed})
    if same_size:
        witness = replace(witness, size_bytes=about.source.stat.size_bytes)
    context = Context(when("2026-01-01"), witnesses={about.source.source_id: (witness,)})
    (found,) = rule.function(about, context)
    return found


def test_an_adjustment_by_the_owner_changes_only_the_library_and_is_explained():
    adjusted = kept(local_time=TAKEN + timedelta(days=3), exif_time=TAKEN, is_time_edited=True)
    assert judged(second_witness, adjusted).outcome is Outcome.EXPLAINED
    assert judged(cached_exif_time, adjusted).outcome is Outcome.CONSISTENT


def test_a_file_that_was_changed_after_the_library_read_it_is_a_finding():
    witness = kept(local_time=TAKEN - timedelta(days=3), exif_time=TAKEN - timedelta(days=3), is_time_edited=False)
    found = judged(cached_exif_time, witness)
    assert (found.outcome, found.severity) == (Outcome.SUSPICIOUS, Severity.HIGH)
    assert "it read a time 3 days earlier than the file has now: the file was changed since" in found.summary
    doubtful = judged(cached_exif_time, witness, same_size=False)
    assert doubtful.severity is Severity.MEDIUM
    assert "or is another one" in doubtful.summary


def test_a_copy_that_was_exported_with_its_adjusted_time_is_explained():
    found = judged(cached_exif_time, kept(local_time=TAKEN, exif_time=TAKEN - timedelta(days=3)))
    assert found.outcome is Outcome.EXPLAINED


def test_another_zone_is_told_and_explained_where_the_time_was_set_in_the_library():
    assert judged(library_zone, kept(utc_offset_hours=2.0), offset=2.0).outcome is Outcome.CONSISTENT
    found = judged(library_zone, kept(utc_offset_hours=9.0), offset=2.0)
    assert found.outcome is Outcome.SUSPICIOUS
    assert "in UTC+09:00, the file in UTC+02:00" in found.summary
    edited = judged(library_zone, kept(utc_offset_hours=9.0, is_time_edited=True), offset=2.0)
    assert edited.outcome is Outcome.EXPLAINED
    assert judged(library_zone, kept(utc_offset_hours=2.0)).outcome is Outcome.NOT_TESTABLE


def test_bin_and_hidden_are_context():
    found = judged(library_states, kept(states=(WitnessState.TRASHED, WitnessState.HIDDEN)))
    assert found.outcome is Outcome.CONSISTENT
    assert found.summary == "Apple Photos keeps the photo in its bin and hidden."
    assert judged(library_states, kept()).outcome is Outcome.NOT_TESTABLE


@pytest.mark.parametrize(
    ("gap", "offset", "outcome"),
    [
        (timedelta(0), 2.0, Outcome.CONSISTENT),
        (timedelta(hours=3), 2.0, Outcome.EXPLAINED),  # read in another zone
        (timedelta(hours=3), None, Outcome.CONSISTENT),  # the file states no zone: any may be meant
        (timedelta(minutes=7), 2.0, Outcome.SUSPICIOUS),
        (timedelta(minutes=7), None, Outcome.SUSPICIOUS),
        (timedelta(days=2), 2.0, Outcome.SUSPICIOUS),
    ],
)
def test_an_instant_without_a_zone_is_compared_as_one(gap: timedelta, offset: float | None, outcome: Outcome):
    claimed = {} if offset is None else {"offset": offset}
    assert judged(second_witness, kept(utc_time=UTC + gap), **claimed).outcome is outcome


# --------------------------------------------------------------------------- through a whole audit

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")


@pytest.fixture
def audited(tmp_path: Path) -> Iterator[Callable[..., Case]]:
    opened: list[Case] = []

    def run(evidence: Path, *named: Path) -> Case:
        case = open_case(evidence, tmp_path / "case")
        opened.append(case)
        case.audit(Settings(model="none", jobs=0, catalogues=named))
        return case

    yield run
    for case in opened:
        case.close()


def told(case: Case, rule: str) -> dict[str, Finding]:
    return {
        entry.photo.source.display_path: finding
        for entry in case.view().photos()
        for finding in entry.findings
        if finding.check_id == rule
    }


def passed_over(case: Case) -> dict[bytes, Skipped]:
    return {entry.relative: entry for entry in case.store.rejected(case.store.examination().fingerprint)}


def state(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def shots() -> tuple[dict[str, object], ...]:
    """Give one photo as it is, and one whose file is three days older now than when the library read it."""
    return (
        asset("DCIM/100APPLE/IMG_0001.JPG", UTC, offset_s=SUMMER_S, exif=EXIF, hidden=1),
        asset(
            "DCIM/100APPLE/IMG_0002.JPG",
            UTC + timedelta(days=3),
            offset_s=SUMMER_S,
            exif=f"{TAKEN + timedelta(days=3):%Y:%m:%d %H:%M:%S}",
        ),
    )


def phone(folder: Path) -> Path:
    """Make what is copied from an iPhone: photos and their library."""
    for number in (1, 2):
        photo(folder / "DCIM" / "100APPLE" / f"IMG_000{number}.JPG", number, taken=EXIF)
    photos_library(folder / "PhotoData" / "Photos.sqlite", *shots())
    return folder


def holds_what_the_library_says(case: Case, first: str, second: str) -> None:
    time, cached, states = (told(case, rule) for rule in ("GF123", "GF136", "GF138"))
    assert time[first].outcome is Outcome.CONSISTENT
    assert time[second].outcome is Outcome.SUSPICIOUS
    assert "3 days later than" in cached[second].summary
    assert "hidden" in states[first].summary
    assert case.custody_faults() == ()


@needs_exiftool
def test_a_library_beside_the_photos_of_a_telephone_speaks_of_them(tmp_path: Path, audited: Callable[..., Case]):
    evidence = phone(tmp_path / "phone")
    before = state(evidence)
    case = audited(evidence)
    assert state(evidence) == before
    holds_what_the_library_says(case, "DCIM/100APPLE/IMG_0001.JPG", "DCIM/100APPLE/IMG_0002.JPG")
    assert "a second witness of 2 photos" in passed_over(case)[b"PhotoData/Photos.sqlite"].reason


@needs_exiftool
def test_a_zip_of_the_whole_file_system_holds_its_library_too(tmp_path: Path, audited: Callable[..., Case]):
    folder = phone(tmp_path / "phone")
    image = tmp_path / "phone.zip"
    with zipfile.ZipFile(image, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"private/var/mobile/Media/{path.relative_to(folder)}")
    case = audited(image)
    names = sorted(told(case, "GF123"))
    assert len(names) == 2
    holds_what_the_library_says(case, *names)


@needs_exiftool
def test_an_image_of_a_telephone_holds_its_library_too(tmp_path: Path, audited: Callable[..., Case]):
    pytest.importorskip("pytsk3", reason="needs the extra images")
    case = audited(made_images.ext4(tmp_path / "phone.dd", phone(tmp_path / "phone")))
    names = sorted(told(case, "GF123"))
    assert names == [f"phone.dd!/p0/DCIM/100APPLE/IMG_000{number}.JPG" for number in (1, 2)]
    holds_what_the_library_says(case, *names)


@needs_exiftool
def test_a_backup_names_its_photos_by_hashes_and_they_are_found(tmp_path: Path, audited: Callable[..., Case]):
    folder = phone(tmp_path / "phone")
    content = {f"Media/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    evidence = backup(tmp_path / "backup", content)
    before = state(evidence)
    case = audited(evidence)
    assert state(evidence) == before
    first, second = (
        (lambda name: f"{name[:2]}/{name}")(
            hashlib.sha1(f"CameraRollDomain-Media/DCIM/100APPLE/IMG_000{number}.JPG".encode()).hexdigest()
        )
        for number in (1, 2)
    )
    holds_what_the_library_says(case, first, second)
    taken = next(event for event in case.store.custody() if "Manifest.db" in event.subject)
    assert len([key for key in taken.detail if key.startswith("sha256 of")]) == 2


@needs_exiftool
def test_a_folder_can_be_named_as_a_catalogue(tmp_path: Path, audited: Callable[..., Case]):
    library = tmp_path / "Pictures.photoslibrary"
    evidence = tmp_path / "exported"
    photo(evidence / "IMG_0001.JPG", 1, taken=EXIF)
    size = (evidence / "IMG_0001.JPG").stat().st_size
    shot = asset("0/0A1B2C3D.jpeg", UTC, offset_s=SUMMER_S, exif=EXIF, original="IMG_0001.JPG", size=size)
    photos_library(library / "database" / "Photos.sqlite", shot)
    case = audited(evidence, library)
    assert told(case, "GF136")["IMG_0001.JPG"].outcome is Outcome.CONSISTENT


@needs_exiftool
def test_two_entries_that_fit_as_well_give_no_witness(tmp_path: Path, audited: Callable[..., Case]):
    evidence = tmp_path / "exported"
    photo(evidence / "IMG_0001.JPG", 1, taken=EXIF)
    size = (evidence / "IMG_0001.JPG").stat().st_size
    twins = [
        asset(f"{number}/{number}.jpeg", UTC, offset_s=SUMMER_S, exif=EXIF, original="IMG_0001.JPG", size=size)
        for number in (1, 2)
    ]
    library = photos_library(tmp_path / "Photos.sqlite", *twins)
    assert told(audited(evidence, library), "GF136")["IMG_0001.JPG"].outcome is Outcome.NOT_TESTABLE


@needs_exiftool
def test_an_encrypted_backup_is_refused_with_what_to_do(tmp_path: Path, audited: Callable[..., Case]):
    evidence = tmp_path / "photos"
    photo(evidence / "a.jpg", 1)
    encrypted = tmp_path / "backup"
    encrypted.mkdir()
    (encrypted / "Manifest.db").write_bytes(bytes(range(256)) * 16)
    with pytest.raises(UsageError, match="encrypted, as that of a backup with a password is"):
        audited(evidence, encrypted)


@needs_exiftool
def test_an_encrypted_backup_speaks_when_its_password_is_given(tmp_path: Path):
    pytest.importorskip("iphone_backup_decrypt", reason="the extra backup is not installed")
    folder = phone(tmp_path / "phone")
    library = (folder / "PhotoData" / "Photos.sqlite").read_bytes()
    (folder / "PhotoData" / "Photos.sqlite").unlink()
    locked = encrypted_backup(tmp_path / "backup", {"Media/PhotoData/Photos.sqlite": library}, b"open sesame")
    before = state(locked)
    right, wrong = tmp_path / "right.txt", tmp_path / "wrong.txt"
    right.write_text("open sesame\n")
    wrong.write_text("closed\n")
    with open_case(folder, tmp_path / "case") as case:
        with pytest.raises(UsageError, match="the password that was given does not open the backup"):
            case.audit(Settings(model="none", jobs=0, catalogues=(locked,), backup_password=wrong))
        case.audit(Settings(model="none", jobs=0, catalogues=(locked,), backup_password=right))
        holds_what_the_library_says(case, "DCIM/100APPLE/IMG_0001.JPG", "DCIM/100APPLE/IMG_0002.JPG")
        assert "sesame" not in repr(case.view().environment)
    assert state(locked) == before
    assert not [path for path in (tmp_path / "case").rglob("*") if path.name.endswith("-open")]


def test_a_hostile_list_of_keys_is_refused_not_crashed_over(tmp_path: Path):
    encrypted_backup_ = pytest.importorskip("iphone_backup_decrypt") and catalogues.encrypted_backup
    for content in (b"", b"bplist00" + bytes(40), b"<plist><dict/></plist>", b"\xff" * 100):
        (tmp_path / "Manifest.plist").write_bytes(content)
        with pytest.raises(catalogues.NotRead, match="cannot be decrypted"):
            encrypted_backup_.Keys(tmp_path / "Manifest.plist", b"x")


def test_a_backup_without_photos_says_so(tmp_path: Path):
    folder = backup(tmp_path / "backup", {"Media/Recordings/a.m4a": b"sound"})
    with pytest.raises(catalogues.NotRead, match="holds no library of Photos"):
        catalogues.ios_backup.read(folder / "Manifest.db")
