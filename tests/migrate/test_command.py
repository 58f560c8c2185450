# SPDX-License-Identifier: Apache-2.0
"""The command before it goes on to Ironic: its options, its files, and what a dry run shows."""

import json
import os
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bm_shim.sandbox.nova_bm import generate, identifier
from bm_shim.sandbox.nova_bm_conf import nova_conf

from . import support
from .databases import DatabaseServer, make_name
from .support import JSON, Finished

NODES = 4

VIRTUAL = "nova.virt.baremetal.virtual_power_driver.VirtualPowerManager"
IBOOT = "nova.virt.baremetal.iboot_pdu.IBootManager"
TILERA = "nova.virt.baremetal.tilera.Tilera"

ASSUMED = "remark: no architecture is given: x86_64 is assumed (--cpu-arch)"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database of machines 1 to 4, of which the first and the last have an instance."""
    url = f"sqlite:///{tmp_path_factory.mktemp('command')}/nova_bm.sqlite"
    generate(url, nodes=NODES)
    return url


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a file."""

    def write(text: str) -> Path:
        path = tmp_path / f"file-{len(list(tmp_path.iterdir()))}"
        # Nothing but ASCII is the same in UTF-8.
        path.write_text(text, encoding="latin-1")
        path.chmod(0o600)
        return path

    return write


def plan_of(*arguments: object, **variables: str) -> JSON:
    """Return the plan of a dry run."""
    finished = support.invoke(*arguments, "--dry-run", "--format", "json", variables=variables)
    assert finished.stderr == ""
    plan: JSON = json.loads(finished.stdout)
    assert set(plan) == {"version", "nodes", "left_out", "remarks"}
    return plan


def node_of(plan: JSON, number: int) -> JSON:
    """Return a node of a plan."""
    (node,) = [node for node in plan["nodes"] if node["id"] == number]
    assert isinstance(node, dict)
    return node


def refusal(*arguments: object, **variables: str) -> str:
    """Return why nothing was done."""
    finished = support.invoke(*arguments, variables=variables)
    assert (finished.status, finished.stdout) == (2, "")
    assert "Traceback" not in finished.stderr
    return finished.stderr


# The plan


def test_a_dry_run_asks_nobody(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        variables = {"OS_AUTH_URL": address, "OS_ENDPOINT": address, "OS_USERNAME": "admin"}
        finished = support.invoke("--nova-bm-db", url, "--dry-run", variables=variables)
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert (finished.status, finished.stderr) == (0, "")


def test_a_dry_run_needs_nobody_to_sign_in_as(url: str) -> None:
    finished = support.invoke("--nova-bm-db", url, "--dry-run")
    assert (finished.status, finished.stderr) == (0, "")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in finished.stdout.splitlines()
        if line.startswith("|")
    ]
    one, two, three, four = (identifier(f"node {number}") for number in range(1, 5))
    first, second = identifier("instance 1"), identifier("instance 4")
    assert rows == [
        ["ID", "UUID", "Target", "Driver", "BMC address", "Instance", "Ports", "Remarks"],
        ["1", one, "active", "ipmi", "198.18.0.2", first, "2", "0"],
        ["2", two, "available", "ipmi", "198.18.0.3", "", "2", "0"],
        ["3", three, "available", "ipmi", "198.18.0.4", "", "2", "0"],
        ["4", four, "active", "ipmi", "198.18.0.5", second, "2", "0"],
    ]
    assert finished.stdout.splitlines()[-2:] == [
        "nodes: 4 (2 to available, 2 to active), left out: 0",
        ASSUMED,
    ]


def test_the_plan_as_json(url: str) -> None:
    plan = plan_of("--nova-bm-db", url)
    assert plan["version"] == 1
    assert plan["left_out"] == []
    node = node_of(plan, 2)
    ports = node.pop("ports")
    assert node == {
        "id": 2,
        "uuid": identifier("node 2"),
        "target": "available",
        "driver": "ipmi",
        "driver_info": {
            "ipmi_address": "198.18.0.3",
            "ipmi_username": "ADMIN",
            "ipmi_password": "******",
            "ipmi_terminal_port": 10002,
        },
        "properties": {"cpu_arch": "x86_64", "cpus": 24, "memory_mb": 98304, "local_gb": 2000},
        "extra": {
            "nova_baremetal": {
                "id": 2,
                "service_host": "compute-3",
                "created_at": "2013-04-08T19:30:00.000000",
            }
        },
        "instance_uuid": None,
        "instance_info": {},
        "resource_class": "baremetal",
        "name": None,
        "owner": None,
        "lessee": None,
        "remarks": [],
    }
    assert [port["address"] for port in ports] == ["52:b0:00:00:00:04", "52:b0:00:00:00:05"]
    facts = {"id": 4, "datapath_id": "0", "port_no": 0, "address": "52:B0:00:00:00:04"}
    assert ports[0]["extra"] == {"nova_baremetal": facts}


