"""What goes wrong with a store, as a sentence that says what to do and repeats no secret."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from gtloc_forensics.errors import ForensicsError, ServerFailed, UsageError
from gtloc_forensics.files.stores.addresses import Address
from gtloc_forensics.records import Sentence, visible

_SECRETS = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_STORAGE_ACCOUNT_KEY"),
    *("AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_SAS_TOKEN", "AZURE_CLIENT_SECRET", "PASSWD"),
)
"""Variables of the environment whose values are never repeated, whatever library quotes them."""

_LONGEST = 160
_NO_CREDENTIALS = re.compile(
    r"credential|NoAuth|no authentication methods|Anonymous caller|DefaultAzureCredential|SpnegoError|kerberos",
    re.IGNORECASE,
)
_NO_RIGHT = re.compile(
    r"Forbidden|AccessDenied|Access Denied|\b40[13]\b|Permission denied|Authentication|LogonFailure|LOGON_FAILURE"
    r"|ACCESS_DENIED|SignatureDoesNotMatch|InvalidAccessKeyId|ExpiredToken",
    re.IGNORECASE,
)
_NOT_THERE = re.compile(r"NoSuchBucket|bucket does not exist|Not ?Found|No such file|BAD_NETWORK_NAME", re.IGNORECASE)
_ARCHIVED = re.compile(r"InvalidObjectState|storage class|archived|BlobArchived", re.IGNORECASE)
_CHANGED = re.compile(r"FileExpired|PreconditionFailed|\b412\b|ConditionNotMet", re.IGNORECASE)
_UNREACHED = re.compile(
    r"timed? ?out|Timeout|ConnectionError|ConnectError|EndpointConnection|EOFError|SSHException|ServerDisconnected"
    r"|[Cc]onnection (?:was )?(?:reset|refused|closed|aborted|lost|dropped)|unreachable|getaddrinfo|Max retries"
    r"|[Ss]ocket is closed|SlowDown|InternalError|ServiceUnavailable|Service Unavailable|Internal Server Error"
    r"|SMBConnectionClosed"
)
_UNKNOWN_HOST_KEY = re.compile(r"not found in known_hosts|BadHostKey|Host key", re.IGNORECASE)


def of_store(error: BaseException, address: Address) -> ForensicsError:
    """Return why a store cannot be opened or listed, and what to do about it."""
    told, place = _told(error), str(address)
    if _UNKNOWN_HOST_KEY.search(told):
        return UsageError(
            f"{place}: the key of this server is not in ~/.ssh/known_hosts, or is another one than there; compare its "
            "fingerprint with its owner's and connect once with ssh, then run again"
        )
    if _NO_CREDENTIALS.search(told):
        return UsageError(
            f"there are no credentials for {place}; put them where the system keeps them (docs/object-stores.md), "
            "never into the address"
        )
    if _is_unreached(error, told):
        return ServerFailed(
            f"{place} did not answer ({_short(error)}); look at the network and the endpoint, then run again",
            is_passing=True,
        )
    if _NO_RIGHT.search(told):
        return UsageError(
            f"{place} gives no right to list it ({_short(error)}); ask its owner for the rights to list and to read, "
            "or choose other credentials (docs/object-stores.md)"
        )
    if isinstance(error, FileNotFoundError) or _NOT_THERE.search(told):
        return UsageError(f"{place} is not there; look at the name of the bucket and of the prefix")
    return ServerFailed(f"{place} could not be listed ({_short(error)}); run again later, nothing is lost")


def of_object(error: BaseException) -> Sentence:
    """Return why one object could not be read, for the middle of a sentence."""
    told = _told(error)
    if _CHANGED.search(told):
        return Sentence("it was replaced in the store while it was read; run again")
    if _ARCHIVED.search(told):
        return Sentence("it is archived in the store and has to be restored there first")
    if _is_unreached(error, told):
        return Sentence("the store did not answer ({said}); run again, what is here is kept", said=_short(error))
    if isinstance(error, FileNotFoundError) or _NOT_THERE.search(told):
        return Sentence("it is not in the store any more")
    if _NO_RIGHT.search(told) or _NO_CREDENTIALS.search(told):
        return Sentence("the store gives no right to read it; ask its owner for that right and run again")
    return Sentence("the store could not give it ({said}); run again", said=_short(error))


def is_of_the_store(error: BaseException) -> bool:
    """Say whether an error is about reaching the store, and not about one object."""
    return _is_unreached(error, _told(error))


def _is_unreached(error: BaseException, told: str) -> bool:
    if isinstance(error, FileNotFoundError | PermissionError):
        return False
    return isinstance(error, TimeoutError | ConnectionError | EOFError) or _UNREACHED.search(told) is not None


def _told(error: BaseException) -> str:
    """Return names and texts of an error and of those behind it."""
    return " | ".join(f"{type(link).__name__} {link}" for link in _links(error))


def _links(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _short(error: BaseException) -> str:
    """Return the first line of what a library says, without what may be secret."""
    said = (str(error).splitlines() or [""])[0] or type(error).__name__
    for name in _SECRETS:
        if value := os.environ.get(name):
            said = said.replace(value, "…")
    said = re.sub(r"[?&][^\s]*", "", said)  # what is signed, and how
    return visible(os.fsencode(said))[:_LONGEST]
