"""How often the rules alarm on untouched photos, and how often they find faults put into them.

    python benchmarks/bench_checks.py --photos ../shared/photos [--quick] [--write docs/check-rates.md]

Part A reads the real photos with all their metadata. Part B puts one fault into one of
them. Part C rebuilds whole cameras from the table of photos (place, time, exposure),
puts the fault into all photos of a camera and asks rules and clock model; there light is
judged by a model that never saw the camera's source. In A and B it is the shipped one, whose
ten numbers were fitted on some of these sources. Numbers depend on the seed only.
"""

from __future__ import annotations

import argparse
import importlib
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from injected_faults import FAULTS, exactly_hours, position, without_gps_time
from real_photos import NOW, Real, compare, groups_of, judge, read_exif_set, registry, synthetic_source

from gtloc_forensics.checks import Registry, Scope
from gtloc_forensics.earth.circular import hour_distance
from gtloc_forensics.evidence import clocks, exposure
from gtloc_forensics.evidence.clocks import prior
from gtloc_forensics.evidence.exposure import clock_offsets as light_offsets
from gtloc_forensics.records import ClockModel, DeviceGroup, Finding, Outcome, Photo, Tags, Unexamined

sys.path.insert(0, str(Path(__file__).parents[1] / "experiments"))
light_likelihood: Any = importlib.import_module("light_likelihood")

BY_HAND = "<!-- written by hand, kept by the benchmark: -->"
"""What follows it in the page is not of this benchmark, and stays."""
OUTDOORS_EV100 = 8.0
ROUNDING = 1e-6  # a difference of exactly an hour counts as within one
FOUND = (Outcome.SUSPICIOUS, Outcome.CONTRADICTION)
SLOW_RULES = ("GF407", "GF408")  # they speak of whole cameras: left out where one photo is changed


def wilson(hits: int, count: int) -> str:
    """Return a rate with its 95 % interval (Wilson 1927)."""
    if not count:
        return "–"
    z, share = 1.96, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return f"{100 * share:.0f} % ({100 * max(0.0, middle - reach):.0f}–{100 * min(1.0, middle + reach):.0f}, n {count})"


def alarms(findings: Sequence[Finding], source_id: str = "") -> set[tuple[str, Outcome]]:
    """Return what was found, of one photo where named."""
    return {
        (finding.check_id, finding.outcome)
        for finding in findings
        if finding.outcome in FOUND and (not source_id or source_id in finding.source_ids)
    }


# --------------------------------------------------------------------------- A: untouched


def untouched(reals: Sequence[Real], rules: Registry) -> Iterator[str]:
    """Yield the table of outcomes per rule, and every alarm in its source."""
    per_rule: dict[str, Counter[Outcome]] = defaultdict(Counter)
    alarmed: dict[str, set[str]] = defaultdict(set)
    by_group: dict[str, list[Photo]] = defaultdict(list)
    told: list[str] = []
    photo_rules = rules.of(Scope.PHOTO)
    for real in reals:
        photo = real.photo()
        by_group[real.group].append(photo)
        for finding in judge(photo_rules, photo):
            per_rule[finding.check_id][finding.outcome] += 1
            if finding.outcome in FOUND:
                alarmed[finding.check_id].add(real.group)
                told.append(f"* {finding.check_id}, {finding.outcome.value} ({real.trust}): {finding.summary}")
    for group, photos in by_group.items():
        for finding in compare(rules, photos):
            per_rule[finding.check_id][finding.outcome] += len(finding.source_ids) if finding.outcome in FOUND else 1
            if finding.outcome in FOUND:
                alarmed[finding.check_id].add(group)
                told.append(f"* {finding.check_id}, {finding.outcome.value}: {finding.summary}")
    sources = len(by_group)
    yield f"{len(reals)} photos of {sources} sources; each source is one case.\n"
    yield "| rule | tested | explained | suspicious | contradiction | alarm rate | sources with an alarm |"
    yield "|---|---|---|---|---|---|---|"
    for check_id, counts in sorted(per_rule.items()):
        tested = sum(counts.values()) - counts[Outcome.NOT_TESTABLE]
        found = counts[Outcome.SUSPICIOUS] + counts[Outcome.CONTRADICTION]
        rate = wilson(found, tested)
        yield (
            f"| {check_id} | {tested} | {counts[Outcome.EXPLAINED]} | {counts[Outcome.SUSPICIOUS]} | "
            f"{counts[Outcome.CONTRADICTION]} | {rate} | {len(alarmed[check_id])} of {sources} |"
        )
    yield "\nEvery alarm, as the rule words it:\n"
    yield from told or ["* none"]


