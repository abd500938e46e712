"""What can go wrong, one class for each thing a caller can do about it.

Facts are attributes; the message says what happened and ends with the remedy.
Nothing here is raised for a single bad photo inside a run: that becomes an
:class:`~gtloc_forensics.records.Unexamined` record and the run goes on. A ``reason`` is mostly
a ``records.Sentence``: take the attribute, not the error's text, so that a report can translate it.
"""

from __future__ import annotations

from pathlib import Path


class ForensicsError(Exception):
    """The base of every error this library raises on purpose."""


class UsageError(ForensicsError):
    """The request itself cannot be carried out; change the request."""


class EvidenceTreeError(UsageError):
    """An output was asked for inside the evidence, which is never written to."""

    def __init__(
        self, output: Path, evidence: Path, *, remedy: str = "choose an output folder outside it with --output"
    ) -> None:
        """Name the output and the evidence folder it lies in."""
        self.output = output
        self.evidence = evidence
        super().__init__(f"{output} lies inside the evidence folder {evidence}, which is never written to; {remedy}")


class ToolMissing(ForensicsError):
    """A program we need is not installed; install it."""

    def __init__(self, tool: str, remedy: str) -> None:
        """Name the tool and how to get it."""
        self.tool = tool
        self.remedy = remedy
        super().__init__(f"{tool} was not found; {remedy}")


class ToolTooOld(ForensicsError):
    """A program we need is older than the oldest version that is safe to use."""

    def __init__(self, tool: str, found: str, needed: str, remedy: str) -> None:
        """Name the tool, its version and the oldest that works."""
        self.tool = tool
        self.found = found
        self.needed = needed
        super().__init__(f"{tool} {found} is older than {needed}, the oldest safe version; {remedy}")


class ToolFailed(ForensicsError):
    """An external program died, hung or answered nonsense for one file; ``reason`` says how."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        self.reason = reason
        super().__init__(reason)


class ServerFailed(ForensicsError):
    """A server that the user named could not be reached, refused, or answered nonsense; nothing done is lost."""

    def __init__(self, reason: str, *, is_passing: bool = False) -> None:
        """Keep the reason, and whether trying again later may help."""
        self.is_passing = is_passing
        super().__init__(reason)


class ClusterFailed(ForensicsError):
    """Workers or their scheduler cannot be reached, or do not fit; nothing done is lost: mend it and run again."""


class DecodeRefused(ForensicsError):
    """A file's pixels were not decoded; ``reason`` says why and what would help."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        self.reason = reason
        super().__init__(reason)


class MissingExtra(DecodeRefused):
    """An optional package would be needed; the message names the install line."""

    def __init__(self, kind: str, extra: str) -> None:
        """Name the package and the extra that brings it."""
        self.kind = kind
        self.extra = extra
        super().__init__(f"{kind} needs an optional package: pip install 'gtloc_forensics[{extra}]'")


class CaseError(ForensicsError):
    """The case database cannot be used as asked."""


class DamagedCase(CaseError, ValueError):
    """Something in the case database cannot be read; `gtloc verify` names what else was altered."""

    def __init__(self, what: str) -> None:
        """Say *what* cannot be read."""
        self.what = what
        super().__init__(f"the case is damaged: {what}; `gtloc verify` on the case names everything that was altered")


class NewerCase(CaseError):
    """The case was written by a newer program; update this one."""

    def __init__(self, path: Path | str, found: str, known: str) -> None:
        """Name the case and its schema."""
        self.path = path
        self.found = found
        super().__init__(
            f"{path} was written by a newer program (schema {found}, this one knows {known}); "
            "update gtloc_forensics to open it"
        )


class CaseBusy(CaseError):
    """Another process is writing to the case; wait for it or stop it."""


class WeightsError(ForensicsError):
    """A model's weights or manifest are missing, damaged or not what they say."""


class PluginError(ForensicsError):
    """A plugin could not be loaded; the case goes on without it and says so."""


class WorkspaceFull(ForensicsError):
    """The place for working copies has no room left; free some and run again, nothing is lost."""

    def __init__(self, path: Path) -> None:
        """Name the folder that is full."""
        self.path = path
        super().__init__(f"no space left in {path}; free some and run again: the case resumes where it stopped")


class PlanError(UsageError):
    """A correction plan, or one line of it, cannot be carried out as written; change it."""


class CorrectionStopped(ForensicsError):
    """Correcting ended early (disk full, no permission); what was begun can be resumed or undone."""
