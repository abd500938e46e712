"""The review service: on this machine only, until it is stopped or nobody asks any more."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.case.reviewing.desk import Desk
from gtloc_forensics.case.reviewing.guard import LONGEST_HEAD, Guard, Keys
from gtloc_forensics.case.reviewing.views import application

ADDRESS = "127.0.0.1"

SLOWEST_HEAD_S = 10.0
"""Within which the head of a request must have come."""

MOST_CONNECTIONS = 512

IDLE_S = 1_800.0
"""Without a request for so long, the service stops."""


class _Impatient(H11Protocol):
    """A connection that is closed when the head of its request does not come in time."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait on while the head is not whole."""
        if self._deadline is None:
            self._wait()
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._waited()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._waited()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(SLOWEST_HEAD_S, self._give_up)

    def _waited(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        self.transport.close()


class _Server(uvicorn.Server):
    """A server that says when it listens, and stops when it is told to or nobody asks."""

    def __init__(
        self,
        config: uvicorn.Config,
        keys: Keys,
        *,
        announce: Callable[[str], None],
        stop: threading.Event,
        halt: Callable[[], None],
        idle_s: float,
    ) -> None:
        super().__init__(config)
        self._keys = keys
        self._announce = announce
        self._stop = stop
        self._halt = halt
        self._idle_s = idle_s

    async def startup(self, sockets: Any = None) -> None:
        """Listen, then say where."""
        await super().startup(sockets=sockets)
        if self.started:
            self._keys.port = self.servers[0].sockets[0].getsockname()[1]
            self._keys.last_seen = time.monotonic()
            self._announce(self._keys.link)

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop."""
        if self._stop.is_set() or time.monotonic() - self._keys.last_seen > self._idle_s:
            self._halt()  # an answer that is still being made would be waited for
            return True
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the program: it sets *stop*."""
        yield


def serve(
    case: CaseFolder,
    *,
    examiner: str = "",
    language: str = "en",
    idle_s: float = IDLE_S,
    announce: Callable[[str], None],
    stop: threading.Event,
) -> None:
    """Serve the case on a free port until *stop* is set or nobody asked for *idle_s* seconds.

    Args:
        case: with a completed examination.
        examiner: who decides; without a name nothing is written.
        language: of the pages when they are opened.
        idle_s: seconds without a request after which to stop.
        announce: is told the link, which works once, as soon as it can be opened.
        stop: set it to end the service.

    Raises:
        CaseError: no examination was completed.
        UsageError: there are no pages in that language.
    """
    from gtloc_forensics.case.reviewing.languages import page_words

    page_words(language)
    case.view()
    keys = Keys()
    desk = Desk(case, examiner=examiner.strip(), language=language)
    config = uvicorn.Config(
        Guard(application(desk), keys),
        host=ADDRESS,
        port=0,
        http=_Impatient,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=LONGEST_HEAD,
    )
    try:
        _Server(config, keys, announce=announce, stop=stop, halt=desk.halt, idle_s=idle_s).run()
    finally:
        desk.close()
