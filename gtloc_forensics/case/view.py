"""The case as reports and exports read it: the newest examination, streamed from the store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gtloc_forensics.case import exhibits
from gtloc_forensics.case.indications import indicated
from gtloc_forensics.case.names import Names
from gtloc_forensics.case.reviewing.replay import DECIDE, UNDO, replayed
from gtloc_forensics.errors import CaseError, DamagedCase, WeightsError
from gtloc_forensics.evidence import calibration as evidence_calibration
from gtloc_forensics.evidence.calibration import Calibration
from gtloc_forensics.evidence.false_discovery import RATE, Control
from gtloc_forensics.examination.prefetch import chunks
from gtloc_forensics.files import forks
from gtloc_forensics.metadata import film_neighbours
from gtloc_forensics.metadata.film_neighbours import FilmClock
from gtloc_forensics.records import (
    CaseHeader,
    CauseGroup,
    Claim,
    ClockModel,
    CustodyEvent,
    Decisions,
    Environment,
    Finding,
    Outcome,
    Photo,
    PhotoEntry,
    PhotoResult,
    ReasonNote,
    RuleNote,
    Sentence,
    Skipped,
    Source,
    Status,
    Tally,
    Unexamined,
    visible,
)
from gtloc_forensics.store import examinations
from gtloc_forensics.store.codec import ended, tested, told_apart, told_of, unpack
from gtloc_forensics.store.joining import chain_end, chain_window
from gtloc_forensics.store.keys import CALIBRATION, CARD, CAUSES, CLOCKS, CONTROLS, FILMS, REASONS, RULES, Stages
from gtloc_forensics.store.named import Named
from gtloc_forensics.store.photos import PHOTOS_AT_ONCE, Album
from gtloc_forensics.store.sketches import Sketch, sketched
from gtloc_forensics.vision import library
from gtloc_forensics.vision.manifest import MANIFEST

TIME_RULES = ("GF305", "GF301")
"""Whose ratio is a photo's strength for its time: pixels and exposure together, else the hour alone."""

PLACE_RULES = ("GF303",)

if TYPE_CHECKING:
    from gtloc_forensics.store.database import Store
    from gtloc_forensics.store.schema import MemberRow


