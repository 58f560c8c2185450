# SPDX-License-Identifier: Apache-2.0
"""Interfaces of nova-baremetal to ports of Ironic."""

from typing import Any

import pytest

from bm_shim.migrate.model import InterfaceRow

from .nova_bm_rows import (
    INSTANCE,
    MAC,
    NO_PORT,
    OTHER_MAC,
    OTHER_UUID,
    RUNNING,
    UUID,
    VIF,
    facts,
    interface,
    make,
    planned,
    row,
)


@pytest.mark.parametrize(
    ("spelling", "kept_spelling", "remarks"),
    [
        (MAC, None, ()),
        (MAC.upper(), MAC.upper(), ()),
        *[
            (spelling, None, (f"interface 7: MAC address {spelling!r} becomes {MAC}",))
            for spelling in [
                "52-54-00-cf-2d-31",
                "52-54-00-CF-2D-31",
                "5254.00cf.2d31",
                "525400cf2d31",
                f" {MAC}\n",
            ]
        ],
    ],
)
def test_mac_addresses_get_ironics_spelling(
    spelling: str, kept_spelling: str | None, remarks: tuple[str, ...]
) -> None:
    node = planned(row(), interface(address=spelling))
    (port,) = node.ports
    assert port.address == MAC
    assert facts(port).get("address") == kept_spelling
    assert node.remarks == remarks


@pytest.mark.parametrize(
    "junk",
    [
        "eth0",
        "52:54:00:cf:2d",
        f"{MAC}:33",
        "52:54:0:cf:2d:31",
        "52:54-00:cf:2d:31",
        "5254.00cf2d31",
        " ",
    ],
)
def test_junk_is_no_mac_address(junk: str) -> None:
    node = planned(row(), interface(address=junk, datapath_id="0x1"), interface(8))
    assert [port.address for port in node.ports] == [MAC]
    assert node.remarks == (
        f"interface 7: {junk!r} is no MAC address, no port is made; lost is datapath_id '0x1'",
    )


@pytest.mark.parametrize("nothing", [None, ""])
def test_interfaces_without_an_address_are_left_by_schema_version_006(nothing: str | None) -> None:
    assert planned(row(), interface(address=nothing), interface(8)).remarks == ()
    assert planned(row(), interface(address=nothing)).remarks == (NO_PORT,)
    assert planned(row()).remarks == (NO_PORT,)
    of_novaclient = interface(address=nothing, datapath_id="0", port_no=0)
    assert planned(row(), of_novaclient, interface(8)).remarks == ()
    assert planned(row(), interface(address=nothing, vif_uuid=VIF), interface(8)).remarks == (
        f"interface 7: no MAC address, no port is made; lost is vif_uuid '{VIF}'",
    )


def test_the_mac_address_of_grizzly_is_a_port() -> None:
    node = planned(row(prov_mac_address=MAC.upper()), interface(address=OTHER_MAC))
    assert [port.address for port in node.ports] == [OTHER_MAC, MAC]
    assert node.ports[1].extra == {"nova_baremetal": {"address": MAC.upper()}}
    assert node.remarks == ()


def test_the_mac_address_of_grizzly_is_one_of_an_interface() -> None:
    node = planned(row(prov_mac_address="52-54-00-CF-2D-31"), interface())
    assert [facts(port) for port in node.ports] == [{"id": 7}]
    assert node.remarks == ()


def test_the_mac_address_of_grizzly_is_none() -> None:
    assert planned(row(prov_mac_address="eth0"), interface()).remarks == (
        "prov_mac_address: 'eth0' is no MAC address, no port is made",
    )


@pytest.mark.parametrize(
    ("first", "second", "kept", "remarks"),
    [
        ({}, {}, 7, ()),
        ({}, {"vif_uuid": VIF}, 8, ()),
        ({"datapath_id": "0x1"}, {}, 7, ()),
        ({}, {"datapath_id": "0x1"}, 8, ()),
        ({}, {"port_no": 0}, 8, ()),
        # What novaclient sent for an interface of which nothing was told.
        (
            {"datapath_id": "0", "port_no": 0},
            {"datapath_id": "0", "port_no": 0},
            7,
            (f"interface 8 has the MAC address {MAC} of interface 7: one port is made",),
        ),
        (
            {"datapath_id": "0x1", "port_no": 0},
            {"vif_uuid": VIF},
            8,
            (
                f"interface 7 has the MAC address {MAC} of interface 8: one port is made; "
                "lost is datapath_id '0x1'",
            ),
        ),
        (
            {"vif_uuid": INSTANCE},
            {"vif_uuid": VIF},
            7,
            (
                f"interface 8 has the MAC address {MAC} of interface 7: one port is made; "
                f"lost is vif_uuid '{VIF}'",
            ),
        ),
    ],
)
def test_a_mac_address_twice_on_a_node(
    first: dict[str, Any], second: dict[str, Any], kept: int, remarks: tuple[str, ...]
) -> None:
    node = planned(row(), interface(**first), interface(8, MAC.upper(), **second))
    (port,) = node.ports
    assert facts(port)["id"] == kept
    assert node.remarks == remarks


@pytest.mark.parametrize(
    ("first", "second", "interfaces", "keeper"),
    [
        ({}, {}, [interface(7, bm_node_id=1), interface(8, bm_node_id=2)], 1),
        ({}, {}, [interface(7, bm_node_id=2), interface(8, bm_node_id=1)], 2),
        ({}, RUNNING, [interface(7, bm_node_id=1), interface(8, bm_node_id=2)], 2),
        # An interface goes before the column of Grizzly.
        ({"prov_mac_address": MAC}, {}, [interface(8, bm_node_id=2)], 2),
        ({"prov_mac_address": MAC}, {"prov_mac_address": MAC}, [], 1),
        # What is left out keeps it: it may be running with it.
        (
            {},
            {**RUNNING, "task_state": "error"},
            [interface(7, bm_node_id=1), interface(8, bm_node_id=2)],
            2,
        ),
    ],
)
def test_a_mac_address_on_two_nodes(
    first: dict[str, Any],
    second: dict[str, Any],
    interfaces: list[InterfaceRow],
    keeper: int,
) -> None:
    nodes = {n.legacy_id: n for n in make(row(1, **first), row(2, **second), *interfaces).nodes}
    loser = 3 - keeper
    if keeper in nodes:
        assert [port.address for port in nodes[keeper].ports] == [MAC]
        assert nodes[keeper].remarks == ()
    assert nodes[loser].ports == ()
    names = {each.bm_node_id: f"interface {each.id}" for each in interfaces}
    assert nodes[loser].remarks == (
        f"{names.get(loser, 'prov_mac_address')}: MAC address {MAC} is also that of node "
        f"{keeper}, which keeps it: no port is made",
        NO_PORT,
    )


def test_the_uuid_of_a_port_is_that_of_node_and_address() -> None:
    first = planned(row(), interface(7, vif_uuid=VIF)).ports[0].uuid
    assert first == planned(row(uuid=UUID.upper()), interface(9, MAC.upper())).ports[0].uuid
    assert first != planned(row(), interface(7, OTHER_MAC)).ports[0].uuid
    assert first != planned(row(uuid=OTHER_UUID), interface(7)).ports[0].uuid


def test_zeros_are_values() -> None:
    (port,) = planned(row(), interface(datapath_id="0", port_no=0)).ports
    assert facts(port) == {"id": 7, "datapath_id": "0", "port_no": 0}
