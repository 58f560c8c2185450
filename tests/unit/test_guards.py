# SPDX-License-Identifier: Apache-2.0
"""What must hold for every route, rule, error and option, also those still to come."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from oslo_policy.policy import DocumentedRuleDefault
from werkzeug.routing import Rule

from bm_shim import conf as configuration
from bm_shim import policy
from bm_shim.api import access
from bm_shim.app import create_flask_app

from .conftest import Api, MakeConf, StubInstances, StubInventory
from .wire import PROJECT, Keystone

ROOT = Path(__file__).parents[2]
VERSIONS = {"/", "/v1.1", "/v1.1/", "/v2", "/v2/", "/v2.1", "/v2.1/"}
#: Views without a policy rule, below each prefix: for whoever has a token.
FREE = {
    ("GET", "/extensions"),
    ("GET", "/extensions/<alias>"),
    ("PUT", "/os-baremetal-nodes/<node_id>"),
}
#: Likewise, and refused to everybody.
REFUSED = {
    ("POST", "/servers"),
    ("PUT", "/servers/<server_id>"),
    ("POST", "/os-volumes_boot"),
    ("GET", "/flavors"),
    ("GET", "/flavors/detail"),
    ("GET", "/images"),
    ("GET", "/images/detail"),
    ("GET", "/images/<image_id>"),
}
PREFIXES = [
    "/v1.1/<project_id>", "/v2/<project_id>", "/v2", "/v2.1/<project:project_id>", "/v2.1",
]  # fmt: skip
BODIES: dict[str, list[dict[str, Any]]] = {
    "act_on_node": [
        {"add_interface": {"address": "52:54:00:cf:2d:31"}},
        {"remove_interface": {"id": 1}},
    ],
    "act_on_server": [{"reboot": {"type": "SOFT"}}],
}
#: What people may do with the servers of their own project, by their role.
ROLES = {
    "reader": {policy.INDEX_SERVERS, policy.DETAIL_SERVERS, policy.SHOW_SERVER},
    "member": {
        policy.INDEX_SERVERS,
        policy.DETAIL_SERVERS,
        policy.SHOW_SERVER,
        policy.REBOOT_SERVER,
        policy.DELETE_SERVER,
    },
}
#: What matters only to lists that ask for all projects.
ALL_PROJECTS = {policy.INDEX_ALL_SERVERS, policy.DETAIL_ALL_SERVERS}


@pytest.fixture
def app(make_conf: MakeConf, inventory: StubInventory) -> Flask:
    return create_flask_app(make_conf(), inventory)


def rules_of(app: Flask, route: Rule) -> tuple[str, ...]:
    view: Any = app.view_functions[route.endpoint]
    return access.rules_of(view)


def methods_of(route: Rule) -> list[str]:
    return sorted(set(route.methods or ()) - {"HEAD", "OPTIONS"})


def calls(app: Flask, *, guarded: bool) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each method of each route that is guarded, or not, with bodies that make a difference."""
    values = {
        "project_id": PROJECT,
        "node_id": "42",
        "alias": "os-baremetal-nodes",
        "server_id": StubInstances.own.uuid,
        "flavor_id": StubInstances.own.flavor,
        "image_id": "1",
    }
    for route in app.url_map.iter_rules():
        if bool(rules_of(app, route)) is not guarded:
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], route.rule)
        for method in methods_of(route):
            for body in BODIES.get(route.endpoint.rpartition(".")[2], [{"node": {}}]):
                yield method, path, body


def test_every_route_is_guarded_or_public(app: Flask) -> None:
    for route in app.url_map.iter_rules():
        assert isinstance(rules_of(app, route), tuple), route.rule


def test_what_is_public(app: Flask) -> None:
    """The versions; what has no rule below a prefix still needs a token."""
    public = {
        (method, route.rule)
        for route in app.url_map.iter_rules()
        for method in methods_of(route)
        if not rules_of(app, route)
    }
    below = {(method, prefix + path) for prefix in PREFIXES for method, path in FREE | REFUSED}
    version_of_project = {("GET", "/v2.1/<project:project_id>/")}
    assert public == {("GET", path) for path in VERSIONS} | below | version_of_project


def test_what_is_public_needs_a_token_below_a_prefix(
    app: Flask, guarded_api: Api, inventory: StubInventory
) -> None:
    for method, path, _ in calls(app, guarded=False):
        status = 200 if path in VERSIONS else 401
        assert guarded_api(method, path, json={}).status_code == status, (method, path)
        allowed = 200
        if re.search("servers|volumes_boot|flavors|images", path):
            allowed = 403
        elif method == "PUT":
            allowed = 404 if path.startswith("/v2.1/") else 400
        for token in ("member", "admin"):
            response = guarded_api(method, path, token=token, json={})
            assert response.status_code == allowed, (method, path)
    assert inventory.calls == []


def test_every_rule_exists_and_is_used(app: Flask) -> None:
    used = {rule for route in app.url_map.iter_rules() for rule in rules_of(app, route)}
    documented = [each for each in policy.list_rules() if isinstance(each, DocumentedRuleDefault)]
    assert used == {rule.name for rule in documented}


