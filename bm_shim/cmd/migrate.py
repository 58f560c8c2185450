# SPDX-License-Identifier: Apache-2.0
"""``bm-shim migrate``: the machines of a nova-baremetal database become Ironic nodes."""

import logging
import sys
from pathlib import Path

import click

_EPILOG = """\b
Sign in to Ironic by the first of these that is given:
  --os-cloud NAME        an entry of clouds.yaml
  --config-file FILE     its section [ironic], as for the service
  OS_* variables         OS_AUTH_URL, OS_USERNAME ...; OS_AUTH_TYPE=none and
                         OS_ENDPOINT for an Ironic without Keystone
  /etc/bm-shim/bm-shim.conf
\b
Exit status: 0, every machine is in Ironic; 1, some are not, the report says
which and why, or it could not be compared or reported; 2, none is.
\b
Try:
  bm-shim migrate --nova-bm-db mysql://nova_bm@db/nova_bm --dry-run
"""


class _PackageMissing(click.ClickException):
    exit_code = 2


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("migrate", epilog=_EPILOG)
@click.option(
    "--nova-bm-db",
    "database",
    metavar="URL",
    envvar="BM_SHIM_NOVA_BM_DB",
    help="The database, as SQLAlchemy has it: mysql://, postgresql:// or sqlite:///. It is only "
    "read. A password is better given in the environment variable BM_SHIM_NOVA_BM_DB, where "
    "others cannot see it.  [default: sql_connection of --nova-conf]",
)
@click.option(
    "--nova-conf",
    metavar="FILE",
    type=_FILE,
    help="The nova.conf of the nova-compute hosts: [baremetal] says which power manager they "
    "had.  [default: nova's defaults, so IPMI]",
)
@click.option(
    "--cpu-arch",
    metavar="ARCH",
    help="Architecture of the machines.  [default: from --nova-conf, else x86_64]",
)
@click.option(
    "--driver",
    metavar="NAME",
    help="Hardware type in Ironic of the machines with a BMC, as in ilo or redfish.  "
    "[default: ipmi]",
)
@click.option(
    "--resource-class",
    metavar="NAME",
    help="Resource class of the nodes.  [default: that of [enroll], so baremetal]",
)
@click.option(
    "--mapping",
    metavar="FILE",
    type=_FILE,
    help="YAML: what the database does not know of single machines, or of all.",
)
@click.option(
    "--only",
    metavar="NODE",
    multiple=True,
    help="Convert this machine only, by integer id or UUID; may be repeated.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be done; Ironic is not asked.")
@click.option(
    "--verify-only",
    is_flag=True,
    help="Compare the database with Ironic, and change nothing.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How --dry-run prints the plan.",
)
@click.option(
    "--report",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what was done, machine by machine, as JSON.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 32),
    default=8,
    show_default=True,
    help="Machines that are worked on at the same time.",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=1),
    default=300,
    show_default=True,
    help="How long a machine may take from one state to the next.",
)
@click.option("--os-cloud", metavar="NAME", help="Entry of clouds.yaml to sign in with.")
@click.option(
    "--config-file",
    metavar="FILE",
    type=_FILE,
    help="Configuration of the shim, whose section [ironic] is to sign in with.",
)
def migrate(
    *,
    database: str | None,
    nova_conf: Path | None,
    cpu_arch: str | None,
    driver: str | None,
    resource_class: str | None,
    mapping: Path | None,
    only: tuple[str, ...],
    dry_run: bool,
    verify_only: bool,
    output_format: str,
    report: Path | None,
    workers: int,
    timeout: float,
    os_cloud: str | None,
    config_file: Path | None,
) -> None:
    """Turn the machines of a nova-baremetal database into Ironic nodes, instances in place.

    To be run while nova-compute is stopped. Free machines become available nodes; machines with
    an instance are adopted: nothing is deployed, and their power is not touched. It may be
    stopped and run again at any time; what is done stays, and what somebody has changed in Ironic
    is not changed back.
    """
    # What libraries warn of, our own messages tell.
    logging.getLogger().addHandler(logging.NullHandler())
    if dry_run and verify_only:
        raise click.UsageError("--dry-run does not ask Ironic, --verify-only does: choose one.")
    try:
        from bm_shim.migrate import runner
    except ModuleNotFoundError as error:
        raise _PackageMissing(
            f"The conversion needs {error.name}: pip install 'bm-shim[migrate]'"
        ) from error
    request = runner.Request(
        database=database,
        nova_conf=nova_conf,
        mapping=mapping,
        cpu_arch=cpu_arch,
        driver=driver,
        resource_class=resource_class,
        only=only,
        config_file=config_file,
        os_cloud=os_cloud,
        report=report,
    )
    if dry_run:
        sys.exit(runner.show_plan(request, as_json=output_format == "json"))
    if verify_only:
        sys.exit(runner.compare(request))
    sys.exit(runner.convert(request, workers=workers, timeout=timeout))
