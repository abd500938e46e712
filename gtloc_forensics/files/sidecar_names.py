"""Which file beside a photo describes it, by its name alone: XMP sidecars, and the JSON files of photo services."""

from __future__ import annotations

import re
from collections.abc import Collection

from gtloc_forensics.files import types

SUFFIXES = (b".xmp", b".json")

_OF_A_SERVICE = re.compile(
    rb"(?P<photo>.+?\.[a-z0-9]{2,5})(?P<mark>\.s[a-z-]*)?(?:\((?P<number>[0-9]{1,4})\))?\.json", re.IGNORECASE
)
_MARK = b".supplemental-metadata"
"""Exports since 2024 put it before ``.json`` and cut it where the whole name grows too long."""


def described_by(name: bytes) -> frozenset[bytes]:
    """Return what a sidecar may describe, in lower case: names of photos, or stems of names; empty for no sidecar.

    ``a.xmp`` is of every photo called ``a``, ``a.jpg.xmp`` of ``a.jpg``. ``a.jpg.json``,
    ``a.jpg.supplemental-metadata.json`` and its cut forms are of ``a.jpg`` and of ``a-edited.jpg``;
    ``a.jpg(1).json`` is of ``a(1).jpg``.
    """
    lower = name.lower()
    if lower.startswith(b"."):
        return frozenset()
    if types.extension_of(name) == b".xmp":
        return frozenset((lower[: -len(b".xmp")],))
    found = _OF_A_SERVICE.fullmatch(lower)
    if found is None or not types.has_photo_extension(found["photo"]) or not _MARK.startswith(found["mark"] or b""):
        return frozenset()
    extension = types.extension_of(found["photo"])
    stem = found["photo"][: -len(extension)] + (b"(" + found["number"] + b")" if found["number"] else b"")
    return frozenset((stem + extension, stem + b"-edited" + extension))


def is_of(photo: bytes, described: Collection[bytes]) -> bool:
    """Return whether a photo is among what sidecars describe."""
    stem = photo[: -len(types.extension_of(photo))].lower()
    return types.has_photo_extension(photo) and (stem in described or photo.lower() in described)