def test_the_same_plan_each_time(url: str) -> None:
    assert plan_of("--nova-bm-db", url) == plan_of("--nova-bm-db", url)


# Which machines


@pytest.mark.parametrize(
    ("only", "ids"),
    [
        (["2"], [2]),
        (["4", "1", "4"], [1, 4]),
        ([identifier("node 3")], [3]),
        ([identifier("node 3").upper(), "2"], [2, 3]),
    ],
)
def test_only_some_machines(url: str, only: list[str], ids: list[int]) -> None:
    options = [word for each in only for word in ("--only", each)]
    assert [node["id"] for node in plan_of("--nova-bm-db", url, *options)["nodes"]] == ids


def test_machines_that_are_not_there(url: str) -> None:
    unknown = identifier("node 5")
    message = refusal("--nova-bm-db", url, "--only", "1", "--only", "10", "--only", unknown)
    assert message == f"Error: The database has no live node 10, {unknown}.\n"


# How they are managed


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {"driver": "ipmi", "resource_class": "baremetal", "cpu_arch": "x86_64"}),
        (["--driver", "ilo"], {"driver": "ilo", "address": "ilo_address"}),
        (["--driver", "redfish"], {"driver": "redfish", "address": "redfish_address"}),
        (["--resource-class", "large"], {"resource_class": "large"}),
        (["--cpu-arch", "aarch64"], {"cpu_arch": "aarch64"}),
    ],
)
def test_options_for_all_machines(url: str, options: list[str], expected: dict[str, str]) -> None:
    for node in plan_of("--nova-bm-db", url, *options)["nodes"]:
        (address,) = [key for key, value in node["driver_info"].items() if "198.18" in str(value)]
        found = {
            "driver": node["driver"],
            "resource_class": node["resource_class"],
            "cpu_arch": node["properties"]["cpu_arch"],
            "address": address,
        }
        assert found.items() >= expected.items()


def test_the_resource_class_is_that_of_the_shim(url: str, file: Callable[[str], Path]) -> None:
    conf = file("[enroll]\nresource_class = racks\n")
    assert (
        node_of(plan_of("--nova-bm-db", url, "--config-file", conf), 1)["resource_class"]
        == "racks"
    )
    options = ("--config-file", conf, "--resource-class", "large")
    assert node_of(plan_of("--nova-bm-db", url, *options), 1)["resource_class"] == "large"


def test_nova_conf_says_where_the_database_is_and_what_the_machines_are(
    url: str, file: Callable[[str], Path]
) -> None:
    conf = file(nova_conf(sql_connection=url, cpu_arch="ppc64"))
    plan = plan_of("--nova-conf", conf)
    assert len(plan["nodes"]) == NODES
    assert plan["remarks"] == []
    assert node_of(plan, 1)["properties"]["cpu_arch"] == "ppc64"
    for option, arch in ((("--cpu-arch", "i686"), "i686"), ((), "ppc64")):
        plan = plan_of(
            "--nova-bm-db", url, "--nova-conf", file(nova_conf(cpu_arch="ppc64")), *option
        )
        assert node_of(plan, 1)["properties"]["cpu_arch"] == arch


@pytest.mark.parametrize(
    ("options", "manager"),
    [
        ({"power_manager": VIRTUAL}, VIRTUAL),
        ({"power_manager": IBOOT}, IBOOT),
        ({"power_manager": "nova.virt.baremetal.tilera_pdu.Pdu", "driver": TILERA}, TILERA),
        ({"power_manager": "site.Relay"}, "site.Relay"),
    ],
)
def test_machines_that_ironic_cannot_manage_are_left_out(
    url: str, file: Callable[[str], Path], options: dict[str, Any], manager: str
) -> None:
    conf = file(nova_conf(sql_connection=url, **options))
    finished = support.invoke("--nova-conf", conf, "--dry-run", "--driver", "ilo")
    assert finished.status == 2
    assert "nodes: 0 (0 to available, 0 to active), left out: 4" in finished.stdout
    advice = "the mapping must give a driver and its driver_info"
    for number, line in enumerate(finished.remarks[:NODES], 1):
        beginning = f"node {number} ({identifier(f'node {number}')}): left out: "
        assert line.startswith(f"{beginning}Ironic has no counterpart of {manager}: {advice} (")
    assert finished.remarks[NODES:] == [
        f"remark: driver ilo is not used: {manager} managed the machines, not IPMI"
    ]


# The mapping

