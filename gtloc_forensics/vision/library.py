"""Which models there are and where they lie; torch is not needed to ask.

Model folders are looked for in the user's folder first, then in what the package
ships. Nothing is ever found by the current directory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gtloc_forensics.errors import WeightsError
from gtloc_forensics.files import hashing, opening
from gtloc_forensics.vision.manifest import MANIFEST as MANIFEST
from gtloc_forensics.vision.manifest import is_name
from gtloc_forensics.vision.places import cache_folder as cache_folder
from gtloc_forensics.vision.places import places as places
from gtloc_forensics.vision.places import user_folder as user_folder

BACKBONE = "backbone.json"


def installed(models_dir: Path | None = None, *, marker: str = MANIFEST) -> tuple[str, ...]:
    """Return the names of the models that can be asked for, those of the user's folder first, each once."""
    names = (folder.name for place in places(models_dir) for folder in _folders(place, marker))
    return tuple(dict.fromkeys(names))


def find(name: str | Path, *, models_dir: Path | None = None, marker: str = MANIFEST) -> Path:
    """Return the folder of a model.

    Args:
        name: a name that :func:`installed` lists, or the path of a model folder.
        models_dir: where to look instead of the usual places.
        marker: the file that makes a folder one of the kind looked for.

    Raises:
        WeightsError: naming what is installed.
    """
    if isinstance(name, Path) or os.sep in name:
        if (Path(name) / marker).is_file():
            return Path(name)
        raise WeightsError(f"{name} holds no {marker}; name a model folder, or a model that `gtloc model list` shows")
    for place in places(models_dir):
        if is_name(name) and (place / name / marker).is_file():
            return place / name
    known = ", ".join(installed(models_dir)) or "none"
    raise WeightsError(f"no model is called {name!r} (installed: {known}); `gtloc model add` installs one")


def find_by_name(name: str) -> Path:
    """Return the folder of an installed model; a name that somebody else's case holds may be no path.

    Raises:
        WeightsError: when it is not a plain name, or none of that name is installed.
    """
    if not is_name(name):
        raise WeightsError(f"{name[:60]!r} is not the name of a model; what a case names is never a path")
    return find(name)


def card(folder: Path) -> str:
    """Return the card of the model in *folder*, what it was made of and how good it is; "" when there is none."""
    path = folder / "CARD.md"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex.

    Raises:
        WeightsError: when it cannot be read.
    """
    try:
        return hashing.sha256_of(path.resolve())  # a model kept elsewhere may be linked to: its hash tells what it is
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({opening.words(error)}); add the model again") from error


def _folders(place: Path, marker: str) -> Iterator[Path]:
    try:
        found = sorted(place.iterdir())
    except OSError:  # no such folder, or not ours to read: nothing is installed there
        return
    yield from (folder for folder in found if is_name(folder.name) and (folder / marker).is_file())
