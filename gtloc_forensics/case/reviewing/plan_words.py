"""What a plan and its transactions say, found again in the English that they are kept and refused in.

A plan is a file that people read and write, and holds its reasons and notes as English text; what
is refused is raised as text, too. The page says them in its own language: the sentence that a text was
made of is recalled by its template. A text that nobody here wrote stays as it is.
"""

from __future__ import annotations

from functools import lru_cache

from gtloc_forensics.records import Sentence, Statement, template
from gtloc_forensics.records.sentences import recalled

TEMPLATES = (
    template("{count:raw} photo"),
    template("{count:raw} photos"),
    template("the camera"),
    template("constant offset"),
    template("wrong zone"),
    template("dst"),
    template("am/pm"),
    template("day/month swapped"),
    template("reset"),
    template("drift"),
    template("piecewise"),
    template("undetermined"),
    template("A photo whose true time is known settles it: --from-reference PHOTO=TIME"),
    template("latitude and longitude exchanged"),
    template("north and south exchanged"),
    template("east and west exchanged"),
    template("asked for: keywords"),
    template("asked for: day and month exchanged"),
    template("asked for: position from the photos taken just before and after"),
    template("asked for: the same instant as {zone} shows it"),
    template("asked for: the clock keeps {zone}"),
    template("asked for: named by its local time, {local}"),
    template("asked for: clock moved by {shift}, and it keeps {zone}"),
    template("asked for: clock moved by {shift}"),
    template("asked for: {repair}"),
    template("clock moved by {shift}: {photo} was taken at {when}, and it keeps {zone}"),
    template("clock moved by {shift}: {photo} was taken at {when}"),
    template("position from the track at {when} UTC"),
    template("clock of the camera: {shift} against {other}, which was at the same places and whose clock GPS confirms"),
    template("clock of the camera: {shift} against the truth, as the GPS clocks of {photos} say"),
    template("clock of {camera}: {shift} against the truth, as the GPS clocks of {photos} say"),
    template(
        "clock of {camera}: day and month exchanged, it seems, but no GPS time confirms it; "
        "--swap-day-month exchanges them"
    ),
    template("clock of {camera}: day and month exchanged"),
    template("clock of {camera}: {kind}, {shift} against the truth"),
    template("latitude and longitude are exchanged: no latitude exceeds 90°, and the file's own clocks fit the place"),
    template("{slip}: without that it lies with the {photos} of that day"),
    template("clock, GPS time and place agree on this offset from UTC; only the one that is written does not"),
    template(
        "The clock of {camera} was not right, but the GPS dates in its photos are those of the camera "
        "itself, as some firmware writes them, and the day is open: nothing is moved. A photo whose true "
        "time is known settles it: --from-reference PHOTO=TIME"
    ),
    template(
        "The clock of {camera} is doubted, but the GPS clocks in its photos do not agree on one "
        "amount ({confirmed} of {count:raw} confirmed as they are): nothing is moved. A photo whose "
        "true time is known settles it: --from-reference PHOTO=TIME"
    ),
    template(
        "The clock of {camera} was not right ({kind}), but by how much is not known. The likeliest "
        "is about {about}, strength {strength:.2f}, and anything from {low} to {high} would do. A "
        "photo whose true time is known settles it: --from-reference PHOTO=TIME"
    ),
    template(
        "The clock of {camera} was not right ({kind}), but by how much is not known. The likeliest "
        "is about {about}, strength {strength:.2f}. A photo whose true time is known settles it: "
        "--from-reference PHOTO=TIME"
    ),
    template(
        "The clock of {camera} was not right ({kind}), but by how much is not known. A photo whose "
        "true time is known settles it: --from-reference PHOTO=TIME"
    ),
    template(
        "The clock of {camera} was set anew on the way, and nothing tells on which side it was right. "
        "A photo whose true time is known settles it: --from-reference PHOTO=TIME"
    ),
    template(
        "The clock of {camera} may have been set anew on the way, but the GPS clocks of {photos} do "
        "not agree on an amount: they stay. A photo whose true time is known settles it: "
        "--from-reference PHOTO=TIME"
    ),
    template("its GPS time fits neither its own clock nor one {shift} off, as its camera's was; decide by hand"),
    template(
        "lines for {photos} are left out: their strength, {best:.2f} at most, is under {least:.2f}; "
        "see them with --least-strength"
    ),
    template("no finding of this case is one that a correction of times or positions could put right"),
    template("the clock had been reset and nothing tells the true time; add a line if you know it"),
    template(
        "its GPS clock confirms the instant that the file states, so no time is moved; its position "
        "or its zone is in doubt: --gps, --track or --neighbours set a position"
    ),
    template("its GPS clock confirms the instant that the file states, so no time is moved"),
    template(
        "no photo within 31 days of it tells how its clock stood then, and clocks are set anew; --offset "
        "with --only moves it"
    ),
    template("{rules} mean different causes, a time and a position; decide by hand"),
    template(
        "its time is in doubt, but a single file does not tell by how much: a GPS time may be an old "
        "fix or come from elsewhere. A photo whose true time is known settles it: --from-reference "
        "PHOTO=TIME"
    ),
    template("its zone and its position deny each other, and nothing in it tells which is right; --zone or --gps"),
    template(
        "its position is in doubt, and nothing in it tells where it was taken; --gps, --track or "
        "--neighbours repair one"
    ),
    template("its clock was set to another zone, which is explained and stays; --zone ZONE names it"),
    template("its latitude exceeds 90°, which no place has; --gps swap exchanges it with the longitude"),
    template(
        "its clock keeps another zone than its place, which is explained and stays; --zone ZONE "
        "--keep-instant shows the same instant in another"
    ),
    template("the fault lies in its GPS time, which is explained and stays; no clock is moved"),
    template("--keywords: nothing was found, so there is no keyword to write"),
    template("no capture time is in the file; write a line by hand if you know it"),
    template("its instant is not known, for it states no zone; --zone without --keep-instant writes one"),
    template("day and month cannot have been exchanged there: they are equal, or one is above 12"),
    template("another camera than the reference photo's; each clock needs a reference of its own"),
    template("it is so already"),
    template("no position to repair is there, or the repair would give none"),
    template("it has a position of its own, which stays; --replace-positions overwrites it"),
    template("it has a position of its own, which stays"),
    template("no capture time is in the file, so that it keeps its name"),
    template("its capture time is not known to the second, so that it keeps its name"),
    template("its name holds bytes that no plan can show, so that it stays; rename it by hand"),
    template("its time is not that of the capture, and a name would repeat it; set it first"),
    template("no capture time is in the file"),
    template("its instant is not known, for it states no zone; name the clock's zone in the same order: --zone ZONE"),
    template("no track point, and nothing between two, within 30 minutes of it; --clock-ahead sets the camera's error"),
    template("no photo with a position was taken within 30 minutes of it"),
    template("the GPS clock in the file confirms the time as it is; drop the lines unless you know better"),
    template("the file says {found}, not {old}; correct the old value"),
    template("{text} is not a time; write 2024-06-15 12:00:00"),
    template("{text} is not a time: {error}; write 2024-06-15 12:00:00"),
    template("{text} is not an offset from UTC; write +05:30"),
    template("{text} is no civil time's offset from UTC; they run from -12:00 to +14:00"),
    template("{text} is not a position ({error}); write latitude, longitude in degrees"),
    template("{text} holds no keywords, or one that cannot be printed; separate them by semicolons"),
    template("{text} is no name that every system can give a file; write one like 2024-06-15_12-00-00.jpg"),
    template(
        "{text} is not a shift, or could be read in two ways; write its sign, hours, minutes and "
        "seconds: +01:00:00 is an hour forward, -00:01:00 a minute back, -366d 12:00:00 days too"
    ),
    template("strength {strength} is not between 0 and 1"),
    template("strength is not between 0 and 1"),
    template("a strength lies between 0 and 1"),
    template("sha256 {text} is not 64 hexadecimal digits"),
    template("the file is called {held}, not {old}; correct the old name"),
    template("{new} does not end like {old}; a new name keeps the ending"),
    template("two lines change {tag} of {photo}; keep one of them"),
    template("two lines about {photo} name different contents (sha256)"),
    template("no photo by {camera}; the cameras of this case are {cameras}"),
    template("{photo} is not a photo with a time in this case; name one that has"),
    template("{moment} cannot be moved by {shift}; check the shift"),
    template("{text} is not a reference; write PHOTO=2024-06-15 12:00:00"),
    template("no time zone is called {zone}; write one like Europe/Berlin"),
    template("{options} in one plan would hide what each does; make one after the other"),
    template("no line of the plan is about these photos; plan again, or leave --only and --camera out"),
    template("no photo with a claim at {paths}; name paths below the evidence"),
    template("the plan is not one of ours: it is nested too deeply; make a new plan"),
    template("the plan is not one of ours: a number in it is too long; make a new plan"),
    template("the plan is not TOML: {error}"),
    template("the plan has {format}, this program reads {known:raw}; make a new plan"),
    template("no format"),
    template("format {format}"),
    template("the plan's lines must be [[change]] blocks, with two brackets"),
    template("the plan's notes must be a list of sentences"),
    template("it is not a [[change]] block"),
    template("{name} is missing or not text"),
    template("{name} is of the wrong kind"),
    template("unknown word {word}"),
    template("photo_hex is not hexadecimal"),
    template("photo is not a path below the evidence folder"),
    template("tag {tag} is not one that can be corrected; they are {known}"),
    template("{path} is no UTF-8 text, and so no plan; name another file with --plan"),
    template("the plan {path} is no UTF-8 text from byte {byte:raw} on; name the file that the planning wrote"),
    template("the plan {path} could not be read: {why}; name the file that the planning wrote"),
    template("change {number:raw} ({photo}): {why}"),
    template("{path} is a link; a case's plan is a file of its own"),
    template("what is to be planned is no text"),
    template("transaction {name} was interrupted; finish it with --resume or take it back with --undo"),
    template(
        "the plan renames {count:raw} files, which sidecars leave as they are; add --copy FOLDER or "
        "--in-place, or drop the lines with tag FileName"
    ),
    template("there is nothing to undo"),
    template("there is nothing to undo under the name {name}"),
    template("the journal knows no transaction {name}; it lists those it knows"),
    template("the plan {path} is missing or was altered since; restore it from a backup"),
    template("its target was changed by another program while the correction was interrupted"),
    template("{error} at {photo}; make room or allow writing, then resume or undo"),
    template("its path goes through a symbolic link"),
    template("its target goes through a symbolic link"),
    template("{photo} would share its sidecar {sidecar}; name sidecars like a.jpg.xmp"),
    template("{photo} would be called {name}, too; change one of the names in the plan"),
    template("the name of its sidecar would be too long; name sidecars like a.xmp, or use --copy"),
    template("it is not there any more"),
    template("it changed since the plan was made; make a new plan"),
    template("it has several names (hard links), which correcting one would part; use --copy"),
    template("{target} exists and was not made by a correction; choose another folder"),
    template("no tag of it speaks of what its lines change"),
    template("reading back what was written failed: {what}"),
    template("its picture cannot be decoded here, so that it is unchanged could not be proven; use a sidecar"),
    template("the picture would have changed with its tags"),
    template("its tags could not be read: {why}"),
    template("exiftool did not write it: {why}"),
    template("no answer"),
    template("{target} is not there: it was moved or removed since; put it there, then undo again"),
    template("{target} was changed since it was corrected; what stands there now is left alone"),
    template("another file is called {name} now; move it away, then undo again"),
    template("a file called {name} is there already; choose another name in the plan"),
    template("{folder} is in use by another correction; wait for it"),
    template("{path} changes while it is read; stop what writes to it, then resume"),
    template("the original kept as {path} is missing or damaged; restore it from a backup"),
    template("line {number:raw} of {path} does not follow the one before it: the journal was altered"),
    template("line {number:raw} of {path} is damaged; restore the journal from a backup"),
    template(
        "the journal of an earlier version names {name} without its folder, so that nobody can tell "
        "where it lies; put it back by hand: corrections/originals in the case has its bytes"
    ),
    template(
        "this case is marked as evidence: its originals are never changed; leave --in-place out for "
        "sidecars, or use --copy FOLDER"
    ),
    template("{output} lies inside the evidence folder {evidence}, which is never written to; {remedy}"),
    template("name a folder outside it with --sidecars or --copy, or leave both out for CASE/sidecars"),
    template("choose an output folder outside it with --output"),
    template("{folder} is in use by another process; wait for it or stop it"),
    template("{folder} cannot be written, so nothing can be decided; copy it to where it can"),
    template("name who decides, in at most 200 plain characters, with --examiner"),
    template("the case is damaged: {what}; `gtloc verify` on the case names everything that was altered"),
    template("no space left in {path}; free some and run again: the case resumes where it stopped"),
    template("{tool} was not found; {remedy}"),
    template("{tool} {found} is older than {needed}, the oldest safe version; {remedy}"),
    template("the case is still being read"),
    template("{name} could not be decoded, so nothing can be like it"),
    template("{name} is no text"),
    template("{name} is no number"),
    template("findings is no list"),
    template("a finding is a pair of photo and rule"),
    template("the request is too large"),
    template("the request was too slow"),
    template("the request is no JSON"),
    template("the request is no JSON object"),
    template("there is no such correction"),
    template("{name} (serial {serial})"),
)
"""Of reasons, notes and refusals; of two that fit the first is meant, and the longer one stands first."""

