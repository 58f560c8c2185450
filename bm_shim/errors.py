# SPDX-License-Identifier: Apache-2.0
"""Everything that a call may fail with: one tree, the HTTP status on each class.

The message of an error is shown to the caller, so it holds no secret and nothing that only the
operator should know; that is its detail. :mod:`bm_shim.api.faults` turns an error into Nova's
fault body.
"""


class ConfigurationError(Exception):
    """The service cannot start as it is configured. Raised before there is any caller."""


class ShimError(Exception):
    """A failure with a status and a message for the caller.

    ``detail`` is for the operator: it goes to the log, once, and never to the caller.
    """

    status = 500
    default_message = (
        "The server has either erred or is incapable of performing the requested operation."
    )
    #: Seconds after which a caller may try again, sent as ``Retry-After``.
    retry_after: int | None = None

    def __init__(self, message: str | None = None, *, detail: str | None = None) -> None:
        self.message = message or self.default_message
        self.detail = detail
        super().__init__(self.message)


class BadRequest(ShimError):
    """The request is malformed, or Ironic refuses what it asks for."""

    status = 400
    default_message = (
        "The server could not comply with the request since it is either malformed or otherwise "
        "incorrect."
    )


class Unauthorized(ShimError):
    """No token, or one that Keystone or Ironic does not accept."""

    status = 401
    default_message = "The request you have made requires authentication."


class Forbidden(ShimError):
    """The caller may not do this."""

    status = 403
    default_message = "Access was denied to this resource."


class NotFound(ShimError):
    """No such path, method, node or interface."""

    status = 404
    default_message = "The resource could not be found."


class NodeNotFound(NotFound):
    """No such node. Each dialect has its own words for it."""

    def __init__(self, node_id: str) -> None:
        super().__init__()
        self.node_id = node_id


class InstanceNotFound(NotFound):
    """No such instance, or none that the caller may know of."""

    def __init__(self, server_id: str) -> None:
        super().__init__()
        self.server_id = server_id


class NotAcceptable(ShimError):
    """A microversion outside the supported range."""

    status = 406


class Conflict(ShimError):
    """Ironic's present state does not allow it (a duplicate MAC, an instance on the node)."""

    status = 409
    default_message = "The request conflicts with the state of the resource."


class NodeLocked(Conflict):
    """Another operation held the node, also after the retries."""

    retry_after = 5


class RequestTooLarge(ShimError):
    """The body exceeds ``[oslo_middleware] max_request_body_size``."""

    status = 413
    default_message = "Request is too large."


class UnsupportedMediaType(ShimError):
    """A body whose Content-Type is none that the API reads."""

    status = 415
    default_message = "Unsupported Content-Type"


class TooManyRequests(ShimError):
    """Too many logins failed, by the count of the identity bridge or of Keystone."""

    status = 429
    default_message = "Too many failed logins. Try again later."
    retry_after = 60


class NotImplementedByIronic(ShimError):
    """Ironic does not offer what the request needs."""

    status = 501
    default_message = "The requested functionality is not supported."


class BadGateway(ShimError):
    """Ironic answered with an internal error, or with something that is not its API."""

    status = 502
    default_message = "The bare metal service failed to process the request."


class ServiceUnavailable(ShimError):
    """Ironic or Keystone cannot be reached, or does not answer in time."""

    status = 503
    default_message = "The bare metal service is temporarily unavailable."
    retry_after = 5


class NotSetUp(ShimError):
    """Our account in Ironic cannot do this, or the configuration is wrong.

    The log says what is missing. Trying again does not help, hence no ``Retry-After``.
    """

    status = 503
    default_message = (
        "This service is not set up for the request: the bare metal service refused its account. "
        "The operator finds the missing right in its log."
    )
