# SPDX-License-Identifier: Apache-2.0
"""``bm-shim callers``: who still calls the legacy API, from the access logs."""

from datetime import UTC, datetime
from pathlib import Path

import click

_EPILOG = """\b
Try:
  bm-shim callers /var/log/bm-shim/bm-shim.log*
  journalctl -u bm-shim -o cat | bm-shim callers --html callers.html -
  kubectl logs -l app=bm-shim --tail=-1 | bm-shim callers --format json -
"""


_TIMES = [
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S%z",
]


@click.command("callers", epilog=_EPILOG)
@click.argument(
    "logs",
    metavar="LOG...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
)
@click.option(
    "--since",
    metavar="TIME",
    type=click.DateTime(_TIMES),
    help="Leave out what was before: 2026-11-01, 2026-11-01T08:00, or as the reports have it; in "
    "UTC, unless it ends with an offset.",
)
@click.option(
    "--all",
    "with_aside",
    is_flag=True,
    help="Also show requests that only look for versions and extensions, or for what is not "
    "there.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What is printed.",
)
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write a page with charts, for any browser.",
)
def callers(
    *,
    logs: tuple[str, ...],
    since: datetime | None,
    with_aside: bool,
    output_format: str,
    html: Path | None,
) -> None:
    """Show who still calls the legacy API, and what to use instead.

    LOG is a log file of any replica, plain or as JSON, also compressed by gzip, bzip2 or xz; "-"
    is standard input. Give those of all replicas, in any order: user, project, address and program
    of each caller are shown with the operations that it calls, how often, since when, and when
    last.
    """
    from bm_shim.callers import runner

    begin = since and since.replace(tzinfo=since.tzinfo or UTC)
    as_json = output_format == "json"
    try:
        runner.run(logs, since=begin, with_aside=with_aside, as_json=as_json, html=html)
    except runner.CallersError as error:
        raise click.ClickException(str(error)) from error
