"""The other systems of the field, each in one file: what they are, and how they answer; nothing is trained here.

Importing this imports no torch; :func:`kinds` names what there is, :func:`system_class` gives it.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from gtloc_forensics.errors import UsageError
from gtloc_forensics.vision import library

if TYPE_CHECKING:
    from gtloc_forensics.vision.systems.system import System

_CLASSES = {
    "knn": ("neighbours", "Neighbours"),
    "planet": ("planet", "PlaNet"),
    "cplanet": ("cplanet", "CPlaNet"),
    "isns": ("isns", "ISNs"),
    "pigeotto": ("pigeotto", "Pigeotto"),
    "geoclip": ("geoclip", "GeoCLIP"),
    "zhai": ("zhai", "Zhai"),
    "padilha": ("padilha", "Padilha"),
    "translocator": ("translocator", "TransLocator"),
    "geodecoder": ("geodecoder", "GeoDecoder"),
    "tiger": ("tiger", "Tiger"),
}


SYSTEM = "system.json"
"""The file that makes a folder a system."""


def installed(models_dir: Path | None = None) -> tuple[str, ...]:
    """Return the names of the trained systems that can be asked for, the user's first."""
    return library.installed(models_dir, marker=SYSTEM)


def is_system_folder(name: str | Path) -> bool:
    """Say whether *name* is the path of a system's folder."""
    return (Path(name) / SYSTEM).is_file()


def kinds() -> tuple[str, ...]:
    """Return the systems that can be trained, by the name that ``gtloc train --system`` takes."""
    return tuple(_CLASSES)


def system_class(kind: str) -> type[System]:
    """Return the class of a system.

    Raises:
        UsageError: there is no such system.
    """
    if kind not in _CLASSES:
        raise UsageError(f"no system is called {kind[:60]!r}; there are {', '.join(_CLASSES)}")
    module, name = _CLASSES[kind]
    found: type[System] = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    return found
