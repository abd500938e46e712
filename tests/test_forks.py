"""A long list is shared with forks of the process: the same results in the same order, whatever becomes of a fork.

Only a process of one thread is forked, and pytest need not be one: forks are asked for in a process of its own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.files import forks

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how many threads a process has")


def nothing() -> None:
    """Begin a fork that shares nothing it must not."""


def said_by(code: str, *, timeout_s: float = 60) -> dict[str, object]:
    """Run *code* in a process of its own and return the JSON that it prints last."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PREAMBLE) + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return said


PREAMBLE = """
    import json, os, signal, sys, threading, time
    from pathlib import Path
    from gtloc_forensics.files import forks
    ME = os.getpid()
    def nothing(): pass
    def children(): return Path(f"/proc/{ME}/task/{ME}/children").read_text().split()
    def shared(pieces, work, processes=3, begin=nothing):
        return list(forks.shared_out(pieces, work, processes=processes, begin=begin))
"""


@given(lengths=st.lists(st.integers(0, 4), max_size=7), processes=st.integers(0, 9))
def test_one_process_or_several_make_the_same_in_the_same_order(lengths: list[int], processes: int) -> None:
    begins = [sum(lengths[:number]) for number in range(len(lengths))]
    pieces = [range(begin, begin + length) for begin, length in zip(begins, lengths, strict=True)]
    made = list(forks.shared_out(pieces, lambda piece: [n * n for n in piece], processes=processes, begin=nothing))
    assert made == [n * n for n in range(sum(lengths))]


@linux
def test_several_processes_work_and_none_is_left() -> None:
    said = said_by("""
        made = shared([range(n, n + 5) for n in range(0, 50, 5)], lambda piece: [(n, os.getpid()) for n in piece])
        print(json.dumps({"numbers": [n for n, _ in made], "processes": len({pid for _, pid in made}),
                          "first": made[0][1] == ME, "left": children()}))
    """)
    assert said == {"numbers": list(range(50)), "processes": 3, "first": True, "left": []}


@linux
def test_a_process_with_a_second_thread_is_never_forked() -> None:
    said = said_by("""
        end = threading.Event()
        threading.Thread(target=end.wait).start()
        made = shared([range(3)] * 4, lambda piece: [os.getpid()] * len(piece))
        end.set()
        print(json.dumps({"mine": set(made) == {ME}, "made": len(made)}))
    """)
    assert said == {"mine": True, "made": 12}


@linux
@pytest.mark.parametrize(
    "end", ["os._exit(0)", "os.kill(os.getpid(), signal.SIGKILL)", "sys.exit(0)", "raise MemoryError", "begun.clear()"]
)
def test_what_a_fork_does_not_make_is_made_by_its_parent(end: str) -> None:
    said = said_by(f"""
        begun = []
        def work(piece):
            for n in piece:
                if os.getpid() != ME and n in (7, 27):
                    {end}
                    raise LookupError("a fork's own trouble")
                yield n, os.getpid() == ME
        made = shared([range(n, n + 5) for n in range(0, 50, 5)], work)
        mine = sum(mine for _, mine in made)
        print(json.dumps({{"numbers": [n for n, _ in made], "mine": mine, "left": children()}}))
    """)
    assert said["numbers"] == list(range(50))
    assert said["left"] == []
    assert said["mine"] == 20 + 15 + 10, "its own four pieces, and what was left of the two others from the piece on"


@linux
def test_what_the_work_raises_is_raised_after_what_was_made_before() -> None:
    said = said_by("""
        made = []
        def work(piece):
            for n in piece:
                if n == 12: raise KeyError("twelve")
                yield n
        try:
            for n in forks.shared_out([range(n, n + 5) for n in range(0, 50, 5)], work, processes=3, begin=nothing):
                made.append(n)
        except KeyError as error:
            print(json.dumps({"made": made, "raised": error.args[0], "left": children()}))
    """)
    assert said == {"made": list(range(12)), "raised": "twelve", "left": []}


@linux
def test_who_stops_asking_leaves_no_fork_behind() -> None:
    said = said_by("""
        def work(piece):
            for n in piece:
                if os.getpid() != ME: time.sleep(60)
                yield n
        made = forks.shared_out([range(5)] * 6, work, processes=3, begin=nothing)
        first, running = next(made), children()
        made.close()
        print(json.dumps({"first": first, "running": len(running), "left": children()}))
    """)
    assert said == {"first": 0, "running": 2, "left": []}


@linux
def test_a_fork_begins_with_what_it_is_to_open_anew() -> None:
    said = said_by("""
        opened = []
        def begin(): opened.append(os.getpid())
        made = shared([range(4)] * 4, lambda piece: [list(opened) == [os.getpid()] for _ in piece], 2, begin)
        print(json.dumps({"forks": made[4:8] + made[12:], "mine": made[:4] + made[8:12], "here": opened}))
    """)
    assert said == {"forks": [True] * 8, "mine": [False] * 8, "here": []}


@linux
def test_no_room_for_what_forks_make_costs_time_and_nothing_else() -> None:
    said = said_by("""
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        made = shared([range(4)] * 6, lambda piece: [(f"{n}" * 900, os.getpid() == ME) for n in piece])
        print(json.dumps({"made": len(made), "mine": all(mine for _, mine in made), "left": children()}))
    """)
    assert said == {"made": 24, "mine": True, "left": []}


@linux
@pytest.mark.parametrize("what", ["os.fork", "os.pipe", "forks.tempfile.TemporaryFile"])
@pytest.mark.parametrize("good", [0, 1])
def test_where_a_fork_cannot_be_there_are_fewer(what: str, good: int) -> None:
    said = said_by(f"""
        import errno
        given, asked = {what}, []
        def refused(*args, **more):
            asked.append(1)
            if len(asked) > {good}: raise OSError(errno.EAGAIN, "no more")
            return given(*args, **more)
        {what} = refused
        before = len(os.listdir("/proc/self/fd"))
        made = shared([range(n, n + 4) for n in range(0, 32, 4)], lambda piece: [(n, os.getpid()) for n in piece], 4)
        print(json.dumps({{"numbers": [n for n, _ in made], "processes": len({{pid for _, pid in made}}),
                          "left": children(), "files": len(os.listdir("/proc/self/fd")) - before}}))
    """)
    assert said == {"numbers": list(range(32)), "processes": 1 + good, "left": [], "files": 0}


@linux
def test_without_a_list_of_threads_nothing_is_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "_THREADS", Path("/nothing/here"))
    assert not forks.are_possible()


FOREVER = """
    def work(piece):
        for n in piece:
            if os.getpid() != ME:
                Path(sys.argv[1], str(os.getpid())).touch()
                time.sleep(300)
            yield n
    shared([range(5)] * 6, work)
"""


@linux
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_parent_that_is_ended_takes_its_forks_with_it(sent: signal.Signals, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PREAMBLE) + textwrap.dedent(FOREVER), str(tmp_path)],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    pids = [int(path.name) for path in tmp_path.iterdir()]
    assert len(pids) == 2
    if sent is signal.SIGINT:
        os.killpg(process.pid, sent)  # as a terminal does
    else:
        process.send_signal(sent)
    process.wait(timeout=30)
    while any(map(is_running, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_running, pids))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


@linux
def test_a_thread_that_runs_shows() -> None:
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        assert not forks.are_possible()
    finally:
        end.set()
        thread.join()
