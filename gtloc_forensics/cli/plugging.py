"""What plugs us into other programs, and how it gets there and away again without touching anything else.

A plugin is files that are copied below the user's own folders, and at most one line in
another program's start file. What was put where is kept, with hashes, in a receipt of
our own: what a person changed since is neither overwritten nor removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from gtloc_forensics.errors import UsageError
from gtloc_forensics.files.writing import write_bytes

PROGRAM, ROOT = b"@GTLOC@", b"@ROOT@"
"""Stand in a file of ours for the command that starts this program, and for the folder that all goes below."""

OURS = "gtloc"
"""How the folders are called that are ours: these, and those within them, are removed when they are left empty."""

_EXECUTABLE = (".sh", ".desktop")


@dataclass(frozen=True, slots=True)
class StartLine:
    """A line that makes another program load a plugin when it starts."""

    file: str  # below the plugin's root
    line: str
    not_with: str  # where this stands in the file, that program finds the plugin itself


@dataclass(frozen=True, slots=True)
class Plugin:
    """What plugs us into one program."""

    name: str
    title: str
    places: tuple[tuple[str, str], ...]  # (folder or file of ours, where it goes below the root)
    root: Callable[[], Path]  # where that program keeps what belongs to this user
    afterwards: str  # what a person does next
    start: StartLine | None = None
    program_file: str = ""  # below the root: a word of the command that starts this program on each line


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was done, or left, and why."""

    path: Path
    what: str


