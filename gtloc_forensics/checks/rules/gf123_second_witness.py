"""GF123 — The file against what a catalogue keeps of it.

Shows: that a photo program, which read the file when it took it in, keeps another capture time or another place than
the file has now, or took the photo in before it claims to have been captured.

Cannot show: which of the two is right. Many programs keep corrections in their catalogue only, and whoever
corrects the file afterwards does not tell the catalogue.

Blind spots: a catalogue that read the file after it was changed; entries matched by path where the catalogue keeps
no size; what a program does not keep (digiKam and Lightroom keep no zone).

Threshold: 2 s, or the fineness of the file's time; 1 km; 26 h for the day it was taken in, the widest two wall
clocks can differ. An instant without a zone, as Android keeps it, is compared with the file's; a whole civil offset
between them is explained, or agrees where the file states none: Android reads such a clock in a zone of its own.
Excused is what the catalogue itself says a person set there, and for films, whose clocks programs read in different
zones, a difference of a whole civil offset.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable, offsets
from gtloc_forensics.earth import globe
from gtloc_forensics.records import (
    Absent,
    Claim,
    Finding,
    Photo,
    Scalar,
    SecondWitness,
    Sentence,
    Severity,
    Stated,
    durations,
)

Facts: TypeAlias = Mapping[str, Scalar]

SAME_S = 2.0
SAME_KM = 1.0
ZONES_S = 26 * 3600.0
FAR_KM = 50.0


@dataclass(frozen=True, slots=True)
class Compared:
    """A photo beside one witness."""

    claim: Claim
    witness: SecondWitness
    is_film: bool
    is_same_size: bool  # the file is as long as the one that the catalogue read


@check("GF123", title="The file against what a catalogue keeps of it", needs=("claim",), version="2")
def second_witness(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare time and place of the file with those of each catalogue that knows it."""
    claim = claim_of(photo)
    known = context.witnesses.get(claim.source_id, ())
    if not known:
        yield not_testable("GF123", claim.source_id, Sentence("no catalogue that knows the photo was read"))
        return
    is_film = photo.source.media_type.startswith("video/")
    told: list[Finding] = []
    agreeing: list[str] = []
    for witness in known:
        pair = Compared(claim, witness, is_film, witness.size_bytes == photo.source.stat.size_bytes)
        compared = (_time(pair), _place(pair), _added(pair))
        told += [found for found in compared if isinstance(found, Finding)]
        if any(found is True for found in compared) and not any(isinstance(found, Finding) for found in compared):
            agreeing.append(witness.program)
    if told:
        yield from told
    elif agreeing:
        summary = Sentence("What {programs:and} keeps of the photo agrees with it.", programs=tuple(agreeing))
        yield consistent("GF123", claim.source_id, summary)
    else:
        yield not_testable(
            "GF123", claim.source_id, Sentence("file and catalogue have neither time nor place in common")
        )


def _time(pair: Compared) -> Finding | bool | None:
    """Return what is told of the two times, True where they agree, None where there are not two."""
    claim, kept = pair.claim, pair.witness.local_time
    if isinstance(kept, Absent):
        return _instant(pair)
    if not isinstance(claim.local_time, Stated):
        return None
    written = (claim.local_time.value, *(rival.value for rival in claim.local_time.rivals))
    gap_s = min((durations.gap_seconds(kept, wall) for wall in written), key=abs)
    if abs(gap_s) <= max(SAME_S, claim.local_resolution_s):
        return True
    gap_s = durations.gap_seconds(kept, claim.local_time.value)
    observed = (
        Sentence("{tag}: {moment}.", tag=claim.local_time.tag, moment=claim.local_time.value),
        Sentence("{program} ({catalogue}): {moment}.", **_named(pair.witness), moment=kept),
    )
    facts: Facts = {"difference_s": gap_s, "program": pair.witness.program, "version": pair.witness.version}
    if pair.witness.is_time_edited is True:
        summary = Sentence(
            "{program} keeps a time {gap_s:spoken} {gap_s:±later|earlier} than the file: "
            "somebody set it there, and the file kept its own.",
            program=pair.witness.program,
            gap_s=gap_s,
        )
        return _explained(pair, summary, observed, facts)
    slip = offsets.nearest_civil(gap_s) if pair.is_film else None
    if slip is not None and abs(slip.residual_s) <= SAME_S:
        summary = Sentence(
            "{program} keeps a time {gap_s:spoken} {gap_s:±later|earlier} than the film: "
            "it reads the clocks of films in another zone.",
            program=pair.witness.program,
            gap_s=gap_s,
        )
        return _explained(pair, summary, observed, facts)
    summary = Sentence(
        "{program} keeps a time {gap_s:spoken} {gap_s:±later|earlier} than the file has: "
        "one of them was changed without the other.",
        program=pair.witness.program,
        gap_s=gap_s,
    )
    return _differs(pair, summary, observed, facts, Sentence("the time was corrected in the catalogue only"))


