# SPDX-License-Identifier: Apache-2.0
"""How a machine's power is managed: nova-baremetal's power managers as Ironic's drivers. Pure.

A power manager was set for a whole nova-compute host, by the path of a class; releases moved the
classes, so only the end of the path is looked at.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bm_shim.migrate.model import BaremetalOptions, NodeRow, Override
from bm_shim.translation import power_keys

#: The drivers for power managers that read ``pm_address``, ``pm_user`` and ``pm_password`` as
#: those of a BMC (or, the fake one, not at all).
_DRIVERS = {"IPMI": "ipmi", "FakePowerManager": "fake-hardware"}
#: Hardware types that work without the credentials of a BMC.
_WITHOUT_BMC = {"fake-hardware", "manual-management", "snmp"}
_ILO = ("ilo_address", "ilo_username", "ilo_password")
#: What hardware types refuse to work without: "Required" in ``GET /v1/drivers/NAME/properties``,
#: as far as power goes. Those of Ironic itself; of others nothing is known.
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "fake-hardware": (),
    "manual-management": (),
    "ipmi": ("ipmi_address",),
    "intel-ipmi": ("ipmi_address",),
    "redfish": ("redfish_address",),
    "idrac": ("redfish_address",),
    "ilo": _ILO,
    "ilo5": _ILO,
    "irmc": ("irmc_address", "irmc_username", "irmc_password"),
    "snmp": ("snmp_driver", "snmp_address", "snmp_outlet"),
}
#: What idrac needs instead where it speaks WS-Man, as older Ironics can.
_WSMAN = ("drac_address", "drac_username", "drac_password")
#: What tells machines apart that one address stands for.
_BEHIND_ADDRESS = {
    "client_port",
    "ipmi_port",
    "ipmi_target_address",
    "ipmi_target_channel",
    "ipmi_transit_address",
    "ipmi_transit_channel",
    "irmc_port",
    "redfish_system_id",
}
#: What to use instead of the other power managers, in the words of a message.
_ADVICE = {
    "VirtualPowerManager": "redfish with sushy-tools, or ipmi with VirtualBMC",
    "IBootManager": "snmp with snmp_driver, snmp_address, snmp_outlet, where Ironic still has it",
    "Pdu": "Ironic itself has none for a Tilera PDU",
    "Tilera": "Ironic itself has none for Tilera boards",
}
_ADVICE_FOR_OTHERS = "whichever fits the machine"
_PORTS = range(1, 65536)


@dataclass(frozen=True, slots=True)
class Power:
    """How Ironic is to manage a machine's power."""

    #: None: nobody said.
    driver: str | None = None
    driver_info: Mapping[str, object] = field(default_factory=dict, repr=False)
    #: What ``driver_info`` has no key for; goes into ``extra``.
    facts: Mapping[str, object] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    #: Why the machine cannot be managed.
    obstacles: tuple[str, ...] = ()

    @property
    def bmc(self) -> tuple[str, ...] | None:
        """See :func:`bmc_of`."""
        return bmc_of(self.driver, self.driver_info)


def bmc_of(driver: object, driver_info: Mapping[str, object]) -> tuple[str, ...] | None:
    """Return what tells the BMC from all others: address, port, the system of a Redfish service.

    For drivers that are not known here, whatever is not a credential, so it may hold a secret.

    :returns: None: there is no BMC, or it is not known
    """
    keys = power_keys(driver)
    address = driver_info.get(keys.address)
    if driver in _WITHOUT_BMC or not address:
        return None
    others = {keys.address, keys.username, keys.password, keys.terminal_port}
    where = {key: value for key, value in driver_info.items() if key not in others}
    if driver in _REQUIRED:
        where = {key: value for key, value in where.items() if key in _BEHIND_ADDRESS}
    return _host(address), *sorted(f"{key}={value}" for key, value in where.items())


def manager_of(options: BaremetalOptions) -> str:
    """Return the class that says how machines are managed; for Tilera boards it is the driver."""
    is_tilera = _tail(options.driver) == "Tilera"
    return options.driver if is_tilera else options.power_manager


def is_ipmi(manager: str) -> bool:
    """Whether it spoke IPMI to a BMC, which may speak something better today."""
    return _tail(manager) == "IPMI"


