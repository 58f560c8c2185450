# SPDX-License-Identifier: Apache-2.0
"""The command ``bm-shim``: one module per subcommand."""

import click

import bm_shim
from bm_shim.cmd.callers import callers
from bm_shim.cmd.compare import compare
from bm_shim.cmd.migrate import migrate
from bm_shim.cmd.sandbox import sandbox
from bm_shim.cmd.status import status


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(bm_shim.__version__, prog_name="bm-shim")
def main() -> None:
    """Nova's legacy bare metal API, served from Ironic."""


main.add_command(callers)
main.add_command(compare)
main.add_command(migrate)
main.add_command(sandbox)
main.add_command(status)
