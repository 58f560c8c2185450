# SPDX-License-Identifier: Apache-2.0
"""What the body of a login may hold. Unknown keys are ignored, as Keystone ignored them."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load

from bm_shim import schemas
from bm_shim.identity.model import Login, Password, Tenant, Token

#: Tokens travel in headers, so they are made of what may stand there.
IN_A_HEADER = re.compile("[!-~]+")


class _Schema(Schema):
    class Meta:
        unknown = EXCLUDE


class _Text(fields.String):
    """A text that Keystone can store; what it may hold otherwise, Keystone knows."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=schemas.check_storable, **kwargs)


def _check_token(value: str) -> None:
    if not IN_A_HEADER.fullmatch(value):
        raise ValidationError("Not a valid token.")


def _refuse(value: object) -> None:
    raise ValidationError("Not supported.")


class PasswordSchema(_Schema):
    """The ``passwordCredentials`` object. A name wins over an id, as it did."""

    user_name = _Text(data_key="username", allow_none=True)
    user_id = _Text(data_key="userId", allow_none=True)
    # Novaclient sends null for a password that it has not been told; it is a wrong one.
    password = _Text(required=True, allow_none=True)

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> Password:
        name, user_id = data.get("user_name") or None, data.get("user_id") or None
        if name is None and user_id is None:
            raise ValidationError("Missing data for required field.", "username")
        password = data["password"] or ""
        return Password(password, user_name=name, user_id=None if name else user_id)


class TokenSchema(_Schema):
    """The ``token`` object."""

    id = fields.String(required=True, validate=_check_token)

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> Token:
        return Token(data["id"])


class TenantSchema(_Schema):
    """The other keys of the ``auth`` object. A name wins over an id, as it did."""

    name = _Text(data_key="tenantName", allow_none=True)
    id = _Text(data_key="tenantId", allow_none=True)
    # Without it the token would give rights that were not asked for.
    trust_id = fields.Raw(allow_none=True, validate=_refuse)

    @post_load
    def _make(self, data: dict[str, Any], **kwargs: Any) -> Tenant | None:
        if data.get("name"):
            return Tenant(name=data["name"])
        return Tenant(id=data["id"]) if data.get("id") else None


_PASSWORD = PasswordSchema()
_TOKEN = TokenSchema()
_TENANT = TenantSchema()


def read_login(body: Mapping[str, Any]) -> Login:
    """Read the body of ``POST /v2.0/tokens``; a token wins over a password, as it did.

    :raises BadRequest: something is missing or malformed; the message never repeats a value
    """
    tenant = schemas.load(_TENANT, body, "auth")
    auth = body["auth"]
    if "token" in auth:
        return Login(schemas.load(_TOKEN, auth, "token"), tenant)
    return Login(schemas.load(_PASSWORD, auth, "passwordCredentials"), tenant)
