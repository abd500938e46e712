"""What exiftool answered, as records."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from gtloc_forensics.records import Sentence, Statement, TagsRead, Unread

Value = str | int | float

ABOUT_THE_COPY = ("System:", "ExifTool:", "SourceFile")
"""Facts of the working copy and of the program: file name, file times, exiftool's version. Not of the photo."""

_COPY = re.compile(r"Copy\d+")
_ONE_VALUE = frozenset({str, int, float})
_WRITTEN_AS_TEXT = re.compile(r"\.\d*0$|[eE]")


@dataclass(frozen=True, slots=True)
class Written:
    """How writing to one file ended; ``message`` is what exiftool said. Not ``done``: not all of it was written."""

    done: bool
    message: str
    warnings: tuple[str, ...] = ()


def tags_read(stdout: bytes, stderr: bytes) -> TagsRead | Unread:
    """Return the tags of one file from exiftool's ``-j -G1:4`` output for it."""
    said = stderr.decode("utf-8", "replace").strip()
    if not stdout.strip():
        return Unread(Sentence("exiftool could not read it: {message}", message=_plain(said)), said)
    try:
        answered = json.loads(stdout.decode("utf-8", "replace"), parse_float=_number, parse_constant=str)
    except (ValueError, RecursionError) as error:
        reason = Sentence("exiftool's answer about it cannot be read: it is not JSON")
        return Unread(reason, f"{error}\n{said}".strip())
    if not (isinstance(answered, list) and len(answered) == 1 and isinstance(answered[0], dict)):
        return Unread(Sentence("exiftool did not answer about exactly one file"), said)
    return _sorted_out(answered[0], said)


def _sorted_out(answered: dict[str, object], said: str) -> TagsRead | Unread:
    every = merged(answered)
    tags = {key: every[key] for key in filter(_is_of_the_photo, every)}
    errors = [str(value) for value in every.get("ExifTool:Error", ())]
    warnings = [str(value) for value in every.get("ExifTool:Warning", ())]
    if errors and not tags:
        reason = Sentence("exiftool could not read it: {message}", message=errors[0])
        return Unread(reason, "\n".join((*errors, *warnings, said)))
    return TagsRead(tags, tuple(f"Error: {text}" for text in errors) + tuple(warnings))


def merged(answered: dict[str, object]) -> dict[str, tuple[Value, ...]]:
    """Return ``Group1:Tag`` → all its values in file order, however often the tag occurs."""
    tags: dict[str, tuple[Value, ...]] = {}
    for name, value in zip(map(_without_copies, answered), answered.values(), strict=True):
        values = tuple(flat(value)) if type(value) not in _ONE_VALUE else (cast(Value, value),)
        tags[name] = tags[name] + values if name in tags else values
    return tags


@lru_cache(maxsize=4096)  # the same tags stand in every photo
def _is_of_the_photo(key: str) -> bool:
    return not key.startswith(ABOUT_THE_COPY)


@lru_cache(maxsize=4096)
def _without_copies(key: str) -> str:
    """Return a key without the groups that only number the copies of a tag."""
    return key if "Copy" not in key else ":".join(part for part in key.split(":") if not _COPY.fullmatch(part))


def flat(value: object) -> list[Value]:
    """Return a JSON value as a flat list of scalars; null and empty lists vanish."""
    if isinstance(value, list):
        return [item for part in value for item in flat(part)]
    if isinstance(value, dict):
        return [json.dumps(value, ensure_ascii=False, sort_keys=True)]
    if isinstance(value, bool):  # exiftool writes any text "true" as JSON's true
        return [str(value)]
    return [value] if isinstance(value, str | int | float) else []


def _number(text: str) -> Value:
    """Return a float, unless the text would not survive it: "1.10" is a version, not 1.1."""
    number = float(text)
    return text if not math.isfinite(number) or (_WRITTEN_AS_TEXT.search(text) and repr(number) != text) else number


def _plain(said: str) -> Statement:
    """Return exiftool's first error without the path it names."""
    lines = [text for text in said.splitlines() if text.startswith("Error")] or said.splitlines()
    if not lines:
        return Sentence("no answer")
    return lines[0].removeprefix("Error: ").rpartition(" - ")[0] or lines[0]


def written(stdout: bytes, stderr: bytes) -> Written:
    """Return how a write ended: done only if the file was written and no assignment was refused."""
    out = stdout.decode("utf-8", "replace").strip()
    said = stderr.decode("utf-8", "replace").strip()
    counted = bool(re.search(r"^\s*1 (?:image )?files? (?:updated|created|unchanged)", out, re.MULTILINE))
    failed = bool(re.search(r"weren't updated|^Error", f"{out}\n{said}", re.MULTILINE))
    warnings = tuple(text for text in said.splitlines() if text.startswith("Warning"))
    # A warning about the file ends in its path; one without it is about an assignment that was left out.
    refused = any(" - " not in text for text in warnings)
    return Written(counted and not failed and not refused, "\n".join(part for part in (out, said) if part), warnings)
