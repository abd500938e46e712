"""Control of false discoveries across a case: many photos asked the same question give rare answers by chance.

For each rule that gives p-values, Benjamini and Hochberg's procedure says which of
its findings stand out among all the photos it judged. A finding that does not is
kept, and says so; nothing is hidden and nothing is told as more than it is.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from gtloc_forensics.evidence.calibration import benjamini_hochberg
from gtloc_forensics.records import Finding, Sentence

RATE = 0.05
"""Share of false ones among the discoveries that is tolerated on average."""


@dataclass(frozen=True, slots=True)
class Control:
    """What the control said of one rule."""

    check_id: str
    tested: int  # p-values the rule gave in this case
    rare: int  # of those, findings
    stand_out: int  # of the findings, those that remain discoveries among all tested
    source_ids: tuple[str, ...]  # of the photos that stand out


class _Named:
    """Numbers of p-values and the photos they are of; as pairs of objects these would be ten times as large."""

    def __init__(self) -> None:
        self._numbers, self._ends = array("Q"), array("Q")
        self._names = bytearray()

    def append(self, number: int, source_id: str) -> None:
        self._names += source_id.encode()
        self._numbers.append(number)
        self._ends.append(len(self._names))

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        begin = 0
        for number, end in zip(self._numbers, self._ends, strict=True):
            yield number, self._names[begin:end].decode()
            begin = end


class Test(NamedTuple):
    """One test of a rule, as far as the procedure asks."""

    check_id: str
    p_value: float
    found_on: str | None  # the photo, where the rule found something


def test_of(finding: Finding) -> Test | None:
    """Return the test that a finding tells of, None where it has no p-value."""
    if finding.p_value is None:
        return None
    return Test(finding.check_id, finding.p_value or 1.0, finding.source_ids[0] if finding.is_found else None)


class Tested:
    """The p-values of a case by rule, as they come; a few bytes each are held, and the photos of those found."""

    def __init__(self) -> None:
        """Hold none yet."""
        self._p_values: dict[str, array[float]] = {}
        self._found: dict[str, _Named] = {}

    def hear(self, finding: Finding) -> None:
        """Take note of a finding's p-value, where it has one."""
        test = test_of(finding)
        if test is not None:
            self.add(test)

    def add(self, test: Test) -> None:
        """Take note of a test."""
        p_values = self._p_values.setdefault(test.check_id, array("d"))
        if test.found_on is not None:
            self._found.setdefault(test.check_id, _Named()).append(len(p_values), test.found_on)
        p_values.append(test.p_value)

    def controls(self, *, rate: float = RATE) -> tuple[Control, ...]:
        """Apply the procedure to each rule's p-values, also those of findings that agree.

        Args:
            rate: the tolerated share of false discoveries.
        """
        return tuple(self._controlled(check_id, rate) for check_id in sorted(self._p_values))

    def _controlled(self, check_id: str, rate: float) -> Control:
        p_values, found = self._p_values[check_id], self._found.get(check_id, _Named())
        kept = benjamini_hochberg(p_values, q=rate)
        sources = tuple(source_id for number, source_id in found if kept[number])
        return Control(check_id, len(p_values), len(found), len(sources), sources)


def control(findings: Iterable[Finding], *, rate: float = RATE) -> tuple[Control, ...]:
    """Return what the procedure says of findings, every outcome of every rule on every photo."""
    tested = Tested()
    for finding in findings:
        tested.hear(finding)
    return tested.controls(rate=rate)


class Cautions:
    """What the controls of a case say of its findings."""

    def __init__(self, controls: Iterable[Control]) -> None:
        """Take what was said of each rule."""
        self._known = {known.check_id: (known, frozenset(known.source_ids)) for known in controls}

    def added(self, finding: Finding) -> Finding:
        """Return *finding* with what the control says of it, where it has a p-value and is one to look at."""
        if finding.p_value is None or not finding.is_found or finding.check_id not in self._known:
            return finding
        mine, standing = self._known[finding.check_id]
        stands_out = finding.source_ids[0] in standing
        facts = {**finding.facts, "stands_out_in_case": stands_out}
        if stands_out:
            return replace(finding, facts=facts)
        caution = Sentence(
            "Among the {tested} photos of this case that the rule judged, a p-value this small is no discovery "
            "(Benjamini–Hochberg, false-discovery rate {rate_percent:.0f}%).",
            tested=mine.tested,
            rate_percent=100.0 * RATE,
        )
        return replace(finding, facts=facts, limitations=(*finding.limitations, caution))
