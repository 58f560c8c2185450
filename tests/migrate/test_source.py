# SPDX-License-Identifier: Apache-2.0
"""Reading nova_bm databases, on each kind of server that they were on."""

import socket
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, event, text

from bm_shim.migrate import database, source
from bm_shim.migrate.errors import SourceError
from bm_shim.migrate.model import InterfaceRow, NodeRow, NovaBm
from bm_shim.sandbox.address import Address
from bm_shim.sandbox.nova_bm import Row, generate, insert
from bm_shim.sandbox.nova_bm_schema import LATEST, tables

from .databases import DatabaseServer, connected, make_name

#: What most passwords of the time were not, but some.
PASSWORD = "p@ss:w/r%41d?#"

NODE = NodeRow(
    id=7,
    uuid="1be26c0b-03f2-4d2e-ae87-c02d7f33c123",
    created_at=datetime(2014, 5, 1, 12, 30, 59),
    updated_at=datetime(2014, 6, 1),
    cpus=8,
    memory_mb=8192,
    local_gb=100,
    pm_address="10.0.0.1 ",
    pm_user="rööt",
    pm_password="100%s'\"\\",
    terminal_port=8000,
    service_host="compute-1",
    task_state="deploy failed",
    instance_uuid="8ddc1e48-3a3c-4b3c-8f64-0d5d2c9d2f0e",
    instance_name="web",
    image_path="/var/lib/nova/instances/web/disk",
    pxe_config_path="/tftpboot/8ddc1e48-3a3c-4b3c-8f64-0d5d2c9d2f0e/config",
    root_mb=10240,
    swap_mb=1,
    ephemeral_mb=0,
    preserve_ephemeral=True,
    prov_mac_address="52:54:00:CF:2D:31",
    prov_vlan_id=101,
    registration_status="done",
)
#: The first and last versions that know a column; the others know it always.
VERSIONS = {
    "uuid": (3, 10),
    "instance_name": (4, 10),
    "ephemeral_mb": (9, 10),
    "preserve_ephemeral": (10, 10),
    "prov_mac_address": (1, 6),
    "prov_vlan_id": (1, 4),
    "registration_status": (1, 4),
}
DEPLOYED = ("image_path", "pxe_config_path", "root_mb", "swap_mb")
INTERFACE = InterfaceRow(
    id=3,
    bm_node_id=7,
    address="52:54:00:CF:2D:32",
    datapath_id="0x1",
    port_no=3,
    vif_uuid="0d0ff6ba-2f4b-4c8e-9a8c-5cfd54f5f0b6",
)


def without(node: NodeRow, *columns: str) -> NodeRow:
    changes: dict[str, Any] = dict.fromkeys(columns)
    return replace(node, **changes)


#: What is left of the node in the last version.
LAST_NODE = without(NODE, "prov_mac_address", "prov_vlan_id", "registration_status")


def row_of(record: NodeRow | InterfaceRow, **changes: object) -> Row:
    fields = {name: getattr(record, name) for name in record.__slots__ if name != "unreadable"}
    return {"deleted": False, **fields, **changes}


def fill(url: str, version: int = LATEST, **rows: list[Row]) -> str:
    """Make a database with some rows, by the names of the tables; return its URL."""
    metadata = tables(version)
    rows.setdefault(
        "migrate_version",
        [{"repository_id": "nova_bm", "repository_path": "/", "version": version}],
    )
    with connected(url) as connection:
        metadata.create_all(connection)
        insert(connection, metadata, rows)
    return url


def run(url: str, *statements: str) -> None:
    with connected(url) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def refusal(url: str, **options: Any) -> str:
    """Return why a database cannot be read, having made sure that no password is in it."""
    with pytest.raises(SourceError) as caught:
        source.read(url, **options)
    assert caught.value.__cause__ is None
    for secret in (PASSWORD, quote(PASSWORD, safe=""), PASSWORD.partition("@")[2]):
        assert secret not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("version", range(1, LATEST + 1))
