"""The table of photos as CSV, for spreadsheets that take some cells for formulas."""

from __future__ import annotations

import csv
from pathlib import Path

from gtloc_forensics.files.writing import replaced
from gtloc_forensics.records import CaseView, Decisions, PhotoEntry, Reviewed, Status, visible
from gtloc_forensics.records.decisions import ways_to_say
from gtloc_forensics.report.exports.rows import Progress, Value, entries, row
from gtloc_forensics.report.readings import Reading, readings_of
from gtloc_forensics.report.template import Words, load_words

# What a spreadsheet may read as the start of a formula (OWASP, "CSV Injection"), full-width forms among it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")


def write_csv(
    view: CaseView,
    path: Path,
    *,
    only: frozenset[Status] | None = None,
    progress: Progress = None,
    template: str = "default",
    language: str = "en",
    reviewed: bool = False,
) -> None:
    """Write one line per photo as RFC 4180, UTF-8 with a byte order mark, which spreadsheets ask for.

    Text that a spreadsheet could take for a formula gets an apostrophe before it;
    numbers are written as they are, with a point, in every language: the titles, the
    words for a result and what was found or not examined are the language's.

    With *reviewed* two more columns say what readers decided of the photo's findings, each
    one's last word with the examination that it judged, and which rules' findings nobody settled.

    Raises:
        UsageError: when template or language do not exist.
    """
    words = load_words(template, language)
    decisions = view.decisions() if reviewed else Decisions()
    with replaced(path) as draft, draft.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        columns: list[str] = []
        for entry in entries(view, only=only, progress=progress, lean=True):
            values = row(entry)
            if language != "en":
                values |= _in_words_of(words, entry)
            if reviewed:
                values |= _reviewed(words, entry, decisions)
            if not columns:
                columns = [words.line(f"csv.{name}") for name in values]
                writer.writerow(columns)
            writer.writerow([guarded(value) for value in values.values()])


def _in_words_of(words: Words, entry: PhotoEntry) -> dict[str, Value]:
    """Return the columns of one photo that hold words, in the language of *words*."""
    found = [
        f"{finding.check_id} {words.line(f'outcome.{finding.outcome.name.lower()}')}: {words.say(finding.summary)}"
        for finding in entry.findings
        if finding.is_found
    ]
    gaps = [f"{_stage(words, gap.stage)}: {words.say(gap.reason)}" for gap in entry.unexamined]
    return {
        "status": words.line(f"status.{entry.status.name.lower()}"),
        "findings": " | ".join(found) or None,
        "not_examined": " | ".join(gaps) or None,
    }


def _reviewed(words: Words, entry: PhotoEntry, decisions: Decisions) -> dict[str, Value]:
    """Return what readers decided of one photo, and which of its findings nobody has settled."""
    source = entry.photo.source
    read: tuple[Reading, ...] = ()
    if source.source_id in decisions.judged_photos:
        read = readings_of(source.source_id, decisions, (source.sha256, ways_to_say(entry.findings)))
    settled = {reading.check_id for reading in read if reading.is_settled}
    found = dict.fromkeys(finding.check_id for finding in entry.findings if finding.is_found)
    return {
        "decisions": " | ".join(_decision(words, item) for reading in read for item in reading.readers) or None,
        "undecided": " ".join(check_id for check_id in found if check_id not in settled) or None,
    }


def _decision(words: Words, item: Reviewed) -> str:
    made = item.decision
    return words.line(
        "reviewed.csv_decided",
        check=item.check_id,
        judgement=words.line(f"judgement.{made.judgement.name.lower()}"),
        because=made.because,
        note=made.note,
        examiner=made.examiner,
        when=made.utc_time.isoformat(sep=" ", timespec="seconds"),
        event=str(made.number),
        standing=words.line(f"reviewed.{item.standing.value}", examination=made.examination[:12]),
    )


def _stage(words: Words, name: str) -> str:
    kind, _, rule = name.partition(":")
    word = words.line(f"stage.{kind}") if words.has(f"stage.{kind}") else kind
    return visible(f"{word} {rule}" if rule else word)


def guarded(value: Value) -> Value:
    """Return *value* as it may stand in a cell."""
    if value is None:
        return ""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value
