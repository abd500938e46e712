"""How large a model may be and what its net may be asked for: checked before anything of that size is made.

A model folder may come from anybody. What it names is a net that timm knows by that
name and builds from numbers; nothing in it can name a place on the network, another
folder, or more memory than a large model needs.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence

from gtloc_forensics.vision.specs import EncoderSpec, ExtractorSpec, HeadSpec, Manifest

MOST_TEXT_BYTES = 64 << 20  # of a manifest, a calibration, a card
MOST_WEIGHTS_BYTES = 16 << 30
MOST_PLACES_BYTES = 256 << 20

MOST_SIDE_PX = 4096
MOST_WIDTH = 65_536
MOST_NUMBERS = 1 << 28  # of one head or encoder
MOST_POINTS = 4_000_000
MOST_PARTS = 64  # extractors, taps, heads, sigmas: a list of each
MOST_CELLS = 4096  # of one density
MOST_LABEL = 60  # letters
MOST_BACKBONE_NUMBERS = 4_000_000_000

_ARCHITECTURE = re.compile(r"[a-z][a-z0-9_]{0,99}(?:\.[a-z0-9_]{1,60})?")


def _whole(most: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and 0 <= value <= most


def _side(value: object) -> bool:
    sides = value if isinstance(value, list) else [value]
    return 1 <= len(sides) <= 2 and all(type(side) is int and 0 < side <= MOST_SIDE_PX for side in sides)


def _switch(value: object) -> bool:
    return isinstance(value, bool)


def _number(value: object) -> bool:
    return value is None or (type(value) in (int, float) and math.isfinite(float(value)))  # type: ignore[arg-type]


def _word(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[a-z_]{0,20}", value) is not None


OPTIONS: dict[str, Callable[[object], bool]] = {
    "img_size": _side,
    "patch_size": _side,
    "embed_dim": _whole(8192),
    "depth": _whole(128),
    "num_heads": _whole(128),
    "num_classes": _whole(100_000),
    "reg_tokens": _whole(64),
    "mlp_ratio": lambda value: _number(value) and value is not None and 0 < value <= 16,  # type: ignore[operator]
    "init_values": _number,
    "qkv_bias": _switch,
    "qk_norm": _switch,
    "class_token": _switch,
    "no_embed_class": _switch,
    "pre_norm": _switch,
    "dynamic_img_size": _switch,
    "global_pool": _word,
    "act_layer": _word,
}
"""What may be passed on to the net, and with which values: sizes, switches and words; no path, no address."""


def wrong_size(manifest: Manifest) -> str:
    """Return what a manifest asks too much of, or asks for that may not be asked; "" when nothing is."""
    return next(_faults(manifest), "")


def head_numbers(manifest: Manifest) -> int:
    """Return how many weights the heads of a manifest have, without its nets and encoders."""
    heads = (manifest.image_head, *manifest.heads.values())
    chains = sum(a * b for head in heads for a, b in itertools.pairwise(head.widths))
    return chains + manifest.image_head.widths[0] * sum(density.cells for density in manifest.densities.values())


def _faults(manifest: Manifest) -> Iterator[str]:
    lists: dict[str, Sequence[object]] = {
        "extractors": manifest.extractors,
        "heads": tuple(manifest.heads),
        "densities": tuple(manifest.densities),
    }
    yield from (f"{name} are more than {MOST_PARTS}" for name, parts in lists.items() if len(parts) > MOST_PARTS)
    for spec in manifest.extractors:
        yield from _extractor_faults(spec)
    heads = {"image_head": manifest.image_head} | {f"heads.{name}": head for name, head in manifest.heads.items()}
    for name, head in heads.items():
        yield from _head_faults(name, head)
    for name, density in manifest.densities.items():
        if density.cells > MOST_CELLS:
            yield f"densities.{name} asks for more than {MOST_CELLS} cells"
        if any(len(label) > MOST_LABEL for label in density.labels):
            yield f"densities.{name} has a label of more than {MOST_LABEL} letters"
    encoders = {"location_encoder": manifest.location_encoder, "time_encoder": manifest.time_encoder}
    for name, encoder in encoders.items():
        if encoder is not None:
            yield from _encoder_faults(name, encoder, manifest.embedding_size)
    grid, out = manifest.time_gallery, manifest.output
    counts = {
        "place_gallery.points": manifest.place_gallery.points,
        "output.place_cells": out.place_cells,
        "time_gallery": grid.year_cells * grid.day_cells,
    }
    yield from (f"{name} asks for more than {MOST_POINTS} points" for name, n in counts.items() if n > MOST_POINTS)


def _extractor_faults(spec: ExtractorSpec) -> Iterator[str]:
    where = f"extractor {spec.name}"
    if not _ARCHITECTURE.fullmatch(spec.architecture):
        yield f"{where}: architecture {spec.architecture[:60]!r} is not the plain name of a net that timm builds"
    for name, value in spec.options.items():
        if name not in OPTIONS:
            yield f"{where}: the option {name[:60]!r} may not be set (known: {', '.join(OPTIONS)})"
        elif not OPTIONS[name](value):
            yield f"{where}: the option {name} is out of range"
    if max(spec.input_px, spec.resize_px) > MOST_SIDE_PX or len(spec.taps) > MOST_PARTS:
        yield f"{where}: input_px or resize_px is more than {MOST_SIDE_PX}, or it has more than {MOST_PARTS} taps"
    if any(tap.block >= 256 for tap in spec.taps):
        yield f"{where}: a tap names a block beyond 255"
    if not all(math.isfinite(number) for number in (*spec.mean, *spec.std)):
        yield f"{where}: mean or std is not finite"
    width, depth = (spec.options.get(name) for name in ("embed_dim", "depth"))
    numbers = 12 * (width if isinstance(width, int) else 0) ** 2 * (depth if isinstance(depth, int) else 12)
    if numbers > MOST_BACKBONE_NUMBERS:
        yield f"{where}: a net of {numbers / 1e9:.0f} thousand million numbers is more than is loaded"


def _head_faults(name: str, head: HeadSpec) -> Iterator[str]:
    if len(head.widths) > MOST_PARTS or max(head.widths, default=0) > MOST_WIDTH:
        yield f"{name}.widths has a number above {MOST_WIDTH}, or more than {MOST_PARTS} of them"
    elif sum(a * b for a, b in itertools.pairwise(head.widths)) > MOST_NUMBERS:
        yield f"{name}.widths asks for more than {MOST_NUMBERS} weights"


def _encoder_faults(name: str, spec: EncoderSpec, size: int) -> Iterator[str]:
    sizes = (spec.frequencies, spec.width, spec.depth)
    if min(sizes) < 1 or not spec.sigmas or not all(math.isfinite(sigma) for sigma in spec.sigmas):
        yield f"{name}: frequencies, width, depth or sigmas is out of range"
        return
    widths = (2 * spec.frequencies, *[spec.width] * min(spec.depth, MOST_PARTS), size)
    numbers = len(spec.sigmas) * sum(a * b for a, b in itertools.pairwise(widths))
    if spec.depth > MOST_PARTS or len(spec.sigmas) > MOST_PARTS or numbers > MOST_NUMBERS:
        yield f"{name} asks for more than {MOST_NUMBERS} weights"