def test_each_version_of_the_schema(database_url: str, version: int) -> None:
    deployment = {"id": 1, **{name: getattr(NODE, name) for name in DEPLOYED}}
    fill(
        database_url,
        version,
        bm_nodes=[row_of(NODE)],
        bm_interfaces=[row_of(INTERFACE)],
        bm_deployments=[deployment],
        bm_pxe_ips=[{"id": 1, "deleted": False}, {"id": 2}, {"id": 3, "deleted": True}],
    )
    unknown = [name for name, (first, last) in VERSIONS.items() if not first <= version <= last]
    assert source.read(database_url) == NovaBm(
        url=database.shown(database.parse(database_url)),
        schema_version=version,
        nodes=(without(NODE, *unknown),),
        interfaces=(INTERFACE,),
        pxe_ips=2 if version <= 7 else 0,
    )


def test_rows_that_are_soft_deleted_are_left_out(database_url: str) -> None:
    deleted = {9: True, 8: False, 7: None, 6: True}
    fill(
        database_url,
        bm_nodes=[{"id": number, "deleted": value} for number, value in deleted.items()],
        bm_interfaces=[
            {"id": number, "bm_node_id": node, "deleted": deleted[number]}
            # Of a live node, of a deleted one, of none at all, of nobody.
            for number, node in [(9, 8), (8, 9), (7, 99), (6, None)]
        ]
        + [{"id": 5, "bm_node_id": None}],
    )
    found = source.read(database_url)
    assert [node.id for node in found.nodes] == [7, 8]
    assert found.deleted_node_ids == {6, 9}
    assert [(each.id, each.bm_node_id) for each in found.interfaces] == [
        (5, None),
        (7, 99),
        (8, 9),
    ]


def test_the_deployment_of_a_node_is_the_latest_that_is_live(database_url: str) -> None:
    """Nova left bm_node_id empty, so it is found by the path as well."""
    path = str(NODE.pxe_config_path)
    fill(
        database_url,
        1,
        bm_nodes=[{"id": 7}, {"id": 8, "instance_uuid": NODE.instance_uuid}, {"id": 9}],
        bm_deployments=[
            {"id": 4, "bm_node_id": 7, "root_mb": 4, "deleted": True},
            {"id": 3, "bm_node_id": 7, "root_mb": 3},
            {"id": 2, "bm_node_id": 7, "root_mb": 2},
            {"id": 6, "pxe_config_path": path, "root_mb": 6, "deleted": False},
            {"id": 5, "pxe_config_path": path, "root_mb": 5},
            {"id": 7, "root_mb": 7},
        ],
    )
    assert [node.root_mb for node in source.read(database_url).nodes] == [3, 6, None]


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """The statements that SQLAlchemy sends."""
    sent: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


def test_a_large_database_takes_no_more_queries(
    database_url: str, tmp_path: Path, statements: list[str]
) -> None:
    fill(database_url)
    source.read(database_url)
    statements.clear()
    source.read(database_url)
    empty = len(statements)
    with connected(database_url) as connection:
        tables(LATEST).drop_all(connection)

    generate(database_url, nodes=1200)
    statements.clear()
    found = source.read(database_url)
    assert len(statements) == empty
    assert len(found.nodes) == 1200
    assert len(found.deleted_node_ids) == 133
    assert not any(node.unreadable for node in found.nodes)
    assert not any(interface.unreadable for interface in found.interfaces)


def test_nothing_can_be_written(database_url: str) -> None:
    fill(database_url, bm_nodes=[{"id": 7}])
    location = database.parse(database_url)
    for statement in ("DELETE FROM bm_nodes", "DROP TABLE bm_nodes", "CREATE TABLE t (i INT)"):
        with (
            pytest.raises(SourceError, match=r"(?i)read.?only"),
            database.connect(location, 10) as connection,
        ):
            connection.execute(text(statement))
    assert [node.id for node in source.read(database_url).nodes] == [7]


