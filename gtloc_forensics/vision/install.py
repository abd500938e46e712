"""Models and backbones into the user's folder: what ``gtloc model add`` does.

A checkpoint is read with ``weights_only``, converted, filled strictly into the model
it is said to be, and only then written. The network is used by :func:`download_clip` alone.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor

from gtloc_forensics.errors import UsageError, WeightsError
from gtloc_forensics.files.writing import write_bytes
from gtloc_forensics.vision import convert, gallery, library, manifest, weights
from gtloc_forensics.vision.gtloc import GTLoc
from gtloc_forensics.vision.manifest import HeadSpec, Manifest, PlaceGallerySpec

CLIP_FOLDER = "clip-vit-large-patch14"
CLIP_HUB_ID = "timm/vit_large_patch14_clip_224.openai"
PLACES = "place.npy"

GTLOC_LICENCE = "CC BY-NC 4.0 (weights of the GT-Loc authors)"
GEOCLIP_LICENCE = "MIT (GeoCLIP 1.3.0), MIT (OpenAI CLIP)"
CLIP_LICENCE = "MIT (OpenAI CLIP)"

_GEOCLIP_FILES = {
    "location": "model/weights/location_encoder_weights.pth",
    "mlp": "model/weights/image_encoder_mlp_weights.pth",
    "scale": "model/weights/logit_scale_weights.pth",
    "places": "model/gps_gallery/coordinates_100K.csv",
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a model is put."""

    models_dir: Path
    name: str
    replace: bool = False

    @property
    def folder(self) -> Path:
        """The model's folder.

        Raises:
            UsageError: when the name cannot be one, or is taken.
        """
        if not manifest.is_name(self.name):
            raise UsageError(f"{self.name!r} cannot be the name of a model; use letters, digits, '.', '-', '_'")
        folder = self.models_dir / self.name
        if folder.exists() and not self.replace:
            raise UsageError(f"{folder} exists already; choose another --name, or --replace it")
        return folder


def add_checkpoint(path: Path, target: Target, *, places: Path | None = None, ten_crop: bool = False) -> Path:
    """Convert an official GT-Loc checkpoint and install it.

    Args:
        path: ``gtloc.pt`` or the same tensors as safetensors.
        target: where to.
        places: a gallery (.csv with LAT, LON or .npy) instead of points spread over the land.
        ten_crop: look at ten crops of each picture, as in the paper's evaluation.

    Returns:
        The model's folder.

    Raises:
        WeightsError: when the file is damaged, a pickle of anything but tensors, or not such a checkpoint.
        UsageError: when the name is taken.
    """
    folder = target.folder
    found = convert.gtloc(read_checkpoint(path), origin=str(path))
    extra = {} if places is None else {PLACES: _npy(read_places(places))}
    described = Manifest(
        name=target.name,
        title="GT-Loc (Shatwell et al., ICCV 2025), converted from the authors' checkpoint",
        licence=GTLOC_LICENCE,
        sources=(f"{path.name}, sha256 {library.sha256_of(path)}",),
        extractors=(_cropped(found.extractor, ten_crop=ten_crop),) if found.extractor else (),
        image_head=found.image_head or HeadSpec((1, 1)),
        location_encoder=found.location_encoder,
        time_encoder=found.time_encoder,
        place_gallery=_gallery_spec(extra),
        files=dict.fromkeys(extra, ""),
    )
    return _installed(folder, described, found.tensors, extra)


def add_geoclip(source: Path | None, target: Target, *, ten_crop: bool = False) -> Path:
    """Install GeoCLIP 1.3.0: its location encoder, its image MLP and its gallery, on an installed CLIP.

    Args:
        source: the geoclip wheel, an unpacked ``geoclip`` folder, or None for the installed package.
        target: where to.
        ten_crop: look at ten crops of each picture.

    Raises:
        WeightsError: when a file is missing or damaged, or no CLIP is installed yet.
        UsageError: when the name is taken.
    """
    folder = target.folder
    backbone_folder, backbone = read_backbone(target.models_dir)
    found, places = geoclip_release(source)
    extra = {PLACES: _npy(places)}
    clip_file = f"{CLIP_FOLDER}/{manifest.WEIGHTS}"
    described = Manifest(
        name=target.name,
        title="GeoCLIP (Vivanco Cepeda et al., NeurIPS 2023), release 1.3.0: places only",
        licence=GEOCLIP_LICENCE,
        sources=("geoclip 1.3.0", *backbone.sources),
        extractors=(
            msgspec.structs.replace(_cropped(backbone.extractor, ten_crop=ten_crop), weights_from=CLIP_FOLDER),
        ),
        image_head=found.image_head or HeadSpec((1, 1)),
        location_encoder=found.location_encoder,
        place_gallery=_gallery_spec(extra),
        files={clip_file: backbone.files[manifest.WEIGHTS]} | dict.fromkeys(extra, ""),
    )
    clip_tensors = weights.read_tensors(backbone_folder / manifest.WEIGHTS)
    return _installed(folder, described, found.tensors, extra, borrowed=clip_tensors)


