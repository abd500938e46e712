"""What the store holds already under the fingerprints of a run, and so what need not be done again.

It is asked a window at a time, of paths or of contents, and the last few windows are
remembered: memory does not grow with the case.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import TypeVar

from gtloc_forensics.records import Sentence, TagsRead, Unread, source_id_of
from gtloc_forensics.store import known
from gtloc_forensics.store.database import ROWS_AT_ONCE, Store
from gtloc_forensics.store.keys import CLAIM, IMAGE, METADATA, SEEING, VISION, Stages, claim_key
from gtloc_forensics.store.rows import StoredSource

V = TypeVar("V")

MOST = 2 * ROWS_AT_ONCE
"""Paths, and contents, of which is remembered what the store said: a few windows, or all that is on its way."""


class Kept:
    """What was committed, and nothing else: :meth:`remember` is called when a transaction has ended well."""

    def __init__(self, store: Store, fingerprints: Stages) -> None:
        """Prepare to ask *store* what it holds under these fingerprints."""
        self.stages = fingerprints
        self._store = store
        by_content = {METADATA: fingerprints.metadata, IMAGE: fingerprints.image, VISION: fingerprints.vision}
        self._by_content = {stage: fingerprint for stage, fingerprint in by_content.items() if fingerprint}
        self._by_content |= fingerprints.further
        self._seeing = [stage for stage in self._by_content if stage in (IMAGE, VISION) or stage.startswith(SEEING)]
        self._states: OrderedDict[str, StoredSource | None] = OrderedDict()  # by source id
        self._done: OrderedDict[str, set[tuple[str, str]]] = OrderedDict()  # of a content or a path
        self._lock = threading.Lock()  # stages ask in threads of their own

    # ----------------------------------------------------------------- what the store is asked

    def look_at_paths(self, source_ids: Iterable[str]) -> None:
        """Ask for the newest states of some paths and all that was done about them, with two questions."""
        asked = list(source_ids)
        for first in range(0, len(asked), ROWS_AT_ONCE):
            window = asked[first : first + ROWS_AT_ONCE]
            states = known.newest_states(self._store, window)
            self._put(self._states, {source_id: states.get(source_id) for source_id in window})
            self.look_at([*states, *{state.sha256 for state in states.values()}])

    def look_at(self, subjects: Iterable[str]) -> None:
        """Ask with one question what was done about some contents."""
        asked = list[str]()
        with self._lock:
            for subject in subjects:
                if subject in self._done:
                    self._done.move_to_end(subject)  # or those asked for now would oust it, and it is asked for alone
                else:
                    asked.append(subject)
        for first in range(0, len(asked), ROWS_AT_ONCE):
            self._put(self._done, known.work_done(self._store, asked[first : first + ROWS_AT_ONCE]))

    def _put(self, remembered: OrderedDict[str, V], more: Mapping[str, V]) -> None:
        with self._lock:
            for name, value in more.items():
                remembered[name] = value
                remembered.move_to_end(name)
            while len(remembered) > MOST:
                remembered.popitem(last=False)

    def _done_about(self, subject: str) -> set[tuple[str, str]]:
        done = self._done.get(subject)
        if done is None:
            done = known.work_done(self._store, [subject])[subject]
            self._put(self._done, {subject: done})
        return done

    # ----------------------------------------------------------------- what it says

    def source(self, source_id: str) -> StoredSource | None:
        """Return the newest state of a path, None when it was never taken in."""
        try:
            return self._states[source_id]
        except KeyError:
            state = known.newest_states(self._store, [source_id]).get(source_id)
            self._put(self._states, {source_id: state})
            return state

    def row_of(self, relative: bytes) -> int:
        """Return the row of a path that was taken in.

        Raises:
            KeyError: it never was.
        """
        state = self.source(source_id_of(relative))
        if state is None:
            raise KeyError(relative)
        return state.row_id

    def lacks(self, stage: str, sha256: str) -> bool:
        """Whether a stage has still to do its work on this content."""
        return stage in self._by_content and (stage, self._by_content[stage]) not in self._done_about(sha256)

    def lacks_pixels(self, sha256: str) -> bool:
        """Whether the content has to be decoded, be it only for a model."""
        return any(self.lacks(stage, sha256) for stage in self._seeing)

    def has_all(self, state: StoredSource) -> bool:
        """Whether every stage has done its work on this state of a path."""
        if not self._by_content.items() <= self._done_about(state.sha256):
            return False
        return (CLAIM, claim_key(self.stages, state)) in self._done_about(source_id_of(state.relative))

    def tags(self, sha256: str, stage: str = METADATA) -> TagsRead | Unread:
        """Return the tags of a content that *stage* read in an earlier run or batch."""
        found = self._store.result(sha256, stage, self._by_content[stage], TagsRead)
        if isinstance(found, TagsRead):
            return found
        return Unread(*found) if isinstance(found, tuple) else Unread(Sentence("its metadata was never read"))

    def remember(
        self, sources: Mapping[str, StoredSource], results: Iterable[tuple[str, str]], claims: Iterable[tuple[str, str]]
    ) -> None:
        """Take note of what a transaction added. Only once it has ended: what was not committed is not known.

        Args:
            sources: source id → the newest state of the path.
            results: (stage, subject).
            claims: (source id, key).
        """
        self._put(self._states, sources)
        with self._lock:  # of what is not remembered the store is asked when it matters
            for stage, subject in results:
                if subject in self._done and stage in self._by_content:
                    self._done[subject].add((stage, self._by_content[stage]))
            for source_id, key in claims:
                if source_id in self._done:
                    self._done[source_id].add((CLAIM, key))
