# SPDX-License-Identifier: Apache-2.0
"""What the URL of a nova_bm database means. Connections are tested in tests/migrate."""

import sys
from pathlib import Path

import pytest

from bm_shim.migrate import database
from bm_shim.migrate.errors import SourceError

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        ("mysql://nova:pw@db/nova_bm", "mysql+pymysql://nova:pw@db/nova_bm"),
        ("mysql+mysqldb://nova:pw@db:3307/nova_bm", "mysql+pymysql://nova:pw@db:3307/nova_bm"),
        ("mysql+pymysql://nova:pw@db/nova_bm", "mysql+pymysql://nova:pw@db/nova_bm"),
        ("mariadb+mariadbconnector://nova@db/nova_bm", "mysql+pymysql://nova@db/nova_bm"),
        ("postgresql://nova:pw@db/nova_bm", "postgresql+psycopg://nova:pw@db/nova_bm"),
        ("postgresql+psycopg2://nova:pw@[::1]:1/n", "postgresql+psycopg://nova:pw@[::1]:1/n"),
        ("postgres://nova:pw@db/nova_bm", "postgresql+psycopg://nova:pw@db/nova_bm"),
        ("sqlite:///nova.sqlite?timeout=5", "sqlite:///nova.sqlite"),
        ("sqlite:////var/lib/nova/n@a:b.sqlite", "sqlite:////var/lib/nova/n%40a%3Ab.sqlite"),
        # Options.
        ("mysql://nova@db/nova_bm?charset=utf8&use_unicode=0", "mysql+pymysql://nova@db/nova_bm"),
        (
            "mysql://nova@db/nova_bm?charset=utf8&ssl_ca=ca.pem&unix_socket=s",
            "mysql+pymysql://nova@db/nova_bm?ssl_ca=ca.pem&unix_socket=s",
        ),
        (
            "postgresql:///nova_bm?host=here&sslmode=require&charset=utf8&client_encoding=latin1",
            "postgresql+psycopg:///nova_bm?host=here&sslmode=require",
        ),
        # Passwords: quoted as they should be, and as they were.
        ("mysql://nova:%25%40%3A%2F@db/n", "mysql+pymysql://nova:%25%40%3A%2F@db/n"),
        ("mysql://nova:%@:/?#@db/n", "mysql+pymysql://nova:%25%40%3A%2F%3F%23@db/n"),
        ("mysql://nova:a@b@db:3306/n", "mysql+pymysql://nova:a%40b@db:3306/n"),
        ("mysql://nova:100%@db/n", "mysql+pymysql://nova:100%25@db/n"),
    ],
)
def test_a_url_as_operators_have_it(url: str, parsed: str) -> None:
    found = database.parse(url)
    shown = found.render_as_string(hide_password=False)
    # SQLAlchemy 2.0 leaves alone the name of the database.
    assert shown.replace("n@a:b", "n%40a%3Ab") == parsed


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"nova:{SECRET}@db/nova_bm", "That is no URL of a database"),
        ("/var/lib/nova/nova.sqlite", "That is no URL of a database"),
        ("", "That is no URL of a database"),
        (f"mysql://nova:{SECRET}@db:port/nova_bm", "That is no URL of a database"),
        (f"oracle://nova:{SECRET}@db/nova_bm", "A database of oracle cannot be read"),
        (f"http+{SECRET}://nova@db/nova_bm", "A database of http cannot be read"),
        (f"mysql://nova:{SECRET}@db", "mysql+pymysql://nova:***@db names no database"),
        (f"mysql://nova:{SECRET}@db/", "mysql+pymysql://nova:***@db/ names no database"),
        ("sqlite://", "sqlite:// names no database"),
        ("sqlite://nova.sqlite", "sqlite://nova.sqlite names no database"),
        ("sqlite://var/nova.sqlite", "sqlite://var/nova.sqlite names no database"),
    ],
)
def test_what_is_no_url_of_a_database(url: str, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        database.parse(url)
    assert str(caught.value).startswith(message)
    assert "sqlite:////PATH/TO/FILE" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "package"),
    [("mysql://nova@127.0.0.1/n", "pymysql"), ("postgresql://nova@127.0.0.1/n", "psycopg")],
)
def test_a_missing_driver(url: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with (
        pytest.raises(SourceError) as caught,
        database.connect(database.parse(url), timeout=1),
    ):
        pass
    assert str(caught.value).endswith(
        f"cannot be read without {package}: pip install 'bm-shim[migrate]'"
    )


def test_a_file_of_certificates_that_is_not_there(tmp_path: Path) -> None:
    url = f"mysql://nova:{SECRET}@127.0.0.1/nova_bm?ssl_ca={tmp_path}/ca.pem"
    with (
        pytest.raises(SourceError, match="No such file or directory") as caught,
        database.connect(database.parse(url), timeout=1),
    ):
        pass
    assert SECRET not in str(caught.value)
