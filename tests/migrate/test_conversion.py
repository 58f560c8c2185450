# SPDX-License-Identifier: Apache-2.0
"""A whole fleet is converted from each kind of database into a real Ironic, and once more.

``BM_SHIM_MIGRATE_NODES`` says how many machines it has; each run adds a line of JSON with what it
took to the file that ``BM_SHIM_MIGRATE_MEASUREMENTS`` names.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from functional.support import Cloud
from sqlalchemy import make_url

from bm_shim.sandbox.nova_bm import generate

from . import expected, support
from .support import JSON, Finished

NODES = int(os.environ.get("BM_SHIM_MIGRATE_NODES", "30"))

#: Requests that a run sends whatever it finds, for up to a thousand machines.
OVERHEAD = 20

pytestmark = [
    pytest.mark.usefixtures("empty_ironic"),
    pytest.mark.timeout(300 + 2 * NODES),
]


@dataclass(frozen=True)
class Measured:
    """A run, its report, and how long it took."""

    finished: Finished
    report: JSON
    seconds: float


def convert(cloud: Cloud, url: str, report: Path) -> Measured:
    """Run the command for a whole database."""
    began = time.monotonic()
    finished = support.run(
        *("--nova-bm-db", url, *support.into(cloud.sandbox), "--report", report),
        patience=support.PATIENCE + NODES,
    )
    seconds = time.monotonic() - began
    assert finished.status == 0, finished.text
    return Measured(finished, support.read_report(report), seconds)


def record(record_property: Callable[[str, object], None], url: str, *runs: Measured) -> None:
    """Write down what some runs took."""
    for number, run in enumerate(runs, 1):
        line = json.dumps(
            {
                "database": make_url(url).get_backend_name(),
                "nodes": NODES,
                "run": number,
                "wall_seconds": round(run.seconds, 1),
                "seconds": round(run.report["seconds"], 1),
                "requests": run.report["requests"],
                "requests_per_node": round(run.report["requests"] / NODES, 2),
                "load_average": os.getloadavg()[0],
            }
        )
        print(line)
        record_property(f"run {number}", line)
        if path := os.environ.get("BM_SHIM_MIGRATE_MEASUREMENTS"):
            with open(path, "a") as file:
                file.write(f"{line}\n")


def test_a_fleet_is_converted_and_stays_as_it_is_in_a_second_run(
    cloud: Cloud,
    database_url: str,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    generate(database_url, nodes=NODES)
    rows = expected.read_rows(database_url)

    first = convert(cloud, database_url, tmp_path / "first.json")

    assert_all(first.report, "created")
    assert_equal(cloud, rows)
    before = cloud.database.snapshot()

    second = convert(cloud, database_url, tmp_path / "second.json")

    assert_all(second.report, "unchanged")
    assert cloud.database.snapshot() == before
    assert second.report["requests"] <= OVERHEAD + NODES // 100
    record(record_property, database_url, first, second)
    passwords = [row["pm_password"] for row in rows["bm_nodes"]]
    if password := make_url(database_url).password:
        passwords.append(password)
    for each in (first, second):
        support.assert_hidden(passwords, each.finished.text, json.dumps(each.report))


def assert_all(report: JSON, outcome: str) -> None:
    """Make sure that a report tells of this outcome for every node, and of no difference."""
    assert {name: count for name, count in report["outcomes"].items() if count} == {outcome: NODES}
    for node in report["nodes"]:
        assert node["outcome"] == outcome
        assert (node["reasons"], node["remarks"], node["differences"]) == ([], [], [])
    assert report["exit_status"] == 0


def assert_equal(cloud: Cloud, rows: expected.Rows) -> None:
    """Make sure that Ironic holds what the rows say, secrets too, and nothing else."""
    machines = rows["bm_nodes"]
    assert len(machines) == NODES
    assert expected.nodes_in(cloud.ironic) == {
        row["id"]: expected.node_of(row) for row in machines
    }
    assert expected.ports_in(cloud.ironic) == expected.all_ports(rows)
    passwords = {row["uuid"]: row["pm_password"] for row in machines}
    stored = cloud.database.query("SELECT uuid, driver_info FROM nodes")
    assert passwords == {
        node["uuid"]: json.loads(node["driver_info"])["ipmi_password"] for node in stored
    }
    in_use = [row for row in machines if row["instance_uuid"]]
    assert abs(3 * len(in_use) - NODES) <= 3
