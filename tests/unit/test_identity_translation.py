# SPDX-License-Identifier: Apache-2.0
"""Tokens, catalogues and projects of Keystone v3 in the words of v2.0."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from keystoneauth1.access import AccessInfoV3
from keystoneauth1.fixture import V3Token

from bm_shim import errors
from bm_shim.identity import translation

DOMAIN = "default"
PROJECT = "1" * 32
URL = "https://shim.test/v2/{tenant_id}"
COMPUTE_URL = f"https://shim.test/v2/{PROJECT}"
ISSUED = datetime(2026, 11, 22, 21, 47, 24, 566977, tzinfo=UTC)


def token(*, project: bool = True, **scope: Any) -> V3Token:
    """A token of a user in the default domain, for a project there."""
    if project:
        scope = {
            "project_id": PROJECT,
            "project_name": "prod",
            "project_domain_id": DOMAIN,
        } | scope
    user: dict[str, Any] = {"user_id": "u1", "user_name": "jo", "user_domain_id": DOMAIN}
    return V3Token(issued=ISSUED, expires=ISSUED + timedelta(hours=1), **(user | scope))


def access(body: V3Token) -> AccessInfoV3:
    return AccessInfoV3(body, "t0ken")


def document(body: V3Token, url: str = URL) -> dict[str, Any]:
    shown: dict[str, Any] = translation.access_document(access(body), url)["access"]
    return shown


def catalog(body: V3Token, url: str = URL) -> dict[str, list[dict[str, Any]]]:
    """The endpoints by type of service."""
    return {each["type"]: each["endpoints"] for each in document(body, url)["serviceCatalog"]}


def test_a_token_for_a_tenant() -> None:
    body = token()
    body.add_role(id="r1", name="admin")
    body.add_role(id="r2", name="member")
    shown = document(body)
    del shown["serviceCatalog"]
    assert shown == {
        "token": {
            "id": "t0ken",
            "expires": "2026-11-22T22:47:24Z",
            "issued_at": "2026-11-22T21:47:24.566977",
            "tenant": {"id": PROJECT, "name": "prod", "description": None, "enabled": True},
        },
        "user": {
            "id": "u1",
            "name": "jo",
            "username": "jo",
            "roles": [{"name": "admin"}, {"name": "member"}],
            "roles_links": [],
        },
        "metadata": {"is_admin": 0, "roles": ["r1", "r2"]},
    }


def test_a_token_without_a_tenant() -> None:
    body = token(project=False)
    body.add_service("identity", name="keystone").add_standard_endpoints(
        public="https://keystone.test/v3", region="RegionOne"
    )
    shown = document(body)
    assert "tenant" not in shown["token"]
    assert shown["serviceCatalog"] == []
    assert shown["user"]["roles"] == []
    assert shown["metadata"] == {"is_admin": 0, "roles": []}


def test_the_catalogue_has_one_endpoint_for_each_region() -> None:
    body = token()
    image = body.add_service("image", name="glance")
    for region in ("North", "South"):
        image.add_endpoint("internal", f"http://i.{region}", region=region, id=f"i-{region}")
        image.add_endpoint("public", f"http://p.{region}", region=region, id=f"p-{region}")
    image.add_endpoint("admin", "http://a.North", region="North", id="a-North")
    (shown,) = [e for e in document(body)["serviceCatalog"] if e["type"] == "image"]
    assert shown == {
        "type": "image",
        "name": "glance",
        "endpoints": [
            {
                "id": "i-North",
                "region": "North",
                "publicURL": "http://p.North",
                "internalURL": "http://i.North",
                "adminURL": "http://a.North",
            },
            {
                "id": "i-South",
                "region": "South",
                "publicURL": "http://p.South",
                "internalURL": "http://i.South",
            },
        ],
        "endpoints_links": [],
    }


def test_there_always_is_a_public_url() -> None:
    body = token()
    body.add_service("image").add_endpoint("internal", "http://i", region="R", id="1")
    assert catalog(body)["image"] == [
        {"id": "1", "region": "R", "publicURL": "", "internalURL": "http://i"}
    ]


def test_a_service_without_a_name() -> None:
    body = token()
    image = body.add_service("image")
    image.add_endpoint("public", "http://image", region="R", id="1")
    assert {each["name"] for each in document(body)["serviceCatalog"]} == {"", "nova"}


def test_the_compute_service_is_the_shim_in_its_regions() -> None:
    body = token()
    compute = body.add_service("compute", name="nova")
    for region in ("North", "South"):
        compute.add_endpoint("public", "http://nova/v2.1", region=region, id=f"p-{region}")
        compute.add_endpoint("internal", "http://nova/v2.1", region=region, id=f"i-{region}")
    body.add_service("image").add_endpoint("public", "http://image", region="West", id="1")
    assert catalog(body)["compute"] == [
        {
            "id": f"p-{region}",
            "region": region,
            "publicURL": COMPUTE_URL,
            "internalURL": COMPUTE_URL,
            "adminURL": COMPUTE_URL,
        }
        for region in ("North", "South")
    ]


@pytest.mark.parametrize("regions", [["North", "South"], [None], []])
def test_without_a_compute_service_the_shim_is_everywhere(regions: list[str | None]) -> None:
    body = token()
    body.root["catalog"] = [{"type": "compute", "name": "nova", "endpoints": []}]
    for region in regions:
        image = body.add_service(f"image-{region}")
        image.add_endpoint("public", "http://image", region=region, id="1")
    shown = catalog(body)["compute"]
    assert [each["region"] for each in shown] == (regions or [None])
    assert {each["publicURL"] for each in shown} == {COMPUTE_URL}


def test_only_the_service_named_compute_is_the_shim() -> None:
    body = token()
    for kind in ("compute_legacy", "computev21"):
        body.add_service(kind).add_endpoint("public", "http://nova", region="R", id="1")
    for kind in ("compute_legacy", "computev21"):
        assert catalog(body)[kind][0]["publicURL"] == "http://nova"


@pytest.mark.parametrize(
    ("url", "filled"),
    [
        ("https://x.test/v2.1", "https://x.test/v2.1"),
        ("https://x.{region}.test/v2/{tenant_id}", f"https://x.North.test/v2/{PROJECT}"),
        ("https://x.test/{other}", "https://x.test/{other}"),
    ],
)
def test_placeholders(url: str, filled: str) -> None:
    body = token()
    body.add_service("compute").add_endpoint("public", "http://n", region="North", id="1")
    whole = translation.access_document(access(body), url)
    assert translation.endpoint_of_compute(whole) == filled


ELSEWHERE = "other-domain"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (token(user_domain_id=ELSEWHERE), "The user is not in the default domain."),
        (token(project_domain_id=ELSEWHERE), "The project is not in the default domain."),
        (token(project=False, user_domain_id=ELSEWHERE), "The user is not in the default domain."),
        (
            token(project=False, domain_id=DOMAIN, domain_name="Default"),
            "Only tokens for a project exist in identity v2.0.",
        ),
    ],
)
def test_what_v2_had_no_words_for_is_refused(body: V3Token, message: str) -> None:
    with pytest.raises(errors.Unauthorized, match=message):
        translation.ensure_of_domain(access(body), DOMAIN)


def test_tokens_of_the_system_are_refused() -> None:
    body = token(project=False)
    body.set_system_scope()
    with pytest.raises(errors.Unauthorized, match="Only tokens for a project"):
        translation.ensure_of_domain(access(body), DOMAIN)


@pytest.mark.parametrize("body", [token(), token(project=False)])
def test_what_is_in_the_domain_is_not(body: V3Token) -> None:
    translation.ensure_of_domain(access(body), DOMAIN)


def test_tenants_are_the_projects_of_the_domain() -> None:
    projects = [
        {"id": "1", "name": "a", "domain_id": DOMAIN, "enabled": True, "description": "A"},
        {"id": "2", "name": "b", "domain_id": ELSEWHERE, "enabled": True, "description": "B"},
        {"id": "3", "name": "c", "domain_id": DOMAIN, "enabled": False, "is_domain": False},
    ]
    assert translation.tenants(projects, DOMAIN) == [
        {"id": "1", "name": "a", "description": "A", "enabled": True},
        {"id": "3", "name": "c", "description": None, "enabled": False},
    ]


ROWS: list[dict[str, Any]] = [{"id": "a"}, {"id": "b"}, {"id": "c"}]


@pytest.mark.parametrize(
    ("marker", "limit", "ids"),
    [
        (None, None, "abc"),
        ("a", None, "bc"),
        ("c", None, ""),
        (None, "2", "ab"),
        ("a", "1", "b"),
        ("a", "9", "bc"),
        (None, "0", ""),
    ],
)
def test_pages(marker: str | None, limit: str | None, ids: str) -> None:
    assert [row["id"] for row in translation.page(ROWS, marker, limit)] == list(ids)


@pytest.mark.parametrize(
    ("marker", "limit"), [("x", None), ("", None), (None, "-1"), (None, "x"), (None, "²")]
)
def test_pages_that_there_are_not(marker: str | None, limit: str | None) -> None:
    with pytest.raises(errors.BadRequest):
        translation.page(ROWS, marker, limit)
