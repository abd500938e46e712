"""Findings told once: those that share a cause are gathered under it.

One wrong clock breaks many rules. Where a camera's clock model explains a finding, the
finding goes under that clock, whatever offset its own rule had guessed. Where the clock was
right, it is not accused: then the one file among its siblings is. Look-alikes go by the
pictures they are about, one second stamped on many files by that second, everything else by
kind and device. What is said of several photos is true of each of them.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from gtloc_forensics.evidence.clocks import cause_words, receiver
from gtloc_forensics.records import (
    UNKNOWN_DEVICE,
    Cause,
    CauseGroup,
    CauseKind,
    ClockKind,
    ClockModel,
    ClockWitness,
    Confidence,
    DeviceGroup,
    Finding,
    Outcome,
    PhotoSummary,
    Sentence,
)

CLOCK_CAUSES = frozenset(
    (CauseKind.CLOCK_OFFSET, CauseKind.CLOCK_DRIFT, CauseKind.CLOCK_RESET, CauseKind.ZONE, CauseKind.DST)
)
"""Kinds of cause that lie in a device's clock."""

SET_WRONG_CAUSES = frozenset((CauseKind.CLOCK_OFFSET, CauseKind.CLOCK_RESET))
"""What a rule lays to a clock when all it knows is that one photo's time cannot be."""

STEP_CAUSES = frozenset((CauseKind.TRAVEL,))
"""What a clock that did not keep one offset explains as well: between two of its states a device seems to leap."""

EITHER_CAUSES = frozenset((CauseKind.CLOCK_OR_PLACE, CauseKind.CLOCK_OR_GPS))
"""What a wrong clock explains as well as a wrong place, or GPS tags of another time, does."""

DATE_RULES = frozenset(("GF113", "GF114"))
AHEAD_RULES = frozenset(("GF104", "GF107"))  # of a capture after what came later, by more than a day
ORDER_RULES = frozenset(("GF401", "GF402", "GF403"))  # of photos of one device against each other
"""Rules that find a date too early for what is in the file: a clock explains them by days, never by hours."""

GPS_RULES = frozenset(("GF101",))
"""Rules that take the GPS time of one photo for a clock."""

LIGHT_RULES = frozenset(("GF201", "GF202", "GF210", "GF301", "GF304", "GF305", "GF407"))
"""Rules that judge light and pixels: of one picture alone they show no hand, only an odd picture."""

NEAR_HOURS = 1.0  # a rule's guess this close to the model's offset, or its interval, is the same offset
DAYS_HOURS = 24.0
OF_DAYS_HOURS = 36.0  # a rule that knows days alone is so fine: a day, and half of one for the zone
FEWEST_SIBLINGS = 3  # photos beside it before one file is said to differ from its siblings
MOST_ALTERED = 0.25  # of a device's photos: more of them may share a clock that stood wrong for a while
FEWEST_STAMPED = 3

_GRAVITY = {Outcome.CONTRADICTION: 2, Outcome.SUSPICIOUS: 1, Outcome.EXPLAINED: 0}

Key = tuple[object, ...]


@dataclass(slots=True)
class _Gathered:
    cause: Cause
    label: str
    model: ClockModel | None = None  # whose sentence the group bears
    places: array[int] = field(default_factory=lambda: array("I"))  # of its findings


class _Some(Sequence[Finding]):
    """Some of many findings, which may lie on a disk: four bytes each are held."""

    def __init__(self, findings: Sequence[Finding], places: array[int]) -> None:
        self._findings = findings
        self.places = places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self._findings[place] for place in self.places[index]]
        return self._findings[self.places[index]]


