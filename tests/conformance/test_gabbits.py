# SPDX-License-Identifier: Apache-2.0
"""Runs the conversations in ``gabbits/``: each request is a test of its own.

A file is gabbi's format (https://gabbi.readthedocs.io/en/latest/format.html) with one more key at
its top, ``shim``: the ``[api]`` options of the shim that it talks to. Beside gabbi's own keys a
test may have those of :mod:`.handlers`. For ``$ENVIRON`` there are:

====================  ===================================================================
``ADMIN_TOKEN``       a token of an administrator
``SYSTEM_TOKEN``      the same person's, for the system instead of the project
``MEMBER_TOKEN``      a token of somebody who may do nothing
``PROJECT``           the administrator's project
``MEMBER_PROJECT``    the member's
``V1_1``, ``V2``      ``/v1.1/PROJECT`` and ``/v2/PROJECT`` of the administrator
``IRONIC``            Ironic's URL
``DEFAULT_SHIM``      the URL of a shim with the default options, before the same Ironic
``TOO_LARGE``         a text one byte longer than a body may be
====================  ===================================================================

The requests of a file run in its order, on a fleet that is empty at first.
"""

import unittest
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from gabbi import case as gabbi_case
from gabbi import handlers, suitemaker, utils

from bm_shim.sandbox import Sandbox

from .handlers import WholeBody, WholeXml

GABBITS = Path(__file__).parent / "gabbits"
FILES = {
    path.stem: utils.load_yaml(yaml_file=str(path)) for path in sorted(GABBITS.glob("*.yaml"))
}
HANDLERS = [WholeBody, WholeXml, *handlers.RESPONSE_HANDLERS]

LIMIT = 114688


class Conversation:
    """A file, ready to run: its requests, each run once, and what became of them."""

    def __init__(self, stem: str, url: str) -> None:
        parts = urlsplit(url)
        content = FILES[stem]
        # Without TLS no certificates need be loaded, which takes time for each test.
        content.setdefault("defaults", {})["cert_validate"] = False
        suite = suitemaker.test_suite_from_dict(
            unittest.TestLoader(), stem, content, str(GABBITS), parts.hostname, parts.port,
            fixture_module=None, intercept=None, handlers=[make() for make in HANDLERS],
        )  # fmt: skip
        self._cases: list[gabbi_case.HTTPTestCase] = list(suite)
        self._problems: list[str | None] = []

    def run(self, number: int) -> str | None:
        """Run a request, and those before it that have not run; return what is wrong with it."""
        while len(self._problems) <= number:
            self._problems.append(_run(self._cases[len(self._problems)]))
        return self._problems[number]


def _run(case: gabbi_case.HTTPTestCase) -> str | None:
    result = unittest.TestResult()
    case.run(result)
    # It has a connection of its own.
    case.http.client.close()
    problems = [text for _, text in result.failures + result.errors]
    if result.skipped or result.unexpectedSuccesses or result.expectedFailures:
        problems.append("neither skip nor xfail is for us")
    if not problems:
        return None
    # The last part of a traceback is the message.
    message = "\n".join(text.rpartition("AssertionError: ")[2] for text in problems)
    data = case.test_data
    said = [f"{data['method']} {getattr(case, 'url', data['url'])}"]
    if case.__dict__.get("response") is not None:
        said.append(f"{case.response['status']} {case.response['reason']}\n{case.output}")
    return "\n\n".join([message.strip(), *said])


@pytest.fixture(scope="session")
def environment(sandbox: Sandbox) -> dict[str, str]:
    """What files find in ``$ENVIRON``."""
    admin = sandbox.admin.session()
    project = str(admin.get_project_id())
    return {
        "ADMIN_TOKEN": str(admin.get_token()),
        "SYSTEM_TOKEN": sandbox.admin.for_system().token(),
        "MEMBER_TOKEN": sandbox.member.token(),
        "PROJECT": project,
        "MEMBER_PROJECT": str(sandbox.member.session().get_project_id()),
        "V1_1": f"/v1.1/{project}",
        "V2": f"/v2/{project}",
        "IRONIC": sandbox.ironic_url,
        "DEFAULT_SHIM": sandbox.url,
        "TOO_LARGE": "x" * (LIMIT + 1),
        # A proxy cannot reach our loopback.
        "NO_PROXY": "*",
    }


@pytest.fixture(scope="module")
def open_file(
    environment: dict[str, str],
    shim_with: Callable[[Mapping[str, object]], str],
    remove_nodes: Callable[[], None],
) -> Iterator[Callable[[str], Conversation]]:
    """Gives the conversation of a file: the one under way, or a new one on an empty fleet."""
    under_way: dict[str, Conversation] = {}

    def find(stem: str) -> Conversation:
        if stem not in under_way:
            under_way.clear()
            remove_nodes()
            under_way[stem] = Conversation(stem, shim_with(FILES[stem]["shim"]))
        return under_way[stem]

    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield find
    remove_nodes()


def _all_requests() -> list[Any]:
    return [
        pytest.param(stem, number, test["name"], id=f"{stem}-{test['name']}")
        for stem, content in FILES.items()
        for number, test in enumerate(content["tests"])
    ]


@pytest.mark.parametrize(("stem", "number", "name"), _all_requests())
def test_request(
    open_file: Callable[[str], Conversation], stem: str, number: int, name: str
) -> None:
    problem = open_file(stem).run(number)
    if problem is not None:
        pytest.fail(
            f"gabbits/{stem}.yaml, request {number + 1}, {name!r}:\n{problem}", pytrace=False
        )


def test_every_conversation_says_which_shim_it_talks_to() -> None:
    assert FILES
    assert [stem for stem, content in FILES.items() if "shim" not in content] == []


def test_names_are_unique_within_a_file() -> None:
    for content in FILES.values():
        names = [test["name"] for test in content["tests"]]
        assert sorted(names) == sorted(set(names))
