"""What the store holds already under the fingerprints of a run, and so what need not be done again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from gtloc_forensics.records import Sentence, TagsRead, Unread, source_id_of
from gtloc_forensics.store.database import Store
from gtloc_forensics.store.keys import CLAIM, IMAGE, METADATA, SEEING, VISION, Stages, claim_key
from gtloc_forensics.store.rows import StoredSource


class Kept:
    """What was committed, and nothing else: :meth:`remember` is called when a transaction has ended well."""

    def __init__(self, store: Store, fingerprints: Stages) -> None:
        """Ask *store* what it holds under these fingerprints."""
        self.stages = fingerprints
        self._store = store
        self._known = store.latest_sources()
        self._claims = store.keys_of(CLAIM)
        by_content = {METADATA: fingerprints.metadata, IMAGE: fingerprints.image, VISION: fingerprints.vision}
        self._by_content = {stage: fingerprint for stage, fingerprint in by_content.items() if fingerprint}
        self._by_content |= fingerprints.further
        self._done = {
            (stage, subject)
            for stage, fingerprint in self._by_content.items()
            for subject in store.subjects(stage, fingerprint)
        }

    def source(self, source_id: str) -> StoredSource | None:
        """Return the newest state of a path, None when it was never taken in."""
        return self._known.get(source_id)

    def row_of(self, relative: bytes) -> int:
        """Return the row of a path that was taken in."""
        return self._known[source_id_of(relative)].row_id

    def rows(self) -> tuple[int, ...]:
        """Return the row of the newest state of every path the case ever took in, in path order."""
        return tuple(state.row_id for state in sorted(self._known.values(), key=lambda state: state.relative))

    def lacking(self, rows: Collection[int]) -> tuple[bytes, ...]:
        """Return the paths, among those with these rows, about which a stage has still to do its work."""
        states = [state for state in self._known.values() if state.row_id in rows and not self.has_all(state)]
        return tuple(sorted(state.relative for state in states))

    def lacks(self, stage: str, sha256: str) -> bool:
        """Whether a stage has still to do its work on this content."""
        return stage in self._by_content and (stage, sha256) not in self._done

    def lacks_pixels(self, sha256: str) -> bool:
        """Whether the content has to be decoded, be it only for a model."""
        seeing = (stage for stage in self._by_content if stage in (IMAGE, VISION) or stage.startswith(SEEING))
        return any(self.lacks(stage, sha256) for stage in seeing)

    def has_all(self, state: StoredSource) -> bool:
        """Whether every stage has done its work on this state of a path."""
        if any((stage, state.sha256) not in self._done for stage in self._by_content):
            return False
        return (source_id_of(state.relative), claim_key(self.stages, state)) in self._claims

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
        self._known.update(sources)
        self._done.update(results)
        self._claims.update(claims)
