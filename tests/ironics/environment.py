# SPDX-License-Identifier: Apache-2.0
"""The Python environments of the Ironics that are supported; the packages of each are its own."""

from dataclasses import dataclass
from pathlib import Path

from clients.environments import Environment

#: The newest API version of each release, oldest release first.
API_VERSIONS = {"24.1.5": "1.90", "29.0.6": "1.96", "39.0.0": "1.115"}

_REQUIREMENTS = Path(__file__).parent / "requirements"


@dataclass(frozen=True)
class IronicEnvironment(Environment):
    """One version of Ironic, from the requirements beside this file."""

    @property
    def name(self) -> str:
        """``ironic-VERSION``."""
        return f"ironic-{self.version}"

    @property
    def requirements(self) -> Path:
        """The file that lists its packages."""
        return _REQUIREMENTS / f"{self.name}.txt"
