# SPDX-License-Identifier: Apache-2.0
"""``[baremetal]`` of nova.conf, as the conversion reads it."""

from pathlib import Path

import pytest

from bm_shim.migrate import settings
from bm_shim.migrate.errors import SettingsError
from bm_shim.migrate.model import IPMI, PXE, BaremetalOptions

SECRET = "hunter2"
DEFAULT_DATABASE = "sqlite:////var/lib/nova/baremetal_nova.sqlite"


def read(path: Path, text: str | bytes) -> BaremetalOptions:
    file = path / "nova.conf"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return settings.read(file)


def test_a_nova_conf_of_the_time(tmp_path: Path) -> None:
    """Of DevStack's, with what else is in such a file."""
    found = read(
        tmp_path,
        """\
[DEFAULT]
verbose = True
compute_driver = nova.virt.baremetal.driver.BareMetalDriver
logging_context_format_string = %(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s
reserved_host_memory_mb = 0
network_allocate_retries = %d
state_path = /opt/stack/data/nova

[baremetal]
driver = nova.virt.baremetal.tilera.Tilera
power_manager = nova.virt.baremetal.tilera_pdu.Pdu
flavor_extra_specs = cpu_arch:tilepro64 , tile:yes
sql_connection = mysql://root:100%40%sure%@127.0.0.1/nova_bm?charset=utf8
deploy_kernel = 5a3f
tftp_root = /tftpboot
pxe_append_params = a=b:c

[spice]
enabled = false
""",
    )
    assert found == BaremetalOptions(
        driver="nova.virt.baremetal.tilera.Tilera",
        power_manager="nova.virt.baremetal.tilera_pdu.Pdu",
        cpu_arch="tilepro64",
        sql_connection="mysql://root:100%40%sure%@127.0.0.1/nova_bm?charset=utf8",
        path=str(tmp_path / "nova.conf"),
    )


@pytest.mark.parametrize("text", ["", "[DEFAULT]\nverbose = True\n", "[baremetal]\n", "# x\n"])
def test_what_is_not_set_has_the_default_of_nova(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == BaremetalOptions(
        driver=PXE,
        power_manager=IPMI,
        cpu_arch=None,
        sql_connection=DEFAULT_DATABASE,
        path=str(tmp_path / "nova.conf"),
    )


@pytest.mark.parametrize(
    ("lines", "cpu_arch"),
    [
        ("flavor_extra_specs = cpu_arch:x86_64", "x86_64"),
        ("instance_type_extra_specs = cpu_arch:i686", "i686"),
        ("instance_type_extra_specs = cpu_arch:i686\nflavor_extra_specs = cpu_arch:arm", "arm"),
        ("flavor_extra_specs = cpu_arch : arm , a:b:c", "arm"),
        ("flavor_extra_specs = cpu_arch:arm, cpu_arch:x86_64", "x86_64"),
        ("flavor_extra_specs = a, cpu_arch", None),
        ("flavor_extra_specs = cpu_arch:", None),
        ("flavor_extra_specs =", None),
        ("flavor_extra_specs = cpu_architecture:arm", None),
    ],
)
def test_the_architecture(
    tmp_path: Path, lines: str, cpu_arch: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    assert read(tmp_path, f"[baremetal]\n{lines}\n").cpu_arch == cpu_arch
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("[DEFAULT]\nstate_path = /srv/nova", "sqlite:////srv/nova/baremetal_nova.sqlite"),
        # Grizzly's and Havana's default, as in their sample file.
        (
            "[baremetal]\nsql_connection = sqlite:///$state_path/baremetal_$sqlite_db",
            DEFAULT_DATABASE,
        ),
        (
            "[DEFAULT]\nmy_ip = 10.0.0.1\n[baremetal]\nsql_connection = mysql://$my_ip/nova_bm",
            "mysql://10.0.0.1/nova_bm",
        ),
        ("[baremetal]\nsql_connection = mysql://n:a$$b@h/nova_bm", "mysql://n:a$b@h/nova_bm"),
        ("[baremetal]\nsql_connection =", None),
    ],
)
def test_where_the_database_is(tmp_path: Path, text: str, url: str | None) -> None:
    found = read(tmp_path, text)
    assert found.sql_connection == url
    assert "sql_connection" not in repr(found)


def test_the_environment_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_BAREMETAL__POWER_MANAGER", "environment")
    assert read(tmp_path, "").power_manager == IPMI


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"[baremetal]\n{SECRET}\n", "line 2: No ':' or '=' found in assignment"),
        (f"{SECRET} = 1\n", "line 1: Section must be started before assignment"),
        (f"[{SECRET}\n", "line 1: Invalid section (must end with ])"),
        (f"[a]\n {SECRET}\n", "line 2: Unexpected continuation line"),
        (f"[a]\nb = {SECRET}\xff\n".encode("latin-1"), "it is no text in UTF-8"),
    ],
)
def test_what_is_no_nova_conf(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text)
    assert str(caught.value) == f"{tmp_path}/nova.conf cannot be read: {message}"


def test_a_reference_to_an_option_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nova\.conf .*written \$\$") as caught:
        read(tmp_path, f"[baremetal]\nsql_connection = mysql://nova:a${SECRET}@h/nova_bm\n")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("name", ["missing.conf", "."])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings.read(tmp_path / name)
    assert str(tmp_path) in str(caught.value)
