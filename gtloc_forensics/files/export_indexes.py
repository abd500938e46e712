"""Index files in the data exports of Facebook, Instagram and Telegram: one JSON file speaks of many photos.

What such a file says of one photo is a file of the evidence of its own here, at the path ``index//uri.json``; no file
has a path with an empty part. So it is taken in, hashed, read and checked like a sidecar beside the photo.

Nothing but the file's name and content is looked at; a file may hold anything, and most do not hold what it is to be.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from gtloc_forensics.errors import ForensicsError
from gtloc_forensics.records import Sentence

WITHIN = b"//"
"""Between the path of an index and what it says of one photo."""

LIMIT_BYTES = 128 << 20
"""A longer index is not read: a gigabyte of memory would be needed for it."""

LONGEST = 500
"""Characters of a value that are kept."""

MOST_VALUES = 20
"""Values of one name that are kept of one photo, and photos of one file name among which one is looked for by its end:
a hostile index could otherwise take for ever."""
MOST_NAMESAKES = 1000

NAMES = (
    *("posts*.json", "your_posts*.json", "profile_posts*.json", "archived_posts*.json", "other_content*.json"),
    *("your_photos*.json", "your_uncategorized_photos*.json", "your_videos*.json", "profile_p*.json", "stories*.json"),
    *("reels*.json", "igtv_videos*.json", "recently_deleted_content*.json", "media.json", "message_*.json"),
    *("result.json", "[0-9]*.json"),
)
"""How the services call the files that speak of photos; ``[0-9]*`` are the albums of Facebook."""

_WORDS = re.compile(rb'"(?:uri|creation_timestamp|taken_at|date_unixtime|messages|media_metadata)"\s*:')
_HEAD_BYTES = 1 << 16

FACEBOOK, TELEGRAM = "Facebook or Instagram", "Telegram"

_OF_PICTURE = {
    "taken_timestamp": "ExportTakenTimestamp",
    "date_time_original": "ExportDateTimeOriginal",
    "date_time_digitized": "ExportDateTimeDigitized",
    "latitude": "ExportLatitude",
    "longitude": "ExportLongitude",
}
_OF_ENTRY = {
    "creation_timestamp": "ExportCreationTimestamp",
    "taken_at": "ExportTakenAt",
    "date_unixtime": "ExportDateUnixtime",
    "date": "ExportDate",
    "title": "ExportTitle",
}
_NOT_OF = {"Telegram": ("title", "creation_timestamp"), FACEBOOK: ("date", "date_unixtime")}

Entry = dict[str, list[Any]]


class NotRead(ForensicsError):
    """A file is no index, or could not be read as one; ``is_recognised`` says whether it looks like one."""

    def __init__(self, reason: Sentence, *, is_recognised: bool) -> None:
        """Keep why."""
        self.reason = reason
        self.is_recognised = is_recognised
        super().__init__(reason)


def may_be_index(name: bytes) -> bool:
    """Return whether a file may be an index, by its own name."""
    text = name.decode("utf-8", "replace").lower()
    return any(fnmatchcase(text, known) for known in NAMES)


def path_within(index: bytes, uri: str) -> bytes:
    """Return the path of what an index says of the photo that it calls *uri*."""
    return index + WITHIN + uri.encode("utf-8", "surrogatepass") + b".json"


def parted(relative: bytes) -> tuple[bytes, str] | None:
    """Return (path of the index, name of the photo in it) of such a path; None for any other."""
    index, within, rest = relative.partition(WITHIN)
    if not within or not rest.endswith(b".json"):
        return None
    return index, rest[: -len(b".json")].decode("utf-8", "surrogatepass")


def entries(content: bytes) -> Mapping[str, bytes]:
    """Return what an index says of each photo: its name there → one JSON object with plain names.

    Text that was written as Latin-1 and escaped byte by byte, as these exports do, is repaired. Where the file speaks
    of a photo more than once its values are kept, :data:`MOST_VALUES` of each.

    Raises:
        NotRead: it is no JSON, or speaks of no photo.
    """
    is_like_one = bool(_WORDS.search(content[:_HEAD_BYTES]))
    try:
        found = _gathered(json.loads(content))
    except RecursionError:
        reason = Sentence("its JSON is nested deeper than can be read")
        raise NotRead(reason, is_recognised=is_like_one) from None
    except (ValueError, MemoryError) as error:
        said = str(error)[:LONGEST] or type(error).__name__
        raise NotRead(Sentence("it cannot be read as JSON: {said}", said=said), is_recognised=is_like_one) from None
    if not found:
        raise NotRead(Sentence("it speaks of no photo"), is_recognised=False)
    return {uri: _written(entry) for uri, entry in found.items()}


def _gathered(document: Any) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for uri, service, speaking in _speaking(document):
        entry = found.setdefault(uri, {"ExportService": [service], "ExportUri": [uri]})
        for name, value in _values(speaking, service):
            values = entry.setdefault(name, [])
            if len(values) < MOST_VALUES and value not in values:
                values.append(value)
    return found


def _written(entry: Entry) -> bytes:
    single = {name: values[0] if len(values) == 1 else values for name, values in entry.items()}
    return json.dumps(single, sort_keys=True).encode()


def _speaking(document: Any) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield (name of a photo, service, object that speaks of it) from anywhere in a document, however deep."""
    left = [document]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            for name, service in (("uri", FACEBOOK), ("path", FACEBOOK), ("photo", TELEGRAM), ("file", TELEGRAM)):
                uri = node.get(name)
                if isinstance(uri, str) and uri and _is_of(node, name):
                    yield plain(repaired(uri)), service, node
            left.extend(reversed([value for value in node.values() if isinstance(value, dict | list)]))
        elif isinstance(node, list):
            left.extend(reversed([value for value in node if isinstance(value, dict | list)]))


