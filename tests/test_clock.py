"""One clock per camera: what each witness makes of it, and when it must keep silent."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from builders import a_group, a_summary
from hypothesis import given, settings
from hypothesis import strategies as st

from gtloc_forensics import checks
from gtloc_forensics.evidence import clocks, exposure
from gtloc_forensics.evidence.clocks import prior
from gtloc_forensics.evidence.clocks import steps as clock_steps
from gtloc_forensics.evidence.clocks import witnesses as clock_witnesses
from gtloc_forensics.evidence.exposure.clock_offsets import OFFSETS_HOURS
from gtloc_forensics.records import (
    Cause,
    CauseKind,
    ClockKind,
    ClockModel,
    ClockWitness,
    Confidence,
    Counter,
    CounterKind,
    Finding,
    OffsetSource,
    Outcome,
    PhotoSummary,
    Severity,
    durations,
)
from gtloc_forensics.store.codec import pack, plain, unpack

PARIS = {"latitude_deg": 48.8566, "longitude_deg": 2.3522, "zone": "Europe/Paris"}
NOON = datetime(2024, 6, 3, 12, 0)


def with_gps(
    count: int = 6, *, ahead_hours: float = 0.0, gps_days: float = 0.0, start: datetime = NOON, **more: object
):
    """Photos an hour apart in Paris in summer, their clock ahead, their GPS date moved."""
    found = []
    for number in range(count):
        true_local = start + timedelta(hours=number)
        found.append(
            a_summary(
                f"{start:%j}-{number}.jpg",
                local_time=true_local + timedelta(hours=ahead_hours),
                gps_utc_time=true_local - timedelta(hours=2) + timedelta(days=gps_days),
                **{**PARIS, **more},
            )
        )
    return found


# --------------------------------------------------------------------------- GPS time


def test_a_clock_that_agrees_with_gps_is_right() -> None:
    model = clocks.fit(a_group(*with_gps()))
    assert model.kind == "right"
    assert model.offset_hours == pytest.approx(0.0)
    assert "right for all 6 photos" in model.summary


@pytest.mark.parametrize(
    ("ahead_hours", "kind"),
    [(6.0, "wrong zone"), (-1.0, "dst"), (12.0, "am/pm"), (2.75, "constant offset"), (-7.0, "wrong zone")],
)
def test_gps_time_names_the_offset_and_its_kind(ahead_hours: float, kind: str) -> None:
    model = clocks.fit(a_group(*with_gps(ahead_hours=ahead_hours)))
    assert model.kind == kind
    assert model.offset_hours == pytest.approx(ahead_hours, abs=1e-6)
    assert model.interval_hours is not None and model.interval_hours[0] < ahead_hours < model.interval_hours[1]
    side = "ahead" if ahead_hours > 0.0 else "behind"
    assert f"{durations.length(ahead_hours)} {side}" in model.summary and "95 %" in model.summary


@given(minutes=st.integers(-14 * 60, 14 * 60))
@settings(max_examples=40, deadline=None)
def test_gps_time_finds_any_offset_to_the_minute(minutes: int) -> None:
    model = clocks.fit(a_group(*with_gps(ahead_hours=minutes / 60.0)))
    assert model.kind in ClockKind
    if model.offset_hours is not None:
        assert abs((model.offset_hours - minutes / 60.0 + 12.0) % 24.0 - 12.0) < 0.3


def test_a_clock_two_minutes_slow_is_right() -> None:
    assert clocks.fit(a_group(*with_gps(ahead_hours=-120 / 3600))).kind == "right"


def test_one_wrong_photo_does_not_condemn_the_camera() -> None:
    group = a_group(*with_gps(8), *with_gps(1, ahead_hours=6.0, start=NOON + timedelta(days=1)))
    assert clocks.fit(group).kind == "right"


def test_gps_dates_a_day_ahead_are_the_receivers_fault() -> None:
    model = clocks.fit(replace(a_group(*with_gps(gps_days=1.0)), label="NIKON COOLPIX P6000"))
    assert model.kind == "right"
    assert any("known fault of receivers" in sentence for sentence in model.evidence)


def test_another_makers_clock_a_day_behind_is_behind() -> None:
    assert clocks.fit(a_group(*with_gps(ahead_hours=-24.0))).offset_hours == pytest.approx(-24.0)


def test_a_gps_date_copied_from_the_camera_is_no_day_off() -> None:
    """After 22 h in summer Paris is a day ahead of UTC only by name."""
    evening = datetime(2024, 6, 3, 0, 10)
    photos = [
        a_summary(
            f"{day}",
            local_time=evening + timedelta(days=day),
            gps_utc_time=evening + timedelta(days=day, hours=22),
            **PARIS,
        )
        for day in range(4)
    ]
    model = clocks.fit(a_group(*photos))
    assert model.kind == "right" and model.offset_hours == pytest.approx(0.0)


def test_a_clock_thirty_days_ahead_is_told_with_its_days() -> None:
    model = clocks.fit(a_group(*with_gps(ahead_hours=30 * 24.0)))
    assert model.offset_hours == pytest.approx(720.0)
    assert "30 days ahead" in model.summary


def test_gps_time_copied_from_the_camera_is_no_witness() -> None:
    copied = [replace(with_gp, gps_utc_time=with_gp.local_time) for with_gp in with_gps()]
    model = clocks.fit(a_group(*copied))
    assert model.kind == "undetermined"
    assert any("repeats the camera's own time" in sentence for sentence in model.evidence)


def test_a_step_is_piecewise_and_names_its_photos() -> None:
    before, after = with_gps(5), with_gps(5, ahead_hours=-3.0, start=NOON + timedelta(days=2))
    model = clocks.fit(a_group(*before, *after))
    assert model.kind == "piecewise"
    assert [segment[2] for segment in model.segments] == pytest.approx([0.0, -3.0])
    assert model.segments[1][0] == after[0].source_id


def test_a_clock_that_fell_back_to_its_first_date_is_reset() -> None:
    lost = [
        a_summary(
            f"lost-{number}",
            local_time=datetime(2000, 1, 1, number),
            gps_utc_time=NOON + timedelta(days=1, hours=number),
            **PARIS,
        )
        for number in range(4)
    ]
    assert clocks.fit(a_group(*with_gps(5), *lost)).kind == "reset"


def test_steady_gain_is_drift() -> None:
    photos = [
        a_summary(
            f"{week}",
            local_time=NOON + timedelta(weeks=week, seconds=40 * week),
            gps_utc_time=NOON + timedelta(weeks=week, hours=-2),
            **PARIS,
        )
        for week in range(12)
    ]
    model = clocks.fit(a_group(*photos))
    assert model.kind == "drift"
    assert "gained" in model.summary


def test_exchanged_day_and_month_are_seen_against_gps_dates() -> None:
    photos = []
    for number in range(4):
        true_local = datetime(2024, 6, 3 + number, 12)
        photos.append(
            a_summary(
                f"{number}",
                local_time=clock_witnesses.swapped(true_local),
                gps_utc_time=true_local - timedelta(hours=2),
                **PARIS,
            )
        )
    assert clocks.fit(a_group(*photos)).kind == "day/month swapped"


# --------------------------------------------------------------------------- other witnesses


def test_without_witnesses_the_clock_is_undetermined() -> None:
    photos = [a_summary(f"{number}", local_time=NOON + timedelta(hours=number)) for number in range(5)]
    model = clocks.fit(a_group(*photos))
    assert model.kind == "undetermined"
    assert model.offset_hours is None and model.interval_hours is None


def test_a_group_without_any_time_is_undetermined() -> None:
    assert clocks.fit(a_group(a_summary("a"), a_summary("b"))).kind == "undetermined"


def daylight(ahead_hours: float, *, ev100: float | None = None, days: int = 5):
    """Outdoor frames from dawn to dusk in Arizona, where no summer time interferes."""
    from gtloc_forensics.earth.sun import sun_position

    found = []
    for step in range(days * 24):
        true_local = datetime(2024, 2, 1) + timedelta(days=20 * (step // 24), minutes=60 * (step % 24) + 11)
        height = float(
            sun_position((true_local + timedelta(hours=7) - datetime(1970, 1, 1)).total_seconds(), 33.45, -112.07)[0]
        )
        if height > 0.0:
            found.append(
                a_summary(
                    f"{step}",
                    local_time=true_local + timedelta(hours=ahead_hours),
                    latitude_deg=33.45,
                    longitude_deg=-112.07,
                    zone="America/Phoenix",
                    ev100=ev100 or float(np.interp(height, exposure.CURVE_ELEVATION_DEG, exposure.CLEAR_EV100)) - 1.0,
                    flash_fired=False,
                )
            )
    return found


@pytest.mark.parametrize("ahead_hours", [6.0, -3.0, 12.0])
def test_light_alone_bounds_a_clock_hours_off_and_names_no_offset(ahead_hours: float) -> None:
    model = clocks.fit(a_group(*daylight(ahead_hours)))
    assert model.kind == "constant offset" and model.decided_by is ClockWitness.LIGHT
    assert model.offset_hours is None and model.interval_hours is not None
    low, high = model.interval_hours
    assert high - low <= 9.0
    assert any(low <= ahead_hours + turn <= high for turn in (-24.0, 0.0, 24.0))
    assert "zone" not in model.summary and "consistent" not in model.summary


def test_light_alone_calls_no_clock_right_but_says_what_it_leaves_open() -> None:
    """An hour ahead looks the same to it."""
    model = clocks.fit(a_group(*daylight(0.0)))
    assert model.kind == "undetermined" and model.offset_hours is None
    assert any("leaves open −1 h" in sentence for sentence in model.evidence)


def test_a_room_by_day_says_nothing() -> None:
    model = clocks.fit(a_group(*daylight(0.0, ev100=5.4, days=2)))
    assert model.kind == "undetermined"


def test_flash_frames_do_not_speak() -> None:
    flashed = [replace(photo, flash_fired=True) for photo in daylight(6.0)]
    model = clocks.fit(a_group(*flashed))
    assert model.kind == "undetermined"
    assert not any("light of" in sentence for sentence in model.evidence)


def test_light_against_gps_time_points_at_the_place() -> None:
    """The longitude's sign is lost: local light still fits, GPS time seems 15 hours off."""
    photos = [
        replace(
            photo,
            longitude_deg=112.07,
            zone="Asia/Shanghai",
            gps_utc_time=(photo.local_time or NOON) + timedelta(hours=7),
        )
        for photo in daylight(0.0)
    ]
    model = clocks.fit(a_group(*photos))
    assert model.kind == "undetermined"
    assert any("place may be wrong" in sentence for sentence in model.evidence)


