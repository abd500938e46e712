"""Evidence in an object store: read in place, never written to, told when it changes, and no secret kept."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from store_servers import KEY, SECRET, S3Server, silent_port
from test_case import FIXED, INLINE, photo

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.errors import ServerFailed, UsageError
from gtloc_forensics.files import reading
from gtloc_forensics.files.stores import addresses, connections, objects, store
from gtloc_forensics.records import Candidate, Skipped

BUCKET = "evidence"
WRITES = {"PUT", "POST", "DELETE", "PATCH"}


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    for package in ("s3fs", "moto", "flask", "flask_cors"):
        pytest.importorskip(package, reason=f"{package} is not installed: pip install -e '.[test]'")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        started = S3Server()
        patch.setenv("AWS_ENDPOINT_URL", started.url)
        yield started
        started.close()


@pytest.fixture
def bucket(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """An empty bucket that keeps versions; nothing of the store is remembered from the test before."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", FIXED["SOURCE_DATE_EPOCH"])
    hang_up()
    server.client.create_bucket(Bucket=BUCKET)
    server.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    server.forget()
    yield server
    server.forget()
    hang_up()
    server.backend.reset()


def hang_up() -> None:
    for left in store._open.values():
        left.close()
    store._open.clear()
    store._named.clear()


def fill(server: S3Server, tmp_path: Path, *, photos: int = 3) -> Path:
    """Put some photos into the bucket; return the folder in which they lie, too."""
    folder = tmp_path / "same"
    for number in range(photos):
        path = photo(folder / "day" / f"{number}.jpg", number, taken=f"2024:06:15 12:0{number}:30")
        server.put(BUCKET, f"card/day/{number}.jpg", path.read_bytes())
    server.forget()
    return folder


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(gtloc, list(map(str, words)))


def audit(case: Path, *words: str, address: str = f"s3://{BUCKET}/card") -> Result:
    return run("audit", address, "-o", case, "--model", "none", "--jobs", "0", "--no-report", *words)


def findings(case: Path) -> dict[str, object]:
    return json.loads((case / "findings.json").read_text(encoding="utf-8"))


def refusals(case: Path) -> dict[str, str]:
    """Return path → why a file could not be taken in."""
    with Case(case) as opened:
        return {entry.relative.decode(): str(entry.reason) for entry in opened.view().passed_over() if entry.blocks}


def acquired(case: Path) -> list[str]:
    with Case(case) as opened:
        return [event.subject for event in opened.store.custody() if event.action == "acquire"]


# --------------------------------------------------------------------------- what is read


