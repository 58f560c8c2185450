# SPDX-License-Identifier: Apache-2.0
"""What differs between a plan and Ironic."""

from dataclasses import replace
from typing import Any

import pytest

from bm_shim.migrate.fleet import Fleet, Machine
from bm_shim.migrate.model import Difference, Target
from bm_shim.migrate.verify import compare, compare_node

from .planned import PASSWORD, machine, plan, planned

NODE = planned(
    target=Target.ACTIVE,
    driver_info={"ipmi_address": "10.0.0.42", "ipmi_password": PASSWORD, "ipmi_hex_kg_key": "kg"},
    name="tor",
    owner="1" * 32,
    lessee="2" * 32,
)
ADDRESS = NODE.ports[0].address
OTHER = "52:54:00:ff:ff:ff"


@pytest.mark.parametrize("target", Target)
def test_what_is_as_planned_does_not_differ(target: Target) -> None:
    node = planned(target=target)
    assert compare_node(node, machine(node)) == ()


def test_absent_node() -> None:
    assert compare_node(NODE, Machine()) == (Difference("", "a node", "nothing"),)


@pytest.mark.parametrize(
    ("fields", "difference"),
    [
        ({"provision_state": "manageable"}, ("provision_state", '"active"', '"manageable"')),
        ({"driver": "redfish"}, ("driver", '"ipmi"', '"redfish"')),
        ({"resource_class": None}, ("resource_class", '"baremetal"', "nothing")),
        ({"name": "rot"}, ("name", '"tor"', '"rot"')),
        ({"owner": None}, ("owner", f'"{"1" * 32}"', "nothing")),
        ({"lessee": "x"}, ("lessee", f'"{"2" * 32}"', '"x"')),
        ({"instance_uuid": None}, ("instance_uuid", f'"{NODE.instance_uuid}"', "nothing")),
        ({"instance_info": {}}, ("instance_info.display_name", '"web"', "nothing")),
        # Ironic keeps what it is sent, so a text is no number.
        (
            {"properties": {"cpus": "8", "memory_mb": 1024}},
            ("properties.cpus", "8", '"8"'),
        ),
        (
            {"properties": {"cpus": 8.0, "memory_mb": 1024}},
            ("properties.cpus", "8", "8.0"),
        ),
        ({"properties": {"memory_mb": 1024}}, ("properties.cpus", "8", "nothing")),
        (
            {"extra": {"nova_baremetal": {"id": 43, "service_host": "compute-7"}}},
            ("extra.nova_baremetal.id", "42", "43"),
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_planned_value_is_compared(
    fields: dict[str, Any], difference: tuple[str, str, str]
) -> None:
    assert compare_node(NODE, machine(NODE, **fields)) == (Difference(*difference),)


@pytest.mark.parametrize("extra", [{}, {"nova_baremetal": None}, {"nova_baremetal": "x"}, None])
def test_lost_facts_are_told_one_by_one(extra: object) -> None:
    found = compare_node(NODE, machine(NODE, extra=extra))
    assert [each.field for each in found] == [
        "extra.nova_baremetal.id",
        "extra.nova_baremetal.service_host",
    ]


def test_what_ironic_has_beyond_the_plan_does_not_differ() -> None:
    node = replace(NODE, name=None, owner=None, lessee=None, resource_class=None)
    found = machine(
        node,
        properties={**node.properties, "capabilities": "boot_mode:uefi"},
        name="given",
        owner="somebody",
        resource_class="gold",
    )
    assert compare_node(node, found) == ()


def test_instance_that_was_not_planned_differs() -> None:
    node = planned()
    assert compare_node(node, machine(node, instance_uuid="x")) == (
        Difference("instance_uuid", "nothing", '"x"'),
    )


def test_progress_of_the_conversion_is_not_compared() -> None:
    assert compare_node(NODE, machine(NODE, "begun")) == ()


@pytest.mark.parametrize(
    ("info", "fields"),
    [
        ({"ipmi_password": "******", "ipmi_hex_kg_key": "other"}, []),
        ({"ipmi_password": "shown"}, ["driver_info.ipmi_hex_kg_key"]),
        ({"ipmi_hex_kg_key": ""}, ["driver_info.ipmi_password"]),
    ],
)
def test_of_secrets_only_the_presence_is_compared_and_told(
    info: dict[str, object], fields: list[str]
) -> None:
    found = compare_node(NODE, machine(NODE, driver_info={"ipmi_address": "10.0.0.42", **info}))
    assert [each.field for each in found] == fields
    assert all((each.expected, each.found) == ('"******"', "nothing") for each in found)


def test_ports() -> None:
    found = machine(NODE)
    (port,) = found.ports

    def ports(*changed: dict[str, Any]) -> tuple[Difference, ...]:
        return compare_node(NODE, Machine(found.node, changed))

    missing = Difference(f"port {ADDRESS}", "a port of this node", "nothing")
    unexpected = Difference(f"port {OTHER}", "nothing", "a port of this node")
    assert ports() == (missing,)
    assert ports(port, port | {"address": OTHER}) == (unexpected,)
    assert ports(port | {"address": OTHER.upper()}) == (missing, unexpected)
    assert ports(port | {"address": ADDRESS.upper(), "uuid": "another"}) == ()
    assert ports(port | {"extra": {"nova_baremetal": {"id": "7"}}}) == (
        Difference(f"port {ADDRESS} extra.nova_baremetal.id", "7", '"7"'),
        Difference(f"port {ADDRESS} extra.vif_port_id", '"vif"', "nothing"),
    )


def test_whole_plans_are_compared_node_by_node() -> None:
    there, changed, absent = planned(1), planned(2), planned(3)
    machines = {
        there.uuid: machine(there),
        changed.uuid: machine(changed, driver="redfish"),
    }
    fleet = Fleet(
        nodes={uuid: found.node or {} for uuid, found in machines.items()},
        ports={},
        ports_of={uuid: found.ports for uuid, found in machines.items()},
        holders={},
    )

    found = compare(plan(there, changed, absent), fleet)

    assert found[there.uuid] == ()
    assert [each.field for each in found[changed.uuid]] == ["driver"]
    assert [each.field for each in found[absent.uuid]] == [""]


def test_no_password_in_a_url_is_told() -> None:
    node = planned(driver="redfish", driver_info={"redfish_address": f"https://me:{PASSWORD}@bmc"})
    info = {"redfish_address": f"https://me:{PASSWORD}@other"}
    assert compare_node(node, machine(node, driver_info=info)) == (
        Difference("driver_info.redfish_address", '"https://***@bmc"', '"https://***@other"'),
    )
