# SPDX-License-Identifier: Apache-2.0
"""Ironic's API as the shim uses it: operations, API versions, retries.

:class:`Ironic` lives as long as the process and connects on first use. It gives a
:class:`Connection` for each call of the API, whose methods return Ironic's JSON as plain dicts and
raise :mod:`bm_shim.errors` only, as :mod:`bm_shim.ironic_errors` has it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from ironicclient import exc
from ironicclient.v1 import client as v1
from keystoneauth1.access import AccessInfo
from keystoneauth1.session import Session
from oslo_config import cfg
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_fixed,
)

from bm_shim import errors
from bm_shim.context import RequestContext
from bm_shim.ironic_clients import Clients
from bm_shim.ironic_errors import ListMoved, Unreachable, is_foreign, translate
from bm_shim.ironic_json import JsonObject, ask, read_pages

#: The version that everything but create is spoken in: new enough for all that the shim uses, old
#: enough for every Ironic since Victoria.
API_VERSION = "1.65"

#: Up to this version a new node is available at once; later ones begin in enroll.
AVAILABLE_API_VERSION = "1.10"

#: The version of questions about versions, which every Ironic speaks.
_FIRST_API_VERSION = "1.1"

#: A project that nobody is in, a node that nobody has, and a driver that nobody writes.
_NOBODY = "0" * 32
_NO_NODE = "00000000-0000-0000-0000-000000000000"
_NO_DRIVER = "bm-shim-asks-what-it-may-do"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Root:
    """What Ironic tells everybody about itself; no account is needed."""

    #: The versions of the API that it speaks.
    min_version: str
    max_version: str
    #: The header ``Date`` of the answer, if there is one.
    date: str | None


class Ironic(Clients):
    """Ironic as ``[ironic]`` says, for one process. Safe to share among threads.

    :param session: as for :class:`Clients`
    :param after_write: called when a write has ended, well or not
    """

    def __init__(
        self,
        conf: cfg.ConfigOpts,
        session: Session | None = None,
        *,
        after_write: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(conf, session, version=API_VERSION)
        self.after_write = after_write

    def on_behalf(self, context: RequestContext) -> "Connection":
        """Return a connection for a call: with the caller's token where that is configured."""
        return Connection(self, context)

    def retrying(self, *, read: bool) -> Retrying:
        """Return the retry rule: reads when the connection fails, anything when locked."""
        group = self._conf.ironic
        again = (errors.NodeLocked, Unreachable, ListMoved) if read else (errors.NodeLocked,)
        return Retrying(
            retry=retry_if_exception_type(again),
            stop=stop_after_attempt(1 + group.api_max_retries)
            | stop_before_delay(group.retry_timeout),
            wait=wait_fixed(group.api_retry_interval),
            reraise=True,
        )


