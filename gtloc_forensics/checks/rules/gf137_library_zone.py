"""GF137 — The file's zone against a telephone's library.

Shows: that a library keeps another offset from UTC for a photo than the file states.

Cannot show: which of the two is right.

Blind spots: files that state no offset; libraries that keep none (Android); a wrong zone that both took from the same
telephone.

Threshold: 1 min. Excused is a photo whose time was set in the library: setting a zone there sets the time too.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable, offsets
from gtloc_forensics.records import Absent, Claim, Finding, Photo, SecondWitness, Sentence, Severity, Stated

SAME_HOURS = 1 / 60


@check("GF137", title="The file's zone against a telephone's library", needs=("claim",))
def library_zone(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare the offset that the file states with the one that a library keeps."""
    claim = claim_of(photo)
    stated = offsets.stated(claim)
    known = [
        (kept, kept.utc_offset_hours)
        for kept in context.witnesses.get(claim.source_id, ())
        if not isinstance(kept.utc_offset_hours, Absent)
    ]
    if stated is None or not known:
        why = Sentence("no library that keeps a zone was read, or the file states no offset")
        yield not_testable("GF137", claim.source_id, why)
        return
    apart = [(kept, hours) for kept, hours in known if abs(hours - stated.value) > SAME_HOURS]
    for witness, hours in apart:
        yield _told(claim, witness, stated, hours)
    if not apart:
        summary = Sentence("{program} keeps the offset that the file states.", program=known[0][0].program)
        yield consistent("GF137", claim.source_id, summary)


def _told(claim: Claim, witness: SecondWitness, stated: Stated[float], hours: float) -> Finding:
    observed = (
        Sentence("{tag}: {offset:civil}.", tag=stated.tag, offset=stated.value),
        Sentence(
            "{program} ({catalogue}): {offset:civil}.", program=witness.program, catalogue=witness.source, offset=hours
        ),
    )
    facts = {"difference_hours": hours - stated.value, "program": witness.program, "version": witness.version}
    if witness.is_time_edited is True:
        summary = Sentence(
            "{program} keeps the photo in {kept:civil}, the file in {own:civil}: its time was set there.",
            program=witness.program,
            kept=hours,
            own=stated.value,
        )
        return findings.explained("GF137", claim, summary, kind="second-witness", observed=observed, facts=facts)
    return findings.suspicious(
        "GF137",
        claim,
        Sentence(
            "{program} keeps the photo in {kept:civil}, the file in {own:civil}: one of them was changed without the "
            "other.",
            program=witness.program,
            kept=hours,
            own=stated.value,
        ),
        kind="second-witness",
        severity=Severity.LOW,
        observed=observed,
        facts=facts,
        innocent=(
            Sentence("the library worked the zone out by itself, from the place or from the telephone's own zone"),
            Sentence("the zone was adjusted in the library only"),
        ),
    )
