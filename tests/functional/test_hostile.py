# SPDX-License-Identifier: Apache-2.0
"""Requests that are wrong, by accident or on purpose: each is refused and changes nothing."""

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from bm_shim.sandbox import Sandbox

from .support import (
    FAULT_NAMES,
    Api,
    Cloud,
    LogTail,
    body_of,
    fault,
    node_of,
    raw_request,
)

MAC = "52:54:00:b0:57:01"
OTHER_MAC = "52:54:00:b0:57:02"
PATH = "/v2.1/os-baremetal-nodes"
DEEP = 50_000


@pytest.fixture(scope="module")
def cloud(sandbox: Sandbox) -> Iterator[Cloud]:
    """The cloud with the node 42; at the end nothing of it may have changed."""
    cloud = Cloud(sandbox)
    with cloud.restored():
        node_of(cloud.api.create(id=42, prov_mac_address=MAC))
        with cloud.unchanged():
            yield cloud


@pytest.fixture(autouse=True)
def _unchanged(cloud: Cloud) -> Iterator[None]:
    """Nothing that is refused may change anything in Ironic, or be a surprise to the shim."""
    log = LogTail(cloud.sandbox.shim.log_path)
    with cloud.restored(), cloud.unchanged():
        yield
    assert "Traceback" not in log.text()


@pytest.fixture(scope="module")
def api(cloud: Cloud) -> Api:
    return cloud.api


class Reply:
    """What came back over a bare socket; the last of several responses."""

    def __init__(self, received: bytes) -> None:
        # "100 Continue" may come first.
        while received.startswith(b"HTTP/1.1 1"):
            received = received.partition(b"\r\n\r\n")[2]
        head, _, self.body = received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:])
        }

    @property
    def is_fault(self) -> bool:
        """Whether it is Nova's fault of this status."""
        if self.headers.get("content-type") != "application/json; charset=UTF-8":
            return False
        ((name, fields),) = json.loads(self.body).items()
        return bool(
            name == FAULT_NAMES.get(self.status, "computeFault") and fields["code"] == self.status
        )


def send(
    cloud: Cloud,
    method: str,
    target: str,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> Reply:
    """Send a request as it stands, with the administrator's token."""
    fields = {
        "Host": "shim.example",
        "X-Auth-Token": cloud.admin_token,
        "Connection": "close",
        **({"Content-Length": str(len(body))} if body else {}),
        **(headers or {}),
    }
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in fields.items())
    return Reply(raw_request(cloud.sandbox.url, head.encode("latin-1") + b"\r\n" + body))


# Fields


BAD_MACS: list[Any] = [
    "",
    "52-54-00-b0-57-02",
    "5254.00b0.5702",
    "525400b05702",
    "52:54:0:b0:57:02",
    "52:54:00:b0:57",
    "52:54:00:b0:57:02:03",
    "52:54:00:b0:57:0g",
    " 52:54:00:b0:57:02",
    "52:54:00:b0:57:02\n",
    "52:54:00:b0:57:0\u0662",
    5,
    1.5,
    True,
    [],
    {},
    [OTHER_MAC],
    "x" * 100_000,
]
MAC_MESSAGE = "Must specify address in the form of xx:xx:xx:xx:xx:xx"


def test_bad_address_is_refused_with_the_message_of_old(api: Api) -> None:
    for address in BAD_MACS:
        assert fault(api.create(prov_mac_address=address), 400) == MAC_MESSAGE
    for address in [*BAD_MACS, None]:
        assert fault(api.add_interface(42, address=address), 400) == MAC_MESSAGE
    assert fault(api.act(42, "add_interface"), 400) == MAC_MESSAGE


NO_INTEGERS: list[Any] = ["", "eight", "1_000", "8.0", 8.5, -1, True, [], {}, 2**64]
NO_UUIDS: list[Any] = ["x", 5, True, [], {}, "../ports", f"{uuid.UUID(int=9)}\n"]
NO_TEXTS: list[Any] = [1.5, True, [], {}, "x" * 256, "nul\0", "\ud800"]