def group_causes(
    findings: Iterable[Finding],
    models: Sequence[ClockModel] = (),
    *,
    summaries: Iterable[PhotoSummary] = (),
    seen: Mapping[str, PhotoSummary] | None = None,
) -> tuple[CauseGroup, ...]:
    """Gather findings under their causes.

    Args:
        findings: of any outcome; only found and explained ones that name a cause are gathered, in their order.
        models: the clock models of the case, if any.
        summaries: the photos of the case; they give names and capture times.
        seen: the same by source id, where somebody has them so.

    Returns:
        The strongest group first: by outcome, severity, number of photos. Every gathered
        finding is in exactly one group.
    """
    findings = findings if isinstance(findings, Sequence) else tuple(findings)
    told = _Some(findings, array("I", (place for place, finding in enumerate(findings) if _is_gathered(finding))))
    seen = {summary.source_id: summary for summary in summaries} if seen is None else seen
    placing = _Placing({model.device_key: model for model in models}, told, seen)
    groups: dict[Key, _Gathered] = {}
    for place, finding in zip(told.places, told, strict=True):
        key, started = placing.place(finding)
        groups.setdefault(key, started).places.append(place)
    of_clocks = [_told(group, findings, seen) for group in groups.values() if group.model is not None]
    others = [_told(group, findings, seen) for group in groups.values() if group.model is None]
    return tuple(sorted([*of_clocks, *_once_each(others)], key=_strongest_first))


def _is_gathered(finding: Finding) -> bool:
    return finding.cause is not None and finding.outcome in _GRAVITY


class _Placing:
    """Says for each finding under which cause it goes."""

    def __init__(
        self, models: Mapping[str, ClockModel], findings: Sequence[Finding], seen: Mapping[str, PhotoSummary]
    ) -> None:
        self._models = models
        self._accused = _accused(findings)
        self._pictures = _clusters(_alike(finding) for finding in findings if _is_look_alike(finding))
        self._stamped = _stamped(findings, seen)
        self._not_clocks, self._lagging = _gps_times_that_are_no_clocks(seen)

    def place(self, finding: Finding) -> tuple[Key, _Gathered]:
        """Return the key of the group of *finding*, and that group as it starts."""
        cause = self._laid_at(finding)
        model = self._models.get(cause.device_key) if cause.device_key else None
        label = "" if model is None else model.label
        if model is not None and explains(model, finding, cause):
            known = Cause(_kind_of(model), model.device_key, model.offset_hours, model.summary)
            return ("clock", model.device_key), _Gathered(known, label, model)
        if finding.is_found and finding.source_ids[0] in self._stamped:
            second = self._stamped[finding.source_ids[0]]
            stamped = Cause(CauseKind.STAMPED, "", None, Sentence("{second}", second=second))
            return (stamped.kind, second), _Gathered(stamped, "")
        if self._rests_on(self._lagging, finding, cause):  # an old fix and an altered capture time lag alike
            either = replace(cause, kind=CauseKind.CLOCK_OR_GPS, offset_hours=None)
            return (either.kind, cause.device_key, "lag"), _Gathered(either, label)
        if self._rests_on(self._not_clocks, finding, cause):
            receivers = Cause(CauseKind.RECEIVER, cause.device_key, None, Sentence(cause_words.RECEIVER))
            return (receivers.kind, cause.device_key), _Gathered(receivers, label)
        if _is_look_alike(finding):
            return ("pictures", self._pictures[finding.source_ids[0]]), _Gathered(replace(cause, device_key=""), "")
        if model is not None and finding.is_found and cause.kind in SET_WRONG_CAUSES:
            if self._is_one_file(model, finding):
                altered = Cause(CauseKind.ALTERED_FILE, model.device_key, None, cause.summary)
                return (altered.kind, finding.source_ids[0]), _Gathered(altered, label)
            if _is_confirmed(model):
                kind = CauseKind.CLOCK_OR_GPS if finding.check_id in GPS_RULES else CauseKind.CLOCK_OR_PLACE
                either = replace(cause, kind=kind, offset_hours=None)
                return (either.kind, cause.device_key, "right clock"), _Gathered(either, label)
        if finding.is_found and cause.kind in SET_WRONG_CAUSES and finding.check_id in LIGHT_RULES:
            # Where no clock model explains it, light that does not fit shows a wrong place as well as a wrong time.
            either = replace(cause, kind=CauseKind.CLOCK_OR_PLACE, offset_hours=None)
            return (either.kind, cause.device_key, finding.is_found), _Gathered(either, label)
        known_offset = bool(cause.device_key) and cause.offset_hours is not None
        offset = round(4.0 * (cause.offset_hours or 0.0)) / 4.0 if known_offset else None
        return (cause.kind, cause.device_key, offset, finding.is_found), _Gathered(cause, label)

    def _laid_at(self, finding: Finding) -> Cause:
        """Return the cause at the device it lies in: of two clocks that differ, not the one known to be right."""
        cause, other = finding.cause, finding.facts.get("other_device")
        if cause is None:
            raise ValueError(f"{finding.check_id} names no cause")
        model = self._models.get(cause.device_key)
        if not isinstance(other, str) or model is None or not _is_confirmed(model):
            return cause
        turned = None if cause.offset_hours is None else -cause.offset_hours
        return replace(cause, device_key=other, offset_hours=turned)

    def _rests_on(self, set_aside: frozenset[str], finding: Finding, cause: Cause) -> bool:
        """Whether a finding rests on a GPS time that was *set_aside* by what the device's other photos show."""
        is_of_gps = finding.check_id in GPS_RULES and cause.kind in SET_WRONG_CAUSES
        return is_of_gps and finding.is_found and finding.source_ids[0] in set_aside

    def _is_one_file(self, model: ClockModel, finding: Finding) -> bool:
        """Whether one file's time is wrong among siblings of the same device of which nothing like it is said."""
        is_sure = finding.confidence in (Confidence.DECISIVE, Confidence.STRONG) and finding.check_id not in LIGHT_RULES
        if len(finding.source_ids) != 1 or not is_sure:
            return False
        accused = self._accused.get(model.device_key, 0)
        siblings = model.photos - accused
        return siblings >= FEWEST_SIBLINGS and accused <= max(1.0, MOST_ALTERED * model.photos)


