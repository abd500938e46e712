"""What is said of a cause: of one finding its own sentence, of several one that is true of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gtloc_forensics.records import Cause, CauseKind, ClockModel, Finding, Sentence, Statement, durations, template

MOST_NAMES = 3

RECEIVER = template(
    "The GPS time is no clock's: an old fix, a constant or a date of the receiver's own, as the device's photos show."
)

_CLOCK_REFUTED_BY = template(
    "a photo of this device whose GPS time, or another clock in view, agrees with its claimed time"
)
_GPS_DATE_REFUTED_BY = template("a photo of this device whose GPS date is right")
_ZONE_REFUTED_BY = template("a photo of this device whose written zone is that of its place")
_COPY_REFUTED_BY = template("the original files with their own metadata")

_REFUTED_BY: Mapping[CauseKind, str] = {
    **dict.fromkeys((CauseKind.CLOCK_OFFSET, CauseKind.CLOCK_DRIFT, CauseKind.CLOCK_RESET), _CLOCK_REFUTED_BY),
    **dict.fromkeys((CauseKind.ZONE, CauseKind.DST), _ZONE_REFUTED_BY),
    **dict.fromkeys((CauseKind.DAY_BUG, CauseKind.WEEK_ROLLOVER), _GPS_DATE_REFUTED_BY),
    CauseKind.RECEIVER: template("photos of this device whose GPS times keep one distance from its clock"),
    CauseKind.CLOCK_OR_PLACE: template("GPS time, or another record of where the device was at that time"),
    CauseKind.TRAVEL: template("another record of where the device was, or a second device in the file's place"),
    CauseKind.POSITION: template("another record of where the device was at that time"),
    **dict.fromkeys((CauseKind.COPY, CauseKind.LOOK_ALIKE), _COPY_REFUTED_BY),
    CauseKind.CLOCK_OR_GPS: template(
        "an original of the photo that bears both times, or another record of that moment"
    ),
    CauseKind.EDIT: template("an original that bears the same entries"),
    CauseKind.ALTERED_FILE: template("an original that bears the same time, or a sibling with the same fault"),
    CauseKind.STAMPED: template("an original that bears the same second"),
}

_LIGHT_DOES_NOT_FIT = template("The light of {photos} photos does not fit the claimed time at the claimed place")
_PICTURES_DO_NOT_FIT = template("The pictures of {photos} photos do not fit the claimed time at the claimed place")

# Of several photos; every sentence holds for each of them, whatever its own numbers are.
_OF_MANY: Mapping[CauseKind, str] = {
    CauseKind.CLOCK_OFFSET: template("The times of {photos} photos cannot be right as they stand"),
    CauseKind.CLOCK_RESET: template("{photos} photos bear dates of a clock that had lost its time"),
    CauseKind.CLOCK_DRIFT: template("The camera's clock was some minutes off in {photos} photos"),
    CauseKind.CLOCK_OR_PLACE: template(
        "The light or the pictures of {photos} photos do not fit the claimed time at the claimed place"
    ),
    CauseKind.ZONE: template("The zone written in {photos} photos is not that of their places"),
    CauseKind.DST: template("{photos} photos differ by summer time from what their places kept"),
    CauseKind.DAY_BUG: template("The GPS date of {photos} photos is a day off while its time of day agrees"),
    CauseKind.WEEK_ROLLOVER: template(
        "The GPS date of {photos} photos is whole rounds of 1,024 weeks off while its time agrees"
    ),
    CauseKind.GPS_LOCAL_TIME: template("Local time stands where GPS time belongs in {photos} photos"),
    CauseKind.STALE_FIX: template("The GPS time of {photos} photos is that of an older fix"),
    CauseKind.RECEIVER: template(
        "The GPS time of {photos} photos is no clock's: an old fix, a constant or the receiver's own date"
    ),
    CauseKind.POSITION: template("The positions of {photos} photos do not fit what else is known of them"),
    CauseKind.TWO_DEVICES: template(
        "{photos} photos are of more than one device of a model, or of one whose clock was changed"
    ),
    CauseKind.TRAVEL: template("Between {photos} photos lies a journey that would have to be faster than any"),
    CauseKind.FLIGHT: template("Between {photos} photos lies a way that takes an airliner"),
    CauseKind.EDIT: template("Entries of {photos} photos were written by another hand or program than the camera's"),
    CauseKind.COPY: template(
        "{photos} photos bear marks of a platform that rewrites metadata, or name no time, place or device"
    ),
    CauseKind.LOOK_ALIKE: template(
        "{photos} photos show one picture, or parts of it, and claim different times or places"
    ),
    CauseKind.CLOCK_OR_GPS: template("The camera times of {photos} photos and their GPS times are not of one moment"),
}
_OF_MANY_OTHERS = template("{photos} photos, each by findings of its own")


def refuted_by(kind: CauseKind) -> Statement:
    """Return what would show that a cause is not the one; "" where nothing is said."""
    return Sentence(_REFUTED_BY[kind]) if kind in _REFUTED_BY else ""


def summary(cause: Cause, findings: Sequence[Finding], *, model: ClockModel | None, names: Sequence[str]) -> Statement:
    """Return the sentence of a group of findings.

    Args:
        cause: what they share.
        findings: at least one.
        model: the clock model that explains them, if one does.
        names: of the photos concerned, "" where it is not known.
    """
    if model is not None:
        return model.summary
    if cause.kind is CauseKind.STAMPED and not cause.device_key:
        return Sentence(
            "{photos:?1 photo bears|# photos bear} one capture second, {second}, while their GPS times differ: "
            "a program wrote it, no clock did.",
            photos=len(names),
            second=cause.summary,
        )
    if cause.kind is CauseKind.RECEIVER:
        return Sentence(RECEIVER) if len(names) == 1 else _of_many(cause, findings, names)
    said = list(dict.fromkeys(finding.cause.summary for finding in findings if finding.cause))
    if cause.kind is CauseKind.ALTERED_FILE:
        return _altered(said[0], names)
    if len(said) == 1 or len(names) == 1:
        return _of_one(cause, said[0], names)
    return _of_many(cause, findings, names)


def _altered(said: Statement, names: Sequence[str]) -> Sentence:
    return Sentence(
        "{said:bare}. Nothing of the kind is said of its siblings of the same device: {file} alone was "
        "given another time, by a person or a program, or the clock stood wrong for it only.",
        said=said,
        file=next((name for name in names if name), Sentence("one file")),
    )


def _of_one(cause: Cause, said: Statement, names: Sequence[str]) -> Statement:
    """Return the one sentence there is; of a look-alike with the name of the photo it is about."""
    if cause.kind is CauseKind.LOOK_ALIKE and len(names) == 2 and names[0]:
        return Sentence("{name}: {said}", name=names[0], said=said)
    begun = Sentence("{said:capital}", said=said)
    if len(names) == 1 or _says_how_many(said, len(names)):
        return Sentence("{said:bare}.", said=begun)
    return Sentence("{said:bare} ({photos} photos).", said=begun, photos=len(names))


def _says_how_many(said: Statement, photos: int) -> bool:
    """Whether a sentence names the number of its photos itself."""
    return isinstance(said, Sentence) and said.values.get("photos") == photos


def _of_many(cause: Cause, findings: Sequence[Finding], names: Sequence[str]) -> Sentence:
    offsets = [finding.cause.offset_hours for finding in findings if finding.cause]
    known = sorted(hours for hours in offsets if hours is not None)
    if cause.kind is CauseKind.CLOCK_OFFSET and known and len(known) == len(offsets):
        told = _off_by(known[0], known[-1], len(names))
    else:
        told = Sentence(_template(cause, findings), photos=len(names))
    named = [name for name in names if name]
    if 0 < len(named) <= MOST_NAMES:
        return Sentence("{told}: {names}.", told=told, names=named)
    return Sentence("{told}.", told=told)


def _template(cause: Cause, findings: Sequence[Finding]) -> str:
    """Return what is said of many; of light where no rule about pictures is among those that speak, and the reverse."""
    if cause.kind is CauseKind.CLOCK_OR_PLACE:
        of_pictures = {finding.check_id.startswith("GF3") for finding in findings}
        if len(of_pictures) == 1:
            return _PICTURES_DO_NOT_FIT if True in of_pictures else _LIGHT_DOES_NOT_FIT
    return _OF_MANY.get(cause.kind, _OF_MANY_OTHERS)


def _off_by(low_hours: float, high_hours: float, photos: int) -> Sentence:
    if durations.signed(low_hours) == durations.signed(high_hours):  # the same as far as it is told
        return Sentence(
            "The times of {photos} photos are off by {offset_hours:signed}", photos=photos, offset_hours=low_hours
        )
    return Sentence(
        "The times of {photos} photos are off by {low_hours:signed} to {high_hours:signed}",
        photos=photos,
        low_hours=low_hours,
        high_hours=high_hours,
    )
