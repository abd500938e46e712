"""Concludes an examination: runs the rules over what was gathered and keeps what they say.

Photos stream by one at a time; only their lean summaries stay in memory for the
rules that compare. Everything is written in one transaction, so an examination
is there whole or not at all, and it is named by everything it depended on.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import traceback
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from gtloc_forensics.checks import Check, Context, Registry, Scope, counted_alarms, not_testable, unmet
from gtloc_forensics.earth import globe
from gtloc_forensics.evidence import clocks as evidence_clocks
from gtloc_forensics.evidence import false_discovery
from gtloc_forensics.evidence.clocks.causes import group_causes
from gtloc_forensics.examination import gathering, plugged_in, summaries
from gtloc_forensics.examination.disk_map import DiskMap
from gtloc_forensics.examination.instruments import NO_MODEL, Instruments, Settings
from gtloc_forensics.examination.results import NotTestable, PhotoResult, digest_of, merge
from gtloc_forensics.files import acquiring
from gtloc_forensics.records import (
    Absent,
    Cause,
    CauseGroup,
    Claim,
    ClockModel,
    Finding,
    ImageFacts,
    Outcome,
    Photo,
    PhotoSummary,
    Prediction,
    ReasonNote,
    RuleNote,
    Scalar,
    Source,
    Sun,
    Unexamined,
    source_id_of,
    visible,
)
from gtloc_forensics.store.codec import pack, unpack
from gtloc_forensics.store.custody import actor
from gtloc_forensics.store.database import Store, Transaction
from gtloc_forensics.store.rows import StoredSource

CLOCKS, CAUSES, CONTROLS, REASONS, RULES = "clocks", "causes", "controls", "reasons", "rules"

ROWS_AT_ONCE = 500

MODEL_ABSENCE = "model"
"""The environment entry that says why there is no model."""


class Album:
    """Puts the records of one path together again from the store."""

    def __init__(self, store: Store, stages: gathering.Stages, model_absence: str) -> None:
        """Read from *store* what was kept under *stages*."""
        self._store = store
        self._stages = stages
        self._model_absence = model_absence

    def photo(self, row_id: int) -> tuple[Photo, datetime]:
        """Return everything known of one source, and when it was acquired."""
        source, known, acquired = self._store.source(row_id)
        claim = self._claim(source, known)
        opinions, unread = plugged_in.opinions_of(self._store, self._stages.further, source)
        image, seen = self._image(source), self._prediction(source)
        return Photo(source, claim, _sun(claim), image, seen, opinions, unread), acquired

    def preview(self, sha256: str) -> bytes | None:
        """Return the downscaled picture, when the content was decoded."""
        found = self._store.result(sha256, gathering.PREVIEW, self._stages.image, bytes)
        return found if isinstance(found, bytes) else None

    def _claim(self, source: Source, known: StoredSource) -> Claim | Unexamined:
        key = gathering.claim_key(self._stages, known)
        found = self._store.result(source.source_id, gathering.CLAIM, key, Claim)
        return found if isinstance(found, Claim) else _unexamined(source, "metadata", found)

    def _image(self, source: Source) -> ImageFacts | Unexamined:
        found = self._store.result(source.sha256, gathering.IMAGE, self._stages.image, ImageFacts)
        return found if isinstance(found, ImageFacts) else _unexamined(source, "decode", found)

    def _prediction(self, source: Source) -> Prediction | Unexamined:
        if not self._stages.vision:
            return Unexamined(source.source_id, "vision", self._model_absence)
        found = self._store.result(source.sha256, gathering.VISION, self._stages.vision, Prediction)
        if isinstance(found, Prediction):
            return replace(found, source_id=source.source_id)
        return _unexamined(source, "vision", found)


def _sun(claim: Claim | Unexamined) -> Sun | Absent:
    return globe.sun(claim) if isinstance(claim, Claim) else Absent.UNDERIVABLE


def _unexamined(source: Source, stage: str, found: object) -> Unexamined:
    reason, detail = found if isinstance(found, tuple) else ("it was never reached", "")
    return Unexamined(source.source_id, stage, reason, detail)


class Concluding:
    """Runs every rule over a gathered folder and writes the examination."""

    def __init__(
        self,
        store: Store,
        root: Path,
        instruments: Instruments,
        *,
        settings: Settings,
        gathered: gathering.Gathered,
        stages: gathering.Stages,
        progress: gathering.Progress,
        recheck: Callable[[Source], acquiring.Rechecked] | None = None,
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
        """
        self._store = store
        self._recheck = recheck or partial(acquiring.recheck, root)
        self._instruments = instruments
        self._settings = settings
        self._gathered = gathered
        self._stages = stages
        self._progress = progress
        self._registry = instruments.loaded.registry
        model = instruments.environment.get("model name", "")
        self.environment = dict(instruments.environment) | instruments.loaded.troubles
        self.environment |= {
            MODEL_ABSENCE: instruments.model_absence or model,
            "command": f"gtloc audit {shlex.quote(visible(os.fsencode(root)))} --model {model or NO_MODEL}",
        }
        self._album = Album(store, stages, instruments.model_absence)

    def run(self) -> str:
        """Conclude and return the examination's fingerprint; one that exists already is not made again."""
        at_end = self._rehash()
        fingerprint = self._fingerprint(at_end)
        if self._store.examination(fingerprint) is None:
            self._examine(fingerprint, at_end)
        return fingerprint

    def _fingerprint(self, at_end: Mapping[int, acquiring.Rechecked]) -> str:
        depends_on = {
            "sources": [[row, at_end[row].sha256, at_end[row].reason] for row in self._gathered.rows],
            "rejected": [[entry.relative.hex(), entry.reason] for entry in self._gathered.rejected],
            "stages": asdict(self._stages),
            "rules": [[item.check_id, item.version] for item in self._registry],
            "plugin failures": [[failure.name, failure.reason] for failure in self._instruments.loaded.failures],
            "environment": self.environment,
        }
        return hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()

    def _rehash(self) -> dict[int, acquiring.Rechecked]:
        """Look at every source again: its hash now, and what changed."""
        rows = self._gathered.rows
        total = len(rows)
        self._progress("verify", 0, total)
        hashes = {}
        with ThreadPoolExecutor(max(1, self._settings.workers)) as pool:
            for first in range(0, total, ROWS_AT_ONCE):
                group = rows[first : first + ROWS_AT_ONCE]
                again = pool.map(self._recheck, self._store.sources(group))
                for row, now in zip(group, again, strict=True):
                    hashes[row] = now
                    self._progress("verify", len(hashes), total)
        return hashes

    # ------------------------------------------------------------- the rules

    def _examine(self, fingerprint: str, at_end: Mapping[int, acquiring.Rechecked]) -> None:
        with DiskMap() as verdicts:
            self._judge_all(fingerprint, verdicts, at_end)

    def _judge_all(
        self, fingerprint: str, verdicts: MutableMapping[str, bytes], at_end: Mapping[int, acquiring.Rechecked]
    ) -> None:
        weighed: list[Finding] = []
        seen: list[PhotoSummary] = []
        labels: dict[str, tuple[str, str]] = {}
        latest = datetime(1, 1, 1)
        total = len(self._gathered.rows)
        for done, row in enumerate(self._gathered.rows, 1):
            photo, acquired = self._album.photo(row)
            latest = max(latest, acquired)
            verdict = judge(photo, self._registry, self._context(acquired), changed=at_end[row].reason)
            verdicts[photo.source.source_id] = pack(verdict)
            weighed += [finding for finding in verdict.findings if finding.p_value is not None]
            photo_summary = summaries.summary_of(photo)
            if photo_summary is not None and isinstance(photo.claim, Claim):
                seen.append(photo_summary)
                labels.setdefault(photo_summary.device_key, summaries.label(photo.claim))
            self._progress("check", done, total)
        groups = summaries.by_device(seen, labels)
        untestable = NotTestable()
        compared, crashed = self._compare(groups, seen, self._context(latest), untestable)
        clocks = tuple(evidence_clocks.fit(group) for group in groups)
        merge(verdicts, findings=compared, untestable=untestable, crashed=crashed)
        controls = false_discovery.control([*weighed, *compared])
        self._keep(fingerprint, verdicts, clocks, controls, at_end)

    def _context(self, now_utc: datetime) -> Context:
        return Context(now_utc=now_utc, calibration=self._instruments.calibration)

    def _compare(
        self, groups: Sequence[Any], seen: Sequence[PhotoSummary], context: Context, untestable: NotTestable
    ) -> tuple[list[Finding], list[Unexamined]]:
        """Run the rules that compare photos; a crash leaves every photo it was given not examined by it."""
        findings: list[Finding] = []
        crashed: list[Unexamined] = []
        jobs: list[tuple[Check, Any, Sequence[PhotoSummary]]] = [
            (rule, group, group.summaries) for rule in self._registry.of(Scope.DEVICE) for group in groups
        ]
        jobs += [(rule, tuple(seen), seen) for rule in self._registry.of(Scope.CASE)]
        for rule, subject, photos in jobs:
            found, failure = _apply(rule, subject, context)
            findings += untestable.without(found)
            if failure is not None:
                crashed += [replace(failure, source_id=item.source_id) for item in photos]
        return findings, crashed

    # ------------------------------------------------------------- keeping

    def _keep(
        self,
        fingerprint: str,
        verdicts: Mapping[str, bytes],
        clocks: tuple[ClockModel, ...],
        controls: tuple[false_discovery.Control, ...],
        at_end: Mapping[int, acquiring.Rechecked],
    ) -> None:
        finished = self._settings.instant()
        with self._store.writing() as session:
            number = self._store.add_examination(
                session,
                fingerprint,
                environment=self.environment,
                stages=asdict(self._stages),
                finished_utc=finished,
            )
            ranked, reasons = self._keep_members(session, number, verdicts, controls, at_end)
            self._store.add_extra(session, number, REASONS, record=reasons)
            for ordinal, finding in enumerate(ranked):
                self._store.add_finding(session, number, ordinal, finding=finding)
            self._store.add_extra(session, number, CLOCKS, record=clocks)
            self._store.add_extra(session, number, CONTROLS, record=controls)
            self._store.add_extra(session, number, CAUSES, record=self._causes(ranked, clocks))
            self._store.add_extra(session, number, RULES, record=tuple(map(_note, self._registry)))
            for entry in self._gathered.rejected:
                self._store.add_rejected(session, fingerprint, entry, source_id=source_id_of(entry.relative))
            concluded = digest_of(self._store.verdicts(session, number))
            changed = sum(bool(now.reason) for now in at_end.values())
            for action, detail in (
                ("hash", {"sources": len(at_end), "changed": changed}),
                ("analyse", {"examination": fingerprint, "verdicts_sha256": concluded, **self._versions()}),
            ):
                self._store.append_event(
                    session, utc_time=finished, actor=actor(), action=action, subject="all sources", detail=detail
                )

    def _causes(self, ranked: Sequence[Finding], clocks: Sequence[ClockModel]) -> tuple[CauseGroup, ...]:
        """Group what shares a cause; what names none is told once per rule."""
        by_rule: dict[str, list[Finding]] = {}
        for finding in ranked:
            if finding.cause is None and finding.is_found:
                by_rule.setdefault(finding.check_id, []).append(finding)
        alone = [_told_by_rule(self._registry[check_id].title, found) for check_id, found in by_rule.items()]
        groups = [*group_causes(ranked, clocks), *alone]
        return tuple(sorted(groups, key=lambda group: (_OUTCOME_RANK.get(group.outcome, 3), -int(group.severity))))

    def _keep_members(
        self,
        session: Transaction,
        number: int,
        verdicts: Mapping[str, bytes],
        controls: Sequence[false_discovery.Control],
        at_end: Mapping[int, acquiring.Rechecked],
    ) -> tuple[list[Finding], tuple[ReasonNote, ...]]:
        notable: list[tuple[Any, Finding]] = []
        reasons: dict[tuple[str, str], ReasonNote] = {}
        for ordinal, row in enumerate(self._gathered.rows):
            source, _, _ = self._store.source(row)
            verdict = _judged(unpack(PhotoResult, verdicts[source.source_id]), source.source_id, controls)
            self._store.add_member(
                session,
                number,
                ordinal,
                source_row=row,
                status=verdict.status.value,
                sha256_at_end=at_end[row].sha256,
                verdict=pack(verdict),
            )
            notable += [
                (rank(finding, source.relative), finding)
                for finding in verdict.findings
                if (finding.is_found or finding.outcome is Outcome.EXPLAINED)
                and finding.source_ids[0] == source.source_id
            ]
            _note_reasons(reasons, verdict, source.display_path)
        ranked = [finding for _, finding in sorted(notable, key=lambda pair: pair[0])]
        return ranked, tuple(reasons.values())

    def _versions(self) -> dict[str, Scalar]:
        names = ("gtloc_forensics", "exiftool", "time-zone data", "rules")
        return {name: self.environment[name] for name in names}


