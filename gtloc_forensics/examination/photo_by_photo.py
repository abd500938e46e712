"""What the rules that look at one photo say of all photos of a case, worked out on as many cores as there are.

Photos stream by; what is kept of each is some bytes on the disk and a lean summary, whichever process looked at it.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gtloc_forensics.checks import Context, Registry, circumstances
from gtloc_forensics.evidence import false_discovery
from gtloc_forensics.evidence.false_discovery import Cautions, Tested
from gtloc_forensics.examination import summaries
from gtloc_forensics.examination.at_end import AtEnd
from gtloc_forensics.examination.judging import judge
from gtloc_forensics.examination.on_disk import OnDisk
from gtloc_forensics.examination.results import Said, concluded_of
from gtloc_forensics.examination.sayings import Alone, Around, Concluded, Verdicts
from gtloc_forensics.records import Claim, PhotoSummary, Statement
from gtloc_forensics.store.photos import Album


@dataclass(frozen=True, slots=True)
class Judged:
    """What is kept of one photo, on its way from the process that looked at it."""

    process: int
    source_id: str
    acquired: datetime
    alone: Alone
    repeated: Sequence[Around]  # what is said of many photos, and was not in what this process sent before
    tests: tuple[false_discovery.Test, ...]
    summary: bytes | None  # encoded
    label: tuple[str, Statement, Statement] | None  # of a device, with the first photo of it that this process saw


class PhotoByPhoto:
    """Runs the rules that look at one photo, and holds what all of them said in path order."""

    def __init__(
        self, registry: Registry, context_at: Callable[[datetime], Context], told: circumstances.Circumstances
    ) -> None:
        """Prepare to run rules.

        Args:
            registry: of all rules.
            context_at: gives the context of a photo that was acquired at that instant.
            told: what many photos tell of one.
        """
        self._registry, self._context_at, self._circumstances = registry, context_at, told
        self._of_others: dict[int, list[int]] = {}  # process → its numbers of what is said of many, as ours
        self._sent = 0
        self.verdicts = Verdicts()
        self.summaries = OnDisk[PhotoSummary](kind=PhotoSummary)
        self.source_ids = array("Q")
        self.labels: dict[str, tuple[Statement, Statement]] = {}
        self.tested = Tested()
        self.latest = datetime(1, 1, 1)

    def judged(self, album: Album, rows: Sequence[int], at_end: AtEnd, piece: range) -> Iterator[Judged]:
        """Run the rules over some photos; what is kept of each is for :meth:`take`, in path order.

        Args:
            album: gives the photos.
            rows: of the sources of all photos, in path order.
            at_end: how their files were found again.
            piece: the places of these photos.
        """
        rows = rows[piece.start : piece.stop]
        process, repeated = os.getpid(), self.verdicts.repeated
        labelled = set(self.labels)
        for row, (photo, acquired) in zip(rows, album.photos(rows), strict=True):
            source_id = photo.source.source_id
            verdict = judge(photo, self._registry, self._context_at(acquired), changed=at_end.change_of(row))
            alone = self.verdicts.told(verdict, source_id)
            tests = tuple(test for finding in verdict.findings if (test := false_discovery.test_of(finding)))
            found, summary, label = summaries.summary_of(photo), None, None
            if found is not None and isinstance(photo.claim, Claim):
                summary = self.summaries.encoded(circumstances.marked(found, verdict.findings, self._circumstances))
                if found.device_key not in labelled:
                    labelled.add(found.device_key)
                    label = found.device_key, *summaries.label(photo.claim)
            sent, self._sent = self._sent, len(repeated)
            yield Judged(process, source_id, acquired, alone, repeated[sent:], tests, summary, label)

    def take(self, photo: Judged) -> None:
        """Keep what is kept of the next photo."""
        alone = photo.alone
        if photo.process != os.getpid():
            numbers = self._of_others.setdefault(photo.process, [])
            numbers += map(self.verdicts.adopt, photo.repeated)
            findings = [numbers[said] if isinstance(said, int) else said for said in alone.findings]
            alone = replace(alone, findings=findings)
        self.verdicts.append(alone)
        self.source_ids.append(int(photo.source_id, 16))
        self.latest = max(self.latest, photo.acquired)
        for test in photo.tests:
            self.tested.add(test)
        if photo.summary is not None:
            self.summaries.append_encoded(photo.summary)
        if photo.label is not None:
            device_key, *label = photo.label
            self.labels.setdefault(device_key, (label[0], label[1]))

    def concluded(self, said: Said, cautions: Cautions, piece: range) -> Iterator[Concluded]:
        """Yield what was concluded of some photos, in path order.

        Args:
            said: what the rules said that compare.
            cautions: what the case adds.
            piece: the places of these photos.
        """
        yield from concluded_of(piece, self.source_ids, self.verdicts, said, cautions)
