# SPDX-License-Identifier: Apache-2.0
"""Bodies on the wire: of functions alone, and below of the operations that read and answer."""

import io
import json
from collections.abc import Iterable
from typing import Any

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.test import EnvironBuilder

from bm_shim import errors
from bm_shim.api import faults, representation
from bm_shim.api.representation import PathForm
from bm_shim.model import NewNode

from .conftest import Api, StubInventory
from .wire import PROJECT

JSON = "application/json"
XML = "application/xml"
VENDOR_JSON = "application/vnd.openstack.compute+json"
VENDOR_XML = "application/vnd.openstack.compute+xml"
OLDEST = "/v1.1/p/os-baremetal-nodes"
OLD = "/v2/p/os-baremetal-nodes"
NEW = "/v2.1/os-baremetal-nodes"

app = Flask(__name__)


def environ(path: str, accept: str | None = None) -> dict[str, Any]:
    """What the application sees of a request."""
    headers: dict[str, str] = {} if accept is None else {"Accept": accept}
    made = EnvironBuilder(path, headers=list(headers.items())).get_environ()

    def keep(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return []

    list(PathForm(keep)(made, None))
    return made


# What comes back


@pytest.mark.parametrize(
    ("accept", "old", "new"),
    [
        (None, JSON, JSON),
        ("", JSON, JSON),
        ("*/*", JSON, JSON),
        ("application/*", JSON, JSON),
        (JSON, JSON, JSON),
        (XML, XML, JSON),
        (VENDOR_JSON, VENDOR_JSON, VENDOR_JSON),
        (VENDOR_XML, VENDOR_XML, JSON),
        (f"{VENDOR_XML};version=2", VENDOR_XML, JSON),
        (f"{VENDOR_JSON};version=2.1", VENDOR_JSON, VENDOR_JSON),
        (f"{XML};charset=utf-8;q=0.9, {JSON};q=0.8", XML, JSON),
        (f"{XML};q=0.4, {JSON};q=0.5", JSON, JSON),
        (f"{XML};q=0, {JSON}", JSON, JSON),
        (f"{XML};q=0", JSON, JSON),
        (f"text/html, {XML};q=0.9, */*;q=0.8", XML, JSON),
        ("APPLICATION/XML", XML, JSON),
        ("text/html", JSON, JSON),
        ("text/xml", JSON, JSON),
        ("nonsense", JSON, JSON),
        (";;,,q=", JSON, JSON),
        (f"{XML};q=nonsense", JSON, JSON),
    ],
)
def test_wanted(accept: str | None, old: str, new: str) -> None:
    assert representation.wanted(environ(OLD, accept)) == old
    assert representation.wanted(environ("/v1.1/p/os-baremetal-nodes", accept)) == old
    assert representation.wanted(environ(NEW, accept)) == new


def test_documents_beyond_the_prefixes_can_be_had_in_xml_too() -> None:
    assert representation.wanted(environ("/", XML)) == XML
    assert representation.wanted(environ("/nowhere", XML)) == XML


@pytest.mark.parametrize("accept", [None, JSON, XML, VENDOR_XML, "text/html"])
def test_suffix_goes_before_accept(accept: str | None) -> None:
    assert representation.wanted(environ(f"{OLD}.json", accept)) == JSON
    assert representation.wanted(environ(f"{OLD}/7.xml", accept)) == XML


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        (f"{OLD}.json", OLD),
        (f"{OLD}.xml", OLD),
        (f"{OLD}/1/action.xml", f"{OLD}/1/action"),
        ("/v1.1/p/extensions.xml", "/v1.1/p/extensions"),
        (f"{OLD}/1.xml.xml", f"{OLD}/1.xml"),
        (f"{OLD}/1.html", f"{OLD}/1.html"),
        (f"{OLD}/1.XML", f"{OLD}/1.XML"),
        (f"{OLD}/xml", f"{OLD}/xml"),
        (f"{OLD}.xml/1", f"{OLD}.xml/1"),
        (f"{NEW}.json", f"{NEW}.json"),
        (f"{NEW}/1.xml", f"{NEW}/1.xml"),
        ("/v2.json", "/v2.json"),
        ("/nowhere.xml", "/nowhere.xml"),
        ("//v2///p//extensions", "/v2/p/extensions"),
        ("/", "/"),
    ],
)
def test_path(path: str, seen: str) -> None:
    assert environ(f"http://localhost{path}")["PATH_INFO"] == seen


