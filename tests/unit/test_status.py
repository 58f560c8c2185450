# SPDX-License-Identifier: Apache-2.0
"""``bm-shim status upgrade check``: what it looks at, and what it says of it."""

import json
import re
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bm_shim.cmd.status import status

from .conftest import WITH_KEYSTONE, MakeConf, Options
from .wire import (
    ALWAYS,
    REFUSED,
    SERVICE_PASSWORD,
    SERVICE_TOKEN,
    Answer,
    Ironic,
    Keystone,
    answer,
    refusal,
)

READER: Options = {"api": {"read_only": True}}
MEMCACHED: Options = {"keystone_authtoken": {"memcached_servers": "127.0.0.1:11211"}}

Run = Callable[..., dict[str, tuple[int, str | None]]]

NAMES = [
    "Configuration", "Keystone", "Ironic", "Right to list all nodes", "Right to create nodes",
    "Driver of new nodes", "Policy", "Clocks",
]  # fmt: skip


def root(minimum: str = "1.1", maximum: str = "1.115", skew: float | None = 0) -> Answer:
    version = {"id": "v1", "version": maximum, "min_version": minimum}
    made = answer(200, {"version": version})
    date = {} if skew is None else {"Date": formatdate(time.time() + skew, usegmt=True)}
    return made._replace(headers={**made.headers, **date})


@pytest.fixture
def run(make_conf: MakeConf, tmp_path: Path, ironic: Ironic, keystone: Keystone) -> Run:
    """Runs the checks with Ironic and Keystone in order, unless a test says otherwise."""

    def check(*options: Options, well: bool = True) -> dict[str, tuple[int, str | None]]:
        make_conf(*options)
        if well:
            ironic.fail("GET /v1", root(), times=ALWAYS)
            drivers = answer(200, {"drivers": [{"name": "ipmi"}, {"name": "redfish"}]})
            ironic.fail("GET /v1/drivers", drivers, times=ALWAYS)
        file = str(tmp_path / "bm-shim.conf")
        result = CliRunner().invoke(status, ["upgrade", "check", "--config-file", file, "--json"])
        assert SERVICE_PASSWORD not in result.output
        assert SERVICE_TOKEN not in result.output
        found = {
            each["check"]: (each["result"], each["details"])
            for each in json.loads(result.stdout)["checks"]
        }
        assert list(found) == NAMES
        assert result.exit_code == max(code for code, _ in found.values())
        # Only the rules that are used must be.
        ironic.rules = [rule for rule in ironic.rules if rule.used or rule.times != ALWAYS]
        return found

    return check


def test_all_is_well(run: Run, ironic: Ironic) -> None:
    found = run(WITH_KEYSTONE, MEMCACHED)
    assert {code for code, _ in found.values()} == {0}
    assert ironic.nodes == ironic.ports == {}


def test_the_table(make_conf: MakeConf, tmp_path: Path, ironic: Ironic) -> None:
    make_conf(READER)
    ironic.fail("GET /v1", root(), times=ALWAYS)
    file = str(tmp_path / "bm-shim.conf")
    result = CliRunner().invoke(status, ["upgrade", "check", "--config-file", file])
    assert result.exit_code == 0
    for line in ("| Check: Clocks", "| Details: Not needed: [api] read_only."):
        assert line in result.output


def test_without_keystone(run: Run) -> None:
    found = run()
    assert found["Keystone"] == (0, "Not asked: [api] auth_strategy is noauth.")
    assert {code for code, _ in found.values()} == {0}


# The configuration


def test_a_configuration_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bm-shim.conf"

    def broken(*options: Options) -> None:
        file.write_text("[api]\nsunset = soon\n")

    broken()
    result = CliRunner().invoke(status, ["upgrade", "check", "--config-file", str(file), "--json"])
    first, *others = json.loads(result.stdout)["checks"]
    assert result.exit_code == first["result"] == 2
    assert "Value for option sunset" in first["details"]
    assert {each["details"] for each in others} == {
        "Not looked at: the configuration cannot be read."
    }


def test_a_service_that_could_not_start(run: Run) -> None:
    found = run({"api": {"auth_strategy": "keystone"}})
    code, details = found["Configuration"]
    assert code == 2
    assert "has no auth_type: the account with which tokens are checked is missing" in str(details)
    assert found["Keystone"][0] == 2


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"keystone_authtoken": {"auth_type": "nothing"}}, "The plugin nothing could not be fou"),
        (
            {"identity_bridge": {"enabled": True}, "keystone_authtoken": {"auth_section": "none"}},
            "no such option none",
        ),
    ],
)
def test_an_account_that_is_none(run: Run, options: Options, text: str) -> None:
    """The service ends with this, too."""
    code, details = run(WITH_KEYSTONE, options)["Configuration"]
    assert code == 2
    assert text in str(details)


