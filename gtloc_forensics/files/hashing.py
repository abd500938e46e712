"""Hashes of files."""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of one of our own files."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
