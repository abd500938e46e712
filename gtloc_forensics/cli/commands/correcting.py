"""``gtloc correct``: plan, review, apply, verify, undo."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gtloc_forensics.cli.database import database_option, named_database
from gtloc_forensics.cli.evidence import evidence_option
from gtloc_forensics.cli.exits import ExitCode, says_what_went_wrong
from gtloc_forensics.cli.output import counted, say

if TYPE_CHECKING:
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.correct import Destination, Order, Plan, Result

GPS_SLIPS = {"swap": "SWAP", "sign-lat": "NORTH_SOUTH", "sign-lon": "EAST_WEST"}

SHOWN = 30
"""Lines of a plan that are printed; the file has them all."""


@click.command()
@click.argument("case", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--plan", "plan_file", type=click.Path(path_type=Path), help="The plan [default: corrections.toml].")
@click.option("--offset", metavar="[DAYSd ]±H:MM:SS", help="Move the clock: +01:02:00, -00:00:30, +366d 00:00:00.")
@click.option(
    "--from-reference",
    metavar="PHOTO=TIME",
    help="Move the clock by what this photo is off: trip/a.jpg='2024-06-15 12:00:00'.",
)
@click.option("--zone", metavar="ZONE", help="Write this zone beside the clock as it will be, e.g. Europe/Berlin.")
@click.option("--keep-instant", is_flag=True, help="With --zone: move the clock to it, the instant stays.")
@click.option("--keep-zone", is_flag=True, help="With --offset or --from-reference: leave the written zone alone.")
@click.option("--swap-day-month", is_flag=True, help="Exchange day and month where both are at most 12.")
@click.option("--neighbours", is_flag=True, help="Position from the photos just before and after.")
@click.option("--track", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="GPX track.")
@click.option("--replace-positions", is_flag=True, help="With --track: overwrite positions that are there, too.")
@click.option("--clock-ahead", default=0.0, show_default=True, help="Seconds the camera was ahead of the GPX receiver.")
@click.option("--gps", type=click.Choice(list(GPS_SLIPS)), help="Undo a slip in the position.")
@click.option("--keywords", is_flag=True, help="Write gtloc|… keywords of what was found.")
@click.option("--rename", is_flag=True, help="Name files by their local time, as it will be: 2024-06-15_12-00-00.jpg.")
@click.option("--name-pattern", metavar="PATTERN", help="With --rename: %Y %m %d %H %M %S, {name} for the old stem.")
@click.option("--camera", default="", help="Only photos of this camera: serial, or make and model.")
@click.option("--only", multiple=True, metavar="PATH", help="Only this photo or folder, as the case names it.")
@click.option("--least-strength", default=0.9, show_default=True, help="Propose nothing weaker from the case itself.")
@click.option("--apply", "applies", is_flag=True, help="Carry out the plan as it stands in the file.")
@click.option("--sidecars", type=click.Path(path_type=Path), help="With --apply: XMP here [default: CASE/sidecars].")
@click.option("--sidecar-style", type=click.Choice(["a.jpg.xmp", "a.xmp"]), help="Naming [default: as found].")
@click.option("--beside", is_flag=True, help="With --apply: XMP beside the photos, for programs that look there.")
@click.option("--copy", type=click.Path(path_type=Path), help="With --apply: corrected copies here.")
@click.option("--in-place", is_flag=True, help="With --apply: the originals; needs the next option too.")
@click.option("--yes-change-originals", is_flag=True, help="The words that --in-place needs.")
@click.option("--resume", is_flag=True, help="Finish a transaction that was interrupted.")
@click.option("--undo", is_flag=True, help="Give every file of the latest transaction its old bytes back.")
@click.option("--transaction", default="", metavar="NAME", help="With --undo: this one in place of the latest.")
@click.option("--lines", type=click.Path(path_type=Path), help="Write the plan, or the result, as lines for a plugin.")
@evidence_option
@database_option
@says_what_went_wrong
def correct(case: Path, plan_file: Path | None, **options: Any) -> None:
    """Plan corrections of CASE, and carry out, finish or undo a plan.

    Without --apply only the plan file is written: read it, change it, lock or drop
    lines, then run again with --apply. Without a request the plan comes from the
    clock models and findings of the case. What is not corrected is told with its reason.
    """
    from gtloc_forensics.case.case import Case

    with Case(case, database_url=named_database()) as opened:
        path = plan_file or opened.folder / "corrections.toml"
        _refuse(opened, options)
        if options["undo"] or options["resume"]:
            transaction = options["transaction"]
            result = opened.undo_correction(transaction) if options["undo"] else opened.resume_correction()
            _tell_result(opened, result, options["lines"], done="put back" if options["undo"] else "written")
        elif options["applies"]:
            order = _order(options)
            result = opened.apply_corrections(path, _destination(opened, options), only=order.only, camera=order.camera)
            _tell_result(opened, result, options["lines"])
        else:
            plan = opened.plan_corrections(path, _order(options))
            _write_plan_lines(opened, plan, options["lines"])
            _print_plan(plan, path)


def _refuse(case: Case, options: dict[str, Any]) -> None:
    """Refuse what cannot be meant, before anything is written."""
    from gtloc_forensics.errors import UsageError
    from gtloc_forensics.files.writing import refuse_inside

    if options["transaction"] and not options["undo"]:
        raise UsageError("--transaction names what to take back; add --undo")
    if options["lines"] is not None:
        refuse_inside(options["lines"], case.evidence)


def _write_plan_lines(case: Case, plan: Plan, path: Path | None) -> None:
    if path is not None:
        from gtloc_forensics.cli import plugin_lines

        rows = plugin_lines.plan_rows(plan, plugin_lines.cameras_of(case.view()))
        plugin_lines.write(path, [plugin_lines.head(case), *rows])


def _tell_result(case: Case, result: Result | None, lines: Path | None, *, done: str = "written") -> None:
    if lines is not None:
        from gtloc_forensics.cli import plugin_lines

        plugin_lines.write(lines, [plugin_lines.head(case), *plugin_lines.result_rows(result)])
    _print_result(result, done=done)


def _order(options: dict[str, Any]) -> Order:
    from gtloc_forensics.correct import Order
    from gtloc_forensics.correct.repairs import GpsRepair

    return Order(
        only=tuple(os.fsencode(path) for path in options["only"]),
        camera=options["camera"],
        offset=options["offset"] or "",
        reference=options["from_reference"] or "",
        zone=options["zone"] or "",
        keep_instant=options["keep_instant"],
        keep_zone=options["keep_zone"],
        swap_day_month=options["swap_day_month"],
        gps=GpsRepair[GPS_SLIPS[options["gps"]]] if options["gps"] else None,
        neighbours=options["neighbours"],
        tracks=options["track"],
        replace_positions=options["replace_positions"],
        clock_ahead_s=options["clock_ahead"],
        keywords=options["keywords"],
        rename=_pattern(options),
        least_strength=options["least_strength"],
    )


def _pattern(options: dict[str, Any]) -> str:
    from gtloc_forensics.correct.names import PATTERN
    from gtloc_forensics.errors import UsageError

    if options["name_pattern"] and not options["rename"]:
        raise UsageError("--name-pattern says how --rename names files; add --rename")
    return (options["name_pattern"] or PATTERN) if options["rename"] else ""


def _destination(case: Any, options: dict[str, Any]) -> Destination:
    from gtloc_forensics.correct import WORDS, Beside, Copies, InPlace, Sidecars, SidecarStyle
    from gtloc_forensics.errors import UsageError

    places = ("in_place", "beside", "sidecars", "copy")
    named = [f"--{name.replace('_', '-')}" for name in places if options[name]]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} name several places to write to; choose one")
    if options["in_place"]:
        words = WORDS if options["yes_change_originals"] else ""
        return InPlace(words, is_evidence=case.is_evidence)
    if options["yes_change_originals"]:
        raise UsageError("--yes-change-originals goes with --in-place")
    if options["copy"]:
        return Copies(options["copy"])
    style = SidecarStyle(options["sidecar_style"]) if options["sidecar_style"] else None
    if options["beside"]:
        return Beside(is_evidence=case.is_evidence, style=style)
    return Sidecars(options["sidecars"] or case.folder / "sidecars", style)


def _print_plan(plan: Plan, path: Path) -> None:
    from gtloc_forensics.records import visible

    for change in plan.changes[:SHOWN]:
        lock = " (locked)" if change.locked else ""
        say(f"{visible(change.relative)}  {change.quantity.value}: {change.old or '–'} → {change.new}{lock}")
    if len(plan.changes) > SHOWN:
        say(f"… and {counted(len(plan.changes) - SHOWN, 'more line')}")
    for note in plan.notes:
        say(f"note: {note}")
    say(f"{counted(len(plan.changes), 'line')} in {path}; nothing is changed until --apply")


def _print_result(result: Result | None, *, done: str = "written") -> None:
    from gtloc_forensics.records import visible

    if result is None:
        say("no transaction was interrupted")
        return
    _print_refused((visible(item.relative), item.reason) for item in result.refused)
    left = f"{len(result.refused)} left as {'it was' if len(result.refused) == 1 else 'they were'}"
    say(f"{result.transaction}: {counted(len(result.corrected), 'file')} {done}, {left}")
    raise SystemExit(ExitCode.INCOMPLETE if result.refused else ExitCode.CLEAN)


def _print_refused(refused: Iterable[tuple[str, str]]) -> None:
    for name, reason in refused:
        say(f"LEFT  {name}: {reason}")
