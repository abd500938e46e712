"""GF201, GF202: the light of the exposure against the sun of the claim."""

from __future__ import annotations

import pytest
from builders import KASHGAR, PARIS, a_photo, an_image, only
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.checks.rules.gf201_light_at_night import light_at_night as gf201
from gtloc_forensics.checks.rules.gf202_light_at_dusk import brightest_ev100
from gtloc_forensics.checks.rules.gf202_light_at_dusk import light_at_dusk as gf202
from gtloc_forensics.checks.rules.gf210_light_likelihood import light_likelihood as gf210
from gtloc_forensics.evidence import exposure
from gtloc_forensics.records import Absent, Confidence, Outcome, Sun

SUNNY = {"f_number": 8.0, "exposure_s": 1 / 500, "iso": 100.0}  # EV100 15: full sun
ROOM = {"f_number": 2.0, "exposure_s": 1 / 60, "iso": 800.0}  # EV100 4.9


def sun_at(elevation, *, low=None):
    from datetime import datetime

    return Sun(elevation, 0.0, datetime(2024, 6, 15), "stated", (elevation if low is None else low, elevation))


def test_full_sun_at_midnight_is_a_contradiction():
    finding = only(gf201, a_photo(local="2024-12-15 00:00", offset=1.0, position=PARIS, **SUNNY))
    assert finding.outcome is Outcome.CONTRADICTION
    assert finding.facts["ev100"] == pytest.approx(15, abs=0.1)
    assert any("Twelve hours later" in sentence for sentence in finding.inferred)


def test_full_sun_at_noon_and_a_room_at_midnight_are_consistent():
    for local, light in (("2024-06-15 14:00", SUNNY), ("2024-12-15 00:00", ROOM)):
        assert only(gf201, a_photo(local=local, position=PARIS, **light)).outcome is Outcome.CONSISTENT


def test_just_below_the_threshold_nothing_is_said():
    for ev100, elevation in ((11.9, -30.0), (15.0, -5.9)):
        assert only(gf201, a_photo(position=PARIS, ev100=ev100, sun=sun_at(elevation))).outcome is Outcome.CONSISTENT


def test_between_the_thresholds_it_is_suspicious_only():
    for ev100, elevation in ((12.0, -30.0), (15.0, -6.1)):
        assert only(gf201, a_photo(position=PARIS, ev100=ev100, sun=sun_at(elevation))).outcome is Outcome.SUSPICIOUS


@pytest.mark.parametrize(
    "doubt",
    [{"ExifIFD:FocalLengthIn35mmFormat": 600}, {"ExifIFD:ExposureProgram": 1}, {"ExifIFD:ExposureMode": 1}],
)
def test_the_moon_or_a_manual_exposure_leave_a_doubt(doubt):
    finding = only(gf201, a_photo(position=PARIS, ev100=15.0, sun=sun_at(-40.0), tags=doubt))
    assert (finding.outcome, finding.confidence) == (Outcome.SUSPICIOUS, Confidence.WEAK)


def test_a_dark_picture_with_a_bright_exposure_is_a_lamp_and_no_day():
    dark = an_image(mean_luminance=0.05), an_image(mean_luminance=0.1), an_image(uniformity=0.98)
    for image in dark:
        photo = a_photo(position=PARIS, ev100=13.0, sun=sun_at(-30.0), image=image)
        assert only(gf201, photo).outcome is Outcome.NOT_TESTABLE
        assert only(gf210, photo).outcome is Outcome.NOT_TESTABLE
    assert only(gf201, a_photo(position=PARIS, ev100=13.0, sun=sun_at(-30.0), image=an_image())).is_found


def test_light_does_not_ask_again_what_gps_time_confirms():
    night = {"local": "2024-12-15 00:00", "position": PARIS}
    confirmed = only(gf201, a_photo(**night, gps="2024-12-14 23:00:02", **SUNNY))
    assert confirmed.outcome is Outcome.EXPLAINED
    assert "GPS time confirms" in confirmed.summary
    assert only(gf201, a_photo(**night, **SUNNY)).is_found


