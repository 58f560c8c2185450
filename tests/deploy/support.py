# SPDX-License-Identifier: Apache-2.0
"""The files for deployment, and programs that check them."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def run(*command: object, **environment: str) -> str:
    """Run a program to its end, make sure that it ended well, and return its output."""
    ended = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout
