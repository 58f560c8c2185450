# SPDX-License-Identifier: Apache-2.0
"""Measure the shim against the bare minimum, in a sandbox of its own: ``make bench``.

Only ratios are printed, of times taken side by side in one run: the seconds are the machine's.
"""

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click
from functional.support import LogTail

from bm_shim.sandbox import Sandbox
from bm_shim.sandbox.demo import PORTS_PER_NODE

from . import chart
from .callers import list_at_once
from .costs import Workers, list_reads
from .pairs import Limits, Spread, alternate, ratios, rounds, seconds_of
from .result import BARE, Comparison, Load, Result
from .subjects import BareIronic, PythonClient, Shim

#: How many ask for the list at the same moment.
CALLERS = (1, 10, 50)

Progress = Callable[[str], None]

_LIST = "a list"
_CLIENT = "list by python-ironicclient, full detail"


class Bench:
    """Takes the measures, one kind after the other."""

    def __init__(self, sandbox: Sandbox, limits: Limits) -> None:
        self._sandbox = sandbox
        self._limits = limits
        self._token = sandbox.admin.token()
        self._shim = Shim(sandbox.url, self._token)

    def reads(self) -> Iterator[Comparison]:
        """List and show, against bare requests; the list, against Ironic's own client."""
        with self._bare_ironic() as bare:
            client = PythonClient(self._sandbox)
            lists = alternate(
                {"bare": bare.list, "shim": self._shim.list, "client": client.list}, self._limits
            )
            uuid = self._shim.list()[0]["uuid"]
            shows = alternate(
                {"bare": lambda: bare.show(uuid), "shim": lambda: self._shim.show(uuid)},
                self._many_rounds(),
            )
        yield Comparison("list", BARE, ratios(lists["shim"], lists["bare"]), goal=1.10)
        yield Comparison("show", BARE, ratios(shows["shim"], shows["bare"]), goal=1.25)
        yield Comparison(_CLIENT, BARE, ratios(lists["client"], lists["bare"]), of_the_shim=False)
        yield Comparison("list", _CLIENT, ratios(lists["shim"], lists["client"]))

    def writes(self) -> Iterator[Comparison]:
        """Create and delete, against bare requests."""
        with self._bare_ironic() as bare:
            created = alternate(
                {"bare": bare.create, "shim": self._shim.create}, self._many_rounds()
            )
            limits = Limits(min(len(bare.created), len(self._shim.created)) - 1, float("inf"))
            deleted = alternate({"bare": bare.delete, "shim": self._shim.delete}, limits)
        yield Comparison("create", BARE, ratios(created["shim"], created["bare"]))
        yield Comparison("delete", BARE, ratios(deleted["shim"], deleted["bare"]))

    def kept_list(self) -> Iterator[Comparison]:
        """The list with ``[api] list_max_age``, against one that is read anew."""
        keeping = self._sandbox.add_shim("keeping", {"api": {"list_max_age": 3600}})
        try:
            kept = Shim(keeping.url, self._token)
            times = alternate({"kept": kept.list, "anew": self._shim.list}, self._limits)
        finally:
            keeping.stop()
        yield Comparison("list kept by list_max_age", _LIST, ratios(times["kept"], times["anew"]))

    def cold_start(self) -> Iterator[Comparison]:
        """From the start of the server to its first answer, and the first list, against others."""
        server = self._sandbox.shim
        starts, firsts, lists = [], [], []
        for _ in rounds(self._few_rounds()):
            server.stop()
            starts.append(seconds_of(server.start))
            firsts.append(seconds_of(self._shim.list))
            lists.append(seconds_of(self._shim.list))
        yield Comparison("cold start", _LIST, ratios(starts, lists))
        yield Comparison("first list after it", _LIST, ratios(firsts, lists))

    def loads(self) -> Iterator[Load]:
        """The list for many callers at once; each round takes all numbers of callers in turn."""
        # A worker that has done nothing yet, for its memory.
        self._sandbox.shim.restart()
        workers = Workers(self._sandbox.shim)
        self._shim.list()
        runs: dict[int, list[_Run]] = {callers: [] for callers in CALLERS}
        for _ in rounds(self._few_rounds()):
            for callers in CALLERS:
                runs[callers].append(self._run(callers, workers))
        for callers in CALLERS:
            pairs = list(zip(runs[callers], runs[1], strict=True))
            yield Load(
                callers=callers,
                median=Spread.of([statistics.median(a.times) / b.times[0] for a, b in pairs]),
                last=Spread.of([max(a.times) / b.times[0] for a, b in pairs]),
                ironic_lists=max(run.ironic_lists for run in runs[callers]),
                cpu_seconds=Spread.of([run.cpu_seconds for run in runs[callers]]),
                peak_mib=max(run.peak_mib for run in runs[callers]),
            )

    def _run(self, callers: int, workers: Workers) -> "_Run":
        log = LogTail(self._sandbox.ironic.log_path)
        workers.forget_peak()
        before = workers.cpu_seconds()
        times = list_at_once(self._shim, callers)
        return _Run(times, list_reads(log), workers.cpu_seconds() - before, workers.peak_mib())

    def _few_rounds(self) -> Limits:
        """Return the limits for rounds of many lists."""
        return self._limits._replace(rounds=self._limits.rounds // 2)

    def _many_rounds(self) -> Limits:
        """Return the limits for what takes milliseconds."""
        return self._limits._replace(rounds=self._limits.rounds * 10)

    @contextmanager
    def _bare_ironic(self) -> Iterator[BareIronic]:
        bare = BareIronic(self._sandbox.ironic_url, self._token)
        try:
            yield bare
        finally:
            bare.close()


class _Run(NamedTuple):
    """What a number of callers at once took, and cost."""

    times: list[float]
    ironic_lists: int
    cpu_seconds: float
    peak_mib: float


def measure(nodes: int, limits: Limits, progress: Progress = lambda line: None) -> Result:
    """Take all measures.

    :param nodes: demo nodes in Ironic
    :param limits: for each comparison
    """
    with Sandbox(nodes=nodes, progress=progress) as sandbox:
        bench = Bench(sandbox, limits)
        comparisons: list[Comparison] = []
        for title, take in (
            ("list and show", bench.reads),
            ("create and delete", bench.writes),
            ("a kept list", bench.kept_list),
            ("cold start", bench.cold_start),
        ):
            progress(f"Measuring {title}")
            comparisons += take()
        progress("Measuring many callers at once")
        loads = tuple(bench.loads())
    return Result(nodes, nodes * PORTS_PER_NODE, tuple(comparisons), loads)


@click.command()
@click.option("--nodes", type=click.IntRange(1, 100_000), default=1500, show_default=True)
@click.option("--rounds", "number", type=click.IntRange(4), default=20, show_default=True)
@click.option("--seconds", type=float, default=90, show_default=True, help="For each comparison.")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), required=True)
def main(nodes: int, number: int, seconds: float, output: Path) -> None:
    """Measure, print a table, and write bench.json, bench.md and bench.svg into OUTPUT."""
    result = measure(nodes, Limits(number, seconds), lambda line: click.echo(line, err=True))
    output.mkdir(parents=True, exist_ok=True)
    (output / "bench.json").write_text(result.to_json())
    (output / "bench.md").write_text(result.to_text())
    chart.draw(result, output / "bench.svg")
    click.echo(result.to_text())


if __name__ == "__main__":
    main()
