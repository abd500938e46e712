"""Stores opened through fsspec: read alone, tried a bounded number of times, credentials from the usual places.

No credential passes through this program: the libraries take them from the environment
and the files that their own tools use. Every library stands behind an extra.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gtloc_forensics.errors import ToolMissing
from gtloc_forensics.files.stores.addresses import Address

CONNECT_S, ANSWER_S = 10, 60
"""How long a connection, and an answer, may take."""

TRIES = 3
"""How often one request is made at most by a library that counts tries; a body that breaks off is fetched once more."""

_LIBRARIES: Mapping[str, tuple[str, str]] = {
    "s3": ("s3fs", "s3"),
    "gs": ("gcsfs", "gcs"),
    "abfs": ("adlfs", "azure"),
    "sftp": ("paramiko", "sftp"),
    "smb": ("smbprotocol", "smb"),
}
"""Scheme → the package that reads it, and the extra that brings that."""


def connected(address: Address, *, may_write: bool = False) -> Any:
    """Return the fsspec file system of an address, which remembers no listing; for results of ours it *may_write*.

    Raises:
        ToolMissing: the package of an extra is not installed.
        Exception: whatever the library says of a connection that does not come about.
    """
    package, extra = _LIBRARIES[address.scheme]
    try:
        if address.scheme == "gs":
            return _gs(address, may_write=may_write)  # the others let us do what the credentials allow
        return _OPENED[address.scheme](address)
    except ImportError as error:
        raise ToolMissing(
            error.name or package, f"pip install 'gtloc_forensics[{extra}]' brings what {address.scheme}:// needs"
        ) from error


def libraries(address: Address) -> str:
    """Return with what a store is read, with versions."""
    named = []
    for package in ("fsspec", _LIBRARIES[address.scheme][0]):
        try:
            named.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(named)


def _s3(address: Address) -> Any:
    import s3fs

    made = s3fs.S3FileSystem(
        config_kwargs={
            "connect_timeout": CONNECT_S,
            "read_timeout": ANSWER_S,
            "retries": {"total_max_attempts": TRIES, "mode": "standard"},
        },
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    made.retries = 2  # its own, around those of the library beneath it
    return made


def _gs(address: Address, *, may_write: bool = False) -> Any:
    import gcsfs

    logging.getLogger("gcsfs").setLevel(logging.ERROR)  # it warns of what it tries before it falls back

    made = gcsfs.GCSFileSystem(
        access="read_write" if may_write else "read_only",
        use_listings_cache=False,
        skip_instance_cache=True,
        timeout=ANSWER_S,
    )
    made.retries = TRIES
    return made


def _abfs(address: Address) -> Any:
    import adlfs

    account = address.authority.partition("@")[2]
    named = {"account_name": account.partition(".")[0]} if account else {}
    return adlfs.AzureBlobFileSystem(
        anon=False,
        use_listings_cache=False,
        skip_instance_cache=True,
        connection_timeout=CONNECT_S,
        read_timeout=ANSWER_S,
        **named,
    )


def _sftp(address: Address) -> Any:
    import paramiko
    from fsspec.implementations.sftp import SFTPFileSystem

    class KnownServers(SFTPFileSystem):  # type: ignore[misc]
        """SFTP to servers whose key is known already: anybody else's answer is refused."""

        def _connect(self) -> None:
            self.client = paramiko.SSHClient()
            self.client.load_system_host_keys()
            self.client.set_missing_host_key_policy(paramiko.RejectPolicy())
            self.client.connect(
                timeout=CONNECT_S, banner_timeout=CONNECT_S, auth_timeout=CONNECT_S, **_as_ssh_does(address)
            )
            self.ftp = self.client.open_sftp()
            channel = self.ftp.get_channel()
            if channel is not None:
                channel.settimeout(ANSWER_S)

        @staticmethod
        def _decode_stat(found: Any, parent_path: str | None = None) -> dict[str, Any]:
            told: dict[str, Any] = SFTPFileSystem._decode_stat(found, parent_path)
            mode = found.st_mode or 0
            is_plain = not stat.S_IFMT(mode) or stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)
            return told if is_plain else {**told, "type": "other"}  # opening a pipe would wait for ever

    return KnownServers(address.host, skip_instance_cache=True)


def _as_ssh_does(address: Address) -> dict[str, Any]:
    """Return where to connect as whom, as ~/.ssh/config has it; keys and agent are found by the library itself."""
    import paramiko

    told: Mapping[str, Any] = {}
    settings = Path.home() / ".ssh" / "config"
    if settings.is_file():
        told = paramiko.SSHConfig.from_path(str(settings)).lookup(address.host)
    named: dict[str, Any] = {
        "hostname": told.get("hostname", address.host),
        "port": address.port or int(told.get("port", 22)),
        "username": address.user or told.get("user"),
        "key_filename": told.get("identityfile"),
    }
    return {name: value for name, value in named.items() if value is not None}


def _smb(address: Address) -> Any:
    from fsspec.implementations.smb import SMBFileSystem

    return SMBFileSystem(
        address.host,
        port=address.port,
        username=address.user or None,
        password=os.environ.get("PASSWD") if address.user else None,  # as smbclient of Samba has it
        timeout=CONNECT_S,
        share_access="rwd",  # others go on working with the file
        register_session_retries=TRIES - 1,
        skip_instance_cache=True,
    )


_OPENED: Mapping[str, Callable[[Address], Any]] = {"s3": _s3, "gs": _gs, "abfs": _abfs, "sftp": _sftp, "smb": _smb}
