# SPDX-License-Identifier: Apache-2.0
"""What to use instead of each operation: the native command, and the native request."""

import re
from dataclasses import dataclass

from bm_shim import policy
from bm_shim.callers.log import Call

#: Clients that look before they ask, and whatever else is no operation.
DISCOVERY = "discovery"
UNKNOWN = "unknown"

_NODES = re.compile(r"/os-baremetal-nodes(?P<node>/[^/]+)?(?P<action>/action)?$")
_DISCOVERY = re.compile(r"/extensions(/[^/]+)?$|/v(1\.1|2|2\.1)(/[0-9a-f-]{32,36})?/?$|^/$")

#: An action of which the line does not say which one: whoever asked was not let in.
ACTION = "os_compute_api:os-baremetal-nodes:action"

_BY_ROUTE = {
    ("GET", False, False): policy.LIST,
    ("GET", True, False): policy.SHOW,
    ("POST", False, False): policy.CREATE,
    ("DELETE", True, False): policy.DELETE,
    ("POST", True, True): ACTION,
}


@dataclass(frozen=True, slots=True)
class Successor:
    """The way of today; in capitals what the caller must fill in."""

    command: str
    request: str


SUCCESSORS = {
    policy.LIST: Successor(
        "openstack baremetal node list --long",
        "GET /v1/nodes?fields=uuid,name,instance_uuid,properties,provision_state",
    ),
    policy.SHOW: Successor("openstack baremetal node show NODE", "GET /v1/nodes/NODE"),
    policy.CREATE: Successor(
        "openstack baremetal node create --driver ipmi --driver-info ipmi_address=ADDRESS "
        "--property cpus=CPUS --property memory_mb=MB --property local_gb=GB",
        "POST /v1/nodes",
    ),
    policy.DELETE: Successor("openstack baremetal node delete NODE", "DELETE /v1/nodes/NODE"),
    policy.ADD_INTERFACE: Successor(
        "openstack baremetal port create --node NODE_UUID MAC", "POST /v1/ports"
    ),
    policy.REMOVE_INTERFACE: Successor(
        "openstack baremetal port delete PORT", "DELETE /v1/ports/PORT"
    ),
    ACTION: Successor("openstack baremetal port create|delete", "POST or DELETE /v1/ports"),
    # [api] serve_instances
    "os_compute_api:servers:index": Successor(
        "openstack baremetal node list --associated", "GET /v1/nodes?associated=true"
    ),
    "os_compute_api:servers:index:get_all_tenants": Successor(
        "openstack baremetal node list --associated", "GET /v1/nodes?associated=true"
    ),
    "os_compute_api:servers:detail:get_all_tenants": Successor(
        "openstack baremetal node list --associated --long", "GET /v1/nodes/detail?associated=true"
    ),
    "os_compute_api:servers:detail": Successor(
        "openstack baremetal node list --associated --long", "GET /v1/nodes/detail?associated=true"
    ),
    "os_compute_api:servers:show": Successor(
        "openstack baremetal node show --instance INSTANCE_UUID",
        "GET /v1/nodes/detail?instance_uuid=INSTANCE_UUID",
    ),
    "os_compute_api:servers:reboot": Successor(
        "openstack baremetal node reboot NODE", "PUT /v1/nodes/NODE/states/power"
    ),
    "os_compute_api:servers:delete": Successor(
        "openstack baremetal node undeploy NODE", "PUT /v1/nodes/NODE/states/provision"
    ),
    # [identity_bridge]
    "identity:tokens:create": Successor("openstack token issue", "POST /v3/auth/tokens"),
    "identity:header_login": Successor("openstack token issue", "POST /v3/auth/tokens"),
}


def name_of(operation: str) -> str:
    """Return an operation's name for people: ``list`` for nodes, ``servers:show`` for others."""
    short = operation.removeprefix("os_compute_api:")
    return short.removeprefix("os-baremetal-nodes:")


def operation_of(call: Call) -> str:
    """Return which operation a call was; by its path, if it was refused before that was noted."""
    if call.operation is not None:
        return call.operation
    if _DISCOVERY.search(call.path):
        return DISCOVERY
    if route := _NODES.search(call.path):
        key = (call.method, route["node"] is not None, route["action"] is not None)
        return _BY_ROUTE.get(key, UNKNOWN)
    return UNKNOWN