class StoredCase:
    """Implements :class:`~gtloc_forensics.records.CaseView` on a store."""

    def __init__(self, store: Store, *, fingerprint: str | None = None) -> None:
        """Look at the newest examination, or at the one with that fingerprint.

        Raises:
            CaseError: when no examination was ever completed.
        """
        row = store.examination(fingerprint)
        if row is None:
            raise CaseError("no examination of this case was completed; run `gtloc audit` on its folder first")
        self._store = store
        self._id = row.id
        self.fingerprint = row.fingerprint
        try:
            self._labels = {label: told_of(value) for label, value in json.loads(row.environment).items()}
            self.examined_with = Environment.from_labels(self._labels)
            self.finished_utc: datetime = datetime.fromisoformat(row.finished_utc)
            self.stages = Stages(**json.loads(row.stages))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise DamagedCase(f"examination {row.id} cannot be read: {error}") from error
        self._album = Album(store, self.stages, self.examined_with.model_absence, revised=self.revised)
        self._rejected = store.rejected(row.fingerprint)
        self._tally: Tally | None = None
        self._named = Named(store, row.id)

    def revised(self, claim: Claim) -> Claim:
        """Return a claim as the other files of the case make it: the clocks of films that their neighbours settle."""
        return film_neighbours.revised(self._films, claim)

    @cached_property
    def _films(self) -> Mapping[str, FilmClock]:
        return self._store.extra(self._id, FILMS, dict[str, FilmClock]) or {}

    @property
    def header(self) -> CaseHeader:
        """The examiner's fields, the folder's name as text."""
        header = self._store.header() or CaseHeader()
        try:
            return replace(header, evidence_folder=visible(bytes.fromhex(header.evidence_folder)))
        except ValueError as error:
            raise DamagedCase("the case header's evidence_folder is no path") from error

    @property
    def environment(self) -> Mapping[str, str]:
        """What one needs to repeat the run, as a report prints it; :attr:`examined_with` is the record."""
        return self._labels

    @property
    def tally(self) -> Tally:
        """The counts; what could not even be read counts as not examined.

        They follow from what was concluded of each photo, which the custody chain covers.
        """
        if self._tally is None:
            with self._store.reading() as session:
                endings = map(ended, self._store.verdicts(session, self._id))
                self._tally = self.tallied(Counter(status for ending in endings for status in _counted(*ending)))
        return self._tally

    def tallied(self, counts: Mapping[Status | None, int]) -> Tally:
        """Return the counts of the case from those of the photos that could be read; None is that of all of them."""
        blocked = sum(entry.blocks for entry in self._rejected)
        return Tally(
            photos=counts.get(None, 0) + blocked,
            found=counts.get(Status.FOUND, 0),
            clean=counts.get(Status.CLEAN, 0),
            not_testable=counts.get(Status.NOT_TESTABLE, 0),
            not_examined=counts.get(Status.NOT_EXAMINED, 0) + blocked,
            passed_over=len(self._rejected) - blocked,
        )

    def count(self) -> int:
        """Return how many photos could be read; known at once."""
        return examinations.count(self._store, self._id)

    def photos(self, *, status: Status | None = None) -> Iterator[PhotoEntry]:
        """Stream the photos in path order."""
        for entry in self._entries(self._store.members(self._id)):
            if status is None or status in entry.statuses:
                yield entry

    def _entries(self, members: Iterator[MemberRow]) -> Iterator[PhotoEntry]:
        for some in chunks(members, PHOTOS_AT_ONCE):
            photos = self._album.photos([member.source_row for member in some])
            for member, (photo, _) in zip(some, photos, strict=True):
                yield self._entry(member, photo)

    def lean_photos(self) -> Iterator[PhotoEntry]:
        """Stream the photos in path order, without what a line about each has no use for; see :class:`CaseView`."""
        for some in chunks(self._store.members(self._id), PHOTOS_AT_ONCE):
            photos = self._album.lean([member.source_row for member in some])
            for member, photo in zip(some, photos, strict=True):
                yield self._entry(member, photo, tested(member.findings, self._named))

    def told_photos(self) -> Iterator[PhotoEntry]:
        """Stream the photos in path order, without what a document does not tell; see :class:`CaseView`."""
        yield from self._told(range(self.count()))

    def each_told(
        self, make: Callable[[PhotoEntry], str], *, processes: int | None = None
    ) -> Generator[str, None, None]:
        """Yield what *make* makes of each of these; see :class:`CaseView`."""
        total = self.count()
        is_alone = total < forks.FEWEST or self._store.file is None
        processes = 1 if is_alone else forks.cores() if processes is None else processes
        return forks.shared_out(
            forks.pieces_of(total, most=PHOTOS_AT_ONCE, processes=processes),
            lambda places: map(make, self._told(places)),
            processes=processes,
            begin=self._store.begin_in_fork,
        )

    def _told(self, places: range) -> Iterator[PhotoEntry]:
        for some in chunks(islice(self._store.members(self._id, first=places.start), len(places)), PHOTOS_AT_ONCE):
            photos = self._album.told([member.source_row for member in some])
            for member, photo in zip(some, photos, strict=True):
                verdict, untested = told_apart(member.findings, self._named)
                yield replace(self._entry(member, photo, verdict), untested=untested)

    def _entry(self, member: MemberRow, photo: Photo, verdict: PhotoResult | None = None) -> PhotoEntry:
        verdict = self._verdict(member) if verdict is None else verdict
        calibration = self._calibration
        return PhotoEntry(
            photo=photo,
            status=verdict.status,
            findings=verdict.findings,
            unexamined=verdict.unexamined,
            sha256_at_end=member.sha256_at_end,
            log10_lr_time=_strength(verdict, TIME_RULES),
            log10_lr_place=_strength(verdict, PLACE_RULES) if _knows_places(calibration) else None,
            indicated=indicated(photo.prediction, verdict.findings, calibration),
        )

    def examinations(self) -> dict[str, str]:
        """Return when each completed examination ended, ISO in UTC, by fingerprint; the newest first."""
        return examinations.ended(self._store)

    @property
    def examination_id(self) -> int:
        """Under which number the examination is kept."""
        return self._id

    def entries_at(self, ordinals: Sequence[int]) -> Iterator[PhotoEntry]:
        """Yield the photos at these places of the path order."""
        for ordinal in ordinals:
            member = next(self._store.members(self._id, first=ordinal))
            yield self._entry(member, self._album.photo(member.source_row)[0])

    def records(self) -> Iterator[Photo]:
        """Stream what is known of each photo, without what the rules concluded, in path order."""
        for some in chunks(examinations.rows(self._store, self._id), PHOTOS_AT_ONCE):
            for photo, _ in self._album.photos(some):
                yield photo

    def claims(self) -> Iterator[tuple[Source, Claim | Unexamined]]:
        """Stream what each photo claims, without what a correction has no use for, in path order."""
        for some in chunks(examinations.rows(self._store, self._id), PHOTOS_AT_ONCE):
            yield from self._album.claims(some, without=("warnings", "repeated", "unread", "counters"))

    def sketches(self, *, tags: bool = False) -> Iterator[Sketch]:
        """Stream what a list shows of each photo, in path order, many times as fast as :meth:`outlines`."""
        other = self._films.keys()
        yield from sketched(self._store, self._id, self.stages, whole=self._album.claim, other=other, tags=tags)

    def revised_claim(self, source_row: int, source_id: str) -> Claim | Unexamined | None:
        """Return what a photo claims where other files settle it; None where it is what the file alone says."""
        return self._album.claim(source_row) if source_id in self._films else None

    def outlines_at(self, ordinals: Sequence[int]) -> Iterator[tuple[Source, Claim | Unexamined, PhotoResult]]:
        """Yield the same as :meth:`outlines` of the photos at these places of the path order."""
        for ordinal in ordinals:
            member = next(self._store.members(self._id, first=ordinal))
            ((source, claim),) = self._album.claims([member.source_row])
            yield source, claim, self._verdict(member)

    def outlines(self) -> Iterator[tuple[Source, Claim | Unexamined, PhotoResult]]:
        """Stream of each photo what it claims and what was concluded, without its picture, in path order."""
        yield from self._outlines((), self._verdict)

    def briefs(self, *, tags: bool = False) -> Iterator[tuple[Source, Claim | Unexamined, PhotoResult]]:
        """Stream the same, several times as fast: of each finding only what it says in a sentence.

        Findings that could not be tested are left out, and of the claims the *tags*, times and remarks.
        """
        left_out = ("times", "warnings", "repeated", "unread") + (() if tags else ("tags",))
        yield from self._outlines(left_out, self._brief)

    def _verdict(self, member: MemberRow) -> PhotoResult:
        return unpack(PhotoResult, member.findings, names=self._named)

    def _brief(self, member: MemberRow) -> PhotoResult:
        return unpack(PhotoResult, member.findings, thin=partial(_thinned, self._named))

    def _outlines(
        self, left_out: Sequence[str], verdict: Callable[[MemberRow], PhotoResult]
    ) -> Iterator[tuple[Source, Claim | Unexamined, PhotoResult]]:
        for some in chunks(self._store.members(self._id), PHOTOS_AT_ONCE):
            claims = self._album.claims([member.source_row for member in some], without=left_out)
            for member, (source, claim) in zip(some, claims, strict=True):
                yield source, claim, verdict(member)

    def case_findings(self) -> tuple[Finding, ...]:
        """Findings and explained oddities, strongest first."""
        return tuple(self.each_finding())

    def each_finding(self) -> Iterator[Finding]:
        """The same, streamed."""
        return self._store.findings(self._id)

    def clocks(self) -> tuple[ClockModel, ...]:
        """One clock model per device."""
        return self._store.extra(self._id, CLOCKS, tuple[ClockModel, ...]) or ()

    def causes(self) -> tuple[CauseGroup, ...]:
        """Findings grouped under their causes."""
        return self._store.extra(self._id, CAUSES, tuple[CauseGroup, ...]) or ()

    def reasons(self) -> tuple[ReasonNote, ...]:
        """Why photos were not examined, in whole or in part."""
        unread: dict[str, ReasonNote] = {}
        for entry in self._rejected:
            if entry.blocks:
                known = unread.get(entry.reason, ReasonNote("file", entry.reason, 0))
                names = (*known.names, visible(entry.relative))[: ReasonNote.MOST_NAMES]
                unread[entry.reason] = replace(known, photos=known.photos + 1, names=names)
        return (*(self._store.extra(self._id, REASONS, tuple[ReasonNote, ...]) or ()), *unread.values())

    def passed_over(self) -> tuple[Skipped, ...]:
        """What is not a photo, or could not be read."""
        return tuple(self._rejected)

    def custody(self) -> tuple[CustodyEvent, ...]:
        """The custody chain."""
        return tuple(self.each_event())

    def each_event(self) -> Iterator[CustodyEvent]:
        """The same, streamed."""
        return self._store.custody()

    def chain_end(self) -> tuple[int, str]:
        """How many events the chain has, and the hash of the last one."""
        return chain_end(self._store)

    def custody_window(self, first: int, most: int) -> tuple[int, list[CustodyEvent]]:
        """The number of the last event, and at most *most* events from the number *first* on."""
        return chain_window(self._store, first, most)

    def decisions(self) -> Decisions:
        """What examiners decided, as the chain holds it now."""
        return replayed(self._store.custody(DECIDE, UNDO), self.fingerprint)

    def preview(self, source_id: str) -> bytes | None:
        """A downscaled picture."""
        sha256 = self._sha256_of(source_id)
        return None if sha256 is None else self._album.preview(sha256)

    def picture_of(self, sha256: str) -> bytes | None:
        """A downscaled picture by the hash of the content: the paths of a large case need not be read for it."""
        return self._album.preview(sha256)

    def _sha256_of(self, source_id: str) -> str | None:
        known = self._names.of(source_id)
        return None if known is None else known[1]

    def exhibits(self) -> Mapping[str, str]:
        """The number of each photo."""
        return self._exhibits

    @cached_property
    def _exhibits(self) -> Mapping[str, str]:
        return exhibits.numbered(self._store, self._id)

    def mandate(self) -> Mapping[str, str]:
        """What the examiner says of the case beside the header, and what the container says of itself."""
        return exhibits.mandate(self._store) | exhibits.containers(self._store) | exhibits.stores(self._store)

    def name_of(self, source_id: str) -> str:
        """The displayable path of a photo."""
        known = self._names.of(source_id)
        return source_id if known is None else visible(known[0])

    @cached_property
    def _names(self) -> Names:
        """Relative path and hash of every path by source id."""
        return Names(self._store)

    def rules(self) -> tuple[RuleNote, ...]:
        """Every rule that ran."""
        return self._store.extra(self._id, RULES, tuple[RuleNote, ...]) or ()

    def calibration(self) -> Mapping[str, str]:
        """What the strengths were calibrated on, and what false-discovery control said of this case."""
        said: dict[str, str] = {
            Sentence("false discoveries, {rule}", rule=control.check_id): _controlled(control)
            for control in self.controls()
            if control.rare
        }
        kept = self._store.extra(self._id, CALIBRATION, dict[str, str])
        if kept is not None:  # as it was when the photos were judged
            return {**kept, **said}
        calibration = self._calibration
        if calibration is None:
            return said
        return {**calibration.facts, "sha256": calibration.sha256, **said}

    @cached_property
    def _calibration(self) -> Calibration | None:
        folder = self._model_folder()
        return None if folder is None else evidence_calibration.load_calibration(folder)

    def controls(self) -> tuple[Control, ...]:
        """What false-discovery control said of each rule with p-values."""
        return self._store.extra(self._id, CONTROLS, tuple[Control, ...]) or ()

    def model_card(self) -> str:
        """The model's card, as it was when the model looked; of an older case, as it ships with the weights now."""
        kept = self._store.extra(self._id, CARD, str)
        if kept is not None:
            return kept
        folder = self._model_folder()
        return "" if folder is None else library.card(folder)

    def _model_folder(self) -> Path | None:
        """Return the folder of the model that looked, when it is still there with the same weights."""
        try:
            folder = library.find_by_name(self.examined_with.model_name)
        except WeightsError:
            return None
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        used = self.examined_with.weights
        return folder if used and used <= set(manifest.get("files", {}).values()) else None


