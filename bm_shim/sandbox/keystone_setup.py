# SPDX-License-Identifier: Apache-2.0
"""``keystone-manage db_sync`` and ``bootstrap`` in one process.

Keystone takes longer to be imported than to do either. Run as
``python -m bm_shim.sandbox.keystone_setup CONFIG AUTH_URL REGION``, the password of ``admin``
in the environment variable ``OS_BOOTSTRAP_PASSWORD``.
"""

import sys

from keystone.cmd import cli


def main(config: str, auth_url: str, region: str) -> None:
    """Make or upgrade the database, then make or correct what every Keystone needs."""
    common = ["--config-file", config]
    cli.main(["keystone-manage", *common, "db_sync"])
    bootstrap = ["bootstrap", "--bootstrap-region-id", region]
    for interface in ("public", "internal"):
        bootstrap += [f"--bootstrap-{interface}-url", auth_url]
    # cli.main() can be called once only: it registers options.
    cli.CONF([*common, *bootstrap], project="keystone")
    cli.BootStrap.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
