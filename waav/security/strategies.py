"""The strategies that the configuration names, opened: those that are built in, and those of plugins."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

import attrs
import httpx
import trio

from capabilities import Auth, Denied, Presented, Principal
from waav.config import Config
from waav.config.auth import JWT, SECRETS, SERVICE
from waav.errors import ConfigError, PluginNotRunning, Problem, UnknownProvider
from waav.security.auth_service import MOST_REMEMBERED, NAME, AuthService, read_signing_key
from waav.security.http import open_peer
from waav.security.jwt import FixedKeys, Rules, SignedTokens
from waav.security.key_source import RemoteKeys
from waav.security.keys import read_keys
from waav.security.remembered import Remembered
from waav.security.tokens import ApiSecrets
from waav.tasks import open_scoped_nursery

T = TypeVar("T")

log = logging.getLogger(__name__)


class Guard(Protocol):
    """How a plugin's strategy is called: in a task of the plugin, not of the caller."""

    async def run(
        self, function: Callable[[Auth, Presented], Awaitable[T]], presented: Presented, /
    ) -> T:
        """Return ``await function(strategy, presented)``."""
        ...


class Plugins(Protocol):
    """The plugins, as far as this package knows them."""

    def auth(self, name: str, /) -> Guard:
        """Look a strategy up.

        Raises:
            UnknownProvider: there is no such plugin.
            PluginNotRunning: it is not in service now.
        """
        ...


@attrs.frozen
class OfPlugin:
    """The strategy of a plugin, whether or not it is in service just now."""

    _name: str
    _plugins: Plugins

    async def authenticate(self, presented: Presented) -> Principal | Denied:
        """Ask the plugin.

        Raises:
            ProviderError, PluginFailed, PluginNotRunning: it cannot tell.
        """
        return await self._plugins.auth(self._name).run(_authenticate, presented)


async def _authenticate(strategy: Auth, presented: Presented) -> Principal | Denied:
    return await strategy.authenticate(presented)


@asynccontextmanager
async def open_strategies(config: Config, plugins: Plugins) -> AsyncIterator[Mapping[str, Auth]]:
    """Open what is set up, in the order in which it is asked.

    Raises:
        ConfigError: a key cannot be read, or a plugin is not there.
    """
    async with AsyncExitStack() as stack:
        opened: dict[str, Auth] = {}
        for name in config.auth.methods:
            if (open_ := _BUILT_IN.get(name)) is not None:
                opened[name] = await stack.enter_async_context(open_(config))
            else:
                opened[name] = _of_plugin(name, plugins)
        yield opened


def _of_plugin(name: str, plugins: Plugins) -> Auth:
    try:
        plugins.auth(name)
    except UnknownProvider as exc:
        raise _mistake("auth.strategies", exc.message) from None
    except PluginNotRunning as exc:
        log.warning("a strategy of auth.strategies is not in service: %s", exc)
    return OfPlugin(name, plugins)


@asynccontextmanager
async def _open_secrets(config: Config) -> AsyncIterator[Auth]:
    yield ApiSecrets.of(config.auth.secrets)


@asynccontextmanager
async def _open_jwt(config: Config) -> AsyncIterator[Auth]:
    jwt = config.auth.jwt
    rules = Rules(
        issuer=jwt.issuer,
        audience=jwt.audience,
        id_claim=jwt.id_claim,
        leeway=jwt.leeway_seconds,
    )
    if jwt.key_path is not None:
        keys = await _read("auth.jwt.key_path", jwt.key_path, read_keys)
        yield SignedTokens(FixedKeys(keys), rules)
        return
    assert jwt.jwks_url is not None  # noqa: S101  # as Auth.methods says
    address = _address("auth.jwt.jwks_url", jwt.jwks_url)
    async with (
        open_peer("auth keys", address, config.auth.timeout_seconds) as peer,
        open_scoped_nursery("the gateway closes") as nursery,
    ):
        remote = RemoteKeys(peer)
        nursery.start_soon(remote.keep, name="auth/keys")
        await remote.first()
        yield SignedTokens(remote, rules)


@asynccontextmanager
async def _open_service(config: Config) -> AsyncIterator[Auth]:
    auth = config.auth
    assert auth.service_url is not None  # noqa: S101  # as Auth.methods says
    if auth.signing_key_path is None:
        raise _mistake("auth.signing_key_path", "is required together with service_url")
    key = await _read("auth.signing_key_path", auth.signing_key_path, read_signing_key)
    address = _address("auth.service_url", auth.service_url)
    async with open_peer(NAME, address, auth.timeout_seconds) as peer:
        yield AuthService(peer, key, Remembered(auth.cache_seconds, MOST_REMEMBERED))


_Open: TypeAlias = Callable[[Config], AbstractAsyncContextManager[Auth]]
_BUILT_IN: Mapping[str, _Open] = {SECRETS: _open_secrets, JWT: _open_jwt, SERVICE: _open_service}


def _address(key: str, url: str) -> str:
    """Return an address that can be called; else it would be told with the first token."""
    try:
        httpx.URL(url).host.encode("idna")
    except (httpx.InvalidURL, ValueError):  # ValueError: not to be encoded, or a label of no length
        raise _mistake(key, "expected the URL of a host that there can be") from None
    return url


async def _read(key: str, path: Path, read: Callable[[bytes], T]) -> T:
    try:
        return read(await trio.Path(path).read_bytes())
    except OSError as exc:
        raise _mistake(key, f"cannot be read: {exc.strerror}") from None
    except ValueError as exc:
        raise _mistake(key, f"{path}: {exc}") from None


def _mistake(key: str, message: str) -> ConfigError:
    return ConfigError([Problem("configuration", key, message)])
