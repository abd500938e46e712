"""What lies in a store: listed page by page, told as stat tuples, and read. No call here changes anything there."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from gtloc_forensics.files.containers.members import SPECIAL, Member, Unreadable, is_container, link
from gtloc_forensics.files.stores import troubles
from gtloc_forensics.files.stores.addresses import Address
from gtloc_forensics.records import FileStat, Sentence, Skipped

PAGE = 1_000
"""Objects that a store lists with one answer."""

READ_AHEAD_BYTES = 8 << 20
"""What is asked for at once: most photos are one request."""

_CONTAINER = Sentence("an image or an archive, not looked into within a store; fetch it and audit it by itself")
_SECOND_NS = 1_000_000_000
_SMB_STEP_NS = 100
_STANDING_FOR = {"": "%", ".": "%2E", "..": "%2E%2E"}
_STOOD_FOR = {written: step for step, written in _STANDING_FOR.items()}


class Objects:
    """The objects below one address, through the file system that fsspec gives."""

    def __init__(self, address: Address, files: Any) -> None:
        """Prepare to read; nothing is asked yet."""
        self._address, self._files = address, files
        below = f"{address.authority.partition('@')[0]}/{address.prefix}" if not address.is_server else address.prefix
        self._root = f"/{below}".rstrip("/") if address.is_server else below.rstrip("/")
        self._device = _number(f"{address.scheme}://{address.authority}")
        self.libraries = ""

    # ----------------------------------------------------------------- listing

    def insist_it_is_there(self) -> None:
        """Ask for one entry.

        Raises:
            Exception: whatever the library says of a bucket that is not there, or may not be listed.
        """
        if self._address.scheme == "s3":
            self._page(1, "")
            return
        self._files.ls(self._root or "/", detail=False)

    def members(self) -> Iterator[Member | Skipped]:
        """Yield every object, page by page, in no order.

        Raises:
            ForensicsError: the store cannot be listed.
        """
        try:
            listed = self._folder(self._root) if self._address.is_server else self._below()
            for info in listed:
                yield info if isinstance(info, Skipped) else self._member(info)
        except Exception as error:  # the border: five libraries, each with errors of its own
            raise troubles.of_store(error, self._address) from error

    def _below(self) -> Iterator[dict[str, Any]]:
        """Yield what a store of objects tells of each, all "folders" at once."""
        if self._address.scheme != "s3":
            yield from self._files.find(self._root, detail=True, withdirs=False).values()
            return
        token = ""
        while True:
            page = self._page(PAGE, token)
            for told in page.get("Contents", []):
                yield {**told, "name": f"{self._address.authority}/{told['Key']}", "size": told["Size"]}
            token = page.get("NextContinuationToken", "")
            if not page.get("IsTruncated"):
                return

    def _page(self, most: int, token: str) -> dict[str, Any]:
        prefix = f"{self._address.prefix}/" if self._address.prefix else ""
        further = {"ContinuationToken": token} if token else {}
        found: dict[str, Any] = self._files.call_s3(
            "list_objects_v2", Bucket=self._address.authority, Prefix=prefix, MaxKeys=most, **further
        )
        return found

    def _folder(self, folder: str) -> Iterator[dict[str, Any] | Skipped]:
        """Yield what a server tells of each file, folder by folder; one that may not be read is told."""
        try:
            told = self._files.ls(folder or "/", detail=True)
        except Exception as error:  # the border, as above
            if folder == self._root or troubles.is_of_the_store(error):
                raise
            reason = Sentence("a folder that could not be read: {said}", said=troubles.of_object(error))
            yield Skipped(self._relative(folder), reason, blocks=True)
            return
        for info in told:
            name = info["name"].rstrip("/")
            if info["type"] == "directory":
                yield from self._folder(name)
            else:
                yield {**info, "name": name}

    def _member(self, info: Mapping[str, Any]) -> Member | Skipped:
        relative = self._relative(info["name"])
        kind = info.get("type", "file")
        if kind == "link":
            return Skipped(relative, link(b""), blocks=True)
        if kind == "other":
            return Skipped(relative, SPECIAL, blocks=True)
        if info["name"].endswith("/"):
            reason = (
                Sentence("an object with content under the name of a folder, which cannot be asked for by that name")
                if info["size"]
                else Sentence("what stands for a folder in the store")
            )
            return Skipped(relative, reason, blocks=bool(info["size"]))
        if is_container(relative):
            return Skipped(relative, _CONTAINER, blocks=True)
        return Member(relative, self.stat_of(info), info["name"])

    # ----------------------------------------------------------------- one object

    def look(self, relative: bytes) -> FileStat:
        """Return what the store says of an object now.

        Raises:
            OSError: it is gone, or the store cannot be asked.
        """
        return self.stat_of(self.info(self.name_of(relative)))

    def info(self, name: str) -> Mapping[str, Any]:
        """Return what the store tells of an object now.

        Raises:
            OSError: it is gone, or the store cannot be asked.
        """
        try:
            told: Mapping[str, Any] = self._files.info(name)
        except Exception as error:  # the border, as above
            raise Unreadable(troubles.of_object(error)) from error
        if told.get("type") == "directory":
            raise Unreadable(Sentence("it is not in the store any more"))
        return told

    def open(self, name: str, *, ahead_bytes: int = READ_AHEAD_BYTES) -> Any:
        """Return an object open for reading, of which *ahead_bytes* more than wanted are asked for at once.

        Raises:
            OSError: it is gone, or the store cannot be asked.
        """
        try:
            return self._files.open(name, "rb", block_size=ahead_bytes)
        except Exception as error:  # the border, as above
            raise Unreadable(troubles.of_object(error)) from error

    def blocks(self, address: str, block_bytes: int) -> Iterator[bytes]:
        """Yield the content of an object.

        Raises:
            OSError: it cannot be read.
        """
        try:
            with self.open(address, ahead_bytes=block_bytes) as file:
                while block := file.read(block_bytes):
                    yield block
        except Unreadable:
            raise
        except Exception as error:  # the border, as above
            raise Unreadable(troubles.of_object(error)) from error

    def stat_of(self, info: Mapping[str, Any]) -> FileStat:
        """Return what a store tells of an object as a stat tuple; what it does not record is 0."""
        etag = str(info.get("ETag") or info.get("etag") or "").strip('"')
        version = str(info.get("VersionId") or info.get("version_id") or info.get("generation") or "")
        is_smb = self._address.scheme == "smb"
        written_ns = _nanoseconds(_written(info))
        return FileStat(
            size_bytes=int(info["size"]),
            mtime_ns=written_ns if is_smb else written_ns // _SECOND_NS * _SECOND_NS,
            ctime_ns=0,
            atime_ns=_nanoseconds(info.get("time")) if self._address.is_server else 0,
            mode=stat.S_IFREG | 0o444,
            inode=_number(etag) if etag else 0,
            device=self._device,
            links=1,
            mtime_step_ns=_SMB_STEP_NS if is_smb else _SECOND_NS,
            etag=etag,
            version="" if version == "null" else version,
        )

    # ----------------------------------------------------------------- names

    def _relative(self, name: str) -> bytes:
        """Return an object's name below the address as a path that stays there; :meth:`name_of` goes back."""
        below = name.removeprefix("/") if self._address.is_server else name
        below = below[len(self._root.removeprefix("/")) :].removeprefix("/")
        steps = (
            _STANDING_FOR.get(step, f"%25{step[1:]}" if step.startswith("%") else step) for step in below.split("/")
        )
        return "/".join(steps).encode("utf-8", "surrogateescape").replace(b"\0", b"%00")

    def name_of(self, relative: bytes) -> str:
        """Return an object's own name."""
        steps = relative.decode("utf-8", "surrogateescape").split("/")
        own = (_STOOD_FOR.get(step, f"%{step[3:]}" if step.startswith("%25") else step) for step in steps)
        return f"{self._root}/{'/'.join(own)}"

    def close(self) -> None:
        """Hang up where there is a connection to hang up."""
        client = getattr(self._files, "client", None)
        if self._address.scheme == "sftp" and client is not None:
            client.close()


def _written(info: Mapping[str, Any]) -> Any:
    names = ("LastModified", "last_modified", "updated", "mtime", "modified")
    return next((info[name] for name in names if info.get(name)), None)


def _nanoseconds(moment: Any) -> int:
    """Return a moment of whatever form a library gives it in ns since 1970, 0 for none."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime):
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        since = aware - datetime(1970, 1, 1, tzinfo=UTC)
        return (since.days * 86_400 + since.seconds) * _SECOND_NS + since.microseconds * 1000
    return round(float(moment) * 1e7) * 100 if moment else 0


def _number(text: str) -> int:
    """Return a number that stands for a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big")