_AROUND = (
    template("{reason}; the GPS clock agreed with the old time and is moved along"),
    template("{option}: {names}: {why}"),
    template("{names}: {why}"),
    template("{names} and {count:raw} more"),
)
"""Templates around another sentence: they are meant only where that is one."""

_DEEPEST = 4


def in_sentences(text: str, *, depth: int = 0) -> Statement:
    """Return the sentence that an English text of a plan was made of, with the sentences in it; else the text."""
    return text if isinstance(text, Sentence) or depth > _DEEPEST else _found(text, depth)


@lru_cache(maxsize=4096)  # of a plan of many lines most give the same reason
def _found(text: str, depth: int) -> Statement:
    found = recalled(text, TEMPLATES)
    if isinstance(found, Sentence):
        return _with_parts(found, depth)
    for around in _AROUND:
        found = recalled(text, (around,))
        if isinstance(found, Sentence):
            made = _with_parts(found, depth)
            inner = made.values.get("why", made.values.get("reason"))
            if "count" in made.values or isinstance(inner, Sentence):
                return made
    return text


def _with_parts(found: Sentence, depth: int) -> Sentence:
    parts = {
        name: in_sentences(value, depth=depth + 1) if isinstance(value, str) else value
        for name, value in found.values.items()
    }
    return Sentence(found.template, **parts)
