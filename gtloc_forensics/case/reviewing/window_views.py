"""What a page asks for of a large case: rows, what is next, the dots of map and timeline."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gtloc_forensics.case.reviewing import windows as limits
from gtloc_forensics.case.reviewing.desk import Desk
from gtloc_forensics.case.reviewing.pages import brief, dumped, plain
from gtloc_forensics.case.reviewing.reading import Row
from gtloc_forensics.case.reviewing.windows import Reader, Wanted, Windows, said

JSON = "application/json"


def as_json(value: Any, status: int = 200) -> Response:
    """Return an answer of JSON."""
    return Response(dumped(value), status_code=status, media_type=JSON)


def reader_of(desk: Desk, request: Request) -> Reader:
    """Return who looks, and whether they asked for what others decided."""
    return Reader(desk.examiner, request.query_params.get("others") == "1")


def number_at(request: Request, name: str) -> int:
    """Return a number of the address; 0 where there is none."""
    text = request.query_params.get(name, "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 12 else 0


def rows_told(windows: Windows, rows: Iterable[Row], reader: Reader) -> list[dict[str, Any]]:
    """Return rows with what the reader sees of the decisions on them."""
    shown = windows.standings(reader).shown
    told = []
    for row in rows:
        keys = {check: (row.source_id, check) for check in row.outcomes}
        decided = {check: [said(item) for item in shown[key]] for check, key in keys.items() if key in shown}
        told.append(plain(brief(row) | ({"said": decided} if decided else {})))
    return told


def rows(desk: Desk, request: Request, _: Any) -> Response:
    """Answer with a window of the list, or with the rows that are named by their ids or numbers."""
    windows, reader, asked = desk.windows(), reader_of(desk, request), request.query_params
    every, most = windows.listing.rows, limits.MOST_ROWS
    if "ids" in asked:
        named = filter(None, map(windows.listing.row, asked["ids"].split(",")[:most]))
        return as_json({"rows": rows_told(windows, named, reader)})
    if "row" in asked:
        number = number_at(request, "row")
        return as_json({"rows": rows_told(windows, every[number : number + 1], reader)})
    order = windows.order(Wanted.of(asked), reader)
    first, chosen = number_at(request, "first"), windows.listing.row(asked.get("at", ""))
    at = order.index(chosen.ordinal) if chosen is not None and chosen.ordinal in order else -1
    if "at" in asked:
        first = max(0, at - most // 4)
    shown = rows_told(windows, (every[ordinal] for ordinal in order[first : first + most]), reader)
    return as_json({"total": len(order), "first": first, "at": at, "rows": shown})


def aside(desk: Desk, request: Request, _: Any) -> Response:
    """Answer with the photos before and after one in the list that it was opened from."""
    asked = request.query_params
    return as_json(desk.windows().aside(asked.get("photo", ""), Wanted.of(asked), reader_of(desk, request)))


def following(desk: Desk, request: Request, _: Any) -> Response:
    """Answer with the next undecided finding."""
    windows, reader, asked = desk.windows(), reader_of(desk, request), request.query_params
    left, work = windows.left(reader)
    found = windows.next(asked.get("photo", ""), asked.get("check", ""), reader)
    return as_json({"next": list(found) if found else None, "left": left, "work": work})


def points(desk: Desk, request: Request, _: Any) -> Response:
    """Answer with what map and timeline draw."""
    return as_json(plain(desk.windows().points(request.query_params.get("device"))))
