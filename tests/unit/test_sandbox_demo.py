# SPDX-License-Identifier: Apache-2.0
import re
import uuid
from collections import Counter

from bm_shim.sandbox.demo import describe_node, describe_ports

NODES = [describe_node(number) for number in range(1, 1501)]
PORTS = [port for number in range(1, 1501) for port in describe_ports(number)]


def test_the_fleet_is_the_same_each_time() -> None:
    assert describe_node(7) == NODES[6]
    assert NODES[0]["uuid"] == "2d5f475c-8672-5416-aaa6-e1403256b432"


def test_identities_are_unique() -> None:
    assert [node["name"] for node in NODES[:2]] == ["demo-0001", "demo-0002"]
    for key in ("uuid", "name"):
        assert len({node[key] for node in NODES}) == 1500
    for key in ("uuid", "address"):
        assert len({port[key] for port in PORTS}) == 3000
    assert len({node["driver_info"]["ipmi_address"] for node in NODES}) == 1500


def test_addresses_are_in_ironics_spelling() -> None:
    pattern = re.compile(r"52:54:00(:[0-9a-f]{2}){3}")
    assert all(pattern.fullmatch(port["address"]) for port in PORTS)


def test_states_are_mixed_and_plausible() -> None:
    states = Counter(node["provision_state"] for node in NODES)
    assert states["available"] > 1000
    assert min(states[state] for state in ("active", "manageable", "enroll")) >= 75
    for node in NODES:
        assert (node["provision_state"] == "active") == (node["instance_uuid"] is not None)
        if node["instance_uuid"]:
            uuid.UUID(node["instance_uuid"])
    assert states["active"] == len({node["instance_uuid"] for node in NODES}) - 1


def test_a_small_fleet_shows_more_than_one_state() -> None:
    assert len({node["provision_state"] for node in NODES[:5]}) > 1
