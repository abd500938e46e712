"""Whether a film's clock counts UTC, as its format wants, or local time, as many makers write it."""

from __future__ import annotations

import re
from datetime import datetime

from gtloc_forensics.metadata.tag_values import text
from gtloc_forensics.records import Tags, TimeKind, TimeReading

SAME_S = 120.0
"""A film is named when it begins; its container is closed moments later."""

_LOCAL_MAKERS = re.compile(
    r"gopro|canon|nikon|panasonic|lumix|olympus|om digital|fuji|pentax|ricoh|casio|kodak|sanyo|leica|dji|insta360|"
    r"arashi|akaso|sjcam|yi technology|sigma|hasselblad|reconyx|bushnell",
    re.IGNORECASE,
)
"""Cameras without a network, which know no zone: their films hold what their clock shows.

Telephones (Apple, Samsung, Google, Xiaomi, …) and Sony's cameras follow the format and count UTC.
"""

_MAKERS = ("Keys:Make", "QuickTime:Make", "UserData:Make", "ItemList:Make", "IFD0:Make")
_MODELS = ("Keys:Model", "QuickTime:Model", "UserData:Model", "ItemList:Model", "IFD0:Model")
_LOCAL_NAMES = re.compile(r"(?:G[HXLSO]PR|G[HX]\d{2}|GOPR|DJI_)\w*\.(?:mp4|mov|lrv|360)", re.IGNORECASE)


def container_kind(tags: Tags, started: datetime | None, named: TimeReading | None, *, name: str) -> TimeKind:
    """Return what the film's own clock counts: by the file's name where that tells a time, else by its maker.

    Args:
        tags: of the film.
        started: what its container gives as the time of its creation.
        named: the time in the file's name.
        name: the file's name.
    """
    if started is not None and named is not None and named.resolution_s <= 1.0:
        is_same = abs((named.wall - started).total_seconds()) <= SAME_S
        if named.kind is TimeKind.LOCAL and is_same:
            return TimeKind.LOCAL
        if named.kind is TimeKind.LOCAL and named.raw.upper().startswith("DJI"):
            return TimeKind.UTC  # its names are local: a container that differs is not
    maker = f"{text(tags, *_MAKERS)} {text(tags, *_MODELS)} {' '.join(_embedded_makers(tags))}"
    return TimeKind.LOCAL if _LOCAL_MAKERS.search(maker) or _LOCAL_NAMES.fullmatch(name) else TimeKind.UTC


def _embedded_makers(tags: Tags) -> set[str]:
    """Return the makers whose private blocks stand in the file (``GoPro:Model``, ``Canon:…``)."""
    return {tag.partition(":")[0] for tag in tags}
