"""Parts of a file's metadata that could not be read: never the same as parts that are not there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, unique

from gtloc_forensics.records.absence import visible
from gtloc_forensics.records.sentences import Sentence, Statement


@unique
class MetadataBlock(Enum):
    """A part of a file in which metadata stand."""

    EXIF = "EXIF block"
    GPS = "GPS part of the EXIF block"
    MAKER_NOTES = "maker's notes"
    XMP = "XMP block"
    IPTC = "IPTC block"
    QUICKTIME = "container of the video"
    PNG = "PNG container"
    CONTAINER = "structure"
    SIDECAR = "sidecar"


@dataclass(frozen=True, slots=True)
class UnreadBlock:
    """A block that could not be read, or not whole."""

    block: MetadataBlock
    said: Statement  # what the reader said of it
    name: str = ""  # of the sidecar

    @property
    def reason(self) -> Sentence:
        """One sentence for a person: what could not be read, and what follows."""
        said = visible(self.said)
        if self.block is MetadataBlock.SIDECAR:
            return Sentence(
                "the sidecar {name} could not be read: {said:bare}; what it holds is not known",
                name=visible(self.name),
                said=said,
            )
        return Sentence(
            "its {block} is damaged ({said:bare}); what could not be read there is not known, and not absent",
            block=Sentence(self.block.value),
            said=said,
        )


def one_of_each(blocks: Iterable[UnreadBlock]) -> tuple[UnreadBlock, ...]:
    """Return the first of *blocks* about each block of each file: what else is wrong with it adds nothing."""
    found: dict[tuple[MetadataBlock, str], UnreadBlock] = {}
    for block in blocks:
        found.setdefault((block.block, block.name), block)
    return tuple(found.values())
