"""Concludes an examination: runs the rules over what was gathered and keeps what they say.

Photos stream by one at a time; only their lean summaries stay in memory for the
rules that compare. Everything is written in one transaction, so an examination
is there whole or not at all, and it is named by everything it depended on.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from gtloc_forensics.checks import Check, Context, Scope, circumstances, counted_alarms
from gtloc_forensics.evidence import clocks as evidence_clocks
from gtloc_forensics.evidence import false_discovery
from gtloc_forensics.evidence.clocks.causes import group_causes
from gtloc_forensics.examination import on_disk, summaries
from gtloc_forensics.examination.at_end import AtEnd, digest_after, digest_with
from gtloc_forensics.examination.gathering import Progress
from gtloc_forensics.examination.instruments import Instruments
from gtloc_forensics.examination.judging import OUTCOME_RANK, hear_rule
from gtloc_forensics.examination.photo_by_photo import PhotoByPhoto
from gtloc_forensics.examination.planning import Gathered
from gtloc_forensics.examination.results import ById, Places, Ranking, Said, Told, digest_of
from gtloc_forensics.examination.sayings import Concluded
from gtloc_forensics.examination.settings import NO_MODEL, Settings
from gtloc_forensics.examination.witnesses import Consulted
from gtloc_forensics.files import acquiring, forks
from gtloc_forensics.metadata import catalogues, film_neighbours
from gtloc_forensics.metadata.film_neighbours import FilmClock
from gtloc_forensics.records import (
    Cause,
    CauseGroup,
    CauseKind,
    Claim,
    ClockModel,
    DeviceGroup,
    Finding,
    PhotoSummary,
    ReasonNote,
    RuleNote,
    Scalar,
    Sentence,
    Source,
    Unexamined,
    source_id_of,
    visible,
)
from gtloc_forensics.store import examinations, named
from gtloc_forensics.store.binding import bind
from gtloc_forensics.store.custody import actor
from gtloc_forensics.store.database import ROWS_AT_ONCE, Store, Transaction
from gtloc_forensics.store.keys import CALIBRATION, CARD, CAUSES, CLOCKS, CONTROLS, FILMS, REASONS, RULES, Stages
from gtloc_forensics.store.photos import PHOTOS_AT_ONCE, Album

T = TypeVar("T")

_CAMERAS_AT_ONCE = 16
"""Cameras whose clocks a process works out before it says so: they have few photos or many."""


class Concluding:
    """Runs every rule over a gathered folder and writes the examination."""

    def __init__(
        self,
        store: Store,
        root: Path,
        instruments: Instruments,
        *,
        settings: Settings,
        gathered: Gathered,
        stages: Stages,
        progress: Progress,
        recheck: Callable[[Source], acquiring.Rechecked] | None = None,
        consulted: Consulted | None = None,
    ) -> None:
        """Prepare to conclude.

        Args:
            store: the case database.
            root: the evidence folder.
            instruments: the rules, and what is printed of everything used.
            settings: the clock and the number of workers.
            gathered: what lies in the folder.
            stages: under which fingerprints its results are kept.
            progress: told of each photo.
            recheck: compares a source with the file as it is now; hashes it again when left out.
            consulted: catalogues that were read as second witnesses.
        """
        self._store = store
        self._root = root
        self._recheck = recheck or partial(acquiring.recheck, root)
        self._instruments = instruments
        self._settings = settings
        self._consulted = consulted or Consulted()
        self._gathered = replace(gathered, rejected=self._consulted.told(gathered.rejected))
        self._stages = stages
        self._progress = progress
        self._registry = instruments.loaded.registry
        self._seen: Sequence[PhotoSummary] = ()
        model = instruments.environment.model_name or NO_MODEL
        command = f"gtloc audit {shlex.quote(visible(os.fsencode(root)))} --model {model}"
        command += "".join(f" --catalogue {shlex.quote(str(path))}" for path in settings.catalogues)
        command += "".join(f" --trust-anchors {shlex.quote(str(path))}" for path in settings.trust_anchors)
        if settings.backup_password is not None:
            command += f" --backup-password {shlex.quote(str(settings.backup_password))}"
        command += " --nested" * settings.reach.nested + " --carve" * settings.reach.carved
        command += " --visible-dates" * settings.visible_dates
        self._environment = replace(
            instruments.environment,
            command=command,
            troubles=instruments.loaded.troubles,
            catalogues=self._consulted.labels(),
        )
        self._album = Album(store, stages, instruments.model_absence)

    def run(self) -> str:
        """Conclude and return the examination's fingerprint; the newest one is not made again."""
        at_end, depends_on = self._looked_at_again()
        ended = [*examinations.ended(self._store)]
        fingerprint, is_newest = _named(depends_on, ended)
        if not is_newest:
            self._judge_all(fingerprint, at_end)
        return fingerprint

    def _looked_at_again(self) -> tuple[AtEnd, str]:
        """Look at every source again: what changed, and the fingerprint of all that the examination depends on."""
        depends_on = {
            "rejected": [[entry.relative.hex(), entry.reason] for entry in self._gathered.rejected],
            "stages": asdict(self._stages),
            "rules": [[item.check_id, item.version] for item in self._registry],
            "plugin failures": [[failure.name, failure.reason] for failure in self._instruments.loaded.failures],
            "environment": self._environment.labels(),
        }
        if self._consulted.looked_at:
            depends_on["reader of catalogues"] = catalogues.VERSION
        if self._gathered.lacking:  # with a package that works at last it is another examination
            depends_on["lacking"] = [relative.hex() for relative in self._gathered.lacking]
        at_end = AtEnd()
        sources = ([row, now.sha256, now.reason] for row, now in self._rehashed(at_end))
        return at_end, digest_with(depends_on, "sources", sources)

    def _rehashed(self, at_end: AtEnd) -> Iterator[tuple[int, acquiring.Rechecked]]:
        """Yield row and state of every source as it is now, and keep in *at_end* what changed."""
        rows = self._gathered.rows
        total = len(rows)
        self._progress("verify", 0, total)
        done = 0
        with ThreadPoolExecutor(max(1, self._settings.workers)) as pool:
            for first in range(0, total, ROWS_AT_ONCE):
                group = rows[first : first + ROWS_AT_ONCE]
                sources = self._store.sources(list(group))
                again = pool.map(self._recheck, sources)
                for row, source, now in zip(group, sources, again, strict=True):
                    told = self._with_sidecars(row, source, now)
                    at_end.take(row, source.sha256, told)
                    done += 1
                    yield row, told
                    self._progress("verify", done, total)

    def _with_sidecars(self, row: int, source: Source, now: acquiring.Rechecked) -> acquiring.Rechecked:
        """Add which sidecars of a file that is there are no longer as they were."""
        if not source.sidecars or not now.sha256:
            return now
        recorded = self._store.source(row)[1].sidecars
        changes = (*((now.reason,) if now.reason else ()), *acquiring.sidecar_changes(self._root, recorded))
        return replace(now, reason=acquiring.together(changes))

    # ------------------------------------------------------------- the rules

    def _judge_all(self, fingerprint: str, at_end: AtEnd) -> None:
        films = self._films()
        self._album = Album(
            self._store,
            self._stages,
            self._instruments.model_absence,
            revised=partial(film_neighbours.revised, films),
        )
        told = circumstances.gather(self._claims(films), keep=on_disk.kept)
        rows = self._gathered.rows
        alone = PhotoByPhoto(self._registry, partial(self._context, told=told), told)
        pieces = self._pieces(len(rows), PHOTOS_AT_ONCE, partial(alone.judged, self._album, rows, at_end))
        with closing(pieces) as judged:
            for done, photo in enumerate(judged, 1):
                alone.take(photo)
                self._progress("check", done, len(rows))
        said = Said(Places(alone.source_ids))
        self._seen = alone.summaries.held()
        groups = summaries.AtHand(summaries.by_device(self._seen, alone.labels))
        self._compare(groups, self._context(alone.latest, told), said, alone.tested)
        clocks = evidence_clocks.fit_all(groups, each=self._each_camera)
        del groups, told
        self._seen = alone.summaries.held_on_demand()  # causes ask for few of them
        controls = alone.tested.controls()
        all_concluded = self._pieces(
            len(rows), PHOTOS_AT_ONCE, partial(alone.concluded, said, false_discovery.Cautions(controls))
        )
        lists = said.lists
        del said, alone  # they are let go when the last photo was kept
        self._keep(fingerprint, all_concluded, lists, clocks, controls, at_end, films=films)

    def _processes(self) -> int:
        """Return how many processes may judge photos; what a plugin's rules do in several is not ours to say."""
        is_ours = not self._instruments.loaded.plugins
        return self._settings.workers if is_ours and self._store.file is not None else 1

    def _pieces(self, total: int, most: int, work: Callable[[range], Iterable[T]]) -> Generator[T, None, None]:
        """Yield what *work* makes of pieces of a list, in several processes where there are many photos."""
        processes = self._processes() if len(self._gathered.rows) >= forks.FEWEST else 1
        pieces = forks.pieces_of(total, most=most, processes=processes)
        return forks.shared_out(pieces, work, processes=processes, begin=self._store.begin_in_fork)

    def _each_camera(self, function: Callable[[Any], ClockModel], of: Sequence[Any]) -> Iterable[ClockModel]:
        return self._pieces(len(of), _CAMERAS_AT_ONCE, lambda piece: (function(of[number]) for number in piece))

    def _films(self) -> Mapping[str, FilmClock]:
        """Return what the clocks of films count that only the photos beside them tell."""
        rows = self._gathered.rows
        groups = (list(rows[first : first + ROWS_AT_ONCE]) for first in range(0, len(rows), ROWS_AT_ONCE))
        if not any(kind.startswith("video/") for group in groups for kind in self._store.media_types(group)):
            return {}
        claims = self._album.claims(rows)
        return film_neighbours.clocks_of_films((source, claim) for source, claim in claims if isinstance(claim, Claim))

    def _claims(self, films: Mapping[str, FilmClock]) -> Iterator[Claim]:
        """Yield what the files say, before any rule runs: what many photos tell of one is worked out of it."""
        told = {"without": circumstances.UNREAD, "tags": circumstances.TAGS}
        for _, claim in self._album.claims(self._gathered.rows, **({} if films else told)):
            if isinstance(claim, Claim):
                yield claim

    def _context(self, now_utc: datetime, told: circumstances.Circumstances) -> Context:
        return Context(
            now_utc=now_utc,
            calibration=self._instruments.calibration,
            circumstances=told,
            witnesses=self._consulted.of_photo,
        )

    def _compare(
        self, groups: Sequence[DeviceGroup], context: Context, said: Said, tested: false_discovery.Tested
    ) -> None:
        """Run the rules that compare photos; a crash leaves every photo it was given not examined by it."""
        # All rules on one device, then the next: its photos are read from the disk once, where they are few.
        of_device, of_case = self._registry.of(Scope.DEVICE), self._registry.of(Scope.CASE)
        jobs: Iterator[tuple[Check, Any, Sequence[PhotoSummary]]] = chain(
            ((rule, group, group.summaries) for group in groups for rule in of_device),
            ((rule, self._seen, self._seen) for rule in of_case),
        )
        for rule, subject, photos in jobs:
            told = Told(said)
            failure = hear_rule(rule, subject, context, told.hear)
            if failure is None:
                told.join(tested)
            else:
                told.forget()
                said.join_failure(failure, photos)

    # ------------------------------------------------------------- keeping

    def _keep(
        self,
        fingerprint: str,
        concluded: Iterator[Concluded],
        lists: Iterable[bytes],
        clocks: tuple[ClockModel, ...],
        controls: tuple[false_discovery.Control, ...],
        at_end: AtEnd,
        *,
        films: Mapping[str, FilmClock],
    ) -> None:
        finished = self._settings.instant()
        with self._store.writing() as session:
            number = self._store.add_examination(
                session,
                fingerprint,
                environment=self._environment.labels(),
                stages=asdict(self._stages),
                finished_utc=finished,
            )
            ranked, reasons = self._keep_members(session, number, concluded, at_end)
            named.add(session.connection(), number, lists)
            self._store.add_extra(session, number, REASONS, record=reasons)
            self._store.add_findings(session, number, ranked)
            self._store.add_extra(session, number, CLOCKS, record=clocks)
            self._store.add_extra(session, number, CONTROLS, record=controls)
            if films:
                self._store.add_extra(session, number, FILMS, record=dict(films))
            self._store.add_extra(session, number, CAUSES, record=self._causes(ranked, clocks))
            self._seen = ()
            self._store.add_extra(session, number, RULES, record=tuple(map(_note, self._registry)))
            for entry in self._gathered.rejected:
                self._store.add_rejected(session, fingerprint, entry, source_id=source_id_of(entry.relative))
            self._keep_model_facts(session, number)
            of_all = digest_of(self._store.verdicts(session, number))
            session.flush()
            bound, rows = bind(session.connection(), number, fingerprint, self._stages)
            for subject, taken in self._consulted.taken():
                self._store.append_event(
                    session, utc_time=finished, actor=actor(), action="acquire", subject=subject, detail=taken
                )
            for action, detail in (
                ("hash", {"sources": len(self._gathered.rows), "changed": at_end.changed}),
                (
                    "analyse",
                    {
                        "examination": fingerprint,
                        "verdicts_sha256": of_all,
                        "bound_sha256": bound,
                        "bound_rows": rows,
                        **self._versions(),
                    },
                ),
            ):
                self._store.append_event(
                    session, utc_time=finished, actor=actor(), action=action, subject="all sources", detail=detail
                )

    def _keep_model_facts(self, session: Transaction, number: int) -> None:
        """Keep what a report prints of the model's folder, which may change or go away afterwards."""
        calibration = self._instruments.calibration
        facts = {} if calibration is None else {**calibration.facts, "sha256": calibration.sha256}
        self._store.add_extra(session, number, CALIBRATION, record=facts)
        self._store.add_extra(session, number, CARD, record=self._instruments.model_card)

    def _causes(self, ranked: Sequence[Finding], clocks: Sequence[ClockModel]) -> tuple[CauseGroup, ...]:
        """Group what shares a cause; what names none is told once per rule."""
        by_rule: dict[str, list[Finding]] = {}
        for finding in ranked:
            if finding.cause is None and finding.is_found:
                by_rule.setdefault(finding.check_id, []).append(finding)
        alone = [_told_by_rule(self._registry[check_id].title, found) for check_id, found in by_rule.items()]
        groups = [*group_causes(ranked, clocks, seen=ById(self._seen)), *alone]
        return tuple(sorted(groups, key=lambda group: (OUTCOME_RANK.get(group.outcome, 3), -int(group.severity))))

    def _keep_members(
        self, session: Transaction, number: int, concluded: Iterator[Concluded], at_end: AtEnd
    ) -> tuple[Sequence[Finding], tuple[ReasonNote, ...]]:
        notable = Ranking()
        reasons: dict[tuple[str, str], ReasonNote] = {}
        members: list[dict[str, Any]] = []
        for ordinal, ((row, source), verdict) in enumerate(zip(self._sources(), concluded, strict=True)):
            members.append(
                {
                    "ordinal": ordinal,
                    "source_row": row,
                    "status": verdict.status.value,
                    "sha256_at_end": at_end.sha256_of(row, source.sha256),
                    "findings": verdict.stored,
                }
            )
            if len(members) == ROWS_AT_ONCE:
                self._store.add_members(session, number, members)
                members.clear()
            for finding in verdict.told:
                notable.add(finding, ordinal)
            _note_reasons(reasons, verdict.unexamined, source.display_path)
        self._store.add_members(session, number, members)
        return notable.ranked(), tuple(reasons.values())

    def _sources(self) -> Iterator[tuple[int, Source]]:
        """Yield row and source of what was gathered, in path order."""
        rows = self._gathered.rows
        for first in range(0, len(rows), ROWS_AT_ONCE):
            group = rows[first : first + ROWS_AT_ONCE]
            yield from zip(group, self._store.sources(list(group)), strict=True)

    def _versions(self) -> dict[str, Scalar]:
        used = self._environment
        return {
            "gtloc_forensics": used.program,
            "exiftool": used.exiftool,
            "time-zone data": used.time_zone_data,
            "rules": used.rules,
        }


