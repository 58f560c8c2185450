# SPDX-License-Identifier: Apache-2.0
"""The demo nova-baremetal databases, as plain SQL sees them."""

import configparser
import sqlite3
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from bm_shim.sandbox.nova_bm import generate
from bm_shim.sandbox.nova_bm_conf import nova_conf
from bm_shim.sandbox.nova_bm_faults import Fault, add_faults
from bm_shim.sandbox.nova_bm_schema import create_schema

Row = dict[str, Any]
Query = Callable[..., list[Row]]

# What a version added to bm_nodes, and what it took away.
ADDED = {
    2: {"image_path", "pxe_config_path", "deploy_key", "root_mb", "swap_mb"},
    3: {"uuid"},
    4: {"instance_name"},
    9: {"ephemeral_mb"},
    10: {"preserve_ephemeral"},
}
DROPPED = {5: {"prov_vlan_id", "registration_status"}, 7: {"prov_mac_address"}}
DROPPED_TABLES = {2: "bm_deployments", 8: "bm_pxe_ips"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/nova_bm.db"


@pytest.fixture
def query(tmp_path: Path) -> Query:
    def run(statement: str, *values: object) -> list[Row]:
        connection = sqlite3.connect(tmp_path / "nova_bm.db")
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(statement, values)]
        finally:
            connection.close()

    return run


def dump(url: str) -> dict[str, list[Row]]:
    """Return all rows of a database."""
    engine = sqlalchemy.create_engine(url)
    metadata = sqlalchemy.MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        rows = {
            name: [dict(row._mapping) for row in connection.execute(sqlalchemy.select(table))]
            for name, table in metadata.tables.items()
        }
    engine.dispose()
    return rows


def test_each_version_differs_from_the_one_before_as_novas_migrations_say(tmp_path: Path) -> None:
    columns: dict[int, set[str]] = {}
    tables: dict[int, set[str]] = {}
    for version in range(1, 11):
        engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/{version}.db")
        create_schema(engine, version)
        inspector = sqlalchemy.inspect(engine)
        tables[version] = set(inspector.get_table_names())
        columns[version] = {column["name"] for column in inspector.get_columns("bm_nodes")}
        indexes = {str(index["name"]) for index in inspector.get_indexes("bm_nodes")}
        assert ("deploy_key_idx" in indexes) == (version >= 2)
        assert ("uuid_ux" in indexes) == (version >= 3)
        with engine.connect() as connection:
            row = connection.exec_driver_sql(
                "SELECT repository_id, version FROM migrate_version"
            ).one()
            assert tuple(row) == ("nova_bm", version)
        engine.dispose()
    assert len(columns[1]) == 18
    assert tables[1] == {
        "bm_nodes", "bm_interfaces", "bm_pxe_ips", "bm_deployments", "migrate_version",
    }  # fmt: skip
    for version in range(2, 11):
        assert columns[version] - columns[version - 1] == ADDED.get(version, set())
        assert columns[version - 1] - columns[version] == DROPPED.get(version, set())
        dropped = DROPPED_TABLES.get(version)
        assert tables[version - 1] - tables[version] == ({dropped} if dropped else set())


@pytest.mark.parametrize("version", [0, 11])
def test_a_version_that_nova_never_had(url: str, version: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"are 1 to 10, not {version}"):
        generate(url, nodes=1, schema_version=version)
    assert not list(tmp_path.iterdir())


def test_a_database_with_tables_is_left_alone(url: str, query: Query) -> None:
    generate(url, nodes=1)
    with pytest.raises(ValueError, match="is not empty"):
        generate(url, nodes=2)
    assert query("SELECT count(*) AS n FROM bm_nodes") == [{"n": 1}]


def test_the_fleet_is_the_same_each_time_and_its_first_rows_in_any_size(tmp_path: Path) -> None:
    def fleet(name: str, nodes: int) -> dict[str, list[Row]]:
        url = f"sqlite:///{tmp_path}/{name}.db"
        generate(url, nodes=nodes)
        return dump(url)

    large = fleet("large", 40)
    assert fleet("again", 40) == large
    for table, rows in fleet("small", 12).items():
        assert rows == large[table][: len(rows)]
    assert large["bm_nodes"][0]["uuid"] == "b253f3d3-01f4-57ee-9796-09f14a5fd370"


