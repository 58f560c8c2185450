# SPDX-License-Identifier: Apache-2.0
"""Reading the configuration."""

import traceback
from pathlib import Path

import pytest
from keystoneauth1 import loading
from oslo_config import cfg
from oslo_log import log

import bm_shim
from bm_shim import conf as configuration

from .conftest import WITH_KEYSTONE, MakeConf, ini

DEFAULTS = {
    ("api", "auth_strategy"): "keystone",
    ("enroll", "driver"): "ipmi",
    ("enroll", "cpu_arch"): "x86_64",
    ("enroll", "resource_class"): "baremetal",
    ("enroll", "target_state"): "available",
    ("identity_bridge", "enabled"): False,
    ("identity_bridge", "default_domain_id"): "default",
    ("identity_bridge", "tls_terminated"): False,
    ("identity_bridge", "failed_logins_per_minute"): 10,
    ("identity_bridge", "failed_logins_storage"): "memory://",
    ("identity_bridge", "timeout"): 10,
    ("ironic", "api_max_retries"): 3,
    ("ironic", "api_retry_interval"): 1,
    ("ironic", "retry_timeout"): 10,
    ("ironic", "forward_user_token"): False,
    ("ironic", "rights_check_interval"): 60,
    ("ironic", "timeout"): 20,
    ("ironic", "service_type"): "baremetal",
    ("ironic", "valid_interfaces"): ["internal", "public"],
}


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    file = tmp_path / "empty.conf"
    file.touch()
    return file


def test_defaults(empty: Path) -> None:
    conf = configuration.load(config_files=[str(empty)])
    assert {(group, name): conf[group][name] for group, name in DEFAULTS} == DEFAULTS
    assert conf.cors.allowed_origin is None


def test_a_file_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty: Path
) -> None:
    files = []
    for driver in ("redfish", "ilo"):
        files.append(tmp_path / f"{driver}.conf")
        files[-1].write_text(ini({"enroll": {"driver": driver}}))
    monkeypatch.setenv("BM_SHIM_CONFIG", f"{files[0]}:{files[1]}")
    assert configuration.load().enroll.driver == "ilo"
    assert configuration.load(config_files=[str(empty)]).enroll.driver == "ipmi"
    assert configuration.load(["--config-file", str(files[0])]).enroll.driver == "redfish"


@pytest.mark.parametrize("variable", ["", None])
def test_no_file_is_fine(monkeypatch: pytest.MonkeyPatch, variable: str | None) -> None:
    if variable is not None:
        monkeypatch.setenv("BM_SHIM_CONFIG", variable)
    assert configuration.load().enroll.driver == "ipmi"


def test_a_missing_file_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BM_SHIM_CONFIG", str(tmp_path / "missing.conf"))
    with pytest.raises(cfg.ConfigFilesNotFoundError, match=r"missing\.conf"):
        configuration.load()


def test_a_file_that_cannot_be_parsed_is_told(make_conf: MakeConf, tmp_path: Path) -> None:
    file = tmp_path / "bad.conf"
    file.write_text("[ironic]\npassword s3cret\n")
    with pytest.raises(cfg.ConfigFileParseError, match=r"bad\.conf: line 2") as caught:
        configuration.load(config_files=[str(file)])
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    file = tmp_path / "latin.conf"
    file.write_bytes("# caf\u00e9\n".encode("latin-1"))
    for path in (file, tmp_path):
        with pytest.raises(cfg.Error, match="cannot be read"):
            configuration.load(config_files=[str(path)])


def test_a_directory_of_snippets(tmp_path: Path, empty: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "10.conf").write_text(ini({"enroll": {"driver": "redfish"}}))
    conf = configuration.load(["--config-file", str(empty), "--config-dir", str(tmp_path / "d")])
    assert conf.enroll.driver == "redfish"


def test_the_environment_wins_over_files(
    monkeypatch: pytest.MonkeyPatch, make_conf: MakeConf
) -> None:
    monkeypatch.setenv("OS_ENROLL__DRIVER", "redfish")
    assert make_conf({"enroll": {"driver": "ilo"}}).enroll.driver == "redfish"