def test_a_configuration_that_is_no_text(run: Run, tmp_path: Path) -> None:
    (tmp_path / "binary.conf").write_bytes(b"\xff\xfe")
    result = CliRunner().invoke(
        status, ["upgrade", "check", "--config-file", str(tmp_path / "binary.conf"), "--json"]
    )
    first, *_ = json.loads(result.stdout)["checks"]
    assert result.exit_code == first["result"] == 2
    assert "'utf-8' codec can't decode byte 0xff" in first["details"]


def test_tokens_that_each_process_keeps(run: Run) -> None:
    code, details = run(WITH_KEYSTONE)["Configuration"]
    assert (code, str(details)[:49]) == (1, "[keystone_authtoken] has no memcached_servers: ea")


# Keystone


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (REFUSED, "cannot sign in: Unable to establish connection to http://keystone.test"),
        (
            answer(401, {"error": {"code": 401, "message": "No."}}),
            "cannot sign in: No. (HTTP 401)",
        ),
        (Answer(500), "cannot sign in: Internal Server Error (HTTP 500)"),
    ],
)
def test_an_account_that_cannot_sign_in(
    run: Run, keystone: Keystone, outcome: Any, text: str
) -> None:
    keystone.fail("POST /v3/auth/tokens", outcome, times=ALWAYS)
    code, details = run(WITH_KEYSTONE)["Keystone"]
    assert code == 2
    assert text in str(details)


def test_certificates_that_are_not_there(run: Run, keystone: Keystone) -> None:
    """Of what requests raises only this is no exception of its own."""
    keystone.fail(".*", OSError("invalid path: ca.pem"), times=ALWAYS)
    found = run(WITH_KEYSTONE)
    code, details = found["Keystone"]
    assert code == 2
    assert "cannot sign in: invalid path: ca.pem" in str(details)
    assert "Keystone" in str(found["Clocks"][1])


def test_a_password_in_an_address_is_not_shown(run: Run, keystone: Keystone) -> None:
    keystone.fail("POST /v3/auth/tokens", REFUSED, times=ALWAYS)
    url = f"http://jo:{SERVICE_PASSWORD}@keystone.test/v3"
    found = run(WITH_KEYSTONE, {"keystone_authtoken": {"auth_url": url}})
    assert "http://***@keystone.test/v3" in str(found["Keystone"][1])


def test_an_account_that_may_not_check_tokens(run: Run, keystone: Keystone) -> None:
    keystone.tokens[SERVICE_TOKEN]["roles"] = [{"id": "r", "name": "reader"}]
    code, details = run(WITH_KEYSTONE)["Keystone"]
    assert code == 1
    assert "neither the role service nor admin" in str(details)


# Ironic


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (REFUSED, "Ironic or Keystone cannot be reached"),
        (Answer(503), "Ironic answered 503"),
        (answer(200, []), "Ironic answered something that is not its API"),
    ],
)
def test_an_ironic_that_does_not_answer(run: Run, ironic: Ironic, outcome: Any, text: str) -> None:
    ironic.fail(".*", outcome, times=ALWAYS)
    found = run()
    assert found["Ironic"][0] == 2
    assert text in str(found["Ironic"][1])
    assert found["Policy"][0] == 0
    assert found["Clocks"] == (0, "Not known: that of Ironic.")


@pytest.mark.parametrize(
    ("minimum", "maximum", "options", "code"),
    [
        ("1.1", "1.65", {}, 0),
        ("1.1", "1.64", {}, 2),
        ("1.1", "1.9", {}, 2),
        ("1.1", "2.0", {}, 0),
        ("1.10", "1.115", {}, 0),
        ("1.11", "1.115", {}, 2),
        ("1.11", "1.115", READER, 0),
    ],
)
def test_versions(
    run: Run, ironic: Ironic, minimum: str, maximum: str, options: Options, code: int
) -> None:
    ironic.fail("GET /v1", root(minimum, maximum), times=ALWAYS)
    found = run(options)
    assert found["Ironic"][0] == code
    if code:
        assert f"It speaks {minimum} to {maximum}, and " in str(found["Ironic"][1])


def test_an_account_that_sees_a_part_of_the_fleet(run: Run, ironic: Ironic) -> None:
    ironic.fail("GET /v1/nodes", refusal(403, "no"), times=ALWAYS)
    code, details = run()["Right to list all nodes"]
    assert code == 2
    assert "may not list all nodes" in str(details)
    assert "system_scope = all" in str(details)


