"""A case as one JSON document: the schema is docs/json.md, its version is :data:`SCHEMA`.

Written as a stream, one photo at a time, so that its length does not matter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gtloc_forensics.files.writing import replaced
from gtloc_forensics.records import (
    Absent,
    CaseHeader,
    CaseView,
    CauseGroup,
    Claim,
    ClockModel,
    Decision,
    Decisions,
    Finding,
    Outcome,
    Photo,
    PhotoEntry,
    Prediction,
    Reviewed,
    Skipped,
    Stated,
    Status,
    Sun,
    Unexamined,
    Untold,
    may_hide,
    visible,
    visible_throughout,
)
from gtloc_forensics.records.decisions import ways_to_say
from gtloc_forensics.report.agreement import ASKED, NOT_COMBINED, agreement, judges, months_of
from gtloc_forensics.report.exports.events import recorded_facts
from gtloc_forensics.report.exports.finding_facts import plain_facts
from gtloc_forensics.report.exports.rows import identity, known
from gtloc_forensics.report.readings import fates, fates_of, readings, undecided

_MOST_CELLS = 20  # of a further model's density over the earth, heaviest first
_TOLD = ("local_hour", "year_turn", "position")

SCHEMA = "gtloc-audit/2"
"""Name and major version of the document. A new field leaves it; a changed meaning raises it."""


def write_document(view: CaseView, path: Path, *, reviewed: bool = False, processes: int | None = None) -> None:
    """Write the document to *path*, whole or not at all, ending with a newline; *reviewed* adds the readings.

    *processes* share the work at most: one a core if None.
    """
    with replaced(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as out:
        for piece in pieces(view, reviewed=reviewed, processes=processes):
            out.write(piece)


ACQUISITION = ("acquired_", "write_blocker")
"""How the names begin of what is said of the acquisition."""


def pieces(view: CaseView, *, reviewed: bool = False, processes: int | None = None) -> Iterator[str]:
    """Yield the document's text in pieces of bounded size; *reviewed* adds what readers made of each finding."""
    tally = view.tally
    head: dict[str, Any] = {
        "schema": SCHEMA,
        "case": _header(view.header),
        "counts": {
            "photos": tally.photos,
            "found": tally.found,
            "clean": tally.clean,
            "not_testable": tally.not_testable,
            "not_examined": tally.not_examined,
        },
        "passed_over": [_passed(entry) for entry in view.passed_over() if not entry.blocks],
        "environment": dict(view.environment),
        "causes": [_cause(group) for group in view.causes()],
        "clocks": [_clock(model) for model in view.clocks()],
    }
    for part, beginnings in (("acquisition", ACQUISITION), ("container", "container"), ("store", "store")):
        told = {name: said for name, said in view.mandate().items() if name.startswith(beginnings)}
        if told:
            head[part] = told
    if any(label.startswith(ASKED) for label in view.environment):
        head["combined_strength"] = {"formed": False, "reason": NOT_COMBINED}
    decisions = view.decisions()
    if decisions:
        head["decisions"] = [decision_facts(made) for made in decisions.made]
    text = json.dumps(visible_throughout(head), ensure_ascii=False, indent=1)
    yield text.rstrip()[:-1].rstrip() + ',\n "photos": ['
    separator = "\n  "
    judged = _Judged()
    with closing(_photos(view, decisions, judged if reviewed else None, processes)) as texts:
        for text in texts:
            yield separator + text
            separator = ",\n  "
    yield "\n ]"
    if reviewed:
        told = visible_throughout(_reviewed_throughout(decisions, judged))
        yield f',\n "review": {json.dumps(told, ensure_ascii=False)}'
    yield "\n}\n"


def _written(photo: dict[str, Any]) -> str:
    """Return one photo's part as JSON, every text in it visible.

    What hides is rare: it is looked for in the text as a whole, where all but quotation marks and backslashes
    show as they are or as an escape, before each text is made visible.
    """
    text = json.dumps(photo, ensure_ascii=False)
    return json.dumps(visible_throughout(photo), ensure_ascii=False) if may_hide(text) or _ESCAPE.search(text) else text


