# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a conversion as a whole; the troubles of one machine are reported."""

import re

from ironicclient import exc
from keystoneauth1 import exceptions as kexc
from oslo_utils.strutils import mask_password

from bm_shim.errors import NotSetUp, ShimError

#: User and password in a URL; people leave an "@" in a password as it is.
_USERINFO = re.compile(r"(?<=://)[^/\s\"]+(?=@)")


class MigrateError(Exception):
    """The conversion cannot go on; the text says why, is fit to be shown, and holds no secret."""


class SourceError(MigrateError):
    """The nova_bm database cannot be read."""


class SettingsError(MigrateError):
    """nova.conf cannot be read."""


class MappingError(MigrateError):
    """The mapping file cannot be read, or is not what it should be."""


class PlanError(MigrateError):
    """What was asked for does not fit the database."""


class SignInError(MigrateError):
    """Nobody to sign in to Ironic as, or it did not work."""


class PreflightError(MigrateError):
    """Ironic, or the account in it, is not ready for the conversion; says all that is missing."""


def explain(error: ShimError) -> str:
    """Return what went wrong with Ironic, in words for whoever runs the conversion.

    The errors about an account speak of the shim's configuration, which it may not come from.
    """
    cause = error.__cause__
    match cause:
        case exc.HttpError() if isinstance(error, NotSetUp):
            text = f"Ironic refused it with {cause.http_status}: {cause.message}"
        case kexc.HttpServerError() | kexc.DiscoveryFailure():
            text = f"Keystone failed: {cause}"
        case kexc.ClientException() if isinstance(error, NotSetUp):
            text = str(cause)
        case _:
            text = error.detail or error.message
    return without_secrets(text)


def without_secrets(text: str) -> str:
    """Hide what looks like a password in a message of somebody else's."""
    return without_userinfo(mask_password(text))


def without_userinfo(text: str) -> str:
    """Hide user and password of the URLs in a text."""
    return _USERINFO.sub("***", text)
