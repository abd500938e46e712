"""The exiftool client reads any file name, loses no value, and survives a program that hangs, dies or lies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.errors import ToolFailed, ToolMissing, ToolTooOld
from gtloc_forensics.metadata import exiftool
from gtloc_forensics.metadata.exiftool import answers, arguments
from gtloc_forensics.metadata.exiftool.process import new_token

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")

HOSTILE = [
    b"plain.jpg",
    b"x\n-o\npwned_copy.jpg\n-Artist=evil\na.jpg",
    b"a\r\nb.jpg",
    b"tab\there.jpg",
    b"quo\"te's.jpg",
    b"we$ird @x.jpg",
    b'new\nline $x @y "z".jpg',
    b"back\\slash\\n.jpg",
    b"back\\slash\nand line.jpg",
    b" lead.jpg",
    b"trail.jpg ",
    b"#comment.jpg",
    b"-dash.jpg",
    b"-execute.jpg",
    b"touch pwned |",
    b"| touch pwned",
    b"bad\xff\xfeutf8.jpg",
    b"%d%f.jpg",
    b"{ready}.jpg",
    "ünïcode ☃ \u202egpj.exe.jpg".encode(),
    b"a" * 200 + b".jpg",
]


def a_jpeg() -> bytes:
    """Return a small JPEG with a known Artist, made without exiftool."""
    from io import BytesIO

    from PIL import Image

    exif = Image.Exif()
    exif[0x013B] = "Ann"
    exif[0x0132] = "2020:01:02 03:04:05"
    out = BytesIO()
    Image.new("RGB", (8, 8), (10, 120, 200)).save(out, "JPEG", exif=exif)
    return out.getvalue()


@pytest.fixture(scope="module")
def client():
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    with exiftool.ExifTool() as one:
        yield one


@pytest.fixture
def folder(tmp_path: Path) -> bytes:
    return os.fsencode(tmp_path)


def put(folder: bytes, name: bytes, content: bytes | None = None) -> bytes:
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(a_jpeg() if content is None else content)
    return path


# --------------------------------------------------------------------------- hostile names


@needs_exiftool
def test_every_hostile_name_is_read_and_nothing_is_written(client, folder: bytes) -> None:
    paths = [put(folder, name) for name in HOSTILE]
    before = sorted(os.listdir(folder))
    results = client.read(paths)
    assert [result.tags["IFD0:Artist"] for result in results] == [("Ann",)] * len(HOSTILE)
    assert sorted(os.listdir(folder)) == before
    assert all(Path(os.fsdecode(path)).read_bytes() == a_jpeg() for path in paths)


@needs_exiftool
def test_pyexiftool_writes_a_file_where_a_name_holds_newlines_and_we_do_not(client, folder: bytes, monkeypatch) -> None:
    """The hole this client exists for: reading the metadata of a photo wrote into its folder."""
    import exiftool as pyexiftool

    monkeypatch.chdir(os.fsdecode(folder))
    put(folder, b"a.jpg")
    name = "x\n-o\npwned_copy.jpg\n-Artist=evil\na.jpg"
    put(folder, name.encode())
    with pyexiftool.ExifToolHelper() as helper:
        try:
            helper.get_metadata(name)
        except Exception as error:  # what it reports is not the point
            assert error is not None
    assert b"pwned_copy.jpg" in os.listdir(folder), "PyExifTool is no longer open to this: use it"
    os.unlink(os.path.join(folder, b"pwned_copy.jpg"))
    (result,) = client.read([name.encode()])
    assert isinstance(result, exiftool.TagsRead)
    assert b"pwned_copy.jpg" not in os.listdir(folder)


@needs_exiftool
def test_pyexiftool_lets_a_value_write_another_tag_and_we_do_not(client, folder: bytes) -> None:
    import exiftool as pyexiftool

    path = put(folder, b"v.jpg")
    value = "Ann\n-Comment=INJECTED"
    with pyexiftool.ExifToolHelper() as helper:
        helper.set_tags(os.fsdecode(path), {"Artist": value})
    assert client.read([path])[0].tags.get("File:Comment") == ("INJECTED",)
    path = put(folder, b"w.jpg")
    assert client.write(path, [("IFD0:Artist", value)]).done
    tags = client.read([path])[0].tags
    assert "File:Comment" not in tags
    assert tags["IFD0:Artist"] == (value,)


@needs_exiftool
@pytest.mark.parametrize("name", [b"#comment.jpg", b" lead.jpg", b"-dash.jpg", b"bad\xff.jpg"])
def test_pyexiftool_cannot_read_a_name_that_we_read(client, folder: bytes, monkeypatch, name: bytes) -> None:
    import exiftool as pyexiftool

    monkeypatch.chdir(os.fsdecode(folder))
    put(folder, name)
    with pyexiftool.ExifToolHelper() as helper:
        try:
            seen = helper.get_metadata(os.fsdecode(name))
        except (pyexiftool.exceptions.ExifToolException, UnicodeError):
            seen = []
    assert not any("EXIF:Artist" in photo for photo in seen), "PyExifTool reads it now: use it"
    assert client.read([name])[0].tags["IFD0:Artist"] == ("Ann",)


DEADLOCK = """
import sys, exiftool
with exiftool.ExifTool() as tool:
    tool.execute(*[f"/nonexistent/{'n' * 60}{number}.jpg" for number in range(800)])
