# SPDX-License-Identifier: Apache-2.0
"""clouds.yaml and the ``OS_*`` variables, as openstacksdk reads them."""

from openstack.config import OpenStackConfig
from openstack.config.cloud_region import CloudRegion
from openstack.exceptions import ConfigException


def read_cloud(name: str | None) -> CloudRegion:
    """Return what is said of a cloud.

    :param name: an entry of clouds.yaml; None: as the environment says
    :raises openstack.exceptions.ConfigException: there is none, or it is malformed
    """
    try:
        return OpenStackConfig().get_one(cloud=name)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # The text may quote what it is about, and so a password.
        raise ConfigException(f"malformed settings ({type(error).__name__})") from None
