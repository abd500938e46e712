"""Which bytes of a file system no live file claims, by the runs that the Sleuth Kit tells of each.

The tables of allocation of the file systems are not asked: what is marked as taken and belongs to no
file (lost clusters) is looked into as well. Tables of the file system itself count as unclaimed
where no entry stands for them; no photo begins there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

DEEPEST = 128
"""Folders within folders: beyond it a file system is damaged, or made to be endless."""

FAILURES = (OSError, RuntimeError)
"""How the Sleuth Kit fails: by itself, or because the medium below could not be read."""

_SPARSE_OR_FILLER = 0x01 | 0x02  # TSK_FS_ATTR_RUN_FLAG_FILLER, _SPARSE: no blocks of the disk


def stretches(tsk: Any, system: Any, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (first byte, byte behind the last) of what no live file claims, in order.

    Args:
        tsk: the module pytsk3.
        system: the file system.
        start: byte of the medium at which it begins.
        end: byte behind the last of its partition. A folder or file that cannot be read claims nothing.
    """
    at = start
    for first, behind in sorted(_claimed(tsk, system, start)):
        if first > at:
            yield at, min(first, end)
        at = max(at, behind)
        if at >= end:
            return
    if at < end:
        yield at, end


def first_byte(system: Any, start: int, number: int) -> int | None:
    """Return the byte of the medium at which the content of a record begins; None where it tells none."""
    runs = runs_of(system, start, number)
    return runs[0][0] if runs else None


def runs_of(system: Any, start: int, number: int) -> list[tuple[int, int]]:
    """Return (first byte, byte behind the last) of what a record says is its content; none where it tells none."""
    try:
        return [run for attribute in system.open_meta(inode=number) for run in _runs(attribute, system, start)]
    except FAILURES:
        return []


def _claimed(tsk: Any, system: Any, start: int) -> Iterator[tuple[int, int]]:
    pending, seen = [(int(system.info.root_inum), 0)], set[int]()
    while pending:
        number, depth = pending.pop()
        if number in seen or depth > DEEPEST:
            continue
        seen.add(number)
        try:
            for entry in system.open_dir(inode=number):
                yield from _of_entry(tsk, system, start, entry)
                if _is_folder(tsk, entry):
                    pending.append((int(entry.info.name.meta_addr), depth + 1))
        except FAILURES:
            continue


def _of_entry(tsk: Any, system: Any, start: int, entry: Any) -> Iterator[tuple[int, int]]:
    meta = entry.info.meta
    if not _is_live(tsk, entry) or meta is None or bytes(entry.info.name.name or b"") in (b".", b".."):
        return
    try:
        for attribute in entry:
            yield from _runs(attribute, system, start)
    except FAILURES:
        return


def _is_live(tsk: Any, entry: Any) -> bool:
    name = entry.info.name
    return not int(name.flags) & int(tsk.TSK_FS_NAME_FLAG_UNALLOC) and int(name.type) != int(
        tsk.TSK_FS_NAME_TYPE_VIRT_DIR
    )


def _is_folder(tsk: Any, entry: Any) -> bool:
    meta = entry.info.meta
    return _is_live(tsk, entry) and meta is not None and int(meta.type) == int(tsk.TSK_FS_META_TYPE_DIR)


def _runs(attribute: Any, system: Any, start: int) -> Iterator[tuple[int, int]]:
    block = int(system.info.block_size)
    for run in attribute:
        if not int(run.flags) & _SPARSE_OR_FILLER and int(run.len):
            first = start + int(run.addr) * block
            yield first, first + int(run.len) * block
