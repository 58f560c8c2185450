# SPDX-License-Identifier: Apache-2.0
"""What a login of identity v2.0 may hold."""

from typing import Any

import pytest

from bm_shim.errors import BadRequest
from bm_shim.identity.model import Login, Password, Tenant, Token
from bm_shim.identity.schemas import read_login

SECRET = "k33p-me"
BY_NAME = {"username": "jo", "password": SECRET}
JO = Password(SECRET, user_name="jo")


@pytest.mark.parametrize(
    ("auth", "login"),
    [
        ({"passwordCredentials": BY_NAME}, Login(JO, None)),
        ({"passwordCredentials": BY_NAME, "tenantName": "t"}, Login(JO, Tenant(name="t"))),
        ({"passwordCredentials": BY_NAME, "tenantId": "1"}, Login(JO, Tenant(id="1"))),
        # As in Keystone, the name wins.
        (
            {"passwordCredentials": BY_NAME, "tenantId": "1", "tenantName": "t"},
            Login(JO, Tenant(name="t")),
        ),
        ({"passwordCredentials": BY_NAME, "tenantId": "", "tenantName": None}, Login(JO, None)),
        (
            {"passwordCredentials": {"userId": "1", "password": SECRET}},
            Login(Password(SECRET, user_id="1"), None),
        ),
        ({"passwordCredentials": BY_NAME | {"userId": "1"}}, Login(JO, None)),
        ({"passwordCredentials": BY_NAME | {"userId": None}}, Login(JO, None)),
        *(
            (
                {"passwordCredentials": {"username": "jo", "password": none}},
                Login(Password("", user_name="jo"), None),
            )
            for none in ("", None)
        ),
        (
            {"passwordCredentials": {"username": "Jörg ☃", "password": "pässword"}},
            Login(Password("pässword", user_name="Jörg ☃"), None),
        ),
        ({"token": {"id": SECRET}}, Login(Token(SECRET), None)),
        ({"token": {"id": SECRET}, "tenantName": "t"}, Login(Token(SECRET), Tenant(name="t"))),
        # As in Keystone, the token wins.
        ({"token": {"id": SECRET}, "passwordCredentials": BY_NAME}, Login(Token(SECRET), None)),
        ({"token": {"id": SECRET}, "trust_id": None, "more": 1}, Login(Token(SECRET), None)),
    ],
)
def test_logins(auth: dict[str, Any], login: Login) -> None:
    assert read_login({"auth": auth}) == login


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Invalid input: 'auth' must be an object."),
        ({"auth": None}, "Invalid input: 'auth' must be an object."),
        ({"auth": [SECRET]}, "Invalid input: 'auth' must be an object."),
        ({"auth": {}}, "Invalid input: 'passwordCredentials' must be an object."),
        (
            {"auth": {"passwordCredentials": SECRET}},
            "Invalid input: 'passwordCredentials' must be an object.",
        ),
        (
            {"auth": {"passwordCredentials": {"username": "jo"}}},
            "Invalid input for 'password': Missing data for required field.",
        ),
        (
            {"auth": {"passwordCredentials": {"username": "jo", "password": [SECRET]}}},
            "Invalid input for 'password': Not a valid string.",
        ),
        (
            {"auth": {"passwordCredentials": {"username": "jo", "password": f"{SECRET}\0"}}},
            "Invalid input for 'password': Not a valid string.",
        ),
        (
            {"auth": {"passwordCredentials": {"username": f"{SECRET}\ud800", "password": "x"}}},
            "Invalid input for 'username': Not a valid string.",
        ),
        (
            {"auth": {"passwordCredentials": {"password": SECRET}}},
            "Invalid input for 'username': Missing data for required field.",
        ),
        (
            {"auth": {"passwordCredentials": {"username": "", "password": SECRET}}},
            "Invalid input for 'username': Missing data for required field.",
        ),
        ({"auth": {"token": None}}, "Invalid input: 'token' must be an object."),
        (
            {"auth": {"token": {}}},
            "Invalid input for 'id': Missing data for required field.",
        ),
        *(
            ({"auth": {"token": {"id": token}}}, "Invalid input for 'id': Not a valid token.")
            for token in ("", " ", f"{SECRET}\n", f"{SECRET}\r\nX: y", "ä", "\ud800")
        ),
        (
            {"auth": {"passwordCredentials": BY_NAME, "tenantName": 1}},
            "Invalid input for 'tenantName': Not a valid string.",
        ),
        # It would give more rights than were asked for.
        (
            {"auth": {"passwordCredentials": BY_NAME, "trust_id": "1"}},
            "Invalid input for 'trust_id': Not supported.",
        ),
    ],
)
def test_malformed_logins(body: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_login(body)
    assert caught.value.message == message


def test_secrets_do_not_show() -> None:
    for credentials in (JO, Token(SECRET)):
        assert SECRET not in repr(Login(credentials, None))
