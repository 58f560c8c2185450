# SPDX-License-Identifier: Apache-2.0
"""The shapes that cross modules of the conversion: what was read, what is planned, what came out.

Nothing in here, secrets excepted, is more than what a report may show; secrets are kept out of
``repr``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

#: What ``power_manager`` and ``driver`` of ``[baremetal]`` were unless nova.conf said otherwise.
IPMI = "nova.virt.baremetal.ipmi.IPMI"
PXE = "nova.virt.baremetal.pxe.PXE"


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A row of ``bm_nodes``, by the names of its columns.

    None where the schema version has no such column, as where the row holds NULL. Until version
    001 what concerns a deployment was a row of ``bm_deployments``; it is here all the same.
    """

    id: int
    uuid: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    cpus: int | None = None
    #: MiB.
    memory_mb: int | None = None
    #: GiB.
    local_gb: int | None = None
    pm_address: str | None = None
    pm_user: str | None = None
    pm_password: str | None = field(default=None, repr=False)
    terminal_port: int | None = None
    service_host: str | None = None
    task_state: str | None = None
    instance_uuid: str | None = None
    instance_name: str | None = None
    image_path: str | None = None
    pxe_config_path: str | None = None
    #: The sizes of the instance's flavor, MiB.
    root_mb: int | None = None
    swap_mb: int | None = None
    ephemeral_mb: int | None = None
    preserve_ephemeral: bool | None = None
    #: Grizzly only.
    prov_mac_address: str | None = None
    prov_vlan_id: int | None = None
    registration_status: str | None = None
    #: Columns whose values are of no use, as text where a number belongs; they are None here.
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InterfaceRow:
    """A row of ``bm_interfaces``, by the names of its columns."""

    id: int
    bm_node_id: int | None = None
    address: str | None = None
    datapath_id: str | None = None
    port_no: int | None = None
    vif_uuid: str | None = None
    #: As in :class:`NodeRow`.
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NovaBm:
    """What a nova_bm database holds, without the rows that are soft-deleted."""

    #: With the password hidden.
    url: str
    #: Of its ``migrate_version`` table; None where there is none.
    schema_version: int | None
    #: In the order of their ids, as are the interfaces.
    nodes: tuple[NodeRow, ...]
    #: Those of deleted nodes and of none are among them.
    interfaces: tuple[InterfaceRow, ...]
    #: Nodes that are soft-deleted.
    deleted_node_ids: frozenset[int] = frozenset()
    #: Rows of ``bm_pxe_ips`` (Grizzly, Havana), whose addresses Ironic has no place for.
    pxe_ips: int = 0


@dataclass(frozen=True, slots=True)
class BaremetalOptions:
    """``[baremetal]`` of a nova.conf, with nova's defaults."""

    driver: str = PXE
    power_manager: str = IPMI
    #: ``cpu_arch`` of ``flavor_extra_specs`` (until Havana ``instance_type_extra_specs``).
    cpu_arch: str | None = None
    #: ``sql_connection``: where nova_bm is.
    sql_connection: str | None = field(default=None, repr=False)
    #: The file they come from; None: they are nova's defaults.
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """What the mapping file says of a node; None, or an empty mapping, is nothing."""

    driver: str | None = None
    #: May hold secrets.
    driver_info: Mapping[str, object] = field(default_factory=dict, repr=False)
    properties: Mapping[str, object] = field(default_factory=dict)
    resource_class: str | None = None
    #: Ironic's name of the node.
    name: str | None = None
    #: Projects: of the hardware, and of who uses it.
    owner: str | None = None
    lessee: str | None = None
    #: In place of the one in the database, where the operator knows better.
    task_state: str | None = None


@dataclass(frozen=True, slots=True)
class NodeMapping:
    """The mapping file."""

    #: For every node.
    defaults: Override = field(default_factory=Override)
    #: By integer id (as text) or by UUID in canonical spelling; they go before the defaults, key
    #: by key.
    nodes: Mapping[str, Override] = field(default_factory=dict)


class Target(StrEnum):
    """The provision state that a node is brought to."""

    AVAILABLE = "available"
    #: By adoption: the instance goes on as it is.
    ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class PlannedPort:
    """A port that is to be in Ironic."""

    #: Computed from the node's UUID and the address, so that it is the same in every run.
    uuid: str
    #: In Ironic's spelling.
    address: str
    extra: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """A node that is to be in Ironic, with its ports."""

    legacy_id: int
    uuid: str
    target: Target
    driver: str
    driver_info: Mapping[str, object] = field(repr=False)
    properties: Mapping[str, object]
    extra: Mapping[str, object]
    ports: tuple[PlannedPort, ...]
    instance_uuid: str | None = None
    instance_info: Mapping[str, object] = field(default_factory=dict)
    resource_class: str | None = None
    name: str | None = None
    owner: str | None = None
    lessee: str | None = None
    #: What could not be carried over, or deserves a look.
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A node that is not converted, and what is missing for that."""

    legacy_id: int
    uuid: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the conversion would do."""

    nodes: tuple[PlannedNode, ...]
    left_out: tuple[LeftOut, ...]
    #: On the database as a whole.
    remarks: tuple[str, ...] = ()


class Outcome(StrEnum):
    """What became of a node."""

    CREATED = "created"
    #: It was in Ironic in part: from a run that was stopped, or by somebody else's hand.
    COMPLETED = "completed"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    LEFT_OUT = "left out"
    #: The run was stopped before.
    NOT_TRIED = "not tried"
    #: Of a run that only compares.
    ABSENT = "not in Ironic"


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What became of a planned node."""

    uuid: str
    outcome: Outcome
    #: Why it failed.
    error: str | None = None
    #: What was found in Ironic and left as it is, or could not be given.
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """What :mod:`verify` found of a node."""

    #: As in ``properties.cpus`` or ``port 52:54:00:cf:2d:31 extra.vif_port_id``; empty: the node
    #: as a whole.
    field: str
    #: Of a secret no value is told.
    expected: str
    found: str

    @property
    def as_kept(self) -> str:
        """In words, as what the conversion found and did not touch."""
        return f"{self.field} is left as it is in Ironic, {self.found}; planned: {self.expected}"
