"""GF105 — The capture time in EXIF against XMP, IPTC and the container.

Shows: that a date was changed in one block of the file and not in the others, as many
date-changing tools do. In a film, whose clock counts UTC, that it was begun before the capture
that another block gives with its zone.

Cannot show: which block is the true one; anything for files with one block only.

Blind spots: tools that change every block; programs that made XMP and IPTC from an EXIF
date that was already false.

Threshold: 60 s (IPTC and some programs drop or round seconds), or one day for bare dates.
Excused is a difference of exactly the offset between local time and UTC, which programs make when they take one for
the other, one that both blocks' own offsets account for, an xmp:CreateDate *later* than the capture, which some
editors set to the hour of editing, any date that tells the moment of the file's last change (GIMP writes it into
IPTC), and a sidecar, where programs keep corrections and photo services what they show. Midnight to the second is a
date without a time. A year or a month alone is typed by people, mostly of what is depicted: where it is another
one, that is explained. A film's container dated later than its capture was written by an export.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from gtloc_forensics.checks import Context, check, claim_of, consistent, not_testable, offsets
from gtloc_forensics.checks import findings as checks_findings
from gtloc_forensics.checks.reference import programs
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import (
    Claim,
    Confidence,
    Finding,
    Photo,
    Sentence,
    Severity,
    Stated,
    TimeKind,
    TimeRole,
    durations,
)

SAME_S = 60.0
DAY_S = 86_400.0

EXIF_CAPTURE = "ExifIFD:DateTimeOriginal"
EXIF_DIGITISED = "ExifIFD:CreateDate"
CAPTURE_TAGS = (
    "XMP-exif:DateTimeOriginal",
    "XMP-photoshop:DateCreated",
    "Keys:CreationDate",
    "PNG:CreationTime",
    "ItemList:ContentCreateDate",
)
DOCUMENT_TAG = "XMP-xmp:CreateDate"  # "when the resource was created": the photo to some programs, the file to others
DIGITISED_TAGS = ("XMP-exif:DateTimeDigitized", DOCUMENT_TAG)
SPLIT_CAPTURE = (("IPTC:DateCreated", "IPTC:TimeCreated"),)
SPLIT_DIGITISED = (("IPTC:DigitalCreationDate", "IPTC:DigitalCreationTime"),)
SIDECAR = "sidecar:"  # before the name of a tag read from an XMP file beside the photo
SERVICE = f"{SIDECAR}JSON:"  # of a tag read from the JSON file of a photo service
CHANGE_TAGS = ("IFD0:ModifyDate", "XMP-xmp:ModifyDate", "XMP-xmp:MetadataDate")
UTC_TAGS = ("QuickTime:CreateDate",)  # QuickTime counts UTC, by its specification
FILM_CAPTURE_TAGS = ("Keys:CreationDate", "XML:CreationDateValue")  # of cameras; shops write a day of release elsewhere
LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Other:
    """One date outside EXIF; ``against`` is the EXIF date it should repeat."""

    tag: str
    wall: datetime
    offset_hours: float | None
    bare: bool  # a date without a time
    against: datetime


@check("GF105", title="The capture time in EXIF against XMP, IPTC and the container", needs=("claim",), version="7")
def other_blocks(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare every capture date outside EXIF with the one inside."""
    claim = claim_of(photo)
    captured = tag_values.full_date(tag_values.text(claim.tags, EXIF_CAPTURE))
    if captured is None and (of_film := _of_film(claim)) is not None:
        yield of_film
        return
    if captured is None:
        yield not_testable("GF105", claim.source_id, Sentence("no capture time in EXIF to compare with"))
        return
    digitised = tag_values.full_date(tag_values.text(claim.tags, EXIF_DIGITISED))
    others = list(_others(claim, captured.wall, captured.wall if digitised is None else digitised.wall))
    partial = list(_partial(claim, captured.wall))
    if not others and not partial:
        yield not_testable("GF105", claim.source_id, Sentence("no capture time outside EXIF"))
        return
    findings = [*partial, *(finding for other in others if (finding := _judge(claim, other)) is not None)]
    agreement = Sentence(
        "{tags} {count:?repeats|repeat} the EXIF time.", tags=tuple(other.tag for other in others), count=len(others)
    )
    yield from findings or [consistent("GF105", claim.source_id, agreement)]


