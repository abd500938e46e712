"""Calibration of the small model and every figure of its card, from held-out photos.

All figures count each source the same and carry a 95 % interval over sources drawn
again; ``n`` is always photos and sources.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from claims import NAMES, Scored, Shown, draw, moved, score
from crossfit import Fitted
from numpy.typing import NDArray
from photo_set import PhotoSet
from sklearn.metrics import roc_auc_score

from gtloc_forensics.earth.circular import hour_distance, month_distance
from gtloc_forensics.earth.globe import distance_km
from gtloc_forensics.evidence import resampling
from gtloc_forensics.evidence import scores as evidence_scores
from gtloc_forensics.evidence.calibration import EVIDENCE_FORMAT, Joint
from gtloc_forensics.evidence.scores import Usual
from gtloc_forensics.evidence.sun_height import ExposureTable
from gtloc_forensics.modelling import calibrating
from gtloc_forensics.modelling.calibrating import Trials
from gtloc_forensics.records import PlaceDensity, Position
from gtloc_forensics.vision.density import PlaceTeller, least_expected_turn

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]
Facts = dict[str, Any]

DATABLE_THRESHOLD = 0.5
TIMES, PLACES = (0, 1), (0, 2)  # kinds of claims: another time; another time and place
SHIPPED_BEFORE = ("hour", "year", "sun", "place", "light")
JOINTS = (
    ("hour", "year"),
    ("hour", "year", "sun", "place"),
    SHIPPED_BEFORE,
    (*SHIPPED_BEFORE, "height_lit"),
)
"""Sets of scores that are weighed together; the last but one is what was weighed before the sun's height was."""
LOOKED_AT_ALONE = ("height",)
"""Scores of the card that nothing uses: they were no better than what was there (0035)."""
ALARM_LEVELS = (0.01, 0.05, 0.10)
SURE = 0.80  # day or night is decided when this much of the mass agrees
HORIZON_DEG = -0.833
SEED = 11
DRAWS = 100  # of sources, for each interval


@dataclass(frozen=True)
class Judged:
    """Claims scored and what they calibrate."""

    usual: Usual
    scored: Scored
    joints: tuple[Joint, ...]
    trials: dict[str, Trials]


def examined(photos: PhotoSet, fitted: Fitted) -> Rows:
    """Return the photos the calibration is for: taken by people, time known, daylight judged to be in view."""
    return photos.timed & np.isin(photos.kind, ["photo", "time-only"]) & (fitted.datable >= DATABLE_THRESHOLD)


def usual_of(photos: PhotoSet, shown: Shown, rows: Rows, teller: PlaceTeller) -> Usual:
    """Return the mean densities over *rows*, every source counting the same."""
    weight = calibrating.source_weights(photos.group[rows])
    time = np.einsum("n,nyd->yd", weight, shown.time[rows].astype(np.float64))
    latitude, longitude = (np.round(axis, 2) for axis in teller.cells.centres_deg)
    mass = np.zeros(len(latitude))
    for row, share in zip(np.flatnonzero(rows), weight, strict=True):
        place = shown.place[int(row)]
        np.add.at(mass, teller.cells.cell_of(place.latitude_deg, place.longitude_deg), share * place.mass)
    kept = mass > 1e-7
    parts = (latitude[kept], longitude[kept], mass[kept] / mass[kept].sum())
    usual = PlaceDensity(*(part.astype(np.float32) for part in parts), teller.cells.area_km2)
    return Usual(time / time.sum(), usual)


def judge(photos: PhotoSet, shown: Shown, usual: Usual, rows: Rows) -> Judged:
    """Draw claims about the photos *rows*, score them, fit the joints."""
    scored = score(photos, shown, usual, draw(photos, np.flatnonzero(rows), seed=SEED))
    trials = {name: _single(scored, name) for name in NAMES}
    joints = []
    for names in JOINTS:
        several = scored.trials(names, kinds=(0, 1, 2))
        joint = calibrating.fit_joint(several, names)
        joints.append(joint)
        trials["+".join(names)] = Trials(_joined(several, joint), several.true, several.group)
    return Judged(usual, scored, tuple(joints), trials)


