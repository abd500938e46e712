"""The plan as a file that people read, change, comment and lock: TOML, written so that their comments stay.

Strings have every control and bidi character escaped, for a person must see what a line says.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import String, StringType, Trivia

from gtloc_forensics.correct.changes import Change, Plan, Quantity
from gtloc_forensics.errors import PlanError
from gtloc_forensics.files.opening import words
from gtloc_forensics.files.writing import write_text
from gtloc_forensics.records import visible

FORMAT = 1
_BLOCK_START = re.compile(r"(?m)^(?=\[\[change\]\])")
"""Blocks are edited one by one, and only those with comments: tomlkit takes half a minute for thousands of tables."""
_HEAD = """\
# A correction plan. Nothing has been changed yet.
# Change "new", drop whole [[change]] blocks, add some, or set locked = true: a locked line
# stands through every later plan. To refuse a change for good, lock it with new = old.
# tag is one of DateTimeOriginal, OffsetTimeOriginal, GPSDateTime (UTC), GPSPosition, Keywords, FileName;
# the other tags that speak of the same moment or place follow in step.
"""


def dumps(plan: Plan, *, over: str = "") -> str:
    """Return a plan as TOML; the same plan gives the same text.

    Args:
        plan: what to write.
        over: the text of the plan that this one takes the place of: what a person wrote beside its lines stays.

    Raises:
        PlanError: *over* is not TOML.
    """
    head, *pieces = _BLOCK_START.split(over) if over else [_HEAD]
    if any(mark in over for mark in ('"""', "'''")):  # a text over several lines may hold what looks like a block
        head, pieces = _HEAD, []
    blocks = {_key(document): document for document in map(_parsed, (piece for piece in pieces if "#" in piece))}
    out = [_headed(_parsed(head), plan.notes)]
    out += [_filled(blocks.get((change.relative, change.quantity.value)), change) for change in plan.changes]
    return "\n".join(text.rstrip("\n") + "\n" for text in out)


def _headed(document: TOMLDocument, notes: Sequence[str]) -> str:
    document.pop("notes", None)
    document["format"] = FORMAT
    if notes:
        written = tomlkit.array()
        for note in notes:
            written.append(quoted(note))
        document["notes"] = written.multiline(True)
    return tomlkit.dumps(document)


def _parsed(text: str) -> TOMLDocument:
    try:
        return tomlkit.parse(text)
    except RecursionError as error:
        raise PlanError("the plan is not one of ours: it is nested too deeply; make a new plan") from error
    except (TOMLKitError, ValueError) as error:
        raise PlanError(f"the plan is not TOML: {visible(str(error))}") from error


def _key(document: TOMLDocument) -> tuple[bytes, str] | None:
    """Return photo and tag of a block, None for one that is no line of a plan."""
    try:
        block = document.unwrap()["change"][0]
        return _relative(block), str(block["tag"])
    except (PlanError, KeyError, TypeError, AttributeError):
        return None


def _filled(document: TOMLDocument | None, change: Change) -> str:
    """Return a block with the values of a line; comments that stand beside them stay."""
    name, faithful = _name(change.relative)
    values: dict[str, Any] = {"photo": quoted(name)}
    values |= {} if faithful else {"photo_hex": change.relative.hex()}
    values |= {"sha256": change.sha256, "tag": change.quantity.value, "old": quoted(change.old)}
    values |= {"new": quoted(change.new), "reason": quoted(change.reason)}
    values |= {"strength": round(change.strength, 4), "locked": change.locked}
    if document is None:
        lines = (f"{word} = {tomlkit.item(value).as_string()}" for word, value in values.items())
        return "\n".join(["[[change]]", *lines])
    blocks: Any = document["change"]
    for word, value in values.items():
        if blocks[0].get(word) != value:
            blocks[0][word] = value
    return tomlkit.dumps(document)


def _name(relative: bytes) -> tuple[str, bool]:
    """Return a name as text and whether the text alone gives the bytes back."""
    try:
        return relative.decode("utf-8"), True
    except UnicodeDecodeError:
        return visible(relative), False


