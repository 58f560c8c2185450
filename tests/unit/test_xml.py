# SPDX-License-Identifier: Apache-2.0
import time
from pathlib import Path
from typing import Any

import pytest

from bm_shim.api import xml

INTERFACE = {"id": 3, "address": "52:54:00:AB:cd:ef", "datapath_id": "0", "port_no": None}
NODE: dict[str, Any] = {
    "id": 1,
    "cpus": 8,
    "memory_mb": 8192,
    "local_gb": None,
    "service_host": "host1",
    "pm_address": "10.1.2.3",
    "pm_user": "",
    "terminal_port": None,
    "instance_uuid": None,
    "uuid": "1be26c0b-03f2-4d2e-ae87-c02d7f33c123",
    "task_state": "active",
    "updated_at": "2026-11-22T20:30:17.123456",
    "pxe_config_path": None,
    "interfaces": [INTERFACE],
}

DECLARATION = b"<?xml version='1.0' encoding='UTF-8'?>\n"


# Reading


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ('<node cpus="8" pm_user=""/>', {"node": {"cpus": "8", "pm_user": ""}}),
        ("<node><cpus>8</cpus></node>", {"node": {"cpus": "8"}}),
        ("<node><cpus> 8 </cpus></node>", {"node": {"cpus": " 8 "}}),
        ('<node id="1"><cpus>8</cpus></node>', {"node": {"id": "1", "cpus": "8"}}),
        ("<node/>", {"node": {}}),
        ("<node></node>", {"node": {}}),
        ('<node id="1">\n</node>', {"node": {"id": "1"}}),
        ("<node><pm_user/></node>", {"node": {"pm_user": {}}}),
        ('<node><a b="1"><c>2</c></a></node>', {"node": {"a": {"b": "1", "c": "2"}}}),
        ("<add_interface address='x'/>", {"add_interface": {"address": "x"}}),
        ('<node xmlns="urn:x" id="1"/>', {"node": {"id": "1"}}),
        ('<bm:node xmlns:bm="urn:x" id="1"><bm:cpus>8</bm:cpus></bm:node>',
         {"node": {"id": "1", "cpus": "8"}}),
        ("<!-- comment --><node/>", {"node": {}}),
        ("<?xml-stylesheet href='x'?><node/>", {"node": {}}),
        ("<node><!-- comment --><cpus>8</cpus></node>", {"node": {"cpus": "8"}}),
        ("<node><?do this?><cpus>8</cpus></node>", {"node": {"cpus": "8"}}),
        ("<node><pm_user><![CDATA[a<b&c]]></pm_user></node>", {"node": {"pm_user": "a<b&c"}}),
        ("<node><pm_user>a<![CDATA[<]]>b</pm_user></node>", {"node": {"pm_user": "a<b"}}),
        ("<node pm_user='&lt;&amp;&#228;&#x1F600;'/>", {"node": {"pm_user": "<&ä😀"}}),
        ("<node>text<cpus>8</cpus>more</node>", {"node": {"cpus": "8"}}),
        ("<node>text</node>", {"node": "text"}),
        ("<node> <![CDATA[text]]> </node>", {"node": "text"}),
    ],
)  # fmt: skip
def test_read(text: str, body: dict[str, object]) -> None:
    assert xml.parse(text.encode()) == body


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "us-ascii"])
def test_read_encodings(encoding: str) -> None:
    name = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{name}"?><node pm_user="&#228;"/>'
    assert xml.parse(text.encode(encoding)) == {"node": {"pm_user": "ä"}}


