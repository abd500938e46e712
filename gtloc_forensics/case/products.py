"""What is made of a case: the document, the report, the exports, each noted in the custody chain.

Every file is written whole or not at all and outside the evidence. A document or a
report that is there, and is what the chain says was written of this very examination
with the same words and by the same program, is kept.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gtloc_forensics.case import exhibits, exports
from gtloc_forensics.files.hashing import sha256_of
from gtloc_forensics.files.writing import refuse_inside
from gtloc_forensics.report.made_by import made_by

if TYPE_CHECKING:
    from gtloc_forensics.case.folder import CaseFolder
    from gtloc_forensics.records import CaseHeader, CaseView, Scalar

FINDINGS, REPORT = "findings.json", "report.pdf"
IN_CASE, ELSEWHERE = "case", "elsewhere"
"""Where a product was written, as its custody event says; an older event does not say."""


def write_findings(
    case: CaseFolder, path: Path | None = None, *, reviewed: bool = False, processes: int | None = None
) -> Path:
    """Return where the JSON document (docs/json.md) is, written anew unless it is there and current.

    Args:
        case: with a completed examination.
        path: the file, outside the evidence; ``findings.json`` in the case folder when left out.
        reviewed: adds what readers made of each finding.
        processes: that may share the work; one a core when left out.

    Raises:
        EvidenceTreeError: the file would lie inside the evidence.
        CaseError: no examination was completed.
    """
    from gtloc_forensics.examination.seldom_collected import seldom_collected
    from gtloc_forensics.report.exports.findings_json import write_document

    target = path or case.folder / FINDINGS
    _insist_on_writing(case, target)
    view = case.view()
    made_of: dict[str, Scalar] = {
        "kind": "json",
        "examination": view.fingerprint,
        "options": _digest_of({"reviewed": True} if reviewed else {}, view.header),
        "made_by": made_by(),
        **_decided(view),
    }
    if not _is_current(case, target, "export", made_of):
        with seldom_collected():
            write_document(view, target, reviewed=reviewed, processes=processes)
        _note(case, "export", target, made_of)
    return target


def write_report(
    case: CaseFolder,
    path: Path | None = None,
    *,
    separate: bool = False,
    progress: Callable[[str, int, int | None], None] | None = None,
    **options: Any,
) -> Path:
    """Return where the PDF is, written anew unless it is there and current.

    Args:
        case: with a completed examination.
        path: the file, outside the evidence; ``report.pdf`` in the case folder when left out.
        separate: the long tables go into a file of their own, :func:`appendix_of` the first.
        progress: as of :func:`gtloc_forensics.report.write_pdf`; no part of what the report is made of.
        options: others of it.

    Raises:
        EvidenceTreeError: the file would lie inside the evidence.
        CaseError: no examination was completed.
    """
    from gtloc_forensics.report import write_pdf

    target = path or case.folder / REPORT
    targets = (target, appendix_of(target)) if separate else (target,)
    for each in targets:
        _insist_on_writing(case, each)
    view = case.view()
    options.setdefault("report_date", view.finished_utc)
    said = {"mandate": view.mandate(), "exhibits": exhibits.given(case.store), "separate": separate}
    made_of = {
        "examination": view.fingerprint,
        "options": _digest_of(options | said, view.header),
        "made_by": made_by(options.get("template", "default")),
        **_decided(view),
    }
    if all(_is_current(case, each, "report", made_of) for each in targets):
        return target
    write_pdf(view, target, appendix=appendix_of(target) if separate else None, progress=progress, **options)
    for each in targets:
        _note(case, "report", each, made_of)
    return target


def appendix_of(report: Path) -> Path:
    """Return where the appendix of a report goes when it is a file of its own."""
    return report.with_name(f"{report.stem}-appendix{report.suffix}")


def export(case: CaseFolder, kind: str, path: Path | None = None, **options: Any) -> Path:
    """Write the case in another program's form; return where.

    Args:
        case: with a completed examination.
        kind: a key of :func:`gtloc_forensics.case.exports.table`.
        path: the file, outside the evidence; ``findings.*`` in the case folder when left out.
        options: of the function that writes it, ``language`` and ``template`` where it has words.

    Raises:
        UsageError: there is no such kind.
        EvidenceTreeError: the file would lie inside the evidence.
        UsageError: an option that this kind does not have.
        CaseError: no examination was completed.
        PluginError: the plugin that writes it failed.
    """
    form = exports.chosen(kind)
    target = path or case.folder / f"findings.{form.suffix}"
    _insist_on_writing(case, target)
    view = case.view()
    exports.write(view, form, target, report_date=view.finished_utc, **options)
    _note(case, "export", target, {"kind": kind, **({"reviewed": True} if options.get("reviewed") else {})})
    return target


def _insist_on_writing(case: CaseFolder, target: Path) -> None:
    """Refuse before anything is written what would fail after it: then no file would be there without its event."""
    from gtloc_forensics.examination.settings import Settings

    refuse_inside(target, case.evidence)
    Settings().instant()


def place_of(case: CaseFolder, target: Path) -> tuple[str, str]:
    """Return how the custody chain calls a file, and whether it lies in the case: its path there, else the whole path.

    Two files of one name in two folders are two files.
    """
    from gtloc_forensics.records import visible

    whole = target.parent.resolve() / target.name
    if whole.is_relative_to(case.folder):
        return visible(os.fsencode(whole.relative_to(case.folder))), IN_CASE
    return visible(os.fsencode(whole)), ELSEWHERE


def _note(case: CaseFolder, action: str, target: Path, made_of: Mapping[str, Scalar]) -> None:
    name, place = place_of(case, target)
    case.note(action, name, {"sha256": sha256_of(target.resolve()), "place": place, **made_of})


def _is_current(case: CaseFolder, target: Path, action: str, made_of: Mapping[str, Scalar]) -> bool:
    event = case.store.last_event(action, place_of(case, target)[0]) if target.is_file() else None
    wanted = {"sha256": sha256_of(target.resolve()), **made_of} if event is not None else {}
    return event is not None and all(event.detail.get(name) == value for name, value in wanted.items())


def _decided(view: CaseView) -> dict[str, Scalar]:
    """Return up to which decision a product tells; nothing where nothing was ever decided."""
    made = view.decisions().made
    return {"decisions": max(max(decision.number, decision.undone_by or 0) for decision in made)} if made else {}


def _digest_of(options: dict[str, Any], header: CaseHeader) -> str:
    words = repr(sorted((name, str(value)) for name, value in options.items() if not callable(value)))
    return hashlib.sha256(f"{words}|{header}".encode()).hexdigest()[:32]
