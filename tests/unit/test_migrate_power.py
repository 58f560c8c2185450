# SPDX-License-Identifier: Apache-2.0
"""Power managers of nova-baremetal to drivers of Ironic."""

from typing import Any

import pytest

from bm_shim.migrate import plan
from bm_shim.migrate.model import BaremetalOptions, LeftOut, NodeMapping, NodeRow, Override, Plan

from .nova_bm_rows import (
    PASSWORD,
    PM,
    RUNNING,
    UUID,
    VIRTUAL,
    facts,
    for_all,
    interface,
    left_out,
    make,
    nova_bm,
    planned,
    row,
)

IBOOT = f"{PM}.iboot_pdu.IBootManager"


@pytest.mark.parametrize(
    ("driver", "prefix", "terminal_port_key"),
    [
        (None, "ipmi", "ipmi_terminal_port"),
        ("ipmi", "ipmi", "ipmi_terminal_port"),
        ("redfish", "redfish", None),
        ("idrac", "redfish", None),
        ("ilo", "ilo", "console_port"),
        ("irmc", "irmc", None),
        ("fake-hardware", "ipmi", "ipmi_terminal_port"),
        ("of-the-house", "ipmi", "ipmi_terminal_port"),
    ],
)
@pytest.mark.parametrize("by", ["argument", "mapping"])
def test_credentials_are_under_the_drivers_keys(
    driver: str | None, prefix: str, terminal_port_key: str | None, by: str
) -> None:
    arguments: dict[str, Any] = (
        {"driver": driver} if by == "argument" else {"mapping": for_all(driver=driver)}
    )
    node = planned(row(terminal_port=8000), interface(), **arguments)
    assert node.driver == (driver or "ipmi")
    credentials = {
        f"{prefix}_address": "10.0.0.42",
        f"{prefix}_username": "root",
        f"{prefix}_password": PASSWORD,
    }
    if terminal_port_key:
        assert node.driver_info == {**credentials, terminal_port_key: 8000}
        assert "terminal_port" not in facts(node)
    else:
        assert node.driver_info == credentials
        assert facts(node)["terminal_port"] == 8000
    assert node.remarks == ()


def test_the_mapping_goes_before_the_database_and_the_argument() -> None:
    mapping = NodeMapping(
        nodes={"42": Override(driver="redfish", driver_info={"redfish_username": "admin"})}
    )
    node = planned(row(), interface(), mapping=mapping, driver="ilo")
    assert node.driver == "redfish"
    assert node.driver_info == {
        "redfish_address": "10.0.0.42",
        "redfish_username": "admin",
        "redfish_password": PASSWORD,
    }


@pytest.mark.parametrize(
    ("columns", "keys"),
    [
        ("pm_address", "ipmi_address"),
        ("pm_user", "ipmi_username"),
        ("pm_password", "ipmi_password"),
        ("pm_address, pm_password", "ipmi_address, ipmi_password"),
    ],
)
@pytest.mark.parametrize("nothing", [None, ""])
def test_missing_credentials(columns: str, keys: str, nothing: str | None) -> None:
    missing: dict[str, Any] = dict.fromkeys(columns.split(", "), nothing)
    without = row(**missing)
    assert left_out(without, interface()) == (
        f"no {columns} in the database: the mapping must give {keys} in driver_info",
    )
    # That there is no user or no password can be said; Ironic needs an address.
    given = {key: "bmc-42" if key == "ipmi_address" else "" for key in keys.split(", ")}
    node = planned(without, interface(), mapping=for_all(driver_info=given))
    assert set(node.driver_info) == {"ipmi_address", "ipmi_username", "ipmi_password"}
    assert node.driver_info.items() >= given.items()
    assert node.remarks == ()


@pytest.mark.parametrize(
    ("driver", "needed"),
    [
        ("ipmi", "ipmi_address"),
        ("intel-ipmi", "ipmi_address"),
        ("redfish", "redfish_address"),
        ("idrac", "redfish_address"),
        ("ilo", "ilo_address, ilo_username, ilo_password"),
        ("ilo5", "ilo_address, ilo_username, ilo_password"),
        ("irmc", "irmc_address, irmc_username, irmc_password"),
        ("snmp", "snmp_driver, snmp_address, snmp_outlet"),
    ],
)
@pytest.mark.parametrize("empty", [False, True])
def test_what_a_driver_of_the_mapping_does_not_work_without(
    driver: str, needed: str, empty: bool
) -> None:
    """The database has nothing for it: what it has was made for something else than a BMC."""
    keys = needed.split(", ")
    given: dict[str, object] = dict.fromkeys(keys, "") if empty else {}

    def reasons(driver_info: dict[str, object]) -> tuple[str, ...]:
        mapping = for_all(driver=driver, driver_info=driver_info)
        return left_out(row(), interface(), manager=VIRTUAL, mapping=mapping)

    says = "the mapping must give {} in driver_info: the driver {} does not work without"
    assert reasons(given) == (says.format(needed, driver),)
    for key in keys if len(keys) > 1 else ():
        others: dict[str, object] = {each: "x" for each in keys if each != key}
        assert reasons({**others, **given, **others}) == (says.format(key, driver),)


