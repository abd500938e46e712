"""A trained system on disk: ``system.json``, read strictly, and ``weights.safetensors`` with net and cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Tensor

from gtloc_forensics.earth.partitions import Kind, Partition
from gtloc_forensics.errors import WeightsError
from gtloc_forensics.files.writing import write_bytes
from gtloc_forensics.vision import library, weights
from gtloc_forensics.vision import manifest as manifests
from gtloc_forensics.vision.density import Sharpness
from gtloc_forensics.vision.systems import SYSTEM, installed, kinds, system_class
from gtloc_forensics.vision.systems.system import Layout, System

FORMAT = 1
MOST_NUMBERS = 300_000_000
"""Of one size: more than any published net of the family has in all."""
_CELL_PREFIX = "partition."


class PartitionSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the ids of a kept partition are."""

    kind: Kind
    nside: int = 0


class SharpnessSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the system's logarithms became mass, fitted on photos held out by source."""

    temperature: float
    uniform_share: float


class SystemSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything but the numbers of a system."""

    name: str
    kind: str
    base: str
    base_sha256: str
    tokens: int
    width: int
    scenes: int
    sizes: dict[str, float]
    cells: dict[str, int]
    partitions: dict[str, PartitionSpec]
    points: int = 0
    grid: int = 4
    format: int = FORMAT
    licence: str = ""
    place: SharpnessSpec | None = None
    time: SharpnessSpec | None = None
    made_from: dict[str, int] = {}
    files: dict[str, str] = {}

    @property
    def layout(self) -> Layout:
        """What the net is built for."""
        return Layout(self.tokens, self.width, self.scenes, self.cells, self.sizes, self.points)


@dataclass(frozen=True, slots=True)
class LoadedSystem:
    """A system in memory with its cells and the identity of its numbers."""

    net: System
    spec: SystemSpec
    partitions: Mapping[str, Partition]
    weights_sha256: str


def find(name: str | Path, *, models_dir: Path | None = None) -> Path:
    """Return the folder of a system, by name or path.

    Raises:
        WeightsError: naming what is installed.
    """
    try:
        return library.find(name, models_dir=models_dir, marker=SYSTEM)
    except WeightsError as error:
        known = ", ".join(installed(models_dir)) or "none"
        raise WeightsError(
            f"no system is called {str(name)[:60]!r} (installed: {known}); `gtloc train --system` makes one"
        ) from error


def write(
    folder: Path, net: System, spec: SystemSpec, partitions: Mapping[str, Partition], *, extra: Mapping[str, bytes]
) -> SystemSpec:
    """Write a system's folder, ``system.json`` last, so that a folder cut short is no system."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in net.state_dict().items()}
    for name, partition in partitions.items():
        tensors |= {f"{_CELL_PREFIX}{name}.{field}": tensor.clone() for field, tensor in _tensors(partition).items()}
    files = {manifests.WEIGHTS: weights.save_tensors(folder / manifests.WEIGHTS, tensors)}
    for name, content in extra.items():
        write_bytes(folder / name, content)
    kept = {name: PartitionSpec(partition.kind, partition.nside) for name, partition in partitions.items()}
    complete = msgspec.structs.replace(spec, files=files, partitions=kept)
    write_bytes(folder / SYSTEM, msgspec.json.format(msgspec.json.encode(complete), indent=2) + b"\n")
    return complete


def load(folder: Path) -> LoadedSystem:
    """Read a system's folder on the CPU.

    Raises:
        WeightsError: anything is missing, damaged, left over or not what ``system.json`` says.
    """
    spec = read_spec(folder)
    path = manifests.place_within(folder, manifests.WEIGHTS)
    if library.sha256_of(path) != spec.files.get(manifests.WEIGHTS):
        raise WeightsError(f"{path} is not the file that {SYSTEM} names; train the system again")
    tensors = weights.read_tensors(path)
    partitions = {name: _partition(name, kept, tensors) for name, kept in spec.partitions.items()}
    state = {name: tensor for name, tensor in tensors.items() if not name.startswith(_CELL_PREFIX)}
    try:
        with torch.device("meta"):
            net = system_class(spec.kind)(spec.layout)
        net.load_state_dict(state, strict=True, assign=True)
    except (RuntimeError, ValueError, TypeError, ZeroDivisionError, AssertionError) as error:
        raise WeightsError(f"the weights of {folder} do not fit {SYSTEM} ({error}); train the system again") from error
    return LoadedSystem(net.eval(), spec, partitions, spec.files[manifests.WEIGHTS])


def read_spec(folder: Path) -> SystemSpec:
    """Read ``system.json``.

    Raises:
        WeightsError: it is missing or wrong.
    """
    spec = manifests.described(folder, SYSTEM, SystemSpec, what="system", remedy="train the system again")
    numbers = (spec.tokens, spec.width, spec.scenes, spec.points, *spec.cells.values(), *spec.sizes.values())
    wrong = {
        f"format {spec.format} is unknown": spec.format != FORMAT,
        f"kind {spec.kind[:40]!r} is unknown": spec.kind not in kinds(),
        "the name of the system or of its base is none": not (
            manifests.is_name(spec.name) and manifests.is_name(spec.base)
        ),
        "a size is out of range": not all(0 <= number <= MOST_NUMBERS for number in numbers),
    }
    said = next((text for text, is_so in wrong.items() if is_so), "")
    if said:
        raise WeightsError(f"{folder / SYSTEM}: {said}; train the system again")
    return spec


def sharpness(kept: SharpnessSpec | None) -> Sharpness:
    """Return how logarithms become mass; as the net says them where nothing was fitted."""
    return Sharpness(1.0) if kept is None else Sharpness(kept.temperature, kept.uniform_share)


def _tensors(partition: Partition) -> dict[str, Tensor]:
    places = np.column_stack([partition.latitude_deg, partition.longitude_deg])
    return {
        "ids": torch.from_numpy(partition.ids),
        "centres": torch.from_numpy(places.astype(np.float32)),
        "photos": torch.from_numpy(partition.photos),
        "turn": torch.from_numpy(partition.turn.astype(np.float64)),
    }


def _partition(name: str, kept: PartitionSpec, tensors: Mapping[str, Tensor]) -> Partition:
    try:
        own = {
            field: tensors[f"{_CELL_PREFIX}{name}.{field}"].numpy() for field in ("ids", "centres", "photos", "turn")
        }
    except KeyError as error:
        raise WeightsError(f"the weights lack the cells {name!r}; train the system again") from error
    centres = own["centres"].astype(np.float64)
    return Partition(kept.kind, own["ids"], centres[:, 0], centres[:, 1], own["photos"], own["turn"], kept.nside)