def test_counts(url: str, query: Query) -> None:
    generate(url, nodes=1200)
    (counts,) = query(
        "SELECT count(*) AS nodes, sum(deleted) AS deleted, "
        "count(instance_uuid) FILTER (WHERE NOT deleted) AS instances, "
        "count(DISTINCT uuid) AS uuids, count(DISTINCT instance_uuid) AS instance_uuids, "
        "count(DISTINCT pm_address) AS bmcs, count(DISTINCT service_host) AS hosts "
        "FROM bm_nodes"
    )
    assert counts == {
        "nodes": 1333,
        "deleted": 133,
        "instances": 400,
        "uuids": 1333,
        "instance_uuids": 400,
        "bmcs": 1333,
        "hosts": 4,
    }


def test_machines_are_plausible(url: str, query: Query) -> None:
    generate(url, nodes=90)
    live = query("SELECT * FROM bm_nodes WHERE NOT deleted")
    assert Counter((row["task_state"], row["instance_uuid"] is None) for row in live) == {
        ("active", False): 30,
        ("deleted", True): 40,
        (None, True): 20,
    }
    for row in live:
        assert min(row["cpus"], row["memory_mb"], row["local_gb"]) > 0
        assert row["pm_address"].startswith("198.18.")
        assert str(uuid.UUID(row["uuid"])) == row["uuid"]
        if row["instance_uuid"]:
            assert row["pxe_config_path"] == f"/tftpboot/{row['instance_uuid']}/config"
            assert row["instance_name"]
            assert row["root_mb"] >= 10240
        else:
            assert row["instance_name"] is row["image_path"] is row["deploy_key"] is None
    passwords = "".join(row["pm_password"] for row in live)
    assert set("%'\"ä") <= set(passwords)
    deleted = query("SELECT * FROM bm_nodes WHERE deleted")
    assert {row["id"] for row in deleted} == set(range(10, 91, 10))
    assert all(row["deleted_at"] and row["instance_uuid"] is None for row in deleted)


@pytest.mark.parametrize("version", [4, 5, 6, 7, 10])
def test_each_machine_has_two_macs_wherever_they_are_kept(
    url: str, query: Query, version: int
) -> None:
    generate(url, nodes=60, schema_version=version)
    for node in query("SELECT * FROM bm_nodes WHERE NOT deleted"):
        rows = query("SELECT * FROM bm_interfaces WHERE bm_node_id = ?", node["id"])
        macs = [row["address"] for row in rows if row["address"]]
        assert len(set(macs)) == len(macs)
        assert len({*macs, node.get("prov_mac_address") or macs[0]}) == 2
        assert any(row["vif_uuid"] for row in rows) == (node["instance_uuid"] is not None)
    addresses = "".join(
        row["address"] for row in query("SELECT address FROM bm_interfaces WHERE address > ''")
    )
    assert not addresses.islower()
    assert not addresses.isupper()


def test_what_migration_006_left(url: str, query: Query, tmp_path: Path) -> None:
    left = "SELECT * FROM bm_interfaces WHERE deleted IS NULL"
    owner_deleted = f"{left} AND bm_node_id IN (SELECT id FROM bm_nodes WHERE deleted)"
    for version in (5, 6, 10):
        (tmp_path / "nova_bm.db").unlink(missing_ok=True)
        generate(url, nodes=60, schema_version=version)
        rows = query(left)
        if version < 6:
            assert rows == []
            continue
        assert {row["address"] is None for row in rows} == {True, False}
        for row in rows:
            given = {name for name, value in row.items() if value is not None}
            assert given <= {"id", "bm_node_id", "address"}
        assert {row["address"] is None for row in query(owner_deleted)} == {True, False}


def test_what_only_old_versions_have(url: str, query: Query, tmp_path: Path) -> None:
    for version in (1, 3, 4, 5):
        (tmp_path / "nova_bm.db").unlink(missing_ok=True)
        generate(url, nodes=20, schema_version=version)
        nodes = query("SELECT * FROM bm_nodes WHERE NOT deleted")
        if version == 1:
            deployments = query("SELECT * FROM bm_deployments")
            assert {row["bm_node_id"] for row in deployments} == {None}
            assert len(deployments) == sum(row["instance_uuid"] is not None for row in nodes)
        elif version < 5:
            assert {row["uuid"] is None for row in nodes} == {True, False}
        else:
            assert None not in {row["uuid"] for row in nodes}
        assert {row.get("registration_status") for row in nodes} == (
            {"done"} if version < 5 else {None}
        )