def add_clip(path: Path, *, models_dir: Path, replace: bool = False) -> Path:
    """Install OpenAI's CLIP ViT-L/14, from a file in HF, OpenAI / open_clip or timm layout, for models to share.

    Raises:
        WeightsError: when the file is damaged or not CLIP.
        UsageError: when one is installed already.
    """
    folder = Target(models_dir, CLIP_FOLDER, replace).folder
    tensors, extractor = convert.clip(read_checkpoint(path), origin=str(path))
    _check_extractor(extractor, tensors, origin=str(path))
    folder.mkdir(parents=True, exist_ok=True)
    files = {manifest.WEIGHTS: weights.save_tensors(folder / manifest.WEIGHTS, tensors)}
    sources = (f"{path.name}, sha256 {library.sha256_of(path)}",)
    described = weights.Backbone(CLIP_FOLDER, CLIP_LICENCE, extractor, files, sources)
    text = msgspec.json.format(msgspec.json.encode(described), indent=2) + b"\n"
    write_bytes(folder / library.BACKBONE, text)
    return folder


def add_folder(path: Path, target: Target) -> Path:
    """Install a model folder that exists already (a trained one, or one that was handed over), after loading it once.

    Raises:
        WeightsError: when it does not load.
        UsageError: when the name is taken.
    """
    folder = target.folder
    loaded = weights.load(path, models_dir=target.models_dir)
    gallery.place_gallery(loaded.manifest.place_gallery, path, cache_dir=None)
    if loaded.manifest.name != target.name:
        raise UsageError(f"the model calls itself {loaded.manifest.name!r}; install it under that name")
    shutil.copytree(path, folder, dirs_exist_ok=target.replace)
    return folder


def download_clip(folder: Path) -> Path:
    """Fetch CLIP ViT-L/14 from the model hub into *folder*; the one function here that uses the network.

    Raises:
        WeightsError: when it cannot be fetched.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(CLIP_HUB_ID, "model.safetensors", local_dir=folder))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise WeightsError(
            f"CLIP could not be fetched ({error}); name a file instead: gtloc model add --clip FILE"
        ) from error


# --------------------------------------------------------------------------- reading


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Read a state dict from a safetensors file or a PyTorch checkpoint that holds tensors only.

    Raises:
        WeightsError: when it cannot be read, is cut short, or holds objects that are not tensors.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror})") from error
    return _tensors_of(content, origin=str(path))


def _tensors_of(content: bytes, *, origin: str) -> dict[str, Tensor]:
    try:
        if weights.is_safetensors(content[:9]):
            read: object = load_safetensors(content)
        else:
            read = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, OSError, SafetensorError) as error:
        raise WeightsError(
            f"{origin} is not a checkpoint of tensors alone: it is cut short, damaged, a script, or a pickle of other "
            "objects, which is not opened because that can run code; save its state_dict as safetensors instead"
        ) from error
    return _state_dict(read, origin=origin)


def _state_dict(read: object, *, origin: str) -> dict[str, Tensor]:
    """Unwrap ``{"state_dict": …}`` and the prefix that data-parallel training adds."""
    for wrapper in ("state_dict", "model_state_dict", "model"):
        if isinstance(read, Mapping) and isinstance(read.get(wrapper), Mapping):
            read = read[wrapper]
    if isinstance(read, Tensor):
        return {"": read}
    if not isinstance(read, Mapping) or not all(isinstance(value, Tensor) for value in read.values()):
        raise WeightsError(f"{origin} holds no state dict of tensors")
    return {str(name).removeprefix("module."): value for name, value in read.items()}


def read_backbone(models_dir: Path) -> tuple[Path, weights.Backbone]:
    """Return the installed CLIP.

    Raises:
        WeightsError: when there is none.
    """
    try:
        folder = library.find(CLIP_FOLDER, models_dir=models_dir, marker=library.BACKBONE)
    except WeightsError as error:
        raise WeightsError(
            "GeoCLIP builds on CLIP ViT-L/14, which is not installed: gtloc model add --clip FILE (or --download) first"
        ) from error
    try:
        return folder, msgspec.json.decode(manifest.read_within(folder, library.BACKBONE), type=weights.Backbone)
    except (OSError, msgspec.MsgspecError, RecursionError) as error:
        raise WeightsError(
            f"{folder / library.BACKBONE} is damaged ({error}); add CLIP again with --replace"
        ) from error


def geoclip_release(source: Path | None) -> tuple[convert.Converted, NDArray[np.float32]]:
    """Return what GeoCLIP 1.3.0 released, converted, and its gallery ``[N, 3]``; the CLIP it stands on is not in it.

    Raises:
        WeightsError: a file is missing or damaged.
    """
    files = geoclip_files(source)
    states = {kind: _tensors_of(files[kind], origin=_GEOCLIP_FILES[kind]) for kind in ("location", "mlp", "scale")}
    scale = next(iter(states["scale"].values()))
    found = convert.geoclip(states["location"], states["mlp"], scale, origin="geoclip")
    return found, _places_of_csv(files["places"], origin=_GEOCLIP_FILES["places"])


def geoclip_files(source: Path | None) -> dict[str, bytes]:
    """Return the four files of GeoCLIP's release from a wheel, a folder or the installed package.

    Raises:
        WeightsError: when one is not there.
    """
    if source is None:
        spec = importlib.util.find_spec("geoclip")
        if spec is None or not spec.submodule_search_locations:
            raise WeightsError("geoclip is not installed; name its wheel: gtloc model add --geoclip WHEEL")
        source = Path(spec.submodule_search_locations[0])
    try:
        if source.is_dir():
            return {kind: (source / name).read_bytes() for kind, name in _GEOCLIP_FILES.items()}
        with zipfile.ZipFile(source) as wheel:
            return {kind: wheel.read(f"geoclip/{name}") for kind, name in _GEOCLIP_FILES.items()}
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{source} is not geoclip 1.3.0 ({error})") from error


def read_places(path: Path) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Read a place gallery: ``.npy`` [N, 2 or 3], or ``.csv`` with the columns LAT and LON.

    Raises:
        WeightsError: when it cannot be read or a row is no place.
    """
    try:
        if path.suffix == ".npy":
            rows = np.asarray(np.load(path, allow_pickle=False), dtype=np.float64)
            return gallery.checked_places(rows, origin=str(path))
        return _places_of_csv(path.read_bytes(), origin=str(path))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} is not a place gallery ({error})") from error


