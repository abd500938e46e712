"""The folder for working copies within a case folder: made for one run, known by its mark, gone with the run.

What a killed run left is removed by the next, and nothing else: a folder without the
mark that this program writes into its own is left alone, whatever its name.
"""

from __future__ import annotations

import json
import secrets
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from gtloc_forensics.errors import UsageError, WorkspaceFull
from gtloc_forensics.files import mounts, opening, owners

FOLDER = "work"
"""Where in a case folder the working folders of its runs lie."""

MARK = "made-by-gtloc.json"
_LONGEST_MARK_BYTES = 4096


@contextmanager
def working_folder(case_folder: Path) -> Iterator[Path]:
    """Lend an empty folder within *case_folder*, which the caller holds locked; remove it at the end.

    While it is lent SIGTERM ends the block as Ctrl-C does, unless the program has a
    handler of its own: copies of the evidence do not stay behind.

    Raises:
        UsageError: when the place for it is a link or no folder, or may not be written to.
        WorkspaceFull: when there is no room.
    """
    place = case_folder / FOLDER
    work = _made(place)
    try:
        with _terminated_like_interrupted():
            yield work / "copies"
    finally:
        shutil.rmtree(work, ignore_errors=True)
        _remove_if_empty(place)


def remove_leftovers(case_folder: Path) -> None:
    """Remove the working folders of runs that are no more, each known by its own mark."""
    place = case_folder / FOLDER
    if place.is_symlink() or not place.is_dir():
        return
    for left in sorted(place.iterdir()):
        if _is_left_over(left):
            shutil.rmtree(left, ignore_errors=True)


def _made(place: Path) -> Path:
    try:
        place.mkdir(exist_ok=True)
        if place.is_symlink():
            raise UsageError(f"{place} is a symbolic link, which is not followed; remove it or choose another --output")
        remove_leftovers(place.parent)
        work = place / secrets.token_hex(8)
        work.mkdir()
        said = json.dumps({"folder": work.name, **owners.this_process()})
        (work / MARK).write_text(said + "\n", encoding="utf-8")
        (work / "copies").mkdir()
    except FileExistsError as error:
        raise UsageError(f"{place} is no folder; remove it or choose another --output") from error
    except OSError as error:
        if opening.is_full(error):
            raise WorkspaceFull(place.parent) from error
        raise UsageError(
            f"working copies cannot be written to {place}: {opening.words(error)}; choose another --output"
        ) from error
    return work


def _is_left_over(folder: Path) -> bool:
    """Say whether a folder is one that a run of ours made which is no more, with nothing mounted in it."""
    try:
        with opening.quiet_file(folder / MARK) as file:
            said = json.loads(file.read(_LONGEST_MARK_BYTES))
    except (OSError, ValueError, RecursionError):
        return False
    ours = isinstance(said, dict) and said.get("folder") == folder.name and not folder.is_symlink()
    return ours and owners.has_ended(said) and not mounts.mount_points_below(folder.resolve())


def _remove_if_empty(place: Path) -> None:
    with suppress(OSError):
        place.rmdir()


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Have SIGTERM raise KeyboardInterrupt in the block, where nobody else handles it and we may."""
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
