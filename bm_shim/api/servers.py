# SPDX-License-Identifier: Apache-2.0
"""``servers``: the instances on Ironic's nodes. List, show, reboot, delete, and nothing else.

Bodies are JSON on all prefixes: how Nova wrote servers in XML is not known well enough to do it
again. Faults are XML where that is wanted, and requests may be.
"""

from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import quote, urlencode

from flask import Response, request

from bm_shim import errors, policy, schemas, server_query
from bm_shim.addresses import root_url
from bm_shim.api import actions, faults, microversion, prefixes
from bm_shim.api.access import (
    authorize,
    authorizes,
    caller,
    is_admin,
    note_operation,
    public,
    services,
)
from bm_shim.api.mount import resource
from bm_shim.api.representation import answer_json, read_object
from bm_shim.formats import server as form
from bm_shim.model import Instance

PATH = "/servers"

blueprint = resource("servers")
blueprint.before_request(microversion.check_offered)

_REBOOT = schemas.RebootSchema()

#: Nova's other actions on a server, Grizzly to today.
_OTHER_ACTIONS = {
    "addFixedIp", "addFloatingIp", "addSecurityGroup", "changePassword", "confirmResize",
    "createBackup", "createImage", "evacuate", "forceDelete", "injectNetworkInfo", "lock",
    "migrate", "os-getConsoleOutput", "os-getRDPConsole", "os-getSPICEConsole",
    "os-getSerialConsole", "os-getVNCConsole", "os-migrateLive", "os-resetState", "os-start",
    "os-stop", "pause", "rebuild", "removeFixedIp", "removeFloatingIp", "removeSecurityGroup",
    "rescue", "resetNetwork", "resize", "restore", "resume", "revertResize", "shelve",
    "shelveOffload", "suspend", "trigger_crash_dump", "unlock", "unpause", "unrescue", "unshelve",
}  # fmt: skip

#: What does the like, below ``openstack baremetal node``.
_COMMANDS = {
    "os-getConsoleOutput": "console show",
    "os-getSerialConsole": "console show",
    "os-start": "power on",
    "os-stop": "power off",
    "rebuild": "rebuild",
    "rescue": "rescue",
    "trigger_crash_dump": "inject nmi",
    "unrescue": "unrescue",
}

_WHAT_CAN_BE = "This service lists, shows, reboots and deletes servers, and nothing else."


@blueprint.errorhandler(errors.InstanceNotFound)
def say_which_server(error: errors.InstanceNotFound) -> Response:
    """Tell of an instance that does not exist in the words of the prefix."""
    old = prefixes.is_old(request.environ)
    error.message = form.server_not_found(error.server_id, old=old)
    return faults.render(error, request.environ)


@blueprint.get("")
@authorizes(policy.INDEX_SERVERS, policy.INDEX_ALL_SERVERS)
def list_servers() -> Response:
    """List servers: ids and names."""
    page = _page(policy.INDEX_SERVERS, policy.INDEX_ALL_SERVERS)
    here = links()
    return _answer_page(page, [form.server_in_index(each, here) for each in page.instances], PATH)


@blueprint.get("/detail")
@authorizes(policy.DETAIL_SERVERS, policy.DETAIL_ALL_SERVERS)
def list_servers_with_details() -> Response:
    """List servers with all that is known of them."""
    page = _page(policy.DETAIL_SERVERS, policy.DETAIL_ALL_SERVERS, detail=True)
    return _answer_page(page, _bodies(page.instances), f"{PATH}/detail")


@blueprint.get("/<server_id>")
@authorizes(policy.SHOW_SERVER)
def show_server(server_id: str) -> Response:
    """Show a server."""
    (body,) = _bodies([_find(server_id, policy.SHOW_SERVER)])
    return answer_json({"server": body})


@blueprint.put("/<server_id>")
@public
def update_server(server_id: str) -> Response:
    """Refuse: what an instance is called is not for its machine to say."""
    note_operation("os_compute_api:servers:update")
    read_object()
    raise errors.Forbidden(f"Servers cannot be changed here. {_WHAT_CAN_BE}")


@blueprint.delete("/<server_id>")
@authorizes(policy.DELETE_SERVER)
def delete_server(server_id: str) -> Response:
    """Delete a server; its machine becomes available again."""
    instance = _find(server_id, policy.DELETE_SERVER)
    services().inventory.instances.delete(caller(), instance)
    return _empty(HTTPStatus.NO_CONTENT)


