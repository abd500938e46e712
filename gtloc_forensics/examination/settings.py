"""How an examination is to be done."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gtloc_forensics.errors import UsageError
from gtloc_forensics.files.reading import LISTED, Reach

NO_MODEL = "none"
"""The model name that asks for an examination without pixels."""

DEFAULT_SHORT_SIDE = 384
"""Short side in px to decode to when no model asks for another."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How an examination is to be done; what is found depends on ``model``, ``visible_dates`` and ``reach`` alone.

    Attributes:
        model: name or folder of the model; "" takes the first installed, "none" goes without.
        device: "auto", "cpu", "cuda", "mps" or a torch device string.
        jobs: processes that decode, and then judge; 0 does everything in this process, in order.
        batch: files handed to exiftool and written to the case at a time.
        second_opinions: models and trained systems, by name or folder, that look beside the first.
        now: fixed instant (naive UTC) for reproducible runs; None takes the clock.
        catalogues: files of photo programs that are read as second witnesses, beside those among the photos.
        trust_anchors: lists of the certificates of those whose content credentials are trusted (PEM).
        backup_password: file whose first line is the password of encrypted iOS backups.
        visible_dates: whether text is looked for in the pictures, which takes seconds for each.
        reach: how far an image or archive is looked into beyond the files that it lists.
    """

    model: str = ""
    device: str = "auto"
    jobs: int = -1
    batch: int = 50
    second_opinions: tuple[str, ...] = ()
    now: datetime | None = None
    catalogues: tuple[Path, ...] = ()
    trust_anchors: tuple[Path, ...] = ()
    backup_password: Path | None = None
    visible_dates: bool = False
    reach: Reach = LISTED

    @property
    def workers(self) -> int:
        """Processes that decode, and then judge: as asked, or one per core."""
        return self.jobs if self.jobs >= 0 else (os.cpu_count() or 1)

    def instant(self) -> datetime:
        """The present moment in UTC: ``now`` when given, else $SOURCE_DATE_EPOCH, else the clock.

        Raises:
            UsageError: $SOURCE_DATE_EPOCH is no number of seconds.
        """
        if self.now is not None:
            return self.now
        fixed = os.environ.get("SOURCE_DATE_EPOCH")
        try:
            moment = datetime.fromtimestamp(int(fixed), UTC) if fixed else datetime.now(UTC)
        except (ValueError, OverflowError, OSError):
            raise UsageError(
                f"SOURCE_DATE_EPOCH is {fixed!r}, which is no number of seconds since 1970; set one or unset it"
            ) from None
        return moment.replace(tzinfo=None, microsecond=0)
