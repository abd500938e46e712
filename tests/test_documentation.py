"""The documentation is under test: every command and option is in it, every link leads somewhere, code compiles."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gtloc_forensics.cli.main import ExitCode, gtloc

ROOT = Path(__file__).parents[1]
COMMANDS = ROOT / "docs" / "commands.md"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")])
PROGRAMS = {"gtloc": None, "gtloc-audit": "audit"}

FENCE = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def leaves(group: click.Group, name: str = "gtloc") -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, with its full name: ``gtloc model add``."""
    for word, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from leaves(command, f"{name} {word}")
        else:
            yield f"{name} {word}", command


EVERY = dict(leaves(gtloc))


def section_of(command: str) -> str:
    """Return what docs/commands.md says of a command: from its heading to the next of the same rank."""
    text = COMMANDS.read_text(encoding="utf-8")
    found = re.search(rf"^#+ {re.escape(command)}\n(.*?)(?=^#+ gtloc |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/commands.md has no section “{'#' * (1 + len(command.split()) - 1)} {command}”"
    return found[1]


def options_of(command: click.Command) -> list[click.Option]:
    return [item for item in command.params if isinstance(item, click.Option)]


def row_of(option: click.Option) -> str:
    """Return the line of the table that a missing option wants, to be pasted."""
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    return f"| {names} | {(option.help or '…').replace('|', '·')} |"


# --------------------------------------------------------------------------- commands


@pytest.mark.parametrize("name", EVERY)
def test_a_command_has_a_section_with_its_options_and_its_arguments(name: str) -> None:
    section = section_of(name)
    missing = [
        row_of(option)
        for option in options_of(EVERY[name])
        if not all(f"`{spelling}" in section for spelling in [*option.opts, *option.secondary_opts])
    ]
    assert not missing, f"docs/commands.md, “{name}”, lacks:\n" + "\n".join(missing)
    for item in EVERY[name].params:
        if isinstance(item, click.Argument):
            assert (item.metavar or item.name or "").upper().strip("[].") in section, item.name


@pytest.mark.parametrize("name", EVERY)
def test_a_section_has_a_purpose_exit_codes_and_an_example(name: str) -> None:
    section = section_of(name)
    assert re.match(r"\n*[A-Z]\w+[^|]{40,}", section), f"{name}: begins with what it is for"
    assert "Exit codes:" in section, name
    blocks = [body for _, body in FENCE.findall(section)]
    assert any(name in body or name.replace("gtloc audit", "gtloc-audit") in body for body in blocks), name


@pytest.mark.parametrize("name", EVERY)
def test_no_option_is_documented_that_does_not_exist(name: str) -> None:
    known = {spelling for option in options_of(EVERY[name]) for spelling in [*option.opts, *option.secondary_opts]}
    rows = [line.split("|")[1] for line in section_of(name).splitlines() if line.startswith("| `-")]
    documented = {spelling for row in rows for spelling in re.findall(r"`(--?[\w-]+)", row)}
    assert documented <= known, f"{name} has no {sorted(documented - known)}"


def test_no_command_is_documented_that_does_not_exist() -> None:
    headings = set(re.findall(r"^#+ (gtloc [\w -]+)$", COMMANDS.read_text(encoding="utf-8"), re.MULTILINE))
    groups = {" ".join(name.split()[:-1]) for name in EVERY} - {"gtloc"}
    assert headings - groups == set(EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_a_command_and_each_of_its_options_has_help(name: str) -> None:
    assert EVERY[name].help, name
    silent = [option.opts[-1] for option in options_of(EVERY[name]) if not option.help and not option.hidden]
    assert not silent, f"{name}: no help for {silent}"


def test_every_exit_code_is_documented() -> None:
    text = COMMANDS.read_text(encoding="utf-8")
    for code in ExitCode:
        assert re.search(rf"^\| {code.value} \|", text, re.MULTILINE), code


# --------------------------------------------------------------------------- what is shown can be done


def shown_commands(page: Path) -> Iterator[str]:
    """Yield each line of a page that begins with one of our programs: in blocks, indented, or between backticks."""
    text = page.read_text(encoding="utf-8")
    program = r"gtloc(?:-audit)?(?= [a-zA-Z./~-])"
    yield from re.findall(rf"^(?: {{4}}|\$ )?({program}[^\n`|]*)", text, re.MULTILINE)
    yield from re.findall(rf"`({program}[^`\n]*)`", text)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_is_shown_exists_with_the_options_shown(page: Path) -> None:
    for line in shown_commands(page):
        words = shlex.split(re.sub(r"[][]|…|( [#<>] .*)", "", line))
        command: click.Command = gtloc
        rest = [*filter(None, [PROGRAMS[words[0]]]), *words[1:]]
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            assert rest[0] in command.commands, f"{page.name}: {line}"
            command = command.commands[rest.pop(0)]
        context = click.Context(command)
        known = {name for item in command.get_params(context) for name in [*item.opts, *item.secondary_opts]}
        for word in rest:
            assert not re.match(r"--?[a-z]", word) or word.split("=")[0] in known, f"{page.name}: {line}: {word}"


def test_the_make_targets_that_the_readme_shows_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = set(re.findall(r"^make ([\w-]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert shown and shown <= targets


def test_every_target_that_make_is_promised_exists() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    promised = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert promised
    assert set(promised[1].split()) <= set(re.findall(r"^([\w-]+):", text, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target in (first or second for first, second in LINK.findall(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        leads_to = (page.parent / path).resolve() if path else page
        assert leads_to.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors_of(leads_to), f"{page.name} links to {target}"


def anchors_of(page: Path) -> set[str]:
    """Return the anchors that a forge makes of the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_of_code_is_closed_and_what_is_marked_compiles(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(re.findall(r"^ *```", text, re.MULTILINE)) % 2 == 0, f"{page.name} leaves a block open"
    for language, body in FENCE.findall(text):
        if language == "python":
            compile(body, f"{page.name}: {body[:40]!r}", "exec")
        elif language == "toml":
            tomllib.loads(body)


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        here = waiting.pop()
        if here in reached or here.suffix != ".md":
            continue
        reached.add(here)
        targets = (first or second for first, second in LINK.findall(here.read_text(encoding="utf-8")))
        paths = ((here.parent / target.partition("#")[0]).resolve() for target in targets if ":" not in target)
        waiting += [path for path in paths if path.is_file()]
    lonely = [name_of(page) for page in sorted(ROOT.glob("docs/*.md")) if page not in reached]
    assert not lonely, f"no chain of links leads from README.md to {lonely}"


# --------------------------------------------------------------------------- the rest


def test_the_readme_names_the_largest_ratios_that_the_model_can_give() -> None:
    text = (ROOT / "models" / "gtloc-small" / "calibration.json").read_text(encoding="utf-8")
    tests = json.loads(text)["evidence"]["tests"].values()
    ratios = [ratio for test in tests if test["cllr"] < 1 for ratio in test["lr_log10"]]  # others are not printed
    said = f"likelihood ratios stay between 1/{10 ** -min(ratios):.0f} and {10 ** max(ratios):.0f}"
    assert said in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_changelog_speaks_of_the_current_version() -> None:
    version = re.search(r'version="([^"]+)"', (ROOT / "setup.py").read_text(encoding="utf-8"))
    assert version
    newest = re.search(
        r"^## (\S+)[^\n]*\n(.*?)(?=^## |\Z)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M | re.S
    )
    assert newest
    assert newest[1] == version[1]
    assert re.findall(r"^\* .{20,}", newest[2], re.MULTILINE), "an entry says what is new for the user"


def test_decisions_are_numbered_without_gaps_and_say_what_they_are() -> None:
    notes = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(note.name[:4]) for note in notes] == list(range(1, len(notes) + 1))
    for note in notes:
        assert note.read_text(encoding="utf-8").startswith("# "), note.name


def test_environment_variables_that_the_program_reads_are_documented() -> None:
    package = ROOT / "gtloc_forensics"
    read = {
        name
        for path in package.rglob("*.py")
        for name in re.findall(r'"(GTLOC_[A-Z_]+|SOURCE_DATE_EPOCH)"', path.read_text(encoding="utf-8"))
    }
    text = COMMANDS.read_text(encoding="utf-8")
    assert read
    assert {name for name in read if f"`{name}`" not in text} == set()
