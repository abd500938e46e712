"""What an examination works with: exiftool, the decoder, a model, the rules; opened together, closed together.

Also what is said of them: :func:`environment` lets another person repeat the run,
:func:`fingerprints` says what each stage's results depend on.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
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
from gtloc_forensics.records import Environment
from gtloc_forensics.store.keys import CLAIM, IMAGE, METADATA, VISION, Stages, fingerprint
from gtloc_forensics.vision import library as vision_library

if TYPE_CHECKING:
    from gtloc_forensics.vision import Model

_NOT_INSTALLED = "not installed"


@dataclass(frozen=True, slots=True)
class Instruments:
    """Everything an examination uses, open."""

    exiftool: exiftool.ExifTool
    decoder: decode.Decoder
    model: Model | None
    calibration: Calibration | None  # of the model; None: its scores stay uncalibrated
    loaded: plugins.Loaded
    environment: Environment
    model_card: str = ""  # as it lies in the model's folder

    @property
    def model_absence(self) -> str:
        """Why there is no model; "" when there is one."""
        return self.environment.model_absence

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
        folder = None if model is None else vision_library.find(settings.model or model.name)
        calibration = None if folder is None else load_calibration(folder)
        card = "" if folder is None else vision_library.card(folder)
        loaded = plugins.load()
        used = environment(client, model, loaded, model_absence=absence)
        yield Instruments(client, decoder, model, calibration, loaded, used, card)


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
    """Return the fingerprint of each stage under these instruments: of what it really uses, and nothing else."""
    used, model = instruments.environment, instruments.model
    metadata = fingerprint(METADATA, used.exiftool)
    image = fingerprint(
        IMAGE,
        used.pillow,
        used.imagehash,
        used.pi_heif or _NOT_INSTALLED,
        used.rawpy or _NOT_INSTALLED,
        str(instruments.short_side),
    )
    return Stages(
        metadata=metadata,
        claim=fingerprint(CLAIM, metadata, used.time_zone_data, used.time_zone_polygons),
        image=image,
        vision="" if model is None else fingerprint(VISION, image, model.fingerprint),
    )


def environment(
    client: exiftool.ExifTool, model: Model | None, loaded: plugins.Loaded, *, model_absence: str
) -> Environment:
    """Return what the run depends on, but for its command line."""
    return Environment(
        program=_version("gtloc_forensics"),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        exiftool=client.version,
        time_zone_data=zones.tzdata_version(),
        time_zone_polygons=zones.polygons_version(),
        pillow=_version("pillow"),
        imagehash=_version("imagehash"),
        numpy=_version("numpy"),
        rules=str(len(loaded.registry)),
        plugins=tuple(loaded.plugins),
        pi_heif=_version("pi-heif", absent=""),
        rawpy=_version("rawpy", absent=""),
        model={} if model is None else dict(model.facts),
        model_absence=model_absence,
    )


def _version(package: str, *, absent: str = "unknown") -> str:
    try:
        return package_version(package)
    except PackageNotFoundError:
        return absent
