"""EX001 — claimed exactly on the hour.

A worked example of somebody else's rule; copy it and put your own in its place.
It can show that a capture time looks typed by a person: minutes and seconds of
zero come up once in 3,600 photos by chance. It cannot show who typed it or why.

Blind spots: cameras set to write no seconds, time-lapse sequences that fire on
the hour, scans whose date was entered by an archivist on purpose.

Threshold: minutes, seconds and sub-seconds all zero; with sub-seconds written
the chance of that is far below 1 in 3,600, without them it is 1 in 3,600.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import ModuleType

from gtloc_forensics import (
    Absent,
    Claim,
    Confidence,
    Context,
    Finding,
    Outcome,
    Photo,
    Sentence,
    Severity,
    check,
    consistent,
    hookimpl,
    not_testable,
)

CHANCE = 1 / 3600


@check("EX001", title="Claimed exactly on the hour", needs=("claim",))
def on_the_hour(photo: Photo, context: Context) -> Iterator[Finding]:
    """The claimed capture time has no minutes, seconds or sub-seconds."""
    claim = photo.claim
    if not isinstance(claim, Claim) or isinstance(claim.local_time, Absent):
        yield not_testable("EX001", photo.source.source_id, Sentence("no capture time is claimed"))
        return
    claimed = claim.local_time.value
    if (claimed.minute, claimed.second, claimed.microsecond) != (0, 0, 0):
        agree = Sentence("Claimed at {claimed:clock}, not on the hour.", claimed=claimed)
        yield consistent("EX001", photo.source.source_id, agree)
        return
    yield Finding(
        check_id="EX001",
        source_ids=(photo.source.source_id,),
        outcome=Outcome.SUSPICIOUS,
        severity=Severity.LOW,
        confidence=Confidence.WEAK,
        summary=Sentence(
            "Claimed at exactly {claimed:clock}: a round time is more often typed than measured.", claimed=claimed
        ),
        observed=(Sentence("{tag} is {text}.", tag=claim.local_time.tag, text=claim.local_time.raw),),
        derived=(Sentence("By chance one photo in {photos:.0f} falls on the full hour.", photos=1 / CHANCE),),
        limitations=(Sentence("One photo on the hour among thousands is expected."),),
        innocent=(Sentence("a time-lapse that fires on the hour"), Sentence("a date entered by hand for a scan")),
        facts={"hour": claimed.hour, "chance": CHANCE},
    )


@hookimpl
def checks() -> Iterable[ModuleType]:
    """Give this module: its rules are those marked with ``check``."""
    return [sys.modules[__name__]]
