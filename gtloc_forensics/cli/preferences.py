"""What an examiner always says: kept in one settings file, used where a command does not say it, and never silently."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import click

from gtloc_forensics.errors import UsageError

SETTINGS = "GTLOC_SETTINGS"
"""Environment variable that names another settings file."""

KNOWN = ("examiner", "agency", "qualification", "second_reader", "write_blocker", "zone", "language")
"""What can be kept: what is the same in every case. What belongs to one case is said with that case."""


def place() -> Path:
    """Return where the settings file is, or would be."""
    if named := os.environ.get(SETTINGS):
        return Path(named)
    from platformdirs import user_config_path

    return user_config_path("gtloc_forensics") / "settings.toml"


def kept() -> dict[str, str]:
    """Return what is kept.

    Raises:
        UsageError: the file is there and cannot be read, or holds what nobody knows.
    """
    path = place()
    if not path.is_file():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise UsageError(f"the settings {path} cannot be read: {problem}; correct or remove the file") from None
    strange = sorted(set(table) - set(KNOWN))
    if strange:
        raise UsageError(f"the settings {path} hold {strange[0]!r}, which is none of {', '.join(KNOWN)}; correct it")
    return {name: str(value) for name, value in table.items()}


def keep(changes: Mapping[str, str]) -> Path:
    """Keep *changes* beside what is kept already; an empty one is forgotten. Return where."""
    from gtloc_forensics.files.writing import write_bytes
    from gtloc_forensics.records import visible

    for name, value in changes.items():
        if len(value.splitlines()) > 1 or not value.isprintable():
            raise UsageError(
                f"the {name.replace('_', ' ')} is no single line of visible characters; give it as one line"
            )
    path, now = place(), kept()
    now |= {name: value for name, value in changes.items() if value}
    for name in (name for name, value in changes.items() if not value):
        now.pop(name, None)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (f"{name} = {json.dumps(visible(value), ensure_ascii=False)}" for name, value in sorted(now.items()))
    write_bytes(path, "".join(f"{line}\n" for line in lines).encode())
    return path


def filled(given: Mapping[str, str], *, already: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return *given* with what is kept in the place of what is empty, and say on stderr what was taken from there.

    Args:
        given: what a command said; only its names are filled.
        already: what the case says; it is not replaced by what is kept.
    """
    values, own = dict(given), already or {}
    taken = {name: value for name, value in kept().items() if name in values and not values[name] and not own.get(name)}
    if taken:
        told = ", ".join(f"{name} {value!r}" for name, value in taken.items())
        click.echo(f"from the settings {place()}: {told}", err=True)
    return values | taken
