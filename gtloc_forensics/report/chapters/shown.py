"""What was observed, to be checked by eye: values and pictures side by side, and the drawings that bear on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from gtloc_forensics.records import Absent, Claim, ImageFacts, PhotoEntry, Stated, TimeReading, TimeRole
from gtloc_forensics.report.blocks import Block, Column, Prose, Row, Table, Text, text_of
from gtloc_forensics.report.chapters.comparison import comparison, coordinates, offset_of
from gtloc_forensics.report.chapters.edition import Edition
from gtloc_forensics.report.chapters.figures import Subject, drawings
from gtloc_forensics.report.chapters.lines import PhotoLine
from gtloc_forensics.report.chapters.places import near_place
from gtloc_forensics.report.chapters.survey import device_label
from gtloc_forensics.report.chapters.weighing import WeighedCause, beside
from gtloc_forensics.report.text import plain

TIME_RULES = frozenset(
    f"GF{number}" for number in (101, 102, 103, 104, 105, 106, 107, 108, 113, 114, 120, 401, 402, 403, 406, 410)
)
LIGHT_RULES = frozenset(("GF201", "GF202", "GF210", "GF301", "GF304", "GF305", "GF407", "GF408"))
PIXEL_RULES = frozenset(("GF301", "GF302", "GF303", "GF304", "GF305"))
WAY_RULES = frozenset(("GF404", "GF409"))
PLACE_RULES = frozenset(("GF109", "GF112", "GF119", "GF121", "GF303", "GF404", "GF405", "GF408", "GF409"))

_READINGS_SHOWN = 9
_FULL_TURN_S = 26 * 3600  # apart by no more than that, a difference is told to the second


def evidence(edition: Edition, cause: WeighedCause) -> Iterator[Block]:
    """Yield the tables and drawings that bear on a cause, for the photos that it is shown by."""
    rules = {finding.check_id for finding in cause.findings} | set(cause.group.check_ids)
    pair = pair_of(edition, cause)
    entries = [edition.survey.kept[source_id] for source_id in pair or cause.shown if source_id in edition.survey.kept]
    if pair and len(entries) == 2:
        yield pair_table(edition, entries[0], entries[1])
    elif entries and rules & TIME_RULES:
        for entry in entries:
            yield from times_table(edition, entry)
    subject = Subject(
        light=bool(rules & LIGHT_RULES),
        pixels=bool(rules & PIXEL_RULES),
        place=bool(rules & PLACE_RULES),
        way=bool(rules & WAY_RULES),
    )
    if subject.pixels and entries:
        yield from comparison(edition, entries[0])
    others = entries[1:] if pair else []
    figures = [figure for entry in entries[:1] for figure in drawings(edition, entry, subject, others=others)]
    if figures:
        yield Row(tuple((figure,) for figure in figures), _SHARES[len(figures)])


_SHARES = {1: (1.0,), 2: (0.4, 0.6), 3: (0.31, 0.31, 0.38), 4: (0.25, 0.25, 0.25, 0.25)}


def is_about_pixels(cause: WeighedCause) -> bool:
    """Whether a rule that looks at pixels speaks in a cause."""
    return bool(PIXEL_RULES & {finding.check_id for finding in cause.findings})


def pair_of(edition: Edition, cause: WeighedCause) -> tuple[str, str] | None:
    """Return the two photos that a finding compares: the one it is about, and the one it names or is about as well."""
    for finding in cause.findings:
        first, other = finding.source_ids[0], beside(finding)
        if other and {first, other} <= edition.survey.kept.keys():
            return first, other
    return None


# --------------------------------------------------------------------------- times of one photo


def times_table(edition: Edition, entry: PhotoEntry) -> Iterator[Block]:
    """Yield every time the file states, tag by tag, with how far it is from the one taken for the claim."""
    claim = entry.photo.claim
    if not isinstance(claim, Claim) or not claim.times:
        return
    words = edition.words
    shares = (("tag", 0.36), ("value", 0.24), ("zone", 0.22), ("difference", 0.18))
    columns = tuple(Column(words.line(f"shown.column_{name}"), share) for name, share in shares)
    grouped = _grouped(reading for reading in claim.times if reading.role is not TimeRole.FILE_SYSTEM)
    if len(grouped) < 2:
        return  # one time alone shows no disagreement
    rows = [_time_row(edition, claim, readings) for readings in list(grouped.values())[:_READINGS_SHOWN]]
    yield Prose(words("shown.times", number=edition.exhibit(entry.photo.source.source_id)), "label")
    yield Table(columns, rows, empty="", dense=True)


def _grouped(readings: Iterable[TimeReading]) -> dict[tuple[object, ...], list[TimeReading]]:
    """Return readings that say the same together, in the order they were read."""
    found: dict[tuple[object, ...], list[TimeReading]] = {}
    for reading in readings:
        found.setdefault((reading.wall, reading.kind, reading.offset_hours), []).append(reading)
    return found


def _time_row(edition: Edition, claim: Claim, readings: list[TimeReading]) -> tuple[Text, ...]:
    words, reading = edition.words, readings[0]
    taken = claim.local_time
    is_claim = isinstance(taken, Stated) and any((each.tag, each.wall) == (taken.tag, taken.value) for each in readings)
    zone = words.line("shown.utc") if reading.kind.name == "UTC" else ""
    if reading.offset_hours is not None and not zone:
        zone = offset_of(reading.offset_hours)
    seconds = _behind_claim_s(claim, reading)
    if is_claim:
        difference = text_of(words.line("shown.claim"), "bold")
    elif seconds is None:
        difference = text_of(words.line("shown.not_comparable"), "quiet")
    else:
        difference = text_of(spoken(edition, seconds), "bold" if abs(seconds) > max(1.0, reading.resolution_s) else "")
    if reading.kind.name == "UTC" and reading.utc is not None:
        zone = f"{zone} {edition.beside_utc(reading.utc, claim.zones)}"
    tags = ", ".join(plain(each.tag, limit=60) for each in readings[:4])
    return (text_of(tags), text_of(plain(reading.raw, limit=60)), text_of(zone or "–"), difference)


def _behind_claim_s(claim: Claim, reading: TimeReading) -> float | None:
    """Return by how many seconds a reading is after the claim; None where no offset makes the two comparable."""
    utc = reading.utc
    if utc is not None:
        return (utc - claim.utc_time.value).total_seconds() if isinstance(claim.utc_time, Stated) else None
    if isinstance(claim.local_time, Absent):
        return None
    return (reading.wall - claim.local_time.value).total_seconds()


def apart(edition: Edition, line: PhotoLine) -> str:
    """Return by how much the camera's clock is ahead of the GPS time of a photo, "–" where it cannot be said."""
    if line.utc is None or line.gps_utc is None:
        return "–"
    return spoken(edition, (line.utc - line.gps_utc).total_seconds())


