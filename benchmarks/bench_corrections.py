"""Does the default plan ever make a true value false? Made journeys with one fault each, audited, planned, compared.

Every journey is a folder of drawn pictures whose true times, zones and places are known. One fault is put in: the
clock of a camera or of one file, a zone lost or wrong, a sign lost, coordinates exchanged, a date reset. Honest
oddities (old fixes, photos without GPS) are there as well. The plan is the one that the case proposes by itself.

    python benchmarks/bench_corrections.py --journeys 200 --seed 1 --output corrections.json
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image

from gtloc_forensics import correct
from gtloc_forensics.case.case import open_case
from gtloc_forensics.correct import Order, Plan, Quantity
from gtloc_forensics.correct import changes as lines
from gtloc_forensics.earth import zones
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import ClockModel, Finding, Photo, Position

Place = tuple[float, float]

TOWNS: Sequence[Place] = (
    (48.8566, 2.3522),
    (40.7128, -74.006),
    (-33.8688, 151.2093),
    (35.6762, 139.6503),
    (19.4326, -99.1332),
    (-1.2921, 36.8219),
    (51.5072, -0.1276),
    (-23.5505, -46.6333),
    (28.6139, 77.209),
    (64.1466, -21.9426),
)
FAULTS = (
    "none",
    "clock of a camera",
    "clock of one file",
    "zone lost",
    "zone wrong",
    "zone of one file wrong",
    "sign lost",
    "sign lost in all files",
    "exchanged",
    "date reset",
    "position moved",
)
SAME_TIME_S = 60.0
SAME_PLACE_DEG = 0.01


@dataclass(frozen=True)
class Said:
    """What one file says, or what is true of it. None: the file does not say."""

    local: datetime
    offset: float | None
    gps: datetime | None
    place: Place | None
    camera: str

    def value(self, quantity: Quantity) -> object:
        """Return what is said of one quantity."""
        return {
            Quantity.LOCAL_TIME: self.local,
            Quantity.OFFSET: self.offset,
            Quantity.GPS_TIME: self.gps,
            Quantity.POSITION: self.place,
        }[quantity]


QUANTITIES = (Quantity.LOCAL_TIME, Quantity.OFFSET, Quantity.GPS_TIME, Quantity.POSITION)


def journey(rng: np.random.Generator, *, fault: str) -> tuple[dict[str, Said], dict[str, Said]]:
    """Return what is true of each file of a journey, and what its files say after the fault."""
    town = TOWNS[rng.integers(len(TOWNS))]
    zone = zones.zones_at(Position(*town))[0]
    has_gps, has_zone, has_place = rng.random() < 0.6, rng.random() < 0.6, rng.random() < 0.85
    start = datetime(2012, 1, 1) + timedelta(days=int(rng.integers(4400)), hours=int(rng.integers(24)))
    truth: dict[str, Said] = {}
    instant = start
    for number in range(int(rng.integers(1, 9))):
        instant += timedelta(minutes=float(rng.uniform(2, 600)))
        instant = instant.replace(microsecond=0)
        offset = zones.offset_at_utc(zone, instant)
        place = (town[0] + float(rng.uniform(-0.02, 0.02)), town[1] + float(rng.uniform(-0.02, 0.02)))
        lag = timedelta(
            seconds=float(rng.choice([0, 1, 3, 9])) if rng.random() < 0.9 else float(rng.uniform(60, 30000))
        )
        truth[f"IMG_{number:04d}.JPG"] = Said(
            local=instant + timedelta(hours=offset),
            offset=offset if has_zone else None,
            gps=(instant - lag).replace(microsecond=0) if has_gps and has_place else None,
            place=place if has_place else None,
            camera="A" if rng.random() < 0.9 else "B",
        )
    return truth, spoilt(truth, fault, rng)


def spoilt(truth: dict[str, Said], fault: str, rng: np.random.Generator) -> dict[str, Said]:
    """Return what the files say once *fault* is in them; their GPS times are never touched."""
    one = str(rng.choice(list(truth)))
    camera = truth[one].camera
    hours = float(rng.choice([-12, -9, -8, -6, -2, -1, 1, 2, 3, 6, 8, 12, 24, -48, 1.37, 8760]))
    east = bool(rng.random() < 0.5)

    def changed(name: str, said: Said) -> Said:
        mate = said.camera == camera
        match fault:
            case "clock of a camera" if mate:
                return replace(said, local=said.local + timedelta(hours=hours))
            case "clock of one file" if name == one:
                return replace(said, local=said.local + timedelta(hours=hours))
            case "zone lost" if mate:
                return replace(said, offset=None)
            case "zone wrong" if mate and said.offset is not None:
                return replace(said, offset=-5.0 if said.offset != -5.0 else 1.0)
            case "zone of one file wrong" if name == one and said.offset is not None:
                return replace(said, offset=-5.0 if said.offset != -5.0 else 1.0)
            case "sign lost" | "sign lost in all files" if said.place and (name == one or (mate and "all" in fault)):
                latitude, longitude = said.place
                return replace(said, place=(latitude, -longitude) if east else (-latitude, longitude))
            case "exchanged" if name == one and said.place:
                return replace(said, place=(said.place[1], said.place[0]))
            case "date reset" if mate:
                return replace(said, local=datetime(2000, 1, 1) + (said.local - min(t.local for t in truth.values())))
            case "position moved" if name == one and said.place:
                return replace(said, place=TOWNS[(town_of(said.place) + 3) % len(TOWNS)])
            case _:
                return said

    return {name: changed(name, said) for name, said in truth.items()}


def town_of(place: Place) -> int:
    """Return which town a place lies in."""
    return min(range(len(TOWNS)), key=lambda index: math.dist(TOWNS[index], place))


def write(folder: Path, said: dict[str, Said], rng: np.random.Generator) -> None:
    """Write a drawn picture for each file."""
    folder.mkdir(parents=True)
    for name, one in said.items():
        exif = Image.Exif()
        exif[271], exif[272] = "Acme", f"Acme {one.camera}"
        details = exif.get_ifd(0x8769)
        details[0x9003] = details[0x9004] = one.local.strftime("%Y:%m:%d %H:%M:%S")
        details[0xA431] = f"SN{one.camera}"
        if one.offset is not None:
            details[0x9011] = lines.write_offset(one.offset)
        if one.place is not None:
            exif[0x8825] = _gps(one)
        pixels = rng.integers(0, 255, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / name, exif=exif, quality=90)


def _gps(said: Said) -> dict[int, object]:
    latitude, longitude = said.place or (0.0, 0.0)
    out: dict[int, object] = {
        1: "S" if latitude < 0 else "N",
        2: (abs(latitude), 0.0, 0.0),
        3: "W" if longitude < 0 else "E",
        4: (abs(longitude), 0.0, 0.0),
    }
    if said.gps is not None:
        out |= {7: (float(said.gps.hour), float(said.gps.minute), float(said.gps.second)), 29: f"{said.gps:%Y:%m:%d}"}
    return out


def examined(folder: Path, case: Path) -> tuple[list[Photo], tuple[ClockModel, ...], tuple[Finding, ...]]:
    """Return what an audit without a model finds."""
    with open_case(folder, case) as opened:
        opened.audit(Settings(model="none", jobs=0))
        view = opened.view()
        return [entry.photo for entry in view.photos()], view.clocks(), view.case_findings()


def outcomes(truth: dict[str, Said], said: dict[str, Said], plan: Plan) -> Iterator[tuple[str, str, Quantity]]:
    """Yield ``(what became of it, file, quantity)`` for every value that is false or that the plan changes."""
    new = {(change.relative.decode(), change.quantity): change.new for change in plan.changes}
    for name, true in truth.items():
        for quantity in QUANTITIES:
            was = is_true(quantity, said[name].value(quantity), true.value(quantity))
            text = new.get((name, quantity))
            now = was if text is None else is_true(quantity, lines.checked(quantity, text), true.value(quantity))
            if was and not now:
                yield "true made false", name, quantity
            elif not was:
                yield "false made true" if now else "left", name, quantity


def is_true(quantity: Quantity, said: object, true: object) -> bool:
    """Return whether a value is the true one; an offset that nobody stated is true where it is the legal one."""
    if isinstance(said, Position):
        said = (said.latitude_deg, said.longitude_deg)
    if isinstance(said, datetime) and isinstance(true, datetime):
        return abs((said - true).total_seconds()) <= SAME_TIME_S
    if isinstance(said, tuple) and isinstance(true, tuple):
        return math.dist(said, true) <= SAME_PLACE_DEG
    return said == true or (quantity is Quantity.OFFSET and true is None)


def main() -> int:
    """Run the journeys and print the counts; 1 when a true value was made false."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--journeys", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="JSON with the counts by fault")
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    counts: dict[str, Counter[str]] = {fault: Counter() for fault in FAULTS}
    for number in range(asked.journeys):
        fault = FAULTS[number % len(FAULTS)]
        truth, said = journey(rng, fault=fault)
        with tempfile.TemporaryDirectory() as place:
            write(Path(place) / "photos", said, rng)
            photos, clocks, findings = examined(Path(place) / "photos", Path(place) / "case")
        plan = correct.plan(Order(), photos, clocks=clocks, findings=findings)
        counts[fault]["journeys"] += 1
        for outcome, name, quantity in outcomes(truth, said, plan):
            counts[fault][outcome] += 1
            if outcome == "true made false":
                print(f"journey {number} ({fault}): {name} {quantity.value}", file=sys.stderr)
    total: Counter[str] = sum(counts.values(), Counter())
    for fault, counted in (*counts.items(), ("all", total)):
        words = ("journeys", "true made false", "false made true", "left")
        print(f"{fault:24}" + "  ".join(f"{counted[word]:4} {word}" for word in words))
    if asked.output:
        asked.output.write_text(json.dumps({fault: dict(counted) for fault, counted in counts.items()}, indent=1))
    return 1 if total["true made false"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
