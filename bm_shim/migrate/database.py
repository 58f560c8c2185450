# SPDX-License-Identifier: Apache-2.0
"""A connection to somebody else's database that can only read, by a URL as nova.conf has it.

Errors tell what the database said, never the password.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bm_shim.migrate.errors import SourceError

_FORMS = "mysql://USER:PASSWORD@HOST/DATABASE, postgresql://... or sqlite:////PATH/TO/FILE"

# By the name that a URL begins with, whichever driver it names: those of nova's days are gone.
_DRIVERS = {
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "sqlite": "sqlite",
}
# What may follow the "?": where the server is, and how to trust it. The rest (charset,
# use_unicode ...) was for other drivers.
_OPTIONS = {
    "mysql": {
        "unix_socket",
        "read_default_file",
        "read_default_group",
        "ssl_ca",
        "ssl_capath",
        "ssl_cert",
        "ssl_key",
        "ssl_cipher",
    },
    "postgresql": {
        "host",
        "port",
        "options",
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "sslcrl",
    },
    "sqlite": set[str](),
}

# A raw "@" in a password was fine for the SQLAlchemy of nova's days. For today's, the host would
# begin behind the first one.
_PASSWORD = re.compile(r"(?P<before>[\w+]+://[^:/@]*:)(?P<password>.*)(?P<after>@.*)", re.DOTALL)


def parse(url: str) -> URL:
    """Return what a URL means: with the driver that we use, and the options that it knows.

    :raises SourceError: it is none, or of no database that nova-baremetal was run on
    """
    if raw := _PASSWORD.fullmatch(url):
        url = raw["before"] + raw["password"].replace("@", "%40") + raw["after"]
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise SourceError(f"That is no URL of a database; one looks like {_FORMS}") from None
    driver = _DRIVERS.get(parsed.get_backend_name())
    if driver is None:
        raise SourceError(
            f"A database of {parsed.get_backend_name()} cannot be read; a URL looks like {_FORMS}"
        )
    parsed = parsed.set(drivername=driver)
    known = _OPTIONS[parsed.get_backend_name()]
    parsed = parsed.set(query={name: v for name, v in parsed.query.items() if name in known})
    if not parsed.database or (driver == "sqlite" and parsed.host):
        raise SourceError(f"{shown(parsed)} names no database; a URL looks like {_FORMS}")
    return parsed


def shown(url: URL) -> str:
    """Return a URL for people, with the password hidden."""
    return url.render_as_string(hide_password=True)


@contextmanager
def connect(url: URL, timeout: float) -> Iterator[Connection]:
    """Open a database for reading; what is read in the block is of one moment.

    :param url: from :func:`parse`
    :param timeout: seconds that the server may take to be reached, and for each answer
    :raises SourceError: it cannot be opened, or something in the block cannot be read
    """
    if url.drivername == "sqlite":
        _check_file(url)
    try:
        with _engine(url, timeout).connect() as connection:
            for statement in _begin(url, timeout):
                connection.exec_driver_sql(statement)
            yield connection
    except ImportError as error:
        raise SourceError(
            f"{shown(url)} cannot be read without {error.name or 'its driver'}: "
            "pip install 'bm-shim[migrate]'"
        ) from None
    # OSError: of certificates that are not there.
    except (SQLAlchemyError, OSError) as error:
        raise SourceError(f"{shown(url)} cannot be read: {_reason(error, url)}") from None


def _check_file(url: URL) -> None:
    """Say why a file cannot be opened, for SQLite does not."""
    try:
        with open(str(url.database), "rb"):
            pass
    except OSError as error:
        raise SourceError(f"{shown(url)} cannot be read: {error.strerror}") from None


def _engine(url: URL, timeout: float) -> Engine:
    match url.get_backend_name():
        case "mysql":
            timeouts = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), timeout)
            return _make_engine(url, {"charset": "utf8mb4", **timeouts})
        case "postgresql":
            # Whole seconds; 0 would be for ever.
            arguments = {"client_encoding": "utf8", "connect_timeout": max(1, round(timeout))}
            engine = _make_engine(url, arguments)
            event.listen(engine, "connect", _accept_no_encoding)
            return engine
    path = quote(str(Path(str(url.database)).absolute()))
    url = url.set(database=f"file:{path}", query={"mode": "ro", "uri": "true"})
    engine = _make_engine(url, {"timeout": timeout})
    event.listen(engine, "connect", _accept_any_text)
    return engine


def _make_engine(url: URL, arguments: Mapping[str, Any]) -> Engine:
    # In AUTOCOMMIT nobody but us begins a transaction.
    return create_engine(
        url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=dict(arguments)
    )


def _accept_any_text(connection: Any, record: object) -> None:
    """Let texts that are not UTF-8, of which SQLite stores any, not fail all rows."""
    connection.text_factory = _decode


def _accept_no_encoding(connection: Any, record: object) -> None:
    """Do the same for a database of PostgreSQL that knows no encoding."""
    from psycopg.adapt import Loader

    class Text(Loader):
        def load(self, data: bytes | bytearray | memoryview) -> str:
            return _decode(bytes(data))

    if connection.info.parameter_status("server_encoding") != "SQL_ASCII":
        return
    for name in ("text", "varchar", "bpchar", "name", '"char"'):
        connection.adapters.register_loader(name, Text)
    # As long as we ask for UTF-8, the server refuses what is none.
    connection.execute("SET client_encoding TO SQL_ASCII")


def _decode(data: bytes) -> str:
    """Read UTF-8; what is none has surrogates in it then."""
    return data.decode(errors="surrogateescape")


def _begin(url: URL, timeout: float) -> list[str]:
    """Return the statements that begin a transaction which sees one moment and cannot write."""
    match url.get_backend_name():
        case "mysql":
            return [
                # Before 5.6.5 all transactions could write; those servers skip the comment. For
                # the session, because some statements end a transaction without being asked.
                "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ /*!50605 , READ ONLY */",
                "START TRANSACTION WITH CONSISTENT SNAPSHOT",
            ]
        case "postgresql":
            return [
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                f"SET LOCAL statement_timeout = {round(timeout * 1000)}",
            ]
    return ["BEGIN"]


def _reason(error: Exception, url: URL) -> str:
    """Return the database's own words, in one line, without the password."""
    cause: BaseException = getattr(error, "orig", None) or error
    text = str(cause.args[-1]) if cause.args else type(cause).__name__
    if url.password:
        text = text.replace(str(url.password), "***")
    return " ".join(text.split())
