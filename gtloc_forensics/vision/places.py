"""The folders in which models and what is made of them lie; nothing is opened to say so."""

from __future__ import annotations

import importlib.resources
import os
from pathlib import Path


def user_folder() -> Path:
    """Return where ``gtloc model add`` puts models: ``$GTLOC_MODELS`` or ``~/.local/share/gtloc/models``."""
    chosen = os.environ.get("GTLOC_MODELS")
    if chosen:
        return Path(chosen)
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "gtloc" / "models"


def cache_folder() -> Path:
    """Return where encoded galleries are kept: ``$GTLOC_CACHE`` or ``$XDG_CACHE_HOME/gtloc``."""
    chosen = os.environ.get("GTLOC_CACHE")
    if chosen:
        return Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "gtloc"


def places(models_dir: Path | None = None) -> list[Path]:
    """Return the folders that hold model folders: *models_dir* alone when it is given, else the user's and ours."""
    if models_dir is not None:
        return [models_dir]
    return [user_folder(), Path(str(importlib.resources.files("gtloc_forensics.models")))]
