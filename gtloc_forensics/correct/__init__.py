"""Corrections as transactions: plan, review, apply, verify, undo.

``plan`` answers an ``Order`` with lines from clock models, findings or what a person asks for;
``planfile`` keeps them as TOML to be read and changed; ``apply`` writes sidecars, copies or
originals, ``resume`` and ``undo`` settle what was interrupted. Originals are only ever touched
in so many words, and every byte replaced is kept.
"""

from __future__ import annotations

from gtloc_forensics.correct.changes import Change, Plan, Quantity, merged
from gtloc_forensics.correct.destinations import WORDS, Beside, Copies, Destination, InPlace, Sidecars, SidecarStyle
from gtloc_forensics.correct.journal import Journal
from gtloc_forensics.correct.repairs import GpsRepair
from gtloc_forensics.correct.request import Order, chosen, plan, restricted
from gtloc_forensics.correct.tagger import ClientTagger
from gtloc_forensics.correct.transaction import apply, resume, undo
from gtloc_forensics.correct.workshop import Corrected, Refusal, Result, Tagger, Workshop

__all__ = [
    "WORDS",
    "Beside",
    "Change",
    "ClientTagger",
    "Copies",
    "Corrected",
    "Destination",
    "GpsRepair",
    "InPlace",
    "Journal",
    "Order",
    "Plan",
    "Quantity",
    "Refusal",
    "Result",
    "SidecarStyle",
    "Sidecars",
    "Tagger",
    "Workshop",
    "apply",
    "chosen",
    "merged",
    "plan",
    "restricted",
    "resume",
    "undo",
]
