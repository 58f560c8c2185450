# SPDX-License-Identifier: Apache-2.0
"""What is to be in Ironic, from what a nova_bm database holds. Pure functions."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from bm_shim.legacy_ids import recorded_id
from bm_shim.migrate import candidates
from bm_shim.migrate.candidates import Candidate, Claims, canonical_uuid
from bm_shim.migrate.errors import PlanError
from bm_shim.migrate.mapping import unused
from bm_shim.migrate.model import (
    BaremetalOptions,
    LeftOut,
    NodeMapping,
    NodeRow,
    NovaBm,
    Plan,
    PlannedNode,
    Target,
)
from bm_shim.migrate.ports import Nic, port_of, stray_interfaces
from bm_shim.migrate.power import is_ipmi, manager_of
from bm_shim.translation import EXTRA_KEY

_DEFAULT_ARCH = "x86_64"

_SIZES = ("cpus", "memory_mb", "local_gb")

#: Columns that Ironic has no field for.
_FACTS = (
    "service_host",
    "prov_mac_address",
    "prov_vlan_id",
    "registration_status",
    "pxe_config_path",
    "image_path",
    "instance_name",
    "root_mb",
    "swap_mb",
    "ephemeral_mb",
    "preserve_ephemeral",
    "task_state",
    "created_at",
    "updated_at",
)

#: Task states of a machine that nobody uses: it never was, or its instance was deleted.
_IDLE = (None, "", "deleted")
_RUNNING = "active"


def make(
    nova_bm: NovaBm,
    options: BaremetalOptions,
    mapping: NodeMapping,
    *,
    cpu_arch: str | None = None,
    driver: str | None = None,
    resource_class: str = "baremetal",
    only: Collection[str] = (),
) -> Plan:
    """Return what is to be in Ironic. The same input gives the same plan.

    All live machines compete for what several have, also those that are left out or not asked
    for: a plan for some of them is a part of the plan for all.

    :param cpu_arch: instead of what nova.conf says; the mapping's properties go before it
    :param driver: instead of ``ipmi`` for machines that IPMI managed; the mapping's driver goes
        before it
    :param resource_class: where the mapping has none
    :param only: integer ids and UUIDs of the machines that the plan is for; none: all
    :raises PlanError: ``only`` names what is no live node
    """
    manager = manager_of(options)
    known = candidates.gather(nova_bm, mapping, manager, driver)
    wanted = _wanted(known, only)
    claims = candidates.settle(known)
    arch = cpu_arch or options.cpu_arch
    plans = [_plan(each, claims, arch or _DEFAULT_ARCH, resource_class) for each in wanted]
    remarks = [*_remarks_on_database(nova_bm), *_remarks_on_mapping(mapping, known)]
    if driver and not is_ipmi(manager):
        remarks.append(f"driver {driver} is not used: {manager} managed the machines, not IPMI")
    if not arch and any("cpu_arch" not in each.override.properties for each in wanted):
        remarks.append(f"no architecture is given: {_DEFAULT_ARCH} is assumed (--cpu-arch)")
    return Plan(
        nodes=tuple(each for each in plans if isinstance(each, PlannedNode)),
        left_out=tuple(each for each in plans if isinstance(each, LeftOut)),
        remarks=tuple(remarks),
    )


def _wanted(known: Sequence[Candidate], only: Collection[str]) -> Sequence[Candidate]:
    """Return the machines that ``only`` names.

    :raises PlanError: it names what is none
    """
    if not only:
        return known
    asked = {canonical_uuid(entry) or entry: entry for entry in only}
    names = {name for each in known for name in (str(each.row.id), each.uuid)}
    unknown = [entry for name, entry in asked.items() if name not in names]
    if unknown:
        raise PlanError(f"The database has no live node {', '.join(unknown)}.")
    return [each for each in known if str(each.row.id) in asked or each.uuid in asked]


def _plan(
    node: Candidate, claims: Claims, arch: str, resource_class: str
) -> PlannedNode | LeftOut:
    row, power, override = node.row, node.power, node.override
    reasons = tuple(_reasons_to_leave_out(node, claims))
    if reasons or power.driver is None:
        return LeftOut(legacy_id=row.id, uuid=node.uuid, reasons=reasons)
    nics = [nic for nic in node.nics if claims.addresses[nic.address] is node]
    return PlannedNode(
        legacy_id=row.id,
        uuid=node.uuid,
        target=Target.ACTIVE if node.instance_uuid else Target.AVAILABLE,
        driver=power.driver,
        driver_info=power.driver_info,
        properties={"cpu_arch": arch, **_sizes(row), **override.properties},
        extra={EXTRA_KEY: _facts(node)},
        ports=tuple(port_of(nic, node.uuid) for nic in nics),
        instance_uuid=node.instance_uuid,
        instance_info=_instance_info(node),
        resource_class=override.resource_class or resource_class,
        name=override.name,
        owner=override.owner,
        lessee=override.lessee,
        remarks=tuple(_remarks(node, claims, nics)),
    )


def _sizes(row: NodeRow) -> dict[str, object]:
    sizes = {name: getattr(row, name) for name in _SIZES}
    return {name: size for name, size in sizes.items() if size is not None and size >= 0}


def _facts(node: Candidate) -> dict[str, object]:
    """Return what is kept beside the node for the legacy API and for the record."""
    row = node.row
    facts = {
        "id": recorded_id(row.id),
        "uuid": None if canonical_uuid(node.written_uuid) else node.written_uuid,
        **{column: getattr(row, column) for column in _FACTS},
        **node.power.facts,
    }
    return {
        # As nova wrote times, without a zone.
        name: value.isoformat(timespec="microseconds") if isinstance(value, datetime) else value
        for name, value in facts.items()
        if value not in (None, "")
    }


def _instance_info(node: Candidate) -> dict[str, object]:
    """Return what nova's own driver for Ironic gives that can be known."""
    name = node.row.instance_name
    return {"display_name": name} if node.instance_uuid and name else {}