def test_an_idrac_that_speaks_ws_man() -> None:
    given = {"drac_address": "10.0.0.9", "drac_username": "root", "drac_password": PASSWORD}
    mapping = for_all(driver="idrac", driver_info=given)
    assert planned(row(), interface(), manager=VIRTUAL, mapping=mapping).driver_info == given
    mapping = for_all(driver="idrac", driver_info={"drac_address": "10.0.0.9"})
    (reason,) = left_out(row(), interface(), manager=VIRTUAL, mapping=mapping)
    assert reason.startswith("the mapping must give drac_username, drac_password in driver_info")


def test_a_password_that_cannot_be_read() -> None:
    """The database has one, so who looks finds it."""
    unreadable = row(pm_password=None, unreadable=("pm_password",))
    assert left_out(unreadable, interface()) == (
        "no readable pm_password in the database: the mapping must give ipmi_password in "
        "driver_info",
    )


def test_an_empty_address_in_the_mapping_is_none() -> None:
    mapping = for_all(driver_info={"ipmi_address": ""})
    assert left_out(row(), interface(), mapping=mapping) == (
        "the mapping must give ipmi_address in driver_info: the driver ipmi does not work without",
    )


@pytest.mark.parametrize(
    ("driver", "given", "remark"),
    [
        (
            "redfish",
            {"redfish_address": "https://bmc"},
            "no redfish_username, redfish_password in driver_info: Ironic signs in to the BMC "
            "without",
        ),
        (
            "ipmi",
            {"ipmi_address": "bmc", "ipmi_username": "root"},
            "no ipmi_password in driver_info: Ironic signs in to the BMC without",
        ),
        # As sushy-tools is by default.
        (
            "redfish",
            {"redfish_address": "http://vm", "redfish_username": "", "redfish_password": ""},
            None,
        ),
        (
            "of-the-house",
            {},
            "nothing is given in driver_info: make sure that the driver of-the-house needs none",
        ),
        ("of-the-house", {"house_address": "10.0.0.9"}, None),
        ("manual-management", {}, None),
        ("snmp", {"snmp_driver": "apc", "snmp_address": "pdu", "snmp_outlet": 4}, None),
    ],
)
def test_what_a_driver_of_the_mapping_may_do_without(
    driver: str, given: dict[str, object], remark: str | None
) -> None:
    mapping = for_all(driver=driver, driver_info=given)
    node = planned(NodeRow(id=42, uuid=UUID), interface(), manager=VIRTUAL, mapping=mapping)
    assert node.driver_info == given
    assert node.remarks == ((remark,) if remark else ())


@pytest.mark.parametrize("written", [" 10.0.0.42", "10.0.0.42 \n"])
def test_spaces_around_an_address(written: str) -> None:
    node = planned(row(pm_address=written, pm_user=" root "), interface())
    assert node.driver_info["ipmi_address"] == "10.0.0.42"
    assert node.driver_info["ipmi_username"] == " root "
    assert node.remarks == (f"pm_address {written!r} becomes '10.0.0.42'",)


def test_an_address_of_spaces_is_none() -> None:
    assert left_out(row(pm_address="  "), interface()) == (
        "no pm_address in the database: the mapping must give ipmi_address in driver_info",
    )


@pytest.mark.parametrize("driver", ["fake-hardware", "manual-management"])
def test_drivers_that_need_no_credentials(driver: str) -> None:
    node = planned(NodeRow(id=42, uuid=UUID), interface(), driver=driver)
    assert (node.driver, node.driver_info, node.remarks) == (driver, {}, ())


@pytest.mark.parametrize(
    ("manager", "driver"),
    [
        (f"{PM}.ipmi.IPMI", "ipmi"),
        ("of.the.house.IPMI", "ipmi"),
        (f"{PM}.fake.FakePowerManager", "fake-hardware"),
    ],
)
def test_power_managers_with_a_driver(manager: str, driver: str) -> None:
    node = planned(row(), interface(), manager=manager)
    assert node.driver == driver
    assert node.driver_info["ipmi_password"] == PASSWORD
    assert node.remarks == ()


@pytest.mark.parametrize(
    ("options", "named", "advice"),
    [
        (
            BaremetalOptions(power_manager=VIRTUAL),
            VIRTUAL,
            "redfish with sushy-tools, or ipmi with VirtualBMC",
        ),
        (
            BaremetalOptions(power_manager=IBOOT),
            IBOOT,
            "snmp with snmp_driver, snmp_address, snmp_outlet, where Ironic still has it",
        ),
        (
            BaremetalOptions(power_manager=f"{PM}.tilera_pdu.Pdu"),
            f"{PM}.tilera_pdu.Pdu",
            "Ironic itself has none for a Tilera PDU",
        ),
        (
            BaremetalOptions(driver=f"{PM}.tilera.Tilera"),
            f"{PM}.tilera.Tilera",
            "Ironic itself has none for Tilera boards",
        ),
        (
            BaremetalOptions(power_manager="acme.Switch"),
            "acme.Switch",
            "whichever fits the machine",
        ),
    ],
)
def test_power_managers_without_a_driver(
    options: BaremetalOptions, named: str, advice: str
) -> None:
    database = nova_bm(row(terminal_port=8000), interface())
    made = plan.make(database, options, NodeMapping(), cpu_arch="x86_64")
    reason = (
        f"Ironic has no counterpart of {named}: the mapping must give a driver and its "
        f"driver_info ({advice})"
    )
    assert made == Plan(nodes=(), left_out=(LeftOut(42, UUID, (reason,)),))

    given = {"redfish_address": "https://bmc", "redfish_username": "", "redfish_password": ""}
    mapping = for_all(driver="redfish", driver_info=given)
    (node,) = plan.make(database, options, mapping).nodes
    assert node.driver == "redfish"
    assert node.driver_info == given
    assert facts(node)["terminal_port"] == 8000
    assert node.remarks == (
        f"pm_address, pm_user, pm_password not carried: made for {named}, not for a BMC",
    )