def _thinned(named: Named, result: dict[str, Any]) -> None:
    """Leave of what was concluded the findings that were tested, and of each its sentence and weight."""
    result["findings"] = [
        {
            **finding,
            **dict.fromkeys(_LONG, ()),
            "source_ids": named.first(told) if isinstance(told := finding["source_ids"], int) else told[:1],
            **(_UNSAID if finding["outcome"] == Outcome.CONSISTENT.value else {}),
        }
        for finding in result["findings"]
        if finding["outcome"] != Outcome.NOT_TESTABLE.value
    ]


_UNSAID = {"summary": ""}
_LONG = ("observed", "derived", "inferred", "limitations", "innocent")


def _counted(status: Status, is_partial: bool) -> Iterator[Status | None]:
    """Yield every count a photo is in; None is that of all photos."""
    yield None
    yield status
    if is_partial and status is not Status.NOT_EXAMINED:
        yield Status.NOT_EXAMINED


def _controlled(control: Control) -> Sentence:
    return Sentence(
        "p-values: {tested}, findings among them: {rare}, of these stand out among all: {standing} "
        "(Benjamini–Hochberg, rate {rate_percent:.0f}%)",
        tested=control.tested,
        rare=control.rare,
        standing=control.stand_out,
        rate_percent=100.0 * RATE,
    )


def _knows_places(calibration: Calibration | None) -> bool:
    test = None if calibration is None else calibration.tests.get("place")
    return test is not None and test.can_speak


def _strength(verdict: PhotoResult, rules: tuple[str, ...]) -> float | None:
    """Return the ratio of the first of *rules* that has one."""
    ratios = {finding.check_id: finding.log10_lr for finding in verdict.findings if finding.log10_lr is not None}
    return next((ratios[rule] for rule in rules if rule in ratios), None)
