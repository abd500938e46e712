"""What further models say of a photo, beside the first one: as they say it, calibrated by nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from gtloc_forensics.earth.circular import year_turn
from gtloc_forensics.records import Claim, PhotoEntry, Prediction, Stated, Status
from gtloc_forensics.report.agreement import ASKED, agreement, judges
from gtloc_forensics.report.blocks import Block, Callout, Column, Figure, Heading, Prose, Row, Table, Text, text_of
from gtloc_forensics.report.chapters.comparison import clock_of, coordinates, day_of, hour_of
from gtloc_forensics.report.chapters.edition import Edition
from gtloc_forensics.report.drawings.dials import day_dial, year_wheel
from gtloc_forensics.report.drawings.worldmap import world_map
from gtloc_forensics.report.text import plain

_COLUMNS = (
    ("model", 0.16),
    ("local_time", 0.1),
    ("season", 0.14),
    ("place", 0.22),
    ("in_common", 0.19),
    ("claim", 0.19),
)
_PHOTO_SHARE = 0.12  # of the table of all photos, for the number of the photo
_MOST_DRAWN = 4  # models whose densities are drawn of a photo; the tables and findings.json have all
_MOST_PHOTOS = 12  # whose densities are drawn in the chapter


def chapter(edition: Edition) -> Iterator[Block]:
    """Yield the row of agreement of every photo and the densities of some, findings first; nothing without opinions."""
    if not any(label.startswith(ASKED) for label in edition.view.environment):
        return
    words = edition.words
    yield Heading(words("opinions.title"), 1, "opinions")
    yield Prose(words("opinions.lead"), "small")
    named = [Column(words.line(f"opinions.{name}"), share * (1.0 - _PHOTO_SHARE)) for name, share in _COLUMNS]
    yield Table((Column(words.line("opinions.photo"), _PHOTO_SHARE), *named), _all_rows(edition), empty="")
    for entry in islice(_drawn(edition), _MOST_PHOTOS):
        source_id = entry.photo.source.source_id
        yield Prose((*text_of(edition.exhibit(source_id), "bold"), *text_of(f" {edition.name(source_id)}")))
        yield from _densities(edition, entry, _said(entry))


def _said(entry: PhotoEntry) -> list[Prediction]:
    return [model for model in entry.photo.opinions if isinstance(model, Prediction)]


def _drawn(edition: Edition) -> Iterator[PhotoEntry]:
    """Yield the photos that further models spoke of, those with findings first."""
    for is_found in (True, False):
        yield from (entry for entry in _told(edition) if (entry.status is Status.FOUND) is is_found and _said(entry))


def _told(edition: Edition) -> Iterator[PhotoEntry]:
    """Yield the photos that this edition shows: a restricted one leaves the others out."""
    return (entry for entry in edition.view.photos() if edition.only is None or entry.statuses & edition.only)


def _all_rows(edition: Edition) -> Iterator[tuple[Text, ...]]:
    for entry in _told(edition):
        number = text_of(edition.exhibit(entry.photo.source.source_id), "bold")
        for model in _said(entry):
            yield (number, *_row(edition, entry, model))


def opinions(edition: Edition, entry: PhotoEntry) -> Iterator[Block]:
    """Yield a table with a row of agreement for each further model, and their densities; nothing without any."""
    said = _said(entry)
    if not said:
        return
    words = edition.words
    yield Heading(words("opinions.title"), 3, f"opinions-{entry.photo.source.source_id}")
    columns = tuple(Column(words.line(f"opinions.{name}"), share) for name, share in _COLUMNS)
    yield Table(columns, [_row(edition, entry, model) for model in said], empty="")
    yield Callout(words("opinions.nobody", count=len(said)), "note")
    yield from _densities(edition, entry, said)


def _densities(edition: Edition, entry: PhotoEntry, said: Sequence[Prediction]) -> Iterator[Block]:
    for model in said[:_MOST_DRAWN]:
        figures = [*_dials(edition, entry, model), *_map(edition, entry, model)]
        if figures:
            yield Row(tuple((figure,) for figure in figures), _SHARES[len(figures)])


_SHARES = {1: (0.5,), 2: (0.31, 0.31), 3: (0.27, 0.27, 0.46)}


def _row(edition: Edition, entry: PhotoEntry, said: Prediction) -> tuple[Text, ...]:
    words = edition.words
    silent = text_of(words.line("opinions.not_judged"), "quiet")
    tells_time, tells_place = judges(said.time.mass), judges(said.place.mass)
    how = agreement(entry.photo, said)
    return (
        text_of(plain(said.model), "bold"),
        text_of(clock_of(said.local_hour)) if tells_time else silent,
        text_of(day_of(edition, said.year_turn)) if tells_time else silent,
        text_of(coordinates(edition, said.position, digits=0)) if tells_place else silent,
        _shares(edition, "common", how.time_in_common, how.place_in_common),
        _shares(edition, "likelier", how.time_of_claim, how.place_of_claim),
    )


def _shares(edition: Edition, key: str, time: float | None, place: float | None) -> Text:
    words = edition.words
    parts = [
        words.line(f"opinions.{key}_{about}", percent=words.number(round(100.0 * share)))
        for about, share in (("time", time), ("place", place))
        if share is not None
    ]
    return text_of("; ".join(parts)) if parts else text_of("–", "quiet")


def _dials(edition: Edition, entry: PhotoEntry, said: Prediction) -> Iterator[Figure]:
    if not judges(said.time.mass):
        return
    words, claimed = edition.words, _claimed_time(entry)
    name = plain(said.model)
    hour = None if claimed is None else hour_of(claimed)
    turn = None if claimed is None else year_turn(claimed)
    alt = words.line("opinions.drawing_alt", model=name)
    day = day_dial(
        said.time.mass.sum(axis=0), claimed_hour=hour, indicated_hour=said.local_hour, elevations=None, alt=alt
    )
    yield Figure(day, words("opinions.day", model=name))
    months = words.line("format.months").split()
    year = year_wheel(
        said.time.mass.sum(axis=1), claimed_turn=turn, indicated_turn=said.year_turn, months=months, alt=alt
    )
    yield Figure(year, words("opinions.year", model=name))


def _map(edition: Edition, entry: PhotoEntry, said: Prediction) -> Iterator[Figure]:
    if not judges(said.place.mass):
        return
    claim, words = entry.photo.claim, edition.words
    claimed = claim.position.value if isinstance(claim, Claim) and isinstance(claim.position, Stated) else None
    alt = words.line("opinions.drawing_alt", model=plain(said.model))
    drawing = world_map(said.place, claimed=claimed, indicated=said.position, alt=alt, degrees=edition.words.degrees)
    yield Figure(drawing, words("opinions.map", model=plain(said.model)))


def _claimed_time(entry: PhotoEntry) -> datetime | None:
    claim = entry.photo.claim
    return claim.local_time.value if isinstance(claim, Claim) and isinstance(claim.local_time, Stated) else None
