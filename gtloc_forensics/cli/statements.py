"""The options with which an examiner says what a report prints of the case and of the mandate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gtloc_forensics.cli import preferences

if TYPE_CHECKING:
    from gtloc_forensics.records import CaseHeader

F = TypeVar("F", bound=Callable[..., Any])

HEADER = ("case_number", "exhibit", "examiner", "agency", "legal_authority")

MANDATE = {
    "request": "The question that was put.",
    "qualification": "The examiner's qualification.",
    "acquired_by": "Who acquired the photos.",
    "acquired_at": "When they were acquired.",
    "acquired_from": "From which device.",
    "write_blocker": "The write blocker used.",
    "limits": "Limits of the mandate.",
    "second_reader": "Who reads the report a second time.",
    "zone": "IANA zone whose local time is printed beside UTC.",
}


def statements(command: F) -> F:
    """Give a command the options of header and mandate."""
    for name, told in reversed(MANDATE.items()):
        command = click.option(f"--{name.replace('_', '-')}", default="", help=f"{told} Printed, kept in the case.")(
            command
        )
    for name in reversed(HEADER):
        option = f"--{name.replace('_', '-')}"
        command = click.option(option, default="", help="Printed on the report, kept in the case.")(command)
    return command


def parted(given: Mapping[str, Any]) -> tuple[CaseHeader, dict[str, str]]:
    """Return what was said of the case and what of the mandate."""
    from gtloc_forensics.records import CaseHeader

    header: dict[str, Any] = {name: given[name] for name in HEADER}
    return CaseHeader(**header), {name: given[name] for name in MANDATE}


def refuse_unknown_zone(zone: str) -> None:
    """Return when *zone* is "" or a zone that is known.

    Raises:
        UsageError: otherwise.
    """
    from zoneinfo import ZoneInfo

    from gtloc_forensics.errors import UsageError

    try:
        if zone:
            ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise UsageError(f"no time zone is called {zone!r}; give a name such as Europe/Berlin") from None


def language_of(language: str) -> str:
    """Return the language asked for, else that of the settings, which is said, else English."""
    return preferences.filled({"language": language})["language"] or "en"