@pytest.mark.parametrize("days", [1, 2, 5])
def test_however_loud_gps_time_is_a_clock_that_light_finds_right_is_not_called_wrong(days: int) -> None:
    photos = [
        replace(photo, gps_utc_time=(photo.local_time or NOON) + timedelta(hours=7 - 6))
        for photo in daylight(0.0, days=days)
    ]
    model = clocks.fit(a_group(*photos))
    assert any("contradict each other" in sentence for sentence in model.evidence)
    assert model.kind == "undetermined"


def test_offsets_of_another_zone_make_it_a_zone() -> None:
    photos = [replace(photo, offset_hours=8.0, utc_source=OffsetSource.CAMERA) for photo in daylight(15.0)]
    model = clocks.fit(a_group(*photos))
    assert model.kind == "wrong zone" or model.offset_hours is not None
    assert any("zone written" in sentence for sentence in model.evidence)


def test_the_models_hours_pull_where_nothing_else_speaks() -> None:
    mass = np.zeros(48, np.float32)
    mass[24:28] = 0.25
    seen = [
        a_summary(f"{day}", local_time=NOON + timedelta(days=day, hours=-6), hour_mass=mass, datable=1.0)
        for day in range(12)
    ]
    found, photos = clock_witnesses.hour_log_likelihood(a_group(*seen))
    assert photos == 12
    assert -8.0 <= float(OFFSETS_HOURS[int(np.argmax(found))]) <= -5.0
    silent, none = clock_witnesses.hour_log_likelihood(a_group(a_summary("a", local_time=NOON)))
    assert none == 0 and not silent.any()


