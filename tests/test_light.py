"""Light against the sun: the densities are densities, brighter suns make brighter frames likelier."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta

import numpy as np
import pytest
from builders import a_photo, a_summary, only
from hypothesis import given, settings
from hypothesis import strategies as st

from gtloc_forensics.checks.rules.gf210_light_likelihood import light_likelihood
from gtloc_forensics.earth.circular import hour_distance
from gtloc_forensics.earth.sun import sun_position
from gtloc_forensics.evidence import exposure
from gtloc_forensics.evidence.exposure import clock_offsets as light_offsets
from gtloc_forensics.evidence.exposure import geolocation as light_places
from gtloc_forensics.records import OffsetSource, Outcome

MODEL = exposure.load()
EV = np.arange(-8.0, 20.0, 0.02)
ARIZONA = (33.45, -112.07)  # no summer time
EPOCH = datetime(1970, 1, 1)


@pytest.mark.parametrize("elevation_deg", [-40.0, -6.0, 0.0, 12.0, 45.0, 80.0])
def test_the_density_over_ev100_has_mass_one(elevation_deg: float) -> None:
    mass = np.exp(MODEL.log_likelihood(EV, elevation_deg)).sum() * 0.02
    assert mass == pytest.approx(1.0, abs=0.02)


@settings(deadline=None)
@given(ev100=st.floats(-8, 20), elevation_deg=st.floats(-90, 90))
def test_one_frame_can_say_only_so_much(ev100: float, elevation_deg: float) -> None:
    least = math.log(MODEL.tail / exposure.EV_RANGE)
    assert least - 1e-9 <= float(MODEL.log_likelihood(ev100, elevation_deg)) < 1.0


def test_full_sun_is_likelier_at_noon_than_at_night_and_lamplight_the_other_way() -> None:
    day, night = MODEL.log_likelihood(14.0, 50.0), MODEL.log_likelihood(14.0, -30.0)
    assert day - night > math.log(30.0)
    assert MODEL.log_likelihood(4.0, -30.0) > MODEL.log_likelihood(4.0, 50.0)


def test_the_likelihood_ratio_names_the_better_claim() -> None:
    others, mass = exposure.other_claims(*ARIZONA, offset_hours=-7.0, hour_prior=MODEL.hour_prior)
    assert mass.sum() == pytest.approx(1.0)
    bright_noon = MODEL.log10_lr(14.5, 60.0, other_elevations_deg=others, other_mass=mass)
    bright_night = MODEL.log10_lr(14.5, -30.0, other_elevations_deg=others, other_mass=mass)
    assert bright_noon > 0.0 > -0.5 > bright_night
    assert MODEL.p_value(bright_night) < 0.01 < MODEL.p_value(bright_noon)


@settings(deadline=None)
@given(first=st.floats(-3, 3), second=st.floats(-3, 3))
def test_a_p_value_grows_with_the_score_and_is_never_zero(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert 0.0 < MODEL.p_value(low) <= MODEL.p_value(high) <= 1.0


def test_a_score_as_low_as_the_lowest_held_out_one_counts_that_one() -> None:
    scores = MODEL.held_out_log10_lr
    assert MODEL.p_value(scores[0]) == pytest.approx((MODEL.groups / len(scores) + 1.0) / (MODEL.groups + 1.0))
    assert MODEL.p_value(scores[-1]) == 1.0


def test_a_model_survives_its_file_and_a_wrong_file_is_refused() -> None:
    assert exposure.from_json(exposure.to_json(MODEL)) == MODEL
    with pytest.raises(ValueError, match="not a light model"):
        exposure.from_json(json.dumps({"clear": {}}))


# --------------------------------------------------------------------------- GF210


def test_daylight_claimed_deep_in_the_night_is_suspicious() -> None:
    photo = a_photo(local="2024-06-15 23:30", position=ARIZONA, f_number=8, exposure_s=1 / 500, iso=100)
    finding = only(light_likelihood, photo)
    assert finding.outcome is Outcome.SUSPICIOUS
    assert finding.log10_lr is not None and finding.log10_lr < -0.3
    assert finding.p_value is not None and finding.p_value <= 0.01
    assert "sources" in finding.facts["calibrated_on"]


def test_a_dim_frame_at_noon_is_only_indoors() -> None:
    photo = a_photo(local="2024-06-15 12:30", position=ARIZONA, f_number=1.8, exposure_s=1 / 60, iso=400)
    assert only(light_likelihood, photo).outcome is Outcome.CONSISTENT


@pytest.mark.parametrize("changes", [{"flash_fired": True}, {"f_number": None}, {"position": None}])
def test_without_exposure_or_sun_or_with_flash_light_is_not_testable(changes: dict[str, object]) -> None:
    settings_ = {"position": ARIZONA, "f_number": 8, "exposure_s": 1 / 500, "iso": 100, **changes}
    assert only(light_likelihood, a_photo(local="2024-06-15 23:30", **settings_)).outcome is Outcome.NOT_TESTABLE


# --------------------------------------------------------------------------- a camera's clock and place by light


def outdoor_day(
    *, days: int = 6, ahead_hours: float = 0.0, place: tuple[float, float] = ARIZONA, indoors: bool = False
):
    """PhotoSummary every half hour of some days, exposed as the middle of the curves says."""
    found = []
    for step in range(days * 48):
        true_local = datetime(2024, 3, 1) + timedelta(days=step // 48 * 9, minutes=30 * (step % 48) + 7)
        utc = true_local + timedelta(hours=7)
        height = float(sun_position((utc - EPOCH).total_seconds(), *place)[0])
        if height < -3.0:
            continue
        ev100 = 6.0 if indoors else float(np.interp(height, exposure.CURVE_ELEVATION_DEG, exposure.CLEAR_EV100)) - 1.0
        found.append(
            a_summary(
                f"{step}.jpg",
                local_time=true_local + timedelta(hours=ahead_hours),
                utc_time=utc + timedelta(hours=ahead_hours),
                utc_source=OffsetSource.CAMERA,
                offset_hours=-7.0,
                latitude_deg=place[0],
                longitude_deg=place[1],
                zone="America/Phoenix",
                ev100=ev100,
                flash_fired=False,
            )
        )
    return found


@settings(max_examples=8, deadline=None)
@given(ahead_hours=st.integers(-11, 11))
def test_outdoor_light_finds_the_offset_within_an_hour(ahead_hours: int) -> None:
    frames = light_offsets.frames_of(outdoor_day(days=3, ahead_hours=float(ahead_hours)))
    found = light_offsets.offset_log_likelihood(MODEL, frames)
    best = float(light_offsets.OFFSETS_HOURS[int(np.argmax(found))])
    assert hour_distance(best, ahead_hours) <= 1.0  # light knows nothing of whole days


def test_indoor_frames_hardly_speak() -> None:
    frames = light_offsets.frames_of(outdoor_day(days=1, indoors=True))
    found = light_offsets.offset_log_likelihood(MODEL, frames)
    by_day = np.abs(light_offsets.OFFSETS_HOURS) <= 4.0
    assert float(np.ptp(found[by_day])) < 2.0


def test_flash_frames_and_coarse_times_do_not_count() -> None:
    told = [
        a_summary(
            "a", local_time="2024-06-01 12:00", latitude_deg=1.0, longitude_deg=1.0, ev100=14.0, flash_fired=True
        ),
        a_summary(
            "b",
            local_time="2024-06-01 12:00",
            latitude_deg=1.0,
            longitude_deg=1.0,
            ev100=14.0,
            local_resolution_s=86400.0,
        ),
        a_summary("c", local_time="2024-06-01 12:00", ev100=14.0),
    ]
    frames = light_offsets.frames_of(told)
    assert len(frames) == 0
    assert not light_offsets.offset_log_likelihood(MODEL, frames).any()


def test_a_p_value_counts_sources_and_not_photos() -> None:
    """However many photos 161 sources gave, none is rarer among them than one in 162."""
    assert MODEL.p_value(-9.0) == pytest.approx(1.0 / (MODEL.groups + 1.0))
    assert MODEL.groups < MODEL.photos


def test_photos_of_one_outing_count_by_how_alike_their_light_is() -> None:
    minutes = [
        a_summary(f"{n}", local_time=datetime(2024, 6, 1, 12, n), latitude_deg=1.0, longitude_deg=1.0, ev100=14.0)
        for n in range(16)
    ]
    frames = light_offsets.frames_of(minutes)
    assert frames.outings == 1
    assert frames.effective == pytest.approx(16.0 / (1.0 + 15.0 * MODEL.outing_correlation))
    assert 1.0 < frames.effective < 1.3


def test_light_locates_an_outdoor_set_and_knows_a_lost_sign() -> None:
    summaries = outdoor_day(days=3)
    place = light_places.locate_by_light(summaries, model=MODEL)
    assert place is not None
    assert place.density.mass.sum() == pytest.approx(1.0, abs=1e-3)
    assert place.rank < 0.99
    assert abs(float(place.density.longitude_deg[0]) - ARIZONA[1]) < 15.0
    mirrored = [light_places.replace(summary, longitude_deg=-ARIZONA[1]) for summary in summaries]
    slip, gain = light_places.slips_by_light(mirrored, model=MODEL)[0]
    assert "longitude" in slip and gain > 3.0


def test_instants_worked_out_from_the_place_say_nothing_of_the_place() -> None:
    followed = [light_places.replace(photo, utc_source=OffsetSource.PLACE) for photo in outdoor_day(days=1)]
    assert light_places.locate_by_light(followed, model=MODEL) is None
    assert light_places.slips_by_light(followed, model=MODEL) == ()


def test_the_cells_have_one_area() -> None:
    latitude, _ = light_places.cells()
    north = (latitude > 30.0).mean()
    assert north == pytest.approx(0.25, abs=0.002)  # the cap above 30° holds a quarter of a sphere


def test_many_frames_locate_as_their_thinned_selection_does() -> None:
    frames = light_places._frames(outdoor_day(days=9))
    assert len(frames) > light_places.MOST_FRAMES
    thinned = light_places._thinned(frames)
    assert len(thinned) == light_places.MOST_FRAMES
    assert thinned.effective == pytest.approx(frames.effective)
