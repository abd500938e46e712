"""Weights on disk: written with their hashes, read strictly.

A tensor that is missing, left over, of another shape or not finite is refused by its
name; so is a file whose hash differs from the manifest's, and a pickle in place of
a safetensors file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.overrides import TorchFunctionMode

from gtloc_forensics.errors import WeightsError
from gtloc_forensics.files.writing import replaced, write_bytes
from gtloc_forensics.vision import bounds, intact, library
from gtloc_forensics.vision import manifest as manifests
from gtloc_forensics.vision.gtloc import GTLoc
from gtloc_forensics.vision.manifest import ExtractorSpec, Manifest

Tensors = dict[str, Tensor]

_NAMED_AT_MOST = 6


class Backbone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``backbone.json``: one frozen net that several models share."""

    name: str
    licence: str
    extractor: ExtractorSpec
    files: dict[str, str]
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory with the identity of its numbers."""

    module: GTLoc
    manifest: Manifest
    folder: Path
    weights_sha256: str  # of the weights file, or of all of them when backbones lie elsewhere
    reread: Callable[[], Tensors]  # the tensors as the files hold them, under the names they have there


# --------------------------------------------------------------------------- reading


def load(folder: Path, *, models_dir: Path | None = None) -> Loaded:
    """Read a model folder on the CPU.

    Raises:
        WeightsError: when anything is missing, damaged, left over or not what the manifest says.
    """
    manifest = manifests.read(folder)
    paths = intact.files_of(folder, manifest, models_dir=models_dir)
    files = {name: path for name, path in paths.items() if name.endswith(".safetensors")}
    reread = partial(_tensors, files, manifest)
    tensors = reread()
    _check_room(manifest, list(files.values()), folder)
    with _Unfilled():
        module = GTLoc(manifest)
    fill(module, tensors, origin=str(folder), gives_away=True)
    return Loaded(module.eval(), manifest, folder, intact.weights_sha256(manifest), reread)


def _tensors(files: Mapping[str, Path], manifest: Manifest) -> Tensors:
    tensors: Tensors = {}
    for name, path in files.items():
        read = read_tensors(path)
        tensors |= read if "/" not in name else _borrowed(read, name.split("/")[0], manifest)
    return tensors


class _Unfilled(TorchFunctionMode):
    """Leaves new parameters as they are allocated: each is filled from a file afterwards, or loading is refused.

    A net begins with random numbers that took longer to draw than the true ones to read.
    """

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        in_place = name.endswith("_") and not name.endswith("__") and name != "requires_grad_"
        if in_place and args and isinstance(args[0], torch.nn.Parameter):
            return args[0]
        return func(*args, **(kwargs or {}))


def read_tensors(path: Path) -> Tensors:
    """Read a safetensors file.

    Raises:
        WeightsError: when it is damaged, or a pickle.
    """
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path} is not a whole safetensors file: {_what_is(path)}") from error


def fill(module: GTLoc, tensors: Mapping[str, Tensor], *, origin: str, gives_away: bool = False) -> None:
    """Put *tensors* into *module*; every name must be met and every tensor used.

    Args:
        module: to be filled.
        tensors: under the names that a weights file has.
        origin: of the tensors, for people.
        gives_away: whether the module may keep the tensors themselves, in place of copies.

    Raises:
        WeightsError: naming what is missing, left over, of another shape or not finite.
    """
    state = {_inner_name(name): tensor for name, tensor in tensors.items()}
    wanted = module.state_dict()
    faults = {
        "missing": sorted(wanted.keys() - state.keys()),
        "left over": sorted(state.keys() - wanted.keys()),
        "of another shape": sorted(
            f"{name} {tuple(state[name].shape)} instead of {tuple(wanted[name].shape)}"
            for name in wanted.keys() & state.keys()
            if wanted[name].shape != state[name].shape
        ),
        "not finite": sorted(name for name, tensor in state.items() if not _is_finite(tensor)),
        "not float32": sorted(
            name for name, tensor in state.items() if name.endswith("frequencies") and tensor.dtype != torch.float32
        ),
    }
    said = "; ".join(f"{fault}: {_some(names)}" for fault, names in faults.items() if names)
    if said:
        raise WeightsError(f"the weights of {origin} do not fit their manifest ({said}); add the model again")
    kept = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    module.load_state_dict(kept, strict=True, assign=gives_away)


def _is_finite(tensor: Tensor) -> bool:
    if not tensor.is_floating_point() or bool(torch.isfinite(tensor.sum(dtype=torch.float64))):
        return True  # one infinite or undefined number makes the sum so
    return bool(torch.isfinite(tensor).all())


def outer_state(module: GTLoc) -> Tensors:
    """Return the tensors of *module* under the names a weights file has."""
    return {_outer_name(name): tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}


def image_side(tensors: Mapping[str, Tensor], *, architecture: str) -> str:
    """Return the identity of one extractor: a hash over its weights, in single or half precision alike.

    Args:
        tensors: of the extractor, under any prefix that ends in ``extractors.<name>.``.
        architecture: as its manifest names it.
    """
    digest = hashlib.sha256(architecture.encode())
    own = {name.split(".", 2)[2]: tensor for name, tensor in tensors.items() if name.startswith("extractors.")}
    for name in sorted(own):
        half = own[name].detach().cpu().to(torch.float16).contiguous()
        digest.update(f"|{name}{tuple(half.shape)}".encode())
        digest.update(half.numpy().tobytes())
    return digest.hexdigest()


# --------------------------------------------------------------------------- writing


def write(
    folder: Path, manifest: Manifest, tensors: Mapping[str, Tensor], *, extra: Mapping[str, bytes] | None = None
) -> Manifest:
    """Write a model folder: the weights, the *extra* files (``place.npy``, …) and the manifest with all hashes.

    The manifest comes last, so that a folder cut short is no model. Hashes of files
    elsewhere that *manifest* names already are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: digest for name, digest in manifest.files.items() if "/" in name}
    files[manifests.WEIGHTS] = save_tensors(folder / manifests.WEIGHTS, tensors)
    for name, content in (extra or {}).items():
        write_bytes(folder / name, content)
        files[name] = library.sha256_of(folder / name)
    complete = msgspec.structs.replace(manifest, files=files)
    write_bytes(folder / manifests.MANIFEST, manifests.as_json(complete))
    return complete


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """Write a safetensors file atomically and return its SHA-256."""
    with replaced(path) as draft:
        save_file({name: tensors[name].contiguous() for name in sorted(tensors)}, draft)
        draft.chmod(0o644)  # the library writes for its owner alone; a model is there to be shared
    return library.sha256_of(path)


