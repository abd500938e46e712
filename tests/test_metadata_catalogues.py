"""Catalogues of photo programs as second witnesses: what they keep, which photo is meant, and not a byte changes."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from builders import a_photo, only, when
from click.testing import CliRunner
from test_case import photo

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.checks import Context
from gtloc_forensics.checks.rules.gf123_second_witness import second_witness
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.errors import UsageError
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.metadata import catalogues
from gtloc_forensics.records import Absent, CauseKind, Finding, Outcome, Photo, Position, SecondWitness, Skipped

TAKEN = datetime(2024, 6, 15, 12, 0, 30)

DIGIKAM = """
CREATE TABLE AlbumRoots (id INTEGER PRIMARY KEY, label TEXT, status INTEGER, type INTEGER, identifier TEXT,
    specificPath TEXT);
CREATE TABLE Albums (id INTEGER PRIMARY KEY, albumRoot INTEGER, relativePath TEXT NOT NULL, date DATE);
CREATE TABLE Images (id INTEGER PRIMARY KEY, album INTEGER, name TEXT NOT NULL, status INTEGER NOT NULL,
    category INTEGER NOT NULL, modificationDate DATETIME, fileSize INTEGER, uniqueHash TEXT);
CREATE TABLE ImageInformation (imageid INTEGER PRIMARY KEY, rating INTEGER, creationDate DATETIME,
    digitizationDate DATETIME);
CREATE TABLE ImagePositions (imageid INTEGER PRIMARY KEY, latitude TEXT, latitudeNumber REAL, longitude TEXT,
    longitudeNumber REAL, altitude REAL);
CREATE TABLE Settings (keyword TEXT NOT NULL UNIQUE, value TEXT);
INSERT INTO Settings VALUES ('DBVersion', '16');
INSERT INTO AlbumRoots VALUES (1, 'Pictures', 0, 1, 'volumeid:?uuid=1', '/home/somebody/Pictures');
"""

LIGHTROOM = """
CREATE TABLE Adobe_variablesTable (id_local INTEGER PRIMARY KEY, name, value);
CREATE TABLE AgLibraryRootFolder (id_local INTEGER PRIMARY KEY, absolutePath, name);
CREATE TABLE AgLibraryFolder (id_local INTEGER PRIMARY KEY, pathFromRoot, rootFolder INTEGER);
CREATE TABLE AgLibraryFile (id_local INTEGER PRIMARY KEY, baseName, extension, folder INTEGER, idx_filename);
CREATE TABLE Adobe_images (id_local INTEGER PRIMARY KEY, captureTime, originalCaptureTime, masterImage INTEGER,
    rootFile INTEGER);
CREATE TABLE AgHarvestedExifMetadata (id_local INTEGER PRIMARY KEY, image INTEGER, gpsLatitude, gpsLongitude, hasGPS);
CREATE TABLE AgLibraryImport (id_local INTEGER PRIMARY KEY, importDate);
CREATE TABLE AgLibraryImportImage (id_local INTEGER PRIMARY KEY, image INTEGER, import INTEGER);
INSERT INTO Adobe_variablesTable VALUES (1, 'Adobe_DBVersion', '1300000');
INSERT INTO AgLibraryRootFolder VALUES (1, 'D:/Photos/', 'Photos');
"""

PHOTOPRISM = """
CREATE TABLE photos (id INTEGER PRIMARY KEY, photo_uid, taken_at DATETIME, taken_at_local DATETIME, taken_src,
    time_zone, photo_lat REAL, photo_lng REAL, place_src, created_at DATETIME, deleted_at DATETIME);
CREATE TABLE files (id INTEGER PRIMARY KEY, photo_id INTEGER, file_name, file_root, file_size BIGINT,
    file_missing BOOL, deleted_at DATETIME);
