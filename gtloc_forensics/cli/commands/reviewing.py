"""``gtloc decide`` and ``gtloc review``: what an examiner makes of the findings."""

from __future__ import annotations

import signal
import sys
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gtloc_forensics.cli.database import database_option, named_database
from gtloc_forensics.cli.exits import says_what_went_wrong
from gtloc_forensics.cli.output import counted, say, say_json

if TYPE_CHECKING:
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.records import CauseGroup, Decision

AS = {
    "confirmed": "confirmed",
    "innocent": "innocent",
    "dismissed": "dismissed",
    "second-reader": "needs second reader",
}

case_argument = click.argument("case", type=click.Path(exists=True, path_type=Path))


@click.command()
@case_argument
@click.option("--examiner", default="", help="Who decides; kept with the decision.")
@click.option("--as", "judgement", type=click.Choice(list(AS)), help="What was decided.")
@click.option("--because", default="", help="Why it is innocent; needed with --as innocent.")
@click.option("--note", default="", help="Anything else to keep with it.")
@click.option("--photo", "photos", multiple=True, help="Path of the photo, as findings.json shows it.")
@click.option("--check", "checks", multiple=True, help="Only what this rule found [default: all rules].")
@click.option("--cause", type=click.IntRange(1), help="The whole cause with this number, as one decision.")
@click.option("--undo", type=click.IntRange(1), metavar="EVENT", help="Takes the decision with this number back.")
@click.option("--list", "listed", is_flag=True, help="Shows causes, and what was decided, by all examiners.")
@click.option("--json", "as_json", is_flag=True, help="With --list: one JSON document.")
@database_option
@says_what_went_wrong
def decide(case: Path, *, listed: bool, as_json: bool, undo: int | None, **options: Any) -> None:
    """Decide on findings of CASE: confirmed, innocent because …, dismissed, or for a second reader."""
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.errors import UsageError

    doing = [listed, undo is not None, options["judgement"] is not None]
    if sum(doing) != 1:
        raise UsageError("say one of --as, --undo and --list")
    with Case(case, database_url=named_database()) as opened:
        if listed:
            _list(opened, as_json=as_json)
        elif undo is not None:
            made = opened.undo_decision(options["examiner"], undo)
            say(f"decision {made.number} ({made.judgement}) taken back by event {made.undone_by}")
        else:
            say(_told(_decided(opened, options)))


@click.command()
@case_argument
@click.option("--examiner", default="", help="Who decides; without a name the pages only show.")
@click.option("--language", default="en", show_default=True, help="Language of the pages when they open: en, de.")
@click.option("--no-open", is_flag=True, help="Only prints the link; opens no browser.")
@click.option(
    "--idle",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0.01),
    help="Minutes without a request to stop after.",
)
@database_option
@says_what_went_wrong
def review(case: Path, examiner: str, language: str, no_open: bool, idle: float) -> None:
    """Show CASE in the browser of this machine, to look and decide; nothing leaves it."""
    from gtloc_forensics.case.case import Case

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def announce(link: str) -> None:
        say(link)
        say("the link works once; Ctrl-C ends the review, what was decided is kept", err=True)
        sys.stdout.flush()
        if not no_open:
            threading.Thread(target=webbrowser.open, args=(link,), daemon=True).start()

    with Case(case, database_url=named_database()) as opened:
        opened.review(examiner=examiner, language=language, idle_s=60 * idle, announce=announce, stop=stop)


def _decided(case: Case, options: dict[str, Any]) -> Decision:
    from gtloc_forensics.case.reviewing import selecting
    from gtloc_forensics.case.reviewing.decisions import Ruling
    from gtloc_forensics.errors import UsageError
    from gtloc_forensics.records import Judgement

    number, photos, checks = options["cause"], options["photos"], options["checks"]
    if bool(number) == bool(photos) or (number and checks):
        raise UsageError("name either --photo, with or without --check, or --cause")
    view = case.view()
    kind, device = "", ""
    if number:
        group, members = selecting.of_cause(view, number)
        kind, device = str(group.cause.kind), group.cause.device_key
    else:
        members = selecting.of_photos(view, photos, checks)
    ruling = Ruling(
        Judgement(AS[options["judgement"]]),
        members,
        view.fingerprint,
        because=options["because"],
        note=options["note"],
        cause=kind,
        device_key=device,
    )
    return case.decide(options["examiner"], ruling)


def _told(made: Decision) -> str:
    photos = len({member.source_id for member in made.members})
    what = f"{counted(len(made.members), 'finding')} of {counted(photos, 'photo')}"
    because = f" because: {made.because}" if made.because else ""
    note = f" · note: {made.note}" if made.note else ""
    undone = f" · taken back by event {made.undone_by}" if made.undone_by else ""
    return f"decision {made.number} · {made.examiner} · {made.judgement}{because} · {what}{note}{undone}"


def _list(case: Case, *, as_json: bool) -> None:
    from gtloc_forensics.case.reviewing import selecting
    from gtloc_forensics.report.exports.findings_json import decision_facts

    view = case.view()
    made = view.decisions().made
    if as_json:
        undecided, _ = selecting.progress(view)
        say_json({"undecided": undecided, "decisions": [decision_facts(decision) for decision in made]})
        return
    for number, group in enumerate(view.causes(), start=1):
        say(f"cause {number}  {group.outcome.value}, {counted(len(group.source_ids), 'photo')}: {group.summary}")
    for decision in made:
        say(_told(decision))
    for line in ignored_lines(case):
        say(f"ignored  {line}")
    say(review_line(case))


def ignored_lines(case: Case) -> Iterator[str]:
    """Yield what was dismissed and stays ignored: a line a decision, naming the examination that it judged."""
    from gtloc_forensics.case.reviewing import selecting

    view = case.view()
    ended = view.examinations()
    for made, members in selecting.ignored(view).items():
        photos = len({member.source_id for member in members})
        rules = " ".join(sorted({member.check_id for member in members}))
        judged = "this examination" if made.examination == view.fingerprint else _of(ended.get(made.examination, ""))
        note = f" ({made.note})" if made.note else ""
        yield (
            f"{counted(len(members), 'finding')} of {counted(photos, 'photo')} ({rules}): dismissed by "
            f"{made.examiner}{note}, decision {made.number} on {judged}"
            + "; still said the same way"
            * (made.examination != view.fingerprint)
        )


def ignored_causes(case: Case) -> list[CauseGroup]:
    """Return the causes of which every finding was dismissed and stays ignored."""
    from gtloc_forensics.case.reviewing import selecting

    view = case.view()
    ignored = {item.key for members in selecting.ignored(view).values() for item in members}
    return selecting.wholly(view, ignored) if ignored else []


def _of(ended_utc: str) -> str:
    return f"the examination of {ended_utc[:19].replace('T', ' ')} UTC" if ended_utc else "an earlier examination"


def review_line(case: Case) -> str:
    """Return how far a case was reviewed, and which decisions still stand, as one line."""
    from gtloc_forensics.case.reviewing import selecting

    undecided, standings = selecting.progress(case.view())
    words = ", ".join(f"{count} {standing.value}" for standing, count in sorted(standings.items()))
    return f"{counted(undecided, 'finding')} undecided" + f" · decisions: {words}" * bool(words)
