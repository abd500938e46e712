"""One step of training: batches, losses, the optimiser, and what a checkpoint keeps of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from gtloc_forensics.errors import UsageError
from gtloc_forensics.modelling.phototable import PhotoTable
from gtloc_forensics.modelling.training import losses, queues, weak
from gtloc_forensics.modelling.training.settings import Settings
from gtloc_forensics.vision import device as devices
from gtloc_forensics.vision.gtloc import GTLoc

LARGEST_LOG_SCALE = math.log(100.0)  # CLIP's own bound
KM_PER_DEG = 111.2
GRID = (24, 48)  # candidates of time_negatives="grid": half-months by half-hours, moved as a whole at every step


@dataclass(frozen=True, slots=True)
class Losses:
    """The parts of one step's loss; 0 where no row had what it takes."""

    time: float
    place: float
    datable: float


class _Draw:
    """Draws rows so that sources, not photos, are balanced."""

    def __init__(
        self,
        rows: np.ndarray[tuple[int], np.dtype[np.bool_]],
        group: np.ndarray[tuple[int], np.dtype[np.str_]],
        *,
        power: float,
    ) -> None:
        self.rows = torch.from_numpy(np.flatnonzero(rows))
        _, inverse, counts = np.unique(group[rows], return_inverse=True, return_counts=True)
        self._weight = torch.from_numpy(counts.astype(np.float64)[inverse] ** (power - 1.0)) if len(counts) else None

    def __call__(self, count: int, generator: torch.Generator) -> Tensor:
        if self._weight is None:
            return self.rows[:0]
        return self.rows[torch.multinomial(self._weight, count, replacement=True, generator=generator)]


