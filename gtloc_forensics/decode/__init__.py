"""Pixels out of hostile files: decoded in confined processes, within limits that hold before anything is allocated."""

from gtloc_forensics.decode.pictures import Limits
from gtloc_forensics.decode.pixels import Decoded, jpeg_of
from gtloc_forensics.decode.pool import Decoder, needs_preview
from gtloc_forensics.decode.worker import Job, Outcome

__all__ = ["Decoded", "Decoder", "Job", "Limits", "Outcome", "jpeg_of", "needs_preview"]
