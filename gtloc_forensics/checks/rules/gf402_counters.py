"""GF402 — Shutter counts and file numbers against claimed time.

Shows: photos that a counter puts before or after others although their claimed times say
the opposite; one photo out of order, several in a row that were taken between later ones, or one step
at which the clock was set back.

Cannot show: by how much a clock is off, nor anything when all photos moved alike.

Blind spots: file numbers start again after 9,999, after a reset, with another card; two
cards give two interleaved series. Therefore a few photos out of order are named, one step
is named, and disorder throughout is taken for what it mostly is: several series.

Threshold: 10 minutes backwards (clocks are corrected by minutes); at most a tenth of the
photos out of order count as single faults. Photos in a row whose clock starts at a factory default, with
later times before and after them, are explained by a clock that lost its time. Where time falls back once,
by 14 h or less, and the counter runs on, the clock was set to another zone or to winter time: that is explained.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from gtloc_forensics.checks import Context, Scope, check, pairs
from gtloc_forensics.checks.reference import factory
from gtloc_forensics.records import (
    Confidence,
    CounterKind,
    DeviceGroup,
    Finding,
    Outcome,
    PhotoSummary,
    Sentence,
    Severity,
    template,
)

SLACK_S = 600.0
SINGLE_SHARE = 0.1
WIDEST_ZONES_S = 14 * 3600.0
FEWEST = 4
LARGEST_GAP = 50  # photos deleted or elsewhere; a file number that leaps farther belongs to another series

_EPOCH = datetime(1970, 1, 1)

_NAMES = {
    CounterKind.SHUTTER: template("shutter count"),
    CounterKind.FILE_NUMBER: template("file number"),
    CounterKind.IMAGE: template("image number"),
}


@check("GF402", title="Counters against claimed time", scope=Scope.DEVICE, version="5")
def counters(group: DeviceGroup, context: Context) -> Iterator[Finding]:
    """Put a device's photos in the order of their counter and look whether their times follow."""
    kind, ordered = series(group.summaries)
    if kind is None or len(ordered) < FEWEST:
        why = Sentence("no counter in enough photos of the device")
        yield from pairs.silent("GF402", group.summaries, why)
        return
    in_order = Sentence("In order by its {counter}.", counter=_name(kind))
    odd = out_of_order([_seconds(photo) for photo in ordered])
    strays = [ordered[index] for index in odd]
    step = _after_step(ordered, kind) if odd else []
    between = _between_later(ordered, odd) if step else []
    if not odd:
        yield from pairs.passed("GF402", ordered, _one_order(kind))
    elif step and (back := _set_back(ordered)) is not None:
        yield _zone_changed(group, kind, *back)
        yield from pairs.passed("GF402", pairs.rest(ordered, back), in_order)
    elif len(odd) <= max(1, int(SINGLE_SHARE * len(ordered))):
        yield from (_stray(group, kind, index, ordered) for index in odd)
        yield from pairs.passed("GF402", pairs.rest(ordered, strays), in_order)
    elif between:
        yield _stood_back(group, kind, between, ordered)
        yield from pairs.passed("GF402", pairs.rest(ordered, between), in_order)
    elif step:
        yield _step(group, kind, step)
        yield from pairs.passed("GF402", pairs.rest(ordered, step), in_order)
    else:
        several = Sentence("the {counter} runs in several series", counter=_name(kind))
        yield from pairs.silent("GF402", ordered, several)
    none = Sentence("no counter to compare")
    yield from pairs.silent("GF402", pairs.rest(group.summaries, ordered), none)


def _name(kind: CounterKind) -> Sentence:
    return Sentence(_NAMES[kind])


def _one_order(kind: CounterKind) -> Sentence:
    return Sentence("The {counter} and the claimed times have one order.", counter=_name(kind))


def series(summaries: Sequence[PhotoSummary]) -> tuple[CounterKind | None, list[PhotoSummary]]:
    """Return the best counter that the photos share and those that have it, in its order, wraps undone."""
    for kind in (CounterKind.SHUTTER, CounterKind.IMAGE, CounterKind.FILE_NUMBER):
        rows = [(value, photo) for photo in pairs.in_order(summaries) if (value := _value(photo, kind)) is not None]
        if len(rows) >= FEWEST:
            wraps_at = next((c.wraps_at for c in rows[0][1].counters if c.kind is kind), None)
            unwrapped = _unwrap([value for value, _ in rows], wraps_at)
            order = sorted(range(len(rows)), key=lambda index: (unwrapped[index], index))
            return kind, [rows[index][1] for index in order]
    return None, []


