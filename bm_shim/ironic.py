# SPDX-License-Identifier: Apache-2.0
"""The client of Ironic: session, account, API versions, timeouts, retries.

:class:`Ironic` lives as long as the process and connects on first use. It gives a
:class:`Connection` for each call of the API, whose methods return Ironic's JSON as plain dicts and
raise :mod:`bm_shim.errors` only, as :mod:`bm_shim.ironic_errors` has it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ironicclient import exc
from ironicclient.v1 import client as v1
from keystoneauth1 import loading, token_endpoint
from keystoneauth1.session import Session, TCPKeepAliveAdapter
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
from bm_shim.ironic_errors import ListMoved, Unreachable, translate

#: The version that everything but create is spoken in: new enough for all that the shim uses, old
#: enough for every Ironic since Victoria.
API_VERSION = "1.65"

#: Up to this version a new node is available at once; later ones begin in enroll.
AVAILABLE_API_VERSION = "1.10"

#: How many connections are kept: two for each thread of a worker, since reads come in pairs.
_CONNECTIONS = 128

#: A project that nobody is in, and a node that nobody has.
_NOBODY = "0" * 32
_NO_NODE = "00000000-0000-0000-0000-000000000000"

JsonObject = dict[str, Any]
_T = TypeVar("_T")


class Ironic:
    """Ironic as ``[ironic]`` says, for one process. Safe to share among threads.

    :param after_write: called when a write has ended, well or not
    """

    def __init__(
        self, conf: cfg.ConfigOpts, *, after_write: Callable[[], None] = lambda: None
    ) -> None:
        self._conf = conf
        self.after_write = after_write
        self._client: v1.Client | None = None

    def on_behalf(self, context: RequestContext) -> "Connection":
        """Return a connection for a call: with the caller's token where that is configured."""
        return Connection(self, context)

    @property
    def forwards_tokens(self) -> bool:
        """Whether calls are made with the caller's token, not with the account of ``[ironic]``."""
        return bool(self._conf.ironic.forward_user_token)

    def client_for(self, context: RequestContext) -> v1.Client:
        """Return the client to use for a call; the first one asks Keystone for the endpoint.

        :raises keystoneauth1.exceptions.ClientException: account or catalogue are not in order
        """
        client = self._own_client()
        if not self.forwards_tokens:
            return client
        endpoint = client.http_client.endpoint_trimmed
        auth = token_endpoint.Token(endpoint, context.auth_token)
        # A session of its own, on the same pool of connections.
        session = self._build_session(auth, client.http_client.session.session)
        return self._build_client(session, endpoint)

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

    def _own_client(self) -> v1.Client:
        if self._client is None:
            # Without a lock: where Keystone hangs, callers would queue for one timeout each. Of
            # several clients made at once, the last stays.
            auth = loading.load_auth_from_conf_options(self._conf, "ironic")
            endpoint = self._conf.ironic.endpoint_override
            self._client = self._build_client(self._build_session(auth), endpoint)
        return self._client

    def _build_session(self, auth: Any, http: Any = None) -> Session:
        session: Session = loading.load_session_from_conf_options(
            self._conf, "ironic", auth=auth, session=http
        )
        if http is None:
            for scheme in ("http://", "https://"):
                session.session.mount(scheme, TCPKeepAliveAdapter(pool_maxsize=_CONNECTIONS))
        # At DEBUG it would write down bodies, and so pm_password.
        session.__dict__["request"] = partial(session.request, log=False)
        return session

    def _build_client(self, session: Session, endpoint: str | None) -> v1.Client:
        group = self._conf.ironic
        return v1.Client(
            endpoint_override=endpoint,
            session=session,
            service_type=group.service_type,
            service_name=group.service_name,
            interface=group.valid_interfaces,
            region_name=group.region_name,
            os_ironic_api_version=API_VERSION,
            # Its own retries repeat hopeless conflicts and send POSTs twice; ours do not.
            max_retries=0,
            retry_interval=0,
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
        what = "detail=True" if fields is None else f"fields={','.join(fields)}"
        return self._list("nodes", what)

    def list_ports(self, fields: list[str]) -> list[JsonObject]:
        """Return the ports of all nodes, every page."""
        return self._list("ports", f"fields={','.join(fields)}")

    def list_node_ports(self, node: str, fields: list[str]) -> list[JsonObject]:
        """Return the ports of a node, given by UUID or name.

        :raises errors.NotFound: no such node
        """
        # Not "/v1/nodes/NODE/ports", which does not know names.
        query = f"node={node}&fields={','.join(fields)}"
        return self._call(lambda client, **kw: _read_pages(client, "ports", query, **kw))

    def get_node(self, node: str) -> JsonObject:
        """Return the whole node, given by UUID or name.

        :raises errors.NotFound: no such node
        """
        return self._call(lambda client, **kw: _dict(client.node.get(node, **kw)))

    def create_node(self, attributes: JsonObject, *, available: bool) -> JsonObject:
        """Create a node, available at once or in enroll, and return it whole.

        :raises errors.Conflict: its UUID is taken
        """
        version = AVAILABLE_API_VERSION if available else API_VERSION
        return self._call(
            lambda client, **kw: _dict(
                client.node.create(os_ironic_api_version=version, **attributes, **kw)
            ),
            read=False,
        )

    def update_node(self, node_uuid: str, values: JsonObject) -> JsonObject:
        """Set top-level fields of a node and return it whole."""
        patch = [{"op": "add", "path": f"/{name}", "value": v} for name, v in values.items()]
        return self._call(
            lambda client, **kw: _dict(client.node.update(node_uuid, patch, **kw)), read=False
        )

    def release_instance(self, node_uuid: str) -> None:
        """Take the record of its instance off a node, which could not be deleted with it."""
        patch = [{"op": "remove", "path": "/instance_uuid"}]
        self._call(lambda client, **kw: client.node.update(node_uuid, patch, **kw), read=False)

    def manage_node(self, node_uuid: str) -> None:
        """Ask for the transition from enroll to manageable, and do not wait for it."""
        self._call(
            lambda client, **kw: client.node.set_provision_state(node_uuid, "manage", **kw),
            read=False,
        )

    def delete_node(self, node: str) -> None:
        """Delete a node and its ports, given by UUID or name.

        :raises errors.NotFound: no such node
        :raises errors.Conflict: its state does not allow it
        """
        self._call(lambda client, **kw: client.node.delete(node, **kw), read=False)

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

    def delete_port(self, port_uuid: str) -> None:
        """Delete a port.

        :raises errors.NotFound: no such port
        """
        self._call(lambda client, **kw: client.port.delete(port_uuid, **kw), read=False)

    def may_list_all_nodes(self) -> bool:
        """Ask Ironic whether the account sees the whole fleet.

        A list would not tell: who lacks the right gets a part of it, or nothing, with status 200.
        A list of a stranger's project, though, is refused to them and empty for the others.
        """
        return self._may("GET", f"/v1/nodes?project={_NOBODY}&fields=uuid&limit=1")

    def may_create_ports(self) -> bool:
        """Ask Ironic whether the account may give ports to any node, without making one.

        Ironic looks at the right before it finds that the node does not exist.
        """
        body = {"node_uuid": _NO_NODE, "address": "00:00:00:00:00:00"}
        try:
            return self._may("POST", "/v1/ports", body=body)
        except (errors.BadRequest, errors.NotFound):
            return True

    def own_roles(self) -> frozenset[str]:
        """Return the names of the roles that our account's token has; empty without Keystone."""

        def read(client: v1.Client, **kw: Any) -> frozenset[str]:
            auth = client.http_client.session.auth
            get_access = getattr(auth, "get_access", None)
            if get_access is None:
                return frozenset()
            return frozenset(get_access(client.http_client.session).role_names)

        return self._call(read)

    def _may(self, method: str, path: str, **kwargs: Any) -> bool:
        def ask(client: v1.Client, global_request_id: str) -> bool:
            headers = {"X-OpenStack-Request-Id": global_request_id}
            try:
                client.http_client.json_request(method, path, headers=headers, **kwargs)
            except exc.Forbidden:
                return False
            return True

        return self._call(ask)

    def _list(self, key: str, query: str) -> list[JsonObject]:
        def read(client: v1.Client, **kwargs: str) -> list[JsonObject]:
            try:
                return _read_pages(client, key, query, **kwargs)
            except exc.NotFound as error:
                detail = f"Ironic's list could not be read to its end: {error.message!r}"
                raise ListMoved(detail=detail) from error

        return self._call(read)

    def _call(self, function: Callable[..., _T], *, read: bool = True) -> _T:
        """Call ``function(client, global_request_id=...)`` under the retry and error rules."""

        def attempt() -> _T:
            try:
                return function(self._ironic.client_for(self._context), **self._request_id)
            except errors.ShimError:
                raise
            except Exception as error:
                raise translate(error, forwards_token=self.forwards_token) from error

        try:
            return self._ironic.retrying(read=read)(attempt)
        finally:
            if not read:
                self._ironic.after_write()


def _read_pages(
    client: v1.Client, key: str, query: str, global_request_id: str
) -> list[JsonObject]:
    """Read a list to its end.

    The client's own lists take any JSON for an empty one, and follow links in circles.

    :raises ValueError, KeyError, TypeError: it is no list of Ironic's
    """
    rows: list[JsonObject] = []
    read: set[str] = set()
    path = f"/v1/{key}?{query}"
    while path:
        if path in read:
            raise ValueError("the links between the pages of a list lead back")
        read.add(path)
        headers = {"X-OpenStack-Request-Id": global_request_id}
        body: Any = client.http_client.json_request("GET", path, headers=headers)[1]
        rows += [_without_links(row) for row in body[key]]
        path = _path_of(body.get("next"), client)
    return rows


def _without_links(row: JsonObject) -> JsonObject:
    """Return a row without what Ironic adds unasked: half the memory of a big fleet's list."""
    return {name: value for name, value in row.items() if name != "links"}


def _path_of(link: str | None, client: v1.Client) -> str:
    """Return what to ask for to follow an absolute link; empty for none."""
    if link is None:
        return ""
    url = urlsplit(link)
    prefix = urlsplit(client.http_client.endpoint_trimmed).path
    return f"{url.path.removeprefix(prefix)}?{url.query}"


def _dict(resource: Any) -> JsonObject:
    return dict(resource.to_dict())
