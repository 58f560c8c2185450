# SPDX-License-Identifier: Apache-2.0
"""What ``bm-shim compare`` does: sign in, ask both, show what differs."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bm_shim.callers import log
from bm_shim.compare import cases, sign_in
from bm_shim.compare.cases import Case
from bm_shim.compare.client import Answer, Server
from bm_shim.compare.difference import Difference, differences
from bm_shim.compare.errors import CompareError, NoAnswer
from bm_shim.compare.report import Report, Result

#: After so many requests in a row without an answer no further one is sent.
_MOST_FAILURES = 5


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the command."""

    old_url: str
    new_url: str
    #: Logs whose reads are sent; none: the standard requests.
    logs: Sequence[Path]
    #: How many nodes are shown, and how many requests of logs are sent, at most.
    nodes: int
    limit: int
    #: Seconds for a request, and for all of them.
    timeout: float
    deadline: float
    token_file: Path | None
    os_cloud: str | None
    cacert: Path | None
    insecure: bool


def run(request: Request) -> Report:
    """Compare the two servers.

    :raises CompareError: it could not even begin
    """
    old, new = cases.endpoint(request.old_url), cases.endpoint(request.new_url)
    prefix = cases.common_prefix(old, new)
    of_logs = _read_logs(request) if request.logs else None
    token, verify = _sign_in(request)
    with (
        Server(old.root, token=token, verify=verify, timeout=request.timeout) as one,
        Server(new.root, token=token, verify=verify, timeout=request.timeout) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        sides = _Sides(one, other, pool)
        asked = _standard(prefix, sides, request.nodes) if of_logs is None else iter(of_logs)
        return _compare(request, sides, asked)


def show(report: Report, *, as_json: bool) -> int:
    """Print the report and return the exit status."""
    click.echo(json.dumps(report.as_json(), indent=2) if as_json else report.as_text())
    return report.exit_status


class _Sides:
    """Both servers, asked at the same time."""

    def __init__(self, old: Server, new: Server, pool: ThreadPoolExecutor) -> None:
        self._old = old
        self._new = new
        self._pool = pool

    def ask(self, case: Case) -> tuple[Answer, Answer]:
        """Return what both answer, the old one first.

        :raises NoAnswer: one of them does not
        """
        other = self._pool.submit(self._new.ask, case)
        try:
            return self._old.ask(case), other.result()
        finally:
            other.exception()

    def ask_old(self, case: Case) -> Answer:
        """Return what the old one answers."""
        return self._old.ask(case)


def _compare(request: Request, sides: _Sides, asked: Iterator[Case]) -> Report:
    ends = time.monotonic() + request.deadline
    results: list[Result] = []
    stopped = None
    for case in asked:
        if time.monotonic() > ends:
            stopped = f"Stopped after {request.deadline:g} s; not everything has been asked."
            break
        try:
            results.append(_result(sides, case))
        except CompareError as error:
            stopped = str(error)
            break
        last = results[-_MOST_FAILURES:]
        if len(last) == _MOST_FAILURES and all(result.error for result in last):
            stopped = f"Stopped after {_MOST_FAILURES} requests without an answer."
            break
    read = [result.statuses for result in results if result.case.is_about_nodes]
    if not stopped and (200, 200) not in read:
        stopped = "No read of nodes succeeded on both servers, so nothing is proven."
    return Report(request.old_url, request.new_url, results, stopped)


def _result(sides: _Sides, case: Case) -> Result:
    try:
        old, new = sides.ask(case)
        found = differences(old, new)
        if found:
            # Machines change while they are looked at, and not for both at once.
            found = _lasting(found, differences(*sides.ask(case)))
    except NoAnswer as error:
        return Result(case, error=str(error))
    return Result(case, (old.status, new.status), (old.seconds, new.seconds), found)


def _lasting(found: Iterable[Difference], again: Iterable[Difference]) -> list[Difference]:
    still = {(each.kind, each.where) for each in again}
    return [each for each in found if (each.kind, each.where) in still]


def _standard(prefix: str, sides: _Sides, nodes: int) -> Iterator[Case]:
    """Yield the standard requests, then those for single nodes of the old server's list."""
    yield from cases.standard(prefix)
    try:
        answer = sides.ask_old(Case(f"{prefix}/os-baremetal-nodes"))
    except NoAnswer:
        return
    yield from cases.shows(prefix, _node_ids(answer.body)[:nodes])


def _node_ids(body: str) -> list[Any]:
    try:
        return [node["id"] for node in json.loads(body)["nodes"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


def _read_logs(request: Request) -> list[Case]:
    found: dict[Case, None] = {}
    for file in request.logs:
        try:
            with open(file, "rb") as stream:
                found |= dict.fromkeys(cases.of_log(log.lines(stream), request.limit))
        except log.UNREADABLE as error:
            raise CompareError(f"{file}: {error}") from error
    if not found:
        raise CompareError("The logs hold no GET request for bare metal nodes.")
    return list(found)[: request.limit]


def _sign_in(request: Request) -> tuple[Callable[[], str | None], bool | str]:
    """Return what gives the token, and how to check certificates."""
    verify: bool | str = True
    if request.token_file is not None:
        token = sign_in.from_file(request.token_file)
    else:
        token, verify = sign_in.from_cloud(request.os_cloud)
    if request.insecure:
        return token, False
    return token, str(request.cacert) if request.cacert else verify
