"""Completion, typed into the shells themselves: commands, options, and the values that an option takes."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from gtloc_forensics.cli.main import gtloc

pytestmark = pytest.mark.timeout(240)
BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "TERM": "xterm"}


def script(shell: str, folder: Path) -> Path:
    """Write what makes a shell complete; skip where the shell, or the program as a command, is not there."""
    if shutil.which(shell) is None or not (BIN / "gtloc").exists():
        pytest.skip(f"{shell}, or gtloc as a command beside {sys.executable}, is not installed")
    path = folder / f"gtloc.{shell}"
    path.write_text(CliRunner().invoke(gtloc, ["completion", shell]).stdout, encoding="utf-8")
    return path


def shell_says(*command: str) -> list[str]:
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [line.partition("\t")[0] for line in done.stdout.splitlines()]


def test_fish_completes_commands_options_and_values(tmp_path: Path) -> None:
    source = f"source {script('fish', tmp_path)}; complete -C "
    assert "correct" in shell_says("fish", "-c", source + "'gtloc co'")
    assert "--zone" in shell_says("fish", "-c", source + "'gtloc correct --zo'")
    assert shell_says("fish", "-c", source + "'gtloc correct --sidecar-style '") == ["a.jpg.xmp", "a.xmp"]


@pytest.mark.parametrize(
    ("words", "told"),
    [("gtloc co", "correct"), ("gtloc correct --zo", "--zone"), ("gtloc correct --sidecar-style a.j", "a.jpg.xmp")],
)
def test_bash_completes_commands_options_and_values(words: str, told: str, tmp_path: Path) -> None:
    typed = words.split(" ")
    act = f"source {script('bash', tmp_path)}; COMP_WORDS=({words}); COMP_CWORD={len(typed) - 1}; "
    call = f"_gtloc_completion gtloc '{typed[-1]}' '{typed[-2]}'; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    assert told in shell_says("bash", "-c", act + call)


def test_zsh_completes_a_command_as_it_is_typed(tmp_path: Path) -> None:
    path = script("zsh", tmp_path)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], ENVIRONMENT)
    try:
        start = f"PS1='ready> '; autoload -Uz compinit; compinit -u -d {tmp_path}/dump; source {path}; echo on''ward\n"
        os.write(terminal, start.encode())
        assert "onward" in _until(terminal, "onward")
        os.write(terminal, b"gtloc corr\t")
        assert "gtloc correct" in _until(terminal, "gtloc correct")
    finally:
        os.write(terminal, b"\x15exit\n")
        os.close(terminal)
        os.waitpid(pid, 0)


def _until(terminal: int, text: str, longest_s: float = 60.0) -> str:
    """Return what a terminal shows, escape sequences aside, until it shows *text*."""
    shown, ends = "", time.monotonic() + longest_s
    while text not in shown and time.monotonic() < ends:
        if select.select([terminal], [], [], 0.5)[0]:
            shown += os.read(terminal, 65536).decode("utf-8", "replace").replace("\x1b[1m", "").replace("\x1b[0m", "")
    return shown
