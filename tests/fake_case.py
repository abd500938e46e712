"""A case without a store, for tests of reports and exports: seeded, with every outcome and hostile strings.

Pictures are rendered here, densities are made up, nothing comes from a photo.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from io import BytesIO

import numpy as np
from builders import LONDON, NEW_YORK, PARIS, SYDNEY, a_photo
from PIL import Image

from gtloc_forensics.earth.circular import wrapped_normal
from gtloc_forensics.records import (
    CaseHeader,
    Cause,
    CauseGroup,
    ClockModel,
    Confidence,
    CustodyEvent,
    Decision,
    Decisions,
    Finding,
    Indicated,
    Outcome,
    PhotoEntry,
    PlaceDensity,
    Position,
    Prediction,
    RuleNote,
    Severity,
    Skipped,
    Status,
    Tally,
    TimeDensity,
    Unexamined,
    source_id_of,
)
from gtloc_forensics.store.custody import GENESIS, event_of

HOSTILE_NAMES = (
    b'<img src="/etc/passwd"/>.jpg',
    b"Nikon <b.jpg",
    "\u202egpj.exe\u202c.jpg".encode(),
    b"new\nline & tab\t.jpg",
    b"bad \xff\xfe bytes.jpg",
    "日本語/写真 한국어 שלום مرحبا ไทย हिन्दी 😀🦜.jpg".encode(),
    b"=cmd|' /C calc'!A0.jpg",
    b"{{ 7*7 }} **bold** `code` %(x)s.jpg",
    b"a" * 240 + b".jpg",
)


@lru_cache
def a_picture(seed: int, width: int = 640, height: int = 426) -> bytes:
    """Render a sky above a ground; the seed sets light and horizon."""
    rng = np.random.default_rng(seed)
    horizon = int(height * rng.uniform(0.4, 0.7))
    light = rng.uniform(0.25, 1.0)
    rows = np.linspace(0.4, 1.0, horizon)[:, None, None]
    sky = rows * np.array([120, 170, 235]) * light
    ground = np.linspace(1.0, 0.5, height - horizon)[:, None, None] * rng.uniform(40, 150, 3) * light
    picture = np.concatenate(
        [np.broadcast_to(sky, (horizon, width, 3)), np.broadcast_to(ground, (height - horizon, width, 3))]
    )
    picture = picture + rng.normal(0, 7, (height, width, 1))
    out = BytesIO()
    Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=85)
    return out.getvalue()


def a_prediction(
    name: str, *, hour: float, season: float, place: tuple[float, float], spread_km: float = 900.0
) -> Prediction:
    """Make a density with one hill in time and one in space."""
    day = wrapped_normal((np.arange(48) + 0.5) / 48, hour / 24, sd_turns=0.07)
    year = wrapped_normal((np.arange(36) + 0.5) / 36, season, sd_turns=0.09)
    mass = np.outer(year / year.sum(), day / day.sum()).astype(np.float32)
    rng = np.random.default_rng(int(hour * 100))
    cells = 700
    north = rng.normal(0, spread_km / 111.2, cells)
    east = rng.normal(0, spread_km / 111.2 / max(0.2, math.cos(math.radians(place[0]))), cells)
    latitude = np.clip(place[0] + north, -89, 89)
    longitude = (place[1] + east + 180) % 360 - 180
    weight = np.exp(-0.5 * (north**2 + east**2) * (111.2 / spread_km) ** 2)
    order = np.argsort(-weight, kind="stable")
    density = PlaceDensity(
        latitude[order].astype(np.float32),
        longitude[order].astype(np.float32),
        (weight[order] / weight.sum()).astype(np.float32),
        cell_area_km2=12_000.0,
    )
    return Prediction(
        source_id=source_id_of(name.encode()),
        model="a made-up model",
        weights_sha256="0" * 64,
        calibration="",
        time=TimeDensity(mass / mass.sum()),
        place=density,
        local_hour=hour,
        year_turn=season,
        best_hour=hour,
        best_year_turn=season,
        position=Position(*place),
        best_position=Position(*place),
        region_area_km2={50: 1.4 * spread_km**2, 90: 4.6 * spread_km**2, 95: 6.0 * spread_km**2},
        datable=0.9,
    )


def a_finding(check_id: str, name: str, outcome: Outcome, **changes) -> Finding:
    """Say something about a photo with every kind of sentence."""
    found = outcome in (Outcome.SUSPICIOUS, Outcome.CONTRADICTION)
    values = {
        "check_id": check_id,
        "source_ids": (source_id_of(name.encode()),),
        "outcome": outcome,
        "severity": Severity.HIGH if found else Severity.INFO,
        "confidence": Confidence.STRONG if found else Confidence.CONTEXT,
        "summary": f"{check_id} ends {outcome.value} for this photo.",
    }
    if found:
        values |= {
            "observed": ("ExifIFD:DateTimeOriginal reads 2024:06:15 23:30:00.", "GPS:GPSTimeStamp reads 15:30:02."),
            "derived": ("At the claimed place and moment the sun stands 17.4° below the horizon.",),
            "inferred": ("If the exposure was made by daylight, the clock was ahead by about 8 h.",),
            "limitations": ("Says nothing of photos taken under artificial light.",),
            "innocent": ("The clock was left on the time of another country.", "Flood light of a sports ground."),
        }
    return Finding(**{**values, **changes})


@dataclass
class FakeCase:
    """Implements CaseView from lists."""

    entries: list[PhotoEntry]
    header: CaseHeader = field(default_factory=CaseHeader)
    environment: Mapping[str, str] = field(default_factory=dict)
    passed: tuple[Skipped, ...] = ()
    groups: tuple[CauseGroup, ...] = ()
    models: tuple[ClockModel, ...] = ()
    events: tuple[CustodyEvent, ...] = ()
    notes: tuple[RuleNote, ...] = ()
    calibrated: Mapping[str, str] = field(default_factory=dict)
    card: str = ""
    pictures: bool = True
    decided: tuple[Decision, ...] = ()
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def tally(self) -> Tally:
        found, clean, not_testable, not_examined = (
            sum(status in entry.statuses for entry in self.entries) for status in Status
        )
        blocked = sum(entry.blocks for entry in self.passed)
        return Tally(
            photos=len(self.entries) + blocked,
            found=found,
            clean=clean,
            not_testable=not_testable,
            not_examined=not_examined + blocked,
            passed_over=len(self.passed) - blocked,
        )

    def photos(self, *, status: Status | None = None) -> Iterator[PhotoEntry]:
        return (entry for entry in self.entries if status is None or status in entry.statuses)

    def lean_photos(self) -> Iterator[PhotoEntry]:
        return iter(self.entries)

    def told_photos(self) -> Iterator[PhotoEntry]:
        return iter(self.entries)

    def each_told(
        self, make: Callable[[PhotoEntry], str], *, processes: int | None = None
    ) -> Generator[str, None, None]:
        yield from map(make, self.entries)

    def exhibits(self) -> Mapping[str, str]:
        return {entry.photo.source.source_id: str(number) for number, entry in enumerate(self.entries, start=1)}

    def mandate(self) -> Mapping[str, str]:
        return self.said

    def name_of(self, source_id: str) -> str:
        sources = (entry.photo.source for entry in self.entries)
        return next((source.display_path for source in sources if source.source_id == source_id), source_id)

    def case_findings(self) -> tuple[Finding, ...]:
        return tuple(
            finding
            for entry in self.entries
            for finding in entry.findings
            if finding.is_found or finding.outcome is Outcome.EXPLAINED
        )

    def each_finding(self) -> Iterator[Finding]:
        return iter(self.case_findings())

    def clocks(self) -> tuple[ClockModel, ...]:
        return self.models

    def causes(self) -> tuple[CauseGroup, ...]:
        return self.groups

    def passed_over(self) -> tuple[Skipped, ...]:
        return self.passed

    def custody(self) -> tuple[CustodyEvent, ...]:
        return self.events

    def each_event(self) -> Iterator[CustodyEvent]:
        return iter(self.events)

    def chain_end(self) -> tuple[int, str]:
        return len(self.events), self.events[-1].event_hash if self.events else ""

    def decisions(self) -> Decisions:
        return Decisions(self.decided, "this examination")

    def preview(self, source_id: str) -> bytes | None:
        return a_picture(int(source_id[:2], 16) % 8) if self.pictures else None

    def rules(self) -> tuple[RuleNote, ...]:
        return self.notes

    def calibration(self) -> Mapping[str, str]:
        return self.calibrated

    def model_card(self) -> str:
        return self.card


def an_entry(name: str | bytes = "photo.jpg", *findings: Finding, status: Status | None = None, **photo) -> PhotoEntry:
    """Return an entry whose status follows from its findings."""
    text = name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
    relative = name if isinstance(name, bytes) else name.encode()
    source = replace(
        a_photo().source,
        source_id=source_id_of(relative),
        relative=relative,
        sha256=hashlib.sha256(relative).hexdigest(),
    )
    built = a_photo(name=text.encode("utf-8", "replace").decode(), source=source, **photo)
    found = any(finding.is_found for finding in findings)
    shown = built.prediction
    return PhotoEntry(
        photo=built,
        status=status or (Status.FOUND if found else Status.CLEAN),
        findings=findings,
        unexamined=(Unexamined(source.source_id, "vision", "no model"),) if status is Status.NOT_EXAMINED else (),
        sha256_at_end=source.sha256,
        log10_lr_time=None,
        log10_lr_place=None,
        indicated=Indicated()
        if isinstance(shown, Unexamined)
        else Indicated(shown.local_hour, shown.year_turn, shown.position, radius_km=1000.0),
    )


def a_clock(label: str = "Acme One (0123)", device_key: str = "serial:0123") -> ClockModel:
    """Return a clock eight hours ahead."""
    grid = np.arange(-12, 12, 1 / 12, dtype=np.float32)
    mass = np.exp(-0.5 * ((grid - 8.02) / 0.35) ** 2).astype(np.float32)
    return ClockModel(
        device_key=device_key,
        label=label,
        kind="constant offset",
        offset_hours=8.02,
        interval_hours=(7.4, 8.6),
        probability=0.97,
        photos=12,
        evidence=("12 photos show daylight at a claimed night.", "3 satellite times differ by 8 h 01 min."),
        summary=f"The clock of {label} was ahead by 8 h 1 min (7 h 24 min to 8 h 36 min, 95 %).",
        posterior_offsets_hours=grid,
        posterior_mass=mass / mass.sum(),
    )


def a_chain(length: int = 6) -> tuple[CustodyEvent, ...]:
    """Return a chain that verifies."""
    events: list[CustodyEvent] = []
    for index in range(length):
        events.append(
            event_of(
                sequence=index + 1,
                utc_time=datetime(2026, 11, 20, 9) + timedelta(seconds=index),
                actor="examiner <b>",
                action=("acquire", "hash", "analyse", "report")[index % 4],
                subject=f"evidence/{index}",
                detail={"exiftool": "12.57"},
                previous_hash=events[-1].event_hash if events else GENESIS,
            )
        )
    return tuple(events)


RULES = (
    RuleNote(
        "GF101", "satellite time against the camera's clock", tested=1204, alarms=6, photo_set="the untouched set A"
    ),
    RuleNote("GF201", "daylight exposure at a claimed night", tested=880, alarms=2, photo_set="the untouched set A"),
    RuleNote("GF301", "time of day against the picture"),
    RuleNote("GF401", "faster than an aeroplane"),
)


def small_case() -> FakeCase:
    """Return a case with every outcome, three cameras and hostile names."""
    entries: list[PhotoEntry] = []
    shots = ((PARIS, "Nikon <b", 7.1), (NEW_YORK, "Acme", 13.4), (SYDNEY, "Zeta & Söhne", 17.0))
    for index in range(12):
        place, make, hour = shots[index % 3]
        name = f"card{index % 3}/IMG_{index:04d}.jpg"
        wrong = index % 3 == 0
        local = datetime(2024, 6, 15, 23 if wrong else int(hour), 30, 5) + timedelta(days=9 * index)
        outcomes = [
            a_finding("GF101", name, Outcome.CONSISTENT),
            a_finding("GF401", name, Outcome.NOT_TESTABLE),
        ]
        if wrong:
            outcomes.append(a_finding("GF201", name, Outcome.CONTRADICTION, p_value=0.0021, log10_lr=-3.2))
            outcomes.append(a_finding("GF301", name, Outcome.SUSPICIOUS))
        if index == 4:
            outcomes.append(
                a_finding("GF101", name, Outcome.EXPLAINED, summary="One day ahead, a known firmware fault.")
            )
        entry = an_entry(
            name,
            *outcomes,
            local=local,
            offset=2.0 if index % 3 == 0 else None,
            gps=local - timedelta(hours=10) if wrong else None,
            position=place,
            make=make,
            model="One",
            serial=f"012{index % 3}",
            f_number=8.0,
            exposure_s=1 / 250,
            iso=100,
            flash_fired=False,
            software="GIMP <script>alert(1)</script>" if index == 3 else None,
            prediction=a_prediction(name, hour=hour, season=0.46, place=place if index != 6 else (-15.0, 176.0)),
        )
        entries.append(replace(entry, log10_lr_time=-3.4 if wrong else 0.8, log10_lr_place=0.1))
    for index, name in enumerate(HOSTILE_NAMES):
        shown = name.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode()
        findings = (a_finding("GF101", shown, Outcome.SUSPICIOUS, summary=shown),) if index % 2 == 0 else ()
        status = None if findings else Status.NOT_EXAMINED if index == 3 else None
        entries.append(
            an_entry(name, *findings, status=status, position=LONDON if index % 2 else None, make=shown[:60])
        )
    entries[-1] = replace(entries[-1], sha256_at_end="")
    entries[-2] = replace(entries[-2], sha256_at_end="1" * 64)
    found = tuple(entry.photo.source.source_id for entry in entries[:12] if entry.status is Status.FOUND)
    cause = Cause("clock-offset", "serial:0120", 8.0, "clock 8 h ahead")
    groups = (
        CauseGroup(
            cause,
            "Nikon <b One (0120)",
            Outcome.CONTRADICTION,
            Severity.HIGH,
            found,
            ("GF201", "GF301"),
            8,
            "clock 8 h ahead for 4 of 4 photos (7 h 24 min to 8 h 36 min, 95 %)",
            "a photo of this camera whose satellite time agrees with its clock",
        ),
        CauseGroup(
            Cause("edit", ""),
            "",
            Outcome.SUSPICIOUS,
            Severity.LOW,
            tuple(entry.photo.source.source_id for entry in entries[12::2]),
            ("GF101",),
            5,
            "entries <b>written</b> by an editing program",
        ),
    )
    return FakeCase(
        entries=entries,
        header=CaseHeader(
            "2026-0815", "E-7 <i>", "A. Examiner", "Example Agency", "", "/evidence/card", datetime(2026, 11, 20, 8, 0)
        ),
        environment={
            "gtloc_forensics": "0.1.0",
            "Python": "3.11.7",
            "exiftool": "12.57",
            "time-zone data": "2025.2",
            "model weights sha256": "ab" * 32,
            "command": "gtloc-audit '/evidence/card' --case-number 2026-0815",
        },
        passed=(
            Skipped(b"notes.txt", "not a photo", blocks=False),
            Skipped(b"locked/<b>", "permission denied", blocks=True),
        ),
        groups=groups,
        models=(a_clock("Nikon <b One (0120)", "serial:0120"),),
        events=a_chain(),
        notes=RULES,
        calibrated={"photo set": "the untouched set A", "photos": "1,204"},
        card="# A made-up model\n\nTrained on nothing. <b>Not</b> for use.\n",
    )


def large_case(count: int, *, found_every: int = 50) -> FakeCase:
    """Return a case of many plain photos."""
    entries = []
    for index in range(count):
        name = f"DCIM/{index // 1000:03d}/IMG_{index:05d}.jpg"
        found = index % found_every == 0
        place = (PARIS, NEW_YORK, SYDNEY)[index % 3]
        findings = [a_finding("GF101", name, Outcome.CONSISTENT)]
        if found:
            findings.append(a_finding("GF201", name, Outcome.SUSPICIOUS, p_value=0.01, log10_lr=-1.5))
        photo = {"prediction": a_prediction(name, hour=9.0 + index % 7, season=0.4, place=place)} if found else {}
        local = datetime(2024, 1, 1, 12) + timedelta(minutes=37 * index)
        exposure = {"f_number": 8.0, "exposure_s": 1 / 250, "iso": 100}
        entries.append(
            an_entry(name, *findings, local=local, position=place, serial="1", offset=1.0, **exposure, **photo)
        )
    return FakeCase(entries, header=CaseHeader("large"), notes=RULES, events=a_chain())
