"""Many machines find what one finds, to the byte, whatever happens to them meanwhile.

Scheduler and workers are processes of their own, in network namespaces where the system lets us, with mutual TLS.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import tiny_models
from click.testing import CliRunner
from made_clusters import Machines, Network, content, credentials, install_pace, network
from PIL import Image

from gtloc_forensics.case.case import open_case
from gtloc_forensics.case.cluster.addresses import Credentials, address_of
from gtloc_forensics.case.cluster.assignment import Rules
from gtloc_forensics.case.cluster.cluster import Cluster
from gtloc_forensics.case.cluster.driver import Patience
from gtloc_forensics.case.cluster.shards import Most
from gtloc_forensics.case.products import FINDINGS, REPORT
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.errors import ClusterFailed, UsageError
from gtloc_forensics.examination.settings import Settings

pytest.importorskip("distributed", reason="Dask is not installed: pip install -e '.[cluster]'")
pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.timeout(240)]

WITHOUT_MODEL = Settings(model="none", jobs=0)
SMALL = Most(sources=2)
HASTY = Rules(least_s=4.0, first_s=8.0, known_after=2)
PHOTOS = 12
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreateDate="2024-06-15T14:00:00"/>
</rdf:RDF></x:xmpmeta>"""


@pytest.fixture(scope="module")
def joined() -> Iterator[Network]:
    with network() as made:
        yield made


