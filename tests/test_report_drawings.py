"""Drawings: what is claimed and what is indicated stand where they are said to stand."""

from __future__ import annotations

import itertools
import math
from xml.etree import ElementTree

import numpy as np
import pytest
from builders import PARIS, SYDNEY
from fake_case import a_clock, a_prediction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gtloc_forensics.records import PlaceDensity, Position
from gtloc_forensics.report.drawings.clock_plots import posterior_plot, residual_plot
from gtloc_forensics.report.drawings.coast import land_rings
from gtloc_forensics.report.drawings.dials import day_dial, smallest_region, torus_map, year_wheel
from gtloc_forensics.report.drawings.marks import CLAIM, PREDICTION, Boxes, Disc, Shape
from gtloc_forensics.report.drawings.sunlight import sun_curve
from gtloc_forensics.report.drawings.worldmap import WIDTH, world_map
from gtloc_forensics.report.html.svg import land_symbol, svg
from gtloc_forensics.report.template import load_words

WORDS = load_words("default", "en")

MONTHS = ["J", "F", "M", "A", "M", "J", "J", "A", "S", "O", "N", "D"]
SVG = "{http://www.w3.org/2000/svg}"


def claim_at(drawing) -> tuple[float, float]:
    """The centre of the diamond."""
    corners = next(mark.points for mark in drawing.marks if isinstance(mark, Shape) and mark.fill == CLAIM)
    return sum(x for x, _ in corners) / 4, sum(y for _, y in corners) / 4


def ring_at(drawing) -> tuple[float, float]:
    """The centre of the ring."""
    found = next(mark for mark in drawing.marks if isinstance(mark, Disc) and mark.stroke == PREDICTION)
    return found.x, found.y


@pytest.mark.parametrize(("hour", "east", "north"), [(12, 0, 1), (18, 1, 0), (0, 0, -1), (6, -1, 0)])
def test_noon_is_at_the_top_of_the_dial_and_time_runs_clockwise(hour, east, north):
    drawing = day_dial(None, claimed_hour=hour, indicated_hour=None, elevations=None, alt="")
    x, y = claim_at(drawing)
    radius = math.hypot(x - drawing.width / 2, y - drawing.height / 2)
    assert ((x - drawing.width / 2) / radius, (y - drawing.height / 2) / radius) == pytest.approx(
        (east, north), abs=1e-9
    )


@pytest.mark.parametrize(("turn", "east", "north"), [(0.0, 0, 1), (0.25, 1, 0), (0.5, 0, -1)])
def test_january_is_at_the_top_of_the_wheel(turn, east, north):
    drawing = year_wheel(None, claimed_turn=None, indicated_turn=turn, months=MONTHS, alt="")
    x, y = ring_at(drawing)
    radius = math.hypot(x - drawing.width / 2, y - drawing.height / 2)
    assert ((x - drawing.width / 2) / radius, (y - drawing.height / 2) / radius) == pytest.approx(
        (east, north), abs=1e-9
    )


masses = hnp.arrays(np.float32, (6, 8), elements=st.floats(0, 1, width=32)).filter(lambda mass: mass.sum() > 0.1)


@settings(deadline=None)
@given(masses, st.floats(0.05, 0.99))
def test_the_smallest_region_holds_its_share_and_no_cell_less_would(mass, share):
    region = smallest_region(mass, share)
    total = mass.sum(dtype=np.float64)
    assert mass[region].sum(dtype=np.float64) >= share * total * (1 - 1e-6)
    assert mass[region].sum(dtype=np.float64) - mass[region].min() <= share * total * (1 + 1e-6)


def test_the_hill_of_the_torus_lies_under_the_ring():
    prediction = a_prediction("a", hour=7.0, season=0.46, place=PARIS)
    drawing = torus_map(prediction.time.mass, claimed=(0.46, 23.5), indicated=(0.46, 7.0), months=MONTHS, alt="")
    darkest = next(mark for mark in drawing.marks if isinstance(mark, Boxes) and mark.fill == PREDICTION)
    x, y = ring_at(drawing)
    assert any(left <= x <= left + wide and low <= y <= low + tall for left, low, wide, tall in darkest.rectangles)


@pytest.mark.parametrize("spot", [PARIS, SYDNEY, (-89.0, -179.9), (71.0, 179.9)])
def test_a_region_of_the_map_covers_its_own_cells_and_stays_on_the_sheet(spot):
    density = PlaceDensity(*(np.array([value], np.float32) for value in (*spot, 1.0)), cell_area_km2=90_000.0)
    drawing = world_map(density, claimed=Position(*spot), indicated=None, alt="", degrees=WORDS.degrees)
    boxes = [box for mark in drawing.marks if isinstance(mark, Boxes) for box in mark.rectangles]
    x, y = claim_at(drawing)
    south = -60.0 if drawing.height < WIDTH / 2 else -90.0
    assert (x, y) == pytest.approx(((spot[1] + 180) / 360 * WIDTH, (spot[0] - south) / 360 * WIDTH))
    assert any(left <= x <= left + wide and low <= y <= low + tall for left, low, wide, tall in boxes)
    assert all(
        left >= 0 and left + wide <= WIDTH + 1e-6 and low >= 0 and low + tall <= drawing.height + 1e-6
        for left, low, wide, tall in boxes
    )


