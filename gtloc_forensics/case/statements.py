"""What an examiner gives a case: numbers for its photos, and what a report says of the mandate. Kept in the chain."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path

from gtloc_forensics.case.exhibits import EXHIBITS, MANDATE, given, mandate, numbered
from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.errors import UsageError
from gtloc_forensics.records import visible

LONGEST_NUMBER = 24  # characters


def give(case: CaseFolder, path: Path) -> int:
    """Take numbers from a CSV file of two columns, path in the folder and number; return how many.

    Raises:
        UsageError: the file cannot be read, names what is not in the case, or gives one number to two photos.
    """
    view = case.view()
    sources = {visible(known.relative): key for key, known in case.store.latest_sources().items()}
    wanted: dict[str, str] = {}
    for line, row in enumerate(_rows(path), start=1):
        name, number = row[0].strip(), visible(row[1].strip()) if len(row) > 1 else ""
        if not number or len(number) > LONGEST_NUMBER:
            raise UsageError(
                f"line {line} of {path} gives no number of at most {LONGEST_NUMBER} characters; correct it"
            )
        if name not in sources:
            if line == 1:
                continue  # titles
            raise UsageError(
                f"line {line} of {path} names {visible(name)!r}, which is no photo of the case; correct it"
            )
        wanted[sources[name]] = number
    if not wanted:
        raise UsageError(f"{path} gives no photo a number; write a line for each: path in the folder, comma, number")
    after = dict(numbered(case.store, view.examination_id)) | wanted
    taken: dict[str, str] = {}
    for source_id, number in after.items():
        other = taken.setdefault(number, source_id)
        if other != source_id:
            both = f"{view.name_of(other)} and {view.name_of(source_id)}"
            raise UsageError(f"{both} would both be number {number}; give each photo a number of its own")
    changed = {source_id: number for source_id, number in wanted.items() if given(case.store).get(source_id) != number}
    if changed:
        with case.locked():
            case.note(EXHIBITS, visible(os.fsencode(path.name)), dict(changed))
    return len(wanted)


def _rows(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            lines = opened.readlines()
        # A spreadsheet in a language whose decimals have a comma parts the columns with a semicolon.
        parted = ";" if lines and ";" in lines[0] and "," not in lines[0] else ","
        return [row for row in csv.reader(lines, delimiter=parted) if row and any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise UsageError(f"{path} cannot be read as a table of paths and numbers: {problem}") from None


def say(case: CaseFolder, fields: Mapping[str, str]) -> None:
    """Keep what the examiner says of the case; an empty field keeps what is there."""
    known = mandate(case.store)
    changed = {name: value for name, value in fields.items() if value and known.get(name) != value}
    if changed:
        with case.locked():
            case.note(MANDATE, "case", dict(changed))
