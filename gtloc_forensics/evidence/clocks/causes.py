"""Findings told once: those that share a cause are gathered under it.

One wrong clock breaks many rules. Where a camera's clock model explains a finding, the
finding goes under that clock, whatever offset its own rule had guessed; where it does
not, findings of the same kind, device and offset go together. A finding that names no
cause stands alone and is left to the list of findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gtloc_forensics.records import Cause, CauseGroup, CauseKind, ClockKind, ClockModel, Finding, Outcome, durations

CLOCK_CAUSES = frozenset(
    (
        CauseKind.CLOCK_OFFSET,
        CauseKind.CLOCK_DRIFT,
        CauseKind.CLOCK_RESET,
        CauseKind.ZONE,
        CauseKind.DST,
        CauseKind.DAY_BUG,
        CauseKind.WEEK_ROLLOVER,
    )
)
"""Kinds of cause that lie in a device's clock."""

STEP_CAUSES = frozenset((CauseKind.TRAVEL,))
"""What a clock that did not keep one offset explains as well: between two of its states a device seems to leap."""

EITHER_CAUSES = frozenset((CauseKind.CLOCK_OR_PLACE,))
"""What a wrong clock explains as well as a wrong place does."""

NEAR_HOURS = 1.0  # a rule's guess this close to the model's offset, or its interval, is the same offset

_GRAVITY = {Outcome.CONTRADICTION: 2, Outcome.SUSPICIOUS: 1, Outcome.EXPLAINED: 0}

_CLOCK_REFUTED_BY = "a photo of this device whose GPS time, or another clock in view, agrees with its claimed time"

_REFUTED_BY = {
    **dict.fromkeys(CLOCK_CAUSES, _CLOCK_REFUTED_BY),
    **dict.fromkeys((CauseKind.ZONE, CauseKind.DST), "a photo of this device whose written zone is that of its place"),
    CauseKind.CLOCK_OR_PLACE: "GPS time, or another record of where the device was at that time",
    CauseKind.TRAVEL: "another record of where the device was, or a second device in the file's place",
    CauseKind.POSITION: "another record of where the device was at that time",
    CauseKind.COPY: "the original files with their own metadata",
    CauseKind.EDIT: "an original that bears the same entries",
}


@dataclass(slots=True)
class _Gathered:
    cause: Cause
    label: str
    model: ClockModel | None
    findings: list[Finding] = field(default_factory=list)


def group_causes(findings: Iterable[Finding], models: Sequence[ClockModel] = ()) -> tuple[CauseGroup, ...]:
    """Gather findings under their causes.

    Args:
        findings: of any outcome; only found and explained ones that name a cause are gathered, in their order.
        models: the clock models of the case, if any.

    Returns:
        The strongest group first: by outcome, severity, number of photos. Every gathered
        finding is in exactly one group.
    """
    by_device = {model.device_key: model for model in models}
    groups: dict[tuple[object, ...], _Gathered] = {}
    for finding in findings:
        if finding.cause is None or finding.outcome not in _GRAVITY:
            continue
        model = by_device.get(finding.cause.device_key) if finding.cause.device_key else None
        key, started = _place(finding.cause, model)
        groups.setdefault(key, started).findings.append(finding)
    return tuple(sorted((_told(group) for group in groups.values()), key=_strongest_first))


def _place(cause: Cause, model: ClockModel | None) -> tuple[tuple[object, ...], _Gathered]:
    label = "" if model is None else model.label
    if model is not None and _explains(model, cause):
        known = Cause(_kind_of(model), model.device_key, model.offset_hours, model.summary)
        return ("clock", model.device_key), _Gathered(known, label, model)
    offset = None if cause.offset_hours is None else round(4.0 * cause.offset_hours) / 4.0
    if cause.kind == CauseKind.CLOCK_OFFSET and offset is None:
        return (cause.kind, cause.device_key, None), _Gathered(cause, label, None)
    return (cause.kind, cause.device_key, offset), _Gathered(cause, label, None)


def _explains(model: ClockModel, cause: Cause) -> bool:
    if model.kind in (ClockKind.RIGHT, ClockKind.UNDETERMINED):
        return False
    if cause.kind in STEP_CAUSES:
        return model.kind in (ClockKind.PIECEWISE, ClockKind.RESET)
    if cause.kind not in CLOCK_CAUSES | EITHER_CAUSES:
        return False
    if cause.offset_hours is None or model.offset_hours is None or model.interval_hours is None:
        return True
    low, high = model.interval_hours
    return low - NEAR_HOURS <= cause.offset_hours <= high + NEAR_HOURS


def _kind_of(model: ClockModel) -> CauseKind:
    return {
        ClockKind.DST: CauseKind.DST,
        ClockKind.WRONG_ZONE: CauseKind.ZONE,
        ClockKind.RESET: CauseKind.CLOCK_RESET,
        ClockKind.DRIFT: CauseKind.CLOCK_DRIFT,
    }.get(model.kind, CauseKind.CLOCK_OFFSET)


def _told(group: _Gathered) -> CauseGroup:
    photos = tuple(dict.fromkeys(source_id for finding in group.findings for source_id in _concerned(finding)))
    return CauseGroup(
        cause=group.cause,
        label=group.label,
        outcome=max((finding.outcome for finding in group.findings), key=_GRAVITY.__getitem__),
        severity=max(finding.severity for finding in group.findings),
        source_ids=photos,
        check_ids=tuple(sorted({finding.check_id for finding in group.findings})),
        findings=len(group.findings),
        summary=_summary(group, len(photos)),
        refutable_by=_REFUTED_BY.get(group.cause.kind, ""),
    )


def _concerned(finding: Finding) -> tuple[str, ...]:
    return finding.source_ids


def _summary(group: _Gathered, photos: int) -> str:
    if group.model is not None:
        return f"The clock {group.model.summary}."
    summaries = list(dict.fromkeys(finding.cause.summary for finding in group.findings if finding.cause))
    if photos == 1:
        return summaries[0]
    return f"{summaries[0].rstrip('.')} (likewise {durations.photos(photos)} in all)."


def _strongest_first(group: CauseGroup) -> tuple[object, ...]:
    return -_GRAVITY[group.outcome], -int(group.severity), -len(group.source_ids), group.cause.kind, group.source_ids