@pytest.mark.parametrize(
    ("accept", "media_type", "data"),
    [
        (None, JSON, b'{"nodes": []}'),
        (VENDOR_JSON, VENDOR_JSON, b'{"nodes": []}'),
        (XML, XML, b"<?xml version='1.0' encoding='UTF-8'?>\n<nodes />"),
        (VENDOR_XML, VENDOR_XML, b"<?xml version='1.0' encoding='UTF-8'?>\n<nodes />"),
    ],
)
def test_success_is_of_the_very_type(accept: str | None, media_type: str, data: bytes) -> None:
    with app.request_context(environ(OLD, accept)):
        response = representation.answer({"nodes": []})
    assert (response.status_code, response.headers["Content-Type"]) == (200, media_type)
    assert response.data == data


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [(None, JSON), (VENDOR_JSON, JSON), (XML, XML), (VENDOR_XML, XML), ("text/html", JSON)],
)
def test_fault_is_of_the_plain_type(accept: str | None, media_type: str) -> None:
    response = representation.fault("itemNotFound", errors.NotFound(), environ(OLD, accept))
    assert response.status_code == 404
    assert response.headers["Content-Type"] == f"{media_type}; charset=UTF-8"
    if media_type == JSON:
        message = "The resource could not be found."
        assert json.loads(response.data) == {"itemNotFound": {"code": 404, "message": message}}
    else:
        assert response.data.startswith(b'<itemNotFound code="404" ')


def test_accepted_is_empty_html() -> None:
    response = representation.accepted()
    assert (response.status_code, response.data) == (202, b"")
    assert response.headers["Content-Type"] == "text/html; charset=UTF-8"


# What comes in


def read(path: str, data: bytes, content_type: str | None) -> object:
    with app.test_request_context(path, method="POST", data=data, content_type=content_type):
        return representation.read_object()


@pytest.mark.parametrize(
    "content_type",
    [None, "", JSON, VENDOR_JSON, "text/plain", f"{JSON}; charset=utf-8", f"{JSON};x",
     "APPLICATION/JSON", f"{VENDOR_JSON};version=2"],
)  # fmt: skip
@pytest.mark.parametrize("path", [OLDEST, OLD, NEW])
def test_read_json(path: str, content_type: str | None) -> None:
    assert read(path, b'{"node": {"id": 1}}', content_type) == {"node": {"id": 1}}


@pytest.mark.parametrize(
    "content_type", [XML, VENDOR_XML, f"{XML}; charset=utf-8", "Application/XML"]
)
def test_read_xml_where_there_was_some(content_type: str) -> None:
    assert read(OLDEST, b'<node id="1"/>', content_type) == {"node": {"id": "1"}}
    assert read(OLD, b'<node id="1"/>', content_type) == {"node": {"id": "1"}}
    with pytest.raises(errors.UnsupportedMediaType):
        read(NEW, b'<node id="1"/>', content_type)


@pytest.mark.parametrize(
    "content_type",
    ["text/html", "application/x-www-form-urlencoded", "text/xml", "nonsense", "*/*",
     "multipart/form-data; boundary=x"],
)  # fmt: skip
def test_other_types(content_type: str) -> None:
    for path in (OLDEST, OLD):
        with pytest.raises(errors.BadRequest, match=r"^Unsupported Content-Type$"):
            read(path, b"{}", content_type)
    with pytest.raises(errors.UnsupportedMediaType, match=r"^Unsupported Content-Type$"):
        read(NEW, b"{}", content_type)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{",
        b"{]",
        b"[]",
        b'[{"node": {}}]',
        b"null",
        b"true",
        b"7",
        b'"node"',
        b"node=x",
        b"\x00",
        b"\xff\xff\xff",
        b'{"node": {}',
        b'{"node": {},}',
        b'{"node": {"cpus": Infinity}}',
        b'{"node": {"pm_user": "\xc3"}}',
        b'{"node": {"pm_user": "a\nb"}}',
        b"{'node': {}}",
        b'{"node": NaN}',
        b'{"node": -Infinity}',
        b'{"node": "\xff"}',
        b'{"node": {}} {}',
        b'{"n": ' * 20000,
        b'{"n":' + b"[" * 100000 + b"]" * 100000 + b"}",
        b'{"n": ' + b"9" * 5000 + b"}",
        '{"node": {}}'.encode("utf-16"),
        b"<node/>",
    ],
    ids=lambda data: str(data[:20]),
)
@pytest.mark.parametrize("path", [OLDEST, OLD, NEW])
def test_malformed_json(path: str, data: bytes) -> None:
    with pytest.raises(errors.BadRequest, match=r"^Malformed request body$"):
        read(path, data, JSON)


