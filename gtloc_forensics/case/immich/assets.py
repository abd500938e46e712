"""What the server says of a photo, and which file in the evidence is which photo of the server."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gtloc_forensics.errors import CaseError, ServerFailed
from gtloc_forensics.records import Position

SAME_PLACE_DEG = 1e-5
"""The server keeps degrees as floats; a metre is nine of these."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One photo or film of the server. ``local`` and ``utc`` are naive, None where the server states none."""

    asset_id: str
    sha1: str
    name: str
    path: str  # on the server
    local: datetime | None
    utc: datetime | None
    zone: str  # as the server words it: "Europe/Berlin", "UTC+2"; "" for none
    position: Position | None
    is_external: bool  # of a library that the server reads in place
    is_trashed: bool
    updated_at: str

    @property
    def offset_minutes(self) -> int | None:
        """How far its wall clock is ahead of UTC, as the server has it."""
        return None if self.local is None or self.utc is None else round((self.local - self.utc).total_seconds() / 60)


def asset_of(facts: Any) -> Asset:
    """Return what a server's answer says of a photo; unknown members are passed over.

    Raises:
        ServerFailed: a member that cannot be done without is missing.
    """
    if not isinstance(facts, dict):
        raise ServerFailed("the server described a photo in a form that is not known here")
    exif = facts.get("exifInfo") if isinstance(facts.get("exifInfo"), dict) else {}
    return Asset(
        asset_id=_text(facts, "id"),
        sha1=_sha1(_text(facts, "checksum")),
        name=_text(facts, "originalFileName"),
        path=_text(facts, "originalPath"),
        local=_moment(facts.get("localDateTime")),
        utc=_moment((exif or {}).get("dateTimeOriginal") or facts.get("fileCreatedAt")),
        zone=str((exif or {}).get("timeZone") or ""),
        position=_position(exif or {}),
        is_external=bool(facts.get("libraryId")),
        is_trashed=bool(facts.get("isTrashed")),
        updated_at=str(facts.get("updatedAt") or ""),
    )


def _text(facts: dict[str, Any], name: str) -> str:
    value = facts.get(name)
    if not isinstance(value, str) or not value:
        raise ServerFailed(f"the server described a photo without {name!r}; its version may not be known here")
    return value


def _sha1(checksum: str) -> str:
    try:
        return base64.b64decode(checksum, validate=True).hex()
    except (binascii.Error, ValueError) as error:
        raise ServerFailed("the server gave a checksum that is none") from error


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _position(exif: dict[str, Any]) -> Position | None:
    latitude, longitude = exif.get("latitude"), exif.get("longitude")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return None
    try:
        return Position(float(latitude), float(longitude))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file of the evidence and the photo of the server that it is; ``relative`` is its path in hexadecimal."""

    relative: str
    asset_id: str
    sha1: str
    updated_at: str

    @property
    def path(self) -> bytes:
        """The path below the evidence."""
        return bytes.fromhex(self.relative)


class Index:
    """Which file is which photo: JSON lines in the case folder, only added to; the last line of a photo counts."""

    def __init__(self, folder: Path) -> None:
        """Read the index in a folder; nothing is written yet.

        Raises:
            CaseError: it is not ours.
        """
        self.path = folder / "assets.jsonl"
        self.by_asset: dict[str, Fetched] = {}
        for number, entry in enumerate(self._lines(), 1):
            try:
                fetched = Fetched(**json.loads(entry))
                self.by_asset[fetched.asset_id] = fetched
            except (ValueError, TypeError) as error:
                raise CaseError(f"line {number} of {self.path} is damaged; move it away and fetch again") from error

    def _lines(self) -> Iterator[str]:
        if self.path.exists():
            whole = self.path.read_text(encoding="utf-8")
            yield from whole[: whole.rfind("\n") + 1].splitlines()

    @property
    def by_path(self) -> dict[bytes, Fetched]:
        """The photos by their files."""
        return {fetched.path: fetched for fetched in self.by_asset.values()}

    def add(self, fetched: Fetched) -> None:
        """Add a line; it is on the disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(asdict(fetched), sort_keys=True) + "\n"
        with self.path.open("ab") as file:
            if file.tell() and not self._ends_whole():
                file.write(b"\n")
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
        self.by_asset[fetched.asset_id] = fetched

    def _ends_whole(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
