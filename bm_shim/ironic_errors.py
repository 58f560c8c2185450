# SPDX-License-Identifier: Apache-2.0
"""What went wrong with Ironic, in our own errors: one by one, none passes through."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ironicclient import exc
from keystoneauth1 import exceptions as kexc
from oslo_config import cfg
from oslo_utils.strutils import mask_password

from bm_shim import errors
from bm_shim.bounds import UnusableAnswer


class Unreachable(errors.ServiceUnavailable):
    """The connection failed; a read may be tried again."""


class ListMoved(errors.ServiceUnavailable):
    """The row at which the next page should begin vanished; the list must start again."""


def translate(error: Exception, *, forwards_token: bool) -> errors.ShimError:
    """Return the error of ours that stands for whatever a call of the client raised.

    :param forwards_token: whether it was the caller's token that Ironic saw
    """
    if isinstance(error, exc.HttpError):
        return _translate_answer(error, forwards_token)
    return _translate_failure(error)


@contextmanager
def sensible() -> Iterator[None]:
    """Take a node or port that cannot be read for a fault of Ironic's."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise errors.BadGateway(detail=f"Ironic answered what is no node: {error!r}") from error


def is_foreign(error: Any) -> bool:
    """Whether a 4xx has no reason in Ironic's words, but the client's own in their place.

    A proxy before Ironic answered, or another service.
    """
    return error.http_status in (400, 404, 409) and error.message == type(error).message


def _translate_answer(error: Any, forwards_token: bool) -> errors.ShimError:
    """Translate a 4xx or 5xx of Ironic."""
    status, message = error.http_status, _without_secrets(str(error.message))
    if status == 403 and " is protected and cannot be " in message:
        # Not for want of a right: an operator has set the node's field "protected".
        return errors.Conflict(message)
    if status in (401, 403):
        return _translate_refusal(status, message, forwards_token)
    if is_foreign(error):
        return errors.BadGateway(detail=f"Something that is not Ironic answered {status}.")
    if status == 409:
        locked = " is locked by host " in message
        return errors.NodeLocked(message) if locked else errors.Conflict(message)
    if status == 404:
        return errors.NotFound(message)
    if status == 400 and message.startswith("No valid host was found"):
        return errors.NotSetUp(
            detail=f"Ironic has no conductor for the driver of [enroll]: {message!r}"
        )
    detail = f"Ironic answered {status}: {message!r}"
    if status in (408, 429, 502, 503, 504):
        return errors.ServiceUnavailable(detail=detail)
    if 400 <= status < 500:
        return errors.BadRequest(message)
    if status == 501:
        return errors.NotImplementedByIronic(detail=detail)
    return errors.BadGateway(detail=detail)


def _translate_refusal(status: int, message: str, forwards_token: bool) -> errors.ShimError:
    if forwards_token:
        return errors.Unauthorized() if status == 401 else errors.Forbidden(message)
    return errors.NotSetUp(
        detail=f"Ironic refused the account of [ironic] with {status}: {message!r}. "
        "Give it the admin role on the system (and set system_scope = all in [ironic]), or "
        "grant it the rule in Ironic's policy file."
    )


def _translate_failure(error: Exception) -> errors.ShimError:
    """Translate what kept a call from being answered by Ironic at all."""
    match error:
        case kexc.ConnectFailure() | kexc.UnknownConnectionError():
            return Unreachable(detail=f"Ironic or Keystone cannot be reached: {error}")
        case kexc.ConnectTimeout():
            return errors.ServiceUnavailable(
                detail=f"Ironic or Keystone did not answer in time: {error}"
            )
        case UnusableAnswer():
            return errors.BadGateway(detail=f"Ironic's answer cannot be used: {error}")
        case (
            kexc.HttpServerError()
            | kexc.HttpError(http_status=429)
            | kexc.DiscoveryFailure()
            | kexc.InvalidResponse()
        ):
            return errors.ServiceUnavailable(
                detail=f"Keystone failed when the account of [ironic] signed in: {error}"
            )
        case (
            kexc.ClientException()
            | exc.UnsupportedVersion()
            | exc.EndpointNotFound()
            # A section that auth_section names; a certificate that cannot be read.
            | cfg.Error()
            | OSError()
        ):
            return errors.NotSetUp(detail=f"[ironic] of the configuration does not work: {error}")
        case _:
            return errors.BadGateway(
                detail=f"Ironic answered something that is not its API: {error!r}"
            )


def _without_secrets(message: str) -> str:
    """Return an error's text fit for logs and callers.

    When its database fails, Ironic quotes the statement with all its values, ``driver_info`` among
    them.
    """
    return mask_password(message.partition("[SQL")[0].rstrip())
