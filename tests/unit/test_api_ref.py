# SPDX-License-Identifier: Apache-2.0
"""The pages of the API reference tell of all that the service offers, and of nothing else."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import regex
import yaml
from marshmallow import Schema

from bm_shim import schemas, server_query, server_states
from bm_shim.api import microversion, prefixes
from bm_shim.api.faults import FAULT_NAMES
from bm_shim.formats import FORMATS, union
from bm_shim.formats import server as server_form
from bm_shim.formats.server import Links
from bm_shim.model import ServerQuery

from .api_ref import INSTANCES, NODES, REFUSALS, SOURCE, client, openapi, routes, service, split

PARAMETERS: Mapping[str, Mapping[str, Any]] = yaml.safe_load(
    (SOURCE / "parameters.yaml").read_text()
)
STATUSES: Mapping[int, Mapping[str, str]] = yaml.safe_load((SOURCE / "status.yaml").read_text())


# Title, method, path, and what follows until the next title.
_SECTION = re.compile(
    r"^(.+)\n=+\n\n\.\. rest_method:: (\S+) (\S+)\n((?s:.+?))(?=\n.+\n===|\Z)", re.M
)
_SUBSECTION = re.compile(r"^(.+)\n-+\n((?s:.+?))(?=\n.+\n---|\Z)", re.M)
_DIRECTIVE = re.compile(r"^\.\. rest_(\w+)::.*\n\n((?:   - .*(?:\n|\Z))+)", re.M)


@dataclass
class Section:
    """A section of a page that tells of an operation."""

    title: str
    method: str
    path: str
    statuses: set[int] = field(default_factory=set)
    #: By heading, Request and Response: names and references into parameters.yaml.
    parameters: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def body(self, heading: str) -> list[tuple[str, str]]:
        """Return what is in the body, first of all its one key."""
        rows = self.parameters.get(heading, [])
        return [(name, ref) for name, ref in rows if PARAMETERS[ref]["in"] == "body"]

    def fields(self, heading: str) -> set[str]:
        return {name for name, _ in self.body(heading)[1:]}


def read(page: str) -> Iterator[Section]:
    """Yield the sections of operations, of a page whose text is given."""
    for title, method, path, text in _SECTION.findall(page):
        section = Section(title, method, path)
        for heading, part in _SUBSECTION.findall(text):
            for directive, entries in _DIRECTIVE.findall(part):
                rows = yaml.safe_load(entries)
                if directive == "status_code":
                    section.statuses |= {next(iter(r)) if isinstance(r, dict) else r for r in rows}
                else:
                    section.parameters[heading] = [pair for r in rows for pair in r.items()]
        yield section


SECTIONS = [section for page in SOURCE.glob("*.rst") for section in read(page.read_text())]
BY_TITLE = {section.title: section for section in SECTIONS}
LIST = BY_TITLE["List Bare Metal Nodes"]
SHOW = BY_TITLE["Show Bare Metal Node Details"]
CREATE = BY_TITLE["Create Bare Metal Node"]
ADD = BY_TITLE["Add Interface"]
REMOVE = BY_TITLE["Remove Interface"]
LIST_SERVERS = BY_TITLE["List Servers"]
LIST_SERVERS_DETAILED = BY_TITLE["List Servers Detailed"]
SHOW_SERVER = BY_TITLE["Show Server Details"]
REBOOT = BY_TITLE["Reboot Server"]
SHOW_FLAVOR = BY_TITLE["Show Flavor Details"]


def documented() -> set[tuple[str, str]]:
    """Return methods and paths of the sections, those of versions without slashes at the end."""
    found = set()
    for section in SECTIONS:
        for prefix in prefixes.ALL:
            path = section.path.replace("{api_version}", prefix)
            found.add((section.method, path.rstrip("/") or "/"))
    return found


def served() -> set[tuple[str, str]]:
    """Return methods and paths of the routes, in the same way."""
    found = set()
    for method, path, view in routes():
        if view not in REFUSALS:
            found.add((method, split(path)[1].rstrip("/") or "/"))
    return found


def test_every_route_is_documented_and_the_other_way_round() -> None:
    assert documented() == served()


def test_every_resource_is_under_every_prefix() -> None:
    resources: dict[tuple[str, str], set[str]] = {}
    for method, path, _ in routes():
        prefix, below = split(path)
        if prefix:
            resources.setdefault((method, below), set()).add(prefix)
    assert {len(found) for found in resources.values()} == {len(prefixes.ROUTES)}


def test_every_endpoint_is_documented() -> None:
    page = (SOURCE / "conventions.rst").read_text()
    endpoints = re.findall(r"^   \* - ``(/v.+)``$", page, re.M)
    assert set(endpoints) == {split(path)[0] for _, path, _ in routes()} - {""}


@pytest.mark.parametrize(
    ("section", "schema"),
    [
        (CREATE, schemas.NewNodeSchema()),
        (ADD, schemas.NewInterfaceSchema()),
        (REMOVE, schemas.InterfaceMatchSchema()),
        (REBOOT, schemas.RebootSchema()),
    ],
    ids=lambda value: getattr(value, "title", ""),
)
def test_request_table_has_the_fields_of_the_schema(section: Section, schema: Schema) -> None:
    assert section.fields("Request") == set(schema.fields)
    for name, ref in section.body("Request")[1:]:
        assert PARAMETERS[ref]["required"] == schema.fields[name].required, name


@pytest.mark.parametrize("section", [LIST_SERVERS, LIST_SERVERS_DETAILED])
def test_query_table_has_the_parameters_of_the_schema(section: Section) -> None:
    told = {
        name for name, ref in section.parameters["Request"] if PARAMETERS[ref]["in"] == "query"
    }
    fields = schemas.ServerQuerySchema().fields
    read = {field.data_key or name for name, field in fields.items()}
    assert told == read | server_query.ATTRIBUTES.keys()


def test_what_no_server_has_is_told_so() -> None:
    table = dict(LIST_SERVERS.parameters["Request"])
    told = {name for name, ref in table.items() if ref == "nothing_query"}
    nobodys = {n for n, get in server_query.ATTRIBUTES.items() if get is server_query.nothing}
    assert told == nobodys


def test_what_everybody_may_ask_for_is_told() -> None:
    page = (SOURCE / "servers.rst").read_text()
    sentence = re.search(r"others than administrators may use ((?s:.+?))\. Everything", page)
    assert sentence is not None
    told = set(re.findall("``([^`]+)``", sentence[1]))
    everything = ServerQuery(
        patterns=dict.fromkeys(server_query.PATTERNS, regex.compile("")),
        equal=dict.fromkeys(server_query.ATTRIBUTES, ""),
    )
    asked = server_query.permitted(everything, admin=False)
    assert told == {*asked.patterns, *asked.equal, "status", "changes-since"}


def test_table_of_states_is_the_one_in_the_code() -> None:
    page = (SOURCE / "servers.rst").read_text()
    start = page.index(":name: states-of-a-server")
    table = page[start : page.index("\nIronic does", start)]
    rows = [re.split(r"\n     - ", row) for row in re.split(r"\n   \* - ", table)[2:]]
    told = [[set(re.findall("``([^`]+)``", cell)) for cell in row] for row in rows]
    assert told == [
        [
            set(row.provision_states),
            set(row.target_power_states),
            set(row.power_states),
            *({word} if word else set() for word in row.state),
        ]
        for row in server_states.TABLE
    ]


def _keys(body: Mapping[str, Any]) -> set[str]:
    """Return the keys of a node, and below them those of its interfaces."""
    below = {f"interfaces.{key}" for each in body["interfaces"] for key in each}
    return {*body, *below}


NODE_KEYS = {
    name: (_keys(form.node_in_list(NODES[0])), _keys(form.node(NODES[0])))
    for name, form in FORMATS.items()
}
INTERFACE_KEYS = [set(form.interface(NODES[0].interfaces[0])) for form in FORMATS.values()]


@pytest.mark.parametrize(
    ("section", "bodies", "default"),
    [
        (LIST, [in_list for in_list, _ in NODE_KEYS.values()], NODE_KEYS["union"][0]),
        (SHOW, [shown for _, shown in NODE_KEYS.values()], NODE_KEYS["union"][1]),
        (CREATE, [shown for _, shown in NODE_KEYS.values()], NODE_KEYS["union"][1]),
        (ADD, INTERFACE_KEYS, set(union.interface(NODES[0].interfaces[0]))),
    ],
    ids=lambda value: getattr(value, "title", ""),
)
def test_response_table_has_the_keys_of_the_formats(
    section: Section, bodies: list[set[str]], default: set[str]
) -> None:
    assert section.fields("Response") == set().union(*bodies)
    required = {n for n, ref in section.body("Response")[1:] if PARAMETERS[ref]["required"]}
    assert required == default


def _server_keys(*, version: tuple[int, int], admin: bool) -> set[str]:
    """Return the keys of servers, of whatever state, and of the objects in them."""
    links = Links("", "")
    keys: set[str] = set()
    for instance in INSTANCES:
        body = server_form.server(instance, links, version=version, admin=admin)
        keys |= body.keys()
        for name in ("flavor", "fault"):
            inner = body.get(name, {})
            assert isinstance(inner, dict)
            keys |= {f"{name}.{key}" for key in inner}
    return keys


@pytest.mark.parametrize("section", [LIST_SERVERS_DETAILED, SHOW_SERVER])
def test_response_table_has_the_keys_of_servers(section: Section) -> None:
    told = section.fields("Response") - {"servers_links"}
    assert told == _server_keys(version=microversion.MAXIMUM, admin=True)
    required = {n for n, ref in section.body("Response")[1:] if PARAMETERS[ref]["required"]}
    sometimes = {"progress", "fault", "fault.code", "fault.created", "fault.message"}
    assert required == _server_keys(version=microversion.MINIMUM, admin=False) - sometimes


def test_other_response_tables_of_servers() -> None:
    links = Links("", "")
    in_index = server_form.server_in_index(INSTANCES[0], links).keys()
    assert LIST_SERVERS.fields("Response") == {*in_index, "servers_links"}
    flavor = server_form.flavor("x", INSTANCES, links)
    assert SHOW_FLAVOR.fields("Response") == flavor.keys()


@pytest.mark.parametrize(
    "title", ["List Versions", "Show Version Details", "List Extensions", "Show Extension Details"]
)
def test_response_table_has_the_keys_of_discovery(title: str) -> None:
    section = BY_TITLE[title]
    path = section.path.format(api_version="v2.1", alias="os-baremetal-nodes")
    answer = (
        client(service(), "member").get(path if "ersion" in title else f"/v2.1{path}").get_json()
    )
    ((key, body),) = answer.items()
    assert section.body("Response")[0][0] == key
    assert section.fields("Response") == set(body[0] if isinstance(body, list) else body)


def test_table_of_formats_says_what_they_have() -> None:
    page = (SOURCE / "conventions.rst").read_text()
    table = re.search(r"\.\. list-table:: Keys of a node\n((?:   .*\n|\n)+)", page)
    assert table is not None
    head, *rows = re.findall(r"^   \* - (.*)\n     -(.*)\n     -(.*)\n     -(.*)$", table[1], re.M)
    said: dict[str, tuple[set[str], set[str]]] = {
        name.strip(): (set(), set()) for name in head[1:]
    }
    for key, *cells in rows:
        for name, cell in zip(said, cells, strict=True):
            if cell.strip() not in ("", "not in lists"):
                said[name][0].add(key.strip("`"))
            if cell.strip():
                said[name][1].add(key.strip("`"))
    assert said == NODE_KEYS


def test_status_codes_are_those_of_openapi() -> None:
    described: dict[tuple[str, str], set[int]] = {}
    for path, item in openapi()["paths"].items():
        for method in item.keys() - {"parameters"}:
            key = method.upper(), split(path)[1].rstrip("/") or "/"
            described.setdefault(key, set()).update(map(int, item[method]["responses"]))
    for section in SECTIONS:
        paths = {section.path.replace("{api_version}", prefix) for prefix in prefixes.ALL}
        keys = {(section.method, path.rstrip("/") or "/") for path in paths}
        # What one page tells of several paths, it tells of all of them together.
        all_described = set().union(*(described[key] for key in keys))
        if section not in (ADD, REMOVE):
            assert section.statuses == all_described, section.title
    assert ADD.statuses | REMOVE.statuses == described["POST", ADD.path]
    assert (ADD.statuses - REMOVE.statuses, REMOVE.statuses - ADD.statuses) == ({200}, {202})


def test_nothing_in_the_tables_is_left_over() -> None:
    pages = "".join(page.read_text() for page in SOURCE.glob("*.rst"))
    used = set(re.findall(r"^   - \S+: (\S+)$", pages, re.M))
    assert used >= set(PARAMETERS)
    reasons = {(status, reason) for status, each in STATUSES.items() for reason in each}
    told = {
        (int(status), reason or "default")
        for status, reason in re.findall(r"^   - (\d+)(?:: (\w+))?$", pages, re.M)
    }
    assert told == reasons


def test_pages_build_without_warnings(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    built = subprocess.run(
        [*command, "-d", tmp_path / "doctrees", SOURCE, tmp_path / "html"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert "/os-baremetal-nodes" in (tmp_path / "html" / "nodes.html").read_text()


def test_fault_names_are_documented() -> None:
    page = (SOURCE / "conventions.rst").read_text()
    told = dict(re.findall(r"^   \* - (\d{3})\n     - ``(\w+)``$", page, re.M))
    described = {int(s) for item in openapi()["paths"].values() for s in _statuses(item)}
    faults = {500, *described} - {200, 202, 204}
    assert told == {str(status): FAULT_NAMES.get(status, "computeFault") for status in faults}


def _statuses(item: Mapping[str, Any]) -> Iterator[str]:
    for method in item.keys() - {"parameters"}:
        yield from item[method]["responses"]
