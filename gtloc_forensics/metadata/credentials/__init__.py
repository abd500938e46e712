"""Content credentials (C2PA) in a file → tags of the group ``Credentials``: a reader beside exiftool.

What is signed in a file is read by the maintained library ``c2pa-python`` (extra ``c2pa``), in a process of its own:
the store is hostile input and the library is native code. It is told to fetch nothing, neither a manifest that lies
elsewhere nor an answer about a certificate. Which signers are trusted is decided by the lists that the user gives, and
by nothing else: without one nothing is trusted, however valid it is.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path

from gtloc_forensics.errors import UsageError
from gtloc_forensics.metadata.credentials.process import Confined, Died
from gtloc_forensics.metadata.credentials.statements import GROUP, tags_of
from gtloc_forensics.records import Sentence, TagsRead, Unread

__all__ = ["GROUP", "ContentCredentials", "anchors_in", "installed_version"]

VERSION = "1"
"""Of this reader: raise it when it says something else of the same file."""

SIGNS = (b"jumb", b"c2pa", b"provenance")
"""One of them is in every file that holds a store or names one elsewhere; the others need no library."""

LONGEST_LIST_BYTES = 16 << 20


class ContentCredentials:
    """The reader: one answer per file, no tags where it holds no credentials."""

    name = "content credentials"

    def __init__(self, anchors: bytes = b"") -> None:
        """Prepare to read.

        Args:
            anchors: certificates of those who are trusted, PEM, one after the other; empty trusts nobody.
        """
        trusted = hashlib.sha256(anchors).hexdigest()[:16] if anchors else "nobody"
        self.version = f"{VERSION}, c2pa-python {installed_version() or '?'}, trusting {trusted}"
        self._process = Confined(anchors)

    def read(self, paths: Sequence[bytes]) -> Sequence[TagsRead | Unread]:
        """Return the tags of each file."""
        return [self._read(path) for path in paths]

    def close(self) -> None:
        """End the process that reads."""
        self._process.close()

    def _read(self, path: bytes) -> TagsRead | Unread:
        if not may_have_credentials(path):
            return TagsRead({}, ())
        try:
            return TagsRead(tags_of(self._process.ask(path)), ())
        except Died as error:
            return Unread(Sentence("its content credentials could not be read: {reason}", reason=error.reason))


def may_have_credentials(path: bytes) -> bool:
    """Return whether a file holds the signs of a manifest store."""
    with Path(os.fsdecode(path)).open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return False  # nothing cannot be mapped
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return any(content.find(sign) >= 0 for sign in SIGNS)


def installed_version() -> str:
    """Return the version of the library; "" when it is not installed."""
    try:
        return package_version("c2pa-python")
    except PackageNotFoundError:
        return ""


def anchors_in(files: Sequence[Path]) -> bytes:
    """Return the certificates of lists of trusted signers, one after the other.

    Raises:
        UsageError: a list cannot be read, holds no certificate, or the library that would use it is missing.
    """
    if files and not installed_version():
        raise UsageError(
            "a list of trusted signers was given, but content credentials are not read without the extra c2pa; "
            "install gtloc_forensics[c2pa], or leave --trust-anchors out"
        )
    lists = []
    for file in files:
        try:
            content = file.read_bytes()[:LONGEST_LIST_BYTES]
        except OSError as error:
            raise UsageError(f"{file} cannot be read ({error.strerror}); name a file of certificates") from error
        if b"-----BEGIN CERTIFICATE-----" not in content:
            raise UsageError(
                f"{file} holds no certificate in the form PEM; name a file of trusted signers' certificates"
            )
        lists.append(content)
    return b"\n".join(lists)