class Trainer:
    """The state of training: module, optimiser, queues, one generator for everything random."""

    def __init__(
        self, module: GTLoc, table: PhotoTable, values: Tensor, *, settings: Settings, device: torch.device
    ) -> None:
        """Prepare to train."""
        self.settings = settings
        self.step = 0
        self._device = device
        self._module = module.to(device)
        self._values = values.to(device)
        self._generator = torch.Generator().manual_seed(settings.seed)
        self._turns = _tensor(table.year_turn, table.day_turn).to(device)
        self._places = _tensor(table.latitude_deg, table.longitude_deg).to(device)
        self._datable = torch.from_numpy(table.datable).float().to(device)
        self._labels = [str(label) for label in table.label]
        self._southern = [bool(latitude < 0.0) for latitude in table.latitude_deg]
        self._draws = self._make_draws(table)
        self._queues = {
            "place": queues.place_queue(settings.queue, self._generator, device=device),
            "time": queues.time_queue(settings.queue, self._generator, device=device),
        }
        trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self._optimiser = torch.optim.AdamW(trained, lr=settings.learning_rate, weight_decay=settings.weight_decay)
        self._trained = trained

    def _make_draws(self, table: PhotoTable) -> dict[str, _Draw]:
        labelled = np.array([weak.says_something(label) for label in self._labels], dtype=np.bool_)
        module = self._module
        rows = {
            "time": (table.timed | (labelled & (self.settings.weak_weight > 0.0))) & (module.time_encoder is not None),
            "place": table.placed & (module.location_encoder is not None),
            "datable": np.isfinite(table.datable) & ("datable" in module.heads),
        }
        if not any(mask.any() for mask in rows.values()):
            raise UsageError("no photo of the table has a time, a place or a label that the model could learn from")
        if rows["time"].any() and not table.timed.any() and self.settings.time_negatives == "queue":
            raise UsageError("the table has weak labels but no time; train with time_negatives='grid'")
        return {kind: _Draw(mask, table.group, power=self.settings.group_power) for kind, mask in rows.items()}

    # ------------------------------------------------------------- one step

    def advance(self) -> Losses:
        """Do one step and return its losses."""
        for group in self._optimiser.param_groups:
            group["lr"] = self._learning_rate()
        self._optimiser.zero_grad(set_to_none=True)
        with devices.training_autocast(self._device):
            time, place, datable = self._time_loss(), self._place_loss(), self._datable_loss()
        settings = self.settings
        total = time + settings.place_weight * place + settings.datable_weight * datable
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._trained, 1.0)
        self._optimiser.step()
        with torch.no_grad():
            for scale in (self._module.log_scale_place, self._module.log_scale_time):
                scale.clamp_(0.0, LARGEST_LOG_SCALE)
        self.step += 1
        return Losses(float(time.detach()), float(place.detach()), float(datable.detach()))

    def _learning_rate(self) -> float:
        settings = self.settings
        if self.step < settings.warmup_steps:
            return settings.learning_rate * (self.step + 1) / settings.warmup_steps
        done = (self.step - settings.warmup_steps) / max(1, settings.steps - settings.warmup_steps)
        return settings.learning_rate * 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))

    def _features(self, rows: Tensor) -> Tensor:
        """Return balanced features of one random view of each row, some of them dropped."""
        view = torch.randint(self._values.shape[1], (len(rows),), generator=self._generator)
        features = self._module.image_head.balanced(self._values[rows, view])
        keep = 1.0 - self.settings.feature_dropout
        mask = (torch.rand(features.shape, generator=self._generator) < keep).to(features)
        return features * mask / keep

    def _time_loss(self) -> Tensor:
        rows = self._draws["time"](self.settings.batch, self._generator).to(self._device)
        if not len(rows):
            return torch.zeros((), device=self._device)
        turns = self._turns[rows]
        timed = torch.isfinite(turns).all(dim=1)
        candidates = self._time_candidates(turns[timed])
        logits = self._module.log_scale_time.exp() * (
            self._module.image(self._features(rows.cpu())) @ self._module.time(candidates).T
        )
        target = losses.time_target(
            losses.torus_distance(turns.nan_to_num(), candidates),
            kind=self.settings.time_target,
            gamma=self.settings.gamma,
        )
        target = torch.where(timed[:, None], target, self._weak_target(rows, timed, candidates))
        weight = torch.where(timed, 1.0, self.settings.weak_weight)
        self._queues["time"].push(turns[timed])
        return losses.soft_cross_entropy(logits, target, weight)

    def _time_candidates(self, own: Tensor) -> Tensor:
        if self.settings.time_negatives == "queue":
            return torch.cat([own, self._queues["time"].points])
        corner = torch.rand(2, generator=self._generator)
        year, day = (torch.arange(cells) / cells for cells in GRID)
        return ((torch.cartesian_prod(year, day) + corner) % 1.0).to(self._device)

    def _weak_target(self, rows: Tensor, timed: Tensor, candidates: Tensor) -> Tensor:
        target = torch.full((len(rows), len(candidates)), 1.0 / len(candidates), device=self._device)
        known: dict[tuple[str, bool], Tensor] = {}
        for place, row in enumerate(rows.tolist()):
            if not timed[place]:
                key = self._labels[row], self._southern[row]
                if key not in known:
                    fit = weak.region(key[0], candidates, southern=key[1])
                    known[key] = fit / fit.sum()
                target[place] = known[key]
        return target

    def _place_loss(self) -> Tensor:
        rows = self._draws["place"](self.settings.batch, self._generator).to(self._device)
        if not len(rows):
            return torch.zeros((), device=self._device)
        places = self._jittered(self._places[rows])
        candidates = torch.cat([places, self._queues["place"].points])
        logits = self._module.log_scale_place.exp() * (
            self._module.image(self._features(rows.cpu())) @ self._module.place(candidates).T
        )
        logits = losses.place_logits(logits, places, candidates, same_place_km=self.settings.same_place_km)
        self._queues["place"].push(places)
        return torch.nn.functional.cross_entropy(logits.float(), torch.arange(len(rows), device=self._device))

    def _jittered(self, places: Tensor) -> Tensor:
        noise = (
            torch.randn(places.shape, generator=self._generator).to(places) * self.settings.place_noise_km / KM_PER_DEG
        )
        stretch = torch.cos(torch.deg2rad(places[:, 0])).clamp_min(0.01)
        latitude = (places[:, 0] + noise[:, 0]).clamp(-90.0, 90.0)
        longitude = (places[:, 1] + noise[:, 1] / stretch + 180.0) % 360.0 - 180.0
        return torch.stack([latitude, longitude], dim=1)

    def _datable_loss(self) -> Tensor:
        rows = self._draws["datable"](self.settings.batch, self._generator)
        if not len(rows):
            return torch.zeros((), device=self._device)
        logits = self._module.heads["datable"](self._features(rows))[:, 0].float()
        return binary_cross_entropy_with_logits(logits, self._datable[rows.to(self._device)])

    # ------------------------------------------------------------- checkpoints

    def state(self) -> dict[str, object]:
        """Return everything that going on needs: tensors and plain numbers only."""
        trained = {
            name: value for name, value in self._module.state_dict().items() if not name.startswith("extractors.")
        }
        return {
            "module": trained,
            "optimiser": self._optimiser.state_dict(),
            "queues": {name: queue.state() for name, queue in self._queues.items()},
            "generator": self._generator.get_state(),
            "step": self.step,
        }

    def restore(self, state: dict[str, object]) -> None:
        """Take up where :meth:`state` left off."""
        self._module.load_state_dict({**self._module.state_dict(), **_mapping(state["module"])}, strict=True)
        self._optimiser.load_state_dict(_mapping(state["optimiser"]))
        for name, queue in self._queues.items():
            queue.restore(cast(dict[str, Tensor], _mapping(_mapping(state["queues"])[name])))
        generator, step = state["generator"], state["step"]
        if not isinstance(generator, Tensor) or not isinstance(step, int):
            raise TypeError("a checkpoint's generator is a tensor and its step a number")
        self._generator.set_state(generator.cpu())
        self.step = step


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError("a part of the checkpoint is not a table")
    return value


def _tensor(
    first: np.ndarray[tuple[int], np.dtype[np.float64]], second: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> Tensor:
    return torch.from_numpy(np.stack([first, second], axis=1)).float()
