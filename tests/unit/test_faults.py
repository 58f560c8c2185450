# SPDX-License-Identifier: Apache-2.0
"""Nova's fault bodies."""

import inspect
import json
import logging
from collections.abc import Iterable
from typing import Any

import pytest
import webob.exc
import werkzeug.exceptions
import werkzeug.test
from keystoneauth1 import exceptions as kexc

from bm_shim import errors
from bm_shim.api import faults

# legacy name of each status; nova's map is the same from Grizzly to today
NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    406: "computeFault",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    500: "computeFault",
    501: "notImplemented",
    502: "computeFault",
    503: "serviceUnavailable",
}
ERRORS = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, errors.ShimError)
]
#: All but those that somebody else has words for, and that have nothing more to tell.
WITH_WORDS = [e for e in ERRORS if e not in (errors.NodeNotFound, errors.InstanceNotFound)]


def make(error: type[errors.ShimError]) -> errors.ShimError:
    return error() if error in WITH_WORDS else error("42")


def body_of(error: errors.ShimError) -> tuple[str, dict[str, Any]]:
    response = faults.render(error, {})
    assert response.content_type == "application/json; charset=UTF-8"
    assert response.status_code == error.status
    ((name, fault),) = json.loads(response.get_data()).items()
    return name, fault


@pytest.mark.parametrize("error", ERRORS)
def test_each_error_has_a_fault(error: type[errors.ShimError]) -> None:
    name, fault = body_of(make(error))
    assert name == NAMES[error.status]
    assert fault == {"code": error.status, "message": error.default_message}
    assert fault["message"].endswith((".", "Unsupported Content-Type"))


@pytest.mark.parametrize("error", WITH_WORDS)
def test_a_message_of_its_own_replaces_the_default(error: type[errors.ShimError]) -> None:
    assert body_of(error("Because."))[1]["message"] == "Because."


@pytest.mark.parametrize("error", WITH_WORDS)
def test_details_are_never_shown(error: type[errors.ShimError]) -> None:
    assert "s3cret" not in str(body_of(error(detail="s3cret")))


@pytest.mark.parametrize("error", ERRORS)
def test_retry_after_is_sent_where_trying_again_helps(error: type[errors.ShimError]) -> None:
    sent = faults.render(make(error), {}).headers.get("Retry-After")
    seconds = {
        errors.ServiceUnavailable: "5",
        errors.NodeLocked: "5",
        errors.TooManyRequests: "60",
    }
    assert sent == seconds.get(error)


def test_a_node_that_is_not_found_is_known_by_the_id_asked_for() -> None:
    error = errors.NodeNotFound("42")
    assert (error.node_id, error.detail) == ("42", None)
    assert isinstance(error, errors.NotFound)


def test_odd_characters_of_a_message_are_escaped() -> None:
    message = 'ä "quoted" \ud800 \u2028 <script>'
    assert body_of(errors.BadRequest(message))[1]["message"] == message


@pytest.mark.parametrize("status", [s for s in range(400, 600) if s != 405])
def test_foreign_statuses_are_kept(status: int) -> None:
    error = faults.from_status(status)
    assert error.status == status
    name, fault = body_of(error)
    assert name == (NAMES | {429: "overLimit"}).get(status, "computeFault")
    assert fault["code"] == status


def test_a_status_of_one_error_does_not_stick_to_its_class() -> None:
    faults.from_status(418)
    faults.from_status(599)
    assert (errors.BadRequest.status, errors.ShimError.status) == (400, 500)


def test_a_wrong_method_is_not_found() -> None:
    assert faults.from_status(405).status == 404


WERKZEUG = [each for each in vars(werkzeug.exceptions).values() if inspect.isclass(each)]


@pytest.mark.parametrize(
    "error",
    [
        each
        for each in WERKZEUG
        if issubclass(each, werkzeug.exceptions.HTTPException) and each.code is not None
    ],
)
def test_each_error_of_the_framework_has_a_fault(
    error: type[werkzeug.exceptions.HTTPException],
) -> None:
    assert error.code is not None
    status = 404 if error.code == 405 else error.code
    assert faults.from_exception(error()).status == status


def test_errors_of_webob_are_known() -> None:
    assert faults.from_exception(webob.exc.HTTPRequestEntityTooLarge()).status == 413


def test_keystone_being_away_is_told_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    error = faults.from_exception(kexc.ConnectFailure("http://internal:5000 is away"))
    assert error.status == 503
    assert error.message == "The identity service is temporarily unavailable."
    assert "http://internal:5000" in caplog.text


def test_an_unexpected_error_is_told_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ZeroDivisionError("s3cret")
    except ZeroDivisionError as error:
        found = faults.from_exception(error)
    assert body_of(found)[1] == {
        "code": 500,
        "message": "The server has either erred or is incapable of performing the requested "
        "operation.",
    }
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert "ZeroDivisionError: s3cret" in caplog.text


def test_details_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    error = errors.NotSetUp(detail="grant this")
    assert faults.from_exception(error) is error
    assert [record.getMessage() for record in caplog.records] == ["grant this"]


def test_known_errors_without_details_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    faults.from_exception(errors.NotFound())
    assert caplog.records == []


def normalized(
    status: str, headers: list[tuple[str, str]], body: bytes = b"<html>", **environ: Any
) -> werkzeug.test.TestResponse:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response(status, headers)
        return [body]

    return werkzeug.test.Client(faults.FaultNormalizer(application)).open("/", **environ)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 411, 413, 418, 429, 500, 503, 505])
def test_foreign_bodies_become_faults(status: int) -> None:
    response = normalized(
        f"{status} Whatever",
        [
            ("Content-Type", "text/html"),
            ("Content-Length", "6"),
            ("Content-Encoding", "gzip"),
            ("WWW-Authenticate", "x"),
        ],
    )
    assert "Content-Encoding" not in response.headers
    assert response.status_code == status
    assert response.content_type == "application/json; charset=UTF-8"
    assert response.headers["WWW-Authenticate"] == "x"
    assert response.content_length == len(response.data)
    ((_, fault),) = json.loads(response.data).items()
    assert fault["code"] == status


@pytest.mark.parametrize("status", [200, 202, 204, 302])
def test_other_answers_are_left_alone(status: int) -> None:
    response = normalized(f"{status} X", [("Content-Type", "text/html"), ("Location", "/x")])
    assert response.status_code == status
    assert response.content_type == "text/html"


def test_faults_of_ours_are_left_alone() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return faults.render(errors.NotFound("Mine."), environ)(environ, start_response)

    response = werkzeug.test.Client(faults.FaultNormalizer(application)).get("/")
    assert response.json == {"itemNotFound": {"code": 404, "message": "Mine."}}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("s3cret"), 500),
        (kexc.ConnectFailure("s3cret"), 503),
        (webob.exc.HTTPRequestEntityTooLarge("s3cret"), 413),
        (errors.NotFound(), 404),
    ],
)
def test_exceptions_of_middleware_become_faults(error: Exception, status: int) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raise error

    response = werkzeug.test.Client(faults.FaultNormalizer(application)).get("/")
    assert response.status_code == status
    assert "s3cret" not in response.text
    assert response.json is not None


def test_retry_after_of_others_is_kept() -> None:
    response = normalized("429 Slow down", [("Retry-After", "60")])
    assert response.headers["Retry-After"] == "60"
    assert response.json is not None
    assert response.json["overLimit"]["code"] == 429


def test_head_has_no_body() -> None:
    response = normalized("404 X", [], b"", method="HEAD")
    assert response.status_code == 404
    assert response.data == b""