def test_counters_give_the_order_in_which_a_clock_was_set_back() -> None:
    photos = [
        a_summary(
            f"{n}",
            local_time=NOON + timedelta(hours=n, days=-2 if n > 3 else 0),
            counters=(Counter(CounterKind.SHUTTER, n, "t", ""),),
        )
        for n in range(8)
    ]
    assert clock_witnesses.counter_steps(a_group(*photos)) == (4,)


def test_daylight_in_the_night_is_a_wrong_clock_even_where_all_the_day_is_left_open() -> None:
    """One outing of an hour: morning or afternoon stays open, but not night."""
    photos = [
        a_summary(
            f"{n}",
            local_time=datetime(2024, 6, 3, 1, 0) + timedelta(minutes=2 * n),
            ev100=13.0,
            mean_luminance=0.45,
            **PARIS,
        )
        for n in range(30)
    ]
    model = clocks.fit(a_group(*photos))
    assert model.kind == "constant offset" and model.offset_hours is None
    assert model.interval_hours is not None and model.interval_hours[1] - model.interval_hours[0] > 8.0
    assert "unless the claimed places are" in model.summary
    assert any("but not the claimed time" in line for line in model.evidence)
    unseen = [replace(photo, mean_luminance=None) for photo in photos]
    assert clocks.fit(a_group(*unseen)).kind == "undetermined"  # it may be the moon
    by_day = [replace(photo, local_time=photo.local_time + timedelta(hours=12)) for photo in photos]
    assert clocks.fit(a_group(*by_day)).kind == "undetermined"


def _one_run(*, set_back_hours: float, first_uptime_s: float = 500_000.0) -> list[PhotoSummary]:
    """Eight photos of one run of a device, an hour apart; the clock is set back after the fourth."""
    return [
        a_summary(
            f"{n}",
            local_time=NOON + timedelta(hours=n - (set_back_hours if n > 3 else 0.0)),
            uptime_s=first_uptime_s + 3600.0 * n,
        )
        for n in range(8)
    ]


def test_time_since_power_on_shows_where_a_clock_was_set_back() -> None:
    step = clock_steps.step_of(a_group(*_one_run(set_back_hours=6.0)))
    assert step is not None and step.is_by_uptime
    assert step.fell_hours == pytest.approx(6.0)
    assert step.first_after.name == "4"
    model = clocks.fit(a_group(*_one_run(set_back_hours=6.0)))
    assert model.kind == "piecewise"
    assert any("time since power-on runs on while the clock falls back" in line for line in model.evidence)


@pytest.mark.parametrize(
    ("photos", "why"),
    [
        (_one_run(set_back_hours=0.1), "six minutes are what networks correct"),
        (_one_run(set_back_hours=6.0, first_uptime_s=60.0), "started again before the photos that claim to be later"),
        (_one_run(set_back_hours=0.0), "nothing fell behind"),
        (_one_run(set_back_hours=-6.0), "asleep for six hours, or set ahead: the count cannot tell"),
    ],
)
def test_time_since_power_on_shows_no_step(photos: list[PhotoSummary], why: str) -> None:
    assert clock_steps.step_of(a_group(*photos)) is None, why


def test_two_devices_taken_for_one_show_no_step() -> None:
    assert clock_steps.step_of(a_group(*_one_run(set_back_hours=6.0), doubt="no serial number")) is None


def test_a_journey_west_is_no_step() -> None:
    there = {"latitude_deg": 48.9, "longitude_deg": 2.35, "zone": "Europe/Paris"}
    here = {"latitude_deg": 40.7, "longitude_deg": -74.0, "zone": "America/New_York"}
    photos = [
        a_summary(
            f"{n}",
            local_time=NOON + timedelta(hours=n if n < 4 else n - 6),
            counters=(Counter(CounterKind.SHUTTER, n, "t", ""),),
            **(there if n < 4 else here),
        )
        for n in range(8)
    ]
    assert clock_witnesses.counter_steps(a_group(*photos)) == (4,)
    assert clock_steps.step_of(a_group(*photos)) is None


def test_what_is_known_after_a_step_speaks_of_the_clock_before_it() -> None:
    right = prior.posterior(np.where(OFFSETS_HOURS == 0.0, 0.0, -20.0)).mass
    step = clock_steps.step_of(a_group(*_one_run(set_back_hours=6.0)))
    assert step is not None
    before = prior.posterior(step.of_other(right, is_before=True))
    assert before.kind != "right"
    assert float(before.mass[OFFSETS_HOURS >= 5.9].sum()) > 0.75  # of 0.03 before any evidence
    after = prior.posterior(step.of_other(right, is_before=False))
    assert float(after.mass[OFFSETS_HOURS <= -5.9].sum()) > 0.75


def test_a_step_of_nine_hours_is_told_as_a_bound_though_all_before_it_was_dark() -> None:
    """Nine hours ahead until time since power-on shows it set back; only then were photos taken outdoors.

    That light leaves two hours open after it bounds the clock before it; it gives no offset to move photos by.
    """
    start = datetime(2024, 1, 31, 12, 0)

    def ran(true_local: datetime) -> float:
        return 5e8 + (true_local - start).total_seconds()

    where = {"latitude_deg": 33.45, "longitude_deg": -112.07, "zone": "America/Phoenix"}
    dark = [
        a_summary(f"dark {n}", local_time=true + timedelta(hours=9), uptime_s=ran(true), **where)
        for n, true in enumerate(start + timedelta(hours=n) for n in range(4))
    ]
    lit = [replace(photo, uptime_s=ran(photo.local_time)) for photo in daylight(0.0)]
    model = clocks.fit(a_group(*dark, *lit))
    assert model.kind == "piecewise" and not model.segments
    assert "set back by at least 9 h" in model.summary
    assert any("cannot be told" in sentence for sentence in model.evidence)