@pytest.fixture
def weak_isolation(server: DatabaseServer) -> Iterator[None]:
    """Each statement sees what was committed before it, unless a transaction wants more."""
    if server.title == "MariaDB":  # PostgreSQL's default
        server.execute("SET GLOBAL TRANSACTION ISOLATION LEVEL READ COMMITTED")
        yield
        server.execute("SET GLOBAL TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    else:
        yield


@pytest.mark.usefixtures("weak_isolation")
def test_what_is_read_is_of_one_moment(server: DatabaseServer) -> None:
    url = fill(server.create_database(make_name()), bm_nodes=[{"id": 7}])
    count = text("SELECT count(*) FROM bm_nodes")
    with database.connect(database.parse(url), 10) as connection:
        assert connection.scalar(count) == 1
        run(url, "INSERT INTO bm_nodes (id) VALUES (8)")
        assert connection.scalar(count) == 1
    assert len(source.read(url).nodes) == 2


def test_the_right_to_select_is_enough(server: DatabaseServer) -> None:
    """As is each way in which nova.conf could name the server."""
    name, reader = make_name(), make_name()
    fill(server.create_database(name), bm_nodes=[row_of(NODE)])
    server.add_reader(reader, PASSWORD, name)
    drivers = {
        "MariaDB": ["mysql", "mysql+mysqldb", "mysql+pymysql", "mariadb"],
        "PostgreSQL": ["postgresql", "postgres", "postgresql+psycopg2"],
    }
    for driver in drivers[server.title]:
        # A raw "@" was fine at the time.
        for password in (quote(PASSWORD, safe=""), PASSWORD.replace("%", "%25")):
            where = f"{reader}:{password}@127.0.0.1:{server.address.port}/{name}"
            found = source.read(f"{driver}://{where}?charset=utf8&use_unicode=0")
            assert found.nodes == (LAST_NODE,)
            assert f"{reader}:***@127.0.0.1" in found.url


def test_a_server_that_lets_nobody_in(server: DatabaseServer) -> None:
    name, reader = make_name(), make_name()
    fill(server.create_database(name))
    server.add_reader(reader, "another", name)
    message = refusal(server.database_url(name, reader, PASSWORD))
    shown = server.database_url(name, reader).replace("@", ":***@").partition("?")[0]
    assert message.startswith(f"{shown} cannot be read: ")
    assert {
        "MariaDB": f"Access denied for user '{reader}'@'localhost' (using password: YES)",
        "PostgreSQL": f'FATAL: password authentication failed for user "{reader}"',
    }[server.title] in message


def test_what_the_server_says_is_searched_for_the_password(server: DatabaseServer) -> None:
    """People do choose the name of the account."""
    with pytest.raises(SourceError) as caught:
        source.read(server.database_url(make_name(), "nova", "nova"))
    _, _, said = str(caught.value).partition(" cannot be read: ")
    assert "nova" not in said
    assert "***" in said


def test_a_database_that_is_not_there(server: DatabaseServer) -> None:
    message = refusal(server.database_url("nowhere"))
    assert {
        "MariaDB": "Unknown database 'nowhere'",
        "PostgreSQL": 'database "nowhere" does not exist',
    }[server.title] in message


@pytest.mark.parametrize("driver", ["mysql", "postgresql"])
def test_a_server_that_is_not_there(driver: str) -> None:
    reserved = Address()
    message = refusal(f"{driver}://nova:{PASSWORD}@{reserved.netloc}/nova_bm")
    reserved.release()
    assert "127.0.0.1" in message
    assert "Connection refused" in message


@pytest.mark.parametrize("driver", ["mysql", "postgresql"])
def test_a_server_that_does_not_answer(driver: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        netloc = f"127.0.0.1:{silent.getsockname()[1]}"
        # libpq waits for two seconds at least.
        message = refusal(f"{driver}://nova:{PASSWORD}@{netloc}/nova_bm", timeout=0.1)
    assert "time" in message


def test_a_database_of_something_else(database_url: str) -> None:
    run(database_url, "CREATE TABLE t (id INT)")
    assert refusal(database_url).endswith("is no nova_bm database: it has no table bm_nodes")


def test_novas_own_database(database_url: str) -> None:
    run(database_url, "CREATE TABLE instances (id INT)")
    assert refusal(database_url).endswith(
        "it has no table bm_nodes. It looks like nova's own; that of nova-baremetal is another "
        "one, named by sql_connection in section [baremetal] of nova.conf"
    )


def test_half_a_database(database_url: str) -> None:
    fill(database_url)
    run(database_url, "DROP TABLE bm_interfaces")
    assert refusal(database_url).endswith("it has no table bm_interfaces")


def test_tables_that_only_have_the_names(database_url: str) -> None:
    run(
        database_url,
        "CREATE TABLE bm_nodes (id INT)",
        "CREATE TABLE bm_interfaces (name INT)",
        "CREATE TABLE migrate_version (repository_id INT)",
        "INSERT INTO bm_nodes VALUES (7)",
    )
    assert refusal(database_url).endswith("its table bm_interfaces has no column id")
    run(database_url, "DROP TABLE bm_interfaces", "CREATE TABLE bm_interfaces (id INT)")
    assert source.read(database_url).nodes == (NodeRow(id=7),)


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({}, None),
        ({"nova": 233}, None),
        ({"nova": 233, "nova_bm": 4}, 4),
        ({"nova_bm": None}, None),
    ],
)
def test_the_version_is_that_of_nova_bm(
    database_url: str, versions: dict[str, int | None], expected: int | None
) -> None:
    rows = [{"repository_id": name, "version": version} for name, version in versions.items()]
    fill(database_url, migrate_version=rows)
    assert source.read(database_url).schema_version == expected