"""


@needs_exiftool
@pytest.mark.skipif(sys.platform == "win32", reason="process groups")
def test_pyexiftool_hangs_on_800_failing_files_and_we_do_not(client, folder: bytes) -> None:
    child = subprocess.Popen([sys.executable, "-c", DEADLOCK], start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        with pytest.raises(subprocess.TimeoutExpired):  # 800 errors take exiftool well under a second
            child.wait(timeout=6)
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    paths = [put(folder, b"n" * 60 + b"%d.jpg" % number, b"not a photo") for number in range(800)]
    results = client.read(paths)
    assert len(results) == 800
    assert all(isinstance(result, exiftool.TagsRead | exiftool.Unread) for result in results)


@given(st.binary(min_size=1, max_size=80).filter(lambda value: b"\0" not in value))
def test_a_request_never_holds_more_lines_than_arguments(argument: bytes) -> None:
    lines = arguments.request((b"-n", b"/" + argument))
    if lines is None:
        assert (b"\n" in argument or b"\r" in argument) and any(mark in argument for mark in b'$@"')
    else:
        assert lines.count(b"\n") == 2
        assert lines.count(b"\r") == 0


@pytest.mark.parametrize("argument", [b"", b"a\0b"])
def test_what_no_argument_can_hold_is_refused(argument: bytes) -> None:
    with pytest.raises(ValueError, match="empty or holds NUL"):
        arguments.line(argument)


# --------------------------------------------------------------------------- what is read


@needs_exiftool
def test_answers_come_in_the_order_of_the_paths_whatever_failed_between(client, folder: bytes) -> None:
    good, empty = put(folder, b"good.jpg"), put(folder, b"empty.jpg", b"")
    os.mkdir(os.path.join(folder, b"folder.jpg"))
    gone = os.path.join(folder, b"gone.jpg")
    results = client.read([good, empty, gone, os.path.join(folder, b"folder.jpg"), good])
    assert [isinstance(result, exiftool.TagsRead) for result in results] == [True, False, False, False, True]
    assert "empty" in results[1].reason.lower()
    assert "not there" in results[2].reason


@needs_exiftool
def test_a_tag_that_occurs_twice_keeps_both_values(client, folder: bytes) -> None:
    path = put(folder, b"twice.jpg")
    block = b"Exif\0\0MM\0*\0\0\0\x08\0\x02" + b"".join(
        b"\x01\x32\0\x02\0\0\0\x14" + offset.to_bytes(4, "big") for offset in (38, 58)
    )
    body = block + b"\0\0\0\0" + b"2001:01:01 01:01:01\0" + b"2002:02:02 02:02:02\0"
    plain = a_jpeg()
    start = plain.index(b"\xff\xe1")
    length = int.from_bytes(plain[start + 2 : start + 4], "big")
    put(folder, b"twice.jpg", plain[:start] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body
        + plain[start + 2 + length :])  # fmt: skip
    (result,) = client.read([path])
    assert result.tags["IFD0:ModifyDate"] == ("2001:01:01 01:01:01", "2002:02:02 02:02:02")


@needs_exiftool
def test_nothing_about_the_working_copy_is_taken_for_the_photo(client, folder: bytes) -> None:
    (result,) = client.read([put(folder, b"copy.jpg")])
    assert not any(tag.startswith(("System:", "ExifTool:", "SourceFile", "Composite:")) for tag in result.tags)


@needs_exiftool
def test_reading_twice_gives_the_same_under_any_name(client, folder: bytes) -> None:
    first, second = client.read([put(folder, b"one.jpg"), put(folder, b"two.bin")])
    assert first == second


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.10", "1.10"), ("1.5", 1.5), ("1e5", "1e5"), ("1E400", "1E400"), ("0.0333333333", 0.0333333333), ("9.0", 9.0)],
)
def test_a_number_in_json_that_was_a_text_stays_one(text: str, value: object) -> None:
    read = answers.tags_read(f'[{{"IFD0:Software": {text}}}]'.encode(), b"")
    assert read.tags["IFD0:Software"] == (value,)


@pytest.mark.parametrize("stdout", [b"[{", b"[]", b"[{},{}]", b"3", b"[[1]]", b"[" * 5000])
def test_an_answer_that_is_no_json_of_one_file_is_a_reason_not_a_crash(stdout: bytes) -> None:
    assert isinstance(answers.tags_read(stdout, b""), exiftool.Unread)


@given(st.binary(max_size=300))
def test_no_answer_of_exiftool_crashes_the_client(stdout: bytes) -> None:
    assert isinstance(answers.tags_read(stdout, stdout), exiftool.TagsRead | exiftool.Unread)


# --------------------------------------------------------------------------- writing, extracting


@needs_exiftool
@pytest.mark.parametrize(
    "value", ["plain", " lead", "a\nb", "a\r\nb", 'a\n$b @c "d"', "=x", "-x", "ü☃", "<x", "a\\nb", "#x"]
)
def test_a_value_is_written_as_it_stands(client, folder: bytes, value: str) -> None:
    path = put(folder, b"value.jpg")
    assert client.write(path, [("XMP-dc:Title", value), ("IFD0:Artist", None)]).done
    tags = client.read([path])[0].tags
    assert tags["XMP-dc:Title"] == (value,)
    assert "IFD0:Artist" not in tags


@needs_exiftool
def test_writing_to_another_file_leaves_the_first_and_never_overwrites(client, folder: bytes) -> None:
    path, copy = put(folder, b"from.jpg"), os.path.join(folder, b"to.jpg")
    assert client.write(path, [("IFD0:Artist", "Bea")], output=copy).done
    assert Path(os.fsdecode(path)).read_bytes() == a_jpeg()
    assert client.read([copy])[0].tags["IFD0:Artist"] == ("Bea",)
    again = client.write(path, [("IFD0:Artist", "Cleo")], output=copy)
    assert not again.done
    assert again.message
    assert client.read([copy])[0].tags["IFD0:Artist"] == ("Bea",)


@needs_exiftool
@pytest.mark.parametrize(
    ("tag", "value"), [("IFD0:NoSuchTag", "1"), ("IFD0:Orientation", "upwards"), ("ExifIFD:ISO", "x")]
)
def test_a_write_of_which_a_part_was_refused_is_not_done(client, folder: bytes, tag: str, value: str) -> None:
    path = put(folder, b"part.jpg")
    result = client.write(path, [("IFD0:Artist", "Bea"), (tag, value)])
    assert not result.done
    assert tag.partition(":")[2] in result.message


@needs_exiftool
def test_a_new_sidecar_is_made_by_writing_to_it(client, folder: bytes) -> None:
    path = os.path.join(folder, b"new.xmp")
    assert client.write(path, [("XMP-exif:DateTimeOriginal", "2024:01:02 03:04:05+02:00")]).done
    assert client.read([path])[0].tags["XMP-exif:DateTimeOriginal"] == ("2024:01:02 03:04:05+02:00",)


@needs_exiftool
def test_writing_keeps_the_modification_time(client, folder: bytes) -> None:
    path = put(folder, b"kept.jpg")
    os.utime(path, (1_500_000_000, 1_500_000_000))
    assert client.write(path, [("IFD0:Artist", "Bea")]).done
    assert os.stat(path).st_mtime == 1_500_000_000


@pytest.mark.parametrize(
    "tag",
    [
        "FileName",
        "System:Directory",
        "-all",
        "all",
        "Artist<",
        "Artist+",
        "Artist-",
        "A\nB",
        "A B",
        "",
        "a:b:c",
        "HardLink",
    ],
)
def test_only_the_plain_name_of_a_tag_may_be_written(tag: str) -> None:
    with pytest.raises(ValueError, match="not the name of a tag"):
        arguments.assignment(tag, "x")


@needs_exiftool
@pytest.mark.parametrize("output", [b"/tmp/%f.jpg", b"/tmp/folder/"])
def test_an_output_name_that_exiftool_would_expand_is_refused(client, folder: bytes, output: bytes) -> None:
    with pytest.raises(ValueError, match="output"):
        client.write(put(folder, b"a.jpg"), [("IFD0:Artist", "x")], output=output)


@needs_exiftool
def test_a_thumbnail_comes_out_byte_for_byte_even_if_it_speaks_the_protocol(client, folder: bytes) -> None:
    path = put(folder, b"thumb.jpg")
    thumbnail = b"\xff\xd8\xff\xdb{ready1}\n{ready}\n" + bytes(range(256)) + b"\xff\xd9"
    source = put(folder, b"thumbnail.bin", thumbnail)
    subprocess.run(
        ["exiftool", "-q", "-m", "-overwrite_original", f"-ThumbnailImage<={os.fsdecode(source)}", os.fsdecode(path)],
        check=True,
    )
    assert client.extract_binary(path, "ThumbnailImage") == thumbnail
    assert client.preview(path) == thumbnail
    assert client.extract_binary(path, "ThumbnailImage", limit_bytes=10) is None
    assert client.extract_binary(path, "PreviewImage") is None


def test_tokens_cannot_be_foreseen() -> None:
    assert len({new_token() for _ in range(1000)}) == 1000


# --------------------------------------------------------------------------- finding the program


def a_program(folder: Path, body: str, name: str = "exiftool") -> Path:
    path = folder / name
    path.write_text(f"#!{sys.executable} -IS\n{body}")
    path.chmod(0o755)
    return path


def test_a_missing_exiftool_is_reported_with_the_install_commands(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ToolMissing) as caught:
        exiftool.locate({"PATH": str(tmp_path)})
    for words in ("apt-get install libimage-exiftool-perl", "brew install exiftool", "Windows", "GTLOC_EXIFTOOL"):
        assert words in str(caught.value)
    with pytest.raises(ToolMissing):
        exiftool.locate({"PATH": os.environ["PATH"], "GTLOC_EXIFTOOL": str(tmp_path / "none")})


def test_the_named_program_wins_then_the_path_and_nothing_in_the_working_folder(tmp_path: Path, monkeypatch) -> None:
    for place in ("named", "path", "node_modules/.bin", "."):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        a_program(tmp_path / place, "")
    monkeypatch.chdir(tmp_path)
    named = str(tmp_path / "named" / "exiftool")
    path = str(tmp_path / "path")
    assert exiftool.locate({"GTLOC_EXIFTOOL": named, "PATH": path}) == Path(named)
    assert exiftool.locate({"PATH": path}) == Path(path, "exiftool")
    for relative in ("", ".", "node_modules/.bin"):
        with pytest.raises(ToolMissing):
            exiftool.locate({"PATH": relative})


@pytest.mark.parametrize("found", ["12.37", "9.99", "12.05"])
def test_an_exiftool_that_runs_commands_out_of_names_is_refused(tmp_path: Path, found: str) -> None:
    with pytest.raises(ToolTooOld, match="CVE-2022-23935") as caught:
        exiftool.version(a_program(tmp_path, f"print('{found}')"))
    assert caught.value.found == found


@pytest.mark.parametrize("found", ["12.38", "12.57", "13.00"])
def test_a_safe_version_is_accepted(tmp_path: Path, found: str) -> None:
    assert exiftool.version(a_program(tmp_path, f"print('{found}')")) == found


def test_what_does_not_answer_like_exiftool_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="does not answer like exiftool"):
        exiftool.version(a_program(tmp_path, "print('hello')"))
    with pytest.raises(ToolFailed, match="could not be asked"):
        exiftool.version(tmp_path / "nothing")


# --------------------------------------------------------------------------- a program that misbehaves

FAKE = r"""
import json, os, signal, subprocess, sys, time
VERSION = "12.57"
if "-ver" in sys.argv:
    print(VERSION); sys.exit()