_ESCAPE = re.compile(r"\\[^\"\\]")  # of a control character; a backslash before a letter looks like one


@dataclass(slots=True)
class _Judged:
    """What is kept of photos that went by, to tell at the end what readers made of them."""

    found: dict[str, tuple[str, ...]] = field(default_factory=dict)
    said: dict[str, tuple[str, Mapping[str, frozenset[str]]]] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)

    def keep(self, entry: PhotoEntry, judged_photos: frozenset[str]) -> None:
        """Keep the rules that found something, and of a photo that was judged what they say."""
        source = entry.photo.source
        if rules := tuple({finding.check_id for finding in entry.findings if finding.is_found}):
            self.found[source.source_id] = rules
        if source.source_id in judged_photos:
            self.said[source.source_id] = (source.sha256, ways_to_say(entry.findings))
            self.paths[source.source_id] = source.display_path


def _reviewed_throughout(decisions: Decisions, judged: _Judged) -> dict[str, Any]:
    """Return what readers made of each finding that anybody judged, first and second reader beside each other."""
    read = readings(decisions, judged.said)
    standing = fates_of(read)
    return {
        "examination": decisions.examination,
        "undecided": undecided(judged.found, read),
        "findings": [
            {
                "path": judged.paths.get(reading.source_id),
                "source_id": reading.source_id,
                "check": reading.check_id,
                "said_now": reading.is_said_now,
                "agreement": reading.agreement.value,
                "readers": [_read(item) | {"note": item.decision.note or None} for item in reading.readers],
            }
            for reading in read
        ],
        "events": [
            {
                "event": made.number,
                "fate": {fate.value: count for fate, count in fates(made, standing).items()},
            }
            for made in decisions.made
        ],
    }


def _photos(
    view: CaseView, decisions: Decisions, judged: _Judged | None, processes: int | None
) -> Generator[str, None, None]:
    """Yield the text of each photo's part."""
    if decisions or judged is not None:
        for entry in view.photos():  # who judges may judge a silence
            if judged is not None:
                judged.keep(entry, decisions.judged_photos)
            yield _written(photo(entry) | ({"reviewed": reviewed(entry, decisions)} if decisions else {}))
    else:
        with closing(view.each_told(lambda entry: _written(photo(entry)), processes=processes)) as texts:
            yield from texts
    for passed in view.passed_over():
        if passed.blocks:
            yield _written(_unread(passed))


def photo(entry: PhotoEntry) -> dict[str, Any]:
    """Return one photo's part of the document."""
    return {
        **identity(entry),
        **recorded_facts(entry.photo.source.stat),
        "status": entry.status.value.replace(" ", "_"),
        "claim": _claim(entry.photo.claim),
        "sun": _sun(entry.photo.sun),
        "prediction": _prediction(entry),
        "further_opinions": [_opinion(entry.photo, said) for said in entry.photo.opinions],
        "findings": [_finding(finding) for finding in entry.findings if finding.outcome is not Outcome.NOT_TESTABLE],
        "not_testable": entry.not_testable,
        "not_examined": [{"stage": item.stage, "reason": item.reason} for item in entry.unexamined],
        "log10_lr_time": entry.log10_lr_time,
        "log10_lr_place": entry.log10_lr_place,
    }


def reviewed(entry: PhotoEntry, decisions: Decisions) -> list[dict[str, Any]]:
    """Return what is in force of a photo's findings: each examiner's last word on each rule."""
    source = entry.photo.source
    return [
        {"check": item.check_id} | _read(item) for item in decisions.of(source.source_id, source.sha256, entry.findings)
    ]


def _read(item: Reviewed) -> dict[str, Any]:
    return {
        "decision": item.decision.judgement.value,
        "because": item.decision.because or None,
        "examiner": item.decision.examiner,
        "event": item.decision.number,
        "standing": item.standing.value,
        "examination": item.decision.examination,
        "ignored": item.is_ignored,
    }


