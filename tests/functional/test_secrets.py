# SPDX-License-Identifier: Apache-2.0
"""Power passwords, tokens and the shim's own passwords stay out of logs and answers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import requests

from bm_shim.sandbox import Sandbox

from .support import (
    Answer,
    Api,
    Cloud,
    Cut,
    Forward,
    LogTail,
    Proxy,
    Request,
    fault,
    node_of,
    wait_until,
)

MAC = "52:54:00:5e:c7:01"
OTHER_MAC = "52:54:00:5e:c7:02"

#: Distinctive, also in a part of it or under another encoding.
POWER_PASSWORD = "Zw3rgpinscher"
GARBAGE_TOKEN = "gAAAAA-garbage-token-4711"


@dataclass
class Run:
    """What a run left: the log, every response as text, and what must not be in them."""

    log: str
    responses: str
    secrets: dict[str, str]

    def found_in(self, text: str) -> set[str]:
        """Return which secrets stand in a text."""
        return {name for name, secret in self.secrets.items() if secret in text}


@pytest.fixture(scope="module")
def run(cloud: Cloud) -> Iterator[Run]:
    """Use every operation, well and badly, at a shim that logs as much as it can."""
    with Proxy(cloud.sandbox.ironic_url) as proxy, cloud.restored():
        options = {
            "DEFAULT": {"debug": True},
            "ironic": {"endpoint_override": proxy.url, "api_retry_interval": 0.1, "timeout": 2},
        }
        with cloud.shim("talkative", **options) as shim:
            admin = cloud.api_of(shim)
            member = cloud.api_of(shim, cloud.sandbox.member)
            requests.get(f"{shim.url}/healthcheck", timeout=20)
            responses = [*use(admin), *use(member), *use(Api(shim.url, GARBAGE_TOKEN))]
            tokens = {request.headers["X-Auth-Token"] for request in proxy.seen}
            responses += fail(admin, proxy)
            secrets = {
                "power password": POWER_PASSWORD,
                "administrator's token": str(admin.token),
                "member's token": str(member.token),
                "garbage token": GARBAGE_TOKEN,
                **passwords(cloud.sandbox),
                **{f"token of ours {number}": token for number, token in enumerate(tokens)},
            }
            assert tokens
        text = "\n".join(f"{r.headers} {r.text}" for r in responses)
        yield Run(shim.log_path.read_text(), text, secrets)


def passwords(sandbox: Sandbox) -> dict[str, str]:
    """Return the password of every account."""
    state = json.loads((sandbox.state_dir / "sandbox.json").read_text())
    return {f"password of {user}": password for user, password in state["passwords"].items()}


def use(api: Api) -> list[requests.Response]:
    """Call everything, with the power password wherever a caller may put it."""
    secret = POWER_PASSWORD
    responses = [
        api.create(id=42, prov_mac_address=MAC, pm_user="x", pm_password=secret),
        # A duplicate, and what is refused before Ironic is asked.
        api.create(prov_mac_address=MAC, pm_password=secret),
        api.create(pm_password=secret * 30),
        api.create(pm_password=[secret]),
        api.create(pm_password=secret, cpus=secret),
        api.create(pm_password=secret, prov_mac_address=secret),
        api.create(pm_password=secret, uuid=secret, instance_uuid=secret),
        api.request("POST", data=f'{{"node": {{"pm_password": "{secret}"'),
        api.request("POST", json={"pm_password": secret}),
        api.request("POST", json={"node": secret}),
        api.request(
            "POST", data=f"<node pm_password='{secret}'/>", headers={"Content-Type": "text/xml"}
        ),
        api.act(42, "add_interface", address=secret, pm_password=secret),
        api.act(42, "remove_interface", id=secret, address=secret),
        api.add_interface(42, address=OTHER_MAC),
        api.remove_interface(42, address=OTHER_MAC),
        api.list(),
        api.show(42),
        api.show(4711),
        api.delete(42),
    ]
    assert responses
    return responses


def fail(api: Api, proxy: Proxy) -> list[requests.Response]:
    """Create nodes while Ironic fails in one way or another."""

    def nonsense(request: Request, forward: Forward) -> Answer:
        return Answer(200, b"<html></html>")

    def refused(request: Request, forward: Forward) -> Answer:
        return Answer.ironic_error(401, "no")

    def cut(request: Request, forward: Forward) -> Answer:
        raise Cut

    responses = []
    for rule in (nonsense, refused, cut):
        with proxy.ruled_by(rule):
            new = api.create(pm_password=POWER_PASSWORD, prov_mac_address=OTHER_MAC)
            responses += [new, api.list()]
    assert all(response.status_code >= 500 for response in responses)
    return responses


def test_run_did_what_it_should(cloud: Cloud, run: Run) -> None:
    """Without this, the tests below would prove nothing."""
    assert " DEBUG " in run.log
    assert run.log.count("operation=os_compute_api:os-baremetal-nodes:create status=200") == 1
    for status in (200, 202, 400, 401, 403, 404, 409, 502, 503):
        assert f" status={status} " in run.log
    with cloud.restored():
        node = node_of(cloud.api.create(pm_password=POWER_PASSWORD))
        stored = cloud.database.node(node["uuid"])
    assert stored["driver_info"]["ipmi_password"] == POWER_PASSWORD


def test_no_secret_is_in_the_log(run: Run) -> None:
    assert run.found_in(run.log) == set()


def test_no_secret_is_in_an_answer(run: Run) -> None:
    assert run.found_in(run.responses) == set()


def test_no_secret_is_in_the_log_of_any_shim_of_the_session(cloud: Cloud, run: Run) -> None:
    for log in cloud.sandbox.state_dir.glob("*.log"):
        if log.stem not in ("ironic", "keystone"):
            assert (log.name, run.found_in(log.read_text())) == (log.name, set())


@contextmanager
def broken_database(cloud: Cloud) -> Iterator[None]:
    """Let Ironic's database refuse new nodes."""
    cloud.database.query(
        "CREATE TRIGGER broken BEFORE INSERT ON nodes BEGIN SELECT RAISE(ABORT, 'broken'); END"
    )
    try:
        yield
    finally:
        cloud.database.query("DROP TRIGGER broken")


def test_password_in_an_error_of_ironics_database_is_not_logged(cloud: Cloud) -> None:
    """Ironic's 500 shows the statement that failed, parameters and all."""
    log = LogTail(cloud.sandbox.shim.log_path)

    with broken_database(cloud):
        response = cloud.api.create(pm_password=POWER_PASSWORD)

    fault(response, 502)
    assert POWER_PASSWORD not in response.text
    wait_until(lambda: "Ironic answered 500" in log.text())
    assert POWER_PASSWORD not in log.text()
