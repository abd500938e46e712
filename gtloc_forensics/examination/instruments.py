"""What an examination works with: exiftool, the decoder, a model, the rules; opened together, closed together.

Also what is printed of them: :func:`environment` is the list that lets another
person repeat the run.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gtloc_forensics import decode
from gtloc_forensics.checks import plugins
from gtloc_forensics.checks.hooks import Estimator, MetadataReader
from gtloc_forensics.earth import zones
from gtloc_forensics.errors import WeightsError
from gtloc_forensics.evidence.calibration import Calibration, load_calibration
from gtloc_forensics.files import listing
from gtloc_forensics.metadata import exiftool
from gtloc_forensics.records import Candidate, Skipped
from gtloc_forensics.vision import library as vision_library

if TYPE_CHECKING:
    from gtloc_forensics.vision import Model

N = TypeVar("N", MetadataReader, Estimator)

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
    readers: tuple[MetadataReader, ...] = ()  # plugged in, beside exiftool
    opinions: tuple[Estimator, ...] = ()  # models plugged in, beside the first

    @property
    def short_side(self) -> int:
        """The size that pictures are decoded to; a second opinion must not change what the first model sees."""
        if self.model is not None:
            return self.model.short_side
        return max([DEFAULT_SHORT_SIDE, *(model.short_side for model in self.opinions)])


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
        ours = _Ours(client)
        loaded = plugins.load()
        loaded.add_built_in("stages", ours)
        readers = _readers(loaded, client)
        opinions = _opinions(loaded, settings, stack)
        model = ours.model
        calibration = None if model is None else load_calibration(vision_library.find(settings.model or model.name))
        facts = environment(client, model, loaded, readers=readers, opinions=opinions)
        yield Instruments(client, decoder, model, ours.absence, calibration, loaded, facts, readers, opinions)


class _Ours:
    """What this package gives through the doors of the stages: the folder, exiftool, the first model."""

    def __init__(self, client: exiftool.ExifTool) -> None:
        self._client = client
        self.model: Model | None = None
        self.absence = "no model: it was asked to go without one"

    @plugins.hookimpl
    def sources(self, evidence: Path) -> Iterable[Candidate | Skipped]:
        return listing.walk(evidence)

    @plugins.hookimpl
    def metadata_readers(self) -> Iterable[MetadataReader]:
        return (self._client,)

    @plugins.hookimpl
    def estimators(self, model: str, device: str) -> Iterable[Estimator]:
        self.model, self.absence = _model(model, device)
        return () if self.model is None else (self.model,)


def _readers(loaded: plugins.Loaded, client: exiftool.ExifTool) -> tuple[MetadataReader, ...]:
    """Return the plugged-in readers; exiftool is asked for through the same door and stays the first."""
    given = loaded.ask_for(MetadataReader, "metadata_readers")  # type: ignore[type-abstract]
    return _others(loaded, given, taken=client.name)


def _opinions(loaded: plugins.Loaded, settings: Settings, stack: ExitStack) -> tuple[Estimator, ...]:
    """Open the first model and every plugged-in one; return the latter. All are closed with *stack*."""
    if settings.model == NO_MODEL:
        return ()
    first = ""
    opened_: list[tuple[str, Estimator]] = []
    given = loaded.ask_for(Estimator, "estimators", model=settings.model, device=settings.device)  # type: ignore[type-abstract]
    for plugin, model in given:
        stack.callback(_close, loaded, plugin, model)
        if plugins.is_ours(plugin):
            first = model.name
        else:
            opened_.append((plugin, model))
    return _others(loaded, opened_, taken=first)


def _close(loaded: plugins.Loaded, plugin: str, model: Estimator) -> None:
    try:
        model.close()
    except Exception as error:
        if plugins.is_ours(plugin):
            raise
        loaded.note(plugin, f"its model could not be closed: {error}")


def _others(loaded: plugins.Loaded, given: Iterable[tuple[str, N]], *, taken: str) -> tuple[N, ...]:
    """Return what plugins gave, each under a name of its own: results are kept by it."""
    names: set[str] = {taken}
    kept = []
    for plugin, named in given:
        if plugins.is_ours(plugin):
            continue
        if not isinstance(named.name, str) or named.name in ("", *names):
            loaded.note(plugin, f"it gave the name {named.name!r}, which is taken or is no name; give it another one")
            continue
        names.add(named.name)
        kept.append(named)
    return tuple(kept)


def _model(name: str, device: str) -> tuple[Model | None, str]:
    try:
        from gtloc_forensics import vision
    except ModuleNotFoundError:
        return None, "no model"
    names = vision.installed()
    if not name and not names:
        return None, "no model: none is installed; `gtloc model add` installs one"
    try:
        return vision.load(name or names[0], device=device), ""
    except WeightsError:
        if name:
            raise
        return None, f"no model: {names[0]} could not be loaded; `gtloc doctor` says why"


def environment(
    client: exiftool.ExifTool,
    model: Model | None,
    loaded: plugins.Loaded,
    *,
    readers: Iterable[MetadataReader] = (),
    opinions: Iterable[Estimator] = (),
) -> dict[str, str]:
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
    facts |= {f"metadata reader {reader.name}": reader.version for reader in readers}
    for other in opinions:
        facts |= {f"second opinion {other.name}": other.fingerprint}
        facts |= {f"second opinion {other.name} {name}": value for name, value in other.facts.items()}
    return facts | loaded.troubles


def _version(package: str) -> str:
    try:
        return package_version(package)
    except PackageNotFoundError:
        return "unknown"
