"""The plan as a file that people read, change and lock: TOML, read by the standard library.

Only what this module writes is needed to write TOML, so it needs no writer package:
basic strings with every control, bidi and unpaired character escaped, numbers and booleans.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from gtloc_forensics.correct.changes import Change, Plan, Quantity
from gtloc_forensics.errors import PlanError
from gtloc_forensics.files.writing import write_text
from gtloc_forensics.records import visible

FORMAT = 1
_HEAD = """\
# A correction plan. Nothing has been changed yet.
# Change "new", drop whole [[change]] blocks, add some, or set locked = true: a locked line
# stands through every later plan. To refuse a change for good, lock it with new = old.
# tag is one of DateTimeOriginal, OffsetTimeOriginal, GPSDateTime (UTC), GPSPosition, Keywords;
# the other tags that speak of the same moment or place follow in step.
"""


def dumps(plan: Plan) -> str:
    """Return a plan as TOML; the same plan gives the same text."""
    blocks = [_HEAD, f"format = {FORMAT}\n"]
    if plan.notes:
        blocks.append("notes = [\n" + "".join(f"  {quoted(note)},\n" for note in plan.notes) + "]\n")
    blocks += [_block(change) for change in plan.changes]
    return "\n".join(blocks)


def _block(change: Change) -> str:
    name, faithful = _name(change.relative)
    lines = ["[[change]]", f"photo = {quoted(name)}"]
    if not faithful:
        lines.append(f'photo_hex = "{change.relative.hex()}"')
    lines += [
        f'sha256 = "{change.sha256}"',
        f'tag = "{change.quantity.value}"',
        f"old = {quoted(change.old)}",
        f"new = {quoted(change.new)}",
        f"reason = {quoted(change.reason)}",
        f"strength = {change.strength:.4f}",
        f"locked = {str(change.locked).lower()}",
    ]
    return "\n".join(lines) + "\n"


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
        raise PlanError(f"the plan is not TOML: {error}") from error
    if document.get("format") != FORMAT:
        raise PlanError(f"the plan has format {document.get('format')!r}, this program reads {FORMAT}; make a new plan")
    rows = document.get("change", [])
    if not isinstance(rows, list):
        raise PlanError("the plan's lines must be [[change]] blocks, with two brackets")
    notes = tuple(str(note) for note in document.get("notes", []))
    return Plan(tuple(_change(number, row) for number, row in enumerate(rows, 1)), notes)


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
            strength=float(row.get("strength", 1.0)),
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


def _quantity(tag: str) -> Quantity:
    try:
        return Quantity(tag)
    except ValueError as error:
        known = ", ".join(one.value for one in Quantity)
        raise PlanError(f"tag {tag!r} is not one that can be corrected; they are {known}") from error


def quoted(text: str) -> str:
    """Return *text* as a TOML basic string: what could hide or break a line is escaped."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    code = ord(character)
    if character in '"\\':
        return "\\" + character
    if 0xD800 <= code <= 0xDFFF:
        return "\\uFFFD"  # an unpaired surrogate has no TOML form
    if visible(character) != character or code in (0x7F, 0x85):
        return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
    return character


def write(plan: Plan, path: Path) -> None:
    """Write a plan so that the file is either the old one or the whole new one."""
    write_text(path, dumps(plan))


def read(path: Path) -> Plan:
    """Return the plan in a file.

    Raises:
        PlanError: when it is not there, not text or not a plan.
    """
    try:
        return loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(
            f"the plan {path} could not be read ({error}); name the file that the planning wrote"
        ) from error
