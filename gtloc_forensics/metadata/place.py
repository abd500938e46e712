"""Where a file says it was taken: position, altitude, direction, and how sure its receiver was."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gtloc_forensics.metadata.tag_values import number, numbers, stripped, text
from gtloc_forensics.metadata.times import SIDECAR
from gtloc_forensics.records import Absent, Direction, Position, Reading, Sentence, Stated, Tags

COORDINATES = ("Keys:GPSCoordinates", "ItemList:GPSCoordinates", "UserData:GPSCoordinates")
"""QuickTime: ``latitude longitude [altitude]`` in one text."""

Found = tuple[Reading[Position] | Absent, Sentence]
"""A position, or why a place that should hold one does not; and the rule in plain words."""


def position(tags: Tags, sidecars: Sequence[tuple[str, Tags]] = ()) -> Stated[Position] | Absent:
    """Return the claimed position; (0, 0) and a void fix are :attr:`Absent.NO_FIX`, never a place.

    EXIF comes first, then XMP (which carries its own signs), the container, sidecars.
    """
    found = [*_exif(tags), *_xmp(tags, ""), *_container(tags)]
    for _, beside in sidecars:
        found += [*_xmp(beside, SIDECAR), *_kept_beside(beside)]
    good = [(reading, rule) for reading, rule in found if isinstance(reading, Reading)]
    if not good:
        reasons = [reading for reading, _ in found if isinstance(reading, Absent)]
        return reasons[0] if reasons else Absent.MISSING
    (won, rule), *lost = good
    return Stated(won.value, won.tag, won.raw, rule, tuple(reading for reading, _ in lost))


def _exif(tags: Tags) -> Iterator[Found]:
    if not (tags.get("GPS:GPSLatitude") or tags.get("GPS:GPSLongitude")):
        return
    rule = Sentence("EXIF GPS position")
    if text(tags, "GPS:GPSStatus").upper().startswith("V"):
        yield Absent.NO_FIX, rule
        return
    references = [text(tags, f"GPS:GPS{axis}Ref")[:1].upper() for axis in ("Latitude", "Longitude")]
    if not (references[0] in ("N", "S") and references[1] in ("E", "W")):
        rule = (
            Sentence("EXIF GPS position; its hemisphere is not written, north and east are assumed")
            if not all(references)
            else Sentence(
                "EXIF GPS position; its hemisphere is written in no way that EXIF knows, north and east assumed"
            )
        )
    latitudes, longitudes = tags.get("GPS:GPSLatitude", ("",)), tags.get("GPS:GPSLongitude", ("",))
    for latitude, longitude in zip(latitudes, longitudes, strict=False):
        raw = f"{latitude} {references[0]}, {longitude} {references[1]}"
        north, east = _signed(latitude, references[0], "S"), _signed(longitude, references[1], "W")
        yield _checked(north, east, tag="GPS:GPSLatitude", raw=raw), rule


def _signed(value: object, reference: str, negative: str) -> float | None:
    """Return a coordinate with its sign; exiftool's is without one unless the file has it so."""
    found = number(value)
    if found is None:
        return None
    return -abs(found) if reference == negative else found


def _kept_beside(beside: Tags) -> Iterator[Found]:
    """Yield the position in the JSON file that an export of a photo service lays beside each photo; 0, 0 is none."""
    for name in ("GeoDataExif", "GeoData"):
        tag = f"JSON:{name}Latitude"
        for latitude, longitude in zip(beside.get(tag, ()), beside.get(f"JSON:{name}Longitude", ()), strict=False):
            raw, rule = f"{latitude}, {longitude}", Sentence("position that a photo service keeps beside the file")
            found = _checked(number(latitude), number(longitude), tag=SIDECAR + tag, raw=raw)
            if found is not Absent.NO_FIX:  # the service writes zeros where it knows no place: no receiver did
                yield found, rule
    tag = "JSON:ExportLatitude"
    for latitude, longitude in zip(beside.get(tag, ()), beside.get("JSON:ExportLongitude", ()), strict=False):
        raw, rule = f"{latitude}, {longitude}", Sentence("position that a service says it read in the file")
        yield _checked(number(latitude), number(longitude), tag=SIDECAR + tag, raw=raw), rule


def _xmp(tags: Tags, prefix: str) -> Iterator[Found]:
    rule = Sentence("XMP sidecar position") if prefix else Sentence("XMP position")
    yield from _pair(tags, "XMP-exif", prefix, rule)
    if not prefix:
        yield from _pair(tags, "XMP-drone-dji", prefix, Sentence("position in the maker's XMP"))


def _pair(tags: Tags, group: str, prefix: str, rule: Sentence) -> Iterator[Found]:
    latitudes, longitudes = tags.get(f"{group}:GPSLatitude", ()), tags.get(f"{group}:GPSLongitude", ())
    for latitude, longitude in zip(latitudes, longitudes, strict=False):
        tag, raw = f"{prefix}{group}:GPSLatitude", f"{latitude}, {longitude}"
        # XMP's own form has its sign; some programs (Apple's Photos) write the hemisphere apart, as EXIF does.
        references = [text(tags, f"{group}:GPS{axis}Ref")[:1].upper() for axis in ("Latitude", "Longitude")]
        north, east = _xmp_signed(latitude, references[0], "S"), _xmp_signed(longitude, references[1], "W")
        yield _checked(north, east, tag=tag, raw=raw), rule


def _xmp_signed(value: object, reference: str, negative: str) -> float | None:
    found = _xmp_number(value)
    return -abs(found) if found is not None and reference == negative else found


_XMP_FORM = re.compile(r"([0-9]{1,3}),([0-9]{1,2}(?:\.[0-9]+)?)(?:,([0-9]{1,2}(?:\.[0-9]+)?))?([NSEW])", re.ASCII)


