# SPDX-License-Identifier: Apache-2.0
"""The schemas of ``openapi.yaml``: what is asked, made from ours; what is answered, as it is."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema, fields, validate

from bm_shim import schemas
from bm_shim.api.faults import FAULT_NAMES
from bm_shim.formats.values import PROXY_HOST
from bm_shim.legacy_ids import DERIVED_FROM, HIGHEST_ID
from bm_shim.server_states import STATUSES

JsonObject = dict[str, Any]

_PARAMETERS: dict[str, JsonObject] = yaml.safe_load(
    (Path(__file__).parent / "source" / "parameters.yaml").read_text()
)

#: The schemas of requests: their names here, the keys they stand under, and what the tables of the
#: reference call their fields.
REQUESTS: dict[str, tuple[type[Schema], str, str]] = {
    "NewNode": (schemas.NewNodeSchema, "node", "{}_request"),
    "NewInterface": (schemas.NewInterfaceSchema, "add_interface", "interface_{}_request"),
    "InterfaceMatch": (schemas.InterfaceMatchSchema, "remove_interface", "interface_{}_match"),
    "Reboot": (schemas.RebootSchema, "reboot", "reboot_{}"),
}


def words(parameter: str) -> str:
    """Return what the tables of the reference say of a parameter."""
    return " ".join(str(_PARAMETERS[parameter]["description"]).split()).replace("``", "`")


def reference(kind: str, name: str) -> JsonObject:
    """Return a reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def exactly(
    properties: Mapping[str, object], optional: Mapping[str, object] = MappingProxyType({})
) -> JsonObject:
    """Return an object with these keys and no others, but for optional ones."""
    return {
        "type": "object",
        "properties": {**properties, **optional},
        "required": list(properties),
        "additionalProperties": False,
    }


def one_of(*names: str) -> JsonObject:
    """Return something that is shown in one of several formats."""
    return {"oneOf": [reference("schemas", name) for name in names]}


def array(items: JsonObject) -> JsonObject:
    """Return an array."""
    return {"type": "array", "items": items}


def request_schemas() -> dict[str, JsonObject]:
    """Return the schemas of requests, as apispec makes them of ours."""
    plugin = MarshmallowPlugin()
    spec = APISpec("", "", openapi_version="3.1.0", plugins=[plugin])
    assert plugin.converter is not None  # noqa: S101
    plugin.converter.add_attribute_function(_describe_field)  # type: ignore[no-untyped-call]
    for name, (schema, _, _) in REQUESTS.items():
        spec.components.schema(name, schema=schema)
    made: dict[str, JsonObject] = spec.to_dict()["components"]["schemas"]
    for name, (_, key, parameter) in REQUESTS.items():
        for field, described in made[name]["properties"].items():
            described["description"] = words(parameter.format(field))
            if "anyOf" in described:
                # What apispec says of the classes that our fields are made of is too narrow.
                for each in ("type", "minimum", "maximum", "maxLength"):
                    described.pop(each, None)
        # In XML the object's key is the element's name.
        made[name]["xml"] = {"name": key}
    # There, an empty text is as good as none.
    made["InterfaceMatch"]["properties"]["id"]["anyOf"].append({"const": ""})
    made["InterfaceMatch"]["anyOf"] = [{"required": ["id"]}, {"required": ["address"]}]
    return made


def _describe_field(self: Any, field: fields.Field[Any], **kwargs: Any) -> JsonObject:
    """Say what a field of ours takes. apispec calls it for each field."""
    described: JsonObject = {}
    match field:
        case schemas.MacAddress():
            described = _choice(field, _MAC)
        case schemas.RebootType():
            described = _choice(field, _REBOOT_TYPE)
        case schemas.LegacyInteger():
            digits = {"type": "string", "pattern": f"^{schemas.DIGITS.pattern}$"}
            described = _choice(field, {"type": "integer", **_range(field)}, digits)
        case schemas.LegacyText():
            described = _choice(field, _TEXT, _INTEGER)
        case schemas.LegacyUuid():
            described = _choice(field, _UUID, {"const": ""})
        case fields.Boolean():
            texts = sorted(each for each in field.truthy | field.falsy if isinstance(each, str))
            described = _choice(field, {"type": "boolean"}, {"enum": [0, 1, *texts]})
    return {**described, "xml": {"attribute": True}}


