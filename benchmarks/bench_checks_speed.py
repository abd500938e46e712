"""How much CPU the metadata rules and the clock models take for 100,000 photos' worth of claims.

    python benchmarks/bench_checks_speed.py [--photos 1000 10000 100000] [--devices 50] [--out FILE]
    python benchmarks/bench_checks_speed.py --comparing 1000      # what comparing so many takes, and its peak memory

Claims are synthetic and plausible: places round the globe, exposures that fit the sun, GPS
time in most, counters and uptimes in some. The goal is under 60 s of CPU for the rules of
100,000; every rule is told for each number of photos, and `growth` is the exponent between
the last two: 1 where the cost is linear.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import time
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import numpy as np
from bench_memory import peak_kib
from real_photos import NOW, Real, registry, synthetic_source

from gtloc_forensics.checks import Scope, unmet
from gtloc_forensics.earth import globe
from gtloc_forensics.earth.zones import offset_at_utc, zones_at
from gtloc_forensics.evidence import clocks
from gtloc_forensics.evidence.false_discovery import Tested
from gtloc_forensics.examination import summaries
from gtloc_forensics.examination.judging import hear_rule
from gtloc_forensics.examination.on_disk import OnDisk
from gtloc_forensics.examination.results import Places, Said, Told
from gtloc_forensics.records import Finding, ImageFacts, Photo, PhotoSummary, Position, Tags, Unexamined

TOWNS = 400
WORTH_S = 0.2  # less is not looked at: a clock tick of a chunk is a hundredth of it


def photos(count: int, devices: int, seed: int) -> Iterator[Photo]:
    """Yield *count* photos of *devices* cameras, each of which visits towns for a day."""
    rng = np.random.default_rng(seed)
    towns = [Position(float(rng.uniform(-45, 60)), float(rng.uniform(-120, 150))) for _ in range(TOWNS)]
    for number in range(count):
        device, shot = number % devices, number // devices
        town = towns[(device * 7 + shot // 40) % TOWNS]
        tags = _tags(device, shot, town, rng)
        source = synthetic_source(f"{device:03}/{shot:06}.jpg")
        yield Real(source, "", "", tags, (), _image(rng)).photo()


def _tags(device: int, shot: int, town: Position, rng: np.random.Generator) -> Tags:
    utc = datetime(2019, 1, 1) + timedelta(days=shot // 40, minutes=12.0 * (shot % 40) + float(rng.uniform(0, 9)))
    utc += timedelta(hours=10.0 - town.longitude_deg / 15.0)
    local = utc + timedelta(hours=offset_at_utc(zones_at(town)[0], utc))
    height, _ = globe.sun_at(utc, town)
    ev100 = float(np.interp(height, (-10.0, 0.0, 20.0, 60.0), (4.0, 8.0, 12.0, 14.0)) + rng.normal(0.0, 1.5))
    written = local.strftime("%Y:%m:%d %H:%M:%S")
    return {
        "IFD0:Make": ("Acme",),
        "IFD0:Model": (f"Model {device % 9}",),
        "ExifIFD:SerialNumber": (f"A{device:05}",),
        "ExifIFD:DateTimeOriginal": (written,),
        "ExifIFD:CreateDate": (written,),
        "IFD0:ModifyDate": (written,),
        "ExifIFD:FNumber": (2.0,),
        "ExifIFD:ExposureTime": (4.0 / 2.0**ev100,),
        "ExifIFD:ISO": (100,),
        "ExifIFD:Flash": (16,),
        "GPS:GPSLatitude": (abs(town.latitude_deg) + float(rng.uniform(0, 0.02)),),
        "GPS:GPSLatitudeRef": ("S" if town.latitude_deg < 0 else "N",),
        "GPS:GPSLongitude": (abs(town.longitude_deg) + float(rng.uniform(0, 0.02)),),
        "GPS:GPSLongitudeRef": ("W" if town.longitude_deg < 0 else "E",),
        "GPS:GPSDateStamp": (utc.strftime("%Y:%m:%d"),),
        "GPS:GPSTimeStamp": (utc.strftime("%H:%M:%S"),),
        "Nikon:ShutterCount": (1_000 + shot,),
    }


def _image(rng: np.random.Generator) -> ImageFacts | Unexamined:
    return ImageFacts(4000, 3000, "RGB", 1, int(rng.integers(0, 2**63)), None, None, 0.5, 0.3)


def run(count: int, devices: int, seed: int) -> dict[str, float]:
    """Return CPU seconds of all rules, of the clock models and of each rule."""
    rules = registry()
    spent: Counter[str] = Counter()
    by_rule: Counter[str] = Counter()
    seen: list[PhotoSummary] = []
    labels: dict[str, tuple[str, str]] = {}
    for chunk in _chunks(photos(count, devices, seed)):
        for rule in rules.of(Scope.PHOTO):
            begun = time.process_time()
            for photo in chunk:
                if not unmet(rule, photo):
                    _exhaust(rule.function(photo, NOW))
            by_rule[rule.check_id] += time.process_time() - begun
        begun = time.process_time()
        seen += [summary for photo in chunk if (summary := summaries.summary_of(photo)) is not None]
        spent["summaries"] += time.process_time() - begun
        labels |= {photo.claim.device.key: summaries.label(photo.claim) for photo in chunk if photo.claim}
    begun = time.process_time()
    groups = summaries.by_device(seen, labels)
    spent["summaries"] += time.process_time() - begun
    for rule in (*rules.of(Scope.DEVICE), *rules.of(Scope.CASE)):
        begun = time.process_time()
        for subject in groups if rule.scope is Scope.DEVICE else [seen]:
            _exhaust(rule.function(subject, NOW))
        by_rule[rule.check_id] = time.process_time() - begun
    begun = time.process_time()
    for group in groups:
        clocks.fit(group)
    spent["clock models"] = time.process_time() - begun
    spent["rules"] = sum(by_rule.values())
    each = {f"rule {name}": round(seconds, 3) for name, seconds in by_rule.most_common()}
    return {name: round(seconds, 3) for name, seconds in spent.items()} | each


def growth(figures: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return by which power of the number of photos each cost grew from the last number but one to the last."""
    (fewer, before), (more, after) = list(figures.items())[-2:]
    apart = math.log(int(more) / int(fewer))
    return {
        name: round(math.log(seconds / before[name]) / apart, 2)
        for name, seconds in after.items()
        if seconds >= WORTH_S and before.get(name, 0.0) >= WORTH_S / 100
    }