def judge(photo: Photo, registry: Registry, context: Context, *, changed: str = "") -> PhotoResult:
    """Run the rules that look at one photo alone.

    Args:
        photo: everything known of it.
        registry: the rules.
        context: the moment of its acquisition.
        changed: what is different about the file at the end of the run; "" for nothing.
    """
    findings: list[Finding] = []
    unexamined = _missing_records(photo)
    if changed:
        unexamined.append(Unexamined(photo.source.source_id, "integrity", f"at the end of the run {changed}"))
    for rule in registry.of(Scope.PHOTO):
        lacking = unmet(rule, photo)
        if lacking:
            findings.append(not_testable(rule.check_id, photo.source.source_id, lacking))
            continue
        found, failure = _apply(rule, photo, context)
        findings += found
        if failure is not None:
            unexamined.append(replace(failure, source_id=photo.source.source_id))
    return PhotoResult(tuple(findings), tuple(unexamined))


_OUTCOME_RANK = {Outcome.CONTRADICTION: 0, Outcome.SUSPICIOUS: 1, Outcome.EXPLAINED: 2}
_CONFIDENCE_RANK = {"decisive": 0, "strong": 1, "weak": 2, "context": 3}


def rank(finding: Finding, relative: bytes) -> tuple[Any, ...]:
    """Return the key that sorts findings strongest first, then by path."""
    strength = 0.0 if finding.log10_lr is None else finding.log10_lr
    return (
        _OUTCOME_RANK.get(finding.outcome, 3),
        -int(finding.severity),
        _CONFIDENCE_RANK[finding.confidence.value],
        strength,
        relative,
        finding.check_id,
    )


