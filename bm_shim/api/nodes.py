# SPDX-License-Identifier: Apache-2.0
"""``os-baremetal-nodes``: list, show, create, delete, and the two actions."""

from collections.abc import Callable

from flask import Response, request

from bm_shim import errors, policy, schemas
from bm_shim.api import actions, faults, leaving, microversion
from bm_shim.api.access import authorize, authorizes, caller, dialect, public, requires, services
from bm_shim.api.mount import resource
from bm_shim.api.representation import (
    accepted,
    answer,
    read,
    read_object,
    wanted,
    write,
)

_NEW_NODE = schemas.NewNodeSchema()
_NEW_INTERFACE = schemas.NewInterfaceSchema()
_INTERFACE_MATCH = schemas.InterfaceMatchSchema()

PATH = "/os-baremetal-nodes"

blueprint = resource("nodes", only_old={"PUT"})


@blueprint.before_request
def refuse_writes() -> None:
    """With ``[api] read_only``, answer writes as Nova's proxy does, before policy is looked at.

    The body must be readable all the same, and the version one that has the API.
    """
    if not services().read_only or request.method not in ("POST", "DELETE"):
        return
    command = _command_instead()
    microversion.check_reach()
    raise errors.BadRequest(
        f"Command not supported. Please use Ironic command {command} to perform this action."
    )


blueprint.before_request(microversion.check_reach)
blueprint.after_request(leaving.add_headers)


@blueprint.errorhandler(errors.NodeNotFound)
def say_which_node(error: errors.NodeNotFound) -> Response:
    """Tell of a node that does not exist in the words of the dialect."""
    error.message = dialect().node_not_found(error.node_id)
    return faults.render(error, request.environ)


@blueprint.get("")
@requires(policy.LIST)
def list_nodes() -> Response:
    """List all nodes."""
    form, media_type, max_age = dialect(), wanted(request.environ), services().list_max_age
    listing = services().inventory.list_nodes(
        caller(), detail=form.UPDATED_AT_IN_LIST, max_age=max_age
    )

    def body() -> bytes:
        return write({"nodes": [form.node_in_list(node) for node in listing.nodes]}, media_type)

    # Written once for all who share the listing: for a big fleet, that is most of the work.
    response = Response(listing.body((form, media_type), body), content_type=media_type)
    if max_age:
        response.headers["Age"] = str(int(listing.age))
    return response


@blueprint.get("/<node_id>")
@requires(policy.SHOW)
def show_node(node_id: str) -> Response:
    """Show a node."""
    node = services().inventory.get_node(caller(), node_id)
    leaving.point_to(node.uuid)
    return answer({"node": dialect().node(node)})


@blueprint.post("")
@requires(policy.CREATE)
def create_node() -> Response:
    """Create a node. The old server answered 200, not 201."""
    new = schemas.load(_NEW_NODE, read_object(), "node")
    node = services().inventory.create_node(caller(), new)
    leaving.point_to(node.uuid)
    return answer({"node": dialect().node(node)})


@blueprint.delete("/<node_id>")
@requires(policy.DELETE)
def delete_node(node_id: str) -> Response:
    """Delete a node and its interfaces."""
    services().inventory.delete_node(caller(), node_id)
    return accepted()


@blueprint.put("/<node_id>")
@public
def update_node(node_id: str) -> Response:
    """Refuse: there never was an update. Until Juno, though, there was a route for it."""
    raise actions.unknown("update")


@blueprint.post("/<node_id>/action")
@authorizes(policy.ADD_INTERFACE, policy.REMOVE_INTERFACE)
def act_on_node(node_id: str) -> Response:
    """Do the one action that the body names.

    What is wrong with the body is said before the node is looked for, which is up to Ironic.
    The old server did it the other way round, and answered 404 where this is 400.
    """
    body = read_object()
    rule, act = _ACTIONS[actions.name_of(body, _ACTIONS)]
    authorize(rule)
    return act(node_id, body)


def _command_instead() -> str:
    """Return the command of Ironic's client that does what the request asks for.

    :raises errors.BadRequest: the body cannot be read, or names no action
    """
    if request.method == "DELETE":
        return "node-delete"
    if (request.view_args or {}).get("node_id"):
        action = actions.name_of(read_object(), _ACTIONS)
        return "port-create" if action == "add_interface" else "port-delete"
    if request.get_data():
        # Whatever it holds.
        read()
    return "node-create"


def _add_interface(node_id: str, body: dict[str, object]) -> Response:
    new = schemas.load(_NEW_INTERFACE, body, "add_interface")
    interface = services().inventory.add_interface(caller(), node_id, new)
    return answer({"interface": dialect().interface(interface)})


def _remove_interface(node_id: str, body: dict[str, object]) -> Response:
    match = schemas.load(_INTERFACE_MATCH, body, "remove_interface")
    services().inventory.remove_interface(caller(), node_id, match)
    return accepted()


_ACTIONS: dict[str, tuple[str, Callable[[str, dict[str, object]], Response]]] = {
    "add_interface": (policy.ADD_INTERFACE, _add_interface),
    "remove_interface": (policy.REMOVE_INTERFACE, _remove_interface),
}
