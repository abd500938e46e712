"""A case on paper: the PDF report, the same as HTML, and the exports for other programs.

A report formats what :class:`~gtloc_forensics.records.CaseView` gives and computes
nothing of its own about a photo. Its words, order and looks are data
(``reports/templates``). Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gtloc_forensics.report.pdf import write_pdf
    from gtloc_forensics.report.signing import PdfVerdict, SignWith, Verdict, verify_pdf

__all__ = ["PdfVerdict", "SignWith", "Verdict", "verify_pdf", "write_pdf"]

_HOMES = {
    "PdfVerdict": "signing",
    "SignWith": "signing",
    "Verdict": "signing",
    "verify_pdf": "signing",
    "write_pdf": "pdf",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
