"""What a product was written by, as a hash: a report that another program or other words wrote is made anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

_LARGEST_PART_BYTES = 8 << 20
"""No file of a template is larger (a logo, sentences): a folder named by mistake is not read whole."""


def made_by(template: str = "") -> str:
    """Return a hash of what writes a product: the code that words and sets it, the counted alarms, a template's files.

    A version number would not do: a template is edited, and a program updated, without one.

    Args:
        template: name or folder of a template; "" for what has none.
    """
    package, templates = files("gtloc_forensics"), files("gtloc_forensics.templates")
    parts: list[Traversable] = [package / "report", package / "records", package / "checks" / "alarms.json"]
    if template:  # what a template leaves out is taken from the default
        named = templates / template
        parts += [templates / "default", named if named.is_dir() else Path(template)]
    hashed = hashlib.sha256()
    for part in parts:
        for name, content in _below(part):
            hashed.update(f"{name}\0".encode() + hashlib.sha256(content).digest())
    return hashed.hexdigest()[:32]


def _below(part: Traversable) -> Iterator[tuple[str, bytes]]:
    if part.is_file():
        with part.open("rb") as opened:
            yield part.name, opened.read(_LARGEST_PART_BYTES)
    elif part.is_dir() and part.name != "__pycache__":
        for entry in sorted(part.iterdir(), key=lambda entry: entry.name):
            yield from _below(entry)
