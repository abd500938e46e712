"""Learns p(EV100 | sun elevation) from real photos and measures it on groups it has not seen.

    python experiments/light_likelihood.py --photos ../shared/photos [--write]

Prints held-out figures; ``--write`` puts the model, fitted on the training groups, in
``gtloc_forensics/evidence/exposure/light.json``. Statistics only: no photo and no identifier leaves the set.
Decision note: docs/decisions/0004-light-likelihood.md.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from gtloc_forensics.earth import globe, sun, zones
from gtloc_forensics.evidence import exposure

Floats = NDArray[np.float64]
CAP = 15.0  # photos that one group may count for: beyond it they tell of one trip, not of light
FOLDS = 10
TAIL = 0.02
# How alike the light of one outing's photos is, as :func:`alike` measured it.
OUTING_CORRELATION = 0.9
OUTING_S = 1_800.0
MOST_OF_A_CAMERA = 300
# How many photos' worth of belief the starting values of a kind have (papers.md §7.3 and field.md row 16).
PRIOR_PHOTOS = 5.0
START_MEAN = np.array([-1.0, 0.0, 6.0, 4.0])
START_SIGMA = np.array([1.0, 1.3, 1.5, 2.5])


@dataclass(frozen=True)
class Shots:
    """Flashless frames with exposure, place and local time, as columns of equal length."""

    group: NDArray[np.str_]
    camera: NDArray[np.str_]
    is_validation: NDArray[np.bool_]
    is_gps_confirmed: NDArray[np.bool_]
    local: NDArray[np.object_]
    offset_hours: Floats
    utc_s: Floats
    latitude_deg: Floats
    longitude_deg: Floats
    zone: NDArray[np.str_]
    ev100: Floats

    def __len__(self) -> int:
        return len(self.ev100)

    def where(self, mask: NDArray[np.bool_]) -> Shots:
        return Shots(**{name: getattr(self, name)[mask] for name in self.__dataclass_fields__})

    def elevation(self, later_hours: float | Floats = 0.0) -> Floats:
        return sun.sun_position(self.utc_s + 3600.0 * later_hours, self.latitude_deg, self.longitude_deg)[0]


def read(photos: Path) -> Shots:
    """Read the frames of ``photos.csv`` that the light model can speak of."""
    rows = []
    with (photos / "photos.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            shot = _shot(row)
            if shot is not None:
                rows.append(shot)
    return Shots(*(np.array(column) for column in zip(*rows, strict=True)))


def _shot(row: dict[str, str]) -> tuple[object, ...] | None:
    if row["kind"] != "photo" or row["time_trust"] not in ("gps-confirmed", "camera-clock"):
        return None
    try:
        f_number, exposure_s, iso = (float(row[name]) for name in ("fnumber", "exposure_s", "iso"))
    except ValueError:
        return None
    flash = int(float(row["flash"])) & 1 if row["flash"].strip() else 0
    if flash or min(f_number, exposure_s, iso) <= 0:
        return None
    local = datetime.fromisoformat(row["local_time"])
    offset = zones.offsets_hours(row["zone"], local)[0]
    ev100 = float(np.log2(f_number**2 / exposure_s) - np.log2(iso / 100.0))
    return (
        row["group"],
        f"{row['group']}|{row['make']}|{row['model']}",
        row["split"] == "val",
        row["time_trust"] == "gps-confirmed",
        local,
        offset,
        globe.unix_seconds(local) - 3600.0 * offset,
        float(row["lat"]),
        float(row["lon"]),
        row["zone"],
        ev100,
    )


# --------------------------------------------------------------------------- learning


def weights(group: NDArray[np.str_]) -> Floats:
    """Return one weight per photo so that no group counts for more than ``CAP`` photos."""
    count = Counter(group.tolist())
    return np.array([min(1.0, CAP / count[name]) for name in group.tolist()])


def fit(shots: Shots) -> exposure.LightModel:
    """Fit the mixture by expectation and maximisation, starting from the published curves."""
    height, ev, weight = shots.elevation(), shots.ev100, weights(shots.group)
    mean, sigma, share = START_MEAN.copy(), START_SIGMA.copy(), np.array([0.4, 0.2, 0.4])
    curves = np.zeros((4, len(ev)))
    curves[0] = np.interp(height, exposure.CURVE_ELEVATION_DEG, exposure.CLEAR_EV100)
    curves[1] = np.interp(height, exposure.CURVE_ELEVATION_DEG, exposure.OVERCAST_EV100)
    night = exposure.night_share(height)
    for _ in range(200):
        prior = np.vstack([share[:, None] * (1.0 - night), night[None]])
        z = (ev - curves - mean[:, None]) / sigma[:, None]
        density = prior * np.exp(-0.5 * z**2) / (sigma[:, None] * np.sqrt(2.0 * np.pi))
        duty = weight * density / (density.sum(0) + TAIL / exposure.EV_RANGE)
        amount = duty.sum(1)
        mean = ((duty * (ev - curves)).sum(1) + PRIOR_PHOTOS * START_MEAN) / (amount + PRIOR_PHOTOS)
        spread = (duty * (ev - curves - mean[:, None]) ** 2).sum(1)
        sigma = np.sqrt((spread + PRIOR_PHOTOS * START_SIGMA**2) / (amount + PRIOR_PHOTOS))
        share = amount[:3] / amount[:3].sum()
    clear, overcast, indoor, lamp = (
        exposure.Kind(round(float(mean[i]), 3), round(float(sigma[i]), 3), round(float(s), 3))
        for i, s in enumerate((*share, 1.0))
    )
    groups = len(set(shots.group.tolist()))
    card = f"{len(shots)} flashless photos of {groups} sources, at most {CAP:.0f} counted of each"
    hours = hour_prior(shots, weight)
    return exposure.LightModel(
        clear,
        overcast,
        indoor,
        lamp,
        TAIL,
        1.0,
        (0.0,),
        hours,
        photos=len(shots),
        groups=groups,
        card=card,
        outing_correlation=OUTING_CORRELATION,
    )


def hour_prior(shots: Shots, weight: Floats) -> tuple[float, ...]:
    """Return when people take photos, smoothed over neighbouring hours and never zero."""
    hours = np.array([moment.hour for moment in shots.local])
    mass = np.bincount(hours, weight, minlength=24) + 0.01 * weight.sum()
    mass = 0.25 * np.roll(mass, 1) + 0.5 * mass + 0.25 * np.roll(mass, -1)
    return tuple(round(float(value), 5) for value in mass / mass.sum())


def folds(shots: Shots, seed: int = 0) -> NDArray[np.int64]:
    """Return a fold for each photo; photos of one group share it."""
    names = sorted(set(shots.group.tolist()))
    order = np.random.default_rng(seed).permutation(len(names))
    fold_of = {names[name]: place % FOLDS for place, name in enumerate(order)}
    return np.array([fold_of[name] for name in shots.group.tolist()])


def cross_fitted(shots: Shots) -> list[tuple[NDArray[np.bool_], exposure.LightModel]]:
    """Return, for each fold, which photos it holds and a model that learned from all other groups."""
    fold = folds(shots)
    return [(fold == number, fit(shots.where(fold != number))) for number in range(FOLDS) if (fold == number).any()]


# --------------------------------------------------------------------------- measuring


def month_and_hour_of_another(shots: Shots, rng: np.random.Generator) -> Floats:
    """Return the sun's elevation when each photo claims another photo's month and hour at its own place."""
    other = rng.permutation(len(shots))
    utc = []
    for index, donor in enumerate(other):
        own, lent = shots.local[index], shots.local[donor]
        claimed = own.replace(month=lent.month, day=min(own.day, 28), hour=lent.hour, minute=lent.minute)
        utc.append(globe.unix_seconds(claimed) - 3600.0 * shots.offset_hours[index])
    return sun.sun_position(np.array(utc), shots.latitude_deg, shots.longitude_deg)[0]


def scores(model: exposure.LightModel, shots: Shots, height: Floats) -> Floats:
    """Return the raw log10 likelihood ratio of each photo under a claimed elevation."""
    found = []
    for index in range(len(shots)):
        others, mass = exposure.other_claims(
            shots.latitude_deg[index],
            shots.longitude_deg[index],
            offset_hours=shots.offset_hours[index],
            hour_prior=model.hour_prior,
        )
        found.append(
            model.log10_lr(shots.ev100[index], float(height[index]), other_elevations_deg=others, other_mass=mass)
        )
    return np.array(found)


def auc(true: Floats, false: Floats, weight: Floats) -> float:
    """Return how often a true claim scores above a false one, photos counted by *weight*."""
    order = np.argsort(false)
    below = np.concatenate([[0.0], np.cumsum(weight[order])]) / weight.sum()
    low, high = (below[np.searchsorted(false[order], true, side)] for side in ("left", "right"))
    return float(np.average((low + high) / 2.0, weights=weight))


def slope(true: Floats, false: Floats, weight: Floats) -> float:
    """Return the factor on the log ratio that makes it calibrated (logistic regression through the origin)."""
    factors = np.linspace(0.1, 2.0, 191)
    costs = [
        np.average(np.log1p(np.exp(-f * np.log(10) * true)) + np.log1p(np.exp(f * np.log(10) * false)), weights=weight)
        for f in factors
    ]
    return float(factors[int(np.argmin(costs))])


def cllr(true: Floats, false: Floats, weight: Floats) -> float:
    """Return the log-likelihood-ratio cost in bits: 1 says nothing, 0 everything (Brümmer & du Preez 2006)."""
    cost = np.log2(1.0 + 10.0**-true) + np.log2(1.0 + 10.0**false)
    return float(np.average(cost, weights=weight)) / 2.0


def normal_scores(shots: Shots) -> Floats:
    """Return the held-out normal score of each photo's EV100: 0 is usual under the sun it had, 1 a sigma brighter."""
    found = np.zeros(len(shots))
    for mask, model in cross_fitted(shots):
        part = shots.where(mask)
        height, ev = part.elevation(), part.ev100
        night = exposure.night_share(height)
        clear, overcast = (
            _below(ev - np.interp(height, exposure.CURVE_ELEVATION_DEG, curve), kind)
            for curve, kind in ((exposure.CLEAR_EV100, model.clear), (exposure.OVERCAST_EV100, model.overcast))
        )
        sunny = model.clear.share / (model.clear.share + model.overcast.share)
        outdoors = sunny * clear + (1.0 - sunny) * overcast
        by_day = (1.0 - model.indoor.share) * outdoors + model.indoor.share * _below(ev, model.indoor)
        mixed = (1.0 - night) * by_day + night * _below(ev, model.lamp)
        found[mask] = norm.ppf(np.clip((1.0 - model.tail) * mixed + model.tail * (ev + 8.0) / 28.0, 1e-4, 1.0 - 1e-4))
    return found