def decision_facts(made: Decision) -> dict[str, Any]:
    """Return one decision as the document tells it, whether it is in force or was taken back."""
    return {
        "event": made.number,
        "utc_time": made.utc_time.isoformat() + "Z",
        "examiner": made.examiner,
        "account": made.account,
        "decision": made.judgement.value,
        "because": made.because or None,
        "note": made.note or None,
        "examination": made.examination,
        "cause": made.cause or None,
        "device": made.device_key or None,
        "findings": [[member.source_id, member.check_id] for member in made.members],
        "replaces": made.replaces,
        "undone_by": made.undone_by,
    }


def _unread(passed: Skipped) -> dict[str, Any]:
    return {
        "path": visible(passed.relative),
        "sha256": None,
        "status": Status.NOT_EXAMINED.value.replace(" ", "_"),
        "claim": None,
        "prediction": None,
        "further_opinions": [],
        "findings": [],
        "not_testable": {},
        "not_examined": [{"stage": "intake", "reason": passed.reason}],
        "log10_lr_time": None,
        "log10_lr_place": None,
    }


def _header(header: CaseHeader) -> dict[str, Any]:
    return {
        "case_number": header.case_number,
        "exhibit": header.exhibit,
        "examiner": header.examiner,
        "agency": header.agency,
        "legal_authority": header.legal_authority,
        "evidence_folder": header.evidence_folder,
        "opened_utc": None if header.opened_utc is None else header.opened_utc.isoformat() + "Z",
    }


def _passed(entry: Skipped) -> dict[str, Any]:
    return {"path": visible(entry.relative), "reason": entry.reason}


def _claim(claim: Claim | Unexamined) -> dict[str, Any]:
    if isinstance(claim, Unexamined):
        return {"not_examined": claim.reason}
    return {
        "local_time": _stated(claim.local_time),
        "utc_offset_hours": _stated(claim.utc_offset_hours),
        "utc_time": _stated(claim.utc_time),
        "gps_utc_time": _stated(claim.gps_utc_time),
        "not_after": _stated(claim.not_after),
        "position": _stated(claim.position),
        "position_error_m": _stated(claim.position_error_m),
        "altitude_m": _stated(claim.altitude_m),
        "direction": _stated(claim.direction),
        "zones": list(claim.zones),
        "ev100": _or_reason(claim.exposure.ev100),
        "flash_fired": _or_reason(claim.exposure.flash_fired),
        "make": _or_reason(claim.device.make),
        "model": _or_reason(claim.device.model),
        "serial": _or_reason(claim.device.serial),
        "device": claim.device.key,
        "device_doubt": claim.device.doubt,
        "default_tags": list(claim.default_tags),
        "repeated": [{"tag": twice.tag, "raws": [visible(raw) for raw in twice.raws]} for twice in claim.repeated],
        "warnings": [visible(warning) for warning in claim.warnings],
    }


def _stated(value: Stated[Any] | Absent) -> dict[str, Any]:
    if isinstance(value, Absent):
        return {"value": None, "absent": value.value}
    rivals = [{"value": _scalar(rival.value), "tag": rival.tag, "raw": visible(rival.raw)} for rival in value.rivals]
    return {
        "value": _scalar(value.value),
        "tag": value.tag,
        "raw": visible(value.raw),
        "rule": value.rule,
        "rivals": rivals,
    }


def _scalar(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "latitude_deg"):
        return [value.latitude_deg, value.longitude_deg]
    if hasattr(value, "azimuth_deg"):
        return value.azimuth_deg
    return value


def _or_reason(value: Any) -> Any:
    return None if isinstance(value, Absent) else visible(value) if isinstance(value, str) else value


