"""Workers put their results into a store of objects, one put each; what comes of it is what one machine makes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from store_servers import SECRET, S3Server
from test_case import INLINE, audit, content, hostile, photo
from test_object_stores import bucket, server

from gtloc_forensics.case.case import open_case
from gtloc_forensics.case.cluster.addresses import address_of
from gtloc_forensics.case.cluster.cluster import Cluster, cluster_of
from gtloc_forensics.case.cluster.examined import Examined, built
from gtloc_forensics.case.cluster.shards import Most
from gtloc_forensics.case.cluster.spool import Spool, deposit_at, deposited
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.errors import DamagedCase, ServerFailed, UsageError
from gtloc_forensics.files.stores import addresses
from gtloc_forensics.files.stores.deposits import Deposit, refuse_within
from gtloc_forensics.store.codec import pack
from gtloc_forensics.store.packed import Packed

pytest.importorskip("distributed", reason="Dask is not installed: pip install -e '.[cluster]'")
pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.timeout(240)]
__all__ = ["bucket", "server"]

RESULTS = "s3://results/case 7"
KEY = "ab" * 32


@pytest.fixture
def results(bucket: S3Server) -> S3Server:
    bucket.client.create_bucket(Bucket="results")
    return bucket


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    for number in range(7):
        photo(tmp_path / "evidence" / f"{number}.jpg", number, taken=f"2024:06:15 12:0{number}:30")
    hostile(tmp_path / "evidence" / "bad")
    return tmp_path / "evidence"


def lying(server: S3Server) -> list[str]:
    return [each["Key"] for each in server.client.list_objects_v2(Bucket="results").get("Contents", [])]


def deposit() -> Deposit:
    return Deposit(addresses.read(RESULTS))


def test_what_workers_put_into_a_store_makes_the_case_that_one_machine_makes(
    results: S3Server, evidence: Path, tmp_path: Path
) -> None:
    audit(evidence, tmp_path / "inline")
    shared = Cluster(address_of("local:2"), most=Most(sources=3), results=addresses.read(RESULTS).path)
    for name in ("inline", "shared"):
        with open_case(evidence, tmp_path / name) as case:
            case.audit(INLINE, cluster=shared if name == "shared" else None)
            case.write_findings()
            case.write_report()
    assert content(tmp_path / "inline" / "case.sqlite") == content(tmp_path / "shared" / "case.sqlite")
    for name in ("findings.json", "report.pdf"):
        assert (tmp_path / "inline" / name).read_bytes() == (tmp_path / "shared" / name).read_bytes()
    puts = [path for method, path in results.requests if method == "PUT"]
    assert len(puts) == len(set(puts)) >= 3
    assert all(path.startswith("/results/case 7/") and path.endswith(".examined") for path in puts)
    assert not [method for method, _ in results.requests if method == "POST"]  # nothing in parts
    assert lying(results) == []  # all is in the case
    assert not list((tmp_path / "shared" / "cluster").rglob("*.examined"))


def test_the_command_shares_out_by_way_of_a_store_and_keeps_no_secret(
    results: S3Server, evidence: Path, tmp_path: Path
) -> None:
    asked = ["audit", str(evidence), "-o", str(tmp_path / "case"), "--model", "none", "--no-report"]
    said = CliRunner().invoke(gtloc, [*asked, "--cluster", "local:1", "--cluster-results", RESULTS])
    assert said.exit_code != ExitCode.FAILURE, said.output
    document = json.loads((tmp_path / "case" / "findings.json").read_text(encoding="utf-8"))
    assert len(document["photos"]) >= 7
    assert any(method == "PUT" and "/results/" in path for method, path in results.requests)
    for path in (tmp_path / "case").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


def test_a_result_is_put_once_and_its_presence_means_done(results: S3Server, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "cluster", deposit())
    assert not spool.is_done(KEY)
    deposited(deposit(), KEY, [Examined(b"a.jpg")])
    deposited(deposit(), KEY, [Examined(b"another.jpg")])
    assert [method for method, _ in results.requests].count("PUT") == 1
    assert spool.is_done(KEY)
    assert spool.read(KEY) == (Examined(b"a.jpg"),)
    spool.clear([KEY])
    assert lying(results) == []
    assert not spool.is_done(KEY)


@pytest.mark.parametrize("harm", ["cut", "changed", "another's"])
def test_a_result_in_the_store_that_is_not_whole_is_none(harm: str, results: S3Server, tmp_path: Path) -> None:
    deposited(deposit(), KEY, [Examined(b"a.jpg")])
    name = f"case 7/ab/{KEY}.examined"
    whole = results.client.get_object(Bucket="results", Key=name)["Body"].read()
    changed = whole[:-1] + bytes([whole[-1] ^ 1])
    harmed = {"cut": whole[:-1], "changed": changed, "another's": whole.replace(b"ab", b"ac")}
    results.put("results", name, harmed[harm])
    assert not Spool(tmp_path / "cluster", deposit()).is_done(KEY)
    assert lying(results) == []
    deposited(deposit(), KEY, [Examined(b"a.jpg")])
    assert Spool(tmp_path / "cluster", deposit()).is_done(KEY)


def test_a_stopped_run_finds_what_lies_in_the_store(results: S3Server, evidence: Path, tmp_path: Path) -> None:
    shared = Cluster(address_of("local:1"), most=Most(sources=2), results=addresses.read(RESULTS).path)

    class Stopped(Exception):
        """Stands for the end of the machine that audits."""

    def stop(stage: str, done: int, total: int | None) -> None:
        if stage == "workers" and done >= 4:
            raise Stopped

    with open_case(evidence, tmp_path / "case") as case, pytest.raises(Stopped):
        case.audit(INLINE, cluster=shared, progress=stop)
    before = [path for method, path in results.requests if method == "PUT"]
    assert before
    with open_case(evidence, tmp_path / "case") as case:
        case.audit(INLINE, cluster=shared)
    puts = [path for method, path in results.requests if method == "PUT"]
    assert len(puts) == len(set(puts))
    assert lying(results) == []


def test_a_store_that_does_not_answer_stops_the_run_with_a_sentence(results: S3Server, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "cluster", deposit())
    results.refuse = lambda method, path: 403
    with pytest.raises(ServerFailed, match="the same command goes on"):
        spool.is_done(KEY)
    with pytest.raises(OSError, match="case 7"):
        deposit().put("x", b"")


@pytest.mark.parametrize("place", ["s3://bucket", "sftp://host/results", "results", "smb://host/share/results"])
def test_results_go_to_a_prefix_of_a_store_of_objects_alone(place: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Deposit(addresses.read(place))


@pytest.mark.parametrize("place", ["s3://evidence/photos", "s3://evidence/photos/results", "s3://evidence/pho/.."])
def test_results_are_never_put_among_the_evidence(place: str) -> None:
    with pytest.raises(UsageError):
        refuse_within(addresses.read(place), addresses.read("s3://evidence/photos").path)


def test_a_prefix_beside_the_evidence_is_taken(results: S3Server) -> None:
    assert deposit_at(addresses.read("s3://evidence/photos2").path, addresses.read("s3://evidence/photos").path)
    assert deposit_at(Path("/results"), Path("/evidence")) is None


def test_what_is_no_address_is_refused_before_anything_is_read() -> None:
    with pytest.raises(UsageError, match="no address of a store"):
        cluster_of("local:1", None, results="/mnt/results")


def test_bytes_that_are_no_record_are_noticed_where_a_file_is_built_whole() -> None:
    built(Examined(b"a.jpg", preview_jpeg=pack(b"\xff\xd8")))
    for harmed in (Examined(b"a.jpg", claim=b"rnothing"), Examined(b"a.jpg", preview_jpeg=pack(("no", "picture")))):
        with pytest.raises(DamagedCase):
            built(harmed)


def test_what_was_packed_elsewhere_is_kept_as_it_came() -> None:
    stored = pack(("a reason", "and more"))
    assert pack(Packed(stored)) == stored