def _below(distance_ev: Floats, kind: exposure.Kind) -> Floats:
    return np.asarray(norm.cdf((distance_ev - kind.mean_ev100) / kind.sigma_ev100), dtype=np.float64)


def alike(shots: Shots) -> tuple[float, float]:
    """Return the mean correlation of two photos of one outing, and of two outings of one camera, cameras alike."""
    score, rng = normal_scores(shots), np.random.default_rng(0)
    within, across = [], []
    for camera in sorted(set(shots.camera.tolist())):
        rows = np.flatnonzero(shots.camera == camera)
        rows = rng.choice(rows, MOST_OF_A_CAMERA, replace=False) if len(rows) > MOST_OF_A_CAMERA else rows
        if len(rows) < 2:
            continue
        rows = rows[np.argsort(shots.utc_s[rows])]
        outing = np.cumsum(np.diff(shots.utc_s[rows], prepend=-np.inf) > OUTING_S)
        first, second = np.triu_indices(len(rows), 1)
        product, is_same = score[rows][first] * score[rows][second], outing[first] == outing[second]
        within += [float(product[is_same].mean())] if is_same.any() else []
        across += [float(product[~is_same].mean())] if not is_same.all() else []
    variance = float(score.var())
    print(f"alike: {len(within)} cameras within an outing, {len(across)} across outings")
    return float(np.mean(within)) / variance, float(np.mean(across)) / variance


