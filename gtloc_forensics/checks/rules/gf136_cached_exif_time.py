"""GF136 — The file's time against the one that a telephone's library read from it.

Shows: that the capture time in the file is not the one the file had when the library took it in. The library keeps
that text apart from its own time, and an adjustment by the owner changes only the latter.

Cannot show: who changed the file, or why. A copy that was exported with an adjusted time is explained: its time is
the one that was set in the library.

Blind spots: a file that was changed before the library took it in; libraries that keep no such text (Android); entries
matched by name where the library keeps no size.

Threshold: 2 s, or the fineness of the file's time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.records import (
    Absent,
    Claim,
    Finding,
    Photo,
    SecondWitness,
    Sentence,
    Severity,
    Stated,
    TimeRole,
    durations,
)

SAME_S = 2.0

READ_FIRST = "ExifIFD:DateTimeOriginal"
BESIDE = (TimeRole.FILE_NAME, TimeRole.FILE_SYSTEM)


@check("GF136", title="The file's time against the one that a telephone's library read from it", needs=("claim",))
def cached_exif_time(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare the file's time with the text of it that a library keeps."""
    claim = claim_of(photo)
    known = [kept for kept in context.witnesses.get(claim.source_id, ()) if not isinstance(kept.exif_time, Absent)]
    if not known or not isinstance(claim.local_time, Stated):
        why = Sentence("no library that keeps the file's earlier time was read, or the file has no time")
        yield not_testable("GF136", claim.source_id, why)
        return
    told = [found for kept in known if (found := _told(photo, claim, kept)) is not None]
    if told:
        yield from told
    else:
        summary = Sentence("The file has the time that {program} read from it.", program=known[0].program)
        yield consistent("GF136", claim.source_id, summary)


def _other_fields(claim: Claim) -> tuple[datetime, ...]:
    """Return what else in the file the library may have read; it reads EXIF's time of capture first."""
    if isinstance(claim.local_time, Stated) and claim.local_time.tag == READ_FIRST:
        return ()
    return tuple(reading.wall for reading in claim.times if reading.role not in BESIDE)


def _told(photo: Photo, claim: Claim, witness: SecondWitness) -> Finding | None:
    cached, own = witness.exif_time, claim.local_time
    if isinstance(cached, Absent) or not isinstance(own, Stated):
        return None
    same_s = max(SAME_S, claim.local_resolution_s)
    written = (own.value, *(rival.value for rival in own.rivals), *_other_fields(claim))
    if min(abs(durations.gap_seconds(cached, wall)) for wall in written) <= same_s:
        return None
    gap_s = durations.gap_seconds(cached, own.value)
    observed = (
        Sentence("{tag}: {moment}.", tag=own.tag, moment=own.value),
        Sentence(
            "{program} ({catalogue}), read from the file: {moment}.",
            program=witness.program,
            catalogue=witness.source,
            moment=cached,
        ),
    )
    facts = {"difference_s": gap_s, "program": witness.program, "version": witness.version}
    adjusted = witness.local_time
    if not isinstance(adjusted, Absent) and abs(durations.gap_seconds(adjusted, own.value)) <= same_s:
        summary = Sentence(
            "The file has the time that is set in {program}, and not the one it came with: a copy that was written "
            "with the adjusted time.",
            program=witness.program,
        )
        return findings.explained("GF136", claim, summary, kind="second-witness", observed=observed, facts=facts)
    is_same_size = witness.size_bytes == photo.source.stat.size_bytes
    innocent = [Sentence("the file was corrected after the library had taken it in")]
    if not is_same_size:
        innocent.append(Sentence("the catalogue's entry is of another photo of that name"))
    return findings.suspicious(
        "GF136",
        claim,
        Sentence(
            "When {program} took the file in, it read a time {gap_s:spoken} {gap_s:±later|earlier} than the file has "
            "now: the file was changed since, or another field of it was read.",
            program=witness.program,
            gap_s=gap_s,
        )
        if is_same_size
        else Sentence(
            "{program} read a time from the file that is {gap_s:spoken} {gap_s:±later|earlier} than the file's: "
            "the file was changed since, or is another one.",
            program=witness.program,
            gap_s=gap_s,
        ),
        kind="second-witness",
        severity=Severity.HIGH if is_same_size else Severity.MEDIUM,
        observed=observed,
        facts=facts,
        innocent=tuple(innocent),
    )
