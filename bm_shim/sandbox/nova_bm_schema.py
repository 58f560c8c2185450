# SPDX-License-Identifier: Apache-2.0
"""The schema of nova-baremetal's database, in each of its ten versions.

Facts are those of nova's own migrations,
``nova/virt/baremetal/db/sqlalchemy/migrate_repo/versions`` until Juno.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
    inspect,
)
from sqlalchemy.types import TypeEngine

#: What Icehouse and Juno had. Grizzly was released with 4, Havana with 8.
LATEST = 10
#: ``repository_id`` of the table ``migrate_version``.
REPOSITORY_ID = "nova_bm"

# SQLAlchemy made it so at the time, for databases without a boolean type of their own.
_BOOLEAN = Boolean(create_constraint=True)
_UUID = String(36)
_TEXT = String(255)


class _Field(NamedTuple):
    """A column, and the versions of the schema that have it."""

    name: str
    type: TypeEngine[Any]
    first: int = 1
    last: int = LATEST
    unique: bool | None = None
    server_default: Any = None

    def column(self) -> "Column[Any]":
        return Column(
            self.name,
            self.type,
            primary_key=self.name == "id",
            unique=self.unique,
            server_default=self.server_default,
        )


_BOOKKEEPING = (
    _Field("created_at", DateTime()),
    _Field("updated_at", DateTime()),
    _Field("deleted_at", DateTime()),
    _Field("deleted", _BOOLEAN),
    _Field("id", Integer()),
)
# In the order in which the migrations made them.
_NODES = (
    *_BOOKKEEPING,
    _Field("cpus", Integer()),
    _Field("memory_mb", Integer()),
    _Field("local_gb", Integer()),
    _Field("pm_address", _TEXT),
    _Field("pm_user", _TEXT),
    _Field("pm_password", _TEXT),
    _Field("service_host", _TEXT),
    _Field("prov_mac_address", _TEXT, last=6),
    _Field("instance_uuid", _UUID),
    _Field("registration_status", String(16), last=4),
    _Field("task_state", _TEXT),
    _Field("prov_vlan_id", Integer(), last=4),
    _Field("terminal_port", Integer()),
    _Field("image_path", _TEXT, first=2),
    _Field("pxe_config_path", _TEXT, first=2),
    _Field("deploy_key", _TEXT, first=2),
    _Field("root_mb", Integer(), first=2),
    _Field("swap_mb", Integer(), first=2),
    _Field("uuid", _UUID, first=3),
    _Field("instance_name", _TEXT, first=4),
    _Field("ephemeral_mb", Integer(), first=9),
    _Field("preserve_ephemeral", _BOOLEAN, first=10, server_default=false()),
)
_INTERFACES = (
    *_BOOKKEEPING,
    # Without a foreign key.
    _Field("bm_node_id", Integer()),
    _Field("address", _TEXT, unique=True),
    _Field("datapath_id", _TEXT),
    _Field("port_no", Integer()),
    _Field("vif_uuid", _UUID, unique=True),
)
_PXE_IPS = (
    *_BOOKKEEPING,
    _Field("address", _TEXT, unique=True),
    _Field("bm_node_id", Integer()),
    _Field("server_address", _TEXT, unique=True),
)
_DEPLOYMENTS = (
    *_BOOKKEEPING,
    # Nova never filled it: nothing but the instance in the paths says whose a deployment is.
    _Field("bm_node_id", Integer()),
    _Field("key", _TEXT),
    _Field("image_path", _TEXT),
    _Field("pxe_config_path", _TEXT),
    _Field("root_mb", Integer()),
    _Field("swap_mb", Integer()),
)


def tables(version: int) -> MetaData:
    """Return the tables of a version, ``migrate_version`` among them.

    :param version: 1 to 10.
    :raises ValueError: there is no such version.
    """
    if not 1 <= version <= LATEST:
        raise ValueError(f"Versions of nova_bm's schema are 1 to {LATEST}, not {version}.")
    metadata = MetaData()
    _add_nodes(metadata, version)
    interfaces = _add(metadata, "bm_interfaces", _INTERFACES, version)
    Index("idx_bm_interfaces_bm_node_id_deleted", interfaces.c.bm_node_id, interfaces.c.deleted)
    if version <= 7:
        pxe_ips = _add(metadata, "bm_pxe_ips", _PXE_IPS, version)
        Index("idx_bm_pxe_ips_bm_node_id_deleted", pxe_ips.c.bm_node_id, pxe_ips.c.deleted)
    if version == 1:
        _add(metadata, "bm_deployments", _DEPLOYMENTS, version)
    # The books of sqlalchemy-migrate.
    Table(
        "migrate_version",
        metadata,
        Column("repository_id", String(250), primary_key=True),
        Column("repository_path", Text),
        Column("version", Integer),
    )
    return metadata


def create_schema(engine: Engine, version: int) -> None:
    """Make the tables of a version in an empty database, and note the version there.

    :param version: 1 to 10.
    :raises ValueError: there is no such version, or there are tables already.
    """
    metadata = tables(version)
    if inspect(engine).get_table_names():
        raise ValueError(f"The database {engine.url.render_as_string()} is not empty.")
    with engine.begin() as connection:
        metadata.create_all(connection, checkfirst=False)
        connection.execute(
            metadata.tables["migrate_version"].insert(),
            {
                "repository_id": REPOSITORY_ID,
                "repository_path": "/usr/share/pyshared/nova/virt/baremetal/db/sqlalchemy"
                "/migrate_repo",
                "version": version,
            },
        )


def _add_nodes(metadata: MetaData, version: int) -> None:
    nodes = _add(metadata, "bm_nodes", _NODES, version)
    columns = nodes.c
    Index("idx_bm_nodes_service_host_deleted", columns.service_host, columns.deleted)
    Index("idx_bm_nodes_instance_uuid_deleted", columns.instance_uuid, columns.deleted)
    Index(
        "idx_bm_nodes_hmcld",
        columns.service_host,
        columns.memory_mb,
        columns.cpus,
        columns.local_gb,
        columns.deleted,
    )
    if version >= 2:
        Index("deploy_key_idx", columns.deploy_key)
    if version >= 3:
        Index("uuid_ux", columns.uuid, unique=True)


def _add(metadata: MetaData, name: str, fields: Sequence[_Field], version: int) -> Table:
    columns = [field.column() for field in fields if field.first <= version <= field.last]
    return Table(name, metadata, *columns, mysql_engine="InnoDB")
