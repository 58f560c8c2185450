# SPDX-License-Identifier: Apache-2.0
"""Real database servers, started for the tests as parts of a sandbox are."""

import abc
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import ClassVar

from sqlalchemy import URL, Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from bm_shim.sandbox.address import HOST, Address
from bm_shim.sandbox.environment import for_part
from bm_shim.sandbox.home import Home
from bm_shim.sandbox.process import Part, Program


class NotInstalled(Exception):
    """This machine does not have the server; the text says how to get it."""


class DatabaseServer(Part):
    """A database server with an administrator, on data of its own."""

    # None has workers that are started again and again.
    worker_died: ClassVar[re.Pattern[str]] = re.compile(r"(?!)")
    #: What Debian calls it.
    package: ClassVar[str]
    driver: ClassVar[str]
    #: Options of the driver.
    query: ClassVar[Mapping[str, str]] = {}
    administrator: ClassVar[str]
    #: Where databases are made.
    main_database: ClassVar[str]

    def __init__(self, home: Home, address: Address) -> None:
        super().__init__(type(self).__name__.lower(), home, address)
        self._data = home.path / "data"

    @abc.abstractmethod
    def prepare(self) -> None:
        """Make the data directory.

        :raises NotInstalled: the server is not there.
        :raises PartFailed: it could not be done.
        """

    @abc.abstractmethod
    def add_reader(self, name: str, password: str, database: str) -> None:
        """Make an account that can do nothing but SELECT in one database."""

    def database_url(
        self, database: str, user: str | None = None, password: str | None = None
    ) -> str:
        """Return a URL for SQLAlchemy, by default the administrator's."""
        if user is None:
            user, password = self.administrator, self._password
        return URL.create(
            self.driver, user, password, HOST, self.address.port, database, self.query
        ).render_as_string(hide_password=False)

    def create_database(self, name: str, options: str = "") -> str:
        """Make an empty database and return its URL.

        :param options: for ``CREATE DATABASE``
        """
        self.execute(f"CREATE DATABASE {name} {options}")
        return self.database_url(name)

    def execute(self, *statements: str, database: str | None = None) -> None:
        """Run statements as administrator, each in a transaction of its own."""
        with connected(self.database_url(database or self.main_database)) as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    @property
    def _password(self) -> str:
        return self.home.password(self.administrator)

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except DBAPIError:
            return False
        return True

    def _find(self, *programs: str, directories: str) -> list[str]:
        """Return the paths of programs that are all in the same one of some directories."""
        for directory in directories.split(os.pathsep):
            found = [shutil.which(program, path=directory) for program in programs]
            if all(found):
                return [str(path) for path in found]
        raise NotInstalled(f"{self.title} is not installed: apt-get install {self.package}")


class MariaDB(DatabaseServer):
    """MariaDB."""

    title: ClassVar[str] = "MariaDB"
    package: ClassVar[str] = "mariadb-server"
    driver: ClassVar[str] = "mysql+pymysql"
    administrator: ClassVar[str] = "administrator"
    main_database: ClassVar[str] = "mysql"

    #: In both programs: nothing of this machine's configuration, and quick rather than safe.
    _OPTIONS = ("--innodb-log-file-size=4M", "--innodb-buffer-pool-size=16M")

    def prepare(self) -> None:
        [install] = self._find("mariadb-install-db", directories=_paths())
        self.run_step(
            Program(
                [
                    install,
                    "--no-defaults",
                    f"--datadir={self._data}",
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                    *self._OPTIONS,
                    *self._account(),
                ],
                for_part(),
            ),
            "making its data directory",
        )

    def program(self) -> Program:
        [server] = self._find("mariadbd", directories=_paths())
        accounts = self.home.write(
            "accounts.sql",
            f"CREATE OR REPLACE USER {self.administrator} IDENTIFIED BY '{self._password}';\n"
            f"GRANT ALL ON *.* TO {self.administrator} WITH GRANT OPTION;\n"
            # Those without a name would win over accounts for any host.
            "DELETE FROM mysql.global_priv WHERE user = '';\n"
            "FLUSH PRIVILEGES;\n",
        )
        return Program(
            [
                server,
                "--no-defaults",
                f"--datadir={self._data}",
                f"--bind-address={HOST}",
                f"--port={self.address.port}",
                f"--socket={self.home.path / 'socket'}",
                f"--init-file={accounts}",
                # Debian's; without it, latin1.
                "--character-set-server=utf8mb4",
                "--innodb-flush-log-at-trx-commit=0",
                *self._OPTIONS,
                *self._account(),
            ],
            for_part(),
        )

    def add_reader(self, name: str, password: str, database: str) -> None:
        quoted = password.replace("\\", "\\\\").replace("'", "''")
        self.execute(
            f"CREATE USER {name} IDENTIFIED BY '{quoted}'",
            f"GRANT SELECT ON {database}.* TO {name}",
        )

    @staticmethod
    def _account() -> list[str]:
        # It refuses to run as root unless told to.
        return ["--user=root"] if os.geteuid() == 0 else []