def spoken(edition: Edition, seconds: float) -> str:
    """Return a signed length of time."""
    if abs(seconds) < 1:
        return edition.words.line("shown.same")
    sign = "+" if seconds > 0 else "−"
    whole = abs(timedelta(seconds=round(seconds)))
    if whole.total_seconds() > _FULL_TURN_S:
        return f"{sign}{edition.words.line('comparison.days', days=edition.words.number(whole / timedelta(days=1), 1))}"
    hours, rest = divmod(int(whole.total_seconds()), 3600)
    return f"{sign}{hours}:{rest // 60:02d}:{rest % 60:02d} h"


# --------------------------------------------------------------------------- two photos


def pair_table(edition: Edition, first: PhotoEntry, second: PhotoEntry) -> Table:
    """Return what two files say, side by side; what differs is bold."""
    words = edition.words
    columns = (
        Column("", 0.2),
        *(
            Column(words.line("shown.photo", number=edition.exhibit(entry.photo.source.source_id)), 0.4)
            for entry in (first, second)
        ),
    )
    left, right = (dict(_said(edition, entry)) for entry in (first, second))
    rows = []
    for name in left:
        style = "bold" if left[name] != right[name] else ""
        rows.append((text_of(words.line(f"shown.{name}")), *(text_of(side[name], style) for side in (left, right))))
    return Table(columns, rows, empty="", dense=True)


def _said(edition: Edition, entry: PhotoEntry) -> Iterator[tuple[str, str]]:
    claim = entry.photo.claim
    yield "file", edition.name(entry.photo.source.source_id)
    known = claim if isinstance(claim, Claim) else None
    yield "local_time", _moment(edition, known.local_time if known else None)
    yield "offset", _offset(known)
    yield "gps_time", _moment(edition, known.gps_utc_time if known else None, zones=known.zones if known else None)
    position = known.position if known else None
    yield "position", coordinates(edition, position.value) if isinstance(position, Stated) else "–"
    yield "near", near_place(edition, position.value) if isinstance(position, Stated) else "–"
    yield "device", plain(device_label(known.device)) if known and known.device.name else "–"
    yield "software", _software(entry) or "–"
    image = entry.photo.image
    yield "size", f"{image.width} × {image.height}" if isinstance(image, ImageFacts) else "–"


def software_of(edition: Edition, cause: WeighedCause) -> str:
    """Return the programs that the photos shown for a cause name."""
    entries = (edition.survey.kept.get(source_id) for source_id in cause.shown)
    return ", ".join(dict.fromkeys(filter(None, (_software(entry) for entry in entries if entry is not None))))


def _software(entry: PhotoEntry) -> str:
    claim = entry.photo.claim
    return plain(claim.device.software) if isinstance(claim, Claim) and isinstance(claim.device.software, str) else ""


def _moment(edition: Edition, value: Stated[datetime] | Absent | None, *, zones: tuple[str, ...] | None = None) -> str:
    """Return a moment with its tag; of one in UTC, whose *zones* are given, the local time too."""
    if not isinstance(value, Stated):
        return "–"
    local = "" if zones is None else f" {edition.beside_utc(value.value, zones)}"
    return f"{edition.when(value.value)}{local}  {plain(value.tag, limit=50)}"


def _offset(claim: Claim | None) -> str:
    return offset_of(claim.utc_offset_hours.value) if claim and isinstance(claim.utc_offset_hours, Stated) else "–"
