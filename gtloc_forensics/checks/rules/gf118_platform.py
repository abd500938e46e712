"""GF118 — Stripped or rewritten by a platform.

Shows: that a messenger, a website or a screen recording made the file, or that nothing of a camera is left in it.

Cannot show: anything about the photo itself. That metadata are missing is no evidence against it.

Blind spots: platforms change their habits every year.

Threshold: the platforms' own marks (FBMD in IPTC, names of WhatsApp, Facebook, Telegram, Signal, WeChat
and Viber files, screenshot names; the folders of their exports, for files in which nothing of a camera is
left); or no capture time, no position and no device at once. Always *explained*: it
tells which other rules had nothing to go on.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.checks.reference import programs
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Absent, Claim, Finding, Photo, Sentence, Severity, Statement


@check("GF118", title="Stripped or rewritten by a platform", needs=("claim",), version="5")
def platform(photo: Photo, context: Context) -> Iterator[Finding]:
    """Look for the marks of platforms and for what is missing."""
    claim = claim_of(photo)
    marks = programs.platforms(photo, claim)
    is_bare = _is_bare(claim) and not claim.unread
    name = photo.source.display_path
    services = [*programs.services_of_name(name), *programs.platforms_of_folder(name)] if is_bare else []
    if services:
        yield findings.explained("GF118", claim, _passed_on(claim, services), kind="copy", severity=Severity.INFO)
    elif marks:
        summary = Sentence(
            "The file bears marks of {platforms:and}, which rewrite or remove metadata.", platforms=tuple(marks)
        )
        yield findings.explained("GF118", claim, summary, kind="copy", severity=Severity.INFO)
    elif _is_bare(claim) and claim.unread:
        yield not_testable("GF118", claim.source_id, Sentence("a part of its metadata could not be read"))
    elif _is_bare(claim):
        summary = Sentence("The file names no capture time, no position and no device.")
        yield findings.explained("GF118", claim, summary, kind="copy", severity=Severity.INFO)
    else:
        yield consistent("GF118", claim.source_id, Sentence("No mark of a platform that rewrites metadata."))


def _passed_on(claim: Claim, platforms: list[Statement]) -> Sentence:
    """Return what is told of a file that a service made anew: how it is, not that anybody is to blame for it."""
    names = tuple(dict.fromkeys(platforms))
    sides = [tag_values.first_number(claim.tags, f"File:Image{side}") for side in ("Width", "Height")]
    if None in sides:
        return Sentence(
            "The file is as {platforms:and} leaves what it passes on: without capture time, position and device.",
            platforms=names,
        )
    return Sentence(
        "The file is as {platforms:and} leaves what it passes on: without capture time, position and device, "
        "{width_px:raw} × {height_px:raw} pixels. Such files are made anew on their way.",
        platforms=names,
        width_px=int(sides[0] or 0),
        height_px=int(sides[1] or 0),
    )


def _is_bare(claim: Claim) -> bool:
    """Whether nothing of substance is there; a date that bounds the capture, or an instant without a zone, is."""
    return claim.local_time in NOTHING and all(
        isinstance(value, Absent) for value in (claim.position, claim.device.make, claim.device.model)
    )


NOTHING = (Absent.MISSING, Absent.UNSET, Absent.UNREADABLE)
