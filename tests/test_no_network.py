"""Cut off from every network, the commands do what they do with one, and none of them so much as tries to reach it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_case import photo

COMMANDS = """
import json, sys
tried = []

def notice(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request"):
        tried.append(f"{event} {arguments[1:]}")

sys.addaudithook(notice)
from click.testing import CliRunner
from gtloc_forensics.cli.main import gtloc

evidence, case, plan = sys.argv[1:]
codes = {}
for words in (
    ["audit", evidence, "-o", case, "--jobs", "1"],
    ["verify", case, "--sample", "1"],
    ["report", case, "--language", "de"],
    ["export", case, "--format", "html"],
    ["correct", case, "--plan", plan, "--offset", "+01:00:00"],
    ["correct", case, "--plan", plan, "--apply"],
    ["watch", evidence, "--case", case, "--once", "--no-report", "--stable", "0.1"],
    ["doctor"],
    ["model", "list"],
):
    result = CliRunner().invoke(gtloc, words)
    assert "Traceback" not in result.output, result.output
    codes[" ".join(words[:1] + words[-1:])] = result.exit_code
print(json.dumps({"tried": tried, "codes": codes}))
"""


def test_cut_off_from_every_network_all_commands_do_their_work_and_none_tries_to_reach_one(tmp_path: Path) -> None:
    cut_off = next(([*words] for words in (("unshare", "-n"), ("unshare", "-rn")) if _may(words)), None)
    if cut_off is None:
        pytest.skip("cutting a process off from the network (unshare -n) is not allowed here")
    photo(tmp_path / "evidence" / "a.jpg", 1)
    arguments = [str(tmp_path / name) for name in ("evidence", "case", "plan.toml")]
    words = [*cut_off, sys.executable, "-c", COMMANDS, *arguments]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["tried"] == []
    assert set(said["codes"].values()) <= {0, 1, 3}, said["codes"]


def _may(words: tuple[str, ...]) -> bool:
    if shutil.which(words[0]) is None:
        return False
    return subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0
