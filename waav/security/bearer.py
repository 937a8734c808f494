"""Where a token stands in a request: the rules of the header and the query, and the answers of "no"."""

import attrs

from capabilities import Secret, Way
from waav.config.auth import LONGEST_TOKEN, is_token
from waav.observe.scope import hide


@attrs.frozen
class Bearer:
    """A token as it was shown; nobody has looked at it yet."""

    token: Secret
    way: Way


@attrs.frozen
class Rejection:
    """Why somebody is not let in; all of it may be shown to them."""

    status: int
    """Of an HTTP answer. A WebSocket that is open already closes with 4001."""
    code: str
    """Stable, for programs."""
    message: str
    retry_after: float | None = None
    """Seconds after which trying again may help, if that is known."""


MISSING = Rejection(401, "missing_auth_header", "Missing Authorization header")
MALFORMED = Rejection(
    401,
    "invalid_auth_header",
    f"Expected: Authorization: Bearer <token> of at most {LONGEST_TOKEN} bytes",
)


def find_bearer(authorization: str | None, query: str | None = None) -> Bearer | Rejection | None:
    """Find the token of a request; None if it shows none.

    A header that is there decides, also where it is wrong: then nobody looks at the query.

    Args:
        authorization: the header.
        query: the parameter ``token``, percent-decoded.
    """
    if authorization is not None:
        scheme, _, token = authorization.strip().partition(" ")
        return _bearer(token, Way.HEADER) if scheme.lower() == "bearer" else MALFORMED
    return None if query is None else _bearer(query, Way.QUERY)


def bearer_of_message(token: str) -> Bearer | Rejection:
    """Take the token of a message ``auth``."""
    return _bearer(token, Way.MESSAGE)


def _bearer(text: str, way: Way) -> Bearer | Rejection:
    token = text.strip()
    return Bearer(hide(Secret(token)), way) if is_token(token) else MALFORMED
