"""A photo server: originals come as they are, corrections arrive as they were meant or are named, and go back."""

from __future__ import annotations

import http.client
import json
import os
import re
import threading
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from builders import PARIS
from click.testing import CliRunner, Result
from immich_server import CONTRACT, KEY, FakeServer, Photo, described
from PIL import Image

from gtloc_forensics.case.immich import correcting
from gtloc_forensics.case.immich.assets import Index, asset_of
from gtloc_forensics.case.immich.fetching import fetch
from gtloc_forensics.case.immich.listening import Listener
from gtloc_forensics.case.immich.server import Server
from gtloc_forensics.case.immich.tagging import tag
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.correct import Change, Journal, Plan, Quantity
from gtloc_forensics.errors import ServerFailed, UsageError

NOON = datetime(2024, 6, 15, 12, tzinfo=UTC)
SHA = "0" * 64


def a_picture(number: int) -> bytes:
    """Return a JPEG that says when it was taken."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Acme", "One"
    exif.get_ifd(0x8769)[0x9003] = f"2024:06:15 12:0{number}:00"
    out = BytesIO()
    Image.effect_noise((32, 24), 20 + number).convert("RGB").save(out, "JPEG", exif=exif)
    return out.getvalue()


def photos(count: int = 3, **more) -> list[Photo]:
    return [
        Photo(f"id-{n}", f"/upload/trip/IMG_{n}.jpg", a_picture(n), NOON.replace(minute=n), **more)
        for n in range(count)
    ]


def connected(fake: FakeServer) -> Server:
    return Server(fake.address, KEY)


def brought(fake: FakeServer, tmp_path: Path) -> Index:
    index = Index(tmp_path / "case" / "immich")
    server = connected(fake)
    fetch(server, tmp_path / "photos", index, assets=server.assets())
    return index


def line(path: bytes, quantity: Quantity, old: str, new: str) -> Change:
    return Change(path, SHA, quantity, old, new, "a test", 1.0)


def moved(index: Index, minutes: int = 60) -> Plan:
    """Return a plan that moves every clock."""
    return Plan(
        tuple(
            line(
                path,
                Quantity.LOCAL_TIME,
                f"2024-06-15 12:0{number}:00",
                f"2024-06-15 {12 + minutes // 60}:0{number + minutes % 60}:00",
            )
            for number, path in enumerate(sorted(index.by_path))
        )
    )


def sent(fake: FakeServer, tmp_path: Path, plan: Plan | None, index: Index, patience_s: float = 0.0):
    told = []
    with Journal(tmp_path / "case" / "immich") as journal:
        sending = correcting.Sending(connected(fake), journal, lambda *event: told.append(event), patience_s=patience_s)
        return sending.undo() if plan is None else sending.apply(plan, index), told


# ----------------------------------------------------------------- fetching


def test_originals_come_byte_for_byte_and_only_once(tmp_path: Path) -> None:
    with FakeServer(*photos()) as fake:
        index = brought(fake, tmp_path)
        assert {path.name: path.read_bytes() for path in (tmp_path / "photos" / "trip").iterdir()} == {
            f"IMG_{number}.jpg": fake.photos[f"id-{number}"].content for number in range(3)
        }
        fake.asked.clear()
        again = fetch(connected(fake), tmp_path / "photos", Index(index.path.parent), assets=connected(fake).assets())
        assert (again.new, again.here) == (0, 3)
        assert not [path for _, path, _ in fake.asked if path.endswith("/original")]
        assert all(method in ("GET", "POST") for method, _, _ in fake.asked), "fetching changed something"


def test_names_that_meet_or_that_no_file_can_have_keep_the_photos_apart(tmp_path: Path) -> None:
    names = [
        "/a/trip/x.jpg",
        "/b/trip/x.jpg",
        "/c/../../../etc/.passwd",
        "/d/tri\np/a\x1b[31m.jpg",
        "/e/" + "n" * 400 + ".jpg",
    ]
    with FakeServer(*(Photo(f"id-{n}", name, a_picture(n), NOON) for n, name in enumerate(names))) as fake:
        index = brought(fake, tmp_path)
    found = {
        path.relative_to(tmp_path / "photos").as_posix() for path in (tmp_path / "photos").rglob("*") if path.is_file()
    }
    assert {os.fsdecode(path) for path in index.by_path} == found
    assert len(found) == 5
    assert {"trip/x.jpg", "trip~2/x.jpg"} <= found
    assert not list(tmp_path.glob("*.jpg")) and all("\x1b" not in name and ".." not in name for name in found)


def test_bytes_that_are_not_those_the_server_vouches_for_are_not_taken(tmp_path: Path) -> None:
    with FakeServer(*photos(2)) as fake:
        honest = described(fake.photos["id-0"])
        fake.photos["id-0"].content += b"x"
        server, index = connected(fake), Index(tmp_path / "immich")
        found = fetch(server, tmp_path / "photos", index, assets=[asset_of(honest), server.asset("id-1")])
    assert found.new == 1
    assert "another hash" in found.failed[0][1]
    assert [path.name for path in (tmp_path / "photos").rglob("*.*")] == ["IMG_1.jpg"]


def test_a_busy_server_is_asked_again_a_refusing_one_is_named_and_a_strange_one_is_not_believed(tmp_path: Path) -> None:
    with FakeServer(*photos(1)) as fake:
        fake.failures = [503, 502]
        assert connected(fake).version() == "3.2.2"
        with pytest.raises(ServerFailed, match="refuses the key"):
            Server(fake.address, "wrong").version()
        fake.version = (1, 90, 0)
        with pytest.raises(ServerFailed, match="version 1"):
            connected(fake).version()
    with pytest.raises(ServerFailed, match="could not be reached"):
        Server("http://127.0.0.1:9", KEY).asset("id-0")
    with pytest.raises(ServerFailed, match="without 'checksum'"):
        asset_of({"id": "x"})


@pytest.mark.parametrize("address", ["photos.example.org", "ftp://x", "http://photos.example.org", "https://a:b@x"])
def test_an_address_that_is_none_or_would_show_the_key_is_refused(address: str) -> None:
    with pytest.raises(UsageError):
        Server(address, KEY)


def test_the_key_is_shown_nowhere() -> None:
    assert KEY not in repr(Server("https://photos.example.org", KEY))


# ----------------------------------------------------------------- correcting


def test_a_clock_is_moved_by_one_call_for_many_after_one_photo_has_shown_that_it_holds(tmp_path: Path) -> None:
    with FakeServer(*photos(3)) as fake:
        index = brought(fake, tmp_path)
        fake.asked.clear()
        result, told = sent(fake, tmp_path, moved(index), index)
        assert (len(result.done), result.refused) == (3, ())
        assert [photo.local.hour for photo in fake.photos.values()] == [13, 13, 13]
        bulk = [body for method, path, body in fake.asked if (method, path) == ("PUT", "/assets")]
        assert [len(body["ids"]) for body in bulk] == [1, 2]
        assert {body["dateTimeRelative"] for body in bulk} == {60}
        assert len(told) == 3
        back, _ = sent(fake, tmp_path, None, index)
        assert len(back.done) == 3
        assert [photo.utc for photo in fake.photos.values()] == [NOON.replace(minute=number) for number in range(3)]


def test_a_version_that_takes_the_amount_otherwise_is_noticed_and_each_photo_told_its_whole_time(
    tmp_path: Path,
) -> None:
    with FakeServer(*photos(3)) as fake:
        index = brought(fake, tmp_path)
        fake.is_bulk_odd = True
        result, _ = sent(fake, tmp_path, moved(index), index)
        assert len(result.done) == 3
        assert [photo.local.replace(tzinfo=None) for photo in fake.photos.values()] == [
            datetime(2024, 6, 15, 13, number) for number in range(3)
        ]
        assert fake.photos["id-1"].utc.minute == 1, "photos after the first were moved by the odd amount"


@pytest.mark.parametrize(("offset", "zone"), [("+09:00", "Etc/GMT-9"), ("-05:00", "Etc/GMT+5"), ("+05:30", "UTC+5:30")])
def test_a_zone_is_set_and_the_wall_clock_stays(tmp_path: Path, offset: str, zone: str) -> None:
    with FakeServer(*photos(2)) as fake:
        index = brought(fake, tmp_path)
        plan = Plan(tuple(line(path, Quantity.OFFSET, "", offset) for path in sorted(index.by_path)))
        result, _ = sent(fake, tmp_path, plan, index)
        assert len(result.done) == 2, result.refused
        assert {photo.zone for photo in fake.photos.values()} == {zone}
        assert [photo.local.hour for photo in fake.photos.values()] == [12, 12]


def test_undo_gives_the_zones_name_back_too(tmp_path: Path) -> None:
    with FakeServer(*photos(2, zone="Europe/Berlin")) as fake:
        index = brought(fake, tmp_path)
        times = {
            path: (f"2024-06-15 14:0{n}:00", f"2024-06-15 15:0{n}:30") for n, path in enumerate(sorted(index.by_path))
        }
        plan = Plan(tuple(line(path, Quantity.LOCAL_TIME, *pair) for path, pair in times.items()))
        before = [(photo.utc, photo.zone) for photo in fake.photos.values()]
        assert len(sent(fake, tmp_path, plan, index)[0].done) == 2
        assert len(sent(fake, tmp_path, None, index)[0].done) == 2
        assert [(photo.utc) for photo in fake.photos.values()] == [utc for utc, _ in before]
        assert [photo.local.hour for photo in fake.photos.values()] == [14, 14]


def test_a_read_only_library_is_noticed_because_nothing_reads_back(tmp_path: Path) -> None:
    with FakeServer(*photos(2)) as fake:
        index = brought(fake, tmp_path)
        fake.photos["id-1"].is_read_only = True
        result, _ = sent(fake, tmp_path, moved(index), index)
        assert [os.path.basename(path) for path in result.done] == [b"IMG_0.jpg"]
        assert "may be read-only" in result.refused[0][1]


def test_jobs_that_are_late_are_waited_for(tmp_path: Path) -> None:
    with FakeServer(*photos(1), late=2) as fake:
        index = brought(fake, tmp_path)
        result, _ = sent(fake, tmp_path, moved(index), index, patience_s=5.0)
        assert len(result.done) == 1
        assert len([path for method, path, _ in fake.asked if method == "PUT"]) == 1


def test_what_somebody_set_on_the_server_is_left(tmp_path: Path) -> None:
    with FakeServer(*photos(2)) as fake:
        index = brought(fake, tmp_path)
        plan = moved(index)
        fake.photos["id-0"].utc = NOON.replace(hour=20)
        result, _ = sent(fake, tmp_path, plan, index)
        assert "somebody set it there" in result.refused[0][1]
        fake.photos["id-1"].utc = NOON.replace(hour=21)
        back, _ = sent(fake, tmp_path, None, index)
        assert "changed on the server since" in back.refused[0][1]
        assert [photo.utc.hour for photo in fake.photos.values()] == [20, 21]


def test_a_place_is_corrected_and_one_that_could_not_be_taken_back_is_not_given(tmp_path: Path) -> None:
    with FakeServer(*photos(2)) as fake:
        fake.photos["id-0"].position = (48.0, -2.35)
        index = brought(fake, tmp_path)
        place = f"{PARIS[0]:.7f}, {PARIS[1]:.7f}"
        plan = Plan(tuple(line(path, Quantity.POSITION, "", place) for path in sorted(index.by_path)))
        result, _ = sent(fake, tmp_path, plan, index)
        assert fake.photos["id-0"].position == pytest.approx(PARIS)
        assert "could not take one back" in result.refused[0][1]
        sent(fake, tmp_path, None, index)
        assert fake.photos["id-0"].position == pytest.approx((48.0, -2.35))


def test_a_later_job_that_overwrites_is_found(tmp_path: Path) -> None:
    with FakeServer(*photos(2)) as fake:
        index = brought(fake, tmp_path)
        sent(fake, tmp_path, moved(index), index)
        with Journal(tmp_path / "case" / "immich") as journal:
            assert not list(correcting.checked(connected(fake), journal))
            fake.photos["id-1"].utc = NOON.replace(minute=1)
            (path, what) = next(iter(correcting.checked(connected(fake), journal)))
        assert path.endswith(b"IMG_1.jpg")
        assert "left at 2024-06-15T13:01:00, the server says 2024-06-15 12:01:00" in what


class _DiesAfter(Server):
    """A server whose answer to a change is never heard: the program is gone by then."""

    __slots__ = ()

    def update_many(self, changes) -> None:
        super().update_many(changes)
        raise KeyboardInterrupt


def test_a_shift_whose_answer_was_never_heard_is_not_sent_twice(tmp_path: Path) -> None:
    with FakeServer(*photos(1)) as fake:
        index = brought(fake, tmp_path)
        plan = moved(index)
        with Journal(tmp_path / "case" / "immich") as journal, pytest.raises(KeyboardInterrupt):
            correcting.Sending(_DiesAfter(fake.address, KEY), journal, lambda *_: None, patience_s=0).apply(plan, index)
        assert fake.photos["id-0"].utc.hour == 13
        sent(fake, tmp_path, plan, index)
        assert fake.photos["id-0"].utc.hour == 13
        sent(fake, tmp_path, None, index)  # the second transaction changed nothing
        sent(fake, tmp_path, None, index)
        assert fake.photos["id-0"].utc.hour == 12


# ----------------------------------------------------------------- tags, messages, commands


def test_tags_of_findings_come_and_go_and_other_peoples_stay(tmp_path: Path) -> None:
    with FakeServer(*photos(2)) as fake:
        fake.photos["id-0"].tags = {"holiday"}
        assert tag(
            connected(fake), tmp_path, {"id-0": ("gtloc/suspicious/zone",), "id-1": ("gtloc/suspicious/zone",)}
        ) == (2, 0)
        assert tag(connected(fake), tmp_path, {"id-1": ("gtloc/suspicious/zone",)}) == (0, 1)
        assert [photo.tags for photo in fake.photos.values()] == [{"holiday"}, {"gtloc/suspicious/zone"}]


def test_a_message_needs_the_token_and_a_stranger_is_not_answered() -> None:
    token = "t" * 20
    listener = Listener("127.0.0.1", 0, token)
    try:
        port = int(listener.address.rstrip("/").rpartition(":")[2])

        def post(path: str, length: int | None = None, **headers: str) -> int:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            more = {} if length is None else {"Content-Length": str(length)}
            connection.request("POST", path, body=b"{}" if length is None else None, headers=headers | more)
            return connection.getresponse().status

        assert post("/") == 403
        assert post("/?token=" + "u" * 20) == 403
        assert post("/", length=1 << 30, Authorization=f"Bearer {token}") == 413
        assert not listener.wait(0.0)
        assert post("/", Authorization=f"Bearer {token}") == 204
        assert listener.wait(2.0)
        assert post(f"/?token={token}") == 204
        assert listener.wait(2.0)
    finally:
        listener.close()
    with pytest.raises(UsageError):
        Listener("127.0.0.1", 0, "short")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(gtloc, [str(argument) for argument in arguments], env={"IMMICH_API_KEY": KEY})


def test_the_whole_way_fetched_examined_tagged_planned_corrected_and_undone(tmp_path: Path) -> None:
    folder, case = tmp_path / "photos", tmp_path / "case"
    with FakeServer(*photos(3)) as fake:
        server = ("--server", fake.address)
        done = run("immich", "follow", folder, "-o", case, "--once", "--model", "none", *server)
        assert done.exit_code == ExitCode.CLEAN, done.output
        assert "3 photos fetched, 0 here already, 0 could not be had" in done.output
        assert "3 photos: 0 found" in done.output
        assert run("correct", case, "--offset", "+01:00:00").exit_code == ExitCode.CLEAN
        applied = run("immich", "correct", case, "--apply", *server)
        assert applied.exit_code == ExitCode.CLEAN, applied.output
        assert "T0001: 3 photos changed on the server and read back, 0 left as they were" in applied.output
        assert [photo.local.hour for photo in fake.photos.values()] == [13, 13, 13]
        assert "0 photos changed on the server since" in run("immich", "correct", case, "--check", *server).output
        undone = run("immich", "correct", case, "--undo", *server)
        assert "T0001: 3 photos put back" in undone.output
        assert [photo.local.hour for photo in fake.photos.values()] == [12, 12, 12]
    assert KEY not in "".join(path.read_text(errors="replace") for path in case.rglob("*") if path.is_file())
    assert run("verify", case, "--sample", "0").exit_code == ExitCode.CLEAN


def test_follow_looks_again_when_the_server_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gtloc_forensics.cli.commands import immich as command

    looks: list[int] = []
    monkeypatch.setenv("IMMICH_API_KEY", KEY)
    monkeypatch.setattr(
        command,
        "_examine",
        lambda *_: looks.append(1) if len(looks) < 2 else (_ for _ in ()).throw(UsageError("enough")),
    )
    with FakeServer(*photos(1)) as fake:
        rings = iter([True, True, True])
        monkeypatch.setattr(threading.Event, "wait", lambda self, seconds=None: next(rings, True))
        done = run("immich", "follow", tmp_path / "photos", "-o", tmp_path / "case", "--server", fake.address)
    assert "enough" in done.output
    assert len(looks) == 2


# ----------------------------------------------------------------- the published client


def test_what_is_sent_and_read_is_in_the_types_of_the_published_client() -> None:
    where = os.environ.get("GTLOC_IMMICH_SDK", "")
    if not where:
        pytest.skip("name the unpacked npm package @immich/sdk in GTLOC_IMMICH_SDK; it is not kept here (AGPL)")
    types = (Path(where) / "build" / "fetch-client.d.ts").read_text(encoding="utf-8")
    calls = (Path(where) / "build" / "fetch-client.js").read_text(encoding="utf-8")
    for direction in ("sent", "read"):
        for name, members in CONTRACT[direction].items():
            body = re.search(rf"export type {name} = \{{(.*?)\n\}};", types, re.DOTALL)
            assert body, name
            for member, kind in members.items():
                assert f"\n    {member}: {kind};" in body[1], (name, member, kind)
    for function, (method, path) in CONTRACT["calls"].items():
        text = calls[calls.index(f"export function {function}(") :].split("\nexport ")[0]
        assert json.dumps(path)[1:-1].partition("{id}")[0] in text, function
        assert path.partition("{id}")[2] in text, function
        assert method == "GET" or f'method: "{method}"' in text, function
