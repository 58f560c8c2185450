# SPDX-License-Identifier: Apache-2.0
"""Serves simulated BMCs with pyghmi.

Run as ``python -m bm_shim.sandbox.bmc_server FILE``; the file holds what :class:`Bmc` is made of,
as a list in JSON.
"""

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from pyghmi.ipmi.bmc import Bmc as IpmiBmc

from bm_shim.sandbox.bmc import READY, Bmc, Power


class BmcServer(IpmiBmc):  # type: ignore[misc]
    """Speaks IPMI for a machine."""

    def __init__(self, machine: Bmc) -> None:
        super().__init__(
            {machine.username: machine.password}, port=machine.port, address=machine.address
        )
        self._machine = machine
        self._boot_device = "default"

    def sessionless_data(self, data: bytes, sockaddr: Any) -> None:
        """Take a packet that belongs to no session, with which every program begins."""
        if not self._machine.is_silent:
            super().sessionless_data(data, sockaddr)

    def get_power_state(self) -> Power:
        """Return what ``chassis power status`` shows."""
        return self._machine.power_state

    def power_on(self) -> None:
        """Do as ``chassis power on`` says."""
        self._switch("on")

    def power_off(self) -> None:
        """Do as ``chassis power off`` says."""
        self._switch("off")

    def power_shutdown(self) -> None:
        """Do as ``chassis power soft`` says; the machine obeys at once."""
        self._switch("off")

    def power_cycle(self) -> None:
        """Do as ``chassis power cycle`` says; a machine that is off stays so."""
        if self._machine.power_state == "on":
            self._switch("off")
            self._switch("on")

    def power_reset(self) -> None:
        """Do as ``chassis power reset`` says, which looks the same from here."""
        self.power_cycle()

    def get_boot_device(self) -> str:
        """Return the device to boot from."""
        return self._boot_device

    def set_boot_device(self, bootdevice: str) -> None:
        """Do as ``chassis bootdev`` says."""
        self._boot_device = bootdevice

    def _switch(self, power: Power) -> None:
        self._machine.switch(power)
        _log(f"{self._machine.name}: power {power}")


def serve(machines: list[Bmc]) -> NoReturn:
    """Serve machines, one of them at least, for ever."""
    servers = [BmcServer(machine) for machine in machines]
    _log(READY)
    while True:
        try:
            # One listens for all.
            servers[0].listen()
        except Exception as error:  # pyghmi raises all kinds at packets it cannot make sense of
            _log(f"A packet was ignored: {error!r}")


def main(path: str) -> NoReturn:
    """Read the file and serve."""
    serve([Bmc(**fields) for fields in json.loads(Path(path).read_text())])


def _log(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
