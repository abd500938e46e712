"""What the pages of a review show, as plain values: the case by cause and camera, and one photo in full.

Every text in it is visible and inert; a page puts it in as text and never as markup.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from gtloc_forensics.case.reviewing import windows
from gtloc_forensics.case.reviewing.asking import place_told
from gtloc_forensics.case.reviewing.languages import STATUSES, languages, page_words
from gtloc_forensics.case.reviewing.reading import Listing, Row
from gtloc_forensics.case.reviewing.replay import DECIDE, UNDO
from gtloc_forensics.earth import gazetteer
from gtloc_forensics.records import (
    Absent,
    CauseGroup,
    Claim,
    ClockModel,
    CustodyEvent,
    Decision,
    Finding,
    Outcome,
    PhotoEntry,
    Stated,
    Sun,
    Unexamined,
    Untold,
    visible,
    visible_throughout,
)
from gtloc_forensics.report.chapters.weighing import beside
from gtloc_forensics.report.exports.rows import row as exported
from gtloc_forensics.report.template import Words, load_words

MOST_THUMBS = 12
"""Pictures on the card of a cause."""

MOST_TOWNS = 6
"""Names of towns beside a photo's own on its map."""

LONGEST_RAW = 300
"""Characters of a tag's value; a longer one says how long it is."""

_CLAIMED = (
    "local_time",
    "utc_offset_hours",
    "utc_time",
    "gps_utc_time",
    "not_after",
    "position",
    "altitude_m",
    "direction",
)


