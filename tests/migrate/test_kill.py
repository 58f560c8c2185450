# SPDX-License-Identifier: Apache-2.0
"""The command is killed at ten random moments, and run again each time.

``BM_SHIM_SEED`` repeats the moments of a run that failed, as far as threads allow.
"""

import os
import random
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from functional.support import Answer, Cloud, Forward, Proxy, Request

from bm_shim.sandbox.nova_bm import generate

from . import support
from .support import JSON, Finished

NODES = 12
SEED = int(os.environ.get("BM_SHIM_SEED") or random.SystemRandom().randrange(1_000_000))

#: How often a run is killed before it may end; ten times in all.
KILLS = (1, 2, 3, 4)
#: Seconds between the moment that is waited for and the kill, at most: some requests.
DELAY = 0.05

#: Columns that tell when something was done, or in which order.
VOLATILE = re.compile(r"id|node_id|.*_at|reservation")


@dataclass
class Killer:
    """A rule of a proxy: kills the process when Ironic has done so much.

    :param moments: how many changes Ironic has accepted, since the first process was started.
    :param delays: for each moment, how many seconds after it the process is killed.
    """

    moments: Sequence[int]
    delays: Sequence[float]
    changes: int = 0
    process: "subprocess.Popen[str] | None" = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _killed: int = 0

    def __call__(self, request: Request, forward: Forward) -> Answer:
        answer = forward()
        with self._lock:
            self.changes += request.method != "GET" and answer.status < 300
            self._consider()
        return answer

    def _consider(self) -> None:
        process, number = self.process, self._killed
        if process and number < len(self.moments) and self.changes >= self.moments[number]:
            threading.Timer(self.delays[number], process.kill).start()
            self.process = None
            self._killed += 1


@pytest.fixture(scope="module")
def proxy(cloud: Cloud) -> Iterator[Proxy]:
    with Proxy(cloud.sandbox.ironic_url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database of a few machines."""
    url = f"sqlite:///{tmp_path_factory.mktemp('kill')}/nova_bm.sqlite"
    generate(url, nodes=NODES)
    return url


@dataclass(frozen=True)
class Undisturbed:
    """What a run comes to that nobody kills."""

    state: list[JSON]
    #: How many changes Ironic accepted for it.
    changes: int


@pytest.fixture(scope="module")
def undisturbed(
    cloud: Cloud, proxy: Proxy, url: str, remove_nodes: Callable[[], None]
) -> Undisturbed:
    remove_nodes()
    counter = Killer((), ())
    with proxy.ruled_by(counter):
        assert convert(cloud, proxy, url).status == 0
    return Undisturbed(end_state(cloud), counter.changes)


def start(cloud: Cloud, proxy: Proxy, url: str) -> "subprocess.Popen[str]":
    return support.start(
        *("--nova-bm-db", url, *support.into(cloud.sandbox)),
        variables={"OS_IRONIC__ENDPOINT_OVERRIDE": proxy.url},
    )


def convert(cloud: Cloud, proxy: Proxy, url: str) -> Finished:
    return support.finish(start(cloud, proxy, url))


def end_state(cloud: Cloud) -> list[JSON]:
    """Return all that is in Ironic, but for times and the order in which it was made."""
    nodes = cloud.database.query("SELECT * FROM nodes ORDER BY uuid")
    ports = cloud.database.query(
        "SELECT nodes.uuid AS node_uuid, ports.* FROM ports JOIN nodes ON nodes.id = node_id "
        "ORDER BY address"
    )
    return [
        {name: value for name, value in row.items() if not VOLATILE.fullmatch(name)}
        for row in (*nodes, *ports)
    ]


@pytest.mark.usefixtures("empty_ironic")
@pytest.mark.parametrize("kills", KILLS)
def test_whenever_it_is_killed_the_next_runs_come_to_the_same_end(
    cloud: Cloud, proxy: Proxy, url: str, undisturbed: Undisturbed, kills: int
) -> None:
    print(f"BM_SHIM_SEED={SEED}")
    chance = random.Random(f"{SEED} {kills}")
    killer = Killer(
        moments=sorted(chance.sample(range(undisturbed.changes), kills)),
        delays=[chance.uniform(0, DELAY) for _ in range(kills)],
    )
    with proxy.ruled_by(killer):
        for _ in range(kills):
            process = killer.process = start(cloud, proxy, url)
            assert support.finish(process).status == -signal.SIGKILL
        last = convert(cloud, proxy, url)
    assert last.status == 0, last.text
    assert "differs" not in last.text
    counts = {line.partition(":")[0] for line in last.stdout.splitlines()}
    assert counts.isdisjoint({"failed", "not tried", "left out"})
    assert end_state(cloud) == undisturbed.state
