"""GF106 — The time in the file's name against the capture time.

Shows: that a name given by a camera app at the shutter does not tell the time the file
claims; names survive most tools that change dates.

Cannot show: anything where the name holds no date; who gave the name.

Blind spots: anyone can rename a file, and importers name files by whatever date they found.

Threshold: 2 min (a name is given when a burst is saved), one day for bare dates; a long exposure, and
a film whose container is dated by its end, are given their length. Excused: names in UTC, messenger names
dated by receipt, by a clock that may be in another zone, and every name that no camera or messenger gives:
people name scans by their subject and shops files by their orders. A camera's own name *earlier* than the
capture has no such excuse: nothing is named before it exists. Where the file has no more than a change
date, nothing is compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable, offsets
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
    TimeReading,
    TimeRole,
    durations,
)

SAME_S = 120.0
DAY_S = 86_400.0
ZONES_S = 26 * 3600.0  # the widest two wall clocks can differ
CHANGE_DATES = ("ModifyDate", "MetadataDate", "FileModifyDate")

# IMG_20240118_123540, 20240118_123540, DJI_20240118123540, WIN_20240118_12_35_40, …BURST20240118123540123;
# importers and cloud folders use other separators.
_CAMERA_NAME = re.compile(
    r"^(?:(?:IMG|VID|PXL|MVIMG|PANO|DSC|DJI|Samsung)?_?\d{8}[_-]?\d{6}"
    r"|(?:WIN|C360)_\d{4}-?\d\d-?\d\d[_-]\d\d[_-]\d\d[_-]\d\d"
    r"|.{0,20}BURST\d{14})",
    re.I,
)
_MESSENGER = re.compile(r"-WA\d+", re.I)


@check("GF106", title="The time in the file's name against the capture time", needs=("claim",), version="4")
def file_name_time(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare each time read from the name with the claimed one."""
    claim = claim_of(photo)
    names = [reading for reading in claim.times if reading.role is TimeRole.FILE_NAME]
    if not isinstance(claim.local_time, Stated) or not names:
        yield not_testable("GF106", claim.source_id, Sentence("the name holds no time, or the file none"))
    elif claim.local_time.tag in {reading.tag for reading in names}:
        yield not_testable("GF106", claim.source_id, Sentence("the name is the only source of the time"))
    else:
        yield _judge(claim, claim.local_time, names[0])


def _judge(claim: Claim, local: Stated[datetime], reading: TimeReading) -> Finding:
    if local.tag.endswith(CHANGE_DATES):
        why = Sentence(
            "the capture time is not in the file: {tag} is all there is, and it tells when the file was saved",
            tag=local.tag.split(":")[-1],
        )
        return not_testable("GF106", claim.source_id, why)
    name, gap_s = reading.raw[:80], _gap_s(claim, reading)
    tolerance_s = max(SAME_S, reading.resolution_s)
    exposure_s = offsets.exposure_s(claim)
    if tolerance_s < gap_s <= tolerance_s + exposure_s:
        summary = Sentence(
            "The name's time is {gap_s:spoken} later than the capture: the exposure took {exposure_s:spoken}.",
            gap_s=gap_s,
            exposure_s=exposure_s,
        )
        return consistent("GF106", claim.source_id, summary)
    ran_s = _ran_s(claim)
    if -tolerance_s - ran_s <= gap_s < -tolerance_s:
        summary = Sentence(
            "The name's time is {early_s:spoken} earlier than that of the container: the film ran for {ran_s:spoken}, "
            "and many devices date a container by its end.",
            early_s=-gap_s,
            ran_s=ran_s,
        )
        return consistent("GF106", claim.source_id, summary)
    if abs(gap_s) <= tolerance_s:
        told = Sentence("The name {name:quoted} tells the same time.", name=name)
        return consistent("GF106", claim.source_id, told)
    observed = (
        Sentence("Name: {name} → {moment}.", name=name, moment=reading.wall),
        Sentence("{tag}: {moment}.", tag=local.tag, moment=local.value),
    )
    facts = {"difference_s": gap_s, "name": name}
    if (excuse := _excuse(claim, reading, gap_s)) is not None:
        return findings.explained(
            "GF106",
            claim,
            Sentence(
                "The name's time is {gap_s:spoken} {gap_s:±later|earlier} than the capture: {reason}.",
                gap_s=gap_s,
                reason=excuse[1],
            ),
            kind=excuse[0],
            observed=observed,
            facts=facts,
        )
    camera_name = _CAMERA_NAME.match(_stem(reading)) is not None
    return findings.suspicious(
        "GF106",
        claim,
        Sentence(
            "The name's time is {gap_s:spoken} earlier than the claimed capture: nothing is named before it exists.",
            gap_s=gap_s,
        )
        if gap_s < 0
        else Sentence(
            "The name's time is {gap_s:spoken} later than the claimed capture, and cameras name a file at the shutter.",
            gap_s=gap_s,
        ),
        kind="edit",
        severity=Severity.MEDIUM,
        confidence=Confidence.STRONG if camera_name else Confidence.WEAK,
        observed=observed,
        facts=facts,
        innocent=(
            Sentence("the file was renamed"),
            Sentence("the capture time was corrected after the camera named the file"),
        ),
    )


