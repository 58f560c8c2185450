# SPDX-License-Identifier: Apache-2.0
"""python-ironicclient, for the account of ``[ironic]`` and for callers with tokens."""

import os
import threading
from typing import Any

import requests
from ironicclient.v1 import client as v1
from keystoneauth1 import token_endpoint
from keystoneauth1.access import AccessInfo
from keystoneauth1.adapter import Adapter
from keystoneauth1.exceptions import CatalogException
from keystoneauth1.session import Session
from oslo_config import cfg

from bm_shim import metrics
from bm_shim.bounds import set_bounds
from bm_shim.context import RequestContext
from bm_shim.ironic_session import build_session, load_session, quiet


class Clients:
    """The clients of one process, which connect on first use. Safe to share among threads.

    :param session: of somebody who signed in by other means than ``[ironic]``; calls are then
        made with that account, whatever the section says of accounts and tokens
    :param version: of Ironic's API, where a request names no other
    """

    def __init__(self, conf: cfg.ConfigOpts, session: Session | None, *, version: str) -> None:
        self._conf = conf
        self._version = version
        self._client: v1.Client | None = None
        # Of the process that made it.
        self._pid = 0
        self._count_lock = threading.Lock()
        #: How many requests Ironic and Keystone have answered.
        self.requests = 0
        self._session = self._watch(session) if session else None
        self._public_url: str | None = None

    @property
    def forwards_tokens(self) -> bool:
        """Whether calls are made with the caller's token, not with the account of ``[ironic]``."""
        return self._session is None and bool(self._conf.ironic.forward_user_token)

    def client_for(self, context: RequestContext) -> v1.Client:
        """Return the client to use for a call; the first one asks Keystone for the endpoint.

        :raises keystoneauth1.exceptions.ClientException: account or catalogue are not in order
        """
        client = self._own_client()
        if not self.forwards_tokens:
            return client
        endpoint = client.http_client.endpoint_trimmed
        auth = token_endpoint.Token(endpoint, context.auth_token)
        # A session of its own, on the same pool of connections.
        session = build_session(self._conf, auth, client.http_client.session.session)
        return self._build_client(metrics.watch(session), endpoint)

    def adapter(self, service_type: str) -> Adapter:
        """Return the API of another service of the same cloud, for the same account.

        :raises keystoneauth1.exceptions.ClientException: the account is not in order
        """
        group = self._conf.ironic
        return Adapter(
            self._own_client().http_client.session,
            service_type=service_type,
            interface=group.valid_interfaces,
            region_name=group.region_name,
        )

    def public_url(self) -> str | None:
        """Return where callers reach Ironic, without ``/v1``; None while that is not known.

        Nothing is sent to find out: the catalogue came with the token of our account, which lives
        as long as the calls do.
        """
        if self._public_url is None and self._client is not None:
            access = getattr(self._client.http_client.session.auth, "auth_ref", None)
            if access is not None:
                self._public_url = _public_endpoint(access, self._conf.ironic)
        return self._public_url

    def _own_client(self) -> v1.Client:
        # Not the one of a process that this one was forked from since: both would speak on the
        # same connections, and read each other's answers.
        if self._client is None or self._pid != os.getpid():
            # Without a lock: where Keystone hangs, callers would queue for one timeout each. Of
            # several clients made at once, the last stays.
            session = self._session or self._watch(load_session(self._conf))
            self._client = self._build_client(session, self._conf.ironic.endpoint_override)
            self._pid = os.getpid()
        return self._client

    def _watch(self, session: Session) -> Session:
        session.session.hooks["response"].append(self._count)
        set_bounds(session.session)
        return metrics.watch(quiet(session))

    def _build_client(self, session: Session, endpoint: str | None) -> v1.Client:
        group = self._conf.ironic
        client = v1.Client(
            endpoint_override=endpoint,
            session=session,
            service_type=group.service_type,
            service_name=group.service_name,
            interface=group.valid_interfaces,
            region_name=group.region_name,
            os_ironic_api_version=self._version,
            # Its own retries repeat hopeless conflicts and send POSTs twice; ours do not.
            max_retries=0,
            retry_interval=0,
        )
        # Where the catalogue's end in the version, it would ask for /v1/v1; and where there are
        # several services of this type, any of them.
        client.http_client.endpoint_override = client.http_client.endpoint_trimmed
        return client

    def _count(self, response: requests.Response, *args: Any, **kwargs: Any) -> None:
        with self._count_lock:
            self.requests += 1


def _public_endpoint(access: AccessInfo, group: Any) -> str | None:
    try:
        url = access.service_catalog.url_for(
            service_type=group.service_type,
            service_name=group.service_name,
            interface="public",
            region_name=group.region_name,
        )
    except CatalogException:
        return None
    return str(url).rstrip("/").removesuffix("/v1")
