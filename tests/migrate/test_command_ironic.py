# SPDX-License-Identifier: Apache-2.0
"""The command and a real Ironic: signing in, reports, exit statuses, and being stopped."""

import json
import os
import pty
import re
import shutil
import signal
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from functional.support import Answer, Cloud, Cut, Forward, Proxy, Request, wait_until

from bm_shim.sandbox import Credentials
from bm_shim.sandbox.address import Address
from bm_shim.sandbox.nova_bm import generate, identifier, mac_address

from . import support
from .support import JSON, Finished

#: Machines 1 and 4 have an instance.
NODES = 4
#: Enough to be in the middle of for a while, two at a time.
MANY = 10
SLOWLY = ("--workers", "2")
#: What a run may be stopped by; the last one when its terminal goes away.
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
#: What there is to say of them.
NOT_CARRIED = "remark: interfaces of deleted nodes, not carried: 1"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("command")


@pytest.fixture(scope="module")
def few(directory: Path) -> str:
    """The URL of a database of a few machines."""
    generate(f"sqlite:///{directory}/few.sqlite", nodes=NODES)
    return f"sqlite:///{directory}/few.sqlite"


@pytest.fixture(scope="module")
def many(directory: Path) -> str:
    """The URL of a database of more machines."""
    generate(f"sqlite:///{directory}/many.sqlite", nodes=MANY)
    return f"sqlite:///{directory}/many.sqlite"


@pytest.fixture(scope="module")
def proxy(cloud: Cloud) -> Iterator[Proxy]:
    with Proxy(cloud.sandbox.ironic_url) as proxy:
        yield proxy


@pytest.fixture
def converted(empty_ironic: None, cloud: Cloud, few: str) -> None:
    """A few machines have been converted."""
    assert convert(cloud, few).status == 0


def convert(cloud: Cloud, url: str, *arguments: object, **variables: str) -> Finished:
    """Run the command, signed in by the shim's own configuration."""
    options = ("--nova-bm-db", url, *support.into(cloud.sandbox))
    return support.run(*options, *arguments, variables=variables)


def through(proxy: Proxy) -> dict[str, str]:
    """Return variables that lead to Ironic by way of a proxy."""
    return {"OS_IRONIC__ENDPOINT_OVERRIDE": proxy.url, "OS_IRONIC__API_MAX_RETRIES": "0"}


def is_change(request: Request) -> bool:
    return request.method != "GET" and not request.is_probe and b"asks-what" not in request.body


def counts(finished: Finished) -> dict[str, int]:
    """Return how many nodes came out how, as it printed them."""
    found = re.findall(r"^([A-Za-z ]+): (\d+)$", finished.stdout, re.MULTILINE)
    return {name: int(number) for name, number in found}


# Signing in


def clouds_yaml(cloud: Cloud, path: Path) -> Path:
    """Write a clouds.yaml with an administrator of the system."""
    account = cloud.sandbox.admin
    auth = {
        "auth_url": account.auth_url,
        "username": account.username,
        "password": account.password,
        "user_domain_id": "default",
        "system_scope": "all",
    }
    path.write_text(yaml.safe_dump({"clouds": {"cellar": {"auth": auth}}}))
    return path