def comparing(count: int, devices: int, seed: int) -> dict[str, float]:
    """Return CPU seconds and peak memory of the rules over all photos and the clock models, as an audit holds them."""
    rules = registry()
    seen = OnDisk[PhotoSummary](kind=PhotoSummary)
    labels: dict[str, tuple[str, str]] = {}
    source_ids = array("Q")
    begun = time.process_time()
    for photo in photos(count, devices, seed):
        summary = summaries.summary_of(photo)
        source_ids.append(int(photo.source.source_id, 16))
        seen.append(summary)
        labels.setdefault(summary.device_key, summaries.label(photo.claim))
    spent = {"photos": count, "making": time.process_time() - begun, "peak_mib_before": peak_kib() / 1024}
    begun = time.process_time()
    said, tested, everyone = Said(Places(source_ids)), Tested(), seen.stand_ins()
    groups = summaries.by_device(everyone, labels)
    for rule in (*rules.of(Scope.DEVICE), *rules.of(Scope.CASE)):
        for subject in groups if rule.scope is Scope.DEVICE else [everyone]:
            told = Told(said)
            if hear_rule(rule, subject, NOW, told.hear) is not None:
                raise SystemExit(f"{rule.check_id} failed")
            told.join(tested)
    spent |= {"rules": time.process_time() - begun, "peak_mib_rules": peak_kib() / 1024}
    begun = time.process_time()
    clocks.fit_all(groups)
    spent |= {"clock models": time.process_time() - begun, "peak_mib": peak_kib() / 1024}
    return {name: round(value, 2) for name, value in spent.items()}


def _chunks(stream: Iterator[Photo]) -> Iterator[list[Photo]]:
    while chunk := list(islice(stream, 2_000)):
        yield chunk


def _exhaust(findings: Iterable[Finding]) -> None:
    for _ in findings:
        pass


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--devices", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--comparing", type=int, default=0)
    chosen = parser.parse_args()
    if chosen.comparing:
        print(json.dumps(comparing(chosen.comparing, chosen.devices, chosen.seed)))
        return
    spent = {str(count): run(count, chosen.devices, chosen.seed) for count in sorted(chosen.photos)}
    figures = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "cpu_seconds": spent,
        "growth": growth(spent) if len(spent) > 1 else {},
    }
    text = json.dumps(figures, indent=1)
    print(text)
    if chosen.out is not None:
        chosen.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
