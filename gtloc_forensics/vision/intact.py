"""Whether the files of a model are those that its manifest names; torch is not needed to say so."""

from __future__ import annotations

from pathlib import Path

from gtloc_forensics.errors import WeightsError
from gtloc_forensics.files import opening
from gtloc_forensics.vision import bounds, library
from gtloc_forensics.vision import manifest as manifests
from gtloc_forensics.vision.manifest import Manifest


def files_of(folder: Path, manifest: Manifest, *, models_dir: Path | None = None) -> dict[str, Path]:
    """Return where each file of a model is, by the name in its manifest: each whole, and of the hash named there.

    Raises:
        WeightsError: one is missing, too long, or not what the manifest says.
    """
    paths = {name: _path_of(name, folder, models_dir) for name in manifest.files}
    for name, path in paths.items():
        _check_size(path)
        _check_hash(path, manifest.files[name])
    return paths


def weights_sha256(manifest: Manifest) -> str:
    """Return the hash of the weights file, or of all of them when backbones lie elsewhere."""
    return "+".join(manifest.files[name] for name in sorted(manifest.files) if name.endswith(".safetensors"))


def _path_of(name: str, folder: Path, models_dir: Path | None) -> Path:
    if "/" not in name:
        return manifests.place_within(folder, name)
    owner, file = name.split("/")
    beside = folder.parent / owner
    if not (beside / file).is_file():
        beside = library.find(owner, models_dir=models_dir, marker=library.BACKBONE)
    return manifests.place_within(beside, file)


def _check_size(path: Path) -> None:
    most = bounds.MOST_WEIGHTS_BYTES if path.suffix == ".safetensors" else bounds.MOST_PLACES_BYTES
    try:
        size = path.stat().st_size
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({opening.words(error)}); add the model again") from error
    if size > most:
        raise WeightsError(f"{path} has {size >> 20} MB, more than the {most >> 20} MB that are loaded")


def _check_hash(path: Path, expected: str) -> None:
    found = library.sha256_of(path)
    if found != expected:
        raise WeightsError(
            f"{path} is not the file its manifest names (sha256 {found[:16]}… instead of {expected[:16]}…): "
            "it is damaged, cut short or was replaced; add the model again"
        )
