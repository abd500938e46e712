"""Records to bytes and back: the form in which the case database keeps them.

msgpack of plain values, compressed. The type is not in the bytes: the reader
says which record it expects, so a database never decides what gets built.
"""

from __future__ import annotations

import re
import types
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeVar, Union, cast, get_args, get_origin

import msgspec
import numpy as np

from gtloc_forensics.errors import DamagedCase
from gtloc_forensics.records import (
    Absent,
    CauseGroup,
    Claim,
    Finding,
    ImageFacts,
    PhotoResult,
    Sentence,
    Statement,
    Status,
    Tags,
    Unexamined,
    visible,
)
from gtloc_forensics.store import cause_groups, claim_records, verdicts
from gtloc_forensics.store.packed import Packed
from gtloc_forensics.store.told import Told, sentence_from, sentence_to_plain, told

if TYPE_CHECKING:
    from cattrs import Converter

    from gtloc_forensics.store.verdicts import Names

R = TypeVar("R")

_NOT_QUITE = (msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError)
"""What is raised by a reader of one kind that is given something else."""

_FAILED = msgspec.msgpack.Decoder(tuple[Told, str])


def _failure(plain: bytes) -> tuple[Statement, str]:
    reason, detail = _FAILED.decode(plain)
    return told(reason), detail


_READ_AT_ONCE: Mapping[Any, Callable[[bytes], Any]] = {
    Claim: claim_records.reader(),
    ImageFacts: msgspec.msgpack.Decoder(ImageFacts).decode,
    tuple[Statement, str]: _failure,
    tuple[CauseGroup, ...]: cause_groups.cause_groups,
}
"""Records that are many and are rebuilt without the converter, and how."""

_ABSENT_KEY = "absent"
_PARTS = "\x1f"  # the unit separator: no sentence of ours holds it
_HALVES = re.compile("[\ud800-\udfff]")  # of characters; and what stands for bytes that are no text
_PACKED_BELOW = 256  # bytes; compressing less than this makes it longer


def pack(record: Any) -> bytes:
    """Return the stored form of a record, or of a tuple or list of records."""
    if isinstance(record, Packed):
        return record.stored
    if isinstance(record, bytes):  # a small picture: JPEG is packed already, zlib would gain 0.4 %
        return b"r" + _encoded(record)
    return _stored(verdicts.encoded(record) or _encoded(record))


def plain_bytes(record: Finding | Unexamined) -> bytes:
    """Return a part of a result in msgpack, as it stands in the result that :func:`pack` compresses."""
    kind = Finding if isinstance(record, Finding) else Unexamined  # a stranger's kind is written as ours
    return verdicts.encoded(record) or _encoded(record, kind=kind)


def listed_bytes(finding: Finding, number: int) -> bytes:
    """Return the same of a finding whose photos are kept as the list with that number."""
    alone = replace(finding, source_ids=finding.source_ids[:1])
    return verdicts.with_list(alone, plain_bytes(alone), number)


def pack_plain(plain: bytes) -> bytes:
    """Return the stored form of a record that is in msgpack already, as the converter would write it."""
    return _stored(plain)


def pack_result(findings: Sequence[bytes], unexamined: Sequence[bytes]) -> bytes:
    """Return the stored form of what was concluded of a photo, of the :func:`plain_bytes` of its parts."""
    return _stored(verdicts.joined(findings, unexamined))


def from_plain(kind: type[R], plain: bytes, *, names: Names | None = None) -> R:
    """Rebuild a finding, or what was not examined, from :func:`plain_bytes`.

    Raises:
        DamagedCase: when the bytes are not that.
    """
    return unpack(kind, b"r" + plain, names=names)


def _encoded(record: Any, *, kind: Any = None) -> bytes:
    built = _converter().unstructure(record, unstructure_as=kind)
    try:
        return msgspec.msgpack.encode(built, enc_hook=_array_to_plain)
    except UnicodeEncodeError:  # a name's bytes that are no text, in the words of a plugin, say: written out
        return msgspec.msgpack.encode(_encodable(built), enc_hook=_array_to_plain)


def _stored(plain: bytes) -> bytes:
    return b"r" + plain if len(plain) < _PACKED_BELOW else b"z" + zlib.compress(plain, 1)


def _encodable(built: Any) -> Any:
    """Return plain values, those texts made :func:`visible` that could not be kept as they are."""
    if isinstance(built, str):
        return visible(built) if _HALVES.search(built) else built
    if isinstance(built, dict):
        return {_encodable(name): _encodable(value) for name, value in built.items()}
    if isinstance(built, list | tuple):
        return [_encodable(value) for value in built]
    return built


