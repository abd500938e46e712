"""The photo rules on real, untouched files: every alarm was looked at and is listed in docs/decisions/0003."""

from __future__ import annotations

import csv
import os
import re
import shutil
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from builders import NO_PIXELS, a_device, a_source, findings_of

from gtloc_forensics import metadata
from gtloc_forensics.checks import Registry, Scope
from gtloc_forensics.checks.plugins import built_in_modules
from gtloc_forensics.checks.reference import factory, releases
from gtloc_forensics.checks.rules.gf113_release_date import PRESS_SAMPLES
from gtloc_forensics.decode import pixels
from gtloc_forensics.earth import claims, zones
from gtloc_forensics.errors import DecodeRefused
from gtloc_forensics.metadata import exiftool
from gtloc_forensics.records import Finding, ImageFacts, Outcome, Photo, Unexamined

SHARED = Path(os.environ.get("GTLOC_SHARED", Path(__file__).parents[1] / ".." / "shared")) / "photos"
NOTE = Path(__file__).parents[1] / "docs" / "decisions" / "0003-clean-alarm-rates.md"
LATER_NS = 1_795_000_000 * 10**9  # the copies in the set are younger than every photo
RULES = [rule for rule in Registry(built_in_modules()).of(Scope.PHOTO) if rule.check_id.startswith(("GF1", "GF20"))]

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not (SHARED / "exif").is_dir(), reason=f"there is no photo set at {SHARED}"),
    pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed"),
]


CONSTANT_GPS_TIME = pytest.mark.xfail(
    strict=True, reason="telephones whose GPS time is a constant 20:00:00 are called contradictions (GF101)"
)


@pytest.fixture(scope="module")
def found() -> list[Finding]:
    files = sorted((SHARED / "exif").glob("*.jpg"))
    with exiftool.ExifTool() as client:
        answers = client.read([os.fsencode(path.absolute()) for path in files])
    photos = [a_real_photo(path, read) for path, read in zip(files, answers, strict=True)]
    return [finding for photo in photos for rule in RULES for finding in findings_of(rule, photo)]


def a_real_photo(path: Path, read: exiftool.TagsRead) -> Photo:
    source = a_source(path.name, mtime_ns=LATER_NS)
    claim = metadata.claim(source, read.tags, warnings=read.warnings, zones_at=zones.zones_at)
    unseen = Unexamined(source.source_id, "vision", NO_PIXELS)
    return Photo(source, claim, claims.sun(claim), image_of(path, source.source_id), unseen)


def image_of(path: Path, source_id: str) -> ImageFacts | Unexamined:
    try:
        return pixels.decode(path, source_id, "image/jpeg").image
    except DecodeRefused as refused:
        return Unexamined(source_id, "decode", str(refused))


@CONSTANT_GPS_TIME
def test_every_alarm_on_an_untouched_file_is_one_that_was_looked_at(found):
    names = {a_source(path.name).source_id: path.stem for path in (SHARED / "exif").glob("*.jpg")}
    alarms = {(one.check_id, names[one.source_ids[0]]) for one in found if one.is_found}
    accepted = set(re.findall(r"^\| (GF\d+) \| `([0-9a-f]{16})` \|", NOTE.read_text(encoding="utf-8"), re.M))
    assert alarms == accepted


@CONSTANT_GPS_TIME
def test_nothing_untouched_is_a_contradiction(found):
    assert not [one for one in found if one.outcome is Outcome.CONTRADICTION]


def test_no_real_photo_is_older_than_its_model_but_by_a_clock_that_was_reset():
    """A wrong line in the table of releases would accuse genuine photos."""
    with (SHARED / "photos.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["local_time"] and row["model"]]
    known = [(row, release) for row in rows if (release := releases.of_model(a_device(row["make"], row["model"])))]
    early = [
        (row, local)
        for row, release in known
        if (local := datetime.fromisoformat(row["local_time"])) < release.first_shown - PRESS_SAMPLES
    ]
    assert len(known) > 1500
    assert 0 < len(early) < 0.01 * len(known)
    assert all(factory.days_after_default(local) is not None for _, local in early)
    assert len({row["group"] for row, _ in early}) == 2  # two cameras in fact


@CONSTANT_GPS_TIME
def test_two_clocks_of_an_untouched_file_never_accuse(found):
    """A naive comparison of GPS time with the camera's alarms on 9 of 12 files of one real set."""
    outcomes = Counter(one.outcome for one in found if one.check_id == "GF101")
    assert outcomes[Outcome.SUSPICIOUS] == 0
    assert outcomes[Outcome.CONSISTENT] > 150
    assert outcomes[Outcome.EXPLAINED] >= 10