# --------------------------------------------------------------------------- B: one photo


def single(reals: Sequence[Real], rules: Registry, seed: int) -> Iterator[str]:
    """Yield detection rates of a fault in one photo, the rest of its source untouched."""
    by_group: dict[str, list[Real]] = defaultdict(list)
    for real in reals:
        by_group[real.group].append(real)
    yield (
        "| fault | GPS time present | of these contradiction | GPS time stripped | of these contradiction "
        "| rules that found it (present) |"
    )
    yield "|---|---|---|---|---|---|"
    for name in FAULTS:
        cells, heard = [], Counter[str]()
        for is_stripped in (False, True):
            hits, grave, count, by_rule = _detected(name, by_group, rules, is_stripped=is_stripped, seed=seed)
            cells += [wilson(hits, count), str(grave)]
            heard = by_rule if not is_stripped else heard
        spoken = ", ".join(f"{rule} {number}" for rule, number in heard.most_common(5))
        yield f"| {name} | {' | '.join(cells)} | {spoken} |"


def _detected(
    name: str, by_group: dict[str, list[Real]], rules: Registry, *, is_stripped: bool, seed: int
) -> tuple[int, int, int, Counter[str]]:
    rng = np.random.default_rng(seed)
    photo_rules = rules.of(Scope.PHOTO)
    hits = grave = count = 0
    heard: Counter[str] = Counter()
    for group in by_group.values():
        tags = [without_gps_time(photo.tags) if is_stripped else photo.tags for photo in group]
        clean = [real.photo(own) for real, own in zip(group, tags, strict=True)]
        before_all = compare(rules, clean, leave_out=SLOW_RULES)
        for index, real in enumerate(group):
            if not is_stripped and "GPS:GPSTimeStamp" not in real.tags:
                continue
            changed = FAULTS[name](tags[index], rng)
            if changed == tags[index]:
                continue
            photo, source_id = real.photo(changed), real.source.source_id
            with_it = [photo if place == index else other for place, other in enumerate(clean)]
            after = alarms(judge(photo_rules, photo)) | alarms(compare(rules, with_it, leave_out=SLOW_RULES), source_id)
            new = after - alarms(judge(photo_rules, clean[index])) - alarms(before_all, source_id)
            count += 1
            hits += bool(new)
            grave += any(outcome is Outcome.CONTRADICTION for _, outcome in new)
            heard.update({check_id for check_id, _ in new})
    return hits, grave, count, heard


# --------------------------------------------------------------------------- C: whole cameras


@dataclass(frozen=True)
class Camera:
    """One camera rebuilt from the table, and a light model that never saw its source."""

    name: str
    photos: tuple[tuple[str, Tags], ...]
    ev100: tuple[float, ...]
    model: exposure.LightModel


def cameras(photos: Path, *, fewest: int) -> list[Camera]:
    """Return the cameras with at least *fewest* flashless photos of trusted time."""
    shots = light_likelihood.read(photos)
    found = []
    for mask, model in light_likelihood.cross_fitted(shots):
        for number, name in enumerate(sorted(set(shots.camera[mask].tolist()))):
            rows = np.flatnonzero(shots.camera == name)
            if len(rows) >= fewest:
                told = tuple((f"{number}-{row}.jpg", _tags(shots, row)) for row in rows)
                found.append(Camera(name, told, tuple(float(shots.ev100[row]) for row in rows), _ranked(model)))
    return sorted(found, key=lambda camera: camera.name)


def _ranked(model: exposure.LightModel) -> exposure.LightModel:
    shipped = exposure.load()
    return replace(model, slope=shipped.slope, held_out_log10_lr=shipped.held_out_log10_lr)