@settings(deadline=None)
@given(fell=st.floats(0.2, 14.0), known=st.integers(0, len(OFFSETS_HOURS) - 1))
def test_a_step_never_favours_offsets_it_forbids(fell: float, known: int) -> None:
    step = replace(clock_steps.step_of(a_group(*_one_run(set_back_hours=6.0))), fell_hours=fell)  # type: ignore[type-var]
    mass = np.zeros(len(OFFSETS_HOURS))
    mass[known] = 1.0
    message = step.of_other(mass, is_before=True)
    forbidden = OFFSETS_HOURS - OFFSETS_HOURS[known] < fell - clock_steps.TOLERANCE_S / 3600.0
    if forbidden.any() and not forbidden.all():
        assert float(message[forbidden].max()) < float(message[~forbidden].min())


# --------------------------------------------------------------------------- arithmetic


def test_the_prior_is_a_prior() -> None:
    priors = prior.priors()
    assert sum(float(mass.sum()) for mass in priors.values()) == pytest.approx(1.0)
    assert all((mass >= 0.0).all() for mass in priors.values())
    assert set(priors) <= set(ClockKind)


def test_a_flat_likelihood_leaves_the_prior() -> None:
    posterior = prior.posterior(np.zeros(len(OFFSETS_HOURS)))
    assert posterior.kind == "right"
    assert posterior.probability == pytest.approx(prior.PRIOR["right"])


@settings(deadline=None)
@given(centre=st.integers(0, len(OFFSETS_HOURS) - 1), width=st.integers(1, 8))
def test_an_arc_holds_its_share_and_its_middle(centre: int, width: int) -> None:
    mass = np.exp(-0.5 * ((np.arange(len(OFFSETS_HOURS)) - centre) / width) ** 2)
    arc = prior.arc(mass)
    assert arc.low_hours < arc.middle_hours < arc.high_hours
    assert arc.width_hours <= 24.0 + 0.25
    inside = (
        np.abs((OFFSETS_HOURS - (arc.low_hours + arc.high_hours) / 2.0 + 12.0) % 24.0 - 12.0) <= arc.width_hours / 2.0
    )
    assert float(mass[inside].sum() / mass.sum()) >= 0.95 - 1e-9


def test_twelve_ahead_and_twelve_behind_are_one_narrow_arc() -> None:
    mass = np.where(np.abs(OFFSETS_HOURS) == 12.0, 0.5, 0.0)
    assert prior.arc(mass).width_hours == pytest.approx(0.25)


@settings(deadline=None)
@given(moment=st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2030, 1, 1)))
def test_exchanging_day_and_month_twice_is_nothing(moment: datetime) -> None:
    other = clock_witnesses.swapped(moment)
    assert other is None or clock_witnesses.swapped(other) == moment


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (6.0, "6 h"),
        (5.0 + 50 / 60, "5 h 50 min"),
        (-0.5, "30 min"),
        (12 / 3600, "12 s"),
        (0.0, "0 s"),
        (720.0, "30 days"),
        (5.999, "6 h"),
    ],
)
def test_lengths_in_words(hours: float, words: str) -> None:
    assert durations.length(hours) == words


# --------------------------------------------------------------------------- causes


def finding(check_id: str, source_id: str, cause: Cause | None, outcome: Outcome = Outcome.SUSPICIOUS) -> Finding:
    return Finding(check_id, (source_id,), outcome, Severity.MEDIUM, Confidence.STRONG, "s", cause=cause)


def six_ahead() -> clocks.ClockModel:
    return clocks.fit(a_group(*with_gps(ahead_hours=6.0)))


def test_one_wrong_clock_is_one_cause_whatever_rules_it_broke() -> None:
    findings = [
        finding("GF101", "a", Cause("clock-offset", "serial:1", 6.0, "x")),
        finding("GF102", "b", Cause("zone", "serial:1", 6.0, "y")),
        finding("GF201", "b", Cause("clock-offset", "serial:1", None, "z"), Outcome.CONTRADICTION),
    ]
    (group,) = clocks.group_causes(findings, [six_ahead()])
    assert group.check_ids == ("GF101", "GF102", "GF201")
    assert group.source_ids == ("a", "b") and group.findings == 3
    assert group.outcome is Outcome.CONTRADICTION
    assert "6 h ahead" in group.summary and group.refutable_by


def test_a_finding_the_clock_does_not_explain_stays_apart() -> None:
    findings = [
        finding("GF101", "a", Cause("clock-offset", "serial:1", 6.0, "x")),
        finding("GF101", "c", Cause("clock-offset", "serial:1", -3.0, "w")),
        finding("GF110", "a", Cause("position", "", None, "p")),
        finding("GF101", "d", Cause("clock-offset", "serial:2", 6.0, "v")),
    ]
    groups = clocks.group_causes(findings, [six_ahead()])
    assert sum(group.findings for group in groups) == 4
    assert len(groups) == 4


def test_a_leap_between_two_states_of_a_clock_is_the_clocks() -> None:
    leap = finding("GF404", "a", Cause("travel", "serial:1", None, "leap"))
    stepped = clocks.fit(a_group(*with_gps(5), *with_gps(5, ahead_hours=-3.0, start=NOON + timedelta(days=2))))
    assert "set anew" in clocks.group_causes([leap], [stepped])[0].summary
    assert clocks.group_causes([leap], [six_ahead()])[0].summary == "Leap."


def test_causes_are_grouped_without_any_model() -> None:
    findings = [finding("GF101", name, Cause("clock-offset", "serial:1", 6.0, "six")) for name in "abc"]
    (group,) = clocks.group_causes(findings)
    assert group.source_ids == ("a", "b", "c") and "3 photos" in group.summary
    assert "likewise" not in group.summary


