# SPDX-License-Identifier: Apache-2.0
"""Lists: complete, cheap, and steady while the fleet changes under them."""

import itertools
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bm_shim.sandbox import Sandbox

from .support import JSON, Answer, Api, Cloud, Forward, Proxy, Request, body_of, fault, within

NODES = 1500
#: Rows on a page, Ironic's [api] max_limit.
PAGE = 1000


@pytest.fixture(scope="module")
def fleet() -> Iterator[Cloud]:
    """A cloud with many nodes, two ports each."""
    with Sandbox(nodes=NODES) as sandbox:
        yield Cloud(sandbox)


@pytest.fixture(scope="module")
def proxy(fleet: Cloud) -> Iterator[Proxy]:
    with Proxy(fleet.sandbox.ironic_url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def api(fleet: Cloud, proxy: Proxy) -> Iterator[Api]:
    """The administrator at a shim that reaches Ironic through the proxy."""
    options = {
        "endpoint_override": proxy.url,
        "timeout": 20,
        "api_max_retries": 1,
        "api_retry_interval": 0.1,
        "retry_timeout": 5,
    }
    with fleet.shim("through-proxy", ironic=options) as shim:
        yield fleet.api_of(shim)


def nodes_of(api: Api) -> list[JSON]:
    """Return the nodes of a successful list."""
    ((name, nodes),) = body_of(api.list()).items()
    assert name == "nodes"
    assert isinstance(nodes, list)
    return nodes


def held_by_ironic(cloud: Cloud) -> dict[str, list[str]]:
    """Return the addresses of each node as Ironic's database has them, in order."""
    ports = cloud.database.query(
        "SELECT nodes.uuid, address FROM nodes LEFT JOIN ports ON node_id = nodes.id "
        "ORDER BY nodes.id, ports.id"
    )
    grouped = itertools.groupby(ports, key=lambda row: row["uuid"])
    return {uuid: [row["address"] for row in rows if row["address"]] for uuid, rows in grouped}


def shown(nodes: list[JSON]) -> dict[str, list[str]]:
    """Return the addresses of each node of a list, in order."""
    assert len({node["uuid"] for node in nodes}) == len(nodes)
    return {node["uuid"]: [i["address"] for i in node["interfaces"]] for node in nodes}


def test_list_is_complete_and_in_ironics_order(fleet: Cloud, api: Api) -> None:
    listed = shown(nodes_of(api))

    expected = held_by_ironic(fleet)
    assert len(expected) >= NODES - 10
    assert list(listed.items()) == list(expected.items())
    addresses = [address for each in listed.values() for address in each]
    assert len(set(addresses)) == len(addresses) == 2 * len(listed)


def test_lists_at_the_same_time_are_all_complete(fleet: Cloud, api: Api) -> None:
    with ThreadPoolExecutor(3) as pool:
        lists = list(pool.map(lambda _: shown(nodes_of(api)), range(3)))

    assert lists == [held_by_ironic(fleet)] * 3


def test_list_costs_ironic_two_reads_whatever_the_size(
    fleet: Cloud, api: Api, proxy: Proxy, sandbox: Sandbox
) -> None:
    small = Cloud(sandbox)
    with (
        small.restored(),
        Proxy(sandbox.ironic_url) as other,
        small.shim("counted", ironic={"endpoint_override": other.url}) as shim,
    ):
        small_api = small.api_of(shim)
        small_api.create(prov_mac_address="52:54:00:aa:00:01")
        other.seen.clear()
        nodes_of(small_api)
        of_small = [request.route for request in other.seen if not request.is_probe]
    proxy.seen.clear()
    listed = nodes_of(api)
    of_big = [request.route for request in proxy.seen if not request.is_probe]

    assert sorted(of_small) == ["/v1/nodes", "/v1/ports"]
    # A further read for each thousand rows; a full last page is followed by an empty one.
    assert of_big.count("/v1/nodes") == len(listed) // PAGE + 1
    assert of_big.count("/v1/ports") == 2 * len(listed) // PAGE + 1
    assert set(of_big) == set(of_small)


def test_show_costs_two_reads_by_uuid(fleet: Cloud, api: Api, proxy: Proxy) -> None:
    uuid = fleet.names()[0]
    proxy.seen.clear()

    body_of(api.show(uuid))

    paths = sorted(request.route for request in proxy.seen)
    assert paths == [f"/v1/nodes/{uuid}", "/v1/ports"]


ODD_PROPERTIES = [
    "null",
    "{}",
    '{"cpus": null, "memory_mb": null, "local_gb": null}',
    '{"cpus": "eight", "memory_mb": "", "local_gb": [1]}',
    '{"cpus": true, "memory_mb": {"size": 1}, "local_gb": 1.5}',
    '{"cpus": -1, "memory_mb": 1e400, "local_gb": "\\u0661x"}',
]
ODD_EXTRA = [
    "null",
    '{"nova_baremetal": null}',
    '{"nova_baremetal": [42]}',
    '{"nova_baremetal": {"id": "42", "terminal_port": "none", "service_host": ["a"]}}',
    '{"nova_baremetal": {"id": true, "terminal_port": {}, "pxe_config_path": 7}}',
    '{"nova_baremetal": {"id": -5}}',
    '{"nova_baremetal": {"id": 1e300}}',
    '{"nova_baremetal": {"id": 4503599627370496}}',
    '{"nova_baremetal": {"id": 1180591620717411303424}}',
]


def test_odd_properties_spoil_neither_list_nor_show(fleet: Cloud, api: Api) -> None:
    odd = dict(zip(fleet.names()[20:], ODD_PROPERTIES, strict=False))
    for uuid, text in odd.items():
        fleet.database.set_node(uuid, properties=text)

    listed = {node["uuid"]: node for node in nodes_of(api)}

    for uuid, text in odd.items():
        sizes = [listed[uuid][name] for name in ("cpus", "memory_mb", "local_gb", "disk_gb")]
        assert [type(size) for size in sizes] == [int] * 4
        assert sizes == [-1 if "-1" in text else 0, 0, 0, 0]
        shown_node = body_of(api.show(uuid))["node"]
        assert {**listed[uuid], "updated_at": shown_node["updated_at"]} == shown_node


def test_odd_extra_spoils_neither_list_nor_show(fleet: Cloud, api: Api) -> None:
    odd = dict(zip(fleet.names()[40:], ODD_EXTRA, strict=False))
    for uuid, text in odd.items():
        fleet.database.set_node(uuid, extra=text, driver_info="null")
        fleet.database.query(
            "UPDATE ports SET extra = ? WHERE node_id = (SELECT id FROM nodes WHERE uuid = ?)",
            text,
            uuid,
        )

    listed = {node["uuid"]: node for node in nodes_of(api)}

    for uuid in odd:
        node = listed[uuid]
        assert node["id"] == uuid
        assert node["service_host"] is None
        assert node["terminal_port"] is None
        assert node["pxe_config_path"] in (None, "7")
        assert [i["address"] for i in node["interfaces"]] == held_by_ironic(fleet)[uuid]
        assert all(2**52 <= i["id"] < 2**53 for i in node["interfaces"])
        shown_node = body_of(api.show(uuid))["node"]
        assert {**node, "updated_at": shown_node["updated_at"]} == shown_node


def test_two_nodes_with_one_recorded_id_are_both_listed(fleet: Cloud, api: Api) -> None:
    first, second = fleet.names()[5:7]
    for uuid in (first, second):
        fleet.database.set_node(uuid, extra=json.dumps({"nova_baremetal": {"id": 77}}))

    same = [node["uuid"] for node in nodes_of(api) if node["id"] == 77]

    assert same == [first, second]
    assert body_of(api.show(77))["node"]["uuid"] == first


def delete(cloud: Cloud, uuid: str) -> None:
    """Delete a node in Ironic, whatever its state."""
    cloud.delete_nodes({uuid})


def test_ports_of_a_node_that_vanished_meanwhile_are_left_out(
    fleet: Cloud, api: Api, proxy: Proxy
) -> None:
    doomed = fleet.names()[10]
    ports_read = threading.Event()

    def rule(request: Request, forward: Forward) -> Answer:
        if request.is_list("nodes"):
            if "marker" not in request.path:
                assert ports_read.wait(15)
                delete(fleet, doomed)
            return forward()
        answer = forward()
        if request.is_list("ports") and b'"next"' not in answer.body:
            ports_read.set()
        return answer

    with proxy.ruled_by(rule):
        listed = shown(nodes_of(api))

    assert ports_read.is_set()
    assert doomed not in listed
    assert listed == held_by_ironic(fleet)


def test_node_that_vanished_after_it_was_read_does_no_harm(
    fleet: Cloud, api: Api, proxy: Proxy
) -> None:
    before = held_by_ironic(fleet)
    doomed = fleet.names()[10]
    nodes_read = threading.Event()

    def rule(request: Request, forward: Forward) -> Answer:
        if request.is_list("ports") and "marker" not in request.path:
            assert nodes_read.wait(15)
            delete(fleet, doomed)
            return forward()
        answer = forward()
        if request.is_list("nodes") and b'"next"' not in answer.body:
            nodes_read.set()
        return answer

    with proxy.ruled_by(rule):
        listed = shown(nodes_of(api))

    assert listed == {**before, doomed: []}
    assert shown(nodes_of(api)) == held_by_ironic(fleet)


@pytest.mark.parametrize("what", ["nodes", "ports"])
def test_list_begins_again_when_the_row_between_two_pages_vanishes(
    fleet: Cloud, api: Api, proxy: Proxy, what: str
) -> None:
    deleted: list[str] = []

    def rule(request: Request, forward: Forward) -> Answer:
        if request.is_list(what) and "marker=" in request.path and not deleted:
            marker = request.path.partition("marker=")[2].partition("&")[0]
            (row,) = fleet.database.query(
                "SELECT uuid FROM nodes WHERE uuid = ? "
                "OR id = (SELECT node_id FROM ports WHERE uuid = ?)",
                marker,
                marker,
            )
            deleted.append(row["uuid"])
            delete(fleet, row["uuid"])
        return forward()

    with proxy.ruled_by(rule):
        listed = shown(nodes_of(api))

    (gone,) = deleted
    now = held_by_ironic(fleet)
    # The other of the two lists may have been read before.
    assert {**listed, gone: []} == {**now, gone: []}


def test_list_that_never_comes_to_its_end_is_given_up(
    fleet: Cloud, api: Api, proxy: Proxy
) -> None:
    def rule(request: Request, forward: Forward) -> Answer:
        if request.is_list("nodes") and "marker=" in request.path:
            return Answer.ironic_error(404, "Node nobody could not be found.")
        return forward()

    with proxy.ruled_by(rule), within(5):
        response = api.list()

    assert "nobody" not in fault(response, 503)
    assert int(response.headers["Retry-After"]) > 0
    log = (fleet.sandbox.state_dir / "through-proxy.log").read_text()
    assert "Ironic's list could not be read to its end" in log
    body_of(api.list())
