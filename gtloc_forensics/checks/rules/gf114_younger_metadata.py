"""GF114 — Metadata younger than the photo.

Shows: that something in the file (its EXIF version, its colour profile, the program library that
wrote its XMP) did not exist at the claimed time, so that the file was written later.

Cannot show: that a later writing was dishonest: every editor and every export by a phone does it.

Blind spots: old programs write old versions for ever.

Threshold: the publication of the standard (2.2 in 2002, 2.21 in 2003, 2.3 in 2010, 2.31 in 2016, 2.32
in 2019, 3.0 in 2023) less 90 days, the build date of the XMP library, the date of the profile, each
with 26 h for zones. It is *explained* where the file owns up to a later change or names an editor,
where only profile or library are younger, *not testable* where the device is younger still (GF113), and
*suspicious* where a camera's own EXIF version is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from gtloc_forensics.checks import Context, check, circumstances, claim_of, consistent, findings, not_testable, offsets
from gtloc_forensics.checks.reference import devices, factory, programs, releases
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Claim, Finding, Photo, Sentence, Severity, Stated, durations

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


@check("GF114", title="Metadata younger than the photo", needs=("claim",), version="4")
def younger_metadata(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare the age of what is in the file with the claimed time."""
    claim = claim_of(photo)
    if not isinstance(claim.local_time, Stated):
        yield not_testable("GF114", claim.source_id, claim.local_time)
        return
    marks = {**_edition(claim), **_profile(claim), **_library(claim)}
    if not marks:
        yield not_testable("GF114", claim.source_id, Sentence("nothing in the file has an age of its own"))
        return
    local = claim.local_time.value
    younger = {name: first for name, first in marks.items() if local < first - ZONES}
    model = _not_yet_shown(claim, local)
    if younger and model is not None and max(younger.values()) <= model.first_shown:
        why = Sentence(
            "the claimed time is earlier than {model} itself (GF113), and nothing in the file is younger than that",
            model=model.name,
        )
        yield not_testable("GF114", claim.source_id, why)
    elif not younger:
        summary = Sentence("{marks} existed at the claimed time.", marks=tuple(marks))
        yield consistent("GF114", claim.source_id, summary)
    else:
        yield _judge(photo, claim, younger, local=local, context=context)


def _judge(
    photo: Photo, claim: Claim, younger: dict[Sentence, datetime], *, local: datetime, context: Context
) -> Finding:
    name, first = max(younger.items(), key=lambda item: item[1])
    known: dict[str, Any] = {"mark": name, "gap_s": durations.gap_seconds(first, local)}
    derived = tuple(Sentence("{mark}: not before {day:date}.", mark=mark, day=day) for mark, day in younger.items())
    if (reason := devices.reproduction(claim)) is not None:
        summary = Sentence(
            "{mark} is {gap_s:spoken} younger than the claimed capture: {reason}.", reason=reason, **known
        )
        return findings.explained("GF114", claim, summary, kind="scan", derived=derived)
    if (behind_s := _behind_gps_s(claim, first, context)) is not None:
        summary = Sentence(
            "{mark} is {gap_s:spoken} younger than the claimed capture: "
            "the camera's clock is {behind_s:spoken} behind its GPS time, which is young enough.",
            behind_s=behind_s,
            **known,
        )
        return findings.explained(
            "GF114", claim, summary, kind="clock-offset", offset_hours=-behind_s / 3600.0, derived=derived
        )
    if factory.is_claimed_default(claim) and not circumstances.confirms_clock(claim, context):
        summary = Sentence(
            "{mark} is {gap_s:spoken} younger than the claimed capture: "
            "the claimed date is a factory default, the clock was reset.",
            **known,
        )
        return findings.explained("GF114", claim, summary, kind="clock-reset", derived=derived)
    by_camera = any(mark.startswith(("EXIF", "Offset")) for mark in younger)
    if by_camera and not _owns_up(photo, claim, first):
        return findings.suspicious(
            "GF114",
            claim,
            Sentence(
                "{mark} is {gap_s:spoken} younger than the claimed capture; "
                "no change date, program or platform that was looked for accounts for it.",
                **known,
            ),
            kind="edit",
            severity=Severity.MEDIUM,
            derived=derived,
            innocent=(
                Sentence("an album or a website wrote the file again without saying so"),
                Sentence("the camera's clock was behind"),
            ),
        )
    return findings.explained(
        "GF114",
        claim,
        Sentence(
            "{mark} is {gap_s:spoken} younger than the claimed capture: the file was written again later.", **known
        ),
        kind="rewritten",
        severity=Severity.INFO,
        derived=derived,
    )


def _behind_gps_s(claim: Claim, first: datetime, context: Context) -> float | None:
    """Return how far the clock is behind a GPS time that is not older than *first*; None without one."""
    compared = offsets.compare(claim)
    if isinstance(compared, str) or not compared.dated or compared.gps < first - ZONES:
        return None
    if circumstances.of(context, claim.source_id).gps_fault is not None or compared.residual_s >= 0:
        return None
    return -compared.residual_s


def _not_yet_shown(claim: Claim, local: datetime) -> releases.Release | None:
    """Return the model where it was announced after the claimed time, as GF113 finds; None where it was not."""
    model = releases.of_model(claim.device)
    return model if model is not None and local < model.first_shown - releases.PRESS_SAMPLES else None


def _owns_up(photo: Photo, claim: Claim, first: datetime) -> bool:
    """Whether a change date, a named program or a platform accounts for a writing after *first*."""
    if programs.platforms(photo, claim):
        return True
    changes = [
        found.wall
        for tag in CHANGE_TAGS
        if (found := tag_values.full_date(tag_values.text(claim.tags, tag))) is not None
    ]
    return any(change >= first - ZONES for change in changes) or bool(programs.editors(claim))


def _edition(claim: Claim) -> dict[Sentence, datetime]:
    version = tag_values.text(claim.tags, "ExifIFD:ExifVersion").replace(".", "").rjust(4, "0")
    marks = {}
    if version in EXIF_EDITIONS:
        marks[Sentence("EXIF version {version}", version=version)] = EXIF_EDITIONS[version] - AHEAD_OF_STANDARD
    if tag_values.text(claim.tags, *OFFSET_TAGS):
        marks[Sentence("OffsetTime (EXIF 2.31)")] = EXIF_EDITIONS[OFFSET_EDITION] - AHEAD_OF_STANDARD
    return marks


def _profile(claim: Claim) -> dict[Sentence, datetime]:
    found = tag_values.full_date(tag_values.text(claim.tags, "ICC-header:ProfileDateTime"))
    return {} if found is None else {Sentence("the colour profile"): found.wall}


def _library(claim: Claim) -> dict[Sentence, datetime]:
    found = _BUILD.search(tag_values.text(claim.tags, "XMP-x:XMPToolkit"))
    written = None if found is None else tag_values.full_date(":".join(found.groups()))
    return {} if written is None else {Sentence("the XMP library"): written.wall}
