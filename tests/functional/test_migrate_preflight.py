# SPDX-License-Identifier: Apache-2.0
"""Signing in to a real cloud for a conversion, and what is found out there before it begins."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bm_shim import conf as configuration
from bm_shim.context import RequestContext
from bm_shim.ironic import Ironic
from bm_shim.migrate import fleet
from bm_shim.migrate.errors import PreflightError, SignInError
from bm_shim.migrate.load import Loader
from bm_shim.migrate.model import Outcome, Plan, PlannedNode, Target
from bm_shim.migrate.preflight import check, nova_services
from bm_shim.migrate.sign_in import sign_in
from bm_shim.sandbox import Credentials

from .support import Cloud

# openstacksdk warns everybody of what only users of InfluxDB need to know.
pytestmark = pytest.mark.filterwarnings("ignore:Support for InfluxDB:PendingDeprecationWarning")

UUID = "9f0c2ab4-6c2e-4b0f-9e7e-0f6a3c1d5e01"

LIST, CREATE = "may not list all nodes", "may not create nodes"
PORTS = "may not create ports"
READER, NOBODY = [CREATE, PORTS], [LIST, CREATE, PORTS]


@pytest.fixture(autouse=True)
def _restored(cloud: Cloud) -> Iterator[None]:
    with cloud.restored():
        yield


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of whoever runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith("OS_"):
            monkeypatch.delenv(name)


def account(cloud: Cloud, name: str) -> Credentials:
    add = cloud.sandbox.add_user
    match name.split():
        case ["system", role]:
            return add(f"preflight-system-{role}", system_roles=[role])
        case [role]:
            return add(f"preflight-{role}", project="service", roles=[role])
    raise AssertionError(name)


def ironic_as(cloud: Cloud, caller: Credentials) -> Ironic:
    conf = configuration.load(config_files=[str(cloud.sandbox.state_dir / "bm-shim.conf")])
    return Ironic(conf, caller.session())


def plan(driver: str = "fake-hardware") -> Plan:
    node = PlannedNode(
        legacy_id=1,
        uuid=UUID,
        target=Target.AVAILABLE,
        driver=driver,
        driver_info={},
        properties={},
        extra={"nova_baremetal": {"id": 1}},
        ports=(),
        resource_class="baremetal",
    )
    return Plan((node,), ())


def test_driver_that_is_not_enabled(cloud: Cloud) -> None:
    connection = ironic_as(cloud, cloud.sandbox.admin.for_system()).on_behalf(RequestContext())
    with pytest.raises(PreflightError, match=r"No conductor has the driver 'ilo'.*fake-hard"):
        check(connection, plan("ilo"))


def test_shim_in_the_place_of_nova_cannot_be_asked_for_services(cloud: Cloud) -> None:
    ironic = ironic_as(cloud, cloud.sandbox.admin)
    (warning,) = nova_services(ironic, {"compute-7"})
    assert "404" in warning


# Signing in


@pytest.mark.parametrize("is_system", [True, False])
@pytest.mark.parametrize("way", ["environment", "clouds.yaml", "--config-file"])
def test_every_way_to_sign_in(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str, is_system: bool
) -> None:
    admin = cloud.sandbox.admin.for_system() if is_system else cloud.sandbox.admin
    conf = configuration.load(config_files=[])
    os_cloud = None
    if way == "environment":
        for name, value in admin.environment.items():
            monkeypatch.setenv(name, value)
    elif way == "clouds.yaml":
        os_cloud = "sandbox"
        options = admin.options.items()
        auth = {name: value for name, value in options if value and name != "auth_type"}
        entry = {"auth": auth, "region_name": "RegionOne"}
        file = tmp_path / "clouds.yaml"
        # JSON is YAML.
        file.write_text(json.dumps({"clouds": {os_cloud: entry}}))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(file))
    else:
        file = tmp_path / "bm-shim.conf"
        lines = [f"{name} = {value}" for name, value in admin.options.items() if value]
        file.write_text("\n".join(["[ironic]", *lines]))
        conf = configuration.load(["--config-file", str(file)])

    connection = sign_in(conf, os_cloud=os_cloud).on_behalf(RequestContext())

    assert connection.may_list_all_nodes()
    assert (connection.own_project() is None) == is_system


def test_wrong_password(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cloud.sandbox.admin.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OS_PASSWORD", "wr0ng-passw0rd")
    with pytest.raises(SignInError, match=r"OS_.*HTTP 401") as caught:
        sign_in(configuration.load(config_files=[]))
    assert "wr0ng-passw0rd" not in str(caught.value)


# Rights. Last, for they have Ironic started anew.


#: Of an Ironic as it comes, and of one that gives the role service more rights.
STRICT: dict[str, object] = {"enforce_scope": True, "enforce_new_defaults": True}
ELEVATED: dict[str, object] = {"rbac_service_role_elevated_access": True}
OPTIONS = {
    "strict": {"oslo_policy": STRICT},
    "elevated": {"oslo_policy": STRICT, "DEFAULT": ELEVATED},
}


@pytest.fixture(scope="module", params=["sandbox", *OPTIONS])
def policy(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[str]:
    """The sandbox's Ironic, or one with other options."""
    ironic = cloud.sandbox.ironic
    if request.param == "sandbox":
        yield "sandbox"
        return
    before = ironic.overrides
    ironic.stop()
    ironic.overrides = OPTIONS[request.param]
    try:
        ironic.start()
        yield request.param
    finally:
        ironic.stop()
        ironic.overrides = before
        ironic.start()


#: What is said to be missing, by account and policy; none: the conversion works.
MISSING: dict[str, dict[str, list[str]]] = {
    "system admin": {"sandbox": [], "strict": [], "elevated": []},
    "system member": {"sandbox": READER, "strict": READER, "elevated": READER},
    "system reader": {"sandbox": READER, "strict": READER, "elevated": READER},
    "admin": {"sandbox": [], "strict": [LIST], "elevated": [LIST]},
    "member": {"sandbox": NOBODY, "strict": NOBODY, "elevated": NOBODY},
    "service": {"sandbox": [LIST], "strict": [LIST], "elevated": []},
}


@pytest.mark.parametrize("name", MISSING)
def test_rights_of_an_account_are_found_out_without_a_change(
    cloud: Cloud, policy: str, name: str
) -> None:
    caller = account(cloud, name)
    ironic = ironic_as(cloud, caller)
    connection = ironic.on_behalf(RequestContext())
    missing = MISSING[name][policy]

    with cloud.unchanged():
        if missing:
            with pytest.raises(PreflightError) as caught:
                check(connection, plan())
            warnings = []
        else:
            warnings = check(connection, plan())

    if missing:
        *lines, advice = str(caught.value).splitlines()[1:]
        assert all(text in line for text, line in zip(missing, lines, strict=True))
        assert "OS_SYSTEM_SCOPE=all" in advice
        return
    result = Loader(ironic).run(plan(), fleet.read(connection), lambda result: None)[UUID]
    assert result.outcome is Outcome.CREATED
    owner = cloud.ironic_node(UUID)["owner"]
    project = caller.session().get_project_id()
    assert owner == project
    assert any(f"project {owner}, which Ironic makes the owner" in text for text in warnings) == (
        owner is not None
    )
