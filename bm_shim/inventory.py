# SPDX-License-Identifier: Apache-2.0
"""What the shim does with Ironic, in the words of the legacy API."""

import logging
import re
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from oslo_config import cfg
from oslo_context.context import get_current

from bm_shim import errors, translation
from bm_shim.context import RequestContext
from bm_shim.instances import Instances
from bm_shim.ironic import Connection, Ironic
from bm_shim.ironic_errors import sensible
from bm_shim.ironic_json import JsonObject
from bm_shim.legacy_ids import HIGHEST_ID, IdIndex, is_uuid, names
from bm_shim.listing import Lister, Listing
from bm_shim.model import Interface, InterfaceMatch, NewInterface, NewNode, Node
from bm_shim.rights import Rights

LOG = logging.getLogger(__name__)

_T = TypeVar("_T")
_U = TypeVar("_U")

#: Reads that run beside the one of the request's own thread: one for each thread of a worker.
_PARALLEL_READS = 64

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
#: What Ironic takes as a name. Everything else is unknown to it, and some of it (slashes, dots
#: between slashes) would reach another resource, since ironicclient does not quote identifiers.
_NAME = re.compile(r"[A-Za-z0-9._~-]{1,255}")
#: Resources under /v1/nodes, which Ironic does not take as names.
_RESERVED_NAMES = {
    ".", "..", "detail", "maintenance", "management", "states", "validate", "vendor_passthru",
}  # fmt: skip


