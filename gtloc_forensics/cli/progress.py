"""What a person sees while work goes on: bars on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gtloc_forensics.examination.gathering import Progress

STAGES = {
    "open": "opening exiftool and the model",
    "examine": "examining",
    "workers": "done by workers",
    "check": "checking",
    "verify": "hashing again",
    "report": "writing the report",
    "read": "reading the case",
    "pages": "laying out pages",
}

OPENING, DONE_BEFORE = "open", "known"
"""Stages of an audit that are told apart: opening its tools, and what an earlier run did already."""

PLAIN_LINE_S = 10.0
"""Seconds between progress lines where there is no terminal to draw on."""


DRAWN_EVERY_S = 0.1
"""Seconds between two drawings of the bars."""


@contextmanager
def progress_on(stream: Any) -> Iterator[Progress]:
    """Give a progress callback: bars on a terminal, a plain line per stage otherwise."""
    if stream.isatty():
        with _bars() as callback:
            yield callback
    else:
        yield _plain_lines()


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:<20}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    # A thread of rich's own would draw them: a process of more than one is not forked, and so judges photos alone.
    with Bars(*columns, console=Console(stderr=True), auto_refresh=False) as bars:
        tasks: dict[str, Any] = {}
        begun: dict[str, tuple[float, int]] = {}
        drawn_s = 0.0

        def callback(stage: str, done: int, total: int | None) -> None:
            nonlocal drawn_s
            if total == 0:
                return  # nothing new: no bar
            if stage == DONE_BEFORE:
                if done:
                    bars.console.print(_done_before(done, total))
                return
            if OPENING in tasks and stage != OPENING:
                bars.update(tasks[OPENING], visible=False)
            is_due = stage not in tasks or done == total or time.monotonic() - drawn_s >= DRAWN_EVERY_S
            if stage not in tasks:
                tasks[stage] = bars.add_task(STAGES.get(stage, stage), total=total, rate="")
                begun[stage] = time.monotonic(), done
            bars.update(tasks[stage], completed=done, total=total)
            # what rich makes of the last steps; it knows none after the first, which may be the only one
            speed = bars.tasks[tasks[stage]].speed or _mean_speed(*begun[stage], done)
            bars.update(tasks[stage], rate=f"{speed:.1f} files/s" if total and speed else "")
            if is_due:
                bars.refresh()
                drawn_s = time.monotonic()

        yield callback


def _mean_speed(begun_s: float, before: int, done: int) -> float:
    passed_s = time.monotonic() - begun_s
    return (done - before) / passed_s if passed_s > 0 else 0.0


def _done_before(done: int, total: int | None) -> str:
    return f"{done} of {total} {'was' if done == 1 else 'were'} done before"


def _plain_lines() -> Progress:
    """A line when a stage ends, and every ten seconds of a long one."""
    said: dict[str, float] = {}

    def callback(stage: str, done: int, total: int | None) -> None:
        name, now = STAGES.get(stage, stage), time.monotonic()
        if stage == DONE_BEFORE:
            if done:
                click.echo(_done_before(done, total), err=True)
        elif total is None:
            if stage not in said or now - said[stage] >= PLAIN_LINE_S:
                said[stage] = now
                click.echo(f"{name}: {done} …" if done else f"{name} …", err=True)
        elif not total:
            click.echo(f"{name}: nothing new", err=True)
        elif done == total or now - said.setdefault(stage, now) >= PLAIN_LINE_S:
            said[stage] = now
            click.echo(f"{name}: {done} of {total}", err=True)

    return callback
