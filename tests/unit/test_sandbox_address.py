# SPDX-License-Identifier: Apache-2.0
import socket
from contextlib import closing

import pytest

from bm_shim.sandbox.address import HOST, Address
from bm_shim.sandbox.errors import SandboxError


def connect(address: Address) -> socket.socket:
    return socket.create_connection((HOST, address.port), timeout=5)


def test_a_reserved_port_refuses_until_somebody_listens() -> None:
    address = Address()
    with pytest.raises(ConnectionRefusedError):
        connect(address)
    for _ in range(2):  # a server, stopped and started again
        with closing(address.bind()) as listener:
            listener.listen()
            connect(address).close()
        with pytest.raises(ConnectionRefusedError):
            connect(address)
    address.release()


def test_a_port_in_use_cannot_be_had() -> None:
    with closing(socket.create_server((HOST, 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(SandboxError, match=f"Port {port} on 127.0.0.1 cannot be used"):
            Address(port)
        instead = Address(preferred=port)
        assert instead.port != port
        instead.release()


def test_the_preferred_port_is_taken_when_it_is_free() -> None:
    first = Address()
    first.release()
    again = Address(preferred=first.port)
    assert again.port == first.port
    assert again.url == f"http://127.0.0.1:{first.port}"
    again.release()


def test_a_number_that_is_no_port_is_reported() -> None:
    with pytest.raises(SandboxError, match="Port 70000"):
        Address(70000)


def test_free_ports_do_not_repeat_while_they_are_reserved() -> None:
    addresses = [Address() for _ in range(50)]
    assert len({address.port for address in addresses}) == 50
    for address in addresses:
        address.release()
