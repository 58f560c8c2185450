# SPDX-License-Identifier: Apache-2.0
"""``gunicorn.conf.py``: several processes, their metrics, and an end that loses nothing."""

import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from daemons import Daemon
from functional.support import Answer, Cloud, Forward, Proxy, Request, wait_until
from prometheus_client.parser import text_string_to_metric_families

from bm_shim.sandbox.address import Address

from .support import DEPLOY, run

GUNICORN = [sys.executable, "-m", "gunicorn", "--config", DEPLOY / "gunicorn.conf.py"]
APPLICATION = "bm_shim.wsgi:application"

Environment = Callable[..., Mapping[str, str]]


def metrics(url: str) -> dict[str, float]:
    """Names with labels, as ``name{a,b}``, to values."""
    text = requests.get(f"{url}/metrics", timeout=10).text
    return {
        f"{sample.name}{{{','.join(value for _, value in sorted(sample.labels.items()))}}}": (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def calls(url: str) -> dict[str, float]:
    """Lists by status."""
    head = "bm_shim_calls_total{union,os-baremetal-nodes:list,"
    return {
        name.removeprefix(head).rstrip("}"): value
        for name, value in metrics(url).items()
        if name.startswith(head)
    }


def listing(cloud: Cloud, url: str) -> requests.Response:
    return requests.get(
        f"{url}/v2.1/os-baremetal-nodes",
        headers={"X-Auth-Token": cloud.admin_token, "Connection": "close"},
        timeout=60,
    )


@pytest.fixture
def start(
    tmp_path: Path, address: Address, environment: Environment
) -> Iterator[Callable[..., Daemon]]:
    """Starts the shim as the settings say; ``OS_*`` and others go into its environment."""
    daemons: list[Daemon] = []

    def begin(options: Mapping[str, object] | None = None, **others: object) -> Daemon:
        settings = {"METRICS__ENABLED": True, **(options or {})}
        made = environment(settings, BM_SHIM_BIND=address.netloc, **others)
        daemons.append(Daemon([*GUNICORN, APPLICATION], address, tmp_path / "log", made))
        daemons[-1].start()
        daemons[-1].wait_for("/healthcheck")
        return daemons[-1]

    yield begin
    for daemon in daemons:
        daemon.stop()


def test_the_settings_are_sound(environment: Environment) -> None:
    run(*GUNICORN, "--check-config", APPLICATION, **environment())


@pytest.mark.parametrize(
    "headers",
    [
        {"SCRIPT_NAME": "/x"},
        {"PATH_INFO": "/healthcheck"},
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-Ssl": "on"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_nobody_on_this_machine_changes_what_is_called(
    start: Callable[..., Daemon], headers: dict[str, str]
) -> None:
    daemon = start()
    assert requests.get(f"{daemon.url}/x/healthcheck", headers=headers).status_code == 404
    versions = requests.get(f"{daemon.url}/", headers=headers)
    links = {link["href"] for each in versions.json()["versions"] for link in each["links"]}
    assert links
    assert all(link.startswith(f"{daemon.url}/v") for link in links)


def workers_of(daemon: Daemon) -> set[int]:
    return {child.pid for child in psutil.Process(daemon.pid).children()}


def test_metrics_are_those_of_all_processes(
    cloud: Cloud, start: Callable[..., Daemon], tmp_path: Path
) -> None:
    directory = tmp_path / "metrics"
    directory.mkdir()
    left_behind = directory / "counter_99.db"
    left_behind.write_bytes(b"of an earlier run")
    daemon = start(WEB_CONCURRENCY=3, PROMETHEUS_MULTIPROC_DIR=directory)
    assert not left_behind.exists()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: listing(cloud, daemon.url).status_code, range(60)))
    assert answers == [200] * 60
    # Whichever process is asked.
    told = [calls(daemon.url) for _ in range(12)]
    assert told == [{"200": 60}] * 12
    counting = {file.stem.rpartition("_")[2] for file in directory.glob("counter_*.db")}
    assert len(counting) > 1

    # What ended processes have counted stays; what was going on in them does not.
    for pid in workers_of(daemon):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(workers_of(daemon)) == 3 and daemon.ask("/healthcheck") == 200)
    listing(cloud, daemon.url)
    assert calls(daemon.url) == {"200": 61}
    assert metrics(daemon.url)["bm_shim_calls_in_progress{}"] == 0


def test_a_directory_of_its_own_is_removed(start: Callable[..., Daemon]) -> None:
    daemon = start()
    (worker, *_) = workers_of(daemon)
    mapped = {Path(each.path).parent for each in psutil.Process(worker).memory_maps()}
    (directory,) = (each for each in mapped if each.name.startswith("bm-shim-metrics-"))
    assert directory.is_dir()
    daemon.terminate()
    assert daemon.wait() == 0
    assert not directory.exists()


def test_a_new_gunicorn_in_place_of_another_has_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the old one would take it along; after a SIGHUP the new one inherits the name."""
    for name in ("PROMETHEUS_MULTIPROC_DIR", "BM_SHIM_OWN_METRICS_DIR"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    settings = runpy.run_path(str(DEPLOY / "gunicorn.conf.py"))
    made = []
    for _ in range(2):
        settings["on_starting"](None)
        made.append(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
    assert made[0] != made[1]
    settings["on_exit"](None)
    assert [each.is_dir() for each in made] == [True, False]
    made[0].rmdir()


def test_calls_under_way_are_finished(cloud: Cloud, start: Callable[..., Daemon]) -> None:
    arrived, release = threading.Event(), threading.Event()

    def hold(request: Request, forward: Forward) -> Answer:
        if request.is_list("nodes"):
            arrived.set()
            release.wait(20)
        return forward()

    with Proxy(cloud.sandbox.ironic_url, hold) as proxy, ThreadPoolExecutor(1) as pool:
        daemon = start({"IRONIC__ENDPOINT_OVERRIDE": proxy.url}, WEB_CONCURRENCY=1)
        answer: Any = pool.submit(listing, cloud, daemon.url)
        assert arrived.wait(20)
        assert metrics(daemon.url)["bm_shim_calls_in_progress{}"] == 1
        daemon.terminate()
        # Nobody else is let in meanwhile.
        wait_until(lambda: daemon.ask("/healthcheck") is None)
        release.set()
        assert answer.result().status_code == 200
        assert daemon.wait() == 0


def test_it_needs_no_home_and_leaves_no_socket(
    start: Callable[..., Daemon], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    start(HOME=home)
    # stevedore may have made a cache of what is installed.
    assert not [each for each in home.rglob("*") if each.is_socket()]
