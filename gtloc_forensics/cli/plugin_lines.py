"""What programs without a JSON parser read of us: lines of fields with tabs between them (docs/plugin-lines.md).

The first line names the form, the last one is ``end``: a file without it is not whole.
In a field every control character, ``%`` and ``;`` is written ``%XX``, so that no name of
a photo can make a line or a field of its own; a path keeps its bytes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gtloc_forensics.files.writing import write_bytes
from gtloc_forensics.records import (
    UNKNOWN_DEVICE,
    Absent,
    CaseView,
    Claim,
    Finding,
    PhotoEntry,
    RuleNote,
    Skipped,
    Status,
    visible,
)

if TYPE_CHECKING:
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.correct import Plan, Result

FORM = "gtloc-lines/1"
END = "end"

Row = Sequence[str | bytes]

_MUST_BE_WRITTEN_OUT = re.compile(rb"[\x00-\x1f\x7f%;]")


def encoded(field: str | bytes) -> bytes:
    """Return a field as a line holds it."""
    raw = field.encode("utf-8", "surrogateescape") if isinstance(field, str) else field
    return _MUST_BE_WRITTEN_OUT.sub(lambda found: b"%%%02X" % found[0][0], raw)


def listed(fields: Iterable[str]) -> bytes:
    """Return several texts as one field, ``;`` between them; it is not encoded again."""
    return b";".join(map(encoded, fields))


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write rows to *path*, whole or not at all."""
    whole: list[Row] = [(FORM,), *rows, (END,)]
    write_bytes(path, b"".join(b"\t".join(_field(field) for field in row) + b"\n" for row in whole))


class Listed(bytes):
    """A field that is encoded already."""


def _field(field: str | bytes) -> bytes:
    return bytes(field) if isinstance(field, Listed) else encoded(field)


# --------------------------------------------------------------------------- what was found


def head(case: Case) -> Row:
    """Return the row that says which case it is, and whether it is marked as evidence."""
    return ("case", os.fsencode(case.folder.absolute()), "evidence" if case.is_evidence else "")


def found_rows(case: Case) -> Iterator[Row]:
    """Yield what an examination came to: the case, then a line per photo, in the order of their paths.

    ``photo <path> <keywords> <sentence> <local time> <latitude> <longitude>``; time and place are what the file
    itself holds, without its sidecars, empty where it holds none.
    """
    view = case.view()
    rules = {note.check_id: note for note in view.rules()}
    yield head(case)
    for entry in view.photos():
        yield _photo_row(entry, rules)
    yield from (_unread_row(skipped) for skipped in view.passed_over() if skipped.blocks)


def _photo_row(entry: PhotoEntry, rules: Mapping[str, RuleNote]) -> Row:
    from gtloc_forensics.correct.proposals import keywords_of, ranked

    found = ranked(entry.findings)
    words = keywords_of(found)
    if entry.status is not Status.FOUND:
        words = (f"gtloc|{entry.status.value}",)
    elif Status.NOT_EXAMINED in entry.statuses:
        words = (*words, f"gtloc|{Status.NOT_EXAMINED.value}")
    said = sentence(found[0], rules.get(found[0].check_id)) if found else _unexamined(entry)
    return ("photo", entry.photo.source.relative, Listed(listed(words)), said, *_held_by_the_file(entry.photo.claim))


def _unexamined(entry: PhotoEntry) -> str:
    if not entry.unexamined:
        return ""
    first = entry.unexamined[0]
    return visible(f"not examined: {first.stage}: {first.reason}")


def _unread_row(skipped: Skipped) -> Row:
    said = visible(f"not examined: {skipped.reason}")
    return ("photo", skipped.relative, f"gtloc|{Status.NOT_EXAMINED.value}", said, "", "", "")


def _held_by_the_file(claim: object) -> tuple[str, str, str]:
    """Return local time, latitude and longitude of the Exif block, which other programs read too; "" for none."""
    if not isinstance(claim, Claim):
        return "", "", ""
    time = latitude = longitude = ""
    if not isinstance(claim.local_time, Absent) and claim.local_time.tag == "ExifIFD:DateTimeOriginal":
        time = f"{claim.local_time.value:%Y:%m:%d %H:%M:%S}".zfill(19)
    if not isinstance(claim.position, Absent) and claim.position.tag.startswith("GPS:"):
        latitude = f"{claim.position.value.latitude_deg:.7f}"
        longitude = f"{claim.position.value.longitude_deg:.7f}"
    return time, latitude, longitude


def sentence(finding: Finding, rule: RuleNote | None) -> str:
    """Return a finding in one sentence, with how often such a one is a false alarm, or that this was not counted."""
    said = visible(finding.summary).rstrip(" .")
    return f"{said} ({_alarm(finding, rule)})."


def _alarm(finding: Finding, rule: RuleNote | None) -> str:
    from gtloc_forensics.report.chapters.strength import share_interval

    if finding.p_value is not None and finding.p_value > 0:
        rate = "{check}: of untouched photos {share} look like this by chance"
        return rate.format(check=finding.check_id, share=_percent(finding.p_value))
    if rule is None or not rule.tested:
        return f"{finding.check_id}: how often it is a false alarm was not counted"
    hits: float = rule.alarms or 0
    trials = rule.tested
    if rule.sources is not None:
        hits, trials = rule.source_alarms or 0.0, rule.sources
    low, high = share_interval(hits, trials)
    rate = "{check}: a false alarm on {share} of untouched photos, 95 %: {low} to {high}"
    return rate.format(check=finding.check_id, share=_percent(hits / trials), low=_percent(low), high=_percent(high))


def _percent(share: float) -> str:
    digits = 1 if share >= 0.0005 or share == 0 else 3
    return f"{100 * share:.{digits}f} %"


# --------------------------------------------------------------------------- corrections


def plan_rows(plan: Plan, cameras: Mapping[bytes, tuple[str, str]]) -> Iterator[Row]:
    """Yield the lines of a plan: ``change <path> <tag> <old> <new> <strength> <camera> <its name> <reason>``.

    Args:
        plan: what is proposed.
        cameras: device key and name for people, by path.
    """
    for change in plan.changes:
        key, label = cameras.get(change.relative, ("", ""))
        strength = f"{change.strength:.4f}"
        tag = change.quantity.value
        yield ("change", change.relative, tag, change.old, change.new, strength, key, label, visible(change.reason))
    yield from (("note", visible(note)) for note in plan.notes)


def result_rows(result: Result | None) -> Iterator[Row]:
    """Yield what a transaction came to: its name, then ``done <path>`` and ``left <path> <reason>``."""
    if result is None:
        return
    yield ("transaction", result.transaction)
    yield from (("done", item.relative) for item in result.corrected)
    yield from (("left", item.relative, visible(item.reason)) for item in result.refused)


def cameras_of(view: CaseView) -> dict[bytes, tuple[str, str]]:
    """Return the camera of each photo of a case that names one: its device key, and what people call it."""
    from gtloc_forensics.examination.summaries import label

    return {
        entry.photo.source.relative: (entry.photo.claim.device.key, visible(label(entry.photo.claim)[0]))
        for entry in view.photos()
        if isinstance(entry.photo.claim, Claim) and entry.photo.claim.device.key != UNKNOWN_DEVICE
    }