def _note_reasons(reasons: dict[tuple[str, str], ReasonNote], verdict: PhotoResult, name: str) -> None:
    for item in verdict.unexamined:
        known = reasons.get((item.stage, item.reason), ReasonNote(item.stage, item.reason, 0))
        names = (*known.names, name) if len(known.names) < ReasonNote.MOST_NAMES else known.names
        reasons[item.stage, item.reason] = replace(known, photos=known.photos + 1, names=names)


def _note(rule: Check) -> RuleNote:
    counted = counted_alarms()
    counts = counted["rules"].get(rule.check_id)
    note = RuleNote(rule.check_id, rule.title, rule.version, rule.explanation)
    if counts is None:
        return note
    return replace(note, tested=counts["tested"], alarms=counts["alarms"], photo_set=counted["photo_set"])


def _told_by_rule(title: str, findings: Sequence[Finding]) -> CauseGroup:
    first = findings[0]  # the strongest: findings come ranked
    return CauseGroup(
        cause=Cause("", ""),
        label="",
        outcome=first.outcome,
        severity=first.severity,
        source_ids=tuple(dict.fromkeys(finding.source_ids[0] for finding in findings)),
        check_ids=(first.check_id,),
        findings=len(findings),
        summary=first.summary if len(findings) == 1 else f"{title} ({len(findings)} photos)",
    )


