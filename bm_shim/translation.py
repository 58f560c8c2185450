# SPDX-License-Identifier: Apache-2.0
"""Between Ironic's JSON and the model, both ways. Pure functions.

What Ironic has no field for lives in ``extra["nova_baremetal"]`` of the node or port: the integer
``id``, ``service_host``, ``terminal_port``, ``prov_mac_address`` ... of a node; ``id``,
``datapath_id``, ``port_no`` and ``address`` (the spelling, where Ironic's differs) of a port.
Nothing read from Ironic is trusted to have the type it should: operators edit it by hand.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from oslo_utils.strutils import mask_password

from bm_shim.legacy_ids import derived_id, recorded_id
from bm_shim.model import Instance, Interface, NewInterface, NewNode, Node
from bm_shim.server_states import power_state_of, state_of

EXTRA_KEY = "nova_baremetal"

#: Fields of Ironic's node that :func:`node_from_ironic` reads and a list can ask for.
#: ``updated_at`` is not among them: Ironic gives it in the full body only.
NODE_FIELDS = [
    "uuid",
    "driver",
    "driver_info",
    "extra",
    "instance_uuid",
    "properties",
    "provision_state",
]
#: Fields of Ironic's port that :func:`interface_from_ironic` reads, and whose node it is.
PORT_FIELDS = ["uuid", "address", "extra", "node_uuid"]
#: Fields of Ironic's node that :func:`instance_from_ironic` reads and a list can ask for.
INSTANCE_FIELDS = [
    "uuid",
    "name",
    "extra",
    "instance_info",
    "instance_uuid",
    "lessee",
    "maintenance",
    "owner",
    "power_state",
    "properties",
    "protected",
    "provision_state",
    "resource_class",
    "target_power_state",
]

# What a server's state is made of, as server_states.state_of takes it.
_STATES = ("provision_state", "target_power_state", "power_state")

#: The flavor of instances on machines without a resource class.
DEFAULT_FLAVOR = "baremetal"


class PowerKeys(NamedTuple):
    """Where a hardware type keeps the power credentials in ``driver_info``."""

    address: str
    username: str
    password: str
    #: None: the hardware type has no such setting, the port is a fact in ``extra``.
    terminal_port: str | None


_IPMI = PowerKeys("ipmi_address", "ipmi_username", "ipmi_password", "ipmi_terminal_port")
_REDFISH = PowerKeys("redfish_address", "redfish_username", "redfish_password", None)
_ILO = PowerKeys("ilo_address", "ilo_username", "ilo_password", "console_port")
_IRMC = PowerKeys("irmc_address", "irmc_username", "irmc_password", None)
_POWER_KEYS = {
    "redfish": _REDFISH,
    "idrac": _REDFISH,
    "ilo": _ILO,
    "ilo5": _ILO,
    "irmc": _IRMC,
}


def power_keys(driver: object) -> PowerKeys:
    """Return the keys of a hardware type; unknown ones are taken to speak IPMI's."""
    return _POWER_KEYS.get(driver, _IPMI) if isinstance(driver, str) else _IPMI


def node_from_ironic(node: Mapping[str, object], ports: Iterable[Mapping[str, object]]) -> Node:
    """Translate an Ironic node (whole, or its ``NODE_FIELDS``) and its ports."""
    facts = facts_of(node)
    driver_info = _mapping(node.get("driver_info"))
    keys = power_keys(node.get("driver"))
    terminal_port = facts.get("terminal_port")
    if keys.terminal_port is not None:
        terminal_port = driver_info.get(keys.terminal_port, terminal_port)
    return Node(
        uuid=str(node["uuid"]),
        recorded_id=recorded_id(facts.get("id")),
        properties=_mapping(node.get("properties")),
        provision_state=_text(node.get("provision_state")),
        instance_uuid=_text(node.get("instance_uuid")),
        service_host=_text(facts.get("service_host")),
        pm_address=_text(driver_info.get(keys.address)),
        pm_user=_text(driver_info.get(keys.username)),
        terminal_port=integer(terminal_port),
        pxe_config_path=_text(facts.get("pxe_config_path")),
        updated_at=_text(node.get("updated_at")),
        interfaces=tuple(interface_from_ironic(port) for port in ports),
    )


def interface_from_ironic(port: Mapping[str, object]) -> Interface:
    """Translate an Ironic port (whole, or its ``PORT_FIELDS``)."""
    facts = facts_of(port)
    port_uuid = str(port["uuid"])
    address = str(port["address"])
    spelling = _text(facts.get("address"))
    return Interface(
        uuid=port_uuid,
        id=recorded_id(facts.get("id")) or derived_id(port_uuid),
        address=spelling if spelling and spelling.lower() == address.lower() else address,
        ironic_address=address,
        datapath_id=_text(facts.get("datapath_id")),
        port_no=integer(facts.get("port_no")),
    )


