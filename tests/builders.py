"""Builders of records with sensible defaults, for tests of whatever takes a record.

A test says only what it is about: ``a_photo(local="2024-06-15 23:30", position=PARIS,
f_number=8, exposure_s=1 / 500, iso=100)`` is a complete photo. What is left out is
``Absent.MISSING``, never invented.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gtloc_forensics.records import (
    Absent,
    Claim,
    Counter,
    Device,
    DeviceGroup,
    Direction,
    Exposure,
    FileStat,
    ImageFacts,
    OffsetSource,
    Photo,
    PhotoSummary,
    Position,
    Reading,
    Source,
    Stated,
    Sun,
    TimeKind,
    TimeReading,
    TimeRole,
    Unexamined,
    Uptime,
    source_id_of,
)

PARIS = (48.8566, 2.3522)
LONDON = (51.5074, -0.1278)
NEW_YORK = (40.7128, -74.0060)
SYDNEY = (-33.8688, 151.2093)
QUITO = (-0.1807, -78.4678)
TOKYO = (35.6762, 139.6503)
KASHGAR = (39.4704, 75.9898)
MID_ATLANTIC = (30.0, -45.0)

NO_PIXELS = "not examined: no model"


def when(text: str | datetime) -> datetime:
    """Return a naive datetime from ``2024-06-15 12:00[:00[.5]]`` or a datetime."""
    return text if isinstance(text, datetime) else datetime.fromisoformat(text)


def exif_time(moment: datetime) -> str:
    return moment.strftime("%Y:%m:%d %H:%M:%S")


def a_source(name: str = "photo.jpg", **changes: Any) -> Source:
    relative = name.encode()
    stat = FileStat(
        size_bytes=changes.pop("size_bytes", 1000),
        mtime_ns=changes.pop("mtime_ns", 0),
        ctime_ns=0,
        atime_ns=0,
        mode=0o100644,
        inode=1,
        device=1,
        links=1,
        birth_ns=changes.pop("birth_ns", None),
    )
    values: dict[str, Any] = {
        "source_id": source_id_of(relative),
        "relative": relative,
        "sha256": hashlib.sha256(relative).hexdigest(),
        "stat": stat,
        "media_type": "image/jpeg",
    }
    return Source(**{**values, **changes})


def stated(
    value: Any,
    *,
    tag: str = "",
    raw: str | None = None,
    rule: str = "as written",
    rivals: tuple[Reading, ...] = (),
    offset_source: OffsetSource | None = None,
) -> Stated:
    """Of an offset the source is that of who writes into such a tag, unless it is given."""
    source = offset_source or next((source for mark, source in WRITERS.items() if tag.startswith(mark)), None)
    return Stated(value, tag, str(value) if raw is None else raw, rule, rivals, source)


WRITERS = {
    "ExifIFD:Offset": OffsetSource.CAMERA,
    "XMP": OffsetSource.PROGRAM,
    "IPTC": OffsetSource.PROGRAM,
    "sidecar:": OffsetSource.PROGRAM,
    "GPS:GPSTimeStamp": OffsetSource.GPS_CLOCK,
}


def a_device(make: str | None = "Acme", model: str | None = "One", serial: str | None = None, **changes: Any) -> Device:
    key = f"serial:{serial}" if serial else f"model:{make}|{model}" if model else "unknown"
    values: dict[str, Any] = {
        "make": make or Absent.MISSING,
        "model": model or Absent.MISSING,
        "serial": serial or Absent.MISSING,
        "lens": Absent.MISSING,
        "software": Absent.MISSING,
        "owner": Absent.MISSING,
        "key": key,
        "doubt": "" if serial else "no serial number: two devices of one model would be mixed",
    }
    return Device(**{**values, **changes})


def an_exposure(
    *,
    f_number: float | None = None,
    exposure_s: float | None = None,
    iso: float | None = None,
    bias_ev: float | None = None,
    brightness_ev: float | None = None,
    flash_fired: bool | None = None,
    ev100: float | None = None,
) -> Exposure:
    """``ev100`` is computed when the three settings are there and it is not given."""
    if ev100 is None and f_number and exposure_s and iso:
        ev100 = math.log2(f_number**2 / exposure_s) - math.log2(iso / 100) + (bias_ev or 0.0)
    given = (f_number, exposure_s, iso, bias_ev, brightness_ev, flash_fired, ev100)
    return Exposure(*(Absent.MISSING if value is None else value for value in given))


def a_claim(
    *,
    name: str = "photo.jpg",
    local: str | datetime | None = "2024-06-15 12:00:00",
    offset: float | None = None,
    gps: str | datetime | None = None,
    position: tuple[float, float] | None = None,
    position_error_m: float | None = None,
    altitude_m: float | None = None,
    direction_deg: float | None = None,
    zones: tuple[str, ...] | None = None,
    make: str | None = "Acme",
    model: str | None = "One",
    serial: str | None = None,
    software: str | None = None,
    counters: tuple[Counter, ...] = (),
    uptime_s: float | None = None,
    tags: dict[str, Any] | None = None,
    times: tuple[TimeReading, ...] = (),
    warnings: tuple[str, ...] = (),
    subject_to: dict[str, Any] | None = None,
    **exposure: Any,
) -> Claim:
    """Build a claim; the tags behind *local*, *offset*, *gps* and *position* are written too.

    ``offset`` is a stated OffsetTimeOriginal. ``zones`` default to those at *position*.
    ``tags`` are added (a scalar becomes a one-tuple); ``subject_to`` replaces fields of
    the finished claim. Remaining arguments go to :func:`an_exposure`.
    """
    written: dict[str, tuple[str | int | float, ...]] = {}
    readings: list[TimeReading] = []
    fields: dict[str, Any] = dict.fromkeys(
        ("local_time", "utc_offset_hours", "utc_time", "gps_utc_time", "position"), Absent.MISSING
    )
    if local is not None:
        moment = when(local)
        written["ExifIFD:DateTimeOriginal"] = (exif_time(moment),)
        fields["local_time"] = stated(moment, tag="ExifIFD:DateTimeOriginal", raw=exif_time(moment))
        readings.append(_reading(moment, TimeKind.LOCAL, TimeRole.CAPTURE, "ExifIFD:DateTimeOriginal", offset))
        if offset is not None:
            raw = _offset_text(offset)
            written["ExifIFD:OffsetTimeOriginal"] = (raw,)
            fields["utc_offset_hours"] = stated(offset, tag="ExifIFD:OffsetTimeOriginal", raw=raw)
            fields["utc_time"] = stated(
                moment - timedelta(hours=offset), rule="stated offset", offset_source=OffsetSource.CAMERA
            )
    if gps is not None:
        fix = when(gps)
        written["GPS:GPSDateStamp"] = (fix.strftime("%Y:%m:%d"),)
        written["GPS:GPSTimeStamp"] = (fix.strftime("%H:%M:%S"),)
        fields["gps_utc_time"] = stated(fix, tag="GPS:GPSTimeStamp", raw=exif_time(fix))
        readings.append(_reading(fix, TimeKind.UTC, TimeRole.GPS_FIX, "GPS:GPSTimeStamp", None))
    if position is not None:
        latitude_deg, longitude_deg = position
        written["GPS:GPSLatitude"] = (abs(latitude_deg),)
        written["GPS:GPSLatitudeRef"] = ("S" if latitude_deg < 0 else "N",)
        written["GPS:GPSLongitude"] = (abs(longitude_deg),)
        written["GPS:GPSLongitudeRef"] = ("W" if longitude_deg < 0 else "E",)
        fields["position"] = stated(Position(latitude_deg, longitude_deg), tag="GPS:GPSLatitude")
        zones = _zones_at(latitude_deg, longitude_deg) if zones is None else zones
    for tag, value in (tags or {}).items():
        written[tag] = value if isinstance(value, tuple) else (value,)
    device = a_device(make, model, serial, **({"software": software} if software else {}))
    if software:
        written.setdefault("IFD0:Software", (software,))
    fields |= {
        "source_id": source_id_of(name.encode()),
        "altitude_m": Absent.MISSING if altitude_m is None else stated(altitude_m, tag="GPS:GPSAltitude"),
        "direction": Absent.MISSING
        if direction_deg is None
        else stated(Direction(direction_deg, magnetic=False), tag="GPS:GPSImgDirection"),
        "position_error_m": Absent.MISSING
        if position_error_m is None
        else stated(position_error_m, tag="GPS:GPSHPositioningError"),
        "zones": zones or (),
        "exposure": an_exposure(**exposure),
        "device": device,
        "counters": counters,
        "uptime": Absent.MISSING
        if uptime_s is None
        else Uptime(uptime_s, "Apple:RunTimeValue", str(uptime_s), excludes_sleep=True),
        "times": (*readings, *times),
        "tags": written,
        "warnings": warnings,
    }
    return Claim(**{**fields, **(subject_to or {})})


def an_image(**changes: Any) -> ImageFacts:
    values: dict[str, Any] = {
        "width": 4000,
        "height": 3000,
        "mode": "RGB",
        "frames": 1,
        "perceptual_hash": 0x0F0F_F0F0_1234_5678,
        "thumbnail_hash": None,
        "thumbnail_size": None,
        "mean_luminance": 0.5,
        "saturation": 0.3,
    }
    return ImageFacts(**{**values, **changes})


def a_photo(
    *,
    name: str = "photo.jpg",
    claim: Claim | Unexamined | None = None,
    sun: Sun | Absent | None = None,
    image: ImageFacts | None = None,
    prediction: Any = None,
    source: Source | None = None,
    **claimed: Any,
) -> Photo:
    """Build a photo; remaining arguments go to :func:`a_claim`, the sun is worked out from it."""
    source = a_source(name) if source is None else source
    claim = a_claim(name=name, **claimed) if claim is None else claim
    if sun is None:
        sun = _sun_of(claim) if isinstance(claim, Claim) else Absent.UNDERIVABLE
    return Photo(
        source=source,
        claim=claim,
        sun=sun,
        image=Unexamined(source.source_id, "decode", "no pixels in this test") if image is None else image,
        prediction=Unexamined(source.source_id, "vision", NO_PIXELS) if prediction is None else prediction,
    )


def a_summary(name: str = "photo.jpg", **changes: Any) -> PhotoSummary:
    """Build a photo summary; ``local_time``, ``utc_time`` and ``gps_utc_time`` may be given as text."""
    values: dict[str, Any] = {
        "source_id": source_id_of(name.encode()),
        "sha256": hashlib.sha256(name.encode()).hexdigest(),
        "name": name,
        "device_key": "serial:1",
        "media_type": "image/jpeg",
        "local_time": None,
        "local_resolution_s": 1.0,
        "utc_time": None,
        "utc_source": None,
        "offset_hours": None,
        "gps_utc_time": None,
        "latitude_deg": None,
        "longitude_deg": None,
        "position_error_m": None,
        "zone": "",
        "ev100": None,
        "flash_fired": None,
        "sun_elevation_deg": None,
        "counters": (),
        "uptime_s": None,
        "uptime_excludes_sleep": False,
        "burst_id": "",
        "software": "",
        "perceptual_hash": None,
        "hour_mass": None,
        "datable": None,
        "embedding": None,
    }
    for field in ("local_time", "utc_time", "gps_utc_time"):
        if isinstance(changes.get(field), str):
            changes[field] = when(changes[field])
    return PhotoSummary(**{**values, **changes})


def a_group(*summaries: PhotoSummary, device_key: str = "serial:1", doubt: str = "") -> DeviceGroup:
    ordered = sorted(
        summaries, key=lambda summary: (summary.local_time is None, summary.local_time or datetime.min, summary.name)
    )
    return DeviceGroup(device_key, f"Acme One ({device_key})", doubt, tuple(ordered))


def _reading(moment: datetime, kind: TimeKind, role: TimeRole, tag: str, offset: float | None) -> TimeReading:
    kind = TimeKind.ZONED if offset is not None and kind is TimeKind.LOCAL else kind
    return TimeReading(moment, kind, role, tag, exif_time(moment), offset)


def _offset_text(hours: float) -> str:
    minutes = round(abs(hours) * 60)
    return f"{'-' if hours < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def _zones_at(latitude_deg: float, longitude_deg: float) -> tuple[str, ...]:
    from gtloc_forensics.earth.zones import zones_at

    return zones_at(Position(latitude_deg, longitude_deg))


def _sun_of(claim: Claim) -> Sun | Absent:
    from gtloc_forensics.earth.claims import sun

    return sun(claim)


def findings_of(rule: Any, photo: Photo, *, now: str = "2026-11-21 12:00", among: tuple[Photo, ...] = ()) -> list[Any]:
    """Run one photo-scope rule, as the engine would, needs included; *among* are all photos of its case."""
    from gtloc_forensics.checks import Context, circumstances, not_testable, unmet

    if why := unmet(rule, photo):
        return [not_testable(rule.check_id, photo.source.source_id, why)]
    told = circumstances.gather(as_told(member.claim) for member in among if isinstance(member.claim, Claim))
    return list(rule.function(photo, Context(when(now), circumstances=told)))


def as_told(claim: Claim) -> Claim:
    """Return a claim with no more of it than an audit reads for what many photos tell of one."""
    from gtloc_forensics.checks import circumstances

    tags = {tag: claim.tags[tag] for tag in circumstances.TAGS if tag in claim.tags}
    return replace(claim, tags=tags, **dict.fromkeys(circumstances.UNREAD, ()))


def only(rule: Any, photo: Photo, **more: Any) -> Any:
    """Return the one finding of *rule*; most rules give exactly one."""
    (finding,) = findings_of(rule, photo, **more)
    return finding
