"""What the file claims beside what the pixels indicate, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, TypeVar

from gtloc_forensics.earth import globe
from gtloc_forensics.earth.circular import hour_distance, turn_distance, year_turn
from gtloc_forensics.records import (
    Absent,
    Claim,
    Indicated,
    PhotoEntry,
    Position,
    Stated,
    Sun,
    Unexamined,
    Untold,
)
from gtloc_forensics.report.blocks import Block, Callout, Column, Span, Table, Text, text_of
from gtloc_forensics.report.chapters.edition import Edition
from gtloc_forensics.report.chapters.places import near_place
from gtloc_forensics.report.chapters.survey import reason_of
from gtloc_forensics.report.text import plain

T = TypeVar("T")

_DAYS_PER_YEAR = 365.2425
_COLUMNS = (("quantity", 0.16), ("claimed", 0.37), ("indicated", 0.31), ("difference", 0.16))
_COLUMNS_OF_CLAIM = (("quantity", 0.2), ("claimed", 0.8))


def comparison(edition: Edition, entry: PhotoEntry) -> Iterator[Block]:
    """Yield the table, without the columns of the picture where it indicates nothing, or why there is none."""
    words, claim = edition.words, entry.photo.claim
    if isinstance(claim, Unexamined):
        yield Callout(words("comparison.no_claim", reason=words.reason(claim.reason)), "warning")
        return
    shown = _COLUMNS_OF_CLAIM if entry.indicated.is_silent else _COLUMNS
    columns = tuple(Column(words.line(f"comparison.{name}"), share) for name, share in shown)
    yield Table(columns, [row[: len(shown)] for row in _rows(edition, entry, claim)], empty="")


def _rows(edition: Edition, entry: PhotoEntry, claim: Claim) -> Iterator[tuple[Text, ...]]:
    yield _time_of_day(edition, entry.indicated, claim)
    yield _season(edition, entry.indicated, claim)
    yield _place(edition, entry.indicated, claim)
    yield _zone(edition, claim)
    yield _sun(edition, entry.photo.sun, claim.zones)


def known(value: T | Untold) -> T | None:
    """Return what may be told, else None."""
    return None if isinstance(value, Untold) else value


def untold(edition: Edition, value: object) -> str:
    """Return why something is not told, in the report's language; "" when it is told."""
    return edition.words.line(f"untold.{value.name.lower()}") if isinstance(value, Untold) else ""


def _name(edition: Edition, key: str) -> Text:
    return text_of(edition.words.line(f"comparison.{key}"), "bold")


def _stated(edition: Edition, value: Stated[Any] | Absent, shown: str) -> Text:
    """Return a stated value with its tag, or why there is none."""
    if isinstance(value, Absent):
        return edition.words("comparison.absent", reason=edition.words.line(f"absent.{value.name.lower()}"))
    origin = ", ".join(part for part in (plain(value.tag), edition.words.reason(value.rule)) if part)
    return (Span(shown), Span(f"  {origin}" if origin else "", "quiet"))


def _nothing(edition: Edition, value: object) -> Text:
    return text_of(untold(edition, value), "quiet")


def _time_of_day(edition: Edition, indicated: Indicated, claim: Claim) -> tuple[Text, ...]:
    shown = edition.when(claim.local_time.value) if isinstance(claim.local_time, Stated) else ""
    claimed = _stated(edition, claim.local_time, shown)
    difference, told = text_of("–", "quiet"), _nothing(edition, indicated.local_hour)
    hour = known(indicated.local_hour)
    if hour is not None:
        told = edition.words("comparison.about", value=clock_of(hour))
        if isinstance(claim.local_time, Stated):
            hours = float(hour_distance(hour_of(claim.local_time.value), hour))
            difference = text_of(edition.words.line("comparison.hours", hours=edition.words.number(hours)))
    return (_name(edition, "local_time"), claimed, told, difference)


def _season(edition: Edition, indicated: Indicated, claim: Claim) -> tuple[Text, ...]:
    claimed = _stated(edition, claim.local_time, "")
    if isinstance(claim.local_time, Stated):
        local = claim.local_time.value
        claimed = text_of(edition.day(local.day, local.month))
    difference, told = text_of("–", "quiet"), _nothing(edition, indicated.year_turn)
    turn = known(indicated.year_turn)
    if turn is not None:
        told = edition.words("comparison.about", value=day_of(edition, turn))
        if isinstance(claim.local_time, Stated):
            turns = float(turn_distance(year_turn(claim.local_time.value), turn))
            days = edition.words.number(turns * _DAYS_PER_YEAR)
            difference = text_of(edition.words.line("comparison.days", days=days))
    return (_name(edition, "season"), claimed, told, difference)


