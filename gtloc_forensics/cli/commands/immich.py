"""``gtloc immich``: a photo server's originals examined, what was found tagged there, corrections carried to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gtloc_forensics.cli.exits import ExitCode, says_what_went_wrong
from gtloc_forensics.cli.output import counted, say

if TYPE_CHECKING:
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.case.immich.correcting import Sending, Sent
    from gtloc_forensics.case.immich.server import Server
    from gtloc_forensics.correct import Journal

F = TypeVar("F", bound=Callable[..., Any])
FOLDER = "immich"
"""Where in a case folder the index, the tags that were given and the journal lie."""

KEY, TOKEN = "IMMICH_API_KEY", "GTLOC_IMMICH_TOKEN"


def _server_options(command: F) -> F:
    command = click.option("--plain", is_flag=True, help="Let the key travel unencrypted beyond this machine.")(command)
    return click.option("--server", required=True, envvar="IMMICH_URL", help="Its address [default: $IMMICH_URL].")(
        command
    )


@click.group()
def immich() -> None:
    """Photos of an Immich server: fetch, tag, correct, follow. The key is read from IMMICH_API_KEY, and never kept."""


@immich.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Case folder [default: ./<folder>.audit].")
@click.option("--since", default="", metavar="TIME", help="Only what the server changed after 2024-06-15[T12:00:00Z].")
@_server_options
@says_what_went_wrong
def fetch(folder: Path, output: Path | None, server: str, plain: bool, since: str) -> None:
    """Bring originals into FOLDER, unchanged and checked by their hash; then `gtloc audit FOLDER` examines them."""
    failed = _fetch(_server(server, plain), folder, _output(folder, output), since)
    raise SystemExit(ExitCode.INCOMPLETE if failed else ExitCode.CLEAN)


@immich.command()
@click.argument("case", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_server_options
@says_what_went_wrong
def tag(case: Path, server: str, plain: bool) -> None:
    """Give photos with findings tags like gtloc/suspicious/clock-offset; take ours off where a finding is gone."""
    from gtloc_forensics.case.case import Case

    with Case(case) as opened:
        _tag(opened, _server(server, plain))


@immich.command()
@click.argument("case", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--plan", "plan_file", type=click.Path(path_type=Path), help="The plan [default: corrections.toml].")
@click.option("--apply", "applies", is_flag=True, help="Carry out the plan's times and positions on the server.")
@click.option("--undo", is_flag=True, help="Give the photos of the latest transaction their old values back.")
@click.option("--check", is_flag=True, help="Name photos that the server shows otherwise than they were left.")
@_server_options
@says_what_went_wrong
def correct(case: Path, plan_file: Path | None, server: str, plain: bool, **wish: bool) -> None:
    """Carry the plan that `gtloc correct CASE` wrote to the server: asked first, read back, journalled, undone."""
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.errors import UsageError

    if sum(wish.values()) != 1:
        raise UsageError("say one of --apply, --undo and --check; `gtloc correct CASE` makes and shows the plan")
    with Case(case) as opened, _journal(opened) as journal:
        there = _server(server, plain)
        if wish["check"]:
            _check(there, journal)
        else:
            _send(opened, there, journal, plan_file, undo=wish["undo"])


@immich.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Case folder [default: ./<folder>.audit].")
@click.option("--every", default=300.0, show_default=True, help="Seconds between two looks when nobody calls.")
@click.option(
    "--listen", metavar="HOST:PORT", help="Take the server's webhook here; the token is in GTLOC_IMMICH_TOKEN."
)
@click.option("--once", is_flag=True, help="Look once and leave: for cron.")
@click.option("--model", default="", help="Model name or folder; 'none' leaves the pixels unexamined.")
@click.option("--no-tags", is_flag=True, help="Write nothing to the server.")
@_server_options
@says_what_went_wrong
def follow(folder: Path, output: Path | None, server: str, plain: bool, **options: Any) -> None:
    """Fetch what is new, examine it, tag what was found; again whenever the server calls, or after a while."""
    there, case_folder = _server(server, plain), _output(folder, output)
    since = ""
    with _listening(options["listen"]) as wait:
        while True:
            asked = datetime.now(UTC)
            _fetch(there, folder, case_folder, since)
            _examine(folder, case_folder, there, options)
            since = (asked - timedelta(minutes=5)).isoformat()  # the server's clock may not be ours
            if options["once"]:
                return
            wait(options["every"])


# ----------------------------------------------------------------- how


def _server(address: str, is_plain_allowed: bool) -> Server:
    from gtloc_forensics.case.immich.server import Server

    made = Server(address, os.environ.get(KEY, ""), is_plain_allowed)
    made.version()
    return made


def _output(folder: Path, output: Path | None) -> Path:
    from gtloc_forensics.case.folder import default_output
    from gtloc_forensics.files.writing import refuse_inside

    chosen = output or default_output(folder)
    refuse_inside(chosen, folder)
    return chosen


def _fetch(server: Server, folder: Path, case_folder: Path, since: str) -> int:
    """Fetch, say what came, and return how many could not be had."""
    from gtloc_forensics.case.case import open_case
    from gtloc_forensics.case.immich.assets import Index
    from gtloc_forensics.case.immich.fetching import fetch as bring

    def tell(new: int, here: int) -> None:
        if (new + here) % 100 == 0:
            say(f"{counted(new, 'photo')} fetched, {here} here already …", err=True)

    say(f"asking {server.address}", err=True)
    folder.mkdir(parents=True, exist_ok=True)
    with open_case(folder, case_folder) as case, case.locked():
        index = Index(case.folder / FOLDER)
        found = bring(server, folder, index, assets=server.assets(updated_after=since), progress=tell)
        case.note("immich", server.address, {"fetched": found.new, "could_not_be_had": len(found.failed)})
    for name, why in found.failed:
        say(f"LEFT  {name}: {why}")
    say(f"{counted(found.new, 'photo')} fetched, {found.here} here already, {len(found.failed)} could not be had")
    return len(found.failed)


def _tag(case: Case, server: Server) -> None:
    from gtloc_forensics.case.immich import tagging
    from gtloc_forensics.case.immich.assets import Index

    folder = case.folder / FOLDER
    put, off = tagging.tag(server, folder, tagging.wanted(Index(folder), case.view().case_findings()))
    case.note("immich", server.address, {"tags_put": put, "tags_taken_off": off})
    say(f"{counted(put, 'tag')} put on, {off} taken off")


def _examine(folder: Path, case_folder: Path, server: Server, options: dict[str, Any]) -> None:
    from gtloc_forensics.case.case import open_case
    from gtloc_forensics.examination.settings import Settings

    if not any(folder.iterdir()):
        return
    with open_case(folder, case_folder) as case:
        tally = case.audit(Settings(model=options["model"]))
        case.write_findings()
        say(f"{counted(tally.photos, 'photo')}: {tally.found} found, {tally.not_examined} not examined")
        if not options["no_tags"]:
            _tag(case, server)


@contextmanager
def _journal(case: Case) -> Iterator[Journal]:
    from gtloc_forensics.correct import Journal

    with case.locked(), Journal(case.folder / FOLDER) as journal:
        yield journal


def _sending(case: Case, server: Server, journal: Journal) -> Sending:
    from gtloc_forensics.case.immich.correcting import Sending

    return Sending(server, journal, lambda subject, detail: case.note("immich", subject, detail))


def _send(case: Case, server: Server, journal: Journal, plan_file: Path | None, *, undo: bool) -> None:
    from gtloc_forensics.case.immich.assets import Index
    from gtloc_forensics.correct import planfile
    from gtloc_forensics.records import visible

    sending = _sending(case, server, journal)
    if undo:
        sent: Sent = sending.undo()
    else:
        plan = planfile.read(plan_file or case.folder / "corrections.toml")
        sent = sending.apply(plan, Index(case.folder / FOLDER))
    for relative, why in sent.refused:
        say(f"LEFT  {visible(relative)}: {why}")
    done = "put back" if undo else "changed on the server and read back"
    say(f"{sent.transaction}: {counted(len(sent.done), 'photo')} {done}, {len(sent.refused)} left as they were")
    raise SystemExit(ExitCode.INCOMPLETE if sent.refused else ExitCode.CLEAN)


def _check(server: Server, journal: Journal) -> None:
    from gtloc_forensics.case.immich.correcting import checked
    from gtloc_forensics.records import visible

    differing = 0
    for relative, what in checked(server, journal):
        differing += 1
        say(f"DIFFERS  {visible(relative)}: {what}")
    say(f"{counted(differing, 'photo')} changed on the server since")
    raise SystemExit(ExitCode.FINDINGS if differing else ExitCode.CLEAN)


@contextmanager
def _listening(address: str | None) -> Iterator[Callable[[float], Any]]:
    """Give a way to wait: for a message of the server's, or only for time to pass."""
    import threading

    if not address:
        yield threading.Event().wait
        return
    from gtloc_forensics.case.immich.listening import Listener
    from gtloc_forensics.errors import UsageError

    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"{address!r} is no address to listen on; write 127.0.0.1:8765")
    listener = Listener(host.strip("[]"), int(port), os.environ.get(TOKEN, ""))
    try:
        say(f"listening on {listener.address}; the workflow sends Authorization: Bearer, with the token", err=True)
        yield listener.wait
    finally:
        listener.close()
