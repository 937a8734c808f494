"""The operator's own service that knows tokens: asked with a signed request, its yes remembered.

The request is one compact JWT, ``Content-Type: application/jwt``, with what the service may want to
know in ``auth_data``; the answer is ``{"id": "..."}`` with status 200, or a status that says no.
"""

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import attrs
import msgspec
import trio
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from capabilities import (
    Denied,
    Presented,
    Principal,
    ProviderError,
    ProviderRefused,
)
from capabilities.auth import is_id
from waav.security.http import Answer, Peer
from waav.security.json_text import read_json
from waav.security.keys import UNREADABLE
from waav.security.remembered import Remembered

NAME = "auth service"
"""In errors."""
LIFETIME = 300
"""Seconds for which a request is valid."""
MOST_ANSWER = 16 * 1024
"""Bytes of an answer."""
MOST_REMEMBERED = 1024
"""Answers that are kept at one time."""

_LOGGED = 500  # characters of a refusal
_SIGNED = re.compile(r"eyJ[\w-]+(?:\.[\w-]*){0,2}")

UNAUTHORIZED = Denied("Unauthorized")

log = logging.getLogger(__name__)


@attrs.frozen
class SigningKey:
    """What signs our requests."""

    algorithm: str
    key: RSAKey | ECKey = attrs.field(repr=False)


@attrs.frozen(eq=False)
class AuthService:
    """A strategy."""

    _peer: Peer
    _key: SigningKey
    _remembered: Remembered[bytes, Principal]

    async def authenticate(self, presented: Presented) -> Principal | Denied:
        """Ask the service, unless it has just said yes to the same.

        Raises:
            ProviderUnavailable: it cannot be reached, or is too slow.
            ProviderRefused: it says no in another way than with 401.
            ProviderError: it fails, or answers something else.
        """
        asked = _digest(presented)
        known = self._remembered.get(asked, trio.current_time())
        if known is not None:
            await trio.lowlevel.checkpoint()
            return known
        # A signature takes milliseconds of CPU, and a long body takes as long to be written.
        now = int(datetime.now(UTC).timestamp())
        signed = await trio.to_thread.run_sync(assertion, presented, self._key, now)
        answer = await self._peer.ask(
            "POST", content=signed.encode(), content_type="application/jwt", most=MOST_ANSWER
        )
        outcome = _outcome(answer, presented)
        if isinstance(outcome, Principal) and outcome.id is not None:
            self._remembered.put(asked, outcome, trio.current_time())
        return outcome


def read_signing_key(pem: bytes) -> SigningKey:
    """Read the operator's private key.

    Raises:
        ValueError: it is none that can be used; the message quotes nothing of it.
    """
    for kind, algorithm in ((RSAKey, "RS256"), (ECKey, "ES256")):
        try:
            key = kind.import_key(pem)
        except UNREADABLE:
            continue
        if not key.is_private:
            raise ValueError("expected a private key")
        if isinstance(key, ECKey) and key.curve_name != "P-256":
            raise ValueError("expected an EC key on the curve P-256")
        return SigningKey(algorithm, key)
    raise ValueError("expected a private key in PEM, RSA or EC, without a passphrase")


def assertion(presented: Presented, key: SigningKey, now: int) -> str:
    """Write the request and sign it. No I/O, but some milliseconds.

    Args:
        now: seconds since 1970.
    """
    claims = {
        "sub": "waav-auth",
        "iat": now,
        "exp": now + LIFETIME,
        "auth_data": {
            "token": presented.token.reveal(),
            "request_body": _json(presented.body),
            "request_headers": dict(presented.headers),
            "request_path": presented.path,
            "request_method": presented.method,
        },
    }
    header = {"alg": key.algorithm, "typ": "JWT"}
    return jws.serialize_compact(
        header, msgspec.json.encode(claims), key.key, algorithms=[key.algorithm]
    )


def _json(body: bytes) -> Any:
    try:
        return read_json(body)
    except ValueError:
        return {}


def _digest(presented: Presented) -> bytes:
    """All that an answer may depend on but for headers: those differ each time, and nobody's are
    the reason for a yes that is to be remembered."""
    parts = (presented.token.reveal(), presented.method, presented.path)
    digest = blake2b(digest_size=32)
    for part in (*(each.encode(errors="surrogatepass") for each in parts), presented.body):
        digest.update(len(part).to_bytes(8) + part)
    return digest.digest()


def _outcome(answer: Answer, presented: Presented) -> Principal | Denied:
    match answer.status:
        case 200:
            return _principal(answer.body)
        case 401:
            return UNAUTHORIZED
        case status if 400 <= status < 500:
            log.warning("the auth service answered with %d: %r", status, _said(answer, presented))
            raise ProviderRefused(NAME, "refused the request", status=status)
        case status:
            raise ProviderError(NAME, f"answered with {status}", status=status)


def _said(answer: Answer, presented: Presented) -> str:
    """The begin of a refusal, for operators; without what it may quote of the request."""
    text = answer.body.decode(errors="replace").replace(presented.token.reveal(), "***")
    return _SIGNED.sub("***", text)[:_LOGGED]


def _principal(body: bytes) -> Principal:
    """Read a yes. Whose it is may be missing, and that is for the caller to judge."""
    said = _json(body)
    fields: Mapping[str, Any] = said if isinstance(said, dict) else {}
    id_ = fields.get("id")
    id_ = id_.strip() if isinstance(id_, str) else ""
    if not is_id(id_):
        log.warning("the auth service answered with 200, but without an id")
        return Principal(None)
    return Principal(id_, {name: value for name, value in fields.items() if name != "id"})
