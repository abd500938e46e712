"""How long pictures may hold up a whole run: each has its limit, and all that come to nothing share another."""

from __future__ import annotations

import threading

from gtloc_forensics.decode.pixels import Limits


class Patience:
    """The time that is left for pictures over which decoding hangs or takes too long. Safe to share between threads."""

    def __init__(self, limits: Limits) -> None:
        """Begin with all the time that *limits* allow."""
        self._limits = limits
        self._spent_seconds = 0.0
        self._lock = threading.Lock()

    def cpu_seconds(self) -> float:
        """Return how much computing the next picture may take."""
        return self._allowed(self._limits.cpu_seconds)

    def wall_seconds(self) -> float:
        """Return how long the next picture may take."""
        return self._allowed(self._limits.wall_seconds)

    def spend(self, seconds: float) -> None:
        """Count time that a picture cost of which nothing came."""
        with self._lock:
            self._spent_seconds += seconds

    def _allowed(self, limit: float) -> float:
        with self._lock:
            left = self._limits.trouble_seconds - self._spent_seconds
        return min(limit, max(self._limits.hasty_seconds, left))