def test_an_account_that_may_only_read(run: Run, ironic: Ironic) -> None:
    ironic.fail("POST /v1/ports", refusal(403, "no"), times=1)
    found = run()
    code, details = found["Right to create nodes"]
    assert code == 1
    assert "may not create ports" in str(details)
    assert found["Right to list all nodes"][0] == 0


def test_what_read_only_does_not_need(run: Run, ironic: Ironic) -> None:
    found = run(READER)
    for name in ("Right to create nodes", "Driver of new nodes"):
        assert found[name] == (0, "Not needed: [api] read_only.")
    assert ironic.changes == []


def test_callers_with_their_own_rights(run: Run, ironic: Ironic) -> None:
    found = run(WITH_KEYSTONE, {"ironic": {"forward_user_token": True}})
    for name in ("Right to list all nodes", "Right to create nodes"):
        assert found[name][0] == 0
        assert "callers come with their own rights" in str(found[name][1])


def test_a_driver_that_nobody_has(run: Run) -> None:
    code, details = run({"enroll": {"driver": "ilo"}})["Driver of new nodes"]
    assert code == 1
    assert "There is: ipmi, redfish." in str(details)


def test_drivers_that_cannot_be_listed(run: Run, ironic: Ironic) -> None:
    """As for an account of a project, which Ironic does not tell of drivers."""
    ironic.fail("GET /v1/drivers", Answer(500), times=ALWAYS)
    code, details = run()["Driver of new nodes"]
    assert code == 1
    assert str(details).startswith("Not known: Ironic answered 500")


# The policy


@pytest.mark.parametrize(
    ("text", "code", "details"),
    [
        ("", 0, None),
        ('"os_compute_api:os-baremetal-nodes:list": "role:reader"', 0, None),
        ('"compute_extension:baremetal_nodes": "!"', 0, None),
        ('"mine": "role:x"', 1, "mean nothing unless others refer to them: mine."),
        (
            "\n".join(f'"compute:{i}": "@"' for i in range(9)),
            1,
            "compute:0, compute:1, compute:2, compute:3, compute:4 and 4 more.",
        ),
        ('"admin_api": "rule:nobody"', 2, "Rules that refer to no rule, or in circles"),
        ('"admin_api": "rule:admin_api"', 2, "Rules that refer to no rule, or in circles"),
        ('"admin_api": "role:admin or"', 2, "Rules that cannot be read: admin_api."),
        ('"admin_api": "nonsense"', 2, "Rules that cannot be read: admin_api."),
        ("{", 2, "policy.yaml cannot be read: "),
        ("- a", 2, "policy.yaml cannot be read: "),
        ("x", 2, "policy.yaml cannot be read: "),
    ],
)
def test_policy_files(run: Run, tmp_path: Path, text: str, code: int, details: str | None) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(f"{text}\n")
    found = run({"oslo_policy": {"policy_file": file}})["Policy"]
    assert found[0] == code
    assert details in str(found[1]) if details else found[1] is None


def test_a_policy_file_that_is_not_there(run: Run) -> None:
    found = run({"oslo_policy": {"policy_file": "/nowhere/policy.yaml"}})["Policy"]
    assert found == (2, "[oslo_policy] policy_file: there is no /nowhere/policy.yaml.")


# Clocks


@pytest.mark.parametrize(
    ("skew", "code", "details"),
    [
        (5, 0, "None"),
        (-5, 0, "None"),
        (None, 0, "Not known: that of Ironic."),
        # It takes a moment until the clock is read.
        (3600, 1, r"Clocks differ from this machine's: Ironic's is (3600|35\d\d) s ahead\."),
        (-600, 1, r"Clocks differ from this machine's: Ironic's is 6\d\d s behind\."),
    ],
)
def test_the_clock_of_ironic(
    run: Run, ironic: Ironic, skew: float | None, code: int, details: str
) -> None:
    ironic.fail("GET /v1", root(skew=skew), times=ALWAYS)
    found = run()["Clocks"]
    assert found[0] == code
    assert re.fullmatch(details, str(found[1]))


def test_the_clock_of_keystone(run: Run, keystone: Keystone) -> None:
    late = Answer(200, "{}", {"Date": formatdate(time.time() - 120, usegmt=True)})
    keystone.fail("GET /v3", late, times=ALWAYS)
    code, details = run(WITH_KEYSTONE)["Clocks"]
    assert code == 1
    assert "Keystone's is 12" in str(details)
