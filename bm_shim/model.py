# SPDX-License-Identifier: Apache-2.0
"""The only shapes that cross modules.

``New...``, ``InterfaceMatch`` and ``ServerQuery`` are what a request asks for
(:mod:`bm_shim.schemas` makes them), ``Node``, ``Interface`` and ``Instance`` what Ironic holds
(:mod:`bm_shim.translation` makes them); a format turns the latter into a body.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from regex import Pattern


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface of a node: an Ironic port."""

    uuid: str
    #: The recorded integer, else the derived one; see :mod:`bm_shim.legacy_ids`.
    id: int
    #: In the spelling it was given in: Ironic lower-cases addresses, nova-baremetal did not.
    address: str
    #: In Ironic's spelling.
    ironic_address: str
    #: An OpenFlow datapath id; any text, never interpreted.
    datapath_id: str | None
    port_no: int | None


@dataclass(frozen=True, slots=True)
class Node:
    """A bare metal node, in the legacy API's words."""

    uuid: str
    #: The integer recorded when the node came from nova-baremetal, or given in create.
    recorded_id: int | None
    #: ``cpus``, ``memory_mb`` (MiB), ``local_gb`` (GiB) and others, untouched: operators store
    #: strings, nulls and worse.
    properties: Mapping[str, object]
    provision_state: str | None
    instance_uuid: str | None
    service_host: str | None
    pm_address: str | None
    pm_user: str | None
    terminal_port: int | None
    pxe_config_path: str | None
    #: ISO 8601 with a zone, as Ironic has it; None until the first change, and in lists that did
    #: not ask for it.
    updated_at: str | None
    interfaces: tuple[Interface, ...]


@dataclass(frozen=True, slots=True)
class NewInterface:
    """What ``add_interface`` asks for."""

    address: str
    datapath_id: str | None = None
    port_no: int | None = None


@dataclass(frozen=True, slots=True)
class NewNode:
    """What create asks for; None is absent."""

    id: int | None = None
    uuid: str | None = None
    cpus: int | None = None
    memory_mb: int | None = None
    local_gb: int | None = None
    pm_address: str | None = None
    pm_user: str | None = None
    #: Reaches Ironic's ``driver_info`` and nothing else.
    pm_password: str | None = field(default=None, repr=False)
    terminal_port: int | None = None
    instance_uuid: str | None = None
    prov_mac_address: str | None = None
    #: Columns of nova-baremetal that Ironic has no place for; kept beside the node as they came.
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InterfaceMatch:
    """Which interface ``remove_interface`` means; what is given must all fit."""

    id: int | None = None
    address: str | None = None


class ServerState(NamedTuple):
    """The state of an instance, in Nova's words."""

    status: str
    vm_state: str | None
    #: What is being done to it; None: nothing.
    task_state: str | None


@dataclass(frozen=True, slots=True)
class Instance:
    """What runs on a node: a server of the compute API, in its words."""

    uuid: str
    node_uuid: str
    name: str
    #: That of the node's lessee, else of its owner; None: it is the administrators' affair.
    project_id: str | None
    #: The host of the nova-compute service that it was launched by.
    service_host: str | None
    #: Its resource class, or a word for all machines without one.
    flavor: str
    cpus: int
    memory_mb: int
    #: GiB.
    local_gb: int
    state: ServerState
    #: One of Nova's integers: 0 (not known), 1 (running), 4 (shut down).
    power_state: int
    #: In Ironic; nobody should touch the machine.
    maintenance: bool
    #: In Ironic; the node cannot be undeployed.
    protected: bool
    #: Ironic's words, fit for administrators.
    last_error: str | None
    #: With a zone; None in lists that did not ask for them.
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class ServerQuery:
    """Which servers a list asks for. What is given must all fit."""

    #: The most there may be on a page; None: the service's own limit.
    limit: int | None = None
    #: The last one of the page before.
    marker: str | None = None
    all_tenants: bool = False
    #: Whether it is about those that are no more.
    deleted: bool = False
    #: In capitals; one of them, if there are any.
    status: frozenset[str] = frozenset()
    changes_since: datetime | None = None
    #: Attributes by Nova's names: what they must match, and what they must be.
    patterns: Mapping[str, Pattern[str]] = field(default_factory=dict)
    equal: Mapping[str, str] = field(default_factory=dict)
