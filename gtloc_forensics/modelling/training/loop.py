"""Training from a photo table to a model folder: features, steps, log, checkpoints, calibration.

Seeded; a run that was cut short goes on from its last checkpoint and ends with the
very weights it would have ended with (on the same machine and torch).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gtloc_forensics.earth import circular, globe, sphere
from gtloc_forensics.errors import UsageError
from gtloc_forensics.files.writing import replaced, write_bytes
from gtloc_forensics.modelling import phototable
from gtloc_forensics.modelling.phototable import PhotoTable
from gtloc_forensics.modelling.training.features import Backbone
from gtloc_forensics.modelling.training.settings import Settings
from gtloc_forensics.modelling.training.start import Start, saved_tensors
from gtloc_forensics.modelling.training.steps import Losses, Trainer
from gtloc_forensics.vision import device as devices
from gtloc_forensics.vision import gallery, library, weights
from gtloc_forensics.vision.density import Sharpness, density, fit_sharpness, least_expected_turn
from gtloc_forensics.vision.gtloc import GTLoc
from gtloc_forensics.vision.manifest import CALIBRATION, TimeGallerySpec

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

LOG = "log.csv"
CHECKPOINT = "checkpoint.pt"
SETTINGS = "settings.json"
LOG_COLUMNS = (
    "step",
    "time_loss",
    "place_loss",
    "datable_loss",
    "scale_time",
    "scale_place",
    "val_hour",
    "val_month",
    "val_km",
)

_GROUP_CAP = 60.0
_VALIDATION_GRID = TimeGallerySpec(24, 48)
_VALIDATION_PLACES = 2000


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of a run."""

    folder: Path
    steps: int
    photos: int
    unreadable: tuple[str, ...]  # name and reason of each photo that could not be used


