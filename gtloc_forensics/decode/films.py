"""The key frame of a film that stands for it: the first that shows something, upright as the film is shown.

Needs PyAV, the extra ``video``. Only the demuxer that fits the file's magic bytes is tried, nothing but the file
itself is opened, and only key frames are decoded. Brightness of HDR films is scaled as it stands, not mapped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from gtloc_forensics.decode.refusals import plainly, refuse_size
from gtloc_forensics.errors import DecodeRefused, MissingExtra
from gtloc_forensics.records import Sentence

if TYPE_CHECKING:
    from av import VideoFrame

FORMATS: Mapping[str, str] = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/3gpp": "mov",
    "video/x-msvideo": "avi",
    "video/mp2t": "mpegts",
}
"""Media type → the demuxer for it."""

OPTIONS = {"protocol_whitelist": "file", "enable_drefs": "0"}
"""A film may name further files and addresses; none of them is opened."""

MOST_KEY_FRAMES = 5
"""Films begin in the dark, with a lens cap or a fade: so many key frames are looked at for one that shows something."""

EMPTY_RANGE = 24
"""Of 255: a frame whose brightness spans less shows nothing."""


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """One picture of a film."""

    picture: Image.Image
    at_s: float | None  # after the film's beginning; None where the film does not say
    mode: str  # the pixel format as stored


def key_frame(path: Path, media_type: str, *, most_pixels: int) -> KeyFrame:
    """Return the key frame that stands for a film.

    Raises:
        DecodeRefused: it holds no picture that can be decoded within the limit.
        MissingExtra: PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtra(Sentence("the picture of a video"), "video") from error
    try:
        with av.open(str(path), format=FORMATS[media_type], options=OPTIONS, metadata_errors="replace") as container:
            if not container.streams.video:
                raise DecodeRefused(Sentence("the video holds no picture, only sound or data"))
            stream = container.streams.video[0]
            refuse_size(stream.codec_context.width, stream.codec_context.height, most_pixels)
            stream.thread_type = "NONE"
            stream.codec_context.skip_frame = "NONKEY"
            return _chosen(container.decode(stream), most_pixels=most_pixels)
    except av.FFmpegError as error:
        said = plainly(error.strerror or "")
        raise DecodeRefused(Sentence("the video cannot be decoded ({message})", message=said)) from error


def _chosen(frames: Iterator[Any], *, most_pixels: int) -> KeyFrame:
    first: KeyFrame | None = None
    for number, frame in enumerate(frames, 1):
        refuse_size(frame.width, frame.height, most_pixels)
        found = KeyFrame(_upright(frame), frame.time, str(frame.format.name))
        first = first or found
        if int(np.ptp(np.asarray(found.picture.convert("L")))) >= EMPTY_RANGE:
            return found
        if number == MOST_KEY_FRAMES:
            break
    if first is None:
        raise DecodeRefused(Sentence("no key frame of the video can be decoded"))
    return first


def _upright(frame: VideoFrame) -> Image.Image:
    """Return a frame as it is shown: telephones store it as the sensor lies and say how to turn it."""
    picture = Image.fromarray(frame.to_ndarray(format="rgb24"))
    turn = round(getattr(frame, "rotation", 0) / 90) % 4  # counter-clockwise, as the container's matrix has it
    return picture if not turn else picture.transpose(_TURNS[turn])


_TURNS = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}