def test_rules_are_documented_with_routes_that_exist(app: Flask) -> None:
    routes: dict[str, set[str]] = {}
    for route in app.url_map.iter_rules():
        path = re.sub(r"^/v[\d.]+(/<(project:)?project_id>)?", "", route.rule)
        path = path.replace("<", "{").replace(">", "}")
        for method in route.methods or ():
            for rule in rules_of(app, route):
                routes.setdefault(rule, set()).add(f"{method} {path}")
    for default in policy.list_rules():
        assert default.description
        if isinstance(default, DocumentedRuleDefault):
            for operation in default.operations:
                path = str(operation["path"]).partition(" (")[0]
                assert f"{operation['method']} {path}" in routes[default.name]


def test_rules_refer_to_rules_that_exist() -> None:
    names = {rule.name for rule in policy.list_rules()}
    for rule in policy.list_rules():
        assert set(re.findall(r"rule:(\S+)", rule.check_str)) <= names


def test_nobody_gets_anywhere(app: Flask, guarded_api: Api, inventory: StubInventory) -> None:
    guarded = list(calls(app, guarded=True))
    assert len(guarded) >= 12 * 5  # the operations, under each prefix
    for method, path, body in guarded:
        response = guarded_api(method, path, json=body)
        assert response.status_code == 401, (method, path)
        assert response.json is not None
        assert "unauthorized" in response.json
    assert inventory.calls == []


@pytest.mark.parametrize("role", ROLES)
def test_others_get_to_the_servers_of_their_project_and_nowhere_else(
    app: Flask, guarded_api: Api, keystone: Keystone, inventory: StubInventory, role: str
) -> None:
    """Members are readers, too: so Keystone has it."""
    keystone.add_token("caller", {"member": ["member", "reader"]}.get(role, [role]))
    denied = set()
    for method, path, body in calls(app, guarded=True):
        inventory.reset()
        response = guarded_api(method, path, token="caller", json=body)
        if response.status_code < 300:
            assert re.search("servers|flavors", path), (method, path)
            continue
        assert response.status_code == 403, (method, path)
        assert response.json is not None
        (rule,) = re.findall(
            "Policy doesn't allow (.*) to be performed.", response.json["forbidden"]["message"]
        )
        denied.add(rule)
        # To tell whose it is, a server is looked at; nothing else is.
        assert [call[0] for call in inventory.calls] in ([], ["get"])
    rules = {rule.name for rule in policy.list_rules() if isinstance(rule, DocumentedRuleDefault)}
    assert denied == rules - ROLES[role] - ALL_PROJECTS


def test_an_administrator_gets_everywhere(app: Flask, guarded_api: Api) -> None:
    for method, path, body in calls(app, guarded=True):
        response = guarded_api(method, path, token="admin", json=body)
        assert response.status_code in (200, 202, 204), (method, path)


GENERATORS = {
    "bm-shim.conf.sample": ("oslo_config.generator", "main", "config-generator.conf"),
    "policy.yaml.sample": ("oslo_policy.generator", "generate_sample", "policy-generator.conf"),
}


@pytest.mark.parametrize("sample", GENERATORS)
def test_samples_are_current(sample: str, tmp_path: Path) -> None:
    """In a process of its own, as ``make samples``: the libraries' defaults are global."""
    module, function, settings = GENERATORS[sample]
    made = tmp_path / sample
    script = f"import sys; from {module} import {function} as run; run(sys.argv[1:])"
    arguments = ["--config-file", f"deploy/{settings}", "--output-file", str(made)]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *arguments], cwd=ROOT, check=True
    )
    assert made.read_text() == (ROOT / "deploy" / sample).read_text(), "run `make samples`"


def options_of_the_sample() -> dict[str, dict[str, str]]:
    """The options that the sample shows, by group, with their defaults."""
    found: dict[str, dict[str, str]] = {}
    for line in (ROOT / "deploy/bm-shim.conf.sample").read_text().splitlines():
        if group := re.fullmatch(r"\[(\w+)\]", line):
            current = found.setdefault(group[1], {})
        elif option := re.fullmatch(r"#(\w+) =( .*)?", line):
            current[option[1]] = (option[2] or "").strip()
    return found


def test_every_option_is_in_the_sample() -> None:
    shown = options_of_the_sample()
    for group, options in configuration.list_opts():
        assert {opt.dest for opt in options} <= shown[group or "DEFAULT"].keys()


def test_the_sample_shows_the_defaults_that_the_shim_has(
    tmp_path: Path, make_conf: MakeConf
) -> None:
    """Also where they differ from the libraries' own."""
    file = tmp_path / "all.conf"
    lines = []
    for group, options in options_of_the_sample().items():
        lines.append(f"[{group}]")
        lines += [f"{name} = {text}" for name, text in options.items() if text != "<None>"]
    file.write_text("\n".join(lines))
    (tmp_path / "none.conf").touch()
    shown = configuration.load(config_files=[str(file)])
    meant = configuration.load(config_files=[str(tmp_path / "none.conf")])
    for group in ("api", "ironic", "enroll", "identity_bridge", "cors"):
        for name in meant[group]:
            assert shown[group][name] == meant[group][name], f"[{group}] {name}"
    assert shown.default_log_levels == meant.default_log_levels
