"""Who is this? All strategies in their order, and one outcome for both doors."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

import attrs
import trio

from capabilities import (
    Auth,
    Denied,
    Presented,
    Principal,
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
)
from waav.config import Config
from waav.config.auth import JWT, SECRETS
from waav.errors import PluginNotRunning, WaavError
from waav.security.bearer import MISSING, Bearer, Rejection
from waav.security.strategies import Plugins, open_strategies

PATIENCE = 10.0
"""Seconds that all strategies together may take."""

_LEFT_OUT = frozenset({"authorization", "cookie", "host", "x-real-ip"})
_LEFT_OUT_PREFIXES = ("x-forwarded-", "x-waav-")

log = logging.getLogger(__name__)


@attrs.frozen
class Authenticator:
    """Whom to ask about tokens, and what follows. Made by :func:`open_authenticator`."""

    required: bool
    """Nobody comes in without a valid token."""
    body_limit: int
    """Bytes of a JSON body that a strategy wants to see; 0: none does, so leave it unread."""
    _strategies: Mapping[str, Auth]
    _reject_unknown: bool = False
    _allow_missing_id: bool = False

    async def admit(
        self,
        bearer: Bearer | Rejection | None,
        *,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes = b"",
    ) -> Principal | Rejection | None:
        """Say who comes with a request, or why they do not come in.

        Args:
            bearer: what :func:`waav.security.bearer.find_bearer` has found.
            method: of the request; of the upgrade where the token came in a message.
            headers: names in lower case; those that authenticate, or that a proxy sets, go no
                further than here.
            body: JSON, of at most :attr:`body_limit` bytes.

        Returns:
            None: somebody whom nobody knows, where that is allowed.
        """
        outcome: Principal | Rejection = MISSING
        match bearer:
            case Bearer():
                shown = Presented(bearer.token, bearer.way, method, path, harmless(headers), body)
                outcome = await self._ask(shown)
            case Rejection():
                outcome = bearer
            case None:
                pass
        if isinstance(outcome, Principal) or self.required:
            return outcome
        return outcome if self._reject_unknown and bearer is not None else None

    async def _ask(self, presented: Presented) -> Principal | Rejection:
        """Ask one after the other. When nobody knows the token, the gravest "no" is the answer:
        as long as one could not be asked, nobody can say that the token is wrong."""
        gravest = Rejection(401, "unauthorized", "Unauthorized")
        with trio.move_on_after(PATIENCE) as patience:
            for name, strategy in self._strategies.items():
                outcome = await self._outcome(name, strategy, presented)
                if isinstance(outcome, Principal):
                    return outcome
                gravest = outcome if outcome.status >= gravest.status else gravest
        return _UNAVAILABLE if patience.cancelled_caught else gravest

    async def _outcome(
        self, name: str, strategy: Auth, presented: Presented
    ) -> Principal | Rejection:
        try:
            outcome: object = await strategy.authenticate(presented)
        except (ProviderError, WaavError) as exc:
            log.warning("auth by %s failed: %s", name, exc)
            return _failed(exc)
        match outcome:
            case Principal(id=None) if not self._allow_missing_id:
                return Rejection(401, "unauthorized", "Unauthorized")
            case Principal():
                return outcome
            case Denied(message=message):
                return Rejection(401, "unauthorized", message)
            case _:
                # A plugin that says True, or anything else, has said nothing.
                log.error("auth by %s gave a %s", name, type(outcome).__name__)
                return _BROKEN


_UNAVAILABLE = Rejection(
    503, "auth_service_unavailable", "Authentication is not available at present"
)
_BROKEN = Rejection(502, "auth_service_error", "Authentication failed")
_REFUSED = Rejection(401, "auth_service_error", "Authentication was refused")


def _failed(exc: ProviderError | WaavError) -> Rejection:
    match exc:
        case ProviderBusy(retry_after=pause):
            return attrs.evolve(_UNAVAILABLE, retry_after=pause)
        case ProviderUnavailable() | PluginNotRunning():
            return _UNAVAILABLE
        case ProviderRefused():
            return _REFUSED
        case _:
            return _BROKEN


def harmless(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers without those that authenticate, or that a proxy sets."""
    return MappingProxyType(
        {
            name: value
            for name, value in headers.items()
            if name not in _LEFT_OUT and not name.startswith(_LEFT_OUT_PREFIXES)
        }
    )


@asynccontextmanager
async def open_authenticator(config: Config, plugins: Plugins) -> AsyncIterator[Authenticator]:
    """Open all strategies for as long as the block lasts.

    Raises:
        ConfigError: a key cannot be read, or a plugin is not there.
    """
    auth = config.auth
    async with open_strategies(config, plugins) as strategies:
        yield Authenticator(
            required=auth.required,
            body_limit=auth.max_body_bytes if strategies.keys() - {SECRETS, JWT} else 0,
            strategies=strategies,
            reject_unknown=auth.reject_unknown,
            allow_missing_id=auth.allow_missing_id,
        )