lines = []
for line in sys.stdin:
    line = line.rstrip("\n")
    if line == "-stay_open": sys.exit()
    if not line.startswith("-execute"):
        lines.append(line); continue
    path, mark = lines[-3], lines[-1]
    if path == "-ver":
        print(VERSION)
        sys.stderr.write(mark + "\n"); sys.stderr.flush()
        print("{ready" + line[len("-execute"):] + "}", flush=True)
        lines = []; continue
    name = os.path.basename(path)
    with open(os.path.join(os.path.dirname(path), "log"), "a") as log:
        log.write(f"{os.path.basename(path)} {os.getpid()}\n")
    once = path + ".seen"
    first = not os.path.exists(once)
    if "hang" in name and ("once" not in name or first):
        open(once, "w").close()
        child = subprocess.Popen(["sleep", "300"])
        with open(path + ".child", "w") as file: file.write(str(child.pid))
        time.sleep(300)
    if "die" in name and ("once" not in name or first):
        open(once, "w").close()
        sys.stderr.write("Out of memory!\n"); sys.stderr.flush()
        os._exit(1)
    if "chatty" in name:
        sys.stderr.write("Warning: noise\n" * 20000)
    if "flood" in name:
        sys.stdout.write("x" * 3_000_000)
    print(json.dumps([{"SourceFile": "?", "IFD0:Artist": os.path.basename(path)}]))
    sys.stderr.write(mark + "\n"); sys.stderr.flush()
    print("{ready" + line[len("-execute"):] + "}", flush=True)
    lines = []