def test_workers_read_a_store_like_the_machine_that_audits(bucket: S3Server, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the extra cluster is not installed")
    fill(bucket, tmp_path)
    audit(tmp_path / "alone")
    result = audit(tmp_path / "shared", "--cluster", "local:2")
    assert result.exit_code == ExitCode.INCOMPLETE, result.output
    assert not refusals(tmp_path / "shared")
    assert (tmp_path / "shared" / "findings.json").read_bytes() == (tmp_path / "alone" / "findings.json").read_bytes()
    assert not WRITES & {method for method, *_ in bucket.requests}


def test_a_bucket_is_audited_like_the_same_folder_and_only_read(bucket: S3Server, tmp_path: Path) -> None:
    folder = fill(bucket, tmp_path)
    result = audit(tmp_path / "case")
    assert result.exit_code == ExitCode.INCOMPLETE, result.output
    assert set(bucket.methods) == {"GET", "HEAD"}, bucket.methods
    audit(tmp_path / "local", address=str(folder))
    told, local = findings(tmp_path / "case"), findings(tmp_path / "local")
    for there, here in zip(told["photos"], local["photos"], strict=True):
        for field in ("path", "sha256", "size_bytes", "status", "claim"):
            if field != "claim":
                assert there.get(field) == here.get(field), field
        assert there["claim"]["local_time"] == here["claim"]["local_time"]
    assert told["case"]["evidence_folder"] == f"s3://{BUCKET}/card"
    assert told["store"]["store"] == f"s3://{BUCKET}/card"
    assert str(told["store"]["store_holds"]).startswith("3 objects")


def test_no_command_ever_writes_to_the_store(bucket: S3Server, tmp_path: Path) -> None:
    fill(bucket, tmp_path)
    case, plan = tmp_path / "case", tmp_path / "plan.toml"
    words = [
        ["audit", f"s3://{BUCKET}/card", "-o", case, "--model", "none", "--jobs", "1"],
        ["verify", case, "--sample", "2"],
        ["report", case],
        ["export", case, "--format", "csv"],
        ["correct", case, "--plan", plan, "--offset", "+01:00:00"],
        ["correct", case, "--plan", plan, "--apply"],
        ["audit", f"s3://{BUCKET}/card", "-o", case, "--model", "none", "--jobs", "0"],
    ]
    for command in words:
        result = run(*command)
        assert "Traceback" not in result.output, result.output
        assert result.exit_code in (0, 1, 3), (command, result.output)
    assert set(bucket.methods) == {"GET", "HEAD"}, bucket.methods
    assert not WRITES & set(bucket.methods)
    assert list((case / "sidecars").rglob("*.xmp")), "corrections of such photos lie in the case"


def test_a_correction_that_would_have_to_be_written_into_the_store_is_refused(bucket: S3Server, tmp_path: Path) -> None:
    fill(bucket, tmp_path)
    audit(tmp_path / "case")
    run("correct", tmp_path / "case", "--plan", tmp_path / "plan.toml", "--offset", "+01:00:00")
    result = run("correct", tmp_path / "case", "--plan", tmp_path / "plan.toml", "--apply", "--beside")
    assert result.exit_code == ExitCode.FAILURE
    assert f"s3://{BUCKET}/card, which is never written to" in result.output


def test_reading_a_finished_case_asks_the_store_for_nothing(bucket: S3Server, tmp_path: Path) -> None:
    fill(bucket, tmp_path)
    audit(tmp_path / "case")
    bucket.forget()
    assert run("report", tmp_path / "case").exit_code == 0
    assert run("export", tmp_path / "case", "--format", "csv").exit_code == 0
    assert not bucket.methods


def test_more_objects_than_a_page_holds_are_all_listed(bucket: S3Server) -> None:
    for number in range(2_345):
        bucket.backend.put_object(BUCKET, f"card/{number % 7}/{number:05}.jpg", b"x")
    entries = list(reading.entries(reading.door(Path(f"s3:/{BUCKET}/card"))))
    assert len({entry.relative for entry in entries if isinstance(entry, Candidate)}) == 2_345
    pages = [path for method, path in bucket.requests if "list-type=2" in path and f"max-keys={objects.PAGE}" in path]
    assert len(pages) == 3
    assert sum("continuation-token" in path for path in pages) == 2


def test_names_that_no_path_can_have_are_told_apart_and_found_again(bucket: S3Server, tmp_path: Path) -> None:
    names = ["a.jpg", "../a.jpg", "./a.jpg", "/a.jpg", "x//a.jpg", "%/a.jpg", "%25/a.jpg", "%2E%2E/a.jpg", "ä ö.jpg"]
    for number, name in enumerate(names):
        bucket.put(BUCKET, f"card/{name}", photo(tmp_path / f"{number}.jpg", number).read_bytes())
    audit(tmp_path / "case")
    told = findings(tmp_path / "case")
    assert len({entry["path"] for entry in told["photos"]}) == len(names)
    assert len({entry["sha256"] for entry in told["photos"]}) == len(names)
    assert not refusals(tmp_path / "case")
    assert run("verify", tmp_path / "case", "--sample", "0").exit_code == ExitCode.CLEAN


def test_a_sidecar_is_found_beside_its_photo_and_folders_and_archives_are_told(
    bucket: S3Server, tmp_path: Path
) -> None:
    fill(bucket, tmp_path, photos=1)
    bucket.put(BUCKET, "card/day/0.jpg.xmp", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
    bucket.put(BUCKET, "card/empty/", b"")
    bucket.put(BUCKET, "card/all.zip", b"PK\x03\x04")
    bucket.put(BUCKET, "card/notes.txt", b"a note")
    bucket.put(BUCKET, "card/unnamed", (tmp_path / "same" / "day" / "0.jpg").read_bytes())
    entries = {entry.relative: entry for entry in reading.entries(reading.door(Path(f"s3:/{BUCKET}/card")))}
    assert entries[b"day/0.jpg"] == Candidate(b"day/0.jpg", (b"day/0.jpg.xmp",))
    assert isinstance(entries[b"unnamed"], Candidate)
    said = {name: entry for name, entry in entries.items() if isinstance(entry, Skipped)}
    assert "an image or an archive" in said[b"all.zip"].reason
    assert said[b"all.zip"].blocks
    assert "not a photo" in said[b"notes.txt"].reason
    assert "stands for a folder" in said[b"empty/%"].reason


# --------------------------------------------------------------------------- what changes


def test_etag_and_version_stand_with_each_photo(bucket: S3Server, tmp_path: Path) -> None:
    fill(bucket, tmp_path, photos=1)
    there = bucket.client.head_object(Bucket=BUCKET, Key="card/day/0.jpg")
    etag, version = there["ETag"].strip('"'), there["VersionId"]
    result = run("audit", f"s3://{BUCKET}/card", "-o", tmp_path / "case", "--model", "none", "--jobs", "0")
    assert result.exit_code == ExitCode.INCOMPLETE, result.output
    recorded = findings(tmp_path / "case")["photos"][0]["recorded"]
    assert (recorded["etag"], recorded["version"]) == (etag, version)
    with Case(tmp_path / "case") as case:
        (source,) = [entry.photo.source for entry in case.view().photos()]
        assert (source.stat.etag, source.stat.version) == (etag, version)
        (event,) = [event for event in case.store.custody() if event.action == "acquire"]
        assert (event.detail["etag"], event.detail["version"]) == (etag, version)
        assert "access_time_kept" not in event.detail, "a store of objects has no access times"
        assert [event.subject for event in case.store.custody() if event.action == "object store"] == [
            f"s3://{BUCKET}/card"
        ]
    text = text_of_report(tmp_path / "case" / "report.pdf")
    for told in (etag[:12], version, f"s3://{BUCKET}/card"):  # hashes of the chain are printed to twelve digits
        assert told in text, told


def text_of_report(path: Path) -> str:
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    pages = (page.extract_text() for page in pypdf.PdfReader(path).pages)
    return "".join("".join(text.split()) for text in pages)


def test_an_object_replaced_after_it_was_listed_is_told_and_examined_by_the_next_run(
    bucket: S3Server, tmp_path: Path
) -> None:
    fill(bucket, tmp_path)
    other = photo(tmp_path / "other.jpg", 9).read_bytes()

    def replace(method: str, path: str) -> None:
        if method == "HEAD" and path.endswith("/1.jpg"):
            bucket.before = lambda method, path: None
            bucket.put(BUCKET, "card/day/1.jpg", other)

    bucket.before = replace
    assert audit(tmp_path / "case").exit_code == ExitCode.INCOMPLETE
    (said,) = refusals(tmp_path / "case").values()
    assert re.search(
        r"replaced in the store after it was listed \(\d+ bytes, ETag \w+, then \d+ bytes, ETag \w+\)", said
    )
    assert len(acquired(tmp_path / "case")) == 2
    audit(tmp_path / "case")
    assert not refusals(tmp_path / "case")
    assert acquired(tmp_path / "case")[2:] == ["day/1.jpg"]


def test_an_object_replaced_while_it_is_read_is_told(bucket: S3Server, tmp_path: Path) -> None:
    fill(bucket, tmp_path)
    other = photo(tmp_path / "other.jpg", 9).read_bytes()

    def replace(method: str, path: str) -> None:
        if method == "GET" and path.endswith("/1.jpg"):
            bucket.before = lambda method, path: None
            bucket.put(BUCKET, "card/day/1.jpg", other)

    bucket.before = replace
    audit(tmp_path / "case")
    assert "replaced in the store while it was read" in refusals(tmp_path / "case")["day/1.jpg"]


def test_verify_names_an_object_that_was_replaced_by_its_etag_and_version(bucket: S3Server, tmp_path: Path) -> None:
    fill(bucket, tmp_path)
    audit(tmp_path / "case")
    assert run("verify", tmp_path / "case", "--sample", "1").exit_code == ExitCode.CLEAN
    bucket.put(BUCKET, "card/day/1.jpg", photo(tmp_path / "other.jpg", 9).read_bytes())
    bucket.client.delete_object(Bucket=BUCKET, Key="card/day/2.jpg")
    result = run("verify", tmp_path / "case", "--sample", "0")
    assert result.exit_code != ExitCode.CLEAN
    said = " ".join(result.output.split())
    assert "its ETag in the store went from" in said
    assert "its version in the store went from" in said
    assert "it is not in the store any more" in said


# --------------------------------------------------------------------------- what goes wrong


def test_tries_are_bounded_and_a_photo_that_cannot_be_fetched_is_not_examined(
    bucket: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(bucket, tmp_path)
    bucket.refuse = lambda method, path: 503 if path.endswith("/1.jpg") else 0
    assert audit(tmp_path / "case").exit_code == ExitCode.INCOMPLETE
    assert set(refusals(tmp_path / "case")) == {"day/1.jpg"}
    assert "run again" in refusals(tmp_path / "case")["day/1.jpg"]
    asked = [method for method, path in bucket.requests if path.endswith("/1.jpg")]
    assert 0 < len(asked) <= 2 * 2 * connections.TRIES, "opened, and asked once more what it is"
    before = acquired(tmp_path / "case")
    bucket.forget()
    audit(tmp_path / "case")
    assert acquired(tmp_path / "case") == [*before, "day/1.jpg"], "only what was missing is taken in"
    known = [path for method, path in bucket.requests if method == "GET" and path.endswith("/0.jpg")]
    assert len(known) == 1, "what was there already is read once, for the hash at the end"


def test_a_store_that_stops_answering_is_not_asked_for_ever_and_nothing_is_lost(
    bucket: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(bucket, tmp_path, photos=9)
    bucket.refuse = lambda method, path: 503 if re.search(r"/[2-9]\.jpg", path) else 0
    audit(tmp_path / "case")
    said = refusals(tmp_path / "case")
    assert len(said) == 7
    assert sum("was not asked for it" in reason for reason in said.values()) >= 3
    assert len(acquired(tmp_path / "case")) == 2
    bucket.forget()
    hang_up()
    audit(tmp_path / "case")
    assert not refusals(tmp_path / "case")
    assert len(acquired(tmp_path / "case")) == 9


@pytest.mark.parametrize(
    ("status", "words"), [(403, "gives no right to list it"), (503, "did not answer"), (404, "is not there")]
)
def test_a_store_that_refuses_says_so_in_one_sentence_and_no_case_is_made(
    bucket: S3Server, tmp_path: Path, status: int, words: str
) -> None:
    bucket.refuse = lambda method, path: status
    result = audit(tmp_path / "case")
    assert result.exit_code == ExitCode.FAILURE
    (line,) = [line for line in result.output.splitlines() if line.startswith("gtloc:")]
    assert words in line, line
    assert not (tmp_path / "case").exists()


def test_a_bucket_that_is_not_there_is_named(bucket: S3Server, tmp_path: Path) -> None:
    result = audit(tmp_path / "case", address="s3://no-such-bucket-here/x")
    assert "s3://no-such-bucket-here/x is not there; look at the name of the bucket" in result.output


def test_photos_that_may_not_be_read_are_not_examined_each_with_the_reason(bucket: S3Server, tmp_path: Path) -> None:
    fill(bucket, tmp_path)
    bucket.refuse = lambda method, path: 403 if path.endswith("/2.jpg") else 0
    audit(tmp_path / "case")
    assert "gives no right to read it" in refusals(tmp_path / "case")["day/2.jpg"]


def test_without_credentials_the_remedy_names_the_page_and_no_address_takes_them(
    bucket: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    result = audit(tmp_path / "case")
    assert result.exit_code == ExitCode.FAILURE
    assert "there are no credentials for s3://evidence/card" in result.output
    assert "docs/object-stores.md" in result.output


def test_a_store_that_says_nothing_is_given_up_in_time(
    bucket: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CONNECT_S", 1)
    monkeypatch.setattr(connections, "ANSWER_S", 1)
    with silent_port() as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        began = time.monotonic()
        with pytest.raises(ServerFailed, match="did not answer"):
            reading.door(Path(f"s3:/{BUCKET}/card"))
        assert time.monotonic() - began < 60


def test_a_missing_package_is_named_with_the_extra_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang_up()
    for package, scheme, extra in (("s3fs", "s3", "s3"), ("gcsfs", "gs", "gcs"), ("adlfs", "abfs", "azure")):
        monkeypatch.setitem(sys.modules, package, None)
        result = audit(tmp_path / "case", address=f"{scheme}://bucket/x")
        assert f"pip install 'gtloc_forensics[{extra}]'" in result.output, result.output
        assert result.exit_code == ExitCode.FAILURE
    assert not (tmp_path / "case").exists()


# --------------------------------------------------------------------------- secrets and addresses


def test_no_secret_is_kept_or_printed(bucket: S3Server, tmp_path: Path) -> None:
    fill(bucket, tmp_path)
    bucket.refuse = lambda method, path: 403 if path.endswith("/2.jpg") else 0
    result = run("audit", f"s3://{BUCKET}/card", "-o", tmp_path / "case", "--model", "none", "--jobs", "0")
    bucket.forget()
    verified = run("verify", tmp_path / "case", "--sample", "1")
    for secret in (SECRET, KEY):
        assert secret not in result.output + verified.output
        for path in (tmp_path / "case").rglob("*"):
            if path.is_file():
                assert secret.encode() not in path.read_bytes(), path
        assert secret not in text_of_report(tmp_path / "case" / "report.pdf")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (f"s3://{KEY}:{SECRET}@bucket/x", "carries a user or a password"),
        (f"sftp://user:{SECRET}@host/x", "carries a user or a password"),
        (f"abfs://box@account.dfs.core.windows.net/x?sig={SECRET}", "carries options"),
        (f"s3://bucket/x?X-Amz-Signature={SECRET}", "carries options"),
        ("s3:///x", "names no bucket"),
        ("smb://", "names no server"),
        ("s3://bucket/a//b", "an empty step"),
        ("s3://bucket/../b", "an empty step"),
    ],
)
def test_an_address_that_is_not_taken_is_refused_without_repeating_it(tmp_path: Path, address: str, words: str) -> None:
    result = audit(tmp_path / "case", address=address)
    assert result.exit_code == ExitCode.FAILURE
    assert words in " ".join(result.output.replace("│", " ").split()), result.output
    assert SECRET not in result.output
    assert not (tmp_path / "case").exists()
    with pytest.raises(UsageError):
        addresses.read(address)


def test_a_folder_of_that_name_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    photo(tmp_path / "s3:" / "bucket" / "a.jpg")
    with open_case(Path("s3:/bucket"), tmp_path / "case") as case:
        assert case.evidence == tmp_path / "s3:" / "bucket"
        assert case.audit(INLINE).photos == 1


def test_the_case_of_a_store_is_no_other_store_s_and_may_lie_where_one_is(
    bucket: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(bucket, tmp_path)
    monkeypatch.chdir(tmp_path)
    result = run("audit", f"s3://{BUCKET}/card", "--model", "none", "--jobs", "0", "--no-report")
    assert result.exit_code == ExitCode.INCOMPLETE, result.output
    assert (tmp_path / "card.audit" / "findings.json").is_file()
    result = audit(tmp_path / "card.audit", address=f"s3://{BUCKET}/other")
    assert f"is the case of s3://{BUCKET}/card, not of s3://{BUCKET}/other" in result.output


def test_a_file_of_a_folder_is_kept_as_older_programs_read_it(tmp_path: Path) -> None:
    photo(tmp_path / "evidence" / "a.jpg")
    with open_case(tmp_path / "evidence", tmp_path / "case") as case:
        case.audit(INLINE)
        from sqlalchemy import text

        with case.store.reading() as session:
            kept = json.loads(session.scalar(text("SELECT stat FROM source")))
    assert not {"etag", "version"} & set(kept)


def test_a_store_is_not_watched(tmp_path: Path) -> None:
    result = run("watch", f"s3://{BUCKET}/card", "--case", tmp_path / "case", "--once")
    assert result.exit_code == ExitCode.FAILURE
    assert "is the address of a store, which cannot be watched" in result.output


def test_what_a_case_says_of_its_evidence_is_not_enough_to_connect(bucket: S3Server, tmp_path: Path) -> None:
    fill(bucket, tmp_path)
    audit(tmp_path / "case")
    run("correct", tmp_path / "case", "--plan", tmp_path / "plan.toml", "--offset", "+01:00:00")
    hang_up()
    bucket.forget()
    applied = ["correct", tmp_path / "case", "--plan", tmp_path / "plan.toml", "--apply"]
    for words in (["verify", tmp_path / "case"], applied):
        result = run(*words)
        assert result.exit_code == ExitCode.FAILURE
        assert f"name the same address with --evidence s3://{BUCKET}/card" in result.output
    assert not bucket.methods
    assert run("verify", tmp_path / "case", "--evidence", "s3://other/x").exit_code == ExitCode.FAILURE
    assert not bucket.methods
    result = run("verify", tmp_path / "case", "--sample", "0", "--evidence", f"s3://{BUCKET}/card")
    assert result.exit_code == ExitCode.CLEAN, result.output