"""


def made(path: Path, schema: str, *statements: tuple[str, tuple]) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(schema)
        for statement, values in statements:
            database.execute(statement, values)
        database.commit()
    return path


def digikam(path: Path, *shots: tuple[str, str], position: tuple[float, float] | None = None) -> Path:
    """Make a catalogue of (path in the album root, capture time)."""
    rows: list[tuple[str, tuple]] = []
    for number, (name, taken) in enumerate(shots, 1):
        album, _, last = f"/{name}".rpartition("/")
        rows.append(("INSERT INTO Albums VALUES (?, 1, ?, NULL)", (number, album or "/")))
        rows.append(("INSERT INTO Images VALUES (?, ?, ?, 1, 1, NULL, NULL, NULL)", (number, number, last)))
        rows.append(("INSERT INTO ImageInformation VALUES (?, 0, ?, NULL)", (number, taken)))
        if position is not None:
            rows.append(("INSERT INTO ImagePositions VALUES (?, '', ?, '', ?, NULL)", (number, *position)))
    return made(path, DIGIKAM, *rows)


def lightroom(path: Path, taken: str, original: str | None = None, *, imported_s: float | None = None) -> Path:
    rows: list[tuple[str, tuple]] = [
        ("INSERT INTO AgLibraryFolder VALUES (1, 'trip/', 1)", ()),
        ("INSERT INTO AgLibraryFile VALUES (1, '0', 'jpg', 1, '0.jpg')", ()),
        ("INSERT INTO Adobe_images VALUES (7, ?, ?, NULL, 1)", (taken, original)),
        ("INSERT INTO Adobe_images VALUES (8, '1999-01-01T00:00:00', NULL, 7, 1)", ()),  # a virtual copy
        ("INSERT INTO AgLibraryImport VALUES (1, ?)", (imported_s,)),
        ("INSERT INTO AgLibraryImportImage VALUES (1, 7, 1)", ()),
    ]
    return made(path, LIGHTROOM, *rows)


def photoprism(path: Path, taken_from: str, placed_from: str = "meta") -> Path:
    kept = (
        "2024-06-15 09:00:30+00:00",
        "2024-06-15 11:00:30+00:00",
        taken_from,
        "Europe/Paris",
        48.9,
        2.3,
        placed_from,
    )
    rows: list[tuple[str, tuple]] = [
        ("INSERT INTO photos VALUES (1, 'p1', ?, ?, ?, ?, ?, ?, ?, '2024-07-01 10:00:00+00:00', NULL)", kept),
        ("INSERT INTO files VALUES (1, 1, 'trip/0.jpg', '/', NULL, 0, NULL)", ()),
        ("INSERT INTO files VALUES (2, 1, 'trip/0.jpg.jpg', 'sidecar', NULL, 0, NULL)", ()),
    ]
    return made(path, PHOTOPRISM, *rows)


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number in range(2):
        photo(folder / "trip" / f"{number}.jpg", number, taken=f"2024:06:15 12:0{number}:30")
    return folder


@pytest.fixture
def audited(evidence: Path, tmp_path: Path) -> Iterator[Callable[..., Case]]:
    opened: list[Case] = []

    def run(*named: Path) -> Case:
        case = open_case(evidence, tmp_path / "case")
        opened.append(case)
        case.audit(Settings(model="none", jobs=0, catalogues=named))
        return case

    yield run
    for case in opened:
        case.close()


def told(case: Case, name: str = "trip/0.jpg") -> Finding:
    (entry,) = [entry for entry in case.view().photos() if entry.photo.source.display_path == name]
    (found,) = [finding for finding in entry.findings if finding.check_id == "GF123"]
    return found


def passed_over(case: Case) -> dict[bytes, Skipped]:
    return {entry.relative: entry for entry in case.store.rejected(case.store.examination().fingerprint)}


# --------------------------------------------------------------------------- what each program keeps


def read(path: Path) -> SecondWitness:
    (witness,) = catalogues.read(path, source=path.name).witnesses
    return witness


def test_digikam_keeps_a_local_time_and_a_position(tmp_path: Path):
    witness = read(digikam(tmp_path / "digikam4.db", ("trip/0.jpg", "2024-06-15T12:00:30.000"), position=(48.9, 2.3)))
    assert (witness.program, witness.version) == ("digiKam", "16")
    assert witness.photo_path == "/home/somebody/Pictures/trip/0.jpg"
    assert (witness.local_time, witness.utc_time) == (TAKEN, Absent.MISSING)
    assert witness.position == Position(48.9, 2.3)
    assert witness.is_time_edited is Absent.MISSING, "it does not say"


def test_lightroom_says_which_time_was_set_by_a_person(tmp_path: Path):
    plain = read(lightroom(tmp_path / "a.lrcat", "2024-06-15T12:00:30", "2024-06-15T12:00:30"))
    assert (plain.photo_path, plain.local_time, plain.is_time_edited) == ("D:/Photos/trip/0.jpg", TAKEN, False)
    edited = read(lightroom(tmp_path / "b.lrcat", "2024-06-15T13:00:30", "2024-06-15T12:00:30"))
    assert edited.is_time_edited is True
    imported = read(lightroom(tmp_path / "c.lrcat", "2024-06-15T12:00:30", imported_s=739_800_000.0))
    assert imported.added_utc == datetime(2001, 1, 1) + timedelta(seconds=739_800_000)


def test_photoprism_says_where_each_value_comes_from(tmp_path: Path):
    read_ = read(photoprism(tmp_path / "a.db", "meta"))
    assert (read_.local_time, read_.utc_time) == (datetime(2024, 6, 15, 11, 0, 30), datetime(2024, 6, 15, 9, 0, 30))
    assert (read_.zone, read_.is_time_edited) == ("Europe/Paris", False)
    assert read(photoprism(tmp_path / "b.db", "manual")).is_time_edited is True
    guessed = read(photoprism(tmp_path / "c.db", "name", "estimate"))
    assert (guessed.local_time, guessed.position) == (Absent.UNDERIVABLE, Absent.UNDERIVABLE)


def test_a_version_that_nobody_knows_is_said_to_be_one(tmp_path: Path):
    path = digikam(tmp_path / "digikam4.db", ("0.jpg", "2024-06-15T12:00:30"))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE Settings SET value = '99'")
    found = catalogues.read(path, source="")
    assert "version (99) is not among those that are known" in found.doubt
    assert len(found.witnesses) == 1


def test_a_column_that_is_not_there_is_named(tmp_path: Path):
    path = digikam(tmp_path / "digikam4.db", ("0.jpg", "2024-06-15T12:00:30"))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("ALTER TABLE ImageInformation DROP COLUMN creationDate")
    with pytest.raises(catalogues.NotRead, match="ImageInformation has no column creationDate"):
        catalogues.read(path, source="")


def test_what_can_be_left_out_may_be_missing(tmp_path: Path):
    path = digikam(tmp_path / "digikam4.db", ("trip/0.jpg", "2024-06-15T12:00:30"))
    with closing(sqlite3.connect(path)) as database, database:
        for table in ("ImagePositions", "AlbumRoots", "Settings"):
            database.execute(f"DROP TABLE {table}")
        database.execute("ALTER TABLE Images DROP COLUMN fileSize")
    witness = read(path)
    assert (witness.photo_path, witness.local_time) == ("/trip/0.jpg", TAKEN)
    assert witness.position is Absent.MISSING


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + bytes(200), b"no database at all"])
def test_what_is_no_database_is_not_recognised(tmp_path: Path, content: bytes):
    (tmp_path / "digikam4.db").write_bytes(content)
    with pytest.raises(catalogues.NotRead) as raised:
        catalogues.read(tmp_path / "digikam4.db", source="")
    assert not raised.value.is_recognised


def test_a_view_in_the_place_of_a_table_is_not_run(tmp_path: Path):
    path = made(
        tmp_path / "digikam4.db",
        "CREATE TABLE Albums (id); CREATE TABLE ImageInformation (imageid);"
        "CREATE VIEW Images AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x AS id FROM n;",
    )
    with pytest.raises(catalogues.NotRead, match="no catalogue of"):
        catalogues.read(path, source="")


@pytest.mark.parametrize("value", ["soon", "", 0, None, 10**40, b"\xff\xfe", "2024", 1e308])
def test_values_of_no_known_form_are_absent(tmp_path: Path, value: object):
    path = digikam(tmp_path / "digikam4.db", ("trip/0.jpg", ""))
    with closing(sqlite3.connect(path)) as database, database:
        kept = str(value) if isinstance(value, int) else value
        database.execute("UPDATE ImageInformation SET creationDate = ?", (kept,))
        database.execute("INSERT INTO ImagePositions VALUES (1, '', ?, '', ?, NULL)", (kept, kept))
    witness = read(path)
    assert isinstance(witness.local_time, Absent)
    assert isinstance(witness.position, Absent)


# --------------------------------------------------------------------------- what is told of it


def kept(**values: object) -> SecondWitness:
    return replace(SecondWitness("a.lrcat", "Lightroom Classic", "1300000", "trip/photo.jpg"), **values)


def judged(about: Photo, witness: SecondWitness) -> Finding:
    (found,) = second_witness.function(
        about, Context(when("2026-01-01"), witnesses={about.source.source_id: (witness,)})
    )
    return found


def compared(witness: SecondWitness, **claimed: object) -> Finding:
    about = a_photo(**{"local": TAKEN, **claimed})
    return judged(about, witness)


def test_a_catalogue_that_keeps_the_same_agrees():
    assert compared(kept(local_time=TAKEN + timedelta(seconds=1))).outcome is Outcome.CONSISTENT


def test_another_time_is_a_finding_with_innocent_explanations():
    found = compared(kept(local_time=TAKEN + timedelta(hours=1)))
    assert (found.outcome, found.cause.kind) == (Outcome.SUSPICIOUS, CauseKind.SECOND_WITNESS)
    assert "Lightroom Classic keeps a time 1 h later" in found.summary
    assert "the time was corrected in the catalogue only" in found.innocent
    assert "the catalogue's entry is of another photo of that name" in found.innocent


def test_a_time_that_a_person_set_in_the_catalogue_is_explained():
    found = compared(kept(local_time=TAKEN + timedelta(hours=1), is_time_edited=True))
    assert found.outcome is Outcome.EXPLAINED


def test_another_place_is_a_finding_too():
    found = compared(kept(position=Position(43.3, 5.4)), position=(48.8566, 2.3522))
    assert found.outcome is Outcome.SUSPICIOUS
    assert "660 km" in found.summary or "661 km" in found.summary or "662 km" in found.summary


def test_a_photo_taken_in_before_its_capture_is_a_finding():
    found = compared(kept(added_utc=TAKEN - timedelta(days=30)))
    assert "30 days before its claimed capture" in found.summary
    assert any("clock of the camera" in cause for cause in found.innocent)


def test_a_film_may_be_read_in_another_zone():
    about = a_photo(local=TAKEN, name="a.mp4")
    about = replace(about, source=replace(about.source, media_type="video/mp4"))
    assert judged(about, kept(local_time=TAKEN - timedelta(hours=2))).outcome is Outcome.EXPLAINED


def test_a_photo_that_no_catalogue_knows_is_not_testable():
    assert only(second_witness, a_photo(local=TAKEN)).outcome is Outcome.NOT_TESTABLE


# --------------------------------------------------------------------------- through a whole audit

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")


def state(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@needs_exiftool
def test_a_catalogue_among_the_photos_speaks_of_them_and_keeps_every_byte(evidence: Path, audited: Callable[..., Case]):
    digikam(evidence / "digikam4.db", ("trip/0.jpg", "2024-06-15T11:00:30"), ("trip/1.jpg", "2024-06-15T12:01:30"))
    before = state(evidence)
    case = audited()
    assert state(evidence) == before
    assert told(case).outcome is Outcome.SUSPICIOUS
    assert "digiKam keeps a time 1 h earlier than the file has" in told(case).summary
    assert told(case, "trip/1.jpg").outcome is Outcome.CONSISTENT
    assert "a second witness of 2 photos" in passed_over(case)[b"digikam4.db"].reason
    events = [event for event in case.store.custody() if "digikam4.db" in event.subject]
    assert [event.action for event in events] == ["acquire"]
    assert before[str(evidence / "digikam4.db")][0] in events[0].detail.values()
    assert case.custody_faults() == ()


@needs_exiftool
def test_a_catalogue_elsewhere_is_named(evidence: Path, tmp_path: Path, audited: Callable[..., Case]):
    named = lightroom(tmp_path / "a.lrcat", "2024-06-15T11:00:30", "2024-06-15T12:00:30")
    case = audited(named)
    assert told(case).outcome is Outcome.EXPLAINED
    assert told(case, "trip/1.jpg").outcome is Outcome.NOT_TESTABLE
    said = case.view().environment[f"catalogue {named}"]
    assert "Lightroom Classic, version 1300000" in said
    assert "1 of its 1 photos" in said
    assert f"--catalogue {named}" in case.view().environment["command"]


@needs_exiftool
def test_another_catalogue_makes_another_examination(evidence: Path, tmp_path: Path, audited: Callable[..., Case]):
    assert told(audited()).outcome is Outcome.NOT_TESTABLE
    assert told(audited(photoprism(tmp_path / "index.db", "manual"))).outcome is Outcome.EXPLAINED


@needs_exiftool
def test_what_only_the_journal_holds_is_read_too(evidence: Path, audited: Callable[..., Case]):
    path = digikam(evidence / "digikam4.db", ("trip/0.jpg", "2024-06-15T12:00:30"))
    with closing(sqlite3.connect(path)) as database:  # still open, as while digiKam runs: the change is in the journal
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("UPDATE ImageInformation SET creationDate = '2024-06-15T09:00:30'")
        database.commit()
        assert told(audited()).outcome is Outcome.SUSPICIOUS


@needs_exiftool
def test_a_damaged_catalogue_among_the_photos_was_not_examined(evidence: Path, audited: Callable[..., Case]):
    path = digikam(evidence / "digikam4.db", ("trip/0.jpg", "2024-06-15T12:00:30"))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("ALTER TABLE ImageInformation DROP COLUMN creationDate")
    entry = passed_over(audited())[b"digikam4.db"]
    assert entry.blocks
    assert "could not be read as a second witness" in entry.reason


@needs_exiftool
def test_a_database_of_another_program_is_left_alone(evidence: Path, audited: Callable[..., Case]):
    made(evidence / "index.db", "CREATE TABLE songs (id INTEGER)")
    entry = passed_over(audited())[b"index.db"]
    assert not entry.blocks
    assert entry.reason.startswith("not a photo")


@needs_exiftool
def test_the_entry_of_another_photo_of_that_name_is_no_witness(evidence: Path, audited: Callable[..., Case]):
    digikam(evidence / "digikam4.db", ("elsewhere/0.jpg", "2011-01-01T00:00:00"))
    assert told(audited()).outcome is Outcome.NOT_TESTABLE


@needs_exiftool
def test_two_entries_that_fit_as_well_are_no_witness(evidence: Path, audited: Callable[..., Case]):
    digikam(evidence / "digikam4.db", ("a/trip/0.jpg", "2024-06-15T11:00:30"), ("b/trip/0.jpg", "2011-01-01T00:00:00"))
    assert told(audited()).outcome is Outcome.NOT_TESTABLE


def test_what_is_no_catalogue_is_refused_before_anything_is_examined(evidence: Path, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("no catalogue")
    case = open_case(evidence, tmp_path / "case")
    with case, pytest.raises(UsageError, match=r"notes\.txt cannot be read as a catalogue"):
        case.audit(Settings(model="none", jobs=0, catalogues=(tmp_path / "notes.txt",)))
    said = CliRunner().invoke(gtloc, ["audit", str(evidence), "-o", str(tmp_path / "c"), "--catalogue", "gone.lrcat"])
    assert said.exit_code == ExitCode.FAILURE
    assert "gone.lrcat cannot be read as a catalogue" in said.output
