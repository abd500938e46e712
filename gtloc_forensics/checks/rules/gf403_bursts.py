"""GF403 — Frames of one burst, claimed far apart.

Shows: that files which share a burst or live-photo identifier, the picture and the film of a
live photo too, and so were made within seconds, claim times or places that are far apart.

Cannot show: which of them is wrong.

Blind spots: an edited copy keeps the identifier and may bear its own date, programs that
import photos may write a time of their own.

Threshold: 2 minutes (a long burst lasts seconds) or 1 km beyond the stated errors.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, Scope, check, pairs
from gtloc_forensics.records import DeviceGroup, Finding, Outcome, PhotoSummary, Sentence, Severity

LONGEST_S = 120.0
FARTHEST_KM = 1.0


@check("GF403", title="Frames of one burst, claimed far apart", scope=Scope.DEVICE, version="2")
def bursts(group: DeviceGroup, context: Context) -> Iterator[Finding]:
    """Compare the frames of each burst with its first."""
    by_burst: dict[str, list[PhotoSummary]] = {}
    for summary in group.summaries:
        by_burst.setdefault(summary.burst_id, []).append(summary)
    yield from pairs.silent("GF403", by_burst.pop("", []), Sentence("not part of a burst"))
    for frames in by_burst.values():
        if len(frames) == 1:
            yield from pairs.silent("GF403", frames, Sentence("no other frame of its burst is here"))
            continue
        found = [finding for frame in frames[1:] for finding in _against(group, frames[0], frame)]
        yield from found
        if not any(finding.is_found for finding in found):
            yield from pairs.passed("GF403", frames[:1], Sentence("The other frames of its burst claim alike."))


def _against(group: DeviceGroup, first: PhotoSummary, other: PhotoSummary) -> Iterator[Finding]:
    seconds = abs(pairs.apart_s(other, first) or 0.0)
    km = (pairs.apart_km(other, first) or 0.0) - _errors_km(first, other)
    if seconds <= LONGEST_S and km <= FARTHEST_KM:
        yield from pairs.passed("GF403", (other,), Sentence("Time and place are those of its burst."))
        return
    yield pairs.about(
        "GF403",
        (other, first),
        Sentence(
            "Two files of one burst claim to be {apart_s:.0f} s and {apart_km:.1f} km apart.",
            apart_s=seconds,
            apart_km=max(km, 0.0),
        ),
        outcome=Outcome.SUSPICIOUS,
        kind="clock-offset" if seconds > LONGEST_S else "position",
        device_key=group.device_key,
        severity=Severity.MEDIUM,
        innocent=(Sentence("an edited copy with a date of its own"),),
        facts={"apart_s": seconds, "apart_km": km},
    )


def _errors_km(first: PhotoSummary, second: PhotoSummary) -> float:
    return ((first.position_error_m or 0.0) + (second.position_error_m or 0.0)) / 1000.0
