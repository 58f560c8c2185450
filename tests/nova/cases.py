# SPDX-License-Identifier: Apache-2.0
"""What both sides are asked, by the names that the tests have."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from .machines import BY_NAME, DEMO, MACHINES
from .sides import ABSENT, Request

_OLD = "X-OpenStack-Nova-API-Version"
_NEW = "OpenStack-API-Version"

_NODES = "/v2.1/os-baremetal-nodes"
_NODE = f"{_NODES}/{BY_NAME['three-ports'].uuid}"
_UNKNOWN_UUID = "00000000-1111-2222-3333-444444444444"
_ADDRESS = '{"address": "52:54:00:ab:0f:00"}'

#: The prefixes that nova 34 serves. It has no /v1.1.
_PREFIXES = {
    "v2.1": "/v2.1",
    "v2.1-project": "/v2.1/PROJECT",
    "v2": "/v2",
    "v2-project": "/v2/PROJECT",
}


def _lists() -> Iterator[tuple[str, Request]]:
    for name, prefix in _PREFIXES.items():
        yield f"list-{name}", Request("GET", f"{prefix}/os-baremetal-nodes")
        path = f"{prefix}/os-baremetal-nodes/{BY_NAME['three-ports'].uuid}"
        yield f"show-{name}", Request("GET", path)
    for prefix in ("/v2.1", "/v2"):
        other = f"{prefix}/OTHER-PROJECT/os-baremetal-nodes"
        yield f"list-other-project{prefix}", Request("GET", other)
        yield f"show-other-project{prefix}", Request("GET", f"{other}/demo-0001")
        yield f"write-other-project{prefix}", Request("POST", other, body='{"node": {}}')
        yield (
            f"act-other-project{prefix}",
            Request("POST", f"{other}/1/action", body='{"explode": {}}'),
        )
        for project in ("admin", "abc", "ABC", "0", "-", "%20", "1.0"):
            path = f"{prefix}/{project}/os-baremetal-nodes"
            yield f"list-project-{project}{prefix}", Request("GET", path)
    yield "list-with-a-body", Request("GET", _NODES, body='{"x": ')
    yield "list-member", Request("GET", _NODES, caller="member")
    yield (
        "list-member-project",
        Request("GET", "/v2.1/OTHER-PROJECT/os-baremetal-nodes", caller="member"),
    )
    yield "show-member", Request("GET", _NODE, caller="member")
    yield "show-member-unknown", Request("GET", f"{_NODES}/nothing", caller="member")
    yield "list-member-v2", Request("GET", "/v2/os-baremetal-nodes", caller="member")


def _shows() -> Iterator[tuple[str, Request]]:
    for machine in MACHINES:
        yield f"machine-{machine.name}", Request("GET", f"{_NODES}/{machine.uuid}")
    for name in (
        "numbers",
        "mixed-case",
        "converted",
        "dots.and~tildes_-",
        "12345",
        "suffixed.json",
        "UpperCase",
        "state-none",
    ):
        yield f"machine-by-name-{name}", Request("GET", f"{_NODES}/{name}")
    for name, uuid in DEMO.items():
        yield f"machine-{name}", Request("GET", f"{_NODES}/{uuid}")
    yield "machine-by-name-demo-0001", Request("GET", f"{_NODES}/demo-0001")
    node_ids = {
        "unknown-uuid": _UNKNOWN_UUID,
        "unknown-name": "nothing",
        "unknown-integer": "99",
        "integer": "7",
        "integer-zero": "0",
        "integer-negative": "-7",
        "integer-padded": "07",
        "integer-huge": "9" * 30,
        "float": "1.5",
        "uuid-upper": BY_NAME["three-ports"].uuid.upper(),
        "uuid-without-dashes": BY_NAME["three-ports"].uuid.replace("-", ""),
        "uuid-in-braces": f"%7B{BY_NAME['three-ports'].uuid}%7D",
        "uuid-cut": BY_NAME["three-ports"].uuid[:-1],
        "uuid-json": f"{BY_NAME['three-ports'].uuid}.json",
        "uuid-xml": f"{BY_NAME['three-ports'].uuid}.xml",
        "uuid-html": f"{BY_NAME['three-ports'].uuid}.html",
        "name-json": "three-ports.json",
        "name-xml": "three-ports.xml",
        "name-upper": "THREE-PORTS",
        "blank": "%20",
        "blank-inside": "three%20ports",
        "blank-after": "three-ports%20",
        "percent": "%25",
        "plus": "a+b",
        "slash": "three%2Fports",
        "slash-states": f"{BY_NAME['three-ports'].uuid}%2Fstates",
        "question-mark": "a%3Fb",
        "hash": "a%23b",
        "quote": "a'b",
        "double-quote": "a%22b",
        "angle-brackets": "%3Cb%3E",
        "umlaut": "%C3%BC",
        "snowman": "%E2%98%83",
        "not-utf-8": "%FF",
        "null-byte": "a%00b",
        "line-feed": "a%0Ab",
        "dot": "%2E",
        "dots": "%2E%2E",
        "dots-bare": "..",
        "semicolon": "a;b",
        "colon": "a:b",
        "at": "a@b",
        "comma": "a,b",
        "equals": "a=b",
        "underscore": "_",
        "tilde": "~",
        "dash": "-",
        "long": "a" * 255,
        "too-long": "a" * 256,
        "new": "new",
        "detail": "detail",
        "null": "null",
        "none": "None",
        "action": "action",
        "maintenance": "maintenance",
        "management": "management",
        "states": "states",
        "validate": "validate",
        "vendor_passthru": "vendor_passthru",
        "ports": "ports",
    }
    for name, node_id in node_ids.items():
        yield f"show-{name}", Request("GET", f"{_NODES}/{node_id}")


def _writes() -> Iterator[tuple[str, Request]]:
    creates: Mapping[str, str | None] = {
        "normal": '{"node": {"cpus": 8, "prov_mac_address": "52:54:00:ab:0f:00"}}',
        "without-body": None,
        "empty-body": "",
        "empty-object": "{}",
        "blank-body": " ",
        "list": "[]",
        "null": "null",
        "number": "1",
        "text": '"node"',
        "nan": "NaN",
        "not-json": '{"node": ',
        "xml": "<node/>",
        "wrong-key": '{"nodes": {}}',
        "node-null": '{"node": null}',
        "two-keys": '{"node": {}, "more": {}}',
        "twice": '{"node": {}, "node": {}}',
        "deep": "[" * 100 + "]" * 100,
        "umlaut": '{"node": {"service_host": "\u00fc"}}',
        "surrogate": '{"node": {"service_host": "\\ud800"}}',
        "bom": "\ufeff{}",
    }
    for name, body in creates.items():
        for prefix in ("/v2.1", "/v2/PROJECT"):
            path = f"{prefix}/os-baremetal-nodes"
            yield f"create-{name}{prefix}", Request("POST", path, body=body)
    yield "create-not-utf-8", Request("POST", _NODES, body=b'{"node": {"a": "\xff"}}')
    yield "create-utf-16", Request("POST", _NODES, body='{"node": {}}'.encode("utf-16"))
    yield "create-member", Request("POST", _NODES, body='{"node": {}}', caller="member")
    yield "create-member-not-json", Request("POST", _NODES, body="{", caller="member")

    actions: Mapping[str, str | None] = {
        "add": f'{{"add_interface": {_ADDRESS}}}',
        "remove": f'{{"remove_interface": {_ADDRESS}}}',
        "add-null": '{"add_interface": null}',
        "add-text": '{"add_interface": "52:54:00:ab:0f:00"}',
        "remove-empty": '{"remove_interface": {}}',
        "remove-list": '{"remove_interface": []}',
        "unknown": '{"explode": {}}',
        "unknown-umlaut": '{"\u00fc": {}}',
        "unknown-quotes": '{"a\\"b<>": {}}',
        "unknown-empty": '{"": {}}',
        "of-a-method": '{"create": {}}',
        "of-a-python-method": '{"__init__": {}}',
        "other-case": '{"Add_Interface": {}}',
        "two-keys": f'{{"add_interface": {_ADDRESS}, "remove_interface": {_ADDRESS}}}',
        "two-unknown-keys": '{"a": {}, "b": {}}',
        "twice": f'{{"add_interface": {{}}, "add_interface": {_ADDRESS}}}',
        "without-body": None,
        "empty-body": "",
        "empty-object": "{}",
        "list": "[]",
        "list-of-one": '["add_interface"]',
        "list-of-two": '["add_interface", "remove_interface"]',
        "text": '"add_interface"',
        "text-of-one": '"a"',
        "text-empty": '""',
        "null": "null",
        "number": "1",
        "true": "true",
        "nan": '{"add_interface": NaN}',
        "not-json": '{"add_interface": ',
        "xml": "<add_interface/>",
    }
    for name, body in actions.items():
        yield f"act-{name}", Request("POST", f"{_NODE}/action", body=body)
    for name in ("add", "unknown", "text-of-one", "empty-body"):
        path = _NODE.replace("/v2.1", "/v2") + "/action"
        yield f"act-{name}-v2", Request("POST", path, body=actions[name])
    for name in ("add", "remove", "unknown", "not-json"):
        path = f"{_NODES}/nothing/action"
        yield f"act-{name}-unknown-node", Request("POST", path, body=actions[name])
        path = f"{_NODE}/action"
        yield f"act-{name}-member", Request("POST", path, body=actions[name], caller="member")

    yield "delete", Request("DELETE", _NODE)
    yield "delete-v2", Request("DELETE", _NODE.replace("/v2.1", "/v2"))
    yield "delete-project", Request("DELETE", _NODE.replace("/v2.1", "/v2.1/PROJECT"))
    yield "delete-unknown", Request("DELETE", f"{_NODES}/nothing")
    yield "delete-odd", Request("DELETE", f"{_NODES}/%20")
    yield "delete-with-a-body", Request("DELETE", _NODE, body="{")
    yield "delete-member", Request("DELETE", _NODE, caller="member")

    for content_type in (
        ABSENT,
        "",
        "application/json",
        "application/json; charset=utf-8",
        "application/JSON",
        "application/json;version=2.1",
        "application/vnd.openstack.compute+json",
        "application/vnd.openstack.compute+json;version=2",
        "application/xml",
        "application/vnd.openstack.compute+xml",
        "text/plain",
        "text/plain; charset=latin-1",
        "text/html",
        "text",
        "*/*",
        "application/x-www-form-urlencoded",
    ):
        name = content_type or "empty"
        headers = {"Content-Type": content_type}
        yield f"create-type-{name}", Request("POST", _NODES, headers, '{"node": {}}')
        yield (
            f"act-type-{name}",
            Request("POST", f"{_NODE}/action", headers, '{"add_interface": {}}'),
        )
        yield f"act-unknown-type-{name}", Request("POST", f"{_NODE}/action", headers, '{"x": {}}')
    for content_type in ("application/xml", "text/html"):
        headers = {"Content-Type": content_type}
        yield f"list-type-{content_type}", Request("GET", _NODES, headers)
        yield f"show-type-{content_type}", Request("GET", _NODE, headers)
        yield f"delete-type-{content_type}", Request("DELETE", _NODE, headers)
        yield f"create-without-body-type-{content_type}", Request("POST", _NODES, headers)
        yield (
            f"create-type-{content_type}-v2",
            Request("POST", "/v2/os-baremetal-nodes", headers, '{"node": {}}'),
        )


def _versions() -> Iterator[tuple[str, Request]]:
    texts = (
        "2.0",
        "2.1",
        "2.2",
        "2.34",
        "2.35",
        "2.36",
        "2.53",
        "2.100",
        "2.104",
        "2.105",
        "2.999",
        "3.1",
        "1.0",
        "0.1",
        "02.1",
        "2.01",
        "2.1.1",
        "2",
        "2.",
        ".1",
        "-2.1",
        "+2.1",
        "2,1",
        "latest",
        "Latest",
        "LATEST",
        "abc",
        "2.1x",
        "2.99999999999999999999",
    )
    for text in (*texts, "", "2.1 ", "2.1 2.2", "2.36, 2.1", "2.1, 2.36", "\u0662.\u0661"):
        name = text or "empty"
        yield f"old-header-{name}", Request("GET", _NODE, {_OLD: text})
        yield f"new-header-{name}", Request("GET", _NODE, {_NEW: f"compute {text}"})
    values = {
        "service-missing": "2.36",
        "other-service": "baremetal 2.36",
        "other-service-garbage": "baremetal abc",
        "nova": "nova 2.36",
        "upper-case": "COMPUTE 2.36",
        "blanks": "  compute   2.36  ",
        "tab": "compute\t2.36",
        "word-only": "compute",
        "colon": "compute:2.36",
        "several": "baremetal 1.50, compute 2.36",
        "several-before": "compute 2.36, baremetal 1.50",
        "several-last-wins": "compute 2.36, compute 2.35",
        "several-last-wins-too": "compute 2.35, compute 2.36",
        "comma-only": ",",
        "latest": "compute latest",
        "several-latest": "identity 3, compute latest,",
    }
    for name, value in values.items():
        yield f"new-header-{name}", Request("GET", _NODE, {_NEW: value})
    both = (
        ("compute 2.35", "2.36"),
        ("compute 2.36", "2.35"),
        ("compute 2.35", "abc"),
        ("compute abc", "2.35"),
        ("baremetal 1.50", "2.36"),
        ("compute", "2.36"),
        ("compute latest", "2.1"),
    )
    for new, old in both:
        yield f"both-headers-{new}-{old}", Request("GET", _NODE, {_NEW: new, _OLD: old})
    for version in ("2.35", "2.36", "latest", "2.999", "abc"):
        headers = {_OLD: version}
        requests = {
            "list": Request("GET", _NODES, headers),
            "list-project": Request("GET", "/v2.1/PROJECT/os-baremetal-nodes", headers),
            "list-other-project": Request(
                "GET", "/v2.1/OTHER-PROJECT/os-baremetal-nodes", headers
            ),
            "list-v2": Request("GET", "/v2/os-baremetal-nodes", headers),
            "list-member": Request("GET", _NODES, headers, caller="member"),
            "show-unknown": Request("GET", f"{_NODES}/nothing", headers),
            "create": Request("POST", _NODES, headers, '{"node": {}}'),
            "create-not-json": Request("POST", _NODES, headers, "{"),
            "create-xml": Request(
                "POST", _NODES, {**headers, "Content-Type": "application/xml"}, "<node/>"
            ),
            "delete": Request("DELETE", _NODE, headers),
            "act": Request("POST", f"{_NODE}/action", headers, '{"add_interface": {}}'),
            "act-unknown": Request("POST", f"{_NODE}/action", headers, '{"x": {}}'),
            "put": Request("PUT", _NODE, headers, "{}"),
            "unknown-path": Request("GET", "/v2.1/os-nothing", headers),
            "document": Request("GET", "/v2.1/", headers),
            "document-v2": Request("GET", "/v2/", headers),
            "document-root": Request("GET", "/", headers),
            "document-project": Request("GET", "/v2.1/PROJECT/", headers),
            "extension": Request("GET", "/v2.1/extensions/os-baremetal-nodes", headers),
            "extension-v2": Request("GET", "/v2/extensions/os-baremetal-nodes", headers),
            "extension-unknown": Request("GET", "/v2.1/extensions/nothing", headers),
        }
        for name, request in requests.items():
            yield f"version-{version}-{name}", request
    yield (
        "version-new-header-v2",
        Request("GET", "/v2/os-baremetal-nodes", {_NEW: "compute 2.36"}),
    )


def _accepts() -> Iterator[tuple[str, Request]]:
    vendor = "application/vnd.openstack.compute+json"
    for accept in (
        "",
        "*/*",
        "application/*",
        "application/json",
        "application/JSON",
        "application/json; charset=utf-8",
        "application/json;q=0",
        vendor,
        f"{vendor};version=2",
        f"{vendor};version=2.1",
        f"{vendor}, application/json",
        f"application/json, {vendor}",
        f"application/json;q=0.5, {vendor}",
        f"{vendor};q=0.5, application/json;q=0.6",
        f"{vendor};q=0.5, */*",
        "application/xml",
        "application/vnd.openstack.compute+xml",
        "application/xml, application/json;q=0.1",
        f"application/xml, {vendor};q=0.1",
        "application/*;q=0.5, application/json;q=0.1",
        "text/html",
        "text/*",
        "text/html, */*;q=0.1",
        "garbage",
        "application/json;",
        ",",
        "a/b/c",
        "\u00fc",
    ):
        headers = {"Accept": accept}
        name = accept or "empty"
        yield f"accept-show-{name}", Request("GET", _NODE, headers)
    for accept in ("*/*", "application/json", vendor, "application/xml", "text/html", "garbage"):
        headers = {"Accept": accept}
        yield f"accept-list-{accept}", Request("GET", _NODES, headers)
        yield f"accept-unknown-{accept}", Request("GET", f"{_NODES}/nothing", headers)
        yield f"accept-write-{accept}", Request("POST", _NODES, headers, '{"node": {}}')
        yield f"accept-root-{accept}", Request("GET", "/", headers)
        yield f"accept-document-{accept}", Request("GET", "/v2.1/", headers)
        yield (
            f"accept-extension-{accept}",
            Request("GET", "/v2.1/extensions/os-baremetal-nodes", headers),
        )
    for accept in ("application/json", vendor, f"{vendor};q=0.5, application/json;q=0.6"):
        path = _NODE.replace("/v2.1", "/v2/PROJECT")
        yield f"accept-show-v2-{accept}", Request("GET", path, {"Accept": accept})


def _servers() -> Iterator[tuple[str, Request]]:
    """Of servers, what does not depend on those there are: nova has none."""
    servers = "/v2.1/servers"
    for path in (servers, f"{servers}/detail"):
        name = path.removeprefix("/v2.1/")
        yield f"{name}-member", Request("GET", path, caller="member")
        for query in (
            *("limit=0", "limit=2", "status=ACTIVE", "status=nonsense", "name=^web", "deleted=1"),
            *("all_tenants=0", "nonsense=1", "changes-since=2026-11-22T20:30:17Z", "tenant_id=x"),
            *("all_tenants=1", "all_tenants=", "marker=nowhere"),
        ):
            yield f"{name}-member-{query}", Request("GET", f"{path}?{query}", caller="member")
    yield "servers-version-2.35", Request("GET", servers, {_OLD: "2.35"}, caller="member")
    yield "servers-version-2.36", Request("GET", servers, {_OLD: "2.36"}, caller="member")
    yield "servers-other-project", Request("GET", "/v2.1/OTHER-PROJECT/servers")
    unknown = {"uuid": _UNKNOWN_UUID, "name": "web-1", "integer": "7", "json": "7.json"}
    for name, server_id in unknown.items():
        path = f"{servers}/{server_id}"
        yield f"server-unknown-{name}", Request("GET", path)
        yield f"server-unknown-{name}-member", Request("GET", path, caller="member")
        yield f"server-unknown-{name}-delete", Request("DELETE", path)
        reboot = Request("POST", f"{path}/action", body='{"reboot": {"type": "SOFT"}}')
        yield f"server-unknown-{name}-reboot", reboot
    yield "server-unknown-v2", Request("GET", f"/v2/servers/{_UNKNOWN_UUID}")
    for name, body in {
        "unknown": '{"explode": {}}',
        "two-keys": '{"reboot": {"type": "SOFT"}, "os-stop": null}',
        "empty-object": "{}",
        "list": "[]",
        "not-json": '{"reboot": ',
    }.items():
        yield f"server-action-{name}", Request("POST", f"{servers}/7/action", body=body)
    xml = {"Content-Type": "application/xml"}
    yield "server-action-xml", Request("POST", f"{servers}/7/action", xml, "<reboot/>")
    yield "server-launch-not-json", Request("POST", servers, body="{")
    yield "server-launch-xml", Request("POST", servers, xml, "<server/>")
    yield "flavor-unknown", Request("GET", "/v2.1/flavors/nothing")


def _paths() -> Iterator[tuple[str, Request]]:
    for prefix in ("/v2.1", "/v2/PROJECT"):
        nodes = f"{prefix}/os-baremetal-nodes"
        node = f"{nodes}/{BY_NAME['three-ports'].uuid}"
        for method in ("PUT", "PATCH", "POST", "HEAD", "OPTIONS", "TRACE", "PROPFIND"):
            body = "{}" if method in ("PUT", "PATCH", "POST") else None
            yield f"{method}-node{prefix}", Request(method, node, body=body)
        for method in ("PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
            body = "{}" if method in ("PUT", "PATCH") else None
            yield f"{method}-nodes{prefix}", Request(method, nodes, body=body)
        for method in ("GET", "PUT", "DELETE", "HEAD"):
            yield f"{method}-action{prefix}", Request(method, f"{node}/action")
        paths = {
            "node-json": f"{node}.json",
            "nodes-slash": f"{nodes}/",
            "node-slash": f"{node}/",
            "nodes-double-slash": f"{prefix}//os-baremetal-nodes",
            "node-double-slash": nodes + "//" + BY_NAME["three-ports"].uuid,
            "nodes-json": f"{nodes}.json",
            "node-xml": f"{node}.xml",
            "nodes-html": f"{nodes}.html",
            "node-below": f"{node}/below",
            "node-edit": f"{node}/edit",
            "node-action-json": f"{node}/action.json",
            "upper-case": f"{prefix}/OS-Baremetal-Nodes",
            "unknown": f"{prefix}/os-nothing",
            "unknown-deep": f"{prefix}/os-nothing/1/2/3",
            "encoded": f"{prefix}/os%2Dbaremetal%2Dnodes",
            "two-projects": f"{prefix}/PROJECT/PROJECT/os-baremetal-nodes",
        }
        for name, path in paths.items():
            yield f"path-{name}{prefix}", Request("GET", path)
        yield f"path-unknown-member{prefix}", Request("GET", paths["unknown"], caller="member")
        yield f"path-unknown-post{prefix}", Request("POST", paths["unknown"], body="{}")
        for accept in ("application/json", "text/html", "*/*"):
            headers = {"Accept": accept}
            yield f"path-unknown-{accept}{prefix}", Request("GET", paths["unknown"], headers)
    for name, query in {
        "unknown": "?x=1",
        "limit": "?limit=1",
        "empty": "?",
        "name-only": "?x",
        "ampersand": "?&",
    }.items():
        yield f"query-{name}-list", Request("GET", _NODES + query)
        yield f"query-{name}-show", Request("GET", _NODE + query)
        yield f"query-{name}-delete", Request("DELETE", _NODE + query)
        yield f"query-{name}-create", Request("POST", _NODES + query, body="{}")
        yield f"query-{name}-document", Request("GET", f"/v2.1/{query}")
        yield (
            f"query-{name}-extension",
            Request("GET", f"/v2.1/extensions/os-baremetal-nodes{query}"),
        )


def _documents() -> Iterator[tuple[str, Request]]:
    paths = {
        "root": "/",
        "v2": "/v2",
        "v2-slash": "/v2/",
        "v2.1": "/v2.1",
        "v2.1-slash": "/v2.1/",
        "v2-project": "/v2/PROJECT",
        "v2-project-slash": "/v2/PROJECT/",
        "v2.1-project": "/v2.1/PROJECT",
        "v2.1-project-slash": "/v2.1/PROJECT/",
        "v2.1-other-project-slash": "/v2.1/OTHER-PROJECT/",
        "v2.1-word-slash": "/v2.1/x/",
        "v2.1-double-slash": "/v2.1//",
    }
    for name, path in paths.items():
        yield f"document-{name}", Request("GET", path)
        yield f"document-{name}-without-token", Request("GET", path, caller="")
        yield f"document-{name}-head", Request("HEAD", path)
        yield f"document-{name}-post", Request("POST", path, body="{}")
    for prefix in _PREFIXES.values():
        for alias in ("os-baremetal-nodes", "os-baremetal-ext-status", "nothing"):
            path = f"{prefix}/extensions/{alias}"
            yield f"extension-{alias}{prefix}", Request("GET", path)
    member = Request("GET", "/v2.1/extensions/os-baremetal-nodes", caller="member")
    yield "extension-member", member
    alias = "/extensions/os-baremetal-nodes"
    yield "extension-other-project", Request("GET", f"/v2.1/OTHER-PROJECT{alias}")
    yield "extension-post", Request("POST", f"/v2.1{alias}", body="{}")
    yield "extension-head", Request("HEAD", f"/v2.1{alias}")
    yield "extension-slash", Request("GET", f"/v2.1{alias}/")
    yield "extensions-slash", Request("GET", "/v2.1/extensions/")
    yield "extensions-post", Request("POST", "/v2.1/extensions", body="{}")


def _strangers() -> Iterator[tuple[str, Request]]:
    for name, token in {"no": "", "bad": "bad"}.items():
        requests = {
            "list": Request("GET", _NODES),
            "list-v2": Request("GET", "/v2/PROJECT/os-baremetal-nodes"),
            "list-other-project": Request("GET", "/v2.1/OTHER-PROJECT/os-baremetal-nodes"),
            "list-version": Request("GET", _NODES, {_OLD: "abc"}),
            "show": Request("GET", f"{_NODES}/nothing"),
            "create": Request("POST", _NODES, body="{"),
            "delete": Request("DELETE", _NODE),
            "act": Request("POST", f"{_NODE}/action", body="{}"),
            "put": Request("PUT", _NODE, body="{}"),
            "head": Request("HEAD", _NODE),
            "unknown-path": Request("GET", "/v2.1/os-nothing"),
            "extension": Request("GET", "/v2.1/extensions/os-baremetal-nodes"),
        }
        for kind, request in requests.items():
            yield f"{name}-token-{kind}", replace(request, caller=token)


_GROUPS = (
    _lists,
    _shows,
    _writes,
    _versions,
    _accepts,
    _servers,
    _paths,
    _documents,
    _strangers,
)

#: All of them.
CASES: Mapping[str, Request] = dict(case for group in _GROUPS for case in group())
