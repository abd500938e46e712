"""GF114 — Metadata younger than the photo.

Shows: that something in the file (its EXIF version, its colour profile, the program library that
wrote its XMP) did not exist at the claimed time, so that the file was written later.

Cannot show: that a later writing was dishonest: every editor and every export by a phone does it.

Blind spots: old programs write old versions for ever.

Threshold: the publication of the standard (2.2 in 2002, 2.21 in 2003, 2.3 in 2010, 2.31 in 2016, 2.32
in 2019, 3.0 in 2023) less 90 days, the build date of the XMP library, the date of the profile, each
with 26 h for zones. It is *explained* where the file owns up to a later change or names an editor,
or where only profile or library are younger, and *suspicious* where a camera's own EXIF version is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.checks.reference import factory, programs
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Claim, Finding, Photo, Severity, Stated, durations

ZONES = timedelta(hours=26)
AHEAD_OF_STANDARD = timedelta(days=90)

# CIPA DC-008 and JEITA CP-3451, publication of each edition.
EXIF_EDITIONS = {
    "0220": datetime(2002, 4, 1),
    "0221": datetime(2003, 9, 1),
    "0230": datetime(2010, 4, 26),
    "0231": datetime(2016, 7, 1),
    "0232": datetime(2019, 5, 17),
    "0300": datetime(2023, 5, 1),
}
OFFSET_TAGS = ("ExifIFD:OffsetTimeOriginal", "ExifIFD:OffsetTime", "ExifIFD:OffsetTimeDigitized")
OFFSET_EDITION = "0231"  # the edition that brought the OffsetTime tags
CHANGE_TAGS = ("IFD0:ModifyDate", "XMP-xmp:ModifyDate", "XMP-xmp:MetadataDate")
_BUILD = re.compile(r"(\d{4})/(\d{2})/(\d{2})-\d{2}:\d{2}:\d{2}")  # Adobe: "… 79.160451, 2017/05/06-01:08:21"


@check("GF114", title="Metadata younger than the photo", needs=("claim",), version="2")
def younger_metadata(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare the age of what is in the file with the claimed time."""
    claim = claim_of(photo)
    if not isinstance(claim.local_time, Stated):
        yield not_testable("GF114", claim.source_id, claim.local_time)
        return
    marks = {**_edition(claim), **_profile(claim), **_library(claim)}
    if not marks:
        yield not_testable("GF114", claim.source_id, "nothing in the file has an age of its own")
        return
    local = claim.local_time.value
    younger = {name: first for name, first in marks.items() if local < first - ZONES}
    if not younger:
        yield consistent("GF114", claim.source_id, f"{', '.join(marks)} existed at the claimed time.")
    else:
        yield _judge(claim, local, younger)


def _judge(claim: Claim, local: datetime, younger: dict[str, datetime]) -> Finding:
    name, first = max(younger.items(), key=lambda item: item[1])
    gap = durations.spoken(durations.gap_seconds(first, local))
    summary = f"{name} is {gap} younger than the claimed capture"
    derived = tuple(f"{mark}: not before {day:%Y-%m-%d}." for mark, day in younger.items())
    if factory.is_default(local):
        why = "the claimed date is a factory default, the clock was reset"
        return findings.explained("GF114", claim, f"{summary}: {why}.", kind="clock-reset", derived=derived)
    by_camera = any(mark.startswith(("EXIF", "Offset")) for mark in younger)
    if by_camera and not _owns_up(claim, first):
        return findings.suspicious(
            "GF114",
            claim,
            f"{summary}, and the file admits no later change.",
            kind="edit",
            severity=Severity.MEDIUM,
            derived=derived,
            innocent=("an album or a website wrote the file again without saying so", "the camera's clock was behind"),
        )
    return findings.explained(
        "GF114",
        claim,
        f"{summary}: the file was written again later.",
        kind="rewritten",
        severity=Severity.INFO,
        derived=derived,
    )


def _owns_up(claim: Claim, first: datetime) -> bool:
    """Whether a change date or a named program accounts for a writing after *first*."""
    changes = [
        found.wall
        for tag in CHANGE_TAGS
        if (found := tag_values.full_date(tag_values.text(claim.tags, tag))) is not None
    ]
    return any(change >= first - ZONES for change in changes) or bool(programs.editors(claim))


def _edition(claim: Claim) -> dict[str, datetime]:
    version = tag_values.text(claim.tags, "ExifIFD:ExifVersion").replace(".", "").rjust(4, "0")
    marks = {}
    if version in EXIF_EDITIONS:
        marks[f"EXIF version {version}"] = EXIF_EDITIONS[version] - AHEAD_OF_STANDARD
    if tag_values.text(claim.tags, *OFFSET_TAGS):
        marks["OffsetTime (EXIF 2.31)"] = EXIF_EDITIONS[OFFSET_EDITION] - AHEAD_OF_STANDARD
    return marks


def _profile(claim: Claim) -> dict[str, datetime]:
    found = tag_values.full_date(tag_values.text(claim.tags, "ICC-header:ProfileDateTime"))
    return {} if found is None else {"the colour profile": found.wall}


def _library(claim: Claim) -> dict[str, datetime]:
    found = _BUILD.search(tag_values.text(claim.tags, "XMP-x:XMPToolkit"))
    written = None if found is None else tag_values.full_date(":".join(found.groups()))
    return {} if written is None else {"the XMP library": written.wall}
