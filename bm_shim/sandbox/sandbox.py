# SPDX-License-Identifier: Apache-2.0
"""The sandbox: Keystone, Ironic and the shim, put together."""

import importlib.util
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from keystoneauth1.exceptions import ClientException

from bm_shim.sandbox.accounts import Accounts
from bm_shim.sandbox.address import Address
from bm_shim.sandbox.bmc import Bmc, BmcSimulator
from bm_shim.sandbox.credentials import Credentials
from bm_shim.sandbox.errors import Cancelled, SandboxError
from bm_shim.sandbox.home import Home
from bm_shim.sandbox.ironic import Ironic
from bm_shim.sandbox.keystone import Keystone
from bm_shim.sandbox.options import Options
from bm_shim.sandbox.process import Part
from bm_shim.sandbox.shim import Shim

Progress = Callable[[str], None]

_SERVICE_PROJECT = "service"
_REQUIRED = ("keystone", "ironic", "gunicorn")


class Sandbox:
    """A whole small cloud on loopback: real Keystone, real Ironic, and the shim.

    A context manager; :meth:`start` and :meth:`stop` do the same. Everything ends with the
    program that uses it, however that ends.

    :param nodes: demo nodes to put into Ironic, two ports each.
    :param bmcs: machines with a BMC to simulate; they are not put into Ironic.
    :param workers: gunicorn processes of the shim.
    :param port: of the shim; 0: any free one.
    :param state_dir: a new or empty directory that is kept, or one kept earlier, whose data are
        used again. None: a temporary one.
    :param progress: is told, line by line, what is going on.
    """

    def __init__(
        self,
        *,
        nodes: int = 0,
        bmcs: int = 0,
        workers: int = 1,
        port: int = 0,
        state_dir: Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._nodes = nodes
        self._progress: Progress = progress or (lambda line: None)
        self._check_packages()
        if bmcs:
            BmcSimulator.check_requirements()
        self._home = Home(state_dir)
        self._addresses: list[Address] = []
        self._more_shims: list[Shim] = []
        self._bmc_simulator: BmcSimulator | None = None
        self._stopped = False
        try:
            self.keystone = Keystone("keystone", self._home, self._address("keystone"))
            #: A person who may do everything.
            self.admin = self._credentials("admin", "admin")
            #: A person who may not.
            self.member = self._credentials("demo", "demo")
            self._ironic_service = self._credentials("ironic", _SERVICE_PROJECT)
            #: The shim's own account; it calls Ironic with ``service.for_system()``.
            self.service = self._credentials("bm-shim", _SERVICE_PROJECT)
            self.ironic = Ironic(self._home, self._address("ironic"), self._ironic_service)
            if bmcs:
                self._bmc_simulator = BmcSimulator(self._home, self._address("bmc"), bmcs)
            self.shim = Shim(
                "shim", self._home, self._address("shim", port), self.service, workers
            )
        except BaseException:
            self._release()
            raise

    def __enter__(self) -> Self:
        """Start everything."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop everything."""
        self.stop()

    @property
    def url(self) -> str:
        """The shim: scheme, host and port."""
        return self.shim.url

    @property
    def keystone_url(self) -> str:
        """Keystone: scheme, host and port; ``/v3`` is the API."""
        return self.keystone.url

    @property
    def ironic_url(self) -> str:
        """Ironic: scheme, host and port; ``/v1`` is the API."""
        return self.ironic.url

    @property
    def bmcs(self) -> list[Bmc]:
        """The machines with a BMC."""
        return list(self._bmc_simulator.bmcs) if self._bmc_simulator else []

    @property
    def state_dir(self) -> Path:
        """The private directory: logs, pid files, configuration, databases."""
        return self._home.path

    @property
    def parts(self) -> tuple[Part, ...]:
        """All servers, those that depend on others first."""
        simulators = (self._bmc_simulator,) if self._bmc_simulator else ()
        return (*self._more_shims, self.shim, self.ironic, self.keystone, *simulators)

    @property
    def environment(self) -> dict[str, str]:
        """What a user of the sandbox needs in the environment, and nothing else."""
        return {
            **self.admin.environment,
            "BM_SHIM_MEMBER_USERNAME": self.member.username,
            "BM_SHIM_MEMBER_PASSWORD": self.member.password,
            "BM_SHIM_MEMBER_PROJECT_NAME": str(self.member.project_name),
            "BM_SHIM_URL": self.url,
            "BM_SHIM_IRONIC_URL": self.ironic_url,
            "BM_SHIM_STATE_DIR": str(self.state_dir),
        }

    def start(self) -> None:
        """Start everything, and wait until all answer.

        When that fails, or is interrupted, all is stopped again and a temporary directory
        removed.

        :raises SandboxError: it is not possible; :class:`PartFailed` when a part is to blame.
        """
        self._progress(f"Starting Keystone and Ironic in {self.state_dir}")
        try:
            self._in_parallel(self._start_keystone, self._start_ironic, self._start_bmcs)
            with self._timed(self.shim):
                self._in_parallel(self.shim.start)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything. May be called more than once."""
        self._home.closing.set()
        if self._stopped:
            return
        self._stopped = True
        try:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda part: part.stop(), self.parts))
        finally:
            self._release()

    def add_shim(self, name: str, overrides: Options) -> Shim:
        """Start another shim beside the first, with its own port, configuration, log, pid file.

        :param name: of its files; that of an added shim may be used again when it is stopped.
        :param overrides: options that differ from the first shim's: group, option, value; None
            leaves an option out. :attr:`Credentials.options` is a fitting set for a group.
        :raises PartFailed: it did not start.
        """
        self._more_shims = [s for s in self._more_shims if s.name != name or s.pid is not None]
        if any(part.name == name for part in self.parts):
            raise SandboxError(f"There is already a part named {name!r}.")
        shim = Shim(name, self._home, self._address(name), self.service)
        shim.overrides = overrides
        self._more_shims.append(shim)
        shim.start()
        return shim

    def add_user(
        self,
        name: str,
        *,
        roles: Iterable[str] = (),
        project: str | None = None,
        system_roles: Iterable[str] = (),
    ) -> Credentials:
        """Make a user in Keystone, or add roles to one.

        :param roles: its roles in ``project``.
        :param project: made if needed; None: the credentials are for the whole system.
        :param system_roles: its roles on the whole system
            (see :meth:`Credentials.for_system`).
        """
        return Accounts(self.admin).add_user(
            name,
            self._home.password(name),
            project=project,
            roles=roles,
            system_roles=system_roles,
        )

    def _start_keystone(self) -> None:
        with self._timed(self.keystone):
            self.keystone.prepare()
            self.keystone.start()
            try:
                self._make_accounts()
            except ClientException as error:
                raise self.keystone.failure(f"accounts could not be made ({error})") from error

    def _start_ironic(self) -> None:
        with self._timed(self.ironic):
            self.ironic.prepare(self._nodes)
            self.ironic.start()

    def _start_bmcs(self) -> None:
        if self._bmc_simulator:
            with self._timed(self._bmc_simulator):
                self._bmc_simulator.start()

    def _make_accounts(self) -> None:
        accounts = Accounts(self.admin)
        accounts.register_endpoints(
            {
                "compute": f"{self.url}/v2.1",
                "baremetal": self.ironic_url,
                # There is none. Whoever looks for one is about to launch a server, and the shim
                # says what to do instead.
                "image": self.url,
            }
        )
        for account, roles, system_roles in (
            (self.member, ["member"], []),
            # What a service needs to check tokens.
            (self._ironic_service, ["service"], []),
            # And what the shim needs in Ironic, see `Shim`.
            (self.service, ["service"], ["admin"]),
        ):
            accounts.add_user(
                account.username,
                account.password,
                project=account.project_name,
                roles=roles,
                system_roles=system_roles,
            )

    def _in_parallel(self, *tasks: Callable[[], None]) -> None:
        """Run tasks in threads; when one fails, or we are interrupted, end them all."""
        with ThreadPoolExecutor(max_workers=len(tasks)) as pool:
            futures = [pool.submit(task) for task in tasks]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
                _raise_first(futures)
            except BaseException:
                # The threads notice and stop; only then the pool lets go of us.
                self._home.closing.set()
                raise

    @contextmanager
    def _timed(self, part: Part) -> Iterator[None]:
        began = time.monotonic()
        yield
        seconds = time.monotonic() - began
        self._progress(f"Starting {part.title} ... ready in {seconds:.1f} s")

    def _address(self, part: str, port: int = 0) -> Address:
        address = Address(port, preferred=self._home.last_port(part))
        self._addresses.append(address)
        self._home.keep_port(part, address.port)
        return address

    def _credentials(self, user: str, project: str) -> Credentials:
        return Credentials(self.keystone.auth_url, user, self._home.password(user), project)

    def _release(self) -> None:
        for address in self._addresses:
            address.release()
        self._home.close()

    @staticmethod
    def _check_packages() -> None:
        missing = [name for name in _REQUIRED if importlib.util.find_spec(name) is None]
        if missing:
            raise SandboxError(
                f"The sandbox needs {' and '.join(missing)}: pip install 'bm-shim[sandbox]'"
            )


def _raise_first(futures: Iterable[Future[None]]) -> None:
    """Raise the error that ended the work, rather than those that followed from it."""
    errors = [e for f in futures if f.done() and (e := f.exception()) is not None]
    for error in sorted(errors, key=lambda e: isinstance(e, Cancelled)):
        raise error
