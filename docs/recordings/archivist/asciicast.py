"""Write what comes in as a terminal recording, asciicast version 2: one line per piece of output with its second.

``tmux pipe-pane 'python asciicast.py OUT COLUMNS ROWS'``. Pauses are cut to two seconds, as players offer it, and of
progress bars that are painted over within that time only the last is kept.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

LONGEST_PAUSE_S = 2.0
WIPE = re.compile(r"\r(?:\x1b\[2K|\x1b\[1A)+")
"""How a bar that is painted anew begins: with as many lines cleared as it had."""


def pieces() -> Iterator[tuple[float, str]]:
    """Yield the second, pauses cut, and the text of what comes in on standard input."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    shown_s, before_s = 0.0, time.monotonic()
    while piece := os.read(sys.stdin.fileno(), 65536):
        now_s = time.monotonic()
        shown_s += min(LONGEST_PAUSE_S, now_s - before_s)
        before_s = now_s
        yield shown_s, decode(piece)


def last_paintings(said: Iterator[tuple[float, str]]) -> Iterator[tuple[float, str]]:
    """Leave out a painting that the next one wipes away whole, unless none was kept for a while."""
    held: tuple[float, str] | None = None
    kept_s = 0.0
    for second, text in said:
        if held is not None:
            wipes = [WIPE.match(held[1]), WIPE.match(text)]
            same = wipes[0] is not None and wipes[1] is not None and wipes[0][0] == wipes[1][0]
            if not same or held[0] - kept_s >= LONGEST_PAUSE_S:
                yield held
                kept_s = held[0]
        held = (second, text)
    if held is not None:
        yield held


def main(out: Path, columns: int, rows: int) -> None:
    """Copy standard input into the recording until it ends."""
    with out.open("w", encoding="utf-8") as recording:
        recording.write(json.dumps({"version": 2, "width": columns, "height": rows}) + "\n")
        for second, text in last_paintings(pieces()):
            recording.write(json.dumps([round(second, 3), "o", text], ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
