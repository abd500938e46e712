"""The search of a case file whose index is there: answered without opening the case for work, else not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gtloc_forensics.case.retrieval import Answer, Example, Query
from gtloc_forensics.case.search_index import asking
from gtloc_forensics.case.search_index.index import SearchIndex, path_of
from gtloc_forensics.case.search_index.parts import DamagedIndex, damage_told
from gtloc_forensics.case.towns import town_of
from gtloc_forensics.errors import DamagedCase
from gtloc_forensics.records import source_id_of
from gtloc_forensics.store import lean_rows
from gtloc_forensics.store.lean_rows import Ask, Newest

DATABASE, ADDRESS = "case.sqlite", "database.url"  # as store.addresses has them, which loads what this goes without


def answered(folder: Path, query: Query, *, like: str = "", words: str = "", limit: int = 20) -> Answer | None:
    """Return what the case answers; None where it has to be opened for that: nothing is said or written then.

    Args:
        folder: of the case.
        query: conditions.
        like: a photo of the case, "" for none.
        words: that photos have to hold, "" for none.
        limit: the most hits.

    Raises:
        UsageError: too many words.
    """
    database = folder / DATABASE
    if (folder / ADDRESS).exists() or database.is_symlink() or not asking.can_answer(query, limit):
        return None
    with suppress(DamagedIndex, DamagedCase, OSError), damage_told():
        before = _state(database)
        with lean_rows.opened(database) as ask:
            newest = None if ask is None else lean_rows.newest(ask)
            if ask is None or newest is None or newest.has_films:
                return None
            index = SearchIndex(path_of(folder, newest))
            if like:
                example = example_of(index, ask, newest, like)
                if example is None:
                    return None
                query = replace(query, like=example)
            found = asking.answered(index, ask, newest, query, words=words, limit=limit)
        if _state(database) == before:  # nobody wrote meanwhile
            return replace(found, hits=tuple(replace(hit, place=town_of(hit)) for hit in found.hits))
    return None


def _state(database: Path) -> tuple[int, int, int, int]:
    now = database.stat()
    return now.st_ino, now.st_size, now.st_mtime_ns, lean_rows.journalled_bytes(database)


def example_of(index: SearchIndex, ask: Ask, newest: Newest, name: str) -> Example | None:
    """Return a photo of the examination to compare with; None where it is not found by its path or its id.

    Raises:
        DamagedCase: the case cannot be read.
    """
    for source_id in (source_id_of(os.fsencode(name)), name):
        rows = [row for row in lean_rows.rows_of(ask, source_id) if row in index.source_rows]
        if rows:
            (photo,) = lean_rows.photos(ask, newest.stages, rows[:1], claims=False, pictures=True)
            if photo.embedding is None and photo.perceptual_hash is None:
                return None
            return Example(photo.name, photo.embedding, photo.perceptual_hash)
    return None
