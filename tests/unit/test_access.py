# SPDX-License-Identifier: Apache-2.0
"""Views and the rules that guard them."""

import pytest
from flask import Flask, Response

from bm_shim import context, errors, formats
from bm_shim.api import access, faults, prefixes
from bm_shim.context import RequestContext
from bm_shim.policy import LIST, SHOW, SHOW_SERVER, Policy

from .conftest import MakeConf, StubInventory

ADMIN = RequestContext(user_id="a", roles=["admin"], project_id="p")
MEMBER = RequestContext(user_id="m", roles=["member"], project_id="p")


@pytest.fixture
def app(make_conf: MakeConf, inventory: StubInventory) -> Flask:
    app = Flask("test")
    services = access.Services(
        policy=Policy(make_conf()),
        inventory=inventory,
        dialects=formats.by_prefix(["ironic-proxy", "v1.1:nova-baremetal"], prefixes.ALL),
        read_only=False,
        max_limit=1000,
        list_max_age=0,
    )
    access.init_app(app, services)
    faults.init_app(app)
    return app


def ask(app: Flask, caller: RequestContext | None, path: str = "/") -> int:
    overrides = {} if caller is None else {context.ENVIRON_KEY: caller}
    return app.test_client().get(path, environ_overrides=overrides).status_code


def test_one_rule_guards_a_view(app: Flask) -> None:
    @app.get("/")
    @access.requires(LIST)
    def view() -> Response:
        return Response()

    assert access.rules_of(view) == (LIST,)
    assert [ask(app, caller) for caller in (ADMIN, MEMBER, None)] == [200, 403, 401]


def test_of_several_rules_the_view_chooses_one(app: Flask) -> None:
    @app.get("/")
    @access.authorizes(LIST, SHOW)
    def view() -> Response:
        access.authorize(SHOW)
        return Response()

    assert access.rules_of(view) == (LIST, SHOW)
    assert [ask(app, caller) for caller in (ADMIN, MEMBER, None)] == [200, 403, 401]


def test_a_rule_is_about_the_project_of_the_resource(app: Flask) -> None:
    """That of the caller, unless the view knows better."""

    @app.get("/<project_id>")
    @access.authorizes(SHOW_SERVER)
    def view(project_id: str) -> Response:
        access.authorize(SHOW_SERVER, None if project_id == "none" else project_id)
        return Response()

    reader = RequestContext(user_id="r", roles=["reader"], project_id="p")
    assert [ask(app, reader, path) for path in ("/p", "/none", "/q")] == [200, 200, 403]
    assert ask(app, ADMIN, "/q") == 200


@pytest.mark.parametrize(("caller", "expected"), [(ADMIN, True), (MEMBER, False)])
def test_who_is_an_administrator(app: Flask, caller: RequestContext, expected: bool) -> None:
    with app.test_request_context(environ_overrides={context.ENVIRON_KEY: caller}):
        assert access.is_admin() is expected


def test_public_views_need_nobody(app: Flask) -> None:
    @app.get("/")
    @access.public
    def view() -> Response:
        return Response()

    assert access.rules_of(view) == ()
    assert ask(app, None) == 200


@pytest.mark.parametrize("prefix", ["/v1.1", "/v2", "/v2.1"])
def test_below_a_prefix_nobody_learns_which_paths_there_are(app: Flask, prefix: str) -> None:
    @app.get(f"{prefix}/x")
    @access.public
    def view() -> Response:
        return Response()

    assert [ask(app, None, f"{prefix}{path}") for path in ("/x", "/y", "//", "/x/")] == [401] * 4
    assert [ask(app, MEMBER, f"{prefix}{path}") for path in ("/x", "/y")] == [200, 404]


@pytest.mark.parametrize("path", ["/", "/v1.1", "/v2/", "/v2.1", "/v2.1/", "/v3/x", "/x/v2/y"])
def test_elsewhere_nobody_is_asked_for(app: Flask, path: str) -> None:
    assert ask(app, None, path) == 404


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/v1.1/p/x", "nova-baremetal"),
        ("/v2/p/x", "ironic-proxy"),
        ("/v2.1/x", "ironic-proxy"),
    ],
)
def test_each_prefix_has_its_dialect(app: Flask, path: str, form: str) -> None:
    with app.test_request_context(path):
        assert access.dialect() is formats.FORMATS[form]


def test_a_view_without_a_mark_is_noticed() -> None:
    def view() -> Response:
        return Response()

    with pytest.raises(KeyError):
        access.rules_of(view)


@pytest.mark.parametrize(
    ("own", "asked", "fits"),
    [
        ("p", "p", True),
        ("p", "q", False),
        ("p", None, True),
        (None, "p", True),
        (None, None, True),
    ],
)
def test_the_project_of_a_path(app: Flask, own: str | None, asked: str | None, fits: bool) -> None:
    caller = RequestContext(project_id=own)
    with app.test_request_context(environ_overrides={context.ENVIRON_KEY: caller}):
        if fits:
            access.check_project(asked)
        else:
            with pytest.raises(errors.BadRequest, match="'q' doesn't match Context's"):
                access.check_project(asked)


def test_the_operation_is_noted_for_the_access_log(app: Flask) -> None:
    with app.test_request_context(environ_overrides={context.ENVIRON_KEY: ADMIN}) as request:
        access.authorize(LIST)
        assert request.request.environ[access.OPERATION_KEY] == LIST