def interval(values: list[float]) -> str:
    """Return the 95 % range of bootstrapped figures."""
    low, high = np.percentile(values, [2.5, 97.5])
    return f"{low:.3f}–{high:.3f}"


def bootstrap_auc(true: Floats, false: Floats, group: NDArray[np.str_], weight: Floats) -> str:
    """Return the AUC with its 95 % range over resampled groups."""
    rng, names = np.random.default_rng(1), sorted(set(group.tolist()))
    rows = {name: np.flatnonzero(group == name) for name in names}
    drawn = []
    for _ in range(200):
        index = np.concatenate([rows[names[i]] for i in rng.integers(0, len(names), len(names))])
        drawn.append(auc(true[index], false[index], weight[index]))
    return f"{auc(true, false, weight):.3f} (95 % {interval(drawn)})"


def measure(shots: Shots) -> tuple[Floats, float]:
    """Print held-out figures; return the held-out scores of true claims and the slope."""
    rng = np.random.default_rng(0)
    claims = {"month and hour of another": month_and_hour_of_another(shots, rng)}
    for hours in (1, 2, 3, 6, 12):
        sign = np.where(rng.random(len(shots)) < 0.5, -1.0, 1.0)
        claims[f"±{hours} h"] = shots.elevation(sign * hours)
    true, false = np.zeros(len(shots)), {name: np.zeros(len(shots)) for name in claims}
    loss = np.zeros(len(shots))
    for mask, model in cross_fitted(shots):
        part = shots.where(mask)
        loss[mask] = -model.log_likelihood(part.ev100, part.elevation())
        true[mask] = scores(model, part, part.elevation())
        for name, height in claims.items():
            false[name][mask] = scores(model, part, height[mask])
    weight = np.sqrt(1.0 / np.array([Counter(shots.group.tolist())[name] for name in shots.group.tolist()]))
    print(f"{len(shots)} photos, {len(set(shots.group.tolist()))} groups, held out by group in {FOLDS} folds")
    print(
        f"mean −ln p(EV100 | elevation): {np.average(loss, weights=weight):.3f} group-weighted, {loss.mean():.3f} raw"
    )
    for name, score in false.items():
        print(
            f"AUC against {name}: {bootstrap_auc(true, score, shots.group, weight)} group-weighted, "
            f"{auc(true, score, np.ones(len(shots))):.3f} per photo"
        )
    other = false["month and hour of another"]
    factor = slope(true, other, weight)
    raw, scaled = cllr(true, other, weight), cllr(factor * true, factor * other, weight)
    print(f"slope {factor:.2f}; Cllr {raw:.3f} raw, {scaled:.3f} with it")
    return true, factor


