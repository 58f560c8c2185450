# SPDX-License-Identifier: Apache-2.0
"""``bm-shim migrate``, run as people run it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from click.testing import CliRunner

from bm_shim.cmd.migrate import migrate
from bm_shim.sandbox import Sandbox
from bm_shim.sandbox.environment import for_part

JSON = dict[str, Any]

#: Seconds after which a run of a few machines counts as hung.
PATIENCE = 120

#: Options for machines that Ironic simulates.
SIMULATED = ("--driver", "fake-hardware", "--cpu-arch", "x86_64")

#: What a conversion begins with here: there is no nova in a sandbox.
NO_NOVA = "Nova could not be asked whether its nova-compute services are stopped; "


@dataclass(frozen=True)
class Finished:
    """A run that ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def remarks(self) -> list[str]:
        """What it said of the database and of single nodes at the end, sorted; not of nova."""
        return sorted(
            line
            for line in self.stdout.splitlines()
            if line.startswith(("remark: ", "node ")) and NO_NOVA not in line
        )

    @property
    def progress(self) -> list[str]:
        """What it said meanwhile; not of nova."""
        return [line for line in self.stderr.splitlines() if NO_NOVA not in line]

    @property
    def text(self) -> str:
        """All that it printed."""
        return self.stdout + self.stderr


def start(
    *arguments: object,
    variables: Mapping[str, str] | None = None,
    stdout: int | IO[str] = subprocess.PIPE,
    stderr: int | IO[str] = subprocess.PIPE,
    by: Sequence[str] = (),
) -> subprocess.Popen[str]:
    """Start the command.

    :param variables: of its environment, where nothing else leads to a cloud.
    :param stdout: where its results go; by default to a pipe.
    :param stderr: where its messages go; by default to a pipe.
    :param by: a command that is to start it.
    """
    return subprocess.Popen(
        [*by, sys.executable, "-m", "bm_shim", "migrate", *map(str, arguments)],
        env={**for_part(), **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        text=True,
    )


def finish(process: subprocess.Popen[str], patience: float = PATIENCE) -> Finished:
    """Wait for a run to end by itself."""
    try:
        stdout, stderr = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Finished(process.returncode, stdout or "", stderr or "")


def run(
    *arguments: object, variables: Mapping[str, str] | None = None, patience: float = PATIENCE
) -> Finished:
    """Run the command."""
    return finish(start(*arguments, variables=variables), patience)


def invoke(*arguments: object, variables: Mapping[str, str] | None = None) -> Finished:
    """Run the command in this process, which is quicker; for what does not go on to Ironic."""
    environment: dict[str, str | None] = dict.fromkeys(os.environ.keys() - for_part().keys())
    environment |= variables or {}
    result = CliRunner().invoke(migrate, [*map(str, arguments)], env=environment)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Finished(result.exit_code, result.stdout, result.stderr)


def into(sandbox: Sandbox) -> tuple[object, ...]:
    """Return the options for a conversion to simulated machines in a sandbox's Ironic."""
    return "--config-file", sandbox.state_dir / "bm-shim.conf", *SIMULATED


def read_report(path: Path) -> JSON:
    """Return a report, of which only the owner may know; without its remark on nova."""
    assert path.stat().st_mode & 0o777 == 0o600
    report: JSON = json.loads(path.read_text())
    report["remarks"] = [text for text in report["remarks"] if not text.startswith(NO_NOVA)]
    return report


def assert_hidden(secrets: Iterable[str], *texts: str) -> None:
    """Make sure that no secret is in what was written, nor as JSON has it."""
    spellings = {each for secret in secrets for each in (secret, json.dumps(secret).strip('"'))}
    assert not [secret for secret in spellings for text in texts if secret in text]
