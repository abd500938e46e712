"""How many rows a PostgreSQL server takes by COPY and by INSERT: CPU of this process and of the server's, in turns.

Run as root where PostgreSQL is installed (a throw-away server is started as the user
postgres), or name a server: ``python benchmarks/bench_postgres.py [--rows N] [--turns N] [--database URL]``.
A wall time on a busy machine says nothing; what is printed are ratios of CPU seconds, and their range over the turns.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from gtloc_forensics.store import copying
from gtloc_forensics.store.database import ROWS_AT_ONCE, Store
from gtloc_forensics.store.schema import MemberRow, ResultRow, Row, SourceRow

PAYLOAD_BYTES = 900
"""About the mean of the results of a photo."""


def results(count: int) -> list[dict[str, object]]:
    payload = bytes(range(256)) * 4
    return [
        {
            "subject": f"{number:064x}",
            "stage": "metadata",
            "fingerprint": "0" * 32,
            "failed": False,
            "payload": payload[number % 100 :][:PAYLOAD_BYTES],
        }
        for number in range(count)
    ]


def members(count: int) -> list[dict[str, object]]:
    return [
        {
            "examination_id": 1,
            "ordinal": number,
            "source_row": 1,
            "status": "clean",
            "sha256_at_end": f"{number:064x}",
            "findings": b"\x93" * 300,
        }
        for number in range(count)
    ]


def server_cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process of this machine has used; 0 where that cannot be seen."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / 100


def written_s(
    store: Store, kind: type[Row], rows: list[dict[str, object]], *, batch: int, skips_known: bool
) -> tuple[float, float]:
    """Write *rows*, a batch at a time in one transaction, and return the CPU seconds here and of the server."""
    with store.writing() as session:
        connection = session.connection()
        pid = int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)
        own_s, its_s = time.process_time(), server_cpu_s(pid)
        for first in range(0, len(rows), batch):
            copying.write_rows(connection, kind, rows[first : first + batch], skips_known=skips_known)
        spent = time.process_time() - own_s, server_cpu_s(pid) - its_s
        session.execute(text(f"TRUNCATE {kind.__tablename__}"))
    return spent


def one_source(store: Store) -> None:
    """Make the rows that members refer to."""
    with store.writing() as session:
        columns = {column.name for column in SourceRow.__table__.columns}
        values = dict.fromkeys(columns, "x") | {"id": 1, "generation": 0, "relative": b"x"}
        session.execute(SourceRow.__table__.insert(), values)
        session.execute(text("INSERT INTO examination VALUES (1, 'x', '{}', '{}', '2026-01-01')"))


def least_median_most(ratios: list[float]) -> list[float]:
    return [round(ratio, 2) for ratio in (ratios[0], ratios[len(ratios) // 2], ratios[-1])]


@contextmanager
def database(named: str) -> Iterator[str]:
    if named:
        yield named
        return
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from postgres_server import running

    with running() as started:
        admin = create_engine(f"postgresql+psycopg://gt@/postgres?host={started.folder}", isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("CREATE DATABASE bench ENCODING 'UTF8' TEMPLATE template0"))
        admin.dispose()
        yield f"postgresql+psycopg://gt@/bench?host={started.folder}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--batch", type=int, default=ROWS_AT_ONCE, help="rows written with one statement")
    parser.add_argument("--database", default="", help="an empty database that may be filled")
    asked = parser.parse_args()
    told: dict[str, object] = {
        "rows": asked.rows,
        "turns": asked.turns,
        "batch": asked.batch,
        "machine": platform.machine(),
    }
    with ExitStack() as stack:
        store = Store(stack.enter_context(database(asked.database)))
        stack.callback(store.close)
        one_source(store)
        for kind, rows, skips in ((ResultRow, results(asked.rows), True), (MemberRow, members(asked.rows), False)):
            turns = []
            for _ in range(asked.turns):
                copying.FEWEST_TO_COPY = copying.FEWEST_TO_COMPARE = 1
                copied = written_s(store, kind, rows, batch=asked.batch, skips_known=skips)
                copying.FEWEST_TO_COPY = copying.FEWEST_TO_COMPARE = sys.maxsize
                inserted = written_s(store, kind, rows, batch=asked.batch, skips_known=skips)
                turns.append({"copy": copied, "insert": inserted})
            ratios = sorted(sum(turn["insert"]) / sum(turn["copy"]) for turn in turns)
            own = sorted(turn["insert"][0] / turn["copy"][0] for turn in turns)
            told[kind.__tablename__] = {
                "insert / copy, CPU of both (least, median, most)": least_median_most(ratios),
                "insert / copy, CPU here (least, median, most)": least_median_most(own),
                "turns": turns,
            }
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
