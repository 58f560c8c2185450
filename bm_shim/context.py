# SPDX-License-Identifier: Apache-2.0
"""Who calls: oslo.context, made from what keystonemiddleware found in the token."""

from typing import Any

from oslo_context import context
from oslo_middleware import request_id

WSGIEnvironment = dict[str, Any]

#: Where :class:`RequestContext` stands in a WSGI environment.
ENVIRON_KEY = "bm_shim.context"


class RequestContext(context.RequestContext):
    """The caller of one request. Creating one makes it the context of this thread's log lines.

    ``from_environ`` (of the parent) reads a request that the token check has let through.
    """

    @classmethod
    def anonymous(cls, environ: WSGIEnvironment) -> "RequestContext":
        """Return a context that knows the request's ids only, for requests not yet checked."""
        return cls(**_request_ids(environ))

    @classmethod
    def noauth(cls, environ: WSGIEnvironment) -> "RequestContext":
        """Return an administrator's context, for ``auth_strategy = noauth``."""
        return cls(user_id="noauth", roles=["admin"], **_request_ids(environ))

    @classmethod
    def signed_in(
        cls,
        environ: WSGIEnvironment,
        user_id: str | None,
        user_name: str | None,
        project_id: str | None,
    ) -> "RequestContext":
        """Return the context of who signed in with this request, which came without a token."""
        return cls(
            user_id=user_id, user_name=user_name, project_id=project_id, **_request_ids(environ)
        )


def _request_ids(environ: WSGIEnvironment) -> dict[str, Any]:
    return {
        "request_id": environ.get(request_id.ENV_REQUEST_ID),
        "global_request_id": environ.get(request_id.GLOBAL_REQ_ID),
    }