@pytest.mark.usefixtures("empty_ironic")
@pytest.mark.parametrize(
    ("way", "elsewhere"),
    [
        ("OS_*", None),
        ("OS_CLOUD", None),
        ("BM_SHIM_CONFIG", None),
        # Options go before the environment, and that before the file at its usual place.
        ("--os-cloud", "stranger"),
        ("--config-file", "stranger"),
        ("OS_*", "configuration"),
    ],
)
def test_ways_to_sign_in(
    cloud: Cloud, few: str, tmp_path: Path, way: str, elsewhere: str | None
) -> None:
    conf = cloud.sandbox.state_dir / "bm-shim.conf"
    variables = {"OS_CLIENT_CONFIG_FILE": str(clouds_yaml(cloud, tmp_path / "clouds.yaml"))}
    if elsewhere == "stranger":
        stranger = Credentials(cloud.sandbox.admin.auth_url, "stranger", "unheard-of", "demo")
        variables |= stranger.environment
    elif elsewhere == "configuration":
        nobody = tmp_path / "bm-shim.conf"
        nobody.write_text("[ironic]\nauth_type = none\nendpoint_override = http://127.0.0.1:1\n")
        variables["BM_SHIM_CONFIG"] = str(nobody)
    options: tuple[object, ...] = ()
    match way:
        case "OS_*":
            variables |= cloud.sandbox.admin.for_system().environment
        case "OS_CLOUD":
            variables["OS_CLOUD"] = "cellar"
        case "BM_SHIM_CONFIG":
            variables["BM_SHIM_CONFIG"] = str(conf)
        case "--os-cloud":
            options = ("--os-cloud", "cellar")
        case "--config-file":
            options = ("--config-file", conf)
    finished = support.run(
        "--nova-bm-db", few, *support.SIMULATED, "--verify-only", *options, variables=variables
    )
    # Ironic was asked, and has none of them.
    assert (finished.status, finished.stderr) == (2, "")
    assert counts(finished) == {"nodes": NODES, "not in Ironic": NODES}


@pytest.mark.usefixtures("empty_ironic")
def test_an_administrator_of_a_project_is_warned(cloud: Cloud, few: str) -> None:
    """It can be done, but the nodes are the project's then."""
    finished = support.run(
        "--nova-bm-db",
        few,
        *support.SIMULATED,
        "--only",
        "2",
        variables=cloud.sandbox.admin.environment,
    )
    assert finished.status == 0
    (warning,) = [line for line in finished.stderr.splitlines() if "project" in line]
    assert warning.startswith("Warning: ")
    assert cloud.admin_project in warning
    assert "OS_SYSTEM_SCOPE=all" in warning
    assert cloud.ironic_node(identifier("node 2"))["owner"] == cloud.admin_project


@pytest.mark.usefixtures("empty_ironic")
def test_nova_is_asked_whether_its_services_are_stopped(
    cloud: Cloud, few: str, tmp_path: Path
) -> None:
    """Here nobody can tell."""
    path = tmp_path / "report.json"
    finished = convert(cloud, few, "--only", "2", "--report", path)
    assert finished.status == 0
    assert f"Warning: {support.NO_NOVA}" in finished.stderr
    assert f"remark: {support.NO_NOVA}" in finished.stdout
    assert support.NO_NOVA in path.read_text()


# Nothing done


@pytest.fixture
def closed() -> Iterator[str]:
    """The URL of nothing."""
    address = Address()
    yield f"http://{address.netloc}"
    address.release()


@pytest.mark.usefixtures("empty_ironic")
@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("nobody", "Who is to sign in to Ironic?"),
        ("a wrong password", "Signing in to Ironic with OS_* of the environment does not work: "),
        ("an unknown cloud", "Signing in to Ironic with the cloud 'nowhere' does not work: "),
        ("no rights", "The account may not create nodes."),
        ("no Ironic", "Ironic or Keystone cannot be reached: "),
        ("no Keystone", "Signing in to Ironic with OS_* of the environment does not work: "),
        ("no driver", "'redfish'"),
    ],
)
def test_nothing_is_done(
    cloud: Cloud, few: str, tmp_path: Path, closed: str, case: str, message: str
) -> None:
    sandbox, report = cloud.sandbox, tmp_path / "report.json"
    admin = sandbox.admin.for_system()
    conf = ("--config-file", sandbox.state_dir / "bm-shim.conf")
    options: tuple[object, ...] = support.SIMULATED
    variables: Mapping[str, str] = {}
    match case:
        case "a wrong password":
            variables = {**admin.environment, "OS_PASSWORD": "Zw3rgpinscher"}
        case "an unknown cloud":
            options = (*support.SIMULATED, "--os-cloud", "nowhere")
        case "no rights":
            variables = sandbox.member.environment
        case "no Ironic":
            options = (*support.SIMULATED, *conf)
            variables = {"OS_IRONIC__ENDPOINT_OVERRIDE": closed, "OS_IRONIC__API_MAX_RETRIES": "0"}
        case "no Keystone":
            variables = {**admin.environment, "OS_AUTH_URL": closed}
        case "no driver":
            options = ("--driver", "redfish", *conf)

    finished = support.run("--nova-bm-db", few, *options, "--report", report, variables=variables)

    assert (finished.status, finished.stdout) == (2, "")
    assert message in finished.stderr
    # And nothing of what libraries have to say of it.
    assert finished.stderr.startswith("Error: ")
    secrets = [admin.password, sandbox.member.password, sandbox.service.password, "Zw3rgpinscher"]
    support.assert_hidden(secrets, finished.stderr)
    assert not report.exists()
    assert cloud.database.snapshot() == []