def test_read_utf_16_without_a_declaration() -> None:
    assert xml.parse('<node pm_user="ä"/>'.encode("utf-16")) == {"node": {"pm_user": "ä"}}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"node",
        b'{"node": {}}',
        b"<node>",
        b"<node></nodes>",
        b"<node/><node/>",
        b"<node/>x",
        b"<node cpus=8/>",
        b'<node id="1" id="2"/>',
        b"<node a:b='1'/>",
        b"<a:node/>",
        b"<node pm_user='<'/>",
        b"<node>&nbsp;</node>",
        b"<node>&#0;</node>",
        b"<node>&#xD800;</node>",
        b"<node>\0</node>",
        b"<node pm_user='a\0b'/>",
        b"<node>\x01</node>",
        b"<node>\x1b[2J</node>",
        b"<node pm_user='\xff'/>",
        b"<node pm_user='\xed\xa0\x80'/>",
        b" <?xml version='1.0'?><node/>",
        b"<?xml version='1.0' encoding='klingon'?><node/>",
        b"<?xml version='1.0' encoding='utf-7'?><node/>",
        b"<?xml version='1.0' encoding='utf-32'?><node/>",
        b"<?xml version='1.0' encoding='rot13'?><node/>",
        b"<?xml version='1.0' encoding='shift_jis'?><node/>",
        b"<?xml version='1.0' encoding=''?><node/>",
        b"<?xml version='1.0' encoding='utf-16'?><node/>",
        "<node/>".encode("utf-32"),
    ],
)
def test_what_is_not_xml_is_malformed(data: bytes) -> None:
    with pytest.raises(xml.Malformed):
        xml.parse(data)


DTD = {
    "empty": "<!DOCTYPE node>",
    "external": '<!DOCTYPE node SYSTEM "http://192.0.2.1/x.dtd">',
    "public": '<!DOCTYPE node PUBLIC "-//X" "file:///x.dtd">',
    "element": "<!DOCTYPE node [<!ELEMENT node ANY>]>",
    "default-attribute": "<!DOCTYPE node [<!ATTLIST node id CDATA '1'>]>",
    "entity": "<!DOCTYPE node [<!ENTITY e 'x'>]>",
    "parameter-entity": "<!DOCTYPE node [<!ENTITY % p SYSTEM 'file:///etc/passwd'> %p;]>",
    "notation": "<!DOCTYPE node [<!NOTATION n SYSTEM 'x'>]>",
}


@pytest.mark.parametrize("name", DTD)
def test_document_types_are_refused(name: str) -> None:
    with pytest.raises(xml.Malformed):
        xml.parse(f"{DTD[name]}<node/>".encode())


def test_external_entity_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    text = f'<!DOCTYPE node [<!ENTITY e SYSTEM "{secret.as_uri()}">]><node><a>&e;</a></node>'
    with pytest.raises(xml.Malformed) as caught:
        xml.parse(text.encode())
    assert "secret" not in str(caught.value).removeprefix(secret.as_uri())


@pytest.mark.parametrize("attribute", [False, True])
def test_billion_laughs(attribute: bool) -> None:
    tenfold = [10 * f"&e{n};" for n in range(9)]
    levels = [f'<!ENTITY e{n + 1} "{each}">' for n, each in enumerate(tenfold)]
    use = '<node a="&e9;"/>' if attribute else "<node>&e9;</node>"
    text = f'<!DOCTYPE node [<!ENTITY e0 "ha">{"".join(levels)}]>{use}'
    began = time.monotonic()
    with pytest.raises(xml.Malformed):
        xml.parse(text.encode())
    assert time.monotonic() - began < 1


def test_quadratic_blowup() -> None:
    text = f'<!DOCTYPE node [<!ENTITY e "{"x" * 50000}">]><node>{"&e;" * 10000}</node>'
    with pytest.raises(xml.Malformed):
        xml.parse(text.encode())


@pytest.mark.parametrize(("depth", "fits"), [(7, True), (8, False), (16000, False)])
def test_depth(depth: int, fits: bool) -> None:
    text = "<node>" + "<a>" * depth + "</a>" * depth + "</node>"
    if fits:
        assert "node" in xml.parse(text.encode())
    else:
        with pytest.raises(xml.Malformed):
            xml.parse(text.encode())


def test_unclosed_depth() -> None:
    with pytest.raises(xml.Malformed):
        xml.parse(b"<a>" * 38000)


def test_many_attributes_take_no_time() -> None:
    names = [f"a{number}" for number in range(11000)]
    attributes = " ".join(f"{name}=''" for name in names)
    text = f"<node {attributes}/>".encode()
    assert len(text) < 114688
    began = time.monotonic()
    assert xml.parse(text) == {"node": dict.fromkeys(names, "")}
    assert time.monotonic() - began < 1


def test_many_children_and_namespaces_take_no_time() -> None:
    children = "".join(f'<a{n} xmlns="urn:{n}"/>' for n in range(4000))
    began = time.monotonic()
    assert len(xml.parse(f"<node>{children}</node>".encode())["node"]) == 4000  # type: ignore[arg-type]
    assert time.monotonic() - began < 1


