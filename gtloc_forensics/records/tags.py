"""What a reader found in a file, tag by tag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Tags: TypeAlias = Mapping[str, tuple[str | int | float, ...]]
"""What exiftool read from one file: ``"Group1:Tag"`` → every value found, in file order.

Numeric form (``-n``) where exiftool has one. Keys are as exiftool's family-1
groups name them: ``IFD0:Make``, ``ExifIFD:DateTimeOriginal``, ``GPS:GPSLatitude``,
``XMP-exif:DateTimeOriginal``, ``Apple:RunTimeValue``, ``Composite:…`` is left out.
"""
