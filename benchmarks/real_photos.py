"""Real photos as records, for the benchmarks of the rules: read once, rebuilt with changed tags at will."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gtloc_forensics import metadata
from gtloc_forensics.checks import Check, Context, Registry, Scope, unmet
from gtloc_forensics.checks.plugins import built_in_modules
from gtloc_forensics.decode import pixels
from gtloc_forensics.earth import claims, zones
from gtloc_forensics.errors import DecodeRefused
from gtloc_forensics.examination import summaries
from gtloc_forensics.metadata.exiftool import ExifTool, TagsRead
from gtloc_forensics.records import (
    Claim,
    DeviceGroup,
    FileStat,
    Finding,
    ImageFacts,
    Photo,
    PhotoSummary,
    Source,
    Tags,
    Unexamined,
    source_id_of,
)

NOW = Context(now_utc=datetime(2026, 11, 21))


@dataclass(frozen=True)
class Real:
    """One real photo: its file, what exiftool read of it, and what is known of its time."""

    source: Source
    group: str
    trust: str
    tags: Tags
    warnings: tuple[str, ...]
    image: ImageFacts | Unexamined

    def photo(self, tags: Tags | None = None) -> Photo:
        """Return the photo as the program would have it, with other tags where given."""
        tags = self.tags if tags is None else tags
        claim = metadata.claim(self.source, tags, warnings=self.warnings, zones_at=zones.zones_at)
        blind = Unexamined(self.source.source_id, "vision", "no model in this benchmark")
        return Photo(self.source, claim, claims.sun(claim), self.image, blind)


def read_exif_set(photos: Path) -> list[Real]:
    """Read every photo of ``exif/``: 253 files with all their metadata."""
    with (photos / "exif.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    paths = [photos / "exif" / row["file"] for row in rows]
    with ExifTool() as tool:
        read = tool.read([os.fsencode(path) for path in paths])
    return [
        _real(path, row, answer)
        for path, row, answer in zip(paths, rows, read, strict=True)
        if isinstance(answer, TagsRead)
    ]


def _real(path: Path, row: dict[str, str], read: TagsRead) -> Real:
    content = path.read_bytes()
    source = synthetic_source(path.name, sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
    try:
        image: ImageFacts | Unexamined = pixels.decode(path, source.source_id, source.media_type).image
    except DecodeRefused as refused:
        image = Unexamined(source.source_id, "decode", str(refused))
    return Real(source, row["group"], row["time_trust"], read.tags, read.warnings, image)


def synthetic_source(name: str, *, sha256: str = "", size_bytes: int = 1) -> Source:
    """Return a source of that name whose file times say nothing (the benchmark's copies are of today)."""
    today_ns = int(NOW.now_utc.timestamp()) * 10**9
    stat = FileStat(size_bytes, today_ns, today_ns, today_ns, 0o100644, 1, 1, 1)
    relative = name.encode()
    sha256 = sha256 or hashlib.sha256(relative).hexdigest()
    return Source(source_id_of(relative), relative, sha256, stat, "image/jpeg")


# --------------------------------------------------------------------------- rules


def registry() -> Registry:
    """Return all built-in rules."""
    return Registry(built_in_modules())


def judge(rules: Sequence[Check], photo: Photo) -> list[Finding]:
    """Run photo rules on one photo; what a rule needs and the photo lacks is left out."""
    return [finding for rule in rules if not unmet(rule, photo) for finding in rule.function(photo, NOW)]


def groups_of(photos: Sequence[Photo]) -> tuple[DeviceGroup, ...]:
    """Return the devices of some photos of one case."""
    seen: list[PhotoSummary] = []
    labels: dict[str, tuple[str, str]] = {}
    for photo in photos:
        photo_summary = summaries.summary_of(photo)
        if photo_summary is not None and isinstance(photo.claim, Claim):
            seen.append(photo_summary)
            labels.setdefault(photo_summary.device_key, summaries.label(photo.claim))
    return summaries.by_device(seen, labels)


def compare(rules: Registry, photos: Sequence[Photo], *, leave_out: Sequence[str] = ()) -> list[Finding]:
    """Run the rules that compare photos of one case."""
    found = [
        finding
        for group in groups_of(photos)
        for rule in rules.of(Scope.DEVICE)
        if rule.check_id not in leave_out
        for finding in rule.function(group, NOW)
    ]
    seen = [summary for photo in photos if (summary := summaries.summary_of(photo)) is not None]
    for rule in rules.of(Scope.CASE):
        found += rule.function(seen, NOW)
    return found
