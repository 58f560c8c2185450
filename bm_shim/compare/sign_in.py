# SPDX-License-Identifier: Apache-2.0
"""Whose token is sent: clouds.yaml, ``OS_*`` of the environment, or a file with a token."""

import os
from collections.abc import Callable
from pathlib import Path

from keystoneauth1.exceptions import ClientException
from keystoneauth1.session import Session
from openstack.exceptions import ConfigException

from bm_shim.bounds import set_bounds
from bm_shim.clouds import read_cloud
from bm_shim.compare.errors import CompareError
from bm_shim.migrate.errors import without_userinfo

#: Seconds that Keystone may take.
_TIMEOUT = 20

Token = Callable[[], str | None]


def from_file(file: Path) -> Token:
    """Return what gives the token in a file.

    :raises CompareError: there is none
    """
    try:
        token = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CompareError(f"{file} cannot be read: {error}") from None
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        # Not shown: it may be part of one.
        raise CompareError(f"{file} holds no token.")
    return lambda: token


def from_cloud(name: str | None) -> tuple[Token, bool | str]:
    """Sign in, and return what gives the token and how to check certificates.

    :param name: an entry of clouds.yaml; None: as the environment says
    :raises CompareError: it does not work
    """
    if name is None and not any(os.environ.get(each) for each in ("OS_CLOUD", "OS_AUTH_URL")):
        if os.environ.get("OS_AUTH_TYPE") == "none":
            return (lambda: None), True
        raise CompareError(
            "Whose token is to be sent? Give one of: --os-cloud, or OS_CLOUD in the environment, "
            "with the name of an entry of clouds.yaml; OS_AUTH_URL, OS_USERNAME and so on in the "
            "environment; --token-file. OS_AUTH_TYPE=none: nobody's."
        )
    try:
        session: Session = read_cloud(name).get_session()
        session.timeout = session.timeout or _TIMEOUT
        # Else the password went wherever a redirect leads.
        set_bounds(session.session)
        session.get_token()
    except (ClientException, ConfigException, OSError) as error:
        text = without_userinfo(str(error))
        raise CompareError(f"Signing in does not work: {text}") from None
    return (lambda: _renewed(session)), True if session.verify is None else session.verify


def _renewed(session: Session) -> str | None:
    """Return the token, another one where it is about to run out."""
    try:
        token: str | None = session.get_token()
    except ClientException as error:
        raise CompareError(f"Keystone gives no further token: {error}") from None
    return token
