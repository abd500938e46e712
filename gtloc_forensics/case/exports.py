"""The one table of the forms in which a case can be written: ours and those of plugins, through the same door."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from gtloc_forensics.checks import plugins
from gtloc_forensics.checks.hooks import Export
from gtloc_forensics.errors import PluginError, UsageError
from gtloc_forensics.files.writing import replaced
from gtloc_forensics.records import CaseView

_PLAIN = re.compile(r"[a-z0-9]+([-.][a-z0-9]+)*", re.ASCII)


def _write(function: str, view: CaseView, path: Path, **options: Any) -> None:
    from gtloc_forensics import report  # slow to import, and only who writes needs it

    getattr(report, function)(view, path, **options)


BUILT_IN = tuple(
    Export(
        kind,
        suffix,
        partial(_write, function),
        is_dated=kind in ("html", "pdf"),
        has_words=kind in ("csv", "html", "pdf"),
    )
    for kind, suffix, function in (
        ("case-uco", "jsonld", "write_case_uco"),
        ("csv", "csv", "write_csv"),
        ("custody", "custody.jsonl", "write_custody"),
        ("geojson", "geojson", "write_geojson"),
        ("html", "html", "write_html"),
        ("json", "json", "write_document"),
        ("kml", "kml", "write_kml"),
        ("l2tcsv", "l2t.csv", "write_l2tcsv"),
        ("pdf", "pdf", "write_pdf"),
        ("plaso", "plaso.jsonl", "write_plaso"),
        ("timesketch", "jsonl", "write_timesketch"),
    )
)
"""What this package writes, each by a function of :mod:`gtloc_forensics.report`."""


REVIEWED = ("csv", "html", "json", "pdf")
"""Kinds that print what was decided when they are asked to; ``custody`` always holds it, as events."""


class BuiltInExports:
    """Our exports, through the door that a plugin's come through."""

    @plugins.hookimpl
    def exports(self) -> Iterable[Export]:
        """Give :data:`BUILT_IN`."""
        return BUILT_IN


def table(loaded: plugins.Loaded | None = None) -> dict[str, Export]:
    """Return kind → export. A kind that is taken already is a failure of the plugin that gives it again.

    Args:
        loaded: what is plugged in; everything that is installed when left out.
    """
    doors = plugins.load() if loaded is None else loaded
    doors.add_built_in("exports", BuiltInExports())
    found: dict[str, Export] = {}
    for plugin, export in doors.ask_for(Export, "exports"):
        if not _is_plain(export) or export.kind in found:
            doors.note(plugin, f"its export {export.kind!r} has a name that is taken, or is no name; give it another")
        else:
            found[export.kind] = export if plugins.is_ours(plugin) else _guarded(plugin, export)
    return found


def chosen(kind: str, *, loaded: plugins.Loaded | None = None) -> Export:
    """Return the export that is called *kind*.

    Raises:
        UsageError: there is none; the message names those there are, and the plugins that failed.
    """
    ours = next((export for export in BUILT_IN if export.kind == kind), None)
    if ours is not None:  # no plugin can take its name, and all that could be plugged in is slow to load
        return ours
    doors = plugins.load() if loaded is None else loaded
    kinds = table(doors)
    if kind in kinds:
        return kinds[kind]
    failed = "".join(f"; plugin {plugin} {trouble}" for plugin, trouble in doors.troubles.items())
    raise UsageError(f"no export is called {kind!r}; choose one of {', '.join(sorted(kinds))}{failed}")


def write(view: CaseView, export: Export, path: Path, *, report_date: datetime, **options: Any) -> None:
    """Write a case to *path*, whole or not at all; *report_date* is printed where a form prints one.

    Args:
        view: a completed examination.
        export: a form of the table.
        path: the file.
        report_date: what a dated form bears.
        options: of the function that writes it, ``language`` and ``template`` where it has words, ``reviewed`` for
            :data:`REVIEWED`.

    Raises:
        UsageError: an option that this form does not have.
        PluginError: the plugin that writes it failed.
    """
    if options.get("reviewed") and export not in (form for form in BUILT_IN if form.kind in REVIEWED):
        raise UsageError(
            f"an export as {export.kind} prints no decisions; leave --reviewed out, or write {', '.join(REVIEWED)}"
        )
    if set(options) - {"reviewed"} and not export.has_words:
        other = next(name for name in options if name != "reviewed")
        raise UsageError(f"an export as {export.kind} has no --{other}; leave it out")
    if export.is_dated:
        options.setdefault("report_date", report_date)
    export.write(view, path, **options)


def _is_plain(export: Export) -> bool:
    """Whether the words of an export can stand in a command and in a file name."""
    words = (export.kind, export.suffix)
    return all(isinstance(word, str) and _PLAIN.fullmatch(word) for word in words) and callable(export.write)


def _guarded(plugin: str, export: Export) -> Export:
    def write_whole(view: CaseView, path: Path, **options: Any) -> None:
        try:
            with replaced(path) as draft:
                export.write(view, draft, **options)
        except (Exception, SystemExit) as error:  # the border: a stranger's export may raise anything
            what = f"the plugin {plugin} could not write {export.kind} ({type(error).__name__}: {error})"
            raise PluginError(f"{what}; nothing was written") from error

    return Export(export.kind, export.suffix, write_whole, export.is_dated, export.has_words)