def loads(text: str) -> Plan:
    """Return the plan in *text*.

    Raises:
        PlanError: naming the block and what is wrong with it.
    """
    try:
        document = tomllib.loads(text)
    except RecursionError as error:
        raise PlanError("the plan is not one of ours: it is nested too deeply; make a new plan") from error
    except tomllib.TOMLDecodeError as error:
        raise PlanError(f"the plan is not TOML: {visible(str(error))}") from error
    except ValueError as error:  # of a number with more digits than are read
        raise PlanError("the plan is not one of ours: a number in it is too long; make a new plan") from error
    stated = document.get("format")
    if type(stated) is not int or stated != FORMAT:
        has = "no format" if stated is None else f"format {visible(str(stated))[:20]}"
        raise PlanError(f"the plan has {has}, this program reads {FORMAT}; make a new plan")
    rows, notes = document.get("change", []), document.get("notes", [])
    if not isinstance(rows, list):
        raise PlanError("the plan's lines must be [[change]] blocks, with two brackets")
    if not isinstance(notes, list):
        raise PlanError("the plan's notes must be a list of sentences")
    changes = tuple(_change(number, row) for number, row in enumerate(rows, 1))
    return Plan(changes, tuple(str(note) for note in notes))


_FIELDS = {"photo": str, "sha256": str, "tag": str, "old": str, "new": str, "reason": str}
_OPTIONAL: dict[str, type | tuple[type, ...]] = {"photo_hex": str, "strength": (int, float), "locked": bool}


def _change(number: int, row: Any) -> Change:
    try:
        _check_fields(row)
        return Change(
            relative=_relative(row),
            sha256=row["sha256"],
            quantity=_quantity(row["tag"]),
            old=row["old"],
            new=row["new"],
            reason=row["reason"],
            strength=_strength(row.get("strength", 1.0)),
            locked=row.get("locked", False),
        )
    except PlanError as error:
        photo = row.get("photo", "?") if isinstance(row, dict) else "?"
        raise PlanError(f"change {number} ({visible(str(photo))}): {error}") from error


def _check_fields(row: Any) -> None:
    if not isinstance(row, dict):
        raise PlanError("it is not a [[change]] block")
    for name, kind in _FIELDS.items():
        if not isinstance(row.get(name), kind):
            raise PlanError(f"{name} is missing or not text")
    for name, kinds in _OPTIONAL.items():
        if name in row and not isinstance(row[name], kinds):
            raise PlanError(f"{name} is of the wrong kind")
    unknown = row.keys() - _FIELDS.keys() - _OPTIONAL.keys()
    if unknown:
        raise PlanError(f"unknown word {sorted(unknown)[0]!r}")


def _relative(row: dict[str, Any]) -> bytes:
    try:
        relative = bytes.fromhex(row["photo_hex"]) if "photo_hex" in row else row["photo"].encode("utf-8")
    except ValueError as error:
        raise PlanError("photo_hex is not hexadecimal") from error
    parts = relative.split(b"/")
    if not relative or b"\0" in relative or any(part in (b"", b".", b"..") for part in parts):
        raise PlanError("photo is not a path below the evidence folder")
    return relative


def _strength(stated: float) -> float:
    if not 0 <= stated <= 1:
        raise PlanError("strength is not between 0 and 1")
    return float(stated)


def _quantity(tag: str) -> Quantity:
    try:
        return Quantity(tag)
    except ValueError as error:
        known = ", ".join(quantity.value for quantity in Quantity)
        raise PlanError(f"tag {tag!r} is not one that can be corrected; they are {known}") from error


def quoted(text: str) -> String:
    """Return *text* as a TOML basic string: what could hide or break a line is escaped."""
    kept = "".join("\ufffd" if 0xD800 <= ord(character) <= 0xDFFF else character for character in text)
    return String(StringType.SLB, kept, "".join(_escaped(character) for character in kept), Trivia())


def _escaped(character: str) -> str:
    code = ord(character)
    if character in '"\\':
        return "\\" + character
    if visible(character) != character or code in (0x7F, 0x85):
        return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
    return character


def write(plan: Plan, path: Path) -> None:
    """Write a plan so that the file is either the old one or the whole new one; comments in the old one stay."""
    try:
        over = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        over = ""
    except UnicodeDecodeError as error:
        raise PlanError(f"{path} is no UTF-8 text, and so no plan; name another file with --plan") from error
    write_text(path, dumps(plan, over=over))


def read(path: Path) -> Plan:
    """Return the plan in a file.

    Raises:
        PlanError: when it is not there, not text or not a plan.
    """
    try:
        return loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise PlanError(
            f"the plan {path} is no UTF-8 text from byte {error.start + 1} on; name the file that the planning wrote"
        ) from error
    except OSError as error:
        raise PlanError(
            f"the plan {path} could not be read: {words(error)}; name the file that the planning wrote"
        ) from error
