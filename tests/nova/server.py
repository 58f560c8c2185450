# SPDX-License-Identifier: Apache-2.0
"""nova-api as one more part of a sandbox."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from bm_shim.sandbox import Credentials
from bm_shim.sandbox.address import Address
from bm_shim.sandbox.environment import for_part
from bm_shim.sandbox.home import Home
from bm_shim.sandbox.keystone import REGION
from bm_shim.sandbox.process import Part, Program

from .environment import NovaEnvironment

_SERVE = Path(__file__).with_name("serve.py")


class Nova(Part):
    """A real nova-api, which proxies to the Ironic of the sandbox that the account is of."""

    title: ClassVar[str] = "nova-api"
    # It has no workers to die: the whole process ends, and that is seen.
    worker_died: ClassVar[re.Pattern[str]] = re.compile(r"(?!)")

    def __init__(
        self, home: Home, address: Address, environment: NovaEnvironment, service: Credentials
    ) -> None:
        """Describe it.

        :param service: the account with which it checks tokens and, in system scope, calls
            Ironic; the same as the shim's.
        """
        super().__init__("nova", home, address)
        self._environment = environment
        self._service = service

    def prepare(self) -> None:
        """Make its configuration and its databases.

        :raises PartFailed: it could not be done.
        """
        shutil.copy(self._environment.path / "etc" / "nova" / "api-paste.ini", self.home.path)
        config = self.home.write_config("nova.conf", self._options())
        manage = str(self._environment.path / "bin" / "nova-manage")
        for database in ("api_db", "db"):
            command = [manage, "--config-file", str(config), database, "sync"]
            self.run_step(Program(command, for_part()), f"making its database ({database})")

    def program(self) -> Program:
        """Return what to run."""
        return Program(
            [str(self._environment.python), "-I", str(_SERVE), str(self.address.port)],
            {**for_part(), "OS_NOVA_CONFIG_DIR": str(self.home.path)},
        )

    def _options(self) -> Mapping[str, Mapping[str, object]]:
        path = self.home.path
        ironic = self._service.for_system().options
        return {
            "DEFAULT": {"state_path": path, "transport_url": "fake:/", "use_stderr": True},
            "api_database": {"connection": f"sqlite:///{path}/nova-api.db"},
            "database": {"connection": f"sqlite:///{path}/nova.db"},
            "keystone_authtoken": {
                **self._service.options,
                "www_authenticate_uri": self._service.auth_url,
            },
            "ironic": {**ironic, "region_name": REGION, "valid_interfaces": "public"},
            "oslo_concurrency": {"lock_path": path},
            # Absolute: a Nova installed on this machine may have files in /etc.
            "oslo_policy": {
                "policy_file": self.home.write("nova-policy.yaml", "{}\n"),
                "policy_dirs": path / "nova-policy.d",
            },
        }
