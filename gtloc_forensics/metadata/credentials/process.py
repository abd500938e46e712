"""The process that reads manifest stores: it may write no file, has bounded memory and time, and fetches nothing.

It is asked with the path of a working copy and answers with JSON, not with pickles: a reader that a file has
taken over must not take over its parent.
"""

from __future__ import annotations

import json
import os
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from gtloc_forensics.errors import ForensicsError
from gtloc_forensics.files import confined, types
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
        self._child: confined.Child | None = None

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
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def _started(self) -> Connection:
        if self._child is None:
            self._child = confined.start("gtloc_forensics.metadata.credentials.process")
            self._child.connection.send_bytes(self._anchors.encode())
            self._child.await_ready(START_S)
        return self._child.connection


# --------------------------------------------------------------------------- the other end


def serve(descriptor: int) -> None:
    """Answer for one file after the other until the parent hangs up."""
    with Connection(descriptor) as connection:
        anchors = connection.recv_bytes().decode()
        import c2pa

        settings = OFFLINE | ({"trust": {"user_anchors": anchors}} if anchors else {})
        context = c2pa.Context.from_dict(settings)
        confined.limit(MEMORY_BYTES)
        connection.send_bytes(confined.READY)
        while True:
            try:
                path = connection.recv_bytes()
            except EOFError:
                return
            connection.send_bytes(json.dumps(_answer(path, context)).encode())


def _answer(path: bytes, context: Any) -> dict[str, Any]:
    import c2pa

    with Path(os.fsdecode(path)).open("rb") as file:
        media_type = types.media_type(file.read(types.HEAD_BYTES), name=path)
        file.seek(0)
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
