"""Drives the stages from a watcher: each photo examined as it arrives, the case concluded when it is quiet.

Nothing is remembered here that a kill could lose: what is examined, and what was
told, is in the store, what is not is found again by the watcher's first full look. A full disk
or a file that cannot be read is news for the log and a second try, never an end.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.case.notify import Notifier
from gtloc_forensics.case.telling import Telling
from gtloc_forensics.checks import Context
from gtloc_forensics.errors import UsageError, WorkspaceFull
from gtloc_forensics.examination import witnesses
from gtloc_forensics.examination.concluding import Concluding
from gtloc_forensics.examination.gathering import Gathering
from gtloc_forensics.examination.instruments import Instruments
from gtloc_forensics.examination.judging import judge
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.files import acquiring, listing, opening, watching
from gtloc_forensics.records import Candidate, CauseKind, Finding, Outcome, Photo, PhotoResult, Skipped, Source, visible
from gtloc_forensics.store.photos import Album

TICK_S = 0.1
RETRY_S = 30.0
"""Seconds until a file is tried again that could not be kept or read."""


FIRST_PATIENCE_S = 2.0
MOST_NAMES = 50
"""Photos that a message names one by one; it counts them all."""

MOST_TRIES = 6
"""A file that changes while it is read is tried again after 2, 4, … 64 s; then with its next change."""

Log = Callable[[Mapping[str, Any]], None]
"""Called with one JSON-able event: ``{"event": …, …}``."""


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """When a watch session does what.

    Attributes:
        quiet_s: seconds without an arrival after which the case is concluded and reported.
        report_every_s: seconds after which it is concluded even when photos keep coming.
        report: whether a PDF is made too.
        once: end when everything that lies there was examined.
    """

    quiet_s: float = 20.0
    report_every_s: float = 600.0
    report: bool = True
    once: bool = False


class WatchSession:
    """Watches folders on behalf of a case that the caller holds locked."""

    def __init__(
        self,
        case: CaseFolder,
        instruments: Instruments,
        *,
        settings: Settings,
        work: Path,
        roots: Sequence[Path],
        publish: Callable[[], Path],
        notifier: Notifier,
        log: Log,
        watch_settings: WatchSettings,
    ) -> None:
        """Prepare to watch; :meth:`keep` does it."""
        self._case = case
        self._instruments = instruments
        self._settings = settings
        self._publish = publish
        self._roots = tuple(roots)
        self._telling = Telling(case.store, notifier)
        self._log = log
        self._watch_settings = watch_settings
        self._gathering = Gathering(
            case.store, case.evidence, instruments, settings=settings, work=work, progress=_silent
        )
        self._catalogues = witnesses.Watched(case.evidence, work, settings)
        self._rejected: dict[bytes, Skipped] = {}
        self._tries: dict[bytes, int] = {}  # of what changed while it was read
        self._rechecked: dict[tuple[int, ...], acquiring.Rechecked] = {}
        self._logged: set[tuple[str, bytes, str]] = set()  # what the log was told of paths that are no arrivals
        self._missing: dict[bytes, str] = {}  # photos that are gone from a folder that is there: what can be said
        self._next_try = time.monotonic() + RETRY_S
        self._unconcluded = True  # a killed watch session may have left some; concluding twice costs nothing
        self._last_arrival = self._last_conclusion = time.monotonic()

    def keep(self, watcher: watching.Watcher, stop: threading.Event) -> None:
        """Watch until *stop* is set, finishing what is in hand; or, once, until everything was looked at."""
        self._roots = watcher.roots
        with watcher:
            while not stop.is_set():
                news = watcher.look()
                if news:
                    self._take_in(watcher, news)
                elif self._watch_settings.once and watcher.is_done:
                    break
                else:
                    stop.wait(TICK_S)
                if self._is_time():
                    self._conclude()
                elif time.monotonic() >= self._next_try:
                    self._next_try = time.monotonic() + RETRY_S
                    self._log_troubles(self._telling.again())
        if self._watch_settings.once and self._unconcluded:
            self._conclude()

    # ------------------------------------------------------------- arrivals

    def _take_in(self, watcher: watching.Watcher, news: Iterable[watching.News]) -> None:
        arrivals: list[watching.Arrival] = []
        for item in news:
            if isinstance(item, watching.Arrival):
                arrivals.append(item)
            else:
                self._log({"event": item.kind, "folder": str(item.root), "text": item.text})
        if not arrivals:
            return
        try:
            with opening.told_when_full():
                changing = self._examine(arrivals)
        except WorkspaceFull as error:
            self._log({"event": "disk full", "text": str(error), "photos": len(arrivals), "again_in_s": RETRY_S})
            for arrival in arrivals:
                watcher.again(arrival, after_s=RETRY_S)
            return
        for arrival, after_s in changing:
            watcher.again(arrival, after_s=after_s)

    def _examine(self, arrivals: Sequence[watching.Arrival]) -> list[tuple[watching.Arrival, float]]:
        """Examine what arrived; return what has to be tried again, and after how long."""
        begun = time.monotonic()
        candidates = [self._within_case(arrival) for arrival in arrivals]
        refused = {entry.relative: entry for entry in self._gathering.examine(candidates)}
        self._unconcluded = True
        self._last_arrival = time.monotonic()
        album = Album(self._case.store, self._gathering.stages, self._instruments.model_absence)
        again: list[tuple[watching.Arrival, float]] = []
        for arrival, candidate in zip(arrivals, candidates, strict=True):
            entry = refused.get(candidate.relative)
            if entry is not None:
                again += [(arrival, after_s) for after_s in self._refused(entry)]
                continue
            self._rejected.pop(candidate.relative, None)
            self._tries.pop(candidate.relative, None)
            self._judge(album, candidate)
        took = round(time.monotonic() - begun, 3)
        self._log({"event": "examined", "photos": len(candidates) - len(refused), "seconds": took})
        return again

    def _refused(self, entry: Skipped) -> Iterator[float]:
        """Note what could not be read; yield the seconds to wait when trying again may help."""
        self._rejected[entry.relative] = entry
        event: dict[str, Any] = {"event": "not examined", "photo": visible(entry.relative), "text": entry.reason}
        tries = self._tries.get(entry.relative, 0)
        if entry.may_pass and tries < MOST_TRIES:
            self._tries[entry.relative] = tries + 1
            event["again_in_s"] = FIRST_PATIENCE_S * 2**tries
            yield event["again_in_s"]
        else:
            self._tries.pop(entry.relative, None)
        self._log(event)

    def _within_case(self, arrival: watching.Arrival) -> Candidate:
        """Name a file by its path below the case's evidence folder, which holds every watched one."""
        below, found = self._below(arrival.root), arrival.candidate
        sidecars = tuple(below + name for name in found.sidecars)
        return replace(found, relative=below + found.relative, sidecars=sidecars)

    def _below(self, root: Path) -> bytes:
        """Return what the paths of a watched folder begin with in the case."""
        inner = os.path.relpath(os.fsencode(root.resolve()), os.fsencode(self._case.evidence))
        return b"" if inner == b"." else inner + b"/"

    def _judge(self, album: Album, candidate: Candidate) -> None:
        row = self._gathering.row_of(candidate.relative)
        photo, acquired = album.photo(row)
        context = Context(now_utc=acquired, calibration=self._instruments.calibration)
        verdict = judge(photo, self._instruments.loaded.registry, context)
        event = {
            "event": verdict.status.value,
            "photo": photo.source.display_path,
            "sha256": photo.source.sha256,
            "findings": [_told(finding) for finding in verdict.findings if finding.is_found],
            "not_examined": [f"{item.stage}: {item.reason}" for item in verdict.unexamined],
        }
        self._log(event)
        if event["findings"]:
            self._tell(photo, verdict, event)

    def _tell(self, photo: Photo, verdict: PhotoResult, event: Mapping[str, Any]) -> None:
        strongest = next(finding for finding in verdict.findings if finding.is_found)
        message = {**event, "summary": f"{photo.source.display_path}: {strongest.summary}"}
        self._log_troubles(self._telling.tell(photo.source.source_id, message))

    def _log_troubles(self, troubles: Iterable[str]) -> None:
        try:
            for trouble in troubles:
                self._log({"event": "hook failed", "text": trouble})
        except WorkspaceFull as error:  # what was told could not be kept: it is told again
            self._log({"event": "disk full", "text": str(error), "again_in_s": RETRY_S})

    # ------------------------------------------------------------- conclusions

    def _is_time(self) -> bool:
        now = time.monotonic()
        quiet = now - self._last_arrival >= self._watch_settings.quiet_s
        overdue = now - self._last_conclusion >= self._watch_settings.report_every_s
        return self._unconcluded and (quiet or overdue)

    def _conclude(self) -> None:
        try:
            with opening.told_when_full():
                self._conclude_and_tell()
        except WorkspaceFull as error:
            self._log({"event": "disk full", "text": str(error), "again_in_s": self._watch_settings.quiet_s})
            self._last_arrival = time.monotonic()

    def _conclude_and_tell(self) -> None:
        refusals = {**self._passed_over(), **self._rejected}
        everything = self._gathering.everything_known()
        rejected = tuple(sorted(refusals.values(), key=lambda entry: entry.relative))
        gathered = replace(everything, rejected=rejected)
        consulted, unread = self._catalogues.consult(self._case.store, gathered.rows, rejected)
        for text in unread:
            if self._is_news("catalogue", b"", text):
                self._log({"event": "not read", "text": text})
        self._missing.clear()
        Concluding(
            self._case.store,
            self._case.evidence,
            self._instruments,
            settings=self._settings,
            gathered=gathered,
            stages=self._gathering.stages,
            progress=_silent,
            recheck=self._recheck,
            consulted=consulted,
        ).run()
        written = self._publish()
        tally = self._case.view().tally
        counts = {name: getattr(tally, name) for name in ("found", "clean", "not_testable", "not_examined")}
        self._log({"event": "concluded", "photos": tally.photos, **counts})
        for relative, text in sorted(self._missing.items()):
            if self._is_news("missing", relative, text):
                self._log({"event": "missing", "photo": visible(relative), "text": text})
        self._tell_causes(written)
        self._unconcluded, self._last_conclusion = False, time.monotonic()  # not before all of it is told
        self._log_troubles(self._telling.again())

    def _passed_over(self) -> dict[bytes, Skipped]:
        """Return everything in the watched folders that gives no photo, as an audit would list it."""
        found: dict[bytes, Skipped] = {}
        for root in self._roots:
            if not root.is_dir():
                continue
            below = self._below(root)
            try:
                for entry in listing.walk(root):
                    if isinstance(entry, Skipped):
                        named = replace(entry, relative=below + entry.relative)
                        found[named.relative] = named
            except (UsageError, OSError):  # it was taken out meanwhile, which the watcher tells
                continue
        for relative, entry in found.items():
            if entry.blocks and self._is_news("not examined", relative, entry.reason):
                self._log({"event": "not examined", "photo": visible(relative), "text": entry.reason})
        return found

    def _is_news(self, kind: str, relative: bytes, text: str) -> bool:
        said = (kind, relative, text)
        is_new = said not in self._logged
        self._logged.add(said)
        return is_new

    def _tell_causes(self, written: Path) -> None:
        """Tell what the photos have in common, a camera's clock for one, which no photo shows alone."""
        names = {source_id: visible(known.relative) for source_id, known in self._case.store.latest_sources().items()}
        for group in self._case.view().causes():
            if group.cause.kind is CauseKind.UNNAMED or group.outcome not in (
                Outcome.CONTRADICTION,
                Outcome.SUSPICIOUS,
            ):
                continue
            photos = [names.get(source_id, source_id) for source_id in group.source_ids]
            message = {
                "event": "cause",
                "summary": group.summary,
                "outcome": group.outcome.value,
                "checks": list(group.check_ids),
                "photos": len(photos),
                "names": photos[:MOST_NAMES],
                "report": visible(os.fsencode(written)),
            }
            subject = f"cause {group.cause.kind.value} {group.label}"
            if self._is_news("cause", subject.encode(), json.dumps(message, sort_keys=True)):
                self._log(message)
            self._log_troubles(self._telling.tell(subject, message))

    def _recheck(self, source: Source) -> acquiring.Rechecked:
        """Hash a file again once; after that a stat tuple that stands still vouches for it.

        A card that was taken out is no change of the evidence: its photos keep their intake hash alone.
        """
        key = acquiring.stat_key(self._case.evidence, source.relative)
        if not key:
            return acquiring.Rechecked("", self._why_gone(source))
        if key not in self._rechecked:
            self._rechecked[key] = acquiring.recheck(self._case.evidence, source)
        return self._rechecked[key]

    def _why_gone(self, source: Source) -> str:
        """Return why a photo is not there though its folder is; "" when the whole folder is gone."""
        if not any(root.is_dir() and source.relative.startswith(self._below(root)) for root in self._roots):
            return ""
        others = (known for known in self._case.store.latest_sources().values() if known.sha256 == source.sha256)
        here = sorted(known.relative for known in others if acquiring.stat_key(self._case.evidence, known.relative))
        now = f"; the same content is there as {visible(here[0])}" if here else ""
        reason = f"it is no longer there: deleted, moved or renamed{now}"
        self._missing[source.relative] = reason
        return reason


def _told(finding: Finding) -> dict[str, str]:
    return {"check": finding.check_id, "outcome": finding.outcome.value, "summary": visible(finding.summary)}


def _silent(stage: str, done: int, total: int | None) -> None:
    """A watch session tells of photos, not of parts of stages."""