def _excuse(claim: Claim, reading: TimeReading, gap_s: float) -> tuple[str, Sentence] | None:
    if _MESSENGER.search(reading.raw) and gap_s > 0:
        return "copy", Sentence("messengers date a name by receipt")
    if _is_of_messenger(reading) and abs(gap_s) <= ZONES_S:
        return "copy", Sentence("a messenger names a file by the clock of whoever received it")
    if _is_of_messenger(reading) and gap_s > 0:
        return "copy", Sentence("messengers date a name by receipt")
    if reading.kind is TimeKind.LOCAL and any(
        hours and abs(gap_s + 3600.0 * hours) <= SAME_S for hours in _known_offsets(claim)
    ):
        return "program-zone", Sentence("it is in UTC")
    if not (_CAMERA_NAME.match(_stem(reading)) or _MESSENGER.search(reading.raw) or _is_of_messenger(reading)):
        if gap_s > 0:
            return "copy", Sentence("the file was named when it was copied, edited or sent")
        return "named-by-hand", Sentence(
            "no camera gave that name; people name files by their subject, shops by their orders"
        )
    return None


def _ran_s(claim: Claim) -> float:
    """Return how long a film runs, in seconds; 0 of anything else."""
    return tag_values.number(tag_values.text(claim.tags, "QuickTime:Duration")) or 0.0


def _is_of_messenger(reading: TimeReading) -> bool:
    """Whether a messenger gave the name, to the second; the other names of theirs hold a day only."""
    return reading.resolution_s < DAY_S and bool(programs.services_of_name(_stem(reading)))


def _gap_s(claim: Claim, reading: TimeReading) -> float:
    """Return the name's time minus the claimed one: the smallest that a legal offset allows for a name in UTC."""
    if not isinstance(claim.local_time, Stated):
        return 0.0
    local = claim.local_time.value
    if reading.resolution_s >= DAY_S:
        return (reading.wall.date() - local.date()) / timedelta(seconds=1)
    gap_s = durations.gap_seconds(reading.wall, local)
    if reading.kind is not TimeKind.UTC:
        return gap_s
    return min((gap_s + 3600.0 * hours for hours in _offsets(claim)), key=abs)


def _known_offsets(claim: Claim) -> tuple[float, ...]:
    stated = offsets.stated(claim)
    return offsets.legal(claim) if stated is None else (stated.value,)


def _offsets(claim: Claim) -> tuple[float, ...]:
    """Return the offsets that may lie between a name in UTC and local time; all there are when none is known."""
    every = (*(float(hours) for hours in range(-12, 15)), *offsets.BROKEN_OFFSETS)
    return _known_offsets(claim) or every


def _stem(reading: TimeReading) -> str:
    return reading.raw.replace("\\", "/").rsplit("/", 1)[-1]
