"""GF101–GF104: clocks, offsets and dates of one file against each other."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from builders import (
    KASHGAR,
    LONDON,
    MID_ATLANTIC,
    NEW_YORK,
    PARIS,
    a_photo,
    findings_of,
    only,
    stated,
)
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.checks import offsets
from gtloc_forensics.checks.rules.gf101_clock_gps import clock_against_gps as gf101
from gtloc_forensics.checks.rules.gf102_offset_place import offset_at_place as gf102
from gtloc_forensics.checks.rules.gf104_date_order import date_order as gf104
from gtloc_forensics.records import Absent, Outcome, Severity

PHONE = {"make": "Apple", "model": "iPhone 13"}
RECEIVER = {"GPS:GPSHPositioningError": 5.0}


# --------------------------------------------------------------------------- GF101


def test_a_camera_that_agrees_with_gps_is_consistent():
    finding = only(gf101, a_photo(local="2024-06-15 14:00:01", gps="2024-06-15 12:00:00", position=PARIS))
    assert finding.outcome is Outcome.CONSISTENT


def test_a_clock_six_hours_off_is_found_with_its_offset():
    finding = only(gf101, a_photo(local="2024-06-15 20:00:00", gps="2024-06-15 12:00:00", position=PARIS))
    assert finding.outcome is Outcome.SUSPICIOUS
    assert finding.severity is Severity.HIGH
    assert finding.cause.kind == "clock-offset"
    assert finding.cause.offset_hours == pytest.approx(6.0)
    assert finding.cause.device_key == "model:Acme|One"
    assert "6 h ahead of" in finding.summary


def test_a_clock_behind_has_a_negative_offset():
    finding = only(gf101, a_photo(local="2024-06-15 05:37:07", gps="2024-06-15 12:00:07", position=PARIS))
    assert finding.is_found
    assert finding.cause.offset_hours == pytest.approx(-8 - 23 / 60)


@pytest.mark.parametrize("seconds", [61, 146, 299, -299])
def test_a_slow_or_fast_clock_within_five_minutes_is_explained(seconds):
    local = datetime(2024, 6, 15, 14) + timedelta(seconds=seconds)
    finding = only(gf101, a_photo(local=local, gps="2024-06-15 12:00:00", position=PARIS))
    assert finding.outcome is Outcome.EXPLAINED
    assert finding.cause.kind == "clock-drift"
    assert finding.cause.offset_hours == pytest.approx(seconds / 3600)


def test_just_over_five_minutes_is_no_longer_drift():
    finding = only(gf101, a_photo(local="2024-06-15 13:54:00", gps="2024-06-15 12:00:00", position=PARIS))
    assert finding.outcome is Outcome.SUSPICIOUS


def test_the_whole_day_bug_of_a_known_model_is_explained():
    """Nikon COOLPIX P6000: GPS date one day ahead in nine genuine files of nine."""
    photo = a_photo(
        make="NIKON",
        model="COOLPIX P6000",
        local="2008-10-22 16:28:39",
        gps="2008-10-23 14:27:07",
        position=(43.467, 11.885),
    )
    finding = only(gf101, photo)
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "day-bug")


def test_a_whole_day_on_another_model_is_found():
    finding = only(gf101, a_photo(local="2024-06-15 14:00", gps="2024-06-16 12:00", position=PARIS))
    assert finding.outcome is Outcome.SUSPICIOUS
    assert finding.cause.offset_hours == pytest.approx(-24.0)


def test_a_gps_date_that_is_the_local_date_is_explained():
    photo = a_photo(**PHONE, local="2013-07-23 18:43:25", gps="2013-07-23 01:43:24", position=(32.7138, -117.1738))
    finding = only(gf101, photo)
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "day-bug")


def test_the_week_rollover_is_explained():
    gps = datetime(2024, 6, 15, 12) - timedelta(weeks=1024)
    finding = only(gf101, a_photo(local="2024-06-15 14:00", gps=gps, position=PARIS))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "week-rollover")


def test_a_stale_fix_is_explained_and_a_clock_behind_gps_is_not():
    stale = only(
        gf101, a_photo(**PHONE, local="2018-08-09 12:40:11", gps="2018-08-09 05:18:04", position=(21.086, 72.961))
    )
    assert (stale.outcome, stale.cause.kind) == (Outcome.EXPLAINED, "stale-fix")
    behind = only(
        gf101, a_photo(**PHONE, local="2018-08-09 12:40:11", gps="2018-08-09 08:57:04", position=(21.086, 72.961))
    )
    assert behind.is_found


def test_summer_time_not_switched_is_explained_for_a_camera_only():
    camera = only(gf101, a_photo(local="2024-06-15 13:00", gps="2024-06-15 12:00", position=PARIS))
    assert (camera.outcome, camera.cause.kind) == (Outcome.EXPLAINED, "dst")
    assert camera.cause.offset_hours == pytest.approx(-1.0)
    phone = only(gf101, a_photo(**PHONE, local="2024-06-15 13:00", gps="2024-06-15 12:00", position=PARIS))
    assert phone.is_found


def test_local_time_copied_into_the_gps_tags_is_explained():
    finding = only(gf101, a_photo(local="2008-05-08 09:54:28", gps="2008-05-08 09:54:28", position=(36.448, -116.855)))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "gps-local-time")


def test_the_receivers_own_time_comes_before_an_editors_copy_of_it():
    """Photoshop CS3 copied 23:21:56 UTC to XMP as 23:21:56-04:00; EXIF still has the time, without a date."""
    copy = stated(datetime(2014, 8, 12, 3, 21, 56), tag="XMP-exif:GPSDateTime", raw="2014:08:11 23:21:56-04:00")
    photo = a_photo(
        local="2014-08-11 19:21:56",
        position=(42.353, -71.111),
        tags={"GPS:GPSTimeStamp": "23:21:56.17"},
        subject_to={"gps_utc_time": copy},
    )
    assert only(gf101, photo).outcome is Outcome.CONSISTENT


def test_a_dateless_gps_time_in_local_time_is_explained():
    """An early iPhone: 17:08:00 in Florida, GPS time 17:07:45 without a date."""
    photo = a_photo(
        **PHONE, local="2010-10-10 17:08", position=(29.904, -81.299), tags={"GPS:GPSTimeStamp": "17:07:44.96"}
    )
    finding = only(gf101, photo)
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "gps-local-time")


def test_a_telephone_on_utc_is_found():
    photo = a_photo(**PHONE, local="2024-06-15 12:00", gps="2024-06-15 12:00", position=PARIS, tags=RECEIVER)
    finding = only(gf101, photo)
    assert finding.is_found
    assert finding.cause.offset_hours == pytest.approx(-2.0)


def test_several_legal_zones_are_all_accepted():
    for local in ("2024-06-15 18:00", "2024-06-15 20:00"):
        finding = only(gf101, a_photo(local=local, gps="2024-06-15 12:00", position=KASHGAR))
        assert finding.outcome is Outcome.CONSISTENT


def test_a_stated_offset_is_accepted_wherever_the_photo_was_taken():
    photo = a_photo(local="2024-06-15 14:00", offset=2.0, gps="2024-06-15 12:00", position=NEW_YORK)
    assert only(gf101, photo).outcome is Outcome.CONSISTENT


def test_without_place_or_offset_any_zone_would_do_and_it_says_so():
    finding = only(gf101, a_photo(local="2024-06-15 20:00", gps="2024-06-15 12:00"))
    assert finding.outcome is Outcome.CONSISTENT
    assert "any zone would do" in finding.summary


def test_am_and_pm_mixed_up_are_named():
    finding = only(gf101, a_photo(local="2024-06-15 02:00", gps="2024-06-15 12:00", position=PARIS))
    assert any("a.m." in sentence for sentence in finding.inferred)


@pytest.mark.parametrize(
    ("local", "named"), [("2024-03-09 14:00", True), ("2024-06-09 14:00", False), ("2024-03-13 14:00", False)]
)
def test_day_and_month_exchanged_are_named(local, named):
    """Truly 3 September 2024, 14:00 in Paris; winter time on the wrong date."""
    finding = only(gf101, a_photo(local=local, gps="2024-09-03 12:00", position=PARIS))
    assert finding.is_found
    assert any("exchanged" in sentence for sentence in finding.inferred) is named


def test_a_telephone_with_no_excuse_is_a_contradiction():
    photo = a_photo(**PHONE, local="2024-06-15 11:17", gps="2024-06-18 17:42", position=PARIS, tags=RECEIVER)
    assert only(gf101, photo).outcome is Outcome.CONTRADICTION


def test_a_reset_clock_is_explained():
    finding = only(gf101, a_photo(local="2012-01-01 00:03", gps="2016-08-11 09:41", position=PARIS))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "clock-reset")


def test_gps_time_without_its_date_is_compared_within_the_day():
    photo = a_photo(local="2024-06-15 23:30", position=NEW_YORK, tags={"GPS:GPSTimeStamp": "03:30:10"})
    finding = only(gf101, photo)
    assert finding.outcome is Outcome.CONSISTENT
    assert not finding.facts["gps_dated"]
    assert finding.limitations


@pytest.mark.parametrize(
    "photo",
    [
        a_photo(local="2024-06-15 14:00", position=PARIS),
        a_photo(local=None, gps="2024-06-15 12:00", position=PARIS),
        a_photo(local="2024-06-15 14:00", position=PARIS, tags={"GPS:GPSTimeStamp": "99:99:99"}),
    ],
)
def test_without_two_clocks_nothing_is_compared(photo):
    assert only(gf101, photo).outcome is Outcome.NOT_TESTABLE


@given(st.datetimes(), st.datetimes(), st.sampled_from([PARIS, KASHGAR, MID_ATLANTIC, None]))
def test_any_two_clocks_give_exactly_one_verdict(local, gps, position):
    finding = only(gf101, a_photo(local=local, gps=gps, position=position, sun=Absent.UNDERIVABLE))
    assert finding.summary.endswith(".")
    assert finding.outcome is not Outcome.NOT_TESTABLE


@given(st.floats(-14, 14).filter(lambda h: min(abs(h), abs(h + 1)) > 0.09))
def test_every_fault_of_a_cameras_clock_is_found_or_named(hours):
    local = datetime(2024, 6, 15, 14, 0, 7) + timedelta(hours=hours)
    finding = only(gf101, a_photo(local=local, gps="2024-06-15 12:00:07", position=PARIS, sun=Absent.UNDERIVABLE))
    assert finding.outcome is not Outcome.CONSISTENT
    if finding.cause.kind == "stale-fix":  # off the grid of zones the old fix is the likelier story
        assert hours > 0
    elif finding.cause.kind == "clock-or-gps":  # one photo cannot tell a fast clock from a fix many hours old
        assert hours > 6
        assert finding.is_found
    elif finding.cause.kind == "gps-local-time":  # equal to the second: copied, or a camera set to UTC
        assert hours == pytest.approx(-2.0, abs=0.001)
    else:
        assert finding.cause.offset_hours == pytest.approx(hours, abs=0.001)


# --------------------------------------------------------------------------- GF102


def test_a_legal_offset_is_consistent():
    assert only(gf102, a_photo(local="2024-06-15 14:00", offset=2.0, position=PARIS)).outcome is Outcome.CONSISTENT


def test_both_clocks_of_xinjiang_are_legal():
    for offset in (6.0, 8.0):
        assert only(gf102, a_photo(offset=offset, position=KASHGAR)).outcome is Outcome.CONSISTENT


def test_a_telephone_in_the_wrong_zone_is_found():
    finding = only(gf102, a_photo(**PHONE, offset=-5.0, position=PARIS))
    assert finding.outcome is Outcome.SUSPICIOUS
    assert "UTC−05:00" in finding.summary


def test_a_camera_on_its_home_zone_is_explained():
    finding = only(gf102, a_photo(offset=-4.0, position=PARIS))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "zone")
    assert finding.cause.offset_hours == pytest.approx(-6.0)


def test_summer_time_not_switched_is_told_from_a_wrong_zone():
    finding = only(gf102, a_photo(offset=1.0, position=PARIS))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "dst")


def test_a_telephone_near_a_border_may_roam():
    near_border = (42.36, -7.9)  # Galicia, 50 km from Portugal
    photo = a_photo(**PHONE, offset=1.0, local="2024-06-15 12:00", position=(41.95, -8.2))
    assert only(gf102, photo).outcome is not Outcome.SUSPICIOUS
    far = a_photo(**PHONE, offset=-3.0, local="2024-06-15 12:00", position=near_border)
    assert only(gf102, far).outcome is Outcome.SUSPICIOUS


def test_a_programs_offset_is_explained_even_on_a_telephone():
    by_program = stated(0.0, tag="XMP-photoshop:DateCreated", raw="2018:12:02 17:42:42+00:00")
    photo = a_photo(
        **PHONE, local="2018-12-02 17:42:42", position=(38.102, -122.567), subject_to={"utc_offset_hours": by_program}
    )
    assert only(gf102, photo).outcome is Outcome.EXPLAINED


def test_a_ship_keeps_the_time_it_likes():
    finding = only(gf102, a_photo(**PHONE, offset=-2.0, position=MID_ATLANTIC))
    assert finding.outcome is Outcome.EXPLAINED


def test_a_telephones_confirmed_clock_does_not_say_which_of_place_and_zone_is_wrong():
    told = {"local": "2024-06-15 08:00", "offset": -4.0, "gps": "2024-06-15 12:00", "position": PARIS}
    finding = only(gf102, a_photo(**PHONE, **told))
    assert finding.outcome is Outcome.SUSPICIOUS
    assert "odd one out" not in finding.summary
    assert "either the place or the zone kept is another" in finding.summary


def test_only_the_written_offset_is_named_where_clock_gps_time_and_place_agree_without_it():
    told = {"local": "2024-06-15 14:00", "offset": -5.0, "gps": "2024-06-15 12:00", "position": PARIS}
    finding = only(gf102, a_photo(**PHONE, **told))
    assert finding.outcome is Outcome.SUSPICIOUS
    assert "only the written offset differs" in finding.summary


@pytest.mark.parametrize(
    ("local", "offset", "gps", "place", "why"),
    [
        ("2023-04-22 13:00", -5.0, "2023-04-22 18:00", (19.433, -99.133), "earlier years"),  # as Mexico did
        (
            "2020-11-16 15:00",
            -2.0,
            "2020-11-16 17:00",
            (-23.55, -46.633),
            "earlier years",
        ),  # Brazil gave up summer time
        ("2024-01-15 12:00", 2.0, "2024-01-15 10:00", (47.0, 2.5), "another time of that year"),
        ("2022-09-06 08:20", -5.0, "2022-09-06 13:20", (33.26, -84.6), "another time of that year"),
        ("2022-12-06 12:20", 0.0, "2022-12-06 12:20", (40.4, -5.0), "neighbour's hour"),  # 150 km inside Spain
        ("2014-05-03 12:20", -5.05, "2014-05-03 17:23", (19.427, -99.168), "difference of two clocks"),
    ],
)
def test_a_foreign_offset_whose_instant_gps_confirms_is_told_as_what_it_is(local, offset, gps, place, why):
    finding = only(gf102, a_photo(**PHONE, local=local, offset=offset, gps=gps, position=place))
    assert finding.outcome is Outcome.EXPLAINED
    assert why in finding.summary
    assert "confirms the instant" in finding.summary


def test_a_zone_kept_through_a_journey_is_explained_by_the_devices_other_photos():
    ports = [(41.112, 16.87), (36.712, 22.97), (36.441, 28.225), (37.95, 58.38)]  # Bari, Kythira, Rhodes, Ashgabat
    photos = [
        a_photo(
            **PHONE,
            name=f"{day}.jpg",
            local=f"2022-06-2{day} 10:00",
            offset=2.0,
            gps=f"2022-06-2{day} 08:00",
            position=place,
        )
        for day, place in enumerate(ports)
    ]
    assert only(gf102, photos[3]).is_found
    assert only(gf102, photos[3], among=photos).outcome is Outcome.EXPLAINED


@pytest.mark.parametrize(
    "flying", [{"altitude_m": 10_700.0}, {"tags": {"GPS:GPSSpeed": 230.0, "GPS:GPSSpeedRef": "M"}}]
)
def test_in_an_aircraft_the_time_of_departure_is_kept(flying):
    finding = only(gf102, a_photo(**PHONE, offset=-4.0, position=PARIS, **flying))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "aircraft")


def test_a_lost_sign_is_offered_as_the_repair():
    photo = a_photo(**PHONE, local="2024-06-15 12:00", offset=-4.0, position=(40.7128, 74.0060))
    finding = only(gf102, photo)
    assert finding.cause.kind == "position"
    assert any("longitude" in sentence for sentence in finding.inferred)


def test_an_offset_no_clock_keeps_is_found_even_on_a_camera():
    finding = only(gf102, a_photo(offset=3.25, position=PARIS))
    assert finding.outcome is Outcome.SUSPICIOUS
    assert "No civil clock" in finding.summary


@pytest.mark.parametrize("photo", [a_photo(position=PARIS), a_photo(offset=2.0), a_photo(local=None, position=PARIS)])
def test_without_offset_or_place_there_is_no_zone_to_test(photo):
    assert only(gf102, photo).outcome is Outcome.NOT_TESTABLE


@given(st.floats(-14, 15))
def test_the_nearest_civil_offset_leaves_at_most_half_an_hour_or_is_none(hours):
    slip = offsets.nearest_civil(hours * 3600)
    assert slip is None or abs(slip.residual_s) <= 1800.5


# --------------------------------------------------------------------------- GF104

DATES = {"ExifIFD:CreateDate": "2024:06:15 12:00:00", "IFD0:ModifyDate": "2024:06:15 12:00:00"}


def dated(**changes):
    return a_photo(local="2024-06-15 12:00:00", tags={**DATES, **changes})


def test_equal_dates_and_a_later_change_are_consistent():
    assert only(gf104, dated()).outcome is Outcome.CONSISTENT
    assert only(gf104, dated(**{"IFD0:ModifyDate": "2024:06:25 12:00:00"})).outcome is Outcome.CONSISTENT


def test_a_capture_after_the_examination_is_impossible():
    finding = findings_of(gf104, dated(), now="2024-06-01 12:00")[0]
    assert finding.outcome is Outcome.CONTRADICTION


def test_a_capture_today_on_the_far_side_of_the_date_line_is_not_the_future():
    assert only(gf104, dated(), now="2024-06-14 22:30").outcome is Outcome.CONSISTENT


def test_a_change_before_the_capture_is_found_and_one_within_zones_is_not():
    assert only(gf104, dated(**{"IFD0:ModifyDate": "2024:06:12 12:00:00"})).outcome is Outcome.SUSPICIOUS
    assert only(gf104, dated(**{"IFD0:ModifyDate": "2024:06:14 11:00:00"})).outcome is Outcome.CONSISTENT


def test_a_change_at_a_factory_default_is_explained():
    finding = only(gf104, dated(**{"IFD0:ModifyDate": "1980:01:01 00:00:12"}))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "unset-date")


def test_a_scan_is_digitised_later_and_a_photo_is_not():
    later = {"ExifIFD:CreateDate": "2024:08:15 12:00:00"}
    assert only(gf104, dated(**later)).outcome is Outcome.SUSPICIOUS
    assert only(gf104, dated(**later, **{"ExifIFD:FileSource": 2})).outcome is Outcome.EXPLAINED


def test_digitised_at_a_factory_default_is_explained():
    """A sensor camera: captured 2016-01-06, digitised 1970-01-01 00:03:27."""
    finding = only(gf104, dated(**{"ExifIFD:CreateDate": "1970:01:01 00:03:27"}))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "unset-date")


def test_digitised_before_captured_is_found():
    assert only(gf104, dated(**{"ExifIFD:CreateDate": "2024:06:01 12:00:00"})).outcome is Outcome.SUSPICIOUS


@pytest.mark.parametrize("text", ["2024:13:15 12:00:00", "2024:02:30 12:00:00", "2024:06:15 25:00:00", "yesterday"])
def test_a_date_outside_the_calendar_is_found(text):
    finding = only(gf104, dated(**{"ExifIFD:CreateDate": text}))
    assert finding.outcome is Outcome.SUSPICIOUS


@pytest.mark.parametrize("text", ["0000:00:00 00:00:00", "    :  :     :  :  ", ""])
def test_a_date_never_set_is_no_fault(text):
    assert only(gf104, dated(**{"ExifIFD:CreateDate": text})).outcome is Outcome.CONSISTENT


def test_one_date_alone_cannot_be_out_of_order():
    assert only(gf104, a_photo(local="2024-06-15 12:00")).outcome is Outcome.NOT_TESTABLE


@given(st.text(max_size=40))
def test_no_text_in_a_date_breaks_the_rule(text):
    findings_of(gf104, dated(**{"ExifIFD:CreateDate": text}))


def test_london_in_winter_is_on_utc_and_gps_equals_local():
    photo = a_photo(local="2024-01-15 12:00", gps="2024-01-15 12:00", position=LONDON)
    assert only(gf101, photo).outcome is Outcome.CONSISTENT
