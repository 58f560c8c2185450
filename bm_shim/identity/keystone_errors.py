# SPDX-License-Identifier: Apache-2.0
"""What went wrong with Keystone, in our own errors.

What Keystone tells of a refusal is passed on: it says no more than a caller may know. What it says
of malformed requests is not, since it quotes them.
"""

from keystoneauth1 import exceptions as kexc
from oslo_utils.strutils import mask_password

from bm_shim import errors

_UNAVAILABLE = "The identity service is temporarily unavailable."
_FAILED = "The identity service failed to process the request."
_NOT_SET_UP = (
    "This service is not set up to reach the identity service. The operator finds the reason in "
    "its log."
)


def translate(error: Exception) -> errors.ShimError:
    """Return the error of ours that stands for whatever a call to Keystone raised."""
    match error:
        case kexc.MissingAuthMethods():
            return errors.Unauthorized(_too_few_methods(error))
        case kexc.HttpError():
            return _translate_answer(error)
        case kexc.ConnectFailure() | kexc.UnknownConnectionError() | kexc.ConnectTimeout():
            detail = f"Keystone cannot be reached: {mask_password(str(error))}"
            return errors.ServiceUnavailable(_UNAVAILABLE, detail=detail)
        case kexc.SSLError():
            detail = f"Keystone's certificate is not accepted: {mask_password(str(error))}"
            return errors.NotSetUp(_NOT_SET_UP, detail=detail)
        case _:
            detail = f"Keystone answered something that is not its API: {type(error).__name__}"
            return errors.BadGateway(_FAILED, detail=detail)


def _translate_answer(error: kexc.HttpError) -> errors.ShimError:
    """Translate a 4xx or 5xx of Keystone."""
    status = error.http_status
    if status == 400:
        return errors.BadRequest("The identity service does not take the credentials as given.")
    if status == 401:
        return errors.Unauthorized(_message_of(error))
    if status == 403:
        return errors.Forbidden(_message_of(error))
    if status == 429:
        return errors.TooManyRequests()
    detail = f"Keystone answered {status}"
    if status >= 500:
        return errors.ServiceUnavailable(_UNAVAILABLE, detail=detail)
    return errors.NotSetUp(
        _NOT_SET_UP, detail=f"{detail}: auth_url of [identity_bridge] is not that of a Keystone v3"
    )


def _message_of(error: kexc.HttpError) -> str | None:
    """Return Keystone's own words, to which keystoneauth adds; None if it was not Keystone."""
    if error.response is None:
        return None
    try:
        return str(error.response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        # A proxy before it answered.
        return None


def _too_few_methods(error: kexc.MissingAuthMethods) -> str:
    rules = " or ".join(" and ".join(sorted(rule)) for rule in error.required_auth_methods)
    return (
        f"This account signs in with {rules}; identity v2.0 knows passwords only. Use identity v3."
    )
