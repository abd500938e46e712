"""The table of photos as CSV, for spreadsheets that take some cells for formulas."""

from __future__ import annotations

import csv
from pathlib import Path

from gtloc_forensics.files.writing import replaced
from gtloc_forensics.records import CaseView, PhotoEntry, Status, visible
from gtloc_forensics.report.exports.rows import Progress, Value, entries, row
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
) -> None:
    """Write one line per photo as RFC 4180, UTF-8 with a byte order mark, which spreadsheets ask for.

    Text that a spreadsheet could take for a formula gets an apostrophe before it;
    numbers are written as they are, with a point, in every language: the titles, the
    words for a result and what was found or not examined are the language's.

    Raises:
        UsageError: when template or language do not exist.
    """
    words = load_words(template, language)
    with replaced(path) as draft, draft.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        columns: list[str] = []
        for entry in entries(view, only=only, progress=progress):
            values = row(entry)
            if language != "en":
                values |= _in_words_of(words, entry)
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