def _value(photo: PhotoSummary, kind: CounterKind) -> int | None:
    return next((counter.value for counter in photo.counters if counter.kind is kind), None)


def _unwrap(values: Sequence[int], wraps_at: int | None) -> list[int]:
    """Add a turn whenever a wrapping counter falls by more than half of it, in the order of claimed time."""
    if wraps_at is None:
        return list(values)
    turns, before, found = 0, values[0], []
    for value in values:
        turns += value < before - wraps_at // 2
        found.append(value + turns * wraps_at)
        before = value
    return found


def out_of_order(seconds: Sequence[float]) -> list[int]:
    """Return the fewest places whose removal lets *seconds* never fall by more than the slack.

    The longest rising subsequence by patience sorting, n log n.
    """
    tails: list[float] = []
    tail_at: list[int] = []
    before: list[int] = []
    for index, value in enumerate(seconds):
        place = bisect_right(tails, value + SLACK_S) if tails and value < tails[-1] else len(tails)
        before.append(tail_at[place - 1] if place else -1)
        if place == len(tails):
            tails.append(max(value, tails[-1]) if tails else value)  # stays sorted within the slack
            tail_at.append(index)
        elif value < tails[place]:
            tails[place], tail_at[place] = value, index
    kept = set()
    index = tail_at[-1] if tail_at else -1
    while index >= 0:
        kept.add(index)
        index = before[index]
    return [index for index in range(len(seconds)) if index not in kept]


def _after_step(ordered: Sequence[PhotoSummary], kind: CounterKind) -> list[PhotoSummary]:
    """Return the photos on the smaller side of the one place where time falls back; empty if there are several.

    A file number that leaps there as well is another card's.
    """
    seconds = [_seconds(photo) for photo in ordered]
    falls = [index for index in range(1, len(seconds)) if seconds[index] < seconds[index - 1] - SLACK_S]
    if len(falls) != 1:
        return []
    leap = abs((_value(ordered[falls[0]], kind) or 0) - (_value(ordered[falls[0] - 1], kind) or 0))
    if kind is CounterKind.FILE_NUMBER and leap > LARGEST_GAP:
        return []
    return list(ordered[falls[0] :] if 2 * falls[0] >= len(ordered) else ordered[: falls[0]])


def _between_later(ordered: Sequence[PhotoSummary], odd: Sequence[int]) -> list[PhotoSummary]:
    """Return the photos after the one fall of the clock, up to where it shows again what it showed before.

    Empty where it never does, and where fewer photos would be out of order the other way round: then the one side
    of the fall is as good as the other, unless the clock starts at a factory default there.
    """
    seconds = [_seconds(photo) for photo in ordered]
    first = next(index for index in range(1, len(seconds)) if seconds[index] < seconds[index - 1] - SLACK_S)
    end = next((index for index in range(first, len(seconds)) if seconds[index] >= seconds[first - 1]), len(seconds))
    if end == len(seconds):
        return []
    is_least = end - first <= len(odd)
    return list(ordered[first:end]) if is_least or _starts_anew(ordered[first]) else []


def _starts_anew(photo: PhotoSummary) -> bool:
    return photo.local_time is not None and factory.is_default(photo.local_time)


def _seconds(photo: PhotoSummary) -> float:
    return ((pairs.instant(photo) or _EPOCH) - _EPOCH).total_seconds()


def _set_back(ordered: Sequence[PhotoSummary]) -> tuple[PhotoSummary, PhotoSummary] | None:
    """Return the two photos between which a clock fell back by no more than zones do; None for a longer fall."""
    for earlier, later in pairwise(ordered):
        fall_s = _seconds(earlier) - _seconds(later)
        if fall_s > SLACK_S:
            return (later, earlier) if fall_s <= WIDEST_ZONES_S else None
    return None


