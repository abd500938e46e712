"""``gtloc report``, ``gtloc export``, ``gtloc verify``: what leaves the building, and its check."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import nullcontext
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gtloc_forensics.cli import preferences
from gtloc_forensics.cli.database import database_option, named_database
from gtloc_forensics.cli.evidence import evidence_option
from gtloc_forensics.cli.exits import ExitCode, says_what_went_wrong
from gtloc_forensics.cli.output import counted, open_for_reading, say, say_json
from gtloc_forensics.cli.progress import progress_on
from gtloc_forensics.cli.statements import language_of, parted, refuse_unknown_zone, statements

if TYPE_CHECKING:
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.report import SignWith

ONLY = {"found": "found", "suspicious": "found", "clean": "clean", "not-examined": "not examined"}

EDITIONS = {"full": "default", "brief": "brief", "sheet": "sheet", "note": "note", "archive": "archive"}

TABLE = "csv"
WORDED = (TABLE, "html", "pdf")
"""Exports with words of the report in them."""

KINDS = (
    "case-uco, csv, custody, geojson, html, json, kml, l2tcsv, pdf, plaso, timesketch, review (a folder), or what a "
    "plugin adds."
)

REVIEW = "review"
"""The one kind that is a folder and no file."""


class _Kind(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.2, which is not the oldest we take
    """An export that is there; which, only the plugins know."""

    name = "kind"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the kind as it was given, or end with the kinds there are."""
        from gtloc_forensics.case import exports
        from gtloc_forensics.errors import UsageError

        if value == REVIEW:
            return value
        try:
            return exports.chosen(value).kind
        except UsageError as error:
            self.fail(str(error), param, ctx)


case_argument = click.argument("case", type=click.Path(exists=True, path_type=Path))


