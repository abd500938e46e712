"""The tables a person sees in the terminal. Part of the command line: only ``cli`` uses it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gtloc_forensics.cli.output import counted
from gtloc_forensics.records import ReasonNote, Tally, visible

if TYPE_CHECKING:
    from gtloc_forensics.records import CaseView, CauseGroup

MOST_ROWS = 40
"""Explained groups and reasons beyond this many are counted, not listed; the report lists all."""

MOST_NAMES = 3
"""So many photos of a group are named; of more the report has the names."""

PIPED_COLUMNS = 110
"""Width where there is no terminal: a file, a pipe, a log. It fits a wide editor and a landscape page."""

NARROW_COLUMNS = 100
"""Below this the camera stands above what was found, not in a column beside it."""

WIDEST_COLUMNS = 160
"""Longer lines are hard to follow with the eye."""

EXPLAINED = "explained"
_STYLES = {"contradiction": "bold red", "suspicious": "yellow", EXPLAINED: "cyan"}


@dataclass(frozen=True, slots=True)
class CauseLine:
    """One row of the table of causes; every text as it may be printed."""

    outcome: str
    photos: int
    camera: str
    what: str
    rules: str
    names: str  # those that what was found does not say


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """One row of what was not examined."""

    photos: int
    why: str
    which: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a person is told of an audit; plain values, so that they can be kept and printed again."""

    causes: tuple[CauseLine, ...]
    left: int  # explained groups beyond those listed
    reasons: tuple[ReasonLine, ...]
    counts: str

    @classmethod
    def from_plain(cls, kept: Mapping[str, Any]) -> Told:
        """Rebuild what :func:`dataclasses.asdict` made of one."""
        return cls(
            causes=tuple(CauseLine(**line) for line in kept["causes"]),
            left=int(kept["left"]),
            reasons=tuple(ReasonLine(**line) for line in kept["reasons"]),
            counts=str(kept["counts"]),
        )


def told_of(view: CaseView, *, set_apart: Collection[CauseGroup] = ()) -> Told:
    """Return what is told of a case; causes that are *set_apart* are left out: who asks for that tells them otherwise.

    Of the explained ones only some are told; never is one left out that a person should look at.
    """
    causes = tuple(group for group in view.causes() if group not in set_apart)
    grave = [group for group in causes if group.outcome.value != EXPLAINED]
    explained = [group for group in causes if group.outcome.value == EXPLAINED]
    room = max(0, MOST_ROWS - len(grave))
    return Told(
        causes=tuple(_cause_line(view, group) for group in (*grave, *explained[:room])),
        left=len(explained[room:]),
        reasons=_reason_lines(view.reasons()),
        counts=counts_of(view.tally),
    )


def print_case(view: CaseView, stream: TextIO, *, set_apart: Collection[CauseGroup] = ()) -> None:
    """Print what was found, grouped by camera and cause, what was not examined, and the counts."""
    print_told(told_of(view, set_apart=set_apart), stream)


def print_told(told: Told, stream: TextIO) -> None:
    """Print the tables and the counts."""
    console = _console(stream)
    if told.causes:
        console.print(_cause_table(told.causes, narrow=console.width < NARROW_COLUMNS))
        if told.left:
            console.print(f"… and {counted(told.left, 'more group')} that are explained, all in the report")
    if told.reasons:
        console.print(_reason_table(told.reasons))
    console.print(told.counts)


def counts_of(tally: Tally) -> str:
    """Return the counts in one line: what is zero and seldom otherwise is left out."""
    parts = [f"{tally.found} found", f"{tally.clean} clean"]
    parts += [f"{tally.not_testable} not testable"] if tally.not_testable else []
    both = tally.found_and_not_examined
    parts.append(f"{tally.not_examined} not wholly examined" + (f" ({both} of them found)" if both else ""))
    parts += [f"{counted(tally.passed_over, 'other file')} passed over"] if tally.passed_over else []
    return f"{counted(tally.photos, 'photo')}: {' · '.join(parts)}"


class _PipedConsole(Console):
    """A console whose reader may go away: that is for the command line to answer, not for rich to exit 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _console(stream: TextIO) -> Console:
    console = _PipedConsole(file=stream, highlight=False, width=None if stream.isatty() else PIPED_COLUMNS)
    console.width = min(console.width, WIDEST_COLUMNS)
    return console


def _table(title: str) -> Table:
    return Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, title_style="bold")


def _cause_line(view: CaseView, group: CauseGroup) -> CauseLine:
    said, names = visible(group.summary), ""
    if len(group.source_ids) <= MOST_NAMES:
        found = [visible(view.name_of(source_id)) for source_id in group.source_ids]
        names = ", ".join(name for name in found if name not in said)
    rules = " ".join(group.check_ids)
    return CauseLine(group.outcome.value, len(group.source_ids), visible(group.label), said, rules, names)


def _cause_table(causes: tuple[CauseLine, ...], *, narrow: bool) -> Table:
    table = _table("Findings by camera and cause")
    table.add_column("outcome")
    table.add_column("photos", justify="right")
    if not narrow:
        table.add_column("camera", overflow="fold", max_width=24)
    table.add_column("what, and the rules that say so", ratio=1, overflow="fold")
    for line in causes:
        what = Text.assemble(line.what, " ", (line.rules, "dim"), "\n" * bool(line.names), line.names)
        outcome = Text(line.outcome, style=_STYLES.get(line.outcome, ""))
        stacked = Text.assemble((line.camera, "bold"), "\n" * bool(line.camera), what)
        cells = [stacked] if narrow else [Text(line.camera or "–"), what]
        table.add_row(outcome, str(line.photos), *cells)
    return table


def _reason_lines(reasons: tuple[ReasonNote, ...]) -> tuple[ReasonLine, ...]:
    ranked = sorted(reasons, key=lambda note: (-note.photos, note.stage, note.reason))
    return tuple(
        ReasonLine(note.photos, f"{_stage(note.stage)}: {visible(note.reason)}", _which(note))
        for note in ranked[:MOST_ROWS]
    )


def _which(note: ReasonNote) -> str:
    more = note.photos - len(note.names)
    return ", ".join(map(visible, note.names)) + (f" … {more} more" if more else "")


def _reason_table(reasons: tuple[ReasonLine, ...]) -> Table:
    table = _table("Not examined, in whole or in part")
    table.add_column("photos", justify="right")
    table.add_column("why", ratio=1, overflow="fold")
    table.add_column("which", ratio=1, overflow="fold")
    for line in reasons:
        table.add_row(str(line.photos), Text(line.why), Text(line.which))
    return table


def _stage(stage: str) -> str:
    return {"vision": "pixels", "decode": "picture"}.get(stage, stage)