def test_a_database_without_a_version(database_url: str) -> None:
    fill(database_url, bm_nodes=[{"id": 7}])
    run(database_url, "DROP TABLE migrate_version")
    found = source.read(database_url)
    assert found.schema_version is None
    assert len(found.nodes) == 1


def test_a_version_after_the_last_is_refused(database_url: str) -> None:
    fill(database_url, migrate_version=[{"repository_id": "nova_bm", "version": 11}])
    assert refusal(database_url).endswith(
        "has version 11 of its schema; nova-baremetal's last was 10"
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An SQLite database with one node and one interface, in a directory of its own."""
    directory = tmp_path / "nova #%20"
    directory.mkdir()
    path = directory / "baremetal_nova.sqlite"
    url = sqlite_url(path)
    fill(url, bm_nodes=[row_of(NODE)], bm_interfaces=[row_of(INTERFACE)])
    return path


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{quote(str(path))}"


def test_a_file_stays_as_it_was(file: Path) -> None:
    file.chmod(stat.S_IRUSR)
    file.parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    before = file.read_bytes(), file.stat().st_mtime_ns, list(file.parent.iterdir())
    assert len(source.read(sqlite_url(file)).nodes) == 1
    assert (file.read_bytes(), file.stat().st_mtime_ns, list(file.parent.iterdir())) == before
    file.parent.chmod(stat.S_IRWXU)


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "nova.sqlite"
    assert refusal(f"sqlite:///{path}?timeout=3") == (
        f"sqlite:///{path} cannot be read: No such file or directory"
    )
    assert refusal(f"sqlite:///{tmp_path}").endswith("Is a directory")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "nova.conf"
    path.write_text("[baremetal]\n" * 100)
    assert refusal(f"sqlite:///{path}").endswith("cannot be read: file is not a database")


def test_a_file_that_somebody_writes_to(file: Path) -> None:
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        assert refusal(sqlite_url(file), timeout=0.1).endswith("database is locked")


# What SQLite stores in spite of the type of the column.
@pytest.mark.parametrize(
    ("column", "stored", "expected"),
    [
        ("cpus", "'8'", 8),
        ("cpus", "' 8 '", 8),
        ("cpus", "8.0", 8),
        ("cpus", "8.5", None),
        ("cpus", "'abc'", None),
        ("cpus", "x'ff'", None),
        ("cpus", "9e999", None),
        ("created_at", "'2014-05-01 12:30:59.250000'", datetime(2014, 5, 1, 12, 30, 59, 250000)),
        ("created_at", "'2014-05-01T12:30:59+02:00'", datetime(2014, 5, 1, 10, 30, 59)),
        ("created_at", "'0001-01-01T00:00:00+02:00'", None),
        ("created_at", "'yesterday'", None),
        ("created_at", "1398947459", None),
        ("preserve_ephemeral", "0", False),
        ("preserve_ephemeral", "'false'", False),
        ("preserve_ephemeral", "'true'", True),
        ("preserve_ephemeral", "'maybe'", None),
        ("pm_user", "5", "5"),
        ("pm_user", "''", ""),
        ("pm_user", "'root '", "root "),
        ("pm_user", "cast(x'c3a4' as text)", "ä"),
        ("pm_user", "x'c3a4'", "ä"),
        ("pm_user", "cast(x'e4' as text)", None),
        ("pm_user", "x'e4'", None),
        ("pm_password", "cast(x'e4' as text)", None),
    ],
)
def test_what_a_value_is_worth(file: Path, column: str, stored: str, expected: object) -> None:
    with closing(sqlite3.connect(file)) as writer, writer:
        writer.execute("PRAGMA ignore_check_constraints = 1")
        writer.execute(f"UPDATE bm_nodes SET {column} = {stored}")
    [node] = source.read(sqlite_url(file)).nodes
    assert getattr(node, column) == expected
    assert type(getattr(node, column)) is type(expected)
    assert node.unreadable == ((column,) if expected is None else ())
    assert node.task_state == NODE.task_state


def test_an_interface_has_unreadable_values_too(file: Path) -> None:
    with closing(sqlite3.connect(file)) as writer, writer:
        writer.execute("UPDATE bm_interfaces SET port_no = 'x', datapath_id = x'ff'")
    assert source.read(sqlite_url(file)).interfaces == (
        replace(INTERFACE, port_no=None, datapath_id=None, unreadable=("datapath_id", "port_no")),
    )


def test_postgresql_without_an_encoding(postgresql: DatabaseServer) -> None:
    """What initdb made in a locale "C"."""
    url = postgresql.create_database(make_name(), "ENCODING 'SQL_ASCII' TEMPLATE template0")
    fill(url, bm_nodes=[{"id": 7}, {"id": 8, "pm_user": "ä"}])
    run(url, "UPDATE bm_nodes SET pm_user = convert_from('\\xe4', 'SQL_ASCII') WHERE id = 7")
    latin, utf8 = source.read(url).nodes
    assert (latin.pm_user, latin.unreadable) == (None, ("pm_user",))
    assert (utf8.pm_user, utf8.unreadable) == ("ä", ())


def test_postgresql_in_another_encoding(postgresql: DatabaseServer) -> None:
    url = postgresql.create_database(make_name(), "ENCODING 'LATIN1' TEMPLATE template0")
    fill(url, bm_nodes=[{"id": 7, "pm_user": "ä"}])
    assert source.read(url).nodes[0].pm_user == "ä"


@pytest.fixture
def odd_modes(mariadb: DatabaseServer) -> Iterator[None]:
    mariadb.execute("SET GLOBAL sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH'")
    yield
    mariadb.execute("SET GLOBAL sql_mode = DEFAULT")


@pytest.mark.usefixtures("odd_modes")
def test_mariadb_with_other_types_and_modes(mariadb: DatabaseServer) -> None:
    url = fill(mariadb.create_database(make_name()), bm_nodes=[row_of(NODE)])
    run(
        url,
        "ALTER TABLE bm_nodes MODIFY pm_user VARCHAR(255) CHARACTER SET latin1, "
        "MODIFY pm_address VARBINARY(255), MODIFY service_host VARBINARY(255)",
        "SET STATEMENT sql_mode = '' FOR "
        "UPDATE bm_nodes SET created_at = '0000-00-00 00:00:00', service_host = X'FF'",
    )
    [node] = source.read(url).nodes
    assert node == replace(
        LAST_NODE,
        created_at=None,
        service_host=None,
        unreadable=("created_at", "service_host"),
    )
