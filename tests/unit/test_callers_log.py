# SPDX-License-Identifier: Apache-2.0
"""Calls, read back from access logs."""

import bz2
import gzip
import json
import logging
import lzma
from collections.abc import Iterable
from datetime import UTC, datetime
from io import BufferedReader, BytesIO, RawIOBase
from typing import Any, cast

import pytest
import werkzeug.test
from hypothesis import given
from hypothesis import strategies as st
from oslo_config import cfg
from oslo_log import formatters, log

from bm_shim import access_log, context
from bm_shim.access_log import AccessLog
from bm_shim.callers.log import Call, parse, read
from bm_shim.context import RequestContext

from .callers_log import LIST, PREFIX, line, logged

CALL = Call(
    time=datetime(2026, 11, 22, 21, 47, 24, 566000, UTC),
    address="192.0.2.1",
    user="u1",
    user_name="Jo Doe",
    project="p1",
    project_name="demo",
    user_agent="python-novaclient",
    method="GET",
    path="/v2.1/os-baremetal-nodes",
    operation=LIST,
    status=200,
    microversion=None,
)


def calls_in(data: bytes) -> tuple[list[Call], int]:
    """The calls of a log, and how many lines could not be read."""
    unreadable: list[None] = []
    stream = cast(BufferedReader, BufferedReader(cast(RawIOBase, BytesIO(data))))
    return list(read(stream, lambda: unreadable.append(None))), len(unreadable)


@pytest.mark.parametrize(
    "text",
    [
        line(),
        PREFIX + line(),
        PREFIX + line() + "\n",
        "Nov 22 21:47:24 host bm-shim[71]: " + line(),
        "2026-11-22T21:47:24.566789012Z stderr F " + PREFIX + line(),
        json.dumps({"message": line(), "name": "bm_shim.access_log", "args": [line()]}),
        json.dumps({"log": PREFIX + line() + "\n", "stream": "stderr"}),
        json.dumps({"MESSAGE": line(), "LOGGER_NAME": "bm_shim.access_log"}),
    ],
    ids=["bare", "oslo.log", "newline", "syslog", "cri", "json", "docker", "journal"],
)
def test_whatever_a_log_puts_around_it(text: str) -> None:
    assert parse(text) == CALL


@pytest.mark.parametrize("formatter", ["text", "json"])
def test_what_the_service_writes_is_read(caplog: pytest.LogCaptureFixture, formatter: str) -> None:
    """Through oslo.log's own formatters."""
    conf = cfg.ConfigOpts()
    log.register_options(conf)
    conf([])
    made: logging.Formatter = formatters.JSONFormatter()
    if formatter == "text":
        made = formatters.ContextFormatter(config=conf, version="1", project="bm-shim")
    caplog.set_level(logging.INFO, logger=access_log.__name__)

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("404 Not Found", [("Content-Length", "0")])
        return [b""]

    caller = RequestContext(user_id="u1", user_name='a "b"\nc', project_id="p1")
    environ = {
        **werkzeug.test.create_environ(),
        "REQUEST_METHOD": "DELETE",
        "REMOTE_ADDR": "2001:db8::1",
        "PATH_INFO": "/v2/p1/os-baremetal-nodes/4 2",
        "HTTP_USER_AGENT": "x client=evil \\ \u00e9",
        "HTTP_X_OPENSTACK_NOVA_API_VERSION": "2.9",
        context.ENVIRON_KEY: caller,
    }
    werkzeug.test.run_wsgi_app(AccessLog(application), environ)
    (record,) = caplog.records
    call = parse(made.format(record))
    assert call is not None
    assert abs((datetime.now(UTC) - call.time).total_seconds()) < 60
    assert (call.address, call.method, call.status) == ("2001:db8::1", "DELETE", 404)
    assert call.path == "/v2/p1/os-baremetal-nodes/4 2"
    assert (call.user, call.user_name, call.project) == ("u1", 'a "b"\nc', "p1")
    assert (call.user_agent, call.microversion) == ("x client=evil \\ \u00e9", "2.9")
    assert (call.operation, call.project_name) == (None, None)


@given(agent=st.none() | st.text(max_size=300), path=st.text(max_size=300))
def test_any_value_comes_back(agent: str | None, path: str) -> None:
    call = parse(PREFIX + line(user_agent=agent, path=path))
    assert call is not None
    assert (call.user_agent, call.path) == (agent, path)


def test_a_caller_fakes_no_call() -> None:
    """Neither by what looks like a line within a line, nor by one after it."""
    fake = line(client="198.51.100.1", user="somebody-else")
    call = parse(PREFIX + line(user_agent=fake, path=f"/\n{fake}"))
    assert call is not None
    assert (call.address, call.user, call.user_agent) == ("192.0.2.1", "u1", fake)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "client=",
        "{",
        "{" * 100_000,
        "[]",
        '{"message": 1}',
        '{"message": "client=1"}',
        PREFIX + "something else about client=1",
        line().partition(" ")[2],
        "x" + line(),
        line()[:60],
        line() + " and more",
        line() + ' "',
        line().replace("status=200", "status=many"),
        line().replace("2026-11-22", "2026-13-22"),
        line(time=None),
        line().replace('"Jo Doe"', '"Jo \\x Doe"'),
        json.dumps({"message": line()[:-30]}),
    ],
)
def test_other_lines_are_no_calls(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    "compress",
    [bytes, gzip.compress, bz2.compress, lzma.compress],
    ids=["plain", "gzip", "bzip2", "xz"],
)
def test_a_log_is_read_line_by_line(compress: Any) -> None:
    data = b"".join([
        b"2026-11-22 INFO bm_shim.wsgi [-] Ironic is usable\n",
        logged(),
        logged()[:150] + b"\n",
        b"\xff\x00 client=\n",
        b"\n",
        logged(status="404").rstrip(),
    ])  # fmt: skip
    calls, unreadable = calls_in(compress(data))
    assert [call.status for call in calls] == [200, 404]
    assert unreadable == 1


def test_an_endless_line_does_not_fill_the_memory() -> None:
    endless = b"x" * (5 << 18) + b" " + logged()
    assert calls_in(endless + logged(status="404"))[0] == [parse(line(status="404"))]
    assert calls_in(b"x" * (3 << 18))[0] == []


def test_a_compressed_log_that_is_cut_off() -> None:
    with pytest.raises(EOFError):
        calls_in(gzip.compress(logged())[:-9])
