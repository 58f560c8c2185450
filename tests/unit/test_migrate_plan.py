# SPDX-License-Identifier: Apache-2.0
"""Rows of a nova_bm database to what is to be in Ironic."""

import dataclasses
import time
from datetime import datetime
from typing import Any

import pytest

from bm_shim.migrate import plan
from bm_shim.migrate.errors import PlanError
from bm_shim.migrate.model import (
    BaremetalOptions,
    LeftOut,
    NodeMapping,
    NodeRow,
    Override,
    Plan,
    PlannedNode,
    PlannedPort,
    Target,
)

from .nova_bm_rows import (
    INSTANCE,
    MAC,
    NO_PORT,
    OTHER_MAC,
    OTHER_UUID,
    PASSWORD,
    RUNNING,
    UUID,
    VIF,
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


def test_a_full_node_with_an_instance() -> None:
    made = make(
        row(
            created_at=datetime(2013, 4, 4, 8, 0),
            updated_at=datetime(2014, 10, 16, 9, 30, 1, 250),
            cpus=8,
            memory_mb=16384,
            local_gb=480,
            terminal_port=8000,
            service_host="compute-1",
            task_state="active",
            instance_uuid=INSTANCE,
            instance_name="web-1",
            image_path="/tftpboot/image",
            pxe_config_path="/tftpboot/config",
            root_mb=10240,
            swap_mb=0,
            ephemeral_mb=1024,
            preserve_ephemeral=False,
        ),
        interface(datapath_id="0x1", port_no=3, vif_uuid=VIF),
    )
    assert made == Plan(
        nodes=(
            PlannedNode(
                legacy_id=42,
                uuid=UUID,
                target=Target.ACTIVE,
                driver="ipmi",
                driver_info={
                    "ipmi_address": "10.0.0.42",
                    "ipmi_username": "root",
                    "ipmi_password": PASSWORD,
                    "ipmi_terminal_port": 8000,
                },
                properties={
                    "cpu_arch": "x86_64",
                    "cpus": 8,
                    "memory_mb": 16384,
                    "local_gb": 480,
                },
                extra={
                    "nova_baremetal": {
                        "id": 42,
                        "service_host": "compute-1",
                        "pxe_config_path": "/tftpboot/config",
                        "image_path": "/tftpboot/image",
                        "instance_name": "web-1",
                        "root_mb": 10240,
                        "swap_mb": 0,
                        "ephemeral_mb": 1024,
                        "preserve_ephemeral": False,
                        "task_state": "active",
                        "created_at": "2013-04-04T08:00:00.000000",
                        "updated_at": "2014-10-16T09:30:01.000250",
                    }
                },
                ports=(
                    PlannedPort(
                        uuid="82366633-64b8-5167-b928-a1db621b37f1",
                        address=MAC,
                        extra={
                            "vif_port_id": VIF,
                            "nova_baremetal": {"id": 7, "datapath_id": "0x1", "port_no": 3},
                        },
                    ),
                ),
                instance_uuid=INSTANCE,
                instance_info={"display_name": "web-1"},
                resource_class="baremetal",
            ),
        ),
        left_out=(),
    )


def test_a_bare_node() -> None:
    made = make(NodeRow(id=1), manager="fake.FakePowerManager")
    (node,) = made.nodes
    assert node == PlannedNode(
        legacy_id=1,
        uuid=node.uuid,
        target=Target.AVAILABLE,
        driver="fake-hardware",
        driver_info={},
        properties={"cpu_arch": "x86_64"},
        extra={"nova_baremetal": {"id": 1}},
        ports=(),
        resource_class="baremetal",
        remarks=(f"no UUID in the database: {node.uuid} is computed", NO_PORT),
    )


def test_columns_of_grizzly_are_kept() -> None:
    node = planned(row(prov_vlan_id=0, registration_status="done", prov_mac_address=MAC))
    assert facts(node) == {
        "id": 42,
        "prov_vlan_id": 0,
        "registration_status": "done",
        "prov_mac_address": MAC,
    }


def test_the_same_rows_give_the_same_plan() -> None:
    def once() -> Plan:
        return make(
            row(uuid=None), row(43, uuid="junk"), interface(), interface(8, OTHER_MAC.upper())
        )

    assert once() == once()


# Identity


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (UUID.upper(), UUID),
        (UUID.replace("-", ""), UUID),
        (f"{{{UUID}}}", UUID),
        (f"urn:uuid:{UUID}", UUID),
        (f"{UUID} ", UUID),
    ],
)
def test_uuids_get_ironics_spelling(written: str, kept: str) -> None:
    node = planned(row(uuid=written), interface())
    assert node.uuid == kept
    assert node.remarks == (f"uuid {written!r} becomes {kept}",)
    assert "uuid" not in facts(node)