class PostgreSQL(DatabaseServer):
    """PostgreSQL, which never runs as root: then as the account that Debian makes for it."""

    title: ClassVar[str] = "PostgreSQL"
    package: ClassVar[str] = "postgresql"
    driver: ClassVar[str] = "postgresql+psycopg"
    # SQLAlchemy cannot do without in a database of SQL_ASCII.
    query: ClassVar[Mapping[str, str]] = {"client_encoding": "utf8"}
    administrator: ClassVar[str] = "administrator"
    main_database: ClassVar[str] = "postgres"

    _ACCOUNT = "postgres"

    def prepare(self) -> None:
        [initdb, _] = self._programs()
        self._data.mkdir(mode=0o700)
        password = self.home.write("password", self._password)
        if os.geteuid() == 0:
            for path in (self._data, password):
                shutil.chown(path, self._ACCOUNT, self._ACCOUNT)
            self.home.path.chmod(0o711)
        arguments = [
            f"--pgdata={self._data}",
            f"--username={self.administrator}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]
        self.run_step(self._run(initdb, arguments), "making its data directory")

    def program(self) -> Program:
        [_, postgres] = self._programs()
        settings: Mapping[str, object] = {
            "listen_addresses": HOST,
            "port": self.address.port,
            "unix_socket_directories": "",
            "shared_buffers": "16MB",
            # In the data directory, not in a place that outlives us.
            "dynamic_shared_memory_type": "mmap",
            "fsync": "off",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return self._run(postgres, ["-D", str(self._data), *options])

    def add_reader(self, name: str, password: str, database: str) -> None:
        quoted = password.replace("'", "''")
        self.execute(
            f"CREATE ROLE {name} LOGIN PASSWORD '{quoted}'",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}",
            database=database,
        )

    def _programs(self) -> list[str]:
        # Of what Debian packages, PATH has but wrappers for the clients.
        debian = Path("/usr/lib/postgresql").glob("*/bin")
        latest = sorted(debian, key=lambda path: float(path.parent.name), reverse=True)
        directories = os.pathsep.join([*map(str, latest), _paths()])
        return self._find("initdb", "postgres", directories=directories)

    def _run(self, program: str, arguments: list[str]) -> Program:
        command = [program, *arguments]
        if os.geteuid() == 0:
            # The kernel forgets that we want to take the program with us when it changes users.
            switch = ["--reuid", self._ACCOUNT, "--regid", self._ACCOUNT, "--init-groups"]
            command = ["setpriv", *switch, "--pdeathsig", "TERM", "--", *command]
        return Program(command, for_part())


@contextmanager
def running(kind: type[DatabaseServer]) -> Iterator[DatabaseServer]:
    """Run a server with fresh data for the time of the block.

    :raises NotInstalled: the server is not there.
    :raises PartFailed: it does not start.
    """
    address = Address()
    with closing(Home(None)) as home:
        server = kind(home, address)
        try:
            server.prepare()
            server.start()
            yield server
        finally:
            server.stop()
            address.release()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Open a database; each statement is a transaction of its own."""
    engine = create_engine(
        url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        # Statements without parameters may have a "%" in them.
        execution_options={"no_parameters": True},
    )
    with engine.connect() as connection:
        yield connection


def _paths() -> str:
    # Servers are not in the PATH of people.
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"])


def make_name() -> str:
    """Return a name for a database or account that nothing has yet."""
    return f"nova_bm_{secrets.token_hex(4)}"
