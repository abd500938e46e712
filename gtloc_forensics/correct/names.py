"""Names of files by the time that their photos were taken at, as lines of a plan.

A name is given by the local time of the capture as it will be once the other lines of
the plan are applied, so that one plan sets a clock and names by it. What belongs
together under one stem (a raw picture with its JPEG, a live photo with its film) stays
together; photos of one second are numbered; a name that fits already stays.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from gtloc_forensics.correct.changes import Change, Quantity, read_file_name
from gtloc_forensics.correct.draft import named
from gtloc_forensics.correct.repairs import Subject, with_times
from gtloc_forensics.errors import PlanError
from gtloc_forensics.records import CauseKind, Finding, Outcome, source_id_of, visible

PATTERN = "%Y-%m-%d_%H-%M-%S"
"""The default: sorts by time, and holds nothing that a file system refuses."""
TO_THE_SECOND_S = 1.0
ONE_MOMENT = timedelta(minutes=1)
"""Files of one stem are of one moment when they are no further apart: an encoder dates a film by its end."""
DOUBT_A_TIME = frozenset(
    (
        CauseKind.CLOCK_OFFSET,
        CauseKind.CLOCK_DRIFT,
        CauseKind.CLOCK_RESET,
        CauseKind.DST,
        CauseKind.ZONE,
        CauseKind.CLOCK_OR_PLACE,
        CauseKind.CLOCK_OR_GPS,
        CauseKind.ALTERED_FILE,
        CauseKind.STAMPED,
        CauseKind.SCAN,
        CauseKind.UNSET_DATE,
    )
)
"""Causes by which the capture time of a file may be false."""
NO_TIME_OF_A_CAPTURE = frozenset((CauseKind.CLOCK_RESET, CauseKind.STAMPED, CauseKind.SCAN, CauseKind.UNSET_DATE))
"""Causes that leave no capture time to name by, however well they explain what is in the file."""
_NEVER = datetime(9999, 12, 31)
_DIRECTIVE = re.compile(r"%[YymdHMSj%]")


def planned(
    photos: Sequence[Subject],
    lines: Sequence[Change],
    pattern: str,
    *,
    everyone: Sequence[Subject],
    findings: Iterable[Finding] = (),
) -> tuple[list[Change], list[str]]:
    """Return the lines that name photos by the time that they will have once *lines* are applied, and notes.

    A photo whose time was found wrong, and which no line sets right, keeps its name: a new one would repeat the
    false time where everybody reads it.

    Args:
        photos: to be named.
        lines: of the same plan, about times.
        pattern: see :func:`renamed`.
        everyone: all photos of the case.
        findings: by which a time is doubted; none where a person has set it.
    """
    timed = {change.relative for change in lines if change.quantity in (Quantity.LOCAL_TIME, Quantity.OFFSET)}
    doubted = {source_id for finding in findings if _denies_a_time(finding) for source_id in finding.source_ids[:1]}
    doubtful = [photo for photo in photos if photo.relative not in timed and source_id_of(photo.relative) in doubted]
    kept = {photo.relative for photo in doubtful}
    chosen = [photo for photo in with_times(photos, lines) if photo.relative not in kept]
    out, notes = renamed(chosen, pattern, everyone=everyone)
    if doubtful:
        who = named([photo.name for photo in doubtful])
        notes.append(f"--rename: {who}: its time is not that of the capture, and a name would repeat it; set it first")
    return out, notes


def _denies_a_time(finding: Finding) -> bool:
    if finding.cause is None:
        return False
    is_explained = finding.outcome is Outcome.EXPLAINED and finding.cause.kind in NO_TIME_OF_A_CAPTURE
    return is_explained or (finding.is_found and finding.cause.kind in DOUBT_A_TIME)


def renamed(
    photos: Sequence[Subject], pattern: str = PATTERN, *, everyone: Sequence[Subject] = ()
) -> tuple[list[Change], list[str]]:
    """Return the lines that name photos by their local time, and why some keep their names.

    Args:
        photos: to be named, with the times that they will have.
        pattern: of the new stem: %Y %y %m %d %j %H %M %S of the local time, and ``{name}``, the old stem.
        everyone: all photos of the case, whose names are taken.

    Raises:
        PlanError: the pattern holds something else, or gives names that no file can have.
    """
    _check(pattern)
    out: list[Change] = []
    reasons: dict[str, list[str]] = defaultdict(list)
    folders: dict[bytes, list[Subject]] = defaultdict(list)
    for photo in photos:
        folders[photo.relative.rpartition(b"/")[0]].append(photo)
    stems: dict[bytes, set[str]] = defaultdict(set)
    for photo in (*everyone, *photos):
        stems[photo.relative.rpartition(b"/")[0]].add(_split(photo)[0].casefold())
    for folder, members in folders.items():
        taken = stems[folder]
        for group in sorted(_together(members), key=_first_time):
            why = _why_kept(group)
            if why:
                reasons[why] += [photo.name for photo in group]
            else:
                out += _lines(group, pattern, taken)
    return out, [f"--rename: {named(names)}: {why}" for why, names in reasons.items()]


def _check(pattern: str) -> None:
    rest = _DIRECTIVE.sub("", pattern).replace("{name}", "")
    if "%" in rest or "{" in rest or "}" in rest:
        raise PlanError(f"{pattern!r} holds more than %Y %y %m %d %j %H %M %S and {{name}}; the default is {PATTERN}")
    if pattern == rest:
        raise PlanError(f"{pattern!r} would give every photo one name; the default is {PATTERN}")
    read_file_name(_filled(pattern, datetime(2024, 6, 15, 12), "a") + ".jpg")


def _filled(pattern: str, local: datetime, old_stem: str) -> str:
    parts = pattern.split("{name}")
    return old_stem.join(local.strftime(part) if part else "" for part in parts)


def _split(photo: Subject) -> tuple[str, str]:
    stem, ending = os.path.splitext(photo.relative.rpartition(b"/")[2])  # noqa: PTH122 - names are bytes
    return os.fsdecode(stem), os.fsdecode(ending)


def _together(members: Iterable[Subject]) -> Iterator[tuple[Subject, ...]]:
    """Yield the files of one folder that share a stem and a moment."""
    stems: dict[str, list[Subject]] = defaultdict(list)
    for photo in members:
        stems[_split(photo)[0].casefold()].append(photo)
    for photos in stems.values():
        times = [photo.local for photo in photos if photo.local is not None]
        if len(times) == len(photos) and max(times) - min(times) <= ONE_MOMENT:
            yield tuple(photos)
        else:
            yield from ((photo,) for photo in photos)


def _first_time(group: Sequence[Subject]) -> tuple[datetime, bytes]:
    return min((photo.local or _NEVER, photo.relative) for photo in group)


def _why_kept(group: Sequence[Subject]) -> str:
    if any(photo.local is None for photo in group):
        return "no capture time is in the file, so that it keeps its name"
    if any(photo.local_resolution_s > TO_THE_SECOND_S for photo in group):
        return "its capture time is not known to the second, so that it keeps its name"
    if any(visible(photo.relative) != os.fsdecode(photo.relative) for photo in group):
        return "its name holds bytes that no plan can show, so that it stays; rename it by hand"
    return ""


def _lines(group: Sequence[Subject], pattern: str, taken: set[str]) -> Iterator[Change]:
    """Yield the lines of one group; *taken* are the stems of its folder, which no other may get."""
    local = _first_time(group)[0]
    old = _split(group[0])[0]
    wanted = _filled(pattern, local, old)
    if re.fullmatch(rf"{re.escape(wanted)}(-[2-9]\d*|-1\d+)?", old):
        return
    stem, number = wanted, 1
    while stem.casefold() in taken:
        number += 1
        stem = f"{wanted}-{number}"
    taken.add(stem.casefold())
    for photo in group:
        ending = _split(photo)[1]
        reason = f"asked for: named by its local time, {local:%Y-%m-%d %H:%M:%S}"
        yield photo.line(Quantity.FILE_NAME, photo.name.rpartition("/")[2], stem + ending, reason, 1.0)