class Connection:
    """Ironic's API during one call of ours."""

    def __init__(self, ironic: Ironic, context: RequestContext) -> None:
        self._ironic = ironic
        self._context = context
        # Ironic logs this id beside its own, so that one search finds both services' lines.
        self._request_id = {"global_request_id": context.global_id}

    @property
    def forwards_token(self) -> bool:
        """Whether it speaks with the caller's token and rights."""
        return self._ironic.forwards_tokens

    def list_nodes(self, fields: list[str] | None) -> list[JsonObject]:
        """Return all nodes, every page.

        :param fields: which to ask for; None: whole nodes, at about twice the price
        """
        return self._list("nodes", _fields(fields))

    def list_instance_nodes(self, fields: list[str] | None) -> list[JsonObject]:
        """Return the nodes that have an instance, every page.

        :param fields: as for :meth:`list_nodes`
        """
        # One of the few filters that the links between Ironic's pages keep.
        nodes = self._list("nodes", f"associated=true&{_fields(fields)}")
        return [node for node in nodes if node.get("instance_uuid") is not None]

    def find_instance_node(self, instance_uuid: str) -> JsonObject | None:
        """Return the whole node that has this instance; None if none has.

        :param instance_uuid: in the letter case that it was recorded in; some databases do not
            mind
        """
        nodes = self._list("nodes", f"instance_uuid={instance_uuid}&{_fields(None)}")
        wanted = instance_uuid.lower()
        return next((n for n in nodes if str(n.get("instance_uuid")).lower() == wanted), None)

    def list_ports(self, fields: list[str]) -> list[JsonObject]:
        """Return the ports of all nodes, every page."""
        return self._list("ports", f"fields={','.join(fields)}")

    def list_node_ports(self, node: str, fields: list[str]) -> list[JsonObject]:
        """Return the ports of a node, given by UUID or name.

        :raises errors.NotFound: no such node
        """
        # Not "/v1/nodes/NODE/ports", which does not know names.
        query = f"node={node}&fields={','.join(fields)}"
        return self._call(lambda client, **kw: read_pages(client, "ports", query, **kw))

    def get_node(self, node: str, fields: list[str] | None = None) -> JsonObject:
        """Return the node, given by UUID or name.

        :param fields: which to ask for; None: the whole node
        :raises errors.NotFound: no such node
        """
        return self._call(lambda client, **kw: _dict(client.node.get(node, fields, **kw)))

    def create_node(self, attributes: JsonObject, *, available: bool) -> JsonObject:
        """Create a node, available at once or in enroll, and return it whole.

        :param attributes: an available one takes those of its API version only
        :raises errors.Conflict: its UUID, name or instance is taken
        """
        version = AVAILABLE_API_VERSION if available else API_VERSION
        return self._call(
            lambda client, **kw: ask(
                client, "POST", "/v1/nodes", version=version, body=attributes, **kw
            ),
            read=False,
        )

    def update_node(self, node_uuid: str, values: JsonObject) -> JsonObject:
        """Set top-level fields of a node and return it whole."""
        patch = [{"op": "add", "path": f"/{name}", "value": v} for name, v in values.items()]
        return self.patch_node(node_uuid, patch)

    def patch_node(self, node_uuid: str, patch: list[JsonObject]) -> JsonObject:
        """Apply a JSON patch to a node, all of it or nothing, and return the node whole.

        :raises errors.Conflict: its state does not allow it, or a unique value is taken
        """
        return self._call(
            lambda client, **kw: _dict(client.node.update(node_uuid, patch, **kw)), read=False
        )

    def release_instance(self, node_uuid: str) -> None:
        """Take the record of its instance off a node, which could not be deleted with it."""
        self.patch_node(node_uuid, [{"op": "remove", "path": "/instance_uuid"}])

    def manage_node(self, node_uuid: str) -> None:
        """Ask for the transition from enroll to manageable, and do not wait for it."""
        self.set_provision_state(node_uuid, "manage")

    def set_provision_state(self, node_uuid: str, verb: str) -> None:
        """Ask for a transition of the provision state, and do not wait for it.

        :raises errors.BadRequest: there is none of this name from the present state
        """
        self._call(
            lambda client, **kw: client.node.set_provision_state(node_uuid, verb, **kw),
            read=False,
        )

    def delete_node(self, node: str) -> None:
        """Delete a node and its ports, given by UUID or name.

        :raises errors.NotFound: no such node
        :raises errors.Conflict: its state does not allow it
        """
        self._delete(f"/v1/nodes/{node}")

    def reboot_node(self, node_uuid: str, *, soft: bool) -> None:
        """Ask for a reboot, and do not wait for it.

        :raises errors.BadRequest: the hardware, or the state of the node, does not allow it
        :raises errors.NodeLocked: at once. A later attempt could meet another instance
        """
        self._call(
            lambda client, **kw: client.node.set_power_state(node_uuid, "reboot", soft, **kw),
            read=False,
            retry=False,
        )

    def undeploy_node(self, node_uuid: str) -> None:
        """Ask for the end of the node's instance, and do not wait for it.

        :raises errors.BadRequest: the state of the node does not allow it
        :raises errors.NodeLocked: at once. A later attempt could meet another instance
        """
        self._call(
            lambda client, **kw: client.node.set_provision_state(node_uuid, "deleted", **kw),
            read=False,
            retry=False,
        )

    def create_port(self, attributes: JsonObject) -> JsonObject:
        """Create a port and return it.

        :raises errors.Conflict: its address is taken
        :raises errors.NotFound: no such node
        """
        try:
            return self._call(
                lambda client, **kw: _dict(client.port.create(**attributes, **kw)), read=False
            )
        except errors.BadRequest as error:
            # Here Ironic takes a node that does not exist for a malformed request.
            if error.message.endswith("could not be found."):
                raise errors.NotFound from error
            raise

    def patch_port(self, port_uuid: str, patch: list[JsonObject]) -> JsonObject:
        """Apply a JSON patch to a port, all of it or nothing, and return the port."""
        return self._call(
            lambda client, **kw: _dict(client.port.update(port_uuid, patch, **kw)), read=False
        )

    def delete_port(self, port_uuid: str) -> None:
        """Delete a port.

        :raises errors.NotFound: no such port
        """
        self._delete(f"/v1/ports/{port_uuid}")

    def root(self) -> Root:
        """Return what Ironic tells of itself."""

        def read(client: v1.Client, global_request_id: str) -> Root:
            headers = {
                "X-OpenStack-Request-Id": global_request_id,
                "X-OpenStack-Ironic-API-Version": _FIRST_API_VERSION,
            }
            reply: tuple[Any, Any] = client.http_client.json_request("GET", "/v1", headers=headers)
            answer, version = reply[0], reply[1]["version"]
            return Root(
                min_version=str(version["min_version"]),
                max_version=str(version["version"]),
                date=answer.headers.get("Date"),
            )

        return self._call(read)

    def max_version(self) -> str:
        """Return the newest version that this Ironic speaks: ``1.90``."""
        return self.root().max_version

    def list_drivers(self) -> list[str]:
        """Return the names of the drivers (hardware types) that some conductor has enabled."""
        return self._call(
            lambda client, **kw: [
                str(each["name"]) for each in ask(client, "GET", "/v1/drivers", **kw)["drivers"]
            ]
        )

    def may_list_all_nodes(self) -> bool:
        """Ask Ironic whether the account sees the whole fleet.

        A list would not tell: who lacks the right gets a part of it, or nothing, with status 200.
        A list of a stranger's project, though, is refused to them and empty for the others.
        """
        return self._may("GET", f"/v1/nodes?project={_NOBODY}&fields=uuid&limit=1")

    def may_show_nodes(self) -> bool:
        """Ask Ironic whether the account may show a node that it may list.

        To those who may not, Ironic says that there is no such node.
        """
        listed = self._first_node()
        try:
            if listed is not None:
                self.get_node(listed, ["uuid"])
        except errors.NotFound:
            # Unless it has just been deleted.
            return self._first_node() != listed
        return True

    def may_create_ports(self) -> bool:
        """Ask Ironic whether the account may give ports to any node, without making one.

        Ironic looks at the right before it finds that the node does not exist.
        """
        body = {"node_uuid": _NO_NODE, "address": "00:00:00:00:00:00"}
        return self._may("POST", "/v1/ports", exc.BadRequest, exc.NotFound, body=body)

    def may_create_nodes(self) -> bool:
        """Ask Ironic whether the account may create nodes, without making one.

        Ironic looks at the right before it finds that no conductor has such a driver.
        """
        return self._may("POST", "/v1/nodes", exc.BadRequest, body={"driver": _NO_DRIVER})

    def own_roles(self) -> frozenset[str]:
        """Return the names of the roles that our account's token has; empty without Keystone."""
        access = self._own_access()
        return frozenset(access.role_names or ()) if access else frozenset()

    def own_project(self) -> str | None:
        """Return the id of the project that our account's token is for; None: it is for none."""
        access = self._own_access()
        return access.project_id if access else None

    def _first_node(self) -> str | None:
        """Return the UUID of the node that Ironic lists first; None if there are none."""

        def read(client: v1.Client, **kw: Any) -> str | None:
            nodes = ask(client, "GET", "/v1/nodes?fields=uuid&limit=1", **kw)["nodes"]
            return str(nodes[0]["uuid"]) if nodes else None

        return self._call(read)

    def _own_access(self) -> AccessInfo | None:
        """Return what Keystone says of our account; None without Keystone."""

        def read(client: v1.Client, **kw: Any) -> AccessInfo | None:
            session = client.http_client.session
            get_access = getattr(session.auth, "get_access", None)
            access: AccessInfo | None = get_access(session) if get_access else None
            return access

        return self._call(read)

    def _may(self, method: str, path: str, *passed: type[exc.HttpError], **kwargs: Any) -> bool:
        """Ask for something and return whether that is allowed.

        :param passed: what Ironic answers after it has looked at the right
        """

        def try_it(client: v1.Client, **kw: str) -> bool:
            try:
                ask(client, method, path, **kw, **kwargs)
            except exc.Forbidden:
                return False
            except passed as error:
                if is_foreign(error):
                    raise
            return True

        return self._call(try_it)

    def _delete(self, path: str) -> None:
        """Delete what is at a path. The client's own delete takes any answer for a success."""

        def delete(client: v1.Client, global_request_id: str) -> None:
            headers = {"X-OpenStack-Request-Id": global_request_id}
            response = client.http_client.raw_request("DELETE", path, headers=headers)
            if response.status_code != HTTPStatus.NO_CONTENT:
                raise ValueError(f"the answer to DELETE is {response.status_code}")

        self._call(delete, read=False)

    def _list(self, key: str, query: str) -> list[JsonObject]:
        def read(client: v1.Client, **kwargs: str) -> list[JsonObject]:
            try:
                return read_pages(client, key, query, **kwargs)
            except exc.NotFound as error:
                if is_foreign(error):
                    raise
                detail = f"Ironic's list could not be read to its end: {error.message!r}"
                raise ListMoved(detail=detail) from error

        return self._call(read)

    def _call(self, function: Callable[..., _T], *, read: bool = True, retry: bool = True) -> _T:
        """Call ``function(client, global_request_id=...)`` under the retry and error rules."""

        def ask_once() -> _T:
            return function(self._ironic.client_for(self._context), **self._request_id)

        def attempt() -> _T:
            try:
                return ask_once() if self.forwards_token else _with_good_token(ask_once)
            except errors.ShimError:
                raise
            except Exception as error:
                raise translate(error, forwards_token=self.forwards_token) from error

        try:
            return self._ironic.retrying(read=read)(attempt) if retry else attempt()
        finally:
            if not read:
                self._ironic.after_write()


def _with_good_token(ask_once: Callable[[], _T]) -> _T:
    """Ask again when a token of ours turned out to be no good.

    Of several threads that are told so, keystoneauth lets only the first try another one.
    """
    try:
        return ask_once()
    except exc.Unauthorized:
        return ask_once()


def _fields(fields: list[str] | None) -> str:
    """Return the part of a query that says which fields to show; None: all."""
    return "detail=True" if fields is None else f"fields={','.join(fields)}"


def _dict(resource: Any) -> JsonObject:
    return dict(resource.to_dict())
