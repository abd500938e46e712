"""A case on paper: the PDF report, the same as HTML, and the exports for other programs.

A report formats what :class:`~gtloc_forensics.records.CaseView` gives and computes
nothing of its own about a photo. Its words, order and looks are data
(``reports/templates``). Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gtloc_forensics.report.exports.case_uco import write_case_uco
    from gtloc_forensics.report.exports.csv_table import write_csv
    from gtloc_forensics.report.exports.custody_lines import write_custody
    from gtloc_forensics.report.exports.findings_json import write_document
    from gtloc_forensics.report.exports.places import write_geojson, write_kml
    from gtloc_forensics.report.exports.plaso import write_l2tcsv, write_plaso
    from gtloc_forensics.report.exports.timeline import write_timesketch
    from gtloc_forensics.report.html.page import write_html
    from gtloc_forensics.report.pdf.document import write_pdf
    from gtloc_forensics.report.pdf.signing import PdfVerdict, SignWith, Verdict, verify_pdf
    from gtloc_forensics.report.requests import refuse_unknown

__all__ = [
    "PdfVerdict",
    "SignWith",
    "Verdict",
    "refuse_unknown",
    "verify_pdf",
    "write_case_uco",
    "write_csv",
    "write_custody",
    "write_document",
    "write_geojson",
    "write_html",
    "write_kml",
    "write_l2tcsv",
    "write_pdf",
    "write_plaso",
    "write_timesketch",
]

_HOMES = {
    "PdfVerdict": "pdf.signing",
    "SignWith": "pdf.signing",
    "Verdict": "pdf.signing",
    "refuse_unknown": "requests",
    "verify_pdf": "pdf.signing",
    "write_case_uco": "exports.case_uco",
    "write_csv": "exports.csv_table",
    "write_custody": "exports.custody_lines",
    "write_document": "exports.findings_json",
    "write_geojson": "exports.places",
    "write_html": "html.page",
    "write_kml": "exports.places",
    "write_l2tcsv": "exports.plaso",
    "write_pdf": "pdf.document",
    "write_plaso": "exports.plaso",
    "write_timesketch": "exports.timeline",
}


def __getattr__(name: str) -> Any:
    """Load a name of the room from the module that defines it (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
