"""What an examination works with: exiftool, the decoder, a model, the rules; opened together, closed together.

Also what is said of them: :func:`environment` lets another person repeat the run,
:func:`fingerprints` says what each stage's results depend on.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gtloc_forensics import decode
from gtloc_forensics.checks import plugins
from gtloc_forensics.checks.hooks import Estimator, MetadataReader
from gtloc_forensics.decode.visible_text import TextReader
from gtloc_forensics.earth import zones
from gtloc_forensics.errors import UsageError, WeightsError
from gtloc_forensics.evidence.calibration import Calibration, load_calibration
from gtloc_forensics.examination import plugged_in
from gtloc_forensics.examination.settings import DEFAULT_SHORT_SIDE, NO_MODEL, Settings
from gtloc_forensics.files import reading
from gtloc_forensics.metadata import credentials, exiftool
from gtloc_forensics.records import Candidate, Environment, Sentence, Skipped, Statement
from gtloc_forensics.store.keys import CLAIM, IMAGE, METADATA, VISION, Stages, fingerprint
from gtloc_forensics.vision import library as vision_library

if TYPE_CHECKING:
    from gtloc_forensics.examination.ahead import Ahead
    from gtloc_forensics.vision import Model

N = TypeVar("N", MetadataReader, Estimator)

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
    readers: tuple[MetadataReader, ...] = ()  # beside exiftool: ours, then those plugged in
    opinions: tuple[Estimator, ...] = ()  # models plugged in, beside the first

    @property
    def model_absence(self) -> Statement:
        """Why there is no model; "" when there is one."""
        return self.environment.model_absence

    def end_reading(self) -> None:
        """End exiftool and the decoding processes, with their threads: nothing after gathering has a use for them."""
        self.exiftool.close()
        self.decoder.close()

    @property
    def short_side(self) -> int:
        """The size that models are shown pictures at; a second opinion must not change what the first model sees."""
        if self.model is not None:
            return self.model.short_side
        return max([DEFAULT_SHORT_SIDE, *(model.short_side for model in self.opinions)])


@contextmanager
def opened(settings: Settings, *, ahead: Ahead | None = None) -> Iterator[Instruments]:
    """Open the instruments and close them at the end.

    Args:
        settings: which ones.
        ahead: exiftool and the decoder, when they were started before.

    Raises:
        ToolMissing, ToolTooOld: exiftool cannot be used.
        WeightsError: the model asked for by name cannot be loaded.
        MissingExtra: visible dates are asked for without the package that reads them.
    """
    with ExitStack() as stack:
        client, decoder = _readers_of_files(settings, stack, ahead)
        client.learn_version()
        ours = _Ours(client, _further_readers(settings, stack), settings.reach)
        loaded = plugins.load()
        loaded.add_built_in("stages", ours)
        readers = _readers(loaded, client, ours.further)
        if settings.visible_dates:
            eyes = stack.enter_context(closing(TextReader()))
            readers = (*(reader for reader in readers if reader.name != eyes.name), eyes)
        opinions = _opinions(loaded, settings, stack)
        model = ours.model
        folder = None if model is None else vision_library.find(settings.model or model.name)
        calibration = None if folder is None else load_calibration(folder)
        card = "" if folder is None else vision_library.card(folder)
        used = environment(client, model, loaded, model_absence=ours.absence, readers=readers, opinions=opinions)
        yield Instruments(client, decoder, model, calibration, loaded, used, card, readers, opinions)


def _readers_of_files(
    settings: Settings, stack: ExitStack, ahead: Ahead | None
) -> tuple[exiftool.ExifTool, decode.Decoder]:
    """Return exiftool, under way, and the decoder, which refuses a system that limits no process."""
    if ahead is not None:
        client, decoder = ahead.take()
        stack.callback(client.close)
        stack.callback(decoder.close)
        return client, decoder
    client = stack.enter_context(exiftool.ExifTool(ahead=True))
    return client, stack.enter_context(decode.Decoder(settings.workers))


class _Ours:
    """What this package gives through the doors of the stages: the evidence, exiftool, the first model."""

    def __init__(self, client: exiftool.ExifTool, further: tuple[MetadataReader, ...], reach: reading.Reach) -> None:
        self._client, self._reach = client, reach
        self.further = further
        self.model: Model | None = None
        self.absence: Statement = Sentence("no model: it was asked to go without one")

    @plugins.hookimpl
    def sources(self, evidence: Path) -> Iterable[Candidate | Skipped]:
        return reading.entries(evidence, self._reach)

    @plugins.hookimpl
    def metadata_readers(self) -> Iterable[MetadataReader]:
        return (self._client, *self.further)

    @plugins.hookimpl
    def estimators(self, model: str, device: str) -> Iterable[Estimator]:
        self.model, self.absence = _model(model, device)
        return () if self.model is None else (self.model,)


def _further_readers(settings: Settings, stack: ExitStack) -> tuple[MetadataReader, ...]:
    """Open what this package reads with beside exiftool: content credentials, where their library is installed.

    Raises:
        UsageError: a list of trusted signers cannot be used.
    """
    anchors = credentials.anchors_in(settings.trust_anchors)
    if not credentials.installed_version():
        return ()
    reader = credentials.ContentCredentials(anchors)
    stack.callback(reader.close)
    return (reader,)


def _readers(
    loaded: plugins.Loaded, client: exiftool.ExifTool, further: tuple[MetadataReader, ...]
) -> tuple[MetadataReader, ...]:
    """Return our further readers and the plugged-in ones; exiftool comes through the same door and stays the first."""
    given = loaded.ask_for(MetadataReader, "metadata_readers")  # type: ignore[type-abstract]
    return (*further, *_others(loaded, given, taken=(client.name, *(reader.name for reader in further))))


def _opinions(loaded: plugins.Loaded, settings: Settings, stack: ExitStack) -> tuple[Estimator, ...]:
    """Open the first model and every plugged-in one; return the latter. All are closed with *stack*."""
    if settings.model == NO_MODEL:
        if settings.second_opinions:
            raise UsageError("--model none leaves the pixels unexamined; drop it, or the second opinions")
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
    plugged = _others(loaded, opened_, taken=(first,))
    return (*plugged, *_asked_for(settings, {first, *(model.name for model in plugged)}, loaded, stack))


def _asked_for(settings: Settings, taken: set[str], loaded: plugins.Loaded, stack: ExitStack) -> tuple[Estimator, ...]:
    """Open the second opinions that were asked for by name, each once.

    Raises:
        WeightsError: there is no such model or system.
        UsageError: it is the first model, or two of them call themselves alike.
    """
    if not settings.second_opinions:
        return ()
    from gtloc_forensics import vision

    found: list[Estimator] = []
    for name in dict.fromkeys(settings.second_opinions):
        model: Estimator = vision.second_opinion(name, device=settings.device)
        stack.callback(_close, loaded, "", model)
        if model.name in taken:
            raise UsageError(f"{model.name!r} looks at the photos already; name another second opinion")
        taken.add(model.name)
        found.append(model)
    return tuple(found)


def _close(loaded: plugins.Loaded, plugin: str, model: Estimator) -> None:
    try:
        model.close()
    except Exception as error:
        if plugins.is_ours(plugin):
            raise
        loaded.note(plugin, Sentence("its model could not be closed: {message}", message=str(error)))


def _others(loaded: plugins.Loaded, given: Iterable[tuple[str, N]], *, taken: Iterable[str]) -> tuple[N, ...]:
    """Return what plugins gave, each under a name of its own: results are kept by it."""
    names: set[str] = set(taken)
    kept = []
    for plugin, named in given:
        if plugins.is_ours(plugin):
            continue
        if not isinstance(named.name, str) or named.name in ("", *names):
            reason = Sentence(
                "it gave the name {name:quoted}, which is taken or is no name; give it another one",
                name=str(named.name),
            )
            loaded.note(plugin, reason)
            continue
        names.add(named.name)
        kept.append(named)
    return tuple(kept)


def _model(name: str, device: str) -> tuple[Model | None, Statement]:
    try:
        from gtloc_forensics import vision
    except ModuleNotFoundError:
        return None, Sentence("no model")
    names = vision.installed()
    if not name and not names:
        return None, Sentence("no model: none is installed; `gtloc model add` installs one")
    try:
        return vision.load(name or names[0], device=device), ""
    except WeightsError:
        if name:
            raise
        return None, Sentence("no model: {name} could not be loaded; `gtloc doctor` says why", name=names[0])


def fingerprints(instruments: Instruments) -> Stages:
    """Return the fingerprint of each stage under these instruments: of what it really uses, and nothing else."""
    used, model = instruments.environment, instruments.model
    metadata = fingerprint(METADATA, used.exiftool)
    image = fingerprint(
        IMAGE,
        used.pillow,
        used.pi_heif or _NOT_INSTALLED,
        used.rawpy or _NOT_INSTALLED,
        *((f"av {used.av}",) if used.av else ()),  # without it, cases of before it was known keep their pictures
    )
    shown = f"{image} at {instruments.short_side} px"
    readers = [f"{reader.name} {reader.version}" for reader in instruments.readers]
    return Stages(
        metadata=metadata,
        claim=fingerprint(CLAIM, metadata, used.time_zone_data, used.time_zone_polygons, *readers),
        image=image,
        vision="" if model is None else fingerprint(VISION, shown, model.fingerprint),
        further=plugged_in.fingerprints(instruments.readers, instruments.opinions, image=shown),
    )


def environment(
    client: exiftool.ExifTool,
    model: Model | None,
    loaded: plugins.Loaded,
    *,
    model_absence: Statement,
    readers: Iterable[MetadataReader] = (),
    opinions: Iterable[Estimator] = (),
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
        numpy=_version("numpy"),
        rules=str(len(loaded.registry)),
        plugins=tuple(loaded.plugins),
        pi_heif=_version("pi-heif", absent=""),
        rawpy=_version("rawpy", absent=""),
        av=_version("av", absent=""),
        model={} if model is None else dict(model.facts),
        model_absence=model_absence,
        readers={reader.name: reader.version for reader in readers},
        opinions={
            label: said
            for other in opinions
            for label, said in (
                (other.name, other.fingerprint),
                *((f"{other.name} {name}", fact) for name, fact in other.facts.items()),
            )
        },
        troubles=loaded.troubles,
    )


def _version(package: str, *, absent: str = "unknown") -> str:
    try:
        return package_version(package)
    except PackageNotFoundError:
        return absent