def power_of(row: NodeRow, override: Override, manager: str, bmc_driver: str | None) -> Power:
    """Return how Ironic is to manage a machine.

    :param manager: see :func:`manager_of`
    :param bmc_driver: instead of ``ipmi``, where the mapping names no driver
    """
    driver = override.driver or _default_driver(manager, bmc_driver)
    if driver is None:
        return Power(obstacles=(_no_counterpart(manager),))
    remarks: list[str] = []
    driver_info = _credentials(row, manager, driver, remarks)
    facts: dict[str, object] = {}
    if (terminal_port := _terminal_port(row, remarks)) is not None:
        key = power_keys(driver).terminal_port
        if key is None:
            facts["terminal_port"] = terminal_port
        else:
            driver_info[key] = terminal_port
    driver_info |= override.driver_info
    remarks += _remarks_on_credentials(manager, driver, driver_info)
    return Power(
        driver=driver,
        driver_info=driver_info,
        facts=facts,
        remarks=tuple(remarks),
        obstacles=tuple(_obstacles(row, manager, driver, driver_info)),
    )


def _default_driver(manager: str, bmc_driver: str | None) -> str | None:
    if is_ipmi(manager) and bmc_driver:
        return bmc_driver
    return _DRIVERS.get(_tail(manager))


def _no_counterpart(manager: str) -> str:
    advice = _ADVICE.get(_tail(manager), _ADVICE_FOR_OTHERS)
    return (
        f"Ironic has no counterpart of {manager}: the mapping must give a driver and its "
        f"driver_info ({advice})"
    )


def _credentials(row: NodeRow, manager: str, driver: str, remarks: list[str]) -> dict[str, object]:
    """Return the credentials of a BMC, such as there are, under the driver's keys."""
    keys = _credential_keys(driver)
    values = {column: getattr(row, column) for column in keys if getattr(row, column)}
    if not _managed_bmcs(manager):
        if values:
            remarks.append(f"{', '.join(values)} not carried: made for {manager}, not for a BMC")
        return {}
    written = values.pop("pm_address", "")
    if address := written.strip():
        values = {"pm_address": address, **values}
    if address != written:
        remarks.append(f"pm_address {written!r} becomes {address!r}")
    return {keys[column]: value for column, value in values.items()}


def _obstacles(
    row: NodeRow, manager: str, driver: str, driver_info: Mapping[str, object]
) -> Iterator[str]:
    """Yield what the driver cannot do without, and neither the database nor the mapping has."""
    asked: list[str] = []
    if _managed_bmcs(manager) and driver not in _WITHOUT_BMC:
        keys = _credential_keys(driver)
        missing = [column for column, key in keys.items() if key not in driver_info]
        asked = [keys[column] for column in missing]
        if missing:
            no = "no" if set(missing).isdisjoint(row.unreadable) else "no readable"
            yield (
                f"{no} {', '.join(missing)} in the database: the mapping must give "
                f"{', '.join(asked)} in driver_info"
            )
    required = _required(driver, driver_info)
    # Ironic takes what is empty for missing.
    empty = [key for key in required if driver_info.get(key) in (None, "") and key not in asked]
    if empty:
        yield (
            f"the mapping must give {', '.join(empty)} in driver_info: the driver {driver} does "
            "not work without"
        )


def _remarks_on_credentials(
    manager: str, driver: str, driver_info: Mapping[str, object]
) -> Iterator[str]:
    """Yield what a driver may do without, but seldom should."""
    if _managed_bmcs(manager) or driver in _WITHOUT_BMC:
        return
    if driver not in _REQUIRED:
        if not driver_info:
            yield f"nothing is given in driver_info: make sure that the driver {driver} needs none"
        return
    keys = power_keys(driver)
    missing = [key for key in (keys.username, keys.password) if key not in driver_info]
    if missing and keys.address in driver_info:
        yield f"no {', '.join(missing)} in driver_info: Ironic signs in to the BMC without"


def _required(driver: str, driver_info: Mapping[str, object]) -> tuple[str, ...]:
    """Return the keys that a driver does not work without."""
    if driver == "idrac" and "drac_address" in driver_info:
        return _WSMAN
    return _REQUIRED.get(driver, ())


def _managed_bmcs(manager: str) -> bool:
    """Whether what the database has for power are the address and the credentials of a BMC."""
    return _tail(manager) in _DRIVERS


def _credential_keys(driver: str) -> dict[str, str]:
    """Return the keys of ``driver_info`` by the columns that they come from."""
    keys = power_keys(driver)
    return {"pm_address": keys.address, "pm_user": keys.username, "pm_password": keys.password}


def _terminal_port(row: NodeRow, remarks: list[str]) -> int | None:
    if row.terminal_port is None or row.terminal_port in _PORTS:
        return row.terminal_port
    remarks.append(f"terminal_port {row.terminal_port} is no port: not carried")
    return None


def _host(address: object) -> str:
    """Return an address, or the URL of a Redfish service, in one spelling."""
    return str(address).strip().lower().removeprefix("https://").rstrip("/")


def _tail(path: str) -> str:
    return path.rpartition(".")[2]