def _reasons_to_leave_out(node: Candidate, claims: Claims) -> Iterator[str]:
    yield from node.power.obstacles
    yield from _reasons_of_claims(node, claims)
    yield from _reasons_of_instance(node, claims)


def _reasons_of_claims(node: Candidate, claims: Claims) -> Iterator[str]:
    holder = claims.uuids[node.uuid]
    if holder is not node:
        yield f"node {holder.row.id} has the same UUID: correct it in bm_nodes"
    name = node.override.name
    if name and (holder := claims.names[name]) is not node:
        yield f"the mapping gives node {holder.row.id} the same name, {name!r}"
    bmc = node.power.bmc
    if bmc and (holder := claims.bmcs[bmc]) is not node:
        yield (
            f"node {holder.row.id} has the same BMC, so it is the same machine: delete one of "
            "the two, or correct the address"
        )


def _reasons_of_instance(node: Candidate, claims: Claims) -> Iterator[str]:
    if not node.is_occupied:
        return
    instance = node.instance_uuid
    if instance is None:
        written = node.row.instance_uuid
        what = f"{written!r} is no UUID" if written else "cannot be read"
        yield f"instance_uuid {what}: correct it in bm_nodes"
        return
    others = [f"node {each.row.id}" for each in claims.instances[instance] if each is not node]
    if others:
        yield f"instance {instance} is on {', '.join(others)} too: correct it in bm_nodes"
    if node.task_state != _RUNNING:
        yield (
            f"task_state {_quoted(node.task_state)} with instance {instance}: finish or delete "
            f"the instance in nova or, if it runs, say task_state: {_RUNNING} in the mapping"
        )


def _quoted(text: str | None) -> str:
    return "NULL" if text is None else repr(text)


def _remarks(node: Candidate, claims: Claims, nics: Collection[Nic]) -> Iterator[str]:
    yield from _remarks_on_ids(node)
    yield from _remarks_on_values(node.row)
    yield from node.power.remarks
    yield from _remarks_on_instance(node)
    yield from node.nic_remarks
    yield from _remarks_on_ports(node, claims, nics)


def _remarks_on_ids(node: Candidate) -> Iterator[str]:
    written = node.written_uuid
    if not written:
        yield f"no UUID in the database: {node.uuid} is computed"
    elif canonical_uuid(written) is None:
        yield f"uuid {written!r} is no UUID: {node.uuid} is computed"
    elif written != node.uuid:
        yield f"uuid {written!r} becomes {node.uuid}"
    if recorded_id(node.row.id) is None:
        yield f"id {node.row.id} is none that the legacy API serves: not carried"


def _remarks_on_values(row: NodeRow) -> Iterator[str]:
    for column in row.unreadable:
        yield f"{column} cannot be read: not carried"
    for name in _SIZES:
        size = getattr(row, name)
        if size is not None and size < 0:
            yield f"{name} {size} is no size: not carried"


def _remarks_on_instance(node: Candidate) -> Iterator[str]:
    written = node.row.instance_uuid
    if node.instance_uuid:
        if written != node.instance_uuid:
            yield f"instance_uuid {written!r} becomes {node.instance_uuid}"
    elif node.task_state not in _IDLE:
        yield (
            f"task_state {node.task_state!r} without an instance: look at the machine before "
            "it is used"
        )


def _remarks_on_ports(node: Candidate, claims: Claims, nics: Collection[Nic]) -> Iterator[str]:
    for nic in node.nics:
        holder = claims.addresses[nic.address]
        if holder is not node:
            yield (
                f"{nic.name}: MAC address {nic.address} is also that of node {holder.row.id}, "
                "which keeps it: no port is made"
            )
        elif nic.spelling != nic.address and not nic.differs_by_case_only:
            yield f"{nic.name}: MAC address {nic.spelling!r} becomes {nic.address}"
    if not nics:
        yield "no MAC address, so no port: it cannot be deployed before it has one"


def _remarks_on_database(nova_bm: NovaBm) -> Iterator[str]:
    if nova_bm.schema_version is None:
        yield "the database has no schema version (table migrate_version): make sure it is nova_bm"
    if nova_bm.pxe_ips:
        yield f"addresses in bm_pxe_ips, for which Ironic has no place: {nova_bm.pxe_ips}"
    live = {row.id for row in nova_bm.nodes}
    yield from stray_interfaces(nova_bm.interfaces, live, nova_bm.deleted_node_ids)


def _remarks_on_mapping(mapping: NodeMapping, known: Sequence[Candidate]) -> Iterator[str]:
    for key in unused(mapping, [each.row for each in known]):
        yield f"the mapping has {key}, which is no live node"