@pytest.mark.usefixtures("empty_ironic")
def test_nothing_is_done_when_it_is_interrupted_before(
    cloud: Cloud, proxy: Proxy, few: str
) -> None:
    asked, let_go = threading.Event(), threading.Event()

    def rule(request: Request, forward: Forward) -> Answer:
        asked.set()
        assert let_go.wait(60)
        return forward()

    with proxy.ruled_by(rule):
        options = ("--nova-bm-db", few, *support.into(cloud.sandbox))
        process = support.start(*options, variables=through(proxy))
        assert asked.wait(60)
        process.send_signal(signal.SIGINT)
        let_go.set()
        finished = support.finish(process)
    assert (finished.status, finished.stdout) == (2, "")
    assert finished.stderr == "Error: Interrupted before anything was done.\n"


# Some left


@pytest.mark.usefixtures("empty_ironic")
def test_some_are_left_and_done_later(cloud: Cloud, few: str, tmp_path: Path) -> None:
    path, mapping = tmp_path / "report.json", tmp_path / "mapping.yaml"
    path.write_text("of another day")
    mapping.write_text("nodes: {1: {task_state: building}}")
    stranger, address = take_address(cloud, mac_address(2, 0).lower())
    names = [f"node {number} ({identifier(f'node {number}')})" for number in range(NODES + 1)]
    left_out = (
        f"task_state 'building' with instance {identifier('instance 1')}: finish or delete the "
        "instance in nova or, if it runs, say task_state: active in the mapping"
    )
    failed = f"the MAC address {address} is that of a port of node {stranger} in Ironic"

    assert convert(cloud, few, "--only", "2").status == 2
    first = convert(cloud, few, "--report", path, "--mapping", mapping)

    assert first.status == 1
    assert counts(first) == {"nodes": 4, "created": 2, "failed": 1, "left out": 1}
    assert first.remarks == [
        f"{names[1]}: left out: {left_out}",
        f"{names[2]}: failed: {failed}",
    ]
    report = support.read_report(path)
    assert_complete(report, few)
    assert report["exit_status"] == 1
    assert [node["outcome"] for node in report["nodes"]] == [
        "left out",
        "failed",
        "created",
        "created",
    ]
    assert report["nodes"][0]["reasons"] == [left_out]
    assert report["nodes"][1]["reasons"] == [failed]

    cloud.delete_nodes({stranger})
    second = convert(cloud, few, "--report", path)

    assert (second.status, second.remarks) == (0, [])
    assert counts(second) == {"nodes": 4, "created": 2, "unchanged": 2}
    assert support.read_report(path)["exit_status"] == 0


def take_address(cloud: Cloud, address: str) -> tuple[str, str]:
    """Give a MAC address to a node of somebody else's, and return the node and the address."""
    node_uuid = str(uuid.uuid4())
    for path, body in (
        ("nodes", {"uuid": node_uuid, "driver": "fake-hardware"}),
        ("ports", {"node_uuid": node_uuid, "address": address}),
    ):
        assert cloud.ironic.post(f"/v1/{path}", json=body).status_code == 201
    return node_uuid, address


