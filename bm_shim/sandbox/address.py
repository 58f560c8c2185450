# SPDX-License-Identifier: Apache-2.0
"""Loopback ports that stay ours from the first moment to the last."""

import socket
import sys

from bm_shim.sandbox.errors import SandboxError

HOST = "127.0.0.1"


class Address:
    """A TCP port on loopback, reserved until :meth:`release`.

    The reservation is a socket that is bound and never listens. Linux lets a server bind the
    same port beside it (both say SO_REUSEADDR), but gives the port to nobody who asks for any
    free one. So there is no moment in which somebody else can get it, a part keeps its port
    while it is stopped, and a caller is then refused at once instead of left waiting.
    Other systems do not allow two such sockets; there the port is only chosen here.
    """

    def __init__(self, port: int = 0, *, preferred: int = 0) -> None:
        """Reserve a port.

        :param port: this one and no other; 0 for any.
        :param preferred: with port 0, taken when it is free.
        :raises SandboxError: the port cannot be had.
        """
        self._reservation = _reserve(port, preferred)
        self.port: int = self._reservation.getsockname()[1]
        if sys.platform != "linux":
            self._reservation.close()

    @property
    def netloc(self) -> str:
        """``127.0.0.1:PORT``."""
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://{self.netloc}"

    def bind(self) -> socket.socket:
        """A second socket on the port, bound and ready for a server to listen on.

        :raises SandboxError: somebody else listens there.
        """
        return _bind(self.port)

    def release(self) -> None:
        """Give the port back."""
        self._reservation.close()


def _reserve(port: int, preferred: int) -> socket.socket:
    if preferred and not port:
        try:
            return _bind(preferred)
        except SandboxError:
            pass  # only a wish
    return _bind(port)


def _bind(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, port))
    except (OSError, OverflowError) as error:
        bound.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise SandboxError(f"Port {port} on {HOST} cannot be used: {reason}.") from error
    return bound
