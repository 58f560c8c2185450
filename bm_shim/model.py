# SPDX-License-Identifier: Apache-2.0
"""The only shapes that cross modules.

``New...`` and ``InterfaceMatch`` are what a request asks for (:mod:`bm_shim.schemas` makes them),
``Node`` and ``Interface`` what Ironic holds (:mod:`bm_shim.translation` makes them); a format
turns the latter into a body.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
