"""Telling others of findings: a command, a webhook, a note on the desktop. All off unless asked for.

A hook gets one JSON document and a time limit. What it says comes back as a
sentence for the log, never as an exception: a finding is in the case whether or not
anybody could be told. Messages are bounded per minute, nothing is sent twice, and a
hook that fails is left alone for a while, longer each time, so that a dead server
is not stormed.
"""

from __future__ import annotations

import http.client
import json
import os
import shlex
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlsplit

from gtloc_forensics.checks import plugins
from gtloc_forensics.checks.hooks import Message, NotifierKind
from gtloc_forensics.checks.hooks import Notifier as Hook
from gtloc_forensics.errors import UsageError
from gtloc_forensics.records import visible

TIMEOUT_SECONDS = 10.0
MOST_PER_MINUTE = 30
FIRST_REST_SECONDS = 5.0
LONGEST_REST_SECONDS = 600.0
LOOPBACK_HOSTS = frozenset(("localhost", "127.0.0.1", "::1"))
ANSWER_BYTES = 65_536


class HookFailed(Exception):
    """One delivery did not succeed; the text says why."""


@dataclass(frozen=True, slots=True)
class Command:
    """Runs a program with the message on its standard input; nothing of the message is in its arguments."""

    argv: tuple[str, ...]
    timeout_s: float = TIMEOUT_SECONDS

    @property
    def name(self) -> str:
        """How the log calls it."""
        return f"command {self.argv[0]}"

    def deliver(self, message: Message) -> None:
        """Run the program once; a program that takes too long is killed with all its children.

        Raises:
            HookFailed: when it cannot be started, takes too long or exits with a failure.
        """
        try:
            process = subprocess.Popen(
                self.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise HookFailed(f"it could not be started ({error.strerror})") from error
        try:
            process.communicate(_encoded(message), timeout=self.timeout_s)
        except subprocess.TimeoutExpired as error:
            raise HookFailed(f"it took longer than {self.timeout_s:g} s") from error
        finally:
            _end_group(process)
        if process.returncode:
            raise HookFailed(f"it ended with status {process.returncode}")


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts the message as JSON to an address the user named; redirects are not followed."""

    url: str
    timeout_s: float = TIMEOUT_SECONDS

    def __post_init__(self) -> None:
        """Refuse what is no address of a web server.

        Raises:
            UsageError: when it is not http(s), or names no host.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{self.url!r} is no address to post to; give one that begins with https:// or http://")

    @property
    def name(self) -> str:
        """How the log calls it: the host only, since paths and queries hold secrets."""
        return f"webhook {urlsplit(self.url).hostname}"

    def deliver(self, message: Message) -> None:
        """Post once.

        Raises:
            HookFailed: when the server cannot be reached or does not answer with 2xx.
        """
        headers = {"Content-Type": "application/json", "User-Agent": "gtloc_forensics"}
        request = urllib.request.Request(self.url, data=_encoded(message), headers=headers, method="POST")
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if urlsplit(self.url).hostname in LOOPBACK_HOSTS:
            handlers.append(urllib.request.ProxyHandler({}))
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=self.timeout_s) as answer:
                answer.read(ANSWER_BYTES)
        except urllib.error.HTTPError as error:
            raise HookFailed(f"it answered {error.code}") from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise HookFailed(f"it could not be reached ({reason})") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Findings go where the user said, nowhere else."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """Follow no redirect."""


@dataclass(frozen=True, slots=True)
class Desktop:
    """A note on the desktop of whoever runs the program, by notify-send."""

    program: str
    timeout_s: float = TIMEOUT_SECONDS

    @property
    def name(self) -> str:
        """How the log calls it."""
        return "desktop note"

    def deliver(self, message: Message) -> None:
        """Show the summary; names in it are made visible and marked up as text.

        Raises:
            HookFailed: when no desktop takes it.
        """
        text = visible(str(message.get("summary", "")))[:300]
        for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            text = text.replace(character, entity)
        argv = (self.program, "--app-name=gtloc", "--", "gtloc_forensics", text)
        Command(argv, self.timeout_s).deliver({})


def desktop() -> Desktop | None:
    """Return the desktop hook where there is a desktop and notify-send to reach it."""
    program = shutil.which("notify-send")
    session = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"))
    return Desktop(program) if program and session else None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one message: the names of the hooks that took it, and a sentence for each that failed."""

    taken: tuple[str, ...]
    troubles: tuple[str, ...]


class BuiltInNotifiers:
    """Our ways to tell, through the door that a plugin's come through."""

    @plugins.hookimpl
    def notifiers(self) -> Iterable[NotifierKind]:
        """Give the program, the webhook and the note on the desktop."""
        return (
            NotifierKind("program", lambda line: Command(tuple(shlex.split(line)))),
            NotifierKind("webhook", Webhook),
            NotifierKind("desktop", lambda _: desktop()),
        )


