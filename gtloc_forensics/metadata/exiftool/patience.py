"""How long files may hold up a whole run: each has its limit, and all that trouble us share another."""

from __future__ import annotations

import threading

from gtloc_forensics.metadata.exiftool.process import Limits


class Patience:
    """The time that is left for files on which exiftool hangs or dies. Safe to share between threads."""

    def __init__(self, limits: Limits) -> None:
        """Begin with all the time that *limits* allow."""
        self._limits = limits
        self._spent_s = 0.0
        self._lock = threading.Lock()

    def allowed_s(self) -> float:
        """Return how many seconds the next file may take: its limit, but less once others used up what they share."""
        with self._lock:
            left_s = self._limits.trouble_s - self._spent_s
        return min(self._limits.timeout_s, max(self._limits.hasty_s, left_s))

    def spend(self, seconds: float) -> None:
        """Count time that a file cost which gave no answer."""
        with self._lock:
            self._spent_s += seconds

    def may_try_again(self, seconds: float) -> bool:
        """Say whether a file on which exiftool ended after *seconds* is worth a second try.

        It is where the end came so soon that it may have come from elsewhere (a process
        grown old, a machine out of memory); not where the file used up a limit.
        """
        return seconds < self._limits.retry_s