def _place(edition: Edition, indicated: Indicated, claim: Claim) -> tuple[Text, ...]:
    shown = coordinates(edition, claim.position.value) if isinstance(claim.position, Stated) else ""
    claimed = _stated(edition, claim.position, shown)
    if isinstance(claim.position, Stated):
        claimed = (*claimed, Span(f" · {near_place(edition, claim.position.value)}", "quiet"))
    difference, told = text_of("–", "quiet"), _nothing(edition, indicated.position)
    spot = known(indicated.position)
    if spot is not None:
        told = edition.words("comparison.about", value=coordinates(edition, spot, digits=_digits(spot)))
        if indicated.radius_km is not None:
            reach = edition.words.number(indicated.radius_km)
            told = (*told, Span("  "), *edition.words("comparison.regions", radius=reach))
        if isinstance(claim.position, Stated):
            first = claim.position.value
            distance = globe.distance_km(
                first.latitude_deg,
                first.longitude_deg,
                second_latitude_deg=spot.latitude_deg,
                second_longitude_deg=spot.longitude_deg,
            )
            difference = text_of(
                edition.words.line("comparison.km", km=edition.words.number(round(float(distance), -1)))
            )
    return (_name(edition, "place"), claimed, told, difference)


def _digits(spot: Position) -> int:
    """Return how many digits an indicated position has: it comes rounded to what it is known to."""
    return next((n for n in range(4) if spot == Position(round(spot.latitude_deg, n), round(spot.longitude_deg, n))), 4)


def _zone(edition: Edition, claim: Claim) -> tuple[Text, ...]:
    shown = offset_of(claim.utc_offset_hours.value) if isinstance(claim.utc_offset_hours, Stated) else ""
    claimed = _stated(edition, claim.utc_offset_hours, shown)
    if claim.zones:
        legal = edition.words.line("comparison.zones", zones=", ".join(claim.zones))
        claimed = (*claimed, Span(f" · {legal}", "quiet"))
    return (_name(edition, "offset"), claimed, text_of("–", "quiet"), text_of("–", "quiet"))


def _sun(edition: Edition, sun: Sun | Absent, zones: tuple[str, ...]) -> tuple[Text, ...]:
    words = edition.words
    if isinstance(sun, Absent):
        reason = words("comparison.absent", reason=words.line(f"absent.{sun.name.lower()}"))
        return (_name(edition, "sun"), reason, text_of("–", "quiet"), text_of("–", "quiet"))
    low, high = sun.elevation_range_deg
    spread = words.line("comparison.sun_range", low=words.number(low, 1), high=words.number(high, 1))
    shown = words.line(
        "comparison.sun_at", elevation=words.number(sun.elevation_deg, 1), azimuth=words.number(sun.azimuth_deg, 0)
    )
    detail = f" · {spread}" if high - low > 0.1 else ""
    local = edition.beside_utc(sun.utc_time, zones)
    claimed = (Span(shown), Span(f"  {edition.when(sun.utc_time)} UTC {local}{detail}", "quiet"))
    return (_name(edition, "sun"), claimed, text_of("–", "quiet"), text_of("–", "quiet"))


def hour_of(moment: Any) -> float:
    """Return the hour of the day with its fraction."""
    return float(moment.hour + moment.minute / 60 + moment.second / 3600)


def clock_of(hour: float) -> str:
    """Return 13.5 as 13:30."""
    minutes = round(hour * 60) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def day_of(edition: Edition, turn: float) -> str:
    """Return a time of year as day and month of a common year."""
    from datetime import date

    day = date(2001, 1, 1) + timedelta(days=int(turn % 1.0 * 365))
    return edition.day(day.day, day.month)


def coordinates(edition: Edition, position: Position, *, digits: int = 4) -> str:
    """Return a position with hemispheres, as claimed to about ten metres."""
    words = edition.words
    north = "N" if position.latitude_deg >= 0 else "S"
    east = words.line("format.east") if position.longitude_deg >= 0 else words.line("format.west")
    latitude, longitude = abs(position.latitude_deg), abs(position.longitude_deg)
    return f"{words.number(latitude, digits)}° {north}, {words.number(longitude, digits)}° {east}"


def offset_of(hours: float) -> str:
    """Return 5.5 as UTC+05:30."""
    minutes = round(abs(hours) * 60)
    return f"UTC{'−' if hours < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def absence(value: Absent | Unexamined) -> str:
    """Return why a value is not there."""
    return plain(reason_of(value))
