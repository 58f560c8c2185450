# SPDX-License-Identifier: Apache-2.0
"""Sessions of keystoneauth, as calls to Ironic need them."""

from functools import partial
from typing import Any

from keystoneauth1 import loading
from keystoneauth1.session import Session, TCPKeepAliveAdapter
from oslo_config import cfg

#: How many connections are kept: two for each thread of a worker, since reads come in pairs.
_CONNECTIONS = 128


def load_session(conf: cfg.ConfigOpts) -> Session:
    """Return a session for the account of ``[ironic]``, which need not be complete."""
    return build_session(conf, loading.load_auth_from_conf_options(conf, "ironic"))


def build_session(conf: cfg.ConfigOpts, auth: Any, http: Any = None) -> Session:
    """Return a session with the settings of ``[ironic]``.

    :param http: the requests session to use, whose connections are shared then
    """
    session: Session = loading.load_session_from_conf_options(
        conf, "ironic", auth=auth, session=http
    )
    if http is None:
        for scheme in ("http://", "https://"):
            session.session.mount(scheme, TCPKeepAliveAdapter(pool_maxsize=_CONNECTIONS))
    return quiet(session)


def quiet(session: Session) -> Session:
    """Keep a session from logging: at DEBUG it would write down bodies, and so pm_password."""
    session.__dict__["request"] = partial(session.request, log=False)
    return session
