"""Claimed and indicated places for maps: GeoJSON (RFC 7946) and KML 2.2."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from gtloc_forensics.files.writing import replaced
from gtloc_forensics.records import CaseView, Claim, PhotoEntry, Position, Stated, Status
from gtloc_forensics.report.exports.rows import Progress, entries, rounded, row, stated

# Characters that XML 1.0 cannot hold, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KML_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>{name}</name>
<Style id="claimed"><IconStyle><color>ff004ec4</color></IconStyle></Style>
<Style id="indicated"><IconStyle><color>ff945a0b</color></IconStyle></Style>
"""


def write_geojson(
    view: CaseView, path: Path, *, only: frozenset[Status] | None = None, progress: Progress = None
) -> None:
    """Write a feature collection: one point per claimed and per indicated place, longitude first."""
    with replaced(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as out:
        out.write('{"type": "FeatureCollection", "features": [')
        separator = "\n"
        for entry in entries(view, only=only, progress=progress, lean=True):
            for role, position, altitude_m in places(entry):
                out.write(separator + json.dumps(_feature(entry, role, position, altitude_m), ensure_ascii=False))
                separator = ",\n"
        out.write("\n]}\n")


def places(entry: PhotoEntry) -> Iterator[tuple[str, Position, float | None]]:
    """Yield (role, position, altitude in metres) of what is known of a photo's place, and nothing where nothing is."""
    claim, shown = entry.photo.claim, entry.indicated.position
    if isinstance(claim, Claim) and isinstance(claim.position, Stated):
        yield "claimed", rounded(claim.position.value), stated(claim.altitude_m)
    if isinstance(shown, Position):
        yield "indicated", shown, None


def _feature(entry: PhotoEntry, role: str, position: Position, altitude_m: float | None) -> dict[str, Any]:
    point = [position.longitude_deg, position.latitude_deg, *([altitude_m] if altitude_m is not None else [])]
    return {
        "type": "Feature",
        "id": f"{entry.photo.source.source_id}-{role}",
        "geometry": {"type": "Point", "coordinates": point},
        "properties": {"role": role, **row(entry)},
    }


def write_kml(view: CaseView, path: Path, *, only: frozenset[Status] | None = None, progress: Progress = None) -> None:
    """Write placemarks of claimed and indicated places; a time is written only where its instant is known."""
    with replaced(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as out:
        out.write(_KML_HEAD.format(name=xml_text(view.header.case_number or "gtloc_forensics")))
        for entry in entries(view, only=only, progress=progress, lean=True):
            for role, position, altitude_m in places(entry):
                out.write(_placemark(entry, role, position, altitude_m))
        out.write("</Document></kml>\n")


def _placemark(entry: PhotoEntry, role: str, position: Position, altitude_m: float | None) -> str:
    values = row(entry)
    name = xml_text(f"{values['path']} ({role})")
    detail = "\n".join(f"{key}: {value}" for key, value in values.items() if value is not None)
    instant = values["claimed_utc_time"] if role == "claimed" else None
    when = f"<TimeStamp><when>{xml_text(str(instant))}</when></TimeStamp>" if instant else ""
    height = f",{altitude_m}" if altitude_m is not None else ""
    return (
        f"<Placemark><name>{name}</name><description>{xml_text(detail)}</description>{when}"
        f"<styleUrl>#{role}</styleUrl>"
        f"<Point><coordinates>{position.longitude_deg},{position.latitude_deg}{height}</coordinates></Point></Placemark>\n"
    )


def xml_text(text: str) -> str:
    """Return *text* as XML character data; what XML cannot hold becomes its code point."""
    return escape(_NOT_XML.sub(lambda found: f"[U+{ord(found.group()):04X}]", text))
