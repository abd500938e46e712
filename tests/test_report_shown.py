"""What was observed can be checked by eye: values side by side, pairs, drawings that bear on a finding, a timeline."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from builders import LONDON, PARIS
from fake_case import FakeCase, a_clock, a_finding, a_prediction, an_entry

from gtloc_forensics.records import (
    Cause,
    CauseGroup,
    Outcome,
    Position,
    Reading,
    Severity,
    Stated,
    TimeKind,
    TimeReading,
    TimeRole,
    source_id_of,
)
from gtloc_forensics.report.blocks import Figure, Picture, Row, Strip, Table, Together, plain_of
from gtloc_forensics.report.chapters.chapters import CHAPTERS
from gtloc_forensics.report.chapters.edition import edition_of
from gtloc_forensics.report.drawings.marks import Boxes, Drawing, Label
from gtloc_forensics.report.drawings.timelines import Lane, timelines

DAY = date(2026, 11, 21)


def blocks_of(case: FakeCase, chapter: str = "causes", language: str = "en") -> list:
    edition = edition_of(case, template="default", language=language, report_date=DAY, only=None)
    return list(flat(CHAPTERS[chapter](edition)))


def flat(items):
    """Every block, those inside others too."""
    for item in items:
        yield item
        for cell in item.cells if isinstance(item, Row) else ():
            yield from flat(cell)


def drawn(blocks) -> list[Drawing]:
    return [item.content for item in blocks if isinstance(item, Figure) and isinstance(item.content, Drawing)]


def rows_of(blocks, title: str) -> list[list[str]]:
    """The rows of the table one of whose columns is called *title*."""
    for item in blocks:
        if isinstance(item, Table) and title in [column.title for column in item.columns]:
            return [["" if isinstance(cell, Picture) else plain_of(cell) for cell in row] for row in item.rows]
    raise AssertionError(f"no table with a column {title!r}")


def one_finding(rule: str, **photo) -> FakeCase:
    entry = an_entry("a.jpg", a_finding(rule, "a.jpg", Outcome.CONTRADICTION), **photo)
    return FakeCase([entry])


def test_tags_that_disagree_stand_side_by_side_with_their_difference():
    case = one_finding("GF101", local="2024-06-15 23:30:00", offset=2.0, position=PARIS)
    entry = case.entries[0]
    times = (
        TimeReading(datetime(2024, 6, 15, 23, 30), TimeKind.LOCAL, TimeRole.CAPTURE, "ExifIFD:DateTimeOriginal", "x"),
        TimeReading(datetime(2024, 6, 15, 23, 30), TimeKind.LOCAL, TimeRole.DIGITIZED, "ExifIFD:CreateDate", "x"),
        TimeReading(datetime(2024, 6, 15, 13, 30), TimeKind.UTC, TimeRole.GPS_FIX, "GPS:GPSTimeStamp", "13:30:00"),
    )
    claim = replace(entry.photo.claim, times=times)
    case = FakeCase([replace(entry, photo=replace(entry.photo, claim=claim))])
    first, second = rows_of(blocks_of(case), "Against the claim")
    assert first == ["ExifIFD:DateTimeOriginal, ExifIFD:CreateDate", "x", "–", "the claim"]
    assert second == ["GPS:GPSTimeStamp", "13:30:00", "UTC (15:30:00 +02:00)", "−8:00:00 h"]


def test_a_second_value_of_the_tag_that_is_claimed_is_not_called_the_claim():
    case = one_finding("GF104", local="2007-04-08 15:25:46")
    entry = case.entries[0]
    times = tuple(
        TimeReading(moment, TimeKind.LOCAL, TimeRole.CAPTURE, "ExifIFD:DateTimeOriginal", "x")
        for moment in (datetime(2007, 4, 8, 15, 25, 46), datetime(2007, 4, 9, 15, 25, 46))
    )
    claim = replace(entry.photo.claim, times=times)
    case = FakeCase([replace(entry, photo=replace(entry.photo, claim=claim))])
    first, second = rows_of(blocks_of(case), "Against the claim")
    assert (first[-1], second[-1]) == ("the claim", "+24:00:00 h")


def test_the_two_pictures_of_a_pair_stand_side_by_side_and_what_differs_is_bold():
    other = source_id_of(b"b.jpg")
    finding = a_finding("GF406", "a.jpg", Outcome.SUSPICIOUS, facts={"other_source_id": other, "other": "b.jpg"})
    entries = [
        an_entry("a.jpg", finding, local="2024-06-15 12:00:00", position=PARIS),
        an_entry("b.jpg", local="2024-07-15 12:00:00", position=PARIS),
    ]
    group = CauseGroup(
        Cause("look-alike", ""),
        "",
        Outcome.SUSPICIOUS,
        Severity.MEDIUM,
        tuple(entry.photo.source.source_id for entry in entries),
        ("GF406",),
        1,
        "One picture, two times.",
    )
    blocks = blocks_of(FakeCase(entries, groups=(group,)))
    heads = (inner for block in blocks if isinstance(block, Together) for inner in block.items)
    pair = next(item for item in heads if isinstance(item, Row))
    assert [plain_of(cell[0].caption) for cell in pair.cells] == ["Photo 1 a.jpg", "Photo 2 b.jpg"]
    table = next(item for item in blocks if isinstance(item, Table) and item.columns[1].title == "Photo 1")
    styles = {plain_of(row[0]): row[1][0].style for row in table.rows}
    assert (styles["Local time claimed"], styles["Place claimed"]) == ("bold", "")


@pytest.mark.parametrize(
    ("rule", "suns", "maps"),
    [("GF201", 1, 0), ("GF210", 1, 0), ("GF101", 0, 0), ("GF104", 0, 0), ("GF404", 0, 1), ("GF109", 0, 1)],
)
def test_a_finding_has_the_drawing_that_bears_on_it_and_no_other(rule, suns, maps):
    case = one_finding(
        rule, local="2024-06-15 23:30:00", offset=2.0, position=PARIS, f_number=8.0, exposure_s=1 / 250, iso=100
    )
    drawings = drawn(blocks_of(case))
    assert sum("map with" in drawing.alt for drawing in drawings) == maps
    assert len(drawings) - maps == suns


def test_a_finding_about_pixels_has_the_dial():
    case = one_finding(
        "GF301", local="2024-06-15 23:30:00", prediction=a_prediction("a.jpg", hour=9.0, season=0.4, place=PARIS)
    )
    assert any("dial of the day" in drawing.alt for drawing in drawn(blocks_of(case)))


def test_a_place_that_another_tag_names_is_on_the_map_with_a_question_mark():
    case = one_finding("GF109", local="2024-06-15 12:00:00", position=PARIS)
    entry = case.entries[0]
    rival = Reading(Position(*LONDON), "XMP-exif:GPSLatitude", "51.5")
    claim = entry.photo.claim
    assert isinstance(claim.position, Stated)
    claim = replace(claim, position=replace(claim.position, rivals=(rival,)))
    case = FakeCase([replace(entry, photo=replace(entry.photo, claim=claim))])
    (drawing,) = drawn(blocks_of(case))
    assert "1?" in [mark.text for mark in drawing.marks if isinstance(mark, Label)]


def test_the_timeline_shows_claimed_corrected_and_gps_time_of_each_camera():
    entries = []
    for index in range(6):
        local = datetime(2024, 6, 15, 20) + timedelta(hours=index)
        gps = local - timedelta(hours=10)
        entries.append(an_entry(f"{index}.jpg", local=local, offset=2.0, gps=gps, position=PARIS, serial="0123"))
    (figure,) = [
        item for item in blocks_of(FakeCase(entries, models=(a_clock(),)), "timeline") if isinstance(item, Figure)
    ]
    rows = [mark for mark in figure.content.marks if isinstance(mark, Boxes)]
    assert [len(row.rectangles) for row in rows] == [6, 6, 6]
    claimed, corrected, gps = ([box[0] for box in row.rectangles] for row in rows)
    assert claimed[0] > corrected[0]
    assert corrected == pytest.approx(gps, abs=3.0), "a right clock agrees with GPS"


@pytest.mark.parametrize(("days", "count"), [(0, 8), (1, 8), (400, 8), (4000, 8), (4000, 400)])
def test_a_timeline_of_any_length_stays_on_its_sheet(days, count):
    moments = tuple(datetime(1999, 12, 31) + timedelta(days=days * n / (count - 1)) for n in range(count))
    drawing = timelines([Lane("a", moments)], rows=("a", "b", "c"), dated="{year}-{month}-{day}", alt="x")
    for mark in drawing.marks:
        for x, y, wide, tall in mark.rectangles if isinstance(mark, Boxes) else ():
            assert x >= 0 and x + wide <= drawing.width + 1
            assert y >= 0 and y + tall <= drawing.height


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_photo_is_on_the_contact_sheet_with_its_number_and_result(language):
    case = one_finding("GF101", local="2024-06-15 12:00:00")
    case = replace(case, entries=[*case.entries, an_entry("b.jpg")])
    (strip,) = [item for item in blocks_of(case, "contact", language) if isinstance(item, Strip)]
    labels = [plain_of(thumb.label + thumb.note) for thumb in strip.items]
    found, clean = {"en": ("Finding", "No finding"), "de": ("Befund", "Kein Befund")}[language]
    assert labels == [f"1 a.jpg {found} → 1", f"2 b.jpg {clean}"]