def chosen(asked: Iterable[tuple[str, str]], *, loaded: plugins.Loaded | None = None) -> list[Hook]:
    """Return the notifiers that were asked for by name; nothing is on that was not.

    Args:
        asked: (name of the kind, what stands behind it): ``("webhook", "https://…")``.
        loaded: what is plugged in; everything that is installed when left out.

    Raises:
        UsageError: there is no such kind, or a plugin's cannot be opened so.
    """
    wanted = list(asked)
    if not wanted:
        return []
    doors = plugins.load() if loaded is None else loaded
    doors.add_built_in("notifiers", BuiltInNotifiers())
    kinds: dict[str, tuple[str, NotifierKind]] = {}
    for plugin, kind in doors.ask_for(NotifierKind, "notifiers"):
        if kind.name in kinds:
            doors.note(plugin, f"its notifier {kind.name!r} has a name that is taken; give it another one")
        kinds.setdefault(kind.name, (plugin, kind))
    return [hook for name, target in wanted if (hook := _opened(kinds, name, target, doors.troubles)) is not None]


def _opened(
    kinds: Mapping[str, tuple[str, NotifierKind]], name: str, target: str, troubles: Mapping[str, str]
) -> Hook | None:
    if name not in kinds:
        failed = "".join(f"; plugin {plugin} {trouble}" for plugin, trouble in troubles.items())
        raise UsageError(f"no notifier is called {name!r}; choose one of {', '.join(sorted(kinds))}{failed}")
    plugin, kind = kinds[name]
    try:
        return kind.open(target)
    except (Exception, SystemExit) as error:
        if plugins.is_ours(plugin):
            raise
        raise UsageError(f"the plugin {plugin} cannot notify by {name} ({type(error).__name__}: {error})") from error


class Notifier:
    """Delivers messages to hooks, within bounds."""

    def __init__(
        self,
        hooks: Sequence[Hook],
        *,
        most_per_minute: int = MOST_PER_MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to tell *hooks*; *clock* counts seconds and only ever goes forward."""
        self._lines = [_Line(hook, most_per_minute) for hook in hooks]
        self._clock = clock

    def tell(self, message: Message) -> tuple[str, ...]:
        """Deliver one message to every hook that may have it now; return what went wrong, a sentence each.

        A message that is held back is not delivered later: the next one that is says
        in ``"held_back"`` how many were.
        """
        return self.deliver(message, to=self.names).troubles

    @property
    def names(self) -> tuple[str, ...]:
        """What the hooks are called, each once."""
        return tuple(dict.fromkeys(line.name for line in self._lines))

    def deliver(self, message: Message, *, to: Collection[str]) -> Delivery:
        """Deliver one message to the hooks of these names that may have it now; say which took it."""
        now = self._clock()
        taken: list[str] = []
        troubles: list[str] = []
        for line in self._lines:
            if line.name in to:
                trouble = line.tell(message, now)
                if trouble is None:
                    taken.append(line.name)
                elif trouble:
                    troubles.append(trouble)
        return Delivery(tuple(taken), tuple(troubles))


class _Line:
    """One hook, and how it behaved so far."""

    def __init__(self, hook: Hook, most_per_minute: int) -> None:
        self._hook = hook
        self._sent: deque[float] = deque(maxlen=most_per_minute)
        self._held_back = 0
        self._rest_s = 0.0
        self._rests_until = float("-inf")

    @property
    def name(self) -> str:
        return self._hook.name

    def tell(self, message: Message, now: float) -> str | None:
        """Return None when the hook took it, "" when it was held back, else what went wrong."""
        full = len(self._sent) == self._sent.maxlen and now - self._sent[0] < 60.0
        if full or now < self._rests_until:
            self._held_back += 1
            return ""
        self._sent.append(now)
        try:
            self._hook.deliver({**message, "held_back": self._held_back})
        except (Exception, SystemExit) as error:  # the border: HookFailed of ours, anything of a plugin's
            why = str(error) if isinstance(error, HookFailed) else f"{type(error).__name__}: {error}"
            self._held_back += 1
            self._rest_s = min(max(2 * self._rest_s, FIRST_REST_SECONDS), LONGEST_REST_SECONDS)
            self._rests_until = now + self._rest_s
            return f"{self._hook.name}: {why}; it is left alone for {self._rest_s:g} s"
        self._held_back, self._rest_s = 0, 0.0
        return None


def _encoded(message: Message) -> bytes:
    return json.dumps(message, ensure_ascii=True, default=str).encode() + b"\n"


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a process group and collect its leader."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
