"""Whether the moon tells in a night photo's exposure: EV100 against its height and lit share, beside a constant.

    python experiments/moonlight.py --photos ../shared/photos/photos.csv

Photos with place and time, without flash. Every source is predicted by a fit on all the others; each source has one
weight. Gains over the constant are in natural units of log density and in EV, with a bootstrap interval over sources.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import astronomy
import numpy as np
from numpy.typing import NDArray

FLASH_FIRED = 1
HALF_LIT = 0.5
MOON_UP_DEG = 5.0


@dataclass(frozen=True)
class Night:
    """One photo after sunset."""

    source: str
    trust: str
    ev100: float
    sun_deg: float
    moon_deg: float
    lit: float


def nights(table: Path) -> Iterator[Night]:
    """Yield the photos taken with the sun below −6°."""
    with table.open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            if line["kind"] != "photo" or not line["lat"] or not line["local_time"]:
                continue
            if line["flash"] and int(float(line["flash"])) & FLASH_FIRED:
                continue
            utc = _utc(line)
            try:
                number, seconds, iso = (float(line[name]) for name in ("fnumber", "exposure_s", "iso"))
                ev100 = math.log2(number**2 / seconds) - math.log2(iso / 100)
            except (ValueError, ZeroDivisionError):
                continue
            if utc is None:
                continue
            time = astronomy.Time.Make(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second)
            place = astronomy.Observer(float(line["lat"]), float(line["lon"]), 0)
            sun_deg, moon_deg = (_height_deg(body, time, place) for body in (astronomy.Body.Sun, astronomy.Body.Moon))
            if sun_deg < -6:
                lit = astronomy.Illumination(astronomy.Body.Moon, time).phase_fraction
                yield Night(line["group"].split("/")[0], line["time_trust"], ev100, sun_deg, moon_deg, lit)


def _utc(line: dict[str, str]) -> datetime | None:
    if line["utc_time"]:
        return datetime.fromisoformat(line["utc_time"]).replace(tzinfo=UTC)
    if line["zone"]:
        return datetime.fromisoformat(line["local_time"]).replace(tzinfo=ZoneInfo(line["zone"])).astimezone(UTC)
    return None


def _height_deg(body: astronomy.Body, time: astronomy.Time, place: astronomy.Observer) -> float:
    at = astronomy.Equator(body, time, place, True, True)
    return float(astronomy.Horizon(time, place, at.ra, at.dec, astronomy.Refraction.Airless).altitude)


def left_out(photos: Sequence[Night], columns: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], ...]:
    """Return each source's mean negative log density and mean error, predicted by all the others."""
    names = np.array([photo.source for photo in photos])
    ev100 = np.array([photo.ev100 for photo in photos])
    table = np.column_stack([np.ones(len(photos)), *columns])
    weights = np.array([1 / np.sum(names == name) for name in names])
    costs, errors = [], []
    for name in sorted(set(names)):
        others = names != name
        root = np.sqrt(weights[others])
        fit = np.linalg.lstsq(table[others] * root[:, None], ev100[others] * root, rcond=None)[0]
        spread = math.sqrt(np.average((ev100[others] - table[others] @ fit) ** 2, weights=weights[others]))
        off = ev100[~others] - table[~others] @ fit
        costs.append(np.mean(np.log(spread) + 0.5 * (off / spread) ** 2))
        errors.append(np.mean(np.abs(off)))
    return np.array(costs), np.array(errors)


def study(photos: Sequence[Night]) -> None:
    """Print what the moon gains over the constant."""
    shine = np.array([max(0.0, math.sin(math.radians(photo.moon_deg))) * photo.lit**2 for photo in photos])
    up = np.array([float(photo.moon_deg > MOON_UP_DEG and photo.lit > HALF_LIT) for photo in photos])
    constant = left_out(photos, [])
    sources = len(constant[0])
    moonlit = {photo.source for photo, is_up in zip(photos, up, strict=True) if is_up}
    print(
        f"{len(photos)} photos of {sources} sources; moon up and half lit in {int(up.sum())} of {len(moonlit)} sources"
    )
    random = np.random.default_rng(0)
    drawn = random.integers(0, sources, (2000, sources))
    for name, columns in (("light of the moon", [shine]), ("up and half lit", [up]), ("both", [shine, up])):
        gains = [before - after for before, after in zip(constant, left_out(photos, columns), strict=True)]
        said = [
            f"{gain.mean():+.3f} [{low:+.3f}, {high:+.3f}] {unit}"
            for gain, unit in zip(gains, ("nat", "EV"), strict=True)
            for low, high in [np.percentile(gain[drawn].mean(axis=1), [2.5, 97.5])]
        ]
        print(f"  {name}: {'; '.join(said)} (the constant errs by {constant[1].mean():.2f} EV)")


def main() -> None:
    """Study the photos by how deep the sun stands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="photos.csv of the set.")
    found = list(nights(parser.parse_args().photos))
    for below_deg in (-6, -12, -18):
        print(f"sun below {below_deg}°:", end=" ")
        study([photo for photo in found if photo.sun_deg < below_deg])
    dark = [photo for photo in found if photo.sun_deg < -12 and photo.ev100 < -2]
    print(f"EV100 below -2, where the moon could count: {len(dark)} photos of {len({p.source for p in dark})} sources")


if __name__ == "__main__":
    main()
