"""The process that reads manifest stores: it may write no file, has bounded memory and time, and fetches nothing.

It is asked with the path of a working copy and answers with JSON, not with pickles: a reader that a file has
taken over must not take over its parent.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from gtloc_forensics.errors import ForensicsError
from gtloc_forensics.records import Sentence, Statement

START_S = 120.0
ANSWER_S = 60.0
MEMORY_BYTES = 4 << 30
LONGEST_ANSWER_BYTES = 16 << 20

OFFLINE: dict[str, Any] = {
    "verify": {
        "verify_after_reading": True,
        "verify_trust": True,
        "verify_timestamp_trust": True,
        "remote_manifest_fetch": False,
        "ocsp_fetch": False,
    }
}
"""What the library may do: judge by what it is given, and ask nobody."""

_MEDIA_TYPES = (
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"WEBP", 8, "image/webp"),
    (b"AVI ", 8, "video/avi"),
    (b"GIF8", 0, "image/gif"),
    (b"II*\0", 0, "image/tiff"),
    (b"MM\0*", 0, "image/tiff"),
    (b"ftypavif", 4, "image/avif"),
    (b"ftypavis", 4, "image/avif"),
    (b"ftyphei", 4, "image/heic"),
    (b"ftypmif1", 4, "image/heif"),
    (b"ftypqt", 4, "video/quicktime"),
    (b"ftyp", 4, "video/mp4"),
)
_HEAD_BYTES = 16


class Died(ForensicsError):
    """The process ended or hung over a file."""

    def __init__(self, reason: Statement) -> None:
        """Keep why."""
        self.reason = reason
        super().__init__(reason)


class Confined:
    """The parent's end: starts the process when it is first asked, and again after it died."""

    def __init__(self, anchors: bytes) -> None:
        """Prepare; *anchors* are the certificates that are trusted, PEM."""
        self._anchors = anchors.decode("utf-8", "replace")
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def ask(self, path: bytes) -> dict[str, Any]:
        """Return what the library says of a file: ``{"store": …}``, ``{"remote": url}``, ``{"error": text}`` or ``{}``.

        Raises:
            Died: the process ended, hung or answered with something else.
        """
        try:
            connection = self._started()
            connection.send_bytes(path)
            if not connection.poll(ANSWER_S):
                self.close()
                raise Died(Sentence("reading it took longer than {seconds:raw} s", seconds=int(ANSWER_S)))
            answer = json.loads(connection.recv_bytes(LONGEST_ANSWER_BYTES))
        except (EOFError, OSError, ValueError, RecursionError) as error:
            self.close()
            reason = Sentence("the process that reads them ended ({error})", error=type(error).__name__)
            raise Died(reason) from error
        return answer if isinstance(answer, dict) else {}

    def close(self) -> None:
        """End the process."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._connection = None

    def _started(self) -> Connection:
        if self._connection is not None:
            return self._connection
        ours, theirs = Pipe()
        program = f"from gtloc_forensics.metadata.credentials.process import serve; serve({theirs.fileno()})"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", program],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._connection = ours
        ours.send_bytes(self._anchors.encode())
        if not ours.poll(START_S) or ours.recv_bytes() != b"ready":
            raise OSError("the process did not start")
        return ours


# --------------------------------------------------------------------------- the other end


def serve(descriptor: int) -> None:
    """Answer for one file after the other until the parent hangs up."""
    with Connection(descriptor) as connection:
        anchors = connection.recv_bytes().decode()
        import c2pa

        settings = OFFLINE | ({"trust": {"user_anchors": anchors}} if anchors else {})
        context = c2pa.Context.from_dict(settings)
        _confine()
        connection.send_bytes(b"ready")
        while True:
            try:
                path = connection.recv_bytes()
            except EOFError:
                return
            connection.send_bytes(json.dumps(_answer(path, context)).encode())


def _confine() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (allowed, allowed))


def _answer(path: bytes, context: Any) -> dict[str, Any]:
    import c2pa

    with Path(os.fsdecode(path)).open("rb") as file:
        media_type = _media_type(file.read(_HEAD_BYTES))
        file.seek(0)
        if not media_type:
            return {}
        try:
            with c2pa.Reader(media_type, file, context=context) as reader:
                return {"store": json.loads(reader.json())}
        except c2pa.C2paError as error:
            return _refused(str(error))


def _refused(said: str) -> dict[str, Any]:
    """Return what an error of the library means; its classes are private, its texts begin with their names."""
    if said.startswith(("ManifestNotFound", "NotSupported")):
        return {}
    if "must fetch remote manifest" in said:
        return {"remote": said.rpartition(" ")[2]}
    return {"error": said[:500]}


def _media_type(head: bytes) -> str:
    return next((known for sign, at, known in _MEDIA_TYPES if head[at : at + len(sign)] == sign), "")
