"""A prefix of a store of objects into which whole objects are put, read again and removed: never that of the evidence.

One put makes an object that is there whole or not at all, also where two put it at once. Servers with folders
(sftp, smb) do not promise that, and are not taken.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gtloc_forensics.errors import ServerFailed, UsageError
from gtloc_forensics.files.stores import addresses, connections, troubles
from gtloc_forensics.files.stores.addresses import Address


class Deposit:
    """Objects of ours below one address."""

    def __init__(self, address: Address) -> None:
        """Prepare to put objects below *address*; nothing is asked yet.

        Raises:
            UsageError: it is a server with folders, or the prefix is missing: ours never lies among other things.
            ToolMissing: the package of an extra is not installed.
        """
        if address.is_server or not address.prefix:
            raise UsageError(
                f"results cannot be put to {address}; name a bucket and a prefix of their own: s3://bucket/results"
            )
        self.address = address
        self._root = f"{address.authority.partition('@')[0]}/{address.prefix}"
        self._files: Any = connections.connected(address, may_write=True)

    def put(self, name: str, content: bytes) -> None:
        """Put an object, whole or not at all.

        Raises:
            OSError: the store did not take it.
        """
        try:
            self._files.pipe_file(f"{self._root}/{name}", content)
        except Exception as error:  # the border: three libraries, each with errors of its own
            raise OSError(5, str(troubles.of_object(error)), str(self.address)) from error

    def get(self, name: str) -> bytes | None:
        """Return an object, None where there is none of that name.

        Raises:
            ServerFailed: the store cannot be asked.
        """
        try:
            return bytes(self._files.cat_file(f"{self._root}/{name}"))
        except FileNotFoundError:
            return None
        except Exception as error:  # the border, as above
            raise self._failed(error) from error

    def remove(self, name: str) -> None:
        """Remove an object; where there is none, that is well.

        Raises:
            ServerFailed: the store cannot be asked.
        """
        try:
            self._files.rm_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return
        except Exception as error:  # the border, as above
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> ServerFailed:
        return ServerFailed(
            f"{self.address}: {troubles.of_object(error)}; the same command goes on from here", is_passing=True
        )


def refuse_within(address: Address, evidence: Path) -> None:
    """Make sure that nothing is put among the evidence, or around it.

    Raises:
        UsageError: one address lies below the other.
    """
    other = addresses.of_path(evidence)
    if other is None or (other.scheme, other.authority) != (address.scheme, address.authority):
        return
    ours, theirs = (f"{each.prefix}/" if each.prefix else "" for each in (address, other))
    if ours.startswith(theirs) or theirs.startswith(ours):
        raise UsageError(f"results cannot be put to {address}: the evidence lies at {other}; name another prefix")