def test_a_region_over_the_date_line_is_on_both_sides_of_the_map():
    density = PlaceDensity(*(np.array([value], np.float32) for value in (0.0, 179.9, 1.0)), cell_area_km2=400_000.0)
    drawing = world_map(density, claimed=None, indicated=None, alt="", degrees=WORDS.degrees)
    boxes = [box for mark in drawing.marks if isinstance(mark, Boxes) for box in mark.rectangles]
    assert min(box[0] for box in boxes) < 5 and max(box[0] + box[2] for box in boxes) > WIDTH - 5


def inside(ring, longitude, latitude) -> bool:
    odd = False
    for (x0, y0), (x1, y1) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if (y0 > latitude) != (y1 > latitude) and longitude < x0 + (latitude - y0) / (y1 - y0) * (x1 - x0):
            odd = not odd
    return odd


@pytest.mark.parametrize(
    ("latitude", "longitude", "land"),
    [
        (48.9, 2.4, True),
        (-33, 147, True),
        (66, -173, True),
        (66, 178, True),
        (-88, 0, True),
        (-80, 100, True),
        (0, -30, False),
        (-50, 100, False),
        (30, -45, False),
    ],
)
def test_land_is_where_it_is_at_the_date_line_and_the_pole_too(latitude, longitude, land):
    assert any(inside(ring, longitude, latitude) for ring in land_rings()) is land


def test_no_coast_runs_across_the_map():
    for ring in land_rings():
        for (x0, y0), (x1, y1) in itertools.pairwise(ring):
            assert abs(x1 - x0) < 180 or min(y0, y1) == -90.0


def drawings():
    prediction = a_prediction("a", hour=7.0, season=0.46, place=PARIS)
    hours = np.linspace(0, 24, 145)
    elevations = (hours, 40 * np.sin((hours - 6) / 12 * np.pi) - 5)
    clock = a_clock()
    from datetime import datetime

    yield day_dial(
        prediction.time.mass.sum(0), claimed_hour=23.5, indicated_hour=7, elevations=elevations, alt="a <b> & c"
    )
    yield year_wheel(prediction.time.mass.sum(1), claimed_turn=0.1, indicated_turn=0.46, months=MONTHS, alt="")
    yield torus_map(prediction.time.mass, claimed=None, indicated=(0.46, 7.0), months=MONTHS, alt="")
    yield world_map(
        prediction.place, claimed=Position(*PARIS), indicated=prediction.position, alt="", degrees=WORDS.degrees
    )
    yield sun_curve(*elevations, claimed=(23.5, -40.0), indicated_hours=(22.0, 26.0), ev100=14.0, scenes={}, alt="")
    yield posterior_plot(clock.posterior_offsets_hours, clock.posterior_mass, interval=(7.4, 8.6), best=8.0, alt="")
    yield residual_plot(
        [(datetime(2024, 1, 1), 8.0, "gps"), (datetime(2024, 1, 9), -11.9, "pixels")],
        offset_hours=8.0,
        interval=(7.4, 8.6),
        alt="",
    )


def test_every_drawing_stays_on_its_sheet_as_pdf_and_as_svg():
    for drawing in drawings():
        for mark in drawing.marks:
            for x, y in getattr(mark, "points", ()):
                assert -7 <= x <= drawing.width + 7 and -7 <= y <= drawing.height + 7, drawing.alt
        root = ElementTree.fromstring(svg(drawing).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
        assert root.tag == f"{SVG}svg"
        assert "nan" not in svg(drawing)


def test_the_land_of_the_page_is_well_formed_and_refers_to_nothing_outside():
    text = land_symbol()
    ElementTree.fromstring(text)
    assert "href" not in text and "url(" not in text


def test_what_colours_tell_lightness_tells_too():
    def lightness(color: str) -> float:
        red, green, blue = (int(color[index : index + 2], 16) / 255 for index in (1, 3, 5))
        return 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2

    from gtloc_forensics.report.drawings.marks import PAPER, PREDICTION_LIGHT, PREDICTION_MID

    steps = [lightness(color) for color in (PREDICTION, PREDICTION_MID, PREDICTION_LIGHT, PAPER)]
    assert all(later - earlier > 0.15 for earlier, later in itertools.pairwise(steps))
