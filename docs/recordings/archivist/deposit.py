"""Make the folder of the recording: one journey, four cameras that do not exist, one clock that was wrong.

``python docs/recordings/archivist/deposit.py OUT`` renders 24 photos with the sun where it stood, all in one folder as
a card reader leaves them. Three cameras tell the truth; the clock of the Nordvale runs 2 h 13 min behind.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parents[3] / "examples"))

from imagined.cameras import CAMERAS, Camera, photograph
from imagined.scenes import BY_NAME, Scene
from make_case import Claim, Entry, save_jpeg, tags_of, write_tags

KESTRION, NORDVALE, QUILLMARK = CAMERAS
TARNWOLD = replace(
    KESTRION,
    make="Tarnwold",
    model="Field 3",
    serial="TW3-000871",
    software="Field 3 v1.0",
    lens="Tarnwold 35mm F4",
    focal_mm=35.0,
    apertures=(4.0, 5.6, 8.0, 11.0),
    name_pattern="TW3_{number:04d}.JPG",
)
BEHIND = timedelta(hours=2, minutes=13)
SIZE = (480, 360)

STOPS = (
    ("Zermatt", "2024-09-03T10:05", "mountain", 20.0),
    ("Zermatt", "2024-09-03T16:20", "village", 110.0),
    ("Lisbon", "2024-09-06T11:40", "street", 35.0),
    ("Lisbon", "2024-09-06T18:10", "coast", 276.0),
    ("Berlin", "2024-09-10T09:30", "park", 120.0),
    ("Berlin", "2024-09-10T14:50", "street", 300.0),
)
"""Where the four were together: place, local time of the first picture, ground, direction."""


def scene_of(stop: int, order: int) -> Scene:
    """Return what camera number *order* saw at a stop, some minutes after the one before it."""
    name, local, ground, heading_deg = STOPS[stop]
    place = BY_NAME[name]
    taken = datetime.fromisoformat(local) + timedelta(minutes=4 * order, seconds=(37 * stop + 23 * order) % 55)
    utc_time = taken.replace(tzinfo=ZoneInfo(place.zone)).astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
    return Scene(
        seed=1000 + 100 * stop + 17 * order,
        utc_time=utc_time,
        latitude_deg=round(place.latitude_deg + 0.0007 * order, 6),
        longitude_deg=round(place.longitude_deg - 0.0005 * order, 6),
        zone=place.zone,
        ground=ground,
        heading_deg=(heading_deg + 80 * order) % 360,
        pitch_deg=4.0,
        field_of_view_deg=65.0,
        altitude_m=place.altitude_m,
    )


def entry_of(scene: Scene, camera: Camera, number: int) -> Entry:
    """Return what the file will claim: the truth, but for the clock of the Nordvale."""
    satellite = camera in (NORDVALE, QUILLMARK)
    claim = Claim(
        local_time=scene.local_time - (BEHIND if camera is NORDVALE else timedelta(0)),
        offset_hours=scene.offset_hours if camera in (KESTRION, QUILLMARK) else None,
        position=None if camera is TARNWOLD else (scene.latitude_deg, scene.longitude_deg),
        gps_utc_time=scene.utc_time - timedelta(seconds=1) if satellite else None,
        heading_deg=scene.heading_deg if satellite else None,
    )
    name = claim.local_time.strftime(camera.name_pattern).format(number=number)
    fault = "clock 2 h 13 min behind" if camera is NORDVALE else ""
    return Entry(name, camera, scene, claim, fault, number)


def main(out: Path) -> None:
    """Make the folder *out*, which must not be there."""
    out.mkdir(parents=True)
    written = []
    for order, camera in enumerate((KESTRION, NORDVALE, QUILLMARK, TARNWOLD)):
        for stop in range(len(STOPS)):
            entry = entry_of(scene_of(stop, order), camera, 200 * (order + 1) + 3 * stop)
            shot = photograph(entry.scene, camera, size=SIZE)
            save_jpeg(shot.picture, out / entry.path)
            written.append((out / entry.path, tags_of(entry, shot)))
    write_tags(written)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