class Pages:
    """The pages of one case in one language."""

    def __init__(self, listing: Listing, language: str = "en") -> None:
        """Prepare to tell of what was read.

        Raises:
            UsageError: there are no pages in that language.
        """
        self._listing = listing
        self._view = listing.view
        self._own = page_words(language)
        self.words: Words = load_words("default", language)
        self._titles = {note.check_id: note.title for note in listing.view.rules()}
        self.language = language

    # ----------------------------------------------------------------- the case

    def case(self, *, whole: bool = True) -> dict[str, Any]:
        """Return the case by cause and its cameras; *whole* with the lean list of all photos and what is in each cause.

        What is left out of a large case is asked for piece by piece (:mod:`gtloc_forensics.case.reviewing.windows`).
        """
        tally, header = self._listing.tally, self._view.header
        checks = sorted({check for row in self._listing.rows for check in row.outcomes})
        shown = {
            "language": self.language,
            "languages": languages(),
            "words": self._own,
            "examination": self._view.fingerprint,
            "examinations": list(self._view.examinations().items()),
            "finished_utc": self._view.finished_utc.isoformat(),
            "header": [header.case_number, header.exhibit, header.examiner, header.agency],
            "folder": header.evidence_folder,
            "counts": {
                "photos": tally.photos,
                "found": tally.found,
                "clean": tally.clean,
                "not_testable": tally.not_testable,
                "not_examined": tally.not_examined,
            },
            "rows": len(self._listing.rows),
            "piece": windows.MOST_ROWS,
            **({"photos": [brief(row) for row in self._listing.rows]} if whole else {}),
            "causes": [self._cause(number, group, whole) for number, group in enumerate(self._listing.groups, start=1)],
            "cameras": self._cameras(),
            "rules": {check: self._title(check) for check in checks},
            "outcomes": {outcome.name.lower(): self._word(f"outcome.{outcome.name.lower()}") for outcome in Outcome},
            "statuses": {name: self._word(f"status.{name}") for name in STATUSES},
            "reasons": [
                [self._stage(note.stage), self.words.reason(note.reason), note.photos, list(note.names)]
                for note in self._view.reasons()
            ],
            "passed_over": [
                [visible(entry.relative), self.words.reason(entry.reason), entry.blocks]
                for entry in self._view.passed_over()
            ],
            "environment": dict(self._view.environment),
        }
        return dict(plain(shown))

    def _cause(self, number: int, group: CauseGroup, whole: bool) -> dict[str, Any]:
        members = self._listing.members[number - 1]
        shown = filter(None, map(self._listing.row, group.source_ids[:MOST_THUMBS]))
        listed = {"photos": list(group.source_ids), "members": [list(member) for member in members]} if whole else {}
        return {
            "number": number,
            "name": self._cause_name(group),
            "kind": str(group.cause.kind),
            "device": group.cause.device_key,
            "label": group.label,
            "outcome": group.outcome.name.lower(),
            "severity": self._word(f"severity.{group.severity.name.lower()}"),
            "summary": self.words.sentence(group.summary),
            "refutable_by": self.words.sentence(group.refutable_by),
            "photos_n": len(group.source_ids),
            "members_n": len(members),
            "thumbs": [[row.source_id, row.name] for row in shown],
            "first": list(members[0]) if members else None,
            "checks": list(group.check_ids),
            **listed,
        }

    def _cause_name(self, group: CauseGroup) -> str:
        key = f"cause.{group.cause.kind.replace('-', '_')}"
        return self._word(key) if self.words.has(key) else ", ".join(map(self._title, group.check_ids))

    def _cameras(self) -> list[dict[str, Any]]:
        models = {model.device_key: model for model in self._view.clocks()}
        labels = {group.cause.device_key: group.label for group in self._listing.groups if group.label}
        named: dict[str, str] = {}
        counted: Counter[str] = Counter()
        for row in self._listing.rows:
            named.setdefault(row.device_key, row.device)
            counted[row.device_key] += 1
        return [
            {
                "key": key,
                "name": name,
                "photos_n": counted[key],
                "label": models[key].label if key in models else labels.get(key, name) or name,
            }
            | (self._clock(models[key]) if key in models else {"summary": "", "evidence": []})
            for key, name in named.items()
        ]

    def _clock(self, model: ClockModel) -> dict[str, Any]:
        kind = f"clock_kind.{model.kind.name.lower()}"
        curve = None
        if model.posterior_offsets_hours is not None and model.posterior_mass is not None:
            curve = [
                [round(float(hours), 3), float(mass)]
                for hours, mass in zip(model.posterior_offsets_hours, model.posterior_mass, strict=True)
                if mass > 1e-4
            ]
        return {
            "kind": self._word(kind) if self.words.has(kind) else str(model.kind),
            "offset_hours": model.offset_hours,
            "interval_hours": model.interval_hours,
            "summary": self.words.sentence(model.summary),
            "evidence": [self.words.sentence(text) for text in model.evidence],
            "curve": curve,
        }

    # ----------------------------------------------------------------- one photo

    def photo(self, source_id: str) -> dict[str, Any] | None:
        """Return everything the case holds of one photo; None when it has none of that id."""
        row = self._listing.row(source_id)
        if row is None:
            return None
        (entry,) = self._view.entries_at([row.ordinal])
        return self.entry(entry)

    def photos(self) -> Iterator[tuple[str, dict[str, Any], bytes | None]]:
        """Stream of each photo its id, what is shown of it, and its picture."""
        for entry in self._view.photos():
            source_id = entry.photo.source.source_id
            yield source_id, self.entry(entry), self._view.preview(source_id)

    def entry(self, entry: PhotoEntry) -> dict[str, Any]:
        """Return what is shown of a photo."""
        source, claim = entry.photo.source, entry.photo.claim
        known = claim if isinstance(claim, Claim) else None
        told = [finding for finding in entry.findings if finding.outcome is not Outcome.NOT_TESTABLE]
        shown = {
            "id": source.source_id,
            "name": source.display_path,
            "file": {
                "sha256": source.sha256,
                "sha256_at_end": entry.sha256_at_end,
                "size_bytes": source.stat.size_bytes,
                "media_type": source.media_type,
            },
            "status": self._word(f"status.{entry.status.name.lower()}"),
            "claim": list(self._claimed(known)) if known else [],
            "no_claim": self.words.reason(claim.reason) if isinstance(claim, Unexamined) else "",
            "sun": self._sun(entry.photo.sun),
            "town": self._town(known),
            "indicated": self._indicated(entry),
            "findings": [self._finding(finding) for finding in told],
            "not_testable": [
                [finding.check_id, self._title(finding.check_id), self.words.sentence(finding.summary)]
                for finding in entry.findings
                if finding.outcome is Outcome.NOT_TESTABLE
            ],
            "not_examined": [[self._stage(gap.stage), self.words.reason(gap.reason)] for gap in entry.unexamined],
            "warnings": list(known.warnings) if known else [],
            "tags": [[tag, _shortened(_joined(values))] for tag, values in known.tags.items()] if known else [],
            "values": exported(entry),
        }
        return dict(plain(shown))

    def _finding(self, finding: Finding) -> dict[str, Any]:
        sentences = {
            name: [self.words.sentence(text) for text in getattr(finding, name)]
            for name in ("observed", "derived", "inferred", "limitations", "innocent")
        }
        return {
            "check": finding.check_id,
            "title": self._title(finding.check_id),
            "outcome": finding.outcome.name.lower(),
            "severity": self._word(f"severity.{finding.severity.name.lower()}"),
            "confidence": self._word(f"confidence.{finding.confidence.name.lower()}"),
            "summary": self.words.sentence(finding.summary),
            "p_value": finding.p_value,
            "log10_lr": finding.log10_lr,
            "others": list(dict.fromkeys(filter(None, (beside(finding), *finding.source_ids[1:])))),
            **sentences,
        }

    def _claimed(self, claim: Claim) -> Iterator[list[Any]]:
        for name in _CLAIMED:
            value = getattr(claim, name)
            label = self._own[f"claim_{name}"]
            if isinstance(value, Stated):
                rivals = [[_value(rival.value), rival.tag, _shortened(rival.raw)] for rival in value.rivals]
                yield [label, _value(value.value), value.tag, _shortened(value.raw), rivals]
            elif value is not Absent.MISSING:
                yield [label, None, self._word(f"absent.{value.name.lower()}"), "", []]

    def _sun(self, sun: Sun | Absent) -> str:
        if isinstance(sun, Absent):
            return ""
        elevation, azimuth = self.words.number(sun.elevation_deg, 1), self.words.number(sun.azimuth_deg)
        return self.words.line("comparison.sun_at", elevation=elevation, azimuth=azimuth)

    def _town(self, claim: Claim | None) -> dict[str, Any] | None:
        """Return the place by which people would call the claimed position, and towns of the map around it."""
        if claim is None or not isinstance(claim.position, Stated):
            return None
        at = claim.position.value
        town = gazetteer.well_known(at)
        reach_deg = 2.5
        around = gazetteer.within(
            south_deg=max(-90.0, at.latitude_deg - reach_deg),
            north_deg=min(90.0, at.latitude_deg + reach_deg),
            west_deg=at.longitude_deg - 2 * reach_deg,
            east_deg=at.longitude_deg + 2 * reach_deg,
            most=MOST_TOWNS,
        )
        known = {(place.name, place.position): place for place in (replace(town, distance_km=0.0), *around)}
        return {
            "name": place_told(town, self.language),
            "km": self.words.number(town.distance_km, 1 if town.distance_km < 10 else 0),
            "around": [
                [place.name, place.position.latitude_deg, place.position.longitude_deg] for place in known.values()
            ],
        }

    def _indicated(self, entry: PhotoEntry) -> dict[str, Any]:
        if isinstance(entry.photo.prediction, Unexamined):
            return {"not_examined": self.words.reason(entry.photo.prediction.reason)}
        shown = entry.indicated
        told = {"local_hour": shown.local_hour, "year_turn": shown.year_turn, "position": shown.position}
        return {
            name: {"untold": self._word(f"untold.{value.name.lower()}")}
            if isinstance(value, Untold)
            else {"value": self._told(name, value)}
            for name, value in told.items()
        } | {"radius_km": shown.radius_km}

    def _told(self, name: str, value: Any) -> str:
        if name == "local_hour":
            minutes = round(value * 60) % 1440
            return f"{minutes // 60:02d}:{minutes % 60:02d}"
        months = self.words.line("format.months_long").split()
        return months[int(value * 12) % 12] if name == "year_turn" else str(_value(value))

    # ----------------------------------------------------------------- decisions and custody

    def decisions(self, *, examiner: str, others: bool) -> dict[str, Any]:
        """Return what was decided: by *examiner*, and by others when it was asked for."""
        book = self._view.decisions()
        reviewed: dict[str, list[dict[str, Any]]] = {}
        there = list(filter(None, map(self._listing.row, book.judged_photos)))  # not all photos: it is asked each time
        ways = self._listing.ways([row.source_id for row in there])
        for row in there:
            for item in book.standing_of(row.source_id, row.sha256, ways[row.source_id]):
                if others or item.decision.examiner == examiner:
                    reviewed.setdefault(f"{row.source_id} {item.check_id}", []).append(windows.said(item))
        return {"reviewed": reviewed, **self.made(examiner=examiner, others=others)}

    def made(self, *, examiner: str, others: bool, whole: bool = True) -> dict[str, Any]:
        """Return the decisions themselves, and how many of others are not shown; *whole* with the findings of each."""
        book = self._view.decisions()
        hidden = sum(1 for made in book.made if made.examiner != examiner and made.undone_by is None)
        shown = [_decided(made, whole) for made in book.made if others or made.examiner == examiner]
        return dict(plain({"made": shown, "hidden": 0 if others else hidden}))

    def custody(self, *, examiner: str, others: bool, events: Iterable[CustodyEvent] | None = None) -> list[list[Any]]:
        """Return the chain or some *events* of it, a row each; what others decided only when it was asked for."""
        shown = [
            [event.sequence, event.utc_time.isoformat(), event.actor, event.action, *_detail(event), event.event_hash]
            if others or event.action not in (DECIDE, UNDO) or event.detail.get("examiner") == examiner
            else [event.sequence, event.utc_time.isoformat(), "", event.action, "…", "", event.event_hash]
            for event in (self._view.custody() if events is None else events)
        ]
        return list(plain(shown))

    # ----------------------------------------------------------------- words

    def _word(self, key: str) -> str:
        return self.words.line(key)

    def _title(self, check_id: str) -> str:
        key = f"rule.{check_id}"
        return self._word(key) if self.words.has(key) else self._titles.get(check_id, check_id)

    def _stage(self, name: str) -> str:
        kind, _, rule = name.partition(":")
        word = self._word(f"stage.{kind}") if self.words.has(f"stage.{kind}") else kind
        return f"{word} {rule}" if rule else word