def _range(field: fields.Field[Any]) -> JsonObject:
    (in_range,) = (each for each in field.validators if isinstance(each, validate.Range))
    return {"minimum": in_range.min, "maximum": in_range.max}


def _choice(field: fields.Field[Any], *choices: JsonObject) -> JsonObject:
    if field.allow_none:
        choices += ({"type": "null"},)
    return dict(choices[0]) if len(choices) == 1 else {"anyOf": list(choices)}


_STRING: JsonObject = {"type": "string"}
_STRING_OR_NULL: JsonObject = {"type": ["string", "null"]}
_TEXT: JsonObject = {
    "type": "string",
    "maxLength": schemas.MAX_TEXT,
    # Ironic's database cannot store it.
    "pattern": r"^[^\u0000]*$",
}
_UUID: JsonObject = {"type": "string", "format": "uuid"}
_UUID_OR_NULL: JsonObject = {"type": ["string", "null"], "format": "uuid"}
_INTEGER: JsonObject = {"type": "integer"}
_INTEGER_OR_NULL: JsonObject = {"type": ["integer", "null"]}
_RECORDED_ID: JsonObject = {"type": "integer", "minimum": 1, "maximum": DERIVED_FROM - 1}
_ANY_ID: JsonObject = {"type": "integer", "minimum": 1, "maximum": HIGHEST_ID - 1}
_MAC: JsonObject = {"type": "string", "pattern": f"^{schemas.MAC.pattern}$"}
_REBOOT_TYPE: JsonObject = {
    "type": "string",
    "pattern": "^([Ss][Oo][Ff][Tt]|[Hh][Aa][Rr][Dd])$",
}
_TIME: JsonObject = {"type": "string", "format": "date-time"}
_TIME_OR_NULL: JsonObject = {
    "type": ["string", "null"],
    # Without a zone, hence not of the format "date-time".
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}$",
}
_EMPTY: JsonObject = {"type": "array", "maxItems": 0}
_NO_TEXT: JsonObject = {"const": ""}
_NULL: JsonObject = {"type": "null"}


def _said(parameter: str, schema: JsonObject) -> JsonObject:
    return {"description": words(parameter), **schema}


def _named(**properties: JsonObject) -> dict[str, JsonObject]:
    """Give properties the words of the parameters of the same name."""
    return {name: _said(name, schema) for name, schema in properties.items()}


def _node(node_id: JsonObject, **properties: JsonObject) -> JsonObject:
    """Return a node with what union and nova-baremetal share, and more."""
    return exactly(
        {
            "id": _said("node_id_body", node_id),
            **_named(
                uuid=_UUID,
                service_host=_STRING_OR_NULL,
                cpus=_INTEGER,
                memory_mb=_INTEGER,
                local_gb=_INTEGER,
                pm_address=_STRING_OR_NULL,
                pm_user=_STRING_OR_NULL,
                terminal_port=_INTEGER_OR_NULL,
                instance_uuid=_UUID_OR_NULL,
                task_state=_STRING_OR_NULL,
                pxe_config_path=_STRING_OR_NULL,
                interfaces=array(reference("schemas", "Interface")),
                **properties,
            ),
        }
    )


def _proxy_node(**properties: JsonObject) -> JsonObject:
    """Return a node as Nova's proxy has it; sizes are whatever Ironic holds."""
    return exactly(
        {
            "id": _said("uuid", _UUID),
            **_named(
                host={"const": PROXY_HOST},
                task_state=_STRING_OR_NULL,
                cpus={},
                memory_mb={},
                disk_gb={},
                **properties,
            ),
        }
    )


_UNION_ID: JsonObject = {"oneOf": [_RECORDED_ID, _UUID]}
_UNION: dict[str, JsonObject] = {"host": {"const": PROXY_HOST}, "disk_gb": _INTEGER}

