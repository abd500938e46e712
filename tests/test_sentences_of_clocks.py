"""What is said of clocks, causes and neighbours (GF4xx): all of it sentences, and none of it English in German."""

from __future__ import annotations

import inspect
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import test_checks_gf4
import test_clock
from builders import a_group, a_summary
from fake_case import FakeCase

from gtloc_forensics.case.case import open_case
from gtloc_forensics.checks import Check
from gtloc_forensics.earth import countries
from gtloc_forensics.evidence import clocks
from gtloc_forensics.evidence.clocks import cause_words
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import (
    CaseView,
    Cause,
    CauseGroup,
    CauseKind,
    ClockModel,
    Confidence,
    Finding,
    Outcome,
    Sentence,
    Severity,
)
from gtloc_forensics.report.chapters.edition import cause_told, edition_of
from gtloc_forensics.report.template import load_words
from gtloc_forensics.store.codec import pack, unpack

EXAMPLE = Path(__file__).parents[1] / "examples" / "case_folder"
COPIED = 1_735_689_600  # 2025-01-01: git keeps no times of files
ENGLISH = re.compile(
    r"\b(the|of|is|are|were|and|or|not|that|which|with|from|by|its|their|this|photos?|clock|to|for|one|two|time|place|"
    r"camera|device|no|has|have|it|but|be|been|than|between|same|other|another|where|when|how|what|as|at|on)\b",
    re.IGNORECASE,
)
VALUES = re.compile(
    r"\{\w+(?::[^?±{}][^{}]*)?\}|\{\w+:|--[a-z-]+|`[^`]*`"
)  # and options of a command, as they are typed
TOLD_OF_FINDINGS = tuple(item.name for item in fields(Finding) if "Statement" in str(item.type))


def told_in_german(said: str) -> str:
    """Return a sentence in German, a name in place of whatever stands in it as plain text."""
    return load_words("default", "de").wording.tell(_without_names(said))


def _without_names(value: Any) -> Any:
    if isinstance(value, Sentence):
        return Sentence(value.template, **{name: _without_names(held) for name, held in value.values.items()})
    if isinstance(value, tuple):
        return tuple(_without_names(held) for held in value)
    return "NAME" if isinstance(value, str) else value


def english_of(said: str) -> list[str]:
    """Return the English words that are left of a sentence in German."""
    return [match[0] for match in ENGLISH.finditer(told_in_german(said))]


def plain_text_in(said: Any) -> Iterator[str]:
    """Yield what stands in a sentence as plain text, which no report can say in another language."""
    if isinstance(said, Sentence):
        for held in said.values.values():
            yield from plain_text_in(held)
    elif isinstance(said, tuple):
        for held in said:
            yield from plain_text_in(held)
    elif isinstance(said, str):
        yield said


def said_of_finding(finding: Finding) -> Iterator[str]:
    """Yield everything that a finding says."""
    for name in TOLD_OF_FINDINGS:
        held = getattr(finding, name)
        yield from (held,) if isinstance(held, str) else held
    if finding.cause is not None:
        yield finding.cause.summary


def said_of_model(model: ClockModel) -> Iterator[str]:
    """Yield everything that a clock model says."""
    yield model.summary
    yield from model.evidence


def said_of_group(group: CauseGroup) -> Iterator[str]:
    """Yield everything that is said of a cause; "" where nothing is."""
    yield from (said for said in (group.summary, group.refutable_by) if said)


def assert_told(said: Iterable[str]) -> None:
    """Every one is a sentence, ends as one or as a phrase does, and is said in German without English in it."""
    for sentence in said:
        assert isinstance(sentence, Sentence), sentence
        assert english_of(sentence) == [], told_in_german(sentence)


# --------------------------------------------------------------------------- every situation the tests make


def situations(module: ModuleType) -> list[Callable[[], None]]:
    """Return the tests of a module that need nothing and draw nothing: each makes situations and looks at them."""
    return [
        test
        for name, test in vars(module).items()
        if name.startswith("test_")
        and inspect.isfunction(test)
        and not hasattr(test, "hypothesis")
        and not inspect.signature(test).parameters
    ]


@pytest.mark.parametrize("situation", situations(test_clock), ids=lambda test: test.__name__)
def test_what_is_said_of_a_clock_and_its_causes_is_sentences(situation, monkeypatch: pytest.MonkeyPatch) -> None:
    models: list[ClockModel] = []
    groups: list[CauseGroup] = []
    fit, fit_all, group_causes = clocks.fit, clocks.fit_all, clocks.group_causes

    def kept(into: list[Any], made: Any) -> Any:
        into += made if isinstance(made, tuple) else (made,)
        return made

    monkeypatch.setattr(clocks, "fit", lambda *given, **named: kept(models, fit(*given, **named)))
    monkeypatch.setattr(clocks, "fit_all", lambda *given, **named: kept(models, fit_all(*given, **named)))
    monkeypatch.setattr(clocks, "group_causes", lambda *given, **named: kept(groups, group_causes(*given, **named)))
    situation()
    for model in models:
        assert model.summary.endswith("."), model.summary
        assert_told(said_of_model(model))
    for group in groups:
        assert_told(said_of_group(group))


