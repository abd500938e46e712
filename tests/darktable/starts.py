"""Start darktable many times with fresh settings under Xvfb, and count the starts that stand still.

    python tests/darktable/starts.py [--starts 20] [--without] [--module FOLDER] [--busy 0]

A start is *whole* when its window is there, the main thread waits for events (poll) and, with the module, its panel is
installed. It *stood still* when the main thread waits on a lock while the whole program uses no computing time for
30 s; that tells it from one that a busy machine merely delays. The first line of the user's luarc leaves a mark: where
it is missing darktable stood still in the luarc of its own, before it came to any script of the user's.
``--without`` is the constant: that first line alone. ``--no-own-luarc`` leaves darktable's own out, so that the first
widget that a script makes is one of the module's. ``--busy N`` keeps N processes computing meanwhile.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "plugins" / "darktable" / "gtloc"
OWN_DATA = Path("/usr/share/darktable")
STILL_S, LIMIT_S = 30, 300
BEGUN = 'io.open(os.getenv("STARTS") .. "/begun", "wb"):close()\n'
INSTALLED = """
local dt = require "darktable"
local script = require "gtloc/gtloc"
dt.control.dispatch(function()
  while not script.gtloc.installed do
    dt.control.sleep(100)
  end
  io.open(os.getenv("STARTS") .. "/installed", "wb"):close()
end)
"""


@dataclass(frozen=True)
class Start:
    outcome: str
    wall_s: float
    computing_s: float


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def _computing_s(process: int) -> float:
    fields = _text(f"/proc/{process}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if len(fields) > 12 else 0.0


def _has_window(display: str) -> bool:
    tree = subprocess.run(
        ["xwininfo", "-root", "-tree", "-display", display], capture_output=True, text=True, timeout=30
    ).stdout
    return '"darktable"' in tree


def _waits_in(process: int) -> str:
    return _text(f"/proc/{process}/task/{process}/wchan")


def watched(program: subprocess.Popen[bytes], display: str, folder: Path, wanted: str) -> Start:
    """Return how a start went; it is over when it is whole, ended, stood still or took too long."""
    began = time.monotonic()
    used, used_at, settled = 0.0, began, 0
    while True:
        time.sleep(0.5)
        now, computing, waits = time.monotonic(), _computing_s(program.pid), _waits_in(program.pid)
        if program.poll() is not None:
            return Start(f"ended {program.returncode}", now - began, computing)
        is_there = "poll" in waits and (folder / wanted).exists() and _has_window(display)
        settled = settled + 1 if is_there else 0
        if settled >= 3:
            return Start("whole", now - began, computing)
        if computing > used + 0.05:
            used, used_at = computing, now
        if "futex" in waits and now - used_at > STILL_S:
            where = "after the user's luarc began" if (folder / "begun").exists() else "in darktable's own luarc"
            return Start(f"stood still {where}", now - began, computing)
        if now - began > LIMIT_S:
            return Start("neither", now - began, computing)


def started(folder: Path, module: Path | None, display: str, *, own_luarc: bool) -> Start:
    """Start darktable once with settings of its own in ``folder``."""
    settings = folder / "settings"
    (settings / "lua").mkdir(parents=True)
    (settings / "luarc").write_text(BEGUN + (INSTALLED if module is not None else ""), encoding="utf-8")
    if module is not None:
        shutil.copytree(module, settings / "lua" / "gtloc")
    command = ["darktable", "--disable-opencl", "--configdir", str(settings), "--cachedir", str(folder / "cache")]
    if not own_luarc:
        data = folder / "data"
        data.mkdir()
        for entry in OWN_DATA.iterdir():
            if entry.name != "luarc":
                (data / entry.name).symlink_to(entry)
        command += ["--datadir", str(data)]
    with (folder / "log").open("wb") as log:
        program = subprocess.Popen(
            [*command, "--library", str(folder / "library.db")],
            env={**os.environ, "DISPLAY": display, "STARTS": str(folder)},
            stdout=log,
            stderr=log,
        )
        try:
            start = watched(program, display, folder, "begun" if module is None else "installed")
            if start.outcome != "whole" and (keep := os.environ.get("STARTS_BACKTRACES")):
                _backtrace(program.pid, Path(keep))
            return start
        finally:
            with contextlib.suppress(ProcessLookupError):
                program.send_signal(signal.SIGKILL)
            program.wait(30)


def _backtrace(process: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    asked = ["gdb", "-p", str(process), "-batch", "-ex", "thread apply all bt 14"]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=300)
    (folder / f"{process}.txt").write_text(told.stdout, encoding="utf-8")


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--starts", type=int, default=20)
    wanted.add_argument("--without", action="store_true", help="the same starts without the module")
    wanted.add_argument("--module", type=Path, default=MODULE)
    wanted.add_argument("--no-own-luarc", action="store_true", help="leave out the script that darktable itself runs")
    wanted.add_argument("--busy", type=int, default=0, help="processes that compute meanwhile")
    chosen = wanted.parse_args()
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1500x950x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    display = ":" + os.read(reading, 16).decode().strip()
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(chosen.busy)]
    counts: dict[str, int] = {}
    try:
        for number in range(chosen.starts):
            with tempfile.TemporaryDirectory(prefix="starts-") as folder:
                module = None if chosen.without else chosen.module
                start = started(Path(folder), module, display, own_luarc=not chosen.no_own_luarc)
            counts[start.outcome] = counts.get(start.outcome, 0) + 1
            took = f"{start.wall_s:.1f} s, computing {start.computing_s:.1f} s"
            print(f"{number + 1:3} {start.outcome}: {took}, load {os.getloadavg()[0]:.1f}", flush=True)
    finally:
        for process in (*busy, server):
            process.kill()
            process.wait(30)
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
