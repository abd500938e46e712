"""What training starts from: a frozen backbone and fresh heads, or a model to go on with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import torch

from gtloc_forensics.errors import WeightsError
from gtloc_forensics.vision import library, weights
from gtloc_forensics.vision import manifest as manifests
from gtloc_forensics.vision.gtloc import GTLoc
from gtloc_forensics.vision.manifest import EncoderSpec, ExtractorSpec, HeadSpec, Manifest, OutputSpec, PlaceGallerySpec


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of what is trained; the defaults are the paper's.

    Attributes:
        hidden: widths between the features and the embedding.
        embedding: size of the common space.
        location: location encoder, None for a model that tells no place.
        time: time encoder, None for a model that tells no time. ``input="turns"`` makes it periodic.
        standardise: bring every feature to mean 0 and scale 1 over the training photos.
        datable: whether to train a head that tells whether a scene can be dated.
        places: points on land that the finished model compares pictures with.
        place_cells: equal-area cells in which it tells places.
    """

    hidden: tuple[int, ...] = (768,)
    embedding: int = 512
    location: EncoderSpec | None = field(default_factory=EncoderSpec)
    time: EncoderSpec | None = field(default_factory=EncoderSpec)
    standardise: bool = False
    datable: bool = False
    places: int = 100_000
    place_cells: int = 20_000


@dataclass(frozen=True, slots=True)
class Start:
    """A module ready to be trained and the manifest it will be saved with."""

    module: GTLoc
    manifest: Manifest
    identity: str  # of the frozen weights: names cached features
    base: Path  # where a place gallery of its own would lie


def fresh(base: Path, *, name: str, shape: Shape, seed: int) -> Start:
    """Put fresh heads and encoders on the frozen backbone of a model or backbone folder.

    Raises:
        WeightsError: when *base* is neither, or damaged.
    """
    extractors, tensors, identity, files, licence, sources = _frozen(base)
    features = sum(_feature_width(spec) for spec in extractors)
    described = Manifest(
        name=name,
        title="trained by gtloc train",
        licence=licence,
        sources=sources,
        extractors=extractors,
        image_head=HeadSpec((features, *shape.hidden, shape.embedding), standardise=shape.standardise),
        location_encoder=shape.location,
        time_encoder=shape.time,
        heads={"datable": HeadSpec((features, 1))} if shape.datable else {},
        files=files,
        place_gallery=PlaceGallerySpec(points=shape.places),
        output=OutputSpec(place_cells=shape.place_cells),
    )
    checked = manifests.parse(manifests.as_json(described), origin=name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = GTLoc(checked)
    own = {key: value for key, value in weights.outer_state(module).items() if not key.startswith("extractors.")}
    weights.fill(module, {**own, **tensors}, origin=str(base))
    return Start(module.train(), checked, identity, base)


def find_base(name: str, *, models_dir: Path | None = None) -> Path:
    """Return the folder of an installed model or backbone, by name or path.

    Raises:
        WeightsError: when there is neither.
    """
    for marker in (manifests.MANIFEST, library.BACKBONE):
        try:
            return library.find(name, models_dir=models_dir, marker=marker)
        except WeightsError as error:
            missing = error
    raise missing


def going_on(base: Path, *, name: str, models_dir: Path | None = None) -> Start:
    """Take a whole model and train its heads and encoders further.

    Raises:
        WeightsError: when it cannot be loaded.
    """
    loaded = weights.load(base, models_dir=models_dir)
    renamed = msgspec.structs.replace(loaded.manifest, name=name)
    return Start(loaded.module.train(), renamed, _identity(weights.outer_state(loaded.module)), base)


_Frozen = tuple[tuple[ExtractorSpec, ...], weights.Tensors, str, dict[str, str], str, tuple[str, ...]]


def _frozen(base: Path) -> _Frozen:
    if (base / library.BACKBONE).is_file():
        return _from_backbone(base)
    loaded = weights.load(base)
    tensors = _extractors_of(weights.outer_state(loaded.module))
    elsewhere = {name: digest for name, digest in loaded.manifest.files.items() if "/" in name}
    manifest = loaded.manifest
    return manifest.extractors, tensors, _identity(tensors), elsewhere, manifest.licence, manifest.sources


def _from_backbone(base: Path) -> _Frozen:
    try:
        described = msgspec.json.decode((base / library.BACKBONE).read_bytes(), type=weights.Backbone)
    except (OSError, msgspec.MsgspecError) as error:
        raise WeightsError(f"{base / library.BACKBONE} is damaged ({error}); add it again") from error
    digest = described.files[manifests.WEIGHTS]
    if library.sha256_of(base / manifests.WEIGHTS) != digest:
        raise WeightsError(f"{base / manifests.WEIGHTS} is damaged or was replaced; add it again")
    tensors = weights.read_tensors(base / manifests.WEIGHTS)
    shared = msgspec.structs.replace(described.extractor, weights_from=base.name)
    files = {f"{base.name}/{manifests.WEIGHTS}": digest}
    return (shared,), tensors, digest, files, described.licence, described.sources


def _extractors_of(tensors: weights.Tensors) -> weights.Tensors:
    return {name: tensor for name, tensor in tensors.items() if name.startswith("extractors.")}


def _identity(tensors: weights.Tensors) -> str:
    """Return a digest of the frozen weights alone: heads come and go, features stay."""
    from hashlib import sha256

    from safetensors.torch import save

    return sha256(save(_extractors_of(tensors))).hexdigest()


def _feature_width(spec: ExtractorSpec) -> int:
    """Return how many features an extractor gives, by trying it on nothing."""
    from gtloc_forensics.vision.encoders import Extractor

    with torch.inference_mode():
        return int(Extractor(spec)(torch.zeros(1, 3, spec.input_px, spec.input_px, dtype=torch.uint8)).shape[1])


def saved_tensors(start: Start) -> weights.Tensors:
    """Return what the weights file of the trained model holds: not what lies in another folder already."""
    elsewhere = {f"extractors.{spec.name}." for spec in start.manifest.extractors if spec.weights_from}
    tensors = weights.outer_state(start.module)
    return {name: value for name, value in tensors.items() if not name.startswith(tuple(elsewhere) or ("\0",))}
