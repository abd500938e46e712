"""The audit of a folder in which nothing changed: what the last one printed, again. Part of the command line."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gtloc_forensics.cli import preferences

if TYPE_CHECKING:
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.case.last_audit import LastAudit, Progress
    from gtloc_forensics.records import CauseGroup, Tally

FINDINGS = "findings.json"

_FORCING = {"FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"}
"""Variables with which rich takes a pipe for a terminal."""

_ASKS_FOR_MORE = (
    *("catalogues", "opinions", "trust_anchors", "backup_password", "visible_dates", "database"),
    *("reviewed", "opens", "lines", "followed", "nested", "carve", "cluster"),
)
"""Options with which an audit depends on other files, or does more than to print: it is made in full."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked of an audit, and so what may be said again when the same is asked."""

    evidence: Path
    folder: Path
    options: Mapping[str, object]

    @classmethod
    def of(cls, context: click.Context) -> Request | None:
        """Return what the running command was asked; None for what is never said again."""
        options = context.params
        if any(options[name] for name in _ASKS_FOR_MORE) or os.sep in options["model"]:
            return None
        evidence, folder = options["case_folder"], folder_of(options)
        return cls(evidence, folder, {**options, "settings": preferences.kept()})

    def said(self, progress: Progress) -> LastAudit | None:
        """Return what the last audit said when a full one would say the same; see the module of that name."""
        from gtloc_forensics.case import last_audit

        if not (self.folder / last_audit.NOTE).is_file():
            return None
        jobs = self.options["jobs"]
        workers = jobs if isinstance(jobs, int) else os.cpu_count() or 1
        said = last_audit.unchanged(self.evidence, self.folder, self.options, workers=workers, progress=progress)
        if said is not None and said.tally.photos and not self.options["no_report"]:
            progress("report", 0, None)
        return said

    def keep(self, concluded: Concluded) -> None:
        """Note what a full audit said; the case is closed."""
        from gtloc_forensics.case import last_audit

        if not concluded.plugins:  # what others wrote may depend on anything
            said = last_audit.LastAudit(concluded.tally, concluded.told, concluded.products)
            stands = (concluded.examination, concluded.chain)
            last_audit.keep(self.evidence, self.folder, self.options, said=said, stands=stands)


def folder_of(options: Mapping[str, Any]) -> Path:
    """Return the case folder of an audit that is asked for with *options*."""
    folder: Path | None = options["output"]
    return folder or Path.cwd() / f"{options['case_folder'].resolve().name or 'root'}.audit"


@dataclass(frozen=True, slots=True)
class Concluded:
    """What a full audit came to, as far as it can be said again."""

    examination: str
    chain: tuple[int, str]
    tally: Tally
    told: Mapping[str, Any]
    products: Mapping[str, str]
    plugins: bool


def concluded(case: Case, tally: Tally, told: Mapping[str, Any], *products: Path | None) -> Concluded:
    """Return what an open case came to, with the hashes of what was written of it."""
    from gtloc_forensics.files.hashing import sha256_of

    used = case.view().examined_with
    written = {path.name: sha256_of(path.resolve()) for path in products if path is not None}
    return Concluded(case.concluded, case.chain_end, tally, told, written, bool(used.plugins or used.troubles))


def say(said: LastAudit, folder: Path, *, as_json: bool) -> Tally:
    """Print what the last audit printed; return its counts."""
    if as_json:
        click.echo((folder / FINDINGS).read_bytes(), nl=False)
    else:
        say_told(said.told)
    return said.tally


def told_of(case: Case, lines: list[str], *, set_apart: Collection[CauseGroup]) -> dict[str, Any]:
    """Return what is told of a case, in parts for a terminal of any width and as the text that a pipe gets."""
    from gtloc_forensics.cli import tables

    told, text = tables.told_of(case.view(), set_apart=set_apart), io.StringIO()
    tables.print_told(told, text)
    return {"tables": asdict(told), "lines": lines, "piped": text.getvalue()}


def say_told(told: Mapping[str, Any]) -> None:
    """Print the tables, the counts, and where everything is."""
    if not sys.stdout.isatty() and sys.stdout.encoding.lower() == "utf-8" and not _FORCING & os.environ.keys():
        click.echo(told["piped"], nl=False)  # rich takes longer to load than all else that is left to do
    else:
        from gtloc_forensics.cli import tables

        tables.print_told(tables.Told.from_plain(told["tables"]), sys.stdout)
    for line in told["lines"]:
        click.echo(line)
