"""``gtloc search``: the photos of a case by time, place, example, or what they show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gtloc_forensics.case.query_text import dates, hour, hours, months, place
from gtloc_forensics.cli.database import database_option, named_database
from gtloc_forensics.cli.exits import says_what_went_wrong
from gtloc_forensics.cli.output import counted, say, say_json

if TYPE_CHECKING:
    from gtloc_forensics.case.retrieval import Answer, Hit

V = TypeVar("V")

_PLACE = "LAT,LON or the name of a town"


def _parsed(parse: Callable[[str], V], form: str) -> Callable[[click.Context, click.Parameter, str | None], V | None]:
    """Make a click callback of a parser that raises ValueError."""

    def callback(_: click.Context, __: click.Parameter, text: str | None) -> V | None:
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError as error:
            raise click.BadParameter(f"{text!r} is not {form}") from error

    return callback


@click.command()
@click.argument("case", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--words", default="", help="In names, tags, cameras, place names or results; all of them.")
@click.option("--near", metavar="PLACE", callback=_parsed(place, _PLACE), help="Claimed position: LAT,LON or a town.")
@click.option("--within-km", type=click.FloatRange(0), default=25.0, show_default=True, help="Radius of --near.")
@click.option("--local-hours", metavar="H-H", callback=_parsed(hours, "22-4"), help="Claimed time of day, as 22-4.")
@click.option("--dates", metavar="D..D", callback=_parsed(dates, "2024-01-01..2024-03-31"), help="Claimed dates.")
@click.option("--months", metavar="M-M", callback=_parsed(months, "6-8"), help="Claimed months, of any year.")
@click.option("--device", "device_text", default="", help="Part of make, model or serial number.")
@click.option("--like", help="Like this photo of the case, or this file, first.")
@click.option("--shows-hour", metavar="H", callback=_parsed(hour, "an hour"), help="Looks like this hour first.")
@click.option("--shows-month", type=click.IntRange(1, 12), help="Looks like this month first.")
@click.option("--shows-place", metavar="PLACE", callback=_parsed(place, _PLACE), help="Looks like there first.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Most photos to list.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document.")
@database_option
@says_what_went_wrong
def search(case: Path, words: str, device_text: str, like: str | None, limit: int, as_json: bool, **asked: Any) -> None:
    """Find photos of CASE by what they claim and by what they show; nothing is examined again."""
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.case.retrieval import Query

    with Case(case, database_url=named_database()) as opened:
        answer = opened.search(Query(device=device_text, **asked), like=like or "", words=words, limit=limit)
    if as_json:
        say_json(_document(answer))
    else:
        say(_table(answer))
    raise SystemExit(0)


def _document(answer: Answer) -> dict[str, Any]:
    plain = asdict(answer)
    for hit, row in zip(answer.hits, plain["hits"], strict=True):
        row["local_time"] = None if hit.local_time is None else hit.local_time.isoformat()
    return {"schema": "gtloc-search/1", **plain}


def _table(answer: Answer) -> str:
    lines = [_line(hit) for hit in answer.hits]
    more = f", the first {len(answer.hits)} are shown" if answer.matching > len(answer.hits) else ""
    lines.append(f"{answer.matching} of {counted(answer.looked_at, 'photo')}{more}")
    lines += [f"{count} could not be compared: {reason}" for reason, count in answer.unknown.items()]
    return "\n".join(lines)


def _line(hit: Hit) -> str:
    words = [hit.name, hit.device, "no time" if hit.local_time is None else f"{hit.local_time:%Y-%m-%d %H:%M:%S}"]
    for value, form in ((hit.distance_km, "{:.1f} km"), (hit.likeness, "like {:.3f}"), (hit.shown, "shown {:+.3f}")):
        words += [form.format(value)] if value is not None else []
    return "  ".join(words)
