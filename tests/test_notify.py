"""Hooks on findings: told once, within bounds, and never able to stop a run."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from gtloc_forensics.case import notify
from gtloc_forensics.case.notify import Command, Desktop, HookFailed, Message, Notifier, Webhook
from gtloc_forensics.errors import UsageError

MESSAGE = {"summary": "IMG_1.jpg: the clock is 6 h ahead", "check": "GF205", "photos": ["a\udcff.jpg", "b\u202e.jpg"]}


class Recording:
    """A hook that remembers, and fails when told to."""

    name = "recording"

    def __init__(self) -> None:
        self.told: list[Message] = []
        self.broken = False

    def deliver(self, message: Message) -> None:
        self.told.append(message)
        if self.broken:
            raise HookFailed("it is broken")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


# --------------------------------------------------------------------------- command


def python(program: str, **options: float) -> Command:
    return Command((sys.executable, "-c", program), **options)


def test_a_command_gets_the_message_on_its_input(tmp_path: Path) -> None:
    out = tmp_path / "out"
    python(f"import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, open({str(out)!r}, 'wb'))").deliver(MESSAGE)
    assert json.loads(out.read_bytes()) == MESSAGE


def test_a_command_that_reads_nothing_is_no_failure() -> None:
    python("pass").deliver({"summary": "x" * 1_000_000})


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (python("raise SystemExit(3)"), "status 3"),
        (Command(("/nothing/here",)), "could not be started"),
    ],
)
def test_a_command_that_fails_says_how(command: Command, why: str) -> None:
    with pytest.raises(HookFailed, match=why):
        command.deliver(MESSAGE)


def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    program = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(pid_file)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    with pytest.raises(HookFailed, match="longer than 2 s"):
        python(program, timeout_s=2.0).deliver(MESSAGE)
    child = int(pid_file.read_text())
    for _ in range(200):
        if not Path(f"/proc/{child}").exists() or " Z " in Path(f"/proc/{child}/stat").read_text():
            return
        time.sleep(0.02)
    pytest.fail("the child still runs")


# --------------------------------------------------------------------------- webhook


class Server(HTTPServer):
    """A web server on a port of its own that answers as a test wants."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[tuple[str, bytes]] = []
        self.answer = 200
        self.delay_s = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?token=secret"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, body))
        time.sleep(self.server.delay_s)
        self.send_response(self.server.answer)
        if self.server.answer in (302, 307):
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_webhook_gets_the_message_as_json(server: Server) -> None:
    Webhook(server.url).deliver(MESSAGE)
    ((path, body),) = server.received
    assert path == "/hook?token=secret"
    assert json.loads(body) == MESSAGE


@pytest.mark.parametrize("answer", [302, 307, 404, 500])
def test_any_answer_but_a_success_is_a_failure_and_redirects_are_not_followed(server: Server, answer: int) -> None:
    server.answer = answer
    with pytest.raises(HookFailed, match=f"answered {answer}"):
        Webhook(server.url).deliver(MESSAGE)
    assert [path for path, _ in server.received] == ["/hook?token=secret"]


def test_a_server_that_is_not_there_is_a_failure() -> None:
    with pytest.raises(HookFailed, match="could not be reached"):
        Webhook("http://127.0.0.1:9/").deliver(MESSAGE)


def test_a_server_that_does_not_answer_is_given_up(server: Server) -> None:
    server.delay_s = 1.0
    with pytest.raises(HookFailed, match="could not be reached"):
        Webhook(server.url, timeout_s=0.2).deliver(MESSAGE)


def test_a_loopback_address_is_reached_without_a_proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    Webhook(server.url).deliver(MESSAGE)
    assert len(server.received) == 1


@pytest.mark.parametrize("url", ["ftp://x/", "file:///etc/passwd", "x", "", "http://", "https:///path"])
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="no address"):
        Webhook(url)


def test_the_log_does_not_learn_the_secret_part_of_an_address() -> None:
    assert Webhook("https://user:pass@example.org/hook?token=secret").name == "webhook example.org"


# --------------------------------------------------------------------------- desktop


def test_a_desktop_note_shows_the_summary_as_plain_text(tmp_path: Path) -> None:
    program = tmp_path / "notify-send"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/out"\n')
    program.chmod(0o755)
    Desktop(str(program)).deliver({"summary": '-a <img src="x"> & \u202e\n.jpg'})
    shown = (tmp_path / "out").read_text().splitlines()
    assert shown == [
        "--app-name=gtloc",
        "--",
        "gtloc_forensics",
        '-a &lt;img src="x"&gt; &amp; \\u202e\\n.jpg',
    ]


def test_there_is_no_desktop_hook_without_a_desktop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    program = tmp_path / "notify-send"
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.environ["PATH"])
    assert notify.desktop() is None
    monkeypatch.setenv("DISPLAY", ":0")
    assert notify.desktop() == Desktop(str(program))


# --------------------------------------------------------------------------- bounds


def test_every_hook_is_told(clock: Clock) -> None:
    hooks = [Recording(), Recording()]
    assert Notifier(hooks, clock=clock).tell(MESSAGE) == ()
    assert [hook.told for hook in hooks] == [[{**MESSAGE, "held_back": 0}]] * 2


def test_a_flood_is_held_back_and_counted(clock: Clock) -> None:
    hook = Recording()
    notifier = Notifier([hook], most_per_minute=5, clock=clock)
    for _ in range(100):
        notifier.tell(MESSAGE)
    assert len(hook.told) == 5
    clock.now = 60.0
    notifier.tell(MESSAGE)
    assert hook.told[-1]["held_back"] == 95
    notifier.tell(MESSAGE)
    assert hook.told[-1]["held_back"] == 0


def test_a_broken_hook_is_left_alone_longer_each_time(clock: Clock) -> None:
    hook = Recording()
    hook.broken = True
    notifier = Notifier([hook], clock=clock)
    attempts = []
    for second in range(4000):
        clock.now = float(second)
        before = len(hook.told)
        notifier.tell(MESSAGE)
        if len(hook.told) > before:
            attempts.append(second)
    assert attempts[:6] == [0, 5, 15, 35, 75, 155]
    assert attempts[-1] - attempts[-2] == 600
    hook.broken = False
    clock.now = 10_000.0
    assert notifier.tell(MESSAGE) == ()
    assert hook.told[-1]["held_back"] == 4000


def test_one_broken_hook_does_not_silence_the_others(clock: Clock) -> None:
    broken, sound = Recording(), Recording()
    broken.broken = True
    notifier = Notifier([broken, sound], clock=clock)
    assert notifier.tell(MESSAGE) == ("recording: it is broken; it is left alone for 5 s",)
    assert notifier.tell(MESSAGE) == ()
    assert len(sound.told) == 2
