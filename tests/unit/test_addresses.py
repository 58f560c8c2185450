# SPDX-License-Identifier: Apache-2.0
"""Where a request comes from."""

import pytest

from bm_shim.addresses import (
    client_address,
    is_from_here,
    is_local,
    owned_by_client,
    root_url,
)


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("", True),
        ("192.0.2.1", False),
        ("0.0.0.0", False),
        ("2001:db8::1", False),
        ("localhost", False),
        ("127.0.0.1, 192.0.2.1", False),
    ],
)
def test_what_is_local(address: str, local: bool) -> None:
    assert is_local(address) is local


@pytest.mark.parametrize(
    ("remote", "forwarded", "here"),
    [
        ("127.0.0.1", None, True),
        ("", None, True),
        ("127.0.0.1", "127.0.0.1", True),
        ("", "192.0.2.1, [::1]:4711", True),
        ("127.0.0.1", "192.0.2.1", False),
        ("", "127.0.0.1, 192.0.2.1", False),
        ("127.0.0.1", "unknown", False),
        ("192.0.2.1", "127.0.0.1", False),
    ],
)
def test_what_comes_from_here(remote: str, forwarded: str | None, here: bool) -> None:
    environ = {"REMOTE_ADDR": remote}
    if forwarded is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    assert is_from_here(environ) is here


@pytest.mark.parametrize(
    ("remote", "forwarded", "direct", "proxied"),
    [
        ("192.0.2.1", None, "192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "", "192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1", "198.51.100.7"),
        # What comes first, the client made up.
        ("192.0.2.1", "10.0.0.1, 198.51.100.7", "192.0.2.1", "198.51.100.7"),
        ("192.0.2.1", "10.0.0.1,198.51.100.7:4711", "192.0.2.1", "198.51.100.7"),
        ("192.0.2.1", "[2001:db8::7]:4711", "192.0.2.1", "2001:db8::7"),
        ("192.0.2.1", "2001:db8::7", "192.0.2.1", "2001:db8::7"),
        ("::ffff:192.0.2.1", None, "192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "nonsense", "192.0.2.1", None),
        ("", None, None, None),
    ],
)
def test_who_the_client_is(
    remote: str, forwarded: str | None, direct: str | None, proxied: str | None
) -> None:
    environ = {"REMOTE_ADDR": remote}
    if forwarded is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    found = [client_address(environ, behind_proxy=proxy) for proxy in (False, True)]
    assert [each and str(each) for each in found] == [direct, proxied]


@pytest.mark.parametrize(
    ("remote", "owned"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", "None"),
    ],
)
def test_what_a_client_has_to_itself(remote: str, owned: str) -> None:
    address = client_address({"REMOTE_ADDR": remote}, behind_proxy=False)
    assert owned_by_client(address) == owned


@pytest.mark.parametrize(
    ("host", "below", "url"),
    [
        ("shim.test", "", "https://shim.test"),
        ("shim.test:443", "/", "https://shim.test"),
        ("shim.test:8774", "/compute/", "https://shim.test:8774/compute"),
        ("[2001:db8::1]:8774", "/a b", "https://[2001:db8::1]:8774/a%20b"),
        ("xn--fiqs8s.example", "/\xc3\xbc", "https://xn--fiqs8s.example/%C3%BC"),
        # Only begins like a name in another script.
        ("xn--a", "", "https://xn--a"),
    ],
)
def test_under_which_name_it_was_called(host: str, below: str, url: str) -> None:
    environ = {"wsgi.url_scheme": "https", "HTTP_HOST": host, "SCRIPT_NAME": below}
    assert root_url(environ) == url
