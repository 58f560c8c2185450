# SPDX-License-Identifier: Apache-2.0
"""``make test-ironics``: a choice of the tests, once for each version of Ironic.

What is chosen are the operations and the rights, with the refusals of Ironic that belong to them.
The other tests are about the shim, or about servers that fail, and need no second Ironic.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from clients.environments import InstallError, install_missing

from bm_shim.sandbox.ironic import PYTHON_ENVIRONMENT_VARIABLE

from .environment import API_VERSIONS, IronicEnvironment

ROOT = Path(__file__).parents[2]

CHOICE = (
    "tests/ironics",
    "tests/functional/test_nodes.py",
    "tests/functional/test_rights.py",
)


def passes(environment: IronicEnvironment) -> bool:
    """Run the tests against one Ironic and say whether all passed."""
    print(f"== Ironic {environment.version}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *CHOICE],
        cwd=ROOT,
        env={**os.environ, PYTHON_ENVIRONMENT_VARIABLE: str(environment.python)},
        check=False,
    )
    return done.returncode == 0


def main() -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(description="Run tests against several releases of Ironic.")
    parser.add_argument("versions", metavar="VERSION", nargs="*", default=list(API_VERSIONS))
    versions = parser.parse_args().versions
    if unknown := set(versions) - set(API_VERSIONS):
        parser.error(f"{', '.join(unknown)}: not among {', '.join(API_VERSIONS)}")
    directory = Path(sys.prefix, "ironics")
    environments = [IronicEnvironment(version, directory) for version in versions]
    try:
        install_missing(environments, directory, lambda line: print(line, flush=True))
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    failed = [each.version for each in environments if not passes(each)]
    if failed:
        print(f"Not with Ironic {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