def _others(claim: Claim, captured: datetime, digitised: datetime) -> Iterator[Other]:
    for tags, against in ((CAPTURE_TAGS, captured), (DIGITISED_TAGS, digitised), (UTC_TAGS, captured)):
        for tag in tags:
            written = tag_values.text(claim.tags, tag)
            if (found := tag_values.full_date(written)) is not None:
                offset = 0.0 if tag in UTC_TAGS else found.offset_hours
                is_bare = found.resolution_s >= DAY_S or (tag not in UTC_TAGS and found.wall.time() == time(0))
                yield Other(tag, found.wall, offset, is_bare, against)
    for reading in claim.times:
        if reading.tag.startswith(SIDECAR) and reading.role is TimeRole.CAPTURE:
            yield Other(reading.tag, reading.wall, reading.offset_hours, reading.resolution_s >= DAY_S, captured)
    for pairs, against in ((SPLIT_CAPTURE, captured), (SPLIT_DIGITISED, digitised)):
        for day, clock in pairs:
            time_text = tag_values.text(claim.tags, clock)
            if (found := tag_values.full_date(f"{tag_values.text(claim.tags, day)} {time_text}".strip())) is not None:
                # Editors make midnight of a date without a time.
                is_bare = not time_text or found.wall.time() == time(0)
                yield Other(day, found.wall, found.offset_hours, is_bare, against)


def _partial(claim: Claim, captured: datetime) -> Iterator[Finding]:
    """Yield a remark on each year, or month, that stands alone outside EXIF and is not that of the capture."""
    for tag in (*CAPTURE_TAGS, SPLIT_CAPTURE[0][0]):
        found = tag_values.moment(tag_values.text(claim.tags, tag))
        if found is None or found.resolution_s <= DAY_S or found.resolution_s > tag_values.YEAR_S:
            continue
        is_year = found.resolution_s == tag_values.YEAR_S
        # New Year, or the first of a month, may have been a day earlier or later in the zone of whoever wrote it.
        near = {(captured + timedelta(days=days)) for days in (-1, 0, 1)}
        if any(day.year == found.wall.year and (is_year or day.month == found.wall.month) for day in near):
            continue
        yield checks_findings.explained(
            "GF105",
            claim,
            Sentence(
                "{tag} holds {text:quoted}, a date without a day, and not that of EXIF: people write such dates, "
                "mostly of what is depicted.",
                tag=tag,
                text=tag_values.text(claim.tags, tag)[:LONGEST_SHOWN],
            ),
            kind="edit",
            observed=(Sentence("EXIF: {moment}.", moment=captured),),
        )


def _of_film(claim: Claim) -> Finding | None:
    """Return what a film's own clock says of the capture that another block gives with its zone; None without both."""
    container = next((read for read in claim.times if read.tag in UTC_TAGS and read.kind is TimeKind.UTC), None)
    zoned = next(
        (read for read in claim.times if read.tag in FILM_CAPTURE_TAGS and read.offset_hours is not None), None
    )
    if container is None or zoned is None or zoned.resolution_s >= SAME_S:
        return None
    gap_s = durations.gap_seconds(container.wall, zoned.wall) + 3600.0 * (zoned.offset_hours or 0.0)
    length_s = tag_values.number(tag_values.text(claim.tags, "QuickTime:Duration")) or 0.0
    if -SAME_S <= gap_s <= SAME_S + length_s:
        return consistent(
            "GF105",
            claim.source_id,
            Sentence("{tag} and {other} tell one instant.", tag=container.tag, other=zoned.tag),
        )
    told: dict[str, Any] = {
        "observed": (
            Sentence("{tag}: {moment}.", tag=zoned.tag, moment=zoned.wall),
            Sentence("{tag}: {moment}.", tag=container.tag, moment=container.wall),
        ),
        "facts": {"tag": container.tag, "difference_s": gap_s},
    }
    words: dict[str, Any] = {"tag": container.tag, "other": zoned.tag, "gap_s": gap_s}
    off_s = gap_s - 3600.0 * (zoned.offset_hours or 0.0)
    if -SAME_S <= off_s <= SAME_S + length_s:
        summary = Sentence(
            "{tag} counts local time where UTC is meant: a program took the one for the other.", tag=container.tag
        )
        return checks_findings.explained("GF105", claim, summary, kind="program-zone", **told)
    if gap_s > 0.0:
        summary = Sentence(
            "{tag} is {gap_s:spoken} later than {other}: an export wrote the hour of its own work.", **words
        )
        return checks_findings.explained("GF105", claim, summary, kind="exported", **told)
    return checks_findings.suspicious(
        "GF105",
        claim,
        Sentence("{tag} is {gap_s:spoken} earlier than {other}: they cannot both be of the capture.", **words),
        kind="edit",
        severity=Severity.MEDIUM,
        confidence=Confidence.STRONG,
        innocent=(
            Sentence("a date was corrected in one block only"),
            Sentence("a device that counts its films in a zone of its own"),
        ),
        **told,
    )