BAD_VALUES: dict[str, list[Any]] = {
    "id": [*NO_INTEGERS, 2**52],
    "cpus": [*NO_INTEGERS, 2**31],
    "memory_mb": NO_INTEGERS,
    "local_gb": NO_INTEGERS,
    "terminal_port": NO_INTEGERS,
    "root_mb": NO_INTEGERS,
    "uuid": NO_UUIDS,
    "instance_uuid": NO_UUIDS,
    "pm_address": NO_TEXTS,
    "pm_user": NO_TEXTS,
    "pm_password": NO_TEXTS,
    "service_host": NO_TEXTS,
    "preserve_ephemeral": ["perhaps", 2, [], {}],
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_bad_field_is_named_and_its_value_is_not_repeated(api: Api, name: str) -> None:
    for value in BAD_VALUES[name]:
        message = fault(api.create(**{name: value, "prov_mac_address": OTHER_MAC}), 400)
        assert f"'{name}'" in message
        assert not (isinstance(value, str) and len(value) > 3 and value in message)


@pytest.mark.parametrize("action", ["add_interface", "remove_interface"])
def test_bad_field_of_an_interface_is_refused(api: Api, action: str) -> None:
    name = "port_no" if action == "add_interface" else "id"
    values: list[Any] = ["x", -1, 1.5, True, [], {}, 2**64]
    for value in values:
        fault(api.act(42, action, address=MAC, **{name: value}), 400)
    fault(api.add_interface(42, address=OTHER_MAC, datapath_id={}), 400)
    fault(api.remove_interface(42, address=5), 400)


# Bodies

BODIES: list[tuple[str, bytes]] = [
    ("empty", b""),
    ("blank", b" "),
    ("no JSON", b"node"),
    ("cut off", b'{"node": {'),
    ("two values", b'{"node": {}} {}'),
    ("trailing comma", b'{"node": {},}'),
    ("single quotes", b"{'node': {}}"),
    ("NaN", b'{"node": {"cpus": NaN}}'),
    ("infinity", b'{"node": {"cpus": -Infinity}}'),
    ("too large a number", b'{"node": {"cpus": 1e400}}'),
    ("digits", b'{"node": {"cpus": ' + b"9" * 5000 + b"}}"),
    ("not UTF-8", b'{"node": {"pm_user": "\xff\xfe"}}'),
    ("half UTF-16", '{"node": {}}'.encode("utf-16")[:-1]),
    ("NUL", b'{"node": {"pm_user": "\0"}}'),
    ("deep lists", b'{"node": ' + b"[" * DEEP + b"]" * DEEP + b"}"),
    ("deep objects", b'{"a":' * (DEEP // 3) + b"1" + b"}" * (DEEP // 3)),
    ("deep and unfinished", b"[" * DEEP),
    ("null", b"null"),
    ("number", b"7"),
    ("text", b'"node"'),
    ("list", b'[{"node": {}}]'),
    ("true", b"true"),
    ("no node", b"{}"),
    ("other key", b'{"server": {}}'),
    ("null node", b'{"node": null}'),
    ("text node", b'{"node": "x"}'),
    ("list node", b'{"node": []}'),
    ("XML", b"<node/>"),
    ("form", b"node=1"),
]


def post(api: Api, path: str, body: bytes, media_type: str | None) -> requests.Response:
    """Send a body with its type, or without one."""
    headers = {} if media_type is None else {"Content-Type": media_type}
    return api.request("POST", path, data=body, headers=headers)


def test_body_that_is_no_node_is_refused(api: Api) -> None:
    for name, body in BODIES:
        for path in ("", "/42/action"):
            response = post(api, path, body, "application/json")
            assert response.status_code == 400, (name, path)
            fault(response, 400)


@pytest.mark.parametrize("prefix", ["/v2", "/v2.1"])
def test_body_of_another_type_is_refused(cloud: Cloud, prefix: str) -> None:
    api = cloud.api_of(cloud.sandbox, prefix=f"{prefix}/{cloud.admin_project}")
    status = 415 if prefix == "/v2.1" else 400
    body = json.dumps({"node": {"prov_mac_address": OTHER_MAC}}).encode()
    for media_type in (
        "text/xml",
        "text/html",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "json",
        "*/*",
        "\xff",
    ):
        for path in ("", "/42/action"):
            response = post(api, path, body, media_type)
            assert fault(response, status) == "Unsupported Content-Type"


def test_action_that_does_not_exist_is_refused(api: Api) -> None:
    for name in ("reboot", "", "Add_interface", "__class__", "\ud800", "x" * 50_000):
        body = json.dumps({name: {}}).encode()
        message = fault(post(api, "/42/action", body, "application/json"), 400)
        assert message == f"There is no such action: {name}"
    both = {"add_interface": {"address": OTHER_MAC}, "remove_interface": {"address": MAC}}
    assert fault(api.request("POST", "/42/action", json=both), 400) == "Malformed request body"


def test_body_that_is_too_large_is_refused_however_it_is_sent(cloud: Cloud, api: Api) -> None:
    large = json.dumps({"node": {"pm_user": "x" * 120_000}}).encode()
    for path in ("", "/42/action"):
        fault(post(api, path, large, "application/json"), 413)
        chunks = (large[start : start + 8192] for start in range(0, len(large), 8192))
        chunked = api.request("POST", path, data=chunks)
        assert chunked.request.headers["Transfer-Encoding"] == "chunked"
        fault(chunked, 413)
    announced = send(cloud, "POST", PATH, {"Content-Length": "999999999999"})
    assert (announced.status, announced.is_fault) == (413, True)
    # Nobody reads it there.
    body_of(api.request("GET", data=b"x" * 1000))
    fault(api.request("GET", data=large), 413)


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        ("Content-Length: 500", b'{"node": {}}'),
        ("Transfer-Encoding: chunked", b'c\r\n{"node": {}}\r\n'),
        ("Transfer-Encoding: chunked", b'ff\r\n{"node": {}}'),
        ("Transfer-Encoding: chunked", b'zz\r\n{"node": {}}\r\n0\r\n\r\n'),
    ],
    ids=["length", "no last chunk", "half a chunk", "bad chunk"],
)
def test_body_that_is_cut_off_is_refused(cloud: Cloud, framing: str, body: bytes) -> None:
    """Also where the part that came is a request by itself."""
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {cloud.admin_token}\r\n"
        f"Content-Type: application/json\r\nConnection: close\r\n{framing}\r\n\r\n"
    )

    reply = Reply(raw_request(cloud.sandbox.url, head.encode() + body, finish=True))

    assert (reply.status, reply.is_fault) == (400, True)