def _apply(rule: Check, subject: Any, context: Context) -> tuple[list[Finding], Unexamined | None]:
    # The border for rules: a stranger's rule may raise anything, and a crash must not look like a pass.
    try:
        return list(rule.function(subject, context)), None
    except Exception as error:
        reason = f"the rule failed ({type(error).__name__}: {error})"
        return [], Unexamined("", f"check:{rule.check_id}", reason, traceback.format_exc())


def _missing_records(photo: Photo) -> list[Unexamined]:
    records = (photo.claim, photo.image, photo.prediction, *photo.opinions, *photo.unread)
    missing = [record for record in records if isinstance(record, Unexamined)]
    told = {record.reason: record for record in reversed(missing)}  # what cannot be decoded is told once, not per stage
    return [record for record in missing if told[record.reason] is record]


def _judged(verdict: PhotoResult, source_id: str, controls: Sequence[false_discovery.Control]) -> PhotoResult:
    """Add what the case says of a photo; one of which no rule could say anything is not examined, rather than clean."""
    verdict = replace(verdict, findings=tuple(false_discovery.told(finding, controls) for finding in verdict.findings))
    if verdict.unexamined or any(finding.outcome is not Outcome.NOT_TESTABLE for finding in verdict.findings):
        return verdict
    nothing = Unexamined(source_id, "check", "it claims nothing that any rule can test")
    return replace(verdict, unexamined=(nothing,))
