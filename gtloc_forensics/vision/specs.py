"""What a manifest says of a model: its net, heads, encoders, galleries and output, as typed records."""

from __future__ import annotations

from typing import Literal

import msgspec

FORMAT = 1

Pool = Literal["cls", "patch-mean", "pre-logits", "head"]
Crop = Literal["centre", "squash", "ten"]
Triple = tuple[float, float, float]
Option = str | int | float | bool | list[int] | None


class Tap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a feature is taken from a backbone and how it is pooled."""

    pool: Pool
    block: int = -1
    norm: bool = False


class ExtractorSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One frozen backbone, the view of the picture it wants, and its taps."""

    name: str
    architecture: str
    taps: tuple[Tap, ...]
    input_px: int
    mean: Triple
    std: Triple
    options: dict[str, Option] = {}
    resize_px: int = 0
    crop: Crop = "centre"
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    weights_from: str = ""

    @property
    def short_side_px(self) -> int:
        """The short side the picture is resized to before it is cropped."""
        return self.resize_px or self.input_px

    @property
    def crops(self) -> int:
        """How many crops of one picture the backbone sees."""
        return 10 if self.crop == "ten" else 1


class HeadSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chain of linear layers with ReLU between them."""

    widths: tuple[int, ...]
    standardise: bool = False
    normalise: bool = False


class DensitySpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A linear layer whose softmax is a density over cells, and what the cells are.

    It reads the features that the image head reads, brought to scale by it.

    Attributes:
        labels: of the cells of a choice, e.g. kinds of scenes.
        edges_deg: of the cells of an angle, ascending; one more than there are cells.
    """

    labels: tuple[str, ...] = ()
    edges_deg: tuple[float, ...] = ()

    @property
    def cells(self) -> int:
        """How many cells the density has."""
        return len(self.labels) or len(self.edges_deg) - 1


class EncoderSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sum of random-Fourier capsules (papers.md §1.1)."""

    sigmas: tuple[float, ...] = (1.0, 16.0, 256.0)
    frequencies: int = 256
    width: int = 1024
    depth: int = 3
    input: Literal["radians", "turns"] = "radians"


class PlaceGallerySpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which places are compared with a picture."""

    kind: Literal["land", "file"] = "land"
    points: int = 100_000
    file: str = ""


class TimeGallerySpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A regular grid of the torus; its points are cell centres."""

    year_cells: int = 144
    day_cells: int = 96


class OutputSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How finely a prediction is told."""

    year_cells: int = 36
    day_cells: int = 48
    place_cells: int = 20_000


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything but the numbers of a model."""

    name: str
    licence: str
    extractors: tuple[ExtractorSpec, ...]
    image_head: HeadSpec
    format: int = FORMAT
    title: str = ""
    sources: tuple[str, ...] = ()
    files: dict[str, str] = {}
    location_encoder: EncoderSpec | None = None
    time_encoder: EncoderSpec | None = None
    heads: dict[str, HeadSpec] = {}
    densities: dict[str, DensitySpec] = {}
    place_gallery: PlaceGallerySpec = PlaceGallerySpec()
    time_gallery: TimeGallerySpec = TimeGallerySpec()
    output: OutputSpec = OutputSpec()

    @property
    def embedding_size(self) -> int:
        """The length of an embedding."""
        return self.image_head.widths[-1]

    @property
    def short_side_px(self) -> int:
        """The short side pictures must be decoded to, for the backbone that wants most."""
        return max(extractor.short_side_px for extractor in self.extractors)