def _places_of_csv(content: bytes, *, origin: str) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    lines = csv.DictReader(io.StringIO(content.decode("utf-8", "replace")))
    try:
        rows = [(float(line["LAT"]), float(line["LON"])) for line in lines]
    except (KeyError, ValueError, TypeError) as error:
        raise WeightsError(f"{origin} lacks a number in the columns LAT and LON ({error})") from error
    return gallery.checked_places(np.array(rows, dtype=np.float64).reshape(-1, 2), origin=origin)


# --------------------------------------------------------------------------- writing


def _installed(
    folder: Path,
    described: Manifest,
    tensors: dict[str, Tensor],
    extra: Mapping[str, bytes],
    *,
    borrowed: Mapping[str, Tensor] | None = None,
) -> Path:
    checked = manifest.parse(manifest.as_json(described), origin=described.name)
    weights.fill(GTLoc(checked), {**tensors, **(borrowed or {})}, origin=described.name)
    weights.write(folder, described, tensors, extra=extra)
    return folder


def _check_extractor(extractor: manifest.ExtractorSpec, tensors: dict[str, Tensor], *, origin: str) -> None:
    width = int(tensors[f"extractors.{convert.CLIP}.head.weight"].shape[0])
    alone = GTLoc(Manifest(name="check", licence="", extractors=(extractor,), image_head=HeadSpec((width, 1))))
    own = {name: value for name, value in weights.outer_state(alone).items() if not name.startswith("extractors.")}
    weights.fill(alone, {**own, **tensors}, origin=origin)


def _cropped(extractor: manifest.ExtractorSpec, *, ten_crop: bool) -> manifest.ExtractorSpec:
    if not ten_crop:
        return extractor
    # Resize(256), TenCrop(224) of the published evaluation, in proportion for other sides.
    size = round(extractor.input_px * 256 / 224)
    return msgspec.structs.replace(extractor, crop="ten", resize_px=size, interpolation="bilinear")


def _gallery_spec(extra: Mapping[str, bytes]) -> PlaceGallerySpec:
    return PlaceGallerySpec("file", file=PLACES) if PLACES in extra else PlaceGallerySpec()


def _npy(rows: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, rows, allow_pickle=False)
    return stream.getvalue()