# Paths and methods

UNKNOWN_PATHS = [
    "/os-baremetal-nodes",
    "/v3/os-baremetal-nodes",
    "/v2.1/os-services",
    "/v2.1/os-baremetal-nodes/",
    "/v2.1/os-baremetal-nodes//",
    "/v2.1/os-baremetal-nodes/42/",
    "/v2.1/os-baremetal-nodes/42/edit",
    "/v2.1/os-baremetal-nodes/42/action",
    "/v2.1/os-baremetal-nodes/42/action/",
    "/v2.1/os-baremetal-nodes.json",
    "/v2.1/x/../os-baremetal-nodes",
    "/v1.1/os-baremetal-nodes",
    "/V2.1/os-baremetal-nodes",
    "/v2.1/os-baremetal-nodes%00",
    "/%2e%2e/etc/passwd",
]

#: The last part of a path; each would lead elsewhere in Ironic if it were passed on as it is.
IDS = [
    "..",
    ".",
    "%2e%2e",
    "%2e%2e%2fports",
    "..%2f..%2fv1%2fnodes",
    "%2e%2e%2f%2e%2e%2f",
    "42%2f..",
    "42/..",
    "..;",
    "..%3b",
    "42;x=1",
    "42%3fforce=1",
    "42%23",
    "42%00",
    "%00",
    "%0d%0aX-Injected:%201",
    "%ff%fe",
    "%c3%bc",
    "%ef%bc%94%ef%bc%92",
    "%d9%a4%d9%a2",
    "42%20",
    "%20",
    "detail",
    "states",
    "maintenance",
    "validate",
    "nobody.json",
    "42.json",
    "42.xml",
    "0x2a",
    "4_2",
    "1e1",
    "%2B%2B42",
    "-0",
    "--",
    "%",
    "%zz",
    "%252e%252e",
    "{42}",
    "$(42)",
    "'%20or%20'1'='1",
    "x" * 300,
    "9" * 3000,
    "x" * 3500,
]


@pytest.mark.parametrize("target", UNKNOWN_PATHS)
def test_unknown_path_is_not_found(cloud: Cloud, target: str) -> None:
    reply = send(cloud, "GET", target)

    assert (reply.status, reply.is_fault) == (404, True)


