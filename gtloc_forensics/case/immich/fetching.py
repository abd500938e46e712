"""Originals brought from the server into a folder: each once, checked by its hash, under its own name.

The folder is the evidence of a case like any other. A name that is on the server in two places,
or that no file can have, is changed so far as it must be; what the server calls it stays in the index.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gtloc_forensics.case.immich.assets import Asset, Fetched, Index
from gtloc_forensics.case.immich.server import Server
from gtloc_forensics.errors import ServerFailed
from gtloc_forensics.files.writing import synchronise

PART = ".gtloc-part-"
LONGEST_STEM = 120
_UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]|^[.\-]+|[. ]+$')


@dataclass(frozen=True, slots=True)
class Brought:
    """What fetching came to: how many are new, how many were here, and which could not be had, each with the reason."""

    new: int
    here: int
    failed: tuple[tuple[str, str], ...]
    newest: str  # updated_at of the newest that was seen, to ask for what is later


def fetch(
    server: Server,
    folder: Path,
    index: Index,
    *,
    assets: Iterable[Asset],
    progress: Callable[[int, int], None] = lambda new, here: None,
) -> Brought:
    """Bring *assets* into *folder*; what is here already, with the same content, is not asked for again.

    Raises:
        ServerFailed: the server cannot be reached; what was brought stays, and the same call goes on from there.
        OSError: as the system does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.rglob(f"{PART}*"):
        left.unlink()
    held = {fetched.path for fetched in index.by_asset.values()}
    new, here, failed, newest = 0, 0, list[tuple[str, str]](), ""
    for asset in assets:
        newest = max(newest, asset.updated_at)
        known = index.by_asset.get(asset.asset_id)
        if known is not None and known.sha1 == asset.sha1 and (folder / os.fsdecode(known.path)).is_file():
            here += 1
        else:
            try:
                index.add(_bring(server, asset, folder, held))
                new += 1
            except ServerFailed as error:
                if error.is_passing:
                    raise
                failed.append((asset.name, str(error)))
        progress(new, here)
    return Brought(new, here, tuple(failed), newest)


def _bring(server: Server, asset: Asset, folder: Path, held: set[bytes]) -> Fetched:
    relative = _place(asset, folder, held)
    target = folder / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(PART + asset.asset_id[:36].replace("/", "_"))
    try:
        digest = server.download(asset.asset_id, part)
        if digest != asset.sha1:
            raise ServerFailed("its bytes have another hash than the server states: damaged there or on the way")
        synchronise(part)
        _give_name(part, target)
    finally:
        part.unlink(missing_ok=True)
    synchronise(target.parent)
    held.add(os.fsencode(relative))
    return Fetched(os.fsencode(relative).hex(), asset.asset_id, asset.sha1, asset.updated_at)


def _give_name(part: Path, target: Path) -> None:
    """Let a file take a name that is free; never over a file that is there."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # file systems without hard links
        part.rename(target)


def _place(asset: Asset, folder: Path, held: set[bytes]) -> str:
    """Return a path below the folder that no other photo has: the folder's name on the server, the file's own name."""
    above = _fit(PurePosixPath(asset.path.replace("\\", "/")).parent.name) or "photos"
    stem, ending = os.path.splitext(_fit(asset.name) or asset.asset_id)  # noqa: PTH122 - not a path yet
    stem, ending = stem[:LONGEST_STEM], ending[:16]
    relative, number = f"{above}/{stem}{ending}", 1
    while os.fsencode(relative) in held or os.path.lexists(folder / relative):
        number += 1
        relative = f"{above}~{number}/{stem}{ending}"  # another folder: the name of a file is evidence
    return relative


def _fit(name: str) -> str:
    return _UNFIT.sub("_", name).encode("utf-8", "replace").decode()[:LONGEST_STEM].strip("_ ") if name else ""
