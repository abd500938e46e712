"""Photos are judged by as many processes as there are cores; whoever judged one, the case is the same to the byte."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gtloc_forensics.examination.sayings import Around, Verdicts
from gtloc_forensics.store.database import Store

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how many threads a process has")

# The program, sharing out as few photos as a test has; it says of each fork that it began, and how often it was asked.
SHARING = """
import os, sys
from gtloc_forensics.examination import concluding, photo_by_photo
from gtloc_forensics.files import forks
from gtloc_forensics.case import view
concluding.PHOTOS_AT_ONCE = view.PHOTOS_AT_ONCE = forks.FEWEST = 7
forked = os.fork
def fork():
    os.write(2, b"forked\\n")
    return forked()
os.fork = fork
spoilt = os.environ.get("SPOILT")
if spoilt:
    judge, mine = photo_by_photo.judge, os.getpid()
    def failing(photo, *rest, **more):
        if os.getpid() != mine and photo.source.display_path == spoilt:
            os._exit(9)
        return judge(photo, *rest, **more)
    photo_by_photo.judge = failing
from gtloc_forensics.cli.main import gtloc
gtloc()
"""


def photos(folder: Path) -> Path:
    """Make forty photos of five cameras: most agree, some have a GPS time that is off, no place, or no time."""
    folder.mkdir()
    for number in range(40):
        exif, taken = Image.Exif(), datetime(2023, 5, 1, 9) + timedelta(hours=7 * number)
        exif[0x010F], exif[0x0110] = "Acme", f"Model {number % 5}"
        if number % 11 != 3:
            exif.get_ifd(0x8769)[0x9003] = f"{taken:%Y:%m:%d %H:%M:%S}"
            exif.get_ifd(0x8769)[0x9011] = "+02:00"
        if number % 3:
            fix = taken - timedelta(hours=2 if number % 7 else 5)
            exif.get_ifd(0x8825).update(
                {1: "N", 2: (48.0, 8.0, number / 10), 3: "E", 4: (11.0, 30.0, 0.0)}
                | {7: (float(fix.hour), float(fix.minute), 0.0), 29: f"{fix:%Y:%m:%d}"}
            )
        Image.new("RGB", (48 + number, 40), (5 * number, 90, 200 - number)).save(
            folder / f"{number:02}.jpg", exif=exif.tobytes()
        )
        os.utime(folder / f"{number:02}.jpg", ns=(1_690_000_000_000_000_000, 1_690_000_000_000_000_000))
    return folder


def audited(evidence: Path, case: Path, *, jobs: int, spoilt: str = "") -> int:
    """Audit with so many processes; return how many forks there were."""
    asked = ["audit", str(evidence), "-o", str(case), "--model", "none", "--no-report", "--jobs", str(jobs)]
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", SHARING, *asked],
        env={**environment, "SOURCE_DATE_EPOCH": "1700000000", "SPOILT": spoilt},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 3, done.stderr
    return len(re.findall("^forked$", done.stderr, re.MULTILINE))


def content(case: Path) -> dict[str, list[str]]:
    """Return all rows of a case, whatever the order in which they were written."""
    with sqlite3.connect(case / "case.sqlite") as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'))) for name in names}
    connection.close()
    return rows


@needs_exiftool
@linux
def test_a_case_is_the_same_whoever_judged_which_photo(tmp_path: Path) -> None:
    evidence = photos(tmp_path / "evidence")
    alone, shared, spoilt = tmp_path / "1" / "case", tmp_path / "2" / "case", tmp_path / "3" / "case"
    assert audited(evidence, alone, jobs=1) == 0
    assert audited(evidence, shared, jobs=3) == 10, "photos, clocks twice, what is kept, the document: two forks each"
    assert audited(evidence, spoilt, jobs=3, spoilt="08.jpg") == 10
    rows = content(alone)
    assert rows["finding"], "there is something to tell"
    for other in (shared, spoilt):
        assert content(other) == rows
        assert (other / "findings.json").read_bytes() == (alone / "findings.json").read_bytes()


@given(st.lists(st.builds(Around, st.binary(max_size=2), st.binary(max_size=2), st.integers(0, 7)), max_size=20))
def test_what_another_process_says_of_many_photos_has_one_number_here(said: list[Around]) -> None:
    verdicts = Verdicts()
    numbers = [verdicts.adopt(each) for each in said]
    assert [verdicts.repeated[number] for number in numbers] == said
    assert len(verdicts.repeated) == len(set(said))


def test_a_fork_uses_connections_of_its_own_and_leaves_those_of_its_parent_open(tmp_path: Path) -> None:
    store = Store(tmp_path / "case.sqlite")
    with store.engine.connect() as connection:
        inherited = connection.connection.dbapi_connection
    store.begin_in_fork()
    with store.engine.connect() as connection:
        assert connection.connection.dbapi_connection is not inherited
    assert inherited is not None
    assert inherited.execute("SELECT 1").fetchone() == (1,), "it was not closed"
    store.close()
