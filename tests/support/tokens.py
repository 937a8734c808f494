"""Tokens, and what is shown with them."""

import warnings
from datetime import UTC, datetime
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import Key

from capabilities import Presented, Secret, Way


def presented(token: str, **fields: Any) -> Presented:
    """Show a token with a request for nothing in particular."""
    request: dict[str, Any] = {"way": Way.HEADER, "method": "GET", "path": "/voices"} | fields
    return Presented(Secret(token), **request)


def wall_clock() -> int:
    return int(datetime.now(UTC).timestamp())


def signed(key: Key, claims: Any = None, alg: str = "RS256", **header: Any) -> str:
    """Sign a token that is valid for a minute, or these claims instead."""
    if claims is None:
        claims = {"sub": "acme", "exp": wall_clock() + 60}
    payload = claims if isinstance(claims, bytes) else msgspec.json.encode(claims)
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    with warnings.catch_warnings():
        # EdDSA has another name by now, but who signs still writes the old one.
        warnings.simplefilter("ignore", SecurityWarning)
        return jws.serialize_compact({"alg": alg, **header}, payload, key, registry=registry)
