"""GF109–GF112, GF119: the position against itself, its altitude and the clocks."""

from __future__ import annotations

import pytest
from builders import MID_ATLANTIC, NEW_YORK, PARIS, SYDNEY, a_photo, findings_of, only, stated
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.checks.reference import countries
from gtloc_forensics.checks.rules.gf109_two_positions import two_positions as gf109
from gtloc_forensics.checks.rules.gf110_position_form import position_form as gf110
from gtloc_forensics.checks.rules.gf111_gps_internals import gps_internals as gf111
from gtloc_forensics.checks.rules.gf112_altitude import altitude as gf112
from gtloc_forensics.checks.rules.gf119_position_slips import position_slips as gf119
from gtloc_forensics.checks.rules.gf121_country import country as gf121
from gtloc_forensics.records import Absent, Confidence, Outcome, Position, Reading

PHONE = {"make": "Apple", "model": "iPhone 13"}


def rival(latitude, longitude):
    position = stated(
        Position(*PARIS),
        tag="GPS:GPSLatitude",
        rivals=(Reading(Position(latitude, longitude), "XMP-exif:GPSLatitude", f"{latitude},{longitude}"),),
    )
    return a_photo(position=PARIS, subject_to={"position": position})


def test_positions_that_repeat_each_other_are_consistent():
    assert only(gf109, rival(48.857, 2.352)).outcome is Outcome.CONSISTENT


def test_a_position_changed_in_one_block_is_found():
    finding = only(gf109, rival(52.52, 13.405))
    assert (finding.outcome, finding.cause.kind) == (Outcome.SUSPICIOUS, "position")
    assert finding.facts["distance_km"] == pytest.approx(878, abs=3)


def test_a_rounded_second_position_is_explained():
    assert only(gf109, rival(48.87, 2.35)).outcome is Outcome.EXPLAINED


def test_a_lost_sign_between_two_blocks_is_named():
    assert any("longitude" in sentence for sentence in only(gf109, rival(PARIS[0], -PARIS[1])).inferred)


def test_one_position_cannot_disagree():
    assert only(gf109, a_photo(position=PARIS)).outcome is Outcome.NOT_TESTABLE


# --------------------------------------------------------------------------- GF110


def test_a_position_with_its_digits_is_consistent():
    assert only(gf110, a_photo(position=(48.856613, 2.352222))).outcome is Outcome.CONSISTENT


def test_null_island_is_no_position_and_explained():
    finding = only(gf110, a_photo(subject_to={"position": Absent.NO_FIX}))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "no-fix")


@pytest.mark.parametrize("place", [(48.85, 2.35), (48 + 51 / 60, 2 + 21 / 60), (-33.0, 151.0)])
def test_a_rounded_position_is_explained(place):
    finding = only(gf110, a_photo(position=place))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "rounded-position")


@pytest.mark.parametrize("place", [(48.85, 2.351), (48.8501, 2.35)])
def test_one_round_coordinate_is_chance(place):
    assert only(gf110, a_photo(position=place)).outcome is Outcome.CONSISTENT


def test_equal_coordinates_and_missing_hemispheres_are_found():
    assert only(gf110, a_photo(position=(41.123457, 41.123457))).is_found
    finding = only(gf110, a_photo(position=(48.856613, 2.352222), tags={"GPS:GPSLongitudeRef": ""}))
    assert finding.is_found
    assert "GPSLongitudeRef" in finding.summary


def test_no_position_has_no_form():
    assert only(gf110, a_photo()).outcome is Outcome.NOT_TESTABLE


# --------------------------------------------------------------------------- GF111


def fix(**tags):
    return a_photo(position=PARIS, tags={f"GPS:{name}": value for name, value in tags.items()})


def test_a_good_fix_is_consistent():
    assert only(gf111, fix(GPSStatus="A", GPSDOP=2.1, GPSMapDatum="WGS-84", GPSSpeed=4.0)).outcome is Outcome.CONSISTENT
    assert only(gf111, fix(GPSDOP=20.0)).outcome is Outcome.CONSISTENT


@pytest.mark.parametrize(
    "tags",
    [{"GPSStatus": "V"}, {"GPSDOP": 41.8}, {"GPSProcessingMethod": "CELLID"}, {"GPSMapDatum": "TOKYO"}],
)
def test_what_limits_a_fix_is_explained(tags):
    finding = only(gf111, fix(**tags))
    assert finding.outcome is Outcome.EXPLAINED
    assert finding.limitations


def test_a_large_stated_error_limits_a_fix():
    assert (
        only(gf111, a_photo(position=PARIS, position_error_m=4500.0, tags={"GPS:GPSSpeed": 0})).outcome
        is Outcome.EXPLAINED
    )


def test_a_speed_beyond_all_airliners_is_found_in_any_unit():
    assert only(gf111, fix(GPSSpeed=1300.0, GPSSpeedRef="K")).is_found
    assert only(gf111, fix(GPSSpeed=700.0, GPSSpeedRef="N")).is_found
    assert only(gf111, fix(GPSSpeed=700.0, GPSSpeedRef="K")).outcome is Outcome.CONSISTENT


def test_a_silent_receiver_cannot_be_tested():
    assert only(gf111, a_photo(position=PARIS)).outcome is Outcome.NOT_TESTABLE
    assert only(gf111, a_photo()).outcome is Outcome.NOT_TESTABLE


# --------------------------------------------------------------------------- GF112


@pytest.mark.parametrize("height", [35.0, -430.0, -549.0, 8848.0])
def test_heights_that_land_has_are_consistent(height):
    assert only(gf112, a_photo(position=PARIS, altitude_m=height)).outcome is Outcome.CONSISTENT


