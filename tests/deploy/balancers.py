# SPDX-License-Identifier: Apache-2.0
"""The balancers of ``deploy/``, with addresses of our own."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from daemons import Daemon, find_program, running

from bm_shim.sandbox.address import Address

from .support import DEPLOY, run

#: The replicas that each configuration has, and the address of nova.
REPLICAS = ("192.0.2.11:8774", "192.0.2.12:8774", "192.0.2.13:8774")
NOVA = "192.0.2.21:8774"

_NGINX = """\
daemon off;
user root;
pid {directory}/pid;
error_log {directory}/error.log warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {site};
}}
"""


def with_addresses(name: str, port: int, servers: Mapping[str, str]) -> str:
    """Return a configuration that listens on a port of loopback and has these servers."""
    text = (DEPLOY / name).read_text()
    text, count = re.subn(
        r"^( +(?:bind|listen) ):?8774", rf"\g<1>127.0.0.1:{port}", text, flags=re.M
    )
    assert count == 1
    for old, new in servers.items():
        assert old in text
        text = text.replace(old, new)
    # Tests have no time to wait for.
    return text.replace("inter 2s", "inter 200ms").replace("http-request 10s", "http-request 2s")


def command(name: str, text: str, directory: Path) -> list[str]:
    """Write a configuration, and return what runs it in the foreground."""
    site = directory / name
    site.write_text(text)
    if name.startswith("haproxy"):
        return [find_program("haproxy"), "-db", "-f", str(site)]
    main = directory / "main.conf"
    main.write_text(_NGINX.format(directory=directory, site=site))
    return [find_program("nginx"), "-c", str(main), "-e", str(directory / "error.log")]


def check(name: str, directory: Path) -> None:
    """Let the program read the configuration as it is."""
    program, *arguments = command(name, (DEPLOY / name).read_text(), directory)
    run(program, "-c" if name.startswith("haproxy") else "-t", *arguments)


@contextmanager
def serving(name: str, servers: Mapping[str, str], directory: Path) -> Iterator[Daemon]:
    """Run a balancer."""
    address = Address()
    text = with_addresses(name, address.port, servers)
    with running(Daemon(command(name, text, directory), address, directory / "log")) as daemon:
        yield daemon
