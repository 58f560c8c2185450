# SPDX-License-Identifier: Apache-2.0
"""``bm-shim callers``: what is counted, and how it is shown."""

import bz2
import gzip
import json
import lzma
import os
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from oslo_policy.policy import DocumentedRuleDefault

from bm_shim import policy
from bm_shim.callers import charts, page, report, tally
from bm_shim.callers.log import parse
from bm_shim.callers.successors import ACTION, SUCCESSORS, UNKNOWN
from bm_shim.callers.tally import Tally
from bm_shim.cmd.callers import callers

from .callers_log import line, logged

SHOW = policy.SHOW
NODES = "/v2.1/os-baremetal-nodes"
EVIL = "<script>alert(1)</script>&\"'\x1b[31m\u202e"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(callers, [str(each) for each in arguments])


def report_on(*lines: str, **options: bool) -> report.Report:
    counted = Tally()
    for each in lines:
        call = parse(each)
        assert call is not None
        counted.add(call)
    return report.make(counted, **options)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Two callers, of whom the second was refused twice."""
    file = tmp_path / "bm-shim.log"
    file.write_bytes(
        b"".join([
            logged(),
            logged(time="2026-11-20T10:00:00.000Z"),
            logged(time="2026-11-23T09:30:00.000Z", operation=SHOW, path=f"{NODES}/42"),
            logged(
                time="2026-11-21T01:00:00.000Z",
                client="192.0.2.2",
                user=None,
                user_name=None,
                project=None,
                project_name=None,
                operation=None,
                status="401",
                user_agent="curl/7.29.0",
            ),
            logged(time="2026-11-21T02:00:00.000Z", operation=None, path="/v2.1/extensions"),
        ])
    )  # fmt: skip
    return file


# What is counted


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", NODES, policy.LIST),
        ("GET", f"/compute/v2/p1{NODES[5:]}", policy.LIST),
        ("GET", f"{NODES}/42", policy.SHOW),
        ("POST", NODES, policy.CREATE),
        ("DELETE", f"{NODES}/42", policy.DELETE),
        ("POST", f"{NODES}/42/action", ACTION),
        ("PUT", f"{NODES}/42", UNKNOWN),
        ("GET", f"{NODES}/42/interfaces", UNKNOWN),
        ("GET", "/v2.1/servers", UNKNOWN),
        ("GET", "/favicon.ico", UNKNOWN),
        ("GET", "/", "discovery"),
        ("GET", "/v2.1/", "discovery"),
        ("GET", "/v2", "discovery"),
        ("GET", "/v2/p1/extensions", "discovery"),
        ("GET", "/v1.1/p1/extensions/os-baremetal-nodes", "discovery"),
    ],
)
def test_what_was_refused_is_known_by_its_path(method: str, path: str, operation: str) -> None:
    refused = line(method=method, path=path, operation=None, status="401")
    assert list(report_on(refused, with_aside=True).operations) == [operation]


def test_callers_differ_by_any_of_who_whence_and_with_what() -> None:
    differences: list[dict[str, str | None]] = [
        {},
        {"user": "u2"},
        {"project": None},
        {"client": "192.0.2.7"},
        {"user_agent": "curl"},
    ]
    made = report_on(*(line(**each) for each in differences * 2))
    assert [entry.calls for entry in made.entries] == [2] * 5


def test_logs_of_replicas_come_in_any_order() -> None:
    times = ["2026-11-22T10:00:00Z", "2026-11-20T10:00:00Z", "2026-11-21T12:00:00+02:00"]
    (entry,) = report_on(*(line(time=time) for time in times)).entries
    assert (entry.first.day, entry.last.day) == (20, 22)
    assert sorted((day.day, calls) for day, calls in entry.days.items()) == [
        (20, 1), (21, 1), (22, 1),
    ]  # fmt: skip


def test_made_up_user_agents_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MOST_CALLERS", 3)
    lines = [line(user_agent=f"agent-{i % 6}-{'x' * 5000}") for i in range(12)]
    made = report_on(*lines)
    assert [(entry.caller == tally.OTHERS, entry.calls) for entry in made.entries] == [
        (False, 2), (False, 2), (False, 2), (True, 6),
    ]  # fmt: skip
    assert all(len(entry.caller.user_agent or "") <= 300 for entry in made.entries)


def test_every_operation_has_a_successor() -> None:
    rules = policy.list_rules()
    operations = {rule.name for rule in rules if isinstance(rule, DocumentedRuleDefault)}
    assert operations <= SUCCESSORS.keys()


@pytest.mark.parametrize("operation", SUCCESSORS)
def test_the_native_commands_exist(operation: str) -> None:
    words = SUCCESSORS[operation].command.split()
    assert words.pop(0) == "openstack"
    known = {
        point.name
        for group in ("openstack.baremetal.v1", "openstack.identity.v3")
        for point in entry_points(group=group)
    }
    verbs = words[2].split("|") if words[0] == "baremetal" else []
    commands = {"_".join([*words[:2], verb]) for verb in verbs} or {"_".join(words)}
    assert commands <= known


# How it is shown


def test_text(log: Path) -> None:
    output = run(log).output
    assert output.startswith(
        "4 calls by 2 callers from 2026-11-20 10:00 to 2026-11-23 09:30 UTC, 1 of them failed.\n"
    )
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in output.splitlines()]
    assert [row for row in rows if len(row) == 9][1:] == [
        ["Jo Doe", "demo", "192.0.2.1", "python-novaclient", "list", "2", "0",
         "2026-11-20 10:00", "2026-11-22 21:47"],
        ["Jo Doe", "demo", "192.0.2.1", "python-novaclient", "show", "1", "0",
         "2026-11-23 09:30", "2026-11-23 09:30"],
        ["(not signed in)", "-", "192.0.2.2", "curl/7.29.0", "list", "1", "1",
         "2026-11-21 01:00", "2026-11-21 01:00"],
    ]  # fmt: skip
    assert ["show", "1", "openstack baremetal node show NODE", "GET /v1/nodes/NODE"] in rows
    assert output.rstrip().endswith(
        "1 further requests only looked for versions or extensions, or for what is not there: "
        "--all shows them."
    )


def test_all_shows_what_is_no_operation(log: Path) -> None:
    output = run("--all", log).output
    assert "discovery" in output
    assert "--all" not in output


def test_json(log: Path) -> None:
    made = json.loads(run("--format", "json", log).stdout)
    first, second = made.pop("callers")
    assert first == {
        "user": {"id": "u1", "name": "Jo Doe"},
        "project": {"id": "p1", "name": "demo"},
        "address": "192.0.2.1",
        "user_agent": "python-novaclient",
        "calls": 3,
        "failed": 0,
        "first": "2026-11-20T10:00:00Z",
        "last": "2026-11-23T09:30:00Z",
        "operations": [
            {
                "operation": "list",
                "calls": 2,
                "failed": 0,
                "first": "2026-11-20T10:00:00Z",
                "last": "2026-11-22T21:47:24Z",
            },
            {
                "operation": "show",
                "calls": 1,
                "failed": 0,
                "first": "2026-11-23T09:30:00Z",
                "last": "2026-11-23T09:30:00Z",
            },
        ],
    }
    assert second["user"] == {"id": None, "name": None}
    assert second["failed"] == 1
    assert made.pop("instead").keys() == {"list", "show"}
    assert made == {
        "version": 1,
        "calls": 4,
        "failed": 1,
        "first": "2026-11-20T10:00:00Z",
        "last": "2026-11-23T09:30:00Z",
        "discovery_and_unknown": 1,
        "unreadable_lines": 0,
    }


def parsed(html: str) -> ElementTree.Element:
    """The page, which is well-formed XML but for three tags that HTML leaves open."""
    rest = html.partition("<title>")[2]
    return ElementTree.fromstring(f"<html><head><title>{rest}")


def test_the_page(log: Path, tmp_path: Path) -> None:
    target = tmp_path / "callers.html"
    result = run(log, "--html", target)
    assert result.exit_code == 0
    html = target.read_text()
    text = "".join(parsed(html).itertext())
    for shown in (
        "4calls", "2callers", "Calls per hour", "Jo Doe", "demo", "python-novaclient",
        "not signed in", "curl/7.29.0", "openstack baremetal node list --long",
        "1 further requests only looked",
    ):  # fmt: skip
        assert shown in text
    # Nothing is loaded, and nothing runs.
    assert "http" not in html.replace('http-equiv="Content-Security-Policy"', "")
    for absent in ("<script", "src=", "url(", "@import", "<link", "<a "):
        assert absent not in html


@pytest.mark.parametrize(
    "field",
    ["client", "path", "operation", "user", "user_name", "project", "project_name", "user_agent"],
)
def test_no_caller_writes_markup_or_moves_the_cursor(tmp_path: Path, field: str) -> None:
    target = tmp_path / "callers.html"
    log = tmp_path / "log"
    log.write_bytes(logged(**{field: EVIL}))
    result = run("--all", "--html", target, log)
    html = target.read_text()
    assert result.exit_code == 0
    assert "<script" not in html
    assert parsed(html).find(".//script") is None
    assert all(c.isprintable() or c == "\n" for c in result.stdout + html)


def test_a_value_that_no_encoding_has(tmp_path: Path) -> None:
    target = tmp_path / "callers.html"
    log = tmp_path / "log"
    log.write_bytes(logged(user_agent="\ud800"))
    assert run("--html", target, log).exit_code == 0
    assert "\\ud800" in target.read_text()


def test_a_page_of_many_callers_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST_SHOWN", 2)
    html = page.render(report_on(*(line(client=f"192.0.2.{i}") for i in range(5))))
    assert html.count('class="spark"') == 2
    assert "3 further callers" in html


def test_nobody_called(tmp_path: Path) -> None:
    target = tmp_path / "callers.html"
    assert run("--html", target, os.devnull).stdout == "Nobody called.\n"
    assert "Nobody called." in target.read_text()
    assert json.loads(run("--format", "json", os.devnull).stdout)["first"] is None


# The command


def test_logs_of_several_kinds_at_once(log: Path, tmp_path: Path) -> None:
    packed = tmp_path / "bm-shim.log.1.gz"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    command = [sys.executable, "-c", "from bm_shim.cmd import main; main()", "callers"]
    result = subprocess.run(
        [*command, "--format", "json", log, packed, "-"],
        input=packed.read_bytes(),
        capture_output=True,
        check=True,
    )
    assert json.loads(result.stdout)["calls"] == 3 * 4


def test_since_leaves_out_what_was_before(log: Path) -> None:
    for since, calls in [
        ("2026-11-22", 2), ("2026-11-22T21:48", 1), ("2026-12-01", 0), ("2026-11-22 21:48", 1),
        ("2026-11-22T21:48:00", 1), ("2026-11-22T21:48:00Z", 1),
        ("2026-11-22T22:48:00+01:00", 1), ("2026-11-22T22:47:00+01:00", 2),
    ]:  # fmt: skip
        result = run("--format", "json", "--since", since, log)
        assert json.loads(result.stdout)["calls"] == calls


def test_lines_that_cannot_be_read_are_told_of(log: Path) -> None:
    log.write_bytes(log.read_bytes() + logged()[:200] + b"\n")
    assert "1 lines were cut off or garbled, and are not counted." in run(log).output


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(logged())[:-9],
        b"\x1f\x8b\x00\x00",
        b"\x1f\x8b",
        bz2.compress(logged())[:-9],
        b"BZh\x00",
        lzma.compress(logged())[:-9],
        b"\xfd7zXZ\x00\x00",
        b"\x28\xb5\x2f\xfd of Zstandard",
    ],
)
def test_a_log_that_cannot_be_read(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "x.gz"
    file.write_bytes(data)
    result = run(file)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {file}: ")
    assert result.stdout == ""


def test_a_page_that_cannot_be_written(log: Path) -> None:
    result = run(log, "--html", "/nowhere/x.html")
    assert result.exit_code == 1
    assert result.stderr == "Error: /nowhere/x.html: No such file or directory\n"


# Charts


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("first", "last", "step", "count"),
    [
        ("2026-11-22T10:40", "2026-11-22T10:40", "hour", 1),
        ("2026-11-22T10:40", "2026-11-22T12:10", "hour", 3),
        ("2026-11-22T10:40", "2026-11-26T10:39", "hour", 97),
        ("2026-11-01T10:00", "2026-11-22T10:00", "6 hours", 85),
        ("2026-09-01T10:00", "2026-11-22T10:00", "day", 83),
        ("2026-01-01T10:00", "2026-11-22T10:00", "week", 47),
        ("2021-01-01T10:00", "2026-11-22T10:00", "4 weeks", 77),
        ("1990-01-01T10:00", "2026-11-22T10:00", "year", 38),
    ],
)
def test_what_a_column_stands_for(first: str, last: str, step: str, count: int) -> None:
    begin, end = at(first), at(last)
    hours = {("list", begin.replace(minute=0)): 7, ("list", end.replace(minute=0)): 3}
    chart = charts.columns(hours, ["list"], (begin, end), width=980, height=220)
    assert (chart.step, len(chart.columns)) == (step, count)
    assert sum(column.calls for column in chart.columns) == sum(hours.values())
    assert len(chart.x_ticks) <= 9


@pytest.mark.parametrize("highest", [1, 2, 5, 6, 9, 10, 11, 99, 101, 999, 12_345, 10**9])
def test_columns_fit_between_the_lines(highest: int) -> None:
    hour = at("2026-11-22T10:00")
    hours = {("list", hour): highest - highest // 3, ("show", hour): highest // 3}
    chart = charts.columns(hours, ["list", "show"], (hour, hour), width=980, height=220)
    (column,) = chart.columns
    low, high = chart.y_ticks[0].at, chart.y_ticks[-1].at
    assert (low, high) == (220, 0)
    assert 3 <= len(chart.y_ticks) <= 6 or highest < 3
    top = min(segment.y for segment in column.segments)
    assert -0.1 <= top < 220 / 2
    bottom: Any = 220.0
    for segment in column.segments:
        assert segment.y + segment.height == pytest.approx(bottom, abs=0.2)
        bottom = segment.y


def test_a_sparkline_stays_within_its_bounds() -> None:
    first, last = at("2025-01-01T10:00"), at("2026-11-22T10:00")
    path = charts.sparkline(
        {first.date(): 1, last.date(): 500}, (first, last), width=150, height=22
    )
    assert path.count("M") == 2
    low, high = path.split("M")[1:]
    assert low.startswith("0.0 22v-1")
    x = float(high.split()[0])
    assert 140 < x < 150
    assert "v-22" in high
