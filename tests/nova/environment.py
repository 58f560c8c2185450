# SPDX-License-Identifier: Apache-2.0
"""The Python environment of nova-api: its packages are not those of the shim."""

from pathlib import Path

from clients.environments import Environment

VERSION = "34.0.0"

_HERE = Path(__file__).parent


class NovaEnvironment(Environment):
    """nova, from the requirements beside this file."""

    @property
    def name(self) -> str:
        """``nova-VERSION``."""
        return f"nova-{self.version}"

    @property
    def requirements(self) -> Path:
        """The file that lists its packages."""
        return _HERE / "requirements.txt"
