# SPDX-License-Identifier: Apache-2.0
"""Headers that say where to go next."""

from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

import pytest

from bm_shim import errors
from bm_shim.inventory import Inventory

from .conftest import WITH_KEYSTONE, Api, MakeConf, Options, StubInventory
from .wire import REFUSED, SERVICE_TOKEN, Ironic, Keystone

COLLECTION = "/v2.1/os-baremetal-nodes"
UUID = StubInventory.node.uuid
OTHER_UUID = "9d6f3c1b-e05a-47c8-8b93-a4f7d1e60c52"
BASE = "https://ironic.example.org:6385"
HEADERS = ("Deprecation", "Sunset", "Link")

MakeApi = Callable[[Options], Api]


@pytest.fixture
def make_api(make_conf: MakeConf, inventory: StubInventory) -> MakeApi:
    return lambda options: Api(make_conf(options), inventory)


def link(path: str = "") -> str:
    return f'<{BASE}/v1/nodes{path}>; rel="successor-version"'


def headers_of(response: object) -> dict[str, str]:
    headers: Mapping[str, str] = response.headers  # type: ignore[attr-defined]
    return {name: headers[name] for name in HEADERS if name in headers}


@pytest.mark.parametrize("prefix", ["/v1.1/" + "1" * 32, "/v2", "/v2.1", "/v2.1/" + "1" * 32])
def test_deprecation_is_a_date_of_structured_fields(api: Api, prefix: str) -> None:
    """2016-10-06, when Nova 14 came."""
    headers = api("GET", f"{prefix}/os-baremetal-nodes").headers
    assert headers["Deprecation"] == "@1475712000"


@pytest.mark.parametrize(
    ("method", "path", "body", "below"),
    [
        ("GET", "", None, ""),
        ("GET", "/42", None, f"/{UUID}"),
        ("GET", f"/{UUID}", None, f"/{UUID}"),
        ("POST", "", {"node": {}}, f"/{UUID}"),
        ("DELETE", f"/{UUID}", None, ""),
        ("DELETE", "/42", None, ""),
        ("POST", f"/{OTHER_UUID}/action", {"remove_interface": {"id": 1}}, f"/{OTHER_UUID}"),
        ("POST", "/42/action", {"remove_interface": {"id": 1}}, ""),
        ("POST", "/name/action", {"remove_interface": {"id": 1}}, ""),
    ],
)
def test_the_successor_of_each_operation(
    api: Api, inventory: StubInventory, method: str, path: str, body: object, below: str
) -> None:
    inventory.ironic_url = BASE
    response = api(method, f"{COLLECTION}{path}", json=body)
    assert response.status_code < 300
    assert response.headers.get_all("Link") == [link(below)]


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("http://[2001:db8::1]:6385/", "http://[2001:db8::1]:6385"),
        ("http://ironic/b%20m", "http://ironic/b%20m"),
        ("http://ironic\r\nX-Evil: 1", "http://ironic%0D%0AX-Evil:%201"),
        ('http://ironic>; rel="next"', "http://ironic%3E;%20rel=%22next%22"),
        ("http://\u2603.example.org", "http://%E2%98%83.example.org"),
    ],
)
def test_an_odd_url_in_the_catalogue(
    api: Api, inventory: StubInventory, url: str, root: str
) -> None:
    inventory.ironic_url = url
    response = api("GET", COLLECTION)
    assert response.status_code == 200
    assert response.headers["Link"] == f'<{root}/v1/nodes>; rel="successor-version"'
    assert "X-Evil" not in response.headers


@pytest.mark.parametrize("path", [f"/{UUID}", "/42"])
def test_a_fault_points_to_all_nodes(api: Api, inventory: StubInventory, path: str) -> None:
    inventory.ironic_url = BASE
    inventory.failure = errors.NodeNotFound(path[1:])
    response = api("GET", COLLECTION + path)
    assert response.status_code == 404
    assert headers_of(response) == {"Deprecation": "@1475712000", "Link": link()}


