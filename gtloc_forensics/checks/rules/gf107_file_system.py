"""GF107 — The file system's times against the capture time.

Shows: that the file already existed, by the file system, before the photo claims to have
been taken.

Cannot show: anything by a *later* file time: copying, unpacking, downloading and editing
all set it.

Blind spots: every copy resets the times unless told not to; a wrong computer clock; touch.

Threshold: 26 h, because neither FAT nor EXIF says in which zone it counts. Times before 2 January
1980 are the zero of some file system and are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.earth import claims
from gtloc_forensics.records import Absent, Finding, Photo, Sentence, Severity, durations

ZONES_S = 26 * 3600.0
FIRST_FAT = datetime(1980, 1, 2)


@check("GF107", title="The file system's times against the capture time", needs=("claim",), version="2")
def file_system_time(photo: Photo, context: Context) -> Iterator[Finding]:
    """Find files that are older than the photo in them."""
    claim = claim_of(photo)
    modified = _instant(photo.source.stat.mtime_ns)
    claimed = claims.claimed_moment(claim)
    if isinstance(claimed, Absent) or claimed.tag.startswith(("File", "System")):
        yield not_testable("GF107", claim.source_id, Sentence("no capture time of its own"))
    elif modified is None or modified < FIRST_FAT:
        yield not_testable("GF107", claim.source_id, Sentence("the file system holds no usable time"))
    elif (early_s := durations.gap_seconds(claimed.value, modified)) <= ZONES_S:
        yield consistent("GF107", claim.source_id, Sentence("The file was last written after the claimed capture."))
    else:
        last_written = (
            Sentence("Last written {moment} by a clock whose zone is not recorded.", moment=modified)
            if photo.source.stat.is_local
            else Sentence("Last written {moment} UTC.", moment=modified)
        )
        yield findings.suspicious(
            "GF107",
            claim,
            Sentence(
                "The file was last written {early_s:spoken} before the photo claims to have been taken.",
                early_s=early_s,
            ),
            kind="clock-offset",
            severity=Severity.MEDIUM,
            observed=(
                last_written,
                Sentence("{tag}: {moment}.", tag=claimed.tag, moment=claimed.value),
            ),
            innocent=(
                Sentence("the camera's clock was ahead"),
                Sentence("a computer or card reader with a wrong clock"),
                Sentence("a tool that sets file times"),
            ),
            facts={"difference_s": early_s},
        )


def _instant(nanoseconds: int) -> datetime | None:
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return None
    return moment.replace(tzinfo=None)
