"""Training: data, losses, queues, the loop. Nothing of it is needed, or held, when a model is used.

``train(table_csv, settings, start=fresh(base, …), out=folder)`` is all there is to call.
"""

from __future__ import annotations

from gtloc_forensics.modelling.training.loop import Progress, Trained, train
from gtloc_forensics.modelling.training.settings import Settings
from gtloc_forensics.modelling.training.start import Shape, Start, find_base, fresh, going_on

__all__ = ["Progress", "Settings", "Shape", "Start", "Trained", "find_base", "fresh", "going_on", "train"]
