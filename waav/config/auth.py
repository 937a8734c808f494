"""The section ``[auth]``: who may come in, and who knows that."""

from pathlib import Path
from typing import Literal

import attrs

from capabilities import Secret
from waav.config.option import option, section

_HTTP = ("http", "https")

SECRETS, JWT, SERVICE = "secrets", "jwt", "service"
"""The strategies that are built in, as ``auth.strategies`` names them."""


LONGEST_TOKEN = 4096
"""Bytes of a token, however it comes."""


def is_token(text: str) -> bool:
    """Tell whether a text can be shown as a token, at every place for one."""
    # Printable comes first: what JSON can hold beyond that cannot always be encoded.
    return text.isprintable() and 0 < len(text.encode()) <= LONGEST_TOKEN


def _trimmed(text: str) -> str:
    return text.strip()


def _trimmed_secret(secret: Secret) -> Secret:
    return Secret(secret.reveal().strip())


def ambiguous(id_: str, separator: str) -> bool:
    """Tell whether an id and the separator behind it can begin what belongs to another id as well."""
    return (id_ + separator).index(separator) < len(id_)


@attrs.frozen
class ApiSecret:
    """A token that clients present, and the tenant it stands for."""

    id: str = attrs.field(converter=_trimmed)
    secret: Secret = attrs.field(converter=_trimmed_secret)


@attrs.frozen
class Jwt:
    """Signed tokens (JWT) that the gateway checks by itself; on with key_path or jwks_url."""

    key_path: Path | None = option(
        "The public key of who signs them: PEM (a key or a certificate) or JSON (a JWK or a set).",
        example='"/etc/waav/tokens.pem"',
    )
    jwks_url: str | None = option(
        "Where who signs them shows the public keys; instead of key_path.",
        schemes=_HTTP,
        example='"https://login.example.com/.well-known/jwks.json"',
    )
    issuer: str | None = option(
        "What iss must be.", default=None, example='"https://login.example.com/"'
    )
    audience: str | None = option(
        "What aud must name. Without it, a token that names anybody is not for us.",
        example='"waav"',
    )
    id_claim: str = option("The claim that is the id of the tenant.", default="sub")
    leeway_seconds: int = option("How far the clocks may be apart.", default=30, least=0, most=300)

    @property
    def enabled(self) -> bool:
        """Whether there is a key to check with."""
        return self.key_path is not None or self.jwks_url is not None


@attrs.frozen
class Auth:
    """Who may come in."""

    required: bool = option(
        "Let nobody in without a valid token.", default=False, env="AUTH_REQUIRED"
    )
    strategies: tuple[str, ...] = option(
        "Who is asked about a token, in this order, until one knows it: secrets, jwt, service, and"
        " the names of plugins. Those that are not set up are left out.",
        default=(SECRETS, JWT, SERVICE),
    )
    service_url: str | None = option(
        "A service that checks tokens; together with signing_key_path.",
        env="AUTH_SERVICE_URL",
        schemes=_HTTP,
        example='"https://auth.example.com/check"',
    )
    signing_key_path: Path | None = option(
        "The private key (PEM, RSA or EC) that signs requests to that service.",
        env="AUTH_SIGNING_KEY_PATH",
        example='"/etc/waav/auth-key.pem"',
    )
    timeout_seconds: float = option(
        "The longest wait for the service, and for jwks_url.",
        default=5.0,
        env="AUTH_TIMEOUT_SECONDS",
        above=0,
    )
    cache_seconds: float = option(
        "How long the service's yes holds for the same token, method, path and body; 0: it is asked"
        " each time.",
        default=0.0,
        least=0,
    )
    max_body_bytes: int = option(
        "The largest JSON body that the service is shown; a larger one is refused.",
        default=256 << 10,
        least=0,
    )
    api_secrets: tuple[ApiSecret, ...] = option(
        "Tables [[auth.api_secrets]] with id and secret; both unique.",
        default=(),
        env="AUTH_API_SECRETS_JSON",
    )
    api_secret: Secret | None = option(
        "A single secret, used only if there is no list.", env="AUTH_API_SECRET"
    )
    api_secret_id: str = option(
        "The id of that single secret.", default="default", env="AUTH_API_SECRET_ID"
    )
    allow_missing_id: bool = option(
        "Let also those in whom a strategy knows without saying who they are.", default=False
    )
    reject_unknown: bool = option(
        "Where auth is not required: refuse a token that nobody knows, instead of ignoring it.",
        default=False,
    )
    scope_separator: str = option(
        "What stands between the id of a tenant and the name of its room. An id that has it inside can"
        " have rooms only if it is that of an API secret.",
        default="_",
        pending=True,
    )
    room_scope: Literal["name", "metadata"] = option(
        "Where it stands whose a room is: before its name, or in the room's metadata, as auth_id; then"
        " names stay as clients write them.",
        default="name",
        pending=True,
    )
    public_metrics: bool = option("Give the metrics also to those who show no token.", default=True)
    public_description: bool = option(
        "Give /openapi.json and /openapi.yaml also to those who show no token.", default=True
    )
    jwt: Jwt = section(Jwt)

    @property
    def secrets(self) -> tuple[ApiSecret, ...]:
        """The list, or else the single secret."""
        if self.api_secrets or self.api_secret is None:
            return self.api_secrets
        return (ApiSecret(self.api_secret_id, self.api_secret),)

    @property
    def methods(self) -> tuple[str, ...]:
        """The strategies that are set up; whether a plugin is there shows when it is opened."""
        ready = {
            SECRETS: bool(self.secrets),
            JWT: self.jwt.enabled,
            # An open gateway does not send every token that it is shown to somebody else.
            SERVICE: self.required and self.service_url is not None,
        }
        return tuple(dict.fromkeys(name for name in self.strategies if ready.get(name, True)))
