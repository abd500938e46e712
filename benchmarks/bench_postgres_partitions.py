"""Whether partitions of `result` and `member` pay in PostgreSQL: the same rows into a plain and a partitioned table.

    python benchmarks/bench_postgres_partitions.py [--rows 300000] [--partitions 16] [--database URL]

Run as root where PostgreSQL is installed (a throw-away server is started), or name an empty database. The rows go in by
the program's own COPY, 500 a statement, in blocks that take turns; then each question that the program asks is put to
both in turns. What is printed is the CPU of client and server together, partitioned : plain; wall times say nothing on
a busy machine. ``result`` is parted by the hash of its subject, ``member`` by that of its examination.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import Any

from bench_postgres import database, server_cpu_s
from sqlalchemy import Connection, MetaData, Table, create_engine, text

from gtloc_forensics.store import copying
from gtloc_forensics.store.schema import MemberRow, ResultRow

PAYLOAD = bytes(range(120))
BLOCKS = 12
STAGES = ("claim", "image", "vision")
EXAMINATIONS = 4


def made(connection: Connection, partitions: int) -> dict[str, dict[str, Table]]:
    """Make both forms of both tables; return them by table and form."""
    found: dict[str, dict[str, Table]] = {}
    for kind, by in ((ResultRow, "subject"), (MemberRow, "examination_id")):
        name = kind.__tablename__
        keys = ", ".join(column.name for column in kind.__table__.primary_key)
        columns = ", ".join(
            f"{column.name} {copying._type_of(column.type)} NOT NULL" for column in kind.__table__.columns
        )
        connection.execute(text(f"CREATE TABLE {name}_plain ({columns}, PRIMARY KEY ({keys}))"))
        connection.execute(
            text(f"CREATE TABLE {name}_parted ({columns}, PRIMARY KEY ({keys})) PARTITION BY HASH ({by})")
        )
        for number in range(partitions):
            connection.execute(
                text(
                    f"CREATE TABLE {name}_parted_{number} PARTITION OF {name}_parted "
                    f"FOR VALUES WITH (MODULUS {partitions}, REMAINDER {number})"
                )
            )
        found[name] = {
            form: kind.__table__.to_metadata(MetaData(), name=f"{name}_{form}") for form in ("plain", "parted")
        }
    return found


def results(first: int, count: int) -> list[dict[str, Any]]:
    return [
        {
            "subject": subject(number // len(STAGES)),
            "stage": STAGES[number % len(STAGES)],
            "fingerprint": "0" * 32,
            "failed": False,
            "payload": PAYLOAD,
        }
        for number in range(first, first + count)
    ]


def subject(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def members(first: int, count: int, rows: int) -> list[dict[str, Any]]:
    each = rows // EXAMINATIONS
    return [
        {
            "examination_id": number // each + 1,
            "ordinal": number % each,
            "source_row": 1,
            "status": "clean",
            "sha256_at_end": subject(number),
            "findings": PAYLOAD,
        }
        for number in range(first, first + count)
    ]


def spent(connection: Connection, do: Callable[[], Any]) -> float:
    """Return the CPU seconds of client and server that something takes."""
    pid = int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)
    own_s, its_s = time.process_time(), server_cpu_s(pid)
    do()
    return time.process_time() - own_s + server_cpu_s(pid) - its_s


def copied(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    skips_known = table.name.startswith("result")
    for start in range(0, len(rows), 500):
        copying._copy(connection, table, rows[start : start + 500], skips_known=skips_known)


def filled(connection: Connection, tables: dict[str, dict[str, Table]], rows: int) -> Iterator[tuple[str, list[float]]]:
    block = rows // BLOCKS
    for name, forms in tables.items():
        ratios = []
        for number in range(BLOCKS):
            first = number * block
            some = results(first, block) if name == "result" else members(first, block, rows)
            cost = {}
            for form in sorted(forms, reverse=bool(number % 2)):
                cost[form] = spent(connection, partial(copied, connection, forms[form], some))
                connection.commit()
            ratios.append(cost["parted"] / cost["plain"])
        yield f"{name}: writing by COPY", ratios
    for forms in tables.values():
        for table in forms.values():
            connection.execute(text(f"ANALYZE {table.name}"))
    connection.commit()


def asked(connection: Connection, rows: int) -> Iterator[tuple[str, list[float]]]:
    """Yield of every question what it costs, parted : plain, turn by turn."""
    rng = random.Random(1)
    photos, each = rows // len(STAGES), rows // EXAMINATIONS

    def one(form: str) -> None:
        for _ in range(1_000):
            connection.execute(
                text(f"SELECT payload FROM result_{form} WHERE subject = :s AND stage = 'claim' AND fingerprint = :f"),
                {"s": subject(rng.randrange(photos)), "f": "0" * 32},
            ).all()

    def together(form: str) -> None:
        for _ in range(40):
            names = [subject(rng.randrange(photos)) for _ in range(200)]
            connection.execute(
                text(f"SELECT subject, payload FROM result_{form} WHERE stage = 'claim' AND subject = ANY(:names)"),
                {"names": names},
            ).all()

    def done(form: str) -> None:
        connection.execute(
            text(f"SELECT count(subject) FROM result_{form} WHERE stage = 'vision' AND fingerprint = :f"),
            {"f": "0" * 32},
        ).all()

    def page(form: str) -> None:
        for _ in range(200):
            connection.execute(
                text(
                    f"SELECT ordinal, findings FROM member_{form} WHERE examination_id = :e AND ordinal > :o "
                    "ORDER BY ordinal LIMIT 200"
                ),
                {"e": rng.randrange(EXAMINATIONS) + 1, "o": rng.randrange(each)},
            ).all()

    said = {
        "result: one row by its key, 1,000 times": one,
        "result: 200 photos with one question, 40 times": together,
        "result: all that a stage has done": done,
        "member: a page of 200 in the midst, 200 times": page,
    }
    for name, do in said.items():
        for form in ("plain", "parted"):
            do(form)
        ratios = []
        for _ in range(7):
            cost = {form: spent(connection, partial(do, form)) for form in ("plain", "parted")}
            ratios.append(cost["parted"] / max(cost["plain"], 1e-3))
        yield name, ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--partitions", type=int, default=16)
    parser.add_argument("--database", default="", help="an empty database that may be filled")
    options = parser.parse_args()
    told: dict[str, Any] = {"machine": platform.machine(), "rows": options.rows, "partitions": options.partitions}
    with ExitStack() as stack:
        engine = create_engine(stack.enter_context(database(options.database)))
        stack.callback(engine.dispose)
        connection = stack.enter_context(engine.connect())
        tables = made(connection, options.partitions)
        connection.commit()
        for ways in (filled(connection, tables, options.rows), asked(connection, options.rows)):
            for name, ratios in ways:
                told[name] = [round(value, 2) for value in (min(ratios), median(ratios), max(ratios))]
    print(
        json.dumps({**told, "figures": "CPU of client and server, partitioned : plain (least, median, most)"}, indent=1)
    )


if __name__ == "__main__":
    main()
