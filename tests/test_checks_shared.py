"""The photo rules on real, untouched files: every alarm was looked at and is counted in docs/decisions/0017."""

from __future__ import annotations

import csv
import os
import re
import shutil
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from builders import NO_PIXELS, a_device, a_source

from gtloc_forensics import metadata
from gtloc_forensics.checks import Context, Registry, Scope, circumstances, unmet
from gtloc_forensics.checks.plugins import built_in_modules
from gtloc_forensics.checks.reference import factory, releases
from gtloc_forensics.checks.reference.releases import PRESS_SAMPLES
from gtloc_forensics.decode import pixels
from gtloc_forensics.earth import claims, zones
from gtloc_forensics.errors import DecodeRefused
from gtloc_forensics.metadata import exiftool
from gtloc_forensics.records import Claim, Finding, ImageFacts, Outcome, Photo, Unexamined

SHARED = Path(os.environ.get("GTLOC_SHARED", Path(__file__).parents[1] / ".." / "shared")) / "photos"
NOTE = Path(__file__).parents[1] / "docs" / "decisions" / "0017-what-many-photos-tell-of-one.md"
LATER_NS = 1_795_000_000 * 10**9  # the copies in the set are younger than every photo
RULES = [rule for rule in Registry(built_in_modules()).of(Scope.PHOTO) if rule.check_id.startswith(("GF1", "GF20"))]

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not (SHARED / "exif").is_dir(), reason=f"there is no photo set at {SHARED}"),
    pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed"),
]


@pytest.fixture(scope="module")
def found() -> list[Finding]:
    files = sorted((SHARED / "exif").glob("*.jpg"))
    with exiftool.ExifTool() as client:
        answers = client.read([os.fsencode(path.absolute()) for path in files])
    photos = [a_real_photo(path, read) for path, read in zip(files, answers, strict=True)]
    told = circumstances.gather(photo.claim for photo in photos if isinstance(photo.claim, Claim))
    context = Context(datetime(2026, 11, 21, 12), circumstances=told)
    return [
        finding
        for photo in photos
        for rule in RULES
        if not unmet(rule, photo)
        for finding in rule.function(photo, context)
    ]


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


def test_every_alarm_on_an_untouched_file_is_one_that_was_looked_at(found):
    alarms = Counter(finding.check_id for finding in found if finding.is_found)
    accepted = re.findall(r"^\| (GF\d+) \| (\d+) \|", NOTE.read_text(encoding="utf-8"), re.M)
    assert alarms == {rule: int(files) for rule, files in accepted}


def test_nothing_untouched_is_a_contradiction(found):
    assert not [finding for finding in found if finding.outcome is Outcome.CONTRADICTION]


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


def test_two_clocks_of_an_untouched_file_never_accuse_the_camera(found):
    """A naive comparison of GPS time with the camera's alarms on 9 of 12 files of one real set."""
    told = [finding for finding in found if finding.check_id == "GF101"]
    outcomes = Counter(finding.outcome for finding in told)
    assert outcomes[Outcome.CONSISTENT] > 350
    assert outcomes[Outcome.EXPLAINED] >= 25  # 28 today: GPS times that are a receiver's zero are absent, not explained
    accused = [finding for finding in told if finding.is_found]
    assert len(accused) <= 2
    assert all(finding.cause.offset_hours is None or "one of the two" in finding.summary for finding in accused)
