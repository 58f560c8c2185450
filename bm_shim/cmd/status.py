# SPDX-License-Identifier: Apache-2.0
"""``bm-shim status upgrade check``: whether the service is ready to be started, or upgraded."""

import logging
import sys

import click

_EPILOG = """\b
Exit status, as of nova-status: 0, all is well; 1, there are warnings; 2, it
would not work; 255, the check itself failed.
"""


@click.group("status")
def status() -> None:
    """Look whether this installation is ready."""


@status.group("upgrade")
def upgrade() -> None:
    """Look whether this installation is ready to be started, or upgraded."""


@upgrade.command("check", epilog=_EPILOG)
@click.option(
    "--config-file",
    "config_files",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    multiple=True,
    help="Configuration of the service; may be repeated.  [default: as the service finds it]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(*, config_files: tuple[str, ...], as_json: bool) -> None:
    """Check configuration, Keystone, Ironic, rights, policy and clocks.

    Nothing is changed, neither here nor in Ironic.
    """
    from oslo_config import cfg
    from oslo_upgradecheck import upgradecheck

    from bm_shim.status import Checks

    # What goes wrong is in the results.
    logging.getLogger().addHandler(logging.NullHandler())
    checks = Checks(config_files or None)
    arguments = ["upgrade", "check", *(["--json"] if as_json else [])]
    # The configuration of the command itself; what is checked comes from Checks.
    sys.exit(upgradecheck.main(cfg.ConfigOpts(), "bm-shim", checks, arguments, []))