def _sun(sun: Sun | Absent) -> dict[str, Any] | None:
    if isinstance(sun, Absent):
        return None
    return {
        "elevation_deg": round(sun.elevation_deg, 3),
        "azimuth_deg": round(sun.azimuth_deg, 3),
        "elevation_range_deg": [round(bound, 3) for bound in sun.elevation_range_deg],
        "offset_source": sun.offset_source,
    }


def _prediction(entry: PhotoEntry) -> dict[str, Any]:
    prediction, shown = entry.photo.prediction, entry.indicated
    if isinstance(prediction, Unexamined):
        return {"not_examined": prediction.reason}
    hours = prediction.time.mass.sum(axis=0)
    return {
        "model": prediction.model,
        "weights_sha256": prediction.weights_sha256,
        "calibration_sha256": prediction.calibration or None,
        "datable": _round(prediction.datable),
        "local_hour": known(shown.local_hour),
        "year_turn": known(shown.year_turn),
        "position": None if isinstance(shown.position, Untold) else _scalar(shown.position),
        "radius_km": shown.radius_km,
        "hour_mass": None if known(shown.local_hour) is None else [round(float(mass), 5) for mass in _folded(hours)],
        "untold": {name: why.value for name in _TOLD if isinstance(why := getattr(shown, name), Untold)},
    }


def _opinion(photo: Photo, said: Prediction | Unexamined) -> dict[str, Any]:
    """Return what a further model says, as it says it: nobody has calibrated it here, so no finding rests on it."""
    if isinstance(said, Unexamined):
        return {"not_examined": said.reason, "stage": said.stage}
    return {
        "model": said.model,
        "weights_sha256": said.weights_sha256,
        "calibrated": False,
        "datable": _round(said.datable),
        "local_hour": _round(said.local_hour),
        "year_turn": _round(said.year_turn),
        "position": _scalar(said.position),
        "hour_mass": [round(float(mass), 5) for mass in _folded(said.time.mass.sum(axis=0))],
        "month_mass": [round(float(mass), 5) for mass in months_of(said)],
        "place_mass": [
            [round(float(value), 4) for value in row]
            for row in zip(said.place.latitude_deg, said.place.longitude_deg, said.place.mass, strict=True)
        ][:_MOST_CELLS],
        "judges": [about for about, mass in (("time", said.time.mass), ("place", said.place.mass)) if judges(mass)],
        "agreement": {name: _share(value) for name, value in asdict(agreement(photo, said)).items()},
    }


def _share(value: float | None) -> float | None:
    return None if value is None else _round(value)


def _folded(hours: Any) -> Any:
    """Return mass per hour of the day, ``[24]``, whatever the bins were."""
    bins = len(hours)
    if bins % 24 == 0:
        return np.asarray(hours).reshape(24, bins // 24).sum(axis=1)
    return np.interp((np.arange(24) + 0.5) / 24, (np.arange(bins) + 0.5) / bins, hours, period=1.0)


def _finding(finding: Finding) -> dict[str, Any]:
    told = dict(plain_facts(finding))  # what is written is made visible as a whole
    others = told.pop("others")
    return {**told, "with": others}


def _cause(group: CauseGroup) -> dict[str, Any]:
    return {
        "cause": group.cause.kind,
        "device": group.cause.device_key,
        "label": visible(group.label),
        "offset_hours": group.cause.offset_hours,
        "outcome": group.outcome.value,
        "severity": group.severity.name.lower(),
        "findings": group.findings,
        "checks": list(group.check_ids),
        "photos": list(group.source_ids),
        "summary": visible(group.summary),
        "refutable_by": group.refutable_by,
    }


def _clock(model: ClockModel) -> dict[str, Any]:
    return {
        "device": model.device_key,
        "label": visible(model.label),
        "kind": model.kind,
        "offset_hours": model.offset_hours,
        "interval_hours": None if model.interval_hours is None else list(model.interval_hours),
        "probability": _round(model.probability),
        "photos": model.photos,
        "summary": visible(model.summary),
        "evidence": [visible(text) for text in model.evidence],
    }


def _round(value: float) -> float:
    return round(float(value), 4)
