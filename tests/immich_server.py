"""A server like Immich as far as this program speaks with it, on loopback; it refuses what its types do not have.

It keeps an instant and a zone, as the real one does: a shift moves the instant, a zone changes the wall clock.
Jobs can be late, a library read-only, and a later job can undo what was set.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import re
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

CONTRACT = json.loads((Path(__file__).parent / "immich_contract.json").read_text(encoding="utf-8"))
KEY = "a-key-of-sixteen-letters"
KINDS = {"string": str, "number": (int, float), "boolean": bool, "string[]": list, "AssetOrder": str}


@dataclass
class Photo:
    """One photo of the server."""

    asset_id: str
    path: str
    content: bytes
    utc: datetime
    zone: str = "UTC"
    position: tuple[float, float] | None = None
    is_read_only: bool = False
    is_trashed: bool = False
    tags: set[str] = field(default_factory=set)
    seen_before: int = 0  # looks that still show the old state: the server's jobs are late
    shown: dict[str, Any] = field(default_factory=dict)

    @property
    def local(self) -> datetime:
        return self.utc.astimezone(zone_of(self.zone))


def zone_of(name: str) -> Any:
    found = re.fullmatch(r"UTC([+-])(\d+)(?::(\d\d))?", name)
    if found:
        minutes = int(found[2]) * 60 + int(found[3] or 0)
        return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))
    return ZoneInfo(name)


class FakeServer:
    """Runs while used as a context; ``photos`` by id, ``asked`` every call as (method, path, body)."""

    def __init__(self, *photos: Photo, late: int = 0) -> None:
        self.photos = {photo.asset_id: photo for photo in photos}
        self.late = late
        self.tags: dict[str, str] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.failures: list[int] = []  # status codes for the next calls
        self.version = (3, 2, 2)
        self.is_bulk_odd = False  # a version that reads the amount as seconds
        handler = type("Handler", (_Handler,), {"fake": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True

    def __enter__(self) -> FakeServer:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, method: str, path: str, body: Any) -> Any:
        """Return what a call is answered with; bytes as they are, all else as JSON."""
        if path == "/server/version":
            return dict(zip(("major", "minor", "patch"), self.version, strict=True)) | {"prerelease": None}
        if path == "/search/metadata":
            return self._search(checked(body, "MetadataSearchDto"))
        if (method, path) == ("PUT", "/assets"):
            return self._bulk(checked(body, "AssetBulkUpdateDto"))
        if (method, path) == ("PUT", "/tags"):
            names = checked(body, "TagUpsertDto")["tags"]
            return [self._tag(name) for name in names]
        if (method, path) == ("PUT", "/tags/assets"):
            checked(body, "TagBulkAssetsDto")
            for asset_id in body["assetIds"]:
                self.photos[asset_id].tags |= {self.tags[tag_id] for tag_id in body["tagIds"]}
            return {"count": len(body["assetIds"])}
        if found := re.fullmatch(r"/tags/([^/]+)/assets", path):
            for asset_id in checked(body, "BulkIdsDto")["ids"]:
                self.photos[asset_id].tags.discard(self.tags[found[1]])
            return []
        asset_id, _, rest = path.removeprefix("/assets/").partition("/")
        photo = self.photos[asset_id]
        if rest == "original":
            return photo.content
        if method == "PUT":
            self._whole(photo, checked(body, "UpdateAssetDto"))
        return self._shown(photo)

    def _search(self, body: dict[str, Any]) -> Any:
        found = sorted(self.photos.values(), key=lambda photo: photo.asset_id)
        size, page = body["size"], body["page"]
        items = [described(photo) for photo in found[(page - 1) * size : page * size]]
        following = str(page + 1) if page * size < len(found) else None
        assets = {"count": len(items), "total": len(found), "facets": [], "items": items, "nextCursor": None}
        return {"albums": {}, "assets": assets | {"nextPage": following}}

    def _tag(self, name: str) -> dict[str, str]:
        tag_id = (
            f"tag-{len(self.tags)}"
            if name not in self.tags.values()
            else next(k for k, v in self.tags.items() if v == name)
        )
        self.tags[tag_id] = name
        return {"id": tag_id, "name": name.rpartition("/")[2], "value": name, "createdAt": "", "updatedAt": ""}

    def _bulk(self, body: dict[str, Any]) -> Any:
        for asset_id in body["ids"]:
            photo = self.photos[asset_id]
            self._before(photo)
            if photo.is_read_only:
                continue
            amount = body.get("dateTimeRelative", 0)
            photo.utc += timedelta(seconds=amount) if self.is_bulk_odd else timedelta(minutes=amount)
            photo.zone = body.get("timeZone", photo.zone)
        return b""

    def _whole(self, photo: Photo, body: dict[str, Any]) -> None:
        self._before(photo)
        if photo.is_read_only:
            return
        if "dateTimeOriginal" in body:
            moment = datetime.fromisoformat(body["dateTimeOriginal"])
            offset = moment.utcoffset() or timedelta(0)
            minutes = round(offset.total_seconds() / 60)
            sign, size = "-" if minutes < 0 else "+", abs(minutes)
            photo.utc = moment.astimezone(UTC)
            photo.zone = f"UTC{sign}{size // 60}" + (f":{size % 60:02d}" if size % 60 else "")
        if "latitude" in body:
            photo.position = (body["latitude"], body["longitude"])

    def _before(self, photo: Photo) -> None:
        photo.shown, photo.seen_before = described(photo), self.late

    def _shown(self, photo: Photo) -> dict[str, Any]:
        if photo.seen_before:
            photo.seen_before -= 1
            return photo.shown
        return described(photo)


def described(photo: Photo) -> dict[str, Any]:
    """Return a photo as the server describes it."""
    local = photo.local.replace(tzinfo=None)
    place = photo.position or (None, None)
    zulu = photo.utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "id": photo.asset_id,
        "checksum": base64.b64encode(hashlib.sha1(photo.content).digest()).decode(),
        "originalFileName": photo.path.rpartition("/")[2],
        "originalPath": photo.path,
        "localDateTime": local.isoformat(timespec="milliseconds") + "Z",
        "fileCreatedAt": zulu,
        "libraryId": "external" if photo.is_read_only else None,
        "isTrashed": photo.is_trashed,
        "updatedAt": "2026-11-01T00:00:00.000Z",
        "exifInfo": {"dateTimeOriginal": zulu, "timeZone": photo.zone, "latitude": place[0], "longitude": place[1]},
    }


def checked(body: Any, name: str) -> dict[str, Any]:
    """Return the body of a call that holds what the published type has, and nothing else."""
    members = {word.rstrip("?"): (word.endswith("?"), kind) for word, kind in CONTRACT["sent"][name].items()}
    for word, value in body.items():
        assert word in members, f"{name} has no {word}"
        assert isinstance(value, KINDS[members[word][1]]), f"{name}.{word} is no {members[word][1]}"
    assert all(word in body or is_optional for word, (is_optional, _) in members.items()), body
    return body


class _Handler(http.server.BaseHTTPRequestHandler):
    fake: FakeServer

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        path = self.path.removeprefix("/api")
        self.fake.asked.append((self.command, path, body))
        if self.headers.get("x-api-key") != KEY:
            self._reply(401, b'{"message":"Invalid API key"}')
        elif self.fake.failures:
            self._reply(self.fake.failures.pop(0), b"busy")
        else:
            try:
                answer = self.fake.answer(self.command, path, body)
            except (AssertionError, KeyError) as error:
                self._reply(400, str(error).encode())
                return
            self._reply(200, answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def _reply(self, status: int, content: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