@pytest.mark.parametrize(
    "target",
    [
        "/v2.1//os-baremetal-nodes",
        "//v2.1/os-baremetal-nodes",
        "/v2.1/os-baremetal-nodes//42",
    ],
)
def test_slashes_in_a_row_are_one_as_they_were(cloud: Cloud, target: str) -> None:
    reply = send(cloud, "GET", target)

    assert reply.status == 200
    assert send(cloud, "GET", target, {"X-Auth-Token": "none"}).status == 401


@pytest.mark.parametrize("project", [".", "%2e", "x%00", "%ff", "..;", "{project}%20", "x" * 3000])
def test_project_that_is_a_trick_is_malformed(cloud: Cloud, project: str) -> None:
    project = project.format(project=cloud.admin_project)

    reply = send(cloud, "GET", f"/v2/{project}/os-baremetal-nodes")

    assert (reply.status, reply.is_fault) == (400, True)


@pytest.mark.parametrize("node_id", IDS, ids=lambda node_id: node_id[:20])
def test_id_that_is_a_trick_is_not_found_by_any_method(cloud: Cloud, node_id: str) -> None:
    action = json.dumps({"add_interface": {"address": OTHER_MAC}}).encode()
    replies = [
        send(cloud, "GET", f"{PATH}/{node_id}"),
        send(cloud, "DELETE", f"{PATH}/{node_id}"),
        send(cloud, "POST", f"{PATH}/{node_id}/action", body=action),
    ]

    assert [(reply.status, reply.is_fault) for reply in replies] == [(404, True)] * 3
    assert all("x-injected" not in reply.headers for reply in replies)


