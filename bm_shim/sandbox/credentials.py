# SPDX-License-Identifier: Apache-2.0
"""An account of the sandbox, in the forms in which programs want it."""

from dataclasses import dataclass, replace

import requests
from keystoneauth1 import session
from keystoneauth1.identity import v3

from bm_shim.sandbox.keystone import REGION

DOMAIN = "default"


@dataclass(frozen=True)
class Credentials:
    """A user, its password and the scope it asks for: a project, or (None) the whole system."""

    auth_url: str
    username: str
    password: str
    project_name: str | None

    def for_system(self) -> "Credentials":
        """The same account, asking for the system instead of a project."""
        return replace(self, project_name=None)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that command line clients read."""
        if self.project_name is None:
            scope = {"OS_SYSTEM_SCOPE": "all"}
        else:
            scope = {"OS_PROJECT_NAME": self.project_name, "OS_PROJECT_DOMAIN_ID": DOMAIN}
        return {
            "OS_AUTH_URL": self.auth_url,
            "OS_USERNAME": self.username,
            "OS_PASSWORD": self.password,
            "OS_USER_DOMAIN_ID": DOMAIN,
            "OS_REGION_NAME": REGION,
            "OS_IDENTITY_API_VERSION": "3",
            **scope,
        }

    @property
    def options(self) -> dict[str, str | None]:
        """The options of a keystoneauth section: ``[ironic]``, ``[keystone_authtoken]``.

        Those that do not apply are None, so the whole can replace another account's.
        """
        in_project = self.project_name is not None
        return {
            "auth_type": "password",
            "auth_url": self.auth_url,
            "username": self.username,
            "password": self.password,
            "user_domain_id": DOMAIN,
            "project_name": self.project_name,
            "project_domain_id": DOMAIN if in_project else None,
            "system_scope": None if in_project else "all",
        }

    def session(self) -> session.Session:
        """Return a keystoneauth session signed in as this account. It is to be kept."""
        auth = v3.Password(
            auth_url=self.auth_url,
            username=self.username,
            password=self.password,
            user_domain_id=DOMAIN,
            project_name=self.project_name,
            project_domain_id=DOMAIN if self.project_name is not None else None,
            system_scope="all" if self.project_name is None else None,
        )
        direct = requests.Session()
        direct.trust_env = False  # a proxy cannot reach our loopback
        return session.Session(auth=auth, session=direct, timeout=30)

    def token(self) -> str:
        """Return a new token.

        :raises keystoneauth1.exceptions.ClientException: Keystone gives none.
        """
        return str(self.session().get_token())
