# SPDX-License-Identifier: Apache-2.0
"""The page "Install: beside nova", followed to the letter.

Only names differ: the directories below ``/opt`` and ``/etc``, the ports, the number of the group
and the driver of new nodes are the test's.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from email.parser import HeaderParser
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import Distribution, distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from zipfile import ZipFile

import psutil
import pytest
import requests
from daemons import find_program
from packaging.requirements import Requirement
from packaging.tags import sys_tags
from packaging.utils import canonicalize_name

from bm_shim.sandbox import Sandbox
from bm_shim.sandbox.address import Address
from bm_shim.sandbox.keystone import REGION

from . import systemd

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "doc/source/install.rst").read_text()
#: What a cloud has before: a balancer with nova-api behind it.
HAPROXY_CFG = """\
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s

frontend nova
    bind 127.0.0.1:8774
    default_backend nova

backend nova
    server nova-1 {nova}
"""
#: What page and test call, in place of the machine's own. A reload of HAProxy is a start, as there
#: was none before.
PROGRAMS = {
    "systemctl": """\
case "$*" in
    "reload haproxy") exec haproxy -D -p {root}/haproxy.pid -f {root}/etc/haproxy/haproxy.cfg ;;
    *) exec {python} {systemd} {root} "$@" ;;
esac
""",
    "systemd-sysusers": 'exec {sysusers} --root={root} "$@"\n',
}
_MARK = "-- command {} --"

pytestmark = pytest.mark.timeout(600)


class Step(NamedTuple):
    """A command of the page, and the lines that it is said to print."""

    command: str
    output: str


def blocks(language: str) -> list[str]:
    """The blocks of code in a language."""
    pattern = rf"^\.\. code-block:: {language}\n\n((?:   .*\n|\n)+)"
    return [textwrap.dedent(found) for found in re.findall(pattern, PAGE, re.MULTILINE)]


def steps() -> Iterator[Step]:
    """All commands, in order."""
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            first, *rest = part.rstrip("\n").split("\n")
            continued = [line[2:] for line in rest if line.startswith(">")]
            printed = [line for line in rest if line and not line.startswith(">")]
            yield Step("\n".join([first, *continued]), "\n".join(printed))


class Nova(BaseHTTPRequestHandler):
    """A nova-api that knows one thing to say."""

    def do_GET(self) -> None:
        body = json.dumps({"servers": [], "from": "nova"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def nova() -> Iterator[str]:
    """The address of a nova-api."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Nova)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cloud() -> Iterator[Sandbox]:
    """A cloud of its own, where nobody has made the account yet."""
    with Sandbox(nodes=2) as sandbox:
        sandbox.shim.stop()
        keystone = sandbox.admin.session()
        users = f"{sandbox.keystone.auth_url}/users"
        (user,) = keystone.get(f"{users}?name=bm-shim").json()["users"]
        keystone.delete(f"{users}/{user['id']}")
        yield sandbox


