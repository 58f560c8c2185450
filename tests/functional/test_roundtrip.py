# SPDX-License-Identifier: Apache-2.0
"""Whatever the schemas accept, a real Ironic takes, keeps, and gives back."""

from typing import Any

from hypothesis import given, settings
from unit.strategies import NEW_INTERFACES, NEW_NODES

from .support import Api, Cloud, assert_accepted, body_of, node_of

#: Each costs a dozen requests to Ironic.
FEW = settings(max_examples=15, deadline=None)


@FEW
@given(sent=NEW_NODES)
def test_whatever_create_accepts_is_kept(cloud: Cloud, sent: dict[str, Any]) -> None:
    # Not by a fixture: it would embrace all examples.
    with cloud.restored():
        create_and_compare(cloud, sent)


def create_and_compare(cloud: Cloud, sent: dict[str, Any]) -> None:
    """Create a node; make sure that it is what was sent, also when it is shown."""
    api = cloud.api
    made = node_of(api.create(**sent))
    held = cloud.database.node(made["uuid"])

    for name in ("cpus", "memory_mb", "local_gb"):
        assert made[name] == int(sent.get(name) or 0)
    for name in ("pm_address", "pm_user", "service_host", "pxe_config_path"):
        assert made[name] == sent.get(name)
    assert held["driver_info"].get("ipmi_password") == sent.get("pm_password")
    given = [sent["prov_mac_address"]] if sent.get("prov_mac_address") else []
    assert [interface["address"] for interface in made["interfaces"]] == given
    for node_id in {made["uuid"], made["id"]}:
        shown = node_of(api.show(node_id))
        # Ironic notes the end of the last change, too.
        assert {**shown, "updated_at": made["updated_at"]} == made


@FEW
@given(sent=NEW_INTERFACES)
def test_whatever_add_interface_accepts_is_kept(cloud: Cloud, sent: dict[str, Any]) -> None:
    with cloud.restored():
        add_and_compare(cloud.api, sent)


def add_and_compare(api: Api, sent: dict[str, Any]) -> None:
    """Add an interface; make sure that it is what was sent; remove it."""
    node_id = node_of(api.create())["uuid"]
    made = body_of(api.add_interface(node_id, **sent))["interface"]

    assert made["address"] == sent["address"]
    assert node_of(api.show(node_id))["interfaces"] == [made]
    assert_accepted(api.remove_interface(node_id, id=made["id"], address=sent["address"]))
    assert node_of(api.show(node_id))["interfaces"] == []
