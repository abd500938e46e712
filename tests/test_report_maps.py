"""Maps of a case: the claimed places by name, borders, a scale, the way between, and where it breaks."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from builders import LONDON, PARIS, SYDNEY
from fake_case import FakeCase, a_finding, an_entry

from gtloc_forensics.earth.globe import distance_km
from gtloc_forensics.records import Cause, CauseKind, Outcome, Position
from gtloc_forensics.report.blocks import Figure, Heading, Table, plain_of
from gtloc_forensics.report.chapters.edition import edition_of
from gtloc_forensics.report.chapters.places import places
from gtloc_forensics.report.drawings.casemap import NEAR, BrokenLeg, Spot, case_map
from gtloc_forensics.report.drawings.ground import BORDER
from gtloc_forensics.report.drawings.marks import CLAIM, INK, LAND, Drawing, Label, Shape, World
from gtloc_forensics.report.drawings.window import window_on
from gtloc_forensics.report.template import load_words

WORDS = load_words("default", "en")

BERGEN, STAVANGER, STRASBOURG = Position(60.39, 5.32), Position(58.97, 5.73), Position(48.58, 7.75)
WHEREVER = [
    [Position(89.9, 179.9)],
    [Position(-89.9, -179.9), Position(89.9, 179.9)],
    [Position(0.0, 0.0)],
    [Position(-16.6, 179.2), Position(-16.8, -179.9)],
    [Position(78.2, 15.6), Position(88.0, -100.0)],
    [Position(-77.8, 166.7), Position(-90.0, 0.0)],
    [Position(*LONDON), Position(*SYDNEY), Position(40.7, -74.0)],
    [Position(60.0, 10.0)] * 3,
    [Position(52.5, 13.4), Position(48.6, 7.75), Position(-17.7, 177.4), Position(-16.8, -179.97)],
]


def drawn(spots: list[Position], **changes) -> Drawing:
    named = [Spot(str(number), spot) for number, spot in enumerate(spots, start=1)]
    return case_map(named, **{"alt": "x", "joined": ", ".join, "degrees": WORDS.degrees, **changes})


def texts(drawing: Drawing) -> list[str]:
    return [mark.text for mark in drawing.marks if isinstance(mark, Label)]


def diamonds(drawing: Drawing) -> list[tuple[float, float]]:
    shapes = [mark.points for mark in drawing.marks if isinstance(mark, Shape) and mark.fill == CLAIM]
    return [(sum(x for x, _ in corners) / 4, sum(y for _, y in corners) / 4) for corners in shapes]


@pytest.mark.parametrize("spots", WHEREVER)
def test_a_map_of_any_place_shows_it_on_the_sheet(spots):
    drawing = drawn(spots, is_wide=True)
    found = diamonds(drawing)
    assert 1 <= len(found) <= len(set(spots))
    assert all(0 < x < drawing.width and 0 < y < drawing.height for x, y in found)


@pytest.mark.parametrize("spots", WHEREVER)
def test_nothing_is_drawn_beyond_the_sheet(spots):
    drawing = drawn(spots)
    for mark in drawing.marks:
        if isinstance(mark, Shape):
            assert all(-5 <= x <= drawing.width + 5 and -5 <= y <= drawing.height + 5 for x, y in mark.points)


def test_a_map_is_cut_to_the_case():
    west, east = window_on([BERGEN, STAVANGER], width=NEAR, shape=0.6).bounds_deg[2:]
    assert 3 < east - west < 12
    assert "Bergen" in texts(drawn([BERGEN, STAVANGER]))


def test_two_places_on_either_side_of_the_date_line_are_neighbours():
    west, east = Position(-16.6, 179.8), Position(-16.6, -179.8)
    window = window_on([west, east], width=NEAR, shape=0.6)
    assert 0 < window.at(east)[0] - window.at(west)[0] < NEAR / 2, "the eastern one is on the right"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Position(60.0, 5.0), Position(60.0, 6.0)),
        (Position(0.0, 179.9), Position(0.0, -179.6)),
        (Position(85.0, 0.0), Position(87.0, 0.0)),
        (Position(-86.0, 90.0), Position(-88.0, 90.0)),
    ],
)
def test_the_scale_is_true_in_the_middle_of_the_map(one, other):
    window = window_on([one, other], width=NEAR, shape=0.6)
    apart_km = math.dist(window.at(one), window.at(other)) / window.points_per_km
    true_km = distance_km(
        one.latitude_deg,
        one.longitude_deg,
        second_latitude_deg=other.latitude_deg,
        second_longitude_deg=other.longitude_deg,
    )
    assert apart_km == pytest.approx(float(true_km), rel=0.01)


def test_a_scale_bar_has_the_length_it_says():
    drawing = drawn([BERGEN, STAVANGER])
    window = window_on([BERGEN, STAVANGER], width=drawing.width, shape=drawing.height / drawing.width)
    (told,) = [text for text in texts(drawing) if text.endswith(" km")]
    halves = [mark for mark in drawing.marks if isinstance(mark, Shape) and mark.stroke == INK and mark.closed]
    ends = [x for half in halves for x, _ in half.points]
    assert (max(ends) - min(ends)) / window.points_per_km == pytest.approx(float(told.removesuffix(" km")), rel=0.01)


def test_borders_are_drawn_and_places_of_two_countries_say_which():
    drawing = drawn([STRASBOURG])
    assert any(isinstance(mark, Shape) and mark.stroke == BORDER for mark in drawing.marks)
    assert {text[-4:] for text in texts(drawing) if "(" in text} == {"(FR)", "(DE)"}


def test_names_do_not_lie_upon_each_other():
    labels = [mark for mark in drawn([Position(52.52, 13.4)]).marks if isinstance(mark, Label) and mark.halo]
    assert len(labels) > 4
    for one, other in itertools.combinations(labels, 2):
        apart = abs(one.y - other.y) >= 0.7 * max(one.size, other.size)
        left, right = sorted((one, other), key=lambda label: label.x)
        assert apart or left.x + 0.45 * left.size * len(left.text) <= right.x, (one.text, other.text)


def test_a_way_that_is_too_fast_is_dashed_and_crossed_and_says_its_speed():
    leg = BrokenLeg(BERGEN, STAVANGER, "≥ 5,000 km/h")
    drawing = drawn([BERGEN, STAVANGER], broken=[leg])
    assert any(isinstance(mark, Shape) and mark.stroke == CLAIM and mark.dash for mark in drawing.marks)
    crosses = [mark for mark in drawing.marks if isinstance(mark, Shape) and mark.stroke == INK and not mark.closed]
    assert len(crosses) == 2, "told by shape as well as by colour"
    assert "≥ 5,000 km/h" in texts(drawing)


def test_land_and_sea_are_where_they_are():
    drawing = drawn([BERGEN])
    window = window_on([BERGEN], width=drawing.width, shape=drawing.height / drawing.width)
    land = [mark.points for mark in drawing.marks if isinstance(mark, Shape) and mark.fill == LAND]
    assert sum(_holds(ring, window.at(Position(60.65, 6.2))) for ring in land) % 2 == 1, "Voss"
    assert sum(_holds(ring, window.at(Position(60.4, 4.3))) for ring in land) % 2 == 0, "the North Sea"


def test_a_map_of_the_world_shares_the_land_of_the_file():
    drawing = drawn([Position(*LONDON), Position(*SYDNEY), Position(40.7, -74.0)], is_wide=True)
    assert any(isinstance(mark, World) for mark in drawing.marks)


def test_photos_at_one_spot_share_a_label():
    assert "1, 2, 3" in texts(drawn([BERGEN] * 3))


def _holds(ring, spot) -> bool:
    x, y = spot
    odd = False
    for (x0, y0), (x1, y1) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
            odd = not odd
    return odd


# --------------------------------------------------------------------------- the chapter


def a_journey() -> FakeCase:
    """Three photos of one camera, Paris, London and Sydney an hour later."""
    spots = (PARIS, LONDON, SYDNEY)
    entries = [
        an_entry(
            f"{n}.jpg", local=datetime(2024, 6, 15, 12) + timedelta(hours=n), offset=2.0, position=spot, serial="1"
        )
        for n, spot in enumerate(spots)
    ]
    travel = replace(
        a_finding("GF404", "2.jpg", Outcome.CONTRADICTION),
        source_ids=(entries[2].photo.source.source_id, entries[1].photo.source.source_id),
        cause=Cause(CauseKind.TRAVEL, ""),
        facts={"speed_km_h": 16_990.0, "distance_km": 16_990.0},
    )
    entries[2] = replace(entries[2], findings=(travel,))
    return FakeCase(entries)


def chapter(case: FakeCase, language: str = "en") -> list:
    edition = edition_of(case, template="default", language=language, report_date=datetime(2026, 11, 21), only=None)
    return list(places(edition))


def test_the_chapter_names_the_places_and_marks_the_way_that_breaks():
    heading, _, figure, table = chapter(a_journey())
    assert isinstance(heading, Heading) and isinstance(figure, Figure) and isinstance(table, Table)
    assert "≥ 16,990 km/h" in texts(figure.content)
    assert [plain_of(row[0]).split(",")[0] for row in table.rows] == ["London", "Paris", "Sydney"]


def test_in_german_places_and_countries_have_their_german_names():
    rome = an_entry("r.jpg", local=datetime(2024, 6, 15, 12), offset=2.0, position=(41.9, 12.49))
    bergen = an_entry("b.jpg", local=datetime(2024, 6, 15, 13), offset=2.0, position=(60.39, 5.32))
    *_, table = chapter(FakeCase([rome, bergen]), "de")
    assert [plain_of(row[0]) for row in table.rows] == ["Bergen, Norwegen", "Rom, Italien"]


def test_a_case_of_one_place_has_no_such_chapter():
    assert chapter(FakeCase([an_entry("a.jpg", local=datetime(2024, 6, 15), position=PARIS)])) == []
    assert chapter(FakeCase([an_entry("a.jpg", local=datetime(2024, 6, 15))])) == []


def test_degrees_of_a_german_map_are_german() -> None:
    german = load_words("default", "de")
    assert (german.degrees(1.5, is_longitude=True), german.degrees(-30.0, is_longitude=False)) == ("1,5°O", "30°S")
    assert WORDS.degrees(-1.5, is_longitude=True) == "1.5°W"
    drawn = case_map([Spot("1", Position(48.0, 11.0))], alt="x", joined=", ".join, degrees=german.degrees)
    assert any(isinstance(mark, Label) and mark.text.endswith("°O") for mark in drawn.marks)


def of_cameras(count: int, *spots: tuple[float, float], **device) -> FakeCase:
    """Return a case of so many cameras, each an hour at one spot after the other."""
    return FakeCase(
        [
            an_entry(
                f"{camera}-{n}.jpg",
                local=datetime(2024, 6, 15, 12) + timedelta(hours=n),
                offset=0.0,
                position=spot,
                **{name: value.format(camera) for name, value in device.items()},
            )
            for camera in range(count)
            for n, spot in enumerate(spots)
        ]
    )


@pytest.mark.parametrize(
    ("case", "has_ways"),
    [
        (of_cameras(1, LONDON, PARIS, serial="{}"), True),
        (of_cameras(1, LONDON, PARIS, model="{}"), True),
        (of_cameras(1, LONDON, SYDNEY, model="{}"), False),
        (of_cameras(9, LONDON, PARIS, serial="{}"), False),
    ],
    ids=["one camera", "perhaps one", "cannot be one camera", "too many to follow"],
)
def test_a_way_is_drawn_where_one_camera_can_have_gone_it_and_an_eye_can_follow(case, has_ways):
    figure = next(block for block in chapter(case) if isinstance(block, Figure))
    assert ("each camera's way" in plain_of(figure.caption)) is has_ways
