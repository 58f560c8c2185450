# SPDX-License-Identifier: Apache-2.0
"""Where a request comes from, and under which name it called us."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import quote

from werkzeug.wsgi import get_host

from bm_shim.context import WSGIEnvironment

Address = IPv4Address | IPv6Address


def is_local(address: str) -> bool:
    """Whether an address is this machine's own; a unix socket has none at all."""
    try:
        return address == "" or ip_address(address).is_loopback
    except ValueError:
        return False


def is_from_here(environ: WSGIEnvironment) -> bool:
    """Whether a request comes from this machine, also by what a proxy on it says of its client.

    Nobody is let in for a header: it only tells who is not to be taken for a local client.
    """
    forwarded = _last_forwarded(environ)
    return is_local(environ.get("REMOTE_ADDR", "")) and is_local(_without_port(forwarded))


def client_address(environ: WSGIEnvironment, *, behind_proxy: bool) -> Address | None:
    """Return the address of the client, as far as it can be believed.

    :param behind_proxy: whether a proxy says who the client is. What it adds to
        ``X-Forwarded-For`` comes last; what stands before, the client may have made up.
    :returns: None for a unix socket, and for what is no address
    """
    forwarded = _last_forwarded(environ) if behind_proxy else ""
    last = forwarded or str(environ.get("REMOTE_ADDR", ""))
    try:
        address = ip_address(_without_port(last))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def owned_by_client(address: Address | None) -> str:
    """Return what one client has to itself: an IPv4 address, or the /64 around an IPv6 one."""
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), 64), strict=False))
    return str(address)


def root_url(environ: WSGIEnvironment) -> str:
    """Return where the application is as the client called it, without a slash at the end.

    A URL as it travels, in ASCII. Werkzeug's own has a name such as ``xn--bcher-kva.example`` as
    people read it, which no header can hold, and fails at one that only looks like it.
    """
    below = quote(environ.get("SCRIPT_NAME", "").encode("latin-1")).rstrip("/")
    return f"{environ['wsgi.url_scheme']}://{get_host(environ)}{below}"


def _last_forwarded(environ: WSGIEnvironment) -> str:
    return str(environ.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip()


def _without_port(address: str) -> str:
    """Some proxies write ``192.0.2.1:4711`` or ``[2001:db8::1]:4711``."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address
