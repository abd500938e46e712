"""Whether a film's clock counts UTC, as its format wants, or local time, as many makers write it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from gtloc_forensics.metadata.civil_offsets import civil_offset_between
from gtloc_forensics.metadata.tag_values import text
from gtloc_forensics.records import Tags, TimeKind, TimeReading, TimeRole

STARTED = "QuickTime:CreateDate"

SAME_S = 120.0
LONGEST_S = 600.0
"""A film is named when it begins; its container is closed when it ends, mostly moments later."""

_LOCAL_MAKERS = re.compile(
    r"gopro|canon|nikon|panasonic|lumix|olympus|om digital|fuji|pentax|ricoh|casio|kodak|sanyo|leica|dji|insta360|"
    r"arashi|akaso|sjcam|yi technology|sigma|hasselblad|reconyx|bushnell",
    re.IGNORECASE,
)
"""Cameras without a network, which know no zone: their films hold what their clock shows."""

_UTC_MAKERS = re.compile(
    r"apple|iphone|ipad|samsung|google|pixel|xiaomi|redmi|huawei|honor|oneplus|oppo|realme|vivo|motorola|lge|"
    r"lg electronics|htc|nokia|hmd|sony|fairphone|nothing",
    re.IGNORECASE,
)
"""Telephones, and Sony's cameras, which follow the format."""

_SWITCHED_MAKERS = re.compile(r"canon|dji|insta360|olympus|om digital", re.IGNORECASE)
"""Of them some models know a zone and write UTC: what their neighbours say comes before the habit."""

_MAKERS = ("Keys:Make", "QuickTime:Make", "UserData:Make", "ItemList:Make", "IFD0:Make")
_MODELS = ("Keys:Model", "QuickTime:Model", "UserData:Model", "ItemList:Model", "IFD0:Model")
_LOCAL_NAMES = re.compile(r"(?:G[HXLSO]PR|G[HX]\d{2}|GOPR|DJI_)\w*\.(?:mp4|mov|lrv|360)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ContainerClock:
    """What a film's own clock is taken to count, and whether the file alone shows it."""

    kind: TimeKind
    is_known: bool


def container_clock(tags: Tags, readings: Sequence[TimeReading], *, name: str) -> ContainerClock:
    """Return what the film's own clock counts: by the time in its name or of its receiver, else by its maker.

    Args:
        tags: of the film.
        readings: every time it tells, that of its name among them.
        name: the file's name.
    """
    started = next((reading.wall for reading in readings if reading.tag == STARTED), None)
    named = next((reading for reading in readings if reading.role is TimeRole.FILE_NAME), None)
    if started is not None:
        witnessed = _by_name(started, named) or _by_receiver(started, readings)
        if witnessed is not None:
            return ContainerClock(witnessed, is_known=True)
    maker = f"{text(tags, *_MAKERS)} {text(tags, *_MODELS)} {' '.join(_embedded_makers(tags))}"
    if _LOCAL_MAKERS.search(maker) or _LOCAL_NAMES.fullmatch(name):
        return ContainerClock(TimeKind.LOCAL, is_known=not _SWITCHED_MAKERS.search(maker))
    return ContainerClock(TimeKind.UTC, is_known=_UTC_MAKERS.search(maker) is not None)


def _by_name(started: datetime, named: TimeReading | None) -> TimeKind | None:
    if named is None or named.resolution_s > 1.0:
        return None
    hours = civil_offset_between(named.wall, started, tolerance_s=LONGEST_S)
    if hours is None:
        return None
    if not hours:
        return named.kind
    return TimeKind.UTC if named.kind is TimeKind.LOCAL else TimeKind.LOCAL


def _by_receiver(started: datetime, readings: Sequence[TimeReading]) -> TimeKind | None:
    """Return what the GPS time of the film itself shows."""
    for reading in readings:
        if reading.role is TimeRole.GPS_FIX and reading.resolution_s <= 1.0:
            hours = civil_offset_between(started, reading.wall, tolerance_s=SAME_S)
            if hours is not None:
                return TimeKind.LOCAL if hours else TimeKind.UTC
    return None


def _embedded_makers(tags: Tags) -> set[str]:
    """Return the makers whose private blocks stand in the file (``GoPro:Model``, ``Canon:…``)."""
    return set(map(_group_of, tags))


@lru_cache(maxsize=4096)  # the same tags stand in every photo
def _group_of(tag: str) -> str:
    return tag.partition(":")[0]
