"""The doors: what other people's code may give, each a signature with a sentence.

A plugin implements any of :class:`Hooks` with ``gtloc_forensics.hookimpl``, taking as many
of the arguments as it wants. What this package ships comes through the same doors. The
records and protocols here are what passes through; how plugins are found, called and
reported when they fail is :mod:`gtloc_forensics.checks.plugins`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, TypeAlias, runtime_checkable

import pluggy

from gtloc_forensics.records import Candidate, Pixels, Prediction, Skipped, TagsRead, Unread

GROUP = "gtloc_forensics"

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)

Message: TypeAlias = Mapping[str, Any]
"""What a notifier is told: a JSON object with at least ``"summary"``, one line for people."""


@dataclass(frozen=True, slots=True)
class Export:
    """One form in which a case leaves the house.

    Attributes:
        kind: what ``gtloc export --format`` calls it.
        suffix: of the file that is written where nobody names one, without a dot in front.
        write: called with the case (:class:`~gtloc_forensics.records.CaseView`) and the file to write.
        is_dated: whether ``write`` takes ``report_date=``, the date that is printed.
        has_words: whether ``write`` takes ``language=`` and ``template=``.
    """

    kind: str
    suffix: str
    write: Callable[..., Any]
    is_dated: bool = False
    has_words: bool = False


@runtime_checkable
class Estimator(Protocol):
    """A loaded model that says when and where pictures were taken.

    ``fingerprint`` names everything that decides a prediction, ``short_side`` is the size
    in px that it wants pictures in, ``facts`` are printed in the report.
    """

    name: str
    fingerprint: str
    short_side: int
    facts: Mapping[str, str]

    def prepare(self, pixels: Pixels) -> Any:
        """Return one picture as :meth:`embed` wants it."""

    def embed(self, prepared: Sequence[Any]) -> Any:
        """Return what was seen in prepared pictures, row by row."""

    def predict(self, embeddings: Any, source_ids: Sequence[str]) -> list[Prediction]:
        """Return one prediction per row, under the source ids given."""

    def close(self) -> None:
        """Free what it holds."""


@runtime_checkable
class MetadataReader(Protocol):
    """Reads tags; ``name`` and ``version`` are part of the key of what it read."""

    name: str
    version: str

    def read(self, paths: Sequence[bytes]) -> Sequence[TagsRead | Unread]:
        """Return one answer per working copy: its tags as ``Group:Tag`` with warnings, or why there are none."""


@runtime_checkable
class Notifier(Protocol):
    """One way to tell somebody of findings."""

    @property
    def name(self) -> str:
        """How the log calls it."""

    def deliver(self, message: Message) -> None:
        """Deliver one message within some seconds, or raise."""


@dataclass(frozen=True, slots=True)
class NotifierKind:
    """A way to tell that the user turns on by name; none is on by itself.

    Attributes:
        name: what ``gtloc watch --notify`` calls it.
        open: makes the notifier from what stands behind ``NAME=``, "" for nothing; None where it cannot work.
    """

    name: str
    open: Callable[[str], Notifier | None]


class Hooks:
    """The hooks a plugin may implement, each with the signature it is called with."""

    @hookspec
    def checks(self) -> Iterable[ModuleType]:  # type: ignore[empty-body]
        """Give modules whose rules are marked with ``gtloc_forensics.check``."""

    @hookspec
    def exports(self) -> Iterable[Export]:  # type: ignore[empty-body]
        """Give forms in which a case can be written for another program."""

    @hookspec
    def estimators(self, model: str, device: str) -> Iterable[Estimator]:  # type: ignore[empty-body]
        """Give opened models; *model* is the name the user asked for ("" for none), *device* as torch calls it."""

    @hookspec
    def sources(self, evidence: Path) -> Iterable[Candidate | Skipped]:  # type: ignore[empty-body]
        """Give what is a photo in the folder or container *evidence*, and what is passed over with the reason."""

    @hookspec
    def metadata_readers(self) -> Iterable[MetadataReader]:  # type: ignore[empty-body]
        """Give opened readers of tags; the first, exiftool, decides where two disagree."""

    @hookspec
    def notifiers(self) -> Iterable[NotifierKind]:  # type: ignore[empty-body]
        """Give ways to tell of findings, which the user turns on by name."""