@click.command()
@case_argument
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The PDF [default: report.pdf in the case].")
@click.option("--template", default="", help="Name or folder of the template [default: default].")
@click.option(
    "--edition", type=click.Choice(list(EDITIONS)), help="full, or a short one: page one, a sheet, a note, a list."
)
@click.option("--photo", default="", help="The one photo of a sheet or a note: its number, or its path in the folder.")
@click.option(
    "--appendix", type=click.Choice(["inside", "separate"]), default="inside", help="Where the long tables go."
)
@click.option("--exhibits", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="CSV: path, number.")
@click.option("--language", default="", help="en, de, or one of the template's own [default: en].")
@click.option("--only", type=click.Choice(list(ONLY)), multiple=True, help="Only these photos.")
@click.option("--reviewed", is_flag=True, help="Print every decision of the readers, and which examination it judged.")
@click.option("--report-date", type=click.DateTime(), help="Printed date, UTC [default: that of the examination].")
@click.option("--sign", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PKCS#12 key to sign with.")
@click.option("--passphrase", help="Of the key; asked for when left out.")
@click.option("--open", "opens", is_flag=True, help="Open the report when it is written.")
@statements
@database_option
@says_what_went_wrong
def report(
    case: Path,
    output: Path | None,
    template: str,
    edition: str | None,
    photo: str,
    appendix: str,
    exhibits: Path | None,
    language: str,
    only: tuple[str, ...],
    reviewed: bool,
    report_date: Any,
    sign: Path | None,
    passphrase: str | None,
    opens: bool,
    **said: Any,
) -> None:
    """Make the PDF of CASE again, without examining anything again."""
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.case.products import appendix_of
    from gtloc_forensics.records import Status, visible
    from gtloc_forensics.report import refuse_unknown

    chosen = _template(template, edition, photo)
    options: dict[str, Any] = {"template": chosen, "language": language_of(language), "sign": _key(sign, passphrase)}
    if only:
        options["only"] = frozenset(Status(ONLY[name]) for name in only)
    if report_date is not None:
        options["report_date"] = report_date
    if photo:
        options["photo"] = photo
    if reviewed:
        options["reviewed"] = True
    refuse_unknown(chosen, options["language"])  # before the header is changed
    refuse_unknown_zone(said["zone"])
    with Case(case, database_url=named_database()) as opened:
        _refuse_too_early(report_date, opened.view().finished_utc)
        header, mandate = parted(preferences.filled(said, already=opened.said()))
        refuse_unknown_zone(mandate["zone"])
        opened.set_header(header)
        opened.say(mandate)
        if exhibits is not None:
            opened.give_exhibits(exhibits)
        _say_if_not_noted(opened)
        with progress_on(sys.stderr) if sys.stderr.isatty() else nullcontext() as progress:
            path = opened.write_report(output, separate=appendix == "separate", progress=progress, **options)
        say(visible(os.fsencode(path)))
        if appendix == "separate":
            say(visible(os.fsencode(appendix_of(path))))
    if opens:
        open_for_reading(path)


def _refuse_too_early(report_date: datetime | None, finished_utc: datetime) -> None:
    """Refuse a report that would be older than the examination it tells of; of that day any hour will do."""
    from gtloc_forensics.errors import UsageError

    if report_date is not None and report_date.date() < finished_utc.date():
        raise UsageError(
            f"the report cannot bear the date {report_date:%Y-%m-%d}: the examination it tells of ended on "
            f"{finished_utc:%Y-%m-%d} (UTC); give that day or a later one"
        )


def _template(template: str, edition: str | None, photo: str) -> str:
    """Return the template that was asked for, by its name or as an edition.

    Raises:
        UsageError: both were named, or an edition lacks its photo.
    """
    from gtloc_forensics.errors import UsageError

    if template and edition:
        raise UsageError("--edition names a template of ours; give it or --template, not both")
    if photo and edition not in ("sheet", "note"):
        raise UsageError("--photo belongs to --edition sheet or note; give one of them")
    if edition == "sheet" and not photo:
        raise UsageError("a sheet is of one photo; name it with --photo")
    return template or EDITIONS[edition or "full"]


def _key(sign: Path | None, passphrase: str | None) -> SignWith | None:
    if sign is None:
        return None
    from gtloc_forensics.report import SignWith

    logging.getLogger("pyhanko").addHandler(logging.NullHandler())  # a bad key is told in our words
    given = click.prompt("Passphrase of the key", hide_input=True, err=True) if passphrase is None else passphrase
    return SignWith(sign, given.encode() or None)


@click.command()
@case_argument
@click.option("--format", "kind", type=_Kind(), metavar="KIND", required=True, help=KINDS)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file [default: findings.* in the case].")
@click.option("--language", default="", help="en, de, or one of the template's own; html, csv, review [default: en].")
@click.option("--reviewed", is_flag=True, help="Print the decisions of the readers, too; of csv, html, json and pdf.")
@database_option
@says_what_went_wrong
def export(case: Path, kind: str, output: Path | None, language: str, reviewed: bool) -> None:
    """Write CASE for another program: a spreadsheet, a map, a timeline, a case system."""
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.records import visible

    chosen = language or (language_of("") if kind in WORDED else "")
    options: dict[str, Any] = {"language": chosen} if chosen else {}
    if reviewed and kind not in (REVIEW, "custody"):  # these hold all decisions anyway
        options["reviewed"] = True
    if chosen and kind != TABLE:  # a table asks for its words before it writes, and has neither chapters nor fonts
        from gtloc_forensics.report import refuse_unknown

        refuse_unknown("default", chosen)
    with Case(case, database_url=named_database()) as opened:
        _say_if_not_noted(opened)
        made = opened.export_review if kind == REVIEW else partial(opened.export, kind)
        say(visible(os.fsencode(made(output, **options))))


def _say_if_not_noted(case: Case) -> None:
    if case.store.is_read_only:
        click.echo("gtloc: the case cannot be written: its chain of custody does not note this", err=True)


@click.command()
@case_argument
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The receipt [default: receipt.json in the case]."
)
@click.option("--sign", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="PKCS#12 key to sign with.")
@click.option("--passphrase", help="Of the key; asked for when left out.")
@click.option(
    "--timestamp-request", "request", type=click.Path(path_type=Path), help="Writes a time-stamp request (RFC 3161)."
)
@click.option(
    "--timestamp-response",
    "response",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Checks the answer to the request and attaches it to the receipt that is there.",
)
@database_option
@says_what_went_wrong
def seal(
    case: Path,
    output: Path | None,
    sign: Path | None,
    passphrase: str | None,
    request: Path | None,
    response: Path | None,
) -> None:
    """Write a receipt of CASE's chain of custody, to be kept elsewhere: `verify --anchor` compares with it."""
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.case.sealing import RECEIPT
    from gtloc_forensics.errors import UsageError
    from gtloc_forensics.records import visible
    from gtloc_forensics.report import receipts

    if response is not None:
        if sign is not None or request is not None:
            raise UsageError("--timestamp-response belongs to the receipt that is there; give it alone")
        path = output or case / RECEIPT
        moment = receipts.attach_timestamp(path, response)
        say(f"{visible(os.fsencode(path))} · time-stamped {moment.isoformat()}")
        return
    with Case(case, database_url=named_database()) as opened:
        path = opened.seal(output, sign=_key(sign, passphrase))
    if request is not None:
        receipts.write_timestamp_request(path, request)
    say(visible(os.fsencode(path)))