def calibrated(
    model: exposure.LightModel, true: Floats, *, factor: float, group: NDArray[np.str_]
) -> exposure.LightModel:
    """Return *model* with the ranks of held-out true claims, every group counted once."""
    count = Counter(group.tolist())
    weight = np.array([1.0 / count[name] for name in group.tolist()])
    order = np.argsort(true)
    share = (np.cumsum(weight[order]) - 0.5 * weight[order]) / weight.sum()
    quantiles = np.interp((np.arange(400) + 0.5) / 400.0, share, factor * true[order])
    card = f"{model.card}; ranks among {len(count)} sources held out, each counted once"
    held = tuple(round(float(value), 4) for value in quantiles)
    return replace(model, slope=factor, held_out_log10_lr=held, card=card)


def main() -> None:
    """Measure, and with ``--write`` keep the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=Path("../shared/photos"))
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    shots = read(chosen.photos)
    train = shots.where(~shots.is_validation)
    print("--- training groups, cross-fitted")
    true, factor = measure(train)
    within, across = alike(train)
    print(f"two photos of one outing correlate by {within:.2f}, of two outings of one camera by {across:.2f}")
    model = calibrated(fit(train), true, factor=factor, group=train.group)
    model = replace(model, outing_correlation=round(within, 2))
    held_out = shots.where(shots.is_validation)
    found = scores(replace(model), held_out, held_out.elevation())
    ranks = np.array([model.p_value(score) for score in found])
    print(f"--- validation groups ({len(held_out)} photos, {len(set(held_out.group.tolist()))} groups), true claims")
    by_source = [ranks[held_out.group == name] for name in sorted(set(held_out.group.tolist()))]
    for level in (0.01, 0.05, 0.1, 0.5):
        alike_sources = np.mean([np.mean(own <= level) for own in by_source])
        print(f"p ≤ {level}: {np.mean(ranks <= level):.3f} of them, {alike_sources:.3f} with sources alike")
    print("--- gps-confirmed only, cross-fitted")
    measure(shots.where(shots.is_gps_confirmed))
    print(model)
    if chosen.write:
        Path("gtloc_forensics/evidence/exposure/light.json").write_text(exposure.to_json(model), encoding="utf-8")


if __name__ == "__main__":
    main()
