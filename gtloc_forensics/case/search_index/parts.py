"""A file of arrays that knows the hash of each: mapped into memory, and held against its hash when it is first used."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.files import opening, writing

_MAGIC = b"gtloc search index 1\n"
_ALIGNED = 64
_LONGEST_HEAD_BYTES = 64 << 20
_DIGEST_BYTES = 32


class DamagedIndex(Exception):
    """A part of an index is not what was written: it is of no use, and nothing is lost by it."""


@contextmanager
def damage_told() -> Iterator[None]:
    """Tell what cannot be worked with as damage: whoever writes a part can give it right hashes and anything else.

    Raises:
        DamagedIndex: in place of what reading beyond an array or a lacking name raises.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError, MemoryError) as error:
        raise DamagedIndex(f"the index is none of this program: {error!r}") from error


class Part:
    """One file of an index, open for reading."""

    def __init__(self, path: Path) -> None:
        """Open a part.

        Raises:
            DamagedIndex: it is not there, not whole, or none.
        """
        self.path = path
        try:
            with opening.quiet_file(path) as file:
                self._whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise DamagedIndex(f"{os.fsdecode(path.name)} cannot be read: {error}") from error
        head, begin = self._head()
        self.facts: Mapping[str, Any] = head["facts"]
        self._arrays: Mapping[str, Any] = head["arrays"]
        self._begin = begin
        self._known: dict[str, NDArray[Any]] = {}
        if len(self._whole) != begin + head["bytes"]:
            raise DamagedIndex(f"{os.fsdecode(path.name)} is not whole")

    def _head(self) -> tuple[dict[str, Any], int]:
        fixed = len(_MAGIC) + 8 + _DIGEST_BYTES
        length = int.from_bytes(self._whole[len(_MAGIC) : len(_MAGIC) + 8], "little")
        self.digest = self._whole[len(_MAGIC) + 8 : fixed].hex()
        if self._whole[: len(_MAGIC)] != _MAGIC or not 0 < length <= _LONGEST_HEAD_BYTES:
            raise DamagedIndex(f"{os.fsdecode(self.path.name)} is no part of an index")
        text = self._whole[fixed : fixed + length]
        if hashlib.sha256(text).hexdigest() != self.digest:
            raise DamagedIndex(f"{os.fsdecode(self.path.name)} is damaged")
        head: dict[str, Any] = json.loads(text)
        return head, _padded(fixed + length)

    @property
    def names(self) -> tuple[str, ...]:
        """What the arrays are called."""
        return tuple(self._arrays)

    def array(self, name: str) -> NDArray[Any]:
        """Return an array, mapped, not read.

        Raises:
            DamagedIndex: it is not what was written.
        """
        if name not in self._known:
            told = self._arrays[name]
            begin = self._begin + told["at"]
            held = memoryview(self._whole)[begin : begin + told["bytes"]]
            if hashlib.sha256(held).hexdigest() != told["sha256"]:
                raise DamagedIndex(f"{name} in {os.fsdecode(self.path.name)} is damaged")
            self._known[name] = np.frombuffer(held, np.dtype(told["dtype"])).reshape(told["shape"])
        return self._known[name]


def write(path: Path, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    """Write a part, whole or not at all; return its digest, by which another part may name it.

    Raises:
        OSError: as the system does.
    """
    kept = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    told, at = dict[str, Any](), 0
    for name, array in kept.items():
        held = hashlib.sha256(array.data if array.size else b"").hexdigest()
        told[name] = {"dtype": array.dtype.str, "shape": array.shape, "at": at, "bytes": array.nbytes, "sha256": held}
        at = _padded(at + array.nbytes)
    head = json.dumps({"facts": dict(facts), "arrays": told, "bytes": at}).encode()
    digest = hashlib.sha256(head)
    with writing.replaced(path) as draft, draft.open("r+b") as file:
        file.write(_MAGIC + len(head).to_bytes(8, "little") + digest.digest() + head)
        for array in kept.values():
            file.write(b"\0" * (_padded(file.tell()) - file.tell()))
            file.write(array.data)
        file.write(b"\0" * (_padded(file.tell()) - file.tell()))
    return digest.hexdigest()


def _padded(length: int) -> int:
    return -(-length // _ALIGNED) * _ALIGNED
