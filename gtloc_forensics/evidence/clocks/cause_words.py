"""What is said of a cause: of one finding its own sentence, of several one that is true of each."""

from __future__ import annotations

from collections.abc import Sequence

from gtloc_forensics.records import Cause, CauseKind, ClockModel, Finding, durations

MOST_NAMES = 3

RECEIVER = (
    "The GPS time is no clock's: an old fix, a constant or a date of the receiver's own, as the device's photos show."
)

_CLOCK_REFUTED_BY = "a photo of this device whose GPS time, or another clock in view, agrees with its claimed time"

REFUTED_BY = {
    **dict.fromkeys((CauseKind.CLOCK_OFFSET, CauseKind.CLOCK_DRIFT, CauseKind.CLOCK_RESET), _CLOCK_REFUTED_BY),
    **dict.fromkeys((CauseKind.ZONE, CauseKind.DST), "a photo of this device whose written zone is that of its place"),
    CauseKind.DAY_BUG: "a photo of this device whose GPS date is right",
    CauseKind.WEEK_ROLLOVER: "a photo of this device whose GPS date is right",
    CauseKind.RECEIVER: "photos of this device whose GPS times keep one distance from its clock",
    CauseKind.CLOCK_OR_PLACE: "GPS time, or another record of where the device was at that time",
    CauseKind.TRAVEL: "another record of where the device was, or a second device in the file's place",
    CauseKind.POSITION: "another record of where the device was at that time",
    **dict.fromkeys((CauseKind.COPY, CauseKind.LOOK_ALIKE), "the original files with their own metadata"),
    CauseKind.CLOCK_OR_GPS: _CLOCK_REFUTED_BY,
    CauseKind.EDIT: "an original that bears the same entries",
    CauseKind.ALTERED_FILE: "an original that bears the same time, or a sibling with the same fault",
    CauseKind.STAMPED: "an original that bears the same second",
}
"""What would show that a cause is not the one."""

# Of several photos; every sentence holds for each of them, whatever its own numbers are.
_OF_MANY = {
    CauseKind.CLOCK_OFFSET: "The times of {photos} cannot be right as they stand",
    CauseKind.CLOCK_RESET: "{photos} bear dates of a clock that had lost its time",
    CauseKind.CLOCK_DRIFT: "The camera's clock was some minutes off in {photos}",
    CauseKind.CLOCK_OR_PLACE: "The light or the pictures of {photos} do not fit the claimed time at the claimed place",
    CauseKind.ZONE: "The zone written in {photos} is not that of their places",
    CauseKind.DST: "{photos} differ by summer time from what their places kept",
    CauseKind.DAY_BUG: "The GPS date of {photos} is a day off while its time of day agrees",
    CauseKind.WEEK_ROLLOVER: "The GPS date of {photos} is whole rounds of 1,024 weeks off while its time agrees",
    CauseKind.GPS_LOCAL_TIME: "Local time stands where GPS time belongs in {photos}",
    CauseKind.STALE_FIX: "The GPS time of {photos} is that of an older fix",
    CauseKind.RECEIVER: "The GPS time of {photos} is no clock's: an old fix, a constant or the receiver's own date",
    CauseKind.POSITION: "The positions of {photos} do not fit what else is known of them",
    CauseKind.TWO_DEVICES: "{photos} are of more than one device of a model, or of one whose clock was changed",
    CauseKind.TRAVEL: "Between {photos} lies a journey that would have to be faster than any",
    CauseKind.EDIT: "Entries of {photos} were written by another hand or program than the camera's",
    CauseKind.COPY: "{photos} bear marks of a platform that rewrites metadata, or name no time, place or device",
    CauseKind.LOOK_ALIKE: "{photos} show one picture, or parts of it, and claim different times or places",
    CauseKind.CLOCK_OR_GPS: "The camera times of {photos} and their GPS times are not of one moment",
}


def summary(cause: Cause, findings: Sequence[Finding], *, model: ClockModel | None, names: Sequence[str]) -> str:
    """Return the sentence of a group of findings.

    Args:
        cause: what they share.
        findings: at least one.
        model: the clock model that explains them, if one does.
        names: of the photos concerned, "" where it is not known.
    """
    if model is not None:
        return f"The clock {model.summary}."
    if cause.kind is CauseKind.STAMPED:
        return (
            f"{durations.photos(len(names))} bear one capture second, {cause.summary}, while their GPS times differ: "
            "a program wrote it, no clock did."
        )
    if cause.kind is CauseKind.RECEIVER:
        return RECEIVER if len(names) == 1 else _of_many(cause, findings, names)
    said = list(dict.fromkeys(finding.cause.summary for finding in findings if finding.cause))
    if cause.kind is CauseKind.ALTERED_FILE:
        return _altered(said[0], names)
    if len(said) == 1 or len(names) == 1:
        return _of_one(cause, said[0], names)
    return _of_many(cause, findings, names)


def _altered(said: str, names: Sequence[str]) -> str:
    named = next((name for name in names if name), "one file")
    return (
        f"{said.rstrip('.')}. Nothing of the kind is said of its siblings of the same device: {named} alone was "
        "given another time, by a person or a program, or the clock stood wrong for it only."
    )


def _of_one(cause: Cause, said: str, names: Sequence[str]) -> str:
    """Return the one sentence there is; of a look-alike with the name of the photo it is about."""
    if cause.kind is CauseKind.LOOK_ALIKE and len(names) == 2 and names[0]:
        return f"{names[0]}: {said}"
    if said.endswith(":"):
        return said
    sentence = f"{said[:1].upper()}{said[1:].rstrip('.')}"
    counted = durations.photos(len(names))
    return f"{sentence}." if len(names) == 1 or counted in sentence else f"{sentence} ({counted})."


def _of_many(cause: Cause, findings: Sequence[Finding], names: Sequence[str]) -> str:
    told = _OF_MANY.get(cause.kind, "{photos}, each by findings of its own").format(photos=durations.photos(len(names)))
    offsets = [finding.cause.offset_hours for finding in findings if finding.cause]
    known = sorted(hours for hours in offsets if hours is not None)
    if cause.kind is CauseKind.CLOCK_OFFSET and known and len(known) == len(offsets):
        low, high = durations.signed(known[0]), durations.signed(known[-1])
        return (
            f"The times of {durations.photos(len(names))} are off by {low}{'' if low == high else f' to {high}'}"
            f"{_named(names)}."
        )
    return f"{told}{_named(names)}."


def _named(names: Sequence[str]) -> str:
    known = [name for name in names if name]
    return f": {', '.join(known)}" if 0 < len(known) <= MOST_NAMES else ""
