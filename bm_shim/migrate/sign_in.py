# SPDX-License-Identifier: Apache-2.0
"""Signs in to Ironic, as operators are used to: clouds.yaml, ``OS_*``, or the shim's own file.

The first of these that is given is used:

1. ``--os-cloud``, an entry of clouds.yaml;
2. ``[ironic]`` of the file that ``--config-file`` names, if it has an account;
3. the environment: ``OS_CLOUD``, or ``OS_AUTH_URL`` and the rest of them, or ``OS_ENDPOINT`` for
   an Ironic without Keystone;
4. ``[ironic]`` of the shim's configuration at its usual place.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from keystoneauth1.exceptions import ClientException
from keystoneauth1.session import Session
from openstack.exceptions import ConfigException
from oslo_config import cfg
from oslo_config.cfg import Locations

from bm_shim import errors
from bm_shim.clouds import read_cloud
from bm_shim.conf.ironic import DEFAULT_TIMEOUT, GROUP
from bm_shim.context import RequestContext
from bm_shim.ironic import Ironic
from bm_shim.ironic_session import load_session
from bm_shim.migrate.errors import SignInError, explain, without_userinfo

#: Each of them says that the environment is meant for signing in.
_ENVIRONMENT = ("OS_CLOUD", "OS_AUTH_URL", "OS_ENDPOINT")

_SERVICE = "baremetal"

_NOBODY = (
    "Who is to sign in to Ironic? Give one of: --os-cloud, or OS_CLOUD in the environment, with "
    "the name of an entry of clouds.yaml; OS_AUTH_URL, OS_USERNAME and so on in the environment "
    "(for an Ironic without Keystone OS_AUTH_TYPE=none and OS_ENDPOINT); --config-file with a "
    "configuration of the shim that has an account in [ironic]."
)


def sign_in(conf: cfg.ConfigOpts, *, os_cloud: str | None = None) -> Ironic:
    """Sign in, and make sure that Ironic answers.

    :param conf: ``[ironic]`` gives retries and, where the account is there too, all the rest;
        what clouds.yaml or the environment say of region, interface and endpoint is set over it.
        It was loaded with ``--config-file`` among its arguments, if that was given
    :param os_cloud: an entry of clouds.yaml
    :raises SignInError: there is nobody to sign in as, or it does not work; says why
    """
    origin, load = _choose(conf, os_cloud)
    with _explained(origin):
        ironic = Ironic(conf, load())
        ironic.on_behalf(RequestContext()).max_version()
    return ironic


def _choose(conf: cfg.ConfigOpts, os_cloud: str | None) -> tuple[str, Callable[[], Session]]:
    """Return where the account comes from, in words, and what makes a session of it."""
    in_conf = bool(conf.ironic.auth_type or conf.ironic.auth_section)
    file = conf.get_location("config_file")
    is_given = file is not None and file.location is Locations.command_line
    if os_cloud:
        return f"the cloud {os_cloud!r}", lambda: _load_cloud(conf, os_cloud)
    if in_conf and is_given:
        return "[ironic] of the configuration", lambda: load_session(conf)
    if any(os.environ.get(name) for name in _ENVIRONMENT):
        return "OS_* of the environment", lambda: _load_cloud(conf, None)
    if in_conf:
        return "[ironic] of the configuration", lambda: load_session(conf)
    raise SignInError(_NOBODY)


def _load_cloud(conf: cfg.ConfigOpts, name: str | None) -> Session:
    """Return a session for an entry of clouds.yaml; None: for what the environment says."""
    cloud = read_cloud(name)
    interface = cloud.get_interface(_SERVICE)
    options = {
        "service_type": cloud.get_service_type(_SERVICE),
        "service_name": cloud.get_service_name(_SERVICE),
        "region_name": cloud.get_region_name(_SERVICE),
        "valid_interfaces": [interface] if isinstance(interface, str) else interface,
        "endpoint_override": cloud.get_endpoint(_SERVICE),
    }
    for option, value in options.items():
        conf.set_override(option, value, group=GROUP)
    session = cloud.get_session()
    if session.timeout is None:
        session.timeout = DEFAULT_TIMEOUT
    return session


@contextmanager
def _explained(origin: str) -> Iterator[None]:
    """Take whatever goes wrong in the block for a failure to sign in.

    :raises SignInError: says what
    """
    try:
        yield
    except (ConfigException, ClientException) as error:
        raise _error(origin, str(error)) from None
    except errors.ShimError as error:
        raise _error(origin, explain(error)) from None


def _error(origin: str, reason: str) -> SignInError:
    text = f"Signing in to Ironic with {origin} does not work: {reason}"
    return SignInError(without_userinfo(text))
