"""The command line: the only place that prints, draws progress or exits.

Exit codes: 0 clean, 1 findings, 2 usage or failure (a folder without photos among
them), 3 something could not be examined (whatever else was found), or nothing tested.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gtloc_forensics.cli import again, one_thread, preferences
from gtloc_forensics.cli.cluster_options import cluster_results_option, credentials_option
from gtloc_forensics.cli.commands import Commands
from gtloc_forensics.cli.evidence import Evidence
from gtloc_forensics.cli.exits import ExitCode, says_what_went_wrong
from gtloc_forensics.cli.output import open_for_reading
from gtloc_forensics.cli.progress import progress_on
from gtloc_forensics.cli.progress_file import kept_in
from gtloc_forensics.cli.statements import language_of, parted, refuse_unknown_zone, statements
from gtloc_forensics.cli.witness_options import witness_options
from gtloc_forensics.examination.seldom_collected import collect_less_often

if TYPE_CHECKING:
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.examination.ahead import Ahead
    from gtloc_forensics.records import Tally


def exit_code(tally: Tally) -> ExitCode:
    """Return the code for a finished audit: what was not examined outranks what was found.

    A folder without a photo is no clean folder, and neither is one in which nothing could be tested.
    """
    if not tally.photos:
        return ExitCode.FAILURE
    if tally.not_examined:
        return ExitCode.INCOMPLETE
    if tally.found:
        return ExitCode.FINDINGS
    return ExitCode.CLEAN if tally.clean else ExitCode.INCOMPLETE


@click.group(commands=Commands(), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gtloc_forensics", prog_name="gtloc")
def gtloc() -> None:
    """Check photos: what their metadata claims against what the pixels, the sun and the other photos show."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("case_folder", type=Evidence())
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Case folder [default: ./<folder>.audit].")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to stdout (docs/json.md).")
@statements
@click.option("--model", default="", help="Model name or folder; 'none' leaves the pixels unexamined.")
@click.option(
    "--second-opinion", "opinions", multiple=True, metavar="NAME", help="System or model that looks, too; repeatable."
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, mps.")
@click.option(
    "--jobs",
    type=click.IntRange(0),
    help="Processes that decode, then judge; 0 does all in one [default: one per core].",
)
@click.option(
    "--database", envvar="GTLOC_DATABASE", default="", help="URL of the case database [default: case.sqlite]."
)
@witness_options
@click.option("--nested", is_flag=True, help="Open images and archives within the image or archive, too.")
@click.option("--carve", is_flag=True, help="Look for photos in what no file of an image claims, too.")
@click.option(
    "--cluster", metavar="ADDRESS", help="Have workers examine: tls://HOST:PORT, or local:N (docs/cluster.md)."
)
@cluster_results_option
@credentials_option
@click.option("--visible-dates", is_flag=True, help="Read dates burned into the pictures, too; seconds for each.")
@click.option(
    "--reviewed",
    is_flag=True,
    help="Print every decision in report and findings.json; set causes apart of which everything was dismissed.",
)
@click.option("--no-report", is_flag=True, help="Leave the PDF out.")
@click.option("--language", default="", help="Language of the report [default: en].")
@click.option("--open", "opens", is_flag=True, help="Open the report when it is written.")
@click.option("--lines", type=click.Path(path_type=Path), help="Write what was found as lines for a plugin, too.")
@click.option("--progress", "followed", type=click.Path(path_type=Path), help="Write the progress to this file, too.")
@says_what_went_wrong
def audit(
    case_folder: Path,
    output: Path | None,
    as_json: bool,
    model: str,
    opinions: tuple[str, ...],
    device: str,
    jobs: int | None,
    database: str,
    catalogues: tuple[Path, ...],
    trust_anchors: tuple[Path, ...],
    backup_password: Path | None,
    nested: bool,
    carve: bool,
    cluster: str | None,
    cluster_results: str,
    credentials: Path | None,
    visible_dates: bool,
    reviewed: bool,
    no_report: bool,
    language: str,
    opens: bool,
    lines: Path | None,
    followed: Path | None,
    **said: Any,
) -> None:
    """Audit every photo under CASE_FOLDER; nothing in it is changed.

    CASE_FOLDER is a folder of photos, an image of a disk (raw, E01, Ex01, split
    too) or an archive (zip, tar, 7z): docs/images-and-archives.md. It may also be
    the address of a store (s3://bucket/prefix, gs://, abfs://, sftp://, smb://):
    docs/object-stores.md.

    Leaves a case folder with the database (case.sqlite), the findings
    (findings.json) and the report (report.pdf). Run again, it does only what is
    new; killed, it goes on where it stopped.
    """
    collect_less_often()
    one_thread.before_numpy()
    click.echo("starting …", err=True)  # before the imports, which take seconds
    language = language_of(language)
    request = again.Request.of(click.get_current_context())
    with progress_on(sys.stderr) as shown_progress:
        said_before = None if request is None else request.said(shown_progress)
    if request is not None and said_before is not None:
        _end(again.say(said_before, request.folder, as_json=as_json), case_folder)

    ahead = None if cluster is not None else _started_ahead(click.get_current_context(), jobs)
    from gtloc_forensics.case.case import open_case
    from gtloc_forensics.examination.settings import Settings
    from gtloc_forensics.files.reading import Reach

    _refuse_early(language, no_report=no_report, opens=opens)
    refuse_unknown_zone(said["zone"])
    _refuse_files_inside(case_folder, lines, followed)
    settings = Settings(
        model=model,
        device=device,
        jobs=-1 if jobs is None else jobs,
        catalogues=catalogues,
        second_opinions=opinions,
        trust_anchors=trust_anchors,
        backup_password=backup_password,
        visible_dates=visible_dates,
        reach=Reach(nested=nested, carved=carve),
    )
    workers = None
    if cluster is not None:
        from gtloc_forensics.cli.commands import many_machines

        workers = many_machines.workers(cluster, credentials, device, results=cluster_results)
    header, mandate = parted(said)
    with open_case(case_folder, output, header=header, database_url=database) as case:
        header, mandate = parted(preferences.filled(said, already=case.said()))
        refuse_unknown_zone(mandate["zone"])
        case.set_header(header)
        case.say(mandate)
        with progress_on(sys.stderr) as shown_progress:
            progress = shown_progress if followed is None else kept_in(followed, shown_progress)
            tally = case.audit(settings, progress=progress, cluster=workers, ahead=ahead)
            findings = case.write_findings(reviewed=reviewed, processes=jobs)
            report = None
            if not (no_report or not tally.photos):
                progress("report", 0, None)
                options: dict[str, Any] = {"reviewed": True} if reviewed else {}
                report = case.write_report(language=language, progress=progress, **options)
        if lines is not None:
            _write_lines(case, lines)
        told = summary_of(case, findings=findings, report=report, reviewed=reviewed)
        if as_json:
            click.echo(findings.read_bytes(), nl=False)
        else:
            again.say_told(told)
        concluded = again.concluded(case, tally, told, findings, report)
    if request is not None:
        request.keep(concluded)
    if opens and report is not None:
        open_for_reading(report)
    _end(tally, case_folder)


def _started_ahead(context: click.Context, jobs: int | None) -> Ahead | None:
    """Start exiftool and decoding processes of a case that is new; what nobody takes ends with the command."""
    if again.folder_of(context.params).exists():
        return None  # most of it may be done, and they would start for nothing
    from gtloc_forensics.examination.ahead import started

    return context.with_resource(started((os.cpu_count() or 1) if jobs is None else jobs))


def _end(tally: Tally, case_folder: Path) -> NoReturn:
    if not tally.photos:
        click.echo(f"gtloc: no photo in {shown(case_folder)}; name the folder that holds the photos", err=True)
    raise SystemExit(exit_code(tally))


def _refuse_early(language: str, *, no_report: bool, opens: bool) -> None:
    if not no_report:
        from gtloc_forensics.report import refuse_unknown

        refuse_unknown("default", language)
    elif opens:
        from gtloc_forensics.errors import UsageError

        raise UsageError("--open shows the report that --no-report leaves out; drop one of them")


def _refuse_files_inside(evidence: Path, *paths: Path | None) -> None:
    from gtloc_forensics.files.writing import refuse_inside

    for path in paths:
        if path is not None:
            refuse_inside(path, evidence)


def _write_lines(case: Case, path: Path) -> None:
    from gtloc_forensics.cli import plugin_lines

    plugin_lines.write(path, plugin_lines.found_rows(case))


gtloc.add_command(audit, "audit")


@gtloc.command()
@click.option("--full", is_flag=True, help="Load torch and every model, too; seconds more.")
@click.option("--cluster", metavar="ADDRESS", help="Look at the workers of a cluster instead.")
@credentials_option
@says_what_went_wrong
def doctor(full: bool, cluster: str | None, credentials: Path | None) -> None:
    """Say what this program finds on this machine, and what to do about what is missing."""
    from gtloc_forensics.cli.doctor import Health, examine_cluster, examine_machine

    marks = {Health.GOOD: "ok     ", Health.WARN: "note   ", Health.BAD: "MISSING"}
    worst = Health.GOOD
    for line in examine_machine(full=full) if cluster is None else examine_cluster(cluster, credentials):
        click.echo(
            f"{marks[line.health]}  {line.subject}: {line.found}" + (f"\n         → {line.remedy}" * bool(line.remedy))
        )
        worst = max(worst, line.health)
    raise SystemExit(ExitCode.FAILURE if worst is Health.BAD else ExitCode.CLEAN)


# --------------------------------------------------------------------------- what a person sees


def shown(path: Path) -> str:
    """Return a path as text in which nothing hides."""
    from gtloc_forensics.records import visible

    return visible(os.fsencode(path))


def summary_of(case: Case, *, findings: Path, report: Path | None, reviewed: bool = False) -> dict[str, Any]:
    """Return what is told of a case: findings grouped by camera and cause, the counts, and where everything is."""
    from gtloc_forensics.cli.commands import reviewing

    lines = []
    if case.view().decisions():
        lines.append(f"reviewed  {reviewing.review_line(case)}")
        lines += [f"ignored   {line}" for line in reviewing.ignored_lines(case)]
    lines.append(f"findings  {shown(findings)}")
    if report is not None:
        lines.append(f"report    {shown(report)}")
    lines.append(f"database  {case.store.url}")
    return again.told_of(case, lines, set_apart=reviewing.ignored_causes(case) if reviewed else ())
