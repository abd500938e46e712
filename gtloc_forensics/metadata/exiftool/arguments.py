r"""Arguments as lines of exiftool's ``-@`` protocol, where a newline would start a new argument.

A line is safe as it stands unless it holds CR or LF (or starts with white space, which
exiftool strips). Then it goes in the ``#[CSTR]`` form; that form mis-reads ``$``, ``@`` and
``"`` (exiftool 12.57 and 13.58), so what holds both cannot be said as a line at all and
must be passed as a real argument of a process of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

TAG_NAME = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?:)?[A-Za-z](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")
"""``Tag`` or ``Group1:Tag``; nothing that could end in one of exiftool's operators (``+= -= ^= <``)."""

ACTS_ON_FILES = frozenset(
    {"filename", "directory", "testname", "hardlink", "symlink", "geotag", "geotime", "geosync", "all"}
)
"""Pseudo tags that rename, link, delete or read files when they are written."""

LONGEST_REQUEST = 60_000
"""Bytes of one request: less than a pipe holds (64 KiB on Linux), so writing it never waits on exiftool."""

_STARTS_LIKE_A_LINE_OF_ITS_OWN = re.compile(rb"[\s#]|-[-:\w]+#?\s*[-+<]?=")


def request(arguments: Sequence[bytes]) -> bytes | None:
    """Return the arguments as protocol lines, or None when one of them cannot be said as a line.

    Raises:
        ValueError: an argument is empty or holds NUL, which no file name or value can.
    """
    said = [line(argument) for argument in arguments]
    whole = b"".join(part + b"\n" for part in said if part is not None)
    return None if None in said or len(whole) > LONGEST_REQUEST else whole


def line(argument: bytes) -> bytes | None:
    """Return one argument as a protocol line without its newline, None when there is no such line."""
    if not argument or b"\0" in argument:
        raise ValueError("an argument of exiftool is empty or holds NUL")
    if not _needs_escape(argument):
        return argument
    if re.search(rb'[$@"]', argument):
        return None
    escaped = argument.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return b"#[CSTR]" + escaped


def _needs_escape(argument: bytes) -> bool:
    """Whether exiftool would read the plain line as something else."""
    if b"\n" in argument or b"\r" in argument:
        return True
    start = _STARTS_LIKE_A_LINE_OF_ITS_OWN.match(argument)
    # "-Artist= Ann" loses the space after the equals sign; without one the line is what it seems.
    return start is not None and (not argument.startswith(b"-") or argument[start.end() : start.end() + 1] == b" ")


def assignment(tag: str, value: str | None) -> bytes:
    """Return ``-TAG=VALUE`` (``-TAG=`` deletes) for a tag name that may be written.

    Raises:
        ValueError: the tag is not a plain name, would act on files, or the value holds NUL.
    """
    if not TAG_NAME.fullmatch(tag) or tag.rpartition(":")[2].lower() in ACTS_ON_FILES:
        raise ValueError(f"{tag!r} is not the name of a tag that may be written")
    if value is not None and "\0" in value:
        raise ValueError(f"the value for {tag} holds NUL")
    return f"-{tag}={value or ''}".encode("utf-8", "surrogateescape")
