"""The cluster that an audit was told to use: its address, its credentials, and the driver that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gtloc_forensics.case.cluster.addresses import Address, Credentials, address_of, checked
from gtloc_forensics.case.cluster.assignment import Rules
from gtloc_forensics.case.cluster.driver import ManyMachines, Patience, Told, _told_nobody
from gtloc_forensics.case.cluster.shards import Most
from gtloc_forensics.errors import ToolMissing
from gtloc_forensics.examination.gathering import Progress
from gtloc_forensics.files.stores import addresses as stores

if TYPE_CHECKING:
    from gtloc_forensics.case.cluster.dask_engine import DaskEngine

REMEDY = "pip install 'gtloc_forensics[cluster]' brings what many machines need"


@dataclass(frozen=True, slots=True)
class Present:
    """A worker that is there; *differing* is what it has otherwise than this machine: name → (there, here)."""

    place: str
    slots: int
    gpu: bool
    differing: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Workers, and how to treat them."""

    address: Address
    credentials: Credentials | None = None
    needs_gpu: bool = False
    told: Told = _told_nobody
    most: Most = field(default_factory=Most)
    rules: Rules = field(default_factory=Rules)
    patience: Patience = field(default_factory=Patience)
    results: Path | None = None

    def driver(self, case_folder: Path, *, progress: Progress) -> ManyMachines:
        """Return the driver that has the files of a case examined there."""
        return ManyMachines(
            self._connect,
            case_folder,
            progress,
            self.told,
            self.most,
            self.rules,
            self.patience,
            self.results,
        )

    def look(self) -> list[Present]:
        """Return who is there, and how each worker differs from this machine.

        Raises:
            ToolMissing, ClusterFailed: nobody can be asked.
        """
        engine = self._connect()
        try:
            from gtloc_forensics.case.cluster import dask_engine, slots

            here = slots.facts()
            known, found = engine.workers(), engine.facts()
            return [
                Present(
                    place=place,
                    slots=int(worker["resources"].get(dask_engine.SLOT, 0)),
                    gpu=bool(worker["resources"].get(dask_engine.GPU, 0)),
                    differing={
                        name: (value, here[name])
                        for name, value in found.get(place, {}).items()
                        if value != here.get(name)
                    },
                )
                for place, worker in sorted(known.items())
            ]
        finally:
            engine.close()

    def _connect(self) -> DaskEngine:
        try:
            from gtloc_forensics.case.cluster import dask_engine
        except ModuleNotFoundError as error:
            raise ToolMissing(error.name or "distributed", REMEDY) from error
        return dask_engine.connected(self.address, self.credentials, needs_gpu=self.needs_gpu)


def cluster_of(
    text: str, credentials: Path | None, *, device: str = "", results: str = "", told: Told = _told_nobody
) -> Cluster:
    """Return the cluster that a person named.

    Raises:
        UsageError: see :func:`gtloc_forensics.case.cluster.addresses.address_of` and :func:`checked`; *results* are to
            go to what is no address of a store.
    """
    address = address_of(text)
    folder = None if credentials is None else Credentials(credentials)
    place = stores.read(results).path if results else None
    return Cluster(address, checked(address, folder), needs_gpu=device.startswith("cuda"), told=told, results=place)
