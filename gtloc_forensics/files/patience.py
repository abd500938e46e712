"""How long files may hold up a whole run: each has its limit, and all of which nothing comes share another."""

from __future__ import annotations

import threading


class Patience:
    """The time that is left for files over which a tool hangs or takes too long. Safe to share between threads."""

    def __init__(self, *, shared_s: float, least_s: float) -> None:
        """Begin with all the time there is.

        Args:
            shared_s: what all such files may cost together.
            least_s: what each has when that is used up.
        """
        self._left_s, self._least_s = shared_s, least_s
        self._lock = threading.Lock()

    def allowed_s(self, limit_s: float) -> float:
        """Return how many seconds the next file may take: *limit_s*, but less once others used up what they share."""
        with self._lock:
            return min(limit_s, max(self._least_s, self._left_s))

    def spend(self, seconds: float) -> None:
        """Count time that a file cost of which nothing came."""
        with self._lock:
            self._left_s -= seconds
