# SPDX-License-Identifier: Apache-2.0
"""The live rows of a nova_bm database, each with all that is known of it. Pure functions."""

import uuid
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from oslo_utils import uuidutils

from bm_shim.migrate.mapping import override_for
from bm_shim.migrate.model import InterfaceRow, NodeMapping, NodeRow, NovaBm, Override
from bm_shim.migrate.ports import Nic, nics_of
from bm_shim.migrate.power import Power, power_of

_Thing = TypeVar("_Thing", bound=Hashable)

#: Of the UUIDs that are computed for nodes without one.
_NAMESPACE = uuid.UUID("6f0a3f8e-8a36-4c43-9f0e-2b1f8a6d3c55")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A live row, which may become a node, and what is said of it elsewhere."""

    #: Its UUID is the one below.
    row: NodeRow
    #: In Ironic's spelling; computed where the row has none.
    uuid: str
    #: As it is in the database.
    written_uuid: str | None
    #: In Ironic's spelling; None: there is none, or it is no UUID.
    instance_uuid: str | None
    override: Override
    power: Power
    nics: tuple[Nic, ...]
    #: On what its interfaces could not keep.
    nic_remarks: tuple[str, ...]

    @property
    def is_occupied(self) -> bool:
        """Whether it has an instance, or may have one."""
        return bool(self.row.instance_uuid) or "instance_uuid" in self.row.unreadable

    @property
    def task_state(self) -> str | None:
        """What the operator says, else what the database says."""
        return self.override.task_state or self.row.task_state


@dataclass(frozen=True, slots=True)
class Claims:
    """Whose that is which only one can have: one's with an instance, else the first's."""

    uuids: Mapping[str, Candidate]
    #: Of the mapping.
    names: Mapping[str, Candidate]
    bmcs: Mapping[tuple[str, ...], Candidate]
    #: It is the first interface that counts, not the first candidate. Without those of candidates
    #: that are another one's machine.
    addresses: Mapping[str, Candidate]
    #: All that have it: there is no saying whose it is.
    instances: Mapping[str, Sequence[Candidate]]


def gather(
    nova_bm: NovaBm, mapping: NodeMapping, manager: str, bmc_driver: str | None
) -> list[Candidate]:
    """Return the candidates, in the order of the rows.

    :param manager: see :func:`bm_shim.migrate.power.manager_of`
    :param bmc_driver: instead of ``ipmi``, where the mapping names no driver
    """
    interfaces: dict[int | None, list[InterfaceRow]] = defaultdict(list)
    for interface in nova_bm.interfaces:
        interfaces[interface.bm_node_id].append(interface)
    candidates = []
    for row in nova_bm.nodes:
        nics, nic_remarks = nics_of(row, interfaces[row.id])
        node_uuid = canonical_uuid(row.uuid) or _computed_uuid(row, nics)
        known = replace(row, uuid=node_uuid)
        override = override_for(mapping, known)
        candidate = Candidate(
            row=known,
            uuid=node_uuid,
            written_uuid=row.uuid,
            instance_uuid=canonical_uuid(row.instance_uuid),
            override=override,
            power=power_of(row, override, manager, bmc_driver),
            nics=nics,
            nic_remarks=nic_remarks,
        )
        candidates.append(candidate)
    return candidates


def settle(candidates: Iterable[Candidate]) -> Claims:
    """Return whose that is which several have."""
    ranked = sorted(candidates, key=lambda each: (not each.is_occupied, each.row.id))
    uuids = _first((each.uuid, each) for each in ranked)
    bmcs = _first((each.power.bmc, each) for each in ranked)
    # What another row has for the same machine is no claim: it is never converted.
    machines = [
        each
        for each in ranked
        if uuids[each.uuid] is each and bmcs.get(each.power.bmc or (), each) is each
    ]
    nics = [(nic, each) for each in machines for nic in each.nics]
    nics.sort(key=lambda pair: (not pair[1].is_occupied, pair[0].order))
    instances = defaultdict(list)
    for each in ranked:
        if each.instance_uuid:
            instances[each.instance_uuid].append(each)
    return Claims(
        uuids=uuids,
        names=_first((each.override.name, each) for each in ranked),
        bmcs=bmcs,
        addresses=_first((nic.address, each) for nic, each in nics),
        instances=instances,
    )


def canonical_uuid(text: str | None) -> str | None:
    """Return a UUID in Ironic's spelling, lower case with dashes; None: the text is none."""
    text = (text or "").strip()
    return str(uuid.UUID(text)) if uuidutils.is_uuid_like(text) else None


def _computed_uuid(row: NodeRow, nics: Iterable[Nic]) -> str:
    """Return the same UUID in each run, and another one for a node of another database."""
    addresses = sorted(nic.address for nic in nics)
    return str(uuid.uuid5(_NAMESPACE, " ".join([str(row.id), *addresses])))


def _first(claims: Iterable[tuple[_Thing | None, Candidate]]) -> dict[_Thing, Candidate]:
    """Return the first claimant of each thing."""
    holders: dict[_Thing, Candidate] = {}
    for thing, candidate in claims:
        if thing is not None:
            holders.setdefault(thing, candidate)
    return holders
