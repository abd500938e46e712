"""The encoders of GT-Loc: pictures, places and times into one space, as published.

Written from the formulas of the paper (GT-Loc, arXiv 2507.10473; GeoCLIP, arXiv
2309.16020; Equal Earth, Šavrič et al. 2018). No file is read here and no device is
known. Outputs of the location and time encoders are not of unit length yet.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from gtloc_forensics.errors import WeightsError
from gtloc_forensics.vision.manifest import EncoderSpec, ExtractorSpec, HeadSpec, Tap
from gtloc_forensics.vision.short_pass import ShortPass, short_pass
from gtloc_forensics.vision.torchvision_shim import timm_module

# Polynomial of the Equal Earth projection, and the factor that, over 180, brings it to about ±1 (GeoCLIP).
EQUAL_EARTH = (1.340264, -0.081106, 0.000893, 0.003796)
EQUAL_EARTH_SCALE = 66.50336


def equal_earth(latitude_longitude_deg: Tensor) -> Tensor:
    """Project ``[..., 2]`` (latitude, longitude) in degrees to ``[..., 2]`` (x, y), both within about ±1."""
    a1, a2, a3, a4 = EQUAL_EARTH
    latitude, longitude = torch.deg2rad(latitude_longitude_deg).unbind(-1)
    theta = torch.asin(math.sqrt(3.0) / 2.0 * torch.sin(latitude))
    slope = 9.0 * a4 * theta**8 + 7.0 * a3 * theta**6 + 3.0 * a2 * theta**2 + a1
    x = 2.0 * math.sqrt(3.0) * longitude * torch.cos(theta) / (3.0 * slope)
    y = a4 * theta**9 + a3 * theta**7 + a2 * theta**3 + a1 * theta
    # Multiplied, then divided, as the weights were trained: at σ = 256 the last bit shows in the fifth decimal.
    return torch.stack([x, y], dim=-1) * EQUAL_EARTH_SCALE / 180.0


class RandomFourier(nn.Module):
    """Random Fourier features ``[cos 2πvBᵀ, sin 2πvBᵀ]``, the cosines first; B is drawn once and never trained.

    Phases reach thousands of radians at σ = 256, so they are computed in float32 even
    inside an autocast region: in bfloat16 the features lose all meaning.
    """

    frequencies: Tensor

    def __init__(self, sigma: float, *, count: int, whole: bool) -> None:
        """Lay out the layers; their weights come later."""
        super().__init__()
        drawn = torch.randn(count, 2) * sigma
        self.register_buffer("frequencies", drawn.round() if whole else drawn)

    def forward(self, points: Tensor) -> Tensor:
        """Map ``[B, 2]`` to ``[B, 2 · count]``."""
        with torch.autocast(points.device.type, enabled=False):
            phases = (2.0 * math.pi * points.float()) @ self.frequencies.float().T
            return torch.cat([torch.cos(phases), torch.sin(phases)], dim=-1)


class Capsule(nn.Module):
    """One scale of a location or time encoder: Fourier features, ReLU layers, a linear head."""

    def __init__(self, spec: EncoderSpec, sigma: float, *, size: int) -> None:
        """Lay out the layers; their weights come later."""
        super().__init__()
        self.fourier = RandomFourier(sigma, count=spec.frequencies, whole=spec.input == "turns")
        widths = [2 * spec.frequencies, *[spec.width] * spec.depth]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(widths))
        self.head = nn.Linear(widths[-1], size)

    def forward(self, points: Tensor) -> Tensor:
        """Map ``[B, 2]`` to ``[B, D]``."""
        hidden = self.fourier(points)
        for layer in self.layers:
            hidden = torch.relu(layer(hidden))
        return cast(Tensor, self.head(hidden))


class _CapsuleSum(nn.Module):
    def __init__(self, spec: EncoderSpec, *, size: int) -> None:
        super().__init__()
        self.spec = spec
        self.capsules = nn.ModuleList(Capsule(spec, sigma, size=size) for sigma in spec.sigmas)

    def summed(self, points: Tensor) -> Tensor:
        """Return the sum of the capsules at ``[B, 2]``, ``[B, D]``."""
        return torch.stack([capsule(points) for capsule in self.capsules]).sum(dim=0)


class LocationEncoder(_CapsuleSum):
    """Places into the common space."""

    def forward(self, latitude_longitude_deg: Tensor) -> Tensor:
        """Map ``[B, 2]`` (latitude, longitude in degrees) to ``[B, D]``, not of unit length."""
        return self.summed(equal_earth(latitude_longitude_deg.float()))


class TimeEncoder(_CapsuleSum):
    """Times of year and of day into the common space."""

    def forward(self, turns: Tensor) -> Tensor:
        """Map ``[B, 2]`` (turn of the year, turn of the day, each in [0, 1)) to ``[B, D]``, not of unit length.

        The published encoder sees the angles 2π·turn − π, and is not periodic at
        their seams; with input "turns" the frequencies are whole and it is.
        """
        turns = turns.float()
        return self.summed(2.0 * math.pi * turns - math.pi if self.spec.input == "radians" else turns)


class LinearChain(nn.Module):
    """Linear layers with ReLU between them: the image head and the auxiliary heads."""

    def __init__(self, widths: Sequence[int]) -> None:
        """Lay out the layers; their weights come later."""
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(widths))

    def forward(self, features: Tensor) -> Tensor:
        """Map ``[B, F]`` to ``[B, D]``."""
        for index, layer in enumerate(self.layers):
            features = layer(torch.relu(features) if index else features)
        return features


class ImageHead(LinearChain):
    """Features into the common space; carries the statistics that bring several backbones to one scale."""

    mean: Tensor
    scale: Tensor

    def __init__(self, spec: HeadSpec) -> None:
        """Lay out the layers; their weights come later."""
        super().__init__(spec.widths)
        self.spec = spec
        if spec.standardise:
            self.register_buffer("mean", torch.zeros(spec.widths[0]))
            self.register_buffer("scale", torch.ones(spec.widths[0]))

    def balanced(self, features: Tensor) -> Tensor:
        """Return ``[B, F]`` features as the layers want them."""
        if self.spec.standardise:
            features = (features - self.mean) / self.scale
        return nn.functional.normalize(features, dim=-1) if self.spec.normalise else features


class Extractor(nn.Module):
    """A frozen timm backbone that gives pooled features of some of its layers.

    Attributes:
        net: the backbone, in eval mode whatever is asked of this module; None once a short pass has its weights.
        width: number of features, the taps side by side.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, spec: ExtractorSpec) -> None:
        """Lay out the layers; their weights come later."""
        super().__init__()
        options: dict[str, Any] = dict(spec.options)
        if all(tap.pool != "head" for tap in spec.taps):
            options["num_classes"] = 0
        self.spec = spec
        self.net: Any = _net(spec.architecture, options)
        self._short: ShortPass | None = None
        self.register_buffer("mean", torch.tensor(spec.mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(spec.std).view(3, 1, 1), persistent=False)
        self.requires_grad_(requires_grad=False)
        self.eval()

    def train(self, mode: bool = True) -> Extractor:
        """Stay in eval mode: batch statistics and dropout of a frozen net are no part of training."""
        super().train(mode=False)
        return self

    def keep_at(self, precision: torch.dtype) -> None:
        """Keep the weights that autocast would convert at every call at *precision*: half the memory.

        For good, and for a processor alone. A plain vision transformer gets a pass of its own, rounded otherwise. Of
        other nets those layers are converted that are a plain product alone, the same bits: others may compute with
        their weights before they use them.
        """
        self._short = short_pass(self.net, self.spec, precision)
        if self._short is not None:
            self.net = None
            return
        for module in self.net.modules():
            if type(module) in (nn.Linear, nn.Conv2d):
                module.to(precision)

    def forward(self, view: Tensor) -> Tensor:
        """Map ``[B, 3, H, W]`` uint8 to ``[B, F]`` float32."""
        picture = (view.float() / 255.0 - self.mean) / self.std
        if self._short is not None:
            return self._short(picture)
        blocks = sorted({tap.block for tap in self.spec.taps if tap.block >= 0})
        final = any(tap.block < 0 for tap in self.spec.taps)
        found = {norm: self._pass(picture, blocks, norm=norm, final=final) for norm in self._norms()}
        pieces = [_pooled(tap, found[tap.norm and tap.block >= 0], blocks, self.net) for tap in self.spec.taps]
        return torch.cat([piece.float() for piece in pieces], dim=-1)

    def _norms(self) -> list[bool]:
        return sorted({tap.norm and tap.block >= 0 for tap in self.spec.taps})

    def _pass(self, picture: Tensor, blocks: list[int], *, norm: bool, final: bool) -> tuple[Any, list[Any]]:
        """Run the net once; return its last feature map (None when unused) and the asked layers."""
        if not blocks:
            return self.net.forward_features(picture), []
        wanted: dict[str, Any] = {"indices": blocks, "norm": norm, "output_fmt": "NCHW"}
        if any(tap.pool == "cls" for tap in self.spec.taps):
            wanted["return_prefix_tokens"] = True
        if final:
            last, layers = self.net.forward_intermediates(picture, **wanted)
            return last, list(layers)
        return None, list(self.net.forward_intermediates(picture, intermediates_only=True, stop_early=True, **wanted))


def _net(architecture: str, options: dict[str, Any]) -> Any:
    """Return a net that timm builds from numbers alone: known by its plain name, nothing fetched, nothing read.

    Raises:
        WeightsError: timm knows no such net, or cannot build it so.
    """
    timm = timm_module()
    if ":" in architecture or not timm.is_model(architecture):  # "hf_hub:" and "local-dir:" would fetch and read
        raise WeightsError(f"timm knows no net called {architecture[:60]!r}; the manifest names one, or timm is older")
    try:
        return timm.create_model(architecture, pretrained=False, **options)
    except (TypeError, ValueError, AssertionError, RuntimeError, KeyError, AttributeError, MemoryError) as error:
        raise WeightsError(
            f"timm cannot build {architecture} as the manifest asks ({error}); see its options"
        ) from error


def _pooled(tap: Tap, found: tuple[Any, list[Any]], blocks: list[int], net: Any) -> Tensor:
    last, layers = found
    if tap.block < 0:
        return cast(Tensor, net.forward_head(last, pre_logits=tap.pool == "pre-logits"))
    layer = layers[blocks.index(tap.block)]
    if tap.pool == "cls":
        return cast(Tensor, layer[1][:, 0])
    patches = layer[0] if isinstance(layer, tuple) else layer
    return cast(Tensor, patches.mean(dim=(2, 3)))