def test_from_an_aircraft_the_sun_sets_later():
    high = a_photo(position=PARIS, ev100=14.6, sun=sun_at(-2.9), altitude_m=11_200.0)
    low = a_photo(position=PARIS, ev100=14.6, sun=sun_at(-2.9), altitude_m=30.0)
    assert not only(gf202, high).is_found
    assert only(gf202, low).is_found
    assert only(gf210, high).outcome is Outcome.NOT_TESTABLE


def test_the_height_of_the_sun_is_one_whichever_rule_speaks_of_it():
    night = a_photo(local="2024-12-15 00:00", offset=1.0, position=PARIS, altitude_m=600.0, **SUNNY)
    by_night, by_light = only(gf201, night), only(gf210, night)
    assert by_night.derived[0] == by_light.derived[0]
    assert by_night.derived[1].startswith("Seen from the claimed height, and over every offset that is open: at most -")
    at_sea = only(gf201, a_photo(local="2024-12-15 00:00", offset=1.0, position=PARIS, **SUNNY))
    assert not any("at most" in told for told in at_sea.derived)


def test_no_p_value_is_finer_than_the_number_of_sources():
    finding = only(gf210, a_photo(local="2024-12-15 00:00", offset=1.0, position=PARIS, **SUNNY))
    assert finding.p_value >= 1.0 / (exposure.load().groups + 1.0)


def test_the_most_favourable_of_all_offsets_counts():
    photo = a_photo(position=KASHGAR, ev100=15.0, sun=sun_at(3.0, low=-20.0))
    assert only(gf201, photo).outcome is Outcome.CONSISTENT


def test_a_lost_sign_that_puts_the_sun_up_is_named():
    photo = a_photo(local="2024-06-15 15:00", offset=10.0, position=(-33.87, -151.2), **SUNNY)
    finding = only(gf201, photo)
    assert finding.is_found
    assert any("other sign of the longitude" in sentence for sentence in finding.inferred)


@pytest.mark.parametrize(
    "photo",
    [
        a_photo(position=PARIS),
        a_photo(**SUNNY),
        a_photo(local="2024-12-15 00:00", position=PARIS, flash_fired=True, **SUNNY),
    ],
)
def test_without_light_place_or_with_flash_it_cannot_be_tested(photo):
    assert only(gf201, photo).outcome is Outcome.NOT_TESTABLE


@given(st.floats(-10, 30), st.floats(-90, 90))
def test_dark_frames_are_never_found(ev100, elevation):
    finding = only(gf201, a_photo(position=PARIS, ev100=ev100, sun=sun_at(elevation)))
    assert not finding.is_found or (ev100 >= 12 and elevation < -6)


# --------------------------------------------------------------------------- GF202


def test_noon_light_in_twilight_is_suspicious():
    finding = only(gf202, a_photo(position=PARIS, ev100=14.5, sun=sun_at(-4.0)))
    assert (finding.outcome, finding.confidence) == (Outcome.SUSPICIOUS, Confidence.WEAK)


def test_the_brightest_confirmed_twilight_frame_is_consistent():
    """EV100 12.8 at −1.7°, the extreme of 24 frames whose time GPS confirms."""
    assert only(gf202, a_photo(position=PARIS, ev100=12.8, sun=sun_at(-1.7))).outcome is Outcome.CONSISTENT


@pytest.mark.parametrize("elevation", [-1.4, -6.1, 30.0, -40.0])
def test_outside_twilight_it_is_the_business_of_others(elevation):
    assert only(gf202, a_photo(position=PARIS, ev100=16.0, sun=sun_at(elevation))).outcome is Outcome.NOT_TESTABLE


def test_flash_or_no_exposure_cannot_be_tested():
    photo = a_photo(position=PARIS, ev100=16.0, sun=sun_at(-4.0), flash_fired=True)
    assert only(gf202, photo).outcome is Outcome.NOT_TESTABLE
    assert only(gf202, a_photo(position=PARIS, sun=sun_at(-4.0))).outcome is Outcome.NOT_TESTABLE
    assert only(gf202, a_photo(sun=Absent.MISSING)).outcome is Outcome.NOT_TESTABLE


def test_the_line_meets_the_night_rule_at_the_end_of_civil_twilight():
    assert brightest_ev100(-6.0) == pytest.approx(12.0)
    assert brightest_ev100(-1.5) == pytest.approx(15.0)
