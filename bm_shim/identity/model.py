# SPDX-License-Identifier: Apache-2.0
"""What a login holds, between its schema and Keystone."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Password:
    """A user, by id or by name in the default domain, and the password."""

    password: str = field(repr=False)
    user_id: str | None = None
    user_name: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A token that another one is wanted for."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tenant:
    """What the new token is for: a project by name in the default domain, or by id."""

    name: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """Credentials, and the tenant; None asks for a token without one (unscoped)."""

    credentials: Password | Token
    tenant: Tenant | None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as Keystone is told."""

    #: None for a unix socket.
    address: str | None
    #: The id of the request, under which all services log it.
    request_id: str
