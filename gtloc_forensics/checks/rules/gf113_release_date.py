"""GF113 — The device or its system against the day it was first shown.

Shows: photos claimed for a day before their camera, or the system that made them, existed.

Cannot show: anything for models outside the table (releases.csv, systems.csv), nor for dates
after the announcement.

Blind spots: a forger who looks the date up; testers have devices before the public.

Threshold: 30 days before the announcement for a model, which covers time zones and press samples.
For an Apple system, its first beta. A younger system is *suspicious* only: a phone that edits
or exports a photo later writes its new system into it. Film and paper (GF104) are dated by what they show,
where the device existed at the digitising; a factory default, or the first minutes of whatever year, is a clock
that was reset.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.checks.reference import devices, factory, releases
from gtloc_forensics.earth import claims
from gtloc_forensics.records import Absent, Claim, Confidence, Finding, Photo, Sentence, Severity, Stated, durations


@check("GF113", title="The device or its system against the day it was first shown", needs=("claim",), version="6")
def release_date(photo: Photo, context: Context) -> Iterator[Finding]:
    """Look the model and the system up."""
    claim = claim_of(photo)
    model, system = releases.of_model(claim.device), releases.of_system(claim.device)
    moment = claims.claimed_moment(claim)
    if isinstance(moment, Absent):
        yield not_testable("GF113", claim.source_id, moment)
    elif model is None and system is None:
        why = Sentence("no release date is known for {device}", device=devices.name_of(claim.device))
        yield not_testable("GF113", claim.source_id, why)
    elif (reason := _reproduced(claim, model)) is not None:
        yield _scanned(claim, reason)
    elif model is not None and moment.value < model.first_shown - releases.PRESS_SAMPLES:
        yield _before_model(claim, model)
    elif system is not None and moment.value < system.first_shown:
        yield _before_system(claim, system)
    else:
        known = model or system
        name = known.name if known else ""
        yield consistent("GF113", claim.source_id, Sentence("{name} existed at the claimed time.", name=name))


def _reproduced(claim: Claim, model: releases.Release | None) -> Sentence | None:
    """Return why the capture time is that of film or paper; not where the device did not exist at the digitising."""
    reason, digitised = devices.reproduction(claim), devices.digitised_at(claim)
    is_too_early = (
        model is not None and digitised is not None and digitised < model.first_shown - releases.PRESS_SAMPLES
    )
    return None if is_too_early and not devices.is_scan(claim) else reason


def _scanned(claim: Claim, reason: Sentence) -> Finding:
    summary = Sentence("The capture time is that of an original: {reason}.", reason=reason)
    return findings.explained("GF113", claim, summary, kind="scan", severity=Severity.INFO)


_NEVER = datetime(9999, 1, 1)


def _moment(claim: Claim) -> datetime:
    moment = claims.claimed_moment(claim)
    return moment.value if isinstance(moment, Stated) else _NEVER


def _claimed(claim: Claim, moment: datetime) -> Sentence:
    if isinstance(claim.local_time, Stated):
        return Sentence("Claimed capture: {local}.", local=moment)
    return Sentence("Claimed capture: {moment} UTC.", moment=moment)


def _before_model(claim: Claim, model: releases.Release) -> Finding:
    local = _moment(claim)
    early_s = durations.gap_seconds(model.first_shown, local)
    more: dict[str, Any] = {
        "observed": (_claimed(claim, local),),
        "derived": (
            Sentence(
                "{name} was announced on {announced:date} ({source}).",
                name=model.name,
                announced=model.first_shown,
                source=Sentence(model.source),
            ),
        ),
        "facts": {"announced": f"{model.first_shown:%Y-%m-%d}", "model": model.name},
    }
    if factory.is_claimed_default(claim):
        summary = Sentence(
            "Claimed {early_s:spoken} before {name} was announced, at a factory default date: the clock was reset.",
            early_s=early_s,
            name=model.name,
        )
        return findings.explained("GF113", claim, summary, kind="clock-reset", severity=Severity.MEDIUM, **more)
    # A telephone has its time from the network.
    days = None if devices.is_phone(claim.device) else factory.days_after_default(local)
    return findings.contradiction(
        "GF113",
        claim,
        Sentence("Claimed {early_s:spoken} before {name} was announced.", early_s=early_s, name=model.name),
        kind="clock-offset" if days is None else "clock-reset",
        severity=Severity.HIGH,
        confidence=Confidence.DECISIVE,
        innocent=(
            Sentence("the camera's clock was never set")
            if days is None
            else Sentence("the camera's clock was never set after a reset and had run on for {days} days", days=days),
        ),
        **more,
    )


def _before_system(claim: Claim, system: releases.Release) -> Finding:
    local = _moment(claim)
    return findings.suspicious(
        "GF113",
        claim,
        Sentence(
            "Claimed {early_s:spoken} before its software ({name}) was first shown.",
            early_s=durations.gap_seconds(system.first_shown, local),
            name=system.name,
        ),
        kind="edit",
        severity=Severity.MEDIUM,
        observed=(_claimed(claim, local),),
        derived=(
            Sentence(
                "{name} was first shown on {first_shown:date} ({source}).",
                name=system.name,
                first_shown=system.first_shown,
                source=Sentence(system.source),
            ),
        ),
        innocent=(Sentence("the photo was edited or exported later on a device with that system"),),
        facts={"first_shown": f"{system.first_shown:%Y-%m-%d}"},
    )
