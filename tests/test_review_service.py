"""The review service answers its own pages on this machine, and nobody and nothing else."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from test_case import snapshot

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.cli.exits import ExitCode
from gtloc_forensics.examination.settings import Settings

pytest.importorskip("starlette", reason="the extra review is not installed")
pytest.importorskip("uvicorn", reason="the extra review is not installed")

from gtloc_forensics.case.reviewing import server, views
from gtloc_forensics.case.reviewing.guard import HEADERS

EXAMPLE = Path(__file__).parents[1] / "examples" / "case_folder"
HOSTILE = "<img src=x onerror=alert(1)>\u202egpj.jpg"


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Audit seven photos and one with hostile names and tags; return the folder of evidence and case."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(EXAMPLE / "nordvale", folder / "evidence")
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x010E] = "<script>alert(1)</script>", "</script><b>", "{{ 7*7 }}"
    exif.get_ifd(0x8769)[0x9003] = "2024:06:15 12:00:30"
    Image.effect_noise((96, 64), 30).convert("RGB").save(
        folder / "evidence" / HOSTILE.replace("/", "_"), "JPEG", exif=exif
    )
    with open_case(folder / "evidence", folder / "case") as case:
        case.audit(Settings(model="none", jobs=0))
    return folder


@dataclass
class Browser:
    """What a browser would send, as far as the service can see."""

    port: int
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        sent = {"Host": f"127.0.0.1:{self.port}", **({"Cookie": self.cookie} if self.cookie else {}), **self.headers}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value:
                    connection.putheader(name, value)
            if data is not None:
                connection.putheader("Content-Length", str(len(data)))
            connection.endheaders(data)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        return self.ask("GET", path, **headers)

    def json(self, path: str) -> Any:
        for _ in range(200):
            status, _, body = self.get(path)
            if status not in (202, 503):
                assert status == 200, body
                return json.loads(body)
            time.sleep(0.1)
        raise AssertionError("the case was never read")

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        sent = {"X_Gtloc_Review": "1", "Content_Type": "application/json", "Sec_Fetch_Site": "same-origin"} | headers
        status, _, answer = self.ask("POST", path, body, **sent)
        return status, answer

    def enter(self, link: str) -> int:
        parts = urlsplit(link)
        status, headers, _ = self.get(f"{parts.path}?{parts.query}", Sec_Fetch_Site="none")
        if status == 303:
            assert headers["location"] == "/"
            said = headers["set-cookie"]
            assert "HttpOnly" in said and "samesite=strict" in said.lower() and "Domain" not in said
            self.cookie = said.split(";")[0]
        return status


class Running:
    """A service in a thread of this process."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.link = ""
        self.stop = threading.Event()
        started = threading.Event()

        def announce(link: str) -> None:
            self.link = link
            started.set()

        def run() -> None:
            with Case(folder) as case:
                case.review(announce=announce, stop=self.stop, **options)

        self.thread = threading.Thread(target=run)
        self.thread.start()
        assert started.wait(30)
        self.port = urlsplit(self.link).port or 0

    def end(self) -> None:
        self.stop.set()
        self.thread.join(30)
        assert not self.thread.is_alive()


