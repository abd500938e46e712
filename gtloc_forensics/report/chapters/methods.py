"""How the examination works, what its strengths rest on, and how often its rules are wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gtloc_forensics.records import Outcome, Sentence
from gtloc_forensics.records.sentences import recalled, template
from gtloc_forensics.report.blocks import Block, Callout, Column, Facts, Heading, Prose, Row, Table, Text, text_of
from gtloc_forensics.report.chapters.cards import card_digest
from gtloc_forensics.report.chapters.edition import Edition
from gtloc_forensics.report.chapters.strength import alarm_counts, scale_table, share_interval

FACTS = (
    template("photo set of {pictures:raw} pictures, {sources:raw} sources"),
    template("{photos:raw} photos, {sources:raw} sources, never trained on"),
    template("the claim is true : it is another photo's (its time; in a third of the draws its place too)"),
    template("Cllr {cllr:.2f} ({low:.2f}–{high:.2f}) (1 is worthless); {photos:raw} photos, {sources:raw} sources"),
    template("{share:.1f} % ({low:.1f}–{high:.1f}) of true claims"),
    template("10^{low:.1f} to 10^{high:.1f}"),
)
"""What the calibrations of models that come with the program say, kept as English text."""

_ROOM = 330.0  # points: the first lines of the chapter and of its first table stay together
_SHARES = (
    ("rule", 0.07),
    ("title", 0.35),
    ("found", 0.08),
    ("agreed", 0.08),
    ("untested", 0.09),
    ("photos", 0.07),
    ("sources", 0.07),
    ("false", 0.19),
)


def methods(edition: Edition) -> Iterator[Block]:
    """Yield the chapter."""
    words = edition.words
    yield Heading(words("methods.title"), 1, "methods", "here", _ROOM)
    numbered = (number for number in range(1, 20) if words.has(f"methods.text_{number}"))
    yield from (Prose(words(f"methods.text_{number}"), "small") for number in numbered)
    yield Heading(words("methods.rules_title"), 2, "rules")
    yield Prose(words("methods.alarm_rates"), "small")
    columns = tuple(Column(words.line(f"rules.column_{name}"), share) for name, share in _SHARES)
    spoke = [check_id for check_id in edition.rules if _spoke(edition, check_id)]
    yield Table(columns, (_rule(edition, check_id) for check_id in spoke), words.line("rules.none"), dense=True)
    yield from _silent(edition, [check_id for check_id in edition.rules if check_id not in spoke])
    yield from _uncalibrated(edition)
    yield Heading(words("methods.scale_title"), 2, "scale")
    told = (Prose(words("methods.scale_lead"), "small"), Prose(words("methods.propositions"), "small"))
    yield Row(((scale_table(edition),), told), (0.42, 0.58))
    yield Heading(words("methods.calibration_title"), 2, "calibration")
    facts = edition.view.calibration()
    if facts:
        yield Facts(
            tuple((text_of(_fact_name(edition, name)), text_of(_fact(edition, text))) for name, text in facts.items())
        )
    else:
        yield Callout(words("methods.no_calibration"), "warning")
    yield Heading(words("methods.model_title"), 2, "model")
    card = edition.view.model_card()
    if card:
        yield Prose(words("methods.card", attached=edition.carries_data), "small")
        yield from card_digest(card)
    else:
        yield Callout(words("methods.no_model"))


def _spoke(edition: Edition, check_id: str) -> bool:
    """Return whether a rule could be applied to a photo of the case."""
    return any(
        count
        for (rule, outcome), count in edition.survey.outcomes.items()
        if rule == check_id and outcome is not Outcome.NOT_TESTABLE
    )


def _silent(edition: Edition, rules: Sequence[str]) -> Iterator[Block]:
    """Yield, in one paragraph, the rules that had nothing to go by in any photo."""
    if rules:
        yield Prose(edition.words("methods.silent", rules=", ".join(rules)), "small")


def _fact_name(edition: Edition, name: str) -> str:
    return edition.words.say(name) if isinstance(name, Sentence) else edition.words.recorded(name)


def _fact(edition: Edition, text: str) -> str:
    """Return a fact that a model's calibration keeps as text."""
    known = text if isinstance(text, Sentence) else recalled(str(text), FACTS)
    return edition.words.reason(known)


def _uncalibrated(edition: Edition) -> Iterator[Block]:
    """Yield, once, which of the rules that found something nobody has calibrated, or counted."""
    weighed, spoke = edition.survey.weighed, [rule for rule in edition.rules if _found(edition, rule)]
    plain_rules = [rule for rule in spoke if rule not in weighed]
    if plain_rules:
        yield Prose(edition.words("methods.uncalibrated", rules=", ".join(plain_rules), count=len(plain_rules)))
    uncounted = [rule for rule in plain_rules if not edition.rules[rule].tested]
    if uncounted:
        yield Prose(edition.words("methods.uncounted", rules=", ".join(uncounted), count=len(uncounted)))


def _found(edition: Edition, check_id: str) -> int:
    outcomes = edition.survey.outcomes
    return outcomes[(check_id, Outcome.SUSPICIOUS)] + outcomes[(check_id, Outcome.CONTRADICTION)]


def _rule(edition: Edition, check_id: str) -> tuple[Text, ...]:
    outcomes, words, note = edition.survey.outcomes, edition.words, edition.rules[check_id]
    agreed = outcomes[(check_id, Outcome.CONSISTENT)] + outcomes[(check_id, Outcome.EXPLAINED)]
    found = _found(edition, check_id)
    numbers = (found, agreed, outcomes[(check_id, Outcome.NOT_TESTABLE)])
    return (
        text_of(check_id, "bold" if found else ""),
        text_of(edition.rule_title(check_id)),
        *(text_of(words.number(number)) for number in numbers),
        text_of(words.number(note.tested) if note.tested else "–"),
        text_of(words.number(note.sources) if note.sources else "–"),
        _false(edition, check_id),
    )


def _false(edition: Edition, check_id: str) -> Text:
    note = edition.rules[check_id]
    if not note.tested:
        return text_of(edition.words.line("rules.not_counted"), "quiet")
    hits, trials = alarm_counts(note)
    low, high = (edition.words.number(100 * share, 1) for share in share_interval(hits, trials))
    return edition.words("rules.false", share=edition.words.number(100 * hits / trials, 1), low=low, high=high)
