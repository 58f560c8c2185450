# SPDX-License-Identifier: Apache-2.0
"""Who calls."""

from typing import Any

from oslo_context.context import get_current

from bm_shim.context import RequestContext

IDS = {"openstack.request_id": "req-1", "openstack.global_request_id": "req-2"}


def test_a_request_not_yet_checked_has_ids_and_nobody() -> None:
    context = RequestContext.anonymous(IDS | {"HTTP_X_USER_ID": "u", "HTTP_X_ROLES": "admin"})
    assert (context.request_id, context.global_request_id) == ("req-1", "req-2")
    assert (context.user_id, context.roles) == (None, [])


def test_without_keystone_everybody_is_an_administrator() -> None:
    context = RequestContext.noauth(IDS | {"HTTP_X_USER_ID": "u", "HTTP_X_ROLES": "reader"})
    assert (context.request_id, context.global_request_id) == ("req-1", "req-2")
    assert (context.user_id, context.roles, context.project_id) == ("noauth", ["admin"], None)


def test_what_the_token_check_found() -> None:
    environ: dict[str, Any] = IDS | {
        "HTTP_X_AUTH_TOKEN": "t",
        "HTTP_X_USER_ID": "u",
        "HTTP_X_USER_NAME": "Jo",
        "HTTP_X_PROJECT_ID": "p",
        "HTTP_X_ROLES": "admin,reader",
    }
    context = RequestContext.from_environ(environ)
    assert (context.auth_token, context.user_id, context.user_name) == ("t", "u", "Jo")
    assert (context.project_id, context.roles) == ("p", ["admin", "reader"])
    assert (context.request_id, context.global_request_id) == ("req-1", "req-2")


def test_a_new_context_is_that_of_the_threads_log_lines() -> None:
    context = RequestContext.anonymous(IDS)
    assert get_current() is context


def test_the_token_is_not_among_the_values_to_log() -> None:
    context = RequestContext(auth_token="s3cret")
    assert "s3cret" not in str(context.get_logging_values())
