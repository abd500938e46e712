"""Waiting for the server's workflows: a small listener that takes one kind of message and says nothing.

A message is a hint that something is new, never an order: what is fetched, and from where, was named on the command
line. So a forged one costs at most a look at the server.
"""

from __future__ import annotations

import hmac
import http.server
import threading
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gtloc_forensics.errors import UsageError

LARGEST_MESSAGE_BYTES = 1 << 20
SLOWEST_S = 10.0
FEWEST_TOKEN_LETTERS = 16


class Listener:
    """Listens for messages until closed; :meth:`wait` returns once one came, or time is up."""

    def __init__(self, host: str, port: int, token: str) -> None:
        """Listen on an address of this machine.

        Raises:
            UsageError: the token is too short to be one.
            OSError: the address cannot be had.
        """
        if len(token) < FEWEST_TOKEN_LETTERS:
            raise UsageError(f"a token of at least {FEWEST_TOKEN_LETTERS} letters keeps strangers from knocking")
        self._rung = threading.Event()
        rung = self._rung

        class Handler(_Handler):
            bell = rung
            secret = token

        self._server = http.server.ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/"

    def wait(self, seconds: float) -> bool:
        """Return whether a message came within that time; messages that came together count once."""
        came = self._rung.wait(seconds)
        self._rung.clear()
        return came

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    """Takes a POST with the token as a bearer, or as ``?token=``; answers without a body."""

    bell: threading.Event
    secret: str
    timeout = SLOWEST_S

    def do_POST(self) -> None:
        """Ring the bell for whoever has the token."""
        try:
            length = int(self.headers.get("Content-Length") or "0")
        except ValueError:
            length = -1
        if not 0 <= length <= LARGEST_MESSAGE_BYTES:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        self.rfile.read(length)
        bearer = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        asked = parse_qs(urlsplit(self.path).query).get("token", [""])[0]
        if any(hmac.compare_digest(given.encode(), self.secret.encode()) for given in (bearer, asked)):
            self.bell.set()
            self._answer(HTTPStatus.NO_CONTENT)
        else:
            self._answer(HTTPStatus.FORBIDDEN)

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response_only(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a message holds the token."""
