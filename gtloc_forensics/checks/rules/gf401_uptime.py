"""GF401 — Time since power-on against claimed time.

Shows: that between two photos a telephone ran longer than the clock says has passed, or
that it would have had to start again and run longer than that. Few who change a date know
that this second clock is in the file (Apple RunTime).

Cannot show: which of the two photos has the wrong time, nor anything across a restart, nor
a clock wrong by the same amount throughout.

Blind spots: the counter stands still while the device sleeps, so only *too much* uptime is
impossible, never too little. Two telephones of one model without a serial number look like
one: then it is explained by two owners, unless the file numbers show that one device took both.

Threshold: 30 s more than the claimed time between them: capture and counter are written up
to some seconds apart, and network time steps a clock by seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from gtloc_forensics.checks import Context, Scope, check, owners, pairs
from gtloc_forensics.records import DeviceGroup, Finding, Outcome, PhotoSummary, Sentence, Severity, Statement, template

TOLERANCE_S = 30.0


@check("GF401", title="Time since power-on against claimed time", scope=Scope.DEVICE, version="2")
def uptime(group: DeviceGroup, context: Context) -> Iterator[Finding]:
    """Compare consecutive photos' uptimes with the time claimed between them."""
    counted = pairs.in_order(summary for summary in group.summaries if summary.uptime_s is not None)
    broken = [pair for pair in pairwise(counted) if is_impossible(*pair)]
    for earlier, later in broken:
        yield _finding(group, earlier, later)
    concerned = [member for pair in broken for member in pair]
    fine = pairs.rest(counted, concerned) if len(counted) > 1 else []
    agrees = Sentence("Time since power-on grows no faster than claimed time.")
    yield from pairs.passed("GF401", fine, agrees)
    silent = pairs.rest(group.summaries, [*fine, *concerned])
    why = Sentence("no other photo of the device with time since power-on")
    yield from pairs.silent("GF401", silent, why)


def is_impossible(earlier: PhotoSummary, later: PhotoSummary) -> bool:
    """Return whether no run of the device allows both uptimes at the claimed instants."""
    passed_s = pairs.apart_s(later, earlier)
    if passed_s is None or earlier.uptime_s is None or later.uptime_s is None:
        return False
    room_s = passed_s + TOLERANCE_S
    # Started again in between, it has run for less than the time between; else it ran on from the first uptime.
    if later.uptime_s <= room_s:
        return False
    gained_s = later.uptime_s - earlier.uptime_s
    return gained_s > room_s or gained_s < -TOLERANCE_S


_FALLS = template(
    "Time since power-on falls by {changed_s:.0f} s between two photos whose clocks are {passed_s:.0f} s apart, "
    "too few for a restart."
)
_GROWS = template(
    "Time since power-on grows by {changed_s:.0f} s between two photos whose clocks are {passed_s:.0f} s apart."
)
_FALLS_OR_TWO = template(
    "Time since power-on falls by {changed_s:.0f} s between two photos whose clocks are {passed_s:.0f} s apart, "
    "too few for a restart: two devices of one model, as {why}, or a changed clock."
)
_GROWS_OR_TWO = template(
    "Time since power-on grows by {changed_s:.0f} s between two photos whose clocks are {passed_s:.0f} s apart: "
    "two devices of one model, as {why}, or a changed clock."
)


def _sentence(gained_s: float, passed_s: float, why: Statement) -> Sentence:
    """Return what is said of two photos; *why* says that they may be of two devices, "" when they are of one."""
    falls = gained_s < 0.0
    if not why:
        return Sentence(_FALLS if falls else _GROWS, changed_s=abs(gained_s), passed_s=passed_s)
    return Sentence(_FALLS_OR_TWO if falls else _GROWS_OR_TWO, changed_s=abs(gained_s), passed_s=passed_s, why=why)


def _finding(group: DeviceGroup, earlier: PhotoSummary, later: PhotoSummary) -> Finding:
    passed_s = pairs.apart_s(later, earlier) or 0.0
    outcome, confidence = pairs.verdict(group.doubt, Outcome.CONTRADICTION)
    is_one = not group.doubt or owners.are_one_series(earlier, later)
    why = owners.two_devices(group, earlier, later) or Sentence("no serial number tells one from the other")
    gained_s = (later.uptime_s or 0.0) - (earlier.uptime_s or 0.0)
    return pairs.about(
        "GF401",
        (later, earlier),
        _sentence(gained_s, passed_s, "" if is_one else why),
        outcome=outcome if is_one else Outcome.EXPLAINED,
        kind="clock-offset" if is_one else "two-devices",
        device_key=group.device_key,
        severity=Severity.HIGH if is_one else Severity.LOW,
        confidence=confidence,
        observed=(
            Sentence(
                "Time since power-on {other_s:.0f} s in {other}, {here_s:.0f} s here.",
                other_s=earlier.uptime_s,
                other=earlier.name,
                here_s=later.uptime_s,
            ),
        ),
        limitations=(Sentence("It does not tell which of the two times is wrong."),),
        innocent=(owners.taken_for_one(group),) if group.doubt else (),
        facts={"uptime_gained_s": gained_s, "claimed_s": passed_s},
    )
