"""Evidence on a file server, by SFTP and SMB: read in place, never written to, and only from a server that is known."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_servers import SftpServer, until
from test_case import FIXED, photo
from test_object_stores import acquired, audit, findings, hang_up, refusals, run

from gtloc_forensics.cli.main import ExitCode
from gtloc_forensics.files.stores import addresses


@pytest.fixture(autouse=True)
def moment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", FIXED["SOURCE_DATE_EPOCH"])
    hang_up()
    yield
    hang_up()


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "given out"
    for number in range(4):
        photo(folder / "day" / f"{number}.jpg", number, taken=f"2024:06:15 12:0{number}:30")
    return folder


@pytest.fixture
def server(evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SftpServer]:
    pytest.importorskip("paramiko", reason="paramiko is not installed: pip install -e '.[sftp]'")
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    started = SftpServer(evidence, tmp_path / "home")
    yield started
    started.close()


def test_a_folder_on_a_server_is_audited_like_the_folder_itself_and_only_read(
    server: SftpServer, evidence: Path, tmp_path: Path
) -> None:
    result = audit(tmp_path / "case", address=server.address)
    assert result.exit_code == ExitCode.INCOMPLETE, result.output
    assert run("verify", tmp_path / "case", "--sample", "1").exit_code == ExitCode.CLEAN
    assert server.asked["open"] > 0
    assert not server.asked["open to write"] + server.asked["write"], server.asked
    audit(tmp_path / "local", address=str(evidence))
    there, here = findings(tmp_path / "case")["photos"], findings(tmp_path / "local")["photos"]
    assert [(entry["path"], entry["sha256"]) for entry in there] == [(entry["path"], entry["sha256"]) for entry in here]
    assert findings(tmp_path / "case")["case"]["evidence_folder"] == server.address


def test_a_second_audit_takes_in_what_is_new_alone(server: SftpServer, evidence: Path, tmp_path: Path) -> None:
    audit(tmp_path / "case", address=server.address)
    photo(evidence / "new.jpg", 9)
    audit(tmp_path / "case", address=server.address)
    assert acquired(tmp_path / "case")[4:] == ["new.jpg"]


def test_a_server_that_hangs_up_is_called_again_and_nothing_is_lost(
    server: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gtloc_forensics.files.stores.objects import Objects

    opened = Objects.open
    hung_up = []

    def hangs_up_once(self: Objects, name: str) -> object:
        if name.endswith("/2.jpg") and not hung_up:
            hung_up.append(name)
            server.hang_up()
        return opened(self, name)

    monkeypatch.setattr(Objects, "open", hangs_up_once)
    audit(tmp_path / "case", address=server.address)
    assert hung_up
    assert not refusals(tmp_path / "case")
    assert len(acquired(tmp_path / "case")) == 4


def test_a_connection_lost_in_the_middle_of_a_file_is_made_anew_and_the_file_read_on(
    server: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gtloc_forensics.files.stores.store import OpenObject

    read, hung_up = OpenObject._block, []

    def lost_once(self: OpenObject, length: int) -> bytes:
        if self._relative.endswith(b"2.jpg") and self._position and not hung_up:
            hung_up.append(self._relative)
            server.hang_up()
        return read(self, min(length, 4096))

    monkeypatch.setattr(OpenObject, "_block", lost_once)
    audit(tmp_path / "case", address=server.address)
    assert hung_up
    assert not refusals(tmp_path / "case")


def test_a_server_that_is_gone_leaves_every_photo_not_examined_with_the_reason(
    server: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gtloc_forensics.files.stores.objects import Objects

    opened = Objects.open

    def goes(self: Objects, name: str) -> object:
        if name.endswith("/1.jpg"):
            server.close()
        return opened(self, name)

    monkeypatch.setattr(Objects, "open", goes)
    assert audit(tmp_path / "case", address=server.address).exit_code == ExitCode.INCOMPLETE
    said = refusals(tmp_path / "case")
    assert set(said) == {f"day/{number}.jpg" for number in (1, 2, 3)}
    assert all("run again" in reason for reason in said.values()), said


def test_a_server_with_another_key_than_the_known_one_is_refused(server: SftpServer, tmp_path: Path) -> None:
    import paramiko

    server.know(paramiko.RSAKey.generate(2048))
    result = audit(tmp_path / "case", address=server.address)
    assert result.exit_code == ExitCode.FAILURE
    assert "the key of this server is not in ~/.ssh/known_hosts, or is another one" in result.output
    (tmp_path / "home" / ".ssh" / "known_hosts").write_text("")
    assert "known_hosts" in audit(tmp_path / "case", address=server.address).output
    assert not server.asked
    assert not (tmp_path / "case").exists()


def test_a_user_without_the_key_and_a_folder_that_is_not_there_are_told(server: SftpServer, tmp_path: Path) -> None:
    stranger = server.address.replace("examiner@", "stranger@")
    result = audit(tmp_path / "case", address=stranger)
    assert "gives no right" in result.output or "no credentials" in result.output, result.output
    hang_up()
    result = audit(tmp_path / "case", address=f"{server.address}/nothing")
    assert "is not there" in result.output


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_links_pipes_and_folders_that_may_not_be_read_are_told(
    server: SftpServer, evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (evidence / "link.jpg").symlink_to("/etc/passwd")
    os.mkfifo(evidence / "pipe.jpg")
    (evidence / "closed").mkdir()
    listed = os.scandir

    def refuses(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "permission denied")
        return listed(path)

    monkeypatch.setattr("store_servers.os.scandir", refuses)
    assert audit(tmp_path / "case", address=server.address).exit_code == ExitCode.INCOMPLETE
    said = refusals(tmp_path / "case")
    assert set(said) == {"link.jpg", "pipe.jpg", "closed"}
    assert "a link, not followed" in said["link.jpg"]
    assert "a pipe" in said["pipe.jpg"]
    assert "no right to read it" in said["closed"]


def test_the_address_of_a_server_names_user_host_and_port() -> None:
    told = addresses.read("sftp://examiner@host.example:2222/media/card/")
    assert (told.user, told.host, told.port, told.prefix) == ("examiner", "host.example", 2222, "media/card")
    assert str(told) == "sftp://examiner@host.example:2222/media/card"
    assert addresses.of_path(told.path) == told
    assert (addresses.read("smb://[::1]:1445/share").host, addresses.read("smb://host/share").port) == ("::1", None)


# --------------------------------------------------------------------------- SMB

PASSWORD = "correct horse 77"


@pytest.fixture
def share(evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a throw-away smbd that gives the folder out, to be read and written; return the address."""
    pytest.importorskip("smbprotocol", reason="smbprotocol is not installed: pip install -e '.[smb]'")
    smbd, smbpasswd = shutil.which("smbd", path="/usr/sbin:/usr/bin"), shutil.which("smbpasswd", path="/usr/bin:/bin")
    if smbd is None or smbpasswd is None:
        pytest.skip("there is no SMB server: apt-get install samba")
    if os.geteuid() != 0:
        pytest.skip("a throw-away smbd is started by root")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    place = tmp_path / "smbd"
    for name in ("private", "lock", "state", "cache", "pid", "ncalrpc"):
        (place / name).mkdir(parents=True)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    directories = "\n".join(
        f"{option} = {place / name}"
        for option, name in (
            *(("private dir", "private"), ("lock directory", "lock"), ("state directory", "state")),
            *(("cache directory", "cache"), ("pid directory", "pid"), ("ncalrpc dir", "ncalrpc")),
        )
    )
    settings = place / "smb.conf"
    settings.write_text(
        f"[global]\nsmb ports = {port}\nbind interfaces only = yes\ninterfaces = lo\ndisable netbios = yes\n"
        f"load printers = no\nserver role = standalone server\npassdb backend = tdbsam\n{directories}\n"
        f"[card]\npath = {evidence}\nread only = no\nforce user = root\n"
    )
    named = [smbpasswd, "-c", settings, "-s", "-a", "root"]
    entered = subprocess.run(named, input=f"{PASSWORD}\n{PASSWORD}\n", text=True, capture_output=True, check=False)
    if entered.returncode:
        pytest.skip(f"smbpasswd took no user: {entered.stderr[-200:]}")
    words = [smbd, "--foreground", "--no-process-group", f"--configfile={settings}", "--debug-stdout"]
    with (place / "log").open("wb") as log:
        # smbd ends its whole process group when it ends: it gets one of its own
        process = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
    monkeypatch.setenv("PASSWD", PASSWORD)

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        if not until(answers):
            pytest.skip(f"smbd did not start: {(place / 'log').read_text(errors='replace')[-300:]}")
        yield f"smb://root@127.0.0.1:{port}/card"
    finally:
        import smbclient

        smbclient.reset_connection_cache()
        process.terminate()
        process.wait(20)


def test_a_share_is_audited_like_the_folder_itself_and_left_as_it_was(
    share: str, evidence: Path, tmp_path: Path
) -> None:
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in evidence.rglob("*")}
    result = audit(tmp_path / "case", address=share)
    assert result.exit_code == ExitCode.INCOMPLETE, result.output
    assert not refusals(tmp_path / "case")
    assert run("verify", tmp_path / "case", "--sample", "1").exit_code == ExitCode.CLEAN
    audit(tmp_path / "local", address=str(evidence))
    there, here = findings(tmp_path / "case")["photos"], findings(tmp_path / "local")["photos"]
    assert [(entry["path"], entry["sha256"]) for entry in there] == [(entry["path"], entry["sha256"]) for entry in here]
    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in evidence.rglob("*")} == before
    for path in (tmp_path / "case").rglob("*"):
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes()


def test_a_wrong_password_for_a_share_is_told_without_it(
    share: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWD", "not this one 31")
    result = audit(tmp_path / "case", address=share)
    assert result.exit_code == ExitCode.FAILURE
    assert "gives no right" in result.output, result.output
    assert "not this one" not in result.output
