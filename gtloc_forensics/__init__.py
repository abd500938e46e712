"""gtloc_forensics: what a folder of photos claims, against what the pixels, the sun and the other photos show.

The public names below are stable; everything is loaded when it is first used, so
that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gtloc_forensics.case.case import Case, open_case
    from gtloc_forensics.checks import Context, check, consistent, not_testable
    from gtloc_forensics.checks.hooks import hookimpl
    from gtloc_forensics.examination.settings import Settings
    from gtloc_forensics.records import (
        Absent,
        Claim,
        Confidence,
        Finding,
        Outcome,
        Photo,
        Prediction,
        Sentence,
        Severity,
    )

__all__ = [
    "Absent",
    "Case",
    "Claim",
    "Confidence",
    "Context",
    "Finding",
    "Outcome",
    "Photo",
    "Prediction",
    "Sentence",
    "Settings",
    "Severity",
    "check",
    "consistent",
    "hookimpl",
    "not_testable",
    "open_case",
]

_HOMES = {
    "Absent": "records",
    "Case": "case.case",
    "Claim": "records",
    "Confidence": "records",
    "Context": "checks",
    "Finding": "records",
    "Outcome": "records",
    "Photo": "records",
    "Prediction": "records",
    "Sentence": "records",
    "Settings": "examination.settings",
    "Severity": "records",
    "check": "checks",
    "consistent": "checks",
    "hookimpl": "checks.hooks",
    "not_testable": "checks",
    "open_case": "case.case",
}


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f"{__name__}.{_HOMES[name]}")
    # "checks.check" and friends may share their name with a module of ours; the attribute is what is meant.
    return getattr(home, name)


def __dir__() -> list[str]:
    """List the public names too."""
    return sorted({*globals(), *__all__})
