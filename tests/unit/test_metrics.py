# SPDX-License-Identifier: Apache-2.0
"""Metrics: what is counted, under which labels, and who may see it."""

import os
import re
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.parser import text_string_to_metric_families

from bm_shim import errors
from bm_shim.inventory import Inventory

from .conftest import WITH_KEYSTONE, Api, MakeConf, Options, StubInventory
from .wire import (
    ALWAYS,
    LOCKED,
    PROJECT,
    REFUSED,
    TIMEOUT,
    Answer,
    Ironic,
    Keystone,
    Request,
    refusal,
)

COLLECTION = "/v2.1/os-baremetal-nodes"
UUID = "1be26c0b-03f2-4d2e-ae87-c02d7f33c123"
METRICS: Options = {"metrics": {"enabled": True}}

Samples = dict[tuple[str, tuple[str, ...]], float]


def samples(api: Api) -> Samples:
    """What is told, by name and values of the labels, in the order of their names."""
    response = api("GET", "/metrics")
    assert response.status_code == 200
    assert response.content_type.startswith("text/plain; version=")
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_created"))
    }


class Counted:
    """What was counted since: the metrics are those of the process."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._before = samples(api)

    def __call__(self, name: str) -> dict[tuple[str, ...], float]:
        return {
            labels: value - self._before.get((each, labels), 0)
            for (each, labels), value in samples(self.api).items()
            if each == name and value != self._before.get((each, labels), 0)
        }


@pytest.fixture
def make_api(make_conf: MakeConf, inventory: StubInventory) -> Callable[..., Api]:
    return lambda *options: Api(make_conf(METRICS, *options), inventory)


def test_they_are_off_by_default(api: Api) -> None:
    response = api("GET", "/metrics")
    assert response.status_code == 404
    assert response.json == {
        "itemNotFound": {"code": 404, "message": "The resource could not be found."}
    }


def test_they_need_no_token(
    make_conf: MakeConf, inventory: StubInventory, keystone: Keystone
) -> None:
    assert samples(Api(make_conf(WITH_KEYSTONE, METRICS), inventory))
    assert keystone.calls == []


def test_processes_that_do_not_know_of_each_other_tell_nothing(
    make_api: Callable[..., Api],
) -> None:
    """The numbers of one of them would look like those of all."""
    response = make_api()("GET", "/metrics", environ_overrides={"wsgi.multiprocess": True})
    assert response.status_code == 503
    assert "PROMETHEUS_MULTIPROC_DIR is not set" in response.text


def test_what_ended_processes_were_doing_is_forgotten(
    make_api: Callable[..., Api], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not what they have counted."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    ended = subprocess.Popen(["true"])
    ended.wait()
    for pid in (ended.pid, os.getpid()):
        for kind, name in (("gauge_livesum", "in_progress"), ("counter", "done_total")):
            file = str(tmp_path / f"{kind}_{pid}.db")
            values: Any = MmapedDict(file)  # type: ignore[no-untyped-call]
            values.write_value(mmap_key(name, name, [], [], ""), 3.0, 0.0)
            values.close()
    told = samples(make_api())
    assert told == {("in_progress", ()): 3, ("done_total", ()): 6}


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
def test_other_methods_are_not_there(make_api: Callable[..., Api], method: str) -> None:
    assert make_api()(method, "/metrics").status_code == 404


def test_calls_by_operation_format_and_status(
    make_api: Callable[..., Api], inventory: StubInventory
) -> None:
    api = make_api({"api": {"response_format": "nova-baremetal,v2.1:ironic-proxy"}})
    counted = Counted(api)
    api("GET", COLLECTION)
    api("GET", COLLECTION)
    api("GET", f"/v2/{PROJECT}/os-baremetal-nodes/1")
    api("POST", f"{COLLECTION}/1/action", json={"remove_interface": {"id": 1}})
    inventory.failure = errors.ServiceUnavailable()
    api("DELETE", f"{COLLECTION}/1")
    assert counted("bm_shim_calls_total") == {
        ("ironic-proxy", "os-baremetal-nodes:list", "200"): 2,
        ("nova-baremetal", "os-baremetal-nodes:show", "200"): 1,
        ("ironic-proxy", "os-baremetal-nodes:remove_interface", "202"): 1,
        ("ironic-proxy", "os-baremetal-nodes:delete", "503"): 1,
    }
    assert counted("bm_shim_call_seconds_count")[("os-baremetal-nodes:list",)] == 2


def test_what_is_no_operation_has_one_label(make_api: Callable[..., Api]) -> None:
    """Else whoever makes up paths would fill the memory."""
    api = make_api()
    counted = Counted(api)
    for path in ("/", "/v2.1/", "/v2.1/extensions", "/x/y", "/v2.1/x?a=b"):
        api("GET", path)
    api("FOO", COLLECTION)
    assert counted("bm_shim_calls_total") == {("", "other", "200"): 3, ("", "other", "404"): 3}


def test_whom_nobody_let_in(
    make_conf: MakeConf, inventory: StubInventory, keystone: Keystone
) -> None:
    api = Api(make_conf(WITH_KEYSTONE, METRICS), inventory)
    counted = Counted(api)
    api("GET", COLLECTION, token="nobody")
    api("GET", COLLECTION, token="member")
    assert counted("bm_shim_calls_total") == {
        ("", "other", "401"): 1,
        ("union", "os-baremetal-nodes:list", "403"): 1,
    }


def test_probes_are_not_counted(make_api: Callable[..., Api]) -> None:
    api = make_api()
    counted = Counted(api)
    for path in ("/healthcheck", "/healthcheck/deep", "/metrics"):
        api("GET", path)
    assert counted("bm_shim_calls_total") == {}


def test_calls_in_progress(
    make_api: Callable[..., Api], inventory: StubInventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = make_api()
    seen: list[float] = []

    def look(context: object, node_id: str) -> None:
        seen.append(samples(api)["bm_shim_calls_in_progress", ()])

    monkeypatch.setattr(inventory, "delete_node", look)
    api("DELETE", f"{COLLECTION}/1")
    assert seen == [1]
    assert samples(api)["bm_shim_calls_in_progress", ()] == 0


# Requests to Ironic


@pytest.fixture
def counted(make_conf: MakeConf, ironic: Ironic) -> Counted:
    """A shim with a real inventory, and an Ironic with one node."""
    ironic.add_node(UUID)
    conf = make_conf(METRICS, {"ironic": {"api_max_retries": 1}})
    return Counted(Api(conf, Inventory(conf)))


def test_requests_to_ironic(counted: Counted) -> None:
    counted.api("GET", f"{COLLECTION}/{UUID}")
    counted.api(
        "POST",
        f"{COLLECTION}/{UUID}/action",
        json={"add_interface": {"address": "52:54:00:ab:0:1"}},
    )
    counted.api("DELETE", f"{COLLECTION}/{UUID}")
    assert counted("bm_shim_ironic_requests_total") == {
        ("GET /v1/nodes/{id}", "200"): 1,
        ("GET /v1/ports", "200"): 1,
        ("DELETE /v1/nodes/{id}", "204"): 1,
    }
    assert counted("bm_shim_ironic_request_seconds_count")[("GET /v1/ports",)] == 1


@pytest.mark.parametrize(
    ("outcome", "status", "attempts"),
    [
        (refusal(409, LOCKED), "409", 2),
        (refusal(404, "gone"), "404", 1),
        (Answer(500), "500", 1),
        (REFUSED, "unreachable", 1),
        (TIMEOUT, "timeout", 1),
    ],
)
def test_errors_of_ironic(
    counted: Counted, ironic: Ironic, outcome: Any, status: str, attempts: int
) -> None:
    ironic.fail("DELETE /v1/nodes/.*", outcome, times=ALWAYS)
    counted.api("DELETE", f"{COLLECTION}/{UUID}")
    deletes = {
        labels: value
        for labels, value in counted("bm_shim_ironic_requests_total").items()
        if labels[0].startswith("DELETE")
    }
    assert deletes == {("DELETE /v1/nodes/{id}", status): attempts}


def test_signing_in_is_no_request_to_ironic(
    make_conf: MakeConf, ironic: Ironic, keystone: Keystone
) -> None:
    conf = make_conf(WITH_KEYSTONE, METRICS)
    counted = Counted(Api(conf, Inventory(conf)))
    counted.api("GET", COLLECTION, token="admin")
    assert "POST /v3/auth/tokens" in keystone.calls
    names = {labels[0] for labels in counted("bm_shim_ironic_requests_total")}
    assert names == {"GET /v1/nodes", "GET /v1/ports"}


def test_where_lists_come_from(make_conf: MakeConf, ironic: Ironic) -> None:
    conf = make_conf(METRICS, {"api": {"list_max_age": 60}})
    counted = Counted(Api(conf, Inventory(conf)))
    for _ in range(3):
        counted.api("GET", COLLECTION)
    assert counted("bm_shim_lists_total") == {("read",): 1, ("kept",): 2}


def test_lists_that_share_a_read(make_conf: MakeConf, ironic: Ironic) -> None:
    """One is read at once, and all who come meanwhile share the next."""
    conf = make_conf(METRICS)
    api = Api(conf, Inventory(conf))
    counted = Counted(api)
    arrived, release = threading.Event(), threading.Event()

    def hold(request: Request) -> None:
        arrived.set()
        release.wait(20)

    with ThreadPoolExecutor(5) as pool:
        ironic.before = hold
        first = pool.submit(api, "GET", COLLECTION)
        assert arrived.wait(20)
        others = [pool.submit(api, "GET", COLLECTION) for _ in range(4)]
        while counted("bm_shim_calls_in_progress") != {(): 5}:
            time.sleep(0.01)
        release.set()
        assert {each.result().status_code for each in [first, *others]} == {200}
    found = counted("bm_shim_lists_total")
    assert sum(found.values()) == 5
    assert found[("shared",)] >= 1


def test_tokens_that_keystone_was_asked_about(
    make_conf: MakeConf, inventory: StubInventory, keystone: Keystone
) -> None:
    cached: Options = {"keystone_authtoken": {"token_cache_time": 300}}
    counted = Counted(Api(make_conf(WITH_KEYSTONE, METRICS, cached), inventory))
    for token in ("admin", "admin", "member", "nobody"):
        counted.api("GET", COLLECTION, token=token)
    assert counted("bm_shim_token_checks_total") == {("200",): 2, ("404",): 1}


def test_labels_tell_nothing_of_anybody(counted: Counted) -> None:
    counted.api("GET", f"{COLLECTION}/{UUID}", headers={"User-Agent": "tell-tale"})
    text = counted.api("GET", "/metrics").text
    for secret in (UUID, "tell-tale", "127.0.0.1", PROJECT, "noauth"):
        assert secret not in text
    assert not re.search("[0-9a-f]{8}-", text)
