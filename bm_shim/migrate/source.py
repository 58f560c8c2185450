# SPDX-License-Identifier: Apache-2.0
"""Reads a nova_bm database, of any version of its schema. Nothing is written.

The columns are those that the tables have, not those that the version promises.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Connection, column, inspect, select, table
from sqlalchemy.types import NullType

from bm_shim.migrate import database
from bm_shim.migrate.errors import SourceError
from bm_shim.migrate.model import InterfaceRow, NodeRow, NovaBm
from bm_shim.translation import integer

#: Of Icehouse and Juno, the last releases with nova-baremetal.
_LAST_VERSION = 10
#: Of nova-baremetal's rows in sqlalchemy-migrate's table: nova has its own.
_REPOSITORY = "nova_bm"

#: What a node had in bm_deployments until version 001.
_DEPLOYED = ("image_path", "pxe_config_path", "root_mb", "swap_mb")

_Row = Mapping[str, Any]


def read(url: str, *, timeout: float = 10) -> NovaBm:
    """Read a database.

    :param url: as SQLAlchemy and nova.conf have it, for MariaDB or MySQL, PostgreSQL, SQLite;
        another driver than ours may be named
    :param timeout: seconds that the server may take to be reached, and for each answer
    :raises SourceError: it cannot be reached or read, or is not nova-baremetal's
    """
    location = database.parse(url)
    shown = database.shown(location)
    with database.connect(location, timeout) as connection:
        tables = set(inspect(connection).get_table_names())
        _check_tables(tables, shown)
        rows = {
            name: _rows(connection, name, wanted, shown)
            for name, wanted in _WANTED.items()
            if name in tables
        }
    version = _schema_version(rows.get("migrate_version", ()), shown)
    nodes, deployments = rows["bm_nodes"], _by_owner(rows.get("bm_deployments", ()))
    return NovaBm(
        url=shown,
        schema_version=version,
        nodes=tuple(_node(row, deployments) for row in nodes if not _is_deleted(row)),
        interfaces=tuple(
            InterfaceRow(**_values(InterfaceRow, row))
            for row in rows["bm_interfaces"]
            if not _is_deleted(row)
        ),
        deleted_node_ids=frozenset(row["id"] for row in nodes if _is_deleted(row)),
        pxe_ips=sum(not _is_deleted(row) for row in rows.get("bm_pxe_ips", ())),
    )


def _check_tables(tables: set[str], shown: str) -> None:
    missing = [name for name in ("bm_nodes", "bm_interfaces") if name not in tables]
    if not missing:
        return
    message = f"{shown} is no nova_bm database: it has no table {missing[0]}"
    if "bm_nodes" in missing and "instances" in tables:
        message += (
            ". It looks like nova's own; that of nova-baremetal is another one, named by "
            "sql_connection in section [baremetal] of nova.conf"
        )
    raise SourceError(message)


def _rows(connection: Connection, name: str, wanted: Sequence[str], shown: str) -> list[_Row]:
    """Return the columns of a table that are there, as the driver gives them.

    :param wanted: the first one must be there; the rows are in its order.
    """
    present = {entry["name"] for entry in inspect(connection).get_columns(name)}
    if wanted[0] not in present:
        raise SourceError(
            f"{shown} is no nova_bm database: its table {name} has no column {wanted[0]}"
        )
    # Columns without a type: what SQLite holds need not be of the type that the table says.
    columns = [column(each, NullType()) for each in wanted if each in present]
    query = select(*columns).select_from(table(name)).order_by(columns[0])
    return [dict(row) for row in connection.execute(query).mappings()]


def _schema_version(rows: Iterable[_Row], shown: str) -> int | None:
    version = next(
        (integer(row.get("version")) for row in rows if row["repository_id"] == _REPOSITORY), None
    )
    if version is not None and version > _LAST_VERSION:
        raise SourceError(
            f"{shown} has version {version} of its schema; nova-baremetal's last was "
            f"{_LAST_VERSION}"
        )
    return version


def _is_deleted(row: _Row) -> bool:
    """Whether a row is soft-deleted. NULL is live: migration 006 left it so."""
    return bool(_boolean(row.get("deleted")))


def _by_owner(deployments: Iterable[_Row]) -> dict[object, _Row]:
    """Return the latest live deployment of each node id, and of each instance UUID.

    Nova itself left ``bm_node_id`` empty, but kept the configuration in ``.../INSTANCE/config``.
    """
    found: dict[object, _Row] = {}
    for row in deployments:
        if _is_deleted(row):
            continue
        deployed = {name: row.get(name) for name in _DEPLOYED}
        found[row.get("bm_node_id")] = deployed
        if path := _text(row.get("pxe_config_path")):
            found[PurePosixPath(path).parent.name] = deployed
    found.pop(None, None)
    return found


def _node(row: _Row, deployments: Mapping[object, _Row]) -> NodeRow:
    deployed = deployments.get(row["id"]) or deployments.get(row.get("instance_uuid")) or {}
    return NodeRow(**_values(NodeRow, {**deployed, **row}))


def _values(kind: type, row: _Row) -> dict[str, Any]:
    """Return the fields of a row's kind; what cannot be read is None, and ``unreadable``."""
    raw = {field.name: row[field.name] for field in fields(kind) if field.name in row}
    values = {name: _READERS.get(name, _text)(value) for name, value in raw.items()}
    unreadable = tuple(n for n, value in values.items() if value is None and raw[n] is not None)
    return {**values, "unreadable": unreadable}


def _text(value: object) -> str | None:
    """Read a text in UTF-8; numbers that somebody stored in its place are text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    try:
        if isinstance(value, bytes | bytearray):
            return value.decode()
        if isinstance(value, str):
            value.encode()  # fails for what was not UTF-8 in the database
            return value
    except UnicodeError:
        pass
    return None


def _time(value: object) -> datetime | None:
    """Read a time, which nova stored in UTC; SQLite has it as text."""
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else value
        if not isinstance(time, datetime):
            return None
        return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def _boolean(value: object) -> bool | None:
    """Read a truth value: a number in MySQL, and SQLite may hold the word."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    number = integer(value)
    return None if number is None else bool(number)


def _names(kind: type) -> list[str]:
    return [field.name for field in fields(kind)]


#: How values are read, by the column; the others are texts.
_READERS: Mapping[str, Callable[[object], object]] = {
    **dict.fromkeys(("created_at", "updated_at"), _time),
    **dict.fromkeys(
        (
            "id",
            "cpus",
            "memory_mb",
            "local_gb",
            "terminal_port",
            "root_mb",
            "swap_mb",
            "ephemeral_mb",
            "prov_vlan_id",
            "bm_node_id",
            "port_no",
        ),
        integer,
    ),
    "preserve_ephemeral": _boolean,
}

#: The columns that are read of each table. Not deploy_key: it was a secret of a deployment.
_WANTED: Mapping[str, Sequence[str]] = {
    "bm_nodes": [*_names(NodeRow), "deleted"],
    "bm_interfaces": [*_names(InterfaceRow), "deleted"],
    "bm_pxe_ips": ["id", "deleted"],
    "bm_deployments": ["id", "deleted", "bm_node_id", *_DEPLOYED],
    "migrate_version": ["repository_id", "version"],
}
