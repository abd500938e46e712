"""The address of evidence in an object store, and the path under which a case knows it.

A case names its evidence by a path. That of a folder is absolute; ``s3://bucket/prefix``
becomes the relative path ``s3:/bucket/prefix``, which no folder of a case can have.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from gtloc_forensics.errors import UsageError
from gtloc_forensics.records import visible

SCHEMES = ("s3", "gs", "abfs", "sftp", "smb")
_WRITTEN = re.compile(r"(?P<scheme>[a-z0-9]+):/{1,2}(?P<rest>.*)", re.DOTALL)
_SERVERS = ("sftp", "smb")
_AUTHORITY = re.compile(r"(?:(?P<user>[^@]*)@)?(?P<host>[^@:]+|\[[0-9a-fA-F:]+\])(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where evidence lies in a store.

    Attributes:
        scheme: one of :data:`SCHEMES`.
        authority: the bucket or container; of a server its name, with a user and a port where they are named.
        prefix: what the keys begin with, or the folder; without slashes at its ends.
    """

    scheme: str
    authority: str
    prefix: str

    def __str__(self) -> str:
        """Return the address as it is written."""
        return f"{self.scheme}://{self.authority}/{self.prefix}".rstrip("/")

    @property
    def is_server(self) -> bool:
        """Whether it is a file server with folders, and no store of objects."""
        return self.scheme in _SERVERS

    @property
    def user(self) -> str:
        """The user named in the address of a server, "" for none."""
        return _parted(self.authority)["user"] or ""

    @property
    def host(self) -> str:
        """The name of a server."""
        return (_parted(self.authority)["host"] or "").strip("[]")

    @property
    def port(self) -> int | None:
        """The port named in the address of a server."""
        port = _parted(self.authority)["port"]
        return None if port is None else int(port)

    @property
    def path(self) -> Path:
        """The path by which a case knows it."""
        return Path(f"{self.scheme}:", self.authority, *filter(None, self.prefix.split("/")))


def is_address(text: str) -> bool:
    """Say whether a text is meant as the address of a store."""
    found = _WRITTEN.fullmatch(text)
    return found is not None and found["scheme"] in SCHEMES


def of_path(evidence: Path) -> Address | None:
    """Return the address that a case's evidence is; None for a folder or a file.

    Raises:
        UsageError: it is one that is not taken; see :func:`read`.
    """
    if evidence.is_absolute() or not is_address(os.fspath(evidence)):
        return None
    return read(os.fspath(evidence))


def read(text: str) -> Address:
    """Return the address that *text* is.

    Raises:
        UsageError: it carries a password or options, names no bucket, or a prefix that a path cannot hold. What is
            said repeats no part of it in which a secret may stand.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None or found["scheme"] not in SCHEMES:
        raise UsageError(f"{visible(os.fsencode(text))} is no address of a store; write s3://bucket/prefix")
    scheme, rest = found["scheme"], found["rest"]
    authority, _, prefix = rest.partition("/")
    if ":" in authority.rpartition("@")[0] or ("@" in authority and scheme in ("s3", "gs")):
        raise UsageError(
            f"the {scheme}:// address carries a user or a password before its @; leave it out: credentials are taken "
            "from where the system keeps them (docs/object-stores.md), and never from an address"
        )
    if "?" in rest or "#" in rest:
        raise UsageError(
            f"the {scheme}:// address carries options after ? or #; leave them out, a signature among them: "
            "credentials are taken from where the system keeps them (docs/object-stores.md)"
        )
    if not authority or (scheme in _SERVERS and _AUTHORITY.fullmatch(authority) is None):
        raise UsageError(f"the {scheme}:// address names no {_kind(scheme)}; write {_example(scheme)}")
    parts = prefix.removesuffix("/").split("/")
    if any(part in (".", "..") for part in parts) or (parts != [""] and "" in parts):
        raise UsageError(
            f"the {scheme}:// address holds an empty step, . or ..; name the prefix before it, whose objects are "
            "listed as they are"
        )
    return Address(scheme, authority, "/".join(parts))


def _parted(authority: str) -> re.Match[str]:
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise UsageError(f"{authority} is no name of a server")
    return found


def _kind(scheme: str) -> str:
    return "server" if scheme in _SERVERS else "bucket"


def _example(scheme: str) -> str:
    return {"sftp": "sftp://host/folder", "smb": "smb://host/share/folder"}.get(scheme, f"{scheme}://bucket/prefix")