def _single(scored: Scored, name: str) -> Trials:
    several = scored.trials((name,), kinds=PLACES if name == "place" else TIMES)
    return Trials(several.score[:, 0], several.true, several.group)


def _joined(several: Trials, joint: Joint) -> Floats:
    return several.score @ np.array(joint.coefficients) + joint.intercept


# --------------------------------------------------------------------------- the calibration file


def evidence_entry(judged: Judged, facts: Facts, table: ExposureTable) -> Facts:
    """Return the part of ``calibration.json`` that ``evidence/calibration.py`` reads."""
    place = judged.usual.place
    assert place is not None
    return {
        "format": EVIDENCE_FORMAT,
        "datable_threshold": DATABLE_THRESHOLD,
        "usual": {
            "time": _rounded(judged.usual.time, 8),
            "place": {
                "lat": _rounded(place.latitude_deg, 2),
                "lon": _rounded(place.longitude_deg, 2),
                "mass": _rounded(place.mass, 8),
                "cell_area_km2": place.cell_area_km2,
            },
        },
        "tests": {
            name: _test_entry(trials, judged, name)
            for name, trials in judged.trials.items()
            if name not in LOOKED_AT_ALONE
        },
        "joints": [
            {
                "names": joint.names,
                "coefficients": _rounded(joint.coefficients, 5),
                "intercept": round(joint.intercept, 5),
            }
            for joint in judged.joints
        ],
        "sun_height": {
            "edges_deg": table.edges_deg.tolist(),
            "knots_ev": table.knots_ev.tolist(),
            "logits": _rounded(table.logits, 5),
            "usual": _rounded(table.usual, 7),
        },
        "facts": facts,
    }


def _test_entry(trials: Trials, judged: Judged, name: str) -> Facts:
    test = calibrating.calibrate(trials)
    _, ratio = held_out_strength(trials, judged, name)
    return {
        "cllr": round(calibrating.cllr(ratio, true=trials.true, weights=calibrating.sided_weights(trials)), 4),
        "photos": test.photos,
        "groups": test.groups,
        "scores": _rounded(test.scores, 4),
        "weights": _rounded(test.weights, 9),
        "lr_scores": _rounded(test.lr_scores, 4),
        "lr_log10": _rounded(test.lr_log10, 4),
    }


def _rounded(values: Any, digits: int) -> Any:
    return np.round(np.asarray(values, dtype=np.float64), digits).tolist()


# --------------------------------------------------------------------------- figures: evidence


def test_figures(judged: Judged) -> dict[str, Facts]:
    """Return, for each test, its cost, curve and alarm rates on sources it was not fitted on."""
    return {name: _figures_of(trials, judged, name) for name, trials in judged.trials.items()}


def _figures_of(trials: Trials, judged: Judged, name: str) -> Facts:
    p_value, ratio = held_out_strength(trials, judged, name)
    weight = calibrating.sided_weights(trials)
    true = trials.true
    alarms = {f"{level:g}": _alarm(p_value, trials, level) for level in ALARM_LEVELS}
    return {
        "photos": int(true.sum()),
        "sources": len(np.unique(trials.group[true])),
        "false_claims": int((~true).sum()),
        "auc": _auc(trials),
        "cllr": _with_interval(
            lambda rows: calibrating.cllr(ratio[rows], true=true[rows], weights=weight[rows]), trials.group
        ),
        "cllr_min": round(calibrating.least_cllr(trials), 4),
        "log10_lr_range": [round(float(ratio.min()), 2), round(float(ratio.max()), 2)],
        "true_claims_below_one": round(float(weight[true] @ (ratio[true] < 0) / weight[true].sum()), 4),
        "alarm_rate_true": {level: alarm[0] for level, alarm in alarms.items()},
        "alarm_rate_false": {level: alarm[1] for level, alarm in alarms.items()},
    }