def explains(model: ClockModel, finding: Finding, cause: Cause) -> bool:
    """Return whether a clock model accounts for a finding.

    Args:
        model: of the device.
        finding: of any rule.
        cause: what it is laid to, at this device.
    """
    if model.kind in (ClockKind.RIGHT, ClockKind.UNDETERMINED):
        return False
    if cause.kind in STEP_CAUSES:
        return model.kind in (ClockKind.PIECEWISE, ClockKind.RESET)
    if finding.check_id in DATE_RULES:
        return _is_days_off(model)
    if finding.check_id in AHEAD_RULES and cause.offset_hours is None:
        return _is_days_ahead(model)
    if finding.check_id in ORDER_RULES and cause.kind in CLOCK_CAUSES:  # one offset for all changes no order
        return model.kind in (ClockKind.PIECEWISE, ClockKind.RESET, ClockKind.DAY_MONTH)
    if cause.kind not in CLOCK_CAUSES | EITHER_CAUSES:
        return False
    if cause.offset_hours is None or model.interval_hours is None:
        return True
    low, high = model.interval_hours
    near_hours = OF_DAYS_HOURS if "difference_days" in finding.facts else NEAR_HOURS
    # Light knows no days: twelve ahead and twelve behind are one to it.
    turns = (-24.0, 0.0, 24.0) if model.decided_by is ClockWitness.LIGHT else (0.0,)
    return any(low - near_hours <= cause.offset_hours + turn <= high + near_hours for turn in turns)


def _is_days_off(model: ClockModel) -> bool:
    if model.kind in (ClockKind.RESET, ClockKind.DAY_MONTH):
        return True
    return any(hours <= -DAYS_HOURS for hours in _offsets(model))


