"""Options of every command that meets a cluster; known without loading what speaks to one."""

from __future__ import annotations

from pathlib import Path

import click

credentials_option = click.option(
    "--credentials",
    envvar="GTLOC_CREDENTIALS",
    type=click.Path(path_type=Path),
    help="Folder with ca.pem, certificate.pem and key.pem of the cluster (docs/cluster.md).",
)

cluster_results_option = click.option(
    "--cluster-results",
    metavar="ADDRESS",
    default="",
    help="Have workers put results to s3://BUCKET/PREFIX instead of the case folder (docs/cluster.md).",
)
