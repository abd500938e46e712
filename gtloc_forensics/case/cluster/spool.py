"""The results of shards, in the case folder: one immutable file each, whose presence says that the shard is done.

Workers may put them into a store of objects instead, one put each under the same name; from there they are fetched into
the folder when they are asked for.

A result is written under a name of its own and put in its place in one step; a result that is there is never
replaced, so two workers with the same shard do no harm. A file tells by its own hash that it is whole; one that is
not is removed, as if it had never been.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gtloc_forensics.case.cluster.examined import Examined
from gtloc_forensics.errors import DamagedCase, UsageError
from gtloc_forensics.files import opening, writing
from gtloc_forensics.files.stores import addresses, deposits
from gtloc_forensics.files.stores.deposits import Deposit
from gtloc_forensics.store.codec import pack, unpack

FOLDER = "cluster"
"""Where in a case folder listing and results lie."""

_RESULT, _HALVED, _PARTIAL = ".examined", ".halved", ".partial"
_MAGIC = b"gtloc shard 2\n"
_KEY_BYTES = 64
_DIGEST_BYTES = 32


class Spool:
    """The results below one folder."""

    def __init__(self, folder: Path, deposit: Deposit | None = None) -> None:
        """Look after the results below *folder*, which is made where it is missing, and in a *deposit* of workers.

        Raises:
            UsageError: it is a link, or cannot be made.
        """
        self.folder, self._deposit = folder, deposit
        writing.refuse_links(folder.parent, (folder.name,))
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"results cannot be kept in {folder}: {opening.words(error)}; choose another --output"
            ) from error

    def is_done(self, key: str) -> bool:
        """Whether the result of a shard is there and whole; one that is not whole is removed."""
        path = self._path(key, _RESULT)
        try:
            _content(path, key)
        except FileNotFoundError:
            return self._deposit is not None and self._is_fetched(self._deposit, key)
        except (OSError, DamagedCase):
            path.unlink(missing_ok=True)
            return False
        return True

    def _is_fetched(self, deposit: Deposit, key: str) -> bool:
        """Whether the result of a shard lay in the deposit, whole; it lies here then."""
        whole = deposit.get(_name_in_deposit(key))
        if whole is None:
            return False
        try:
            _insist_on_whole(whole, key)
        except DamagedCase:
            deposit.remove(_name_in_deposit(key))
            return False
        path = self._path(key, _RESULT)
        path.parent.mkdir(exist_ok=True)
        _put(path, whole)
        return True

    def read(self, key: str) -> tuple[Examined, ...]:
        """Return what a result holds.

        Raises:
            DamagedCase: it is not whole, or not what it should be.
            OSError: it cannot be read.
        """
        return unpack(tuple[Examined, ...], _content(self._path(key, _RESULT), key))

    def size_bytes(self, key: str) -> int:
        """Return how long a result is."""
        return self._path(key, _RESULT).stat().st_size

    def keep(self, key: str, files: Iterable[Examined]) -> int:
        """Write a result, unless it is there; return its length in bytes.

        Raises:
            OSError: as the system does.
        """
        path, whole = self._path(key, _RESULT), _whole(key, files)
        if not self.is_done(key):
            path.parent.mkdir(exist_ok=True)
            _put(path, whole)
        return len(whole)

    def is_halved(self, key: str) -> bool:
        """Whether the process died over a shard in an earlier run, or in this one."""
        return self._path(key, _HALVED).is_file()

    def note_halved(self, key: str) -> None:
        """Remember that a shard has to be halved."""
        path = self._path(key, _HALVED)
        path.parent.mkdir(exist_ok=True)
        path.touch()

    def discard(self, key: str) -> None:
        """Remove what is kept of a shard."""
        for ending in (_RESULT, _HALVED):
            self._path(key, ending).unlink(missing_ok=True)
        if self._deposit is not None:
            self._deposit.remove(_name_in_deposit(key))

    def clear(self, keys: Iterable[str]) -> None:
        """Remove what is kept of these shards, and the folders that are empty then."""
        for key in keys:
            self.discard(key)
            folder = self._path(key, _RESULT).parent
            for partial in folder.glob(f"{key}.*{_PARTIAL}"):  # of a worker that died while it wrote
                partial.unlink(missing_ok=True)
            with suppress(OSError):
                folder.rmdir()

    def _path(self, key: str, ending: str) -> Path:
        return self.folder / _checked(key)[:2] / f"{key}{ending}"


def deposited(deposit: Deposit, key: str, files: Iterable[Examined]) -> int:
    """Put a result into a deposit, unless it is there; return its length in bytes.

    Raises:
        OSError: as the store does.
        ServerFailed: it cannot be asked.
    """
    whole, name = _whole(key, files), _name_in_deposit(key)
    there = deposit.get(name)
    if there is not None:
        try:
            _insist_on_whole(there, key)
        except DamagedCase:
            there = None
    if there is None:
        deposit.put(name, whole)
    return len(whole)


def deposit_at(results: Path, evidence: Path) -> Deposit | None:
    """Return the deposit that a path of results stands for; None for a folder.

    Raises:
        UsageError: it is no place for results.
    """
    address = addresses.of_path(results)
    if address is None:
        return None
    deposits.refuse_within(address, evidence)
    return Deposit(address)


def _checked(key: str) -> str:
    if len(key) != _KEY_BYTES or not set(key) <= set("0123456789abcdef"):
        raise UsageError(f"{key!r} names no shard")
    return key


def _name_in_deposit(key: str) -> str:
    return f"{_checked(key)[:2]}/{key}{_RESULT}"


def _whole(key: str, files: Iterable[Examined]) -> bytes:
    """Return a result as it is kept: between head and hash."""
    content = _MAGIC + key.encode() + pack(tuple(files))
    return content + hashlib.sha256(content).digest()


def _put(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, unless somebody else was first.

    Not :func:`writing.replaced`: that takes the drafts of other machines for left over.
    """
    partial = path.with_name(f"{path.stem}.{secrets.token_hex(8)}{_PARTIAL}")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(partial, path)
        except FileExistsError:
            return  # by another worker: the same files, the same stages
        except OSError:  # a file system without hard links
            partial.replace(path)
        writing.synchronise(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def _content(path: Path, key: str) -> bytes:
    """Return what lies between head and hash.

    Raises:
        DamagedCase: the file is not whole, or another shard's.
    """
    with opening.quiet_file(path) as file:
        return _insist_on_whole(file.read(), key)


def _insist_on_whole(whole: bytes, key: str) -> bytes:
    """Return what lies between head and hash; raises as :func:`_content`."""
    head = _MAGIC + key.encode()
    content, digest = whole[len(head) : -_DIGEST_BYTES], whole[-_DIGEST_BYTES:]
    if not whole.startswith(head) or hashlib.sha256(head + content).digest() != digest:
        raise DamagedCase(f"the result {key}{_RESULT} is not whole")
    return content
