# ruff: noqa: N818 - the names say what is wrong better than an -Error would
"""What the service answers when it cannot do what was asked; each dialect dresses it in its own envelope.

    ServiceError
    ├── Invalid             400 or 422   the request is not what the endpoint takes
    ├── Unauthorized        401          no key, or one that is not known
    ├── Forbidden           403          the key may not do this
    ├── NotFound            404          nothing is there
    ├── TooLarge            413          the body is over the limit
    ├── TooMany             429          the key's rate is used up
    ├── Overloaded          503          the queue is full
    ├── Draining            503          the service is stopping
    ├── DetectorFailed      503          the guard could not decide
    ├── AuditFailed         503          the decision could not be recorded
    ├── UpstreamFailed      502          what stands behind the proxy failed
    │   └── UpstreamSaid    any          and said why
    └── DeadlineExceeded    504          the work was not done in time

Messages say what was given, what is allowed and what to do; they never hold a text that is to be judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from unbarb.errors import UnbarbError


class ServiceError(UnbarbError):
    """A request that is refused or failed.

    Args:
        message: for the caller.
        status: HTTP status; each class has its own.
        code: a word for programs; each class has its own.
        retry_after: whole seconds after which to try again.
        problems: every single thing that is wrong, where there are several.
    """

    status: int = 500
    code: str = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        retry_after: int | None = None,
        problems: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status or self.status
        self.code = code or self.code
        self.retry_after = retry_after
        self.problems = tuple(problems)

    @property
    def kind(self) -> str:
        """What failed in a word of this service's own, for the metrics and the record."""
        return self.code

    @property
    def title(self) -> str:
        """The words of the HTTP status, as "Bad Request"."""
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return "Error"

    @property
    def headers(self) -> dict[str, str]:
        """Headers that every envelope sends along."""
        found = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return found | ({"WWW-Authenticate": "Bearer"} if self.status == 401 else {})


class Invalid(ServiceError):
    """The request is not what the endpoint takes."""

    status, code = 400, "invalid_request"


class Unauthorized(ServiceError):
    """No key came, or one that is not known, was revoked or ran out."""

    status, code = 401, "unauthorized"


class Forbidden(ServiceError):
    """The key may not do this."""

    status, code = 403, "forbidden"


class NotFound(ServiceError):
    """Nothing is there."""

    status, code = 404, "not_found"


class TooLarge(ServiceError):
    """The body is over the limit."""

    status, code = 413, "too_large"


class TooMany(ServiceError):
    """The key's rate is used up."""

    status, code = 429, "rate_limited"


class Overloaded(ServiceError):
    """The queue is full."""

    status, code = 503, "overloaded"


class Draining(ServiceError):
    """The service is stopping and takes nothing new."""

    status, code = 503, "draining"


class DetectorFailed(ServiceError):
    """The guard could not decide."""

    status, code = 503, "detector_failed"


class AuditFailed(ServiceError):
    """The decision could not be recorded, so it is not given out."""

    status, code = 503, "audit_failed"


class UpstreamFailed(ServiceError):
    """What stands behind the proxy failed."""

    status, code = 502, "upstream_failed"


class UpstreamSaid(UpstreamFailed):
    """The upstream refused or failed and said why; message, status and code are its own."""

    status, code = 502, "upstream_error"

    @property
    def kind(self) -> str:
        """One word for all: a code that somebody else chose may say anything."""
        return type(self).code


class DeadlineExceeded(ServiceError):
    """The work was not done in time."""

    status, code = 504, "deadline_exceeded"