def _tags(shots: Any, row: int) -> Tags:
    """Return EXIF tags as a telephone writes them; GPS time is the true instant, the zone is not written."""
    make, model = shots.camera[row].split("|")[1:]
    gps = datetime(1970, 1, 1) + timedelta(seconds=float(shots.utc_s[row]))
    latitude, longitude = float(shots.latitude_deg[row]), float(shots.longitude_deg[row])
    ev100 = float(shots.ev100[row])
    return {
        "IFD0:Make": (make,),
        "IFD0:Model": (model,),
        "ExifIFD:DateTimeOriginal": (shots.local[row].strftime("%Y:%m:%d %H:%M:%S"),),
        "ExifIFD:CreateDate": (shots.local[row].strftime("%Y:%m:%d %H:%M:%S"),),
        "ExifIFD:FNumber": (2.0,),
        "ExifIFD:ExposureTime": (4.0 / 2.0**ev100,),
        "ExifIFD:ISO": (100,),
        "ExifIFD:Flash": (16,),
        "GPS:GPSLatitude": (abs(latitude),),
        "GPS:GPSLatitudeRef": ("S" if latitude < 0 else "N",),
        "GPS:GPSLongitude": (abs(longitude),),
        "GPS:GPSLongitudeRef": ("W" if longitude < 0 else "E",),
        "GPS:GPSDateStamp": (gps.strftime("%Y:%m:%d"),),
        "GPS:GPSTimeStamp": (gps.strftime("%H:%M:%S"),),
    }


def built(name: str, tags: Tags) -> Photo:
    """Return a photo without pixels from its tags."""
    source = synthetic_source(name)
    blind = Unexamined(source.source_id, "decode", "no pixels in this benchmark")
    return Real(source, "", "", tags, (), blind).photo()


def modelled(photos: Sequence[Photo], model: exposure.LightModel) -> tuple[DeviceGroup, ClockModel]:
    """Return the one device of some photos and its clock model."""
    (group,) = groups_of(photos)
    return group, clocks.fit(group, light_model=model)


def whole(found: Sequence[Camera], rules: Registry, seed: int) -> Iterator[str]:
    """Yield detection rates of a fault in all photos of a camera."""
    names = ["none", *FAULTS]
    yield (
        "| fault | clock model calls it wrong, GPS time | any camera rule or clock, GPS time | clock model, stripped "
        "| any camera rule or clock, stripped |"
    )
    yield "|---|---|---|---|---|"
    for name in names:
        cells = []
        for is_stripped in (False, True):
            wrong = heard = 0
            for number, camera in enumerate(found):
                rng = np.random.default_rng([seed, number])
                photos = list(_faulty(camera, name, rng, is_stripped=is_stripped))
                group, model = modelled(photos, camera.model)
                is_wrong = model.kind not in ("right", "undetermined")
                wrong += is_wrong
                heard += is_wrong or _camera_rule_speaks(group, rules, camera.model)
            cells += [wilson(wrong, len(found)), wilson(heard, len(found))]
        yield f"| {name} | {' | '.join(cells)} |"


def _faulty(camera: Camera, name: str, rng: np.random.Generator, *, is_stripped: bool) -> Iterator[Photo]:
    draw = int(rng.integers(2**31))
    for file, tags in camera.photos:
        own = without_gps_time(tags) if is_stripped else tags
        # One fault of one sign and one direction for the whole camera.
        yield built(file, own if name == "none" else FAULTS[name](own, np.random.default_rng(draw)))


def _camera_rule_speaks(group: DeviceGroup, rules: Registry, model: exposure.LightModel) -> bool:
    return any(
        finding.outcome in FOUND and len(finding.source_ids) > 0.5 * len(group.summaries)
        for finding in _of_camera(group, rules, model)
    )


def _of_camera(group: DeviceGroup, rules: Registry, model: exposure.LightModel) -> list[Finding]:
    """Return what the rules about one device say when light is judged by *model*."""
    shipped, exposure.load = exposure.load, lambda: model  # type: ignore[assignment]
    try:
        return [finding for rule in rules.of(Scope.DEVICE) for finding in rule.function(group, NOW)]
    finally:
        exposure.load = shipped


def rebuilt(found: Sequence[Camera], rules: Registry) -> Iterator[str]:
    """Yield, rule by rule, of how many untouched cameras it could speak and of how many it raised an alarm."""
    tested, alarmed = Counter[str](), Counter[str]()
    told: list[str] = []
    for camera in found:
        (group,) = groups_of([built(name, tags) for name, tags in camera.photos])
        findings = _of_camera(group, rules, camera.model)
        tested.update({finding.check_id for finding in findings if finding.outcome is not Outcome.NOT_TESTABLE})
        alarmed.update({finding.check_id for finding in findings if finding.outcome in FOUND})
        told += [
            f"* {finding.check_id}, {finding.outcome.value}: {finding.summary}"
            for finding in findings
            if finding.outcome in FOUND
        ]
    yield "| rule | cameras tested | cameras with an alarm |"
    yield "|---|---|---|"
    for rule in rules.of(Scope.DEVICE):
        yield f"| {rule.check_id} | {tested[rule.check_id]} | {wilson(alarmed[rule.check_id], tested[rule.check_id])} |"
    yield "\nEvery alarm, as the rule words it:\n"
    yield from told or ["* none"]


