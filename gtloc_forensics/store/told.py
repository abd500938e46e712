"""Sentences to plain values and back: a template, and what stands in its places."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, TypeAlias, cast

import msgspec

from gtloc_forensics.records import Sentence, Statement

Told: TypeAlias = msgspec.Raw
"""A sentence, or a text, as it stands in stored bytes."""

SENTENCES_KNOWN = 4096
"""Sentences of which the bytes are remembered: what is said of many photos, some hundred bytes each."""

_SENTENCE_KEY = "say"  # the template; its values stand beside it under "of"
_MOMENTS: dict[str, type[datetime] | type[date] | type[time]] = {"moment": datetime, "date": date, "time": time}
_SAME_FOR_ALL = frozenset({str, int, bool, type(None)})  # no float: two that are equal may differ in their sign


def sentence_to_plain(value: Any) -> Any:
    """Return a sentence as its template and values, any other text as it is."""
    if isinstance(value, Sentence):
        return {
            _SENTENCE_KEY: value.template,
            "of": {name: sentence_to_plain(held) for name, held in value.values.items()},
        }
    if isinstance(value, tuple):
        return [sentence_to_plain(member) for member in value]
    for name, kind in _MOMENTS.items():  # a moment is a date too, so it is asked first
        if isinstance(value, kind):
            return {name: value.isoformat()}
    return value


def sentence_from(value: Any) -> Any:
    """Rebuild what :func:`sentence_to_plain` returned."""
    if isinstance(value, list):
        return tuple(sentence_from(member) for member in value)
    if not isinstance(value, dict):
        return value
    if _SENTENCE_KEY not in value:
        ((name, text),) = value.items()
        return _MOMENTS[name].fromisoformat(text)
    held = value["of"]
    if all(type(member) in _SAME_FOR_ALL for member in held.values()):
        return _repeated_sentence(value[_SENTENCE_KEY], *((name, type(of), of) for name, of in held.items()))
    return Sentence(value[_SENTENCE_KEY], **{name: sentence_from(member) for name, member in held.items()})


@lru_cache(maxsize=4096)
def _repeated_sentence(template: str, *held: tuple[str, type, Any]) -> Sentence:
    """Return a sentence that the same rule says of many photos, made once: it never changes."""
    return Sentence(template, **{name: of for name, _, of in held})  # the type is told apart: 1 is no 1.0, nor True


def told(raw: Told) -> Statement:
    """Rebuild a sentence; one whose bytes were read before is not built again."""
    return told_in(bytes(raw))


@lru_cache(maxsize=SENTENCES_KNOWN)
def told_in(plain: bytes) -> Statement:
    """Rebuild a sentence from msgpack."""
    return cast(Statement, sentence_from(msgspec.msgpack.decode(plain)))