def _xmp_number(value: object) -> float | None:
    """Return a coordinate that exiftool made a number, or one still in XMP's form ``43,30.0N``."""
    found = _XMP_FORM.fullmatch(stripped(value)[:40])
    if found is None:
        return number(value)
    degrees = int(found[1]) + float(found[2]) / 60.0 + float(found[3] or 0.0) / 3600.0
    return -degrees if found[4] in "SW" else degrees


def _container(tags: Tags) -> Iterator[Found]:
    for name in COORDINATES:
        for value in tags.get(name, ()):
            parts = [number(part) for part in re.split(r"[ ,]+", stripped(value)[:80])][:2]
            north, east = (parts[0], parts[1]) if len(parts) == 2 else (None, None)
            yield _checked(north, east, tag=name, raw=str(value)), Sentence("position of the container")


def _checked(north: float | None, east: float | None, *, tag: str, raw: str) -> Reading[Position] | Absent:
    if north is None or east is None:
        return Absent.UNPARSABLE
    if 180.0 < east <= 360.0:
        east -= 360.0  # counted eastward all the way round
    if abs(north) > 90.0 or abs(east) > 180.0:
        return Absent.OUT_OF_RANGE
    if abs(north) < NULL_DEG and abs(east) < NULL_DEG:
        return Absent.NO_FIX
    return Reading(Position(north, east), tag, raw)


NULL_DEG = 1e-5
"""A metre: what rounding leaves of an empty position; nobody stands there, it is open sea."""


def oddities(tags: Tags) -> tuple[Sentence, ...]:
    """Return what is odd about the written coordinates, in sentences; whether they were used is the claim's to say."""
    return tuple(_oddities(tags))


def _oddities(tags: Tags) -> Iterator[Sentence]:
    for group in ("GPS", "XMP-exif"):
        pairs = zip(tags.get(f"{group}:GPSLatitude", ()), tags.get(f"{group}:GPSLongitude", ()), strict=False)
        for latitude, longitude in pairs:
            north, east = _xmp_number(latitude), _xmp_number(longitude)
            if north is None or east is None:
                continue
            if abs(north) > 90.0:
                yield _no_latitude(f"{group}:GPSLatitude", north, is_swapped=abs(north) <= 180.0 and abs(east) <= 90.0)
            tag = f"{group}:GPSLongitude"
            if 180.0 < abs(east) <= 360.0:
                yield Sentence("{tag} holds {value:g}: longitude counted through to 360°", tag=tag, value=east)
            elif abs(east) > 360.0:
                yield Sentence("{tag} holds {value:g}, which is no longitude", tag=tag, value=east)
    if text(tags, "GPS:GPSStatus").upper().startswith("V") and tags.get("GPS:GPSLatitude"):
        yield Sentence(
            "{tag} says that the receiver had no fix: the position beside it is not taken for the place",
            tag="GPS:GPSStatus",
        )


def _no_latitude(tag: str, value: float, *, is_swapped: bool) -> Sentence:
    if is_swapped:
        return Sentence(
            "{tag} holds {value:g}, which is beyond 90° and no latitude; latitude and longitude look exchanged",
            tag=tag,
            value=value,
        )
    return Sentence("{tag} holds {value:g}, which is beyond 90° and no latitude", tag=tag, value=value)


HIGHEST_M = 100_000.0
"""Above aircraft and balloons; an airliner's cabin is at 10 km and its telephone says so."""


def altitude_m(tags: Tags) -> Stated[float] | Absent:
    """Return metres above sea level, negative below it."""
    for group in ("GPS", "XMP-exif"):
        for tag, height, raw in numbers(tags, f"{group}:GPSAltitude"):
            below = text(tags, f"{group}:GPSAltitudeRef")[:1] in ("1", "3")  # 3: below the ellipsoid (EXIF 3.0)
            rule = Sentence("GPS altitude, written as below sea level") if below else Sentence("GPS altitude")
            if abs(height) > HIGHEST_M:
                return Absent.OUT_OF_RANGE
            return Stated(-abs(height) if below else height, tag, raw, rule)
    return _why_absent(tags, "GPS:GPSAltitude", "XMP-exif:GPSAltitude")


_NORTH = {
    "M": Sentence("against magnetic north"),
    "T": Sentence("against true north"),
    "": Sentence("its reference is not written, true north is assumed"),
}
"""Reference of a direction → the rule that is told of it."""


def direction(tags: Tags) -> Stated[Direction] | Absent:
    """Return where the camera looked; north is 0, and 360 is 0 too."""
    for group in ("GPS", "XMP-exif"):
        for tag, azimuth, raw in numbers(tags, f"{group}:GPSImgDirection"):
            if 0.0 <= azimuth <= 360.0:
                reference = text(tags, f"{group}:GPSImgDirectionRef")[:1].upper()
                rule = _NORTH.get(reference, _NORTH[""])
                return Stated(Direction(azimuth % 360.0, reference == "M"), tag, f"{raw} {reference}".strip(), rule)
    return _why_absent(tags, "GPS:GPSImgDirection", "XMP-exif:GPSImgDirection")


def position_error_m(tags: Tags) -> Stated[float] | Absent:
    """Return the receiver's own estimate of its horizontal error."""
    for tag, error, raw in numbers(tags, "GPS:GPSHPositioningError", "XMP-exif:GPSHPositioningError"):
        if error > 0.0:
            return Stated(error, tag, raw, Sentence("horizontal error stated by the receiver"))
    return _why_absent(tags, "GPS:GPSHPositioningError", "XMP-exif:GPSHPositioningError")


def _why_absent(tags: Tags, *names: str) -> Absent:
    return Absent.UNPARSABLE if any(tags.get(name) for name in names) else Absent.MISSING
