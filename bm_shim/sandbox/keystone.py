# SPDX-License-Identifier: Apache-2.0
"""Keystone: configuration, database, first account."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from cryptography.fernet import Fernet

from bm_shim.sandbox.environment import for_part
from bm_shim.sandbox.gunicorn import GunicornPart
from bm_shim.sandbox.process import Program

REGION = "RegionOne"


class Keystone(GunicornPart):
    """A real Keystone under gunicorn, on SQLite."""

    title: ClassVar[str] = "Keystone"
    probe: ClassVar[str] = "/v3"
    application: ClassVar[str] = "keystone.wsgi.api:application"
    # It cannot be stopped before idle connections are closed, and on loopback a new one per
    # request costs nothing.
    keepalive = 0
    # It reads and then writes when somebody signs in for the first time. Of two who do so at once
    # SQLite refuses one, who gets a 500.
    threads = 1

    @property
    def auth_url(self) -> str:
        """Where tokens are had: ``http://127.0.0.1:PORT/v3``."""
        return f"{self.url}/v3"

    def prepare(self) -> None:
        """Make or upgrade the database, with roles, the region and the account ``admin``.

        :raises PartFailed: it could not be done.
        """
        _make_keys(self.home.subdirectory("keystone-tokens"))
        _make_keys(self.home.subdirectory("keystone-credentials"))
        config = self._write_config()
        environment = {
            **for_part(),
            # Not in the arguments, which every user of the machine may read.
            "OS_BOOTSTRAP_PASSWORD": self.home.password("admin"),
        }
        setup = [sys.executable, "-m", "bm_shim.sandbox.keystone_setup"]
        arguments = [*setup, str(config), self.auth_url, REGION]
        self.run_step(Program(arguments, environment), "making its database")

    def program(self) -> Program:
        """Write the configuration and return the gunicorn to run."""
        config = self._write_config()
        return self.gunicorn({**for_part(), "OS_KEYSTONE_CONFIG_FILES": str(config)})

    def _write_config(self) -> Path:
        return self.home.write_config("keystone.conf", self._options())

    def _options(self) -> Mapping[str, Mapping[str, object]]:
        path = self.home.path
        tokens = {"key_repository": path / "keystone-tokens"}
        return {
            "DEFAULT": {"use_stderr": True},
            "database": {
                "connection": f"sqlite:///{path}/keystone.db",
                # The data need not survive a power failure.
                "sqlite_synchronous": False,
            },
            # The least that bcrypt allows: each token request checks a password.
            "identity": {"password_hash_rounds": 4},
            "token": {"provider": "fernet"},
            "fernet_tokens": tokens,
            "fernet_receipts": tokens,
            "credential": {"key_repository": path / "keystone-credentials"},
            # Twenty times as fast. In memory, so for one process only. The pickling backend,
            # because the plain one hands the same objects to all threads.
            "cache": {"enabled": True, "backend": "dogpile.cache.memory_pickle"},
            # Absolute: a Keystone installed on this machine may have files in /etc.
            "oslo_policy": {
                "policy_file": self.home.write("keystone-policy.yaml", "{}\n"),
                "policy_dirs": path / "keystone-policy.d",
            },
        }


def _make_keys(repository: Path) -> None:
    """Fill a fernet key repository: ``0`` is the next key, the highest number the current."""
    for name in ("0", "1"):
        path = repository / name
        if not path.exists():
            path.touch(mode=0o600)
            path.write_bytes(Fernet.generate_key())
