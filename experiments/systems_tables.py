"""The photo tables on which the other systems are trained and judged, from the photo set, the same every time.

``python experiments/systems_tables.py --photos ../shared/photos --out FOLDER`` writes ``fit.csv`` (the
set's ``train``, the photos of 40 sources held out as ``val``: what state is kept and how sharp densities are is
decided on them) and ``test.csv`` (people's photos with a time of the set's ``val``: judged, never learned from). Street
views are cut at their lower edge, where they carry a mark. Sources of one owner are one group.
"""

from __future__ import annotations

import argparse
import csv
import random
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from gtloc_forensics.earth.globe import distance_km
from gtloc_forensics.modelling import metrics, phototable

REACH_KM = 2500.0
MARK_SHARE = 0.08
HELD_OUT_PERCENT = 15
KINDS = ("photo", "time-only", "place-only", "webcam")
COLUMNS = ("path", "lat", "lon", "local_time", "group", "split", "kind")


def rows(photos: Path, out: Path) -> list[dict[str, str]]:
    """Return the rows that know a place or a time."""
    found = []
    with (photos / "photos.csv").open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if row["kind"] not in KINDS or not (row["lat"] or row["local_time"]):
                continue
            path = photos.resolve() / "images" / f"{row['id']}.jpg"
            if "streetview" in row["flags"]:
                path = _without_mark(path, out / "cropped")
            told = {name: row[name] for name in ("lat", "lon", "local_time", "split", "kind")}
            found.append({"path": str(path), "group": row["group"].split("/")[0], **told})
    return found


def _without_mark(path: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    cropped = folder / path.name
    if not cropped.exists():
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        picture.crop((0, 0, picture.width, int(picture.height * (1.0 - MARK_SHARE)))).save(cropped, quality=95)
    return cropped


def held_out(train: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the training rows with the photos of some sources marked ``val``."""
    groups = sorted({row["group"] for row in train})
    random.Random(0).shuffle(groups)
    chosen = set(groups[: len(groups) * HELD_OUT_PERCENT // 100])
    return [{**row, "split": "val" if row["group"] in chosen else "train"} for row in train]


def write(path: Path, table: list[dict[str, str]]) -> None:
    """Write one table and say what is in it."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(table)
    print(f"{path.name}: {len(table)} photos of {len({row['group'] for row in table})} sources")


def nearest_constant(fit: Path, test: Path) -> str:
    """Return the place that most training sources lie within 2500 km of, and how many test photos do."""
    learned, asked = (phototable.read(path) for path in (fit, test))
    learned, asked = learned.rows(learned.placed), asked.rows(asked.placed)
    _, inverse, counts = np.unique(learned.group, return_inverse=True, return_counts=True)
    latitude, longitude = learned.latitude_deg, learned.longitude_deg
    apart = distance_km(
        latitude[:, None], longitude[:, None], second_latitude_deg=latitude, second_longitude_deg=longitude
    )
    best = int(np.argmax((apart <= REACH_KM) @ (1.0 / counts[inverse])))
    away = distance_km(
        asked.latitude_deg,
        asked.longitude_deg,
        second_latitude_deg=latitude[best],
        second_longitude_deg=longitude[best],
    )
    share = metrics.bootstrap(partial(metrics.mean_of, 100.0 * (away <= REACH_KM)), asked.group, resamples=200)
    where = f"latitude {latitude[best]:.0f}, longitude {longitude[best]:.0f}"
    told = f"{share.value:.1f} % ({share.low:.1f}–{share.high:.1f}) of {share.photos} photos"
    return f"within {REACH_KM:g} km of {where}: {told}"


def main() -> None:
    """Write both tables, and say what the constant answer of most reach is worth on the second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    everything = rows(asked.photos, asked.out)
    write(asked.out / "fit.csv", held_out([row for row in everything if row["split"] == "train"]))
    people = [row for row in everything if row["split"] == "val" and row["kind"] in ("photo", "time-only")]
    write(asked.out / "test.csv", people)
    print(nearest_constant(asked.out / "fit.csv", asked.out / "test.csv"))


if __name__ == "__main__":
    main()