def _named(depends_on: str, ended: Sequence[str]) -> tuple[str, bool]:
    """Return how an examination is named, and whether it is the newest one already.

    A model that is left out and asked again, or a disk that is taken out and put back, leads back to what was concluded
    before another examination: it is concluded once more, for what a case shows is its newest examination.

    Args:
        depends_on: the fingerprint of all that it depends on.
        ended: the examinations that the case holds, the newest first.
    """
    if not ended or depends_on not in ended:
        return depends_on, False
    if ended[0] == depends_on or ended[0] == digest_after(depends_on, ended[1]):
        return ended[0], True
    return digest_after(depends_on, ended[0]), False


def _note_reasons(reasons: dict[tuple[str, str], ReasonNote], unexamined: Sequence[Unexamined], name: str) -> None:
    for item in unexamined:
        known = reasons.get((item.stage, item.reason), ReasonNote(item.stage, item.reason, 0))
        names = (*known.names, name) if len(known.names) < ReasonNote.MOST_NAMES else known.names
        reasons[item.stage, item.reason] = replace(known, photos=known.photos + 1, names=names)


def _note(rule: Check) -> RuleNote:
    counted = counted_alarms()
    counts = counted["rules"].get(rule.check_id)
    note = RuleNote(rule.check_id, rule.title, rule.version, rule.explanation)
    if counts is None:
        return note
    return replace(note, photo_set=Sentence(counted["photo_set"]), **counts)


def _told_by_rule(title: str, findings: Sequence[Finding]) -> CauseGroup:
    first = findings[0]  # the strongest: findings come ranked
    return CauseGroup(
        cause=Cause(CauseKind.UNNAMED, ""),
        label="",
        outcome=first.outcome,
        severity=first.severity,
        source_ids=tuple(dict.fromkeys(finding.source_ids[0] for finding in findings)),
        check_ids=(first.check_id,),
        findings=len(findings),
        summary=first.summary if len(findings) == 1 else f"{title} ({len(findings)} photos)",
    )
