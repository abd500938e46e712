"""What a killed correction left beside its targets is gone with the next command, and resuming goes on."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_case import INLINE, photo, snapshot
from test_correct_killed import KILLED, World, ground, killed_at
from test_correct_killed import photo as picture

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.correct import Journal, leftovers
from gtloc_forensics.correct.journal import INTEND, READY
from gtloc_forensics.errors import UsageError

__all__ = ["ground", "picture"]  # fixtures

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]


def clear_up(world: World) -> tuple[Path, ...]:
    with Journal(world.journal) as journal:
        return leftovers.remove(journal, world.evidence)


@pytest.mark.parametrize("kind", ["sidecar", "copy", "in place", "beside"])
def test_killed_anywhere_nothing_of_ours_is_left_by_the_next_command_and_resuming_finishes(ground, picture, kind):
    world = World(ground / "world", kind)
    world.set_up(picture)
    old = world.state()
    world.apply()
    new = world.state()
    number, found = 1, 0
    while True:
        world.set_up(picture)
        if not killed_at(number, world.apply):
            break
        found += len(clear_up(world))
        assert not world.leftovers(), number
        assert not list((world.journal / "originals").glob("*.tmp")), number
        for name, digest in world.state().items():
            assert digest in (old.get(name), new.get(name)), (number, name)
        assert not clear_up(world), number
        with Journal(world.journal) as journal:
            begun = bool(journal.transactions())
        world.resume()
        assert world.state() == (new if begun else old), number
        number += 1
    assert found >= 4, "a file was beside its target at too few moments for this to mean anything"


@pytest.mark.parametrize("kind", ["in place", "sidecar"])
def test_killed_while_undoing_nothing_is_left_and_undoing_again_gives_every_byte_back(ground, picture, kind):
    world = World(ground / "world", kind)
    world.set_up(picture)
    old = world.state()
    number, found = 1, 0
    while True:
        world.set_up(picture)
        world.apply()
        if not killed_at(number, world.undo):
            break
        found += len(clear_up(world))
        assert not world.leftovers(), number
        with contextlib.suppress(UsageError):  # killed after its very last line: all is undone
            world.undo()
        assert world.state() == old, number
        number += 1
    assert found >= 2


def killed_with_a_file_beside_its_target(world: World, picture: bytes) -> Path:
    for number in range(1, 60):
        world.set_up(picture)
        assert killed_at(number, world.apply)
        beside = [path for path in world.evidence.iterdir() if path.name.startswith(".gtloc-")]
        if beside:
            return beside[0]
    raise AssertionError("no moment leaves a file there")


def test_a_strangers_journal_and_a_strangers_file_decide_nothing(ground, picture):
    world = World(ground / "world", "in place")
    left = killed_with_a_file_beside_its_target(world, picture)
    other = world.evidence / ".gtloc-T0001-000000000000.jpg"  # as ours are called, but the journal names none such
    other.write_bytes(b"a stranger's")
    with Journal(world.journal) as journal:
        assert leftovers.remove(journal, world.root / "another folder") == ()
        assert left.exists()
        journal._entries = [_with(entry, target=_hex(world.root / "victim.jpg")) for entry in journal.entries]
        victim = (world.root / "victim.jpg").with_name(left.name)
        victim.write_bytes(b"outside the place that the transaction writes to")
        assert leftovers.remove(journal, world.evidence) == ()
        assert victim.exists()
        journal._entries = [
            _with(entry, target=_hex(world.evidence / ".." / "victim.jpg")) for entry in journal.entries
        ]
        assert leftovers.remove(journal, world.evidence) == ()
        assert victim.exists()
    assert other.exists()


def test_a_link_under_the_temporary_name_is_not_followed_and_stays(ground, picture):
    world = World(ground / "world", "in place")
    left = killed_with_a_file_beside_its_target(world, picture)
    victim = world.root / "victim"
    victim.write_bytes(b"elsewhere")
    left.unlink()
    left.symlink_to(victim)
    assert clear_up(world) == ()
    assert victim.exists()
    left.unlink()


def _hex(path: Path) -> str:
    return os.fsencode(path).hex()


def _with(entry, **facts):
    from dataclasses import replace

    return replace(entry, facts={**entry.facts, **facts}) if entry.step in (INTEND, READY) else entry


# --------------------------------------------------------------------------- whole commands

COMMANDS = {
    "audit": lambda evidence, case: ["audit", str(evidence), "-o", str(case), "--model", "none", "--no-report"],
    "verify": lambda evidence, case: ["verify", str(case), "--sample", "0"],
    "plan": lambda evidence, case: ["correct", str(case), "--plan", str(case / "another.toml")],
    "resume": lambda evidence, case: ["correct", str(case), "--resume"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_next_command_of_whatever_kind_removes_it_and_the_correction_is_finished_later(tmp_path, command):
    evidence, case = tmp_path / "evidence", tmp_path / "case"
    photo(evidence / "a.jpg", 1)
    photo(evidence / "b.jpg", 2)
    with open_case(evidence, case) as opened:
        opened.audit(INLINE)
    run = CliRunner().invoke
    assert run(gtloc, ["correct", str(case), "--offset", "+01:00:00"]).exit_code == 0
    before = snapshot(evidence)
    plan = ["correct", str(case), "--apply", "--in-place", "--yes-change-originals"]
    assert _killed_before_replacing(evidence, lambda: run(gtloc, plan)) == KILLED
    (left,) = evidence.glob(".gtloc-*")
    (case / "corrections" / "work" / "a.jpg_exiftool_tmp").write_bytes(b"half")
    result = run(gtloc, COMMANDS[command](evidence, case))
    assert result.exit_code != 2, result.output
    assert not left.exists()
    assert not list((case / "corrections" / "work").iterdir())
    if command != "resume":
        assert {name: stat for name, stat in snapshot(evidence).items() if name.endswith(".jpg")} == {
            name: stat for name, stat in before.items() if name.endswith(".jpg")
        }
        with Case(case) as opened:
            said = [event.subject for event in opened.store.custody() if event.detail.get("step") == "clear up"]
        assert said == [str(left)]
        assert run(gtloc, COMMANDS["resume"](evidence, case)).exit_code == 0
    assert not list(evidence.glob(".gtloc-*"))
    assert run(gtloc, ["correct", str(case), "--undo"]).exit_code == 0


def test_what_a_killed_run_left_of_a_report_is_gone_with_the_next_command(tmp_path):
    evidence, case = tmp_path / "evidence", tmp_path / "case"
    photo(evidence / "a.jpg", 1)
    with open_case(evidence, case) as opened:
        opened.audit(INLINE)
        opened.write_findings()
    assert _killed_before_replacing(case, lambda: CliRunner().invoke(gtloc, ["report", str(case)])) == KILLED
    assert list(case.glob(".gtloc-*.draft"))
    assert CliRunner().invoke(gtloc, ["verify", str(case), "--sample", "0"]).exit_code == 0
    assert not list(case.glob(".gtloc-*"))


def _killed_before_replacing(folder: Path, action) -> int:
    """Run *action* in a child that ends, as by SIGKILL, just before a file in *folder* takes its place."""
    child = os.fork()
    if child == 0:
        honest = os.replace

        def dies(source, target, *rest):
            if Path(target).parent == folder and Path(source).name.startswith(".gtloc-"):
                os._exit(KILLED)
            return honest(source, target, *rest)

        os.replace = dies
        try:
            action()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_damaged_journal_stops_no_audit(tmp_path):
    evidence, case = tmp_path / "evidence", tmp_path / "case"
    photo(evidence / "a.jpg", 1)
    with open_case(evidence, case) as opened:
        opened.audit(INLINE)
    (case / "corrections").mkdir()
    (case / "corrections" / "journal.jsonl").write_bytes(b"no journal\n")
    with open_case(evidence, case) as opened:
        opened.audit(INLINE)
    shutil.rmtree(case / "corrections")
