"""``gtloc worker`` and ``gtloc scheduler``: machines that examine for an audit on another one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gtloc_forensics.cli.cluster_options import credentials_option
from gtloc_forensics.cli.exits import says_what_went_wrong
from gtloc_forensics.cli.output import say

if TYPE_CHECKING:
    from gtloc_forensics.case.cluster.addresses import Credentials
    from gtloc_forensics.case.cluster.cluster import Cluster


def workers(address: str, credentials: Path | None, device: str, *, results: str = "") -> Cluster:
    """Return the cluster that an audit was told to use, and the store into which its workers put results.

    Raises:
        UsageError: an address is none, or would be plain TCP beyond this machine; credentials are missing.
    """
    from gtloc_forensics.case.cluster.cluster import cluster_of

    return cluster_of(address, credentials, device=device, results=results, told=_told)


def _credentials(folder: Path | None) -> Credentials | None:
    from gtloc_forensics.case.cluster.addresses import Credentials

    return None if folder is None else Credentials(folder)


def _machines() -> Any:
    """Return the module that needs Dask.

    Raises:
        ToolMissing: the extra is not installed.
    """
    from gtloc_forensics.case.cluster.cluster import REMEDY
    from gtloc_forensics.errors import ToolMissing

    try:
        from gtloc_forensics.case.cluster import machines
    except ModuleNotFoundError as error:
        raise ToolMissing(error.name or "distributed", REMEDY) from error
    return machines


@click.command()
@click.argument("address")
@click.option("--slots", type=click.IntRange(1, 1024), help="Shards at a time [default: one per core].")
@click.option("--gpu", is_flag=True, help="Take shards that need a GPU (audits with --device cuda), too.")
@click.option("--host", default="", help="Address of this machine at which the scheduler reaches it.")
@click.option(
    "--evidence-root", type=click.Path(path_type=Path), help="Where this machine sees the evidence, when elsewhere."
)
@click.option(
    "--results-root",
    type=click.Path(path_type=Path),
    help="Where this machine sees the folder cluster of the case, when elsewhere.",
)
@click.option("--work", type=click.Path(path_type=Path), help="Folder for working copies [default: temporary].")
@click.option("--once", is_flag=True, help="End when the scheduler does, instead of waiting for another.")
@credentials_option
@says_what_went_wrong
def worker(
    address: str,
    slots: int | None,
    gpu: bool,
    host: str,
    evidence_root: Path | None,
    results_root: Path | None,
    work: Path | None,
    once: bool,
    credentials: Path | None,
) -> None:
    """Examine photos for audits that are run elsewhere with --cluster ADDRESS.

    ADDRESS is that of a scheduler, tls://HOST:PORT. Evidence and case folder must be
    seen here at the paths at which the machine that audits sees them, or be named
    with --evidence-root and --results-root.
    """
    from gtloc_forensics.case.cluster.addresses import address_of

    machines = _machines()
    settings = machines.WorkerSettings(
        slots=slots or os.cpu_count() or 1,
        gpu=gpu,
        host=host,
        evidence=None if evidence_root is None else evidence_root.resolve(),
        results=None if results_root is None else results_root.resolve(),
        place=None if work is None else work.resolve(),
        once=once,
    )
    machines.run_worker(_remote(address_of(address)), _credentials(credentials), settings, told=_told)


@click.command()
@click.argument("address")
@credentials_option
@says_what_went_wrong
def scheduler(address: str, credentials: Path | None) -> None:
    """Serve at ADDRESS as the scheduler at which workers and audits meet.

    ADDRESS is tls://HOST:PORT, HOST being the address of this machine that the others
    use. It keeps nothing: what is done lies in the case folder.
    """
    from gtloc_forensics.case.cluster.addresses import address_of

    _machines().run_scheduler(_remote(address_of(address)), _credentials(credentials), told=_told)


def _remote(address: Any) -> Any:
    from gtloc_forensics.case.cluster.addresses import Way
    from gtloc_forensics.errors import UsageError

    if address.way is Way.LOCAL:
        raise UsageError("local:N is for `gtloc audit --cluster`; name tls://HOST:PORT here")
    return address


def _told(said: str) -> None:
    say(f"gtloc: {said}", err=True)