def assert_complete(report: JSON, url: str) -> None:
    """Make sure that a report has all that it promises."""
    assert set(report) == {
        "version",
        "database",
        "schema_version",
        "started_at",
        "finished_at",
        "seconds",
        "requests",
        "exit_status",
        "compared",
        "outcomes",
        "remarks",
        "nodes",
    }
    assert (report["version"], report["schema_version"]) == (1, 10)
    assert report["database"] == url
    began, ended = (
        datetime.fromisoformat(report[f"{word}_at"]) for word in ("started", "finished")
    )
    assert report["seconds"] == (ended - began).total_seconds() > 0
    assert report["requests"] > 0
    assert set(report["outcomes"]) == {
        "created",
        "completed",
        "unchanged",
        "failed",
        "left out",
        "not tried",
        "not in Ironic",
    }
    assert report["compared"] is True
    outcomes = Counter(node["outcome"] for node in report["nodes"])
    assert {name: count for name, count in report["outcomes"].items() if count} == outcomes
    plan = support.invoke("--nova-bm-db", url, *support.SIMULATED, "--dry-run", "--format", "json")
    planned = {node["id"]: node for node in json.loads(plan.stdout)["nodes"]}
    for node in report["nodes"]:
        assert set(node) == {
            "id",
            "uuid",
            "outcome",
            "reasons",
            "remarks",
            "differences",
            "planned",
        }
        is_left_out = node["outcome"] == "left out"
        assert node["planned"] == (None if is_left_out else planned[node["id"]])


@pytest.mark.usefixtures("empty_ironic")
def test_a_report_that_cannot_be_written_in_the_end(
    cloud: Cloud, proxy: Proxy, few: str, tmp_path: Path
) -> None:
    directory = tmp_path / "reports"
    directory.mkdir()

    def rule(request: Request, forward: Forward) -> Answer:
        if is_change(request):
            shutil.rmtree(directory, ignore_errors=True)
        return forward()

    with proxy.ruled_by(rule):
        options = ("--only", "2", "--report", directory / "report.json")
        finished = convert(cloud, few, *options, **through(proxy))
    assert (finished.status, counts(finished)) == (1, {"nodes": 1, "created": 1})
    assert "Warning: The report cannot be written: " in finished.stderr