def _judge(claim: Claim, other: Other) -> Finding | None:
    gap_s = durations.gap_seconds(other.wall, other.against)
    if _agrees(claim, other, gap_s):
        return None
    observed = (
        Sentence("EXIF: {moment}.", moment=other.against),
        Sentence("{tag}: {moment}.", tag=other.tag, moment=other.wall),
    )
    facts = {"tag": other.tag, "difference_s": gap_s}
    if _is_zone_mix_up(claim, gap_s):
        return checks_findings.explained(
            "GF105",
            claim,
            Sentence(
                "{tag} is {gap_s:spoken} {gap_s:±later|earlier} than EXIF, exactly the offset from UTC: "
                "a program took local time for UTC.",
                tag=other.tag,
                gap_s=gap_s,
            ),
            kind="program-zone",
            observed=observed,
            facts=facts,
        )
    if other.tag.startswith(SERVICE):
        return checks_findings.explained(
            "GF105",
            claim,
            Sentence(
                "The instant that a photo service keeps beside the photo is {gap_s:spoken} {gap_s:±later|earlier} "
                "than EXIF: the service shows the time that its user set there, or one that it guessed.",
                gap_s=gap_s,
            ),
            kind="second-witness",
            observed=observed,
            facts=facts,
        )
    if other.tag.startswith(SIDECAR):
        return checks_findings.explained(
            "GF105",
            claim,
            Sentence(
                "The sidecar's {tag} is {gap_s:spoken} {gap_s:±later|earlier} than EXIF: "
                "a correction kept beside the photo.",
                tag=other.tag.removeprefix(SIDECAR),
                gap_s=gap_s,
            ),
            kind="sidecar",
            observed=observed,
            facts=facts,
        )
    if gap_s > 0.0 and _is_hour_of_saving(claim, other):
        return checks_findings.explained(
            "GF105",
            claim,
            Sentence(
                "{tag} is {gap_s:spoken} {gap_s:±later|earlier} than EXIF and tells the moment of the last change: "
                "a program wrote the hour of its own work.",
                tag=other.tag,
                gap_s=gap_s,
            ),
            kind="editor-document",
            observed=observed,
            facts=facts,
        )
    if other.tag == DOCUMENT_TAG and gap_s > 0.0 and programs.editors(claim):
        return checks_findings.explained(
            "GF105",
            claim,
            Sentence(
                "{tag} is {gap_s:spoken} {gap_s:±later|earlier} than EXIF: "
                "the hour at which an editor made its document.",
                tag=other.tag,
                gap_s=gap_s,
            ),
            kind="editor-document",
            observed=observed,
            facts=facts,
        )
    return checks_findings.suspicious(
        "GF105",
        claim,
        Sentence(
            "{tag} is {gap_s:spoken} {gap_s:±later|earlier} than the EXIF time: they cannot both be of the capture.",
            tag=other.tag,
            gap_s=gap_s,
        ),
        kind="edit",
        severity=Severity.MEDIUM,
        confidence=Confidence.STRONG,
        observed=observed,
        facts=facts,
        innocent=(
            Sentence("a date was corrected in one block only"),
            Sentence("the block dates the depicted original (a scan, artwork)"),
        ),
    )


def _is_hour_of_saving(claim: Claim, other: Other) -> bool:
    """Whether a date is that of the file's last change, which a program copied there as it saved."""
    written = (tag_values.full_date(tag_values.text(claim.tags, tag)) for tag in CHANGE_TAGS)
    changes = [change.wall for change in written if change is not None]
    if other.bare:
        return any(change.date() == other.wall.date() for change in changes)
    return any(abs(durations.gap_seconds(change, other.wall)) <= SAME_S for change in changes)


def _agrees(claim: Claim, other: Other, gap_s: float) -> bool:
    if other.bare:
        return abs((other.wall.date() - other.against.date()).days) <= 1
    if abs(gap_s) <= SAME_S:
        return True
    if other.offset_hours is None:
        return False
    known = _offsets(claim)
    if not known:  # one instant in another notation, as far as the file can tell
        slip = offsets.nearest_civil(3600.0 * other.offset_hours - gap_s)
        return slip is not None and abs(slip.residual_s) <= SAME_S
    return any(abs(gap_s - 3600.0 * (other.offset_hours - hours)) <= SAME_S for hours in known)


def _offsets(claim: Claim) -> tuple[float, ...]:
    """Return the offset the file states, else those legal at the place."""
    stated = offsets.stated(claim)
    if stated is not None:
        return (stated.value,)
    gps = offsets.gps_instant(claim)
    legal = offsets.legal(claim)
    if legal or gps is None or not isinstance(claim.local_time, Stated):
        return legal
    slip = offsets.nearest_civil(durations.gap_seconds(claim.local_time.value, gps[0]))
    return () if slip is None or abs(slip.residual_s) > offsets.SLOW_CLOCK_S else (slip.offset_hours,)


def _is_zone_mix_up(claim: Claim, gap_s: float) -> bool:
    shift = timedelta(seconds=gap_s)
    return any(
        abs(abs(shift) - timedelta(hours=abs(hours))) <= timedelta(seconds=SAME_S) for hours in _offsets(claim) if hours
    )