def held_out_strength(trials: Trials, judged: Judged, name: str) -> tuple[Floats, Floats]:
    """Return p-values and ratios by everything refitted without the claim's fold of sources.

    For a joint that includes its coefficients.
    """
    folds = calibrating.source_folds(trials.group, count=10, seed=SEED)
    joint = next((photo for photo in judged.joints if "+".join(photo.names) == name), None)
    if joint is None:
        return calibrating.held_out(trials, folds=folds)
    several = judged.scored.trials(joint.names, kinds=(0, 1, 2))
    p_value, ratio = np.ones(len(folds)), np.zeros(len(folds))
    for fold in range(10):
        inside = folds == fold
        refitted = calibrating.fit_joint(several.of(~inside), joint.names)
        combined = Trials(_joined(several, refitted), several.true, several.group)
        test = calibrating.calibrate(combined.of(~inside))
        p_value[inside] = [test.p_value(float(value)) for value in combined.score[inside]]
        ratio[inside] = [test.log10_lr(float(value)) for value in combined.score[inside]]
    return p_value, ratio


def _alarm(p_value: Floats, trials: Trials, level: float) -> tuple[Facts, Facts]:
    hit = (p_value <= level).astype(np.float64)
    true, false = (_mean(hit[trials.true == kind], trials.group[trials.true == kind]) for kind in (True, False))
    return true, false


def _auc(trials: Trials) -> Facts:
    weight = calibrating.sided_weights(trials)
    return _with_interval(lambda rows: calibrating.area_under_curve(_rows(trials, rows), weight[rows]), trials.group)


def _rows(trials: Trials, rows: NDArray[np.int64]) -> Trials:
    return Trials(trials.score[rows], trials.true[rows], trials.group[rows])


def _with_interval(statistic: Callable[[NDArray[np.int64]], float], groups: NDArray[np.str_]) -> Facts:
    low, high = resampling.over_sources(statistic, groups, draws=DRAWS, seed=SEED)
    return {"value": round(statistic(np.arange(len(groups))), 4), "low": round(low, 4), "high": round(high, 4)}


def _mean(values: Floats, groups: NDArray[np.str_]) -> Facts:
    """Return the mean over sources, with its interval."""
    if len(values) == 0:
        return {"value": None, "low": None, "high": None}
    weight = calibrating.source_weights(groups)
    return _with_interval(lambda rows: float(weight[rows] @ values[rows] / weight[rows].sum()), groups)


def time_swap_auc(judged: Judged, photos: PhotoSet) -> dict[str, Facts]:
    """Return the verification curve of each joint for claims whose time alone is another photo's, by trust and EV."""
    found: dict[str, Facts] = {}
    for joint in judged.joints:
        name = "+".join(joint.names)
        trials = _swapped(judged, joint.names)
        rows = judged.scored.photos_of(joint.names, kinds=TIMES)
        sure = photos.trust[rows] == "gps-confirmed"
        found[name] = {
            "all": _auc_entry(trials),
            "gps-confirmed": _auc_entry(trials.of(sure)),
        }
    return found


def gains(judged: Judged, photos: PhotoSet) -> dict[str, Facts]:
    """Return what the density of the sun's height adds to the verification curve, on the same claims, by trust."""
    before, after = (_swapped(judged, names) for names in (SHIPPED_BEFORE, JOINTS[-1]))
    with_both = _rows_of(judged, JOINTS[-1])
    among = np.isin(_rows_of(judged, SHIPPED_BEFORE), with_both)
    before = before.of(among)
    sure = photos.trust[judged.scored.photo[with_both]] == "gps-confirmed"
    found = {}
    for name, rows in (("all", np.ones(len(sure), dtype=bool)), ("gps-confirmed", sure)):
        old, new = before.of(rows), after.of(rows)
        weight = calibrating.sided_weights(new)

        def gain(chosen: NDArray[np.int64], old: Trials = old, new: Trials = new, weight: Floats = weight) -> float:
            areas = [calibrating.area_under_curve(_rows(one, chosen), weight[chosen]) for one in (new, old)]
            return areas[0] - areas[1]

        counted = {"photos": int(new.true.sum()), "sources": len(np.unique(new.group[new.true]))}
        found[name] = {"before": _auc(old), "after": _auc(new), "gain": _with_interval(gain, new.group), **counted}
    return found


