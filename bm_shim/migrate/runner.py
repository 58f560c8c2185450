# SPDX-License-Identifier: Apache-2.0
"""What ``bm-shim migrate`` does: read, plan, sign in, check, load, compare, report.

Results go to stdout, all else to stderr. The functions return the exit status: 0, every machine is
in Ironic; 1, some are not, or it was not compared or not reported; 2, none is. They raise
:class:`NothingDone` before they begin.
"""

import json
import logging
import os
import signal
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import click
from oslo_config import cfg

from bm_shim import conf as configuration
from bm_shim.context import RequestContext
from bm_shim.errors import ShimError
from bm_shim.ironic import Ironic
from bm_shim.migrate import (
    mapping,
    output,
    plan,
    preflight,
    report,
    settings,
    sign_in,
    source,
    verify,
)
from bm_shim.migrate.errors import MigrateError, explain
from bm_shim.migrate.fleet import Fleet
from bm_shim.migrate.fleet import read as read_fleet
from bm_shim.migrate.load import Loader
from bm_shim.migrate.model import (
    BaremetalOptions,
    Difference,
    NodeMapping,
    NodeResult,
    NovaBm,
    Outcome,
    Plan,
)
from bm_shim.migrate.progress import Progress
from bm_shim.migrate.report import Report

_SOME_LEFT, _NOTHING_DONE = 1, 2


class NothingDone(click.ClickException):
    """Nothing was done; the message says why."""

    exit_code = _NOTHING_DONE


@dataclass(frozen=True)
class Request:
    """What is to be converted, and into what: the options of the command."""

    database: str | None = None
    nova_conf: Path | None = None
    mapping: Path | None = None
    cpu_arch: str | None = None
    driver: str | None = None
    resource_class: str | None = None
    only: tuple[str, ...] = ()
    config_file: Path | None = None
    os_cloud: str | None = None
    report: Path | None = None


def show_plan(request: Request, *, as_json: bool) -> int:
    """Print what a conversion would do. Ironic is not asked."""
    with _explained():
        planned = _Run(request).plan
    if as_json:
        is_told = output.say(json.dumps(report.plan_json(planned), indent=2))
    else:
        is_told = output.say(report.plan_table(planned))
    if not planned.left_out:
        return 0 if is_told else _SOME_LEFT
    return _SOME_LEFT if planned.nodes else _NOTHING_DONE


def convert(request: Request, *, workers: int, timeout: float) -> int:
    """Convert, compare with the database, and report.

    :param workers: machines that are worked on at the same time
    :param timeout: seconds that a machine may take from one state to the next
    """
    with _explained():
        run = _Run(request)
        ironic = run.sign_in()
        run.check(ironic)
        connection = ironic.on_behalf(RequestContext())
        fleet = read_fleet(connection)
    loader = Loader(ironic, workers=workers, timeout=timeout)
    with _Signals() as signals:
        signals.first("Stopping after the machines in hand", loader.stop)
        with Progress(run.plan) as progress:
            results = loader.run(run.plan, fleet, progress.note)
        differences: dict[str, tuple[Difference, ...]] | None = None
        try:
            signals.first("Stopping the comparison", _interrupt)
            differences = verify.compare(run.plan, read_fleet(connection))
        except KeyboardInterrupt:
            run.warn("The result was not compared with the database: that was interrupted.")
        except ShimError as error:
            run.warn(f"The result was not compared with the database: {explain(error)}")
        signals.first("Reporting what was done")
        return run.finish(ironic, results, differences)


def compare(request: Request) -> int:
    """Compare the database with Ironic, changing nothing. What differs counts as left."""
    with _explained():
        run = _Run(request)
        ironic = run.sign_in()
        connection = ironic.on_behalf(RequestContext())
        preflight.ensure_whole_view(connection)
        fleet = read_fleet(connection)
    differences = verify.compare(run.plan, fleet)
    return run.finish(ironic, _presence(run.plan, fleet), differences, is_comparison=True)