@pytest.mark.parametrize(
    "data", [b"", b"node", b"<node", b"<!DOCTYPE node><node/>", b'{"node": {}}', b"<a>" * 50_000]
)
def test_malformed_xml(data: bytes) -> None:
    with pytest.raises(errors.BadRequest, match=r"^Malformed request body$"):
        read(OLD, data, XML)


@pytest.mark.parametrize("path", [OLDEST, OLD, NEW])
def test_whole_body_is_needed(path: str) -> None:
    """What arrives before the connection ends may look like one."""
    data = b'{"node": {}}'
    overrides = {"wsgi.input": io.BytesIO(data), "CONTENT_LENGTH": str(len(data) + 1)}
    with (
        app.test_request_context(path, method="POST", environ_overrides=overrides),
        pytest.raises((errors.BadRequest, HTTPException)) as caught,
    ):
        representation.read_object()
    assert faults.from_exception(caught.value).status == 400


class Broken(io.RawIOBase):
    """The body of a connection that ended, as a server has it."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        raise OSError("the client is gone")


@pytest.mark.parametrize("content_type", [JSON, XML])
def test_body_that_cannot_be_read(content_type: str) -> None:
    overrides = {"wsgi.input": Broken(), "CONTENT_LENGTH": "12", "CONTENT_TYPE": content_type}
    with (
        app.test_request_context(OLD, method="POST", environ_overrides=overrides),
        pytest.raises((errors.BadRequest, HTTPException)) as caught,
    ):
        representation.read_object()
    assert faults.from_exception(caught.value).status == 400


# Through create and the actions

CREATES = [
    f"/v1.1/{PROJECT}/os-baremetal-nodes",
    f"/v2/{PROJECT}/os-baremetal-nodes",
    NEW,
]
ACTIONS = [f"{path}/42/action" for path in CREATES]


@pytest.mark.parametrize("path", [*CREATES, *ACTIONS])
def test_other_types_are_told_of(api: Api, inventory: StubInventory, path: str) -> None:
    message = "Unsupported Content-Type"
    response = api("POST", path, data=b'{"node": {}}', content_type="text/html")
    if path.startswith("/v2.1/"):
        assert response.json == {"badMediaType": {"code": 415, "message": message}}
    else:
        assert response.json == {"badRequest": {"code": 400, "message": message}}
    assert inventory.calls == []


@pytest.mark.parametrize("path", [*CREATES, *ACTIONS])
@pytest.mark.parametrize("data", [None, b"", b"[]", b'{"node": NaN}', b"{'node': {}}"])
def test_malformed_bodies_are_told_of(
    api: Api, inventory: StubInventory, path: str, data: bytes | None
) -> None:
    response = api("POST", path, data=data, content_type=None if data is None else JSON)
    message = "Malformed request body"
    assert response.json == {"badRequest": {"code": 400, "message": message}}
    assert inventory.calls == []


@pytest.mark.parametrize("number", [b"1e999", b"8.5", b"-1", b"1e400"])
def test_numbers_that_do_not_fit_are_refused(
    api: Api, inventory: StubInventory, number: bytes
) -> None:
    response = api("POST", NEW, data=b'{"node": {"cpus": ' + number + b"}}")
    assert response.status_code == 400
    assert inventory.calls == []


@pytest.mark.parametrize("path", CREATES)
def test_letters_of_all_scripts(api: Api, inventory: StubInventory, path: str) -> None:
    data = '{"node": {"pm_user": "ä€🐍\\u00e4"}}'.encode()
    assert api("POST", path, data=data).status_code == 200
    assert inventory.calls == [("create", NewNode(pm_user="ä€🐍ä"))]


def test_answers_are_ascii(api: Api) -> None:
    """Old clients on old terminals."""
    response = api("POST", ACTIONS[-1], data='{"ä🐍": null}'.encode())
    assert response.data.isascii()
    message = "There is no such action: ä🐍"
    assert response.json == {"badRequest": {"code": 400, "message": message}}