def _is_days_ahead(model: ClockModel) -> bool:
    return model.kind is ClockKind.DAY_MONTH or any(hours >= DAYS_HOURS for hours in _offsets(model))


def _offsets(model: ClockModel) -> list[float]:
    return [*(hours for _, _, hours in model.segments), *([] if model.offset_hours is None else [model.offset_hours])]


def _is_confirmed(model: ClockModel) -> bool:
    return model.kind is ClockKind.RIGHT and model.decided_by in (ClockWitness.GPS, ClockWitness.COMPANION)


def _kind_of(model: ClockModel) -> CauseKind:
    return {
        ClockKind.DST: CauseKind.DST,
        ClockKind.WRONG_ZONE: CauseKind.ZONE,
        ClockKind.RESET: CauseKind.CLOCK_RESET,
        ClockKind.DRIFT: CauseKind.CLOCK_DRIFT,
    }.get(model.kind, CauseKind.CLOCK_OFFSET)


# --------------------------------------------------------------------------- what findings have in common


def _is_look_alike(finding: Finding) -> bool:
    """Whether a finding is about pictures that are alike."""
    return finding.cause is not None and finding.cause.kind is CauseKind.LOOK_ALIKE


def _alike(finding: Finding) -> tuple[str, ...]:
    """Return the photos whose pictures a finding says are alike: its own, and the one that it names."""
    other = finding.facts.get("other_source_id")
    return (*finding.source_ids, other) if isinstance(other, str) else finding.source_ids


def _accused(findings: Iterable[Finding]) -> dict[str, int]:
    """Return, for each device, of how many photos a rule finds the time impossible."""
    found: dict[str, array[int]] = defaultdict(lambda: array("q"))
    for finding in findings:
        if finding.is_found and finding.cause is not None and finding.cause.kind in SET_WRONG_CAUSES:
            found[finding.cause.device_key].extend(map(hash, finding.source_ids))  # eight bytes each: they are counted
    return {key: len(np.unique(np.frombuffer(hashes, np.int64))) for key, hashes in found.items()}


