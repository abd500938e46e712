"""What a container is as a piece of evidence: its files and their hashes, and whether it is what it says it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from gtloc_forensics.files.containers.media import Media, blocks
from gtloc_forensics.records import Sentence

_ALGORITHMS = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256"}


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a container."""

    name: bytes
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Identity:
    """A container as it was found.

    Attributes:
        kind: what it is, in words.
        parts: its files in order.
        media_bytes: how much they hold; the length of the disk of an image.
        media: algorithm → hash of what they hold, as computed now.
        stored: algorithm → hash that the container itself states.
        unread: why its content could not be read to the end; "" where it could.
        said: what the acquiring program wrote into it.
        libraries: what it was read with.
    """

    kind: str
    parts: tuple[Part, ...]
    media_bytes: int
    media: Mapping[str, str]
    stored: Mapping[str, str]
    unread: str = ""
    said: Mapping[str, str] = field(default_factory=dict)
    libraries: str = ""

    @property
    def number(self) -> int:
        """A number that stands for the content of its files."""
        together = hashlib.sha256("".join(part.sha256 for part in self.parts).encode()).digest()
        return int.from_bytes(together[:7], "big")

    @property
    def compared(self) -> tuple[str, ...]:
        """The algorithms of which there is a stored hash that was computed, too."""
        return tuple(name for name in self.stored if name in self.media)

    @property
    def mismatch(self) -> Sentence | None:
        """Why the container is not what it says it is; None where nothing speaks against it."""
        if self.unread:
            return Sentence(
                "THE CONTAINER COULD NOT BE READ TO ITS END ({said}): part of it is damaged or missing, and the hash "
                "that it states could not be checked",
                said=self.unread,
            )
        for name in self.compared:
            if self.media[name] != self.stored[name]:
                return Sentence(
                    "THE HASH DOES NOT MATCH: the container states {name} {stored} for its content, which has {name} "
                    "{found}; it was changed or damaged after it was acquired",
                    name=name,
                    stored=self.stored[name],
                    found=self.media[name],
                )
        return None


def hashes_of(media: Media) -> tuple[dict[str, str], str]:
    """Return algorithm → hash of a whole medium, and why it could not be read to its end ("" if it was)."""
    digests = {name: hashlib.new(algorithm, usedforsecurity=False) for name, algorithm in _ALGORITHMS.items()}
    try:
        for block in blocks(media):
            for digest in digests.values():
                digest.update(block)
    except OSError as error:
        return {}, (str(error).splitlines() or ["?"])[0][:160]
    return {name: digest.hexdigest() for name, digest in digests.items()}, ""