def test_the_driver_argument_is_for_ipmi() -> None:
    made = make(row(), interface(), manager=f"{PM}.fake.FakePowerManager", driver="ilo")
    assert made.nodes[0].driver == "fake-hardware"
    assert made.remarks == (
        f"driver ilo is not used: {PM}.fake.FakePowerManager managed the machines, not IPMI",
    )


@pytest.mark.parametrize("port", [0, -1, 65536])
@pytest.mark.parametrize("driver", ["ipmi", "redfish"])
def test_a_terminal_port_that_is_none(port: int, driver: str) -> None:
    node = planned(row(terminal_port=port), interface(), driver=driver)
    assert node.remarks == (f"terminal_port {port} is no port: not carried",)
    assert port not in (*node.driver_info.values(), facts(node).get("terminal_port"))


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [({}, {"terminal_port": 8000}, 1), ({}, RUNNING, 2)],
    ids=["the first", "the one with an instance"],
)
def test_of_nodes_with_one_bmc_one_is_kept(
    first: dict[str, Any], second: dict[str, Any], kept: int
) -> None:
    """The other one is the same machine: to clean it would wipe the disk of the instance."""
    rows = row(1, pm_address="10.0.0.1", **first), row(2, pm_address="10.0.0.1", **second)
    made = make(*rows)
    assert [node.legacy_id for node in made.nodes] == [kept]
    (other,) = made.left_out
    assert other.reasons == (
        f"node {kept} has the same BMC, so it is the same machine: delete one of the two, or "
        "correct the address",
    )
    apart = NodeMapping(nodes={"2": Override(driver_info={"ipmi_port": 6231})})
    assert make(*rows, mapping=apart).left_out == ()
    assert make(*rows, driver="fake-hardware").left_out == ()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"ipmi_priv_level": "OPERATOR"}),
        ({}, {"deploy_kernel": "http://images/kernel"}),
        ({}, {"ipmi_address": "BMC-1 "}),
        ({"ipmi_port": 6231}, {"ipmi_port": "6231"}),
    ],
)
def test_one_bmc_in_other_words_is_one(
    first: dict[str, object], second: dict[str, object]
) -> None:
    rows = row(1, pm_address="bmc-1"), row(2, pm_address="bmc-1")
    mapping = NodeMapping(
        nodes={"1": Override(driver_info=first), "2": Override(driver_info=second)}
    )
    made = make(*rows, mapping=mapping)
    assert [node.legacy_id for node in made.nodes] == [1]


@pytest.mark.parametrize("address", ["10.0.0.1", "https://10.0.0.1", "https://10.0.0.1/"])
def test_one_bmc_is_one_for_all_drivers(address: str) -> None:
    mapping = NodeMapping(
        nodes={"2": Override(driver="redfish", driver_info={"redfish_address": address})}
    )
    made = make(row(1), row(2, **RUNNING), mapping=mapping)
    assert [node.legacy_id for node in made.nodes] == [2]


@pytest.mark.parametrize(
    ("driver", "first", "second"),
    [
        ("ipmi", {"ipmi_target_address": "0x82"}, {"ipmi_target_address": "0x84"}),
        ("redfish", {"redfish_system_id": "/1"}, {"redfish_system_id": "/2"}),
        ("of-the-house", {"blade": 1}, {"blade": 2}),
    ],
)
def test_machines_behind_one_address(
    driver: str, first: dict[str, object], second: dict[str, object]
) -> None:
    rows = row(1, pm_address="chassis"), row(2, pm_address="chassis")
    mapping = NodeMapping(
        defaults=Override(driver=driver),
        nodes={"1": Override(driver_info=first), "2": Override(driver_info=second)},
    )
    assert make(*rows, mapping=mapping).left_out == ()


def test_the_machine_that_is_kept_keeps_its_address() -> None:
    """Whichever of the two rows the older interface belongs to."""
    made = make(
        row(1, pm_address="bmc-1"),
        row(2, pm_address="bmc-1"),
        interface(7, bm_node_id=2),
        interface(8, bm_node_id=1),
    )
    (node,) = made.nodes
    assert node.legacy_id == 1
    assert [facts(port)["id"] for port in node.ports] == [8]
    assert node.remarks == ()
