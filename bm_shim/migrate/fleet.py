# SPDX-License-Identifier: Apache-2.0
"""What is in Ironic: a snapshot of all nodes and ports."""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from bm_shim import errors, translation
from bm_shim.ironic import Connection
from bm_shim.ironic_json import JsonObject
from bm_shim.migrate.power import bmc_of

#: Fields of a port that the conversion looks at.
PORT_FIELDS = translation.PORT_FIELDS


@dataclass(frozen=True, slots=True)
class Machine:
    """A node of Ironic, None where there is none, with its ports."""

    # Secrets are masked by Ironic, unless the account may see them.
    node: JsonObject | None = field(default=None, repr=False)
    ports: tuple[JsonObject, ...] = ()


@dataclass(frozen=True, slots=True)
class Fleet:
    """All of Ironic, as it was at one time. UUIDs are in the spelling of :func:`canonical`."""

    #: Whole nodes, by UUID.
    nodes: Mapping[str, JsonObject] = field(repr=False)
    #: Ports, by MAC address.
    ports: Mapping[str, JsonObject]
    #: The ports of nodes that have any, by the UUID of the node.
    ports_of: Mapping[str, tuple[JsonObject, ...]]
    #: The UUIDs of the nodes that record an integer id, by the integer. More than one for it is a
    #: mistake of long ago.
    holders: Mapping[int, tuple[str, ...]]
    #: The UUIDs of the nodes that have a BMC, by what :func:`bmc_of` tells of it.
    bmcs: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict, repr=False)

    def find(self, node_uuid: str) -> Machine:
        """Return the node of this UUID and its ports, if it is there."""
        return Machine(self.nodes.get(node_uuid), self.ports_of.get(node_uuid, ()))


def read(connection: Connection) -> Fleet:
    """Read all nodes and ports: two lists at the same time, however many there are.

    Whether the account sees the whole fleet is not looked into: ask
    :meth:`Connection.may_list_all_nodes` before.

    :raises errors.ShimError: Ironic is away, refuses our account, or answers nonsense
    """
    pool = ThreadPoolExecutor(2, thread_name_prefix="fleet")
    try:
        nodes = pool.submit(connection.list_nodes, None)
        ports = pool.submit(connection.list_ports, PORT_FIELDS)
        return _join(nodes.result(), ports.result())
    except (AttributeError, KeyError, TypeError) as error:
        raise errors.BadGateway(detail=f"Ironic answered what is no node: {error!r}") from error
    finally:
        # Who is interrupted does not wait for a list.
        pool.shutdown(wait=False)


def canonical(node_uuid: object) -> str:
    """Return a UUID as it is usually written. Ironic keeps them as they were sent."""
    text = str(node_uuid)
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return text


def _join(nodes: list[JsonObject], ports: list[JsonObject]) -> Fleet:
    ports_of: dict[str, list[JsonObject]] = defaultdict(list)
    for port in ports:
        ports_of[canonical(port["node_uuid"])].append(port)
    holders: dict[int, list[str]] = defaultdict(list)
    bmcs: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for node in nodes:
        # Ironic may have null for it.
        if bmc := bmc_of(node["driver"], node["driver_info"] or {}):
            bmcs[bmc].append(canonical(node["uuid"]))
        recorded = translation.recorded_id_of(node)
        if recorded is not None:
            holders[recorded].append(canonical(node["uuid"]))
    return Fleet(
        nodes={canonical(node["uuid"]): node for node in nodes},
        ports={port["address"].lower(): port for port in ports},
        ports_of={owner: tuple(owned) for owner, owned in ports_of.items()},
        holders={number: tuple(uuids) for number, uuids in holders.items()},
        bmcs={bmc: tuple(uuids) for bmc, uuids in bmcs.items()},
    )
