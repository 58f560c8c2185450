# SPDX-License-Identifier: Apache-2.0
"""``bm-shim compare``: whether two servers answer alike."""

import sys
from pathlib import Path

import click

_EPILOG = """\b
Sign in by one of:
  --os-cloud NAME        an entry of clouds.yaml
  OS_* variables         OS_AUTH_URL, OS_USERNAME ...
  --token-file FILE      a token that you have
\b
Exit status: 0, the same; 1, there are differences; 2, not everything could
be compared.
\b
Try:
  bm-shim compare https://nova.example.org:8774/v2.1 http://127.0.0.1:8774/v2.1
"""

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("compare", epilog=_EPILOG)
@click.argument("old_url")
@click.argument("new_url")
@click.option(
    "--log",
    "logs",
    metavar="FILE",
    type=_FILE,
    multiple=True,
    help="Send the reads of bare metal nodes in this access log, each once, instead of the "
    "standard requests: a log of nova-api, Apache, nginx, uWSGI, HAProxy or bm-shim, also "
    "compressed by gzip, bzip2 or xz. May be repeated.",
)
@click.option(
    "--nodes",
    metavar="N",
    type=click.IntRange(min=0),
    default=50,
    show_default=True,
    help="Show so many nodes of the list, one by one.",
)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    default=500,
    show_default=True,
    help="Send so many requests of logs at most.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="What is printed.",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=0.1),
    default=60,
    show_default=True,
    help="How long one request may take.",
)
@click.option(
    "--deadline",
    metavar="SECONDS",
    type=click.FloatRange(min=0.1),
    default=900,
    show_default=True,
    help="After how long no further request is sent.",
)
@click.option("--os-cloud", metavar="NAME", help="Entry of clouds.yaml to sign in with.")
@click.option("--token-file", metavar="FILE", type=_FILE, help="File that holds a token.")
@click.option(
    "--cacert",
    metavar="FILE",
    type=_FILE,
    help="Certificates to check the two servers with.  [default: those of the cloud, or the "
    "system's]",
)
@click.option("--insecure", is_flag=True, help="Do not check the certificates of the two servers.")
def compare(
    *,
    old_url: str,
    new_url: str,
    logs: tuple[Path, ...],
    nodes: int,
    limit: int,
    output_format: str,
    timeout: float,
    deadline: float,
    os_cloud: str | None,
    token_file: Path | None,
    cacert: Path | None,
    insecure: bool,
) -> None:
    """Show whether two servers of the legacy API answer alike.

    OLD_URL is the endpoint in use today, NEW_URL that of bm-shim, as they would stand in the
    catalogue. Both are sent the same GET requests with your token: versions, extensions, the list,
    and single nodes. Every difference of status, header, key, type and value is shown. Nothing
    is ever written.
    """
    from bm_shim.compare import runner
    from bm_shim.compare.errors import CompareError

    request = runner.Request(
        old_url=old_url,
        new_url=new_url,
        logs=logs,
        nodes=nodes,
        limit=limit,
        timeout=timeout,
        deadline=deadline,
        token_file=token_file,
        os_cloud=os_cloud,
        cacert=cacert,
        insecure=insecure,
    )
    try:
        report = runner.run(request)
    except CompareError as error:
        # As for everything else that could not be compared.
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    sys.exit(runner.show(report, as_json=output_format == "json"))
