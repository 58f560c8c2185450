# SPDX-License-Identifier: Apache-2.0
"""Services, endpoints, projects, users and roles in the sandbox's Keystone.

Everything here may be repeated: what is there stays, what differs is corrected.
"""

from collections.abc import Iterable, Mapping

from keystoneclient.v3 import client

from bm_shim.sandbox.credentials import DOMAIN, Credentials
from bm_shim.sandbox.keystone import REGION

_INTERFACES = ("public", "internal")


class Accounts:
    """Registers things in a Keystone.

    :param admin: its administrator.
    """

    def __init__(self, admin: Credentials) -> None:
        self._auth_url = admin.auth_url
        self._keystone = client.Client(session=admin.session(), interface="public")

    def register_endpoints(self, catalogue: Mapping[str, str]) -> None:
        """Make the catalogue say where services are.

        :param catalogue: service type to URL.
        """
        services = {service.type: service for service in self._keystone.services.list()}
        endpoints = {(e.service_id, e.interface): e for e in self._keystone.endpoints.list()}
        for kind, url in catalogue.items():
            service = services.get(kind) or self._keystone.services.create(kind, kind)
            for interface in _INTERFACES:
                endpoint = endpoints.get((service.id, interface))
                if endpoint is None:
                    self._keystone.endpoints.create(service, url, interface, region=REGION)
                elif endpoint.url != url:
                    self._keystone.endpoints.update(endpoint, url=url)

    def add_user(
        self,
        name: str,
        password: str,
        *,
        project: str | None,
        roles: Iterable[str] = (),
        system_roles: Iterable[str] = (),
    ) -> Credentials:
        """Make a user; projects and roles that do not exist are made as well.

        :param project: where it has ``roles``; None: in no project, it asks for the system.
        :param system_roles: roles on the whole system.
        """
        user = _find(self._keystone.users.list(name=name, domain=DOMAIN))
        if user is None:
            user = self._keystone.users.create(name, domain=DOMAIN, password=password)
        if project is not None:
            target = self._project(project)
            for role in roles:
                self._keystone.roles.grant(self._role(role), user=user, project=target)
        for role in system_roles:
            self._keystone.roles.grant(self._role(role), user=user, system="all")
        return Credentials(self._auth_url, name, password, project)

    def _project(self, name: str) -> object:
        projects = self._keystone.projects
        return _find(projects.list(name=name, domain=DOMAIN)) or projects.create(name, DOMAIN)

    def _role(self, name: str) -> object:
        roles = self._keystone.roles
        return _find(roles.list(name=name)) or roles.create(name)


def _find(found: list[object]) -> object | None:
    return found[0] if found else None
