"""Dates, offsets and numbers are read in every notation that devices write and that has one meaning."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.correct import stamps
from gtloc_forensics.metadata import notations, tag_values
from gtloc_forensics.metadata.tag_values import DAY_S, DECADE_S, HOUR_S, MONTH_S, YEAR_S, Notation, moment, offset

WALLS = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1))
MINUTES = st.integers(min_value=-14 * 60, max_value=14 * 60)


@pytest.mark.parametrize(
    ("written", "wall"),
    [
        ("2019:01:01 24:04:20", "2019-01-01 00:04:20"),
        ("2012:11:22 03:04:05 PM", "2012-11-22 15:04:05"),
        ("2012:11:22 12:04:05 am", "2012-11-22 00:04:05"),
        ("2012:11:22 12:04:05 p.m.", "2012-11-22 12:04:05"),
        ("2023:06:15 10:00:00\u202fPM", "2023-06-15 22:00:00"),
        ("2013:11:22 下午3:04:05", "2013-11-22 15:04:05"),
        ("2013:11:22 上午12:04:05", "2013-11-22 00:04:05"),
        ("2016:03:02 오후 07:04:05", "2016-03-02 19:04:05"),
        ("2016:03:02 07:04:05 م", "2016-03-02 19:04:05"),
        ("2016:03:02 07:04:05 μ.μ.", "2016-03-02 19:04:05"),
        ("٢٠١٩:٠٥:٠١ ١٢:٣٠:٤٥", "2019-05-01 12:30:45"),
        ("२०१९:०५:०१ १२:३०:४५", "2019-05-01 12:30:45"),
        ("２０２３:06:15 10:00:00", "2023-06-15 10:00:00"),
        ("2567:05:01 12:00:00", "2024-05-01 12:00:00"),
        ("1403:01:01 10:00:00", "2024-03-20 10:00:00"),
        ("1399:12:30 10:00:00", "2021-03-20 10:00:00"),
        ("20121122150405", "2012-11-22 15:04:05"),
        ("20121122T150405Z", "2012-11-22 15:04:05"),
        ("2012/11/22 15:04:05", "2012-11-22 15:04:05"),
        ("2024年6月15日 下午3:04:00", "2024-06-15 15:04:00"),
        ("2018-01-20T11:46:00Z", "2018-01-20 11:46:00"),
        ("2023. 6. 15. 오전 10:00:00", "2023-06-15 10:00:00"),
        ("2023. 06. 15. 22:00:00", "2023-06-15 22:00:00"),
        ("2023年6月15日 10時05分09秒", "2023-06-15 10:05:09"),
        ("2023년 6월 15일 오후 3시 04분 05초", "2023-06-15 15:04:05"),
        ("Thu Jun 15 10:00:00 CEST 2023", "2023-06-15 10:00:00"),
        ("Thu Jun 15 10:00:00 GMT+05:30 2023", "2023-06-15 10:00:00"),
        ("2023-06-15T10:00:00+02:00[Europe/Berlin]", "2023-06-15 10:00:00"),
        ("Sat, 15 Jun 2024 12:34:56 +0200", "2024-06-15 12:34:56"),
        ("Sat Jun 15 12:34:56 2024", "2024-06-15 12:34:56"),
    ],
)
def test_a_date_is_read_in_the_notations_that_devices_write(written: str, wall: str) -> None:
    read = moment(written)
    assert read is not None
    assert read.wall == datetime.fromisoformat(wall)


@pytest.mark.parametrize(
    ("written", "wall", "resolution_s"),
    [
        ("1993:00:00 00:00:00", "1993-01-01", YEAR_S),
        ("1978", "1978-01-01", YEAR_S),
        ("2003:  :     :  :  ", "2003-01-01", YEAR_S),
        ("19780000", "1978-01-01", YEAR_S),
        ("1993:05:00 00:00:00", "1993-05-01", MONTH_S),
        ("1993-05", "1993-05-01", MONTH_S),
        ("19930500", "1993-05-01", MONTH_S),
        ("2003:05:  ", "2003-05-01", MONTH_S),
        ("198X", "1980-01-01", DECADE_S),
        ("1980s", "1980-01-01", DECADE_S),
        ("2003:05:06   :  :  ", "2003-05-06", DAY_S),
        ("2003:05:06 12:  :  ", "2003-05-06 12:00", HOUR_S),
    ],
)
def test_what_is_known_of_a_date_is_read_and_how_fine_it_is(written: str, wall: str, resolution_s: float) -> None:
    read = moment(written)
    assert read is not None
    assert (read.wall, read.resolution_s) == (datetime.fromisoformat(wall), resolution_s)
    assert (tag_values.full_date(written) is None) == (resolution_s > DAY_S)
    assert stamps.parsed(written) is None or resolution_s == DAY_S


@pytest.mark.parametrize(
    "written",
    [
        "    :  :     :  :  ",
        "0000:00:00 00:00:00",
        "1445:01:01 10:00:00",
        "5551",
        "22/11/2012",
        "1400:12:30",
        "5784:03:01 10:00:00",
        "2023. 6. fifteenth",
        "2023-6 15",
    ],
)
def test_what_has_two_meanings_or_none_is_no_date(written: str) -> None:
    assert moment(written) is None


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("Thu Jun 15 10:00:00 GMT+05:30 2023", 5.5),
        ("Thu Jun 15 10:00:00 CEST 2023", 2.0),
        ("Thu Jun 15 10:00:00 CST 2023", None),
        ("2023-06-15T10:00:00+02:00[Europe/Berlin]", 2.0),
        ("2012:06:15 10:00:00 MSK", None),
    ],
)
def test_a_zone_inside_a_date_of_a_program_is_its_offset(written: str, hours: float | None) -> None:
    read = moment(written)
    assert read is not None
    assert read.offset_hours == hours


def test_digits_alone_are_a_date_only_where_a_date_must_stand() -> None:
    assert moment("20120304050607", compact=False) is None
    assert moment("20120304050607") is not None
    assert moment("2012", compact=False) is None or moment("2012", compact=False).resolution_s == YEAR_S


def test_a_zone_name_that_several_zones_share_leaves_the_wall_clock() -> None:
    read = moment("2023:06:15 10:00:00 CST")
    assert read is not None
    assert (read.wall, read.offset_hours) == (datetime(2023, 6, 15, 10), None)
    assert read.notations == (Notation.ZONE_UNREAD,)


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("+0200", 2.0), ("+2", 2.0), ("UTC+2", 2.0), ("GMT+08:00", 8.0), ("UTC+5:30", 5.5), ("Z", 0.0), ("UTC", 0.0),
        ("+09:00:00", 9.0), ("-5:00", -5.0), ("−05:30", -5.5), ("+08", 8.0), ("CEST", 2.0), ("JST", 9.0),
        ("+٠٢:٠٠", 2.0), ("+530", 5.5), ("02:00", None), ("EST", None), ("IST", None), ("   :  ", None),
        ("+99:99", None), ("", None), ("+120", None), ("+945", 9.75), ("MSK", None),
    ],
)  # fmt: skip
def test_an_offset_is_read_in_the_notations_that_devices_write(written: str, hours: float | None) -> None:
    assert offset(written) == hours


@pytest.mark.parametrize(
    ("value", "read"), [("1/125", 0.008), ("2.8 3.5", 2.8), ("٣", 3.0), ("1/0", None), ("inf", None), ("undef", None)]
)
def test_a_number_is_read_or_is_none(value: object, read: float | None) -> None:
    assert tag_values.number(value) == read


def test_the_solar_hijri_year_begins_where_almanacs_say() -> None:
    """Nowruz of the years 1375 to 1404: 20 March in 1375, 1379, …, 1403, else 21 March (Iran, University of Tehran)."""
    assert notations.from_persian(1375, 1, 1) == date(1996, 3, 20)
    assert notations.from_persian(1376, 1, 1) == date(1997, 3, 21)
    assert notations.from_persian(1399, 1, 1) == date(2020, 3, 20)
    assert notations.from_persian(1400, 1, 1) == date(2021, 3, 21)
    assert notations.from_persian(1404, 1, 1) == date(2025, 3, 21)
    assert notations.from_persian(1357, 11, 22) == date(1979, 2, 11)
    assert notations.from_persian(1404, 12, 30) is None


@given(WALLS)
def test_every_day_has_one_solar_hijri_date(wall: datetime) -> None:
    year = wall.year - 621
    days = [
        (month, day)
        for first in (year - 1, year)
        for month in range(1, 13)
        for day in range(1, 32)
        if notations.from_persian(first, month, day) == wall.date()
    ]
    assert len(days) == 1


@given(WALLS, st.sampled_from(["%I:%M:%S %p", "%p %I:%M:%S"]))
def test_twelve_hours_are_read_back(wall: datetime, clock: str) -> None:
    read = moment(wall.strftime(f"%Y:%m:%d {clock}"))
    assert read is not None
    assert read.wall == wall.replace(microsecond=0)


@given(WALLS, st.sampled_from([0x660, 0x6F0, 0x966, 0xE50, 0xFF10]))
def test_digits_of_any_script_are_read_back(wall: datetime, zero: int) -> None:
    written = wall.strftime("%Y:%m:%d %H:%M:%S")
    read = moment("".join(chr(zero + int(sign)) if sign.isdigit() else sign for sign in written))
    assert read is not None
    assert read.wall == wall.replace(microsecond=0)


@given(
    MINUTES, st.sampled_from(["{s}{h:02d}:{m:02d}", "{s}{h:02d}{m:02d}", "UTC{s}{h}:{m:02d}", "{s}{h:02d}:{m:02d}:00"])
)
def test_an_offset_is_read_back_in_each_notation(minutes: int, form: str) -> None:
    hours, left = divmod(abs(minutes), 60)
    written = form.format(s="-" if minutes < 0 else "+", h=hours, m=left)
    assert offset(written) == pytest.approx(minutes / 60, abs=1e-9)


@given(WALLS, MINUTES, st.text(alphabet="0123456789", max_size=9))
def test_a_correction_and_a_claim_read_one_and_the_same(wall: datetime, minutes: int, digits: str) -> None:
    """What a correction writes is what a claim reads: the second, the fraction as written, the zone."""
    stamp = stamps.Stamp(wall.replace(microsecond=0), fraction=digits, zone=tag_values.spoken_offset(minutes / 60))
    assert stamps.parsed(stamp.exif()) == stamp
    read = moment(stamp.exif())
    assert read is not None
    assert read.wall - timedelta(microseconds=read.wall.microsecond) == stamp.wall


@given(st.one_of(st.text(max_size=70), st.text(alphabet="0123456789:-./ TZ+XxAPM年日午後?s", max_size=30)))
def test_no_text_makes_a_reader_raise(written: str) -> None:
    read = moment(written)
    assert read is None or read.resolution_s > 0
    moment(written, compact=False)
    tag_values.full_date(written)
    offset(written)
    tag_values.number(written)
    tag_values.sub_seconds(written)
    stamps.parsed(written)
