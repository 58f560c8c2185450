# SPDX-License-Identifier: Apache-2.0
"""Which Ironic it is that the other tests run against."""

import os
from importlib.metadata import version
from pathlib import Path

import requests

from bm_shim.ironic import API_VERSION, AVAILABLE_API_VERSION
from bm_shim.sandbox import Sandbox
from bm_shim.sandbox.ironic import PYTHON_ENVIRONMENT_VARIABLE

from .environment import API_VERSIONS


def number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def expected_release() -> str:
    """The Ironic of the environment named by ``make test-ironics``, else our own."""
    python = os.environ.get(PYTHON_ENVIRONMENT_VARIABLE)
    return Path(python).parents[1].name.removeprefix("ironic-") if python else version("ironic")


def test_this_ironic_is_the_one_that_is_meant(sandbox: Sandbox) -> None:
    versions = requests.get(sandbox.ironic_url, timeout=60).json()["default_version"]
    assert versions["version"] == API_VERSIONS[expected_release()]
    least, most = number(versions["min_version"]), number(versions["version"])
    for used in (AVAILABLE_API_VERSION, API_VERSION):
        assert least <= number(used) <= most
