# SPDX-License-Identifier: Apache-2.0
"""Servers and flavors as Nova shows them, at microversions 2.1 to 2.35. Pure functions.

Ironic knows less of an instance than Nova did: it has no image, addresses, key pair, metadata or
user. These keys are there all the same, as empty as Nova has them where there is nothing.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bm_shim.formats.values import nova_time
from bm_shim.model import Instance

JsonObject = dict[str, object]

#: The statuses in which Nova shows how far it is.
_IN_PROGRESS = {"ACTIVE", "BUILD"}

#: What everybody is told of a failure. Ironic's own words are about hardware, and may name what
#: only administrators should know of it.
FAULT_MESSAGE = "The bare metal service failed with this machine. Its operator can see why."


@dataclass(frozen=True, slots=True)
class Links:
    """Where the API is: with its version, and without one."""

    versioned: str
    unversioned: str

    def of(self, collection: str, identifier: str) -> list[JsonObject]:
        """Return both links to something."""
        path = f"/{collection}/{identifier}"
        return [
            {"rel": "self", "href": self.versioned + path},
            {"rel": "bookmark", "href": self.unversioned + path},
        ]


def server_in_index(instance: Instance, links: Links) -> JsonObject:
    """Return an entry of the short list."""
    return {
        "id": instance.uuid,
        "name": instance.name,
        "links": links.of("servers", instance.uuid),
    }


def server(
    instance: Instance, links: Links, *, version: tuple[int, int], admin: bool
) -> JsonObject:
    """Return the body of show, and an entry of the long list.

    :param version: the microversion
    :param admin: whether it is for an administrator
    """
    # The bookmark alone, as Nova has it.
    flavor_links = links.of("flavors", instance.flavor)[1:]
    body: JsonObject = {
        **server_in_index(instance, links),
        "status": instance.state.status,
        "tenant_id": instance.project_id or "",
        "user_id": "",
        "metadata": {},
        "hostId": _host_id(instance),
        "image": "",
        "flavor": {"id": instance.flavor, "links": flavor_links},
        "created": nova_time(instance.created_at),
        "updated": nova_time(instance.updated_at),
        "addresses": {},
        "accessIPv4": "",
        "accessIPv6": "",
        "key_name": None,
        "config_drive": "",
        "security_groups": [],
        "OS-DCF:diskConfig": "MANUAL",
        "OS-EXT-AZ:availability_zone": "",
        "OS-EXT-STS:power_state": instance.power_state,
        "OS-EXT-STS:task_state": instance.state.task_state,
        "OS-EXT-STS:vm_state": instance.state.vm_state,
        "OS-SRV-USG:launched_at": None,
        "OS-SRV-USG:terminated_at": None,
        "os-extended-volumes:volumes_attached": [],
    }
    if instance.state.status in _IN_PROGRESS:
        body["progress"] = 0
    if instance.state.status == "ERROR":
        body["fault"] = _fault(instance, admin=admin)
    if admin:
        body |= _for_administrators(instance, version)
    body |= _since(version)
    return body


def flavor(name: str, instances: Sequence[Instance], links: Links) -> JsonObject:
    """Return a flavor: the sizes of the machines of its instances, 0 where they differ.

    :param instances: those that have it, one at least
    """
    return {
        "id": name,
        "name": name,
        "ram": _common(each.memory_mb for each in instances),
        "disk": _common(each.local_gb for each in instances),
        "swap": "",
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": False,
        "vcpus": _common(each.cpus for each in instances),
        "os-flavor-access:is_public": True,
        "rxtx_factor": 1.0,
        "links": links.of("flavors", name),
    }


def server_not_found(server_id: str, *, old: bool) -> str:
    """Say that there is no such server.

    :param old: in the words of the prefixes of before v2.1
    """
    if old:
        return "Instance could not be found"
    return f"Instance {server_id} could not be found."


def _for_administrators(instance: Instance, version: tuple[int, int]) -> JsonObject:
    """Return the keys that others do not see."""
    shown: JsonObject = {
        "OS-EXT-SRV-ATTR:host": instance.service_host,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": instance.node_uuid,
        "OS-EXT-SRV-ATTR:instance_name": instance.name,
    }
    if version >= (2, 3):
        shown |= {
            "OS-EXT-SRV-ATTR:hostname": instance.name,
            "OS-EXT-SRV-ATTR:kernel_id": "",
            "OS-EXT-SRV-ATTR:launch_index": 0,
            "OS-EXT-SRV-ATTR:ramdisk_id": "",
            "OS-EXT-SRV-ATTR:reservation_id": "",
            "OS-EXT-SRV-ATTR:root_device_name": None,
            "OS-EXT-SRV-ATTR:user_data": None,
        }
    if version >= (2, 16):
        shown["host_status"] = "MAINTENANCE" if instance.maintenance else "UP"
    return shown


def _since(version: tuple[int, int]) -> JsonObject:
    """Return the keys that microversions added."""
    added: JsonObject = {}
    if version >= (2, 9):
        added["locked"] = False
    if version >= (2, 19):
        added["description"] = None
    if version >= (2, 26):
        added["tags"] = []
    return added


def _fault(instance: Instance, *, admin: bool) -> JsonObject:
    fault: JsonObject = {
        "code": 500,
        "created": nova_time(instance.updated_at),
        "message": FAULT_MESSAGE,
    }
    if admin and instance.last_error is not None:
        fault["details"] = instance.last_error
    return fault


def _host_id(instance: Instance) -> str:
    """Return what tells hosts apart without naming them, each project in its own way."""
    if instance.service_host is None:
        return ""
    text = f"{instance.project_id or ''}{instance.service_host}"
    return hashlib.sha224(text.encode()).hexdigest()


def _common(sizes: Iterable[int]) -> int:
    """Return the one size that there is; 0 if there are several."""
    (size, *others) = set(sizes)
    return 0 if others else size