time.sleep(300)  # exiftool, too, waits on for more when its input ends
"""


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    return a_program(tmp_path / "bin", FAKE)


def a_case(tmp_path: Path, *names: str) -> list[bytes]:
    folder = tmp_path / "case"
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(b"x")
    return [os.fsencode(folder / name) for name in names]


def artists(results) -> list[str | None]:
    return [result.tags["IFD0:Artist"][0] if isinstance(result, exiftool.TagsRead) else None for result in results]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_file_that_hangs_costs_its_own_answer_and_no_other(tmp_path: Path, fake: Path) -> None:
    paths = a_case(tmp_path, "a", "b", "hang", "c", "d")
    with exiftool.ExifTool(fake, limits=exiftool.Limits(timeout_s=1.5)) as client:
        results = client.read(paths)
    assert artists(results) == ["a", "b", None, "c", "d"]
    assert "no answer within 1.5 s" in results[2].reason
    tried = [line.split()[0] for line in (tmp_path / "case" / "log").read_text().splitlines()]
    assert tried.count("hang") == 1, "it used up its limit: no second attempt"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_hanging_program_is_killed_with_its_children(tmp_path: Path, fake: Path) -> None:
    paths = a_case(tmp_path, "hang")
    with exiftool.ExifTool(fake, limits=exiftool.Limits(timeout_s=1.5)) as client:
        client.read(paths)
        child = int((tmp_path / "case" / "hang.child").read_text())
    deadline = time.monotonic() + 5
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)


def test_a_file_on_which_the_program_only_once_died_is_read_on_the_second_attempt(tmp_path: Path, fake: Path) -> None:
    paths = a_case(tmp_path, "a", "once-die", "b")
    with exiftool.ExifTool(fake, limits=exiftool.Limits(timeout_s=20, retry_s=20)) as client:
        assert artists(client.read(paths)) == ["a", "once-die", "b"]


def test_a_file_that_dies_of_a_limit_is_not_tried_again(tmp_path: Path, fake: Path) -> None:
    (path,) = a_case(tmp_path, "die")
    with exiftool.ExifTool(fake, limits=exiftool.Limits(timeout_s=20, retry_s=0.0)) as client:
        assert artists(client.read([path])) == [None]
    assert len((tmp_path / "case" / "log").read_text().splitlines()) == 1


def test_a_folder_of_files_that_hang_costs_a_bounded_time(tmp_path: Path, fake: Path) -> None:
    names = [f"hang{number}" for number in range(12)]
    paths = a_case(tmp_path, "good", *names)
    limits = exiftool.Limits(timeout_s=2.0, trouble_s=4.0, hasty_s=0.5)
    begun = time.monotonic()
    with exiftool.ExifTool(fake, limits=limits) as client:
        results = client.read(paths)
        took = time.monotonic() - begun
        assert artists(results) == ["good", *[None] * 12]
    assert took < 12 * 2.0
    assert "within 2 s; the file was given up" in results[1].reason
    assert "within 0.5 s, the time left after other files" in results[-1].reason


def test_an_embedded_picture_is_asked_for_once_where_the_first_question_hung(tmp_path: Path, fake: Path) -> None:
    (path,) = a_case(tmp_path, "hang")
    with exiftool.ExifTool(fake, limits=exiftool.Limits(timeout_s=1.0)) as client:
        assert client.preview(path) is None
    assert len((tmp_path / "case" / "log").read_text().splitlines()) == 1


def test_the_last_words_of_a_program_are_waited_for(tmp_path: Path) -> None:
    """Its two pipes are drained by two threads: the end of one may be seen before the words on the other."""
    late = """