@pytest.mark.parametrize("written", [None, ""])
def test_a_uuid_is_computed_where_there_is_none(written: str | None) -> None:
    node = planned(row(uuid=written), interface())
    assert node.uuid == "f73d13a1-6d08-5b69-b848-a46dec2bcede"
    assert node.remarks == (f"no UUID in the database: {node.uuid} is computed",)
    assert "uuid" not in facts(node)


@pytest.mark.parametrize("written", ["node-42", UUID[:-1], UUID.replace("1be26c0b", "0x1be26c")])
def test_a_uuid_is_computed_for_what_is_none(written: str) -> None:
    node = planned(row(uuid=written), interface())
    assert node.uuid == planned(row(uuid=None), interface()).uuid
    assert node.remarks == (f"uuid {written!r} is no UUID: {node.uuid} is computed",)
    assert facts(node)["uuid"] == written


def test_a_computed_uuid_is_that_of_the_id_and_the_macs() -> None:
    first = planned(row(uuid=None), interface(7), interface(8, OTHER_MAC))
    grizzly = planned(row(uuid=None, prov_mac_address=MAC), interface(8, "525400CF2D32"))
    assert first.uuid == grizzly.uuid
    assert first.uuid != planned(row(uuid=None), interface(7)).uuid
    assert first.uuid != planned(row(43, uuid=None), interface(7, bm_node_id=43)).uuid


def test_an_override_finds_a_node_by_its_computed_uuid() -> None:
    computed = planned(row(uuid=None), interface()).uuid
    mapping = NodeMapping(nodes={computed: Override(name="rack-1")})
    assert planned(row(uuid=None), interface(), mapping=mapping).name == "rack-1"


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        ((row(1, uuid=UUID), row(2, uuid=UUID.upper())), 1),
        ((row(1, uuid=UUID), row(2, uuid=UUID.upper(), instance_uuid=INSTANCE)), 2),
    ],
    ids=["the first", "the one with an instance"],
)
def test_of_nodes_with_one_uuid_one_is_kept(rows: tuple[NodeRow, ...], kept: int) -> None:
    mapping = for_all(task_state="active")
    made = make(*rows, mapping=mapping)
    assert [node.legacy_id for node in made.nodes] == [kept]
    reason = f"node {kept} has the same UUID: correct it in bm_nodes"
    assert made.left_out == (LeftOut(3 - kept, UUID, (reason,)),)


def test_an_id_that_the_legacy_api_cannot_serve() -> None:
    node = planned(row(-1), interface(bm_node_id=-1))
    assert node.remarks == ("id -1 is none that the legacy API serves: not carried",)
    assert "id" not in facts(node)


# Sizes


@pytest.mark.parametrize("name", ["cpus", "memory_mb", "local_gb"])
def test_sizes(name: str) -> None:
    def with_size(size: Any) -> PlannedNode:
        return planned(row(**{name: size}), interface())

    assert with_size(0).properties == {"cpu_arch": "x86_64", name: 0}
    assert with_size(0).remarks == with_size(None).remarks == ()
    negative = with_size(-1)
    assert negative.properties == {"cpu_arch": "x86_64"}
    assert negative.remarks == (f"{name} -1 is no size: not carried",)


