# SPDX-License-Identifier: Apache-2.0
"""Version documents."""

import pytest

from .conftest import WITH_KEYSTONE, Api, MakeConf, StubInventory
from .wire import PROJECT, Keystone

DESCRIBED_BY = {"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"}


def links(path: str) -> list[dict[str, str]]:
    return [{"rel": "self", "href": f"http://localhost{path}"}]


V2 = {
    "id": "v2.0",
    "status": "SUPPORTED",
    "version": "",
    "min_version": "",
    "updated": "2011-01-21T11:33:21Z",
    "links": links("/v2/"),
}
V2_1 = {
    "id": "v2.1",
    "status": "CURRENT",
    "version": "2.35",
    "min_version": "2.1",
    "updated": "2013-07-23T11:33:21Z",
    "links": links("/v2.1/"),
}
V1_1 = V2 | {"links": links("/v1.1/")}


def media_types(version: str) -> list[dict[str, str]]:
    syntaxes = ("json",) if version == "2.1" else ("xml", "json")
    return [
        {
            "base": f"application/{syntax}",
            "type": f"application/vnd.openstack.compute+{syntax};version={version}",
        }
        for syntax in syntaxes
    ]


def test_the_list(api: Api) -> None:
    response = api("GET", "/")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.json == {"versions": [V2, V2_1]}


@pytest.mark.parametrize(
    ("path", "entry", "media_type_version"),
    [
        *((f"/v1.1{slash}", V1_1, "2") for slash in ("", "/", "//")),
        *((f"/v2{slash}", V2, "2") for slash in ("", "/", "//")),
        *((f"/v2.1{slash}", V2_1, "2.1") for slash in ("", "/", "//")),
        (f"/v2.1/{PROJECT}/", V2_1, "2.1"),
    ],
)
def test_the_documents(
    api: Api, path: str, entry: dict[str, object], media_type_version: str
) -> None:
    response = api("GET", path)
    assert response.status_code == 200
    self_links = entry["links"]
    assert isinstance(self_links, list)
    assert response.json == {
        "version": entry
        | {
            "links": [*self_links, DESCRIBED_BY],
            "media-types": media_types(media_type_version),
        }
    }


@pytest.mark.parametrize("path", ["/", "/v1.1/", "/v2/", "/v2.1/", "/v2.1"])
@pytest.mark.parametrize("token", [None, "unknown", "member"])
def test_no_token_is_needed_nor_looked_at(guarded_api: Api, path: str, token: str | None) -> None:
    assert guarded_api("GET", path, token=token).status_code == 200


def test_the_document_of_a_project_is_for_those_in_it(guarded_api: Api) -> None:
    path = f"/v2.1/{PROJECT}/"
    statuses = [guarded_api("GET", path, token=t).status_code for t in (None, "unknown", "member")]
    assert statuses == [401, 401, 200]
    assert guarded_api("GET", "/v2.1/fff/", token="member").status_code == 400
    assert guarded_api("GET", path.rstrip("/"), token="member").status_code == 404


def self_links(api: Api, **kwargs: object) -> list[str]:
    body = api("GET", "/", **kwargs).json  # type: ignore[arg-type]
    assert body is not None
    return [entry["links"][0]["href"] for entry in body["versions"]]


def test_links_are_of_the_name_that_was_called(api: Api) -> None:
    assert self_links(api, base_url="https://nova.example:8774") == [
        "https://nova.example:8774/v2/",
        "https://nova.example:8774/v2.1/",
    ]


@pytest.mark.parametrize("name", ["xn--fiqs8s.example", "xn--bcher-kva.example:8774"])
def test_names_of_other_scripts_stay_as_they_travel(api: Api, name: str) -> None:
    assert self_links(api, headers={"Host": name})[0] == f"http://{name}/v2/"


def test_links_are_of_where_the_service_is_mounted(api: Api) -> None:
    links = self_links(api, base_url="https://nova.example/compute/")
    assert links == ["https://nova.example/compute/v2/", "https://nova.example/compute/v2.1/"]


FORWARDED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "nova.example",
    "X-Forwarded-Prefix": "/compute",
}
BEHIND_A_PROXY = {"oslo_middleware": {"enable_proxy_headers_parsing": True}}


@pytest.mark.parametrize(
    "headers",
    [FORWARDED, {"Forwarded": "proto=https;host=nova.example"}],
)
def test_forwarded_headers_are_ignored_by_default(api: Api, headers: dict[str, str]) -> None:
    assert self_links(api, headers=headers) == ["http://localhost/v2/", "http://localhost/v2.1/"]


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        (FORWARDED, "https://nova.example/compute"),
        ({"X-Forwarded-Proto": "https"}, "https://localhost"),
        ({"Forwarded": "proto=https;host=nova.example"}, "https://nova.example"),
    ],
)
def test_links_are_of_the_name_that_a_proxy_forwards(
    make_conf: MakeConf,
    inventory: StubInventory,
    keystone: Keystone,
    headers: dict[str, str],
    base: str,
) -> None:
    api = Api(make_conf(WITH_KEYSTONE, BEHIND_A_PROXY), inventory)
    assert self_links(api, headers=headers) == [f"{base}/v2/", f"{base}/v2.1/"]


@pytest.mark.parametrize("headers", [FORWARDED, {"Forwarded": "proto=https;host=nova.example"}])
def test_without_keystone_no_proxy_is_believed(
    make_conf: MakeConf, inventory: StubInventory, headers: dict[str, str]
) -> None:
    api = Api(make_conf(BEHIND_A_PROXY), inventory)
    assert self_links(api, headers=headers) == ["http://localhost/v2/", "http://localhost/v2.1/"]
