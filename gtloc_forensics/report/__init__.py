"""A case on paper: the PDF report, the same as HTML, and the exports for other programs.

A report formats what :class:`~gtloc_forensics.records.CaseView` gives and computes
nothing of its own about a photo. Its words, order and looks are data
(``reports/templates``). Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gtloc_forensics.report.case_uco import write_case_uco
    from gtloc_forensics.report.chain import write_custody
    from gtloc_forensics.report.document import write_document
    from gtloc_forensics.report.html import write_html
    from gtloc_forensics.report.pdf import write_pdf
    from gtloc_forensics.report.places import write_geojson, write_kml
    from gtloc_forensics.report.signing import PdfVerdict, SignWith, Verdict, verify_pdf
    from gtloc_forensics.report.spreadsheet import write_csv
    from gtloc_forensics.report.timeline import write_timesketch

__all__ = [
    "PdfVerdict",
    "SignWith",
    "Verdict",
    "verify_pdf",
    "write_case_uco",
    "write_csv",
    "write_custody",
    "write_document",
    "write_geojson",
    "write_html",
    "write_kml",
    "write_pdf",
    "write_timesketch",
]

_HOMES = {
    "PdfVerdict": "signing",
    "SignWith": "signing",
    "Verdict": "signing",
    "verify_pdf": "signing",
    "write_case_uco": "case_uco",
    "write_csv": "spreadsheet",
    "write_custody": "chain",
    "write_document": "document",
    "write_geojson": "places",
    "write_html": "html",
    "write_kml": "places",
    "write_pdf": "pdf",
    "write_timesketch": "timeline",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
