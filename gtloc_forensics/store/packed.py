"""A record that another machine packed already."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Packed:
    """A record in its stored form, kept as it came: it is not built and packed again."""

    stored: bytes
