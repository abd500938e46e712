"""Makes a large case out of a small one, by repeating its photos under other names: for measuring alone.

    python benchmarks/grow_case.py CASE TARGET --photos 100000

What is repeated belongs to no cause; nothing in it can be examined again or verified.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
from pathlib import Path


def grow(case: Path, target: Path, photos: int) -> None:
    """Write a copy of *case* to *target* whose newest examination has so many photos."""
    target.mkdir()
    shutil.copyfile(case / "case.sqlite", target / "case.sqlite")
    kept = sqlite3.connect(target / "case.sqlite")
    examination = kept.execute("SELECT max(id) FROM examination").fetchone()[0]
    members = kept.execute(
        "SELECT m.status, m.sha256_at_end, m.findings, s.id FROM member m JOIN source s ON s.id = m.source_row "
        "WHERE m.examination_id = ? ORDER BY m.ordinal",
        (examination,),
    ).fetchall()
    row_id = kept.execute("SELECT max(id) FROM source").fetchone()[0]
    for ordinal in range(len(members), photos):
        status, ended, findings, old = members[ordinal % len(members)]
        row_id, name = row_id + 1, f"{ordinal:016x}"
        kept.execute(
            "INSERT INTO source SELECT ?, ?, 0, ?, sha256, media_type, stat, sidecars, acquired_utc FROM source "
            "WHERE id = ?",
            (row_id, name, f"long/{ordinal:06}.jpg".encode(), old),
        )
        kept.execute(
            "INSERT INTO result SELECT ?, stage, fingerprint, failed, payload FROM result "
            "WHERE stage = 'claim' AND subject = (SELECT source_id FROM source WHERE id = ?)",
            (name, old),
        )
        member = (examination, ordinal, row_id, status, ended, findings)
        kept.execute("INSERT INTO member VALUES (?, ?, ?, ?, ?, ?)", member)
    kept.commit()
    kept.close()


def main() -> None:
    """Grow what is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--photos", type=int, default=100_000)
    options = parser.parse_args()
    grow(options.case, options.target, options.photos)


if __name__ == "__main__":
    main()
