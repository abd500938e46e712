"""The photo set as arrays: one row per picture, NaN where a value is not known.

Reads ``photos.csv`` (its README says what the columns mean) and the hand labels of
``labels/datable.csv``. Every array has one entry per row of the manifest, in its order.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth.circular import day_turn, year_turn
from gtloc_forensics.earth.sun import sun_position

LABELS = Path(__file__).parent / "labels" / "datable.csv"
COUNTRY_NAMES = {  # as the photo set writes them → as tzdata's iso3166.tab does
    "United Kingdom": "Britain (UK)", "Czechia": "Czech Republic", "South Korea": "Korea (South)",
    "Myanmar": "Myanmar (Burma)", "Bosnia and Herzegovina": "Bosnia & Herzegovina",
}  # fmt: skip
COUNTRY_POINTS = {"Kosovo": [(42.6, 20.9)]}  # no entry in iso3166.tab


@dataclass(frozen=True)
class PhotoSet:
    """The manifest, column by column; every field is ``[N]``."""

    ids: NDArray[np.str_]
    kind: NDArray[np.str_]
    split: NDArray[np.str_]
    group: NDArray[np.str_]
    year_turn: NDArray[np.float64]
    day_turn: NDArray[np.float64]
    latitude_deg: NDArray[np.float64]
    longitude_deg: NDArray[np.float64]
    country: NDArray[np.str_]
    elevation_deg: NDArray[np.float64]
    azimuth_deg: NDArray[np.float64]
    utc_s: NDArray[np.float64]
    local_s: NDArray[np.float64]  # the wall clock read as if it counted UTC
    offset_hours: NDArray[np.float64]
    ev100: NDArray[np.float64]
    flash_fired: NDArray[np.bool_]
    label: NDArray[np.str_]  # "daynight:night", "season:winter", …
    datable: NDArray[np.float64]  # hand label: 1 yes, 0 no, NaN unclear or not looked at
    trust: NDArray[np.str_]
    make: NDArray[np.str_]
    streetview: NDArray[np.bool_]
    heading_deg: NDArray[np.float64]  # where the camera looked, clockwise from north (a magnetic one from its own)
    pitch_deg: NDArray[np.float64]  # of a drone's gimbal
    altitude_m: NDArray[np.float64]
    focal35_mm: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def timed(self) -> NDArray[np.bool_]:
        """Rows whose local time is known."""
        return np.isfinite(self.day_turn)


def load(folder: Path) -> PhotoSet:
    """Read the manifest of *folder*."""
    with (folder / "photos.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    hand = _hand_labels()
    local = [_moment(row["local_time"]) for row in rows]
    utc = [_utc(row, moment) for row, moment in zip(rows, local, strict=True)]
    latitude, longitude = _numbers(rows, "lat"), _numbers(rows, "lon")
    utc_s = np.array([math.nan if moment is None else moment.replace(tzinfo=UTC).timestamp() for moment in utc])
    elevation, azimuth = sun_position(utc_s, latitude, longitude)
    return PhotoSet(
        ids=_words(rows, "id"),
        kind=_words(rows, "kind"),
        split=_words(rows, "split"),
        group=_words(rows, "group"),
        year_turn=np.array([math.nan if moment is None else year_turn(moment) for moment in local]),
        day_turn=np.array([math.nan if moment is None else day_turn(moment) for moment in local]),
        latitude_deg=latitude,
        longitude_deg=longitude,
        country=_words(rows, "country"),
        elevation_deg=elevation,
        azimuth_deg=azimuth,
        utc_s=utc_s,
        local_s=np.array([math.nan if moment is None else moment.replace(tzinfo=UTC).timestamp() for moment in local]),
        offset_hours=np.array([_offset(first, second) for first, second in zip(local, utc, strict=True)]),
        ev100=_ev100(rows),
        flash_fired=np.array([_is_flash(row["flash"]) for row in rows]),
        label=np.array([f"{row['label_set']}:{row['label']}" if row["label"] else "" for row in rows]),
        datable=np.array([hand.get(row["id"], math.nan) for row in rows]),
        trust=_words(rows, "time_trust"),
        make=_words(rows, "make"),
        streetview=np.array(["streetview" in row["flags"] for row in rows]),
        **_geometry(folder, rows),
    )


def group_weights(groups: NDArray[np.str_], *, cap: float) -> NDArray[np.float64]:
    """Return weights under which no group counts for more than *cap* photos."""
    sizes = Counter(groups.tolist())
    return np.array([min(1.0, cap / sizes[name]) for name in groups.tolist()])


def folds(groups: NDArray[np.str_], *, count: int, seed: int) -> NDArray[np.int64]:
    """Return ``[N]`` fold numbers: whole groups, the large ones first, each dealt to the emptiest fold."""
    sizes = Counter(groups.tolist())
    order = np.random.default_rng(seed).permutation(sorted(sizes))
    loads, home = [0.0] * count, {}
    for name in sorted(order.tolist(), key=lambda item: -min(sizes[item], 60)):
        home[name] = int(np.argmin(loads))
        loads[home[name]] += min(sizes[name], 60)
    return np.array([home[name] for name in groups.tolist()])


def country_points(country: str) -> list[tuple[float, float]]:
    """Return (latitude, longitude) of the principal places tzdata lists for a country; empty when unknown."""
    if country in COUNTRY_POINTS:
        return COUNTRY_POINTS[country]
    return _zone_points().get(_country_codes().get(COUNTRY_NAMES.get(country, country), ""), [])


# --------------------------------------------------------------------------- columns


def _words(rows: list[dict[str, str]], column: str) -> NDArray[np.str_]:
    return np.array([row[column] for row in rows])


def _numbers(rows: list[dict[str, str]], column: str) -> NDArray[np.float64]:
    return np.array([_number(row[column]) for row in rows])


def _number(text: str) -> float:
    """Return the first number of a field (ISO may hold two); NaN for none, and for words like "undef"."""
    try:
        return float(text.split()[0]) if text.strip() else math.nan
    except ValueError:
        return math.nan


def _is_flash(text: str) -> bool:
    bits = _number(text)
    return math.isfinite(bits) and int(bits) % 2 == 1


def _geometry(folder: Path, rows: list[dict[str, str]]) -> dict[str, NDArray[np.float64]]:
    with (folder / "geometry.csv").open(newline="") as lines:
        stood = {row["id"]: row for row in csv.DictReader(lines)}
    names = ("heading_deg", "pitch_deg", "altitude_m", "focal35_mm")
    empty = dict.fromkeys(names, "")
    beside = [stood.get(row["id"], empty) for row in rows]
    return {name: _numbers(beside, name) for name in names}


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=None) if text else None


def _utc(row: dict[str, str], local: datetime | None) -> datetime | None:
    if row["utc_time"]:
        return _moment(row["utc_time"])
    if local is None or not row["zone"]:
        return None
    return local.replace(tzinfo=ZoneInfo(row["zone"])).astimezone(UTC).replace(tzinfo=None)


def _offset(local: datetime | None, utc: datetime | None) -> float:
    return math.nan if local is None or utc is None else (local - utc).total_seconds() / 3600.0


def _ev100(rows: list[dict[str, str]]) -> NDArray[np.float64]:
    aperture, seconds, iso = _numbers(rows, "fnumber"), _numbers(rows, "exposure_s"), _numbers(rows, "iso")
    with np.errstate(all="ignore"):
        value = np.log2(aperture**2 / seconds) - np.log2(iso / 100.0)
    return np.where(np.isfinite(value), value, np.nan)


def _hand_labels() -> dict[str, float]:
    with LABELS.open(newline="") as lines:
        words = {row["id"]: row["datable"] for row in csv.DictReader(lines)}
    return {name: {"yes": 1.0, "no": 0.0}.get(word, math.nan) for name, word in words.items()}


def _country_codes() -> dict[str, str]:
    lines = _tab("iso3166.tab")
    return {line.split("\t")[1]: line.split("\t")[0] for line in lines}


def _zone_points() -> dict[str, list[tuple[float, float]]]:
    points: dict[str, list[tuple[float, float]]] = {}
    for line in _tab("zone.tab"):
        code, place = line.split("\t")[:2]
        points.setdefault(code, []).append(_iso6709(place))
    return points


def _tab(name: str) -> list[str]:
    path = next(Path(folder) / name for folder in TZPATH if (Path(folder) / name).exists())
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def _iso6709(text: str) -> tuple[float, float]:
    """Parse ±DDMM±DDDMM or ±DDMMSS±DDDMMSS (ISO 6709, as in zone.tab)."""
    split = max(text.rfind("+"), text.rfind("-"))
    return _angle(text[:split], 2), _angle(text[split:], 3)


def _angle(text: str, digits: int) -> float:
    sign, body = (-1.0 if text[0] == "-" else 1.0), text[1:]
    minutes, seconds = body[digits : digits + 2], body[digits + 2 :] or "0"
    return sign * (int(body[:digits]) + int(minutes) / 60.0 + int(seconds) / 3600.0)