def test_what_could_not_be_read_is_told() -> None:
    node = planned(row(unreadable=("cpus", "updated_at")), interface(unreadable=("port_no",)))
    assert node.remarks == (
        "cpus cannot be read: not carried",
        "updated_at cannot be read: not carried",
        "interface 7: port_no cannot be read, not carried",
    )


def test_the_mappings_properties_go_last() -> None:
    mapping = for_all(properties={"cpus": 16, "capabilities": "boot_mode:uefi"})
    node = planned(row(cpus=8, local_gb=5), interface(), mapping=mapping)
    assert node.properties == {
        "cpu_arch": "x86_64",
        "cpus": 16,
        "local_gb": 5,
        "capabilities": "boot_mode:uefi",
    }


ASSUMED = "no architecture is given: x86_64 is assumed (--cpu-arch)"


@pytest.mark.parametrize(
    ("mapped", "argument", "nova_conf", "arch", "remarks"),
    [
        ("aarch64", "ppc64le", "i686", "aarch64", ()),
        (None, "ppc64le", "i686", "ppc64le", ()),
        (None, None, "i686", "i686", ()),
        ("aarch64", None, None, "aarch64", ()),
        (None, None, None, "x86_64", (ASSUMED,)),
    ],
)
def test_the_architecture(
    mapped: str | None,
    argument: str | None,
    nova_conf: str | None,
    arch: str,
    remarks: tuple[str, ...],
) -> None:
    mapping = for_all(properties={"cpu_arch": mapped} if mapped else {})
    options = BaremetalOptions(cpu_arch=nova_conf)
    made = plan.make(nova_bm(row()), options, mapping, cpu_arch=argument)
    assert made.nodes[0].properties["cpu_arch"] == arch
    assert made.remarks == remarks


# Instances


@pytest.mark.parametrize(
    ("state", "mapped"), [("active", None), ("active", "active"), ("error", "active")]
)
def test_an_instance_is_adopted_if_it_runs(state: str, mapped: str | None) -> None:
    rows = row(task_state=state, instance_uuid=INSTANCE), interface()
    node = planned(*rows, mapping=for_all(task_state=mapped))
    assert node.target == Target.ACTIVE
    assert node.instance_uuid == INSTANCE
    assert node.instance_info == {}
    assert facts(node)["task_state"] == state
    assert node.remarks == ()


@pytest.mark.parametrize(
    "state",
    [None, "building", "deploying", "deploy failed", "deploy complete", "prepared", "deleted",
     "error", "initializing", "what is this"],
)  # fmt: skip
def test_an_instance_in_another_state_is_left_alone(state: str | None) -> None:
    written = repr(state) if state else "NULL"
    assert left_out(row(task_state=state, instance_uuid=INSTANCE), interface()) == (
        f"task_state {written} with instance {INSTANCE}: finish or delete the instance in nova "
        "or, if it runs, say task_state: active in the mapping",
    )


@pytest.mark.parametrize("state", [None, "", "deleted"])
def test_a_free_node(state: str | None) -> None:
    node = planned(row(task_state=state, instance_name="was-here"), interface())
    assert node.target == Target.AVAILABLE
    assert (node.instance_uuid, node.instance_info) == (None, {})
    assert facts(node)["instance_name"] == "was-here"
    assert node.remarks == ()


@pytest.mark.parametrize(
    "state",
    ["active", "building", "deploying", "deploy failed", "deploy complete", "prepared", "error",
     "initializing", "what is this"],
)  # fmt: skip
def test_a_free_node_in_an_odd_state(state: str) -> None:
    node = planned(row(task_state=state), interface())
    assert node.target == Target.AVAILABLE
    assert node.remarks == (
        f"task_state {state!r} without an instance: look at the machine before it is used",
    )
    looked_at = for_all(task_state="deleted")
    assert planned(row(task_state=state), interface(), mapping=looked_at).remarks == ()


