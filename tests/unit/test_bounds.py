# SPDX-License-Identifier: Apache-2.0
"""What a session with bounds takes for an answer. What takes time is tested with real servers."""

import gzip

import pytest
import requests
import responses
from keystoneauth1 import exceptions as kexc

from bm_shim import bounds

URL = "https://ironic.test:6385/v1/nodes"


@pytest.fixture
def session() -> requests.Session:
    """A session with bounds."""
    session = requests.Session()
    bounds.set_bounds(session)
    return session


def get(session: requests.Session, **headers: str) -> requests.Response:
    """As keystoneauth does, which follows redirects by itself."""
    return session.get(URL, headers=headers, timeout=5, allow_redirects=False)


@pytest.mark.parametrize(
    ("location", "allowed"),
    [
        ("https://ironic.test:6385/v1/nodes/", True),
        ("https://ironic.test/v1/nodes", True),
        ("/v1/nodes/", True),
        ("", True),
        ("http://ironic.test:6385/v1/nodes", False),
        ("https://evil.test/v1/nodes", False),
        ("//evil.test/v1/nodes", False),
        ("https://ironic.test@evil.test/", False),
        ("https://ironic.test.evil.test/", False),
        ("file:///etc/passwd", False),
    ],
)
@responses.activate
def test_redirects_stay_on_the_host(
    session: requests.Session, location: str, allowed: bool
) -> None:
    responses.get(URL, status=302, headers={"Location": location})
    if allowed:
        assert get(session).status_code == 302
    else:
        with pytest.raises(bounds.RedirectElsewhere):
            get(session)


@responses.activate
def test_location_of_what_was_made_is_no_redirect(session: requests.Session) -> None:
    responses.get(URL, status=201, headers={"Location": "https://public.test/v1/nodes/x"})
    assert get(session).status_code == 201


@responses.activate
def test_what_needs_a_token_is_not_asked_for_again(session: requests.Session) -> None:
    responses.get(URL, status=401)
    with pytest.raises(kexc.DiscoveryFailure):
        get(session)
    for header in ({"X-Auth-Token": "x"}, {"Authorization": "Basic x"}):
        assert get(session, **header).status_code == 401


@responses.activate
def test_large_bodies_are_refused(
    session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MAX_BODY", 1000)
    zipped = {"Content-Encoding": "gzip"}
    for body, headers, allowed in (
        (b" " * 1000, {}, True),
        (b" " * 1001, {}, False),
        (gzip.compress(b" " * 1000), zipped, True),
        (gzip.compress(b" " * 100_000), zipped, False),
        (b"not compressed", zipped, False),
    ):
        responses.upsert(responses.GET, URL, body=body, headers=headers)
        if allowed:
            assert get(session).content == b" " * 1000
        else:
            with pytest.raises(bounds.UnusableAnswer):
                get(session)