@pytest.fixture
def folder(examined: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return Path(shutil.copytree(examined / "case", tmp_path / "case"))


@pytest.fixture
def running(folder: Path) -> Iterator[Running]:
    service = Running(folder, examiner="A. Reader")
    yield service
    service.end()


@pytest.fixture
def reader(running: Running) -> Browser:
    browser = Browser(running.port)
    assert browser.enter(running.link) == 303
    return browser


# --------------------------------------------------------------------------- who may ask


def test_nothing_is_answered_without_the_cookie_that_the_link_gives_once(running: Running) -> None:
    stranger = Browser(running.port)
    for path in ("/", "/review.js", "/data/case", "/preview/x", "/nothing"):
        assert stranger.get(path)[0] == 403, path
    assert Browser(running.port).enter(running.link + "x") == 403
    first, second = Browser(running.port), Browser(running.port)
    assert first.enter(running.link) == 303
    assert second.enter(running.link) == 403, "the link works once"
    assert first.get("/")[0] == 200
    name, _, value = first.cookie.partition("=")
    assert Browser(running.port, f"{name}x={value}").get("/")[0] == 403
    assert Browser(running.port, f"{name}={value[:-1]}").get("/")[0] == 403
    assert len(value) >= 32 and len(re.findall(r"token=(.+)", running.link)[0]) >= 32


def test_a_name_that_points_here_is_no_way_in(reader: Browser) -> None:
    for host in (
        "evil.example",
        f"evil.example:{reader.port}",
        "127.0.0.1",
        f"127.0.0.1.evil.example:{reader.port}",
        "",
    ):
        assert reader.get("/", Host=host)[0] == 400, host
    assert reader.get("/", Host=f"localhost:{reader.port}")[0] == 200


def test_another_site_can_neither_read_nor_write(reader: Browser) -> None:
    examination = reader.json("/data/case")["examination"]
    decision = {"decision": "dismissed", "cause": 1, "examination": examination}
    for site in ("cross-site", "same-site"):
        assert reader.get("/data/case", Sec_Fetch_Site=site)[0] == 403
        assert reader.post("/decide", decision, Sec_Fetch_Site=site)[0] == 403
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{reader.port}"):
        assert reader.post("/decide", decision, Origin=origin)[0] == 403
    assert reader.post("/decide", decision, X_Gtloc_Review="")[0] == 403, "no own header"
    assert reader.post("/decide", decision, Content_Type="text/plain")[0] == 403, "what a form can send"
    assert reader.json("/data/decisions")["made"] == []
    assert reader.post("/decide", decision, Origin=f"http://127.0.0.1:{reader.port}")[0] == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_no_other_method_is_there(reader: Browser, method: str) -> None:
    assert reader.ask(method, "/")[0] == 405


def test_it_listens_on_this_machine_only(running: Running) -> None:
    listening = Path("/proc/net/tcp").read_text() if Path("/proc/net/tcp").exists() else ""
    if not listening:
        pytest.skip("the system does not tell who listens")
    ours = [line.split()[1] for line in listening.splitlines()[1:] if line.split()[3] == "0A"]
    assert f"0100007F:{running.port:04X}" in ours and f"00000000:{running.port:04X}" not in ours


# --------------------------------------------------------------------------- what is answered


def test_every_answer_forbids_what_is_not_ours(reader: Browser, running: Running) -> None:
    answers = [
        reader.get("/"),
        reader.get("/data/case"),
        reader.get("/no such page".replace(" ", "%20")),
        Browser(running.port).get("/"),
        reader.get("/", Host="evil.example"),
    ]
    for status, headers, _ in answers:
        for name, value in HEADERS.items():
            assert headers.get(name) == value, (status, name)
        assert "server" not in headers and "access-control-allow-origin" not in headers
    policy = HEADERS["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "http" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "/../case.sqlite",
        "/..%2fcase.sqlite",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/review.js/../../en.toml",
        "/preview/..%2f..%2fevidence%2fNV000120.JPG",
        "/preview/%00",
        "/data/photo/../../etc/passwd",
        "/en.toml",
        "//etc/passwd",
        "/data/photo/" + "a" * 4000,
        "/data/photo/'%20OR%201=1--",
    ],
)
def test_no_address_becomes_a_path(reader: Browser, path: str) -> None:
    reader.json("/data/case")
    status, _, body = reader.get(path)
    assert status in (400, 404), body[:80]
    assert b"root:" not in body and b"SQLite" not in body


def test_the_originals_are_never_sent_and_the_pictures_bear_no_tags(reader: Browser, examined: Path) -> None:
    case = reader.json("/data/case")
    originals = {path.read_bytes() for path in (examined / "evidence").iterdir()}
    for photo in case["photos"]:
        status, headers, body = reader.get(f"/preview/{photo['id']}")
        assert status == 200 and headers["content-type"] == "image/jpeg"
        assert body.startswith(b"\xff\xd8") and body not in originals and b"Exif" not in body[:64]


