"""``gtloc watch``: photos examined as they arrive."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from gtloc_forensics.cli.database import database_option, named_database
from gtloc_forensics.cli.exits import says_what_went_wrong
from gtloc_forensics.cli.output import say, say_json
from gtloc_forensics.cli.statements import language_of
from gtloc_forensics.cli.witness_options import witness_options

COUNTS = ("photos", "seconds", "found", "clean", "not_testable", "not_examined")


@click.command()
@click.argument("import_dirs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--case", "case_folder", required=True, type=click.Path(path_type=Path), help="Case folder, outside them."
)
@click.option("--once", is_flag=True, help="Examine what lies there, conclude and leave: for cron.")
@click.option("--poll/--no-poll", default=None, help="Look instead of being told [default: by file system].")
@click.option("--stable", default=1.5, show_default=True, help="Seconds a file must stand still to be complete.")
@click.option("--rescan", default=300.0, show_default=True, help="Seconds between two full looks.")
@click.option("--report-every", default=600.0, show_default=True, help="Seconds between reports while photos come.")
@click.option("--quiet", default=20.0, show_default=True, help="Seconds without photos after which to report.")
@click.option("--no-report", is_flag=True, help="Leave the PDF out; findings.json is written all the same.")
@click.option("--language", default="", help="Language of the report [default: en].")
@click.option("--model", default="", help="Model name or folder; 'none' leaves the pixels unexamined.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, mps.")
@click.option("--jobs", type=click.IntRange(0), default=1, show_default=True, help="Decoding processes.")
@witness_options
@click.option("--on-finding", "command", help="Program to run per photo with findings; JSON on its standard input.")
@click.option("--webhook", help="URL to POST findings to; off unless given.")
@click.option("--desktop", is_flag=True, help="Show a desktop notification per photo with findings.")
@click.option("--notify", multiple=True, metavar="NAME[=TARGET]", help="Tell of findings as a plugin does it.")
@click.option("--json", "as_json", is_flag=True, help="Log JSON lines instead of sentences.")
@database_option
@says_what_went_wrong
def watch(import_dirs: tuple[Path, ...], case_folder: Path, as_json: bool, **options: Any) -> None:
    """Watch IMPORT_DIRS and examine each photo once it is complete; nothing in them is changed.

    Stops on Ctrl-C or SIGTERM after what is in hand. Killed in any way, it goes on
    where it stopped when it is started again.
    """
    from gtloc_forensics.case.case import open_case
    from gtloc_forensics.case.watching import WatchSettings
    from gtloc_forensics.errors import UsageError
    from gtloc_forensics.examination.settings import Settings
    from gtloc_forensics.files.reading import is_store
    from gtloc_forensics.report import refuse_unknown

    if addressed := [folder for folder in import_dirs if is_store(folder)]:
        raise UsageError(f"{addressed[0]} is the address of a store, which cannot be watched; audit it again instead")
    roots = tuple(folder.resolve() for folder in import_dirs)
    if options["once"] and not any(root.is_dir() for root in roots):
        raise UsageError(
            f"none of {', '.join(map(str, import_dirs))} is a folder; without --once it would be waited for"
        )
    language = language_of(options["language"])
    if not options["no_report"]:
        refuse_unknown("default", language)
    evidence = Path(os.path.commonpath(roots))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    watch_settings = WatchSettings(
        options["quiet"], options["report_every"], report=not options["no_report"], once=options["once"]
    )
    as_in_audit = ("model", "device", "jobs", "catalogues", "trust_anchors", "backup_password")
    settings = Settings(**{name: options[name] for name in as_in_audit})
    with open_case(evidence, case_folder, watched=roots, database_url=named_database()) as case:
        case.watch(
            roots,
            settings,
            watch_settings=watch_settings,
            notifier=_notifier(options),
            log=_log_json if as_json else _log_line,
            stop=stop,
            language=language,
            stable_s=options["stable"],
            poll=options["poll"],
            rescan_s=options["rescan"],
        )


def _notifier(options: Mapping[str, Any]) -> Any:
    from gtloc_forensics.case import notify

    asked = [(kind, options[name]) for kind, name in (("program", "command"), ("webhook", "webhook")) if options[name]]
    asked += [("desktop", "")] if options["desktop"] else []
    asked += [(name, target) for name, _, target in (entry.partition("=") for entry in options["notify"])]
    return notify.Notifier(notify.chosen(asked))


def _stamped(event: Mapping[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC).replace(microsecond=0)
    return {"utc": now.isoformat().replace("+00:00", "Z"), "local": now.astimezone().isoformat(), **event}


def _log_json(event: Mapping[str, Any]) -> None:
    say_json(_stamped(event), indent=None)
    sys.stdout.flush()


def _both_clocks(instant: datetime) -> str:
    """Return the wall clock of this machine with the instant in UTC beside it."""
    return f"{instant.astimezone():%Y-%m-%d %H:%M:%S %z} ({instant:%H:%M:%S} UTC)"


def _log_line(event: Mapping[str, Any]) -> None:
    stamped = _stamped(event)
    subject = stamped.get("photo") or stamped.get("folder") or ""
    told = [stamped["summary"], *stamped["names"], stamped["report"]] if stamped["event"] == "cause" else []
    findings = [f"{item['check']} {item['summary']}" for item in stamped.get("findings", [])]
    said = [stamped.get("text", ""), *told, *findings]
    counts = [f"{name} {stamped[name]}" for name in COUNTS if isinstance(stamped.get(name), int | float)]
    words = [_both_clocks(datetime.now(UTC)), f"{stamped['event']:<13}", subject, *filter(None, said), *counts]
    say("  ".join(word for word in words if word))
