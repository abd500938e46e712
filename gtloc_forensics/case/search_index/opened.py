"""The index of an open case, in a file or on a server: asked where it is there, made where somebody asks for that."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from gtloc_forensics.case.search_index import asking, building, quick
from gtloc_forensics.case.search_index.building import Progress
from gtloc_forensics.case.search_index.index import FOLDER, SearchIndex, path_of
from gtloc_forensics.case.search_index.parts import DamagedIndex, damage_told
from gtloc_forensics.files import writing
from gtloc_forensics.store import lean_rows

if TYPE_CHECKING:
    from gtloc_forensics.case.folder import CaseFolder
    from gtloc_forensics.case.retrieval import Answer, Example, Query
    from gtloc_forensics.case.view import StoredCase
    from gtloc_forensics.store.lean_rows import Ask, LeanPhoto, Newest

T = TypeVar("T")

LEAST_PHOTOS = 2_000
"""In a smaller case all photos are read as quickly as an index is opened."""


def _silent(done: int, total: int) -> None:
    """Show no progress."""


def made(case: CaseFolder, *, progress: Progress = _silent) -> bool:
    """Make the index of the newest examination where the case is large and has none; say whether one is there now.

    A case folder that cannot be written goes without.

    Raises:
        CaseError: no examination was completed.
    """
    view = case.view()
    if view.count() < LEAST_PHOTOS:
        return False
    with _opened(case) as opened:
        if opened is not None:
            return True
    if not os.access(case.folder, os.W_OK) or writing.is_inside(case.folder / FOLDER, case.evidence):
        return False
    writing.refuse_links(case.folder, (FOLDER,))
    try:
        try:
            with damage_told():
                building.build(case.folder, case.store, view, progress=progress)
        except DamagedIndex:  # what is there cannot be added to
            building.remove(case.folder)
            building.build(case.folder, case.store, view, progress=progress)
    except OSError:  # a full disk, say: the search is answered without
        return False
    return True


@contextmanager
def _opened(case: CaseFolder) -> Iterator[tuple[SearchIndex, Ask, Newest] | None]:
    with lean_rows.asking(case.store) as ask:
        newest = lean_rows.newest(ask)
        index = None
        with suppress(DamagedIndex), damage_told():
            index = None if newest is None else SearchIndex(path_of(case.folder, newest))
        yield None if newest is None or index is None else (index, ask, newest)


def answered(
    case: CaseFolder,
    view: StoredCase,
    query: Query,
    *,
    words: str = "",
    ordinals: Collection[int] | None = None,
    limit: int | None = 20,
) -> Answer | None:
    """Return what the index answers; None where there is none of the newest examination, or it cannot.

    Raises:
        UsageError: too many words.
    """
    if limit is None or not asking.can_answer(query, limit):
        return None

    def as_told(photos: Iterable[LeanPhoto]) -> Iterator[LeanPhoto]:
        yield from building.revised(view, photos)

    def question(index: SearchIndex, ask: Ask, newest: Newest) -> Answer:
        return asking.answered(index, ask, newest, query, words=words, ordinals=ordinals, limit=limit, as_told=as_told)

    return _asked(case, question)


def example(case: CaseFolder, view: StoredCase, name: str) -> Example | None:
    """Return a photo of the newest examination to compare with; None where the index does not know it."""
    return _asked(case, lambda index, ask, newest: quick.example_of(index, ask, newest, name))


def _asked(case: CaseFolder, question: Callable[[SearchIndex, Ask, Newest], T | None]) -> T | None:
    """Return what the index answers; None where there is none, and where it is damaged: then it is removed."""
    with _opened(case) as opened:
        if opened is None:
            return None
        try:
            with damage_told():
                return question(*opened)
        except DamagedIndex:
            building.remove(case.folder)
            return None
