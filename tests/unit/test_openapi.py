# SPDX-License-Identifier: Apache-2.0
"""``openapi.yaml`` is current, valid, and describes what the service takes and gives."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from marshmallow import Schema, ValidationError
from openapi_spec_validator import validate
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from werkzeug.test import Client, TestResponse

from bm_shim import conf as configuration
from bm_shim import errors, schemas
from bm_shim.api import prefixes
from bm_shim.app import create_app
from bm_shim.formats import FORMATS
from bm_shim.formats import server as server_form
from bm_shim.formats.server import Links
from bm_shim.inventory import Inventory
from bm_shim.server_states import UNKNOWN

from .api_ref import (
    DIRECTORY,
    INSTANCES,
    NODES,
    OPENAPI,
    PROJECT,
    REFUSALS,
    SAMPLES,
    FakeInventory,
    client,
    openapi,
    routes,
    service,
)

DESCRIPTION = openapi()
SERVED = [route for route in routes() if route[2] not in REFUSALS]
_REGISTRY: Registry[Any] = Registry().with_resource(
    "urn:openapi", DRAFT202012.create_resource(DESCRIPTION)
)


def component(reference: str) -> Any:
    """Return what a reference leads to."""
    _, _, kind, name = reference.split("/")
    return DESCRIPTION["components"][kind][name]


def validator(schema: str) -> Draft202012Validator:
    """Return a validator for a schema by its name, or by a reference."""
    reference = schema if schema.startswith("#") else f"#/components/schemas/{schema}"
    return Draft202012Validator(
        {"$ref": f"urn:openapi{reference}"},
        registry=_REGISTRY,
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DESCRIPTION["paths"].items():
        for method in item.keys() - {"parameters"}:
            yield method.upper(), path, item[method]


def test_is_what_the_generator_makes(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"
    generator = DIRECTORY / "generate_openapi.py"
    subprocess.run([sys.executable, generator, made], check=True)
    assert made.read_text() == OPENAPI.read_text(), "make openapi"


def test_is_valid() -> None:
    validate(DESCRIPTION)


def test_has_every_route_and_no_others() -> None:
    assert {(method, path) for method, path, _ in operations()} == {each[:2] for each in SERVED}


def test_every_error_is_described() -> None:
    """But 500, which is a bug, and 429, which only the identity bridge answers."""

    def statuses(kind: type[errors.ShimError]) -> set[int]:
        return {kind.status}.union(*map(statuses, kind.__subclasses__()))

    described = {int(status) for _, _, each in operations() for status in each["responses"]}
    assert described - {200, 202, 204} == statuses(errors.ShimError) - {429, 500}


# ---- What is asked.

NUMBERS = [0, 1, 2**31 - 1, 2**31, -1, 1.5, "8", " 8 ", "+8", "8x", "", "1_0", True, None, [], {}]
TEXTS = ["", "a", "ü", "a" * 255, "a" * 256, "a\0", 5, True, None, [], {}]
MACS = [
    "52:54:00:a1:0c:17", "52:54:00:A1:0C:17", "52-54-00-a1-0c-17", "52:54:00:a1:0c:17\n",
    " 52:54:00:a1:0c:17", "525400a10c17", "", None, 5,
]  # fmt: skip
UUIDS: list[object] = ["5e8c1d0a-7b62-4f39-a1d4-90c3e2f4b716", "", "5e8c1d0a", None, 5, []]
TRUTHS = [True, False, 0, 1, 2, "True", "no", "maybe", None, []]
REBOOTS = ["SOFT", "soft", "Hard", "hArD", "warm", " SOFT", "SOFTHARD"]
CANDIDATES = [*NUMBERS, *TEXTS, *MACS, *UUIDS, *TRUTHS, *REBOOTS]


@pytest.mark.parametrize(
    ("name", "schema", "base"),
    [
        ("NewNode", schemas.NewNodeSchema(), {}),
        ("NewInterface", schemas.NewInterfaceSchema(), {"address": MACS[0]}),
        ("InterfaceMatch", schemas.InterfaceMatchSchema(), {"id": 1, "address": "a"}),
        ("Reboot", schemas.RebootSchema(), {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_request_schema_takes_what_ours_takes(
    name: str, schema: Schema, base: dict[str, Any]
) -> None:
    described = validator(name)
    assert component(f"#/components/schemas/{name}")["properties"].keys() == schema.fields.keys()
    for field in schema.fields:
        for value in CANDIDATES:
            body = {**base, field: value}
            try:
                schema.load(body)
            except ValidationError:
                taken = False
            else:
                taken = True
            # In JSON Schema, "$" matches before a line feed as well; texts of digits have ranges.
            if value == MACS[3] or (isinstance(value, str) and value.strip("+-").isdigit()):
                continue
            assert described.is_valid(body) == taken, (field, value)


def test_unknown_keys_are_ignored() -> None:
    for name in ("NewNode", "NewInterface", "InterfaceMatch", "Reboot"):
        assert "additionalProperties" not in component(f"#/components/schemas/{name}")


def test_remove_interface_needs_something_to_match() -> None:
    assert not validator("InterfaceMatch").is_valid({})


# ---- What is answered.


def test_answers_are_described_exactly() -> None:
    for name in ("UnionNode", "NovaBaremetalNode", "IronicProxyNode", "Interface", "Extension"):
        schema = component(f"#/components/schemas/{name}")
        assert schema["additionalProperties"] is False
        assert schema["required"] == list(schema["properties"])


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_fits_one_schema(form: str) -> None:
    """The one that bears its name."""
    title = form.title().replace("-", "")
    shown = {
        "Nodes": [FORMATS[form].node_in_list(node) for node in NODES],
        "Node": [FORMATS[form].node(node) for node in NODES],
    }
    for name, bodies in shown.items():
        in_list = name == "Nodes" and form != "nova-baremetal"
        schema = validator(f"{title}Node{'InList' if in_list else ''}")
        for body in bodies:
            schema.validate(body)
    validator("NodesBody").validate({"nodes": shown["Nodes"]})
    for body in shown["Node"]:
        validator("NodeBody").validate({"node": body})


@pytest.mark.parametrize("admin", [False, True])
@pytest.mark.parametrize("version", [(2, 1), (2, 3), (2, 9), (2, 16), (2, 19), (2, 26), (2, 35)])
def test_servers_fit_their_schema(version: tuple[int, int], admin: bool) -> None:
    links = Links("http://host/v2.1", "http://host")
    bare = replace(
        INSTANCES[0], state=UNKNOWN, service_host=None, created_at=None, updated_at=None
    )
    for instance in (*INSTANCES, bare):
        body = server_form.server(instance, links, version=version, admin=admin)
        validator("ServerBody").validate({"server": body})
    validator("ServersBody").validate({"servers": [body]})
    next_link = {"rel": "next", "href": "http://host/v2.1/servers?marker=x"}
    validator("ServersBody").validate({"servers": [], "servers_links": [next_link]})


@pytest.mark.parametrize("sample", sorted(SAMPLES.rglob("*.json")), ids=lambda path: path.name)
def test_samples_are_valid(sample: Path) -> None:
    body = json.loads(sample.read_text())
    requests = {
        "node": "NewNode",
        "add_interface": "NewInterface",
        "remove_interface": "InterfaceMatch",
        "reboot": "Reboot",
    }
    if sample.parent.name == "servers" and "list" in sample.name:
        validator("ServersBody" if "detail" in sample.name else "ServersInListBody").validate(body)
        return
    ((key, value),) = body.items()
    if "request" in sample.name:
        validator(requests[key]).validate(value)
    elif key == "itemNotFound":
        validator("NotFoundFault").validate(body)
    else:
        validator(f"{key.capitalize()}Body").validate(body)


# ---- Which statuses: each operation is provoked in all ways that there are.

#: What the inventory raises, by the view's name; see its docstrings.
_ANY = [
    errors.BadRequest(), errors.NotImplementedByIronic(), errors.BadGateway(),
    errors.ServiceUnavailable(), errors.NotSetUp(),
]  # fmt: skip
RAISED: dict[str, list[errors.ShimError]] = {
    "list_nodes": _ANY,
    "show_node": [*_ANY, errors.NodeNotFound("12")],
    "create_node": [*_ANY, errors.Conflict()],
    "delete_node": [*_ANY, errors.NodeNotFound("12"), errors.NodeLocked()],
    "act_on_node": [*_ANY, errors.NodeNotFound("12"), errors.NotFound(), errors.NodeLocked()],
    "list_servers": _ANY,
    "list_servers_with_details": _ANY,
    "show_server": [*_ANY, errors.InstanceNotFound("12")],
    "delete_server": [*_ANY, errors.InstanceNotFound("12"), errors.NodeLocked()],
    "act_on_server": [*_ANY, errors.InstanceNotFound("12"), errors.NodeLocked()],
    "show_flavor": _ANY,
    "list_extensions": [],
    "show_extension": [],
    "list_versions": [],
}
BODIES: dict[str, list[dict[str, object] | None]] = {
    "create_node": [{"node": {}}],
    "act_on_node": [
        {"add_interface": {"address": MACS[0]}},
        {"remove_interface": {"address": MACS[0]}},
    ],
    "act_on_server": [{"reboot": {"type": "SOFT"}}],
}
HEADERS: list[dict[str, str]] = [
    {},
    {"X-OpenStack-Nova-API-Version": "2.36"},
    {"X-OpenStack-Nova-API-Version": "2.999"},
    {"X-OpenStack-Nova-API-Version": "two"},
]


INVENTORY = FakeInventory()
APP = service(INVENTORY)
NOBODY, STRANGER, ADMIN = client(APP), client(APP, "stranger"), client(APP, "admin")


def provoked(method: str, path: str, view: str) -> Iterator[TestResponse]:
    names = {"node_id": "12", "server_id": INSTANCES[0].uuid, "flavor_id": "baremetal"}
    filled = path.format(project_id=PROJECT, alias="os-baremetal-nodes", **names)
    for body in BODIES.get(view, [None]):
        for headers in HEADERS:
            yield ADMIN.open(filled, method=method, json=body, headers=headers)
        for project_id, alias in (
            ("abc", "os-baremetal-nodes"),
            ("not an id", "os-baremetal-nodes"),
            (PROJECT, "unknown"),
        ):
            strange = path.format(project_id=project_id, alias=alias, **names)
            yield ADMIN.open(strange, method=method, json=body)
        unknown = path.format(project_id=PROJECT, alias="unknown", **dict.fromkeys(names, "x"))
        yield ADMIN.open(unknown, method=method, json=body)
        yield ADMIN.open(f"{filled}?limit=x", method=method, json=body)
        yield NOBODY.open(filled, method=method, json=body)
        yield STRANGER.open(filled, method=method, json=body)
        for INVENTORY.error in RAISED.get(view, []):
            yield ADMIN.open(filled, method=method, json=body)
        INVENTORY.error = None
    if view in BODIES:
        yield ADMIN.open(filled, method=method, data="{", content_type="application/json")
        yield ADMIN.open(filled, method=method, data="<a/>", content_type="text/html")
        yield ADMIN.open(filled, method=method, json={"other": {}})
        yield too_large(method, filled)


def too_large(method: str, path: str) -> TestResponse:
    conf = configuration.load(config_files=[])
    conf.set_override("auth_strategy", "noauth", group="api")
    conf.set_override("serve_instances", True, group="api")
    app = create_app(conf, Inventory(conf))
    loopback = {"REMOTE_ADDR": "127.0.0.1"}
    return Client(app).open(path, method=method, data=b" " * 200_000, environ_base=loopback)


@pytest.mark.parametrize(("method", "path", "view"), sorted(SERVED))
def test_described_statuses_are_those_that_occur(method: str, path: str, view: str) -> None:
    responses = DESCRIPTION["paths"][path][method.lower()]["responses"]
    occurred = set()
    for answer in provoked(method, path, view):
        status = str(answer.status_code)
        assert status in responses, (status, answer.text)
        occurred.add(status)
        content = component(responses[status]["$ref"]).get("content")
        if content is None:
            assert answer.text == ""
        else:
            validator(content[answer.mimetype]["schema"]["$ref"]).validate(answer.get_json())
    if "401" in responses:
        # Keystone away: that is seen before the views.
        occurred.add("503")
    assert occurred == set(responses)


def test_only_the_new_prefix_has_microversions() -> None:
    for path, item in DESCRIPTION["paths"].items():
        named = [component(each["$ref"])["name"] for each in item.get("parameters", [])]
        new = path.startswith(f"/{prefixes.NEW}")
        assert ("OpenStack-API-Version" in named) == new, path
