"""``gtloc search``: the photos of a case by words, time, place, example, or what they show."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gtloc_forensics.case.query_text import dates, hour, hours, is_name, months, named, place_or_town
from gtloc_forensics.cli.database import database_option, named_database
from gtloc_forensics.cli.exits import says_what_went_wrong
from gtloc_forensics.cli.output import counted, say, say_json

if TYPE_CHECKING:
    from gtloc_forensics.case.retrieval import Answer, Hit
    from gtloc_forensics.records import Position

V = TypeVar("V")


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


def _places(text: str) -> Position:
    """Return the position of a place, and say how a name was understood."""
    found = place_or_town(text)
    if is_name(text):
        from gtloc_forensics.earth import gazetteer

        towns = named(text)
        click.get_current_context().meta.setdefault(_READ, []).append(
            (text, f"the place {gazetteer.told(towns[0], others=len(towns) - 1)}")
        )
    return found


_READ = "gtloc.places"
_PLACE = "LAT,LON or the name of a town, as 60.39,5.32, Bergen, “Bergen, DE”"


def _weight(text: str) -> tuple[str, float]:
    """Return kind and weight from ``like=2``."""
    from gtloc_forensics.case.composing import KINDS

    kind, _, value = text.partition("=")
    weight = float(value)
    if kind not in KINDS or not 0.0 <= weight <= 100.0:
        raise ValueError(text)
    return kind, weight


def _weights(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> dict[str, float]:
    try:
        return dict(_weight(text) for text in texts)
    except ValueError as error:
        raise click.BadParameter("a weight is like=2, not-like=0.5, text=1, time=1 or place=1, of 0 to 100") from error


_CASE = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("case", type=_CASE)
@click.option("--text", default="", help="What is seen, when, where: 'snow at dusk', 'Christmas evening in Norway'.")
@click.option("--time", default="", help="Looks like this time first: 18:30, December, 'Christmas evening'.")
@click.option("--words", default="", help="In names, tags, cameras, place names or results; all of them.")
@click.option("--near", metavar="PLACE", callback=_parsed(_places, _PLACE), help="Claimed position: LAT,LON or a town.")
@click.option("--within-km", type=click.FloatRange(0), default=25.0, show_default=True, help="Radius of --near.")
@click.option("--local-hours", metavar="H-H", callback=_parsed(hours, "22-4"), help="Claimed time of day, as 22-4.")
@click.option("--dates", metavar="D..D", callback=_parsed(dates, "2024-01-01..2024-03-31"), help="Claimed dates.")
@click.option("--months", metavar="M-M", callback=_parsed(months, "6-8"), help="Claimed months, of any year.")
@click.option("--device", "device_text", default="", help="Part of make, model or serial number.")
@click.option("--like", multiple=True, help="Like this photo of the case, or this file, first; may be repeated.")
@click.option("--not-like", multiple=True, help="Unlike this photo or file first; may be repeated.")
@click.option(
    "--weigh", metavar="KIND=W", multiple=True, callback=_weights, help="Weight of like, not-like, text, time, place."
)
@click.option("--shows-hour", metavar="H", callback=_parsed(hour, "an hour"), help="Looks like this hour first.")
@click.option("--shows-month", type=click.IntRange(1, 12), help="Looks like this month first.")
@click.option("--shows-place", metavar="PLACE", callback=_parsed(_places, _PLACE), help="Looks like there first.")
@click.option("--system", default="", help="Ask this second opinion of the case: a time and a place seen together.")
@click.option("--across", metavar="CASE", type=_CASE, multiple=True, help="Search this case, too; may be repeated.")
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), multiple=True, help="Write a .png or .pdf.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Most photos to list.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document.")
@database_option
@says_what_went_wrong
def search(
    case: Path,
    words: str,
    device_text: str,
    across: tuple[Path, ...],
    sheet: tuple[Path, ...],
    limit: int,
    as_json: bool,
    **asked: Any,
) -> None:
    """Find photos of CASE by what they claim and by what they show; nothing is examined again."""
    from gtloc_forensics.case.retrieval import Query

    likes, is_composed = asked["like"], any(asked[name] for name in _COMPOSED)
    if len(likes) <= 1 and not (is_composed or across or sheet or named_database()):
        from gtloc_forensics.case.search_index import quick

        conditions = {name: value for name, value in asked.items() if name not in (*_COMPOSED, "like")}
        query = Query(device=device_text, **conditions)
        found = quick.answered(case, query, like="".join(likes), words=words, limit=limit)
        if found is not None:
            _tell(found, as_json=as_json)
            raise SystemExit(0)
    _search_opened(case, words, device_text, across, sheet, limit, as_json=as_json, asked=asked)
    raise SystemExit(0)


_COMPOSED = ("text", "time", "not_like", "weigh", "system")


def _search_opened(
    case: Path,
    words: str,
    device_text: str,
    across: tuple[Path, ...],
    sheet: tuple[Path, ...],
    limit: int,
    *,
    as_json: bool,
    asked: dict[str, Any],
) -> None:
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.case.composing import Asked
    from gtloc_forensics.case.retrieval import Query

    question = Asked(
        text=asked.pop("text"),
        time=asked.pop("time"),
        like=asked.pop("like"),
        not_like=asked.pop("not_like"),
        weights=asked.pop("weigh"),
        system=asked.pop("system"),
    )
    with ExitStack() as stack:
        opened = stack.enter_context(Case(case, database_url=named_database()))
        others = [stack.enter_context(Case(folder)) for folder in dict.fromkeys(across)]
        for each in (opened, *others):
            each.index_for_search(progress=_indexing)
        answer = opened.ask(Query(device=device_text, **asked), question, words=words, across=others, limit=limit)
        for path in sheet:
            title = " · ".join(part for part in (question.text, question.time, words) if part) or "gtloc search"
            opened.write_hits(answer, path, title=title, across=others)
    _tell(answer, as_json=as_json)
    for path in sheet if not as_json else ():
        say(f"{path} written")


def _indexing(done: int, total: int) -> None:
    """Say that a search waits for the index, which is made once."""
    if done % _TOLD_EVERY == 0:
        said = "; it is made once, and added to when photos come" if done == 0 else ""
        say(f"making the index for searching: {done} of {counted(total, 'photo')}{said}", err=True)


_TOLD_EVERY = 20_000


def _tell(answer: Answer, *, as_json: bool) -> None:
    places = tuple(click.get_current_context().meta.get(_READ, ()))
    answer = replace(answer, read_as=(*places, *answer.read_as))
    if as_json:
        say_json(_document(answer))
    else:
        say(_table(answer))


def _document(answer: Answer) -> dict[str, Any]:
    plain = asdict(answer)
    for hit, row in zip(answer.hits, plain["hits"], strict=True):
        row["local_time"] = None if hit.local_time is None else hit.local_time.isoformat()
    return {"schema": "gtloc-search/1", **plain}


def _table(answer: Answer) -> str:
    from gtloc_forensics.records import visible

    lines = [f"{visible(word)}: {meaning}" for word, meaning in answer.read_as]
    lines += [_line(hit) for hit in answer.hits]
    more = f", the first {len(answer.hits)} are shown" if answer.matching > len(answer.hits) else ""
    lines.append(f"{answer.matching} of {counted(answer.looked_at, 'photo')}{more}")
    lines += [f"{count} could not be compared: {reason}" for reason, count in answer.unknown.items()]
    return "\n".join(lines)


def _line(hit: Hit) -> str:
    from gtloc_forensics.records import visible

    words = [hit.name, hit.device, "no time" if hit.local_time is None else f"{hit.local_time:%Y-%m-%d %H:%M:%S}"]
    scores = (
        (hit.distance_km, "{:.1f} km"),
        (hit.likeness, "like {:.3f}"),
        (hit.shown, "shown {:+.3f}"),
        (hit.composed, "cosine {:+.3f}"),
    )
    words += [hit.place] if hit.place else []
    words += [form.format(value) for value, form in scores if value is not None]
    if hit.words:
        from gtloc_forensics.case.hit_sheet import word_told

        words += map(word_told, hit.words)
    return "  ".join([*words, *([f"of {visible(hit.case)}"] if hit.case else [])])
