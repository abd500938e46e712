"""``gtloc compare``: what differs between two examinations, of two cases or of one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gtloc_forensics.cli.exits import ExitCode, says_what_went_wrong
from gtloc_forensics.cli.output import counted, say, say_json

if TYPE_CHECKING:
    from gtloc_forensics.case.contrast import Contrast, OtherOutcome


@click.command()
@click.argument("first", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("second", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
@click.option(
    "--examinations", "numbers", type=int, nargs=2, help="Two of FIRST's own, by number [default: the newest two]."
)
@click.option("--list", "lists", is_flag=True, help="Say which examinations FIRST keeps.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to stdout.")
@says_what_went_wrong
def compare(first: Path, second: Path | None, *, numbers: tuple[int, int] | None, lists: bool, as_json: bool) -> None:
    """Say what differs between the newest examinations of two cases, FIRST and SECOND, or between two of FIRST."""
    from gtloc_forensics.errors import UsageError

    if second is not None and (numbers or lists):
        raise UsageError("--examinations and --list are of one case; leave SECOND out")
    if lists:
        _list(first, as_json=as_json)
        return
    found = _within(first, numbers) if second is None else _between(first, second)
    if as_json:
        say_json({**asdict(found), "other": [_row(other) for other in found.other], "differs": found.differs})
    else:
        _print(found)
    raise SystemExit(ExitCode.FINDINGS if found.differs else ExitCode.CLEAN)


def _between(first: Path, second: Path) -> Contrast:
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.case.contrast import contrast

    with Case(first) as before, Case(second) as after:
        return contrast(before.view(), after.view())


def _within(folder: Path, numbers: tuple[int, int] | None) -> Contrast:
    """Return what differs between two examinations of one case, the newest two where none are named."""
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.case.contrast import contrast
    from gtloc_forensics.errors import UsageError

    with Case(folder) as case:
        if numbers is None:
            kept = len(case.examinations())
            if kept < 2:
                raise UsageError("the case keeps one examination; name a second case to compare it with")
            numbers = (kept - 1, kept)
        before, after = numbers
        return contrast(case.examination(before), case.examination(after))


def _list(folder: Path, *, as_json: bool) -> None:
    from gtloc_forensics.case.case import Case

    with Case(folder) as case:
        kept = case.examinations()
        photos = [case.examination(each.number).tally for each in kept]
    if as_json:
        say_json([{**asdict(each), "photos": tally.photos} for each, tally in zip(kept, photos, strict=True)])
        return
    for each, tally in zip(kept, photos, strict=True):
        told = f"{counted(tally.photos, 'photo')}, {tally.found} with a finding"
        say(f"{each.number:>3}  {each.noted_utc:%Y-%m-%d %H:%M} UTC  {each.fingerprint[:16]}  {told}")


def _row(other: OtherOutcome) -> dict[str, object]:
    return {**asdict(other), "before": other.before.value, "after": other.after.value}


def _print(found: Contrast) -> None:
    from gtloc_forensics.records import visible

    for name in found.new:
        say(f"new      {visible(name)}")
    for name in found.gone:
        say(f"gone     {visible(name)}")
    for before, after in found.moved:
        say(f"renamed  {visible(before)} → {visible(after)}")
    for other in found.other:
        status = other.after.value if other.before is other.after else f"{other.before.value} → {other.after.value}"
        bytes_ = "; the file has other bytes" if other.content_differs else ""
        say(f"other    {visible(other.name)}: {status}{bytes_}")
        for rule, before, after in other.rules:
            say(f"           {rule}: {before or 'said nothing'} → {after or 'says nothing'}")
    for name, before, after in found.versions:
        say(f"version  {visible(name)}: {visible(before) or 'none'} → {visible(after) or 'none'}")
    say(
        f"{counted(len(found.new), 'new photo')}, {len(found.gone)} gone, {len(found.moved)} renamed, "
        f"{len(found.other)} with another outcome, {found.same} the same; "
        f"{counted(len(found.versions), 'other version')}"
    )
