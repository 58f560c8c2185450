# SPDX-License-Identifier: Apache-2.0
"""Alerts and dashboard: checked by Prometheus, with numbers of a real service."""

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from daemons import Daemon, find_program, running
from functional.support import Cloud, wait_until

from bm_shim import metrics
from bm_shim.sandbox.address import Address

from .support import DEPLOY, run

RULES = DEPLOY / "prometheus" / "bm-shim.rules.yml"
TESTS = sorted(Path(__file__).parent.glob("prometheus/*_test.yml"))
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "bm-shim.json").read_text())
PANELS: list[dict[str, Any]] = [each for each in DASHBOARD["panels"] if each["type"] != "row"]
#: When they yield something, all that happened has been scraped at least twice.
SIGNS = (
    'rate(bm_shim_ironic_requests_total{status="404"}[10s]) > 0',
    'rate(bm_shim_calls_total{format="union", status="200"}[10s]) > 0',
)
#: What the dashboard's variables stand for.
VARIABLES = {"$job": "bm-shim", "$instance": ".*", "$__rate_interval": "10s"}

Query = Callable[[str], list[Any]]


@pytest.fixture(scope="module")
def promtool() -> str:
    """The program."""
    return find_program("promtool", "prometheus")


def expressions() -> list[str]:
    """All that alerts and panels ask Prometheus."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    alerts = [rule["expr"] for group in groups for rule in group["rules"]]
    return [*alerts, *(target["expr"] for panel in PANELS for target in panel["targets"])]


def test_the_configuration_is_valid(promtool: str) -> None:
    run(promtool, "check", "config", DEPLOY / "prometheus" / "prometheus.yml")


def test_alerts_fire_when_they_should(promtool: str, tmp_path: Path) -> None:
    for file in (RULES, *TESTS):
        shutil.copy(file, tmp_path)
    run(promtool, "test", "rules", *(tmp_path / file.name for file in TESTS))


def test_every_alert_is_tested() -> None:
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    fired = {
        test["alertname"]
        for file in TESTS
        for group in yaml.safe_load(file.read_text())["tests"]
        for test in group["alert_rule_test"]
        if test["exp_alerts"]
    }
    assert fired == {rule["alert"] for rule in rules}


def test_only_metrics_that_there_are() -> None:
    known = {
        sample
        for family in metrics.REGISTRY.collect()
        for sample in (
            family.name,
            *(f"{family.name}_{end}" for end in ("total", "bucket", "count", "sum")),
        )
    }
    used = {name for text in expressions() for name in re.findall(r"\bbm_shim_\w+", text)}
    assert used <= known
    # And all of them.
    assert {name.removesuffix("_total").removesuffix("_bucket") for name in used} == {
        family.name for family in metrics.REGISTRY.collect()
    }


def test_panels_do_not_overlap() -> None:
    def area(panel: Mapping[str, Any]) -> set[tuple[int, int]]:
        at = panel["gridPos"]
        return {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }

    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in combinations(panels, 2):
        assert not area(one) & area(other), (one["title"], other["title"])
    assert all(x < 24 for panel in panels for x, _ in area(panel))


def test_panels_use_the_variables() -> None:
    names = {f"${variable['name']}" for variable in DASHBOARD["templating"]["list"]}
    assert names == {"$datasource", "$job", "$instance"}
    for panel in PANELS:
        assert panel["datasource"]["uid"] == "${datasource}"
        for target in panel["targets"]:
            assert 'job=~"$job", instance=~"$instance"' in target["expr"]


@pytest.fixture(scope="module")
def prometheus(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    """Asks a Prometheus that scrapes a shim, of the moment when that was called well and badly."""
    directory = tmp_path_factory.mktemp("prometheus")
    program = find_program("prometheus")
    address = Address()
    with cloud.shim("metered", metrics={"enabled": True}) as shim:
        config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["scrape_configs"][0]["static_configs"] = [{"targets": [shim.address.netloc]}]
        shutil.copy(RULES, directory)
        (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
        command = [
            program,
            f"--config.file={directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address={address.netloc}",
        ]
        with running(Daemon(command, address, directory / "log")) as daemon:
            daemon.wait_for("/-/ready")
            api = cloud.api_of(shim)
            wait_until(lambda: bool(query(daemon, 'up{job="bm-shim"} == 1')), 30)

            def call() -> None:
                api.list()
                api.show("nothing")
                requests.get(f"{shim.url}/", timeout=10)

            def is_seen() -> bool:
                call()
                return all(query(daemon, each) for each in SIGNS)

            wait_until(is_seen, 60)
            seen_at = time.time()
            yield lambda expression: query(daemon, expression, seen_at)


def query(prometheus: Daemon, expression: str, at: float | None = None) -> list[Any]:
    """Return what an expression yields at a time, now if none is given."""
    parameters = {"query": expression} | ({"time": str(at)} if at else {})
    response = requests.get(f"{prometheus.url}/api/v1/query", params=parameters, timeout=10)
    answer = response.json()
    assert answer["status"] == "success", answer
    result: list[Any] = answer["data"]["result"]
    return result


@pytest.mark.parametrize(
    ("title", "expression"),
    [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]],
)
def test_every_panel_has_something_to_show(prometheus: Query, title: str, expression: str) -> None:
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    found = prometheus(expression)
    if title == "Errors of Ironic by status":
        assert [each["metric"] for each in found] == [{"status": "404"}]
    else:
        assert found
        assert all(each["value"][1] != "NaN" for each in found[:1])


def test_the_variables_find_the_replicas(prometheus: Query) -> None:
    (series,) = prometheus('bm_shim_calls_in_progress{job=~"bm-shim"}')
    assert series["metric"]["job"] == "bm-shim"
    assert series["metric"]["instance"]


def test_no_alert_fires(prometheus: Query) -> None:
    assert prometheus("ALERTS") == []
