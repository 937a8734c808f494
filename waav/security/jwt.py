"""Signed tokens (JWT), checked here with the public key of who signs them.

Sources: RFC 7515, RFC 7519, RFC 8725.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import attrs
import trio
from joserfc import jws
from joserfc.errors import ExpiredTokenError, JoseError, UnsupportedAlgorithmError
from joserfc.jws import CompactSignature, JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from capabilities import Denied, Presented, Principal
from capabilities.auth import is_id
from waav.config.auth import LONGEST_TOKEN
from waav.security.json_text import read_json
from waav.security.keys import UNREADABLE, VerifyingKey

MOST_TRIES = 4
"""Keys that one token is tried with, if it does not name its own."""

UNKNOWN = Denied("Invalid token")
EXPIRED = Denied("The token has expired")
NOT_FOR_US = Denied("The token is not valid here, or not yet")


@attrs.frozen
class Rules:
    """What a token must say besides that it is valid."""

    issuer: str | None = None
    audience: str | None = None
    """None: a token that names any is for somebody else."""
    id_claim: str = "sub"
    leeway: int = 30
    """Seconds that the clocks may be apart."""


class Keys(Protocol):
    """Where the keys come from."""

    async def find(self, algorithm: str, kid: str | None) -> tuple[VerifyingKey, ...]:
        """Return the keys that a token with this header may have been signed with.

        Raises:
            ProviderUnavailable: there are no keys at present.
        """
        ...


@attrs.frozen
class FixedKeys:
    """Those of a file."""

    keys: tuple[VerifyingKey, ...]

    async def find(self, algorithm: str, kid: str | None) -> tuple[VerifyingKey, ...]:
        """Return those that fit; see :class:`Keys`."""
        await trio.lowlevel.checkpoint()
        return tuple(key for key in self.keys if key.fits(algorithm, kid))


@attrs.frozen
class SignedTokens:
    """A strategy."""

    keys: Keys
    rules: Rules

    async def authenticate(self, presented: Presented) -> Principal | Denied:
        """Check signature and claims.

        Raises:
            ProviderUnavailable: there are no keys at present.
        """
        if (token := _parse(presented.token.reveal())) is None:
            await trio.lowlevel.checkpoint()
            return UNKNOWN
        algorithm, kid = token.headers()["alg"], token.headers().get("kid")
        keys = await self.keys.find(algorithm, kid)
        if not _is_signed(token, algorithm, keys[:MOST_TRIES]):
            return UNKNOWN
        return judge(_claims(token), self.rules, datetime.now(UTC).timestamp())


def judge(claims: Mapping[str, Any] | None, rules: Rules, now: float) -> Principal | Denied:
    """Say what the claims of a token with a good signature come to.

    Args:
        claims: None if it has none.
        now: seconds since 1970, by the clock of the wall.
    """
    if claims is None:
        return UNKNOWN
    options: dict[str, Any] = {"exp": {"essential": True}}
    if rules.issuer is not None:
        options["iss"] = {"essential": True, "value": rules.issuer}
    if rules.audience is not None:
        options["aud"] = {"essential": True, "value": rules.audience}
    elif claims.get("aud") is not None:
        # RFC 7519, 4.1.3: whoever is not named must not take it.
        return NOT_FOR_US
    try:
        checked = JWTClaimsRegistry(int(now), rules.leeway, **options)
        checked.validate(dict(claims))
    except ExpiredTokenError:
        return EXPIRED
    except (JoseError, OverflowError):
        return NOT_FOR_US
    id_ = claims.get(rules.id_claim)
    metadata = {name: value for name, value in claims.items() if name != rules.id_claim}
    return Principal(id_ if isinstance(id_, str) and is_id(id_) else None, metadata)


class _Registry(JWSRegistry):
    max_header_length = LONGEST_TOKEN
    max_payload_length = LONGEST_TOKEN

    def get_alg(self, name: str) -> Any:
        """Not that of the parent, which warns of EdDSA each time, for its name only (RFC 9864)."""
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


_ANY = _Registry(strict_check_header=False)


def _parse(text: str) -> CompactSignature | None:
    """Take a token apart; None if it is no signed token, or wants more than we understand."""
    try:
        token = jws.extract_compact(text.encode(), registry=_ANY)
        headers = token.headers()
    except (*UNREADABLE, RecursionError):
        return None
    algorithm, kid = headers.get("alg"), headers.get("kid")
    plain = isinstance(algorithm, str) and isinstance(kid, str | None) and "crit" not in headers
    return token if plain else None


def _is_signed(token: CompactSignature, algorithm: str, keys: Iterable[VerifyingKey]) -> bool:
    registry = _Registry(algorithms=[algorithm], strict_check_header=False)
    for key in keys:
        try:
            if jws.validate_compact(token, key.key, registry=registry):
                return True
        except UNREADABLE:
            continue
    return False


def _claims(token: CompactSignature) -> Mapping[str, Any] | None:
    try:
        claims = read_json(token.payload)
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None