def train(
    table_csv: Path,
    settings: Settings,
    *,
    start: Start,
    out: Path,
    device: str = "auto",
    images: Path | None = None,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Train heads and encoders on a frozen backbone.

    Args:
        table_csv: a photo table; rows of split ``val`` are never trained on, others are.
        settings: how.
        start: from :func:`~gtloc_forensics.modelling.training.start.fresh` or ``going_on``.
        out: the model folder to write; a checkpoint found in it is gone on from.
        device: as for :func:`gtloc_forensics.vision.load`.
        images: folder that the table's paths are relative to.
        cache_dir: where features are kept; by default below the usual cache.
        progress: called now and then.

    Raises:
        UsageError: when the table, the settings or a checkpoint in *out* cannot be used.
    """
    report = progress or _silent
    table = phototable.read(table_csv, images=images)
    chosen = devices.choose(device)
    cache = cache_dir or library.cache_folder() / "features"
    backbone = Backbone(start.module, start.manifest, identity=start.identity, device=chosen)
    found = backbone.features(
        table.paths, view_count=settings.views, seed=settings.seed, cache_dir=cache, progress=report
    )
    known = table.rows(found.readable)
    values = found.values[torch.from_numpy(found.readable)]
    held_out = known.split == "val"
    if held_out.all():
        raise UsageError(f"every photo of {table_csv} is of split 'val'; give some another split to train on")
    _standardise(start.module, known.rows(~held_out), values[torch.from_numpy(~held_out)])
    out.mkdir(parents=True, exist_ok=True)
    judge = _Judge(start.module, known.rows(held_out), values[torch.from_numpy(held_out)], device=chosen)
    trainer = Trainer(
        start.module, known.rows(~held_out), values[torch.from_numpy(~held_out)], settings=settings, device=chosen
    )
    _run(trainer, judge, out, identity=_identity(settings, table_csv, start), report=report)
    start.module.to("cpu").eval()
    _write(out, start, settings, judge)
    return Trained(out, trainer.step, len(known), found.reasons)


def _run(trainer: Trainer, judge: _Judge, out: Path, *, identity: str, report: Progress) -> None:
    settings = trainer.settings
    _resume(trainer, out / CHECKPOINT, identity)
    lines = _log_until(out / LOG, trainer.step)
    while trainer.step < settings.steps:
        done = trainer.advance()
        last = trainer.step == settings.steps
        if last or trainer.step % settings.validate_every == 0:
            lines.append(judge.line(trainer.step, done))
            _write_log(out / LOG, lines)
        if last or trainer.step % settings.checkpoint_every == 0:
            _save_checkpoint(trainer, out / CHECKPOINT, identity)
        report("steps", trainer.step, settings.steps)


def _standardise(module: GTLoc, table: PhotoTable, values: Tensor) -> None:
    """Set the head's statistics from the plain view of the training photos, every source alike."""
    if not module.image_head.spec.standardise:
        return
    weight = torch.from_numpy(phototable.group_weights(table.group, cap=_GROUP_CAP)).float()
    weight = weight / weight.sum()
    plain = values[:, 0]
    mean = weight @ plain
    module.image_head.mean.copy_(mean)
    module.image_head.scale.copy_((weight @ (plain - mean).square()).sqrt().clamp_min(1e-6))


# --------------------------------------------------------------------------- held-out photos


class _Judge:
    """Looks at the held-out photos: errors for the log, temperatures at the end."""

    def __init__(self, module: GTLoc, table: PhotoTable, values: Tensor, *, device: torch.device) -> None:
        self._module = module
        self._table = table
        self._values = values[:, 0] if len(values) else values
        self._device = device
        self._weight = phototable.group_weights(table.group, cap=_GROUP_CAP)
        self._places = torch.from_numpy(sphere.land_points(_VALIDATION_PLACES))

    def line(self, step: int, losses: Losses) -> dict[str, str]:
        """Return a line of the log."""
        hour, month, km = self._errors()
        scales = (float(self._module.log_scale_time.detach().exp()), float(self._module.log_scale_place.detach().exp()))
        numbers = (losses.time, losses.place, losses.datable, *scales, hour, month, km)
        return {"step": str(step)} | dict(zip(LOG_COLUMNS[1:], (f"{number:.6g}" for number in numbers), strict=True))

    def _errors(self) -> tuple[float, float, float]:
        hour = month = km = float("nan")
        rows = self._table.timed
        if rows.any() and self._module.time_encoder is not None:
            hour, month = self._time_errors(rows)
        rows = self._table.placed
        if rows.any() and self._module.location_encoder is not None:
            km = self._place_error(rows)
        return hour, month, km

    def _time_errors(self, rows: NDArray[np.bool_]) -> tuple[float, float]:
        grid = gallery.time_gallery(_VALIDATION_GRID)
        cosines = self._cosines(rows, self._module.time, torch.from_numpy(grid.points))
        own = Sharpness(float((-self._module.log_scale_time.detach()).exp()))
        mass = density(cosines, grid.prior, sharpness=own).reshape(-1, 24, 48)
        table, weight = self._table.rows(rows), self._weight[rows]
        day = [least_expected_turn(share.sum(axis=0)) for share in mass]
        year = [least_expected_turn(share.sum(axis=1)) for share in mass]
        hour_error = 24.0 * circular.turn_distance(day, table.day_turn)
        month_error = 12.0 * circular.turn_distance(year, table.year_turn)
        return float(np.average(hour_error, weights=weight)), float(np.average(month_error, weights=weight))

    def _place_error(self, rows: NDArray[np.bool_]) -> float:
        best = np.argmax(self._cosines(rows, self._module.place, self._places[:, :2]), axis=1)
        table = self._table.rows(rows)
        there = sphere.unit_vectors(table.latitude_deg, table.longitude_deg)
        named = sphere.unit_vectors(*self._places[:, :2].numpy()[best].T)
        angle = np.arccos(np.clip((there * named).sum(axis=1), -1.0, 1.0))
        return float(np.median(angle) * globe.EARTH_RADIUS_KM)

    def _cosines(
        self, rows: NDArray[np.bool_], encode: Callable[[Tensor], Tensor], points: Tensor
    ) -> NDArray[np.float32]:
        values = self._values[torch.from_numpy(rows)].to(self._device)
        with torch.inference_mode():
            queries = self._module.image(self._module.image_head.balanced(values))
            return (queries @ encode(points.to(self._device)).T).cpu().numpy()

    def temperatures(self, start: Start) -> dict[str, dict[str, float]]:
        """Fit one sharpness per modality on the held-out photos; none where there are none."""
        self._device = torch.device("cpu")
        places, times = gallery.gallery_of(start.manifest, start.base, cache_dir=None)
        found: dict[str, Sharpness] = {}
        rows = self._table.timed
        if rows.any() and self._module.time_encoder is not None:
            spec, table = start.manifest.time_gallery, self._table.rows(rows)
            year = circular.cell_of(table.year_turn, cells=spec.year_cells)
            truth = year * spec.day_cells + circular.cell_of(table.day_turn, cells=spec.day_cells)
            cosines = self._cosines(rows, self._module.time, torch.from_numpy(times.points))
            found["time"] = fit_sharpness(cosines, times.prior, truth=truth, weights=self._weight[rows])
        rows = self._table.placed
        if rows.any() and self._module.location_encoder is not None:
            table = self._table.rows(rows)
            vectors = sphere.unit_vectors(table.latitude_deg, table.longitude_deg)
            truth = np.argmax(vectors @ sphere.unit_vectors(*places.points.T).T, axis=1)
            cosines = self._cosines(rows, self._module.place, torch.from_numpy(places.points))
            found["place"] = fit_sharpness(cosines, places.prior, truth=truth, weights=self._weight[rows])
        return {kind: asdict(sharpness) for kind, sharpness in found.items()}

    @property
    def made_from(self) -> dict[str, int]:
        """How many held-out photos of how many sources there are."""
        return {"photos": len(self._table), "sources": len(np.unique(self._table.group))}


# --------------------------------------------------------------------------- files


def _identity(settings: Settings, table_csv: Path, start: Start) -> str:
    """Return what a checkpoint must share with a run that goes on from it."""
    return json.dumps([asdict(settings), library.sha256_of(table_csv), start.identity, start.manifest.name])


def _save_checkpoint(trainer: Trainer, path: Path, identity: str) -> None:
    with replaced(path) as draft:
        torch.save({"identity": identity, **trainer.state()}, draft)


def _resume(trainer: Trainer, path: Path, identity: str) -> None:
    if not path.exists():
        return
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        same = state.pop("identity") == identity
        if same:
            trainer.restore(state)
    except (UnpicklingError, RuntimeError, EOFError, OSError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is damaged; delete it to begin anew") from error
    if not same:
        raise UsageError(
            f"{path} belongs to a run with other settings or photos; delete it, or train into another folder"
        )


def _log_until(path: Path, step: int) -> list[dict[str, str]]:
    if not path.exists() or step == 0:
        return []
    with path.open(newline="", encoding="utf-8") as lines:
        return [line for line in csv.DictReader(lines) if int(line["step"]) <= step]


def _write_log(path: Path, lines: list[dict[str, str]]) -> None:
    with replaced(path) as draft, draft.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, LOG_COLUMNS)
        writer.writeheader()
        writer.writerows(lines)


def _write(out: Path, start: Start, settings: Settings, judge: _Judge) -> None:
    write_bytes(out / SETTINGS, json.dumps(asdict(settings), indent=2).encode() + b"\n")
    temperatures = judge.temperatures(start)
    if temperatures:
        text = json.dumps({"temperature": temperatures, "made_from": judge.made_from}, indent=2)
        write_bytes(out / CALIBRATION, text.encode() + b"\n")
    places = {}
    if start.manifest.place_gallery.kind == "file":
        places = {start.manifest.place_gallery.file: (start.base / start.manifest.place_gallery.file).read_bytes()}
    weights.write(out, start.manifest, saved_tensors(start), extra=places)


def _silent(doing: str, done: int, whole: int) -> None:
    """Take a report of progress and tell nobody."""
