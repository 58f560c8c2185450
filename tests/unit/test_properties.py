# SPDX-License-Identifier: Apache-2.0
"""What holds for whatever Ironic may hold and for whatever callers may send."""

import contextlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bm_shim import errors, schemas, translation
from bm_shim.access_log import format_line
from bm_shim.api import xml
from bm_shim.formats import FORMATS, server, union
from bm_shim.legacy_ids import DERIVED_FROM, HIGHEST_ID, derived_id, names
from bm_shim.model import Node

from .strategies import (
    ANYTHING,
    DRIVERS,
    INSTANCES,
    MANY,
    NEW_INTERFACES,
    NEW_NODES,
    NODES,
    PORTS,
    TEXTS,
    UUIDS,
    objects,
)

UUID = "1be26c0b-03f2-4d2e-ae87-c02d7f33c123"
PORT_UUID = "4d2eae87-03f2-4d2e-ae87-c02d7f33c999"
MARK = "req-1be26c0b-03f2-4d2e-ae87-c02d7f33c000"

NEW_NODE = schemas.NewNodeSchema()
NEW_INTERFACE = schemas.NewInterfaceSchema()
INTERFACE_MATCH = schemas.InterfaceMatchSchema()


# Whatever Ironic may hold is shown


def is_json(value: object) -> bool:
    """Whether a value can be told to any JSON reader."""
    return not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize("name", FORMATS)
@MANY
@given(node=NODES, ports=st.lists(PORTS, max_size=2))
def test_whatever_ironic_holds_is_shown(
    name: str, node: Mapping[str, Any], ports: list[Mapping[str, Any]]
) -> None:
    form = FORMATS[name]
    shown = translation.node_from_ironic(node, ports)

    for body in (form.node(shown), form.node_in_list(shown)):
        text = json.dumps({"node": body})
        read = json.loads(text)["node"]
        assert list(read) == list(body)
        # Nova's own proxy passes sizes on as they are, whatever they are.
        assert name == "ironic-proxy" or all(is_json(value) for value in read.values())
        for document in ({"node": body}, {"nodes": [body, body]}):
            ElementTree.fromstring(xml.write(document))
    for interface in shown.interfaces:
        body = form.interface(interface)
        assert json.loads(json.dumps({"interface": body}))["interface"] == body
        ElementTree.fromstring(xml.write({"interface": body}))


@MANY
@given(
    node=INSTANCES,
    version=st.sampled_from([(2, 1), (2, 3), (2, 16), (2, 35)]),
    admin=st.booleans(),
)
def test_whatever_instance_ironic_holds_is_shown(
    node: Mapping[str, Any], version: tuple[int, int], admin: bool
) -> None:
    shown = translation.instance_from_ironic({**node, "instance_uuid": UUID})
    links = server.Links("http://x/v2.1", "http://x")

    for body in (
        server.server(shown, links, version=version, admin=admin),
        server.flavor(shown.flavor, [shown], links),
    ):
        assert json.loads(json.dumps(body, allow_nan=False)) == body


@MANY
@given(node=NODES)
def test_a_node_has_two_ids_that_find_it(node: Mapping[str, Any]) -> None:
    recorded = translation.recorded_id_of(node)
    derived = derived_id(node["uuid"])

    assert DERIVED_FROM <= derived < HIGHEST_ID
    assert names(derived, node["uuid"], recorded)
    # Ironic keeps spellings; the number is of the UUID.
    assert derived == derived_id(node["uuid"].lower().replace("-", ""))
    if recorded is not None:
        assert 0 < recorded < DERIVED_FROM
        assert names(recorded, node["uuid"], recorded)


@MANY
@given(value=ANYTHING)
def test_integers_are_read_or_not_there(value: object) -> None:
    assert isinstance(translation.integer(value), int | None)


# Whatever a schema accepts arrives in Ironic, and reads back the same


def stored(body: Mapping[str, Any]) -> Any:
    """Return what Ironic gives back of what it was given: JSON, passwords hidden."""
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    read = json.loads(json.dumps(body))
    for key in read.get("driver_info", {}):
        if "password" in key:
            read["driver_info"][key] = "******"
    return read


