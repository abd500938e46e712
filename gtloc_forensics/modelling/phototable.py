"""A table of photos with what is known of each: what training and evaluation read.

A CSV file, one row per photo, with the columns of the official GT-Loc metadata (path,
lat, lon, unix_ts, year … second) or of ours (local_time, group, split, labels). A row
may know a place, a time, both, or a weak label only; what is not known is NaN or "".
Nothing is guessed: an unknown column, a NaN, a latitude of 91 are errors that name the row.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth import circular
from gtloc_forensics.errors import UsageError

Floats = NDArray[np.float64]
Words = NDArray[np.str_]

USED = (
    "path", "id", "lat", "lon", "local_time", "year", "month", "day", "hour", "minute", "second", "group", "split",
    "label_set", "label", "datable",
)  # fmt: skip
PASSED_OVER = (
    "unix_ts", "utc_time", "zone", "time_trust", "kind", "country", "place_km", "make", "model", "fnumber",
    "exposure_s", "iso", "flash", "licence", "flags", "width", "height", "camera", "dataset",
    "author", "url", "Predicted_Scenes", "Prob_indoor", "Prob_natural", "Prob_urban", "S3_Label", "S16_Label",
    "S365_Label",
)  # fmt: skip
WRITTEN_OTHERWISE = {
    "IMG_ID": "path", "img_id": "path", "LAT": "lat", "LON": "lon", "latitude": "lat", "longitude": "lon",
}  # fmt: skip
"""How the official tables of Im2GPS, Im2GPS3k, YFCC4k and YFCC26k call the columns."""

_FLICKR_OWNER = re.compile(r"_(\d+@N\d\d)\.\w+$")

_DEFAULT = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0}
_YES_NO = {"": math.nan, "yes": 1.0, "no": 0.0, "1": 1.0, "0": 0.0, "unclear": math.nan}
_LEAP = 2000  # a year that has every month-day pair


@dataclass(frozen=True, slots=True)
class PhotoTable:
    """The rows, column by column; every array is ``[N]``, NaN or "" where a row does not know."""

    paths: tuple[Path, ...]
    group: Words  # photos of one group share photographer, trip or camera
    split: Words
    latitude_deg: Floats
    longitude_deg: Floats
    year_turn: Floats  # as GT-Loc's encoder counts it (circular.encoder_year_turn)
    day_turn: Floats
    metric_month: Floats  # 1–13, as the published metric counts it
    label: Words  # "season:winter", "" without a weak label
    datable: Floats  # 1 yes, 0 no

    def __len__(self) -> int:
        """Count the photos."""
        return len(self.paths)

    @property
    def timed(self) -> NDArray[np.bool_]:
        """Rows that know their local time."""
        return np.isfinite(self.day_turn)

    @property
    def placed(self) -> NDArray[np.bool_]:
        """Rows that know their place."""
        return np.isfinite(self.latitude_deg)

    def rows(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> PhotoTable:
        """Return some of the rows, by mask or by index."""
        index = np.arange(len(self))[chosen]
        columns = {name: getattr(self, name)[index] for name in self.__dataclass_fields__ if name != "paths"}
        return PhotoTable(paths=tuple(self.paths[i] for i in index), **columns)


def read(path: Path, *, images: Path | None = None, split: str = "") -> PhotoTable:
    """Read a photo table.

    Args:
        path: the CSV file.
        images: the folder that paths are relative to; by default the table's own. A row
            with an ``id`` instead of a path is ``images/<id>.jpg`` there.
        split: keep only the rows of this split.

    Raises:
        UsageError: when the file cannot be read, has an unknown column, a row that makes no sense, or no row.
    """
    rows = _read_rows(path)
    if split:
        rows = [(number, row) for number, row in rows if row.get("split", "") == split]
    if not rows:
        raise UsageError(f"{path} has no photos{f' of split {split!r}' if split else ''}; nothing to do")
    folder = path.parent if images is None else images
    records = [_record(row, folder, where=f"{path}, line {number}") for number, row in rows]
    return _columns(records)


def group_weights(group: Words, *, cap: float = math.inf) -> Floats:
    """Return weights ``[N]`` under which no group counts for more than *cap* photos, nor any for more than it has."""
    _, inverse, counts = np.unique(group, return_inverse=True, return_counts=True)
    return np.asarray(np.minimum(1.0, cap / counts)[inverse], dtype=np.float64)


def recognised(path: Path) -> str:
    """Return which official set a table is of, by its columns and how many rows it has; "" for none.

    Im2GPS, Im2GPS3k, YFCC4k, YFCC26k and GWS15k have places alone, SkyFinder and CVT times too. A column
    ``dataset`` with one name that is known decides; no official table of TIGeR was found, so it alone names that.

    Raises:
        UsageError: it cannot be read as a photo table.
    """
    rows = _read_rows(path)
    if not rows:
        return ""
    named = {row.get("dataset", "") for _, row in rows}
    if len(named) == 1 and (name := named.pop()) in OFFICIAL_SETS:
        return name
    columns = {name for name, value in rows[0][1].items() if value}
    timed = {"month", "hour"} <= columns
    return next((name for name, (known, times) in _ROWS_OF.items() if (len(rows), timed) == (known, times)), "")


OFFICIAL_SETS = ("Im2GPS", "Im2GPS3k", "YFCC4k", "YFCC26k", "GWS15k", "SkyFinder", "CVT", "TIGeR")
_ROWS_OF = {
    "Im2GPS": (237, False),
    "Im2GPS3k": (2997, False),
    "YFCC4k": (4536, False),
    "YFCC26k": (25_600, False),
    "GWS15k": (14_955, False),
    "SkyFinder": (6052, True),
    "CVT": (25_000, True),
}


# --------------------------------------------------------------------------- rows


@dataclass(frozen=True, slots=True)
class _Record:
    path: Path
    group: str
    split: str
    place: tuple[float, float]
    turns: tuple[float, float]
    metric_month: float
    label: str
    datable: float


def _read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            reader.fieldnames = [WRITTEN_OTHERWISE.get(name, name) for name in reader.fieldnames or []]
            columns = reader.fieldnames
            rows = [
                (reader.line_num, {key: (value or "").strip() for key, value in row.items() if key}) for row in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as a photo table ({error}); give a CSV file in UTF-8") from error
    unknown = sorted(set(columns) - set(USED) - set(PASSED_OVER))
    if unknown or not {"path", "id"} & set(columns):
        said = f"unknown columns {', '.join(unknown)}" if unknown else "neither a column path nor id"
        raise UsageError(f"{path} has {said}; known are {', '.join(USED)} (passed over: {', '.join(PASSED_OVER)})")
    return rows


def _record(row: Mapping[str, str], folder: Path, *, where: str) -> _Record:
    try:
        relative = row.get("path") or f"images/{row['id']}.jpg"
        turns, metric_month = _time(row)
        return _Record(
            path=folder / relative,
            group=row.get("group") or _usual_group(relative),
            split=row.get("split", ""),
            place=_place(row),
            turns=turns,
            metric_month=metric_month,
            label=f"{row['label_set']}:{row['label']}" if row.get("label") else "",
            datable=_YES_NO[row.get("datable", "")],
        )
    except (ValueError, KeyError) as error:
        raise UsageError(f"{where}: {error}; correct the row or leave the field empty") from error


def _usual_group(relative: str) -> str:
    """Return the source of a photo whose table names none: its folder, else the owner in a Flickr file name."""
    parts = Path(relative).parts
    if len(parts) > 1:
        return parts[0]
    owner = _FLICKR_OWNER.search(relative)
    return owner[1] if owner else ""


def _place(row: Mapping[str, str]) -> tuple[float, float]:
    latitude, longitude = row.get("lat", ""), row.get("lon", "")
    if not latitude and not longitude:
        return math.nan, math.nan
    place = float(latitude), float(longitude)
    if not (abs(place[0]) <= 90.0 and abs(place[1]) <= 180.0):  # NaN fails too
        raise ValueError(f"({latitude}, {longitude}) is no place: latitude lies within ±90, longitude within ±180")
    return place


def _time(row: Mapping[str, str]) -> tuple[tuple[float, float], float]:
    local = _local(row)
    if local is None:
        return (math.nan, math.nan), math.nan
    turns = float(circular.encoder_year_turn(local.month, local.day)), circular.day_turn(local)
    return turns, float(circular.metric_month(local.month, local.day))


def _local(row: Mapping[str, str]) -> datetime | None:
    if row.get("local_time"):
        return datetime.fromisoformat(row["local_time"]).replace(tzinfo=None)
    if not row.get("month") or not row.get("hour"):
        return None
    month, day, hour, minute, second = (int(float(row.get(name) or _DEFAULT[name])) for name in _DEFAULT)
    return datetime(_LEAP, month, day, hour, minute, second)


def _columns(records: list[_Record]) -> PhotoTable:
    return PhotoTable(
        paths=tuple(record.path for record in records),
        group=np.array([record.group for record in records]),
        split=np.array([record.split for record in records]),
        latitude_deg=np.array([record.place[0] for record in records]),
        longitude_deg=np.array([record.place[1] for record in records]),
        year_turn=np.array([record.turns[0] for record in records]),
        day_turn=np.array([record.turns[1] for record in records]),
        metric_month=np.array([record.metric_month for record in records]),
        label=np.array([record.label for record in records]),
        datable=np.array([record.datable for record in records]),
    )