# Writing


def test_write_a_node() -> None:
    assert xml.write({"node": NODE}) == DECLARATION + (
        b'<node id="1" cpus="8" memory_mb="8192" local_gb="None" service_host="host1" '
        b'pm_address="10.1.2.3" pm_user="" terminal_port="None" instance_uuid="None" '
        b'uuid="1be26c0b-03f2-4d2e-ae87-c02d7f33c123" task_state="active" '
        b'updated_at="2026-11-22 20:30:17.123456" pxe_config_path="None"><interfaces>'
        b'<interface id="3" address="52:54:00:AB:cd:ef" datapath_id="0" port_no="None" />'
        b"</interfaces></node>"
    )


def test_write_a_node_never_updated() -> None:
    assert b'updated_at="None"' in xml.write({"node": {**NODE, "updated_at": None}})


def test_keys_that_are_not_there_are_left_out() -> None:
    node = {"id": 1, "interfaces": []}
    assert xml.write({"node": node}) == DECLARATION + b'<node id="1"><interfaces /></node>'


def test_keys_of_later_dialects_are_dropped() -> None:
    node = {"id": "x", "host": "IRONIC MANAGED", "disk_gb": "10", "interfaces": []}
    assert xml.write({"node": node}) == DECLARATION + b'<node id="x"><interfaces /></node>'


def test_interface_of_the_proxy_has_its_address_only() -> None:
    written = xml.write({"interface": {"address": "52:54:00:ab:cd:ef"}})
    assert written == DECLARATION + b'<interface address="52:54:00:ab:cd:ef" />'


def test_write_lists() -> None:
    assert xml.write({"nodes": []}) == DECLARATION + b"<nodes />"
    node = {"id": 1, "interfaces": []}
    inner = b'<node id="1"><interfaces /></node>'
    assert xml.write({"nodes": [node, node]}) == (
        DECLARATION + b"<nodes>" + inner + inner + b"</nodes>"
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a<b>&\"'", b"a&lt;b&gt;&amp;&quot;'"),
        ("äß😀", "äß😀".encode()),
        ("a\0b", "a�b".encode()),
        ("\x1b[2J", "�[2J".encode()),
        ("\ud800", "�".encode()),
        ("\ufffe\uffff", "��".encode()),
        ("a\tb\nc", b"a&#09;b&#10;c"),
    ],
)
def test_any_text_can_be_written(text: str, written: bytes) -> None:
    body = xml.write({"node": {"service_host": text, "interfaces": []}})
    assert b'<node service_host="' + written + b'">' in body
    assert b"<message>" in xml.write_fault("badRequest", 400, text)


@pytest.mark.parametrize("text", ["a<b>&\"'", "ä😀", "a\tb\nc\r", " blanks ", ""])
def test_what_is_written_can_be_read(text: str) -> None:
    body = xml.write({"node": {"service_host": text, "interfaces": []}})
    assert xml.parse(body) == {"node": {"service_host": text, "interfaces": {}}}


def test_write_a_fault() -> None:
    assert xml.write_fault("itemNotFound", 404, "No <node> & no more.") == (
        b'<itemNotFound code="404" xmlns="http://docs.openstack.org/compute/api/v1.1">'
        b"<message>No &lt;node&gt; &amp; no more.</message></itemNotFound>"
    )


def test_write_extensions() -> None:
    extension = {
        "alias": "os-x",
        "name": "X",
        "namespace": "urn:x",
        "updated": "2013-01-04T00:00:00Z",
        "description": "Does x.",
        "links": [],
    }
    inner = (
        b'<extension name="X" namespace="urn:x" alias="os-x" updated="2013-01-04T00:00:00Z"%s>'
        b"<description>Does x.</description></extension>"
    )
    common = (
        b' xmlns="http://docs.openstack.org/common/api/v1.0"'
        b' xmlns:atom="http://www.w3.org/2005/Atom"'
    )
    assert xml.write({"extension": extension}) == DECLARATION + inner % common
    assert xml.write({"extensions": [extension]}) == (
        DECLARATION + b"<extensions" + common + b">" + inner % b"" + b"</extensions>"
    )