def test_wrong_method_is_not_found_as_it_was(cloud: Cloud) -> None:
    for method, path in [
        *((method, "") for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")),
        *((method, "/42") for method in ("PUT", "PATCH", "POST", "OPTIONS", "TRACE", "PURGE")),
        *((method, "/42/action") for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS")),
    ]:
        reply = send(cloud, method, PATH + path, body=b"{}")
        assert (method, path, reply.status, reply.is_fault) == (method, path, 404, True)
        assert "allow" not in reply.headers
    for path in ("", "/42"):
        head = send(cloud, "HEAD", PATH + path)
        assert (head.status, head.body) == (404, b"")


def test_method_cannot_be_changed_by_a_header_or_the_query(api: Api) -> None:
    headers = {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"}

    body_of(api.request("GET", "/42?_method=DELETE", headers=headers))


# Queries and headers


def test_query_is_ignored_however_strange(cloud: Cloud) -> None:
    for query in (
        "limit=1&marker=x&fields=uuid&sort_key=x",
        "&".join(f"a{number}=1" for number in range(500)),
        "a=" + "x" * 3000,
        "%ff%fe=%00",
        "&&&==&;",
        "?" * 1000,
    ):
        for path in ("", "/42"):
            reply = send(cloud, "GET", f"{PATH}{path}?{query}")
            assert reply.status == 200


def test_microversion_header_that_is_junk_is_refused(cloud: Cloud) -> None:
    for value in ("", "abc", "2", "2.", "2.01", "-2.1", "2.1.1", "\xb2.1", "9" * 3000, "2.1\t2.2"):
        reply = send(cloud, "GET", PATH, {"X-OpenStack-Nova-API-Version": value})
        assert (value, reply.status, reply.is_fault) == (value, 400, True)
        assert "x-openstack-nova-api-version" not in reply.headers
    for value in ("2.0", "3.1", "2.999999999", "1.1"):
        reply = send(cloud, "GET", PATH, {"OpenStack-API-Version": f"compute {value}"})
        assert (value, reply.status, reply.is_fault) == (value, 406, True)


def test_other_headers_that_are_junk_do_no_harm(cloud: Cloud) -> None:
    for headers in (
        {"Accept": "text/html;q=x, \xff"},
        {"Accept": "application/pdf"},
        {"Accept-Language": "\xff" * 100},
        {"User-Agent": 'a"b status=200\t\xff'},
        {"X-OpenStack-Request-ID": "req-junk status=200"},
        {"X-Forwarded-For": "::::", "X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "evil"},
        {"Forwarded": "for=;;;"},
        {"Cookie": "=;=;\xff"},
        {"Range": "bytes=0-0"},
        {"If-None-Match": "*"},
        {"Host": '"><script>'},
        {"Host": "xn--a"},
        {"Host": ""},
        {"Expect": "100-continue"},
    ):
        for target in (PATH, f"{PATH}/42", "/", "/v2.1/"):
            reply = send(cloud, "GET", target, headers)
            assert (headers, target, reply.status) == (headers, target, 200)
            json.loads(reply.body)


def test_access_log_cannot_be_forged(cloud: Cloud) -> None:
    log = LogTail(cloud.sandbox.shim.log_path)

    send(cloud, "GET", f"{PATH}/a%0astatus=200%20b", {"User-Agent": 'x" status=200 \xff'})

    (line,) = (line for line in log.text().splitlines() if "access_log" in line)
    assert " status=404 " in line
    assert line.count(" status=") - line.count(r'" status=') == 1


# Below WSGI: gunicorn refuses what is no request before the application hears of it. Its answers
# are not in Nova's shape, nor could a client of Nova's have sent such things.

BELOW_WSGI: dict[str, tuple[bytes, int]] = {
    "no HTTP": (b"hello\r\n\r\n", 400),
    "unknown version": (b"GET / HTTP/9.9\r\n\r\n", 400),
    "lower case method": (b"get / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "long request line": (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    "long header": (b"GET / HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431),
    "many headers": (b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 200 + b"\r\n", 431),
    "header without colon": (b"GET / HTTP/1.1\r\nnonsense\r\n\r\n", 400),
    "blank in header name": (b"GET / HTTP/1.1\r\nX : x\r\n\r\n", 400),
    "NUL in header": (b"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", 400),
    "length not a number": (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
    "negative length": (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
    "two lengths": (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    "unknown transfer coding": (b"POST / HTTP/1.1\r\nTransfer-Encoding: x\r\n\r\n", 501),
    "NUL in path": (b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "bytes in path": (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", BELOW_WSGI)
def test_what_is_no_http_is_refused_by_the_server(cloud: Cloud, name: str) -> None:
    data, status = BELOW_WSGI[name]

    reply = Reply(raw_request(cloud.sandbox.url, data))

    assert reply.status == status
    assert reply.headers["content-type"] == "text/html"
    assert reply.headers["connection"] == "close"


# Requests about whose end two servers in a row may disagree. Whatever follows such a one on its
# connection must not be taken for a request by itself: a server before this one did not see it.

CHUNK = b"2\r\n{}\r\n"
END = b"0\r\n\r\n"

AMBIGUOUS: dict[str, tuple[bytes, bytes]] = {
    "length, then chunked": (b"Content-Length: 5\r\nTransfer-Encoding: chunked", END),
    "chunked, then length": (b"Transfer-Encoding: chunked\r\nContent-Length: 5", END),
    "equal lengths": (b"Content-Length: 2\r\nContent-Length: 2", b"{}"),
    "list of lengths": (b"Content-Length: 2, 2", b"{}"),
    "length with sign": (b"Content-Length: +2", b"{}"),
    "hexadecimal length": (b"Content-Length: 0x2", b"{}"),
    "length with underscore": (b"Content-Length: 0_2", b"{}"),
    "length in other digits": ("Content-Length: \u0662".encode(), b"{}"),
    "empty length": (b"Content-Length: ", b"{}"),
    "folded header": (b"X: a\r\n b", b""),
    "folded coding": (b"Transfer-Encoding:\r\n chunked", END),
    "line that ends with LF": (b"X: a\nContent-Length: 2", b"{}"),
    "line that ends with CR": (b"X: a\rContent-Length: 2", b"{}"),
    "chunked twice": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", END),
    "chunked twice in a line": (b"Transfer-Encoding: chunked, chunked", END),
    "identity": (b"Transfer-Encoding: identity\r\nContent-Length: 2", b"{}"),
    "chunked, but not last": (b"Transfer-Encoding: chunked, identity", END),
    "compressed": (b"Transfer-Encoding: gzip, chunked", END),
    "no coding": (b"Transfer-Encoding: xchunked", END),
    "vertical tab": (b"Transfer-Encoding: \x0bchunked", END),
    "blank before colon": (b"Transfer-Encoding : chunked", END),
    "LF after extension": (b"Transfer-Encoding: chunked", b"2;\n{}\r\n" + END),
    "LF after size": (b"Transfer-Encoding: chunked", b"2\n{}\n0\n\n"),
    "hexadecimal size": (b"Transfer-Encoding: chunked", b"0x2\r\n{}\r\n" + END),
    "size with sign": (b"Transfer-Encoding: chunked", b"+2\r\n{}\r\n" + END),
    "negative size": (b"Transfer-Encoding: chunked", b"-2\r\n{}\r\n" + END),
    "size with underscore": (b"Transfer-Encoding: chunked", b"0_2\r\n{}\r\n" + END),
    "size with blank": (b"Transfer-Encoding: chunked", b"2 \r\n{}\r\n" + END),
    "enormous size": (b"Transfer-Encoding: chunked", b"ffffffffffffffff2\r\n{}\r\n" + END),
    "chunk that goes on": (b"Transfer-Encoding: chunked", b"2\r\n{}XX" + END),
}


def framed(cloud: Cloud, framing: bytes, body: bytes, path: str = PATH) -> bytes:
    """Return a POST with the administrator's token, framed as said."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {cloud.admin_token}\r\n"
        "Content-Type: application/json\r\n"
    )
    return head.encode() + framing + b"\r\n\r\n" + body


def following(cloud: Cloud, method: str = "DELETE") -> bytes:
    """Return a request that must not be carried out, or one that may."""
    line = f"{method} {PATH}/42 HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {cloud.admin_token}\r\n\r\n"
    return line.encode()


def statuses(received: bytes) -> list[int]:
    """Return the statuses of all the responses."""
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d+) ", received)]


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_request_without_a_clear_end_is_the_last_of_its_connection(
    cloud: Cloud, name: str
) -> None:
    framing, body = AMBIGUOUS[name]

    data = framed(cloud, framing, body) + following(cloud)

    assert statuses(raw_request(cloud.sandbox.url, data, finish=True)) in ([400], [501])


def test_chunks_in_http_1_0_are_refused(cloud: Cloud) -> None:
    data = framed(cloud, b"Transfer-Encoding: chunked", END).replace(b"HTTP/1.1", b"HTTP/1.0")

    assert statuses(raw_request(cloud.sandbox.url, data + following(cloud))) == [400]


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (b"Content-Length: 2 ", b"{}"),
        (b"Transfer-Encoding: chunked", CHUNK + END),
        (b"Transfer-Encoding: CHUNKED", b"2;a=b\r\n{}\r\n" + END),
        (b"Transfer-Encoding: chunked", CHUNK + b"0\r\nX-Auth-Token: trailer\r\n\r\n"),
    ],
    ids=["length", "chunks", "extension", "trailer"],
)
def test_request_after_a_clear_end_is_answered(cloud: Cloud, framing: bytes, body: bytes) -> None:
    """This proves what the test above shows: the connection is one that takes another request."""
    data = framed(cloud, framing, body) + following(cloud, "GET")

    assert statuses(raw_request(cloud.sandbox.url, data, finish=True)) == [400, 200]


def test_body_that_nobody_reads_is_no_request(cloud: Cloud) -> None:
    body = following(cloud)
    length = f"Content-Length: {len(body)}".encode()
    url = cloud.sandbox.url

    unknown = framed(cloud, length, body, path="/v2.1/unknown")
    assert statuses(raw_request(url, unknown, finish=True)) == [404]
    stranger = framed(cloud, length, body).replace(cloud.admin_token.encode(), b"no", 1)
    assert statuses(raw_request(url, stranger, finish=True)) == [401]
    large = framed(cloud, f"Content-Length: {200_000 + len(body)}".encode(), b"x" * 200_000)
    assert statuses(raw_request(url, large + body)) == [413]


def test_header_under_two_names_counts_once(cloud: Cloud) -> None:
    """An underscore is no dash, though WSGI does not see the difference."""
    for fields in (
        {"X-Auth-Token": "none", "X_Auth_Token": cloud.admin_token},
        {"X-Auth-Token": f"{cloud.admin_token}, none"},
        {"X-Auth-Token": f"none\r\nX-Auth-Token: {cloud.admin_token}"},
    ):
        assert send(cloud, "GET", PATH, fields).status == 401