def test_what_passed_and_what_names_no_cause_is_left_out() -> None:
    findings = [
        finding("GF101", "a", Cause("clock-offset", "serial:1", 6.0, "x"), Outcome.CONSISTENT),
        finding("GF117", "a", None),
    ]
    assert clocks.group_causes(findings, [six_ahead()]) == ()


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"),
            st.sampled_from(["clock-offset", "zone", "copy"]),
            st.sampled_from([None, 6.0, 2.0]),
        )
    )
)
def test_every_finding_with_a_cause_is_told_exactly_once(rows: list[tuple[str, str, float | None]]) -> None:
    findings = [finding("GF1", name, Cause(kind, "serial:1", hours, "s")) for name, kind, hours in rows]
    groups = clocks.group_causes(findings, [six_ahead()])
    assert sum(group.findings for group in groups) == len(findings)


def test_six_hours_ahead_in_a_place_six_hours_behind_utc_is_not_taken_for_a_copy() -> None:
    denver = {"latitude_deg": 39.7, "longitude_deg": -105.0, "zone": "America/Denver"}
    photos = [
        a_summary(
            f"{n}",
            local_time=NOON + timedelta(hours=n),
            gps_utc_time=NOON + timedelta(hours=n, seconds=-5 * n - 3),
            **denver,
        )
        for n in range(5)
    ]
    model = clocks.fit(a_group(*photos))
    assert model.offset_hours == pytest.approx(6.0, abs=0.02)


def test_one_photo_whose_gps_time_agrees_has_a_right_clock() -> None:
    assert clocks.fit(a_group(*with_gps(1))).kind == "right"
    assert clocks.fit(a_group(*with_gps(1, ahead_hours=6.0))).kind == "undetermined"
    assert clocks.fit(a_group(*with_gps(1, ahead_hours=1.0))).kind == "undetermined"


def shutter(number: int, moment: datetime) -> PhotoSummary:
    return a_summary(f"{number}", local_time=moment, counters=(Counter(CounterKind.SHUTTER, number, "t", ""),))


def test_a_clock_set_back_under_a_running_counter_is_piecewise_or_reset() -> None:
    first = [shutter(n, NOON + timedelta(hours=n)) for n in range(5)]
    back = [shutter(5 + n, NOON - timedelta(days=3) + timedelta(hours=n)) for n in range(5)]
    model = clocks.fit(a_group(*first, *back))
    assert model.kind == "piecewise" and "3 days" in model.summary
    lost = [shutter(5 + n, datetime(2000, 1, 1, n)) for n in range(5)]
    assert clocks.fit(a_group(*first, *lost)).kind == "reset"


def test_two_bodies_taken_for_one_show_no_step() -> None:
    photos = [shutter(n, NOON + timedelta(hours=n, days=-3 if n > 4 else 0)) for n in range(10)]
    assert clocks.fit(a_group(*photos, doubt="no serial number")).kind == "undetermined"


# --------------------------------------------------------------------------- kinds are types


def test_every_kind_of_cause_that_a_rule_names_is_one_of_the_known() -> None:
    rules = Path(checks.__file__).parent
    named = {
        kind
        for path in rules.rglob("*.py")
        for kind in re.findall(r"kind=\"([a-z-]+)\"", path.read_text(encoding="utf-8"))
    } - {"stable"}  # numpy's sort
    assert named <= set(CauseKind)


def test_a_stored_case_with_a_third_partys_cause_opens_and_says_it_unchanged() -> None:
    stored = pack((Cause(CauseKind("lens-swap"), "serial:1"), Cause(CauseKind.ZONE, "serial:1", 1.0)))
    strange, known = unpack(tuple[Cause, ...], stored)
    assert strange.kind == "lens-swap" and str(strange.kind) == "lens-swap"
    assert known.kind is CauseKind.ZONE


def test_kinds_are_stored_as_the_words_they_always_were() -> None:
    assert plain(Cause("clock-offset", "serial:1"))["kind"] == "clock-offset"
    assert plain(clocks.fit(a_group(*with_gps())))["kind"] == "right"
    assert Cause("clock-offset", "serial:1").kind is CauseKind.CLOCK_OFFSET


# --------------------------------------------------------------------------- what of GPS time is a clock


def test_fixes_minutes_old_are_no_steps_of_the_clock() -> None:
    lags_min = (0.1, 24.0, 24.0, 0.1, 11.0, 17.0)
    photos = [
        replace(with_gp, gps_utc_time=with_gp.gps_utc_time - timedelta(minutes=lag), name=f"{lag}-{with_gp.name}")
        for with_gp, lag in zip(with_gps(6), lags_min, strict=True)
    ]
    model = clocks.fit(a_group(*photos))
    assert model.kind == "right" and not model.segments
    assert any("lags behind the rest" in sentence for sentence in model.evidence)


def test_one_constant_gps_time_on_several_days_is_no_clock() -> None:
    photos = [
        a_summary(
            f"{day}",
            local_time=datetime(2022, 4, 2 + 7 * day, hour, minute, 7),
            gps_utc_time=datetime(2022, 4, 2 + 7 * day, 20),
            offset_hours=2.0,
            utc_source=OffsetSource.CAMERA,
            **PARIS,
        )
        for day, (hour, minute) in enumerate(((11, 20), (18, 2), (9, 41), (13, 15)))
    ]
    model = clocks.fit(a_group(*photos))
    assert model.kind == "undetermined" and model.offset_hours is None


def test_a_gps_date_that_stands_still_says_nothing_of_the_cameras_date() -> None:
    photos = [
        a_summary(
            f"{day}",
            local_time=datetime(2013, 7, 1 + day, 10 + day, 30),
            gps_utc_time=datetime(2013, 7, 23, 8 + day, 30, 1),
            **PARIS,
        )
        for day in range(5)
    ]
    model = clocks.fit(a_group(*photos))
    assert model.kind == "right" and abs(model.offset_hours or 0.0) < 0.1
    assert any("the receiver's date stood still" in sentence for sentence in model.evidence)


