"""What the sidecars beside a file say, and which of them could not be read: each one is an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gtloc_forensics.files.acquiring import Taken
from gtloc_forensics.metadata.exiftool import unread_blocks
from gtloc_forensics.records import MetadataBlock, Sentence, Tags, TagsRead, Unread, UnreadBlock, visible


def sidecars_of(
    taken: Taken, results: Mapping[str, TagsRead | Unread]
) -> tuple[list[tuple[str, Tags]], tuple[UnreadBlock, ...]]:
    """Return (name for people, tags) of each sidecar that was read, and what could not be read of the others.

    Args:
        taken: a file as it was taken in.
        results: the hash of a content → its tags, or why there are none.
    """
    beside: list[tuple[str, Tags]] = []
    unread = [
        UnreadBlock(MetadataBlock.SIDECAR, sidecar.reason, visible(sidecar.relative))
        for sidecar in taken.unread_sidecars
    ]
    for relative, sha256, _ in sorted(taken.sidecar_copies):
        name, read = visible(relative), results.get(sha256)
        if isinstance(read, TagsRead):
            beside.append((name, read.tags))
            unread += [replace(block, block=MetadataBlock.SIDECAR, name=name) for block in unread_blocks(read.warnings)]
        else:
            said = read.reason if read is not None else Sentence("it was never read")
            unread.append(UnreadBlock(MetadataBlock.SIDECAR, said, name))
    return beside, tuple(unread)