@pytest.mark.parametrize("situation", situations(test_checks_gf4), ids=lambda test: test.__name__)
def test_what_the_rules_of_neighbours_say_is_sentences(situation, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Finding] = []
    of_device, case = test_checks_gf4.of_device, test_checks_gf4.case

    def kept(rule: Check, *summaries: Any, ask: Callable[..., list[Finding]], **more: Any) -> list[Finding]:
        found = ask(rule, *summaries, **more)
        made.extend(found)
        return found

    monkeypatch.setattr(test_checks_gf4, "of_device", lambda *given, **more: kept(*given, ask=of_device, **more))
    monkeypatch.setattr(test_checks_gf4, "case", lambda *given, **more: kept(*given, ask=case, **more))
    situation()
    doubts = {"no serial number", "doubt"}  # what the tests themselves give
    for finding in made:
        assert_told(said for said in said_of_finding(finding) if str(said) not in doubts)


# --------------------------------------------------------------------------- causes, kind by kind


def laid_to(kind: CauseKind, summary: str, hours: float | None = None, *, photo: str = "a") -> Finding:
    cause = Cause(kind, "serial:1", hours, summary)
    return Finding("GF1", (photo,), Outcome.SUSPICIOUS, Severity.LOW, Confidence.WEAK, summary, cause=cause)


@pytest.mark.parametrize("kind", [kind for kind in CauseKind if kind.value])
@pytest.mark.parametrize("names", [("a.jpg",), ("a.jpg", "b.jpg"), ("a.jpg", "b.jpg", "c.jpg", "d.jpg"), ("", "")])
@pytest.mark.parametrize("hours", [None, 2.0, 3.0])
def test_every_kind_of_cause_is_a_sentence_of_one_photo_and_of_many(kind, names, hours) -> None:
    said = [Sentence("{dates} EXIF dates follow each other in their order.", dates=2 + n) for n, _ in enumerate(names)]
    second = 2.0 if hours == 2.0 else hours and hours + 1.0
    findings = [laid_to(kind, sentence, hours if n == 0 else second) for n, sentence in enumerate(said)]
    for given in (findings, findings[:1]):
        told = cause_words.summary(given[0].cause, given, model=None, names=names)
        assert_told((told,))
        assert told.endswith(".") and ".." not in told and ". (" not in told


def test_a_sentence_that_counts_its_photos_itself_is_not_counted_again() -> None:
    said = Sentence(
        "{photos} photos over {span_hours:.0f} h claim one position to the last digit: set or copied.",
        photos=3,
        span_hours=4.0,
    )
    finding = laid_to(CauseKind.POSITION_SET, said)
    three = cause_words.summary(finding.cause, [finding], model=None, names=("a", "b", "c"))
    assert three == said
    assert cause_words.summary(finding.cause, [finding], model=None, names=("a", "b")).endswith("(2 photos).")


def test_a_cause_told_from_plain_english_of_a_third_party_stays_a_sentence() -> None:
    group, *_ = clocks.group_causes([laid_to(CauseKind.EDIT, "an odd entry")])
    assert group.summary == "An odd entry."
    one, other = laid_to(CauseKind.EDIT, "an odd entry"), laid_to(CauseKind.POSITION, "an odd place")
    (joined,) = clocks.group_causes([one, other])
    assert joined.summary in ("An odd entry. Also: An odd place.", "An odd place. Also: An odd entry.")
    assert "Außerdem:" in load_words("default", "de").say(joined.summary)


# --------------------------------------------------------------------------- German as a clerk would read it


def german(said: str) -> str:
    return load_words("default", "de").say(said)


def test_german_of_clocks_is_whole_sentences_with_the_verb_where_it_belongs() -> None:
    right = clocks.fit(a_group(*test_clock.with_gps()))
    ahead = clocks.fit(a_group(*test_clock.with_gps(ahead_hours=6.0)))
    alone = clocks.fit(a_group(a_summary("a.jpg", local_time=test_clock.NOON)))
    assert german(right.summary).startswith("Die Uhr ging bei allen 6 Fotos richtig (")
    assert german(ahead.summary).startswith("Die Uhr ging bei allen 6 Fotos 6 h vor, wie in einer anderen Zeitzone (")
    assert german(alone.summary) == "Wie die Uhr ging, lässt sich aus dem einzigen Foto nicht bestimmen."
    assert (
        "Die Zeit der Kamera weicht bei 6 von 6 Fotos, deren GPS-Zeit gehört wird, um +6 h "
        "von der gesetzlichen Zeit ab, "
        "die diese ergibt."
    ) in list(map(german, ahead.evidence))


