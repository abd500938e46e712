"""What the file claims beside what the pixels indicate, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from gtloc_forensics.earth import globe
from gtloc_forensics.earth.circular import hour_distance, turn_distance, year_turn
from gtloc_forensics.records import Absent, Claim, Photo, Position, Prediction, Stated, Sun, Unexamined
from gtloc_forensics.report.blocks import Block, Callout, Column, Span, Table, Text, text_of
from gtloc_forensics.report.chapters.edition import Edition
from gtloc_forensics.report.chapters.survey import reason_of
from gtloc_forensics.report.text import plain

_DAYS_PER_YEAR = 365.2425
_COLUMNS = (("quantity", 0.16), ("claimed", 0.37), ("indicated", 0.31), ("difference", 0.16))
_COLUMNS_OF_CLAIM = (("quantity", 0.2), ("claimed", 0.8))


def comparison(edition: Edition, photo: Photo) -> Iterator[Block]:
    """Yield the table, without the columns of the picture where no model looked at it, or why there is none."""
    words = edition.words
    if isinstance(photo.claim, Unexamined):
        yield Callout(words("comparison.no_claim", reason=plain(photo.claim.reason)), "warning")
        return
    shown = _COLUMNS if isinstance(photo.prediction, Prediction) else _COLUMNS_OF_CLAIM
    columns = tuple(Column(words.line(f"comparison.{name}"), share) for name, share in shown)
    yield Table(columns, [row[: len(shown)] for row in _rows(edition, photo, photo.claim)], empty="")


def _rows(edition: Edition, photo: Photo, claim: Claim) -> Iterator[tuple[Text, ...]]:
    yield _time_of_day(edition, photo, claim)
    yield _season(edition, photo, claim)
    yield _place(edition, photo, claim)
    yield _zone(edition, claim)
    yield _sun(edition, photo.sun)


def _name(edition: Edition, key: str) -> Text:
    return text_of(edition.words.line(f"comparison.{key}"), "bold")


def _stated(edition: Edition, value: Stated[Any] | Absent, shown: str) -> Text:
    """Return a stated value with its tag, or why there is none."""
    if isinstance(value, Absent):
        return edition.words("comparison.absent", reason=edition.words.line(f"absent.{value.name.lower()}"))
    origin = ", ".join(part for part in (plain(value.tag), plain(value.rule)) if part)
    return (Span(shown), Span(f"  {origin}" if origin else "", "quiet"))


def _nothing(edition: Edition, photo: Photo) -> Text:
    key = "comparison.not_examined" if isinstance(photo.prediction, Unexamined) else "comparison.no_statement"
    return text_of(edition.words.line(key), "quiet")


def _time_of_day(edition: Edition, photo: Photo, claim: Claim) -> tuple[Text, ...]:
    shown = edition.when(claim.local_time.value) if isinstance(claim.local_time, Stated) else ""
    claimed = _stated(edition, claim.local_time, shown)
    difference = text_of("–", "quiet")
    indicated = _nothing(edition, photo)
    if isinstance(photo.prediction, Prediction):
        indicated = text_of(clock_of(photo.prediction.local_hour))
        if isinstance(claim.local_time, Stated):
            hours = float(hour_distance(hour_of(claim.local_time.value), photo.prediction.local_hour))
            difference = text_of(edition.words.line("comparison.hours", hours=edition.words.number(hours, 1)))
    return (_name(edition, "local_time"), claimed, indicated, difference)


def _season(edition: Edition, photo: Photo, claim: Claim) -> tuple[Text, ...]:
    claimed = _stated(edition, claim.local_time, "")
    if isinstance(claim.local_time, Stated):
        local = claim.local_time.value
        claimed = text_of(f"{local.day} {edition.words.line('format.months_long').split()[local.month - 1]}")
    difference, indicated = text_of("–", "quiet"), _nothing(edition, photo)
    if isinstance(photo.prediction, Prediction):
        indicated = text_of(day_of(edition, photo.prediction.year_turn))
        if isinstance(claim.local_time, Stated):
            turns = float(turn_distance(year_turn(claim.local_time.value), photo.prediction.year_turn))
            days = edition.words.number(turns * _DAYS_PER_YEAR)
            difference = text_of(edition.words.line("comparison.days", days=days))
    return (_name(edition, "season"), claimed, indicated, difference)


def _place(edition: Edition, photo: Photo, claim: Claim) -> tuple[Text, ...]:
    shown = coordinates(edition, claim.position.value) if isinstance(claim.position, Stated) else ""
    claimed = _stated(edition, claim.position, shown)
    difference, indicated = text_of("–", "quiet"), _nothing(edition, photo)
    if isinstance(photo.prediction, Prediction):
        indicated = (*text_of(coordinates(edition, photo.prediction.position)), *_regions(edition, photo.prediction))
        if isinstance(claim.position, Stated):
            first, second = claim.position.value, photo.prediction.position
            distance = globe.distance_km(
                first.latitude_deg,
                first.longitude_deg,
                second_latitude_deg=second.latitude_deg,
                second_longitude_deg=second.longitude_deg,
            )
            difference = text_of(edition.words.line("comparison.km", km=edition.words.number(float(distance))))
    return (_name(edition, "place"), claimed, indicated, difference)


def _regions(edition: Edition, prediction: Prediction) -> Text:
    areas = prediction.region_area_km2
    if 50 not in areas or 90 not in areas:
        return ()
    small, large = (edition.words.number(round(areas[share], -3)) for share in (50, 90))
    return (Span("  "), *edition.words("comparison.regions", small=small, large=large))


def _zone(edition: Edition, claim: Claim) -> tuple[Text, ...]:
    shown = offset_of(claim.utc_offset_hours.value) if isinstance(claim.utc_offset_hours, Stated) else ""
    claimed = _stated(edition, claim.utc_offset_hours, shown)
    if claim.zones:
        legal = edition.words.line("comparison.zones", zones=", ".join(claim.zones))
        claimed = (*claimed, Span(f" · {legal}", "quiet"))
    return (_name(edition, "offset"), claimed, text_of("–", "quiet"), text_of("–", "quiet"))


def _sun(edition: Edition, sun: Sun | Absent) -> tuple[Text, ...]:
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
    claimed = (Span(shown), Span(f"  {edition.when(sun.utc_time)} UTC{detail}", "quiet"))
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
    return f"{day.day} {edition.words.line('format.months_long').split()[day.month - 1]}"


def coordinates(edition: Edition, position: Position) -> str:
    """Return a position with hemispheres, to about ten metres."""
    words = edition.words
    north = "N" if position.latitude_deg >= 0 else "S"
    east = words.line("format.east") if position.longitude_deg >= 0 else words.line("format.west")
    latitude, longitude = abs(position.latitude_deg), abs(position.longitude_deg)
    return f"{words.number(latitude, 4)}° {north}, {words.number(longitude, 4)}° {east}"


def offset_of(hours: float) -> str:
    """Return 5.5 as UTC+05:30."""
    minutes = round(abs(hours) * 60)
    return f"UTC{'−' if hours < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def absence(value: Absent | Unexamined) -> str:
    """Return why a value is not there."""
    return plain(reason_of(value))
