# SPDX-License-Identifier: Apache-2.0
"""The access line."""

import logging
import re
from collections.abc import Iterable
from typing import Any

import pytest
import werkzeug.test
from oslo_context.context import get_current

from bm_shim import access_log, context
from bm_shim.access_log import AccessLog, format_line
from bm_shim.callers.log import parse
from bm_shim.context import RequestContext

FIELDS = [
    "client", "method", "path", "operation", "status", "bytes", "seconds", "user", "user_name",
    "project", "project_name", "microversion", "user_agent",
]  # fmt: skip


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("202 Accepted", [("Content-Length", "5"), ("X-Other", "9")])
    return [b"hello"]


class Log:
    """Serves requests and collects their lines."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        self._times = iter([10.0, 11.25])
        caplog.set_level(logging.DEBUG, logger=access_log.__name__)

    def __call__(self, app: Any = application, **environ: Any) -> str:
        wrapped = AccessLog(app, clock=lambda: next(self._times))
        werkzeug.test.run_wsgi_app(wrapped, werkzeug.test.create_environ() | environ)
        (record,) = self._caplog.records
        time, rest = record.getMessage().split(" ", 1)
        assert re.fullmatch(r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
        return rest


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    return Log(caplog)


def test_a_line_of_a_call_with_a_caller(log: Log) -> None:
    caller = RequestContext(
        user_id="u1",
        user_name="Jo Doe",
        project_id="p1",
        project_name="demo",
        overwrite=False,
    )
    assert log(
        REMOTE_ADDR="192.0.2.1",
        REQUEST_METHOD="GET",
        PATH_INFO="/v2.1/os-baremetal-nodes",
        HTTP_USER_AGENT="python-novaclient",
        HTTP_X_OPENSTACK_NOVA_API_VERSION="2.35",
        **{context.ENVIRON_KEY: caller, "bm_shim.operation": "os_compute_api:x:list"},
    ) == (
        "client=192.0.2.1 method=GET path=/v2.1/os-baremetal-nodes "
        "operation=os_compute_api:x:list status=202 bytes=5 seconds=1.250 user=u1 "
        'user_name="Jo Doe" project=p1 project_name=demo microversion=2.35 '
        "user_agent=python-novaclient"
    )


def test_what_is_not_known_is_a_dash(log: Log) -> None:
    assert log(REMOTE_ADDR=None) == (
        "client=- method=GET path=/ operation=- status=202 bytes=- seconds=1.250 user=- "
        "user_name=- project=- project_name=- microversion=- user_agent=-"
    ).replace("bytes=-", "bytes=5")


def test_an_answer_without_a_length(log: Log) -> None:
    def chunked(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("500 Oops", [])
        return []

    assert "status=500 bytes=- " in log(chunked)


@pytest.mark.parametrize(
    "value",
    [
        "a b",
        "a\nclient=x",
        "a\r\nb",
        'a"b',
        "a=b",
        "\x00",
        "\x1b[2J",
        "ä",
        "",
        "-",
        "\u2028",
        "\\",
    ],
)
def test_no_value_fakes_a_pair_or_a_line(log: Log, value: str) -> None:
    line = log(PATH_INFO=f"/{value}", HTTP_USER_AGENT=value)
    assert line.isprintable()
    assert line.isascii()
    assert len(line.splitlines()) == 1
    names = [name for name in FIELDS if f"{name}=" in line]
    assert names == FIELDS
    assert line.count(" client=") == 0
    assert line.count("client=") == (2 if "client=" in value else 1) + ("client=" in value)


@pytest.mark.parametrize(
    ("value", "written"),
    [("a", "a"), ("-", '"-"'), ("", '""'), ("a b", '"a b"'), ('a"b', '"a\\"b"'), (None, "-")],
)
def test_how_values_are_written(value: str | None, written: str) -> None:
    assert format_line({"x": value, "y": "1"}) == f"x={written} y=1"


def test_no_value_makes_a_line_that_a_log_would_cut(log: Log) -> None:
    """Cut off, it could not be read: whoever sent it would not be counted."""
    long = "\u00e9" * 4000
    line = log(PATH_INFO=f"/{long}", HTTP_USER_AGENT=long, HTTP_OPENSTACK_API_VERSION=long)
    assert len(line) < 6000
    assert parse(f"time=2026-11-22T21:47:24.566Z {line}") is not None


def test_probes_are_logged_at_debug(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    log(PATH_INFO="/healthcheck")
    assert caplog.records[0].levelno == logging.DEBUG


def test_calls_are_logged_at_info(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    log(PATH_INFO="/v2/x")
    assert caplog.records[0].levelno == logging.INFO


def test_the_mount_point_is_part_of_the_path(log: Log) -> None:
    assert "path=/compute/v2.1/x " in log(SCRIPT_NAME="/compute", PATH_INFO="/v2.1/x")


def test_the_newer_microversion_header_is_shown_first(log: Log) -> None:
    headers = {"HTTP_OPENSTACK_API_VERSION": "compute 2.1"}
    assert 'microversion="compute 2.1"' in log(HTTP_X_OPENSTACK_NOVA_API_VERSION="2.2", **headers)


def test_lines_of_a_request_bear_its_ids(log: Log) -> None:
    seen: list[object] = []

    def note(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        current = get_current()
        assert current is not None
        seen.extend([current.request_id, current.global_request_id])
        return application(environ, start_response)

    ids = {"openstack.request_id": "req-1", "openstack.global_request_id": "req-2"}
    log(note, **ids)
    assert seen == ["req-1", "req-2"]