@pytest.mark.parametrize("version", range(1, 11))
def test_faults_are_added_to_every_version(url: str, query: Query, version: int) -> None:
    generate(url, nodes=3, schema_version=version)
    add_faults(url)
    ids = {row["id"] for row in query("SELECT id FROM bm_nodes WHERE id > 900000")}
    assert {Fault(number) for number in ids} == set(Fault) - {
        Fault.INTERFACE_OF_NO_NODE,
        Fault.INTERFACE_OF_NOBODY,
    }


def test_faults(url: str, query: Query) -> None:
    generate(url, nodes=3)
    add_faults(url)

    def node(fault: Fault) -> Row:
        (row,) = query("SELECT * FROM bm_nodes WHERE id = ?", fault)
        return row

    def macs(fault: Fault) -> list[Any]:
        rows = query("SELECT address FROM bm_interfaces WHERE bm_node_id = ? ORDER BY id", fault)
        return [row["address"] for row in rows]

    assert node(Fault.UUID_NULL)["uuid"] is None
    assert node(Fault.UUID_UPPER_CASE)["uuid"].isupper()
    with pytest.raises(ValueError, match="badly formed"):
        uuid.UUID(node(Fault.UUID_JUNK)["uuid"])
    first, second = macs(Fault.MAC_DUPLICATE)[0], macs(Fault.MAC_DUPLICATE_OTHER)[0]
    assert first != second
    assert first.lower() == second.lower()
    assert len({address.lower() for address in macs(Fault.MAC_TWICE)}) == 1
    assert macs(Fault.MAC_DASHES)[0].count("-") == 5
    assert len(macs(Fault.MAC_BARE)[0]) == 12
    assert macs(Fault.MAC_JUNK)[0] == "eth0"
    assert macs(Fault.MAC_NULL)[0] is None
    assert macs(Fault.NO_INTERFACES) == []
    assert macs(Fault.INTERFACE_OF_NO_NODE)
    assert macs(Fault.INTERFACE_OF_DELETED_NODE)
    assert node(Fault.INTERFACE_OF_DELETED_NODE)["deleted"] == 1
    assert len(query("SELECT * FROM bm_interfaces WHERE bm_node_id IS NULL")) == 1
    assert node(Fault.NO_PM_ADDRESS)["pm_address"] is None
    assert node(Fault.EMPTY_PM)["pm_password"] == ""
    assert "%" in node(Fault.PERCENT_IN_PASSWORD)["pm_password"]
    assert not node(Fault.NON_ASCII_USER)["pm_user"].isascii()
    shared = {
        node(f)["instance_uuid"] for f in (Fault.INSTANCE_SHARED, Fault.INSTANCE_SHARED_OTHER)
    }
    assert len(shared) == 1
    assert node(Fault.SIZES_NEGATIVE)["cpus"] == -1
    assert node(Fault.SIZES_NULL)["memory_mb"] is None
    assert len(node(Fault.LONG_TEXTS)["pm_password"]) == 255
    ports = [
        node(f)["terminal_port"] for f in (Fault.TERMINAL_PORT_ZERO, Fault.TERMINAL_PORT_TOO_HIGH)
    ]
    assert ports == [0, 70000]


def test_odd_states_with_and_without_an_instance(url: str, query: Query) -> None:
    generate(url, nodes=3)
    add_faults(url)
    states: dict[bool, set[str | None]] = {True: set(), False: set()}
    for row in query(
        "SELECT task_state, instance_uuid FROM bm_nodes WHERE id BETWEEN ? AND ?",
        Fault.INSTANCE_BUILDING,
        Fault.FREE_UNKNOWN,
    ):
        states[row["instance_uuid"] is not None].add(row["task_state"])
    odd = {"building", "deploying", "deploy failed", "deploy complete", "prepared", "error"}
    assert states[True] == {*odd, "rebuilding", "deleted", None}
    assert states[False] == {*odd, "rebuilding", "active"}


def test_the_nova_conf_says_what_it_was_asked_to(tmp_path: Path) -> None:
    text = nova_conf("nova.virt.baremetal.iboot_pdu.IBootManager", cpu_arch="i686")
    # Strict parsers stop at options given twice; interpolating ones at the percent signs.
    with pytest.raises(configparser.DuplicateOptionError):
        configparser.ConfigParser().read_string(text)
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read_string(text)
    assert parser["baremetal"]["power_manager"] == "nova.virt.baremetal.iboot_pdu.IBootManager"
    assert parser["baremetal"]["flavor_extra_specs"].startswith("cpu_arch:i686")
    assert "%(asctime)s" in parser["DEFAULT"]["logging_context_format_string"]