MAPPING = """\
defaults:
  properties: {capabilities: "boot_mode:bios"}
  driver_info: {redfish_username: root, redfish_password: "Zw3rgpinscher"}
nodes:
  1:
    driver: redfish
    driver_info:
      redfish_address: http://198.18.0.2:8000
      redfish_system_id: /redfish/v1/Systems/vm-1
    name: vm-1
  %s:
    driver: manual-management
    resource_class: by-hand
    lessee: 5f1d0ac0b9bb4f7d8b6f2f8f3ce8d2a4
  77: {name: nobody}
"""


def test_the_mapping_knows_what_the_database_does_not(
    url: str, file: Callable[[str], Path]
) -> None:
    mapping = file(MAPPING % identifier("node 2").upper())
    conf = file(nova_conf(VIRTUAL, sql_connection=url))
    finished = support.invoke(
        "--nova-conf", conf, "--mapping", mapping, "--dry-run", "--format", "json"
    )
    support.assert_hidden(["Zw3rgpinscher"], finished.text)
    assert finished.status == 1
    plan = json.loads(finished.stdout)
    assert plan["remarks"] == ["the mapping has 77, which is no live node"]
    assert [node["id"] for node in plan["left_out"]] == [3, 4]
    virtual, by_hand = plan["nodes"]
    assert (virtual["driver"], virtual["name"]) == ("redfish", "vm-1")
    assert virtual["driver_info"].items() >= {
        ("redfish_address", "http://198.18.0.2:8000"),
        ("redfish_system_id", "/redfish/v1/Systems/vm-1"),
        ("redfish_username", "root"),
        ("redfish_password", "******"),
    }
    assert (by_hand["driver"], by_hand["resource_class"]) == ("manual-management", "by-hand")
    assert (by_hand["name"], by_hand["lessee"]) == (None, "5f1d0ac0b9bb4f7d8b6f2f8f3ce8d2a4")
    for node in plan["nodes"]:
        assert node["properties"]["capabilities"] == "boot_mode:bios"
        (lost,) = node["remarks"]
        assert lost.startswith("pm_address, pm_user, pm_password not carried: ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", " is empty; it has the keys defaults and nodes"),
        ("- 1", " is no mapping; it has the keys defaults and nodes"),
        ("nodes: [", ", line 1: not valid YAML"),
        ("nodes: {1: {driver: ipmi}, 1: {driver: ilo}}", ", line 1: the key 1 is there twice"),
        ("nodes: {one: {driver: ipmi}}", ": nodes.one: "),
        ("nodes: {1: {driver_inof: {}}}", ": nodes.1.driver_inof: unknown field"),
        ("default: {driver: ipmi}", ": default: unknown field"),
        ("defaults: {task_state: asleep}", ": defaults.task_state: "),
        (
            "nodes: {1: {driver_info: {ipmi_password: 0123}}}",
            ": nodes.1.driver_info.ipmi_password: must be put in quotes",
        ),
    ],
)
def test_mappings_that_are_none(
    url: str, file: Callable[[str], Path], text: str, reason: str
) -> None:
    mapping = file(text)
    for what in (["--dry-run"], ["--verify-only"], []):
        message = refusal("--nova-bm-db", url, "--mapping", mapping, *what)
        assert message.startswith(f"Error: {mapping}{reason}")
        assert "0123" not in message


# Databases

SECRET = "Zw3rgpinscher"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Which database? Give --nova-bm-db, or a --nova-conf that says it."),
        (["--nova-bm-db", f"nova:{SECRET}@db"], "That is no URL of a database"),
        (["--nova-bm-db", f"oracle://nova:{SECRET}@db/nova_bm"], "A database of oracle cannot be"),
        (["--nova-bm-db", "sqlite:///nowhere.sqlite"], "No such file or directory"),
        (["--nova-bm-db", f"mysql://nova:{SECRET}@127.0.0.1:1/nova_bm"], "Connection refused"),
        (["--nova-bm-db", "sqlite:///x", "--dry-run", "--verify-only"], "choose one"),
        (["--nova-bm-db", "sqlite:///x", "--nova-conf", "/nowhere"], "'/nowhere' does not exist"),
        (["--nova-bm-db", "sqlite:///x", "--mapping", "/nowhere"], "'/nowhere' does not exist"),
        (["--nova-bm-db", "sqlite:///x", "--config-file", "/nowhere"], "does not exist"),
        (["--nova-bm-db", "sqlite:///x", "--workers", "0"], "0 is not in the range"),
        (["--nova-bm-db", "sqlite:///x", "--report", "/nowhere/r.json"], "cannot be written"),
        (["--nova-bm-db", "sqlite:///x", "--report", "/"], "'/' is a directory"),
        (["--nova-bm-db", "sqlite:///x", "--formt", "json"], "No such option"),
    ],
)
def test_a_line_that_leads_nowhere(arguments: list[str], message: str) -> None:
    text = refusal(*arguments)
    assert message in text
    assert SECRET not in text


