"""Strength of evidence in words: two propositions, a likelihood ratio, a printed scale.

The words are symmetric: a ratio of 1/200 says of the second proposition what 200
says of the first. A finding without calibration has no ratio, and is told so.
"""

from __future__ import annotations

import math

from gtloc_forensics.records import Finding, RuleNote
from gtloc_forensics.report.blocks import Column, Span, Table, Text, text_of
from gtloc_forensics.report.chapters.edition import Edition
from gtloc_forensics.report.chapters.weighing import WeighedCause
from gtloc_forensics.report.template import Step

_LARGEST = 6.0  # powers of ten; more than that is said as "more than a million"


def step_of(log10_lr: float, scale: tuple[Step, ...]) -> Step:
    """Return the step of the scale a ratio falls on, whichever way it points."""
    ratio = 10.0 ** min(abs(log10_lr), 300.0)
    return next((step for step in scale if ratio < step.below), scale[-1])


def strength(edition: Edition, log10_lr: float, *, about: str) -> Text:
    """Say what a likelihood ratio means; *about* is "finding", "time" or "place"."""
    words = edition.words
    name = step_of(log10_lr, edition.template.scale).name
    side = "none" if name == "none" else "against" if log10_lr < 0 else "for"
    return words(
        f"strength.{side}",
        ratio=ratio_of(edition, abs(log10_lr)),
        support=words.line(f"scale.{name}"),
        proposition=words.line(f"proposition.{about}_{'false' if side == 'against' else 'true'}"),
        alternative=words.line(f"proposition.{about}_{'true' if side == 'against' else 'false'}"),
        log10=words.number(log10_lr, 1),
    )


def ratio_of(edition: Edition, log10_ratio: float) -> str:
    """Return a ratio of at least 1 with two significant digits."""
    if log10_ratio > _LARGEST:
        return edition.words.line("strength.more_than", ratio=edition.words.number(10**_LARGEST))
    ratio = 10.0**log10_ratio
    digits = max(0, 1 - math.floor(math.log10(ratio)))
    coarse = round(ratio, digits if ratio < 100 else 1 - math.floor(math.log10(ratio)))
    return edition.words.number(coarse, digits if ratio < 10 else 0)


def alarm(edition: Edition, finding: Finding) -> Text:
    """Say how often an untouched photo would look like this, where that was counted."""
    if finding.p_value is None:
        return edition.words("strength.no_p_value")
    if finding.p_value <= 0:
        return edition.words("strength.p_value_zero")
    return edition.words(
        "strength.p_value", one_in=_one_in(edition, finding.p_value), p=_small(edition, finding.p_value)
    )


def in_a_word(edition: Edition, cause: WeighedCause) -> Text:
    """Return how a cause ended, and how strong it is by the scale; or that it was not calibrated."""
    outcome = Span(edition.outcome(cause.group.outcome), "bold")
    ratio = _of_all(edition, cause)
    if ratio is None:
        return (outcome, Span(f"; {edition.words.line('strength.uncalibrated')}", "quiet"))
    name = step_of(ratio, edition.template.scale).name
    key = "none" if name == "none" else "against" if ratio < 0 else "for"
    told = edition.words.line(
        f"strength.word_{key}", support=edition.words.line(f"scale.{name}"), ratio=ratio_of(edition, abs(ratio))
    )
    if {finding.facts.get("stands_out_in_case") for finding in cause.findings} - {None} == {False}:
        told = f"{told}; {edition.words.line('strength.no_discovery')}"
    return (outcome, Span(f"; {told}"))


def _of_all(edition: Edition, cause: WeighedCause) -> float | None:
    """Return the ratio of a cause: of its photo's scores together, where all that was seen was weighed as one."""
    entry = None if cause.strongest is None else edition.survey.kept.get(cause.strongest.source_ids[0])
    together = None if entry is None else entry.log10_lr_time
    is_of_pixels = any(finding.check_id.startswith("GF3") for finding in cause.findings)
    return together if together is not None and is_of_pixels else cause.log10_lr


def alarm_share(edition: Edition, cause: WeighedCause, section: str = "strength") -> Text:
    """Return how often the strongest rule of a cause that was counted is wrong on untouched photos, by sources.

    *section* names the part of the template whose words say it: shortly beside a strength, whole in a ``note``.
    """
    speaking = [finding.check_id for finding in cause.findings] or list(cause.group.check_ids)
    counted = (rule for rule in speaking if rule in edition.rules and edition.rules[rule].tested)
    leading = next(counted, next(iter(speaking), ""))
    note = edition.rules.get(leading)
    if note is None or not note.tested:
        return text_of(edition.words.line(f"{section}.not_counted", rule=leading), "quiet")
    hits, trials = alarm_counts(note)
    low, high = share_interval(hits, trials)
    return edition.words(
        f"{section}.alarm_share",
        rule=leading,
        share=edition.words.number(100 * hits / trials, 1),
        low=edition.words.number(100 * low, 1),
        high=edition.words.number(100 * high, 1),
        tested=note.tested,
        sources=note.sources,
    )


def alarm_counts(note: RuleNote) -> tuple[float, int]:
    """Return alarms and trials: over sources, each counted once, where these were counted, else over photos."""
    if note.sources:
        return note.source_alarms or 0.0, note.sources
    return float(note.alarms or 0), note.tested or 0


def _one_in(edition: Edition, p_value: float) -> str:
    return ratio_of(edition, min(-math.log10(p_value), _LARGEST + 1))


def _small(edition: Edition, p_value: float) -> str:
    digits = min(8, max(2, 1 - math.floor(math.log10(p_value))))
    return edition.words.number(p_value, digits)


def share_interval(hits: float, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (E. B. Wilson, JASA 22 (1927) 209); *hits* may be a sum of shares."""
    z = 1.959964
    centre = (hits + z * z / 2) / (trials + z * z)
    reach = z / (trials + z * z) * math.sqrt(hits * (trials - hits) / trials + z * z / 4)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def scale_table(edition: Edition) -> Table:
    """Return the verbal scale as the template sets it."""
    words, rows, lower = edition.words, [], 1.0
    for step in edition.template.scale:
        if math.isinf(step.below):
            span = words.line("strength.from", lower=words.number(lower))
        else:
            span = words.line("strength.span", lower=words.number(lower), upper=words.number(step.below))
        rows.append((text_of(span), text_of(words.line(f"scale.{step.name}"))))
        lower = step.below
    columns = (Column(words.line("strength.column_ratio"), 0.45), Column(words.line("strength.column_words"), 0.55))
    return Table(columns, rows, empty="", dense=True)
