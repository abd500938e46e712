"""Clusters for tests: certificates made here, schedulers and workers as processes, in network namespaces where one may.

``Network`` joins namespaces of their own by a bridge, so that a cable can be pulled; where the system does not let us
(only root may), the same processes run on the loopback and what needs a cable is skipped.
"""

from __future__ import annotations

import datetime
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gtloc_forensics.checks import plugins

START_S = 60.0

PACE = '''
"""A reader that is slow where $PACE_S says so, and whose process dies over files that hold the word POISON."""
import os, signal, time
from pathlib import Path
from gtloc_forensics import hookimpl
from gtloc_forensics.records import TagsRead

class Reader:
    name, version = "pace", "1"
    def read(self, paths):
        time.sleep(float(os.environ.get("PACE_S", "0")) * len(paths))
        for path in paths:
            if b"POISON" in Path(os.fsdecode(path)).read_bytes():
                os.kill(os.getpid(), signal.SIGKILL)
        return [TagsRead({}) for _ in paths]

@hookimpl
def metadata_readers():
    return [Reader()]
'''


def install_pace(folder: Path) -> None:
    """Lay the plugin down as pip would."""
    (folder / "pace.py").write_text(PACE)
    info = folder / "pace-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pace\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{plugins.GROUP}]\npace = pace\n")


# --------------------------------------------------------------------------- certificates


def credentials(folder: Path) -> Path:
    """Write an authority of its own, a certificate of it and the key; return the folder."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.datetime.now(datetime.UTC)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def signed(subject: str, public: ec.EllipticCurvePublicKey, *, is_authority: bool) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("authority"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .sign(authority_key, hashes.SHA256())
        )

    folder.mkdir(parents=True)
    for file, made in (
        ("ca.pem", signed("authority", authority_key.public_key(), is_authority=True)),
        ("certificate.pem", signed("machine", key.public_key(), is_authority=False)),
    ):
        (folder / file).write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder


# --------------------------------------------------------------------------- where machines are


@dataclass
class Network:
    """Three machines beside ours, a scheduler and two workers: their addresses, and how programs are run there."""

    hosts: dict[str, str]
    prefix: dict[str, list[str]]
    links: dict[str, str] = field(default_factory=dict)

    @property
    def has_cables(self) -> bool:
        return bool(self.links)

    def pull_cable(self, machine: str) -> None:
        subprocess.run(["ip", "link", "set", self.links[machine], "down"], check=True)

    def plug_in(self, machine: str) -> None:
        subprocess.run(["ip", "link", "set", self.links[machine], "up"], check=True)


MACHINES = ("scheduler", "first", "second")


@contextmanager
def network() -> Iterator[Network]:
    """Lend a network of namespaces, or the loopback where there can be none."""
    if not _may_make_namespaces():
        yield Network(dict.fromkeys(MACHINES, "127.0.0.1"), {machine: [] for machine in MACHINES})
        return
    mark = f"g{os.getpid() % 100000:05d}"
    third = os.getpid() % 250 + 1
    bridge = f"{mark}b"
    hosts, prefix, links = {}, {}, {}
    with ExitStack() as stack:

        def ip(*words: str) -> None:
            subprocess.run(["ip", *words], check=True, capture_output=True)

        def undo(*words: str) -> None:
            stack.callback(subprocess.run, ["ip", *words], capture_output=True)

        ip("link", "add", bridge, "type", "bridge")
        undo("link", "del", bridge)
        ip("addr", "add", f"10.93.{third}.1/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        for number, machine in enumerate(MACHINES, 2):
            space, link = f"{mark}{machine}", f"{mark}v{number}"
            ip("netns", "add", space)
            undo("netns", "del", space)
            ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("link", "set", link, "master", bridge, "up")
            ip("-n", space, "link", "set", "lo", "up")
            ip("-n", space, "addr", "add", f"10.93.{third}.{number}/24", "dev", "eth0")
            ip("-n", space, "link", "set", "eth0", "up")
            hosts[machine] = f"10.93.{third}.{number}"
            prefix[machine] = ["ip", "netns", "exec", space]
            links[machine] = link
        yield Network(hosts, prefix, links)


def _may_make_namespaces() -> bool:
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    probe = f"g{os.getpid() % 100000:05d}p"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True).returncode == 0
    if made:
        subprocess.run(["ip", "netns", "del", probe], capture_output=True)
    return made


# --------------------------------------------------------------------------- what runs there


class Program:
    """One of our commands on a machine; what it says is kept."""

    def __init__(self, network: Network, machine: str, *words: str, site: Path | None = None, **env: str) -> None:
        self.lines: list[str] = []
        paths = [str(site)] if site is not None else []
        self.process = subprocess.Popen(
            [*network.prefix[machine], sys.executable, "-m", "gtloc_forensics", *words],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *filter(None, sys.path)]), **env},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def await_line(self, part: str, seconds: float = START_S) -> None:
        until = time.monotonic() + seconds
        while not any(part in line for line in list(self.lines)):
            if time.monotonic() > until or self.process.poll() is not None:
                pytest.fail(f"{part!r} was not said, but {self.lines}")
            time.sleep(0.05)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self._reader.join(5)


@dataclass
class Machines:
    """A scheduler and workers, started as asked, ended together."""

    network: Network
    folder: Path
    site: Path
    programs: list[Program] = field(default_factory=list)
    port: int = field(default_factory=lambda: free_port())

    @property
    def credentials(self) -> Path:
        made = self.folder / "credentials"
        return made if made.is_dir() else credentials(made)

    @property
    def address(self) -> str:
        return f"tls://{self.network.hosts['scheduler']}:{self.port}"

    def scheduler(self) -> Program:
        program = self._started("scheduler", "scheduler", self.address, "--credentials", str(self.credentials))
        program.await_line("listening")
        return program

    def worker(self, machine: str, *words: str, waits: bool = True, **env: str) -> Program:
        place = self.folder / f"work-{machine}-{len(list(self.folder.iterdir()))}"
        options = ("--slots", "1", "--host", self.network.hosts[machine], "--work", str(place))
        secret = () if "--credentials" in words else ("--credentials", str(self.credentials))
        program = self._started(machine, "worker", self.address, *options, *secret, *words, **env)
        if waits:
            program.await_line("working for")
        return program

    def _started(self, machine: str, *words: str, **env: str) -> Program:
        program = Program(self.network, machine, *words, site=self.site, **env)
        self.programs.append(program)
        return program

    def end(self) -> None:
        for program in self.programs:
            program.stop()
        for program in self.programs:
            program.end()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


# --------------------------------------------------------------------------- what is compared


def content(case_folder: Path) -> dict[str, list[str]]:
    """Return every row of every table of a case, sorted."""
    with sqlite3.connect(case_folder / "case.sqlite") as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(map(repr, database.execute(f'SELECT * FROM "{name}"'))) for name in sorted(tables)}


def differing(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """Return the rows that only one of two tables has."""
    return sorted(set(one) ^ set(other))
