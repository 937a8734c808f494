"""Which web pages may call, as their browsers ask and are told (CORS). Rules only, no I/O.

Source: the Fetch standard, "HTTP CORS protocol". A browser enforces it, so it keeps out pages and not
programs; who may come in is another question.
"""

from collections.abc import Iterable, Mapping

import attrs

ANY = "*"
METHODS = "GET, POST, PUT, DELETE, OPTIONS"
METHODS_OF_NOBODY = "GET, POST, OPTIONS"
"""What a preflight is told where no page may call; without an allowed origin it opens nothing."""
HEADERS = "authorization, content-type, x-provider-api-key"
"""Of a request, beside those that every page may send."""
EXPOSED = "retry-after, x-request-id, x-audio-format, x-sample-rate"
"""Of an answer, beside those that every page may read."""
MAX_AGE = "600"
"""Seconds for which a browser need not ask again; each time it asks is a request."""

_SENT_BY_BROWSERS = {"origin", "access-control-request-method"}


def is_preflight(method: str, headers: Mapping[str, str]) -> bool:
    """Tell whether a browser asks if a page may call; it sends no token, and no handler runs."""
    return method == "OPTIONS" and headers.keys() >= _SENT_BY_BROWSERS


def _lower(origins: Iterable[str]) -> frozenset[str]:
    return frozenset(origin.lower() for origin in origins)


@attrs.frozen
class Cors:
    """The pages that may call."""

    origins: frozenset[str] = attrs.field(default=frozenset(), converter=_lower)
    """:data:`ANY` alone, or origins as browsers write them: ``https://app.example.com``."""

    def headers(self, origin: str | None) -> dict[str, str]:
        """Return what any answer says of it, also a refusal: a page that cannot read it learns nothing.

        Args:
            origin: the header of the request.
        """
        if not self.origins:
            return {}
        if ANY in self.origins:
            return {
                "access-control-allow-origin": ANY,
                "access-control-expose-headers": EXPOSED,
            }
        # Also for the others: a cache must not give one page's answer to another.
        varies = {"vary": "Origin"}
        if origin not in self.origins:
            return varies
        return {
            **varies,
            "access-control-allow-origin": origin,
            "access-control-allow-credentials": "true",
            "access-control-expose-headers": EXPOSED,
        }

    def preflight(self) -> dict[str, str]:
        """Return what an answer to a preflight says beside :meth:`headers`."""
        return {
            "access-control-allow-methods": METHODS if self.origins else METHODS_OF_NOBODY,
            "access-control-allow-headers": HEADERS,
            "access-control-max-age": MAX_AGE,
        }
