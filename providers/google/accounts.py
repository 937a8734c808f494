"""Google credentials: the kinds that are understood, read from JSON, and what is signed with them.

No I/O. Sources: RFC 7523; "Using OAuth 2.0 for Server to Server Applications" of Google.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from capabilities import ProviderRefused, Secret

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
AUDIENCE = "https://oauth2.googleapis.com/token"
"""What an assertion is for, also where a relay takes it there."""
_LIFETIME = 3600
_MOST_JSON = 64 * 1024


@attrs.frozen
class ServiceAccount:
    """A program's own identity."""

    email: str
    private_key: Secret
    key_id: str = ""
    project: str = ""
    quota_project: str = ""


@attrs.frozen
class AuthorizedUser:
    """A person's, as ``gcloud auth application-default login`` leaves it."""

    client_id: str
    client_secret: Secret
    refresh_token: Secret
    project: str = ""
    quota_project: str = ""


@attrs.frozen
class Metadata:
    """That of the machine on Google Cloud which the program runs on."""

    host: str
    project: str = ""
    quota_project: str = ""


Account: TypeAlias = ServiceAccount | AuthorizedUser | Metadata


def read_account(text: str) -> ServiceAccount | AuthorizedUser:
    """Read a credentials file.

    Raises:
        ProviderRefused: it is none, or of a kind that is not supported. The message quotes nothing.
    """
    fields = _object(text)
    project, quota = _text(fields, "project_id"), _text(fields, "quota_project_id")
    match _text(fields, "type"):
        case "service_account":
            return ServiceAccount(
                email=_needed(fields, "client_email"),
                private_key=Secret(_needed(fields, "private_key")),
                key_id=_text(fields, "private_key_id"),
                project=project,
                quota_project=quota,
            )
        case "authorized_user":
            return AuthorizedUser(
                client_id=_needed(fields, "client_id"),
                client_secret=Secret(_needed(fields, "client_secret")),
                refresh_token=Secret(_needed(fields, "refresh_token")),
                project=project or quota,
                quota_project=quota,
            )
        case _:
            raise _unusable('its "type" must be service_account or authorized_user')


def assertion(account: ServiceAccount, now: float) -> str:
    """Sign a request for a token. Takes some milliseconds of CPU for a key not seen before.

    Args:
        now: seconds since 1970, by the clock of the wall.

    Raises:
        ProviderRefused: the private key is none.
    """
    header = {"alg": "RS256", "typ": "JWT", "kid": account.key_id}
    claims = {
        "iss": account.email,
        "scope": SCOPE,
        "aud": AUDIENCE,
        "iat": int(now),
        "exp": int(now) + _LIFETIME,
    }
    try:
        key = RSAKey.import_key(account.private_key.reveal())
        return jwt.encode(header, claims, key, algorithms=["RS256"])
    except (JoseError, ValueError, TypeError):
        raise _unusable("its private key cannot be read") from None


def _object(text: str) -> Mapping[str, Any]:
    if len(text) > _MOST_JSON:
        raise _unusable("too long")
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise _unusable("not JSON") from None
    if not isinstance(fields, dict):
        raise _unusable("not an object")
    return fields


def _needed(fields: Mapping[str, Any], name: str) -> str:
    if text := _text(fields, name):
        return text
    raise _unusable(f'no "{name}"')


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


def _unusable(why: str) -> ProviderRefused:
    return ProviderRefused("google", f"the Google credentials cannot be used: {why}")