# --------------------------------------------------------------------------- names


def _inner_name(name: str) -> str:
    """``extractors.clip.norm.weight`` on disk is ``extractors.clip.net.norm.weight`` in the module."""
    parts = name.split(".")
    return ".".join([*parts[:2], "net", *parts[2:]]) if parts[0] == "extractors" else name


def _outer_name(name: str) -> str:
    parts = name.split(".")
    return ".".join([*parts[:2], *parts[3:]]) if parts[0] == "extractors" else name


def _borrowed(tensors: Tensors, owner: str, manifest: Manifest) -> Tensors:
    """Return the tensors of the extractors that *manifest* borrows from the folder *owner*."""
    names = {spec.name for spec in manifest.extractors if spec.weights_from == owner}
    return {name: tensor for name, tensor in tensors.items() if name.split(".")[1] in names}


def _check_room(manifest: Manifest, files: list[Path], folder: Path) -> None:
    """Make sure that the heads a manifest describes fit into the files that hold them, at 2 bytes a number."""
    held = sum(path.stat().st_size for path in files)
    if 2 * bounds.head_numbers(manifest) > held:
        raise WeightsError(
            f"the weights of {folder} do not fit their manifest: {held} bytes cannot hold the widths that it names; "
            "add the model again"
        )


def _what_is(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            head = stream.read(9)
    except OSError as error:
        return f"it cannot be read ({error.strerror}); add the model again"
    if not is_safetensors(head) and head[:2] in (b"PK", b"\x80\x02", b"\x80\x04"):
        return "it is a PyTorch pickle, which can run code when read; `gtloc model add` converts checkpoints it knows"
    return "it is damaged or cut short; add the model again"


def is_safetensors(head: bytes) -> bool:
    """Return whether the first nine bytes of a file are those of a safetensors file: a length, then JSON.

    The length may begin with any byte, also with the one that begins a pickle.
    """
    return len(head) >= 9 and head[8:9] == b"{"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
    return ", ".join(names[:_NAMED_AT_MOST]) + more
