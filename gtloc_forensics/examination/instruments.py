"""What an examination works with: exiftool, the decoder, a model, the rules; opened together, closed together.

Also what is printed of them: :func:`environment` is the list that lets another
person repeat the run.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from typing import TYPE_CHECKING

from gtloc_forensics import decode
from gtloc_forensics.checks import plugins
from gtloc_forensics.earth import zones
from gtloc_forensics.errors import WeightsError
from gtloc_forensics.evidence.calibration import Calibration, load_calibration
from gtloc_forensics.metadata import exiftool
from gtloc_forensics.vision import library as vision_library

if TYPE_CHECKING:
    from gtloc_forensics.vision import Model

NO_MODEL = "none"
"""The model name that asks for an examination without pixels."""

DEFAULT_SHORT_SIDE = 384
"""Short side in px to decode to when no model asks for another."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How an examination is to be done; none of it changes what is found, but ``model`` does.

    Attributes:
        model: name or folder of the model; "" takes the first installed, "none" goes without.
        device: "auto", "cpu", "cuda", "mps" or a torch device string.
        jobs: worker processes for decoding; 0 does everything in this process, in order.
        batch: files handed to exiftool and written to the case at a time.
        now: fixed instant (naive UTC) for reproducible runs; None takes the clock.
    """

    model: str = ""
    device: str = "auto"
    jobs: int = -1
    batch: int = 50
    now: datetime | None = None

    @property
    def workers(self) -> int:
        """Decoding processes: as asked, or one per core."""
        return self.jobs if self.jobs >= 0 else (os.cpu_count() or 1)

    def instant(self) -> datetime:
        """The present moment in UTC: ``now`` when given, else $SOURCE_DATE_EPOCH, else the clock."""
        if self.now is not None:
            return self.now
        fixed = os.environ.get("SOURCE_DATE_EPOCH")
        moment = datetime.fromtimestamp(int(fixed), UTC) if fixed else datetime.now(UTC)
        return moment.replace(tzinfo=None, microsecond=0)


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