@blueprint.post("/<server_id>/action")
@authorizes(policy.REBOOT_SERVER)
def act_on_server(server_id: str) -> Response:
    """Do the one action that there is, and say of Nova's others what to do instead."""
    body = read_object()
    action = actions.name_of(body, _OTHER_ACTIONS | {"reboot"})
    if action != "reboot":
        note_operation(f"os_compute_api:servers:{action}")
        raise errors.Forbidden(_instead_of(action))
    soft = schemas.load(_REBOOT, body, "reboot")
    instance = _find(server_id, policy.REBOOT_SERVER)
    services().inventory.instances.reboot(caller(), instance, soft=soft)
    return _empty(HTTPStatus.ACCEPTED)


def links() -> form.Links:
    """Return where the API is, as this request sees it."""
    root = root_url(request.environ)
    # The prefix, and the project if the path names one, which are as many segments as in the rule.
    rule = request.url_rule.rule if request.url_rule else ""
    route = max((each for each in prefixes.ROUTES.values() if rule.startswith(each)), key=len)
    segments = [quote(each) for each in request.path.split("/")[1 : 1 + route.count("/")]]
    return form.Links("/".join((root, *segments)), "/".join((root, *segments[1:])))


def visible(*, detail: bool = False, all_tenants: bool = False) -> list[Instance]:
    """Return the instances that a list shows to the caller.

    As in Nova, those are the instances of the caller's project, unless all are asked for. Those of
    no project are shown to administrators.
    """
    instances = services().inventory.instances.list(caller(), detail=detail)
    if all_tenants:
        return instances
    own, admin = caller().project_id, is_admin()
    return [
        each
        for each in instances
        if (admin if each.project_id is None else each.project_id == own)
    ]


def _find(server_id: str, rule: str) -> Instance:
    """Return the instance that a path names, if the caller may know of it and the rule allows.

    :raises errors.InstanceNotFound: it is somebody else's, or there is none
    :raises errors.Forbidden: the policy does not allow it
    """
    note_operation(rule)
    instance = services().inventory.instances.get(caller(), server_id)
    own = instance.project_id is not None and instance.project_id == caller().project_id
    if not (own or is_admin()):
        raise errors.InstanceNotFound(server_id)
    authorize(rule, instance.project_id)
    return instance


def _page(rule: str, rule_for_all: str, *, detail: bool = False) -> server_query.Page:
    authorize(rule)
    for name in server_query.PATTERNS:
        for pattern in request.args.getlist(name):
            server_query.check_pattern(name, pattern)
    query = schemas.load_server_query(dict(request.args.lists()))
    query = server_query.permitted(query, admin=is_admin())
    if query.all_tenants:
        authorize(rule_for_all)
    # When it was changed is a detail, too.
    detail = detail or query.changes_since is not None
    instances = visible(detail=detail, all_tenants=query.all_tenants)
    return server_query.select(instances, query, services().max_limit)


def _answer_page(page: server_query.Page, servers: list[form.JsonObject], path: str) -> Response:
    """Answer with a page of a list, and where the next one is, if there is one.

    :param path: of the list, below the prefix
    """
    body: dict[str, object] = {"servers": servers}
    if page.more:
        parameters = [each for each in request.args.items(multi=True) if each[0] != "marker"]
        query = urlencode([*sorted(parameters), ("marker", page.instances[-1].uuid)])
        body["servers_links"] = [{"rel": "next", "href": f"{links().versioned}{path}?{query}"}]
    return answer_json(body)


def _empty(status: HTTPStatus) -> Response:
    """Return a success without a body, of the type that Nova gave it in its time."""
    old = prefixes.is_old(request.environ)
    content_type = "text/html; charset=UTF-8" if old else "application/json"
    return Response(status=status, content_type=content_type)


def _bodies(instances: Iterable[Instance]) -> list[form.JsonObject]:
    here, version, admin = links(), microversion.requested(), is_admin()
    return [form.server(each, here, version=version, admin=admin) for each in instances]


def _instead_of(action: str) -> str:
    """Say that an action is not possible, and the way that there is."""
    command = _COMMANDS.get(action)
    way = f" Use Ironic itself: openstack baremetal node {command} NODE." if command else ""
    return f"The action '{action}' is not possible here. {_WHAT_CAN_BE}{way}"
