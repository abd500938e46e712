"""GF113 — The device or its system against the day it was first shown.

Shows: photos claimed for a day before their camera, or the system that made them, existed.

Cannot show: anything for models outside the table (releases.csv, systems.csv), nor for dates
after the announcement.

Blind spots: a forger who looks the date up; testers have devices before the public.

Threshold: 30 days before the announcement for a model, which covers time zones and press samples.
For an Apple system, its first beta. A younger system is *suspicious* only: a phone that edits
or exports a photo later writes its new system into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.checks.reference import devices, factory, releases
from gtloc_forensics.records import Claim, Confidence, Finding, Photo, Severity, Stated, durations

PRESS_SAMPLES = timedelta(days=30)


@check("GF113", title="The device or its system against the day it was first shown", needs=("claim",))
def release_date(photo: Photo, context: Context) -> Iterator[Finding]:
    """Look the model and the system up."""
    claim = claim_of(photo)
    model, system = releases.of_model(claim.device), releases.of_system(claim.device)
    if not isinstance(claim.local_time, Stated):
        yield not_testable("GF113", claim.source_id, claim.local_time)
    elif model is None and system is None:
        why = f"no release date is known for {devices.name_of(claim.device)}"
        yield not_testable("GF113", claim.source_id, why)
    elif model is not None and claim.local_time.value < model.first_shown - PRESS_SAMPLES:
        yield _before_model(claim, model)
    elif system is not None and claim.local_time.value < system.first_shown:
        yield _before_system(claim, system)
    else:
        known = model or system
        yield consistent("GF113", claim.source_id, f"{known.name if known else ''} existed at the claimed time.")


def _before_model(claim: Claim, model: releases.Release) -> Finding:
    local = claim.local_time.value if isinstance(claim.local_time, Stated) else model.first_shown
    early = durations.spoken(durations.gap_seconds(model.first_shown, local))
    more: dict[str, Any] = {
        "observed": (f"Claimed capture: {local}.",),
        "derived": (f"{model.name} was announced on {model.first_shown:%Y-%m-%d} ({model.source}).",),
        "facts": {"announced": f"{model.first_shown:%Y-%m-%d}", "model": model.name},
    }
    if factory.is_default(local):
        summary = f"Claimed {early} before {model.name} was announced, at a factory default date: the clock was reset."
        return findings.explained("GF113", claim, summary, kind="clock-reset", severity=Severity.MEDIUM, **more)
    days = factory.days_after_default(local)
    never_set = "the camera's clock was never set"
    return findings.contradiction(
        "GF113",
        claim,
        f"Claimed {early} before {model.name} was announced.",
        kind="clock-offset" if days is None else "clock-reset",
        severity=Severity.HIGH,
        confidence=Confidence.DECISIVE,
        innocent=(never_set if days is None else f"{never_set} after a reset and had run on for {days} days",),
        **more,
    )


def _before_system(claim: Claim, system: releases.Release) -> Finding:
    local = claim.local_time.value if isinstance(claim.local_time, Stated) else system.first_shown
    early = durations.spoken(durations.gap_seconds(system.first_shown, local))
    return findings.suspicious(
        "GF113",
        claim,
        f"Claimed {early} before its software ({system.name}) was first shown.",
        kind="edit",
        severity=Severity.MEDIUM,
        observed=(f"Claimed capture: {local}.",),
        derived=(f"{system.name} was first shown on {system.first_shown:%Y-%m-%d} ({system.source}).",),
        innocent=("the photo was edited or exported later on a device with that system",),
        facts={"first_shown": f"{system.first_shown:%Y-%m-%d}"},
    )
