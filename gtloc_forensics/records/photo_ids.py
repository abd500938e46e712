"""The ids of many photos, packed: eight bytes each, where a text of sixteen characters takes seventy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

_BYTES = 8
_CHARACTERS = 2 * _BYTES
_IDS = re.compile(f"(?:[0-9a-f]{{{_CHARACTERS}}})*")


class PhotoIds(Sequence[str]):
    """Ids as a tuple holds them, and equal to it; each that is asked for is made anew."""

    __slots__ = ("packed",)

    def __init__(self, packed: bytes) -> None:
        """Take what :func:`packed_ids` returned."""
        self.packed = packed

    def __len__(self) -> int:
        """Return the number of ids."""
        return len(self.packed) // _BYTES

    def __getitem__(self, index: int | slice) -> Any:
        """Return an id, or a tuple of some."""
        if isinstance(index, slice):
            return tuple([self[number] for number in range(*index.indices(len(self)))])
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(index)
        return self.packed[number * _BYTES : (number + 1) * _BYTES].hex()

    def __iter__(self) -> Iterator[str]:
        """Yield the ids in their order."""
        return (self.packed[first : first + _BYTES].hex() for first in range(0, len(self.packed), _BYTES))

    def __eq__(self, other: object) -> bool:
        """Whether *other* has the same ids in the same order."""
        if isinstance(other, PhotoIds):
            return self.packed == other.packed
        return isinstance(other, tuple) and len(other) == len(self) and all(map(str.__eq__, self, other))

    def __hash__(self) -> int:
        """Return the hash of the tuple that it is equal to."""
        return hash(tuple(self))

    def __repr__(self) -> str:
        """Return the tuple in Python's words."""
        return repr(tuple(self))


def packed_ids(source_ids: Sequence[str]) -> bytes | None:
    """Return ids packed, eight bytes each; None where one is not such as the program gives."""
    text = "".join(source_ids)
    is_ours = all(len(source_id) == _CHARACTERS for source_id in source_ids) and _IDS.fullmatch(text)
    return bytes.fromhex(text) if is_ours else None


def unpacked_ids(packed: bytes) -> tuple[str, ...]:
    """Return the ids that :func:`packed_ids` packed."""
    text = packed.hex()
    return tuple([text[first : first + _CHARACTERS] for first in range(0, len(text), _CHARACTERS)])


def number_of(source_id: str) -> int | None:
    """Return an id as the number that it is packed to, None where it is not such as the program gives."""
    return int(source_id, 16) if len(source_id) == _CHARACTERS and _IDS.fullmatch(source_id) else None
