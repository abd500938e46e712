"""A PostgreSQL server of the tests' own, on a socket in a new folder."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@dataclass(frozen=True)
class Server:
    """A running server: the folder of its socket, and the program that starts and stops it."""

    folder: Path
    programs: Path

    def control(self, *words: str | Path) -> None:
        run_as_postgres(self.programs / "pg_ctl", "-D", self.folder / "data", "-w", *words)

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off"
        self.control("-l", self.folder / "log", "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        self.control("-m", mode, "stop")


def run_as_postgres(*words: str | Path) -> None:
    subprocess.run(["runuser", "-u", "postgres", "--", *map(str, words)], check=True, capture_output=True)


@contextmanager
def running() -> Iterator[Server]:
    """Run a server of its own on a socket in a new folder; without the means for it the test is skipped."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install -e '.[postgres]'")
    if not BINARIES:
        pytest.skip("there is no PostgreSQL server: apt-get install postgresql")
    if os.geteuid() != 0:
        pytest.skip("a throw-away server is started as the user postgres, and only root may do that")
    programs = BINARIES[-1].parent
    with tempfile.TemporaryDirectory(prefix="gtloc-pg-") as name:
        started = Server(Path(name), programs)
        subprocess.run(["chown", "postgres", name], check=True)
        run_as_postgres(programs / "initdb", "-D", started.folder / "data", "-A", "trust", "-U", "gt", "--no-sync")
        started.start()
        try:
            yield started
        finally:
            started.stop()


def new_database(server: Path, name: str) -> str:
    """Make an empty database for the test of that name and return its address."""
    name = f"case_{abs(hash(name)):x}"
    admin = create_engine(f"postgresql+psycopg://gt@/postgres?host={server}", isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"))
    admin.dispose()
    return f"postgresql+psycopg://gt@/{name}?host={server}"
