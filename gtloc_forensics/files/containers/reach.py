"""How far a container is looked into; known without anything that reads one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a container is looked into beyond the files that it lists.

    Attributes:
        nested: images and archives within it are opened, too.
        carved: photos are looked for in what no file of an image claims.
    """

    nested: bool = False
    carved: bool = False


LISTED = Reach()
"""Only what the container lists itself."""