def _is_of(node: Mapping[str, Any], name: str) -> bool:
    """Whether an object that has this key speaks of a photo: each service dates its photos in a way of its own."""
    if name == "uri":
        return "creation_timestamp" in node or "media_metadata" in node
    return "taken_at" in node if name == "path" else "date" in node or "date_unixtime" in node


def _values(said: Mapping[str, Any], service: str) -> Iterator[tuple[str, Any]]:
    for name, tag in _OF_ENTRY.items():
        if name in said and name not in _NOT_OF[service]:
            yield tag, _plain_value(said[name])
    metadata = said.get("media_metadata")
    for kind in ("photo_metadata", "video_metadata"):
        of_kind = metadata.get(kind) if isinstance(metadata, dict) else None
        if isinstance(of_kind, dict):
            further = of_kind.get("exif_data")
            for part in (of_kind, *(further if isinstance(further, list) else ())):
                yield from _of_picture(part)


def _of_picture(part: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(part, dict):
        for name, tag in _OF_PICTURE.items():
            if name in part:
                yield tag, _plain_value(part[name])


def _plain_value(value: Any) -> Any:
    """Return a number as it is, and anything else as text: what is of a wrong kind is told, not dropped."""
    if isinstance(value, str):
        return repaired(value)[:LONGEST]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if abs(value) < 1e15 else str(value)[:LONGEST]
    return f"no value: {json.dumps(value)[:LONGEST]}"


def repaired(text: str) -> str:
    """Return text whose UTF-8 bytes were each escaped as a character of their own (Ã¼ for ü) as it was meant."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def plain(uri: str) -> str:
    """Return the path in an export by which an index names a photo, in one form."""
    parts = [part for part in uri.replace("\\", "/").split("/") if part not in ("", ".")]
    return unicodedata.normalize("NFC", "/".join(parts))


# --------------------------------------------------------------------------- which photo is meant


class Photos:
    """The photos of the evidence by their paths, to find those that an index names."""

    def __init__(self, photos: Iterable[bytes]) -> None:
        """Take note of the paths below the evidence."""
        self._by_text: dict[str, bytes] = {}
        self._by_name: dict[str, list[str]] = {}
        for photo in photos:
            text = plain(photo.decode("utf-8", "surrogateescape"))
            self._by_text[text] = photo
            self._by_name.setdefault(text.rpartition("/")[2], []).append(text)

    def named(self, uri: str, index: bytes) -> bytes | None:
        """Return the photo that an index calls *uri*; None where there is none, or more than one that it may be.

        An export names photos from its own top, which is one of the folders above the index; the nearest decides.
        Exports that come in several parts have several tops: there the whole name has to fit one photo alone.
        """
        above = plain(index.decode("utf-8", "surrogateescape")).split("/")[:-1]
        for depth in range(len(above), -1, -1):
            if (found := self._by_text.get("/".join([*above[:depth], uri]))) is not None:
                return found
        if "/" not in uri:
            return None
        namesakes = self._by_name.get(uri.rpartition("/")[2], ())
        fitting = [text for text in namesakes if text.endswith(f"/{uri}")] if len(namesakes) <= MOST_NAMESAKES else []
        return self._by_text[fitting[0]] if len(fitting) == 1 else None


def of_photos(index: bytes, uris: Sequence[str], photos: Photos) -> Mapping[bytes, bytes]:
    """Return photo → path of what the index says of it."""
    found: dict[bytes, bytes] = {}
    for uri in uris:
        photo = photos.named(uri, index)
        if photo is not None:
            found.setdefault(photo, path_within(index, uri))
    return found
