"""The server's interface, as far as it is used: one method for each call, plain records back, errors in words.

Only reading calls are tried again. A call that moves times by an amount is never repeated blindly:
whether it took effect is read back.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from gtloc_forensics.case.immich.assets import Asset, asset_of
from gtloc_forensics.errors import ServerFailed, UsageError

TIMEOUT_S = 60.0
PAGE = 250
TRIES = 3
REST_S = 1.0
BLOCK_BYTES = 1 << 20
LARGEST_ANSWER_BYTES = 64 << 20
AGAIN = frozenset((429, 502, 503, 504))
LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
OLDEST_MAJOR = 2
"""Of the server's versions: the calls used here are as in its published client 3.2.2."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key goes where the user said, nowhere else."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """Follow no redirect."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server and the key that opens it; the key is never shown, stored or logged.

    Args of the constructor: ``address`` as people know it (``https://photos.example.org``), ``key`` an API key with
    the rights asset.read, asset.download and, to write, asset.update and tag.*; ``is_plain_allowed`` lets the key
    travel unencrypted beyond this machine.
    """

    address: str
    key: str = field(repr=False)
    is_plain_allowed: bool = False

    def __post_init__(self) -> None:
        """Refuse an address that is none, or that would show the key to a whole network."""
        parts = urllib.parse.urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise UsageError(f"{self.address!r} is no address of a server; write https://photos.example.org")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK and not self.is_plain_allowed:
            raise UsageError(
                "the key would travel unencrypted; use https://, or say --plain if nobody else is on that network"
            )
        if not self.key or not self.key.isascii() or not self.key.isprintable():
            raise UsageError("no API key: make one in the server's account settings and put it in IMMICH_API_KEY")

    @property
    def base(self) -> str:
        """The address that calls begin with."""
        plain = self.address.rstrip("/")
        return plain if plain.endswith("/api") else f"{plain}/api"

    def version(self) -> str:
        """Return the server's version.

        Raises:
            ServerFailed: it cannot be reached, or is older than what was written for.
        """
        facts = self._json("GET", "/server/version")
        major = _field(facts, "major", int)
        if major < OLDEST_MAJOR:
            raise ServerFailed(f"the server is of version {major}; this program speaks with {OLDEST_MAJOR} and newer")
        return f"{major}.{_field(facts, 'minor', int)}.{_field(facts, 'patch', int)}"

    def assets(self, *, updated_after: str = "") -> Iterator[Asset]:
        """Yield photos and films, a page at a time, those in the bin left out."""
        page: str | None = "1"
        while page is not None:
            asked: dict[str, Any] = {"page": int(page), "size": PAGE, "order": "asc", "withExif": True}
            asked |= {"updatedAfter": updated_after} if updated_after else {}
            found = _field(self._json("POST", "/search/metadata", asked), "assets", dict)
            yield from (asset for item in _field(found, "items", list) if not (asset := asset_of(item)).is_trashed)
            following = found.get("nextPage")
            page = str(following) if following and following != page else None

    def asset(self, asset_id: str) -> Asset:
        """Return one photo as the server knows it now."""
        return asset_of(self._json("GET", f"/assets/{_quoted(asset_id)}"))

    def download(self, asset_id: str, target: Path) -> str:
        """Write the original's bytes to a new file and return their SHA-1, as the server counts it."""
        digest = hashlib.sha1(usedforsecurity=False)
        with self._open("GET", f"/assets/{_quoted(asset_id)}/original", None) as answer, target.open("xb") as file:
            while block := answer.read(BLOCK_BYTES):
                digest.update(block)
                file.write(block)
        return digest.hexdigest()

    def update_many(self, changes: Mapping[str, Any]) -> None:
        """Make the bulk call: ``ids`` with ``dateTimeRelative`` (minutes), ``timeZone``, or a place."""
        self._call("PUT", "/assets", changes)

    def update_one(self, asset_id: str, changes: Mapping[str, Any]) -> None:
        """Change one photo."""
        self._call("PUT", f"/assets/{_quoted(asset_id)}", changes)

    def tags(self, names: Sequence[str]) -> dict[str, str]:
        """Return the ids of tags by their path, made where they are not there."""
        made = self._json("PUT", "/tags", {"tags": list(names)})
        return {_field(tag, "value", str): _field(tag, "id", str) for tag in made}

    def tag(self, tag_id: str, asset_ids: Sequence[str]) -> None:
        """Put a tag on photos."""
        self._call("PUT", "/tags/assets", {"tagIds": [tag_id], "assetIds": list(asset_ids)})

    def untag(self, tag_id: str, asset_ids: Sequence[str]) -> None:
        """Take a tag off photos."""
        self._call("DELETE", f"/tags/{_quoted(tag_id)}/assets", {"ids": list(asset_ids)})

    # ----------------------------------------------------------------- how

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        reads = method == "GET" or path == "/search/metadata"
        raw = self._call(method, path, body, tries=TRIES if reads else 1)
        try:
            return json.loads(raw)
        except ValueError as error:
            raise ServerFailed(f"the server answered {method} {path} with something that is not JSON") from error

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None, *, tries: int = 1) -> bytes:
        for attempt in range(1, tries + 1):
            try:
                with self._open(method, path, body) as answer:
                    content: bytes = answer.read(LARGEST_ANSWER_BYTES + 1)
            except ServerFailed as error:
                if attempt == tries or not error.is_passing:
                    raise
                time.sleep(REST_S * attempt)
            else:
                if len(content) > LARGEST_ANSWER_BYTES:
                    raise ServerFailed(f"the server's answer to {method} {path} is larger than 64 MiB")
                return content
        raise AssertionError("a loop of at least one try ends above")

    def _open(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        headers = {"x-api-key": self.key, "Accept": "application/json", "User-Agent": "gtloc_forensics"}
        data = None if body is None else json.dumps(body).encode()
        headers |= {} if data is None else {"Content-Type": "application/json"}
        request = urllib.request.Request(self.base + path, data=data, headers=headers, method=method)
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if urllib.parse.urlsplit(self.base).hostname in LOOPBACK:
            handlers.append(urllib.request.ProxyHandler({}))
        try:
            return urllib.request.build_opener(*handlers).open(request, timeout=TIMEOUT_S)
        except urllib.error.HTTPError as error:
            with error:
                said = error.read(2000).decode("utf-8", "replace")
            raise ServerFailed(_refusal(method, path, error.code, said), is_passing=error.code in AGAIN) from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise ServerFailed(
                f"the server at {self.address} could not be reached ({reason})", is_passing=True
            ) from error


def _refusal(method: str, path: str, code: int, said: str) -> str:
    if code in (401, 403):
        return f"the server refuses the key for {method} {path} ({code}); give it the rights that docs/immich.md lists"
    return f"the server answered {code} to {method} {path}: {' '.join(said.split())[:200]}"


def _quoted(asset_id: str) -> str:
    return urllib.parse.quote(asset_id, safe="")


def _field(facts: Any, name: str, kind: type) -> Any:
    value = facts.get(name) if isinstance(facts, dict) else None
    if not isinstance(value, kind):
        raise ServerFailed(f"the server's answer lacks {name!r}; it may be of a version that is not known here")
    return value