def verification_slices(judged: Judged, photos: PhotoSet) -> list[Facts]:
    """Return the curve of the largest joint for parts of the photos: maker, hemisphere, claimed hour, heading."""
    trials, row = _swapped(judged, JOINTS[-1]), judged.scored.photo[_rows_of(judged, JOINTS[-1])]
    hour = 24.0 * photos.day_turn[row]
    slices = [
        ("northern hemisphere", photos.latitude_deg[row] > 0),
        ("southern hemisphere", photos.latitude_deg[row] < 0),
        ("with a heading", np.isfinite(photos.heading_deg[row])),
        ("without a heading", ~np.isfinite(photos.heading_deg[row])),
    ]
    slices += [
        (f"taken {a}–{b} h", (hour >= a) & (hour < b)) for a, b in ((0, 6), (6, 10), (10, 14), (14, 18), (18, 24))
    ]
    slices += [
        (f"make {make or 'not stated'}", photos.make[row] == make) for make in sorted(set(photos.make[row].tolist()))
    ]
    return [
        {"slice": name, **_auc_entry(trials.of(rows))}
        for name, rows in slices
        if len(np.unique(trials.group[rows & trials.true])) >= 3
    ]


def _rows_of(judged: Judged, names: tuple[str, ...]) -> NDArray[np.int64]:
    """Return which scored claims :meth:`Scored.trials` gives for *names*."""
    columns = [NAMES.index(name) for name in names]
    there = np.isfinite(judged.scored.scores[:, columns]).all(1)
    return np.flatnonzero(there & np.isin(judged.scored.kind, TIMES))


def _swapped(judged: Judged, names: tuple[str, ...]) -> Trials:
    """Return the joint score of claims whose time alone is swapped, each by a joint fitted without its fold."""
    several = judged.scored.trials(names, kinds=TIMES)
    folds = calibrating.source_folds(several.group, count=10, seed=SEED)
    value = np.zeros(len(folds))
    for fold in range(10):
        inside = folds == fold
        value[inside] = _joined(several.of(inside), calibrating.fit_joint(several.of(~inside), names))
    return Trials(value, several.true, several.group)


def _auc_entry(trials: Trials) -> Facts:
    if len(np.unique(trials.true)) < 2:
        return {}
    return _auc(trials) | {"photos": int(trials.true.sum()), "sources": len(np.unique(trials.group[trials.true]))}


def by_shift(photos: PhotoSet, shown: Shown, judged: Judged, rows: Rows) -> list[Facts]:
    """Return how often a clock moved by so many hours raises an alarm at 5 %, by the largest joint."""
    joint = judged.joints[-1]
    columns = [NAMES.index(name) for name in joint.names]
    test = calibrating.calibrate(judged.trials["+".join(joint.names)])
    chosen = np.flatnonzero(rows & np.isfinite(photos.ev100) & ~photos.flash_fired & np.isfinite(photos.elevation_deg))
    found = []
    for hours in (0, 1, 2, 3, 4, 6, 8, 10, 12):
        signs = (1,) if hours in (0, 12) else (1, -1)
        parts = [moved(photos, shown, judged.usual, chosen, hours=sign * hours) for sign in signs]
        scores = np.concatenate([part.scores[:, columns] for part in parts])
        group = np.concatenate([part.group for part in parts])
        there = np.isfinite(scores).all(1)
        values = scores[there] @ np.array(joint.coefficients) + joint.intercept
        hit = np.array([test.p_value(float(value)) <= 0.05 for value in values], dtype=np.float64)
        entry = _mean(hit, group[there])
        found.append({"hours": hours, "photos": int(there.sum() / len(signs)), **entry})
    return found


# --------------------------------------------------------------------------- figures: points


