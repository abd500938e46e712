"""Evidence at gs:// and abfs://, against emulators on loopback where they are: neither is in the test extra."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_servers import until
from test_case import FIXED, photo
from test_object_stores import audit, findings, hang_up, refusals, run

from gtloc_forensics.cli.main import ExitCode

ACCOUNT = "devstoreaccount1"
# Not a secret: the account that the emulator's makers publish for everybody.
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@pytest.fixture(autouse=True)
def moment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", FIXED["SOURCE_DATE_EPOCH"])
    monkeypatch.setenv("HOME", str(tmp_path))
    hang_up()
    yield
    hang_up()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def is_audited_like_a_folder(address: str, folder: Path, tmp_path: Path) -> list[dict[str, object]]:
    """Audit and verify what was put at an address, and compare it with the same files of a folder."""
    result = audit(tmp_path / "case", address=address)
    assert result.exit_code == ExitCode.INCOMPLETE, result.output
    assert not refusals(tmp_path / "case")
    assert run("verify", tmp_path / "case", "--sample", "1").exit_code == ExitCode.CLEAN
    audit(tmp_path / "local", address=str(folder))
    there, here = findings(tmp_path / "case")["photos"], findings(tmp_path / "local")["photos"]
    assert [(entry["path"], entry["sha256"]) for entry in there] == [(entry["path"], entry["sha256"]) for entry in here]
    missing = audit(tmp_path / "none", address=address.replace("evidence", "no-such"))
    assert "is not there" in missing.output
    return [entry["recorded"] for entry in there]


def test_a_bucket_of_google_is_audited_like_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gcsfs", reason="gcsfs is not installed: pip install -e '.[gcs]'")
    emulator = pytest.importorskip(
        "gcp_storage_emulator.server", reason="there is no emulator: pip install gcp-storage-emulator"
    )
    port = free_port()
    server = emulator.create_server("127.0.0.1", port, in_memory=True, default_bucket="evidence")
    server.start()
    try:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
        for number in range(3):
            path = photo(tmp_path / "same" / "day" / f"{number}.jpg", number)
            name = urllib.parse.quote(f"card/day/{number}.jpg", safe="")
            place = f"http://127.0.0.1:{port}/upload/storage/v1/b/evidence/o?uploadType=media&name={name}"
            put = urllib.request.Request(place, data=path.read_bytes(), method="POST")
            put.add_header("Content-Type", "image/jpeg")
            urllib.request.urlopen(put, timeout=20).close()
        recorded = is_audited_like_a_folder("gs://evidence/card", tmp_path / "same", tmp_path)
        assert all(entry["etag"] and entry["version"] for entry in recorded)
    finally:
        server.stop()


def test_a_container_of_azure_is_audited_like_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("adlfs", reason="adlfs is not installed: pip install -e '.[azure]'")
    program = shutil.which("azurite-blob")
    if program is None:
        pytest.skip("there is no emulator: npm install -g azurite")
    from azure.storage.blob import BlobServiceClient

    port = free_port()
    words = [program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", tmp_path / "azurite"]
    process = subprocess.Popen(
        [*words, "--skipApiVersionCheck"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ}
    )
    place = f"http://127.0.0.1:{port}/{ACCOUNT}"
    named = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};BlobEndpoint={place};"

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        assert until(answers, seconds=60)
        container = BlobServiceClient.from_connection_string(named).create_container("evidence")
        for number in range(3):
            path = photo(tmp_path / "same" / "day" / f"{number}.jpg", number)
            container.upload_blob(f"card/day/{number}.jpg", path.read_bytes())
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", named)
        recorded = is_audited_like_a_folder("abfs://evidence/card", tmp_path / "same", tmp_path)
        assert all(entry["etag"] for entry in recorded)
        for path in (tmp_path / "case").rglob("*"):
            if path.is_file():
                assert ACCOUNT_KEY.encode() not in path.read_bytes()
    finally:
        process.terminate()
        process.wait(20)