def test_a_rolled_over_week_is_the_receivers_even_across_summer_time() -> None:
    photos = [
        replace(with_gp, gps_utc_time=with_gp.gps_utc_time - timedelta(weeks=1024))  # in October by its date
        for with_gp in with_gps(5, start=datetime(2024, 6, 3, 12))
    ]
    model = clocks.fit(a_group(*photos))
    assert model.kind == "right" and model.offset_hours == pytest.approx(0.0)


def test_one_second_stamped_on_many_files_is_no_clock() -> None:
    photos = [
        a_summary(f"{n}", local_time=NOON, gps_utc_time=NOON + timedelta(days=-40 * n, hours=n), **PARIS)
        for n in range(1, 8)
    ]
    model = clocks.fit(a_group(*photos))
    assert model.kind == "undetermined"
    assert any("a program wrote that" in sentence for sentence in model.evidence)


def test_a_zone_kept_at_sea_is_a_right_clock_where_gps_time_confirms_the_instant() -> None:
    athens = {"latitude_deg": 37.9, "longitude_deg": 23.7, "zone": "Europe/Athens"}
    written = {"offset_hours": 2.0, "utc_source": OffsetSource.CAMERA}
    photos = [
        a_summary(
            f"{n}",
            local_time=NOON + timedelta(days=n, hours=2),
            gps_utc_time=NOON + timedelta(days=n),
            **(athens if n in (1, 2, 3) else PARIS),
            **written,
        )
        for n in range(6)
    ]
    assert clocks.fit(a_group(*photos)).kind == "right"


def test_a_camera_never_set_on_a_journey_kept_its_home_zone_and_was_not_set_anew() -> None:
    tokyo = {"latitude_deg": 35.7, "longitude_deg": 139.7, "zone": "Asia/Tokyo"}
    photos = [
        a_summary(
            f"{n}",
            local_time=NOON + timedelta(days=n, hours=2),
            gps_utc_time=NOON + timedelta(days=n),
            **(PARIS if n < 3 else tokyo),
        )
        for n in range(8)
    ]
    model = clocks.fit(a_group(*photos))
    assert model.kind == "wrong zone" and model.offset_hours is None
    assert "kept UTC+02:00" in model.summary and "set anew" not in model.summary
    assert [hours for _, _, hours in model.segments] == pytest.approx([0.0, -7.0])


def test_a_clock_set_some_days_after_landing_is_told_as_such() -> None:
    tokyo = {"latitude_deg": 35.7, "longitude_deg": 139.7, "zone": "Asia/Tokyo"}
    photos = [
        a_summary(
            f"{n}",
            local_time=NOON + timedelta(days=n, minutes=17 * n, hours=2 if n < 6 else 9),
            gps_utc_time=NOON + timedelta(days=n, minutes=17 * n),
            **(PARIS if n < 3 else tokyo),
        )
        for n in range(9)
    ]
    model = clocks.fit(a_group(*photos))
    assert model.kind == "piecewise"
    assert any("with the time of the place before, and was set later" in line for line in model.evidence)


def test_in_a_country_on_utc_gps_time_like_the_cameras_is_a_witness() -> None:
    iceland = {"latitude_deg": 64.1, "longitude_deg": -21.9, "zone": "Atlantic/Reykjavik"}
    moments = [NOON + timedelta(hours=n) for n in range(5)]
    photos = [a_summary(f"{at:%H}", local_time=at, gps_utc_time=at, **iceland) for at in moments]
    assert clocks.fit(a_group(*photos)).kind == "right"


# --------------------------------------------------------------------------- two cameras of one journey


def _two_cameras(ahead_hours: float, *, places: int = 6, delay_min: float = 1.0):
    """A telephone that GPS confirms and a camera beside it, a kilometre and an hour from place to place."""
    phone, camera = [], []
    for n in range(places):
        where = {"latitude_deg": 46.0 + 0.01 * n, "longitude_deg": 7.75, "zone": "Europe/Zurich"}
        moment = NOON + timedelta(hours=n, minutes=7 * n)
        phone.append(
            a_summary(f"p{n}", device_key="phone", local_time=moment, gps_utc_time=moment - timedelta(hours=2), **where)
        )
        taken = moment + timedelta(hours=ahead_hours, minutes=delay_min)
        camera.append(a_summary(f"c{n}", device_key="camera", local_time=taken, ev100=13.0, **where))
    # Telephones write no serial number. That two of one model may be mixed does not matter: each photo is confirmed.
    doubt = "no serial number"
    return a_group(*phone, device_key="phone", doubt=doubt), a_group(*camera, device_key="camera")


@pytest.mark.parametrize(("ahead_hours", "kind"), [(8.0, "wrong zone"), (1.0, "dst"), (-2.7, "constant offset")])
def test_a_companion_that_gps_confirms_determines_a_cameras_clock(ahead_hours: float, kind: str) -> None:
    right, model = clocks.fit_all(_two_cameras(ahead_hours))
    assert right.kind == "right" and right.decided_by is ClockWitness.GPS
    assert model.kind == kind and model.decided_by is ClockWitness.COMPANION
    assert model.offset_hours == pytest.approx(ahead_hours, abs=0.02)
    assert model.interval_hours is not None and model.interval_hours[0] <= ahead_hours <= model.interval_hours[1]


def test_a_companion_at_too_few_places_decides_nothing() -> None:
    _, model = clocks.fit_all(_two_cameras(8.0, places=3))
    assert model.decided_by is not ClockWitness.COMPANION


def test_a_companion_whose_own_clock_nothing_confirms_decides_nothing() -> None:
    phone, camera = _two_cameras(8.0)
    blind = replace(phone, summaries=tuple(replace(summary, gps_utc_time=None) for summary in phone.summaries))
    assert all(model.decided_by is not ClockWitness.COMPANION for model in clocks.fit_all((blind, camera)))


# --------------------------------------------------------------------------- pixels decide no clock


