"""What columns of a source keep as text, read with the standard library alone."""

from __future__ import annotations

import json

_STAT_KEY = ("size_bytes", "mtime_ns", "ctime_ns", "inode", "device")


def kept_stat_key(stat: str) -> tuple[int, ...]:
    """Return the part of a stat tuple that changes when a file does, as :func:`store.rows.stat_key` has it."""
    kept = json.loads(stat)
    return tuple(kept[name] for name in _STAT_KEY)


def kept_sidecars(sidecars: str) -> dict[bytes, str]:
    """Return relative path → sha256 of each sidecar."""
    if sidecars == "[]":  # of most photos; a folder that is as it was asks this of each
        return {}
    return {bytes.fromhex(name): sha256 for name, sha256 in json.loads(sidecars)}
