"""What the two modules for Autopsy share and what needs no Autopsy: names of copies, the program's lines, starting it.

Runs under Jython 2.7, as Autopsy brings it, and under Python 3, where it is tested too.
SPDX-License-Identifier: Apache-2.0
"""

import io
import os
import re
import subprocess
import time

ENDINGS = (
    "jpg jpeg jpe tif tiff heic heif avif png webp dng cr2 cr3 nef nrw arw orf rw2 raf pef srw mov mp4 m4v xmp json".split()
)
"""Photos and films, and what lies beside them and is read with them."""

BESIDE = ("xmp", "json")
FORM, END = "gtloc-lines/1", "end"
LOOK_EVERY_S = 0.5
LONGEST_PART = 120
LONGEST_TAIL = 4096
_UNFIT = re.compile(u'[\\x00-\\x1f\\x7f<>:"|?*\\\\/]')


class Failed(Exception):
    """The program could not be started, or did not finish; the text is for the examiner."""


class Stopped(Exception):
    """The examiner cancelled the ingest; the same case goes on from there."""


def is_wanted(name):
    """Return whether a file of this name is a photo, a film, or lies beside one."""
    return name.rpartition(".")[2].lower() in ENDINGS


def place_of(parent, name, taken):
    """Return where a copy goes, as parts below the folder of copies; no two files get one place.

    File names are evidence, so the name stays; what is there twice (a deleted file beside a live one) goes into a
    folder of its own. *taken* is a set that remembers.
    """
    parts = [_fit(part) for part in parent.split("/") if part not in ("", ".", "..")]
    name = _fit(name) or u"_"
    number, chosen = 1, tuple(parts) + (name,)
    while tuple(part.lower() for part in chosen) in taken:
        number += 1
        chosen = tuple(parts) + (u"~%d" % number, name)
    taken.add(tuple(part.lower() for part in chosen))
    return chosen


def _fit(part):
    fitting = _UNFIT.sub(u"_", part).rstrip(u". ")
    if len(fitting) > LONGEST_PART:
        stem, dot, ending = fitting.rpartition(u".")
        fitting = stem[: LONGEST_PART - len(ending) - 1] + dot + ending if dot and len(ending) < 16 else fitting[:LONGEST_PART]
    return fitting


def decoded(field):
    """Return a field's text: ``%XX`` are bytes of UTF-8."""
    raw = re.sub(b"%([0-9A-F][0-9A-F])", lambda found: bytes(bytearray([int(found.group(1), 16)])), field)
    return bytes(raw).decode("utf-8", "replace")


def photos(path):
    """Yield (path below the folder, keywords, sentence) of each photo in a file of lines.

    Raises Failed where the file is not whole.
    """
    with io.open(path, "rb") as file:
        rows = file.read().split(b"\n")
    if rows[:1] != [FORM.encode("ascii")] or rows[-2:] != [END.encode("ascii"), b""]:
        raise Failed("the program's answer is not whole: " + path)
    for row in rows:
        fields = row.split(b"\t")
        if fields[0] == b"photo" and len(fields) >= 4:
            words = [decoded(word) for word in fields[2].split(b";") if word]
            yield decoded(fields[1]), words, decoded(fields[3])


def progress_of(path):
    """Return (stage, done, total or None) of the last whole line of the program's file of progress, None while there is none.

    The program adds a line at each step, and may be writing one.
    """
    try:
        with io.open(path, "rb") as file:
            file.seek(max(0, os.path.getsize(path) - LONGEST_TAIL))
            lines = file.read().decode("ascii", "replace").split("\n")[:-1]
        stage, done, total = lines[-1].split("\t")
        return stage, int(done), int(total) if total else None
    except (IOError, OSError, ValueError, IndexError):
        return None


def run(command, progress, is_cancelled, tell):
    """Run the program and return its exit code; tell of progress, and have it stop where the examiner wants it to.

    Raises Failed where it cannot be started or ends with a failure, Stopped after a cancel.
    """
    if os.path.exists(progress):
        os.remove(progress)  # an earlier run's, which would be told as this one's until the program has started
    with io.open(progress + ".log", "wb") as log:
        try:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        except (OSError, ValueError) as error:
            raise Failed("%s could not be started: %s" % (command[0], error))
        stopping, ended = False, False
        while not ended:
            ended = process.poll() is not None  # and one look more: what was said last is told, too
            if not ended and is_cancelled():
                stopping = True
                io.open(progress + ".stop", "wb").close()  # again and again: it clears an old one when it starts
            told = progress_of(progress)
            if told:
                tell(*told)
            if not ended:
                time.sleep(LOOK_EVERY_S)
    if stopping:
        raise Stopped()
    if process.returncode not in (0, 1, 3):
        raise Failed("the program ended with %d: %s" % (process.returncode, last_line(progress + ".log")))
    return process.returncode


def last_line(path):
    """Return the last line that the program wrote."""
    with io.open(path, "rb") as file:
        lines = [line for line in file.read()[-4000:].decode("utf-8", "replace").split("\n") if line.strip()]
    return lines[-1][:500] if lines else "it said nothing"


def options(folder):
    """Return what an examiner wants said to `gtloc audit` beside: the lines of ``audit.options``, where that is there."""
    try:
        with io.open(os.path.join(folder, "audit.options"), encoding="utf-8") as file:
            return [line for line in file.read().split("\n") if line]
    except (IOError, OSError):
        return []


def program(folder):
    """Return the command that starts the program, as ``gtloc plugin install autopsy`` wrote it beside this file."""
    path = os.path.join(folder, "program.path")
    try:
        with io.open(path, encoding="utf-8") as file:
            return [line for line in file.read().split("\n") if line]
    except (IOError, OSError):
        raise Failed("%s is missing: install this module with `gtloc plugin install autopsy`" % path)
