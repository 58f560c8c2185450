# SPDX-License-Identifier: Apache-2.0
"""Ironic, API and conductor in one process: configuration and database."""

import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from bm_shim.sandbox import demo
from bm_shim.sandbox.address import HOST, Address
from bm_shim.sandbox.credentials import Credentials
from bm_shim.sandbox.environment import for_part
from bm_shim.sandbox.errors import PartFailed
from bm_shim.sandbox.home import Home
from bm_shim.sandbox.options import Options, merged
from bm_shim.sandbox.process import Part, Program

#: Names the Python of another environment whose Ironic to run: an older one, say.
PYTHON_ENVIRONMENT_VARIABLE = "BM_SHIM_IRONIC_PYTHON"

_INTERFACES: Mapping[str, str] = {
    "boot": "fake,ipxe",
    "deploy": "fake,direct",
    "management": "fake",
    "power": "fake",
    "vendor": "fake,no-vendor",
    "console": "fake,no-console",
    "inspect": "fake,no-inspect",
    "raid": "fake,no-raid",
    "rescue": "fake,no-rescue",
    "bios": "fake,no-bios",
    "firmware": "fake,no-firmware",
    "storage": "fake,noop",
    "network": "noop",
}
# Interfaces of the hardware type "ipmi" that need the program of the same name.
_IPMITOOL_INTERFACES = ("management", "power", "vendor")


class Ironic(Part):
    """A real all-in-one Ironic: no message bus, SQLite, simulated hardware.

    Real hardware, or a simulated BMC, can be added when there is an ``ipmitool``.
    """

    title: ClassVar[str] = "Ironic"
    worker_died: ClassVar[re.Pattern[str]] = re.compile(
        r"Child \d+ (?:exited with status [1-9]\d*|was killed by signal \d+)"
    )

    def __init__(self, home: Home, address: Address, service: Credentials) -> None:
        """Describe it.

        :param service: the account with which it checks tokens.
        """
        super().__init__("ironic", home, address)
        self._service = service
        self._python = os.environ.get(PYTHON_ENVIRONMENT_VARIABLE) or sys.executable
        #: Options for the next start, over those of the sandbox: ``{"fake": {"power_delay": 3}}``.
        self.overrides: Options = {}

    def prepare(self, demo_nodes: int) -> None:
        """Make or upgrade the database; put demo nodes in.

        :raises PartFailed: it could not be done.
        """
        fresh = not (self.home.path / "ironic.db").exists()
        config = self._write_config()
        dbsync = self._script("ironic-dbsync", config, "create_schema" if fresh else "upgrade")
        self.run_step(dbsync, "making its database")
        if demo_nodes:
            # By its path, as there may be no bm_shim where Ironic is; -P, lest the directory of
            # the script be searched for modules: it has an ironic.py.
            arguments = [self._python, "-P", demo.__file__, config, str(demo_nodes)]
            self.run_step(Program(arguments, for_part()), "making demo nodes")

    def program(self) -> Program:
        """Write the configuration and return the ``ironic`` to run."""
        return self._script("ironic", self._write_config())

    def _script(self, name: str, config: str, *arguments: str) -> Program:
        # An empty directory: an Ironic installed on this machine may have files in /etc.
        snippets = self.home.subdirectory("ironic.conf.d")
        own = ["--config-file", config, "--config-dir", str(snippets)]
        return Program([self._python, self._find(name), *own, *arguments], for_part())

    def _find(self, name: str) -> str:
        """Return the path of a program of its Python environment, whatever PATH says."""
        directories = [str(Path(self._python).parent)]
        if self._python == sys.executable:
            directories.append(sysconfig.get_path("scripts"))
        for directory in directories:
            script = Path(directory, name)
            if script.is_file():
                return str(script)
        raise PartFailed(self.title, f"there is no {name!r} beside {self._python}")

    def _write_config(self) -> str:
        options = merged(self._options(), self.overrides)
        return str(self.home.write_config("ironic.conf", options))

    def _options(self) -> Options:
        path = self.home.path
        return {
            "DEFAULT": {
                "auth_strategy": "keystone",
                "rpc_transport": "none",
                "host": "sandbox",
                "my_ip": HOST,
                "use_stderr": True,
                # A sandbox is no place for lasting work: do not wait for it when stopped.
                "graceful_shutdown_timeout": 5,
                **_hardware(),
                **self._directories(),
            },
            "api": {"host_ip": HOST, "port": self.address.port},
            "conductor": {
                "automated_clean": False,
                "graceful_shutdown_timeout": 5,
                # Fake machines stay as they are, and a look at each of 1,500 disturbs
                # measurements.
                "sync_power_state_interval": 0,
            },
            "database": {
                "connection": f"sqlite:///{path}/ironic.db",
                # The data need not survive a power failure.
                "sqlite_synchronous": False,
            },
            # Simulated BMCs need no rest between two commands (1 is the least that works), and
            # answer at once or never.
            "ipmi": {"min_command_interval": 1, "command_retry_timeout": 10},
            "keystone_authtoken": {
                **self._service.options,
                "www_authenticate_uri": self._service.auth_url,
                "service_type": "baremetal",
            },
            "oslo_concurrency": {"lock_path": self.home.subdirectory("ironic-locks")},
            "oslo_policy": {
                # By default only an administrator of the whole *system* sees nodes that belong
                # to no project, but people, and the clients of the Nova era, sign in to a
                # project. The rules from before system scope, still in Ironic beside the new
                # ones, let the role admin in any project do everything; they give nothing to
                # the roles member and service, whose bounds can be tried out as in a real cloud.
                "enforce_new_defaults": False,
                "policy_file": self.home.write("ironic-policy.yaml", "{}\n"),
                "policy_dirs": path / "ironic-policy.d",
            },
            **self._image_directories(),
        }

    def _directories(self) -> Mapping[str, object]:
        return {
            "state_path": self.home.subdirectory("ironic-state"),
            "tempdir": self.home.subdirectory("ironic-tmp"),
        }

    def _image_directories(self) -> Options:
        """Where files for machines that boot would go; all inside the private directory."""
        http = self.home.subdirectory("ironic-http")
        tftp = self.home.subdirectory("ironic-tftp")
        images = self.home.subdirectory("ironic-images")
        return {
            "agent": {
                "deploy_logs_local_path": images / "logs",
                "certificates_path": images / "certificates",
            },
            "deploy": {"http_root": http, "http_url": f"http://{HOST}", "iso_master_path": images},
            "pxe": {
                "tftp_root": tftp,
                "tftp_server": HOST,
                "tftp_master_path": tftp / "master_images",
                "images_path": images,
                "instance_master_path": images / "master_images",
            },
        }


def _hardware() -> Mapping[str, object]:
    ipmitool = shutil.which("ipmitool") is not None
    options = {
        "enabled_hardware_types": "fake-hardware,ipmi" if ipmitool else "fake-hardware",
        "default_network_interface": "noop",
    }
    for kind, enabled in _INTERFACES.items():
        extra = ",ipmitool" if ipmitool and kind in _IPMITOOL_INTERFACES else ""
        options[f"enabled_{kind}_interfaces"] = enabled + extra
    return options
