"""Decoding in processes: same results as inline, in order, and a bad picture costs nobody but itself."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image
from test_decode import HEIC, SEEDS, quarters, saved

from gtloc_forensics.decode import Decoded, Decoder, Job, Limits, Outcome
from gtloc_forensics.decode import pool as pool_module
from gtloc_forensics.errors import DecodeRefused, MissingExtra
from gtloc_forensics.files import confined
from gtloc_forensics.files.types import media_type

PATIENT = Limits(wall_seconds=120.0)


def job(path: Path, content: bytes, **more: object) -> Job:
    path.write_bytes(content)
    return Job(path, path.stem, media_type(content[:64]), **more)  # type: ignore[arg-type]


def same(one: Outcome, other: Outcome) -> bool:
    if isinstance(one, DecodeRefused) or isinstance(other, DecodeRefused):
        return str(one) == str(other) and type(one) is type(other)
    pixels = one.pixels.rgb.tobytes() == other.pixels.rgb.tobytes() and one.pixels.rgb.shape == other.pixels.rgb.shape
    return pixels and one.image == other.image and one.preview_jpeg == other.preview_jpeg


def has_reader(pipe: Path) -> bool:
    """Say whether somebody comes to read a named pipe, and let them read that it is empty."""
    for _ in range(400):
        with contextlib.suppress(OSError):
            os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def pool() -> Iterator[Decoder]:
    with Decoder(2, PATIENT) as decoder:
        yield decoder


def jobs_of_many_kinds(folder: Path) -> list[Job]:
    thumbnail = saved(quarters(160, 120), "JPEG")
    preview = saved(quarters(), "JPEG")
    return [
        job(folder / "a", saved(quarters(), "JPEG"), thumbnail=thumbnail),
        job(folder / "b", b""),
        job(folder / "c", b"II*\0\x10\0\0\0CR\x02\0", preview=preview, orientation=6),
        job(folder / "d", b"hello"),
        job(folder / "e", saved(quarters(), "PNG"), short_side=100),
        job(folder / "f", saved(quarters(), "JPEG")[:3000]),
        job(folder / "g", HEIC),
    ]


def test_workers_answer_what_inline_decoding_does_and_in_order(tmp_path: Path, pool: Decoder) -> None:
    jobs = jobs_of_many_kinds(tmp_path) * 3
    inline = list(Decoder(0).stream(jobs, window=1))
    for window in (1, 4, 100):
        found = list(pool.stream(jobs, window=window))
        assert [finding for finding, _ in found] == jobs
        assert all(same(a, b) for (_, a), (_, b) in zip(found, inline, strict=True))


def test_the_pixels_of_a_worker_are_an_array_like_any(tmp_path: Path, pool: Decoder) -> None:
    ((_, outcome),) = pool.stream([job(tmp_path / "a", saved(quarters(), "JPEG"))], window=1)
    assert isinstance(outcome, Decoded)
    assert outcome.pixels.source_id == "a"
    assert outcome.pixels.rgb.dtype == np.uint8
    assert outcome.pixels.rgb.shape == (384, 512, 3)


def test_no_more_than_the_window_is_taken_ahead(tmp_path: Path, pool: Decoder) -> None:
    taken = 0

    def jobs() -> Iterator[Job]:
        nonlocal taken
        for number in range(20):
            taken += 1
            yield job(tmp_path / f"{number}", saved(quarters(40, 30), "PNG"))

    for seen, _ in enumerate(pool.stream(jobs(), window=3), start=1):
        assert taken <= seen + 3
    assert taken == 20


def test_leaving_early_leaves_a_pool_that_works(tmp_path: Path, pool: Decoder) -> None:
    jobs = [job(tmp_path / f"{number}", saved(quarters(), "JPEG")) for number in range(12)]
    next(iter(pool.stream(jobs, window=8)))
    assert len(list(pool.stream(jobs[:3], window=2))) == 3


def test_a_picture_that_needs_too_much_computing_is_refused_and_the_next_is_decoded(tmp_path: Path) -> None:
    slow = job(tmp_path / "slow", saved(Image.new("L", (10_000, 10_000), 90), "PNG", compress_level=1))
    good = job(tmp_path / "good", saved(quarters(40, 30), "PNG"))
    with Decoder(1, Limits(cpu_seconds=0.05)) as decoder:
        outcomes = [outcome for _, outcome in decoder.stream([slow, good], window=2)]
    assert str(outcomes[0]) == "decoding it takes more than 0.05 s of computing"
    assert isinstance(outcomes[1], Decoded)


def test_a_picture_over_which_decoding_hangs_is_refused_and_the_next_is_decoded(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never")  # opening it waits for a writer
    slow = Job(tmp_path / "never", "never", "image/jpeg")
    good = job(tmp_path / "good", saved(quarters(), "JPEG"))
    with Decoder(1, Limits(wall_seconds=3.0)) as decoder:
        outcomes = [outcome for _, outcome in decoder.stream([slow, good, slow, good], window=4)]
    assert [str(outcome) for outcome in outcomes[::2]] == ["decoding it hung for 3 s"] * 2
    assert all(isinstance(outcome, Decoded) for outcome in outcomes[1::2])


def test_a_picture_is_not_late_while_nobody_is_there_to_take_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never")  # opening it waits for a writer
    good = job(tmp_path / "good", saved(quarters(40, 30), "PNG"))
    with Decoder(1, Limits(wall_seconds=2.0)) as decoder:
        outcomes = decoder.stream([good, Job(tmp_path / "never", "never", "image/jpeg")], window=2)
        assert isinstance(next(outcomes)[1], Decoded)
        time.sleep(3.0)
        process = decoder._workers[0]._process
        assert process is not None
        assert process.poll() is None
        assert has_reader(tmp_path / "never")
        assert "hung" not in str(next(outcomes)[1])


def test_a_worker_begins_the_next_picture_while_nobody_takes_the_last(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "later")
    good = job(tmp_path / "good", saved(quarters(40, 30), "PNG"))
    jobs = [good, good, Job(tmp_path / "later", "later", "image/jpeg")]
    with Decoder(1, PATIENT) as decoder:
        outcomes = decoder.stream(jobs, window=3)
        next(outcomes)  # the second lies ready now, and the third was given
        assert has_reader(tmp_path / "later")
        assert isinstance(next(outcomes)[1], Decoded)
        assert isinstance(next(outcomes)[1], DecodeRefused)


def test_pictures_of_a_worker_that_dies_are_decoded_by_another_but_the_one_it_died_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "deadly")
    deadly = Job(tmp_path / "deadly", "deadly", "image/jpeg")
    good = job(tmp_path / "good", saved(quarters(), "JPEG"))
    with Decoder(1, PATIENT) as decoder:
        outcomes = decoder.stream([good, deadly, good], window=3)
        assert isinstance(next(outcomes)[1], Decoded)
        assert len(decoder._workers[0]._given) == 2
        worker = decoder._workers[0]._process
        assert worker is not None
        worker.kill()
        assert str(next(outcomes)[1]) == "the decoder crashed over it (exit status -9)"
        assert isinstance(next(outcomes)[1], Decoded)


def test_a_folder_of_pictures_that_hang_costs_a_bounded_time(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never")  # opening it waits for a writer
    slow = [Job(tmp_path / "never", str(number), "image/jpeg") for number in range(4)]
    good = job(tmp_path / "good", saved(quarters(), "JPEG"))
    limits = Limits(wall_seconds=3.0, trouble_seconds=4.5, hasty_seconds=1.0)
    with Decoder(1, limits) as decoder:
        outcomes = [str(outcome) for _, outcome in decoder.stream([*slow], window=3)]
        (last,) = [outcome for _, outcome in decoder.stream([good], window=1)]
    assert [said.split(" s")[0].split()[-1] for said in outcomes] == ["3", "1.5", "1", "1"]
    assert outcomes[-1] == "decoding it hung for 1 s, all that others of this run had left for it"
    assert isinstance(last, Decoded)


def test_a_worker_that_dies_costs_its_picture_only(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "deadly")
    deadly = Job(tmp_path / "deadly", "deadly", "image/jpeg")
    good = job(tmp_path / "good", saved(quarters(), "JPEG"))
    with Decoder(1, PATIENT) as decoder:
        assert isinstance(next(decoder.stream([good], window=1))[1], Decoded)
        worker = decoder._workers[0]._process
        assert worker is not None
        killer = threading.Timer(0.3, worker.kill)
        killer.start()
        outcomes = [outcome for _, outcome in decoder.stream([deadly, good], window=2)]
    assert str(outcomes[0]) == "the decoder crashed over it (exit status -9)"
    assert isinstance(outcomes[1], Decoded)


def test_a_worker_that_died_between_two_pictures_costs_none(tmp_path: Path) -> None:
    good = job(tmp_path / "good", saved(quarters(), "JPEG"))
    with Decoder(1, PATIENT) as decoder:
        assert isinstance(next(decoder.stream([good], window=1))[1], Decoded)
        worker = decoder._workers[0]._process
        assert worker is not None
        worker.kill()
        worker.wait()
        assert isinstance(next(decoder.stream([good], window=1))[1], Decoded)


def test_a_picture_that_needs_too_much_memory_is_refused_by_the_system(tmp_path: Path) -> None:
    large = job(tmp_path / "large", saved(Image.new("RGB", (14_000, 14_000)), "PNG", compress_level=1))
    good = job(tmp_path / "good", saved(quarters(), "JPEG"))
    tight = Limits(memory_bytes=700 << 20, full_pixels=2**31, pixels=2**31)  # the picture alone takes 748 MiB
    with Decoder(1, tight) as decoder:
        outcomes = [outcome for _, outcome in decoder.stream([large, good], window=2)]
    assert "memory" in str(outcomes[0])
    assert isinstance(outcomes[1], Decoded)


def test_a_worker_cannot_write_a_file(tmp_path: Path) -> None:
    from gtloc_forensics.files import confined

    pid = os.fork()
    if pid == 0:
        status = 1
        with contextlib.suppress(BaseException):
            import signal

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            confined.limit(64 << 30)
            try:
                (tmp_path / "written").write_bytes(b"x")
            except OSError:
                status = 0
        os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_closing_does_not_wait_for_a_picture_that_hangs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never")
    decoder = Decoder(1, Limits(wall_seconds=3600))
    waiting = decoder.stream([Job(tmp_path / "never", "never", "image/jpeg")], window=1)
    consumer = threading.Thread(target=lambda: list(waiting))
    consumer.start()
    while decoder._workers[0]._connection is None:
        time.sleep(0.01)
    decoder.close()
    consumer.join(20)
    assert not consumer.is_alive()


def test_workers_leave_when_their_parent_does(tmp_path: Path) -> None:
    decoder = Decoder(1, PATIENT)
    list(decoder.stream([job(tmp_path / "good", saved(quarters(), "JPEG"))], window=1))
    worker = decoder._workers[0]
    assert worker._process is not None
    assert worker._connection is not None
    worker._connection.close()  # what the system does when the parent is killed
    assert worker._process.wait(20) == 0
    worker._connection = None
    decoder.close()


def test_a_missing_extra_arrives_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen from the parent: the worker says which, and the install line is the same as inline."""
    (tmp_path / "rawpy.py").write_text("raise ImportError('not here')")
    monkeypatch.syspath_prepend(str(tmp_path))
    raw = job(tmp_path / "raw", b"II*\0\x10\0\0\0CR\x02\0")
    with Decoder(1, PATIENT) as decoder:
        ((_, outcome),) = decoder.stream([raw], window=1)
    assert isinstance(outcome, MissingExtra)
    assert outcome.extra == "raw"


