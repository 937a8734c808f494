"""From an exception to the one form in which every error leaves the REST side."""

from http import HTTPStatus
from math import ceil

import attrs
from werkzeug.exceptions import HTTPException

from capabilities import CredentialMissing
from waav.server.errors import describe, http_status, retry_after
from waav.server.refusal import Refused

_OF_FRAMEWORK = {
    400: ("bad_request", "The request cannot be read"),
    404: ("not_found", "There is nothing at this path"),
    405: ("method_not_allowed", "This path does not take this method"),
    408: ("request_timeout", "The body did not come in time"),
    413: ("body_too_large", "The body is larger than server.max_body_bytes allows"),
}
"""Status -> code and text of what is found out before a handler runs."""


@attrs.frozen
class Error:
    """What went wrong. Clients of different age read different keys of the first two."""

    error: str
    """For people, the same as ``message``; who is not let in finds ``code`` here."""
    message: str
    code: str
    """Stable, for programs."""
    request_id: str
    """As in the header ``X-Request-ID``, and in the server's log."""


def as_refused(exc: Exception) -> Refused:
    """Say what the client is to hear of an exception; nothing of what is inside of us."""
    match exc:
        case Refused():
            return exc
        case CredentialMissing(provider=name):
            text = f"API key not configured for provider: {name}"
            return Refused(HTTPStatus(http_status(exc)), describe(exc)[0], text)
        case HTTPException(code=int(status)):
            code, text = _OF_FRAMEWORK.get(status, ("http_error", HTTPStatus(status).phrase))
            return Refused(HTTPStatus(status), code, text, _allowed(exc))
        case _:
            pause = retry_after(exc)
            headers = {} if pause is None else {"Retry-After": str(max(1, ceil(pause)))}
            return Refused(HTTPStatus(http_status(exc)), *describe(exc), headers)


def _allowed(exc: HTTPException) -> dict[str, str]:
    methods = getattr(exc, "valid_methods", None)
    return {"Allow": ", ".join(sorted(methods))} if methods else {}
