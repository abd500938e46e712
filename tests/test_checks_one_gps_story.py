"""Of one GPS time the rule and the clock model of the device tell one story."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from builders import PARIS, a_photo

from gtloc_forensics.checks import Context, circumstances
from gtloc_forensics.checks.rules.gf101_clock_gps import clock_against_gps as gf101
from gtloc_forensics.evidence import clocks
from gtloc_forensics.evidence.clocks.causes import CLOCK_CAUSES, group_causes
from gtloc_forensics.examination import summaries
from gtloc_forensics.records import CauseKind, ClockKind, ClockModel, Finding, Outcome

PHONE = {"make": "Samsung", "model": "SM-A536B"}
CAMERA = {"make": "Canon", "model": "EOS 80D"}
START = datetime(2023, 6, 10, 10, 0, 7)


def row(minutes: float, *, behind_minutes: float = 120.0, ahead_hours: float = 0.0, **more: object) -> dict:
    """Return one photo in Paris in summer, its GPS time *behind_minutes* behind a right clock."""
    taken = START + timedelta(minutes=minutes)
    return {
        "local": taken + timedelta(hours=ahead_hours),
        "gps": taken - timedelta(minutes=behind_minutes),
        "position": (PARIS[0] + minutes / 1e5, PARIS[1]),
        **more,
    }


RIGHT = [row(47.0 * number) for number in range(4)]


def told(rows: list[dict], device: dict) -> tuple[list[Finding], ClockModel, list]:
    """Return what the rule, the clock model and the causes say, one after the other as in an examination."""
    photos = [a_photo(**{"name": f"{number}.jpg", **device, **more}) for number, more in enumerate(rows)]
    others = circumstances.gather(photo.claim for photo in photos)
    context = Context(now_utc=datetime(2026, 11, 28), circumstances=others)
    findings, seen, labels = [], [], {}
    for photo in photos:
        found = list(gf101.function(photo, context))
        findings += found
        summary = circumstances.marked(summaries.summary_of(photo), found, others)
        seen.append(summary)
        labels[summary.device_key] = summaries.label(photo.claim)
    (model,) = clocks.fit_all(summaries.by_device(seen, labels))
    return findings, model, list(group_causes(findings, (model,), summaries=seen))


@pytest.mark.parametrize("device", [PHONE, CAMERA], ids=["telephone", "camera"])
@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(
            [*RIGHT, row(400.0), row(520.0, gps=START + timedelta(minutes=280))], id="the fix of another photo again"
        ),
        pytest.param(
            [row(0.0, tags={"GPS:GPSStatus": ("V",)}, behind_minutes=300.0),
             row(1500.0, tags={"GPS:GPSStatus": ("V",)}, behind_minutes=300.0),
             row(2900.0, tags={"GPS:GPSStatus": ("V",)}, behind_minutes=300.0)],
            id="fixes that the receiver calls void",
        ),
        pytest.param(
            [row(0.0), row(1447.0, behind_minutes=120.0 + 1440.0), row(2899.0, behind_minutes=120.0 + 2880.0)],
            id="a date that stood still",
        ),
        pytest.param(
            [row(0.0, gps=datetime(2023, 6, 10, 18)), row(1530.0, gps=datetime(2023, 6, 11, 18)), row(3000.0)],
            id="a constant",
        ),
    ],
)  # fmt: skip
def test_a_gps_time_that_is_no_clock_accuses_no_camera_anywhere(rows: list[dict], device: dict) -> None:
    findings, model, causes = told(rows, device)
    assert model.kind in (ClockKind.RIGHT, ClockKind.UNDETERMINED)
    assert {finding.cause.kind for finding in findings if finding.cause}.isdisjoint(CLOCK_CAUSES)
    assert {group.cause.kind for group in causes}.isdisjoint(CLOCK_CAUSES)


def test_a_void_fix_is_told_by_the_model_too() -> None:
    void = {"tags": {"GPS:GPSStatus": ("V",)}, "behind_minutes": 300.0}
    _, model, _ = told([row(0.0, **void), row(1500.0, **void), row(2900.0, **void)], CAMERA)
    assert any("3 photos is no clock's" in said for said in model.evidence)
    assert model.offset_hours is None


def test_one_capture_second_of_a_program_is_no_drift() -> None:
    rows = [row(0.0, gps=START - timedelta(hours=2) + timedelta(seconds=apart)) for apart in (0, 90, 230, 290)]
    findings, _, causes = told(rows, CAMERA)
    assert [finding.outcome for finding in findings] == [Outcome.CONSISTENT, *[Outcome.SUSPICIOUS] * 3]
    assert {finding.cause.kind for finding in findings[1:]} == {CauseKind.STAMPED}
    assert causes[0].summary.count("one capture second") == 1


def test_gps_times_that_repeat_the_camera_to_the_second_blame_neither_clock() -> None:
    findings, model, _ = told([row(47.0 * number, behind_minutes=0.0) for number in range(4)], PHONE)
    assert {finding.cause.kind for finding in findings} == {CauseKind.CLOCK_OR_GPS}
    assert model.kind is ClockKind.UNDETERMINED


def test_a_camera_whose_photos_have_no_time_of_day_is_not_said_to_have_none_of_them_all() -> None:
    _, model, _ = told([{"local": None, "gps": None, "position": None}], CAMERA)
    assert model.summary == "Its photos have no time of day, by which a clock could be judged."


def test_a_clock_that_is_wrong_is_still_told_by_both() -> None:
    rows = [row(47.0 * number, ahead_hours=3.0) for number in range(4)]
    findings, model, _ = told(rows, CAMERA)
    assert all(finding.outcome is Outcome.SUSPICIOUS and finding.cause.offset_hours == 3.0 for finding in findings)
    assert model.offset_hours == pytest.approx(3.0)