@pytest.mark.usefixtures("empty_ironic")
def test_results_that_cannot_be_printed_in_the_end(cloud: Cloud, few: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with open("/dev/full", "w") as stdout:
        options = ("--nova-bm-db", few, *support.into(cloud.sandbox), "--report", path)
        finished = support.finish(support.start(*options, stdout=stdout))
    assert finished.status == 1
    warning = "Warning: The results cannot be printed: No space left on device"
    assert finished.stderr.splitlines()[-1] == warning
    assert support.read_report(path)["outcomes"]["created"] == NODES


@pytest.mark.usefixtures("empty_ironic")
def test_messages_that_cannot_be_printed_end_nothing(cloud: Cloud, few: str) -> None:
    with open("/dev/full", "w") as stderr:
        options = ("--nova-bm-db", few, *support.into(cloud.sandbox))
        finished = support.finish(support.start(*options, stderr=stderr))
    assert (finished.status, counts(finished)) == (0, {"nodes": NODES, "created": NODES})


@pytest.mark.usefixtures("empty_ironic")
def test_ironic_goes_away_on_the_way(cloud: Cloud, proxy: Proxy, many: str) -> None:
    done = threading.Event()

    def rule(request: Request, forward: Forward) -> Answer:
        if done.is_set():
            raise Cut
        if b'"done"' in request.body:
            done.set()
        return forward()

    with proxy.ruled_by(rule):
        finished = convert(cloud, many, *SLOWLY, **through(proxy))
    found = counts(finished)
    assert finished.status == 1
    assert found["created"] >= 1
    assert found["failed"] >= 1
    assert found["not tried"] >= 1
    assert "Warning: The result was not compared with the database: " in finished.stderr
    assert "Ironic or Keystone cannot be reached" in finished.stdout

    last = convert(cloud, many)
    assert (last.status, last.remarks) == (0, [NOT_CARRIED])
    assert counts(last)["unchanged"] == found["created"]


# Comparing only


@pytest.mark.usefixtures("converted")
def test_what_differs_is_said_and_left(cloud: Cloud, few: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    one, two, three, four = (identifier(f"node {number}") for number in range(1, 5))
    cloud.ironic.patch(
        f"/v1/nodes/{one}",
        json=[
            {"op": "replace", "path": "/properties/cpus", "value": 12},
            {"op": "remove", "path": "/driver_info/ipmi_password"},
            {"op": "add", "path": "/extra/rack", "value": "b4"},
        ],
    )
    (port,) = [port for port in cloud.database.ports(two) if port["address"].endswith(":04")]
    cloud.ironic.delete(f"/v1/ports/{port['uuid']}")
    cloud.delete_nodes({three})

    for options in ((), ("--verify-only", "--report", path)):
        with cloud.unchanged():
            finished = convert(cloud, few, "--only", "1", "--only", "2", "--only", "4", *options)
        missing = "port 52:b0:00:00:00:04: expected a port of this node"
        assert finished.remarks == [
            f"node 1 ({one}): differs: {difference}"
            for difference in (
                'driver_info.ipmi_password: expected "******", found nothing',
                "properties.cpus: expected 16, found 12",
            )
        ] + [f"node 2 ({two}): differs: {missing}, found nothing"]
        # Machines that are there; that they differ counts only where nothing else was asked.
        assert finished.status == bool(options)
    report = support.read_report(path)
    assert report["exit_status"] == 1
    assert [node["differences"] for node in report["nodes"]] == [
        [
            {"field": "driver_info.ipmi_password", "expected": '"******"', "found": "nothing"},
            {"field": "properties.cpus", "expected": "16", "found": "12"},
        ],
        [
            {
                "field": "port 52:b0:00:00:00:04",
                "expected": "a port of this node",
                "found": "nothing",
            }
        ],
        [],
    ]
    gone = convert(cloud, few, "--verify-only", "--only", "3", "--only", "4")
    assert gone.status == 1
    assert gone.remarks == [f"node 3 ({three}): not in Ironic"]
    assert counts(gone) == {"nodes": 2, "unchanged": 1, "not in Ironic": 1}
    assert four not in gone.text


# Progress


@pytest.mark.usefixtures("empty_ironic")
def test_progress_is_a_line_for_each_machine(cloud: Cloud, few: str) -> None:
    finished = convert(cloud, few)
    assert sorted(finished.progress) == [
        f"node {number} ({identifier(f'node {number}')}): created" for number in range(1, 5)
    ]
    assert finished.remarks == []


@pytest.mark.usefixtures("empty_ironic")
def test_progress_is_a_bar_on_a_terminal(cloud: Cloud, few: str) -> None:
    take_address(cloud, mac_address(2, 0).lower())
    terminal, side = pty.openpty()
    with os.fdopen(side, "w") as stderr:
        process = support.start(
            *("--nova-bm-db", few, *support.into(cloud.sandbox)),
            stderr=stderr,
            variables={"TERM": "xterm"},
        )
    shown = read_terminal(terminal)
    finished = support.finish(process)
    assert finished.status == 1
    assert counts(finished) == {"nodes": 4, "created": 3, "failed": 1}
    assert re.search(r"Converting .*4/4", shown)
    assert "1 failed" in shown
    assert "node 1 (" not in shown


def read_terminal(terminal: int) -> str:
    """Return all that is written to a terminal, until nobody writes to it any more."""
    shown = b""
    with os.fdopen(terminal, "rb", buffering=0) as file:
        try:
            while data := file.read(4096):
                shown += data
        except OSError:
            pass
    return shown.decode()


# Being stopped


@pytest.mark.usefixtures("empty_ironic")
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_it_after_the_machines_in_hand(
    cloud: Cloud, many: str, tmp_path: Path, number: signal.Signals
) -> None:
    path, log = tmp_path / "report.json", tmp_path / "stderr"
    with open(log, "w") as stderr:
        options = ("--nova-bm-db", many, *support.into(cloud.sandbox), *SLOWLY)
        process = support.start(*options, "--report", path, stderr=stderr)
    wait_until(lambda: ": created\n" in log.read_text(), 60)
    process.send_signal(number)
    finished = support.finish(process)

    assert finished.status == 1
    assert log.read_text().count("Warning: Stopping after the machines in hand") == 1
    found = counts(finished)
    assert found["created"] + found["not tried"] == MANY
    assert support.read_report(path)["outcomes"]["not tried"] == found["not tried"]
    nodes = cloud.database.query("SELECT extra FROM nodes")
    assert len(nodes) == found["created"]
    for node in nodes:
        assert json.loads(node["extra"])["nova_baremetal"]["conversion"] == "done"

    last = convert(cloud, many)
    assert (last.status, last.remarks) == (0, [NOT_CARRIED])
    assert counts(last) == {
        "nodes": MANY,
        "created": found["not tried"],
        "unchanged": found["created"],
    }


@pytest.mark.usefixtures("empty_ironic")
def test_a_second_signal_ends_it_at_once(
    cloud: Cloud, proxy: Proxy, few: str, tmp_path: Path
) -> None:
    log = tmp_path / "stderr"
    asked, let_go = threading.Event(), threading.Event()

    def rule(request: Request, forward: Forward) -> Answer:
        if is_change(request):
            asked.set()
            assert let_go.wait(60)
        return forward()

    with proxy.ruled_by(rule):
        with open(log, "w") as stderr:
            options = ("--nova-bm-db", few, *support.into(cloud.sandbox))
            process = support.start(*options, stderr=stderr, variables=through(proxy))
        assert asked.wait(60)
        process.send_signal(signal.SIGINT)
        wait_until(lambda: "once more stops at once" in log.read_text())
        process.send_signal(signal.SIGINT)
        assert support.finish(process).status == -signal.SIGINT
        let_go.set()
    last = convert(cloud, few)
    assert (last.status, last.remarks) == (0, [])


@pytest.mark.usefixtures("empty_ironic")
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_the_result_is_compared(
    cloud: Cloud, proxy: Proxy, few: str, tmp_path: Path, number: signal.Signals
) -> None:
    """What was done is told at once, whatever Ironic is at."""
    path = tmp_path / "report.json"
    done, compared, let_go = threading.Event(), threading.Event(), threading.Event()

    def rule(request: Request, forward: Forward) -> Answer:
        if done.is_set() and request.is_list("nodes"):
            compared.set()
            assert let_go.wait(60)
        if b'"done"' in request.body:
            done.set()
        return forward()

    with proxy.ruled_by(rule):
        options = ("--nova-bm-db", few, *support.into(cloud.sandbox), "--only", "2")
        process = support.start(*options, "--report", path, variables=through(proxy))
        assert compared.wait(60)
        process.send_signal(number)
        wait_until(path.exists)
        let_go.set()
        finished = support.finish(process)
    warning = "The result was not compared with the database: that was interrupted."
    assert (finished.status, counts(finished)) == (1, {"nodes": 1, "created": 1})
    assert f"Warning: {warning}" in finished.progress
    assert finished.remarks == [f"remark: {warning}"]
    report = support.read_report(path)
    assert (report["exit_status"], report["compared"]) == (1, False)
    assert report["remarks"] == [warning]
    assert [node["outcome"] for node in report["nodes"]] == ["created"]


@pytest.mark.usefixtures("empty_ironic")
def test_ironic_is_away_when_the_result_is_compared(cloud: Cloud, proxy: Proxy, few: str) -> None:
    done = threading.Event()

    def rule(request: Request, forward: Forward) -> Answer:
        if done.is_set() and request.is_list("nodes"):
            raise Cut
        if b'"done"' in request.body:
            done.set()
        return forward()

    with proxy.ruled_by(rule):
        finished = convert(cloud, few, "--only", "2", **through(proxy))
    assert (finished.status, counts(finished)) == (1, {"nodes": 1, "created": 1})
    (remark,) = finished.remarks
    assert remark.startswith("remark: The result was not compared with the database: ")


@pytest.mark.usefixtures("empty_ironic")
def test_a_terminal_that_goes_away_does_not_end_what_nohup_started(
    cloud: Cloud, proxy: Proxy, few: str
) -> None:
    asked, let_go = threading.Event(), threading.Event()

    def rule(request: Request, forward: Forward) -> Answer:
        if is_change(request):
            asked.set()
            assert let_go.wait(60)
        return forward()

    with proxy.ruled_by(rule):
        options = ("--nova-bm-db", few, *support.into(cloud.sandbox), "--workers", "1")
        process = support.start(*options, variables=through(proxy), by=["nohup"])
        assert asked.wait(60)
        process.send_signal(signal.SIGHUP)
        let_go.set()
        finished = support.finish(process)
    assert (finished.status, counts(finished)) == (0, {"nodes": NODES, "created": NODES})
