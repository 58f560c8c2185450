# SPDX-License-Identifier: Apache-2.0
"""Microversions, on /v2.1 only."""

import pytest

from .conftest import Api, StubInventory
from .wire import PROJECT

OLD = "X-OpenStack-Nova-API-Version"
NEW = "OpenStack-API-Version"
PATH = "/v2.1/os-baremetal-nodes"

INVALID = "API Version String {} is of invalid format. Must be of format MajorNum.MinorNum."
OUT_OF_RANGE = "Version {} is not supported by the API. Minimum is 2.1 and maximum is 2.35."

GRANTED = [
    ({}, "2.1"),
    ({OLD: "2.1"}, "2.1"),
    ({OLD: "2.35"}, "2.35"),
    ({OLD: " 2.35 "}, "2.35"),
    ({OLD: "latest"}, "2.35"),
    ({OLD: "2.3,2.5"}, "2.5"),
    ({OLD: "nonsense, 2.5 "}, "2.5"),
    ({NEW: "compute 2.35"}, "2.35"),
    ({NEW: "Compute 2.9"}, "2.9"),
    ({NEW: "compute   2.10"}, "2.10"),
    ({NEW: "compute latest"}, "2.35"),
    ({NEW: "compute 2.3,compute 2.5"}, "2.5"),
    ({NEW: "compute nonsense, compute 2.5, identity 3.14"}, "2.5"),
    ({NEW: "compute 2.3, compute"}, "2.3"),
    ({NEW: "compute"}, "2.1"),
    ({NEW: "compute "}, "2.1"),
    ({NEW: "compute", OLD: "2.5"}, "2.5"),
    ({NEW: "compute 2.3", OLD: "2.5"}, "2.3"),
    ({NEW: "compute 2.3", OLD: "nonsense"}, "2.3"),
    ({NEW: "identity 3.14"}, "2.1"),
    ({NEW: "identity 3.14", OLD: "2.5"}, "2.5"),
    ({NEW: "2.35"}, "2.1"),
    ({NEW: ""}, "2.1"),
    ({NEW: "nonsense"}, "2.1"),
]
BEYOND = ["2.36", "2.37", "2.42", "2.53", "2.104"]
REFUSED = [
    "2.0", "1.1", "1.35", "2.105", "2.999", "2.999999999", "2.9999999999", "3.0",
    "3.1", "999999999.0", f"2.{10**50}", f"{10**50}.1",
]  # fmt: skip
MALFORMED = [
    "abc", "2", "2.", ".1", "2.01", "02.1", "2.1.1", "v2.1", "2,1", "-2.1", "2.-1", "2.1x",
    "2. 1", "0.1", "latest.", "LATEST", "Latest", "2.1\t2", "2.٣", "2.1 2.2",
]  # fmt: skip


@pytest.mark.parametrize(("headers", "version"), GRANTED)
def test_versions_that_the_api_has(api: Api, headers: dict[str, str], version: str) -> None:
    response = api("GET", PATH, headers=headers)
    assert response.status_code == 200
    assert response.headers[NEW] == f"compute {version}"
    assert response.headers[OLD] == version
    assert response.headers.getlist("Vary") == [NEW, OLD]


@pytest.mark.parametrize("header", [OLD, NEW])
@pytest.mark.parametrize("version", BEYOND)
def test_versions_in_which_the_api_is_gone(
    api: Api, inventory: StubInventory, header: str, version: str
) -> None:
    response = api("GET", PATH, headers=asking(header, version))
    assert response.status_code == 404
    assert response.json == {
        "itemNotFound": {"code": 404, "message": "The resource could not be found."}
    }
    assert response.headers[NEW] == f"compute {version}"
    assert inventory.calls == []


@pytest.mark.parametrize("header", [OLD, NEW])
@pytest.mark.parametrize("version", REFUSED)
def test_versions_that_never_were(
    api: Api, inventory: StubInventory, header: str, version: str
) -> None:
    response = api("GET", PATH, headers=asking(header, version))
    assert response.status_code == 406
    assert response.json == {
        "computeFault": {"code": 406, "message": OUT_OF_RANGE.format(version)}
    }
    assert response.headers[OLD] == version
    assert inventory.calls == []


@pytest.mark.parametrize("header", [OLD, NEW])
@pytest.mark.parametrize("version", MALFORMED)
def test_what_is_no_version(api: Api, inventory: StubInventory, header: str, version: str) -> None:
    response = api("GET", PATH, headers=asking(header, version))
    assert response.status_code == 400
    assert response.json is not None
    ((name, fault),) = response.json.items()
    assert name == "badRequest"
    assert "is of invalid format. Must be of format MajorNum.MinorNum." in fault["message"]
    assert NEW not in response.headers
    assert OLD not in response.headers
    assert "Vary" not in response.headers
    assert inventory.calls == []


