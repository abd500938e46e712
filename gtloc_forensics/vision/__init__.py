"""What pixels show: pictures to embeddings to densities over time and place.

The door of the room. Importing it imports neither torch nor timm; :func:`load` does.
A prediction that a model is silent about (a model without a time encoder, say) is
spread evenly, and ``facts`` says "not judged".
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gtloc_forensics.errors import WeightsError
from gtloc_forensics.vision.torch_loading import load_torch

if TYPE_CHECKING:
    from gtloc_forensics.vision.library import installed
    from gtloc_forensics.vision.model import Model
    from gtloc_forensics.vision.systems.opinion import SecondOpinion

__all__ = ["Model", "installed", "load", "second_opinion"]


def load(name: str, *, device: str = "auto", models_dir: Path | None = None, cache_dir: Path | None = None) -> Model:
    """Load a model and encode its galleries.

    Args:
        name: one that :func:`installed` lists, or the path of a model folder.
        device: ``auto`` (CUDA, else MPS, else CPU) or a device name as torch knows it.
        models_dir: where to look instead of the user's folder and what the package ships.
        cache_dir: where encoded galleries are kept; by default ``$XDG_CACHE_HOME/gtloc``.

    Raises:
        WeightsError: when there is no such model or its files are not what they say.
        UsageError: when there is no such device.
    """
    from gtloc_forensics.vision import library

    folder = library.find(name, models_dir=models_dir)
    try:
        load_torch()
        from gtloc_forensics.vision import device as devices
        from gtloc_forensics.vision import weights
        from gtloc_forensics.vision.model import Model
    except ImportError as error:
        raise WeightsError(f"a model needs torch ({error}); pip install -e . installs it") from error
    chosen = devices.choose(device)
    loaded = weights.load(folder, models_dir=models_dir)
    return Model(loaded, device=chosen, cache_dir=cache_dir or library.cache_folder())


def second_opinion(name: str, *, device: str = "auto") -> Model | SecondOpinion:
    """Load a trained system or a model to look beside the first one.

    Args:
        name: of an installed system or model, or the path of its folder.
        device: as for :func:`load`.

    Raises:
        WeightsError: there is neither, or its files are not what they say.
        UsageError: there is no such device.
    """
    from gtloc_forensics.vision import library, systems

    is_system = name in systems.installed() or systems.is_system_folder(name)
    if not is_system and name in library.installed():
        return load(name, device=device)
    if not is_system and (Path(name) / library.MANIFEST).is_file():
        return load(name, device=device)
    try:
        load_torch()
        from gtloc_forensics.vision.systems.opinion import load_opinion
    except ImportError as error:
        raise WeightsError(f"a system needs torch ({error}); pip install -e . installs it") from error
    return load_opinion(name, device=device)


def __getattr__(name: str) -> object:
    """Give out what takes a library to say, and :class:`Model`, without importing it before somebody asks."""
    if name == "Model":
        from gtloc_forensics.vision.model import Model

        return Model
    if name == "installed":
        from gtloc_forensics.vision.library import installed

        return installed
    raise AttributeError(name)