def _zone_changed(group: DeviceGroup, kind: CounterKind, later: PhotoSummary, earlier: PhotoSummary) -> Finding:
    return pairs.about(
        "GF402",
        (later, earlier),
        Sentence(
            "Between {earlier} and {later} the clock falls back by {fall_hours:length} while the {counter} runs on: "
            "it was set to another zone, as after a flight westward, to winter time, or right.",
            earlier=earlier.name,
            later=later.name,
            fall_hours=(_seconds(earlier) - _seconds(later)) / 3600.0,
            counter=_name(kind),
        ),
        outcome=Outcome.EXPLAINED,
        kind="zone",
        device_key=group.device_key,
        severity=Severity.LOW,
        innocent=(Sentence("one of the two photos was dated anew"),),
        limitations=(Sentence("By how much the clock was set cannot be told from the counter."),),
    )


def _stray(group: DeviceGroup, kind: CounterKind, place: int, ordered: Sequence[PhotoSummary]) -> Finding:
    member = ordered[place]
    beside = (*ordered[max(0, place - 1) : place], *ordered[place + 1 : place + 2])
    is_shutter = kind is CounterKind.SHUTTER and not group.doubt
    return pairs.about(
        "GF402",
        (member,),
        Sentence(
            "By its {counter}, {count:raw}, this photo does not belong where its clock puts it.",
            counter=_name(kind),
            count=_value(member, kind),
        ),
        outcome=Outcome.SUSPICIOUS,
        kind="clock-offset",
        device_key=group.device_key,
        confidence=Confidence.STRONG if is_shutter else Confidence.WEAK,
        observed=tuple(_counted(photo, kind) for photo in (member, *beside)),
        innocent=(
            Sentence("a second card"),
            Sentence("a counter that was reset"),
            *((group.doubt,) if group.doubt else ()),
        ),
        limitations=(Sentence("A counter gives an order, not a time."),),
    )


def _counted(photo: PhotoSummary, kind: CounterKind) -> Sentence:
    """Return a photo's count and when it claims to be: by its own clock, and where only that is known in UTC."""
    if photo.local_time is not None:
        return Sentence(
            "{count:raw}: {name}, {moment}.", count=_value(photo, kind), name=photo.name, moment=photo.local_time
        )
    return Sentence(
        "{count:raw}: {name}, {moment} UTC.", count=_value(photo, kind), name=photo.name, moment=photo.utc_time
    )


def _stood_back(
    group: DeviceGroup, kind: CounterKind, between: Sequence[PhotoSummary], ordered: Sequence[PhotoSummary]
) -> Finding:
    first = ordered.index(between[0])
    before, after = ordered[first - 1], ordered[first + len(between)]
    is_reset = _starts_anew(between[0])
    told = {"counter": _name(kind), "photos": len(between), "before": before.name, "after": after.name}
    return pairs.about(
        "GF402",
        between,
        Sentence(
            "By the {counter} {photos:?1 photo was|# photos were} taken between {before} and {after}, by the clock "
            "before both: it starts at a factory default there, as one that had lost its time.",
            **told,
        )
        if is_reset
        else Sentence(
            "By the {counter} {photos:?1 photo was|# photos were} taken between {before} and {after}, by the clock "
            "before both.",
            **told,
        ),
        outcome=Outcome.EXPLAINED if is_reset else Outcome.SUSPICIOUS,
        kind="clock-reset",
        device_key=group.device_key,
        severity=Severity.MEDIUM,
        confidence=Confidence.WEAK if group.doubt else Confidence.STRONG,
        observed=tuple(_counted(photo, kind) for photo in (before, between[0], between[-1], after)),
        innocent=(
            Sentence("the clock had lost its time, or was set wrong, and was set right later"),
            Sentence("a second card"),
        ),
        limitations=(Sentence("A counter gives an order, not a time."),),
    )


def _step(group: DeviceGroup, kind: CounterKind, step: Sequence[PhotoSummary]) -> Finding:
    return pairs.about(
        "GF402",
        step,
        Sentence(
            "The clock jumps back once while the {counter} runs on; {photos:?1 photo lies|# photos lie} "
            "on one side of the step.",
            counter=_name(kind),
            photos=len(step),
        ),
        outcome=Outcome.SUSPICIOUS,
        kind="clock-reset",
        device_key=group.device_key,
        severity=Severity.MEDIUM,
        confidence=Confidence.WEAK if group.doubt else Confidence.STRONG,
        innocent=(
            Sentence("the clock was corrected, or set to another zone, at that moment"),
            Sentence("a second card"),
        ),
        limitations=(Sentence("Which side is right cannot be told from the counter."),),
    )
