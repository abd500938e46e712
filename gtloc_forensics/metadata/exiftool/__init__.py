"""The safe exiftool client: the only room of the house that starts that process.

Paths and values are bytes on their way in, answers are keyed by tokens of our own,
and nothing a photo can hold (a name with newlines, a hang, 800 errors) moves the
process off its protocol. ``docs/decisions/0001-exiftool-client.md`` says why
PyExifTool's own process is not used.
"""

from gtloc_forensics.metadata.exiftool.answers import Written
from gtloc_forensics.metadata.exiftool.client import ExifTool
from gtloc_forensics.metadata.exiftool.process import Limits
from gtloc_forensics.metadata.exiftool.program import OLDEST, locate, version
from gtloc_forensics.metadata.exiftool.unread import unread_blocks
from gtloc_forensics.records import TagsRead, Unread

__all__ = ["OLDEST", "ExifTool", "Limits", "TagsRead", "Unread", "Written", "locate", "unread_blocks", "version"]
