"""Manual pages made of the commands' own help: nothing is said twice, so nothing can differ."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib.metadata import version

import click

from gtloc_forensics.cli.exits import ExitCode

CODES = {
    ExitCode.CLEAN: "Done; from an audit: everything was examined and nothing was found.",
    ExitCode.FINDINGS: "Findings; from verify: differences.",
    ExitCode.FAILURE: "Usage or failure; the message says what to do.",
    ExitCode.INCOMPLETE: "Something could not be examined or carried out, or nothing could be tested.",
    ExitCode.UNCHECKED: "From verify of a PDF: intact, but nobody said whose signature is to be trusted.",
}


def pages(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the text (roff) of each page: of a command and of all below it."""
    yield name.replace(" ", "-"), page(command, name)
    if isinstance(command, click.Group):
        for word, inner in sorted(command.commands.items()):
            if not inner.hidden:
                yield from pages(inner, f"{name} {word}")


def page(command: click.Command, name: str) -> str:
    """Return the manual page of one command in roff, with the macros of man(7)."""
    context = click.Context(command, info_name=name)
    first, rest = _help_of(command)
    dashed = name.replace(" ", "-")
    # No date: the same program gives the same bytes.
    lines = [f'.TH "{dashed.upper()}" "1" "" "gtloc {version("gtloc_forensics")}" "gtloc"']
    lines += [".SH NAME", rf"{_escaped(dashed)} \- {_escaped(first)}"]
    usage = " ".join(command.collect_usage_pieces(context))
    lines += [".SH SYNOPSIS", rf"\fB{_escaped(name)}\fR {_escaped(usage)}"]
    lines += [".SH DESCRIPTION", _escaped(first)]
    for paragraph in rest:
        lines += [".PP", _escaped(paragraph)]
    lines += _options(command, context)
    if isinstance(command, click.Group):
        lines += [".SH COMMANDS"]
        for word, inner in sorted(command.commands.items()):
            lines += [".TP", rf"\fB{_escaped(word)}\fR", _escaped(_help_of(inner)[0])]
    lines += [".SH EXIT STATUS"]
    for code, meaning in CODES.items():
        lines += [".TP", rf"\fB{code.value}\fR", _escaped(meaning)]
    lines += [".SH SEE ALSO", ", ".join(rf"\fB{_escaped(other)}\fR(1)" for other in _others(command, name))]
    return "\n".join(_guarded(line) for line in lines if line) + "\n"


def _help_of(command: click.Command) -> tuple[str, list[str]]:
    """Return the first sentence of a command's help without its full stop, and the paragraphs after it."""
    paragraphs = [" ".join(part.split()) for part in inspect.cleandoc(command.help or "").split("\n\n")]
    return paragraphs[0].rstrip("."), [part.replace("``", "") for part in paragraphs[1:]]


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    records = [
        record
        for item in command.get_params(context)
        if isinstance(item, click.Option) and (record := item.get_help_record(context)) is not None
    ]
    if records:
        yield ".SH OPTIONS"
    for names, told in records:
        yield ".TP"
        yield rf"\fB{_escaped(names)}\fR"
        yield _escaped(told)


def _others(command: click.Command, name: str) -> list[str]:
    above = name.rpartition(" ")[0].replace(" ", "-")
    below = [f"{name} {word}".replace(" ", "-") for word in sorted(getattr(command, "commands", {}))]
    return [*filter(None, [above]), *below, "exiftool"]


def _escaped(text: str) -> str:
    r"""Return text in which roff reads no request of its own: ``\``, hyphens and quotes stay what they are."""
    return re.sub(r"\s+", " ", text).replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")


def _guarded(line: str) -> str:
    r"""Return a line that begins with no request unless it is one of ours (``.SH`` and the like)."""
    is_ours = re.match(r"\.(TH|SH|PP|TP)\b", line)
    return line if is_ours or not line.startswith(".") else rf"\&{line}"