def config_home() -> Path:
    """Return where programs keep this user's settings."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def data_home() -> Path:
    """Return where programs keep this user's data."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def autopsy_home() -> Path:
    """Return where Autopsy keeps this user's settings, as far as is known; --into names another place."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home()) / "autopsy"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "autopsy"
    return Path.home() / ".autopsy" / "dev"


PLUGINS = {
    plugin.name: plugin
    for plugin in (
        Plugin(
            "darktable",
            "darktable's lighttable: audit, tags, clock corrections",
            (("darktable/gtloc", "lua/gtloc"),),
            lambda: config_home() / "darktable",
            "start darktable again; the module is in the lighttable, on the right",
            StartLine("luarc", 'require "gtloc/gtloc"', "script_manager"),
            "lua/gtloc/program.path",
        ),
        Plugin(
            "autopsy",
            "Autopsy: photos of a data source checked while it is ingested",
            (("autopsy/gtloc", "python_modules/gtloc"),),
            autopsy_home,
            "start Autopsy again; if Tools → Python Plugins opens another folder, name the one above it with --into",
            program_file="python_modules/gtloc/program.path",
        ),
        Plugin(
            "desktop",
            "file managers: 'Check photos…' on a folder in Nautilus, Dolphin and others",
            (
                ("desktop/check-photos.sh", "gtloc/check-photos.sh"),
                ("desktop/check-photos.sh", "nautilus/scripts/Check photos…"),
                ("desktop/gtloc.desktop", "applications/gtloc.desktop"),
                ("desktop/dolphin.desktop", "kio/servicemenus/gtloc.desktop"),
            ),
            data_home,
            "right-click a folder; a file manager that runs may want to be started again",
        ),
        Plugin(
            "digikam",
            "digiKam: keywords and corrected times of an album as XMP sidecars",
            (
                ("digikam/album-sidecars.sh", "gtloc/digikam/album-sidecars.sh"),
                ("digikam/batch-queue.sh", "gtloc/digikam/batch-queue.sh"),
            ),
            data_home,
            "docs/photo-managers.md says how digiKam takes them up",
        ),
    )
}


def installed(name: str) -> dict[str, str]:
    """Return what an earlier installation put where: path → SHA-256; nothing when there was none."""
    receipt = _receipt(name)
    if not receipt.is_file():
        return {}
    kept: dict[str, str] = json.loads(receipt.read_text(encoding="utf-8"))["files"]
    return kept


def root_of(name: str) -> Path | None:
    """Return the folder below which a plugin was installed; None when it was not."""
    receipt = _receipt(name)
    return Path(json.loads(receipt.read_text(encoding="utf-8"))["root"]) if receipt.is_file() else None


def install(plugin: Plugin, into: Path | None = None, *, replace: bool = False) -> Iterator[Change]:
    """Copy a plugin to its place, and yield each thing done; nothing is written before all may be.

    Args:
        plugin: one of :data:`PLUGINS`.
        into: the root to use in place of the program's own.
        replace: overwrite what a person changed, or what is not ours.

    Raises:
        UsageError: a file is in the way.
    """
    root = (into or plugin.root()).absolute()
    wanted = dict(_wanted(plugin, root))
    earlier = installed(plugin.name)
    in_the_way = [path for path in wanted if path.exists() and not replace and _sha256(path) != earlier.get(str(path))]
    in_the_way = [path for path in in_the_way if path.read_bytes() != wanted[path]]
    if in_the_way:
        raise UsageError(
            f"{in_the_way[0]} is there and is not as we put it there; move it away, or overwrite it with --replace"
        )
    for path, content in wanted.items():
        write_bytes(path, content)
        if path.suffix in _EXECUTABLE or content.startswith(b"#!"):
            path.chmod(0o755)
    yield from (Change(path, "written") for path in wanted)
    before = root_of(plugin.name)
    if before is not None:
        yield from _remove(earlier, before, keep=set(wanted))
        if plugin.start is not None and before != root:
            yield from _stop(before / plugin.start.file, plugin.start)
    hashes = {str(path): hashlib.sha256(content).hexdigest() for path, content in wanted.items()}
    facts = {"version": version("gtloc_forensics"), "root": str(root), "files": hashes}
    write_bytes(_receipt(plugin.name), json.dumps(facts, indent=1).encode())
    if plugin.start is not None:
        yield from _start(root / plugin.start.file, plugin.start)


def uninstall(plugin: Plugin) -> Iterator[Change]:
    """Remove what was installed and is as it was, and yield each thing done or left.

    Raises:
        UsageError: it is not installed.
    """
    root = root_of(plugin.name)
    if root is None:
        raise UsageError(f"{plugin.name} was not installed by this user; there is nothing to remove")
    yield from _remove(installed(plugin.name), root, keep=set())
    if plugin.start is not None:
        yield from _stop(root / plugin.start.file, plugin.start)
    _receipt(plugin.name).unlink()


def program() -> list[str]:
    """Return the command that starts this very program, wherever it is called from."""
    return [sys.executable, "-m", "gtloc_forensics"]


# --------------------------------------------------------------------------- files


def _receipt(name: str) -> Path:
    return data_home() / "gtloc" / "plugins" / f"{name}.json"


def _wanted(plugin: Plugin, root: Path) -> Iterator[tuple[Path, bytes]]:
    for source, target in plugin.places:
        ours = files("gtloc_forensics.contrib").joinpath(*source.split("/"))
        for inner, content in _contents(ours):
            yield (path := root.joinpath(*target.split("/"), *inner)), _filled_in(content, path, root)
    if plugin.program_file:
        path = root.joinpath(*plugin.program_file.split("/"))
        yield path, "".join(f"{word}\n" for word in program()).encode("utf-8", "surrogateescape")


def _contents(ours: Traversable, inner: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], bytes]]:
    if ours.is_file():
        yield inner, ours.read_bytes()
        return
    for entry in sorted(ours.iterdir(), key=lambda entry: entry.name):
        if not entry.name.startswith((".", "__")):
            yield from _contents(entry, (*inner, entry.name))


def _filled_in(content: bytes, path: Path, root: Path) -> bytes:
    """Return a file of ours with the words that only this machine knows."""
    command = shlex.join(program()).encode("utf-8", "surrogateescape")
    below = os.fsencode(root)
    return content.replace(PROGRAM, command).replace(
        ROOT, _in_desktop_entry(below) if path.suffix == ".desktop" else below
    )


def _in_desktop_entry(text: bytes) -> bytes:
    """Return text for within the double quotes of an ``Exec`` key, where a string's escapes come on top of the quotes'.

    Source: Desktop Entry Specification 1.5, "The Exec key".
    """
    quoted = re.sub(rb'(["`$\\])', rb"\\\1", text)
    return quoted.replace(b"\\", b"\\\\").replace(b"%", b"%%")


def _sha256(path: Path) -> str:
    from gtloc_forensics.files.hashing import sha256_of

    return sha256_of(path.resolve())  # people keep their settings behind links


def _remove(earlier: dict[str, str], root: Path, *, keep: set[Path]) -> Iterator[Change]:
    folders: set[Path] = set()
    for name, digest in earlier.items():
        path = Path(name)
        if path in keep or not path.is_file():
            continue
        if _sha256(path) != digest:
            yield Change(path, "left: it was changed since it was installed")
            continue
        path.unlink()
        folders.add(path.parent)
        yield Change(path, "removed")
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
        while root in folder.parents and OURS in folder.relative_to(root).parts and _is_empty(folder):
            folder.rmdir()
            folder = folder.parent  # upwards, as long as what we made is empty


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


# --------------------------------------------------------------------------- the line in a start file


def _start(path: Path, start: StartLine) -> Iterator[Change]:
    before = path.read_text(encoding="utf-8", errors="surrogateescape") if path.is_file() else ""
    if start.line in before.splitlines():
        return
    if start.not_with in before:
        yield Change(path, f"left: {start.not_with} is in it; start the plugin there")
        return
    gap = "" if not before or before.endswith("\n") else "\n"
    _rewrite(path, f"{before}{gap}{start.line}\n")
    yield Change(path, f"now has the line {start.line}")


def _stop(path: Path, start: StartLine) -> Iterator[Change]:
    if not path.is_file():
        return
    before = path.read_text(encoding="utf-8", errors="surrogateescape")
    left = "".join(line for line in before.splitlines(keepends=True) if line.rstrip("\r\n") != start.line)
    if left != before:
        _rewrite(path, left)
        yield Change(path, f"no longer has the line {start.line}")


def _rewrite(path: Path, text: str) -> None:
    """Write a start file through a link, as dotfiles often are one."""
    write_bytes(path.resolve(), text.encode("utf-8", "surrogateescape"))
