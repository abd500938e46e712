"""Photos against their neighbours: each rule's trigger, what almost triggers it, and when it must keep silent."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

import numpy as np
import pytest
from builders import a_group, a_summary
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gtloc_forensics.checks import Context, look_alikes
from gtloc_forensics.checks.rules import (
    gf401_uptime,
    gf402_counters,
    gf403_bursts,
    gf404_travel,
    gf405_repeated_position,
    gf406_duplicates,
    gf407_light_of_device,
    gf408_light_of_place,
    gf409_track_slips,
    gf410_two_cameras,
)
from gtloc_forensics.earth.sun import sun_position
from gtloc_forensics.evidence import clocks, exposure
from gtloc_forensics.records import (
    ClockKind,
    Confidence,
    Counter,
    CounterKind,
    Finding,
    OffsetSource,
    Outcome,
    PhotoSummary,
)

NOW = Context(datetime(2026, 11, 21))
NOON = datetime(2024, 6, 3, 12, 0)


def of_device(rule, *summaries: PhotoSummary, doubt: str = "") -> list[Finding]:
    return list(rule.function(a_group(*summaries, doubt=doubt), NOW))


def outcomes(findings: list[Finding]) -> set[Outcome]:
    return {finding.outcome for finding in findings}


def found(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.is_found]


def assert_all_told(findings: list[Finding], summaries: list[PhotoSummary]) -> None:
    """Silence is never taken for a pass: every photo is spoken of."""
    assert {summary.source_id for summary in summaries} == {name for finding in findings for name in finding.source_ids}


# --------------------------------------------------------------------------- GF401


def running(minutes: float, uptime_s: float, name: str = "") -> PhotoSummary:
    moment = NOON + timedelta(minutes=minutes)
    return a_summary(
        name or f"{minutes}", local_time=moment, utc_time=moment, uptime_s=uptime_s, uptime_excludes_sleep=True
    )


def test_uptime_that_grows_faster_than_the_clock_is_a_contradiction() -> None:
    (finding,) = found(of_device(gf401_uptime.uptime, running(0, 1000.0), running(1, 9000.0)))
    assert finding.outcome is Outcome.CONTRADICTION
    assert finding.facts["uptime_gained_s"] == 8000.0


def test_uptime_that_shrinks_without_time_for_a_restart_is_a_contradiction() -> None:
    assert found(of_device(gf401_uptime.uptime, running(0, 9000.0), running(10, 2000.0)))


def test_a_device_may_sleep_or_start_again() -> None:
    slept = [running(0, 1000.0), running(600, 5000.0)]
    restarted = [running(0, 9000.0), running(60, 600.0)]
    assert outcomes(of_device(gf401_uptime.uptime, *slept)) == {Outcome.CONSISTENT}
    assert outcomes(of_device(gf401_uptime.uptime, *restarted)) == {Outcome.CONSISTENT}


def test_two_telephones_of_one_model_are_explained_by_two_owners() -> None:
    photos = running(0, 1000.0), running(1, 9000.0)
    (finding,) = of_device(gf401_uptime.uptime, *photos, doubt="no serial number")
    assert finding.outcome is Outcome.EXPLAINED
    assert "two devices of one model" in finding.summary


def test_file_numbers_that_follow_each_other_leave_one_owner() -> None:
    photos = [
        replace(photo, counters=(Counter(CounterKind.FILE_NUMBER, number, "t", str(number)),))
        for number, photo in ((4711, running(0, 1000.0)), (4712, running(1, 9000.0)))
    ]
    (finding,) = found(of_device(gf401_uptime.uptime, *photos, doubt="no serial number"))
    assert finding.outcome is Outcome.SUSPICIOUS


def test_one_uptime_alone_is_not_testable() -> None:
    photos = [running(0, 1000.0), a_summary("b", local_time=NOON)]
    findings = of_device(gf401_uptime.uptime, *photos)
    assert outcomes(findings) == {Outcome.NOT_TESTABLE}
    assert_all_told(findings, photos)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 5000), st.floats(0, 5000)), min_size=2, max_size=8))
def test_a_genuine_run_never_alarms(steps: list[tuple[float, float]]) -> None:
    """Awake and asleep stretches of one run, in any mixture."""
    awake_s = clock_s = 0.0
    photos = []
    for number, (awake, asleep) in enumerate(steps):
        awake_s, clock_s = awake_s + awake, clock_s + awake + asleep
        photos.append(running(clock_s / 60.0, awake_s, f"{number}"))
    assert not found(of_device(gf401_uptime.uptime, *photos))


# --------------------------------------------------------------------------- GF402


def counted(
    value: int, hours: float, kind: CounterKind = CounterKind.SHUTTER, wraps_at: int | None = None
) -> PhotoSummary:
    counter = Counter(kind, value, "MakerNotes:ShutterCount", str(value), wraps_at)
    return a_summary(f"{value}-{hours}", local_time=NOON + timedelta(hours=hours), counters=(counter,))


def test_one_photo_out_of_counter_order_is_named() -> None:
    photos = [counted(n, n) for n in range(12)]
    photos[5] = counted(5, -40)
    (finding,) = found(of_device(gf402_counters.counters, *photos))
    assert finding.source_ids == (photos[5].source_id,)


def test_one_step_back_is_one_finding_about_one_side() -> None:
    photos = [counted(n, n if n < 8 else n - 100) for n in range(12)]
    (finding,) = found(of_device(gf402_counters.counters, *photos))
    assert set(finding.source_ids) == {photo.source_id for photo in photos[8:]}
    assert finding.cause is not None and finding.cause.kind == "clock-reset"


def test_a_clock_set_back_by_hours_after_a_flight_westward_is_explained() -> None:
    """The counter runs on, local time falls once by less than zones differ: no photo was taken at another time."""
    hours = (0.0, 0.5, 4.9, 6.2, 5.3, 6.8, 8.6, 9.0)
    photos = [counted(n, hour, CounterKind.FILE_NUMBER, 10_000) for n, hour in enumerate(hours, 104)]
    findings = of_device(gf402_counters.counters, *photos)
    (told,) = [finding for finding in findings if finding.outcome is Outcome.EXPLAINED]
    assert not found(findings)
    assert "another zone" in told.summary and "at another time" not in told.summary


def test_a_photo_out_of_order_is_told_with_its_number_and_its_neighbours() -> None:
    photos = [counted(n, n) for n in range(12)]
    photos[5] = counted(5, -40)
    (finding,) = found(of_device(gf402_counters.counters, *photos))
    assert "5" in finding.summary
    assert any(photos[4].name in line for line in finding.observed)


def test_order_noise_within_minutes_and_a_wrapping_file_number_are_consistent() -> None:
    ordered = [counted(n, n) for n in range(6)]
    ordered[3] = counted(3, 2 - 0.1)
    wrapped = [counted((9996 + n) % 10000, n, CounterKind.FILE_NUMBER, 10000) for n in range(8)]
    assert not found(of_device(gf402_counters.counters, *ordered))
    assert outcomes(of_device(gf402_counters.counters, *wrapped)) == {Outcome.CONSISTENT}


def test_two_cards_in_turn_accuse_no_one() -> None:
    photos = [counted(n + 500 * (n % 2), n, CounterKind.FILE_NUMBER, 10000) for n in range(20)]
    findings = of_device(gf402_counters.counters, *photos)
    assert outcomes(findings) == {Outcome.NOT_TESTABLE}
    assert_all_told(findings, photos)


def test_many_photos_out_of_order_are_found_without_comparing_each_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    photos = [counted(n, n - 400 if n % 20 == 7 else n) for n in range(400)]
    compared = 0

    def equal(one: PhotoSummary, other: object) -> bool:
        nonlocal compared
        compared += 1
        return one is other

    monkeypatch.setattr(PhotoSummary, "__eq__", equal)
    findings = found(of_device(gf402_counters.counters, *photos))
    assert [finding.source_ids[0] for finding in findings] == [photo.source_id for photo in photos[7::20]]
    assert compared < len(photos), "20 photos out of order were looked for among 400"


def test_three_counters_are_too_few() -> None:
    assert outcomes(of_device(gf402_counters.counters, *(counted(n, n) for n in range(3)))) == {Outcome.NOT_TESTABLE}


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), max_size=40))
def test_removing_what_is_out_of_order_leaves_order(seconds: list[float]) -> None:
    odd = set(gf402_counters.out_of_order(seconds))
    kept = [value for index, value in enumerate(seconds) if index not in odd]
    highest = -float("inf")
    for value in kept:
        assert value >= highest - gf402_counters.SLACK_S - 1e-6
        highest = max(highest, value)


# --------------------------------------------------------------------------- GF403


def test_frames_of_one_burst_hours_apart_are_suspicious() -> None:
    first = a_summary("a", local_time=NOON, burst_id="b1")
    late = a_summary("b", local_time=NOON + timedelta(hours=6), burst_id="b1")
    near = a_summary("c", local_time=NOON + timedelta(seconds=3), burst_id="b1")
    assert len(found(of_device(gf403_bursts.bursts, first, late))) == 1
    assert not found(of_device(gf403_bursts.bursts, first, near))


def test_a_frame_alone_or_without_a_burst_is_not_testable() -> None:
    photos = [a_summary("a", local_time=NOON), a_summary("b", local_time=NOON, burst_id="x")]
    findings = of_device(gf403_bursts.bursts, *photos)
    assert outcomes(findings) == {Outcome.NOT_TESTABLE}
    assert_all_told(findings, photos)


# --------------------------------------------------------------------------- GF404


def at(name: str, hours: float, latitude_deg: float, longitude_deg: float, **more: object) -> PhotoSummary:
    moment = NOON + timedelta(hours=hours)
    place = {"latitude_deg": latitude_deg, "longitude_deg": longitude_deg}
    return a_summary(name, local_time=moment, utc_time=moment, **place, **more)


def test_paris_to_new_york_in_an_hour_is_impossible() -> None:
    (finding,) = found(of_device(gf404_travel.travel, at("a", 0, 48.9, 2.35), at("b", 1, 40.7, -74.0)))
    assert finding.outcome is Outcome.CONTRADICTION
    assert finding.facts["speed_km_h"] > 5000.0


def test_paris_to_new_york_in_eight_hours_is_a_flight() -> None:
    findings = of_device(gf404_travel.travel, at("a", 0, 48.9, 2.35), at("b", 8, 40.7, -74.0))
    assert Outcome.EXPLAINED in outcomes(findings) and not found(findings)


def test_a_hundred_kilometres_in_ten_minutes_are_no_flight() -> None:
    (finding,) = found(of_device(gf404_travel.travel, at("a", 0, 48.0, 2.0), at("b", 1 / 6, 48.9, 2.0)))
    assert finding.outcome is Outcome.SUSPICIOUS


def test_a_poor_fix_and_a_short_hop_are_reachable() -> None:
    poor = [at("a", 0, 48.0, 2.0, position_error_m=60_000.0), at("b", 0.1, 48.5, 2.0)]
    near = [at("a", 0, 48.0, 2.0), at("b", 0.01, 48.05, 2.0)]
    assert outcomes(of_device(gf404_travel.travel, *poor)) == {Outcome.CONSISTENT}
    assert outcomes(of_device(gf404_travel.travel, *near)) == {Outcome.CONSISTENT}


def test_the_odd_one_of_three_is_named_first() -> None:
    photos = [at("a", 0, 48.9, 2.35), at("odd", 0.1, -48.9, 2.35), at("c", 0.2, 48.9, 2.36)]
    assert {finding.source_ids[0] for finding in found(of_device(gf404_travel.travel, *photos))} == {
        photos[1].source_id
    }


def test_shared_model_names_weaken_travel() -> None:
    findings = of_device(gf404_travel.travel, at("a", 0, 48.9, 2.35), at("b", 1, 40.7, -74.0), doubt="no serial number")
    assert outcomes(found(findings)) == {Outcome.SUSPICIOUS}


def test_without_two_places_there_is_no_travel() -> None:
    photos = [at("a", 0, 48.9, 2.35), a_summary("b", local_time=NOON)]
    findings = of_device(gf404_travel.travel, *photos)
    assert outcomes(findings) == {Outcome.NOT_TESTABLE}
    assert_all_told(findings, photos)


def flying(number: int, minutes: float, km_east: float, **more: object) -> PhotoSummary:
    return at(f"{number}", minutes / 60.0, 52.0, -30.0 - km_east / 68.5, **more)


def test_photos_minutes_apart_make_a_flight_together() -> None:
    photos = [flying(1, 0, 0), flying(2, 4, 58), flying(3, 9, 131), flying(4, 15, 219), flying(5, 90, 1_310)]
    assert not found(of_device(gf404_travel.travel, *photos))
    assert len(found(of_device(gf404_travel.travel, *photos[:2]))) == 1  # one stretch of 58 km alone is no flight


def test_a_speed_or_height_that_the_receiver_tells_explains_the_travel() -> None:
    train = [flying(1, 0, 0, speed_km_h=318.0), flying(2, 25, 132)]
    aircraft = [flying(1, 0, 0, altitude_m=10_360.0), flying(2, 5, 71)]
    slow = [flying(1, 0, 0, speed_km_h=50.0), flying(2, 25, 132)]
    for photos in (train, aircraft):
        findings = of_device(gf404_travel.travel, *photos)
        assert Outcome.EXPLAINED in outcomes(findings) and not found(findings)
    assert found(of_device(gf404_travel.travel, *slow))


def owned(name: str, hours: float, place: tuple[float, float], **more: object) -> PhotoSummary:
    number = more.pop("number", None)
    counters = () if number is None else (Counter(CounterKind.FILE_NUMBER, int(str(number)), "t", str(number)),)
    return at(name, hours, *place, counters=counters, **more)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"number": 201}, {"number": 7111}),
        ({"software": "16.5"}, {"software": "17.1"}),
        ({"zone": "Europe/Berlin", "offset_hours": 2.0}, {"zone": "Asia/Tokyo", "offset_hours": 9.0}),
    ],
)
def test_two_owners_of_one_model_explain_impossible_travel(one, two) -> None:
    photos = [owned("a", 0, (52.5, 13.4), **one), owned("b", 0.5, (35.7, 139.8), **two)]
    assert not found(of_device(gf404_travel.travel, *photos, doubt="no serial number"))
    assert len(found(of_device(gf404_travel.travel, *photos))) == 1  # a serial number leaves one owner


def test_a_moved_position_in_one_series_is_not_explained_by_a_second_owner() -> None:
    same = {"zone": "Europe/Berlin", "offset_hours": 2.0}
    photos = [
        owned("a", 0, (52.5, 13.4), number=201, **same),
        owned("b", 0.5, (41.39, 2.17), number=202, zone="Europe/Madrid", offset_hours=2.0),
    ]
    assert len(found(of_device(gf404_travel.travel, *photos, doubt="no serial number"))) == 1


# --------------------------------------------------------------------------- GF405


def test_one_position_to_the_last_digit_for_hours_was_set() -> None:
    photos = [at(f"{hours}", hours, 48.856613, 2.352222) for hours in range(4)]
    (finding,) = of_device(gf405_repeated_position.repeated_position, *photos)
    assert finding.outcome is Outcome.EXPLAINED


def test_a_rounded_or_brief_or_moving_position_is_consistent() -> None:
    rounded = [at(f"{hours}", hours, 48.85, 2.35) for hours in range(4)]
    brief = [at(f"{n}", n / 60, 48.856613, 2.352222) for n in range(4)]
    moving = [at(f"{n}", n, 48.856613 + n * 1e-5, 2.352222) for n in range(4)]
    for photos in (rounded, brief, moving):
        assert outcomes(of_device(gf405_repeated_position.repeated_position, *photos)) == {Outcome.CONSISTENT}
    assert outcomes(of_device(gf405_repeated_position.repeated_position, a_summary("x"))) == {Outcome.NOT_TESTABLE}


# --------------------------------------------------------------------------- GF406

HASH = 0x9A5C_3E71_D2B4_860F


def case(rule, *summaries: PhotoSummary) -> list[Finding]:
    return list(rule.function(summaries, NOW))


def test_one_picture_claimed_at_two_places_is_suspicious() -> None:
    first = at("a", 0, 48.9, 2.35, perceptual_hash=HASH)
    second = at("b", 30, 40.7, -74.0, perceptual_hash=HASH ^ 0b11)
    findings = found(case(gf406_duplicates.duplicates, first, second))
    assert [finding.source_ids for finding in findings] == [(first.source_id,), (second.source_id,)]
    assert {finding.facts["other"] for finding in findings} == {"a", "b"}
    assert all(finding.cause.kind == "look-alike" for finding in findings if finding.cause)


def test_a_copy_a_tripod_and_different_pictures_are_consistent() -> None:
    first = at("a", 0, 48.9, 2.35, perceptual_hash=HASH)
    copy = replace(at("b", 30, 48.9, 2.35, perceptual_hash=HASH), sha256=first.sha256)
    tripod = at("c", 0.5, 48.9, 2.35, perceptual_hash=HASH)
    other = at("d", 30, 40.7, -74.0, perceptual_hash=HASH ^ 0xFFFF_0000)
    for neighbour in (copy, tripod, other):
        assert outcomes(case(gf406_duplicates.duplicates, first, neighbour)) == {Outcome.CONSISTENT}


def test_one_story_with_two_pictures_is_suspicious() -> None:
    counters = (Counter(CounterKind.SHUTTER, 77, "t", "77"),)
    first = at("a", 0, 48.9, 2.35, perceptual_hash=HASH, counters=counters)
    second = at("b", 0, 48.9, 2.35, perceptual_hash=HASH ^ 0xFFFF_FFFF, counters=counters)
    assert len(found(case(gf406_duplicates.duplicates, first, second))) == 2
    assert not found(case(gf406_duplicates.duplicates, first, replace(second, counters=())))
    bare = (replace(first, counters=()), replace(second, counters=()))
    assert not found(case(gf406_duplicates.duplicates, *bare))  # a burst within one second tells the same time


def _seen_as(degrees: float) -> np.ndarray:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], np.float16)


def test_a_crop_claimed_elsewhere_is_suspicious_when_hash_and_model_agree() -> None:
    first = at("a", 0, 48.9, 2.35, perceptual_hash=HASH, embedding=_seen_as(0.0))
    crop = at("b", 30, 40.7, -74.0, perceptual_hash=HASH ^ 0x3FF, embedding=_seen_as(10.0))
    finding, back = found(case(gf406_duplicates.duplicates, first, crop))
    assert "crop or an edit of b" in finding.summary and finding.confidence is Confidence.WEAK
    assert "crop or an edit of a" in back.summary
    for other in (
        replace(crop, embedding=_seen_as(30.0)),
        replace(crop, embedding=None),
        replace(crop, perceptual_hash=HASH ^ 0x7FF),
    ):
        assert not found(case(gf406_duplicates.duplicates, first, other))


def test_what_looks_the_same_is_told_once_a_photo_and_not_excused_by_its_device() -> None:
    first = at("a", 0, 48.9, 2.35, perceptual_hash=HASH, embedding=_seen_as(0.0))
    second = at("b", 30, 48.9, 2.35, perceptual_hash=HASH ^ 0b11, embedding=_seen_as(0.0))
    finding, back = case(gf406_duplicates.duplicates, first, second)
    assert finding.outcome is Outcome.SUSPICIOUS and "the same as b " in finding.summary
    assert back.outcome is Outcome.SUSPICIOUS and "the same as a " in back.summary


def frames(count: int, **changes: object) -> list[PhotoSummary]:
    """Return the frames of a fixed camera, two hours apart, whose hashes scatter by a bit."""
    return [
        at(f"f{number:05}", 2 * number, 48.9, 2.35, **{"perceptual_hash": HASH ^ (1 << (number % 40)), **changes})
        for number in range(count)
    ]


def test_a_fixed_camera_is_one_sentence_and_no_heap_of_pairs() -> None:
    findings = case(gf406_duplicates.duplicates, *frames(200))
    assert len(findings) == 200
    assert outcomes(findings) == {Outcome.EXPLAINED}
    assert len({finding.summary for finding in findings}) == 1
    assert all(len(finding.source_ids) == 1 for finding in findings)


def test_ten_thousand_frames_cost_seconds_and_no_memory() -> None:
    photos = frames(10_000)
    started = time.process_time()
    findings = case(gf406_duplicates.duplicates, *photos)
    assert time.process_time() - started < 10.0
    assert len(findings) == len(photos)


def test_identical_files_make_no_pairs() -> None:
    photos = [replace(photo, sha256="same") for photo in frames(5_000, perceptual_hash=HASH)]
    findings = case(gf406_duplicates.duplicates, *photos)
    assert outcomes(findings) == {Outcome.CONSISTENT}


def test_a_redated_copy_of_the_very_pixels_is_no_view_seen_again() -> None:
    first, *others = frames(6, mean_luminance=0.41)
    copy = replace(at("copy", 2_000, 48.9, 2.35, perceptual_hash=first.perceptual_hash), mean_luminance=0.41)
    others = [replace(other, mean_luminance=0.4 + 0.01 * number) for number, other in enumerate(others, 2)]
    told = {finding.source_ids[0]: finding for finding in case(gf406_duplicates.duplicates, first, *others, copy)}
    assert told[copy.source_id].outcome is Outcome.SUSPICIOUS
    assert "the same picture as f00000" in told[copy.source_id].summary
    assert told[others[0].source_id].outcome is Outcome.EXPLAINED


def test_a_crowd_of_hashes_hides_no_look_alike() -> None:
    low = HASH & 0xFFFF
    noise = random.Random(1)
    crowd = [
        at(f"n{number}", 3 * number, 48.9, 2.35, perceptual_hash=(noise.getrandbits(48) << 16) | low)
        for number in range(700)
    ]
    first = at("a", 0, 48.9, 2.35, perceptual_hash=HASH)
    second = at("b", 30, 40.7, -74.0, perceptual_hash=HASH ^ (0b11 << 60), device_key="serial:2")
    told = {finding.source_ids[0]: finding for finding in case(gf406_duplicates.duplicates, *crowd, first, second)}
    assert told[first.source_id].is_found and told[second.source_id].is_found
    assert {told[photo.source_id].outcome for photo in crowd} == {Outcome.CONSISTENT}


def test_a_copy_that_a_messenger_sent_on_is_no_second_story() -> None:
    first = at("a.jpg", 0, 48.9, 2.35, perceptual_hash=HASH)
    sent = at("IMG-20240110-WA0001.jpg", 48, 48.9, 2.35, perceptual_hash=HASH ^ 1, device_key="unknown")
    assert not found(case(gf406_duplicates.duplicates, first, sent))


def test_an_editors_copy_keeps_time_and_counter_and_is_no_other_picture() -> None:
    counters = (Counter(CounterKind.FILE_NUMBER, 42, "t", "42"),)
    first = at("DSC_0042.JPG", 0, 48.9, 2.35, perceptual_hash=HASH, counters=counters)
    crop = replace(
        at("edited/DSC_0042.JPG", 0, 48.9, 2.35, perceptual_hash=HASH ^ 0xFFFF_FFFF, counters=counters),
        software="Adobe Photoshop Lightroom 5.0",
    )
    findings = case(gf406_duplicates.duplicates, first, crop)
    assert outcomes(findings) == {Outcome.EXPLAINED}
    assert all("another picture" not in finding.summary for finding in findings)


def test_the_same_view_seen_again_by_one_device_is_explained() -> None:
    first = at("a", 0, 48.9, 2.35, perceptual_hash=HASH, embedding=_seen_as(0.0))
    again = at("b", 30, 48.9, 2.35, perceptual_hash=HASH ^ 0x3FF, embedding=_seen_as(0.0))
    finding, _ = case(gf406_duplicates.duplicates, first, again)
    assert finding.outcome is Outcome.EXPLAINED and "the same view seen again by the same device" in finding.innocent
    assert len(found(case(gf406_duplicates.duplicates, first, replace(again, device_key="serial:2")))) == 2
    nameless = (replace(first, device_key="unknown"), replace(again, device_key="unknown"))
    assert len(found(case(gf406_duplicates.duplicates, *nameless))) == 2


def test_pictures_without_structure_are_not_testable() -> None:
    photos = [at("a", 0, 1, 1, perceptual_hash=0), at("b", 90, 50, 1, perceptual_hash=0), a_summary("c")]
    findings = case(gf406_duplicates.duplicates, *photos)
    assert outcomes(findings) == {Outcome.NOT_TESTABLE}
    assert_all_told(findings, photos)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=12),
    st.lists(st.integers(0, 63), min_size=2, max_size=11),
    st.integers(0, 11),
)
def test_near_pairs_are_exactly_those_a_full_comparison_finds(hashes: list[int], bits: list[int], most: int) -> None:
    for turned in (bits, bits[:2]):
        hashes = [*hashes, *(value ^ sum({1 << bit for bit in turned}) for value in hashes[:12])]
    wanted = [
        (first, second)
        for first in range(len(hashes))
        for second in range(first + 1, len(hashes))
        if (hashes[first] ^ hashes[second]).bit_count() <= most
    ]
    assert list(look_alikes.near_pairs(hashes, most)) == wanted


def test_many_equal_pictures_are_all_compared_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = [HASH ^ (number % 3) for number in range(1200)]
    whole = list(look_alikes.near_pairs(hashes, 2))
    assert len(whole) == 1200 * 1199 // 2
    monkeypatch.setattr(look_alikes, "HITS_AT_ONCE", 7)
    assert list(islice(look_alikes.near_pairs(hashes, 2), 5000)) == whole[:5000]


# --------------------------------------------------------------------------- GF407, GF408


def outdoors(
    *, ahead_hours: float = 0.0, longitude_deg: float = -112.07, ev100: float | None = None
) -> list[PhotoSummary]:
    photos = []
    for step in range(96):
        true_utc = datetime(2024, 2, 1) + timedelta(days=20 * (step // 24), hours=step % 24)
        height = float(sun_position((true_utc - datetime(1970, 1, 1)).total_seconds(), 33.45, -112.07)[0])
        if height < 0.0:
            continue
        bright = float(np.interp(height, exposure.CURVE_ELEVATION_DEG, exposure.CLEAR_EV100)) - 1.0
        claimed = true_utc + timedelta(hours=ahead_hours)
        photos.append(
            a_summary(
                f"{step}",
                local_time=claimed - timedelta(hours=7),
                utc_time=claimed,
                utc_source=OffsetSource.CAMERA,
                latitude_deg=33.45,
                longitude_deg=longitude_deg,
                zone="America/Phoenix",
                ev100=ev100 or bright,
                flash_fired=False,
            )
        )
    return photos


def test_the_light_of_a_device_bounds_its_clock_six_hours_ahead_and_names_no_offset() -> None:
    (finding,) = found(of_device(gf407_light_of_device.light_of_device, *outdoors(ahead_hours=6.0)))
    assert finding.outcome is Outcome.CONTRADICTION
    assert finding.cause is not None and finding.cause.offset_hours is None
    assert finding.facts["interval_low_hours"] <= 6.0 <= finding.facts["interval_high_hours"]


def test_light_half_an_hour_off_is_consistent_and_few_photos_are_not_testable() -> None:
    assert outcomes(of_device(gf407_light_of_device.light_of_device, *outdoors(ahead_hours=0.5))) == {
        Outcome.CONSISTENT
    }
    few = of_device(gf407_light_of_device.light_of_device, *outdoors()[:3])
    assert outcomes(few) == {Outcome.NOT_TESTABLE}


def test_dim_rooms_are_not_testable() -> None:
    dim = of_device(gf407_light_of_device.light_of_device, *outdoors(ev100=5.4))
    assert outcomes(dim) == {Outcome.NOT_TESTABLE}


def test_the_light_of_a_device_knows_a_lost_longitude_sign() -> None:
    (finding,) = found(of_device(gf408_light_of_place.light_of_place, *outdoors(longitude_deg=112.07)))
    assert "longitude" in finding.summary
    assert finding.cause is not None and finding.cause.kind == "clock-or-place"


def test_the_light_of_a_device_lies_far_from_a_wrong_ocean() -> None:
    (finding,) = found(of_device(gf408_light_of_place.light_of_place, *outdoors(longitude_deg=-40.0)))
    assert finding.facts["rank"] >= 0.995


def test_a_place_two_degrees_off_is_consistent_and_few_frames_are_not_testable() -> None:
    near = of_device(gf408_light_of_place.light_of_place, *outdoors(longitude_deg=-110.0))
    assert outcomes(near) == {Outcome.CONSISTENT}
    few = of_device(gf408_light_of_place.light_of_place, *outdoors()[:5])
    assert outcomes(few) == {Outcome.NOT_TESTABLE}


# --------------------------------------------------------------------------- GF409


def test_a_lost_sign_in_one_photo_of_a_track_is_repaired() -> None:
    photos = [at(f"{n}", 24 * n, 33.4 + n / 10, -112.0) for n in range(6)]
    photos.append(at("east", 30, 33.5, 112.0))
    (finding,) = found(of_device(gf409_track_slips.track_slips, *photos))
    assert finding.source_ids == (photos[-1].source_id,)
    assert "longitude" in finding.summary


def test_a_journey_is_no_slip() -> None:
    photos = [at(f"{n}", 24 * n, 33.4 + n / 10, -112.0) for n in range(6)]
    photos.append(at("away", 300, 48.9, 2.4))
    assert outcomes(of_device(gf409_track_slips.track_slips, *photos)) == {Outcome.CONSISTENT}


def test_a_track_without_a_fraction_above_sixty_was_read_as_minutes() -> None:
    rng = np.random.default_rng(4)
    true = [(30.0 + rng.uniform(0, 15), 5.0 + rng.uniform(0, 15)) for _ in range(30)]
    misread = [tuple(int(angle) + 0.6 * (angle % 1.0) for angle in place) for place in true]
    track = [at(f"{n}", 24 * n, *place) for n, place in enumerate(misread)]
    assert len(found(of_device(gf409_track_slips.track_slips, *track))) == 1
    honest = [at(f"{n}", 24 * n, *place) for n, place in enumerate(true)]
    assert not found(of_device(gf409_track_slips.track_slips, *honest))


def test_three_places_make_no_track() -> None:
    photos = [at(f"{n}", n, 33.4, -112.0) for n in range(3)]
    assert outcomes(of_device(gf409_track_slips.track_slips, *photos)) == {Outcome.NOT_TESTABLE}


# --------------------------------------------------------------------------- GF410


def journey(device: str, late_hours: float, places: int = 6) -> list[PhotoSummary]:
    return [at(f"{device}{n}", 3 * n + late_hours, 48.0 + n / 10, 2.0, device_key=device) for n in range(places)]


def test_two_cameras_always_two_hours_apart_share_a_clock_fault() -> None:
    photos = [*journey("one", 0.0), *journey("two", 2.0)]
    (finding,) = found(case(gf410_two_cameras.two_cameras, *photos))
    ahead = {"one": -7200.0, "two": 7200.0}[finding.facts["device"]]  # of the other device, whichever is named first
    assert finding.facts["difference_s"] == pytest.approx(ahead)
    assert_all_told([finding], photos)
    assert finding.cause is not None and (finding.cause.device_key, finding.cause.offset_hours) == ("", None)
    assert "always" not in finding.summary


@pytest.mark.parametrize(("right", "wrong", "offset_hours"), [("one", "two", 2.0), ("two", "one", -2.0)])
def test_of_two_cameras_the_one_that_gps_time_does_not_confirm_is_named(right, wrong, offset_hours) -> None:
    photos = [*journey("one", 0.0), *journey("two", 2.0)]
    told = [
        replace(photo, zone="Etc/UTC", gps_utc_time=photo.local_time) if photo.device_key == right else photo
        for photo in (replace(photo, zone="Etc/UTC") for photo in photos)
    ]
    (finding,) = found(case(gf410_two_cameras.two_cameras, *told))
    assert finding.cause is not None
    assert (finding.cause.device_key, finding.cause.offset_hours) == (wrong, pytest.approx(offset_hours))
    assert finding.facts["device"] == wrong, "facts and cause tell one direction: corrections go by the facts"
    assert finding.facts["difference_s"] == pytest.approx(offset_hours * 3600.0)
    accused = {photo.source_id for photo in photos if photo.device_key == wrong}
    assert set(finding.source_ids) == accused


def test_two_cameras_together_or_meeting_twice_accuse_no_one() -> None:
    together = case(gf410_two_cameras.two_cameras, *journey("one", 0.0), *journey("two", 0.1))
    assert outcomes(together) == {Outcome.CONSISTENT}
    twice = case(gf410_two_cameras.two_cameras, *journey("one", 0.0, 2), *journey("two", 2.0, 2))
    assert outcomes(twice) == {Outcome.NOT_TESTABLE}


def test_two_cameras_without_a_steady_difference_tell_nothing() -> None:
    second = [at(f"s{n}", 3 * n + 0.5 + 0.4 * n, 48.0 + n / 10, 2.0, device_key="two") for n in range(6)]
    assert not found(case(gf410_two_cameras.two_cameras, *journey("one", 0.0), *second))


# --------------------------------------------------------------------------- every rule, whatever comes

MOMENTS = st.one_of(st.none(), st.datetimes(), st.datetimes(datetime(2024, 6, 1), datetime(2024, 6, 2)))
ODD = st.builds(
    a_summary,
    st.uuids().map(str),
    local_time=MOMENTS,
    utc_time=MOMENTS,
    gps_utc_time=MOMENTS,
    utc_source=st.sampled_from([None, OffsetSource.CAMERA, OffsetSource.PLACE]),
    offset_hours=st.sampled_from([None, 0.0, 5.75, -12.0]),
    latitude_deg=st.sampled_from([None, 90.0, -90.0, 0.0, 48.856613]),
    longitude_deg=st.sampled_from([None, 180.0, -180.0, 0.0, 2.352222]),
    zone=st.sampled_from(["", "Europe/Paris", "Etc/GMT+12"]),
    ev100=st.one_of(st.none(), st.floats(-8, 20)),
    flash_fired=st.sampled_from([None, True, False]),
    counters=st.one_of(
        st.just(()), st.integers(-5, 9999).map(lambda n: (Counter(CounterKind.FILE_NUMBER, n, "t", "", 10000),))
    ),
    uptime_s=st.one_of(st.none(), st.floats(0, 1e9)),
    burst_id=st.sampled_from(["", "b"]),
    perceptual_hash=st.one_of(st.none(), st.integers(0, 2**64 - 1)),
    device_key=st.sampled_from(["serial:1", "serial:2"]),
)
DEVICE_RULES = (
    gf401_uptime.uptime,
    gf402_counters.counters,
    gf403_bursts.bursts,
    gf404_travel.travel,
    gf405_repeated_position.repeated_position,
    gf407_light_of_device.light_of_device,
    gf408_light_of_place.light_of_place,
    gf409_track_slips.track_slips,
)
CASE_RULES = (gf406_duplicates.duplicates, gf410_two_cameras.two_cameras)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ODD, min_size=1, max_size=14, unique_by=lambda photo: photo.source_id))
def test_odd_photos_crash_no_rule_and_none_is_passed_over(photos: list[PhotoSummary]) -> None:
    for rule in DEVICE_RULES:
        assert_all_told(of_device(rule, *photos), photos)
    for rule in CASE_RULES:
        assert_all_told(case(rule, *photos), photos)
    assert clocks.fit(a_group(*photos)).kind in ClockKind


@pytest.mark.parametrize("rule", [*DEVICE_RULES, *CASE_RULES], ids=lambda rule: rule.check_id)
def test_a_comparing_rule_documents_itself(rule) -> None:
    places = [rule.explanation.find(heading) for heading in ("Shows:", "Cannot show:", "Blind spots:", "Threshold:")]
    assert rule.explanation.startswith(f"{rule.check_id} — ")
    assert -1 not in places and places == sorted(places)


def test_two_steps_back_are_several_series() -> None:
    photos = [counted(n, n - 100 * (n // 6)) for n in range(18)]
    assert outcomes(of_device(gf402_counters.counters, *photos)) == {Outcome.NOT_TESTABLE}
