"""What an examination works with: exiftool, the decoder, a model, the rules; opened together, closed together.

Also what is printed of them: :func:`environment` is the list that lets another
person repeat the run.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from typing import TYPE_CHECKING

from gtloc_forensics import decode
from gtloc_forensics.checks import plugins
from gtloc_forensics.earth import zones
from gtloc_forensics.errors import WeightsError
from gtloc_forensics.evidence.calibration import Calibration, load_calibration
from gtloc_forensics.examination.settings import DEFAULT_SHORT_SIDE, NO_MODEL, Settings
from gtloc_forensics.metadata import exiftool
from gtloc_forensics.store.keys import Stages, digest
from gtloc_forensics.vision import library as vision_library

if TYPE_CHECKING:
    from gtloc_forensics.vision import Model


@dataclass(frozen=True, slots=True)
class Instruments:
    """Everything an examination uses, open."""

    exiftool: exiftool.ExifTool
    decoder: decode.Decoder
    model: Model | None
    model_absence: str  # why there is no model; "" when there is one
    calibration: Calibration | None  # of the model; None: its scores stay uncalibrated
    loaded: plugins.Loaded
    environment: Mapping[str, str]

    @property
    def short_side(self) -> int:
        """The size that pictures are decoded to."""
        return self.model.short_side if self.model is not None else DEFAULT_SHORT_SIDE


@contextmanager
def opened(settings: Settings) -> Iterator[Instruments]:
    """Open the instruments and close them at the end.

    Raises:
        ToolMissing, ToolTooOld: exiftool cannot be used.
        WeightsError: the model asked for by name cannot be loaded.
    """
    with ExitStack() as stack:
        client = stack.enter_context(exiftool.ExifTool())
        decoder = stack.enter_context(decode.Decoder(settings.workers))
        model, absence = _model(settings)
        if model is not None:
            stack.callback(model.close)
        calibration = None if model is None else load_calibration(vision_library.find(settings.model or model.name))
        loaded = plugins.load()
        yield Instruments(client, decoder, model, absence, calibration, loaded, environment(client, model, loaded))


def _model(settings: Settings) -> tuple[Model | None, str]:
    if settings.model == NO_MODEL:
        return None, "no model: it was asked to go without one"
    try:
        from gtloc_forensics import vision
    except ModuleNotFoundError:
        return None, "no model"
    names = vision.installed()
    if not settings.model and not names:
        return None, "no model: none is installed; `gtloc model add` installs one"
    try:
        return vision.load(settings.model or names[0], device=settings.device), ""
    except WeightsError:
        if settings.model:
            raise
        return None, f"no model: {names[0]} could not be loaded; `gtloc doctor` says why"


def fingerprints(instruments: Instruments) -> Stages:
    """Return the fingerprint of each stage under these instruments."""
    facts = instruments.environment
    metadata = digest("metadata", facts["exiftool"])
    claim = digest("claim", metadata, facts["time-zone data"], facts["time-zone polygons"])
    image = digest("image", facts["Pillow"], facts["imagehash"], str(instruments.short_side))
    vision = digest("vision", image, instruments.model.fingerprint) if instruments.model is not None else ""
    return Stages(metadata, claim, image, vision)


def environment(client: exiftool.ExifTool, model: Model | None, loaded: plugins.Loaded) -> dict[str, str]:
    """Return what the run depended on, in the order in which a report prints it."""
    facts = {
        "gtloc_forensics": _version("gtloc_forensics"),
        "Python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "exiftool": client.version,
        "time-zone data": zones.tzdata_version(),
        "time-zone polygons": zones.polygons_version(),
        "Pillow": _version("pillow"),
        "imagehash": _version("imagehash"),
        "numpy": _version("numpy"),
        "rules": str(len(loaded.registry)),
        "plugins": ", ".join(loaded.plugins) or "none",
    }
    if model is not None:
        facts |= {f"model {name}": value for name, value in model.facts.items()}
    return facts


def _version(package: str) -> str:
    try:
        return package_version(package)
    except PackageNotFoundError:
        return "unknown"
