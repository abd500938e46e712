"""One clock model per camera: what GPS time, zones, light and counters say of it together."""

from gtloc_forensics.evidence.clocks.causes import group_causes
from gtloc_forensics.evidence.clocks.model import fit
from gtloc_forensics.evidence.clocks.of_case import fit_all

__all__ = ["fit", "fit_all", "group_causes"]