def test_hours_that_a_model_sees_never_state_an_offset() -> None:
    mass = np.zeros(48, np.float32)
    mass[24:28] = 0.25
    seen = [
        a_summary(f"{day}", local_time=NOON + timedelta(days=day, hours=12), hour_mass=mass, datable=1.0)
        for day in range(30)
    ]
    model = clocks.fit(a_group(*seen))
    assert model.kind == "undetermined" and model.offset_hours is None and model.interval_hours is None
    assert any("pictures alone are no clock" in sentence for sentence in model.evidence)


def test_black_pictures_exposed_as_by_day_say_nothing_of_the_clock() -> None:
    stage = [
        a_summary(
            f"{n}",
            local_time=datetime(2022, 8, 12 + n, 22, 40),
            ev100=10.5,
            mean_luminance=0.05,
            flash_fired=False,
            **PARIS,
        )
        for n in range(12)
    ]
    assert clocks.fit(a_group(*stage)).kind == "undetermined"
    assert not any("light of" in sentence for sentence in clocks.fit(a_group(*stage)).evidence)


# --------------------------------------------------------------------------- what is laid to what


def strong(check_id: str, source_ids: tuple[str, ...], cause: Cause, **more: object) -> Finding:
    return Finding(
        check_id, source_ids, Outcome.SUSPICIOUS, Severity.HIGH, Confidence.STRONG, cause.summary, cause=cause, **more
    )


def test_copies_of_one_photo_do_not_make_its_gps_time_a_constant() -> None:
    (photo,) = with_gps(1, ahead_hours=6.0)
    copies = [replace(photo, source_id=name, name=f"{name}.jpg") for name in "abc"]
    ahead = Cause(CauseKind.CLOCK_OFFSET, photo.device_key, 6.0, "6 h ahead of GPS time")
    findings = [strong("GF101", (copy.source_id,), ahead) for copy in copies]
    (group,) = clocks.group_causes(findings, summaries=copies)
    assert group.cause.kind is not CauseKind.RECEIVER
    assert group.source_ids == ("a", "b", "c")


def test_light_that_no_clock_model_explains_shows_a_wrong_place_as_well() -> None:
    dim = Cause(CauseKind.CLOCK_OFFSET, "serial:1", None, "light that does not fit the claimed hour")
    (group,) = clocks.group_causes([strong("GF210", ("a",), dim)])
    assert group.cause.kind is CauseKind.CLOCK_OR_PLACE
    assert group.summary == "Light that does not fit the claimed hour."


def test_a_gps_time_against_a_clock_known_to_be_right_is_not_refuted_by_gps_time() -> None:
    right = clocks.fit(a_group(*with_gps(6)))
    assert right.kind is ClockKind.RIGHT
    later = Cause(CauseKind.CLOCK_OFFSET, right.device_key, -2.45, "GPS time 2 h 27 min later")
    found = [strong("GF101", (f"x{number}",), later) for number in range(4)]
    groups = clocks.group_causes(found, [right])
    assert {group.cause.kind for group in groups} <= {CauseKind.CLOCK_OR_GPS, CauseKind.ALTERED_FILE}
    assert not any(group.refutable_by.startswith("GPS time") for group in groups)


def test_a_value_of_one_photo_is_not_said_of_many() -> None:
    early = {"a": "Claimed 8.9 years before the model.", "b": "Claimed 4.5 years before the model."}
    findings = [
        strong("GF113", (name,), Cause(CauseKind.CLOCK_OFFSET, "serial:1", None, text)) for name, text in early.items()
    ]
    (group,) = clocks.group_causes(findings)
    assert group.source_ids == ("a", "b")
    assert "years" not in group.summary and "2 photos" in group.summary


def test_offsets_of_several_photos_of_one_kind_are_told_as_a_range() -> None:
    findings = [
        strong("GF101", (name,), Cause(CauseKind.CLOCK_OFFSET, "serial:1", hours, f"{hours} h ahead"))
        for name, hours in (("a", 5.95), ("b", 6.05))
    ]
    (group,) = clocks.group_causes(findings)
    assert "+5 h 57 min to +6 h 3 min" in group.summary


def test_look_alikes_are_told_by_their_pictures_and_apart_from_files_that_passed_a_platform() -> None:
    passed = Cause(CauseKind.COPY, "", None, "The files passed through a platform.")
    findings = [
        finding("GF118", "x", passed, Outcome.EXPLAINED),
        finding("GF118", "y", passed, Outcome.EXPLAINED),
        strong("GF406", ("a", "b"), Cause(CauseKind.LOOK_ALIKE, "", None, "Looks the same as b.jpg, 34 days off.")),
        strong("GF406", ("c", "d"), Cause(CauseKind.LOOK_ALIKE, "", None, "Looks the same as d.jpg, 2 days off.")),
    ]
    names = [a_summary("a.jpg", source_id="a"), a_summary("b.jpg", source_id="b")]
    groups = clocks.group_causes(findings, summaries=names)
    assert [group.check_ids for group in groups] == [("GF406",), ("GF406",), ("GF118",)]
    assert groups[0].source_ids == ("a", "b")
    assert groups[0].summary == "a.jpg: Looks the same as b.jpg, 34 days off."
    assert "2 photos" in groups[2].summary


def test_three_look_alikes_in_pairs_are_one_cluster() -> None:
    findings = [
        strong("GF406", pair, Cause(CauseKind.LOOK_ALIKE, "", None, f"Looks the same as {pair[1]}."))
        for pair in (("a", "b"), ("b", "c"))
    ]
    (group,) = clocks.group_causes(findings)
    assert group.source_ids == ("a", "b", "c")
    assert "3 photos show one picture" in group.summary


def test_one_re_dated_file_among_right_siblings_is_no_wrong_clock() -> None:
    siblings = [*with_gps(5), a_summary("re-dated", source_id="r", local_time=datetime(2016, 2, 5, 14), **PARIS)]
    early = strong("GF113", ("r",), Cause(CauseKind.CLOCK_OFFSET, "serial:1", None, "Claimed 6.6 years early."))
    (group,) = clocks.group_causes([early], [clocks.fit(a_group(*siblings))], summaries=siblings)
    assert group.cause.kind is CauseKind.ALTERED_FILE and group.cause.offset_hours is None
    assert "re-dated alone" in group.summary and "95 %" not in group.summary


