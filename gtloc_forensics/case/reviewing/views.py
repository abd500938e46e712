"""The addresses of the review service and what each answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from math import nan
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gtloc_forensics.case.reviewing import asking, corrections, decisions, window_views, windows
from gtloc_forensics.case.reviewing.corrections import ChangedSince, Edit
from gtloc_forensics.case.reviewing.decisions import ExaminedSince, Ruling
from gtloc_forensics.case.reviewing.desk import Desk, StillReading
from gtloc_forensics.case.reviewing.languages import first_words, languages, shell_words
from gtloc_forensics.case.reviewing.pages import brief, plain
from gtloc_forensics.case.reviewing.plan_words import in_sentences
from gtloc_forensics.case.reviewing.window_views import JSON, as_json, number_at, reader_of, rows_told
from gtloc_forensics.case.reviewing.windows import WHOLE
from gtloc_forensics.earth import gazetteer
from gtloc_forensics.errors import CaseBusy, CorrectionStopped, ForensicsError, UsageError
from gtloc_forensics.records import Judgement, Sentence, visible
from gtloc_forensics.report.html.shell import shell
from gtloc_forensics.report.template import Words, load_words

ASSETS: Mapping[str, str] = {
    "index.html": "text/html; charset=utf-8",
    "review.js": "text/javascript; charset=utf-8",
    "review.css": "text/css; charset=utf-8",
    "leaflet.js": "text/javascript; charset=utf-8",
    "leaflet.css": "text/css; charset=utf-8",
    "world.json": "application/json",
}
"""All files that are served, by name: no address ever becomes a path."""

LONGEST_BODY = 1_000_000
"""Bytes of a request; a decision on ten thousand findings has half of it."""

SLOWEST_BODY_S = 10.0

FIRST_ROWS = 40
"""Rows that are shown while the others are still being read."""


class NotThere(ForensicsError):
    """What was asked for is not in the case."""


class ReadOnly(ForensicsError):
    """Nobody is named who decides."""


def asset(name: str) -> bytes:
    """Return one file of the pages as it ships."""
    return files("gtloc_forensics.templates").joinpath("review", name).read_bytes()


def application(desk: Desk) -> Starlette:
    """Return the service without its guard."""
    routes = [
        Route("/", _shell(desk)),
        *(Route(f"/{name}", _asset_route(name)) for name in ASSETS if name != "index.html"),
        Route("/favicon.ico", _nothing),
        Route("/data/case", _of(desk, _case)),
        Route("/data/decisions", _of(desk, _decisions)),
        Route("/data/custody", _of(desk, _custody)),
        Route("/data/rows", _of(desk, window_views.rows)),
        Route("/data/aside", _of(desk, window_views.aside)),
        Route("/data/next", _of(desk, window_views.following)),
        Route("/data/points", _of(desk, window_views.points)),
        Route("/data/photo/{source_id}", _of(desk, _photo)),
        Route("/data/search", _of(desk, _search)),
        Route("/data/places", _of(desk, _places)),
        Route("/data/compare", _of(desk, _compare)),
        Route("/data/corrections", _of(desk, _corrections)),
        Route("/preview/{source_id}", _of(desk, _preview)),
        Route("/large/{source_id}", _of(desk, _large)),
        Route("/decide", _of(desk, _decide), methods=["POST"]),
        Route("/undo", _of(desk, _undo), methods=["POST"]),
        Route("/correct/{what}", _of(desk, _correct), methods=["POST"]),
    ]

    async def told_plainly(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        told = _words(desk, request).wording.tell(in_sentences(error.detail))
        return as_json({"error": told}, error.status_code)

    return Starlette(routes=routes, exception_handlers={HTTPException: told_plainly})


async def _nothing(_: Request) -> Response:
    return Response(status_code=204)


def _asset_route(name: str) -> Any:
    async def answer(_: Request) -> Response:
        return Response(asset(name), media_type=ASSETS[name])

    return answer


def _shell(desk: Desk) -> Any:
    page = shell(**shell_words(desk.language))

    async def answer(_: Request) -> Response:
        return Response(page, media_type=ASSETS["index.html"])

    return answer


def _of(desk: Desk, respond: Any) -> Any:
    async def answer(request: Request) -> Response:
        body = await _body(request) if request.method == "POST" else {}
        try:
            answered: Response = await run_in_threadpool(respond, desk, request, body)
        except ForensicsError as error:
            status = next((status for kind, status in _STATUS_OF if isinstance(error, kind)), 500)
            raise HTTPException(status, _refusal(error, _words(desk, request))) from error
        return answered

    return answer


_STATUS_OF: tuple[tuple[type[ForensicsError], int], ...] = (
    (NotThere, 404),
    (ReadOnly, 403),
    (StillReading, 503),
    (CaseBusy, 409),
    (CorrectionStopped, 409),
    (ExaminedSince, 412),
    (ChangedSince, 412),
    (UsageError, 400),
)


def _refusal(error: ForensicsError, words: Words) -> str:
    """Return why something is refused, in the language of the page where it can be said in it."""
    told = error.args[0] if error.args else ""
    return visible(words.wording.tell(in_sentences(told if isinstance(told, Sentence) else str(error))))


def _words(desk: Desk, request: Request) -> Words:
    wanted = _language(request)
    return load_words("default", wanted if wanted in languages() else desk.language)


async def _body(request: Request) -> dict[str, Any]:
    """Return a small JSON object that came in time.

    Raises:
        HTTPException: it is none, too large, or too slow.
    """
    received = bytearray()

    async def receive() -> None:
        async for piece in request.stream():
            received.extend(piece)
            if len(received) > LONGEST_BODY:
                raise HTTPException(413, "the request is too large")

    try:
        await asyncio.wait_for(receive(), SLOWEST_BODY_S)
        said = json.loads(received)
    except TimeoutError as error:
        raise HTTPException(408, "the request was too slow") from error
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the request is no JSON") from error
    if not isinstance(said, dict):
        raise HTTPException(400, "the request is no JSON object")
    return said


def _language(request: Request) -> str:
    return request.query_params.get("language", "")


def _case(desk: Desk, request: Request, _: Any) -> Response:
    if desk.listing() is None:
        return as_json(_so_far(desk, request), 202)
    return Response(desk.shown_case(_language(request)), media_type=JSON)


def _so_far(desk: Desk, request: Request) -> dict[str, Any]:
    """Return how much of the case was read, and its first rows: they can be looked at meanwhile."""
    pages = first_words(_language(request) or desk.language)
    rows = [] if request.query_params.get("shown") == "1" else desk.read_so_far(FIRST_ROWS)
    told: dict[str, Any] = {"reading": desk.done, "of": desk.case.view().count()}
    if rows:
        told |= {"rows": [brief(row) for row in rows], **pages}
    return dict(plain(told))


def _is_whole(desk: Desk) -> bool:
    return len(desk.read().rows) <= WHOLE


def _decisions(desk: Desk, request: Request, _: Any) -> Response:
    pages, reader = desk.pages(""), reader_of(desk, request)
    if _is_whole(desk):
        return as_json(pages.decisions(examiner=reader.examiner, others=reader.others))
    large = desk.windows()
    left, work = large.left(reader)
    made = pages.made(examiner=reader.examiner, others=reader.others, whole=False)
    return as_json({**made, "left": left, "work": work, "causes": large.causes(reader)})


def _custody(desk: Desk, request: Request, _: Any) -> Response:
    pages, reader = desk.pages(""), reader_of(desk, request)
    if "first" not in request.query_params:
        return as_json(pages.custody(examiner=reader.examiner, others=reader.others))
    total, events = desk.case.view().custody_window(number_at(request, "first") + 1, windows.MOST_ROWS)
    told = pages.custody(examiner=reader.examiner, others=reader.others, events=events)
    return as_json({"total": total, "rows": told})


def _photo(desk: Desk, request: Request, _: Any) -> Response:
    source_id = request.path_params["source_id"]
    shown = desk.pages(_language(request)).photo(source_id)
    if shown is None:
        raise NotThere(Sentence("the case has no such photo"))
    row = desk.read().row(source_id)
    if not _is_whole(desk) and row is not None:
        large, reader = desk.windows(), reader_of(desk, request)
        beside = [large.listing.rows[ordinal] for ordinal in large.beside(row)]
        pairs = dict.fromkeys(other for finding in shown["findings"] for other in finding["others"])
        others = filter(None, map(large.listing.row, list(pairs)[: windows.MOST_ROWS]))
        needed = {each.source_id: each for each in (row, *beside, *others)}
        shown["beside"] = [each.source_id for each in beside]
        shown["rows"] = rows_told(large, needed.values(), reader)
    return as_json(shown)


def _preview(desk: Desk, request: Request, _: Any) -> Response:
    """Answer with the re-encoded picture that the case keeps; the original is never opened."""
    listing = desk.read()
    row = listing.row(request.path_params["source_id"])
    picture = None if row is None else listing.view.picture_of(row.sha256)
    if picture is None:
        raise NotThere(Sentence("there is no picture of it"))
    return Response(picture, media_type="image/jpeg")


def _large(desk: Desk, request: Request, _: Any) -> Response:
    """Answer with a large picture made anew from the file, which is read as an audit reads it."""
    listing = desk.read()
    row = listing.row(request.path_params["source_id"])
    if row is None:
        raise NotThere(Sentence("the case has no such photo"))
    (entry,) = listing.view.entries_at([row.ordinal])
    made = desk.pictures.large(entry.photo.source)
    if not made.jpeg:
        raise NotThere(made.reason)
    return Response(made.jpeg, media_type="image/jpeg")


def _search(desk: Desk, request: Request, _: Any) -> Response:
    found = asking.found(desk.case, desk.read(), request.query_params)
    return as_json(plain(asking.told(found, _words(desk, request))))


MOST_PLACES = 12
"""Names of towns on a map at once."""


def _places(desk: Desk, request: Request, _: Any) -> Response:
    """Answer with the greatest towns of a window of the map."""
    names = ("south", "north", "west", "east")
    try:
        south, north, west, east = (float(request.query_params.get(name, "")) for name in names)
    except ValueError:
        south, north, west, east = (nan, nan, nan, nan)
    if not (-90 <= south <= north <= 90 and -360 <= west <= east <= 360):
        raise UsageError(Sentence("a window of the map is four numbers in degrees"))
    found = gazetteer.within(south_deg=south, north_deg=north, west_deg=west, east_deg=east, most=MOST_PLACES)
    return as_json(plain([[place.name, place.position.latitude_deg, place.position.longitude_deg] for place in found]))


def _compare(desk: Desk, request: Request, _: Any) -> Response:
    first, second = (request.query_params.get(name, "") for name in ("first", "second"))
    found = asking.compared(desk.case, first, second, watched=desk.read().watched)
    told = asking.difference(found)
    if not _is_whole(desk):
        names = {*found.new, *(other.name for other in found.other), *(is_now for _, is_now in found.moved)}
        told["ids"] = {row.name: row.source_id for row in desk.read().rows if row.name in names}
    return as_json(plain(told))


def _corrections(desk: Desk, request: Request, _: Any) -> Response:
    return as_json(plain(corrections.shown(desk.case, desk.read(), _words(desk, request))))


def _correct(desk: Desk, request: Request, body: dict[str, Any]) -> Response:
    _insist_on_writing(desk)
    listing, what, plan = desk.read(), request.path_params["what"], _text(body, "plan")
    words = _words(desk, request)
    done: Mapping[str, Any] = {}
    if what == "propose":
        corrections.propose(desk.case, desk.examiner, corrections.order_of(body, listing))
    elif what == "edit":
        new, locked = body.get("new"), body.get("locked")
        wanted = Edit(
            _text(body, "photo"),
            _text(body, "tag"),
            new=None if new is None else _text(body, "new"),
            locked=None if locked is None else locked is True,
            is_dropped=body.get("drop") is True,
        )
        corrections.edit(desk.case, desk.examiner, listing, wanted, plan=plan)
    elif what == "apply":
        done = corrections.told(corrections.apply(desk.case, desk.examiner, plan=plan), words)
    elif what == "undo":
        done = corrections.told(corrections.undo(desk.case, desk.examiner, _text(body, "transaction")), words)
    else:
        raise HTTPException(404, "there is no such correction")
    return as_json(plain({"done": done, **corrections.shown(desk.case, listing, words)}))


def _insist_on_writing(desk: Desk) -> None:
    if not desk.may_write:
        raise ReadOnly(Sentence("this review only reads; start it with --examiner NAME to decide"))


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise UsageError(f"{name} is no text")
    return value


def _number(body: Mapping[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise UsageError(f"{name} is no number")
    return value


def _decide(desk: Desk, _: Request, body: dict[str, Any]) -> Response:
    _insist_on_writing(desk)
    listing = desk.read()
    judgement, number = _text(body, "decision").upper(), _number(body, "cause")
    if judgement not in Judgement.__members__:
        raise UsageError(Sentence("there is no such decision"))
    kind = device = ""
    again = _number(body, "again")
    if again is not None:
        made = next((made for made in desk.case.view().decisions().made if made.number == again), None)
        if made is None or made.examiner != desk.examiner:
            raise UsageError(Sentence("there is no such decision"))
        keys, kind, device = tuple(member.key for member in made.members), made.cause, made.device_key
    elif number is not None:
        if not 1 <= number <= len(listing.groups):
            raise UsageError(Sentence("there is no such cause"))
        keys, cause = listing.members[number - 1], listing.groups[number - 1].cause
        kind, device = str(cause.kind), cause.device_key
    else:
        keys = tuple(_keys(body.get("findings")))
    members = listing.judged(keys)
    if members is None:
        raise UsageError(Sentence("there is no such finding"))
    decided = decisions.decide(
        desk.case,
        desk.examiner,
        Ruling(
            Judgement[judgement],
            members,
            _text(body, "examination"),
            because=_text(body, "because"),
            note=_text(body, "note"),
            cause=kind,
            device_key=device,
            replaces=_number(body, "replaces"),
        ),
    )
    return as_json({"event": decided.number})


def _keys(findings: object) -> Iterator[tuple[str, str]]:
    if not isinstance(findings, list):
        raise UsageError("findings is no list")
    for pair in findings:
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)):
            raise UsageError("a finding is a pair of photo and rule")
        yield pair[0], pair[1]


def _undo(desk: Desk, _: Request, body: dict[str, Any]) -> Response:
    _insist_on_writing(desk)
    number = _number(body, "event")
    if number is None:
        raise UsageError("event is no number")
    made = decisions.undo(desk.case, desk.examiner, number)
    return as_json({"event": made.undone_by})
