# SPDX-License-Identifier: Apache-2.0
"""Other servers than gunicorn, and the unit of systemd."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from daemons import Daemon, find_program, running
from functional.support import Cloud, node_of

from bm_shim.sandbox.address import Address

from .support import DEPLOY, ROOT, run

Environment = Callable[..., Mapping[str, str]]

#: For which Python Debian's mod_wsgi is made.
_MOD_WSGI_PYTHON = (3, 11)
_MODULES = Path("/usr/lib/apache2/modules")

_APACHE = """\
ServerRoot {directory}
ServerName localhost
PidFile {directory}/pid
ErrorLog {directory}/error.log
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule wsgi_module {modules}/mod_wsgi.so
WSGISocketPrefix {directory}/s
Define APACHE_LOG_DIR {directory}
Include {directory}/site.conf
"""


def assert_serves(cloud: Cloud, daemon: Daemon, *, chunks: bool) -> None:
    """Make sure that it answers health checks, lists, creates, and survives a crowd."""
    daemon.wait_for("/healthcheck")
    api = cloud.api_of(cloud.sandbox)
    api.url = daemon.url
    with cloud.restored():
        body = b'{"node": {"prov_mac_address": "52:54:00:5e:12:01"}}'
        headers = {"Content-Type": "application/json"}
        response = api.request("POST", data=iter([body]) if chunks else body, headers=headers)
        assert api.delete(node_of(response)["id"]).status_code == 202
    if not chunks:
        # Not read at all, and not half of it either.
        assert api.request("POST", data=iter([body]), headers=headers).status_code == 400
    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda _: api.list().status_code, range(36)))
    assert statuses == [200] * 36


def test_uwsgi(cloud: Cloud, environment: Environment, address: Address, tmp_path: Path) -> None:
    settings = (DEPLOY / "uwsgi.ini").read_text().replace("127.0.0.1:8774", address.netloc)
    file = tmp_path / "uwsgi.ini"
    file.write_text(settings)
    metrics = tmp_path / "metrics"
    metrics.mkdir()
    (metrics / "counter_99.db").write_bytes(b"of an earlier run")
    made = environment({"METRICS__ENABLED": True}, PROMETHEUS_MULTIPROC_DIR=metrics)
    program = [find_program("uwsgi", "uwsgi-core"), "--ini", file]
    with running(Daemon(program, address, tmp_path / "log", made)) as daemon:
        assert_serves(cloud, daemon, chunks=False)
        told = {requests.get(f"{daemon.url}/metrics", timeout=10).text for _ in range(6)}
        lists = re.compile(r"^bm_shim_calls_total\{.*os-baremetal-nodes:list.*\} (\d+)", re.M)
        assert {tuple(lists.findall(text)) for text in told} == {("36",)}
        daemon.terminate()
        assert daemon.wait() == 0


@pytest.fixture
def site(config: Path, address: Address) -> Iterator[Path]:
    """Apache's configuration, with the shim of this checkout and the Python of the tests.

    In a directory where its processes may read, which do not run as root.
    """
    with tempfile.TemporaryDirectory(prefix="bm-shim-apache-") as name:
        directory = Path(name)
        text = (DEPLOY / "apache.conf").read_text()
        user = " user=www-data group=www-data" if os.geteuid() == 0 else ""
        for old, new in {
            "127.0.0.1:8774": address.netloc,
            " user=bm-shim group=bm-shim": user,
            "python-home=/opt/bm-shim": f"python-home={sys.prefix} python-path={ROOT}",
            "/opt/bm-shim/lib/python3.11/site-packages": str(ROOT),
        }.items():
            assert old in text
            text = text.replace(old, new)
        (directory / "site.conf").write_text(text)
        main = _APACHE.format(directory=directory, modules=_MODULES)
        if os.geteuid() == 0:
            main += "User www-data\nGroup www-data\n"
        (directory / "main.conf").write_text(main)
        shutil.copy(config, directory)
        if os.geteuid() == 0:
            for path in (directory, directory / config.name):
                shutil.chown(path, "www-data", "www-data")
        yield directory / "main.conf"


@pytest.fixture
def apache() -> str:
    """The program; mod_wsgi must be there, too."""
    program = find_program("apache2", "apache2-bin")
    if not (_MODULES / "mod_wsgi.so").exists():
        find_program("mod_wsgi.so", "libapache2-mod-wsgi-py3")
    return program


def test_apache_takes_the_configuration(apache: str, site: Path) -> None:
    assert "Syntax OK" in run(apache, "-t", "-f", site)


@pytest.mark.skipif(
    sys.version_info[:2] != _MOD_WSGI_PYTHON, reason="Debian's mod_wsgi is for another Python"
)
def test_apache(
    cloud: Cloud, apache: str, site: Path, config: Path, address: Address, tmp_path: Path
) -> None:
    program = [apache, "-f", site, "-DFOREGROUND"]
    made = {"BM_SHIM_CONFIG": str(site.parent / config.name)}
    with running(Daemon(program, address, tmp_path / "log", made)) as daemon:
        assert_serves(cloud, daemon, chunks=True)
        daemon.terminate()
        assert daemon.wait() == 0


# systemd


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program that is there."""
    text = (DEPLOY / "bm-shim.service").read_text()
    text, count = re.subn("/opt/bm-shim/bin/gunicorn", "/bin/true", text)
    assert count == 1
    file = tmp_path / "bm-shim.service"
    file.write_text(text)
    return file


def test_the_unit_is_valid(unit: Path) -> None:
    assert run(find_program("systemd-analyze", "systemd"), "verify", unit) == ""


def test_the_unit_may_do_nothing_that_it_need_not(unit: Path) -> None:
    """At most 1.5 of 10 points of exposure."""
    program = find_program("systemd-analyze", "systemd")
    run(program, "security", "--offline=true", "--threshold=15", unit)


def test_the_user_of_the_unit(tmp_path: Path) -> None:
    program = find_program("systemd-sysusers", "systemd")
    run(program, "--dry-run", DEPLOY / "bm-shim.sysusers")
    text = (DEPLOY / "bm-shim.service").read_text()
    assert "\nUser=bm-shim\n" in text
    assert "\nu bm-shim " in (DEPLOY / "bm-shim.sysusers").read_text()


def test_the_unit_gives_calls_time_to_end() -> None:
    unit = (DEPLOY / "bm-shim.service").read_text()
    settings = (DEPLOY / "gunicorn.conf.py").read_text()
    stop = re.search(r"^TimeoutStopSec=(\d+)$", unit, re.M)
    graceful = re.search(r"^graceful_timeout = (\d+)$", settings, re.M)
    assert stop is not None
    assert graceful is not None
    assert int(stop[1]) > int(graceful[1])