def test_an_instance_uuid_gets_ironics_spelling() -> None:
    node = planned(row(task_state="active", instance_uuid=INSTANCE.upper()), interface())
    assert node.instance_uuid == INSTANCE
    assert node.remarks == (f"instance_uuid '{INSTANCE.upper()}' becomes {INSTANCE}",)


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"instance_uuid": "instance-1"}, "'instance-1' is no UUID"),
        ({"instance_uuid": " "}, "' ' is no UUID"),
        ({"unreadable": ("instance_uuid",)}, "cannot be read"),
    ],
)
def test_an_instance_uuid_that_is_none(columns: dict[str, Any], what: str) -> None:
    """There may be an instance: the node must not become available."""
    assert left_out(row(task_state="active", **columns), interface()) == (
        f"instance_uuid {what}: correct it in bm_nodes",
    )


def test_an_instance_on_several_nodes_is_on_none() -> None:
    made = make(
        row(1, **RUNNING),
        row(2, **{**RUNNING, "instance_uuid": INSTANCE.upper()}),
        row(3, **RUNNING),
    )
    assert made.nodes == ()
    assert [each.reasons for each in made.left_out] == [
        (f"instance {INSTANCE} is on node 2, node 3 too: correct it in bm_nodes",),
        (f"instance {INSTANCE} is on node 1, node 3 too: correct it in bm_nodes",),
        (f"instance {INSTANCE} is on node 1, node 2 too: correct it in bm_nodes",),
    ]


def test_all_reasons_are_given() -> None:
    assert left_out(row(instance_uuid="x", pm_user=None), interface(), manager=VIRTUAL) == (
        f"Ironic has no counterpart of {VIRTUAL}: the mapping must give a driver and its "
        "driver_info (redfish with sushy-tools, or ipmi with VirtualBMC)",
        "instance_uuid 'x' is no UUID: correct it in bm_nodes",
    )


# What is not a node's


def test_what_the_mapping_and_the_argument_give() -> None:
    mapping = NodeMapping(
        defaults=Override(owner="infra"),
        nodes={UUID: Override(resource_class="gpu", name="rack-1", lessee="research")},
    )
    made = make(row(), row(43), mapping=mapping, resource_class="gold")
    assert [(n.resource_class, n.name, n.owner, n.lessee) for n in made.nodes] == [
        ("gpu", "rack-1", "infra", "research"),
        ("gold", None, "infra", None),
    ]


def test_a_name_is_given_once() -> None:
    mapping = NodeMapping(nodes={"42": Override(name="rack-1"), "43": Override(name="rack-1")})
    made = make(row(), row(43), mapping=mapping)
    assert [node.legacy_id for node in made.nodes] == [42]
    assert made.left_out[0].reasons == ("the mapping gives node 42 the same name, 'rack-1'",)


def test_what_the_mapping_has_in_vain() -> None:
    made = make(row(), mapping=NodeMapping(nodes={"42": Override(), "99": Override()}))
    assert made.remarks == ("the mapping has 99, which is no live node",)


def test_remarks_on_the_database() -> None:
    database = nova_bm(
        row(),
        interface(),
        interface(8, OTHER_MAC.upper(), bm_node_id=99),
        interface(9, None, bm_node_id=None),
        interface(10, "52:54:00:cf:2d:33", bm_node_id=5),
        interface(11, "52:54:00:cf:2d:34", bm_node_id=6),
        schema_version=None,
        deleted_node_ids=frozenset({5, 6}),
        pxe_ips=12,
    )
    made = plan.make(database, BaremetalOptions(), NodeMapping(), cpu_arch="x86_64")
    assert made.remarks == (
        "the database has no schema version (table migrate_version): make sure it is nova_bm",
        "addresses in bm_pxe_ips, for which Ironic has no place: 12",
        f"interface 8 ({OTHER_MAC}) belongs to node 99, which is not there: not carried",
        "interface 9 (no address) belongs to no node: not carried",
        "interfaces of deleted nodes, not carried: 2",
    )
    assert [port.address for port in made.nodes[0].ports] == [MAC]


