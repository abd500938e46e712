"""Why a picture is not decoded: what decoders raise, and sizes that are refused, as errors with a reason."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, ImageCms, UnidentifiedImageError

from gtloc_forensics.errors import DecodeRefused
from gtloc_forensics.files import opening
from gtloc_forensics.records import Sentence, Statement, visible

LONGEST_ASPECT = 50.0  # longer strips are no photographs, and would make a row of pixels as wide as memory

# What Pillow and its libraries raise for bytes that are no picture (found by the fuzz test), and nothing else.
BAD_PICTURE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    EOFError,
    struct.error,
    zlib.error,
    ImageCms.PyCMSError,
)
# Those of them whose text is a decoder's own about the picture; the others speak of Python's objects.
_IN_WORDS = (OSError, SyntaxError, ValueError, EOFError, RuntimeError, zlib.error)
_PYTHONESE = re.compile(
    r"\bint\(\)|\bobject\b|\bNoneType\b|\blist\b|\btuple\b|\bbytes\b|argument|unpack|subscript|attribute"
    r"|not in list|range\(|\bliteral\b|<|\bself\b|__|\bhas no\b|codec"
)

_BYTES_LITERAL = re.compile(r"""\bb(['"])(.*?)\1""")
TOO_BIG = (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning)


def refuse_size(width: int, height: int, most: int) -> None:
    """Refuse a picture that is larger than *most* pixels, or no picture by its shape.

    Raises:
        DecodeRefused: when it is.
    """
    if width * height > most:
        raise DecodeRefused(
            Sentence(
                "{width_px:raw} × {height_px:raw} = {megapixels:.0f} megapixels "
                "are more than the {most_megapixels:.0f} that are decoded",
                width_px=width,
                height_px=height,
                megapixels=width * height / 1e6,
                most_megapixels=most / 1e6,
            )
        )
    if min(width, height) < 1 or max(width, height) / min(width, height) > LONGEST_ASPECT:
        raise DecodeRefused(
            Sentence(
                "{width_px:raw} × {height_px:raw} pixels are a strip, not a picture", width_px=width, height_px=height
            )
        )


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what decoders raise into one error with a reason."""
    try:
        yield
    except TOO_BIG as error:
        said = str(error) or Sentence("out of memory")
        raise DecodeRefused(Sentence("decoding it needs more memory than is allowed ({said})", said=said)) from error
    except UnidentifiedImageError as error:
        raise DecodeRefused(
            Sentence("its content is damaged: it begins like a picture but cannot be read as one")
        ) from error
    except BAD_PICTURE as error:
        raise DecodeRefused(Sentence("its content is damaged: {said}", said=_what_happened(error))) from error


def _what_happened(error: BaseException) -> Statement:
    """Return the words of a decoder where it has some for people; what Python says of its own insides is none."""
    if isinstance(error, OSError) and error.errno is not None:
        return Sentence("{said}, where it was read", said=opening.words(error))
    words = str(error).strip()
    if isinstance(error, _IN_WORDS) and words and not _PYTHONESE.search(words):
        return plainly(words).removesuffix(".")
    return Sentence("the decoder found in it what no picture of this kind holds")


def plainly(words: str) -> str:
    """Return a decoder's words with the bytes it quotes as text, not as Python writes bytes."""
    return visible(_BYTES_LITERAL.sub(lambda found: f'"{found[2]}"', words))