def instance_from_ironic(node: Mapping[str, object]) -> Instance:
    """Translate the instance on an Ironic node (whole, or its ``INSTANCE_FIELDS``).

    Its times are the node's, those recorded with a machine that came from nova-baremetal first:
    Ironic keeps none of an instance.
    """
    facts = facts_of(node)
    info = _mapping(node.get("instance_info"))
    properties = _mapping(node.get("properties"))
    instance_uuid = str(node["instance_uuid"])
    # Not the recorded instance_name: that outlives the instance, and the next one on the machine
    # would be taken for it. Ironic clears instance_info.
    names = (info.get("display_name"), node.get("name"))
    last_error = _text(node.get("last_error"))
    created_at = moment(facts.get("created_at")) or moment(node.get("created_at"))
    return Instance(
        uuid=instance_uuid,
        node_uuid=str(node["uuid"]),
        name=next(filter(None, map(_text, names)), instance_uuid),
        project_id=_text(node.get("lessee")) or _text(node.get("owner")) or None,
        service_host=_text(facts.get("service_host")),
        flavor=_text(node.get("resource_class")) or DEFAULT_FLAVOR,
        cpus=integer(properties.get("cpus")) or 0,
        memory_mb=integer(properties.get("memory_mb")) or 0,
        local_gb=integer(properties.get("local_gb")) or 0,
        state=state_of(*(node.get(name) for name in _STATES)),
        power_state=power_state_of(node.get("power_state")),
        maintenance=node.get("maintenance") is True,
        protected=node.get("protected") is True,
        last_error=mask_password(last_error) if last_error else None,
        created_at=created_at,
        updated_at=moment(node.get("updated_at")) or created_at,
    )


def node_to_ironic(
    new: NewNode, *, uuid: str, driver: str, cpu_arch: str, mark: str
) -> dict[str, object]:
    """Return the body that creates ``new`` in Ironic.

    :param uuid: of the node to make, also where the request left it open
    :param mark: a text that tells this node from any other with the same uuid, kept in ``extra``;
        see :func:`bears_mark`
    """
    keys = power_keys(driver)
    driver_info: dict[str, object] = {
        keys.address: new.pm_address,
        keys.username: new.pm_user,
        keys.password: new.pm_password,
    }
    facts: dict[str, object] = {
        "id": new.id,
        "prov_mac_address": new.prov_mac_address,
        "request_id": mark,
        **new.facts,
    }
    if keys.terminal_port is None:
        facts["terminal_port"] = new.terminal_port
    else:
        driver_info[keys.terminal_port] = new.terminal_port
    properties = {
        "cpu_arch": cpu_arch,
        "cpus": new.cpus,
        "memory_mb": new.memory_mb,
        "local_gb": new.local_gb,
    }
    return {
        "uuid": uuid,
        "driver": driver,
        "driver_info": _given(driver_info),
        "properties": _given(properties),
        "extra": {EXTRA_KEY: _given(facts)},
    }


def interface_to_ironic(new: NewInterface, *, uuid: str, node_uuid: str) -> dict[str, object]:
    """Return the body that creates the port of ``new`` in Ironic."""
    facts = {
        "datapath_id": new.datapath_id,
        "port_no": new.port_no,
        "address": new.address if new.address != new.address.lower() else None,
    }
    return {
        "uuid": uuid,
        "node_uuid": node_uuid,
        "address": new.address,
        "extra": {EXTRA_KEY: _given(facts)},
    }


def facts_of(resource: Mapping[str, object]) -> Mapping[str, object]:
    """Return what is kept for the legacy API beside an Ironic node or port."""
    return _mapping(_mapping(resource.get("extra")).get(EXTRA_KEY))


def recorded_id_of(resource: Mapping[str, object]) -> int | None:
    """Return the integer id recorded with an Ironic node or port."""
    return recorded_id(facts_of(resource).get("id"))


def bears_mark(node: Mapping[str, object], mark: str) -> bool:
    """Whether a node is the one made with this ``mark``, and not an older one of the same uuid."""
    return facts_of(node).get("request_id") == mark


def integer(value: object) -> int | None:
    """Read a whole number that somebody stored as a number or as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if not isinstance(value, float) or number == value else None


def moment(time: object) -> datetime | None:
    """Read a time of Ironic's, or one recorded without a zone, which is UTC.

    :returns: None for what is not a time
    """
    if not isinstance(time, str):
        return None
    try:
        read = datetime.fromisoformat(time)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    """Read a text; numbers that somebody stored in its place are shown as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def _given(values: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in values.items() if value is not None}
