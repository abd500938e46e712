"""The tables a person sees in the terminal. Part of the command line: only ``cli`` uses it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gtloc_forensics.records import CaseView, CauseGroup, Outcome, Status, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gtloc_forensics.records import PhotoEntry

MOST_ROWS = 40
"""Groups and unexamined photos beyond this many are counted, not listed; the report lists all."""

_STYLES = {Outcome.CONTRADICTION: "bold red", Outcome.SUSPICIOUS: "yellow", Outcome.EXPLAINED: "cyan"}


def print_case(view: CaseView, stream: TextIO) -> None:
    """Print what was found, grouped by camera and cause, what was not examined, and the counts."""
    console = Console(file=stream, highlight=False, width=None if stream.isatty() else 110)
    causes = view.causes()
    if causes:
        console.print(_cause_table(causes))
        if len(causes) > MOST_ROWS:
            console.print(f"… and {len(causes) - MOST_ROWS} more groups, all in the report")
    reasons = _reasons(view)
    if reasons:
        console.print(_reason_table(reasons))
    tally = view.tally
    if not (tally.found or tally.clean or tally.not_examined):
        console.print("there are no photos in this folder")
    console.print(
        f"{tally.found} found · {tally.clean} clean · {tally.not_examined} not examined"
        + (f" · {tally.passed_over} other files passed over" if tally.passed_over else "")
    )


def _cause_table(causes: tuple[CauseGroup, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Findings by camera and cause", title_justify="left")
    table.add_column("outcome")
    table.add_column("camera", overflow="fold")
    table.add_column("photos", justify="right")
    table.add_column("what", ratio=1)
    table.add_column("rules")
    for group in causes[:MOST_ROWS]:
        table.add_row(
            Text(group.outcome.value, style=_STYLES.get(group.outcome, "")),
            Text(visible(group.label) or "–"),
            str(len(group.source_ids)),
            Text(visible(group.summary)),
            Text(" ".join(group.check_ids)),
        )
    return table


def _reason_table(reasons: dict[str, list[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Not examined", title_justify="left")
    table.add_column("photos", justify="right")
    table.add_column("why", ratio=1)
    table.add_column("which", ratio=1, overflow="fold")
    ranked = sorted(reasons.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    for reason, names in islice(ranked, MOST_ROWS):
        shown = ", ".join(names[:3]) + (f" … {len(names) - 3} more" if len(names) > 3 else "")
        table.add_row(str(len(names)), Text(reason), Text(shown))
    return table


def _reasons(view: CaseView) -> dict[str, list[str]]:
    """Return why photos were not examined, in whole or in part: reason → names."""
    reasons: dict[str, list[str]] = {}
    for entry in _incomplete(view):
        for item in entry.unexamined:
            key = f"{_stage(item.stage)}: {visible(item.reason)}"
            reasons.setdefault(key, []).append(entry.photo.source.display_path)
    for passed in view.passed_over():
        if passed.blocks:
            reasons.setdefault(f"file: {visible(passed.reason)}", []).append(visible(passed.relative))
    return reasons


def _stage(stage: str) -> str:
    return {"vision": "pixels", "decode": "picture"}.get(stage, stage)


def _incomplete(view: CaseView) -> Iterator[PhotoEntry]:
    for status in (Status.NOT_EXAMINED, Status.FOUND):
        yield from (entry for entry in view.photos(status=status) if entry.unexamined)