@pytest.mark.parametrize(
    "path", ["/", "/v2.1/", "/healthcheck", "/v2.1/extensions", "/v2.1/nothing", "/nothing"]
)
def test_nothing_else_is_deprecated(api: Api, inventory: StubInventory, path: str) -> None:
    inventory.ironic_url = BASE
    assert headers_of(api("GET", path)) == {}


def test_whom_nobody_has_let_in_is_told_nothing(
    guarded_api: Api, inventory: StubInventory
) -> None:
    inventory.ironic_url = BASE
    assert headers_of(guarded_api("GET", COLLECTION)) == {}
    assert headers_of(guarded_api("GET", COLLECTION, token="member")).keys() == {
        "Deprecation", "Link",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("2027-06-30", "Wed, 30 Jun 2027 00:00:00 GMT"),
        ("2027-06-30T12:00:00Z", "Wed, 30 Jun 2027 12:00:00 GMT"),
        ("2027-06-30T12:00:00+02:00", "Wed, 30 Jun 2027 10:00:00 GMT"),
        ("2027-06-30 12:00", "Wed, 30 Jun 2027 12:00:00 GMT"),
    ],
)
def test_sunset(make_api: MakeApi, value: str, date: str) -> None:
    headers = make_api({"api": {"sunset": value}})("GET", COLLECTION).headers
    assert headers["Sunset"] == date
    assert parsedate_to_datetime(date)


@pytest.mark.parametrize("slash", ["", "/", "/v1", "/v1/"])
def test_the_address_may_be_configured(
    make_api: MakeApi, inventory: StubInventory, slash: str
) -> None:
    inventory.ironic_url = "https://other.example.org"
    api = make_api({"api": {"successor_url": BASE + slash}})
    assert api("GET", COLLECTION).headers["Link"] == link()


def test_no_address_no_link(api: Api) -> None:
    assert headers_of(api("GET", COLLECTION)) == {"Deprecation": "@1475712000"}


# The address in the catalogue


def set_public_endpoint(keystone: Keystone, url: str | None) -> None:
    """Give Ironic another public endpoint in the catalogue of the shim's account, or none."""
    (ironic,) = (
        each for each in keystone.tokens[SERVICE_TOKEN]["catalog"] if each["type"] == "baremetal"
    )
    ironic["endpoints"] = [
        each | ({"url": url} if each["interface"] == "public" else {})
        for each in ironic["endpoints"]
        if url or each["interface"] != "public"
    ]


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_the_public_endpoint_in_the_catalogue(
    make_conf: MakeConf, keystone: Keystone, ironic: Ironic, suffix: str
) -> None:
    set_public_endpoint(keystone, BASE + suffix)
    conf = make_conf(WITH_KEYSTONE)
    api = Api(conf, Inventory(conf))
    assert api("GET", COLLECTION, token="admin").headers["Link"] == link()


def test_a_catalogue_without_public_endpoint(
    make_conf: MakeConf, keystone: Keystone, ironic: Ironic
) -> None:
    set_public_endpoint(keystone, None)
    conf = make_conf(WITH_KEYSTONE)
    response = Api(conf, Inventory(conf))("GET", COLLECTION, token="admin")
    assert response.status_code == 200
    assert "Link" not in response.headers


def test_nothing_is_asked_for_the_address(
    make_conf: MakeConf, keystone: Keystone, ironic: Ironic
) -> None:
    """A Keystone that is away would hold up every answer."""
    set_public_endpoint(keystone, BASE)
    conf = make_conf({"ironic": WITH_KEYSTONE["ironic"]})
    api = Api(conf, Inventory(conf))
    assert "Link" not in api("POST", COLLECTION, json={}).headers
    assert keystone.calls == []
    api("GET", COLLECTION)
    asked = len(keystone.calls)
    keystone.fail(".*", REFUSED, times=9)
    assert api("POST", COLLECTION, json={}).headers["Link"] == link()
    assert len(keystone.calls) == asked
