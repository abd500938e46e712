"""Stores on loopback for tests: an S3 server (moto) and an SFTP server (paramiko) that count what is asked of them."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SECRET = "wJalrXUtnFEMI-test-secret-77"
KEY = "AKIAGTLOCTESTKEY0001"


class S3Server:
    """Moto behind a door at which requests are counted, held up, refused or broken off."""

    def __init__(self) -> None:
        from moto.s3.models import s3_backends
        from moto.server import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server

        self._moto = DomainDispatcherApplication(create_backend_app)
        self.methods: Counter[str] = Counter()
        self.requests: list[tuple[str, str]] = []
        self.refuse: Callable[[str, str], int] = lambda method, path: 0  # status to answer with; 0: moto's own
        self.before: Callable[[str, str], None] = lambda method, path: None
        self._server = make_server("127.0.0.1", 0, self._door, threaded=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.client = self._client()
        self.backend = s3_backends["123456789012"]["aws"]
        self.forget()

    def _door(self, environ: dict[str, Any], answer: Any) -> Any:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        ours = environ.get("HTTP_USER_AGENT", "").find("filling") >= 0
        if not ours:
            self.methods[method] += 1
            self.requests.append((method, path + ("?" + environ["QUERY_STRING"] if environ["QUERY_STRING"] else "")))
            self.before(method, path)
            if status := self.refuse(method, path):
                answer(f"{status} refused", [("Content-Type", "application/xml")])
                return [b"<Error><Code>SlowDown</Code></Error>" if status >= 500 and method != "HEAD" else b""]
        return self._moto(environ, answer)

    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(user_agent_extra="filling"),
        )

    def put(self, bucket: str, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=bucket, Key=key, Body=content)

    def forget(self) -> None:
        self.methods.clear()
        self.requests.clear()
        self.refuse = lambda method, path: 0
        self.before = lambda method, path: None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class SftpServer:
    """A folder given out by SFTP to whoever has the one key; whatever would write is counted and refused."""

    def __init__(self, folder: Path, home: Path) -> None:
        import paramiko

        self.folder, self.home = folder, home
        self.asked: Counter[str] = Counter()
        self._host_key = paramiko.RSAKey.generate(2048)
        user_key = paramiko.RSAKey.generate(2048)
        self._user_key = user_key.get_base64()
        (home / ".ssh").mkdir(parents=True, exist_ok=True)
        user_key.write_private_key_file(str(home / ".ssh" / "id_rsa"))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.transports: list[Any] = []
        self.know()
        threading.Thread(target=self._accept, daemon=True).start()

    def know(self, key: Any = None) -> None:
        """Write the server's key, or another one, into the file of known hosts."""
        key = key or self._host_key
        (self.home / ".ssh" / "known_hosts").write_text(
            f"[127.0.0.1]:{self.port} {key.get_name()} {key.get_base64()}\n", encoding="utf-8"
        )

    @property
    def address(self) -> str:
        return f"sftp://examiner@127.0.0.1:{self.port}{self.folder}"

    def _accept(self) -> None:
        import paramiko

        server = self

        class Interface(paramiko.ServerInterface):
            def get_allowed_auths(self, username: str) -> str:
                return "publickey"

            def check_auth_publickey(self, username: str, key: Any) -> int:
                same = username == "examiner" and key.get_base64() == server._user_key
                return paramiko.AUTH_SUCCESSFUL if same else paramiko.AUTH_FAILED

            def check_channel_request(self, kind: str, chanid: int) -> int:
                return paramiko.OPEN_SUCCEEDED

        class Files(paramiko.SFTPServerInterface):
            def list_folder(self, path: str) -> Any:
                server.asked["list"] += 1
                try:
                    return [
                        paramiko.SFTPAttributes.from_stat(entry.stat(follow_symlinks=False), entry.name)
                        for entry in os.scandir(path)
                    ]
                except OSError as error:
                    return paramiko.SFTPServer.convert_errno(error.errno)

            def stat(self, path: str) -> Any:
                server.asked["stat"] += 1
                try:
                    return paramiko.SFTPAttributes.from_stat(os.stat(path))
                except OSError as error:
                    return paramiko.SFTPServer.convert_errno(error.errno)

            lstat = stat

            def open(self, path: str, flags: int, attr: Any) -> Any:
                server.asked["open to write" if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) else "open"] += 1
                handle = paramiko.SFTPHandle(flags)
                try:
                    handle.readfile = Path(path).open("rb")  # noqa: SIM115 - closed with the handle
                except OSError as error:
                    return paramiko.SFTPServer.convert_errno(error.errno)
                return handle

            def _refused(self, *words: Any) -> int:
                server.asked["write"] += 1
                return paramiko.SFTP_PERMISSION_DENIED

            remove = rename = mkdir = rmdir = chattr = symlink = posix_rename = _refused

        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self._host_key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files)
            self.transports.append(transport)
            with suppress(Exception):
                transport.start_server(server=Interface())

    def hang_up(self) -> None:
        """Close every connection that there is."""
        for transport in self.transports:
            transport.close()
        self.transports.clear()

    def close(self) -> None:
        self._listener.close()
        self.hang_up()


@contextmanager
def silent_port() -> Iterator[int]:
    """Give a port at which connections are taken and nothing is answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=8) as listener:
        yield listener.getsockname()[1]


def until(is_so: Callable[[], bool], *, seconds: float = 20.0) -> bool:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.05)
    return False