def unpack(
    kind: type[R],
    stored: bytes,
    *,
    thin: Callable[[dict[str, Any]], None] | None = None,
    names: Names | None = None,
) -> R:
    """Rebuild what :func:`pack` stored as a *kind*, e.g. ``Claim`` or ``tuple[Finding, ...]``.

    Args:
        kind: the record.
        stored: its bytes.
        thin: takes out of the plain values what is not needed, before the record is built: most of the time goes there.
        names: gives the photos that a finding names by the number of their list.

    Raises:
        DamagedCase: a ValueError, when the bytes are not a *kind* (damaged, or written by another version).
    """
    try:
        plain = _unpacked(stored)
        if thin is None and kind in verdicts.KINDS:
            return verdicts.decoded(plain, kind, names)
        if thin is None and kind in _READ_AT_ONCE:
            try:
                return cast(R, _READ_AT_ONCE[kind](plain))
            except _NOT_QUITE:
                pass  # the converter takes more, and says what is damaged
        built = msgspec.msgpack.decode(plain)
        if thin is not None:
            thin(built)
        return _converter().structure(built, kind)
    except (zlib.error, msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError, ExceptionGroup) as error:
        raise DamagedCase(f"stored bytes are not a {getattr(kind, '__name__', kind)}: {error}") from error


def claim_of(stored: bytes, *, without: Sequence[str] = (), tags: Sequence[str] | None = None) -> Claim:
    """Rebuild what a file says of itself.

    Args:
        stored: its bytes.
        without: fields that hold several values and are left empty, as ``tags``: it takes less time.
        tags: the only ones that are wanted.

    Raises:
        DamagedCase: when the bytes are not that.
    """
    try:
        return claim_records.reader(tuple(without), None if tags is None else tuple(tags))(_unpacked(stored))
    except (zlib.error, *_NOT_QUITE):
        return unpack(Claim, stored, thin=partial(_emptied, without, tags))


def _emptied(names: Sequence[str], tags: Sequence[str] | None, built: dict[str, Any]) -> None:
    built.update({name: type(built[name])() for name in names})
    if tags is not None:
        built["tags"] = {tag: built["tags"][tag] for tag in tags if tag in built["tags"]}


def tested(stored: bytes, names: Names | None = None) -> PhotoResult:
    """Rebuild what was concluded of a photo without the findings that could not be tested; *names* as :func:`unpack`.

    Raises:
        DamagedCase: when the bytes are not that.
    """
    return _read_of_result(partial(verdicts.tested, names=names), stored)


def told_apart(stored: bytes, names: Names | None = None) -> tuple[PhotoResult, Mapping[str, Statement]]:
    """Rebuild the same, and of each rule that could not test why.

    Raises:
        DamagedCase: when the bytes are not that.
    """
    return _read_of_result(partial(verdicts.told_apart, names=names), stored)


def ended(stored: bytes) -> tuple[Status, bool]:
    """Return how a photo is counted first, and whether something of it was not examined.

    Raises:
        DamagedCase: when the bytes are not that.
    """
    return _read_of_result(verdicts.ended, stored)


def _read_of_result(read: Callable[[bytes], R], stored: bytes) -> R:
    try:
        return read(_unpacked(stored))
    except (zlib.error, *_NOT_QUITE) as error:
        raise DamagedCase(f"stored bytes are not a PhotoResult: {error}") from error


def decoded(stored: bytes, kind: type[R]) -> R:
    """Return the plain values that :func:`pack` stored, as a structure of msgspec that names those wanted.

    Raises:
        DamagedCase: when the bytes are none of ours.
    """
    try:
        return msgspec.msgpack.decode(_unpacked(stored), type=kind)
    except (zlib.error, msgspec.MsgspecError, ValueError) as error:
        raise DamagedCase(f"stored bytes cannot be read: {error}") from error


def _unpacked(stored: bytes) -> bytes:
    return zlib.decompress(stored[1:]) if stored[:1] == b"z" else stored[1:]


def text_of(told: str) -> str:
    """Return *told* for a column of text: plain English as it is, a sentence with its parts behind it."""
    if isinstance(told, Sentence):
        return f"{told}{_PARTS}{msgspec.json.encode(sentence_to_plain(told)).decode()}"
    return f"{told}{_PARTS}null" if _PARTS in told else told


def told_of(text: str) -> str:
    """Rebuild what :func:`text_of` returned.

    Raises:
        DamagedCase: when the parts of the sentence cannot be read.
    """
    english, mark, parts = text.rpartition(_PARTS)  # JSON writes the mark as an escape, what a file says may hold it
    if not mark:
        return text
    try:
        made = sentence_from(msgspec.json.decode(parts))
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedCase(f"stored text is not a sentence: {error}") from error
    return made if isinstance(made, Sentence) else english


