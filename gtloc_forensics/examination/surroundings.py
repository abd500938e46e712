"""All that decides what an audit finds, beside the photos, as one hash, found without loading any of it.

The program's own files, the installed packages, the models, exiftool, the machine, what
the environment says. Files are told apart by size, time of change and name: what an
update, an installation or an edit leaves behind. Whatever is equal here gives the same
examination under the same request; what differs is looked into by opening it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from gtloc_forensics.vision import places

_MAPPED = ("gtloc_forensics", "gtloc_forensics.contrib", "gtloc_forensics.models", "gtloc_forensics.templates")
_PACKAGES = (".dist-info", ".egg-info", ".egg-link", ".pth")
_SAID = ("GTLOC_", "PYTHON", "XDG_", "CUDA_", "HIP_", "TORCH_", "OMP_", "MKL_", "ONEDNN_", "DNNL_")
_SAID_TOO = (
    *("HOME", "PATH", "LD_LIBRARY_PATH", "SOURCE_DATE_EPOCH", "TZ", "TMPDIR", "TEMP", "TMP", "SQLITE_TMPDIR"),
    *("FORCE_COLOR", "NO_COLOR", "TERM", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "LANG", "LC_ALL"),
)
_ACCELERATORS = ("nvidia", "kfd", "dri", "accel")
_EXIFTOOL = ("/usr/share/perl5", "/usr/share/perl5/vendor_perl", "/usr/local/share/perl5", "/opt/homebrew/lib/perl5")


def digest(request: Mapping[str, object]) -> str:
    """Return the hash of *request*, what was asked for, and of all that decides what comes of it."""
    parts = {
        "request": {name: repr(value) for name, value in sorted(request.items())},
        "python": [sys.version, sys.executable, sys.prefix, platform.platform(), str(os.cpu_count())],
        "machine": [platform.node(), _text("/etc/machine-id"), sorted(_accelerators())],
        "environment": sorted(_said()),
        "packages": sorted(_packages()),
        "program": sorted(state for place in _own_folders() for state in _below(place)),
        "models": sorted(_below(places.user_folder())),
        "exiftool": list(_exiftool()),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode("utf-8", "surrogateescape")).hexdigest()


def _own_folders() -> Iterator[str]:
    for name in _MAPPED:
        spec = importlib.util.find_spec(name)
        yield from (spec.submodule_search_locations or ()) if spec is not None else ()


def _below(place: str | Path) -> Iterator[str]:
    """Yield name, size and time of change of every file below a folder, but for what Python compiled."""
    try:
        entries = list(os.scandir(place))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _below(entry.path)
        else:
            yield _state(entry.path)


def _state(path: str | Path) -> str:
    try:
        now = os.stat(path)  # noqa: PTH116 - a thousand of them
    except OSError as error:
        return f"{path} {error.errno}"
    return f"{path} {now.st_size} {now.st_mtime_ns} {now.st_ctime_ns} {now.st_ino}"


def _packages() -> Iterator[str]:
    """Yield what is installed: the names hold the versions, and the time changes when it is installed again."""
    for place in dict.fromkeys(sys.path):
        try:
            entries = list(os.scandir(place or "."))
        except OSError:
            continue
        for entry in entries:
            if entry.name.endswith(_PACKAGES):
                yield f"{entry.path} {entry.stat().st_mtime_ns}"


def _said() -> Iterator[str]:
    for name, value in os.environ.items():
        if name.startswith(_SAID) or name in _SAID_TOO:
            yield f"{name}={value}"


def _accelerators() -> Iterator[str]:
    try:
        yield from (name for name in os.listdir("/dev") if name.startswith(_ACCELERATORS))  # noqa: PTH208
    except OSError:
        return


def _exiftool() -> Iterator[str]:
    """Yield the state of the program, of which a release changes the version in its text, and of its library."""
    found = shutil.which(os.environ.get("GTLOC_EXIFTOOL") or "exiftool")
    if found is not None:
        program = Path(found).resolve()
        yield _state(program)
        yield from (_state(Path(place) / "Image/ExifTool.pm") for place in (*_EXIFTOOL, program.parent / "lib"))


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