def _instant(pair: Compared) -> Finding | bool | None:
    """Compare an instant that is kept without a zone; a wall clock is one in whatever zone makes the two agree."""
    claim, kept = pair.claim, pair.witness.utc_time
    if isinstance(kept, Absent) or not isinstance(claim.local_time, Stated):
        return None
    is_sure = offsets.stated(claim) is not None and isinstance(claim.utc_time, Stated)
    own = claim.utc_time if is_sure and isinstance(claim.utc_time, Stated) else claim.local_time
    gap_s = durations.gap_seconds(kept, own.value)
    same_s = max(SAME_S, claim.local_resolution_s)
    slip = offsets.nearest_civil(gap_s)
    is_whole = slip is not None and abs(slip.residual_s) <= same_s
    if abs(gap_s) <= same_s or (is_whole and not is_sure):
        return True
    observed = (
        Sentence("{tag}: {moment}{zone}.", tag=own.tag, moment=own.value, zone=" UTC" if is_sure else ""),
        Sentence("{program} ({catalogue}): {moment} UTC.", **_named(pair.witness), moment=kept),
    )
    facts: Facts = {"difference_s": gap_s, "program": pair.witness.program, "version": pair.witness.version}
    if is_whole:
        summary = Sentence(
            "{program} keeps an instant {gap_s:spoken} {gap_s:±later|earlier} than the file's, a difference between "
            "zones: it read the file's clock in another one.",
            program=pair.witness.program,
            gap_s=gap_s,
        )
        return _explained(pair, summary, observed, facts)
    summary = Sentence(
        "{program} keeps an instant {gap_s:spoken} {gap_s:±later|earlier} than the file has{zone}: "
        "one of them was changed without the other.",
        program=pair.witness.program,
        gap_s=gap_s,
        zone="" if is_sure else Sentence(", which no difference between zones makes"),
    )
    return _differs(pair, summary, observed, facts, Sentence("the time was corrected in the catalogue only"))


def _place(pair: Compared) -> Finding | bool | None:
    claim, kept = pair.claim, pair.witness.position
    if isinstance(kept, Absent) or not isinstance(claim.position, Stated):
        return None
    written = (claim.position.value, *(rival.value for rival in claim.position.rivals))
    if min(globe.apart_km(kept, place) for place in written) <= SAME_KM:
        return True
    apart_km = globe.apart_km(kept, claim.position.value)
    observed = (
        Sentence("{tag}: {place:.5f}.", tag=claim.position.tag, place=claim.position.value.degrees),
        Sentence("{program} ({catalogue}): {place:.5f}.", **_named(pair.witness), place=kept.degrees),
    )
    facts: Facts = {"distance_km": apart_km, "program": pair.witness.program, "version": pair.witness.version}
    if pair.witness.is_position_edited is True:
        summary = Sentence(
            "{program} keeps a place {apart_km:.0f} km from the file's: "
            "somebody set it there, and the file kept its own.",
            program=pair.witness.program,
            apart_km=apart_km,
        )
        return _explained(pair, summary, observed, facts)
    summary = Sentence(
        "{program} keeps a place {apart_km:.0f} km from the file's: one of them was changed without the other.",
        program=pair.witness.program,
        apart_km=apart_km,
    )
    return _differs(
        pair,
        summary,
        observed,
        facts,
        Sentence("the place was corrected in the catalogue only"),
        severity=Severity.HIGH if apart_km > FAR_KM else Severity.MEDIUM,
    )


def _added(pair: Compared) -> Finding | bool | None:
    """Return what is told of a photo that was taken in before it was captured; nothing where the order is right."""
    added, captured = pair.witness.added_utc, _captured(pair.claim)
    if isinstance(added, Absent) or captured is None:
        return None
    early_s = durations.gap_seconds(captured, added)
    if early_s <= ZONES_S:
        return None
    return findings.suspicious(
        "GF123",
        pair.claim,
        Sentence(
            "{program} took the photo in {early_s:spoken} before its claimed capture.",
            program=pair.witness.program,
            early_s=early_s,
        ),
        kind="second-witness",
        severity=Severity.MEDIUM,
        observed=(
            Sentence("{program} ({catalogue}), taken in: {moment} UTC.", **_named(pair.witness), moment=added),
            Sentence("Claimed capture: {moment}.", moment=captured),
        ),
        facts={"difference_s": early_s, "program": pair.witness.program, "version": pair.witness.version},
        innocent=_innocent(
            pair, Sentence("the clock of the camera, or that of the computer with the catalogue, was wrong")
        ),
    )


def _captured(claim: Claim) -> datetime | None:
    for time in (claim.utc_time, claim.local_time):
        if isinstance(time, Stated):
            return time.value
    return None


def _innocent(pair: Compared, first: Sentence) -> tuple[Sentence, ...]:
    further = [Sentence("the file was corrected after the catalogue had read it")]
    if not pair.is_same_size:
        further.append(Sentence("the catalogue's entry is of another photo of that name"))
    return (first, *further)


def _explained(pair: Compared, summary: Sentence, observed: tuple[Sentence, ...], facts: Facts) -> Finding:
    return findings.explained("GF123", pair.claim, summary, kind="second-witness", observed=observed, facts=facts)


def _differs(
    pair: Compared,
    summary: Sentence,
    observed: tuple[Sentence, ...],
    facts: Facts,
    likeliest: Sentence,
    *,
    severity: Severity = Severity.MEDIUM,
) -> Finding:
    """Return that file and catalogue differ; *likeliest* is the first of the innocent explanations."""
    return findings.suspicious(
        "GF123",
        pair.claim,
        summary,
        kind="second-witness",
        severity=severity,
        observed=observed,
        facts=facts,
        innocent=_innocent(pair, likeliest),
    )


def _named(witness: SecondWitness) -> dict[str, str]:
    return {"program": witness.program, "catalogue": witness.source}