_NODES: dict[str, JsonObject] = {
    "UnionNode": _node(_UNION_ID, **_UNION, updated_at=_TIME_OR_NULL),
    "UnionNodeInList": _node(_UNION_ID, **_UNION),
    "NovaBaremetalNode": _node(_ANY_ID, updated_at=_TIME_OR_NULL),
    "IronicProxyNode": _proxy_node(
        interfaces=array(reference("schemas", "IronicProxyInterface")),
        instance_uuid=_UUID_OR_NULL,
    ),
    "IronicProxyNodeInList": _proxy_node(interfaces=_EMPTY),
    "Interface": exactly(
        {
            "id": _said("interface_id", _ANY_ID),
            "address": _said("interface_address", _MAC),
            "datapath_id": _said("interface_datapath_id", _STRING_OR_NULL),
            "port_no": _said("interface_port_no", _INTEGER_OR_NULL),
        }
    ),
    "IronicProxyInterface": exactly({"address": _said("interface_address", _MAC)}),
}

_SELF: JsonObject = exactly({"rel": {"const": "self"}, "href": _STRING})
_DESCRIBED_BY: JsonObject = exactly(
    {"rel": {"const": "describedby"}, "type": _STRING, "href": _STRING}
)
_VERSION: dict[str, JsonObject] = {
    "id": _said("version_id", _STRING),
    "status": _said("version_status", {"enum": ["CURRENT", "SUPPORTED"]}),
    "version": _said("version_max", _STRING),
    "min_version": _said("min_version", _STRING),
    "updated": _said("version_updated", _TIME),
}

_OTHERS: dict[str, JsonObject] = {
    "Version": exactly({**_VERSION, "links": _said("links", array(_SELF))}),
    "VersionDetails": exactly(
        {
            **_VERSION,
            "links": _said("links", array({"oneOf": [_SELF, _DESCRIBED_BY]})),
            "media-types": _said(
                "media_types", array(exactly({"base": _STRING, "type": _STRING}))
            ),
        }
    ),
    "Extension": exactly(
        {
            "alias": _said("alias", _STRING),
            "name": _said("extension_name", _STRING),
            "description": _said("description", _STRING),
            "namespace": _said("namespace", _STRING),
            "updated": _said("extension_updated", _TIME),
            "links": _said("extension_links", _EMPTY),
        }
    ),
}


_SERVER_LINK: JsonObject = exactly({"rel": {"enum": ["self", "bookmark"]}, "href": _STRING})
_FAULT: JsonObject = exactly(
    {
        "code": _said("server_fault_code", {"const": 500}),
        "created": _said("server_fault_created", _TIME),
        "message": _said("server_fault_message", _STRING),
    },
    {"details": _said("server_fault_details", _STRING)},
)
_IN_INDEX: dict[str, JsonObject] = {
    "id": _said("server_id_body", _UUID),
    "name": _said("server_name", _STRING),
    "links": _said("server_links", array(_SERVER_LINK)),
}
_SERVER_FLAVOR: JsonObject = exactly(
    {
        "id": _said("flavor_id_body", _STRING),
        "links": _said("flavor_links", array(_SERVER_LINK)),
    }
)