@pytest.mark.parametrize(
    ("group", "option", "value"),
    [
        ("api", "auth_strategy", "none"),
        ("api", "response_format", "nova"),
        ("api", "response_format", "union,v3:union"),
        ("api", "read_only", "perhaps"),
        ("enroll", "target_state", "active"),
        ("enroll", "resource_class", "x" * 81),
        ("identity_bridge", "enabled", "perhaps"),
        ("identity_bridge", "tls_terminated", "perhaps"),
        ("identity_bridge", "failed_logins_per_minute", 0),
        ("ironic", "api_max_retries", -1),
        ("ironic", "api_max_retries", "many"),
        ("ironic", "api_retry_interval", -0.1),
        ("ironic", "retry_timeout", -1),
        ("ironic", "rights_check_interval", -1),
        ("ironic", "forward_user_token", "perhaps"),
        ("ironic", "timeout", "soon"),
        ("ironic", "timeout", 0),
        ("ironic", "timeout", -1),
        ("ironic", "insecure", "perhaps"),
        ("identity_bridge", "timeout", "soon"),
        ("identity_bridge", "timeout", 0),
        ("identity_bridge", "insecure", "perhaps"),
        ("api", "successor_url", "ironic.example.org"),
        ("api", "successor_url", "ftp://ironic.example.org"),
        ("api", "sunset", "soon"),
        ("api", "sunset", "2027-02-30"),
    ],
)
def test_a_value_that_is_not_allowed_is_told_at_start(
    make_conf: MakeConf, group: str, option: str, value: object
) -> None:
    with pytest.raises(cfg.ConfigFileValueError, match=option):
        make_conf({group: {option: value}})


def test_so_is_one_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, make_conf: MakeConf
) -> None:
    monkeypatch.setenv("OS_ENROLL__TARGET_STATE", "active")
    with pytest.raises(cfg.Error):
        make_conf()


def test_two_configurations_have_nothing_in_common(make_conf: MakeConf) -> None:
    first = make_conf(WITH_KEYSTONE)
    loading.load_auth_from_conf_options(first, "ironic")  # registers options of the plugin
    second = make_conf()
    assert "username" in first.ironic
    assert "username" not in second.ironic
    assert (first.api.auth_strategy, second.api.auth_strategy) == ("keystone", "noauth")


def test_the_process_wide_configuration_is_left_alone(make_conf: MakeConf) -> None:
    make_conf()
    assert "enroll" not in cfg.CONF


@pytest.mark.parametrize("times", [1, 2])
def test_libraries_are_quiet_by_default(make_conf: MakeConf, times: int) -> None:
    for _ in range(times):
        levels = make_conf().default_log_levels
    assert levels.count("ironicclient=CRITICAL") == 1
    assert "keystoneauth=WARN" in levels  # at DEBUG it would log power passwords
    assert set(log.get_default_log_levels()) <= set(levels)


def test_browsers_may_see_the_ids_of_requests(make_conf: MakeConf) -> None:
    exposed = [name.lower() for name in make_conf().cors.expose_headers]
    assert {"x-openstack-request-id", "x-compute-request-id", "deprecation"} <= set(exposed)
    assert "X-Auth-Token" in make_conf().cors.allow_headers


def test_a_section_of_a_nova_conf_works_unchanged(make_conf: MakeConf) -> None:
    conf = make_conf(
        {
            "ironic": {
                "auth_type": "password",
                "auth_url": "http://keystone.test/v3",
                "username": "ironic",
                "password": "p",
                "project_name": "service",
                "user_domain_name": "Default",
                "project_domain_name": "Default",
                "api_max_retries": 60,
                "api_retry_interval": 2,
                "endpoint_override": "http://ironic.test",
                "region_name": "RegionOne",
                "service_type": "baremetal",
                "valid_interfaces": "internal,public",
                "cafile": "/etc/ssl/ca.pem",
                "timeout": 30,
                "serial_console_state_timeout": 10,
                "peer_list": "a,b",
                "partition_key": "x",
                "shard": "y",
            }
        }
    )
    assert (conf.ironic.api_max_retries, conf.ironic.timeout) == (60, 30)


def test_options_that_do_not_apply_are_left_out(make_conf: MakeConf) -> None:
    names = {opt.dest for _, options in configuration.list_opts() for opt in options}
    assert not {"min_version", "max_version", "connect_retries", "status_code_retries"} & names


def test_each_option_is_listed_once_and_explained() -> None:
    listed = [(group, opt.dest) for group, options in configuration.list_opts() for opt in options]
    assert len(listed) == len(set(listed))
    for _, options in configuration.list_opts():
        assert [opt.dest for opt in options if not opt.help] == []


def test_listing_does_not_change_defaults_of_libraries(make_conf: MakeConf) -> None:
    first, second = configuration.list_opts(), configuration.list_opts()
    assert [(g, [(o.dest, o.default) for o in opts]) for g, opts in first] == [
        (g, [(o.dest, o.default) for o in opts]) for g, opts in second
    ]


@pytest.mark.parametrize(
    "option", ["password", "application_credential_secret", "failed_logins_storage"]
)
def test_secrets_are_marked(option: str) -> None:
    opts = [opt for _, options in configuration.list_opts() for opt in options]
    (found,) = [opt for opt in opts if opt.dest == option]
    assert found.secret


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        configuration.load(["--version"])
    assert capsys.readouterr().out.strip() == bm_shim.__version__
