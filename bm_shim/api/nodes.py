# SPDX-License-Identifier: Apache-2.0
"""``os-baremetal-nodes``: list, show, create, delete, and the two actions."""

from collections.abc import Callable

from flask import Blueprint, Flask, Response, request

from bm_shim import errors, policy, schemas
from bm_shim.api import microversion
from bm_shim.api.access import authorize, caller, check_project, requires, services
from bm_shim.api.representation import MALFORMED_BODY, accepted, answer, read_object
from bm_shim.formats import union

#: Until Liberty the path always named a project; since Mitaka, which had no ``/v1.1`` any more, it
#: need not.
PREFIXES = {
    "v1_1": "/v1.1/<project_id>",
    "v2": "/v2/<project_id>",
    "v2_without_project": "/v2",
    "v2_1": "/v2.1/<project_id>",
    "v2_1_without_project": "/v2.1",
}

_NEW_NODE = schemas.NewNodeSchema()
_NEW_INTERFACE = schemas.NewInterfaceSchema()
_INTERFACE_MATCH = schemas.InterfaceMatchSchema()

blueprint = Blueprint("nodes", __name__)


def init_app(app: Flask) -> None:
    """Mount the resource under every prefix."""
    for name, prefix in PREFIXES.items():
        app.register_blueprint(blueprint, name=name, url_prefix=f"{prefix}/os-baremetal-nodes")


@blueprint.before_request
def check_request() -> None:
    """Make the checks that come before policy in Nova: method, microversion, project."""
    # Nova's routes never knew HEAD.
    if request.method == "HEAD":
        raise errors.NotFound
    microversion.check()
    view_args = request.view_args or {}
    check_project(view_args.pop("project_id", None))


@blueprint.after_request
def add_headers(response: Response) -> Response:
    """Add the microversion headers."""
    return microversion.add_headers(response)


@blueprint.get("")
@requires(policy.LIST)
def list_nodes() -> Response:
    """List all nodes."""
    nodes = services().inventory.list_nodes(caller())
    return answer({"nodes": [union.node_in_list(node) for node in nodes]})


@blueprint.get("/<node_id>")
@requires(policy.SHOW)
def show_node(node_id: str) -> Response:
    """Show a node."""
    node = services().inventory.get_node(caller(), node_id)
    return answer({"node": union.node(node)})


@blueprint.post("")
@requires(policy.CREATE)
def create_node() -> Response:
    """Create a node. The old server answered 200, not 201."""
    new = schemas.load(_NEW_NODE, read_object(), "node")
    node = services().inventory.create_node(caller(), new)
    return answer({"node": union.node(node)})


@blueprint.delete("/<node_id>")
@requires(policy.DELETE)
def delete_node(node_id: str) -> Response:
    """Delete a node and its interfaces."""
    services().inventory.delete_node(caller(), node_id)
    return accepted()


@blueprint.post("/<node_id>/action")
@requires(policy.ADD_INTERFACE, policy.REMOVE_INTERFACE)
def act_on_node(node_id: str) -> Response:
    """Do the one action that the body names."""
    body = read_object()
    if len(body) != 1:
        raise errors.BadRequest(MALFORMED_BODY)
    name = next(iter(body))
    if name not in _ACTIONS:
        raise errors.BadRequest(f"There is no such action: {name}")
    rule, act = _ACTIONS[name]
    authorize(rule)
    return act(node_id, body)


def _add_interface(node_id: str, body: dict[str, object]) -> Response:
    new = schemas.load(_NEW_INTERFACE, body, "add_interface")
    interface = services().inventory.add_interface(caller(), node_id, new)
    return answer({"interface": union.interface(interface)})


def _remove_interface(node_id: str, body: dict[str, object]) -> Response:
    match = schemas.load(_INTERFACE_MATCH, body, "remove_interface")
    services().inventory.remove_interface(caller(), node_id, match)
    return accepted()


_ACTIONS: dict[str, tuple[str, Callable[[str, dict[str, object]], Response]]] = {
    "add_interface": (policy.ADD_INTERFACE, _add_interface),
    "remove_interface": (policy.REMOVE_INTERFACE, _remove_interface),
}