@pytest.fixture(scope="module")
def patched() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1760000000")
        yield patch


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, patched: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("site")
    install_pace(folder)
    patched.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def machines(joined: Network, tmp_path: Path, site: Path) -> Iterator[Machines]:
    made = Machines(joined, tmp_path, site)
    yield made
    made.end()


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos with times and places, a copy in another shard, a sidecar, and what cannot be read."""
    folder = tmp_path_factory.mktemp("evidence")
    for number in range(PHOTOS):
        picture = Image.effect_noise((96, 64), 20 + number).convert("RGB")
        exif = Image.Exif()
        exif[0x010F], exif[0x0110] = "Maker", "Model"
        exif.get_ifd(0x8769)[0x9003] = f"2024:06:15 12:{number:02}:30"
        exif.get_ifd(0x8769)[0x9011] = "+02:00" if number % 3 else "+05:00"
        exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 30.0), 3: "E", 4: (16.0, 22.0, float(number))})
        picture.save(folder / f"{number:02}.jpg", exif=exif)
    shutil.copy(folder / "01.jpg", folder / "01-copy.jpg")
    (folder / "03.xmp").write_text(XMP)
    (folder / "05-broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (folder / "note.txt").write_text("no photo")
    return folder


@pytest.fixture(scope="module")
def inline(evidence: Path, tmp_path_factory: pytest.TempPathFactory, site: Path) -> Path:
    """What one machine finds, with one thing after another."""
    return audited(evidence, tmp_path_factory.mktemp("cases") / "inline", WITHOUT_MODEL, writes=True)


def audited(
    evidence: Path, folder: Path, settings: Settings, cluster: Cluster | None = None, *, writes: bool = False
) -> Path:
    with open_case(evidence, folder) as case:
        case.audit(settings, cluster=cluster)
        if writes:
            case.write_findings()
            case.write_report()
    return folder


def assert_same(one: Path, other: Path) -> None:
    """Compare every row; and the products, where both have some: what they say of themselves stands in the chain."""
    ours, theirs = content(one), content(other)
    assert ours.keys() == theirs.keys()
    written = [product for product in (FINDINGS, REPORT) if (other / product).is_file()]
    for table, rows in ours.items():
        if table == "custody" and not written:  # one case tells of products that the other has not
            rows = [row for row in rows if int(row[1:].split(",")[0]) <= len(theirs[table])]
        assert theirs[table] == rows, table
    for product in written:
        assert (one / product).read_bytes() == (other / product).read_bytes(), product


class Running:
    """An audit in a thread, so that a test can break things meanwhile."""

    def __init__(self, run: Callable[[], Path]) -> None:
        self.error: BaseException | None = None
        self._run = run
        self._thread = threading.Thread(target=self._go, daemon=True)
        self._thread.start()

    def _go(self) -> None:
        try:
            self._run()
        except BaseException as error:
            self.error = error

    def join(self, seconds: float = 120.0) -> None:
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the audit did not end"

    def join_well(self) -> None:
        self.join()
        if self.error is not None:
            raise self.error


def await_results(case_folder: Path, count: int, running: Running) -> None:
    until = time.monotonic() + 60
    while len(list((case_folder / "cluster").glob("??/*.examined"))) < count:
        assert time.monotonic() < until and running.error is None, running.error
        time.sleep(0.05)


def cluster(machines: Machines, told: list[str] | None = None, **changed: object) -> Cluster:
    said = [] if told is None else told
    options = {"most": SMALL, "rules": HASTY, "patience": Patience(alone_s=20, unfit_s=3), **changed}
    return Cluster(address_of(machines.address), Credentials(machines.credentials), told=said.append, **options)  # type: ignore[arg-type]


# --------------------------------------------------------------------------- the same as on one machine


def test_this_machine_shared_out_finds_what_the_inline_driver_finds_to_the_byte(
    evidence: Path, tmp_path: Path, site: Path
) -> None:
    settings = Settings(model=str(tiny_models.write(tmp_path / "models")), device="cpu", jobs=0)
    one = audited(evidence, tmp_path / "one", settings, writes=True)
    shared_out = Cluster(address_of("local:2"), most=Most(sources=8))
    many = audited(evidence, tmp_path / "many", settings, shared_out, writes=True)
    assert_same(one, many)
    assert [path.name for path in (many / "cluster").iterdir()] == ["listing-finished.jsonl.gz"]
    findings = json.loads((many / FINDINGS).read_text())
    assert findings["counts"]["photos"] == PHOTOS + 2


def test_a_worker_that_is_killed_costs_nothing(
    machines: Machines, evidence: Path, inline: Path, tmp_path: Path
) -> None:
    machines.scheduler()
    first = machines.worker("first", PACE_S="0.4")
    machines.worker("second", PACE_S="0.4")
    told: list[str] = []
    many = tmp_path / "many"
    running = Running(lambda: audited(evidence, many, WITHOUT_MODEL, cluster(machines, told), writes=True))
    await_results(many, 2, running)
    first.kill()
    running.join_well()
    assert_same(inline, tmp_path / "many")
    assert "1 worker connected, 1 shards at a time" in told


def test_a_pulled_cable_costs_nothing(machines: Machines, evidence: Path, inline: Path, tmp_path: Path) -> None:
    if not machines.network.has_cables:
        pytest.skip("network namespaces need Linux, `ip` and root")
    machines.scheduler()
    machines.worker("first", PACE_S="0.4")
    machines.worker("second", PACE_S="0.4")
    running = Running(lambda: audited(evidence, tmp_path / "many", WITHOUT_MODEL, cluster(machines)))
    await_results(tmp_path / "many", 2, running)
    machines.network.pull_cable("second")
    try:
        running.join_well()
    finally:
        machines.network.plug_in("second")
    assert_same(inline, tmp_path / "many")


def test_a_lost_scheduler_is_told_and_a_second_run_does_only_the_rest(
    machines: Machines, evidence: Path, inline: Path, tmp_path: Path
) -> None:
    scheduler = machines.scheduler()
    first = machines.worker("first", PACE_S="0.3")
    machines.worker("second", PACE_S="0.3")
    many = tmp_path / "many"
    running = Running(lambda: audited(evidence, many, WITHOUT_MODEL, cluster(machines)))
    await_results(many, 2, running)
    scheduler.kill()
    running.join()
    assert isinstance(running.error, ClusterFailed)
    assert "goes on from here" in str(running.error)
    kept = {path: path.stat().st_mtime_ns for path in (many / "cluster").glob("??/*.examined")}
    assert kept
    first.await_line("the scheduler is gone")
    machines.scheduler()  # the workers look for it again by themselves
    written: dict[Path, int] = {}

    def note(*_: object) -> None:
        for path in (many / "cluster").glob("??/*.examined"):
            written[path] = path.stat().st_mtime_ns

    with open_case(evidence, many) as case:
        case.audit(WITHOUT_MODEL, cluster=cluster(machines), progress=note)
    assert_same(inline, many)
    assert kept.items() <= written.items(), "what was there was written again"
    assert len(written) > len(kept)


def test_a_slow_node_is_overtaken_and_its_second_result_changes_nothing(
    machines: Machines, evidence: Path, inline: Path, tmp_path: Path
) -> None:
    machines.scheduler()
    slow = machines.worker("first", PACE_S="6")
    machines.worker("second")
    began = time.monotonic()
    audited(evidence, tmp_path / "many", WITHOUT_MODEL, cluster(machines))
    assert_same(inline, tmp_path / "many")
    assert time.monotonic() - began < 6 * PHOTOS, "it waited for the slow one"
    assert slow.process.poll() is None


def test_a_photo_that_kills_processes_is_found_by_halving_and_not_examined(
    machines: Machines, evidence: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    shutil.copytree(evidence, folder)
    poison = folder / "07.jpg"
    poison.write_bytes(poison.read_bytes() + b"POISON")
    machines.scheduler()
    machines.worker("first")
    machines.worker("second")
    told: list[str] = []
    audited(folder, tmp_path / "many", WITHOUT_MODEL, cluster(machines, told, most=Most(sources=8)))
    with open_case(folder, tmp_path / "many") as case:
        (missing,) = [entry for entry in case.view().passed_over() if entry.blocks]
        assert missing.relative == b"07.jpg"
        assert missing.reason == (
            "the process that examined it died 3 times over it; the last time it was ended by signal 9"
        )
        assert len(list(case.view().photos())) == PHOTOS + 1
    halved = {line.split(" died over ")[1].split(" files")[0] for line in told if "they are halved" in line}
    assert halved == {"6", "3", "2"}, told


def test_a_certificate_of_another_authority_is_refused_both_ways(machines: Machines, tmp_path: Path) -> None:
    machines.scheduler()
    strange = credentials(tmp_path / "strange")
    stranger = machines.worker("first", "--once", "--credentials", str(strange), waits=False)
    theirs = Cluster(address_of(machines.address), Credentials(strange))
    with pytest.raises(ClusterFailed, match="does not accept this certificate"):
        theirs.look()
    machines.worker("second")
    assert stranger.process.wait(60) == 2
    assert any("does not accept this certificate" in line for line in stranger.lines)
    (present,) = cluster(machines).look()
    assert (present.slots, present.gpu, dict(present.differing)) == (1, False, {})


# --------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8786", "tcp://machine:8786", "tcp://0.0.0.0:8786"])
def test_plain_tcp_beyond_this_machine_is_refused_wherever_it_is_named(
    address: str, evidence: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="plain TCP beyond this machine"):
        address_of(address)
    asked = [
        ["worker", address],
        ["scheduler", address],
        ["audit", str(evidence), "-o", str(tmp_path / "case"), "--cluster", address],
        ["doctor", "--cluster", address],
    ]
    for words in asked:
        done = CliRunner().invoke(gtloc, words)
        assert done.exit_code == 2
        assert "plain TCP beyond this machine" in done.output
    assert not (tmp_path / "case").exists()


def test_nothing_of_a_cluster_listens_in_the_clear_beyond_the_loopback(machines: Machines) -> None:
    """Dask starts a server for web pages by itself: it has to stay on the loopback."""
    if not machines.network.has_cables:
        pytest.skip("on the loopback everything is on the loopback; namespaces need Linux, `ip` and root")
    machines.scheduler()
    machines.worker("first")
    for machine in ("scheduler", "first"):
        heard = subprocess.run(
            [*machines.network.prefix[machine], "cat", "/proc/net/tcp", "/proc/net/tcp6"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        local = {line.split()[1] for line in heard.splitlines() if len(line.split()) > 3 and line.split()[3] == "0A"}
        beyond = {int(name.rpartition(":")[2], 16) for name in local if not name.startswith("0100007F:")}
        for port in beyond:
            answer = b""
            with (
                suppress(ConnectionError),  # TLS hangs up on what is none
                socket.create_connection((machines.network.hosts[machine], port), timeout=5) as plain,
            ):
                plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
                answer = plain.recv(100)
            assert b"HTTP" not in answer, f"{machine} answers in the clear at port {port}"
        assert beyond, f"{machine} listens nowhere"


def test_an_audit_says_what_the_workers_do_and_the_doctor_who_is_there(
    evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    words = ["audit", str(evidence), "-o", str(tmp_path / "case"), "--model", "none", "--no-report"]
    done = CliRunner().invoke(gtloc, [*words, "--cluster", "local:1"])
    assert "1 worker connected, 1 shards at a time" in done.output
    assert f"done by workers: {PHOTOS + 2} of {PHOTOS + 2}" in done.output
    assert [path.name for path in (tmp_path / "temporary").iterdir()] == [], "nothing is left behind"
    looked = CliRunner().invoke(gtloc, ["doctor", "--cluster", "local:1"])
    assert looked.exit_code == 0
    assert "local:1, 1 shards at a time" in looked.output
    assert "programs and packages as here" in looked.output
