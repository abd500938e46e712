"""Findings in few words: what was explained by a known cause, and what was not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gtloc_forensics.records import (
    Cause,
    CauseKind,
    Claim,
    Confidence,
    Finding,
    Outcome,
    Sentence,
    Severity,
    Statement,
    template,
)

FILE_CAUSES: Mapping[str, str] = {
    "aircraft": template("Taken from an aircraft."),
    "content-credentials": template("What the content credentials of the files state does not fit the files."),
    "copy": template("The files bear marks of a platform that rewrites metadata, or name no time, place or device."),
    "cropped": template("The pictures were cropped after the camera had written their size."),
    "editor-document": template("An editor put the hour of its own work beside the capture time."),
    "exported": template("The files were exported by an editor."),
    "limited-fix": template("The receiver itself qualifies its position."),
    "named-by-hand": template("The files were named by hand, by their subject or an order."),
    "no-fix": template("The receiver had no position and wrote an empty one."),
    "older-thumbnail": template("The thumbnails are older than the pictures."),
    "program-zone": template("A program wrote an offset of its own, not the camera's."),
    "resized": template("The pictures were resized after the camera had written their size."),
    "rewritten": template("The files were written again after the capture."),
    "rounded-position": template("The positions are rounded, by hand or on purpose."),
    "scan": template("The pictures show film or paper, digitised later."),
    "second-witness": template("What a photo service or a catalogue keeps of the photos is not what the files say."),
    "sidecar": template("A sidecar holds a correction."),
    "unset-date": template("A clock that was not set left a factory date beside the capture date."),
}
"""Innocent causes that lie in the handling of files, whatever took them, and what is said of all they account for.

Every other kind lies in one device: its clock, its receiver, or the person who edited its photos.
"""


def file_cause(kind: str) -> Statement:
    """Return what is said of all that a handling of files accounts for; "" where the cause lies in a device."""
    return Sentence(FILE_CAUSES[kind]) if kind in FILE_CAUSES else ""


def entry(tag: str, text: str) -> Sentence:
    """Return what stands in the file, as it is observed: a tag and what it holds."""
    return Sentence("{tag}: {text}.", tag=tag, text=text)


def explained(
    check_id: str, claim: Claim, summary: Statement, *, kind: str, offset_hours: float | None = None, **more: Any
) -> Finding:
    """Report a disagreement whose innocent cause is known; *kind* names it."""
    return _finding(check_id, claim, summary, Outcome.EXPLAINED, kind=kind, offset_hours=offset_hours, **more)


def suspicious(
    check_id: str, claim: Claim, summary: Statement, *, kind: str, offset_hours: float | None = None, **more: Any
) -> Finding:
    """Report a disagreement that a person should look at."""
    return _finding(check_id, claim, summary, Outcome.SUSPICIOUS, kind=kind, offset_hours=offset_hours, **more)


def contradiction(
    check_id: str, claim: Claim, summary: Statement, *, kind: str, offset_hours: float | None = None, **more: Any
) -> Finding:
    """Report what cannot be true as the file has it."""
    return _finding(check_id, claim, summary, Outcome.CONTRADICTION, kind=kind, offset_hours=offset_hours, **more)


def _finding(
    check_id: str,
    claim: Claim,
    summary: Statement,
    outcome: Outcome,
    *,
    kind: str,
    offset_hours: float | None,
    severity: Severity = Severity.LOW,
    confidence: Confidence = Confidence.WEAK,
    **more: Any,
) -> Finding:
    device_key = "" if kind in FILE_CAUSES else claim.device.key
    return Finding(
        check_id=check_id,
        source_ids=(claim.source_id,),
        outcome=outcome,
        severity=severity,
        confidence=confidence,
        summary=summary,
        cause=Cause(CauseKind(kind), device_key, offset_hours, file_cause(kind) or summary),
        **more,
    )