_SERVERS: dict[str, JsonObject] = {
    "ServerInList": exactly(_IN_INDEX),
    "Server": exactly(
        {
            **_IN_INDEX,
            "status": _said("server_status", {"enum": sorted(STATUSES)}),
            "tenant_id": _said("server_tenant_id", _STRING),
            "user_id": _said("server_text", _NO_TEXT),
            "metadata": _said("server_object", exactly({})),
            "hostId": _said("hostId", _STRING),
            "image": _said("server_text", _NO_TEXT),
            "flavor": _said("server_flavor", _SERVER_FLAVOR),
            "created": _said("server_created", {**_TIME, "type": ["string", "null"]}),
            "updated": _said("server_updated", {**_TIME, "type": ["string", "null"]}),
            "addresses": _said("server_object", exactly({})),
            "accessIPv4": _said("server_text", _NO_TEXT),
            "accessIPv6": _said("server_text", _NO_TEXT),
            "key_name": _said("server_null", _NULL),
            "config_drive": _said("server_text", _NO_TEXT),
            "security_groups": _said("server_list", _EMPTY),
            "OS-DCF:diskConfig": _said("OS-DCF:diskConfig", {"const": "MANUAL"}),
            "OS-EXT-AZ:availability_zone": _said("server_text", _NO_TEXT),
            "OS-EXT-STS:power_state": _said("OS-EXT-STS:power_state", {"enum": [0, 1, 4]}),
            "OS-EXT-STS:task_state": _said("OS-EXT-STS:task_state", _STRING_OR_NULL),
            "OS-EXT-STS:vm_state": _said("OS-EXT-STS:vm_state", _STRING_OR_NULL),
            "OS-SRV-USG:launched_at": _said("server_null", _NULL),
            "OS-SRV-USG:terminated_at": _said("server_null", _NULL),
            "os-extended-volumes:volumes_attached": _said("server_list", _EMPTY),
        },
        {
            "progress": _said("server_progress", {"const": 0}),
            "fault": _said("server_fault", _FAULT),
            "OS-EXT-SRV-ATTR:host": _said("OS-EXT-SRV-ATTR:host", _STRING_OR_NULL),
            "OS-EXT-SRV-ATTR:hypervisor_hostname": _said(
                "OS-EXT-SRV-ATTR:hypervisor_hostname", _UUID
            ),
            "OS-EXT-SRV-ATTR:instance_name": _said("OS-EXT-SRV-ATTR:instance_name", _STRING),
            "OS-EXT-SRV-ATTR:hostname": _said("OS-EXT-SRV-ATTR:hostname", _STRING),
            "OS-EXT-SRV-ATTR:kernel_id": _said("server_admin_text", _NO_TEXT),
            "OS-EXT-SRV-ATTR:launch_index": _said("server_launch_index", {"const": 0}),
            "OS-EXT-SRV-ATTR:ramdisk_id": _said("server_admin_text", _NO_TEXT),
            "OS-EXT-SRV-ATTR:reservation_id": _said("server_admin_text", _NO_TEXT),
            "OS-EXT-SRV-ATTR:root_device_name": _said("server_admin_null", _NULL),
            "OS-EXT-SRV-ATTR:user_data": _said("server_admin_null", _NULL),
            "host_status": _said("host_status", {"enum": ["UP", "MAINTENANCE"]}),
            "locked": _said("server_locked", {"const": False}),
            "description": _said("server_description", _NULL),
            "tags": _said("server_tags", _EMPTY),
        },
    ),
    "Flavor": exactly(
        {
            "id": _said("flavor_id_body", _STRING),
            "name": _said("flavor_name", _STRING),
            "ram": _said("flavor_ram", _INTEGER),
            "disk": _said("flavor_disk", _INTEGER),
            "swap": _said("flavor_swap", _NO_TEXT),
            "OS-FLV-EXT-DATA:ephemeral": _said("flavor_ephemeral", {"const": 0}),
            "OS-FLV-DISABLED:disabled": _said("flavor_disabled", {"const": False}),
            "vcpus": _said("flavor_vcpus", _INTEGER),
            "os-flavor-access:is_public": _said("flavor_is_public", {"const": True}),
            "rxtx_factor": _said("flavor_rxtx_factor", {"const": 1.0}),
            "links": _said("flavor_links", array(_SERVER_LINK)),
        }
    ),
    "NextLinks": _said(
        "servers_links", array(exactly({"rel": {"const": "next"}, "href": _STRING}))
    ),
}


def answer_schemas() -> dict[str, JsonObject]:
    """Return the schemas of all that is answered but faults."""
    return {**_NODES, **_SERVERS, **_OTHERS}


def fault_schema(status: int) -> JsonObject:
    """Return the schema of the body that tells of an error."""
    inner = exactly(
        {
            "code": _said("fault_code", {"const": status}),
            "message": _said("fault_message", _STRING),
        }
    )
    return exactly({FAULT_NAMES.get(status, "computeFault"): inner})