def test_a_report_takes_the_place_of_regular_files_only(url: str, tmp_path: Path) -> None:
    """Not of ``/dev/stdout``, which whoever is root could replace by a file."""
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to("/dev/stdout")
    for path in (pipe, link):
        message = refusal("--nova-bm-db", url, "--report", path)
        assert message == (
            f"Error: The report cannot be written to {path}: that is no regular file.\n"
        )


@pytest.mark.parametrize(
    ("mode", "text", "is_warned_of"),
    [
        (0o604, "nodes: {1: {driver_info: {ipmi_password: Zw3rgpinscher}}}", True),
        (0o640, "nodes: {1: {driver_info: {ipmi_password: Zw3rgpinscher}}}", False),
        (0o604, "nodes: {1: {driver_info: {ipmi_username: root}}}", False),
    ],
)
def test_a_mapping_that_everybody_can_read(
    url: str, file: Callable[[str], Path], mode: int, text: str, is_warned_of: bool
) -> None:
    path = file(text)
    path.chmod(mode)
    finished = support.invoke("--nova-bm-db", url, "--mapping", path, "--dry-run")
    warning = f"Warning: Everybody can read {path}, which holds secrets: chmod 600\n"
    assert (finished.status, finished.stderr) == (0, warning if is_warned_of else "")


def test_a_plan_that_cannot_be_printed(url: str) -> None:
    options = ("--nova-bm-db", url, "--dry-run")
    with open("/dev/full", "w") as full:
        finished = support.finish(support.start(*options, stdout=full))
    assert finished.status == 1
    assert finished.stderr == "Warning: The results cannot be printed: No space left on device\n"
    process = support.start(*options)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert (process.stderr.read(), process.wait(support.PATIENCE)) == ("", 1)
    process.stderr.close()


def test_a_plan_in_letters_that_the_terminal_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "nova_bm.sqlite"
    generate(f"sqlite:///{path}", nodes=1)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE bm_nodes SET uuid = 'стойка-4', pm_user = 'Überwacher'")
    finished = support.run(
        *("--nova-bm-db", f"sqlite:///{path}", "--dry-run"),
        variables={"PYTHONIOENCODING": "latin-1"},
    )
    assert (finished.status, finished.stderr) == (0, "")
    assert r"\u0441\u0442\u043e\u0439\u043a\u0430-4' is no UUID" in finished.stdout


def test_a_nova_conf_that_is_none(file: Callable[[str], Path]) -> None:
    conf = file(f"[baremetal]\n{SECRET}\n")
    message = refusal("--nova-conf", conf)
    assert f"{conf} cannot be read: line 2" in message
    assert SECRET not in message


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"password {SECRET}", ": line 2"),
        ("api_max_retries = many", "'many'"),
        ("username = Überwacher", "can't decode byte"),
    ],
)
def test_a_configuration_that_is_none(
    url: str, file: Callable[[str], Path], line: str, reason: str
) -> None:
    message = refusal("--nova-bm-db", url, "--config-file", file(f"[ironic]\n{line}\n"))
    assert message.startswith("Error: The configuration cannot be used: ")
    assert reason in message
    assert SECRET not in message


@pytest.mark.parametrize("place", ["option", "environment", "nova.conf"])
def test_the_database_is_on_a_server(
    server: DatabaseServer, file: Callable[[str], Path], place: str
) -> None:
    """Its account may only read, and its password is one that people choose."""
    password, reader, name = "100%sure/@ home", make_name(), make_name()
    generate(server.create_database(name), nodes=1)
    server.add_reader(reader, password, name)
    scheme = {"MariaDB": "mysql", "PostgreSQL": "postgresql"}[server.title]
    where = f"127.0.0.1:{server.address.port}/{name}?charset=utf8"

    def read(secret: str) -> Finished:
        url = f"{scheme}://{reader}:{quote(secret, safe='')}@{where}"
        match place:
            case "option":
                return support.invoke("--dry-run", "--nova-bm-db", url)
            case "environment":
                return support.invoke("--dry-run", variables={"BM_SHIM_NOVA_BM_DB": url})
        return support.invoke("--dry-run", "--nova-conf", file(nova_conf(sql_connection=url)))

    right, wrong = read(password), read("another/@ 100%")
    assert right.status == 0, right.text
    assert (wrong.status, wrong.stdout) == (2, "")
    assert f"{reader}:***@127.0.0.1:{server.address.port}/{name}" in wrong.stderr
    support.assert_hidden(
        [password, "another/@ 100%", quote(password, safe=""), quote("another/@ 100%", safe="")],
        right.text,
        wrong.text,
    )
