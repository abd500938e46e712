"""Larger pictures of photos, made anew from the evidence when somebody looks: never the file itself.

The file is copied by its hash, decoded in a confined process as in an audit, and
encoded again without metadata. Its bytes must be those that were examined.
"""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from gtloc_forensics import decode
from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.errors import DecodeRefused, ForensicsError
from gtloc_forensics.files import acquiring, writing
from gtloc_forensics.files.acquiring import IntakeFailed
from gtloc_forensics.records import Candidate, Sentence, Source, Statement

SHORT_SIDE, LONGEST_PX, QUALITY = 1600, 2560, 88
"""Of a large picture, in pixels; what is smaller stays as it is."""

KEPT = 24
"""Large pictures that are kept: those beside the one in sight are asked for early."""


@dataclass(frozen=True, slots=True)
class Large:
    """A large picture, or why there is none."""

    jpeg: bytes
    reason: Statement = ""


class Pictures:
    """Makes large pictures, one at a time; the last ones are kept."""

    def __init__(self, case: CaseFolder) -> None:
        """Make nothing before it is asked for."""
        self._case = case
        self._turn = threading.Lock()
        self._made: OrderedDict[str, Large] = OrderedDict()  # by the hash of the content
        self._decoder: decode.Decoder | None = None

    def large(self, source: Source) -> Large:
        """Return a photo's large picture."""
        with self._turn:
            if source.sha256 not in self._made:
                made = self._make(source)
                if not made.jpeg:
                    return made  # the evidence may come back
                self._made[source.sha256] = made
                if len(self._made) > KEPT:
                    self._made.popitem(last=False)
            self._made.move_to_end(source.sha256)
            return self._made[source.sha256]

    def _make(self, source: Source) -> Large:
        if decode.needs_preview(source.media_type):
            return Large(b"", Sentence("of a RAW file there is only the small picture"))
        try:
            writing.refuse_temporary_inside(self._case.evidence)
            with tempfile.TemporaryDirectory(prefix="gtloc-review-") as work:
                taken = acquiring.take(self._case.evidence, Candidate(source.relative), into=Path(work))
                if taken.source.sha256 != source.sha256:
                    return Large(b"", Sentence("the file has other bytes now than when it was examined"))
                return self._decoded(decode.Job(taken.working_copy, source.source_id, source.media_type, SHORT_SIDE))
        except IntakeFailed as error:
            return Large(b"", Sentence("the file cannot be read: {reason}", reason=error.reason))
        except (ForensicsError, OSError) as error:
            return Large(b"", str(error))

    def _decoded(self, job: decode.Job) -> Large:
        self._decoder = self._decoder or decode.Decoder(1)
        ((_, found),) = self._decoder.stream([job], window=1)
        if isinstance(found, DecodeRefused):
            return Large(b"", found.reason)
        return Large(decode.jpeg_of(found.shown, longest_px=LONGEST_PX, quality=QUALITY))

    def close(self) -> None:
        """Stop the process that decodes."""
        with self._turn:
            if self._decoder is not None:
                self._decoder.close()
                self._decoder = None