def test_an_hour_does_not_explain_a_date_before_the_camera_was_made_and_years_do() -> None:
    early = strong("GF113", ("a",), Cause(CauseKind.CLOCK_OFFSET, "serial:1", None, "Claimed 6.6 years early."))
    younger = strong("GF114", ("a",), Cause(CauseKind.EDIT, "serial:1", None, "The Exif version is younger."))
    hour = clocks.fit(a_group(*with_gps(ahead_hours=1.0)))
    assert all(group.cause.kind is not CauseKind.DST for group in clocks.group_causes([early], [hour]))
    years = clocks.fit(a_group(*with_gps(ahead_hours=-7 * 365.0 * 24.0)))
    (group,) = clocks.group_causes([early, younger], [years])
    assert "years behind" in group.summary and group.check_ids == ("GF113", "GF114")


def test_of_two_clocks_apart_the_one_that_is_known_to_be_right_is_not_accused() -> None:
    phone, camera = _two_cameras(8.0)
    apart = strong(
        "GF410",
        tuple(photo.source_id for photo in (*phone.summaries, *camera.summaries)),
        Cause(CauseKind.CLOCK_OFFSET, "phone", -8.02, "Two cameras are 8 h apart."),
        facts={"other_device": "camera"},
    )
    (group,) = clocks.group_causes([apart], clocks.fit_all((phone, camera)))
    assert group.cause.device_key == "camera" and "8 h ahead" in group.summary


def test_one_second_stamped_on_many_files_is_one_cause_and_no_clock() -> None:
    files = [a_summary(f"{n}", source_id=f"{n}", local_time=NOON) for n in range(7)]
    findings = [
        strong("GF101", (file.source_id,), Cause(CauseKind.CLOCK_OFFSET, "", 24.0 * 90 * n, f"{n} years ahead"))
        for n, file in enumerate(files, 1)
    ]
    (group,) = clocks.group_causes(findings, summaries=files)
    assert group.cause.kind is CauseKind.STAMPED
    assert "2024-06-03 12:00:00" in group.summary and "years" not in group.summary


def test_one_photo_that_two_rules_lay_to_two_causes_is_told_once_and_names_both() -> None:
    findings = [
        strong("GF119", ("a",), Cause(CauseKind.POSITION, "serial:1", None, "A sign of the position is lost.")),
        strong("GF101", ("a",), Cause(CauseKind.CLOCK_OFFSET, "serial:1", 1.0, "The clock is 1 h ahead.")),
    ]
    (group,) = clocks.group_causes(findings)
    assert group.findings == 2 and group.check_ids == ("GF101", "GF119")
    assert "sign of the position" in group.summary and "1 h ahead" in group.summary


def test_one_re_dated_file_beside_a_days_photos_is_no_frozen_gps_date() -> None:
    day = with_gps(5)
    re_dated = replace(day[2], source_id="r", name="r", local_time=datetime(2016, 2, 5, 14))
    model = clocks.fit(a_group(*day, re_dated))
    assert model.kind == "right"
    assert not any("stood still" in sentence for sentence in model.evidence)


def test_a_clock_stored_before_it_said_what_decided_it_opens() -> None:
    stored = plain(clocks.fit(a_group(*with_gps())))
    del stored["decided_by"], stored["posterior_mass"], stored["posterior_offsets_hours"]
    again = unpack(ClockModel, pack(stored))
    assert again.kind is ClockKind.RIGHT and again.decided_by is ClockWitness.NOTHING


def test_a_lag_among_good_fixes_is_laid_to_the_two_clocks_and_to_neither_alone() -> None:
    photos = with_gps(5)
    old = replace(photos[3], gps_utc_time=photos[3].gps_utc_time - timedelta(hours=7, minutes=13))
    group = a_group(*photos[:3], old, photos[4])
    late = strong("GF101", (old.source_id,), Cause(CauseKind.CLOCK_OFFSET, "serial:1", 7.2, "7 h 13 min ahead."))
    (cause,) = clocks.group_causes([late], [clocks.fit(group)], summaries=group.summaries)
    assert cause.cause.kind is CauseKind.CLOCK_OR_GPS and cause.cause.offset_hours is None
    assert "no clock's" not in cause.summary


@pytest.mark.parametrize("start", [datetime(2013, 4, 2, 9), datetime(2013, 4, 2, 3), datetime(2013, 4, 2, 20)])
@pytest.mark.parametrize("ahead_hours", [12.0, -12.0])
def test_half_a_day_ahead_is_told_from_half_a_day_behind_by_the_gps_date(start: datetime, ahead_hours: float) -> None:
    photos = [
        replace(with_gp, gps_utc_time=with_gp.gps_utc_time + timedelta(seconds=n), name=f"{n}")
        for n, with_gp in enumerate(with_gps(4, ahead_hours=ahead_hours, start=start))
    ]
    model = clocks.fit(a_group(*photos))
    assert model.kind == "am/pm" and model.offset_hours == pytest.approx(ahead_hours, abs=0.01)


def test_one_black_picture_of_the_moon_accuses_no_hand() -> None:
    siblings = with_gps(6)
    moon = strong("GF201", (siblings[3].source_id,), Cause(CauseKind.CLOCK_OFFSET, "serial:1", None, "daylight, night"))
    (group,) = clocks.group_causes([moon], [clocks.fit(a_group(*siblings))], summaries=siblings)
    assert group.cause.kind is CauseKind.CLOCK_OR_PLACE


@pytest.mark.parametrize("ahead_hours", [3.0, 8.0, -6.0])
def test_one_gps_time_hours_off_is_never_called_a_right_clock(ahead_hours: float) -> None:
    """Daylight at the claimed hour may outweigh it; then nothing is said."""
    (photo,) = with_gps(1, ahead_hours=ahead_hours)
    model = clocks.fit(a_group(replace(photo, ev100=14.0, flash_fired=False)))
    assert model.kind == "undetermined" and model.interval_hours is None