def _gps_times_that_are_no_clocks(seen: Mapping[str, PhotoSummary]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the photos whose GPS time is a receiver's own, or had to be put right, by the pattern of its device.

    The second set holds those among them that merely lag behind the device's other photos.
    """
    by_device: dict[str, list[PhotoSummary]] = defaultdict(list)
    for photo in seen.values():
        if photo.device_key != UNKNOWN_DEVICE and photo.gps_utc_time is not None and photo.local_time is not None:
            by_device[photo.device_key].append(photo)
    groups = (DeviceGroup(key, "", "", tuple(summaries)) for key, summaries in by_device.items())
    not_clocks, lagging = frozenset[str](), frozenset[str]()
    for heard in map(receiver.listen, groups):
        not_clocks, lagging = not_clocks | heard.not_clocks, lagging | heard.lagging
    return not_clocks, lagging


def _clusters(groups: Iterable[tuple[str, ...]]) -> dict[str, str]:
    """Return a name for each cluster of photos that groups tie together (union by the least name)."""
    root: dict[str, str] = {}

    def find(name: str) -> str:
        while root.setdefault(name, name) != name:
            name = root[name]
        return name

    for members in groups:
        least = min(map(find, members))
        for name in members:
            root[find(name)] = least
    return {name: find(name) for name in root}


def _stamped(findings: Sequence[Finding], seen: Mapping[str, PhotoSummary]) -> dict[str, datetime]:
    """Return the photos among those accused that share one capture second while their offsets differ."""
    seconds, places = array("q"), array("I")
    for place, finding in enumerate(findings):
        cause = finding.cause
        if cause is None or cause.offset_hours is None or not finding.is_found or cause.kind not in SET_WRONG_CAUSES:
            continue
        photo = seen.get(finding.source_ids[0])
        if photo is not None and photo.local_time is not None:
            seconds.append((photo.local_time - _FIRST_SECOND) // _SECOND)
            places.append(place)
    _, inverse, times = np.unique(np.array(seconds, np.int64), return_inverse=True, return_counts=True)
    offsets: dict[datetime, dict[str, float]] = defaultdict(dict)
    for number in np.flatnonzero(times[inverse] >= FEWEST_STAMPED).tolist():  # few share a second
        finding = findings[places[number]]
        second = _FIRST_SECOND + seconds[number] * _SECOND
        if finding.cause is not None and finding.cause.offset_hours is not None:
            offsets[second][finding.source_ids[0]] = finding.cause.offset_hours
    return {
        source_id: second
        for second, by_photo in offsets.items()
        if len({round(hours) for hours in by_photo.values()}) >= FEWEST_STAMPED
        for source_id in by_photo
    }


_FIRST_SECOND, _SECOND = datetime(1, 1, 1), timedelta(seconds=1)


# --------------------------------------------------------------------------- told


def _told(group: _Gathered, findings: Sequence[Finding], seen: Mapping[str, PhotoSummary]) -> CauseGroup:
    gathered = _Some(findings, group.places)
    cause = group.cause
    outcomes, severities, check_ids = set(), set(), set()
    source_ids: dict[str, None] = {}  # in the order of the findings
    for finding in gathered:
        outcomes.add(finding.outcome)
        severities.add(finding.severity)
        check_ids.add(finding.check_id)
        source_ids.update(dict.fromkeys(finding.source_ids))
    photos = tuple(source_ids) if group.model is None else _of_its_device(source_ids, group.model, seen)
    del source_ids
    names = [seen[source_id].name if source_id in seen else "" for source_id in photos]
    if outcomes == {Outcome.EXPLAINED} and group.model is not None and group.model.kind is ClockKind.PIECEWISE:
        cause = replace(cause, kind=CauseKind.ZONE)  # set anew, as for a journey: nothing says that it was set wrong
    return CauseGroup(
        cause=cause,
        label=group.label,
        outcome=max(outcomes, key=_GRAVITY.__getitem__),
        severity=max(severities),
        source_ids=photos,
        check_ids=tuple(sorted(check_ids)),
        findings=len(gathered),
        summary=cause_words.summary(cause, gathered, model=group.model, names=names),
        refutable_by=cause_words.refuted_by(cause.kind),
    )


def _of_its_device(source_ids: Iterable[str], model: ClockModel, seen: Mapping[str, PhotoSummary]) -> tuple[str, ...]:
    """Return the photos that a clock took, of those concerned: a pair of cameras has another's beside them."""
    photos = tuple(source_ids)
    own = tuple(
        source_id for source_id in photos if source_id not in seen or seen[source_id].device_key == model.device_key
    )
    return own or photos


def _once_each(groups: Sequence[CauseGroup]) -> list[CauseGroup]:
    """Tell one photo once: causes found for the same single photo become one that names the others."""
    alone: dict[str, list[CauseGroup]] = defaultdict(list)
    rest: list[CauseGroup] = []
    for group in groups:
        is_alone = len(group.source_ids) == 1 and group.outcome is not Outcome.EXPLAINED
        (alone[group.source_ids[0]] if is_alone else rest).append(group)
    return rest + [_joined(sorted(same, key=_strongest_first)) for same in alone.values()]


def _joined(same: Sequence[CauseGroup]) -> CauseGroup:
    first, *others = same
    told = first.summary
    for summary in dict.fromkeys(group.summary for group in others if group.summary != first.summary):
        told = Sentence("{first} Also: {other}", first=told, other=summary)
    return replace(
        first,
        check_ids=tuple(sorted({check_id for group in same for check_id in group.check_ids})),
        findings=sum(group.findings for group in same),
        summary=told,
    )


def _strongest_first(group: CauseGroup) -> tuple[object, ...]:
    return -_GRAVITY[group.outcome], -int(group.severity), -len(group.source_ids), group.cause.kind, group.source_ids
