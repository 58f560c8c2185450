# SPDX-License-Identifier: Apache-2.0
"""Callers of each era."""

from collections.abc import Iterator

import pytest
import requests

from bm_shim.sandbox import Sandbox


class Caller:
    """An administrator who calls the shim as people did: any method, path and body."""

    def __init__(self, sandbox: Sandbox, http: requests.Session) -> None:
        admin = sandbox.admin.session()
        self.project = str(admin.get_project_id())
        self._http = http
        # A proxy cannot reach our loopback.
        http.trust_env = False
        http.headers["X-Auth-Token"] = str(admin.get_token())

    def call(
        self, method: str, url: str, body: bytes | None = None, suffix: str = ".json"
    ) -> requests.Response:
        """Send a request in JSON or XML and want the answer in the same."""
        media_type = f"application/{suffix[1:]}"
        headers = {"Accept": media_type}
        if body is not None:
            headers["Content-Type"] = media_type
        return self._http.request(method, url, data=body, headers=headers, timeout=60)


@pytest.fixture(scope="session")
def caller(sandbox: Sandbox) -> Iterator[Caller]:
    with requests.Session() as http:
        yield Caller(sandbox, http)
