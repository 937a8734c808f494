"""Keys that check signatures: read from PEM, a JWK or a set of them, with the algorithms of each.

Which algorithms a key takes follows from its type and never from a token alone; so no token can have
a public key taken for a shared secret. Sources: RFC 7517, RFC 7518, RFC 8037, RFC 8725.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import attrs
from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, Key, OctKey, OKPKey, RSAKey

from waav.security.json_text import read_json

T = TypeVar("T")

MOST_KEYS = 32
"""Of one set; more are not looked at."""

_LEAST_RSA = 2048  # bits
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVES = {
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
    "Ed25519": ("EdDSA", "Ed25519"),
    "Ed448": ("EdDSA", "Ed448"),
}
_SHARED = {"HS256": 32, "HS384": 48, "HS512": 64}  # bytes that the secret must have

UNREADABLE = (JoseError, ValueError, TypeError, KeyError, AttributeError, UnsupportedAlgorithm)
"""What the libraries raise for what is none of what it should be."""


@attrs.frozen
class VerifyingKey:
    """A key, and what it is good for."""

    algorithms: frozenset[str]
    id: str | None
    """Its ``kid``."""
    key: Key = attrs.field(repr=False, eq=False)

    def fits(self, algorithm: str, kid: str | None) -> bool:
        """Tell whether a token with this header may have been signed with it."""
        return algorithm in self.algorithms and (kid is None or self.id is None or kid == self.id)


def read_keys(text: bytes) -> tuple[VerifyingKey, ...]:
    """Read the file of an operator: PEM or JSON.

    Raises:
        ValueError: there is no key in it that can be used; the message quotes nothing.
    """
    if text.lstrip().startswith(b"{"):
        return read_key_set(text, shared=True)
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            key: Key = _quietly(kind.import_key, text)
        except UNREADABLE:
            continue
        if key.is_private:
            raise ValueError("expected a public key; a private one does not belong here")
        if algorithms := _algorithms(key):
            return (VerifyingKey(algorithms, None, key),)
        raise ValueError(f"expected a key to check with: RSA from {_LEAST_RSA} bits, EC or Ed25519")
    raise ValueError("expected a public key or a certificate in PEM, or a JWK or a set in JSON")


def read_key_set(text: bytes, *, shared: bool) -> tuple[VerifyingKey, ...]:
    """Read a JWK, or a set; those that are not understood, or for something else, are left out.

    Args:
        shared: take shared secrets as well; never of what everybody can read.

    Raises:
        ValueError: no key is left.
    """
    keys = (read_key(entry, shared=shared) for entry in read_entries(text))
    return some(key for key in keys if key is not None)


def read_entries(text: bytes) -> list[Any]:
    """Read a JWK or a set as far as what its keys are, which nobody has looked at yet.

    Raises:
        ValueError: it is neither.
    """
    match read_json(text):
        case {"keys": list() as entries}:
            return entries[:MOST_KEYS]
        case {"kty": _} as entry:
            return [entry]
        case _:
            raise ValueError("expected a JWK, or a set of them")


def some(keys: Iterable[VerifyingKey]) -> tuple[VerifyingKey, ...]:
    """Return the keys.

    Raises:
        ValueError: there are none.
    """
    if not (found := tuple(keys)):
        raise ValueError("expected at least one key that signatures can be checked with")
    return found


def read_key(entry: Any, *, shared: bool) -> VerifyingKey | None:
    """Read one entry of a set, which takes a millisecond; None if it is of no use, or private."""
    # To check that a private key is one takes a second, and it does not belong here.
    if not isinstance(entry, dict) or "d" in entry:
        return None
    try:
        key = _quietly(JWKRegistry.import_key, entry)
        allowed = _allowed(entry, _algorithms(key))
    except UNREADABLE:
        return None
    if not allowed or (isinstance(key, OctKey) and not shared):
        return None
    kid = entry.get("kid")
    return VerifyingKey(allowed, kid if isinstance(kid, str) else None, key)


def _quietly(read: Callable[[T], Key], source: T) -> Key:
    """The library warns of weak keys on standard error; here they are refused instead."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return read(source)


def _allowed(entry: Mapping[str, Any], able: frozenset[str]) -> frozenset[str]:
    """Of what a key could do, what it says that it is for."""
    if entry.get("use", "sig") != "sig" or "verify" not in entry.get("key_ops", ["verify"]):
        return frozenset()
    return able & {entry["alg"]} if "alg" in entry else able


def _algorithms(key: Key) -> frozenset[str]:
    match key:
        case RSAKey():
            return frozenset(_RSA if key.public_key.key_size >= _LEAST_RSA else ())
        case ECKey() | OKPKey():
            return frozenset(_CURVES.get(key.curve_name, ()))
        case OctKey():
            size = len(key.raw_value)
            return frozenset(name for name, least in _SHARED.items() if size >= least)
