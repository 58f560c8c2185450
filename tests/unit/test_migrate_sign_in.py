# SPDX-License-Identifier: Apache-2.0
"""Signing in to Ironic: what is given, what goes before what, and what is wrong with it."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import responses
from oslo_config import cfg

from bm_shim import conf as configuration
from bm_shim.context import RequestContext
from bm_shim.migrate.errors import SignInError
from bm_shim.migrate.sign_in import sign_in

from . import wire as wire_module
from .conftest import WITH_KEYSTONE, MakeConf, Options, ini
from .wire import (
    ALWAYS,
    PROJECT,
    REFUSED,
    SERVICE_PASSWORD,
    SERVICE_TOKEN,
    TIMEOUT,
    Answer,
    Keystone,
    Outcome,
    Request,
    answer,
)

# openstacksdk warns everybody of what only users of InfluxDB need to know.
pytestmark = pytest.mark.filterwarnings("ignore:Support for InfluxDB:PendingDeprecationWarning")

NO_ACCOUNT: Options = {"ironic": {"auth_type": None, "endpoint_override": None}}
STANDALONE: Mapping[str, str] = {
    "OS_AUTH_TYPE": "none",
    "OS_ENDPOINT": "http://ironic.test/baremetal",
}
PERSON: dict[str, str] = {
    "username": "bm-shim",
    "password": SERVICE_PASSWORD,
    "user_domain_name": "Default",
    "project_name": "service",
    "project_domain_name": "Default",
}
VARIABLES = {
    "OS_AUTH_URL": f"{Keystone.url}/v3",
    "OS_IDENTITY_API_VERSION": "3",
    **{f"OS_{name.upper()}": value for name, value in PERSON.items()},
}
SYSTEM = {name: value for name, value in VARIABLES.items() if "PROJECT" not in name}


class Ironic(wire_module.Ironic):
    """As the usual one, with versions."""

    def perform(self, request: Request) -> Answer:
        if request.call == "GET /v1":
            return answer(200, {"version": {"version": "1.115", "min_version": "1.1"}})
        return super().perform(request)


@pytest.fixture(autouse=True)
def ironic(wire: responses.RequestsMock) -> Ironic:
    return Ironic(wire)


@pytest.fixture(autouse=True)
def keystone(wire: responses.RequestsMock) -> Keystone:
    return Keystone(wire)


@pytest.fixture(autouse=True)
def clouds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clouds.yaml with one good entry, in the place of all others."""
    auth = {"auth_url": f"{Keystone.url}/v3", **PERSON}
    entries = {"good": {"auth": auth}, "bad": {"auth": {"auth_url": "x"}, "auth_type": "nonsense"}}
    path = tmp_path / "clouds.yaml"
    # JSON is YAML.
    path.write_text(json.dumps({"clouds": entries}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    monkeypatch.chdir(tmp_path)
    return path


@pytest.fixture
def conf(make_conf: MakeConf) -> cfg.ConfigOpts:
    """A configuration without an account."""
    return make_conf(NO_ACCOUNT)


def put(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def signed_in(keystone: Keystone) -> dict[str, Any]:
    """Return what Keystone was asked for."""
    (request,) = (each for each in keystone.requests if each.call == "POST /v3/auth/tokens")
    found: dict[str, Any] = request.body["auth"]
    return found


# The ways


def test_environment(
    conf: cfg.ConfigOpts, ironic: Ironic, keystone: Keystone, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, VARIABLES)
    connection = sign_in(conf).on_behalf(RequestContext())
    assert connection.list_nodes(["uuid"]) == []
    assert {request.headers.get("X-Auth-Token") for request in ironic.requests} == {SERVICE_TOKEN}
    assert signed_in(keystone)["scope"]["project"]["name"] == "service"
    assert connection.own_project() == PROJECT


def test_environment_in_the_scope_of_the_system(
    conf: cfg.ConfigOpts, keystone: Keystone, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, {**SYSTEM, "OS_SYSTEM_SCOPE": "all"})
    sign_in(conf)
    assert signed_in(keystone)["scope"] == {"system": {"all": True}}


@pytest.mark.parametrize("as_variable", [True, False])
def test_clouds_yaml(
    conf: cfg.ConfigOpts, keystone: Keystone, monkeypatch: pytest.MonkeyPatch, as_variable: bool
) -> None:
    if as_variable:
        monkeypatch.setenv("OS_CLOUD", "good")
        sign_in(conf)
    else:
        sign_in(conf, os_cloud="good")
    assert signed_in(keystone)["identity"]["password"]["user"]["name"] == "bm-shim"


def test_ironic_without_keystone(
    conf: cfg.ConfigOpts, ironic: Ironic, keystone: Keystone, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, STANDALONE)
    connection = sign_in(conf).on_behalf(RequestContext())
    assert connection.list_nodes(["uuid"]) == []
    assert connection.own_project() is None
    assert keystone.requests == []
    assert ironic.calls == ["GET /v1", "GET /v1/nodes"]


def test_section_of_the_configuration(make_conf: MakeConf, keystone: Keystone) -> None:
    """Also one that forwards tokens: there is nobody whose token that could be."""
    conf = make_conf(WITH_KEYSTONE, {"ironic": {"forward_user_token": True}})
    assert not sign_in(conf).forwards_tokens
    assert signed_in(keystone)["scope"]["project"]["name"] == "service"


def test_account_of_another_section(make_conf: MakeConf, keystone: Keystone) -> None:
    options = {"auth_section": "keystone_authtoken", "auth_type": None}
    sign_in(make_conf(WITH_KEYSTONE, {"ironic": options}))
    assert signed_in(keystone)["scope"]["project"]["name"] == "service"


# What goes before what


def user_of(keystone: Keystone) -> str:
    return str(signed_in(keystone)["identity"]["password"]["user"]["name"])


def conf_with(path: Path, user: str, *, is_given: bool) -> cfg.ConfigOpts:
    """Return a configuration with an account; with ``is_given`` as of ``--config-file``."""
    file = path / "given.conf"
    file.write_text(ini(WITH_KEYSTONE, {"ironic": {"username": user}}))
    if is_given:
        return configuration.load(["--config-file", str(file)])
    return configuration.load(config_files=[str(file)])


@pytest.mark.parametrize(
    ("os_cloud", "is_given", "is_in_environment", "user"),
    [
        ("good", True, True, "bm-shim"),
        (None, True, True, "of the file"),
        (None, False, True, "of the environment"),
        (None, False, False, "of the file"),
    ],
)
def test_order(
    tmp_path: Path,
    keystone: Keystone,
    monkeypatch: pytest.MonkeyPatch,
    os_cloud: str | None,
    is_given: bool,
    is_in_environment: bool,
    user: str,
) -> None:
    keystone.passwords = dict.fromkeys(("of the file", "of the environment"), SERVICE_PASSWORD)
    if is_in_environment:
        put(monkeypatch, {**VARIABLES, "OS_USERNAME": "of the environment"})
    sign_in(conf_with(tmp_path, "of the file", is_given=is_given), os_cloud=os_cloud)
    assert user_of(keystone) == user


def test_given_file_without_an_account_leaves_it_to_the_environment(
    tmp_path: Path, keystone: Keystone, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "given.conf"
    file.write_text("[enroll]\ndriver = ipmi\n")
    put(monkeypatch, VARIABLES)
    sign_in(configuration.load(["--config-file", str(file)]))
    assert user_of(keystone) == "bm-shim"


def test_region_interface_and_endpoint_of_the_cloud(
    conf: cfg.ConfigOpts, clouds: Path, ironic: Ironic
) -> None:
    entry = json.loads(clouds.read_text())["clouds"]["good"]
    options = {
        "region_name": "elsewhere",
        "interface": "admin",
        "baremetal_endpoint_override": Ironic.url,
    }
    clouds.write_text(json.dumps({"clouds": {"good": entry | options}}))
    sign_in(conf, os_cloud="good")
    assert ironic.calls == ["GET /v1"]
    assert conf.ironic.region_name == "elsewhere"
    assert conf.ironic.valid_interfaces == ["admin"]


@pytest.mark.parametrize(
    ("option", "timeout"), [({}, 20), ({"api_timeout": 7}, 7)], ids=["default", "own"]
)
def test_each_request_has_a_timeout(
    conf: cfg.ConfigOpts,
    clouds: Path,
    wire: responses.RequestsMock,
    option: dict[str, object],
    timeout: int,
) -> None:
    entry = json.loads(clouds.read_text())["clouds"]["good"]
    clouds.write_text(json.dumps({"clouds": {"good": entry | option}}))
    sign_in(conf, os_cloud="good").on_behalf(RequestContext()).list_nodes(["uuid"])
    sent = [made.request for made in wire.calls]
    assert {request.req_kwargs["timeout"] for request in sent} == {timeout}  # type: ignore[attr-defined]


# What is wrong with it


def refused(conf: cfg.ConfigOpts, os_cloud: str | None = None) -> str:
    with pytest.raises(SignInError) as caught:
        sign_in(conf, os_cloud=os_cloud)
    text = str(caught.value)
    assert SERVICE_PASSWORD not in text
    return text


def test_nobody(conf: cfg.ConfigOpts) -> None:
    text = refused(conf)
    for way in ("--os-cloud", "OS_CLOUD", "OS_AUTH_URL", "OS_ENDPOINT", "--config-file"):
        assert way in text


@pytest.mark.parametrize(
    ("name", "reason"),
    [("unknown", "Cloud unknown was not found"), ("bad", "nonsense could not be found")],
)
def test_entry_that_is_not_there_or_not_usable(
    conf: cfg.ConfigOpts, name: str, reason: str
) -> None:
    text = refused(conf, name)
    assert text.startswith(f"Signing in to Ironic with the cloud '{name}' does not work: ")
    assert reason in text


@pytest.mark.parametrize(
    "text",
    [
        "clouds: [",
        f"clouds:\n  good:\n    auth: *{SERVICE_PASSWORD}\n",
        "[]",
        "clouds: 1",
        "clouds: {good: 1}",
        "clouds: {good: {auth: x}}",
        "clouds: {good: {auth: {auth_url: [1]}}}",
        "clouds: {good: {interface: 7, auth: {auth_url: x}}}",
        "\0",
    ],
)
def test_clouds_yaml_that_is_none(conf: cfg.ConfigOpts, clouds: Path, text: str) -> None:
    clouds.write_text(text)
    assert "the cloud 'good' does not work" in refused(conf, "good")


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (answer(401, {"error": {"code": 401, "message": "The request you have made"}}), "401"),
        (answer(500, {}), "500"),
        (REFUSED, "Unable to establish connection"),
        (TIMEOUT, "timed out"),
    ],
)
@pytest.mark.parametrize("way", ["environment", "configuration"])
def test_keystone_that_says_no(
    make_conf: MakeConf,
    keystone: Keystone,
    monkeypatch: pytest.MonkeyPatch,
    outcome: Outcome,
    reason: str,
    way: str,
) -> None:
    if way == "environment":
        put(monkeypatch, VARIABLES)
    keystone.fail("POST /v3/auth/tokens", outcome, ALWAYS)
    options: Options = {"ironic": {"api_max_retries": 0}}
    conf = make_conf(*((NO_ACCOUNT,) if way == "environment" else (WITH_KEYSTONE,)), options)
    text = refused(conf)
    assert reason in text
    assert ("OS_*" in text) == (way == "environment")
    assert ("[ironic]" in text) == (way == "configuration")


@pytest.mark.parametrize("outcome", [REFUSED, answer(200, {}), Answer(200, "<html>"), Answer(503)])
def test_ironic_that_does_not_answer(
    conf: cfg.ConfigOpts, ironic: Ironic, monkeypatch: pytest.MonkeyPatch, outcome: Outcome
) -> None:
    put(monkeypatch, STANDALONE)
    conf.set_override("api_max_retries", 0, group="ironic")
    ironic.fail("GET /v1", outcome)
    assert refused(conf).startswith("Signing in to Ironic with OS_* of the environment does not")


def test_catalogue_without_ironic(
    conf: cfg.ConfigOpts, keystone: Keystone, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, VARIABLES)
    keystone.tokens[SERVICE_TOKEN]["catalog"] = []
    assert "catalog is empty" in refused(conf)


@pytest.mark.parametrize(
    "options", [{"auth_type": "no-such-plugin"}, {"auth_url": None}], ids=["plugin", "incomplete"]
)
def test_section_that_is_incomplete(make_conf: MakeConf, options: dict[str, object]) -> None:
    assert "[ironic]" in refused(make_conf(WITH_KEYSTONE, {"ironic": options}))


def test_secrets_are_in_no_log_and_no_error(
    conf: cfg.ConfigOpts,
    keystone: Keystone,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    put(monkeypatch, VARIABLES)
    sign_in(conf)
    keystone.fail(".*", REFUSED, ALWAYS)
    conf.set_override("api_max_retries", 0, group="ironic")
    monkeypatch.setenv("OS_AUTH_URL", "http://user:0pen-sesame@keystone.test/v3")
    text = refused(conf)
    assert "0pen-sesame" not in text
    for secret in (SERVICE_PASSWORD, SERVICE_TOKEN):
        assert secret not in caplog.text