@click.command()
@click.argument("subject", type=click.Path(exists=True, path_type=Path))
@click.option("--sample", default=5, show_default=True, type=click.IntRange(0), help="Photos to examine again.")
@click.option("--sample-seed", type=click.IntRange(0), help="Draws the same photos again [default: others each time].")
@click.option(
    "--anchor", "anchors", multiple=True, help="A hash of the chain, a report or a receipt given out earlier."
)
@click.option(
    "--trust", type=click.Path(exists=True, path_type=Path), multiple=True, help="Certificate to trust (PEM)."
)
@click.option(
    "--trust-anchors",
    "trust_anchors",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    help="Trusted signers of content credentials, as the audit was given them (PEM).",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, mps.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to stdout.")
@evidence_option
@database_option
@says_what_went_wrong
def verify(
    subject: Path,
    sample: int,
    sample_seed: int | None,
    anchors: tuple[str, ...],
    trust: tuple[Path, ...],
    trust_anchors: tuple[Path, ...],
    device: str,
    as_json: bool,
) -> None:
    """Check SUBJECT, a case folder or a signed report, and name every difference."""
    if subject.is_dir():
        _verify_case(
            subject,
            sample=sample,
            sample_seed=sample_seed,
            anchors=anchors,
            trust=trust,
            trust_anchors=trust_anchors,
            device=device,
            as_json=as_json,
        )
    else:
        _verify_pdf(subject, trust, as_json=as_json)


def _verify_case(
    folder: Path,
    *,
    sample: int,
    sample_seed: int | None,
    anchors: tuple[str, ...],
    trust: tuple[Path, ...],
    trust_anchors: tuple[Path, ...],
    device: str,
    as_json: bool,
) -> None:
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.case.comparing import Difference
    from gtloc_forensics.case.sealing import read_anchor
    from gtloc_forensics.examination.settings import Settings

    read = [read_anchor(given, trust=trust) for given in anchors]
    with Case(folder, database_url=named_database()) as case:
        _say_if_not_noted(case)
        found = case.verify(
            Settings(device=device, jobs=1, trust_anchors=trust_anchors),
            sample=sample,
            sample_seed=sample_seed,
            anchors=[item.anchor for item in read],
        )
    said = [note for item in read for note in item.notes]
    faults = tuple(Difference("anchor", fault) for item in read for fault in item.faults)
    found = replace(found, differences=(*faults, *found.differences))
    if as_json:
        _print_json(asdict(found) | {"valid": found.is_valid})
    else:
        for difference in found.differences:
            say(f"DIFFERS  {difference.subject}: {difference.what}")
        count = len(found.differences)
        verdict = "valid" if found.is_valid else f"ALTERED: {count} difference{'s' * (count != 1)}"
        say(
            f"{verdict} · {counted(found.custody_events, 'custody event')}, "
            f"{counted(found.sources, 'source')} hashed again, "
            f"{counted(found.repeated, 'photo')} examined again (--sample-seed {found.sample_seed})"
        )
        if found.anchored_events is not None:
            say(f"anchored   events 1 to {found.anchored_events} are those of the hash given out earlier")
        for note in said:
            say(f"anchor     {note}")
        say(f"chain      {found.chain_hash}")
        for sentence in found.not_repeated:
            say(f"not again  {sentence}")
        for sentence in found.not_bound:
            say(f"not bound  {sentence}")
    raise SystemExit(ExitCode.CLEAN if found.is_valid else ExitCode.FINDINGS)


def _verify_pdf(path: Path, trust: tuple[Path, ...], *, as_json: bool) -> None:
    from gtloc_forensics.errors import UsageError
    from gtloc_forensics.report import Verdict, verify_pdf

    if not path.read_bytes()[:1024].lstrip().startswith(b"%PDF"):
        raise UsageError(f"{path} is neither a case folder nor a PDF; name one of them")
    found = verify_pdf(path, trust=trust)
    if as_json:
        _print_json(asdict(found) | {"verdict": found.verdict.value, "path": str(path), "trusted": found.trusted})
    else:
        say(f"{found.verdict.value} · sha256 {found.sha256}" + (f" · signed by {found.signer}" * bool(found.signer)))
        for difference in found.differences:
            say(f"DIFFERS  {difference}")
        if found.verdict is Verdict.UNCHECKED:
            click.echo("anybody may have signed it: name a certificate that you trust with --trust")
    codes = {Verdict.VALID: ExitCode.CLEAN, Verdict.UNCHECKED: ExitCode.UNCHECKED}
    raise SystemExit(codes.get(found.verdict, ExitCode.FINDINGS))


def _print_json(document: dict[str, Any]) -> None:
    say_json(document)


@click.command()
@click.option("--clear", is_flag=True, help="Forget everything that is kept.")
@click.option("--examiner", help="Printed on every report; '' forgets it.")
@click.option("--agency", help="Printed on every report; '' forgets it.")
@click.option("--qualification", help="Printed on every report; '' forgets it.")
@click.option("--second-reader", help="Printed on every report; '' forgets it.")
@click.option("--write-blocker", help="Printed on every report; '' forgets it.")
@click.option("--zone", help="IANA zone whose local time is printed beside UTC; '' forgets it.")
@click.option("--language", help="Language of reports; '' forgets it.")
@says_what_went_wrong
def config(*, clear: bool, **given: str | None) -> None:
    """Keep what you say in every case, in a settings file; without options, show it."""
    from gtloc_forensics.records import visible
    from gtloc_forensics.report import refuse_unknown

    changes = {name: value for name, value in given.items() if value is not None}
    refuse_unknown_zone(changes.get("zone", ""))
    if changes.get("language"):
        refuse_unknown("default", changes["language"])
    if clear:
        changes = dict.fromkeys(preferences.kept(), "") | changes
    path = preferences.keep(changes) if changes else preferences.place()
    say(f"settings  {visible(os.fsencode(path))}")
    for name, value in preferences.kept().items():
        say(f"{name:<16}{visible(value)}")