def test_mutated_pictures_never_crash_the_pool(tmp_path: Path, pool: Decoder) -> None:
    rng = Random(20260)
    jobs = []
    for number in range(240):
        content = bytearray(SEEDS[sorted(SEEDS)[number % len(SEEDS)]])
        for _ in range(rng.randint(1, 12)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        if rng.random() < 0.4:
            del content[rng.randrange(len(content)) :]
        path = tmp_path / f"{number}"
        path.write_bytes(content)
        jobs.append(Job(path, str(number), media_type(SEEDS[sorted(SEEDS)[number % len(SEEDS)]][:64])))
    outcomes = [outcome for _, outcome in pool.stream(jobs, window=32)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, DecodeRefused)]
    assert len(outcomes) == 240
    assert 40 <= len(refused) <= 230, "both kinds occur, or the test mutates too much or too little"
    assert not [refusal for refusal in refused if "crashed" in refusal.reason or "hung" in refusal.reason]


def test_pixels_that_no_model_asked_for_stay_in_the_worker_and_nothing_else_changes(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    Image.effect_noise((640, 480), 60).convert("RGB").save(path)
    with Decoder(1) as decoder:
        jobs = [Job(path, name, "image/jpeg", wants_pixels=name == "asked") for name in ("asked", "spared")]
        outcomes = [outcome for _, outcome in decoder.stream(jobs, window=2)]
    asked, spared = (outcome for outcome in outcomes if isinstance(outcome, Decoded))
    assert spared.pixels is None
    assert asked.shown.rgb.shape == (384, 512, 3)
    assert (spared.image, spared.preview_jpeg) == (asked.image, asked.preview_jpeg)


def test_a_worker_gives_way_to_whoever_is_alone_with_its_work(tmp_path: Path) -> None:
    with Decoder(1) as decoder:
        list(decoder.stream([job(tmp_path / "good", saved(quarters(40, 30), "PNG"))], window=1))
        worker = decoder._workers[0]._process
        assert worker is not None
        ours, its = os.getpriority(os.PRIO_PROCESS, 0), os.getpriority(os.PRIO_PROCESS, worker.pid)
        assert its == min(19, ours + confined.BEHIND)
        session = Path(f"/proc/{worker.pid}/autogroup")
        if session.exists():
            assert session.read_text("ascii").endswith(f" nice {confined.BEHIND}\n")


def a_picture(folder: Path) -> Path:
    Image.new("RGB", (300, 200), (10, 90, 200)).save(folder / "a.jpg")
    return folder / "a.jpg"


def test_processes_that_were_started_before_there_was_a_picture_decode_it(tmp_path: Path) -> None:
    picture = a_picture(tmp_path)
    with Decoder(3) as pool:
        pool.start_ahead(2)
        started = [worker._process for worker in pool._workers]
        assert [process is None for process in started] == [False, False, True]
        jobs = [Job(picture, f"{number:016x}", "image/jpeg") for number in range(9)]
        outcomes = [outcome for _, outcome in pool.stream(jobs, window=9)]
        assert all(isinstance(outcome, Decoded) for outcome in outcomes)
        assert [worker._process for worker in pool._workers[:2]] == started[:2]


def test_a_process_that_was_started_ahead_and_died_is_started_again(tmp_path: Path) -> None:
    picture = a_picture(tmp_path)
    with Decoder(1) as pool:
        pool.start_ahead(1)
        (worker,) = pool._workers
        assert worker._process is not None
        worker._process.kill()
        worker._process.wait()
        ((_, outcome),) = pool.stream([Job(picture, "0" * 16, "image/jpeg")], window=1)
        assert isinstance(outcome, Decoded)


def test_a_process_started_ahead_that_hangs_in_its_start_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "START_SECONDS", 1.0)
    picture = a_picture(tmp_path)
    with Decoder(1) as pool:
        pool.start_ahead(1)
        (worker,) = pool._workers
        assert worker._process is not None
        os.kill(worker._process.pid, signal.SIGSTOP)
        ((_, outcome),) = pool.stream([Job(picture, "0" * 16, "image/jpeg")], window=1)
        assert isinstance(outcome, DecodeRefused)