class _Run:
    """One run of the command: what it is for, and when it began.

    :raises MigrateError: the database or a file cannot be read
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._began = datetime.now(UTC)
        if request.report:
            _ensure_writable(request.report)
        # It logs each refusal as an error, also those that are answers.
        logging.getLogger("ironicclient").setLevel(logging.CRITICAL)
        self._conf = _configuration(request)
        known = mapping.read(request.mapping) if request.mapping else NodeMapping()
        self._nova_bm, self.plan = _read(request, self._conf, known)
        self._warnings: list[str] = []
        if request.mapping and _is_open(request.mapping) and mapping.holds_secrets(known):
            self.warn(f"Everybody can read {request.mapping}, which holds secrets: chmod 600")

    def sign_in(self) -> Ironic:
        """Sign in to Ironic.

        :raises SignInError: that was not possible
        """
        return sign_in.sign_in(self._conf, os_cloud=self._request.os_cloud)

    def check(self, ironic: Ironic) -> None:
        """Warn of what may go wrong, above all of a cloud that is not off line.

        :raises PreflightError: it is known to go wrong
        """
        for warning in preflight.check(ironic.on_behalf(RequestContext()), self.plan):
            self.warn(warning)
        rows = self._nova_bm.nodes
        hosts = {row.service_host for row in rows if row.service_host}
        for warning in (
            *preflight.machines_at_work(rows),
            *preflight.nova_services(ironic, hosts),
        ):
            self.warn(warning)

    def warn(self, text: str) -> None:
        """Say something now, and again in the report."""
        self._warnings.append(text)
        output.warn(text)

    def finish(
        self,
        ironic: Ironic,
        results: Mapping[str, NodeResult],
        differences: Mapping[str, tuple[Difference, ...]] | None,
        *,
        is_comparison: bool = False,
    ) -> int:
        """Report, and return the exit status.

        :param differences: None: it was not compared
        """
        made = Report(
            database=self._nova_bm.url,
            schema_version=self._nova_bm.schema_version,
            started_at=self._began,
            finished_at=datetime.now(UTC),
            requests=ironic.requests,
            plan=self.plan,
            results=results,
            differences=differences or {},
            is_compared=differences is not None,
            is_comparison=is_comparison,
            remarks=tuple(self._warnings),
        )
        # The file first: it is what is left if nobody reads the other.
        is_written = self._write(made)
        is_told = output.say("\n".join(made.summary_lines()))
        return made.exit_status if is_written and is_told else max(made.exit_status, _SOME_LEFT)

    def _write(self, made: Report) -> bool:
        """Write the report, if it is asked for, and return whether all is well."""
        if self._request.report is None:
            return True
        try:
            report.write(self._request.report, made)
        except OSError as error:
            output.warn(f"The report cannot be written: {error}")
            return False
        return True


def _ensure_writable(path: Path) -> None:
    """Make sure that a report can take the place of what is at a path.

    :raises MigrateError: it cannot, or should not: what is there is a device, as ``/dev/stdout``,
        or a link
    """
    if not os.access(path.parent, os.W_OK):
        raise MigrateError(f"The report cannot be written to {path.parent}.")
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise MigrateError(f"The report cannot be written to {path}: that is no regular file.")


def _configuration(request: Request) -> cfg.ConfigOpts:
    # As an argument: so sign_in can tell it from a file at its usual place.
    arguments = ["--config-file", str(request.config_file)] if request.config_file else []
    try:
        return configuration.load(arguments)
    except cfg.Error as error:
        raise MigrateError(f"The configuration cannot be used: {error}") from error


def _is_open(path: Path) -> bool:
    """Whether it is a file, and no pipe, that everybody can read."""
    mode = path.stat().st_mode
    return stat.S_ISREG(mode) and bool(mode & stat.S_IROTH)


def _read(request: Request, conf: cfg.ConfigOpts, known: NodeMapping) -> tuple[NovaBm, Plan]:
    options = settings.read(request.nova_conf) if request.nova_conf else BaremetalOptions()
    url = request.database or options.sql_connection
    if not url:
        raise MigrateError("Which database? Give --nova-bm-db, or a --nova-conf that says it.")
    nova_bm = source.read(url)
    planned = plan.make(
        nova_bm,
        options,
        known,
        cpu_arch=request.cpu_arch,
        driver=request.driver,
        resource_class=request.resource_class or conf.enroll.resource_class,
        only=request.only,
    )
    return nova_bm, planned


def _presence(planned: Plan, fleet: Fleet) -> dict[str, NodeResult]:
    """Return, as results, which of the planned nodes are in Ironic."""
    there = {node.uuid: fleet.find(node.uuid).node is not None for node in planned.nodes}
    return {
        uuid: NodeResult(uuid, Outcome.UNCHANGED if found else Outcome.ABSENT)
        for uuid, found in there.items()
    }


class _Signals:
    """What Ctrl-C, SIGTERM and the end of a terminal do, from one part of a run to the next.

    The first one in a part does what is said of it, the second one ends the run at once. That is
    safe, too: the next run goes on from there. Signals that are ignored, as nohup has it, stay so.
    """

    _NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __enter__(self) -> Self:
        """Remember what they did."""
        handlers = {number: signal.getsignal(number) for number in self._NUMBERS}
        self._before = {n: each for n, each in handlers.items() if each is not signal.SIG_IGN}
        return self

    def __exit__(self, *_: object) -> None:
        """Let them do that again."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def first(self, text: str, action: Callable[[], None] = lambda: None) -> None:
        """Say what the next one does.

        :param text: in words
        """

        def handle(number: int, frame: object) -> None:
            for each in self._before:
                signal.signal(each, signal.SIG_DFL)
            output.warn_from_handler(f"{text}; once more stops at once.")
            action()

        for each in self._before:
            signal.signal(each, handle)


def _interrupt() -> None:
    raise KeyboardInterrupt


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what keeps a run from beginning into a message and an exit status.

    :raises NothingDone: in place of the error
    """
    try:
        yield
    except KeyboardInterrupt as error:
        raise NothingDone("Interrupted before anything was done.") from error
    except MigrateError as error:
        raise NothingDone(str(error)) from error
    except ShimError as error:
        raise NothingDone(explain(error)) from error