class Inventory:
    """The fleet, for one process. Each method takes the context of the caller it acts for.

    All may raise what :mod:`bm_shim.ironic` raises for an Ironic that is away, slow, refuses our
    account or answers nonsense: :class:`errors.ServiceUnavailable`, :class:`errors.NotSetUp`,
    :class:`errors.BadGateway`.

    A node is named by ``node_id``: the recorded or derived integer (``"42"``), the UUID, or
    Ironic's name, in this order. Unknown ones raise :class:`errors.NodeNotFound`.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._enroll = conf.enroll
        self._rights = Rights(conf.ironic.rights_check_interval)
        self._lister = Lister(self._rights, self._both)
        self._ironic = Ironic(conf, after_write=self._lister.outdate)
        #: What runs on the fleet.
        self.instances = Instances(self._ironic, self._rights)
        self._ids = IdIndex()
        self._pool = ThreadPoolExecutor(_PARALLEL_READS, thread_name_prefix="ironic")

    def check_rights(self) -> None:
        """Find out whether our account sees the whole fleet.

        Nothing to find out where callers come with their own rights.

        :raises errors.ShimError: it does not, or Ironic could not be asked
        """
        ironic = self._ironic.on_behalf(RequestContext())
        if not ironic.forwards_token:
            self._rights.ensure_can_list(ironic)

    def ping(self) -> None:
        """Make sure that Ironic answers, and answers our account if calls are made with it.

        :raises errors.ShimError: it does not
        """
        ironic = self._ironic.on_behalf(RequestContext(overwrite=False))
        if ironic.forwards_token:
            ironic.root()
        elif not ironic.may_list_all_nodes():
            self._rights.ensure_can_list(ironic)

    @property
    def public_url(self) -> str | None:
        """Where callers reach Ironic, without ``/v1``; None while that is not known."""
        return self._ironic.public_url()

    def list_nodes(
        self, context: RequestContext, *, detail: bool = False, max_age: float = 0
    ) -> Listing:
        """Return all nodes with their interfaces, in Ironic's order.

        :param detail: with ``updated_at``, for which Ironic must be asked for whole nodes
        :param max_age: seconds that a listing made for somebody else may be old; 0: it begins
            after this call did
        :raises errors.NotSetUp: the account sees only a part of the fleet
        """
        return self._lister.list(self._ironic.on_behalf(context), detail=detail, max_age=max_age)

    def get_node(self, context: RequestContext, node_id: str) -> Node:
        """Return a node with its interfaces and with ``updated_at``."""
        ironic = self._ironic.on_behalf(context)
        with self._of_node(ironic, node_id):
            if is_uuid(node_id):
                node, ports = self._both(
                    lambda: ironic.get_node(node_id), lambda: self._ports_of(ironic, node_id)
                )
            else:
                node = self._find(ironic, node_id)
                ports = self._ports_of(ironic, node["uuid"])
        with sensible():
            return translation.node_from_ironic(node, ports)

    def create_node(self, context: RequestContext, new: NewNode) -> Node:
        """Create a node and, where an address is given, its interface, as ``[enroll]`` says.

        All or nothing: what fails half-way is taken back.

        :raises errors.Conflict: uuid, id, address or instance_uuid are taken, or somebody deletes
            the node before it is complete
        """
        ironic = self._ironic.on_behalf(context)
        self._rights.ensure_can_create(ironic)
        node_uuid = new.uuid or str(uuid.uuid4())
        with self._undo_node(ironic, node_uuid, mark=context.request_id), sensible():
            attributes = translation.node_to_ironic(
                new,
                uuid=node_uuid,
                driver=self._enroll.driver,
                cpu_arch=self._enroll.cpu_arch,
                mark=context.request_id,
            )
            available = self._enroll.target_state == "available"
            node = ironic.create_node(attributes, available=available)
            if new.id is not None:
                self._ensure_first_with(ironic, new.id, node_uuid)
            ports = []
            if new.prov_mac_address is not None:
                interface = NewInterface(new.prov_mac_address)
                ports.append(self._create_port(ironic, node_uuid, interface))
            node = self._finish(ironic, node, new)
            made = translation.node_from_ironic(node, ports)
        self._ids.remember(node_uuid, new.id)
        return made

    def delete_node(self, context: RequestContext, node_id: str) -> None:
        """Delete a node and its interfaces.

        :raises errors.Conflict: Ironic does not allow it (an instance, a state, a lock)
        """
        ironic = self._ironic.on_behalf(context)
        with self._of_node(ironic, node_id):
            ironic.delete_node(self._resolve(ironic, node_id))

    def add_interface(self, context: RequestContext, node_id: str, new: NewInterface) -> Interface:
        """Add an interface to a node and return it.

        :raises errors.Conflict: the address is taken, by whichever node
        """
        ironic = self._ironic.on_behalf(context)
        with self._of_node(ironic, node_id):
            port = self._create_port(ironic, self._resolve(ironic, node_id), new)
        return translation.interface_from_ironic(port)

    def remove_interface(
        self, context: RequestContext, node_id: str, match: InterfaceMatch
    ) -> None:
        """Remove the interface of a node that fits all that is given.

        Addresses compare in any letter case: Ironic lower-cases them.

        :raises errors.NotFound: the node has no such interface
        :raises errors.Conflict: it has several
        """
        ironic = self._ironic.on_behalf(context)
        with self._of_node(ironic, node_id):
            ports = self._ports_of(ironic, self._resolve(ironic, node_id))
            fitting = [port["uuid"] for port in ports if _fits(match, port)]
        if not fitting:
            self._rights.ensure_whole_view(ironic)
            raise errors.NotFound
        if len(fitting) > 1:
            raise errors.Conflict(f"Several interfaces have the id {match.id}. Specify address")
        ironic.delete_port(fitting[0])

    def _resolve(self, ironic: Connection, node_id: str) -> str:
        """Return the UUID behind any kind of id. A UUID is not looked up: its use will tell."""
        if is_uuid(node_id):
            return node_id
        return str(self._find(ironic, node_id)["uuid"])

    def _find(self, ironic: Connection, node_id: str) -> JsonObject:
        """Return the node with this integer, else with this name."""
        if _INTEGER.fullmatch(node_id):
            node = self._find_by_number(ironic, int(node_id))
            if node is not None:
                return node
        # Ironic takes ".json" for a format and fails on what is left.
        if not _NAME.fullmatch(node_id) or node_id in _RESERVED_NAMES or node_id.endswith(".json"):
            raise errors.NodeNotFound(node_id)
        return ironic.get_node(node_id)

    def _find_by_number(self, ironic: Connection, number: int) -> JsonObject | None:
        """Return the node with this integer; the second look is for an index out of date."""
        if not 0 < number < HIGHEST_ID:
            return None
        for _ in range(2):
            node_uuid = self._ids.find(
                number, lambda: _list_ids(ironic), shared=not ironic.forwards_token
            )
            if node_uuid is None:
                return None
            try:
                node = ironic.get_node(node_uuid)
            except errors.NotFound:
                node = None
            if node and names(number, node["uuid"], translation.recorded_id_of(node)):
                return node
            self._ids.forget(number)
        return None

    def _ensure_first_with(self, ironic: Connection, number: int, node_uuid: str) -> None:
        """Make sure that a node just made is the only one with its recorded integer.

        Ironic lists nodes in the order of their creation, so of several made at once one stays.

        :raises errors.Conflict: another one was first
        """
        self._rights.ensure_can_list(ironic)
        holders = [each for each, recorded in _list_ids(ironic) if recorded == number]
        if holders[:1] != [node_uuid]:
            raise errors.Conflict(f"A node with id {number} already exists.")

    def _ports_of(self, ironic: Connection, node_uuid: str) -> list[JsonObject]:
        # Filtered here as well: the links between Ironic's pages forget the filter. Some databases
        # do not mind the letter case of a UUID.
        ports = ironic.list_node_ports(node_uuid, translation.PORT_FIELDS)
        return [port for port in ports if str(port.get("node_uuid")).lower() == node_uuid.lower()]

    def _create_port(self, ironic: Connection, node_uuid: str, new: NewInterface) -> JsonObject:
        """Create a port; when it is not known whether that worked, make sure that it did not.

        What it returns can be translated.
        """
        port_uuid = str(uuid.uuid4())
        attributes = translation.interface_to_ironic(new, uuid=port_uuid, node_uuid=node_uuid)
        try:
            port = ironic.create_port(attributes)
            with sensible():
                translation.interface_from_ironic(port)
        except errors.ShimError as error:
            if error.status >= 500:
                _undo(lambda: ironic.delete_port(port_uuid), f"port {port_uuid}", error)
            raise
        return port

    def _finish(self, ironic: Connection, node: JsonObject, new: NewNode) -> JsonObject:
        """Give a created node what the client, or the version, does not take in create."""
        name = new.facts.get("instance_name")
        values: JsonObject = {
            "resource_class": self._enroll.resource_class,
            "instance_uuid": new.instance_uuid,
            "instance_info": {"display_name": name} if new.instance_uuid and name else None,
        }
        values = {name: value for name, value in values.items() if value}
        if values:
            node = ironic.update_node(node["uuid"], values)
        if self._enroll.target_state == "manageable":
            ironic.manage_node(node["uuid"])
        return node

    @contextmanager
    def _undo_node(self, ironic: Connection, node_uuid: str, mark: str) -> Iterator[None]:
        """Delete the node when the block fails, and only if this very request made it.

        A refused create makes none; but an answer that got lost leaves it open, and a node with
        the same UUID may have been there before.
        """
        try:
            yield
        except Exception as error:

            def undo() -> None:
                node = ironic.get_node(node_uuid)
                if translation.bears_mark(node, mark):
                    if node.get("instance_uuid") is not None:
                        ironic.release_instance(node_uuid)
                    ironic.delete_node(node_uuid)

            _undo(undo, f"node {node_uuid}", error)
            if isinstance(error, errors.NotFound):
                raise errors.Conflict("The node was deleted while it was made.") from error
            raise

    @contextmanager
    def _of_node(self, ironic: Connection, node_id: str) -> Iterator[None]:
        """Take whatever is not found in the block for the node that the caller named.

        And what cannot be read for a fault of Ironic's.
        """
        try:
            with sensible():
                yield
        except errors.NodeNotFound:
            raise
        except errors.NotFound as error:
            self._rights.ensure_can_show(ironic)
            raise errors.NodeNotFound(node_id) from error

    def _both(self, one: Callable[[], _T], other: Callable[[], _U]) -> tuple[_T, _U]:
        """Run two reads at the same time, the second in another thread that logs as this one."""
        caller = get_current()

        def other_in_context() -> _U:
            if caller is not None:
                caller.update_store()
            return other()

        second = self._pool.submit(other_in_context)
        try:
            return one(), second.result()
        finally:
            # If the first failed and the second has not begun, nobody wants it.
            second.cancel()


def _undo(take_back: Callable[[], None], what: str, error: Exception) -> None:
    """Take back something half-done, of which ``error`` came. Failures of that are logged.

    That it is not there is fine; unless Ironic may still be at it.
    """
    try:
        take_back()
    except errors.NotFound:
        if isinstance(error, errors.ServiceUnavailable):
            LOG.warning(
                "Ironic did not say whether it makes the %s. It is not there yet; if it comes "
                "later, delete it.",
                what,
            )
    except errors.ShimError as failure:
        LOG.error(
            "A failed request may have left the %s behind in Ironic: %s",
            what,
            failure.detail or failure,
        )


def _list_ids(ironic: Connection) -> list[tuple[str, int | None]]:
    nodes = ironic.list_nodes(["uuid", "extra"])
    with sensible():
        return [(node["uuid"], translation.recorded_id_of(node)) for node in nodes]


def _fits(match: InterfaceMatch, port: JsonObject) -> bool:
    fits_address = match.address is None or match.address.lower() == port["address"].lower()
    recorded = translation.recorded_id_of(port)
    return fits_address and (match.id is None or names(match.id, port["uuid"], recorded))