def point_figures(photos: PhotoSet, shown: Shown, fitted: Fitted) -> list[Facts]:
    """Return hour and month errors beside the best constants, for slices of the photos."""
    people = photos.timed & np.isin(photos.kind, ["photo", "time-only"])
    judged = fitted.datable >= DATABLE_THRESHOLD
    val = photos.split == "val"
    hour = photos.day_turn * 24.0
    season = np.floor(np.mod(photos.year_turn * 12.0 + 1.0, 12.0) / 3.0)
    slices: list[tuple[str, Rows]] = [
        ("val, all photos", people & val),
        ("val, judged datable", people & val & judged),
        ("train by cross-fit, all photos", people & ~val),
        ("train by cross-fit, judged datable", people & ~val & judged),
        ("both, judged datable", people & judged),
        ("both, datable by hand label", people & (photos.datable == 1.0)),
        ("both, not datable by hand label", people & (photos.datable == 0.0)),
        ("webcams", photos.timed & (photos.kind == "webcam")),
        ("time confirmed by GPS, judged datable", people & judged & (photos.trust == "gps-confirmed")),
        ("northern hemisphere, judged datable", people & judged & (photos.latitude_deg > 0)),
        ("southern hemisphere, judged datable", people & judged & (photos.latitude_deg < 0)),
        ("with a heading, judged datable", people & judged & np.isfinite(photos.heading_deg)),
    ]
    slices += [
        (f"{low}–{high} h, judged datable", people & judged & (hour >= low) & (hour < high))
        for low, high in ((0, 6), (6, 10), (10, 14), (14, 18), (18, 24))
    ]
    quarters = ("December–February", "March–May", "June–August", "September–November")
    slices += [
        (f"{name}, judged datable", people & judged & (season == number)) for number, name in enumerate(quarters)
    ]
    makes = sorted({str(make) for make in photos.make[people & judged]})
    slices += [
        (f"make {make or 'not stated'}, judged datable", people & judged & (photos.make == make)) for make in makes
    ]
    answers = _answers(shown)
    return [_errors(photos, answers, name, rows) for name, rows in slices if rows.sum() >= 20]


def _answers(shown: Shown) -> tuple[Floats, Floats]:
    hour = np.array([24.0 * least_expected_turn(mass.sum(axis=0)) for mass in shown.time])
    return hour, np.array([12.0 * least_expected_turn(mass.sum(axis=1)) for mass in shown.time])


def _errors(photos: PhotoSet, answers: tuple[Floats, Floats], name: str, rows: Rows) -> Facts:
    hour, month = photos.day_turn[rows] * 24.0, photos.year_turn[rows] * 12.0
    group = photos.group[rows]
    people = photos.timed & np.isin(photos.kind, ["photo", "time-only"]) & (photos.split == "train")
    weight = calibrating.source_weights(photos.group[people])
    hours, months = np.arange(0, 24, 0.25), np.arange(0, 12, 0.125)
    fixed_hour = hours[np.argmin(hour_distance(hours[:, None], photos.day_turn[people] * 24.0) @ weight)]
    fixed_month = months[np.argmin(month_distance(months[:, None], photos.year_turn[people] * 12.0) @ weight)]
    return {
        "slice": name,
        "photos": int(rows.sum()),
        "sources": len(np.unique(group)),
        "hour_error": _mean(hour_distance(answers[0][rows], hour), group),
        "hour_constant": _mean(hour_distance(fixed_hour, hour), group),
        "hour_constant_in_hindsight": _least(hours, hour, group, hour_distance),
        "month_error": _mean(month_distance(answers[1][rows], month), group),
        "month_constant": _mean(month_distance(fixed_month, month), group),
        "month_constant_in_hindsight": _least(months, month, group, month_distance),
    }


def _least(grid: Floats, truth: Floats, groups: NDArray[np.str_], distance: Callable[..., Floats]) -> float:
    return round(float((distance(grid[:, None], truth) @ calibrating.source_weights(groups)).min()), 4)


