"""What an image, an archive or a store records of a photo: times with zone and step, deletion, carving, its version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from gtloc_forensics.records import FileStat, Sentence
from gtloc_forensics.report.blocks import Text, text_of
from gtloc_forensics.report.chapters.edition import Edition

FINEST_S = 0.001
"""A finer step is not worth a word."""


def rows(edition: Edition, stat: FileStat) -> Iterator[tuple[Text, Text]]:
    """Yield what is printed of the record; nothing for a file of a folder."""
    words = edition.words
    if stat.is_deleted:
        yield words("photos.deleted"), words("photos.deleted_told")
    if stat.is_carved:
        yield words("photos.carved"), words("photos.carved_told", offset=words.number(stat.inode))
    if stat.mtime_step_ns:
        for name, nanoseconds, step_ns in (
            ("photos.written", stat.mtime_ns, stat.mtime_step_ns),
            ("photos.created", stat.birth_ns or 0, stat.birth_step_ns),
        ):
            said = moment_of(nanoseconds, step_ns / 1e9, is_local=stat.is_local)
            if said is not None:
                yield words(name), text_of(words.say(said))
    for name, mark in (("photos.etag", stat.etag), ("photos.version", stat.version)):
        if mark:
            yield words(name), text_of(mark)


def moment_of(nanoseconds: int, step_s: float, *, is_local: bool) -> Sentence | None:
    """Return a recorded time with its zone and step; None where there is none."""
    if not nanoseconds:
        return None
    try:
        moment = datetime(1970, 1, 1) + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return None
    zoned = (
        Sentence("{moment}, by a clock whose zone is not recorded", moment=moment)
        if is_local
        else Sentence("{moment} UTC", moment=moment)
    )
    if step_s < FINEST_S:
        return zoned
    return Sentence("{when}, in steps of {step_s:.2f} s", when=zoned, step_s=step_s)
