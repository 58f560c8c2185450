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
import yaml
from marshmallow import Schema

from bm_shim import schemas
from bm_shim.api import prefixes
from bm_shim.api.faults import FAULT_NAMES
from bm_shim.formats import FORMATS, union

from .api_ref import NODES, SOURCE, client, openapi, routes, service, split

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
        # It only says that there is none.
        if view != "update_node":
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
    ],
    ids=lambda value: getattr(value, "title", ""),
)
def test_request_table_has_the_fields_of_the_schema(section: Section, schema: Schema) -> None:
    assert section.fields("Request") == set(schema.fields)
    for name, ref in section.body("Request")[1:]:
        assert PARAMETERS[ref]["required"] == schema.fields[name].required, name


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
    faults = {500, *described} - {200, 202}
    assert told == {str(status): FAULT_NAMES.get(status, "computeFault") for status in faults}


def _statuses(item: Mapping[str, Any]) -> Iterator[str]:
    for method in item.keys() - {"parameters"}:
        yield from item[method]["responses"]
