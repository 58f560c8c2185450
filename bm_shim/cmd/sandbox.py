# SPDX-License-Identifier: Apache-2.0
"""``bm-shim sandbox``: a real Keystone, a real Ironic and the shim to try things on."""

import sys
from pathlib import Path

import click

_EPILOG = """\b
Try:
  bm-shim sandbox --nodes 20
  bm-shim sandbox --exec 'curl -s "$BM_SHIM_URL/"'
  bm-shim sandbox --from-nova-bm --bmc 2
  bm-shim sandbox --bmc 2 --exec 'openstack baremetal node power on bmc-1'
"""


@click.command("sandbox", epilog=_EPILOG)
@click.option(
    "--exec",
    "command",
    metavar="CMD",
    help="Run one shell command against the sandbox, then stop; exit with its status.",
)
@click.option(
    "--nodes",
    type=click.IntRange(0, 100_000),
    default=0,
    show_default=True,
    help="Demo nodes to put into Ironic, two ports each.",
)
@click.option(
    "--from-nova-bm",
    is_flag=True,
    help="Put the demo nodes (20 unless --nodes says otherwise) into a nova-baremetal database "
    "first, and convert that; those with a BMC are among them.",
)
@click.option(
    "--bmc",
    "bmcs",
    type=click.IntRange(0, 100),
    default=0,
    show_default=True,
    help="Machines with a BMC that speaks IPMI, available in Ironic as bmc-1, bmc-2, ...; "
    "needs the program ipmitool.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="gunicorn processes of the shim.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port of the shim on 127.0.0.1.  [default: any free one]",
)
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep all data in this directory, and go on with those that are there.",
)
def sandbox(
    command: str | None,
    nodes: int,
    from_nova_bm: bool,
    bmcs: int,
    workers: int,
    port: int,
    state_dir: Path | None,
) -> None:
    """Start Keystone, Ironic and the shim on loopback, to try things on.

    All three are real and come from this Python environment; Ironic's machines are simulated.
    The lines to paste into another terminal are printed; Ctrl-C stops everything.
    """
    try:
        from bm_shim.sandbox import runner
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"The sandbox needs {error.name}: pip install 'bm-shim[sandbox]'"
        ) from error
    settings = runner.Settings(nodes, from_nova_bm, bmcs, workers, port, state_dir)
    sys.exit(runner.run(settings, command))