def test_a_clock_ahead_of_gps_time_is_said_to_be_ahead_of_it() -> None:
    ahead = clocks.fit(a_group(*test_clock.with_gps(ahead_hours=6.0)))
    assert (
        "The camera's time differs by +6 h from the civil time that GPS time gives, "
        "in 6 of 6 photos whose GPS time is heard." in ahead.evidence
    )


def test_a_cause_that_a_clock_explains_is_the_sentence_of_the_clock() -> None:
    ahead = clocks.fit(a_group(*test_clock.with_gps(ahead_hours=6.0)))
    (group,) = clocks.group_causes([laid_to(CauseKind.CLOCK_OFFSET, "x", 6.0)], [ahead])
    assert group.summary == ahead.summary and group.summary.startswith("The clock ran 6 h ahead, as of another zone, ")
    assert german(group.refutable_by).startswith("ein Foto dieses Geräts, dessen eingetragene Zeitzone")


def test_a_step_is_told_with_what_is_known_on_either_side() -> None:
    first = [test_clock.shutter(n, test_clock.NOON + timedelta(hours=n)) for n in range(5)]
    back = [test_clock.shutter(5 + n, test_clock.NOON + timedelta(days=-3, hours=n)) for n in range(5)]
    told = [sentence for sentence in clocks.fit(a_group(*first, *back)).evidence if "runs on" in sentence]
    assert told == [
        "Before 5 the counter runs on while the clock falls back. Up to there: How the clock ran cannot be told from "
        "all 5 photos. From there on: How the clock ran cannot be told from all 5 photos."
    ]


# --------------------------------------------------------------------------- the example, through the whole pipeline


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CaseView]:
    """Audit the example case without a model; read it back from the store."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    folder = tmp_path_factory.mktemp("sentences")
    evidence = Path(shutil.copytree(EXAMPLE, folder / "case_folder"))
    for path in evidence.rglob("*"):
        os.utime(path, (COPIED, COPIED))
    with open_case(evidence, folder / "case") as case:
        case.audit(Settings(model="none", jobs=0))
        yield case.view()


def test_the_clocks_of_the_example_are_told_in_german(view: CaseView) -> None:
    assert view.clocks()
    for model in view.clocks():
        assert_told(said_of_model(model))
        assert [text for said in said_of_model(model) for text in plain_text_in(said) if ENGLISH.search(text)] == []


def test_the_neighbours_of_the_example_are_told_in_german(view: CaseView) -> None:
    findings = [finding for entry in view.photos() for finding in entry.findings if finding.check_id.startswith("GF4")]
    assert {finding.check_id for finding in findings} == {f"GF4{number:02}" for number in range(1, 12)}
    for finding in findings:
        assert_told(said_of_finding(finding))
        assert [text for said in said_of_finding(finding) for text in plain_text_in(said) if ENGLISH.search(text)] == []


def test_the_causes_of_the_example_are_sentences_and_their_own_words_german(view: CaseView) -> None:
    for group in view.causes():
        if group.cause.kind is not CauseKind.UNNAMED:
            assert isinstance(group.summary, Sentence), group.summary
        assert_told(said for said in (group.refutable_by,) if said)


def test_a_rule_that_names_no_cause_is_told_with_its_title_in_the_language_of_the_report() -> None:
    group = CauseGroup(
        cause=Cause(CauseKind.UNNAMED, ""),
        label="",
        outcome=Outcome.SUSPICIOUS,
        severity=Severity.LOW,
        source_ids=("a", "b"),
        check_ids=("GF404",),
        findings=2,
        summary="Impossible travel (2 photos)",
    )
    edition = edition_of(FakeCase([]), template="default", language="de", report_date=date(2026, 1, 1), only=None)
    assert cause_told(edition, group, limit=600) == "Unmögliche Reise (2 Fotos)"


# --------------------------------------------------------------------------- the catalogue


def test_no_translation_holds_english() -> None:
    wording = load_words("default", "de").wording
    lands = {countries.country_name(code) for code in countries.country_codes()}  # Isle of Man is called so in German
    left = {
        template: said
        for template, said in wording.translations.items()
        if template not in lands and ENGLISH.search(VALUES.sub(" ", said))
    }
    assert left == {}


def test_models_and_groups_come_back_from_the_store_as_they_went() -> None:
    model = clocks.fit(a_group(*test_clock.with_gps(ahead_hours=6.0)))
    again = unpack(ClockModel, pack(model))
    assert isinstance(again.summary, Sentence) and german(again.summary) == german(model.summary)
    assert list(map(german, again.evidence)) == list(map(german, model.evidence))
