"""Whether the 95 % interval of a clock model holds the truth in 95 % of runs, on cameras that light never saw.

    python benchmarks/bench_clocks.py --photos ../shared/photos [--draws 1] [--write docs/clock-models.md]

Part A draws 1, 4, 10 and 30 photos of each camera of the table (place, time, exposure; its true time is
taken as right, a few per cent of it is not), shifts its clock, and fits the model with GPS time and
without; light is judged by a model that learned from other sources. Part B takes the real files of
``headers/`` as they are, whole cameras with all their metadata: what is called wrong there is listed.
Rates are means over sources, their 95 % ranges over sources drawn again. Depends on the seed only.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from real_photos import groups_of, synthetic_source

from gtloc_forensics import metadata
from gtloc_forensics.earth import claims, zones
from gtloc_forensics.evidence import clocks, resampling
from gtloc_forensics.metadata.exiftool import ExifTool, TagsRead
from gtloc_forensics.records import ClockKind, ClockModel, DeviceGroup, Photo, PhotoSummary, Unexamined

sys.path.insert(0, str(Path(__file__).parents[1] / "experiments"))
light_likelihood: Any = importlib.import_module("light_likelihood")

SIZES = (1, 4, 10, 30)
SHIFTS_HOURS = (0.0, 1.0, -1.0, 3.0, -3.0, 6.0, -6.0, 8.0, -8.0, 12.0)
FEWEST = 4
SEED = 0  # of the resampling
SILENT = (ClockKind.RIGHT, ClockKind.UNDETERMINED)
NEAR_HOURS = 0.25
BEGIN, END = "<!-- measured: benchmarks/bench_clocks.py -->", "<!-- end -->"


@dataclass(frozen=True)
class Run:
    """One fit: of which source, what was true, and what was said."""

    source: str
    shift_hours: float
    kind: ClockKind
    interval_hours: tuple[float, float] | None
    offset_hours: float | None

    @property
    def holds(self) -> bool:
        """Whether the interval holds the shift; light knows no days, so twelve ahead and twelve behind are one."""
        if self.interval_hours is None:
            return True
        low, high = self.interval_hours
        return any(low - 1e-6 <= self.shift_hours + turn <= high + 1e-6 for turn in (-24.0, 0.0, 24.0))

    @property
    def is_false_call(self) -> bool:
        """Whether a right clock is called wrong."""
        return self.shift_hours == 0.0 and self.kind not in SILENT


def runs(photos: Path, *, draws: int, seed: int, with_gps: bool) -> Iterator[tuple[int, Run]]:
    """Yield (photos drawn, run) for every camera, size, draw and shift."""
    shots = light_likelihood.read(photos)
    if with_gps:
        shots = shots.where(shots.is_gps_confirmed)
    for mask, model in light_likelihood.cross_fitted(shots):
        for camera in sorted(set(shots.camera[mask].tolist())):
            rows = np.flatnonzero(shots.camera == camera)
            if len(rows) < FEWEST:
                continue
            rng = np.random.default_rng([seed, int(rows[0])])
            for size in SIZES:
                if size > len(rows):
                    continue
                for _ in range(draws):
                    chosen = _drawn(rows, size, rng)
                    for shift in SHIFTS_HOURS:
                        group = DeviceGroup(camera, camera, "", _summaries(shots, chosen, shift, with_gps=with_gps))
                        fitted = clocks.fit(group, light_model=model)
                        yield size, _run(str(shots.group[rows[0]]), shift, fitted)


def _run(source: str, shift: float, fitted: ClockModel) -> Run:
    return Run(source, shift, fitted.kind, fitted.interval_hours, fitted.offset_hours)


def _drawn(rows: Any, size: int, rng: np.random.Generator) -> Any:
    """Return photos as a folder has them: half the time a run of consecutive ones, half the time any."""
    if rng.random() < 0.5:
        first = int(rng.integers(0, len(rows) - size + 1))
        return rows[first : first + size]
    return np.sort(rng.choice(rows, size, replace=False))


def _summaries(shots: Any, rows: Any, shift: float, *, with_gps: bool) -> tuple[PhotoSummary, ...]:
    found = [_sighting(shots, int(row), shift, with_gps=with_gps) for row in rows]
    return tuple(
        sorted(found, key=lambda photo_summary: (photo_summary.local_time or datetime.min, photo_summary.name))
    )


def _sighting(shots: Any, row: int, shift: float, *, with_gps: bool) -> PhotoSummary:
    source = synthetic_source(f"{row}.jpg")
    lag_s = row % 7  # a receiver's second is some seconds old
    return PhotoSummary(
        source_id=source.source_id,
        sha256=source.sha256,
        name=f"{row}.jpg",
        device_key=str(shots.camera[row]),
        media_type="image/jpeg",
        local_time=shots.local[row] + timedelta(hours=shift),
        local_resolution_s=1.0,
        utc_time=None,
        utc_source=None,
        gps_utc_time=datetime(1970, 1, 1) + timedelta(seconds=float(shots.utc_s[row]) - lag_s) if with_gps else None,
        latitude_deg=float(shots.latitude_deg[row]),
        longitude_deg=float(shots.longitude_deg[row]),
        zone=str(shots.zone[row]),
        ev100=float(shots.ev100[row]),
        flash_fired=False,
    )


def rate(rows: Sequence[tuple[str, bool]]) -> str:
    """Return the mean over sources of a share, with its 95 % range over sources drawn again."""
    if not rows:
        return "–"
    by_source: dict[str, list[bool]] = defaultdict(list)
    for source, is_so in rows:
        by_source[source].append(is_so)
    shares = np.array([np.mean(told) for told in by_source.values()])
    names = np.array(list(by_source))
    low, high = resampling.over_sources(lambda chosen: float(shares[chosen].mean()), names, seed=SEED)
    return f"{100 * shares.mean():.1f} % ({100 * low:.1f}–{100 * high:.1f}; {len(rows)}/{len(shares)})"


def table(photos: Path, *, draws: int, seed: int) -> Iterator[str]:
    """Yield part A."""
    yield (
        "| GPS time | photos | shift | says an interval | of these it holds the truth | names an offset "
        "| of these within 15 min | right clock called wrong |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for with_gps in (True, False):
        by_size: dict[int, list[Run]] = defaultdict(list)
        for size, run in runs(photos, draws=draws, seed=seed, with_gps=with_gps):
            by_size[size].append(run)
        for size in SIZES:
            for name, kept in _by_shift(by_size[size]):
                yield f"| {'yes' if with_gps else 'no'} | {size} | {name} | {_row(kept)} |"


def _by_shift(found: Sequence[Run]) -> Iterator[tuple[str, list[Run]]]:
    for hours in sorted({abs(run.shift_hours) for run in found}):
        name = "none" if hours == 0.0 else f"±{hours:g} h"
        yield name, [run for run in found if abs(run.shift_hours) == hours]
    yield "**all**", list(found)


def _row(found: Sequence[Run]) -> str:
    told = [run for run in found if run.interval_hours is not None]
    named = [run for run in found if run.offset_hours is not None]
    return " | ".join(
        (
            rate([(run.source, run.interval_hours is not None) for run in found]),
            rate([(run.source, run.holds) for run in told]),
            rate([(run.source, run.offset_hours is not None) for run in found]),
            rate([(run.source, _is_near(run)) for run in named]),
            rate([(run.source, run.is_false_call) for run in found if run.shift_hours == 0.0]),
        )
    )


def _is_near(run: Run) -> bool:
    apart = np.mod((run.offset_hours or 0.0) - run.shift_hours + 12.0, 24.0) - 12.0
    return bool(abs(apart) <= NEAR_HOURS)


# --------------------------------------------------------------------------- B: real files


def untouched(photos: Path, *, folder: str = "headers") -> Iterator[str]:
    """Yield what the clock models say of the real files of a folder, a source a case."""
    with (photos / f"{folder}.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    with ExifTool() as tool:
        read = tool.read([os.fsencode(photos / folder / row["file"]) for row in rows])
    by_source: dict[str, list[Photo]] = defaultdict(list)
    for row, answer in zip(rows, read, strict=True):
        if isinstance(answer, TagsRead):
            by_source[row["group"]].append(_photo(row["file"], answer))
    kinds: Counter[ClockKind] = Counter()
    told: list[str] = []
    for photos_of_source in by_source.values():
        groups = groups_of(photos_of_source)
        for group, model in zip(groups, clocks.fit_all(groups), strict=True):
            if len(group.summaries) >= FEWEST:
                kinds[model.kind] += 1
                told += [f"* {model.photos} photos: {model.summary}"] if model.kind not in SILENT else []
    count = ", ".join(f"{kind.value} {number}" for kind, number in kinds.most_common())
    yield f"{sum(kinds.values())} cameras with {FEWEST} or more photos, of {len(by_source)} sources: {count}."
    yield "Every one that is not called right or undetermined, in its words:\n"
    yield from told or ["* none"]


def _photo(name: str, read: TagsRead) -> Photo:
    source = synthetic_source(name)
    claim = metadata.claim(source, read.tags, warnings=read.warnings, zones_at=zones.zones_at)
    blind = Unexamined(source.source_id, "decode", "no pixels in this benchmark")
    return Photo(source, claim, claims.sun(claim), blind, Unexamined(source.source_id, "vision", "no model"))


# --------------------------------------------------------------------------- all


def report(photos: Path, *, draws: int, seed: int) -> Iterator[str]:
    """Yield both parts, line by line."""
    yield f"Cameras with {FEWEST} or more flashless photos of the photo set; n = runs/sources. Seed {seed}, "
    yield f"{draws} draws of each size.\n"
    yield from table(photos, draws=draws, seed=seed)
    yield "\n**Untouched real files**, all their metadata, no pixels:\n"
    yield from untouched(photos)


def write(path: Path, lines: Sequence[str]) -> None:
    """Put the tables between their marks in the page."""
    page = path.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[-1]
    path.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Print the tables, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=Path("../shared/photos"))
    parser.add_argument("--write", type=Path, default=None)
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("table", "untouched"), default=None)
    chosen = parser.parse_args()
    parts = {
        None: lambda: report(chosen.photos, draws=chosen.draws, seed=chosen.seed),
        "table": lambda: table(chosen.photos, draws=chosen.draws, seed=chosen.seed),
        "untouched": lambda: untouched(chosen.photos),
    }
    lines = []
    for line in parts[chosen.only]():
        print(line, flush=True)
        lines.append(line)
    if chosen.write is not None:
        write(chosen.write, lines)


if __name__ == "__main__":
    main()