@pytest.mark.parametrize(
    ("headers", "quoted"),
    [
        ({OLD: "abc"}, "abc"),
        ({OLD: ""}, ""),
        ({OLD: "2.1,"}, ""),
        ({OLD: "2.5, LATEST"}, "LATEST"),
        ({NEW: "compute 2.5, compute abc", OLD: "2.5"}, "abc"),
    ],
)
def test_the_words_for_what_is_no_version(api: Api, headers: dict[str, str], quoted: str) -> None:
    response = api("GET", PATH, headers=headers)
    assert response.json == {"badRequest": {"code": 400, "message": INVALID.format(quoted)}}


@pytest.mark.parametrize("version", [*BEYOND, *REFUSED, *MALFORMED, "latest", "2.35"])
@pytest.mark.parametrize("prefix", ["/v1.1", "/v2"])
def test_older_prefixes_do_not_know_of_versions(api: Api, prefix: str, version: str) -> None:
    path = f"{prefix}/{PROJECT}/os-baremetal-nodes"
    response = api("GET", path, headers={OLD: version, NEW: f"compute {version}"})
    assert response.status_code == 200
    assert not {NEW, OLD, "Vary"} & set(response.headers.keys())


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", PATH), ("POST", PATH), ("GET", f"{PATH}/1"), ("DELETE", f"{PATH}/1"),
     ("POST", f"{PATH}/1/action"), ("GET", f"/v2.1/{PROJECT}/os-baremetal-nodes")],
)  # fmt: skip
def test_all_operations_are_gone_from_2_36_on(
    api: Api, inventory: StubInventory, method: str, path: str
) -> None:
    assert api(method, path, headers={OLD: "2.36"}).status_code == 404
    assert inventory.calls == []


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [("POST", PATH, "nonsense", 400), ("POST", f"{PATH}/1/action", '{"x": 1}', 400)],
)
def test_faults_have_the_headers_too(
    api: Api, method: str, path: str, data: str, status: int
) -> None:
    response = api(method, path, data=data, headers={OLD: "2.30"})
    assert response.status_code == status
    assert response.headers[NEW] == "compute 2.30"
    assert response.headers.getlist("Vary") == [NEW, OLD]


@pytest.mark.parametrize("path", ["/v2.1", "/v2.1/", f"/v2.1/{PROJECT}/"])
@pytest.mark.parametrize(
    ("asked", "status"), [("2.30", 200), ("2.36", 200), ("2.104", 200), ("2.105", 406)]
)
def test_the_documents_of_v2_1_have_them_too(api: Api, path: str, asked: str, status: int) -> None:
    """The versions beyond the bare metal API have these documents."""
    response = api("GET", path, headers={OLD: asked})
    assert response.status_code == status
    assert response.headers[NEW] == f"compute {asked}"
    assert response.headers[OLD] == asked
    assert response.headers.getlist("Vary") == [NEW, OLD]


@pytest.mark.parametrize("path", ["/v2.1", "/v2.1/", f"/v2.1/{PROJECT}/"])
def test_documents_of_v2_1_are_not_of_what_is_no_version(api: Api, path: str) -> None:
    response = api("GET", path, headers={OLD: "abc"})
    assert response.json == {"badRequest": {"code": 400, "message": INVALID.format("abc")}}
    assert not {NEW, OLD, "Vary"} & set(response.headers.keys())


@pytest.mark.parametrize("path", [PATH, f"/v2.1/{PROJECT}/os-baremetal-nodes", "/v2.1/extensions"])
def test_answers_to_bad_tokens_do_not_have_them(guarded_api: Api, path: str) -> None:
    response = guarded_api("GET", path, token="unknown", headers={OLD: "2.30"})
    assert response.status_code == 401
    assert not {NEW, OLD} & set(response.headers.keys())


@pytest.mark.parametrize(
    "path", ["/", "/v1.1", "/v2", "/v2/", "/v2.1/unknown", f"/v2.1/{PROJECT}", "/healthcheck"]
)
def test_other_paths_do_not_have_them(api: Api, path: str) -> None:
    response = api("GET", path, headers={OLD: "2.30"})
    assert not {NEW, OLD} & set(response.headers.keys())


def asking(header: str, version: str) -> dict[str, str]:
    return {header: f"compute {version}" if header == NEW else version}
