"""Where workers are found, and with what one shows who one is: TLS both ways, or nothing that leaves this machine."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import Enum, unique
from pathlib import Path

from gtloc_forensics.errors import UsageError

CA, CERTIFICATE, KEY = "ca.pem", "certificate.pem", "key.pem"
"""What a folder of credentials holds: the authority of this cluster alone, a certificate of it, and its key."""

MOST_LOCAL = 1024


@unique
class Way(Enum):
    """How one gets to the workers."""

    LOCAL = "local"  # within this process, no port open
    TLS = "tls"
    TCP = "tcp"  # on this machine alone


@dataclass(frozen=True, slots=True)
class Address:
    """A scheduler's address, or so many slots of this machine."""

    way: Way
    host: str = ""
    port: int = 0
    slots: int = 0

    def __str__(self) -> str:
        """Return it as it was written."""
        if self.way is Way.LOCAL:
            return f"local:{self.slots}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.way.value}://{host}:{self.port}"


def address_of(text: str) -> Address:
    """Return the address that a person wrote: ``local:4``, ``tls://host:8786``, ``tcp://127.0.0.1:8786``.

    Raises:
        UsageError: it is none, or it would send evidence and programs over a network in the clear.
    """
    local = re.fullmatch(r"local:([0-9]{1,4})", text)
    if local is not None and 1 <= int(local[1]) <= MOST_LOCAL:
        return Address(Way.LOCAL, slots=int(local[1]))
    named = re.fullmatch(r"(tls|tcp)://(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:/\[\]@]+)):([0-9]{1,5})", text)
    if named is None or not 0 < int(named[4]) < 65536:
        raise UsageError(f"{text!r} is no cluster; write local:N, or tls://HOST:PORT of a scheduler")
    way, host, port = Way(named[1]), named[2] or named[3], int(named[4])
    if way is Way.TCP and not is_loopback(host):
        raise UsageError(
            f"{text} would be plain TCP beyond this machine: whoever is on the way could read the evidence and run "
            "programs here; use tls:// with --credentials"
        )
    return Address(way, host, port)


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine, and cannot be another; a name but ``localhost`` could be."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Credentials:
    """A folder with the certificates of a cluster."""

    folder: Path

    @property
    def files(self) -> tuple[Path, Path, Path]:
        """The authority, the certificate and its key.

        Raises:
            UsageError: one of them is missing.
        """
        files = (self.folder / CA, self.folder / CERTIFICATE, self.folder / KEY)
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise UsageError(f"{self.folder} lacks {', '.join(missing)}; docs/cluster.md says how to make them")
        return files


def checked(address: Address, credentials: Credentials | None) -> Credentials | None:
    """Return the credentials for an address.

    Raises:
        UsageError: TLS without credentials, or files of them are missing.
    """
    if address.way is not Way.TLS:
        return None
    if credentials is None:
        raise UsageError(f"{address} needs --credentials FOLDER with {CA}, {CERTIFICATE} and {KEY}")
    credentials.files  # noqa: B018 - asks for them
    return credentials