@pytest.mark.parametrize("height", [-551.0, 14_001.0])
def test_heights_that_no_land_has_are_found(height):
    assert only(gf112, a_photo(position=PARIS, altitude_m=height)).is_found


def test_the_height_of_an_airliner_is_explained_unless_the_receiver_tells_another_speed():
    """Telephones of several makers write a height and no speed: it is no mountain that they claim."""
    standing = {"GPS:GPSSpeed": 0.0, "GPS:GPSSpeedRef": "K"}
    assert only(gf112, a_photo(position=PARIS, altitude_m=9_500.0)).outcome is Outcome.EXPLAINED
    assert only(gf112, a_photo(position=PARIS, altitude_m=9_500.0, tags=standing)).is_found


def test_a_mountain_in_the_open_sea_is_found_and_an_airliner_is_explained():
    assert only(gf112, a_photo(position=MID_ATLANTIC, altitude_m=1200.0)).is_found
    assert only(gf112, a_photo(position=MID_ATLANTIC, altitude_m=20.0)).outcome is Outcome.CONSISTENT
    flying = {"GPS:GPSSpeed": 850.0, "GPS:GPSSpeedRef": "K"}
    assert only(gf112, a_photo(position=MID_ATLANTIC, altitude_m=10_600.0, tags=flying)).outcome is Outcome.EXPLAINED


def test_without_an_altitude_there_is_nothing_to_test():
    assert only(gf112, a_photo(position=PARIS)).outcome is Outcome.NOT_TESTABLE


# --------------------------------------------------------------------------- GF119


def test_a_lost_longitude_sign_is_recognised_by_the_stated_offset():
    photo = a_photo(**PHONE, local="2024-06-15 12:00", offset=-4.0, position=(NEW_YORK[0], -NEW_YORK[1]))
    finding = only(gf119, photo)
    assert (finding.outcome, finding.cause.kind) == (Outcome.SUSPICIOUS, "position")
    assert "E/W lost" in finding.summary


def test_a_lost_sign_is_recognised_by_gps_time_too():
    photo = a_photo(local="2024-06-15 08:00:20", gps="2024-06-15 12:00", position=(NEW_YORK[0], -NEW_YORK[1]))
    assert only(gf119, photo).is_found


def test_swapped_coordinates_are_recognised():
    photo = a_photo(**PHONE, local="2024-06-15 14:00", offset=2.0, position=(PARIS[1], PARIS[0]))
    assert any("swapped" in sentence for sentence in only(gf119, photo).inferred)


def test_a_position_that_fits_is_consistent():
    assert only(gf119, a_photo(offset=2.0, position=PARIS)).outcome is Outcome.CONSISTENT
    assert only(gf119, a_photo(offset=1.0, position=PARIS)).outcome is Outcome.CONSISTENT  # winter time kept


def test_a_foreign_offset_that_no_slip_explains_is_left_to_the_zone_rule():
    assert only(gf119, a_photo(offset=5.75, position=PARIS)).outcome is Outcome.CONSISTENT


def test_open_sea_with_land_in_the_mirror_is_a_weak_hint():
    photo = a_photo(position=(-SYDNEY[0] - 0.0, -SYDNEY[1] + 0.0))
    finding = only(gf119, photo)
    assert (finding.outcome, finding.confidence) == (Outcome.SUSPICIOUS, Confidence.WEAK)


def test_without_clocks_on_land_it_cannot_be_tested():
    assert only(gf119, a_photo(position=PARIS)).outcome is Outcome.NOT_TESTABLE
    assert only(gf119, a_photo()).outcome is Outcome.NOT_TESTABLE


@given(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from([None, -9.5, 0.0, 5.75, 13.0]))
def test_every_position_on_earth_gets_a_verdict(latitude, longitude, offset):
    photo = a_photo(position=(latitude, longitude), offset=offset, sun=Absent.UNDERIVABLE)
    for rule in (gf110, gf119):
        assert findings_of(rule, photo)


# --------------------------------------------------------------------------- GF121


@pytest.mark.parametrize("written", ["France", "FR", "FRA", "  france "])
def test_the_country_of_the_position_is_consistent(written):
    photo = a_photo(position=PARIS, tags={"XMP-photoshop:Country": written})
    assert only(gf121, photo).outcome is Outcome.CONSISTENT


def test_another_country_is_found():
    finding = only(gf121, a_photo(position=PARIS, tags={"IPTC:Country-PrimaryLocationName": "Deutschland"}))
    assert (finding.outcome, finding.cause.kind) == (Outcome.SUSPICIOUS, "position")
    assert "Germany" in finding.summary
    assert "France" in finding.summary


def test_a_neighbour_across_a_near_border_is_consistent():
    photo = a_photo(position=(48.573, 7.76), tags={"XMP-photoshop:Country": "Germany"})
    assert only(gf121, photo).outcome is Outcome.CONSISTENT


@pytest.mark.parametrize(
    "photo",
    [
        a_photo(position=PARIS),
        a_photo(position=PARIS, tags={"XMP-photoshop:Country": "Atlantis"}),
        a_photo(tags={"XMP-photoshop:Country": "France"}),
        a_photo(position=MID_ATLANTIC, tags={"XMP-photoshop:Country": "France"}),
    ],
)
def test_without_a_known_country_on_land_there_is_nothing_to_compare(photo):
    assert only(gf121, photo).outcome is Outcome.NOT_TESTABLE


def test_a_zone_belongs_to_its_own_country_only():
    assert countries.of_zone("Europe/Berlin") == {"DE"}
    assert countries.of_zone("Europe/Simferopol") == {"RU", "UA"}
    assert countries.of_zone("Etc/GMT+3") == frozenset()