def place_figures(photos: PhotoSet, shown: Shown, rows: Rows, teller: PlaceTeller) -> Facts:
    """Return how far the place told is off, for photos with a place."""
    chosen = np.flatnonzero(
        rows & np.isfinite(photos.latitude_deg) & np.isin(np.arange(len(photos)), list(shown.place))
    )
    told = [shown.place[int(row)] for row in chosen]
    best = np.array([[place.latitude_deg[0], place.longitude_deg[0]] for place in told])
    far = distance_km(
        photos.latitude_deg[chosen],
        photos.longitude_deg[chosen],
        second_latitude_deg=best[:, 0],
        second_longitude_deg=best[:, 1],
    )
    group = photos.group[chosen]
    return {
        "photos": len(chosen),
        "sources": len(np.unique(group)),
        **{f"within_{km}_km": _mean((far <= km).astype(np.float64), group) for km in (25, 200, 750, 2500)},
        "median_km": round(float(np.median(far)), 0),
    }


def day_night(photos: PhotoSet, shown: Shown, fitted: Fitted) -> list[Facts]:
    """Return how often day and night are decided, and decided rightly, for photos whose sun is known."""
    people = np.isin(photos.kind, ["photo"]) & np.isfinite(photos.elevation_deg)
    judged = fitted.datable >= DATABLE_THRESHOLD
    val = photos.split == "val"
    webcam = (photos.kind == "webcam") & np.isfinite(photos.elevation_deg)
    slices = {
        "val, judged datable": people & val & judged,
        "train by cross-fit, judged datable": people & ~val & judged,
        "both, judged datable": people & judged,
        "webcams": webcam,
    }
    return [{"slice": name} | _decided(photos, shown, rows) for name, rows in slices.items()]


def _decided(photos: PhotoSet, shown: Shown, rows: Rows) -> Facts:
    chosen = np.flatnonzero(rows)
    share = np.array([_daylight(photos, shown, int(row)) for row in chosen])
    day = photos.elevation_deg[chosen] > HORIZON_DEG
    decided = (share >= SURE) | (share <= 1.0 - SURE)
    right = (share >= 0.5) == day
    clear = np.abs(photos.elevation_deg[chosen] + 3.0) > 3.0
    group = photos.group[chosen]
    night = ~day & decided
    return {
        "photos": len(chosen),
        "sources": len(np.unique(group)),
        "decided": _mean(decided.astype(np.float64), group),
        "right_of_decided": _mean(right[decided].astype(np.float64), group[decided]),
        "right_of_decided_photos": f"{int((right & decided).sum())} of {int(decided.sum())}",
        "night_photos": int((~day).sum()),
        "night_decided_right": f"{int((right & night).sum())} of {int(night.sum())}",
        "auc": round(float(roc_auc_score(day[clear], share[clear])), 4) if len(set(day[clear])) == 2 else None,
    }


def _daylight(photos: PhotoSet, shown: Shown, row: int) -> float:
    local = datetime.fromtimestamp(photos.local_s[row], UTC)
    position = Position(float(photos.latitude_deg[row]), float(photos.longitude_deg[row]))
    elevations = evidence_scores.day_elevations(
        local.date(), position, offset_hours=float(photos.offset_hours[row]), cells=shown.time.shape[2]
    )
    year = float(photos.year_turn[row])
    return evidence_scores.daylight_share(
        shown.time[row], year_turn=year, elevations_deg=elevations, above_deg=HORIZON_DEG
    )


def datable_figures(photos: PhotoSet, fitted: Fitted) -> list[Facts]:
    """Return how often the question whether a scene can be dated is answered wrongly, by hand labels."""
    found = []
    for name, rows in (("val", photos.split == "val"), ("both", np.ones(len(photos), bool))):
        known = rows & np.isfinite(photos.datable)
        yes, group = photos.datable[known] == 1.0, photos.group[known]
        told = fitted.datable[known] >= DATABLE_THRESHOLD
        found.append(
            {
                "slice": name,
                "photos": int(known.sum()),
                "sources": len(np.unique(group)),
                "auc": round(calibrating.area_under_curve(Trials(fitted.datable[known], yes, group)), 4),
                "datable_refused": _mean((~told[yes]).astype(np.float64), group[yes]),
                "not_datable_let_through": _mean(told[~yes].astype(np.float64), group[~yes]),
                "refused_photos": f"{int((~told & yes).sum())} of {int(yes.sum())}",
                "let_through_photos": f"{int((told & ~yes).sum())} of {int((~yes).sum())}",
            }
        )
    return found
