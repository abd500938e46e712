"""The published metrics by hand-computed examples, intervals over sources, the tampering protocol, the page."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gtloc_forensics.earth import circular, globe
from gtloc_forensics.errors import UsageError
from gtloc_forensics.modelling import metrics, scorecard, tampering
from gtloc_forensics.modelling.phototable import PhotoTable
from gtloc_forensics.records import PlaceDensity, Position, Prediction, TimeDensity

YEARS, DAYS = 12, 24


def table(count: int, *, groups: int = 5, seed: int = 0) -> PhotoTable:
    rng = np.random.default_rng(seed)
    month, day, hour = rng.integers(1, 13, count), rng.integers(1, 29, count), rng.uniform(5, 21, count)
    return PhotoTable(
        paths=tuple(Path(f"{i}.jpg") for i in range(count)),
        group=np.array([f"g{i % groups}" for i in range(count)]),
        split=np.full(count, "val"),
        latitude_deg=rng.uniform(-60, 70, count),
        longitude_deg=rng.uniform(-180, 180, count),
        year_turn=circular.encoder_year_turn(month, day),
        day_turn=hour / 24,
        metric_month=circular.metric_month(month, day),
        label=np.full(count, ""),
        datable=np.full(count, math.nan),
    )


def prediction(row: int, truth: PhotoTable, *, spread: float, rng: np.random.Generator) -> Prediction:
    """A prediction round the truth, off by about *spread* of a turn, as wide as it is wrong."""
    year = (truth.year_turn[row] + rng.normal(0, spread)) % 1.0
    day = (truth.day_turn[row] + rng.normal(0, spread)) % 1.0
    masses = [
        circular.wrapped_normal(circular.cell_centres(n), t, sd_turns=spread) / n
        for n, t in ((YEARS, year), (DAYS, day))
    ]
    mass = np.outer(*masses)
    away = tampering.moved_by(
        truth.latitude_deg[row],
        truth.longitude_deg[row],
        km=float(abs(rng.normal(0, 800))),
        bearing_deg=float(rng.uniform(0, 360)),
    )
    ring = [
        tampering.moved_by(*away, km=km, bearing_deg=turn) for km in (0.0, 500.0, 1000.0) for turn in (0, 90, 180, 270)
    ]
    weight = np.exp(-0.5 * (np.repeat([0.0, 500.0, 1000.0], 4) / 800) ** 2)
    place = PlaceDensity(
        np.array([p[0] for p in ring], np.float32),
        np.array([p[1] for p in ring], np.float32),
        (weight / weight.sum()).astype(np.float32),
        250_000.0,
    )
    here = Position(float(away[0]), float(away[1]))
    return Prediction(
        str(row), "fake", "0" * 64, "", TimeDensity((mass / mass.sum()).astype(np.float32)), place,
        24 * day, year, 24 * day, year, here, here, {50: 1.0, 90: 2.0, 95: 3.0}, 1.0,
    )  # fmt: skip


def predictions(truth: PhotoTable, *, spread: float = 0.04, seed: int = 0) -> list[Prediction]:
    rng = np.random.default_rng(seed)
    return [prediction(row, truth, spread=spread, rng=rng) for row in range(len(truth))]


# --------------------------------------------------------------------------- published definitions


def test_the_month_of_the_metric_has_thirty_one_days() -> None:
    # papers.md §1.6: M = month + (day − 1)/31, and E_M = min(|ΔM|, 12 − |ΔM|).
    truth = replace(table(2), metric_month=np.array([1.0, 12 + 30 / 31]), year_turn=np.array([0.0, 0.0]))
    answers = metrics.Answers(*(np.zeros(2) for _ in range(4)))
    found = metrics.errors(answers, truth).month
    assert found[0] == pytest.approx(0.0) and found[1] == pytest.approx(1 / 31)


@given(st.integers(1, 12), st.integers(1, 30))
def test_a_turn_of_the_year_goes_to_the_metrics_month_and_back(month: int, day: int) -> None:
    turn = circular.encoder_year_turn(month, day)
    assert float(metrics.metric_month_of(turn)) == pytest.approx(float(circular.metric_month(month, day)), abs=1e-9)


def test_hours_across_midnight_are_near() -> None:
    truth = replace(table(1), day_turn=np.array([23.5 / 24]))
    answers = metrics.Answers(np.array([0.5]), np.zeros(1), np.zeros(1), np.zeros(1))
    assert metrics.errors(answers, truth).hour[0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("month", "hour", "tps"), [(1.40, 2.72, 77.00), (1.52, 2.84, 75.49), (3.0, 6.0, 50.0), (0, 0, 100)]
)
def test_tps_gives_published_rows(month: float, hour: float, tps: float) -> None:
    # GT-Loc and TimeLoc on SkyFinder, unseen cameras: papers.md §1.7.
    assert metrics.time_prediction_score(month, hour) == pytest.approx(tps, abs=0.03)


def test_accuracy_counts_what_lies_within_the_distance() -> None:
    truth = replace(table(4), latitude_deg=np.zeros(4), longitude_deg=np.zeros(4))
    degree_km = 2 * math.pi * 6371.0 / 360
    answers = metrics.Answers(np.zeros(4), np.zeros(4), np.array([0.5, 20, 190, 3000]) / degree_km, np.zeros(4))
    found = metrics.point_metrics(answers, truth, resamples=10)
    assert [found[f"within {km} km, %"].value for km in (1, 25, 200, 750, 2500)] == [25, 50, 75, 75, 75]
    assert found["median km"].value == pytest.approx(105.0)


def test_the_best_constant_beats_every_other_constant_on_its_own_photos() -> None:
    training = table(300)
    best = metrics.errors(metrics.best_constant(training, 300), training)
    for hour in range(24):
        other = metrics.errors(
            metrics.Answers(np.full(300, float(hour)), np.full(300, 0.3), np.zeros(300), np.zeros(300)), training
        )
        assert best.hour.mean() <= other.hour.mean() + 0.01
        assert best.km.mean() <= other.km.mean() + 1.0


def test_a_row_that_knows_only_half_counts_for_that_half() -> None:
    truth = table(6)
    answers = metrics.least_expected(predictions(truth))
    truth.latitude_deg[0] = truth.longitude_deg[0] = math.nan
    truth.day_turn[1] = truth.year_turn[1] = truth.metric_month[1] = math.nan
    found = metrics.point_metrics(answers, truth, resamples=10)
    assert found["hour error"].photos == 5 and found["median km"].photos == 5


# --------------------------------------------------------------------------- intervals


def test_one_source_gives_no_interval_and_many_photos_of_two_sources_a_wide_one() -> None:
    values = np.concatenate([np.zeros(500), np.ones(500)])
    mean = partial(metrics.mean_of, values)
    alone = metrics.bootstrap(mean, np.full(1000, "a"))
    assert math.isnan(alone.low) and alone.sources == 1
    two = metrics.bootstrap(mean, np.repeat(["a", "b"], 500))
    assert (two.low, two.high) == (0.0, 1.0)
    many = metrics.bootstrap(mean, np.arange(1000).astype(str))
    assert many.high - many.low < 0.1 and many.low <= many.value <= many.high


def test_the_interval_is_the_same_every_time() -> None:
    truth = table(40)
    first, again = (
        metrics.point_metrics(metrics.least_expected(predictions(truth)), truth, resamples=50) for _ in range(2)
    )
    assert first == again


def test_intervals_over_sources_hold_what_they_promise() -> None:
    # 40 sources of 5 photos that share their source's offset: the true mean 0 lies inside about 95 % of the time.
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(200):
        values = np.repeat(rng.normal(0, 1, 40), 5) + rng.normal(0, 0.1, 200)
        found = metrics.bootstrap(
            lambda rows, v=values: float(v[rows].mean()), np.repeat(np.arange(40), 5).astype(str), resamples=400
        )
        inside += found.low <= 0 <= found.high
    assert 0.87 <= inside / 200 <= 1.0


# --------------------------------------------------------------------------- densities


def test_calibrated_densities_cover_what_they_promise() -> None:
    truth = table(600, groups=60)
    levels = metrics.time_levels(predictions(truth, spread=0.1), truth)
    found = metrics.coverage(levels, truth.group, resamples=200)
    for level, figure in found.items():
        assert figure.value == pytest.approx(float(level), abs=0.08)
    narrow = [
        replace(photo, time=TimeDensity((photo.time.mass**4 / (photo.time.mass**4).sum()).astype(np.float32)))
        for photo in predictions(truth, spread=0.1)
    ]
    assert metrics.coverage(metrics.time_levels(narrow, truth), truth.group, resamples=20)["0.9"].value < 0.8


@given(st.lists(st.floats(0.01, 1.0), min_size=2, max_size=12), st.data())
def test_a_credible_level_counts_heavier_cells_and_half_of_ties(weights: list[float], data: st.DataObject) -> None:
    mass = np.array(weights) / sum(weights)
    cell = data.draw(st.integers(0, len(weights) - 1))
    level = metrics.credible_level(mass, cell)
    assert mass[mass > mass[cell]].sum() <= level <= 1.0


def test_a_place_outside_every_kept_cell_lies_at_the_edge() -> None:
    truth = table(1)
    lone = PlaceDensity(np.zeros(1, np.float32), np.zeros(1, np.float32), np.ones(1, np.float32), 10_000.0)
    assert metrics.place_cell(lone, 0.3, 0.3) == 0 and metrics.place_cell(lone, 40.0, 0.0) == -1
    one = replace(predictions(truth)[0], place=lone)
    assert metrics.place_levels([one], truth)[0] == 1.0


# --------------------------------------------------------------------------- retrieval


def test_chance_of_retrieval_is_that_of_a_random_order() -> None:
    apart = replace(
        table(20), latitude_deg=np.linspace(-60, 70, 20), longitude_deg=np.zeros(20), day_turn=np.full(20, 0.5)
    )
    found = metrics.retrieval_by_chance(apart, resamples=10)
    assert [found[f"R@{count}, %"].value for count in (1, 5, 10)] == pytest.approx([5.0, 25.0, 50.0])
    alike = replace(apart, latitude_deg=np.zeros(20), year_turn=np.full(20, 0.5))
    assert metrics.retrieval_by_chance(alike, resamples=10)["R@1, %"].value == pytest.approx(100.0)
    few = apart.rows(np.arange(3))
    assert metrics.retrieval_by_chance(few, resamples=10)["R@10, %"].value == pytest.approx(100.0)


def test_retrieval_finds_a_picture_by_its_own_time_and_place() -> None:
    truth = table(30)
    vectors = np.linalg.qr(np.random.default_rng(0).normal(size=(30, 30)))[0]
    assert metrics.retrieval(vectors, vectors, truth, resamples=10)["R@1, %"].value == 100.0
    wrong = metrics.retrieval(-vectors, vectors, truth, resamples=10)
    assert wrong["R@1, %"].value < 20.0 and wrong["R@10, %"].value >= wrong["R@1, %"].value


def test_the_first_pictures_are_those_of_a_full_comparison() -> None:
    rng = np.random.default_rng(3)
    queries, images = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in rng.normal(size=(2, 60, 16)))
    known = np.flatnonzero(rng.random(60) < 0.8)
    whole = np.argsort(-(queries[known] @ images[known].T), axis=1, kind="stable")[:, : max(metrics.RECALL_AT)]
    assert (metrics._first(queries, images, known) == whole).all()


def test_a_hit_needs_place_date_and_hour() -> None:
    truth = replace(
        table(3, groups=3),
        latitude_deg=np.array([0.0, 0.1, 0.1]),
        longitude_deg=np.zeros(3),
        year_turn=np.array([0.99, 0.02, 0.02]),
        day_turn=np.array([0.5, 0.52, 0.6]),
    )
    everyone = np.tile(np.arange(3), (3, 1))
    assert metrics._hits(truth, everyone).tolist() == [[True, True, False], [True, True, False], [False, False, True]]


# --------------------------------------------------------------------------- tampering


def test_a_swapped_claim_differs_in_month_or_hour() -> None:
    truth = table(200)
    other = tampering.swapped(truth, np.random.default_rng(0))
    month, hour = circular.cell_of(truth.year_turn, cells=12), circular.cell_of(truth.day_turn, cells=24)
    assert ((month != month[other]) | (hour != hour[other])).all()


def test_the_area_under_the_curve_counts_pairs() -> None:
    assert tampering.auc([3, 2], [1, 2]) == pytest.approx((2 + 1.5) / 4)
    assert tampering.auc([1, 1], [1, 1]) == 0.5
    assert math.isnan(tampering.auc([], [1.0]))


def test_knowing_predictions_verify_and_ignorant_ones_do_not() -> None:
    truth = table(240, groups=24)
    knowing = tampering.verification(predictions(truth, spread=0.03), truth)
    assert knowing["verification AUC"].value > 0.95 and knowing["verification accuracy, %"].value > 85
    even = TimeDensity(np.full((YEARS, DAYS), 1 / (YEARS * DAYS), np.float32))
    ignorant = tampering.verification([replace(photo, time=even) for photo in predictions(truth)], truth)
    assert ignorant["verification AUC"].value == pytest.approx(0.5, abs=1e-6)


def test_larger_shifts_are_flagged_more_often_and_honest_claims_at_the_stated_rate() -> None:
    truth = table(300, groups=30)
    curves = tampering.detection_curves(predictions(truth, spread=0.05), truth)
    hours = curves["hours"]
    assert hours["honest"].value == pytest.approx(tampering.ALARM_RATE, abs=0.05)
    assert hours["1"].value < hours["4"].value < hours["8"].value > 0.9
    assert curves["months"]["6"].value > 0.9 > curves["months"]["1"].value
    assert curves["km"]["10000"].value > 0.9 > curves["km"]["50"].value


def test_a_time_score_is_the_mass_between_cells_across_both_seams() -> None:
    rng = np.random.default_rng(0)
    mass = rng.random((YEARS, DAYS))
    mass /= mass.sum()
    one = replace(predictions(table(1))[0], time=TimeDensity(mass.astype(np.float32)))
    year, day = 0.999, 0.001
    column = np.array([circular.mass_at(row, day) for row in mass])
    expected = math.log(float(circular.mass_at(column, year)) * mass.size)
    found = tampering.time_scores([one], tampering.Claims(np.array([year]), np.array([day])))
    assert found[0] == pytest.approx(expected, abs=1e-5)


@given(st.floats(-85, 85), st.floats(-180, 180), st.floats(1, 15_000), st.floats(0, 360))
def test_moving_by_a_distance_moves_by_that_distance(
    latitude: float, longitude: float, km: float, bearing: float
) -> None:
    there = tampering.moved_by(latitude, longitude, km=km, bearing_deg=bearing)
    found = globe.distance_km(latitude, longitude, second_latitude_deg=there[0], second_longitude_deg=there[1])
    assert float(found) == pytest.approx(km, rel=1e-6, abs=1e-3)


# --------------------------------------------------------------------------- the card


class Oracle:
    """A model that answers from the table, to run the whole evaluation without torch."""

    short_side = 16

    def __init__(self, truth: PhotoTable) -> None:
        self.facts = {"name": "oracle"}
        self._answers = predictions(truth)

    def prepare(self, pixels):
        return pixels.rgb

    def embed(self, prepared):
        return np.zeros((len(prepared), 2), np.float32)

    def predict(self, embeddings, source_ids):
        return [self._answers[int(name)] for name in source_ids]

    def fused(self, turns, places):
        return None


def test_a_folder_becomes_a_card_with_a_table_json_and_a_page(tmp_path: Path) -> None:
    truth = table(30, groups=6)
    truth = replace(truth, paths=tuple(tmp_path / path for path in truth.paths))
    for path in truth.paths[:-1]:
        Image.new("RGB", (20, 16), (90, 120, 200)).save(path)
    truth.paths[-1].write_bytes(b"\xff\xd8\xff broken")
    told = []
    card = scorecard.evaluated(
        Oracle(truth), truth, training=table(50, seed=1), resamples=20, progress=lambda *line: told.append(line)
    )
    assert card.photos == 29 and len(card.unreadable) == 1 and told[-1] == ("photos", 30, 30)
    assert set(card.answers) == {"least expected error", "arg-max", "best constant"}
    text = scorecard.as_text(card)
    assert "n = 29 of 6 sources" in text and "1 not examined" in text and "TPS" in text
    read = json.loads(scorecard.as_json(card))
    assert read["answers"]["arg-max"]["hour error"]["photos"] == 29
    known, found, _ = scorecard.predict(Oracle(truth), truth)
    pytest.importorskip("matplotlib")
    scorecard.draw(card, found, known, tmp_path / "page.png")
    scorecard.draw(card, found, known, tmp_path / "again.png")
    assert (tmp_path / "page.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    assert Image.open(tmp_path / "page.png").size[0] > 800


def test_predictions_of_other_photos_are_refused() -> None:
    truth = table(3)
    with pytest.raises(UsageError, match="2 predictions for 3 photos"):
        scorecard.of_predictions(predictions(truth)[:2], truth)


def test_the_same_predictions_give_the_same_card() -> None:
    truth = table(30)
    cards = [scorecard.as_json(scorecard.of_predictions(predictions(truth), truth, resamples=20)) for _ in range(2)]
    assert cards[0] == cards[1]
