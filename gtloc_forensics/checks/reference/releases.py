"""When devices and their systems were first shown: the tables ``releases.csv`` and ``systems.csv``.

Each line has its source. They hold announcements, not sales, and only what is sure; a
device that is not in them is *not testable*, never *fine*.
"""

from __future__ import annotations

import csv
import importlib.resources
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache

from gtloc_forensics.records import Device

PRESS_SAMPLES = timedelta(days=30)
"""How long before the announcement of a model its photos may be: covers time zones and press samples."""

_VERSION = re.compile(r"^\s*(?:iOS |iPadOS )?(\d{1,2})\.\d")


@dataclass(frozen=True, slots=True)
class Release:
    """One line of a table: what was shown, when, and who says so."""

    name: str
    first_shown: datetime
    source: str


def of_model(device: Device) -> Release | None:
    """Return when the model of *device* was announced, None when the table does not know it."""
    if not isinstance(device.model, str):
        return None
    make = device.make.strip().lower() if isinstance(device.make, str) else ""
    return _announced(make, device.model.strip().lower())


@lru_cache(maxsize=1024)  # the photos of a case are of few models
def _announced(make: str, model: str) -> Release | None:
    for table_make, pattern, release in _models():
        if (table_make == "*" or make.startswith(table_make)) and _matches(model, pattern):
            return release
    return None


def of_system(device: Device) -> Release | None:
    """Return when the operating system that an Apple device names as its software was first shown."""
    if not isinstance(device.software, str) or not isinstance(device.make, str):
        return None
    found = _VERSION.match(device.software)
    return _systems().get((device.make.strip().lower(), found[1])) if found else None


def _matches(model: str, pattern: str) -> bool:
    return model.startswith(pattern[:-1]) if pattern.endswith("*") else model == pattern


@cache
def _models() -> tuple[tuple[str, str, Release], ...]:
    return tuple(
        (
            row["make"].lower(),
            row["model"].lower(),
            Release(row["model"].rstrip("*"), _day(row["announced"]), row["source"]),
        )
        for row in _rows("releases.csv")
    )


@cache
def _systems() -> dict[tuple[str, str], Release]:
    return {
        (row["make"].lower(), row["version"]): Release(
            f"{row['make']} system {row['version']}", _day(row["first_shown"]), row["source"]
        )
        for row in _rows("systems.csv")
    }


def _rows(name: str) -> list[dict[str, str]]:
    text = importlib.resources.files("gtloc_forensics.checks.reference").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text)