@MANY
@given(sent=NEW_NODES, driver=DRIVERS)
def test_whatever_create_accepts_reads_back_the_same(sent: dict[str, Any], driver: str) -> None:
    new = schemas.load(NEW_NODE, {"node": sent}, "node")
    body = translation.node_to_ironic(new, uuid=UUID, driver=driver, cpu_arch="x86", mark=MARK)
    # The rest is set by PATCH.
    node = stored(body) | {"instance_uuid": new.instance_uuid}

    assert translation.bears_mark(node, MARK)
    assert translation.node_from_ironic(node, []) == Node(
        uuid=UUID,
        recorded_id=new.id,
        properties=node["properties"],
        provision_state=None,
        instance_uuid=new.instance_uuid,
        service_host=sent.get("service_host"),
        pm_address=sent.get("pm_address"),
        pm_user=sent.get("pm_user"),
        terminal_port=new.terminal_port,
        pxe_config_path=sent.get("pxe_config_path"),
        updated_at=None,
        interfaces=(),
    )
    shown = union.node(translation.node_from_ironic(node, []))
    for name in ("cpus", "memory_mb", "local_gb"):
        assert shown[name] == int(sent.get(name) or 0)
    assert shown["id"] == (int(sent.get("id") or 0) or UUID)


@MANY
@given(sent=NEW_NODES, driver=DRIVERS)
def test_the_power_password_goes_to_driver_info_and_nowhere_else(
    sent: dict[str, Any], driver: str
) -> None:
    secret = "pass-4711-word"
    new = schemas.load(NEW_NODE, {"node": {**sent, "pm_password": secret}}, "node")
    body = translation.node_to_ironic(new, uuid=UUID, driver=driver, cpu_arch="x86", mark=MARK)

    assert secret not in repr(new)
    assert list(body["driver_info"].values()).count(secret) == 1  # type: ignore[attr-defined]
    assert secret not in json.dumps({**body, "driver_info": {}})


@MANY
@given(sent=NEW_INTERFACES)
def test_whatever_add_interface_accepts_reads_back_the_same(sent: dict[str, Any]) -> None:
    new = schemas.load(NEW_INTERFACE, {"add_interface": sent}, "add_interface")
    port = stored(translation.interface_to_ironic(new, uuid=PORT_UUID, node_uuid=UUID))
    # Ironic knows one spelling only.
    port["address"] = port["address"].lower()

    interface = translation.interface_from_ironic(port)

    assert interface.address == sent["address"]
    assert interface.ironic_address == sent["address"].lower()
    datapath_id = sent.get("datapath_id")
    assert interface.datapath_id == (None if datapath_id is None else str(datapath_id))
    port_no = sent.get("port_no")
    assert interface.port_no == (None if port_no is None else int(port_no))


# Whatever callers may send is accepted or refused


@pytest.mark.parametrize("schema", [NEW_NODE, NEW_INTERFACE, INTERFACE_MATCH])
@MANY
@given(data=st.data())
def test_any_json_is_accepted_or_refused(schema: Any, data: st.DataObject) -> None:
    body = data.draw(objects(list(schema.fields)))
    with contextlib.suppress(errors.BadRequest):
        assert schemas.load(schema, {"x": body}, "x") is not None


_XML_NOISE = st.text(st.sampled_from("<>/&;!?[]=\"' \n\0aDOCTYPECDATA-xmlns:%\ufffe\ud800"))


@MANY
@given(text=_XML_NOISE | TEXTS, codec=st.sampled_from(["utf-8", "utf-16", "latin-1"]))
def test_any_xml_is_read_or_refused(text: str, codec: str) -> None:
    try:
        body = xml.parse(text.encode(codec, "replace"))
    except xml.Malformed:
        return
    assert len(body) == 1


@MANY
@given(name=st.sampled_from(["computeFault", "itemNotFound"]), message=TEXTS)
def test_any_message_is_shown_in_xml(name: str, message: str) -> None:
    fault = ElementTree.fromstring(xml.write_fault(name, 500, message))
    assert fault.get("code") == "500"


# Whatever callers may send is one line of the log


_PAIR = re.compile(r'([a-z_]+)=(-|"(?:[^"\\]|\\.)*"|[^\s"]+)(?: |$)')


@MANY
@given(
    fields=st.dictionaries(
        st.sampled_from(["path", "status", "user_agent", "user_name"]), TEXTS | st.none()
    )
)
def test_any_value_is_one_pair_of_one_line(fields: dict[str, str | None]) -> None:
    line = format_line(fields)

    assert line.isprintable()
    assert line.isascii()
    pairs = _PAIR.findall(line)
    assert "".join(f"{name}={value} " for name, value in pairs).strip() == line.strip()
    read = {
        name: None if value == "-" else json.loads(value) if value.startswith('"') else value
        for name, value in pairs
    }
    assert read == fields


@MANY
@given(text=UUIDS)
def test_any_uuid_is_read_as_one(text: str) -> None:
    new = schemas.load(NEW_NODE, {"node": {"uuid": text}}, "node")
    assert derived_id(new.uuid) == derived_id(text)
