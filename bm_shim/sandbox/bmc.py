# SPDX-License-Identifier: Apache-2.0
"""Simulated machines with a BMC that speaks IPMI over the network."""

import dataclasses
import importlib.util
import ipaddress
import json
import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from bm_shim.sandbox.address import Address
from bm_shim.sandbox.environment import for_part
from bm_shim.sandbox.errors import SandboxError
from bm_shim.sandbox.home import Home
from bm_shim.sandbox.process import Part, Program

Power = Literal["on", "off"]

#: The server's line for the log when it listens.
READY = "BMCs are listening"

# Ironic leaves a second between two commands to an address, whatever the port, so each BMC has
# one of its own; Linux has all of 127.0.0.0/8.
_FIRST_ADDRESS = ipaddress.IPv4Address("127.18.0.1")
_USERNAME = "admin"


@dataclass(frozen=True)
class Bmc:
    """A machine and its BMC, which is what programs on the network see of it.

    What the machine does is kept in files, so it stays on or off while nobody serves its BMC.
    """

    #: ``bmc-1``
    name: str
    address: str
    #: UDP.
    port: int
    username: str
    password: str = field(repr=False)
    directory: str = field(repr=False)

    @property
    def driver_info(self) -> dict[str, object]:
        """How Ironic's ``ipmi`` driver reaches it."""
        return {
            "ipmi_address": self.address,
            "ipmi_port": self.port,
            "ipmi_username": self.username,
            "ipmi_password": self.password,
        }

    @property
    def power_state(self) -> Power:
        """Whether the machine is on, in truth: nobody is asked."""
        return self.power_log[-1] if self.power_log else "off"

    @property
    def power_log(self) -> list[Power]:
        """What became of the machine's power, oldest first; it began switched off."""
        try:
            lines = self._power_file.read_text().splitlines()
        except FileNotFoundError:
            return []
        return ["on" if line == "on" else "off" for line in lines]

    def switch(self, power: Power) -> None:
        """Switch the machine, as its BMC does, or as somebody who stands before it."""
        if power != self.power_state:
            with open(self._power_file, "a") as file:
                file.write(f"{power}\n")

    @property
    def is_silent(self) -> bool:
        """Whether nobody can reach it; see :meth:`stop`."""
        return self._silence_file.exists()

    def stop(self) -> None:
        """Let the BMC answer no one, as one that hangs or has no network; the machine runs on."""
        self._silence_file.touch()

    def start(self) -> None:
        """Let the BMC answer again."""
        self._silence_file.unlink(missing_ok=True)

    @property
    def _power_file(self) -> Path:
        return Path(self.directory, f"{self.name}.power")

    @property
    def _silence_file(self) -> Path:
        return Path(self.directory, f"{self.name}.silent")


class BmcSimulator(Part):
    """Serves all BMCs, from one process.

    :param address: a port that is ours; the BMCs use the UDP port of that number.
    :param count: of machines.
    """

    title: ClassVar[str] = "BMC simulator"
    worker_died: ClassVar[re.Pattern[str]] = re.compile(r"Exception in thread .*")

    def __init__(self, home: Home, address: Address, count: int) -> None:
        super().__init__("bmc", home, address)
        directory = str(home.subdirectory("bmc"))
        self.bmcs = [
            Bmc(
                name := f"bmc-{number}",
                str(_FIRST_ADDRESS + number - 1),
                address.port,
                _USERNAME,
                home.password(name),
                directory,
            )
            for number in range(1, count + 1)
        ]

    @classmethod
    def check_requirements(cls) -> None:
        """Make sure that there is what it needs, and what Ironic needs to talk to it.

        :raises SandboxError: something is missing.
        """
        if importlib.util.find_spec("pyghmi") is None:
            raise SandboxError("Simulated BMCs need pyghmi: pip install 'bm-shim[sandbox]'")
        if shutil.which("ipmitool") is None:
            raise SandboxError(
                "Ironic needs the program ipmitool to talk to BMCs: install the Debian package "
                "ipmitool, or that of your distribution."
            )

    @property
    def url(self) -> str:
        """Where the first BMC is."""
        return f"udp://{self.bmcs[0].address}:{self.bmcs[0].port}"

    def program(self) -> Program:
        """Write down the machines, and return what serves them."""
        machines = json.dumps([dataclasses.asdict(bmc) for bmc in self.bmcs], indent=1)
        path = self.home.write("bmc.json", machines + "\n")
        return Program([sys.executable, "-m", "bm_shim.sandbox.bmc_server", str(path)], for_part())

    def _answers(self) -> bool:
        return READY in self._log()
