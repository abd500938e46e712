"""Who may ask the review service, and how: the one door in front of every page.

The service listens on this machine only, yet every page that a browser has open can send
requests there, and a name that an attacker owns can be made to point there. So a
request is answered only when it names the service's own address (no rebinding), brings the
cookie that a link of one use gave, comes from the service's own pages, and, where it
writes, bears a header that no foreign form can set.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-gtloc-review"
"""Which a request that writes must bear: a form of another site cannot set it."""

ENTRY = "/enter"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""On every answer, refusals among them."""

LONGEST_HEAD = 16_384
"""Bytes of a request's head."""

_TOKEN_BYTES = 24


class Keys:
    """The secrets of one run: a link of one use, and the cookie that it is exchanged for."""

    def __init__(self) -> None:
        """Draw them anew."""
        self.cookie_name = f"gtloc_{secrets.token_hex(8)}"  # cookies know no ports: other runs have other names
        self.cookie = secrets.token_urlsafe(_TOKEN_BYTES)
        self.port = 0
        self.last_seen = time.monotonic()
        self._token = secrets.token_urlsafe(_TOKEN_BYTES)

    @property
    def link(self) -> str:
        """What the examiner opens; works once."""
        return f"http://127.0.0.1:{self.port}{ENTRY}?token={self._token}"

    @property
    def hosts(self) -> frozenset[str]:
        """The names under which the service may be asked."""
        return frozenset({f"127.0.0.1:{self.port}", f"localhost:{self.port}"})

    def spend(self, token: str) -> bool:
        """Whether *token* is that of the link; if so it is spent."""
        if not self._token or not hmac.compare_digest(token.encode(), self._token.encode()):
            return False
        self._token = ""
        return True

    def knows(self, cookies: str) -> bool:
        """Whether a header of cookies holds ours."""
        try:
            found = SimpleCookie(cookies).get(self.cookie_name)
        except CookieError:
            return False
        return found is not None and hmac.compare_digest(found.value.encode(), self.cookie.encode())


class Guard:
    """Lets through what may be asked and sets the headers of every answer."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        """Stand before *app*."""
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # a web socket is closed without a word

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message["headers"] if name.decode() not in HEADERS]
                ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*kept, *ours]}
            await send(message)

        answer = self._answer(scope)
        if answer is not None:
            await answer(scope, receive, with_headers)
            return
        self._keys.last_seen = time.monotonic()
        await self._app(scope, receive, with_headers)

    def _answer(self, scope: Scope) -> Response | None:
        """Return a refusal or the exchange of the link; None when the request may go on."""
        headers, refused = _single(scope), None
        if headers is None or headers.get("host") not in self._keys.hosts:
            return _refusal(400, "this service answers only under its own address")
        if sum(len(name) + len(value) for name, value in scope["headers"]) > LONGEST_HEAD:
            return _refusal(431, "the head of the request is too large")
        site = headers.get("sec-fetch-site", "none")
        origin = headers.get("origin")
        if site not in ("none", "same-origin") or (origin is not None and origin not in self._origins()):
            return _refusal(403, "a page of another site may not ask here; paste the link into the address bar")
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return _refusal(405, "there is no such request")
        if scope["path"] == ENTRY and scope["method"] == "GET":
            return self._entered(scope)
        if not self._keys.knows(headers.get("cookie", "")):
            return _refusal(403, "open the link that gtloc review printed; it works once")
        if scope["method"] == "POST" and (
            headers.get(HEADER) != "1" or headers.get("content-type") != "application/json"
        ):
            refused = _refusal(403, "only the pages of this service may write")
        return refused

    def _origins(self) -> frozenset[str]:
        return frozenset(f"http://{host}" for host in self._keys.hosts)

    def _entered(self, scope: Scope) -> Response:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
        if len(given) != 1 or not self._keys.spend(given[0]):
            return _refusal(403, "this link was used before or is wrong; start gtloc review again for a new one")
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(self._keys.cookie_name, self._keys.cookie, httponly=True, samesite="strict", path="/")
        return answer


def _single(scope: Scope) -> Mapping[str, str] | None:
    """Return the headers by name; None when one that decides stands there twice."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name in found and name in ("host", "origin", "sec-fetch-site", HEADER, "content-type"):
            return None
        found[name] = f"{found[name]}; {value}" if name == "cookie" and name in found else value
    return found


def _refusal(status: int, words: str) -> Response:
    return PlainTextResponse(f"{words}\n", status_code=status)