# --------------------------------------------------------------------------- D: the goals


def goals(found: Sequence[Camera], draws: int, seed: int) -> Iterator[str]:
    """Yield how well the offset is found without GPS time, camera by camera."""
    outdoor = [camera for camera in found if _counted(camera) >= 30]
    yield (
        f"Cameras with 30 or more photos of EV100 ≥ {OUTDOORS_EV100:.0f}: {len(outdoor)}. Each run draws photos until "
        "30 of them are such, strips GPS time, shifts all by one of 0, ±1, ±3, ±6, ±12 h. “Dark ones too” keeps the "
        "other photos drawn with them, as a camera has them; “bright only” drops them and what they tell. A shift of "
        "an hour lies outside the interval where light cannot tell it from a right clock: the prior says right.\n"
    )
    yield (
        "| camera | photos | offset within ±1 h (likeliest) | 95 % interval holds it | interval of light alone does "
        "| 6 h: called wrong | 6 h: placed within ±2 h | 0 h: called wrong |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for is_bright, title in ((False, "dark ones too"), (True, "bright only")):
        sums: Counter[str] = Counter()
        for number, camera in enumerate(outdoor):
            score = _score(camera, draws, np.random.default_rng([seed, number]), is_bright=is_bright)
            sums.update(score)
            told = f"{len(camera.photos)} in {_outings(camera)} outings"
            yield f"| {number + 1}, {title} | {told} | {_row(score)} |"
        yield f"| **all, {title}** | | {_row(sums)} |"
    many = _score(_many_sources(found), draws, np.random.default_rng(seed), is_bright=True)
    yield f"| 30 bright ones of many cameras (light learned from some) | | {_row(many)} |"
    yield (
        "\nA camera used on one outing only shares one sky: its photos weigh as √n, and whether it was morning or "
        "afternoon stays open. Six hours ahead then look like a right clock; six behind put daylight into the night, "
        "which is called wrong with a wide interval and no offset."
    )


def _counted(camera: Camera) -> int:
    return sum(ev >= OUTDOORS_EV100 for ev in camera.ev100)


def _row(score: Counter[str]) -> str:
    return " | ".join(
        (
            wilson(score["near"], score["runs"]),
            wilson(score["held"], score["told"]),
            wilson(score["bare"], score["runs"]),
            wilson(score["six"], score["sixes"]),
            wilson(score["six near"], score["sixes"]),
            wilson(score["false"], score["zeros"]),
        )
    )


def _many_sources(found: Sequence[Camera]) -> Camera:
    """Return a camera of many hands: at most 12 outdoor photos of each real one.

    Its light model is one that saw none of the largest contributors' folds; the others' photos are
    1 in some hundreds of what it learned from.
    """
    photos, ev100 = [], []
    for number, camera in enumerate(found):
        chosen = [index for index, ev in enumerate(camera.ev100) if ev >= OUTDOORS_EV100][:12]
        for index in chosen:
            name, tags = camera.photos[index]
            photos.append((f"{number}-{name}", {**tags, "IFD0:Make": ("Many",), "IFD0:Model": ("Hands",)}))
            ev100.append(camera.ev100[index])
    return Camera("many", tuple(photos), tuple(ev100), found[0].model)


def _score(camera: Camera, draws: int, rng: np.random.Generator, *, is_bright: bool) -> Counter[str]:
    score: Counter[str] = Counter()
    bright = np.array(camera.ev100) >= OUTDOORS_EV100
    for _ in range(draws):
        order = rng.permutation(len(bright))
        drawn = order[: int(np.searchsorted(np.cumsum(bright[order]), 30)) + 1]
        chosen = [int(index) for index in drawn if bright[index] or not is_bright]
        for hours in (0, 1, -1, 3, -3, 6, -6, 12, -12):
            shifted = [
                built(camera.photos[index][0], exactly_hours(hours)(without_gps_time(camera.photos[index][1]), rng))
                for index in chosen
            ]
            group, model = modelled(shifted, camera.model)
            _count(score, model, hours)
            score["bare"] += _holds(_light_alone(group, camera.model), hours)
    return score


def _light_alone(group: DeviceGroup, model: exposure.LightModel) -> tuple[float, float]:
    """Return the 95 % interval of the offset by light before any prior."""
    frames = light_offsets.frames_of(group.summaries)
    arc = prior.arc(np.exp(light_offsets.offset_log_likelihood(model, frames)))
    return arc.low_hours, arc.high_hours


def _holds(interval: tuple[float, float], hours: int) -> bool:
    middle, reach = sum(interval) / 2.0, (interval[1] - interval[0]) / 2.0
    return reach >= 12.0 or float(hour_distance(middle, hours)) <= reach + ROUNDING


def _count(score: Counter[str], model: ClockModel, hours: int) -> None:
    if model.posterior_mass is None or model.posterior_offsets_hours is None:
        return
    likeliest = float(model.posterior_offsets_hours[int(np.argmax(model.posterior_mass))])
    is_wrong = model.kind not in ("right", "undetermined")
    score["runs"] += 1
    score["near"] += float(hour_distance(likeliest, hours)) <= 1.0 + ROUNDING
    if model.interval_hours is not None:
        score["told"] += 1
        score["held"] += _holds(model.interval_hours, hours)
    if abs(hours) == 6:
        score["sixes"] += 1
        near = model.offset_hours is not None and float(hour_distance(model.offset_hours, hours)) <= 2.0
        score["six"] += is_wrong
        score["six near"] += is_wrong and near
    if hours == 0:
        score["zeros"] += 1
        score["false"] += is_wrong


def _outings(camera: Camera) -> int:
    times = sorted(str(tags["ExifIFD:DateTimeOriginal"][0]) for _, tags in camera.photos)
    moments = [datetime.strptime(text, "%Y:%m:%d %H:%M:%S") for text in times]
    return 1 + sum(later - earlier > timedelta(minutes=30) for earlier, later in pairwise(moments))


# --------------------------------------------------------------------------- all


def report(photos: Path, *, draws: int, seed: int) -> Iterator[str]:
    """Yield the whole document, line by line."""
    rules = registry()
    reals = read_exif_set(photos)
    found = cameras(photos, fewest=15)
    yield "# How often the rules alarm, and how often they find a fault\n"
    yield f"Written by `python benchmarks/bench_checks.py`; seed {seed}. Intervals are 95 % (Wilson); photos of one"
    yield "source are not independent, so true intervals are wider. No model looks at pixels: rules and light only."
    yield "In the first two tables light (GF210) is judged by the shipped model, whose few numbers were fitted on some"
    yield "of these sources; in the others by one that never saw the camera's source.\n"
    yield "## Untouched photos\n"
    yield from untouched(reals, rules)
    yield "\n## Untouched cameras\n"
    yield f"{len(found)} cameras with 15 or more flashless photos, rebuilt from the table of photos (place, time,"
    yield "exposure); light never saw the camera's source. That table has no counters or uptimes, so GF401 to GF403"
    yield "have nothing to test.\n"
    yield from rebuilt(found, rules)
    yield "\n## A fault in one photo\n"
    yield "A hit is an alarm of that photo which the untouched photo had not. Position faults leave GPS time alone.\n"
    yield from single([real for real in reals if position(real.tags)], rules, seed)
    yield "\n## A fault in all photos of a camera\n"
    yield f"{len(found)} cameras with 15 or more flashless photos, rebuilt from place, time and exposure; GPS time is"
    yield "the true instant where it is present. “Any camera rule” speaks of more than half of the photos at once.\n"
    yield from whole(found, rules, seed)
    yield "\n## The offset by light, GPS time stripped\n"
    yield from goals(found, draws, seed)


def main() -> None:
    """Print the tables, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=Path("../shared/photos"))
    parser.add_argument("--write", type=Path, default=None)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    lines = []
    for line in report(chosen.photos, draws=chosen.draws, seed=chosen.seed):
        print(line, flush=True)
        lines.append(line)
    if chosen.write is not None:
        kept = chosen.write.read_text(encoding="utf-8").partition(BY_HAND) if chosen.write.exists() else ("", "", "")
        chosen.write.write_text("\n".join(lines) + "\n\n" + kept[1] + kept[2], encoding="utf-8")


if __name__ == "__main__":
    main()
