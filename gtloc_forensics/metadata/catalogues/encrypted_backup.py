"""Parts of an iOS backup with a password, decrypted by ``iphone-backup-decrypt`` (extra ``backup``).

Only the library's keys and ciphers are used: what is decrypted is read as warily as what never was encrypted, and
nothing is opened where the backup lies.
"""

from __future__ import annotations

import plistlib
import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gtloc_forensics.metadata.catalogues.tables import NotRead
from gtloc_forensics.records import Sentence, visible

LONGEST_PLIST_BYTES = 64 << 20
_CLASS_BYTES = 4  # of a protection class, before a key that it wraps


def is_possible() -> bool:
    """Return whether the library that decrypts is installed."""
    return find_spec("iphone_backup_decrypt") is not None


class Keys:
    """The keys of one backup, unlocked by its password."""

    def __init__(self, properties: Path, password: bytes) -> None:
        """Unlock the keys; this takes seconds, as Apple wants it.

        Args:
            properties: a working copy of the backup's ``Manifest.plist``.
            password: as it was set for the backup.

        Raises:
            NotRead: the password is another one, or the keys cannot be read.
        """
        from iphone_backup_decrypt import utils

        if properties.stat().st_size > LONGEST_PLIST_BYTES:
            raise NotRead(Sentence("the list of the backup's keys is longer than any that a telephone writes"))
        try:
            self._properties: dict[str, Any] = plistlib.loads(properties.read_bytes())
            self._bag = utils.BackupKeyBag(self._properties["BackupKeyBag"])
            is_open = self._bag.unlock_with_passphrase(password)
        except Exception as error:  # the border: a hostile list may make the library raise anything
            raise _unreadable(error) from error
        if not is_open:
            raise NotRead(Sentence("the password that was given does not open the backup"))

    def open_manifest(self, encrypted: Path, into: Path) -> Path:
        """Decrypt the table of contents.

        Raises:
            NotRead: it cannot be decrypted.
        """
        try:
            wrapped = self._properties["ManifestKey"]
            (protection,) = struct.unpack("<l", wrapped[:_CLASS_BYTES])
            self._decrypt(encrypted, into, protection, wrapped[_CLASS_BYTES:])
        except Exception as error:  # the border, as above
            raise _unreadable(error) from error
        return into

    def open_file(self, encrypted: Path, into: Path, *, record: bytes) -> Path:
        """Decrypt one file; *record* is what the table of contents says of it.

        Raises:
            NotRead: it cannot be decrypted.
        """
        from iphone_backup_decrypt import utils

        try:
            kept = utils.FilePlist(record)
            self._decrypt(encrypted, into, kept.protection_class, kept.encryption_key)
        except Exception as error:  # the border, as above
            raise _unreadable(error) from error
        return into

    def _decrypt(self, encrypted: Path, into: Path, protection: int, wrapped: bytes) -> None:
        from iphone_backup_decrypt import utils

        key = self._bag.unwrap_key_for_class(protection, wrapped)
        utils.aes_decrypt_chunked(in_filename=str(encrypted), key=key, out_filepath=str(into))


def _unreadable(error: Exception) -> NotRead:
    said = visible(f"{type(error).__name__}: {error}"[:200])
    return NotRead(Sentence("the backup cannot be decrypted ({said})", said=said))
