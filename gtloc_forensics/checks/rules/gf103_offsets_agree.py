"""GF103 — The UTC offsets of one file against each other.

Shows: that all offsets a file states (for capture, digitising, last change, and the
maker's own zone setting) are one.

Cannot show: whether the offset is right for the place; GF102 asks that.

Blind spots: most cameras before 2018 and most edited files state no offset at all.

Threshold: equality. The offset of the last change may differ, it belongs to the place and
day of editing; a maker's zone may differ by the hour of summer time, which some makers
leave out of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Claim, Confidence, Finding, Photo, Sentence, Severity, Stated, template

CAPTURED = ("ExifIFD:OffsetTimeOriginal", "IFD0:OffsetTimeOriginal")
DIGITISED = ("ExifIFD:OffsetTimeDigitized", "IFD0:OffsetTimeDigitized")
CHANGED = ("ExifIFD:OffsetTime", "IFD0:OffsetTime")
MAKER_MINUTES = ("Nikon:TimeZone", "Canon:TimeZone")
MAKER_SUMMER = ("Nikon:DaylightSavings", "Canon:DaylightSavings")


@check("GF103", title="The UTC offsets of one file against each other", needs=("claim",), version="3")
def offsets_agree(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare every offset the file states."""
    claim = claim_of(photo)
    written = {name: tag_values.text(claim.tags, *tags) for name, tags in _NAMED.items()}
    stated = {name: hours for name, text in written.items() if text and (hours := tag_values.offset(text)) is not None}
    maker = _maker_hours(claim)
    understood = {reading.raw for reading in claim.times if reading.offset_hours is not None}
    known = isinstance(claim.utc_offset_hours, Stated) and claim.utc_offset_hours.tag.endswith(_OFFSET_NAMES)
    unreadable = [
        name
        for name, text in written.items()
        if text and name not in stated and not tag_values.is_unset(text) and not known and text not in understood
    ]
    if unreadable:
        yield _unreadable(claim, {name: written[name] for name in unreadable})
    elif len(stated) + bool(maker) < 2:
        yield not_testable("GF103", claim.source_id, Sentence("fewer than two UTC offsets in the file"))
    else:
        yield _compare(claim, stated, maker)


_OFFSET_NAMES = ("OffsetTimeOriginal", "OffsetTimeDigitized", "OffsetTime")
_NAMED = {"capture": CAPTURED, "digitising": DIGITISED, "last change": CHANGED}
_OBSERVED = {
    "capture": template("Offset of capture: {offset_hours:civil}."),
    "digitising": template("Offset of digitising: {offset_hours:civil}."),
    "last change": template("Offset of last change: {offset_hours:civil}."),
    "maker": template("Offset of maker: {offset_hours:civil}."),
}
_WRITTEN = {
    "capture": template("capture {text:quoted}"),
    "digitising": template("digitising {text:quoted}"),
    "last change": template("last change {text:quoted}"),
}


def _compare(claim: Claim, stated: dict[str, float], maker: tuple[float, ...]) -> Finding:
    facts = {**stated, **({"maker": maker[0]} if maker else {})}
    observed = tuple(Sentence(_OBSERVED[name], offset_hours=hours) for name, hours in facts.items())
    shot = {name: hours for name, hours in stated.items() if name != "last change"}
    if len(set(shot.values())) > 1 and _is_hour_of_saving(claim, stated):
        return findings.explained(
            "GF103",
            claim,
            Sentence("The date of digitising is that of the last change, offset included: a program wrote both."),
            kind="program-zone",
            observed=observed,
            facts=facts,
        )
    if len(set(shot.values())) > 1:
        return findings.suspicious(
            "GF103",
            claim,
            Sentence("The offsets of capture and digitising differ; a camera writes both at once."),
            kind="edit",
            severity=Severity.MEDIUM,
            confidence=Confidence.STRONG,
            observed=observed,
            facts=facts,
            innocent=(Sentence("one offset was corrected by hand, the other forgotten"),),
        )
    main = next(iter(shot.values()), stated.get("last change"))
    if maker and main is not None and main not in maker:
        return _against_maker(claim, main, maker, observed)
    if len(set(stated.values())) > 1:
        return findings.explained(
            "GF103",
            claim,
            Sentence("Only the offset of the last change differs: it was edited in another zone or season."),
            kind="rewritten",
            observed=observed,
            facts=facts,
        )
    summary = Sentence("All stated offsets are {offset_hours:civil}.", offset_hours=next(iter(facts.values())))
    return consistent("GF103", claim.source_id, summary, facts=facts)


def _is_hour_of_saving(claim: Claim, stated: dict[str, float]) -> bool:
    """Whether a program put the moment of its own work where the digitising stands: one date, one offset."""
    digitised, changed = (
        tag_values.full_date(tag_values.text(claim.tags, tag)) for tag in ("ExifIFD:CreateDate", "IFD0:ModifyDate")
    )
    same = digitised is not None and changed is not None and digitised.wall == changed.wall
    return same and stated.get("digitising") == stated.get("last change")


def _against_maker(claim: Claim, main: float, maker: tuple[float, ...], observed: tuple[Sentence, ...]) -> Finding:
    if min(abs(main - hours) for hours in maker) == 1.0:
        summary = Sentence(
            "The file states {offset_hours:civil}, its maker's note {maker_hours:civil or}: "
            "summer time is counted by one only.",
            offset_hours=main,
            maker_hours=maker,
        )
        return findings.explained("GF103", claim, summary, kind="dst", observed=observed)
    return findings.suspicious(
        "GF103",
        claim,
        Sentence(
            "The file states {offset_hours:civil}, its maker's note {maker_hours:civil or}; "
            "few programs that change a date change the maker's note.",
            offset_hours=main,
            maker_hours=maker,
        ),
        kind="edit",
        severity=Severity.MEDIUM,
        confidence=Confidence.STRONG,
        observed=observed,
        innocent=(Sentence("the zone was corrected by a program after the journey"),),
    )


def _unreadable(claim: Claim, texts: dict[str, str]) -> Finding:
    shown = tuple(Sentence(_WRITTEN[name], text=text[:20]) for name, text in texts.items())
    return findings.suspicious(
        "GF103",
        claim,
        Sentence("An offset is not written as the standard wants (±HH:MM): {offsets}.", offsets=shown),
        kind="edit",
        innocent=(Sentence("a program with another notation"),),
    )


def _maker_hours(claim: Claim) -> tuple[float, ...]:
    """Return the maker's zone in hours: with summer time where the note says it was on, and without."""
    minutes = tag_values.first_number(claim.tags, *MAKER_MINUTES)
    if minutes is None or abs(minutes) > 14 * 60:
        return ()
    summer = tag_values.first_number(claim.tags, *MAKER_SUMMER)
    return (minutes / 60.0, minutes / 60.0 + 1.0) if summer else (minutes / 60.0,)