def test_a_large_picture_is_made_anew_without_tags_and_only_of_the_bytes_that_were_examined(
    reader: Browser, examined: Path
) -> None:
    before = snapshot(examined / "evidence")
    photos = reader.json("/data/case")["photos"]
    status, headers, body = reader.get(f"/large/{photos[-1]['id']}")
    assert (status, headers["content-type"]) == (200, "image/jpeg")
    assert snapshot(examined / "evidence") == before
    original = examined / "evidence" / photos[-1]["name"]
    with Image.open(io.BytesIO(body)) as made, Image.open(original) as held:
        assert made.size == held.size and not made.getexif()
    assert b"Exif" not in body[:64] and body != original.read_bytes()
    assert reader.get("/large/../../etc/passwd")[0] == 404 and reader.get("/large/none")[0] == 404
    kept = (original.read_bytes(), original.stat())
    try:
        original.write_bytes(kept[0][:-2] + b"xx")
        other = Running(examined / "case")
        try:
            browser = Browser(other.port)
            browser.enter(other.link)
            browser.json("/data/case")
            status, _, told = browser.get(f"/large/{photos[-1]['id']}")
            assert status == 404 and b"other bytes" in told
        finally:
            other.end()
    finally:
        original.write_bytes(kept[0])
        os.utime(original, ns=(kept[1].st_atime_ns, kept[1].st_mtime_ns))


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "words=%20",
        "like=/etc/passwd",
        "like=..%2f..%2fevidence%2fNV000120.JPG",
        "near=nowhere%20at%20all",
        "near=999,999",
        "hours=99-100",
        "dates=2024-13-01",
        "months=0-13",
        "shows_hour=12",
        "within=-1&near=1,1",
        "within=nan&near=1,1",
        "words=" + "+".join(f"w{number}" for number in range(40)),
    ],
)
def test_what_cannot_be_searched_is_refused_with_a_reason(reader: Browser, asked: str) -> None:
    reader.json("/data/case")
    status, _, told = reader.get(f"/data/search?{asked}")
    assert status == 400 and len(json.loads(told)["error"]) > 20, told


def test_corrections_need_a_name_and_the_plan_that_was_looked_at(folder: Path, reader: Browser) -> None:
    reader.json("/data/case")
    status, told = reader.post("/correct/propose", {})
    held = json.loads(told)
    assert status == 200 and held["lines"], told
    line = held["lines"][0]
    wanted = {"plan": held["plan"], "photo": line["photo"], "tag": line["tag"], "locked": True}
    assert reader.post("/correct/edit", wanted | {"new": "yesterday"})[0] == 400
    assert reader.post("/correct/edit", wanted | {"photo": "none"})[0] == 400
    assert reader.post("/correct/edit", wanted | {"plan": "0" * 64})[0] == 412
    assert reader.post("/correct/apply", {"plan": "0" * 64})[0] == 412
    assert reader.post("/correct/propose", {"offset": "a while"})[0] == 400
    assert reader.post("/correct/burn", {})[0] == 404
    assert reader.post("/correct/undo", {"transaction": "T9999"})[0] in (400, 409)
    assert reader.post("/correct/edit", wanted)[0] == 200
    service = Running(folder)
    try:
        looker = Browser(service.port)
        looker.enter(service.link)
        held = looker.json("/data/corrections")
        assert held["lines"][0]["locked"]
        for what in ("propose", "edit", "apply", "undo"):
            assert looker.post(f"/correct/{what}", {"plan": held["plan"]})[0] == 403
    finally:
        service.end()


def test_two_examinations_are_compared_only_when_they_are_of_the_case(reader: Browser) -> None:
    examination = reader.json("/data/case")["examination"]
    status, _, told = reader.get(f"/data/compare?first={examination}&second={examination}")
    assert status == 200 and json.loads(told)["same"] == 8
    assert reader.get(f"/data/compare?first={examination}&second=none")[0] == 400


def test_what_a_photo_says_is_text_that_ends_nothing(reader: Browser) -> None:
    case = reader.json("/data/case")
    hostile = next(photo for photo in case["photos"] if "onerror" in photo["name"])
    assert "\u202e" not in hostile["name"] and r"\u202e" in hostile["name"]
    for path in ("/data/case", f"/data/photo/{hostile['id']}", "/data/custody"):
        _, headers, body = reader.get(path)
        assert headers["content-type"] == "application/json"
        assert b"<" not in body, "not even a script could be ended by it"
    tags = dict(map(tuple, reader.json(f"/data/photo/{hostile['id']}")["tags"]))
    assert "<script>alert(1)</script>" in tags.values()


def test_the_shell_holds_nothing_of_the_case_and_asks_nobody_else(reader: Browser) -> None:
    for name in views.ASSETS:
        text = reader.get("/" if name == "index.html" else f"/{name}")[2].decode()
        code = re.sub(r"https?://(leafletjs\.com|www\.w3\.org/[^\s\"']*)", "", text)
        if name not in ("leaflet.js", "leaflet.css"):
            assert "http://" not in code and "https://" not in code, name
            assert "innerHTML" not in code and "eval(" not in code and "style=" not in code, name


