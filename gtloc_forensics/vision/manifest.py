"""What a model folder says of itself: ``manifest.json``, read strictly.

Every field is explained in ``docs/models.md``. An unknown field, a wrong type or a
value out of range is refused by name, so that a misspelt one cannot be overlooked.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from gtloc_forensics.errors import WeightsError
from gtloc_forensics.files import opening
from gtloc_forensics.vision import bounds
from gtloc_forensics.vision.specs import (
    DensitySpec,
    EncoderSpec,
    ExtractorSpec,
    HeadSpec,
    Manifest,
    OutputSpec,
    PlaceGallerySpec,
    Tap,
    TimeGallerySpec,
)

T = TypeVar("T")

MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
CALIBRATION = "calibration.json"
TEXT_TOWER = "text.json"
FORMAT = 1


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

__all__ = [
    "DensitySpec",
    "EncoderSpec",
    "ExtractorSpec",
    "HeadSpec",
    "Manifest",
    "OutputSpec",
    "PlaceGallerySpec",
    "Tap",
    "TimeGallerySpec",
    "as_json",
    "is_name",
    "parse",
    "place_within",
    "read",
    "read_within",
]


def parse(text: bytes, *, origin: str) -> Manifest:
    """Read a manifest.

    Args:
        text: JSON.
        origin: for the error message: where it came from.

    Raises:
        WeightsError: naming the field that is wrong.
    """
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except RecursionError as error:
        raise WeightsError(f"{origin} is not a model manifest: it is nested too deeply; add the model again") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WeightsError(f"{origin} is not a model manifest: {error}; docs/models.md lists the fields") from error
    wrong = _wrong(manifest) or bounds.wrong_size(manifest)
    if wrong:
        raise WeightsError(f"{origin}: {wrong}; docs/models.md explains the fields")
    return manifest


def read(folder: Path) -> Manifest:
    """Read the manifest of a model folder.

    Raises:
        WeightsError: when it is missing or wrong.
    """
    try:
        text = read_within(folder, MANIFEST)
    except FileNotFoundError as error:
        raise WeightsError(
            f"{folder} holds no readable {MANIFEST}; name a model folder or add one: gtloc model add"
        ) from error
    return parse(text, origin=str(folder / MANIFEST))


def place_within(folder: Path, name: str) -> Path:
    """Return the path of a file of a model folder, which may lie nowhere else.

    Raises:
        WeightsError: it is a link that leads out of the folder.
    """
    path = folder / name
    if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
        raise WeightsError(f"{path} is a link out of the model folder, which is not followed; copy the file there")
    return path


def read_within(folder: Path, name: str, *, most_bytes: int = bounds.MOST_TEXT_BYTES) -> bytes:
    """Return the content of a file of a model folder.

    Raises:
        FileNotFoundError: it is not there.
        WeightsError: it cannot be read, is no regular file, too long, or a link out of the folder.
    """
    path = place_within(folder, name)
    try:
        with opening.quiet_file(path.resolve()) as file:
            content = file.read(most_bytes + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({opening.words(error)}); add the model again") from error
    if len(content) > most_bytes:
        raise WeightsError(f"{path} is longer than the {most_bytes >> 20} MB that are read; add the model again")
    return content


def described(folder: Path, name: str, kind: type[T], *, what: str, remedy: str) -> T:
    """Return what a JSON file of a model folder describes.

    Args:
        folder: of the model.
        name: of the file.
        kind: the structure that it holds.
        what: it describes, and
        remedy: what to do when it does not, for the error.

    Raises:
        WeightsError: it is missing, or holds something else.
    """
    try:
        return msgspec.json.decode(read_within(folder, name), type=kind)
    except (FileNotFoundError, msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise WeightsError(f"{folder / name} describes no {what} ({error}); {remedy}") from error


def as_json(manifest: Manifest) -> bytes:
    """Return the manifest as indented JSON, ready to be written."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def _wrong(manifest: Manifest) -> str:
    """Return what is wrong with values of the right type; "" when nothing is."""
    rules: Mapping[str, bool] = {
        f"format {manifest.format} is unknown, this version reads {FORMAT}": manifest.format == FORMAT,
        f"name {manifest.name!r} is not letters, digits, '.', '-', '_'": is_name(manifest.name),
        "extractors is empty": bool(manifest.extractors),
        "two extractors share a name": len({extractor.name for extractor in manifest.extractors})
        == len(manifest.extractors),
        "extractors with ten crops stand beside others with one": len(
            {extractor.crops for extractor in manifest.extractors}
        )
        <= 1,
        "image_head.widths needs at least two positive numbers": _are_widths(manifest.image_head.widths),
        "a head's widths must end in 1": all(
            _are_widths(head.widths) and head.widths[-1] == 1 for head in manifest.heads.values()
        ),
        "a density needs labels or ascending edges_deg, finite, two at least": all(
            _are_cells(density) for density in manifest.densities.values()
        ),
        "output.year_cells and day_cells must divide those of time_gallery": _divides(manifest),
        "place_gallery.points or output.place_cells is less than 12": min(
            manifest.place_gallery.points, manifest.output.place_cells
        )
        >= 12,
        "place_gallery.file must be listed in files": manifest.place_gallery.kind == "land"
        or manifest.place_gallery.file in manifest.files,
        "a file name in files leaves the folder": all(_is_inside(name) for name in manifest.files),
    }
    wrong = next((text for text, right in rules.items() if not right), "")
    return wrong or next((text for extractor in manifest.extractors if (text := _wrong_extractor(extractor))), "")


def _wrong_extractor(spec: ExtractorSpec) -> str:
    if not is_name(spec.name) or "." in spec.name:
        return f"extractor name {spec.name!r} is not letters, digits, '-', '_'"
    if not spec.taps:
        return f"extractor {spec.name} has no taps"
    if any((tap.block < 0) == (tap.pool in ("cls", "patch-mean")) for tap in spec.taps):
        return f"extractor {spec.name}: taps cls and patch-mean name a block, the others none"
    if not 0 < spec.input_px <= spec.short_side_px or min(spec.std) <= 0.0:
        return f"extractor {spec.name}: input_px, resize_px or std is out of range"
    return ""


def _are_cells(density: DensitySpec) -> bool:
    edges = density.edges_deg
    if bool(density.labels) == bool(edges):
        return False
    if density.labels:
        return len(density.labels) >= 2 and len(set(density.labels)) == len(density.labels)
    return len(edges) >= 3 and all(map(math.isfinite, edges)) and all(a < b for a, b in itertools.pairwise(edges))


def _are_widths(widths: tuple[int, ...]) -> bool:
    return len(widths) >= 2 and min(widths) > 0


def _divides(manifest: Manifest) -> bool:
    grid, out = manifest.time_gallery, manifest.output
    if min(grid.year_cells, grid.day_cells, out.year_cells, out.day_cells) < 1:
        return False
    return grid.year_cells % out.year_cells == 0 and grid.day_cells % out.day_cells == 0


def is_name(name: str) -> bool:
    """Return whether *name* can be the name of a model."""
    return _NAME.fullmatch(name) is not None


def _is_inside(name: str) -> bool:
    return all(is_name(part) for part in name.split("/")) and name.count("/") <= 1