def plain(record: Any) -> Any:
    """Return a record as dicts, lists, strings and numbers (arrays as nested lists), for JSON."""
    return msgspec.to_builtins(_converter().unstructure(record), enc_hook=_array_to_list)


@lru_cache(maxsize=1)
def _converter() -> Converter:
    from cattrs import Converter  # slow to import, and a search that reads bytes needs none

    # Where in a record bytes fail is told to nobody; keeping account of it would take a third of the time.
    converter = Converter(omit_if_default=False, prefer_attrib_converters=False, detailed_validation=False)
    converter.register_unstructure_hook(Absent, lambda value: {_ABSENT_KEY: value.name})
    converter.register_structure_hook_func(_is_array, lambda value, _: _structure_array(value))
    converter.register_unstructure_hook(datetime, lambda value: value.isoformat())
    converter.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
    converter.register_unstructure_hook_func(_is_told, sentence_to_plain)
    converter.register_unstructure_hook(Sentence, sentence_to_plain)  # where no type is told, as in a tuple
    converter.register_structure_hook_func(_is_told, lambda value, _: sentence_from(value))
    converter.register_structure_hook(bytes, lambda value, _: bytes(value))
    converter.register_structure_hook_func(_is_ids, lambda value, _: tuple(value))
    converter.register_unstructure_hook_func(_is_ids, list)
    converter.register_unstructure_hook_func(_is_union_of_plain, _text_of_sentence)
    converter.register_unstructure_hook_func(_is_tags, _tags_as_they_are)
    converter.register_structure_hook_factory(_is_union_of_plain, lambda _: lambda value, _: value)
    converter.register_structure_hook_factory(_is_union_with_absent, lambda kind: _absent_or(kind, converter))
    converter.register_structure_hook_factory(_is_run, lambda kind: _run_of(kind, converter))
    return converter


def _is_told(kind: Any) -> bool:
    return bool(kind == Statement)


def _is_ids(kind: Any) -> bool:
    return bool(kind == Sequence[str])


def _is_tags(kind: Any) -> bool:
    return bool(kind == Tags)


def _tags_as_they_are(tags: Tags) -> Any:
    """Return tags unchanged: they hold hundreds of plain values, tuples are written as lists, and so are sentences."""
    return tags if type(tags) is dict else dict(tags)


def _text_of_sentence(value: Any) -> Any:
    """Return a sentence where plain text is kept, as among the facts of a finding, as that text."""
    return str(value) if isinstance(value, Sentence) else value


def _members(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else ()


def _is_array(kind: Any) -> bool:
    return kind is np.ndarray or get_origin(kind) is np.ndarray


def _is_union_of_plain(kind: Any) -> bool:
    members = _members(kind)
    return bool(members) and set(members) <= {str, int, float, bool, type(None)}


def _is_union_with_absent(kind: Any) -> bool:
    return Absent in _members(kind)


def _is_run(kind: Any) -> bool:
    """Whether a kind is a tuple of any length, all its members of one kind."""
    members = get_args(kind)
    return get_origin(kind) is tuple and len(members) == 2 and members[1] is Ellipsis


def _run_of(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    """Return what rebuilds such a tuple; who rebuilds its members is asked once, not for each of them."""
    member, _ = get_args(kind)
    if _is_union_of_plain(member):
        return lambda value, _: tuple(value)  # as the values of tags, of which a claim holds hundreds
    rebuild: list[Callable[[Any, Any], Any]] = []  # found at the first use: a record may hold others of its own kind

    def structure(value: Any, _: Any) -> Any:
        if not rebuild:
            rebuild.append(converter.get_structure_hook(member))
        hook = rebuild[0]
        return tuple([hook(held, member) for held in value])

    return structure


def _absent_or(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    other = next(member for member in _members(kind) if member is not Absent)
    rebuild: list[Callable[[Any, Any], Any]] = []  # as below

    def structure(value: Any, _: Any) -> Any:
        if isinstance(value, dict) and _ABSENT_KEY in value and len(value) == 1:
            return Absent[value[_ABSENT_KEY]]
        if not rebuild:
            rebuild.append(converter.get_structure_hook(other))
        return rebuild[0](value, other)

    return structure


def _array_to_plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, str):
        return str(value)  # a sentence where plain text is kept, as among the facts of a finding
    array = _as_array(value)
    return {"dtype": array.dtype.str, "shape": list(array.shape), "data": array.tobytes()}


def _array_to_list(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)
    return _as_array(value).tolist()


def _as_array(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return value
    raise TypeError(f"{type(value).__name__} cannot be stored")


def _structure_array(value: Any) -> Any:
    array = np.frombuffer(value["data"], np.dtype(value["dtype"])).reshape(value["shape"])
    if array.dtype.hasobject:
        raise ValueError("an array of objects is never stored")
    return array