# --------------------------------------------------------------------------- deciding


def test_a_decision_is_in_the_chain_when_it_is_answered_and_can_be_taken_back(reader: Browser, folder: Path) -> None:
    case = reader.json("/data/case")
    assert case["examiner"] == "A. Reader" and case["may_write"]
    photo = next(photo for photo in case["photos"] if photo["found"])
    check = next(iter(photo["found"]))
    wanted = {"decision": "innocent", "because": "home", "findings": [[photo["id"], check]]}
    status, answer = reader.post("/decide", wanted | {"examination": case["examination"]})
    assert status == 200, answer
    event = json.loads(answer)["event"]
    with Case(folder) as opened:
        assert [made.number for made in opened.view().decisions().made] == [event]
        assert opened.custody_faults() == ()
    told = reader.json("/data/decisions")
    assert told["reviewed"][f"{photo['id']} {check}"] == [{"event": event, "standing": "current", "counts": True}]
    assert reader.post("/undo", {"event": event})[0] == 200
    assert reader.json("/data/decisions")["reviewed"] == {}
    assert reader.post("/undo", {"event": event})[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        {"decision": "maybe"},
        {"decision": 7},
        {"decision": "dismissed"},
        {"decision": "dismissed", "findings": "all"},
        {"decision": "dismissed", "findings": [["no", "GF101"]]},
        {"decision": "dismissed", "findings": [[1, 2]]},
        {"decision": "dismissed", "cause": 99},
        {"decision": "dismissed", "cause": True},
        {"decision": "innocent", "cause": 1},
        {"decision": "dismissed", "cause": 1, "note": ["x"]},
        {"decision": "dismissed", "cause": 1, "note": "x" * 5000},
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(reader: Browser, body: Any) -> None:
    examination = reader.json("/data/case")["examination"]
    sent = body if isinstance(body, bytes) else {"examination": examination} | body
    status, answer = reader.post("/decide", sent)
    assert status == 400, answer
    assert reader.json("/data/decisions")["made"] == []


def test_a_decision_on_another_examination_is_refused(reader: Browser) -> None:
    reader.json("/data/case")
    assert reader.post("/decide", {"decision": "dismissed", "cause": 1, "examination": "older"})[0] == 412


def test_without_a_name_it_only_shows(folder: Path) -> None:
    service = Running(folder)
    try:
        browser = Browser(service.port)
        browser.enter(service.link)
        case = browser.json("/data/case")
        assert not case["may_write"]
        decision = {"decision": "dismissed", "cause": 1, "examination": case["examination"]}
        assert browser.post("/decide", decision)[0] == 403
        assert browser.post("/undo", {"event": 1})[0] == 403
    finally:
        service.end()


def test_a_second_reader_sees_the_first_ones_decisions_only_on_request(folder: Path, running: Running, reader) -> None:
    case = reader.json("/data/case")
    reader.post("/decide", {"decision": "confirmed", "cause": 1, "examination": case["examination"], "note": "secret"})
    service = Running(folder, examiner="B. Second")
    try:
        second = Browser(service.port)
        second.enter(service.link)
        second.json("/data/case")
        told = second.json("/data/decisions")
        assert (told["made"], told["reviewed"], told["hidden"]) == ([], {}, 1)
        assert "secret" not in second.get("/data/custody")[2].decode()
        asked = second.json("/data/decisions?others=1")
        assert asked["made"][0]["examiner"] == "A. Reader" and asked["made"][0]["note"] == "secret"
        assert second.post("/undo", {"event": asked["made"][0]["event"]})[0] == 400, "only who made it"
        decision = {"decision": "dismissed", "cause": 1, "examination": case["examination"]}
        assert second.post("/decide", decision)[0] == 200, "two reviewers at once"
    finally:
        service.end()


def test_a_case_that_is_held_is_said_to_be_busy(reader: Browser, folder: Path, monkeypatch) -> None:
    monkeypatch.setattr("gtloc_forensics.case.reviewing.decisions.PATIENCE_S", 0.1)
    case = reader.json("/data/case")
    decision = {"decision": "confirmed", "cause": 1, "examination": case["examination"]}
    with Case(folder) as other, other.locked():
        assert reader.post("/decide", decision)[0] == 409
    assert reader.post("/decide", decision)[0] == 200


# --------------------------------------------------------------------------- too much, too slow, too many


def test_a_request_that_is_too_large_is_refused(reader: Browser) -> None:
    body = b'{"note":"' + b"x" * (views.LONGEST_BODY + 10) + b'"}'
    assert reader.post("/decide", body)[0] == 413
    assert reader.get("/", X_Long="x" * 60_000)[0] in (400, 431)
    assert reader.get("/")[0] == 200


def test_a_request_that_is_too_slow_is_cut_off(running: Running, reader: Browser, monkeypatch) -> None:
    monkeypatch.setattr(server, "SLOWEST_HEAD_S", 0.5)
    monkeypatch.setattr(views, "SLOWEST_BODY_S", 0.5)
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        assert slow.recv(100) == b"", "the head never came"
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as slow:
        head = f"POST /decide HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\nCookie: {reader.cookie}\r\n"
        more = "X-Gtloc-Review: 1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        slow.sendall((head + more).encode())
        assert b" 408 " in slow.recv(100)
    assert reader.get("/")[0] == 200


def test_two_hundred_readers_at_once_are_all_answered(reader: Browser) -> None:
    photos = [photo["id"] for photo in reader.json("/data/case")["photos"]]

    def reads(number: int) -> int:
        path = (
            f"/preview/{photos[number % len(photos)]}" if number % 2 else f"/data/photo/{photos[number % len(photos)]}"
        )
        return Browser(reader.port, reader.cookie).get(path)[0]

    with ThreadPoolExecutor(200) as pool:
        assert set(pool.map(reads, range(200))) == {200}


def test_it_stops_when_nobody_asks(folder: Path) -> None:
    service = Running(folder, idle_s=0.5)
    service.thread.join(20)
    assert not service.thread.is_alive()


# --------------------------------------------------------------------------- the evidence


def test_the_evidence_is_never_touched_times_included(examined: Path, reader: Browser) -> None:
    before = snapshot(examined / "evidence")
    case = reader.json("/data/case")
    for photo in case["photos"]:
        reader.get(f"/data/photo/{photo['id']}")
        reader.get(f"/preview/{photo['id']}")
    reader.post("/decide", {"decision": "confirmed", "cause": 1, "examination": case["examination"]})
    assert snapshot(examined / "evidence") == before


def test_it_serves_a_case_whose_evidence_is_not_there_any_more(folder: Path, reader: Browser, examined: Path) -> None:
    moved = examined / "elsewhere"
    (examined / "evidence").rename(moved)
    try:
        assert reader.json("/data/case")["photos"]
    finally:
        moved.rename(examined / "evidence")


# --------------------------------------------------------------------------- the command


def test_the_command_prints_one_link_and_ends_in_peace(folder: Path) -> None:
    command = [sys.executable, "-m", "gtloc_forensics", "review", str(folder), "--no-open", "--examiner", "A"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        link = process.stdout.readline().strip()
        browser = Browser(urlsplit(link).port or 0)
        assert browser.enter(link) == 303
        assert browser.json("/data/case")["photos"]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == ExitCode.CLEAN
        assert process.stdout.read() == ""
        assert "Traceback" not in process.stderr.read()


def test_decisions_survive_a_killed_service(folder: Path) -> None:
    command = [sys.executable, "-m", "gtloc_forensics", "review", str(folder), "--no-open", "--examiner", "A"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        link = process.stdout.readline().strip()
        browser = Browser(urlsplit(link).port or 0)
        browser.enter(link)
        case = browser.json("/data/case")
        decision = {"decision": "confirmed", "cause": 1, "examination": case["examination"]}
        assert browser.post("/decide", decision)[0] == 200
        os.kill(process.pid, signal.SIGKILL)
    with Case(folder) as opened:
        assert len(opened.view().decisions().made) == 1
        assert opened.custody_faults() == ()


def test_a_case_that_was_never_examined_is_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    open_case(tmp_path / "evidence", tmp_path / "case").close()
    done = subprocess.run(
        [sys.executable, "-m", "gtloc_forensics", "review", str(tmp_path / "case"), "--no-open"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitCode.FAILURE and done.stderr.count("\n") == 1
