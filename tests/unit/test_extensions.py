# SPDX-License-Identifier: Apache-2.0
"""The listing of extensions, and mounting, of which it is the smaller of two examples."""

from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from bm_shim import context
from bm_shim.api import extensions, faults, prefixes
from bm_shim.api.access import rules_of
from bm_shim.api.mount import mount
from bm_shim.context import RequestContext

OLD = {
    "os-baremetal-ext-status": {
        "alias": "os-baremetal-ext-status",
        "description": "Add extended status in Baremetal Nodes v2 API.",
        "links": [],
        "name": "BareMetalExtStatus",
        "namespace": "http://docs.openstack.org/compute/ext/baremetal_ext_status/api/v2",
        "updated": "2013-08-27T00:00:00Z",
    },
    "os-baremetal-nodes": {
        "alias": "os-baremetal-nodes",
        "description": "Admin-only bare-metal node administration.",
        "links": [],
        "name": "BareMetalNodes",
        "namespace": "http://docs.openstack.org/compute/ext/baremetal_nodes/api/v2",
        "updated": "2013-01-04T00:00:00Z",
    },
}
NEW = {
    alias: {
        **extension,
        "namespace": "http://docs.openstack.org/compute/ext/fake_xml",
        "updated": "2014-12-03T00:00:00Z",
    }
    for alias, extension in OLD.items()
}
MEMBER = RequestContext(user_id="u", project_id="abc", roles=["member"])


def get(path: str, caller: RequestContext | None = MEMBER, method: str = "GET") -> TestResponse:
    app = Flask(__name__, static_folder=None)
    faults.init_app(app)
    mount(app, extensions.blueprint, extensions.PATH)
    environ: Mapping[str, Any] = {context.ENVIRON_KEY: caller}
    return app.test_client().open(path, method=method, environ_overrides=dict(environ))


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [("/v1.1/abc", OLD), ("/v2/abc", OLD), ("/v2.1/abc", NEW), ("/v2.1", NEW)],
)
def test_list_and_show(prefix: str, expected: dict[str, object]) -> None:
    listed = get(f"{prefix}/extensions")
    assert listed.status_code == 200
    assert listed.json == {"extensions": [expected[alias] for alias in sorted(expected)]}
    for alias, extension in expected.items():
        assert get(f"{prefix}/extensions/{alias}").json == {"extension": extension}


@pytest.mark.parametrize("path", ["/v2/abc/extensions/os-x", "/v2.1/extensions/os-x"])
def test_unknown_alias(path: str) -> None:
    response = get(path)
    message = "The resource could not be found."
    assert response.status_code == 404
    assert response.json == {"itemNotFound": {"code": 404, "message": message}}


def test_anybody_but_nobody_may_look() -> None:
    assert get("/v2.1/extensions", None).status_code == 401
    assert get("/v2.1/extensions/os-baremetal-nodes", None).status_code == 401
    for view in (extensions.list_extensions, extensions.show_extension):
        assert rules_of(view) == ()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1.1/other/extensions", 400),
        ("/v2/other/extensions", 400),
        ("/v2.1/fff/extensions", 400),
        # Not the form of an id, so not a path.
        ("/v2.1/other/extensions", 404),
        ("/v2.1/ABC/extensions", 404),
        ("/v2.1/a/b/extensions", 404),
        ("/v1.1/extensions", 404),
        ("/v3/extensions", 404),
        ("/extensions", 404),
        ("/v2/abc/extensions/", 404),
    ],
)
def test_project_of_the_path(path: str, status: int) -> None:
    assert get(path).status_code == status


def test_callers_without_a_project_may_name_any() -> None:
    assert get("/v2/other/extensions", RequestContext(user_id="u")).status_code == 200


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_unknown(method: str) -> None:
    assert get("/v2/abc/extensions", method=method).status_code == 404
    assert get("/v2.1/extensions/os-baremetal-nodes", method=method).status_code == 404


@pytest.mark.parametrize(
    ("path", "prefix", "old"),
    [
        ("/v1.1/p/x", "v1.1", True),
        ("/v2/p/x", "v2", True),
        ("/v2", "v2", True),
        ("/v2.1/x", "v2.1", False),
        ("/v2.10/x", None, False),
        ("/v20/x", None, False),
        ("/", None, False),
        ("", None, False),
        ("/x/v2", None, False),
    ],
)
def test_prefix(path: str, prefix: str | None, old: bool) -> None:
    assert prefixes.prefix_of({"PATH_INFO": path}) == prefix
    assert prefixes.is_old({"PATH_INFO": path}) is old


def test_every_prefix_has_a_route() -> None:
    assert {route.split("/")[1] for route in prefixes.ROUTES.values()} == set(prefixes.ALL)
