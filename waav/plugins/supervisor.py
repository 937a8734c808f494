"""All plugins together: opened when the gateway opens, looked up by name, closed when it closes."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import trio

from capabilities import (
    LLM,
    STT,
    TTS,
    VAD,
    AudioProcessor,
    Auth,
    Capability,
    Health,
    HealthState,
    Manifest,
    Middleware,
    Secret,
    TurnDetector,
    VoiceCloning,
    WSHandler,
)
from waav.errors import PluginNotRunning, UnknownProvider
from waav.plugins.boundary import Guarded
from waav.plugins.changes import Changes
from waav.plugins.discovery import Discovery, Failure, Found
from waav.plugins.keeper import Keeper
from waav.plugins.lifecycle import State
from waav.plugins.means import Means
from waav.plugins.policy import Policy
from waav.plugins.registry import RegistrationRefused, Registry, normalise
from waav.plugins.settings import Tables, owner_of
from waav.plugins.status import PluginStatus
from waav.security.limits import Limiter

log = logging.getLogger(__name__)

_DEFAULT_POLICY = Policy()


@attrs.define(eq=False)
class Plugins:
    """The plugins of one gateway. Made by :func:`open_plugins`."""

    _nursery: trio.Nursery
    _means: Means
    registry: Registry = attrs.field(factory=Registry)
    _keepers: dict[str, Keeper] = attrs.field(factory=dict)
    _failures: list[PluginStatus] = attrs.field(factory=list)
    """What never became a plugin, from the start; as many as there were files."""
    _changes: Changes = attrs.field(factory=Changes)
    _leaving: bool = False

    def stt(self, name: str) -> Guarded[STT]:
        """Look up speech to text by id or alias, in any spelling.

        Raises:
            UnknownProvider: no plugin has this name; the message lists those there are.
            PluginNotRunning: it is not in service; the message says its state, ``reason`` why.
        """
        return self._guarded(Capability.STT, name)

    def tts(self, name: str) -> Guarded[TTS]:
        """Look up text to speech; as :meth:`stt`."""
        return self._guarded(Capability.TTS, name)

    def vad(self, name: str) -> Guarded[VAD]:
        """Look up voice activity detection; as :meth:`stt`."""
        return self._guarded(Capability.VAD, name)

    def llm(self, name: str) -> Guarded[LLM]:
        """Look up a language model; as :meth:`stt`."""
        return self._guarded(Capability.LLM, name)

    def turn_detector(self, name: str) -> Guarded[TurnDetector]:
        """Look up who tells a pause from the end of a turn; as :meth:`stt`."""
        return self._guarded(Capability.TURN_DETECTOR, name)

    def cloning(self, name: str) -> Guarded[VoiceCloning]:
        """Look up who makes voices; as :meth:`stt`."""
        return self._guarded(Capability.CLONING, name)

    def processor(self, name: str) -> Guarded[AudioProcessor]:
        """Look up an audio processor; as :meth:`stt`."""
        return self._guarded(Capability.PROCESSOR, name)

    def auth(self, name: str) -> Guarded[Auth]:
        """Look up who knows tokens; as :meth:`stt`."""
        return self._guarded(Capability.AUTH, name)

    def middleware(self, name: str) -> Guarded[Middleware]:
        """Look up who sees requests; as :meth:`stt`."""
        return self._guarded(Capability.MIDDLEWARE, name)

    def middlewares(self) -> list[Guarded[Middleware]]:
        """List those who see requests, also such that are not in service; lower priorities first."""
        registered = self.registry.in_order(Capability.MIDDLEWARE)
        registered.sort(key=lambda each: each.abilities[Capability.MIDDLEWARE].priority)
        return [self._keepers[each.id].guards[Capability.MIDDLEWARE] for each in registered]

    def ws_handlers(self, message_type: str) -> list[Guarded[WSHandler]]:
        """List those who handle custom messages of a type, in the order of their registration.

        Also such that are not in service: then calling them raises PluginNotRunning.
        """
        return [
            self._keepers[each.id].guards[Capability.WS_HANDLER]
            for each in self.registry.in_order(Capability.WS_HANDLER)
            if message_type in each.abilities[Capability.WS_HANDLER].message_types
        ]

    def statuses(self) -> list[PluginStatus]:
        """Say how each plugin is now, sorted by id; also what could not be loaded or registered."""
        known = [keeper.status() for keeper in self._keepers.values()]
        return sorted([*known, *self._failures], key=lambda status: status.id)

    async def started(self) -> None:
        """Return when every plugin has once got as far as running or failing."""
        await self._changes.until(lambda: all(each.settled for each in self._keepers.values()))

    async def register(self, manifest: Manifest) -> PluginStatus:
        """Take in one more plugin, and return when it runs or has failed.

        Raises:
            RegistrationRefused: malformed, or one of its names is taken; nothing has changed.
        """
        if self._leaving:
            raise RegistrationRefused(f"{manifest.id}: the gateway is closing")
        self.registry.register(manifest)
        keeper = self._keep(Found(manifest))
        await self._changes.until(lambda: keeper.settled)
        return keeper.status()

    async def unregister(self, id_: str) -> None:
        """Close a plugin and forget it; those that require it fail. Return when it has closed.

        Calls into it that are under way end with PluginNotRunning. It is forgotten also if it does
        not let go.

        Raises:
            UnknownProvider: no plugin has this id.
        """
        if (keeper := self._keepers.get(id_)) is None:
            raise UnknownProvider("plugins", id_, self._keepers)
        keeper.stop()
        await self._changes.until(lambda: keeper.gone)
        # Somebody else may have waited for the same.
        if self._keepers.get(id_) is keeper:
            del self._keepers[id_]
            self.registry.unregister(id_)
            self._changes.ring()

    def begin(self, discovery: Discovery) -> None:
        """Register what was found and start to open it. For :func:`open_plugins`."""
        accepted = [found for found in discovery.found if self._accept(found)]
        # Only now: whose settings a name stands for is known when all names are known.
        for found in accepted:
            self._keep(found)
        for failure in discovery.failures:
            self._note(failure)
        for name in self._means.settings:
            if owner_of(name, self.registry) is None:
                known = ", ".join(manifest.id for manifest in self.registry) or "none"
                log.warning("plugins.providers.%s is for no plugin (known: %s)", name, known)

    def leave(self) -> None:
        """Ask all plugins to close. For :func:`open_plugins`, whose nursery waits for them."""
        self._leaving = True
        for keeper in self._keepers.values():
            keeper.stop()

    def _accept(self, found: Found) -> bool:
        try:
            self.registry.register(found.manifest)
        except RegistrationRefused as exc:
            failure = Failure(str(found.manifest.id), found.where, str(exc), found.origin)
            self._note(failure)
            return False
        return True

    def _keep(self, found: Found) -> Keeper:
        keeper = Keeper.of(
            found,
            means=self._means,
            registry=self.registry,
            changes=self._changes,
            peers=self._keepers,
            nursery=self._nursery,
        )
        self._keepers[found.manifest.id] = keeper
        self._nursery.start_soon(keeper.keep, name=f"plugins/{found.manifest.id}")
        return keeper

    def _note(self, failure: Failure) -> None:
        log.warning("plugin %s (%s): %s", failure.name, failure.where, failure.reason)
        # What was refused because of its name must not be taken for the owner of the name.
        taken = normalise(failure.name) in self.registry
        self._failures.append(
            PluginStatus(
                id=failure.where if taken else failure.name,
                manifest=None,
                origin=failure.origin,
                where=failure.where,
                state=State.FAILED,
                since=trio.current_time(),
                reason=failure.reason,
                health=Health(HealthState.UNHEALTHY, failure.reason),
            )
        )

    def _guarded(self, capability: Capability, name: str) -> Guarded[Any]:
        try:
            keeper = self._keepers[self.registry.find(capability, name).id]
        except UnknownProvider:
            # It may be there and broken, and then its reason helps more than a list of others.
            for failure in self._failures:
                if normalise(failure.id) == normalise(name):
                    raise PluginNotRunning(failure.id, "failed", failure.reason) from None
            raise
        keeper.ward.running()
        return keeper.guards[capability]


@asynccontextmanager
async def open_plugins(
    discovery: Discovery,
    *,
    settings: Tables = MappingProxyType({}),
    credentials: Mapping[str, Secret] = MappingProxyType({}),
    data_dir: Path | None = None,
    policy: Policy = _DEFAULT_POLICY,
    client_keys: bool = True,
    limiter: Limiter | None = None,
) -> AsyncIterator[Plugins]:
    """Open all plugins for as long as the ``async with`` block lasts.

    Entering returns when each of them runs or has failed; a failed one is listed and stops
    nobody. Leaving closes them, those that are required after those that require them, and takes
    at most the policy's ``close_timeout`` and ``patience`` for each link of such a chain - unless
    a plugin shields a task and never ends it. Trio cannot kill a task, so leaving then waits for
    it; whoever runs the process decides how long to wait for that.

    Args:
        discovery: what :func:`waav.plugins.discovery.discover` found, or ``Discovery.of(...)``.
        settings: ``[plugins.providers]``.
        credentials: ``[providers]``; a plugin sees those that its manifest names.
        data_dir: where each plugin gets a folder of its own.
        policy: how patient to be.
        client_keys: whether clients may bring keys of their own.
        limiter: counts the conversations of providers with ``max_sessions``; None does not.
    """
    left: BaseException | None = None
    async with trio.open_nursery() as nursery:
        means = Means(settings, credentials, data_dir, policy, client_keys, limiter)
        plugins = Plugins(nursery, means)
        try:
            plugins.begin(discovery)
            await plugins.started()
            yield plugins
        # Raised again below: no plugin raises into this nursery, so the block's own exception need
        # not come out wrapped in a group.
        except BaseException as exc:  # noqa: BLE001
            left = exc
        finally:
            plugins.leave()
    if left is not None:
        raise left