import os, sys, time
if "-ver" in sys.argv:
    print("12.57"); sys.exit()
sys.stdin.readline()
os.close(1)
time.sleep(0.5)
sys.stderr.write("Out of memory!"); sys.stderr.flush()
os._exit(1)
"""
    (path,) = a_case(tmp_path, "a")
    with exiftool.ExifTool(a_program(tmp_path, late), limits=exiftool.Limits(timeout_s=20)) as client:
        (result,) = client.read([path])
    assert "Out of memory" in result.reason


def test_a_file_that_kills_the_program_twice_is_given_up_with_its_last_words(tmp_path: Path, fake: Path) -> None:
    paths = a_case(tmp_path, "a", "die", "b")
    with exiftool.ExifTool(fake, limits=exiftool.Limits(timeout_s=5)) as client:
        results = client.read(paths)
    assert artists(results) == ["a", None, "b"]
    assert "Out of memory" in results[1].reason


def test_any_amount_of_complaint_is_drained(tmp_path: Path, fake: Path) -> None:
    paths = a_case(tmp_path, *(f"chatty{number}" for number in range(5)))
    with exiftool.ExifTool(fake, limits=exiftool.Limits(timeout_s=20)) as client:
        assert artists(client.read(paths)) == [f"chatty{number}" for number in range(5)]


def test_an_endless_answer_is_cut_off(tmp_path: Path, fake: Path) -> None:
    paths = a_case(tmp_path, "a", "flood", "b")
    with exiftool.ExifTool(fake, limits=exiftool.Limits(timeout_s=20, answer_bytes=1 << 20)) as client:
        results = client.read(paths)
    assert artists(results) == ["a", None, "b"]
    assert "more than 1 MiB" in results[1].reason


def test_a_process_is_replaced_after_its_share_of_files(tmp_path: Path, fake: Path) -> None:
    paths = a_case(tmp_path, *"abcdef")
    with exiftool.ExifTool(fake, batch=2, limits=exiftool.Limits(files=4)) as client:
        assert artists(client.read(paths)) == list("abcdef")
    pids = [line.split()[1] for line in (tmp_path / "case" / "log").read_text().splitlines()]
    assert len(set(pids)) == 2


def test_a_process_that_was_started_ahead_is_the_one_that_reads_and_ends_if_nobody_needs_it(
    tmp_path: Path, fake: Path
) -> None:
    paths = a_case(tmp_path, *"ab")
    with exiftool.ExifTool(fake, ahead=True) as client:
        used = client._ahead[0].result()
        client.learn_version()
        assert client.version == "12.57"
        assert artists(client.read(paths)) == list("ab")
    with exiftool.ExifTool(fake, ahead=True) as client:
        unused = client._ahead[0].result()
    pids = [line.split()[1] for line in (tmp_path / "case" / "log").read_text().splitlines()]
    assert set(pids) == {str(used._process.pid)}
    assert None not in [process._process.poll() for process in (used, unused)]


def test_a_program_that_is_gone_when_it_is_started_ahead_is_told_by_the_first_read(tmp_path: Path, fake: Path) -> None:
    paths = a_case(tmp_path, "a")
    fake.unlink()
    with exiftool.ExifTool(fake, ahead=True) as client:
        with pytest.raises(ToolFailed, match="could not be asked"):
            client.learn_version()
        with pytest.raises(ToolFailed, match="could not be started"):
            client.read(paths)
    exiftool.ExifTool(fake, ahead=True).close()


def test_a_program_started_ahead_that_may_not_be_used_is_refused_when_it_says_its_version(tmp_path: Path) -> None:
    old = a_program(tmp_path, FAKE.replace("12.57", "12.16"))
    with exiftool.ExifTool(old, ahead=True) as client, pytest.raises(ToolTooOld, match="CVE-2022-23935"):
        client.learn_version()
    for no_exiftool in ("print('hello')", "raise SystemExit(3)"):
        other = a_program(tmp_path, no_exiftool)
        with exiftool.ExifTool(other, ahead=True) as client, pytest.raises(ToolFailed, match="does not answer like"):
            client.learn_version()


def test_several_processes_share_the_work_and_keep_the_order(tmp_path: Path, fake: Path) -> None:
    names = [f"f{number}" for number in range(40)]
    with exiftool.ExifTool(fake, processes=3, batch=3) as client:
        assert artists(client.read(a_case(tmp_path, *names))) == names


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_no_exiftool_outlives_us(tmp_path: Path, fake: Path) -> None:
    (path,) = a_case(tmp_path, "a")
    code = (
        "import os, sys, signal\nfrom pathlib import Path\nfrom gtloc_forensics.metadata import exiftool\n"
        "client = exiftool.ExifTool(Path(sys.argv[1]))\nclient.read([os.fsencode(sys.argv[2])])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(fake), os.fsdecode(path)], check=False, timeout=30)
    pid = int((tmp_path / "case" / "log").read_text().split()[1])
    deadline = time.monotonic() + 5
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)


@needs_exiftool
@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is enforced on Linux")
def test_a_program_over_its_memory_limit_is_a_reason_not_a_crash(folder: bytes) -> None:
    path = put(folder, b"a.jpg")
    with exiftool.ExifTool(limits=exiftool.Limits(memory_bytes=20 << 20, timeout_s=20)) as client:
        (result,) = client.read([path])
    assert isinstance(result, exiftool.Unread)


@needs_exiftool
def test_an_open_process_is_pyexiftools_client_within_our_limits(client, folder: bytes) -> None:
    import exiftool as pyexiftool

    from gtloc_forensics.metadata.exiftool.process import Limits, Process

    path = put(folder, b"a photo.jpg")
    process = Process(client.executable, Limits())
    with pyexiftool.ExifTool(common_args=None) as theirs:
        try:
            assert isinstance(process, pyexiftool.ExifTool)
            assert process.running and process.version == client.version == theirs.version
            assert process.execute_json("-G1", "-Artist", os.fsdecode(path)) == theirs.execute_json(
                "-G1", "-Artist", os.fsdecode(path)
            )
            process.execute("-Artist", "a\n-o\npwned.jpg", os.fsdecode(path))
            assert b"pwned.jpg" not in os.listdir(folder)
            with pytest.raises(ValueError, match="cannot be sent"):
                process.execute("-Artist", "a\n$b.jpg")
        finally:
            process.terminate()
    assert not process.running
