# SPDX-License-Identifier: Apache-2.0
"""The interfaces of nova-baremetal's nodes as ports of Ironic. Pure functions."""

import re
import uuid
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from bm_shim.migrate.model import InterfaceRow, NodeRow, PlannedPort
from bm_shim.translation import EXTRA_KEY

#: With colons or dashes, with dots (Cisco), or bare. Until Havana nova-baremetal took any text.
_MAC = re.compile(
    r"[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}"
    r"|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}"
    r"|[0-9a-f]{12}"
)


@dataclass(frozen=True, slots=True)
class Nic:
    """An interface whose MAC address can be read."""

    #: In Ironic's spelling.
    address: str
    #: As it is in the database.
    spelling: str
    #: None: it is the node's ``prov_mac_address``.
    id: int | None = None
    datapath_id: str | None = None
    port_no: int | None = None
    vif_uuid: str | None = None

    @property
    def name(self) -> str:
        """What it is called in the database."""
        return "prov_mac_address" if self.id is None else f"interface {self.id}"

    @property
    def order(self) -> float:
        """Where it stands among others: those that have an id go first."""
        return float("inf") if self.id is None else self.id

    @property
    def is_copy(self) -> bool:
        """Whether it looks like what schema version 006 made: an address, and nothing else."""
        return self.datapath_id is None and self.port_no is None and not self.vif_uuid

    @property
    def differs_by_case_only(self) -> bool:
        """Whether the spelling is one that the legacy API can give back from Ironic's."""
        return self.spelling != self.address and self.spelling.lower() == self.address


def nics_of(
    node: NodeRow, interfaces: Iterable[InterfaceRow]
) -> tuple[tuple[Nic, ...], tuple[str, ...]]:
    """Return the NICs of a node, each address once, and remarks on what was lost on the way.

    Schema version 006 made a row for each node's ``prov_mac_address``, also where that was NULL
    or an interface had it already. Such rows are dropped without a remark.
    """
    remarks: list[str] = []
    nics: dict[str, Nic] = {}
    for nic in sorted(_read(interfaces, remarks), key=_poverty):
        kept = nics.setdefault(nic.address, nic)
        if kept is not nic and not nic.is_copy:
            remarks.append(
                f"{nic.name} has the MAC address {nic.address} of {kept.name}: one port is made"
                f"{_lost(nic)}"
            )
    for nic in _read_prov_mac_address(node, remarks):
        nics.setdefault(nic.address, nic)
    return tuple(sorted(nics.values(), key=lambda nic: nic.order)), tuple(remarks)


def port_of(nic: Nic, node_uuid: str) -> PlannedPort:
    """Return the port that a NIC becomes."""
    facts = {
        "id": nic.id,
        "datapath_id": nic.datapath_id,
        "port_no": nic.port_no,
        "address": nic.spelling if nic.differs_by_case_only else None,
    }
    extra: dict[str, object] = {
        EXTRA_KEY: {key: value for key, value in facts.items() if value not in (None, "")}
    }
    if nic.vif_uuid:
        extra["vif_port_id"] = nic.vif_uuid
    port_uuid = str(uuid.uuid5(uuid.UUID(node_uuid), nic.address))
    return PlannedPort(uuid=port_uuid, address=nic.address, extra=extra)


def stray_interfaces(
    interfaces: Iterable[InterfaceRow], live: Container[int | None], deleted: Container[int | None]
) -> Iterator[str]:
    """Yield remarks on the interfaces of no live node.

    :param live: ids of the live nodes
    :param deleted: ids of the soft-deleted nodes, for which version 006 made interfaces too
    """
    of_deleted = 0
    for row in interfaces:
        if row.bm_node_id in deleted:
            of_deleted += 1
        elif row.bm_node_id not in live:
            owner = f"node {row.bm_node_id}, which is not there" if row.bm_node_id else "no node"
            address = mac_of(row.address or "") or (
                repr(row.address) if row.address else "no address"
            )
            yield f"interface {row.id} ({address}) belongs to {owner}: not carried"
    if of_deleted:
        yield f"interfaces of deleted nodes, not carried: {of_deleted}"


def mac_of(text: str) -> str | None:
    """Return a MAC address in Ironic's spelling; None: it is none."""
    text = text.strip().lower()
    if not _MAC.fullmatch(text):
        return None
    return ":".join(re.findall("..", re.sub("[:.-]", "", text)))


def _read(interfaces: Iterable[InterfaceRow], remarks: list[str]) -> Iterator[Nic]:
    for row in interfaces:
        remarks += [
            f"interface {row.id}: {each} cannot be read, not carried" for each in row.unreadable
        ]
        address = mac_of(row.address or "")
        nic = Nic(
            address=address or "",
            spelling=row.address or "",
            id=row.id,
            datapath_id=row.datapath_id,
            port_no=row.port_no,
            vif_uuid=row.vif_uuid,
        )
        if address:
            yield nic
            continue
        lost = _lost(nic)
        if row.address or lost:
            what = f"{row.address!r} is no MAC address" if row.address else "no MAC address"
            remarks.append(f"{nic.name}: {what}, no port is made{lost}")


def _read_prov_mac_address(node: NodeRow, remarks: list[str]) -> Iterator[Nic]:
    """Yield the NIC that Grizzly kept with the node."""
    spelling = node.prov_mac_address
    if not spelling:
        return
    if address := mac_of(spelling):
        yield Nic(address=address, spelling=spelling)
    else:
        remarks.append(f"prov_mac_address: {spelling!r} is no MAC address, no port is made")


def _poverty(nic: Nic) -> tuple[bool, bool, bool, int]:
    """Sort the one that has most first: a port of Neutron above all."""
    return not nic.vif_uuid, not nic.datapath_id, nic.port_no is None, nic.id or 0


def _lost(nic: Nic) -> str:
    """Return what is lost with a NIC beside its address, as the end of a remark."""
    values = {
        "vif_uuid": nic.vif_uuid,
        "datapath_id": nic.datapath_id,
        "port_no": nic.port_no,
    }
    # novaclient sent zeros for what it was not told.
    lost = [f"{key} {value!r}" for key, value in values.items() if value not in (None, "", "0", 0)]
    return f"; lost is {', '.join(lost)}" if lost else ""
