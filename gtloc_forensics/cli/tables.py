"""The tables a person sees in the terminal. Part of the command line: only ``cli`` uses it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gtloc_forensics.cli.output import counted
from gtloc_forensics.records import CaseView, CauseGroup, Outcome, ReasonNote, Tally, visible

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

_STYLES = {Outcome.CONTRADICTION: "bold red", Outcome.SUSPICIOUS: "yellow", Outcome.EXPLAINED: "cyan"}


def print_case(view: CaseView, stream: TextIO, *, set_apart: Collection[CauseGroup] = ()) -> None:
    """Print what was found, grouped by camera and cause, what was not examined, and the counts.

    Causes that are *set_apart* are left out of the table: who asks for that tells them otherwise.
    """
    console = _console(stream)
    causes = tuple(group for group in view.causes() if group not in set_apart)
    if causes:
        told, left = _told(causes)
        console.print(_cause_table(view, told, narrow=console.width < NARROW_COLUMNS))
        if left:
            console.print(f"… and {counted(left, 'more group')} that are explained, all in the report")
    reasons = view.reasons()
    if reasons:
        console.print(_reason_table(reasons))
    tally = view.tally
    console.print(counts_of(tally))


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


def _told(causes: tuple[CauseGroup, ...]) -> tuple[list[CauseGroup], int]:
    """Return the groups to print, gravest first, and how many are left out: never one that a person should look at."""
    grave = [group for group in causes if group.outcome is not Outcome.EXPLAINED]
    explained = [group for group in causes if group.outcome is Outcome.EXPLAINED]
    room = max(0, MOST_ROWS - len(grave))
    return [*grave, *explained[:room]], len(explained[room:])


def _cause_table(view: CaseView, causes: list[CauseGroup], *, narrow: bool) -> Table:
    table = _table("Findings by camera and cause")
    table.add_column("outcome")
    table.add_column("photos", justify="right")
    if not narrow:
        table.add_column("camera", overflow="fold", max_width=24)
    table.add_column("what, and the rules that say so", ratio=1, overflow="fold")
    for group in causes:
        camera = visible(group.label)
        what = Text.assemble(visible(group.summary), " ", (" ".join(group.check_ids), "dim"))
        if len(group.source_ids) <= MOST_NAMES:
            names = [visible(view.name_of(source_id)) for source_id in group.source_ids]
            unsaid = [name for name in names if name not in visible(group.summary)]
            what.append("\n" + ", ".join(unsaid) if unsaid else "")
        outcome = Text(group.outcome.value, style=_STYLES.get(group.outcome, ""))
        stacked = Text.assemble((camera, "bold"), "\n" * bool(camera), what)
        cells = [stacked] if narrow else [Text(camera or "–"), what]
        table.add_row(outcome, str(len(group.source_ids)), *cells)
    return table


def _reason_table(reasons: tuple[ReasonNote, ...]) -> Table:
    table = _table("Not examined, in whole or in part")
    table.add_column("photos", justify="right")
    table.add_column("why", ratio=1, overflow="fold")
    table.add_column("which", ratio=1, overflow="fold")
    ranked = sorted(reasons, key=lambda note: (-note.photos, note.stage, note.reason))
    for note in ranked[:MOST_ROWS]:
        more = note.photos - len(note.names)
        shown = ", ".join(map(visible, note.names)) + (f" … {more} more" if more else "")
        table.add_row(str(note.photos), Text(f"{_stage(note.stage)}: {visible(note.reason)}"), Text(shown))
    return table


def _stage(stage: str) -> str:
    return {"vision": "pixels", "decode": "picture"}.get(stage, stage)
