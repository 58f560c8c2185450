# SPDX-License-Identifier: Apache-2.0
"""XML as Nova spoke it until Juno, read and written.

Scalars are attributes, ``None`` for null; lists are elements. Nodes and interfaces have no
namespace, faults and extensions one.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

_FAULTS = "http://docs.openstack.org/compute/api/v1.1"
_COMMON = "http://docs.openstack.org/common/api/v1.0"
_ATOM = "http://www.w3.org/2005/Atom"

#: The attributes of Juno's template. Keys of later dialects were never among them.
_NODE_ATTRIBUTES = (
    "id",
    "cpus",
    "memory_mb",
    "local_gb",
    "service_host",
    "pm_address",
    "pm_user",
    "terminal_port",
    "instance_uuid",
    "uuid",
    "task_state",
    "updated_at",
    "pxe_config_path",
)

#: All but tab, line feed, carriage return and the planes of Unicode.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

#: Deeper than any body of the API; the parser itself has no bound but the size of the body.
_MAX_DEPTH = 8


class Malformed(ValueError):
    """Not XML, or XML that no client of this API sends."""


def parse(data: bytes) -> dict[str, object]:
    """Read a request: the root element is the key, attributes and children are its object.

    All values are texts. Namespaces are ignored. A root that holds only text has it for a value.

    :raises Malformed: it cannot be read, or has a DTD, entities, or is nested too deeply
    """
    parser = DefusedXMLParser(target=_BoundedBuilder(), forbid_dtd=True)
    try:
        parser.feed(data)
        root = parser.close()
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Malformed(str(error)) from error
    text = (root.text or "").strip()
    return {_local_name(root): text if text and not len(root) else _object(root)}


def write(body: Mapping[str, object]) -> bytes:
    """Write a success: the body that JSON would have, chosen by its one key."""
    ((key, value),) = body.items()
    root = _WRITERS[key](value)
    return bytes(ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True))


def write_fault(name: str, code: int, message: str) -> bytes:
    """Write a fault, which has no XML declaration."""
    fault = Element(name, {"code": str(code), "xmlns": _FAULTS})
    SubElement(fault, "message").text = _text(message)
    return bytes(ElementTree.tostring(fault, encoding="UTF-8", xml_declaration=False))


class _BoundedBuilder(ElementTree.TreeBuilder):
    """Builds a tree, and stops at the first element that is too deep."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def start(self, tag: str, attributes: dict[str, str], /) -> Element:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise Malformed("nested too deeply")
        return super().start(tag, attributes)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _local_name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _object(element: Element) -> dict[str, object]:
    read: dict[str, object] = dict(element.attrib)
    for child in element:
        plain = not len(child) and not child.attrib and child.text
        read[_local_name(child)] = child.text if plain else _object(child)
    return read


def _node(node: Any) -> Element:
    names = [name for name in _NODE_ATTRIBUTES if name in node]
    element = Element("node", {name: _text(node[name]) for name in names})
    if "updated_at" in node:
        # Here the old server wrote a blank, in JSON the T of ISO 8601.
        element.set("updated_at", _text(node["updated_at"]).replace("T", " "))
    interfaces = SubElement(element, "interfaces")
    interfaces.extend(_interface(each) for each in node["interfaces"])
    return element


def _nodes(nodes: Any) -> Element:
    element = Element("nodes")
    element.extend(_node(each) for each in nodes)
    return element


def _interface(interface: Any) -> Element:
    return Element("interface", {name: _text(value) for name, value in interface.items()})


def _version(version: Any) -> Element:
    element = Element("version", {name: version[name] for name in ("id", "status", "updated")})
    if "media-types" in version:
        media_types = SubElement(element, "media-types")
        for media_type in version["media-types"]:
            SubElement(media_types, "media-type", media_type)
    for link in version["links"]:
        SubElement(element, "atom:link", link)
    return element


def _version_document(version: Any) -> Element:
    return _in_common_namespace(_version(version))


def _versions(versions: Any) -> Element:
    element = Element("versions")
    element.extend(_version(each) for each in versions)
    return _in_common_namespace(element)


def _extension(extension: Any) -> Element:
    names = ("name", "namespace", "alias", "updated")
    element = Element("extension", {name: extension[name] for name in names})
    SubElement(element, "description").text = extension["description"]
    return element


def _extension_document(extension: Any) -> Element:
    return _in_common_namespace(_extension(extension))


def _extensions(extensions: Any) -> Element:
    element = Element("extensions")
    element.extend(_extension(each) for each in extensions)
    return _in_common_namespace(element)


def _in_common_namespace(element: Element) -> Element:
    element.set("xmlns", _COMMON)
    element.set("xmlns:atom", _ATOM)
    return element


def _text(value: object) -> str:
    """Write a scalar; characters that XML cannot hold become the replacement character."""
    return _UNWRITABLE.sub("\ufffd", str(value))


_WRITERS: dict[str, Callable[[Any], Element]] = {
    "node": _node,
    "nodes": _nodes,
    "interface": _interface,
    "version": _version_document,
    "versions": _versions,
    "extension": _extension_document,
    "extensions": _extensions,
}