_FIRST = ("examiner", "judgement", "because", "note")
"""What of an event is told first, where it is there."""


def plain(value: Any) -> Any:
    """Return *value* as JSON knows it, every text in it visible."""
    return visible_throughout(value)


def dumped(value: Any) -> bytes:
    """Return JSON that can stand in a script as well: nothing in it ends the element that it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()


def brief(row: Row) -> dict[str, Any]:
    """Return what a row of the list shows."""
    return {
        "row": row.ordinal,
        "id": row.source_id,
        "name": row.name,
        "status": row.status.name.lower(),
        "partial": row.is_partial,
        "device": row.device_key,
        "local": row.local_time,
        "utc": row.utc_time,
        "at": None if row.latitude_deg is None else [row.latitude_deg, row.longitude_deg],
        **({"counter": list(row.counter)} if row.counter else {}),
        "found": {check: outcome.name.lower() for check, outcome in row.outcomes.items()},
        "causes": list(row.causes),
    }


def _decided(made: Decision, whole: bool) -> dict[str, Any]:
    return {
        "event": made.number,
        "utc_time": made.utc_time.isoformat(),
        "examiner": made.examiner,
        "decision": made.judgement.name.lower(),
        "because": made.because,
        "note": made.note,
        "examination": made.examination,
        "cause": made.cause,
        "findings_n": len(made.members),
        **({"findings": [[member.source_id, member.check_id] for member in made.members]} if whole else {}),
        "undone_by": made.undone_by,
    }


def _detail(event: CustodyEvent) -> tuple[str, str]:
    told = {name: value for name, value in event.detail.items() if value not in ("", None)}
    said = {name: told[name] for name in (*_FIRST, *told) if name in told}
    return event.subject, _shortened(", ".join(f"{name}: {value}" for name, value in said.items()))


def _joined(values: Any) -> str:
    return " · ".join(str(value) for value in values) if isinstance(values, tuple | list) else str(values)


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds" if value.microsecond else "seconds")
    if hasattr(value, "latitude_deg"):
        return f"{value.latitude_deg:.5f}, {value.longitude_deg:.5f}"
    if hasattr(value, "azimuth_deg"):
        return value.azimuth_deg
    return value


def _shortened(text: object) -> str:
    whole = str(text)
    return whole if len(whole) <= LONGEST_RAW else f"{whole[:LONGEST_RAW]}… [{len(whole):,}]"
