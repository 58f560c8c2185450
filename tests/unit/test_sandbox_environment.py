# SPDX-License-Identifier: Apache-2.0
import subprocess

import pytest

from bm_shim.sandbox import environment, hints

OWN = {"OS_AUTH_URL": "http://127.0.0.1:5000/v3", "OS_PASSWORD": "it's", "BM_SHIM_URL": "here"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("OS_API__RESPONSE_FORMAT", True),
        ("OS_DEFAULT__DEBUG", True),
        ("OS_OSLO_POLICY__POLICY_FILE", True),
        ("OS_AUTH_URL", False),
        ("OS__X", False),
        ("OS_API__", False),
        ("XOS_API__RESPONSE_FORMAT", False),
    ],
)
def test_oslo_config_variables_are_told_from_credentials(name: str, expected: bool) -> None:
    assert environment.is_oslo_config(name) is expected


@pytest.mark.parametrize(
    "name",
    ["OS_TOKEN", "OS_CLOUD", "OS_SYSTEM_SCOPE", "OS_TENANT_NAME", "OS_PROJECT_ID", "OS_INTERFACE"],
)
def test_variables_of_another_cloud_do_not_reach_the_command(name: str) -> None:
    assert name not in environment.for_command(OWN, {name: "x"})


def test_the_command_keeps_the_rest_of_the_users_environment() -> None:
    inherited = {"HOME": "/home/me", "OS_AUTH_URL": "http://elsewhere"} | {
        "OS_BAREMETAL_API_VERSION": "1.50",
        "OS_API__RESPONSE_FORMAT": "union",
    }
    assert environment.for_command(OWN, inherited) == inherited | OWN


def test_the_command_does_not_ask_a_proxy_for_loopback() -> None:
    inherited = {"https_proxy": "http://proxy:3128", "NO_PROXY": "example.org"}
    result = environment.for_command(OWN, inherited)
    assert result["no_proxy"] == result["NO_PROXY"] == "example.org,127.0.0.1"


INHERITED = {
    "PATH": "/bin",
    "http_proxy": "http://proxy:3128",
    "OS_PASSWORD": "x",
    "OS_API__RESPONSE_FORMAT": "union",
    "GUNICORN_CMD_ARGS": "--workers 7",
    "BM_SHIM_CONFIG": "/etc/bm-shim/bm-shim.conf",
}


def test_keystone_and_ironic_get_no_settings_of_the_user() -> None:
    assert environment.for_part(inherited=INHERITED) == {"PATH": "/bin"}


def test_the_shim_gets_the_users_options() -> None:
    assert environment.for_part(options=True, inherited=INHERITED) == {
        "PATH": "/bin",
        "OS_API__RESPONSE_FORMAT": "union",
    }


def test_the_lines_to_paste_are_shell() -> None:
    text = hints.paste_lines(OWN, {"OS_CLOUD": "mine", "HOME": "/home/me"})
    subprocess.run(["/bin/sh", "-n"], input=text, text=True, check=True)
    settings = text.partition("\n\n")[0]
    shown = subprocess.run(
        ["/bin/sh", "-c", f'{settings}\necho "$OS_PASSWORD|$BM_SHIM_URL|$OS_CLOUD"'],
        env={"OS_CLOUD": "mine"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "it's|here|\n"
