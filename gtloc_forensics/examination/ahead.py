"""exiftool and decoding processes that start while the rest of the program is still being loaded.

Loading takes half a second on one core, and so does their start. Of this package only what starts them is loaded
before them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from gtloc_forensics.errors import ForensicsError
from gtloc_forensics.metadata.exiftool import ExifTool

if TYPE_CHECKING:
    from gtloc_forensics.decode import Decoder

MOST_DECODERS = 2
"""Decoding processes that are started before it is known how many photos there are; further ones start when needed."""


class Ahead:
    """exiftool and a decoder under way; whoever takes them closes them, else it is done here."""

    def __init__(self, workers: int) -> None:
        """Start them.

        Args:
            workers: decoding processes at most.

        Raises:
            ToolMissing, ToolFailed: there is no exiftool, or no way to limit a process.
        """
        with ExitStack() as started:
            self._exiftool = started.enter_context(ExifTool(ahead=True))
            from gtloc_forensics.decode import Decoder  # loads numpy and Pillow, as exiftool its modules meanwhile

            self._decoder = started.enter_context(Decoder(workers))
            self._decoder.start_ahead(MOST_DECODERS)
            self._held = started.pop_all()

    def take(self) -> tuple[ExifTool, Decoder]:
        """Return both; the caller is to close them."""
        self._held.pop_all()
        return self._exiftool, self._decoder

    def close(self) -> None:
        """End what nobody took."""
        self._held.close()


@contextmanager
def started(workers: int) -> Iterator[Ahead | None]:
    """Start exiftool and decoding processes; None where they cannot be: whoever opens them hears why, in its turn."""
    ahead = None
    with suppress(ForensicsError):
        ahead = Ahead(workers)
    try:
        yield ahead
    finally:
        if ahead is not None:
            ahead.close()
