# SPDX-License-Identifier: Apache-2.0
"""``/healthcheck/deep``: what it says, how long it takes, and how often anybody is asked."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import werkzeug.test

from bm_shim import deep_health, errors
from bm_shim.deep_health import DeepHealth, Probe
from bm_shim.inventory import Inventory

from .conftest import WITH_KEYSTONE, Api, MakeConf
from .wire import ALWAYS, REFUSED, SERVICE_PASSWORD, Answer, Ironic, Keystone, refusal

DEEP = "/healthcheck/deep"


def get(app: DeepHealth) -> tuple[int, Any]:
    response = werkzeug.test.Client(app).get(DEEP)
    return response.status_code, response.json


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def wait_until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends


def raising(error: Exception) -> Probe:
    def probe() -> None:
        raise error

    return probe


def test_all_is_well() -> None:
    app = DeepHealth({"ironic": lambda: None, "keystone": lambda: None})
    services = {"ironic": "ok", "keystone": "ok"}
    assert get(app) == (200, {"status": "ok", "services": services})


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.ServiceUnavailable(detail="s3cret"), "cannot be reached"),
        (errors.NotSetUp(detail="s3cret"), "is not usable; the log says why"),
        (errors.ConfigurationError("s3cret"), "is not usable; the log says why"),
        (RuntimeError("s3cret"), "could not be looked at; the log says why"),
    ],
)
def test_what_is_wrong_without_details(
    error: Exception, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = DeepHealth({"ironic": raising(error), "keystone": lambda: None})
    services = {"ironic": words, "keystone": "ok"}
    assert get(app) == (503, {"status": "failed", "services": services})
    assert "s3cret" in caplog.text


def test_services_are_asked_once_in_a_while(clock: Clock) -> None:
    asked: list[None] = []
    app = DeepHealth({"ironic": lambda: asked.append(None)}, clock)
    for _ in range(5):
        assert get(app)[0] == 200
    clock.now += deep_health.INTERVAL - 0.1
    get(app)
    assert len(asked) == 1
    clock.now += 0.2
    get(app)
    assert len(asked) == 2


@pytest.fixture
def hanging() -> Iterator[tuple[list[None], Probe, threading.Event]]:
    """A service that does not answer, until the event is set."""
    release = threading.Event()
    asked: list[None] = []

    def probe() -> None:
        asked.append(None)
        release.wait(30)

    yield asked, probe, release
    release.set()


def test_a_service_that_hangs_is_not_waited_for(
    clock: Clock, hanging: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deep_health, "_PATIENCE", 0.05)
    asked, probe, release = hanging
    app = DeepHealth({"ironic": probe, "keystone": lambda: None}, clock)
    slow = {"ironic": "does not answer in time", "keystone": "ok"}
    for _ in range(3):
        assert get(app) == (503, {"status": "failed", "services": slow})
        clock.now += deep_health.INTERVAL
    # Nor asked again while it hangs.
    assert len(asked) == 1
    release.set()
    # What comes late counts all the same.
    wait_until(lambda: get(app)[0] == 200)


def test_a_service_that_hangs_holds_up_only_those_who_come_first(
    clock: Clock, hanging: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else those who ask without pause would take all threads."""
    monkeypatch.setattr(deep_health, "_PATIENCE", 0.05)
    app = DeepHealth({"ironic": hanging[1]}, clock)
    assert get(app)[0] == 503
    clock.now += 0.05
    monkeypatch.setattr(deep_health, "_PATIENCE", 10)
    began = time.monotonic()
    assert get(app)[0] == 503
    assert time.monotonic() - began < 5


def test_a_crowd_asks_once(clock: Clock, hanging: Any) -> None:
    asked, probe, release = hanging
    app = DeepHealth({"ironic": probe}, clock)
    answers: list[int] = []
    crowd = [threading.Thread(target=lambda: answers.append(get(app)[0])) for _ in range(20)]
    for each in crowd:
        each.start()
    release.set()
    for each in crowd:
        each.join()
    assert (len(asked), answers) == (1, [200] * 20)


# In the service


@pytest.fixture
def api(make_conf: MakeConf, ironic: Ironic, keystone: Keystone) -> Api:
    conf = make_conf(WITH_KEYSTONE)
    return Api(conf, Inventory(conf))


def test_the_service(api: Api, ironic: Ironic, keystone: Keystone) -> None:
    response = api("GET", DEEP)
    assert response.json == {"status": "ok", "services": {"ironic": "ok", "keystone": "ok"}}
    assert response.status_code == 200
    assert response.content_type == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert ironic.changes == []
    api("GET", DEEP)
    assert len(ironic.calls) == 1
    # One to sign in, and one for itself.
    assert sorted(keystone.calls) == ["GET /v3", "GET /v3", "POST /v3/auth/tokens"]


def test_without_keystone(make_conf: MakeConf, ironic: Ironic) -> None:
    conf = make_conf()
    response = Api(conf, Inventory(conf))("GET", DEEP)
    assert response.json == {"status": "ok", "services": {"ironic": "ok"}}


@pytest.mark.parametrize(
    ("ironic_fails", "keystone_fails", "services"),
    [
        (REFUSED, None, {"ironic": "cannot be reached", "keystone": "ok"}),
        (Answer(503), None, {"ironic": "cannot be reached", "keystone": "ok"}),
        (refusal(403, "x"), None, {"ironic": "is not usable; the log says why", "keystone": "ok"}),
        (None, REFUSED, {"ironic": "cannot be reached", "keystone": "cannot be reached"}),
        (None, Answer(500), {"ironic": "cannot be reached", "keystone": "cannot be reached"}),
    ],
)
def test_a_service_that_is_away(
    api: Api,
    ironic: Ironic,
    keystone: Keystone,
    ironic_fails: Any,
    keystone_fails: Any,
    services: dict[str, str],
) -> None:
    if ironic_fails is not None:
        ironic.fail("GET /v1/nodes", ironic_fails, times=ALWAYS)
    if keystone_fails is not None:
        keystone.fail(".*", keystone_fails, times=ALWAYS)
    response = api("GET", DEEP)
    assert response.status_code == 503
    assert response.json == {"status": "failed", "services": services}
    assert SERVICE_PASSWORD not in response.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_not_there(api: Api, method: str) -> None:
    assert api(method, DEEP).status_code == 404


def test_the_balancers_check_asks_nobody(api: Api, ironic: Ironic, keystone: Keystone) -> None:
    assert api("GET", "/healthcheck").status_code == 200
    assert ironic.calls == keystone.calls == []
