"""Records of one dataclass to bytes and back, by its types alone: for lists that are gone with the process.

Nothing is said of them in the bytes but their values, and no older version ever reads them; what a case keeps goes
through :mod:`gtloc_forensics.store.codec`.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import msgspec

from gtloc_forensics.store import verdicts

_ARRAY = 1  # an array among what msgspec knows

_PICKLED = b"\xc1"
"""Before a record that msgspec cannot write: a half of a character, which a stranger's reader of tags may give, or a
whole number of more than 64 bits. MessagePack never begins with this byte."""


@lru_cache
def by_type(kind: Any) -> tuple[Callable[[Any], bytes], Callable[[Any], Any]]:
    """Return how records of a dataclass, or bytes, are written and how they are read."""
    if kind in verdicts.KINDS:
        return _as_kept, partial(_from_kept, kind)
    encoder = msgspec.msgpack.Encoder(enc_hook=_plain)
    decoder = msgspec.msgpack.Decoder(kind, dec_hook=lambda _, value: value, ext_hook=_array)

    def encode(record: Any) -> bytes:
        try:
            return encoder.encode(record)
        except (UnicodeEncodeError, OverflowError):
            return _PICKLED + pickle.dumps(record, pickle.HIGHEST_PROTOCOL)

    def decode(data: Any) -> Any:
        return pickle.loads(data[1:]) if data[:1] == _PICKLED else decoder.decode(data)

    return encode, decode


def _as_kept(record: Any) -> bytes:
    """Return what a rule said as a case keeps it; what is not quite of its kind as Python keeps it."""
    return verdicts.encoded(record) or _PICKLED + pickle.dumps(record, pickle.HIGHEST_PROTOCOL)


def _from_kept(kind: Any, data: Any) -> Any:
    return pickle.loads(data[1:]) if data[:1] == _PICKLED else verdicts.decoded(data, kind)


def _plain(value: object) -> object:
    import numpy as np

    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return msgspec.msgpack.Ext(_ARRAY, pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
    raise TypeError(f"{type(value).__name__} has no place on the disk")


def _array(_: int, value: memoryview) -> object:
    return pickle.loads(value)