class Walk:
    """A machine, as far as the page sees one: its files and its ports."""

    def __init__(self, root: Path, sysusers: str, cloud: Sandbox, nova: str) -> None:
        self.root = root
        self._cloud = cloud
        self._addresses = Address(0), Address(0)
        balancer, shim = (str(address.port) for address in self._addresses)
        self.url = f"http://127.0.0.1:{shim}"
        # Files of the machine's user are of this group, whom only root may give them to.
        of_user = "awk -F: '/^bm-shim:/ {print $4}' etc/passwd"
        group = of_user if os.geteuid() == 0 else "id -g"
        self._own = {
            "-g bm-shim": f"-g $({group})",
            "driver = ipmi": "driver = fake-hardware",
            "/opt/": f"{root}/opt/",
            "/etc/": f"{root}/etc/",
            "127.0.0.1:8774": f"127.0.0.1:{balancer}",
            "127.0.0.1:8775": f"127.0.0.1:{shim}",
        }
        self._write("etc/nova/nova.conf", self._nova_conf())
        self._write("etc/haproxy/haproxy.cfg", self._haproxy_cfg(nova))
        for name, text in PROGRAMS.items():
            script = text.format(
                root=root, python=sys.executable, systemd=systemd.__file__, sysusers=sysusers
            )
            self._write(f"bin/{name}", f"#!/bin/sh\n{script}").chmod(0o755)
        self._write("clouds.yaml", json.dumps({"clouds": {"mycloud": self._entry()}}))
        (root / "etc/systemd/system").mkdir(parents=True)
        for name in ("passwd", "group"):
            shutil.copy(f"/etc/{name}", root / "etc")
        shutil.copy(ROOT / "constraints.txt", root)

    def follow(self) -> list[str]:
        """Run all commands of the page in one shell and return what each printed."""
        for address in self._addresses:
            address.release()
        todo = list(steps())
        script = "".join(
            f"echo; echo '{_MARK.format(number)}'\n{self._named(step.command)}\n"
            for number, step in enumerate(todo)
        )
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.root,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        printed = re.split(r"\n-- command \d+ --\n", done.stdout)[1:]
        assert done.returncode == 0, f"{todo[len(printed) - 1].command}\n{done.stderr}"
        return printed

    def reboot(self) -> None:
        """Lose what runs, and what a reboot clears; start what is enabled."""
        self.stop("bm-shim")
        shutil.rmtree(self.root / "run")
        wanted = self.root / "etc/systemd/system/multi-user.target.wants"
        for unit in wanted.iterdir():
            subprocess.run([self.root / "bin/systemctl", "start", unit.stem], check=True)

    def stop(self, unit: str) -> None:
        """Stop a service, if it was started."""
        file = self.root / f"{unit}.pid"
        if file.exists():
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(int(file.read_text()))
                process.terminate()
                process.wait(timeout=30)

    def stop_all(self) -> None:
        """Leave nothing running."""
        self.stop("bm-shim")
        self.stop("haproxy")

    def _named(self, text: str) -> str:
        for theirs, own in self._own.items():
            text = text.replace(theirs, own)
        return text

    def _write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def _environment(self) -> dict[str, str]:
        hidden = ("OS_", "BM_SHIM_", "PYTHON", "PIP_")
        programs = f"{self.root}/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {
            **{name: v for name, v in os.environ.items() if not name.startswith(hidden)},
            "PATH": programs,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.root / "index"),
            "OS_CLIENT_CONFIG_FILE": str(self.root / "clouds.yaml"),
        }

    def _haproxy_cfg(self, nova: str) -> str:
        """What was there before, and what the page adds."""
        rule, backend = blocks("none")
        before, after = HAPROXY_CFG.format(nova=nova).split("    default_backend")
        frontend = before + textwrap.indent(rule, "    ")
        return self._named(f"{frontend}    default_backend{after}\n{backend}")

    def _nova_conf(self) -> str:
        options = "".join(f"{name} = {value}\n" for name, value in self._account().items())
        # Nobody listens there; the page is to be followed without memcached.
        cache = "memcached_servers = 127.0.0.1:9\n"
        section = f"[keystone_authtoken]\nauth_type = password\n{options}{cache}"
        return f"[DEFAULT]\nhost = nova-1\n{section}\n[libvirt]\nvirt_type = kvm\n"

    def _entry(self) -> dict[str, object]:
        return {"auth": self._account(), "region_name": REGION}

    def _account(self) -> dict[str, str]:
        options = self._cloud.admin.options
        return {k: v for k, v in options.items() if v is not None and k != "auth_type"}


@pytest.fixture(scope="module")
def sysusers() -> str:
    """The program ``systemd-sysusers``; the others of the page must be there, too."""
    find_program("haproxy")
    find_program("systemctl", "systemd")
    return find_program("systemd-sysusers", "systemd")


@pytest.fixture
def root(sysusers: str) -> Iterator[Path]:
    """The machine's root directory, which others than root may look into."""
    with TemporaryDirectory(prefix="bm-shim-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture
def walk(root: Path, sysusers: str, cloud: Sandbox, nova: str) -> Iterator[Walk]:
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(root)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (root / "index").mkdir()
    for name in required("bm-shim"):
        pack(distribution(name), root / "index")
    walk = Walk(root, sysusers, cloud, nova)
    yield walk
    walk.stop_all()


def required(name: str) -> set[str]:
    """The names of what a distribution needs, of what that needs, and so on."""
    found: set[str] = set()
    todo = [Requirement(name)]
    while todo:
        of = todo.pop()
        for one in map(Requirement, distribution(of.name).requires or ()):
            extras = of.extras or {""}
            wanted = one.marker is None or any(one.marker.evaluate({"extra": e}) for e in extras)
            if wanted and one.name not in found:
                found.add(one.name)
                todo.append(one)
    return found


def pack(installed: Distribution, directory: Path) -> None:
    """Make a wheel of what was once installed from one."""
    ours = set(map(str, sys_tags()))
    described = HeaderParser().parsestr(installed.read_text("WHEEL") or "")
    tag = next(tag for tag in described.get_all("Tag", []) if tag in ours)
    name = canonicalize_name(installed.name).replace("-", "_")
    with ZipFile(directory / f"{name}-{installed.version}-{tag}.whl", "w") as wheel:
        for file in installed.files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                wheel.write(str(file.locate()), str(file))


def test_the_page_leads_to_a_working_balancer(walk: Walk) -> None:
    printed = walk.follow()
    said = {step.command: text.strip() for step, text in zip(steps(), printed, strict=True)}
    for step in steps():
        pattern = re.sub(r"[\[\]]", lambda found: f"[{found[0]}]", step.output)
        assert fnmatchcase(said[step.command], pattern.replace("…", "*")), step
    (fleet,) = (
        text
        for command, text in said.items()
        if command.endswith("/os-baremetal-nodes") and "Token" in command
    )
    assert len(json.loads(fleet)["nodes"]) == 2
    (rest,) = (text for command, text in said.items() if command.endswith("/servers"))
    assert json.loads(rest)["from"] == "nova"
    (checked,) = (text for command, text in said.items() if "upgrade check" in command)
    assert checked.count("Result: Success") == 8
    walk.reboot()
    assert requests.get(f"{walk.url}/healthcheck", timeout=30).status_code == 200
