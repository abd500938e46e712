"""How the examination of one photo ended: found, clean, not testable, not examined.

*Clean* is a statement, so something must carry it: at least one rule that held what the
photo claims of its time or place against another witness, and could have spoken against
it. Where no rule had both, nothing was tested, and that is said (docs/decisions/0021).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, unique

from gtloc_forensics.records.findings import Finding, Outcome
from gtloc_forensics.records.sources import Unexamined


@unique
class Status(Enum):
    """How the examination of one source ended.

    A source is counted under one of them first; one that was FOUND may be
    NOT_EXAMINED in part as well (:attr:`PhotoEntry.statuses`).
    """

    FOUND = "found"  # a person should look at it
    CLEAN = "clean"  # nothing found, everything examined, and at least one rule could have spoken
    NOT_TESTABLE = "not testable"  # everything examined, and no rule had anything to test
    NOT_EXAMINED = "not examined"  # something could not be looked at


CLEARS_NOTHING = frozenset(
    {
        "GF107",  # a file is nearly always written after its capture: copying it makes the rule agree
        "GF110",  # how a position is written, not whether it is right
        "GF111",  # what a receiver thinks of its own fix
        "GF115",  # that no other program is named
        "GF116",  # thumbnail and picture are one picture: says nothing of its time or place
        "GF117",  # stated and real size agree: the same
        "GF118",  # that no platform left its mark
        "GF120",  # that the date is no factory default
        "GF300",  # that the scene could be dated
        "GF405",  # that the position is not repeated
        "GF406",  # that no look-alike tells another story: mostly there is no look-alike
    }
)
"""Rules whose agreement says nothing for the claimed time or place: they look for a sign, and found none."""

_WEIGHS_PIXELS = "GF30"
"""Rules that weigh pixels; without a calibration they accuse nobody, so their silence clears nobody."""


def status_of(findings: Sequence[Finding], unexamined: Sequence[Unexamined]) -> Status:
    """Return how a photo is counted first; one that was found may be incompletely examined as well."""
    is_found = any(finding.is_found for finding in findings)
    is_open = not is_found and not unexamined
    return status_from(
        is_found=is_found, is_partial=bool(unexamined), is_tested=is_open and any(map(is_test, findings))
    )


def status_from(*, is_found: bool, is_partial: bool, is_tested: bool) -> Status:
    """Return the same of a photo of which only this is known.

    Args:
        is_found: a person should look at it.
        is_partial: something of it could not be looked at.
        is_tested: a rule could have spoken; asked only where neither of the others holds.
    """
    if is_found:
        return Status.FOUND
    if is_partial:
        return Status.NOT_EXAMINED
    return Status.CLEAN if is_tested else Status.NOT_TESTABLE


def is_test(finding: Finding) -> bool:
    """Whether a rule held a claim of time or place against another witness and could have spoken."""
    if finding.outcome is Outcome.NOT_TESTABLE or finding.check_id in CLEARS_NOTHING:
        return False
    return finding.p_value is not None or not finding.check_id.startswith(_WEIGHS_PIXELS)