# Some nodes only


@pytest.mark.parametrize(
    ("only", "ids"),
    [
        ((), [41, 42, 43]),
        (("42",), [42]),
        ((UUID,), [42]),
        ((UUID.upper().replace("-", ""),), [42]),
        (("42", "43", UUID), [42, 43]),
    ],
)
def test_a_plan_for_some_is_a_part_of_the_plan_for_all(
    only: tuple[str, ...], ids: list[int]
) -> None:
    rows = (
        row(41),
        row(),
        row(43, pm_user=None),
        interface(6, bm_node_id=41),
        interface(7),
        interface(8, bm_node_id=43),
    )
    whole, part = make(*rows), make(*rows, only=only)
    assert part.nodes == tuple(each for each in whole.nodes if each.legacy_id in ids)
    assert part.left_out == tuple(each for each in whole.left_out if each.legacy_id in ids)
    assert len(part.nodes) + len(part.left_out) == len(ids)


def test_a_plan_for_what_is_not_there() -> None:
    with pytest.raises(PlanError) as caught:
        make(row(), only=("42", "99", OTHER_UUID))
    assert str(caught.value) == f"The database has no live node 99, {OTHER_UUID}."


# All of it


def test_no_secret_is_in_a_text() -> None:
    made = make(
        row(pm_address=None),
        row(43, unreadable=("pm_password",)),
        interface(),
        mapping=for_all(driver_info={"ipmi_hex_kg_key": PASSWORD}),
    )
    assert made.nodes
    assert made.left_out
    assert PASSWORD not in repr(made)


def test_a_big_fleet_takes_no_time() -> None:
    rows = [row(number, pm_address=f"bmc-{number}") for number in range(1, 1201)]
    interfaces = [
        interface(
            2 * number + second,
            f"52:54:00:{second:02x}:{number // 256:02x}:{number % 256:02x}",
            bm_node_id=number,
        )
        for number in range(1, 1201)
        for second in (0, 1)
    ]
    began = time.process_time()
    made = make(*rows, *interfaces)
    assert time.process_time() - began < 1
    assert len(made.nodes) == 1200
    assert all(len(node.ports) == 2 and not node.remarks for node in made.nodes)


def test_every_column_is_carried() -> None:
    """A column that is added to the row must be dealt with here."""
    columns = {
        "id": 42, "uuid": UUID, "created_at": datetime(2013, 1, 1),
        "updated_at": datetime(2013, 1, 2), "cpus": 3, "memory_mb": 4, "local_gb": 5,
        "pm_address": "address", "pm_user": "user", "pm_password": PASSWORD,
        "terminal_port": 6, "service_host": "host", "task_state": "active",
        "instance_uuid": INSTANCE, "instance_name": "instance", "image_path": "image",
        "pxe_config_path": "config", "root_mb": 7, "swap_mb": 8, "ephemeral_mb": 9,
        "preserve_ephemeral": True, "prov_mac_address": MAC, "prov_vlan_id": 10,
        "registration_status": "status",
    }  # fmt: skip
    names = {each.name for each in dataclasses.fields(NodeRow)}
    assert set(columns) == names - {"unreadable"}
    node = planned(NodeRow(**columns))  # type: ignore[arg-type]
    carried = [
        node.uuid,
        node.instance_uuid,
        *node.driver_info.values(),
        *node.properties.values(),
        *facts(node).values(),
    ]
    times = {"created_at", "updated_at"}
    for name in names - times - {"unreadable"}:
        assert columns[name] in carried, name
    assert times <= set(facts(node))
