"""What this machine offers, and what to do about each thing that is missing."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import IntEnum
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from gtloc_forensics.checks import plugins
from gtloc_forensics.cli import preferences
from gtloc_forensics.earth import zones
from gtloc_forensics.errors import ForensicsError
from gtloc_forensics.metadata import exiftool
from gtloc_forensics.records import visible

LITTLE_SPACE_GB = 1.0
"""Working copies, the database and a report of some thousand photos need less."""

OPTIONAL = {
    "pi-heif": ("HEIC pictures", "heic"),
    "av": ("pictures of videos", "video"),
    "pyhanko": ("signed reports", "sign"),
    "pytsk3": ("images of disks", "images"),
    "libewf-python": ("E01 images", "images"),
    "libfsapfs-python": ("APFS in images", "images"),
    "py7zr": ("7z archives", "images"),
    "c2pa-python": ("content credentials", "c2pa"),
    "iphone-backup-decrypt": ("encrypted iOS backups", "backup"),
    "s3fs": ("evidence at s3://", "s3"),
    "gcsfs": ("evidence at gs://", "gcs"),
    "adlfs": ("evidence at abfs://", "azure"),
    "paramiko": ("evidence at sftp://", "sftp"),
    "smbprotocol": ("evidence at smb://", "smb"),
    "psycopg": ("PostgreSQL case databases", "postgres"),
    "distributed": ("many machines", "cluster"),
}


class Health(IntEnum):
    """How one thing stands."""

    GOOD = 0
    WARN = 1
    BAD = 2


@dataclass(frozen=True, slots=True)
class Line:
    """One thing looked at: what was found, and the remedy where there is something to do."""

    subject: str
    found: str
    health: Health = Health.GOOD
    remedy: str = ""


def examine_machine(*, full: bool = False) -> Iterator[Line]:
    """Look at everything an audit needs, one line each, without changing anything.

    Args:
        full: load torch and every model, as an audit does; otherwise their versions and their files are looked at.
    """
    yield Line("gtloc_forensics", version("gtloc_forensics"))
    yield _python()
    yield _torch_loaded() if full else _torch()
    yield _exiftool()
    yield Line("time-zone data", f"tzdata {zones.tzdata_version()}")
    yield from _models(_model_loaded if full else _model_intact)
    yield from _writable()
    yield from (_optional(package) for package in OPTIONAL)
    yield from _plugins()
    yield _settings()


def examine_cluster(address: str, credentials: Path | None) -> Iterator[Line]:
    """Look at the workers of a cluster: who is there, and what each has otherwise than this machine."""
    from gtloc_forensics.case.cluster.cluster import cluster_of

    try:
        present = cluster_of(address, credentials).look()
    except ForensicsError as error:
        yield Line("cluster", f"{address} is not usable", Health.BAD, str(error))
        return
    yield Line("cluster", f"{address}, {sum(worker.slots for worker in present)} shards at a time")
    if not present:
        yield Line("workers", "none", Health.WARN, f"gtloc worker {address} on each machine that is to help")
    for worker in present:
        offers = f"{worker.place}, {worker.slots} at a time{', GPU' if worker.gpu else ''}"
        others = ", ".join(
            f"{name} {there or 'missing'} (here {here or 'missing'})"
            for name, (there, here) in sorted(worker.differing.items())
        )
        if others:
            remedy = "have the same on both, or the worker is left out of audits whose results would differ"
            yield Line("worker", f"{offers}; {others}", Health.WARN, remedy)
        else:
            yield Line("worker", f"{offers}; programs and packages as here")


def _settings() -> Line:
    """Say what is taken from the settings file when a command does not say it."""
    try:
        kept = preferences.kept()
    except ForensicsError as error:
        return Line("settings", "not usable", Health.BAD, str(error))
    told = ", ".join(f"{name} {visible(value)!r}" for name, value in kept.items())
    return Line("settings", f"{preferences.place()}: {told}" if told else f"none at {preferences.place()}")


def _python() -> Line:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Line("Python", found)


_WITHOUT_TORCH = "pip install 'torch>=2.6,<2.14'"


def _torch() -> Line:
    """Say which torch is installed: what is read of it in a moment, not what it can do here."""
    try:
        found = version("torch")
    except PackageNotFoundError:
        return Line("torch", "not installed", Health.BAD, _WITHOUT_TORCH)
    if find_spec("torch") is None:
        return Line("torch", f"{found}, but its files are not there", Health.BAD, _WITHOUT_TORCH)
    device = "built for processors" if found.endswith("+cpu") else "its device is known once it is loaded"
    return Line("torch", f"{found}, {device} (`gtloc doctor --full` loads it)")


def _torch_loaded() -> Line:
    try:
        from gtloc_forensics.vision import device
    except (ImportError, OSError) as error:
        return Line("torch", f"cannot be imported: {error}", Health.BAD, _WITHOUT_TORCH)
    return Line("torch", device.described())


def _exiftool() -> Line:
    try:
        path = exiftool.locate()
        found = exiftool.version(path)
    except ForensicsError as error:
        return Line("exiftool", "not usable", Health.BAD, str(error))
    return Line("exiftool", f"{found} at {path}")


def _models(look_at: Callable[[str], str]) -> Iterator[Line]:
    try:
        from gtloc_forensics import vision
    except ModuleNotFoundError:
        yield Line("model", "none", Health.WARN, "this version has no vision stage: pixels stay unexamined")
        return
    names = vision.installed()
    if not names:
        yield Line("model", "none installed", Health.WARN, "gtloc model add FILE installs one")
    for name in names:
        try:
            yield Line("model", f"{name}, weights {look_at(name)[:16]}")
        except ForensicsError as error:
            yield Line("model", name, Health.BAD, str(error))


def _model_intact(name: str) -> str:
    """Return the hash of a model's weights, once every file of it has the hash that its manifest names."""
    from gtloc_forensics.vision import intact, library, manifest

    folder = library.find(name)
    read = manifest.read(folder)
    intact.files_of(folder, read)
    return intact.weights_sha256(read)


def _model_loaded(name: str) -> str:
    from gtloc_forensics import vision

    with closing(vision.load(name, device="cpu")) as model:
        return model.facts.get("weights", "")


def _writable() -> Iterator[Line]:
    for subject, folder in (("working folder", Path.cwd()), ("temporary folder", Path(tempfile.gettempdir()))):
        free_gb = shutil.disk_usage(folder).free / 1e9
        try:
            with tempfile.TemporaryFile(dir=folder):
                found = f"{folder} is writable, {free_gb:.0f} GB free"
        except OSError as error:
            remedy = "name another place with --output" if subject == "working folder" else "set TMPDIR"
            yield Line(subject, f"{folder}: {error.strerror}", Health.WARN, remedy)
            continue
        if free_gb < LITTLE_SPACE_GB:
            yield Line(subject, found, Health.WARN, "free some space before a large case")
        else:
            yield Line(subject, found)


def _optional(package: str) -> Line:
    purpose, extra = OPTIONAL[package]
    try:
        return Line(purpose, f"{package} {version(package)}")
    except PackageNotFoundError:
        return Line(purpose, "not installed", Health.WARN, f"pip install 'gtloc_forensics[{extra}]'")


def _plugins() -> Iterator[Line]:
    loaded = plugins.load()
    yield Line("rules", f"{len(loaded.registry)} from {', '.join(('this package', *loaded.plugins))}")
    for failure in loaded.failures:
        yield Line(f"plugin {failure.name}", failure.reason, Health.WARN, "update or remove it")
