"""Keeps one plugin: waits for what it requires, opens it, watches, closes and opens again.

The task ``plugins/<id>``. It never runs a plugin's code itself (that is :mod:`waav.plugins.opening`)
and waits for it with a deadline only, so no plugin can hold it.
"""

import logging
from collections.abc import Mapping
from math import inf
from typing import Any

import attrs
import trio

from capabilities import Capability, Health, HealthState, Manifest, PluginContext
from waav.errors import PluginNotRunning
from waav.plugins.boundary import Guarded
from waav.plugins.breaker import Breaker
from waav.plugins.changes import Changes
from waav.plugins.discovery import Found
from waav.plugins.health import ask_health
from waav.plugins.lifecycle import Lifecycle, State, Step
from waav.plugins.means import Means
from waav.plugins.opening import Opening
from waav.plugins.policy import Restarts
from waav.plugins.reasons import reason_of
from waav.plugins.registry import Registry
from waav.plugins.requirements import cycle_of
from waav.plugins.settings import Settings, SettingsMistake, settings_of
from waav.plugins.status import PluginStatus
from waav.plugins.turnstile import Turnstile
from waav.plugins.ward import Ward

log = logging.getLogger(__name__)

_SETTLED = {State.RUNNING, State.FAILED, State.STOPPED}
_DOWN = {State.FAILED, State.STOPPING, State.STOPPED}


@attrs.define(eq=False)
class Keeper:
    """One plugin's keeper."""

    found: Found
    ward: Ward
    guards: Mapping[Capability, Guarded[Any]]
    settings: Settings | SettingsMistake
    means: Means
    peers: Mapping[str, "Keeper"]
    """All keepers by id, this one too; others come and go."""
    nursery: trio.Nursery
    """Where openings run."""
    restarts: Restarts
    gone: bool = False
    """It will do nothing any more."""
    holds: bool = False
    """The plugin may be using those that it requires."""
    _health: Health = Health()
    _stopping: bool = False
    _refuses: bool = False
    """It has said that it will not open as things are."""

    @classmethod
    def of(
        cls,
        found: Found,
        *,
        means: Means,
        registry: Registry,
        changes: Changes,
        peers: Mapping[str, "Keeper"],
        nursery: trio.Nursery,
    ) -> "Keeper":
        """Make the keeper of a registered plugin; all names that settings may use are known."""
        manifest, policy = found.manifest, means.policy
        ward = Ward(manifest.id, policy, changes, Lifecycle(trio.current_time()))
        settings: Settings | SettingsMistake
        try:
            settings = common = settings_of(manifest, means.settings, registry)
        except SettingsMistake as exc:
            # Told when it is opened, so that it is listed as any other failure is.
            settings, common = exc, Settings()
        guards = {
            capability: Guarded[Any](
                capability,
                ability,
                common.defaults.get(capability, {}),
                tuple(manifest.credentials) if means.client_keys else None,
                Turnstile.of(means.limiter, common.limited_as, capability),
                ward,
                Breaker(policy.breaker_threshold, policy.breaker_cooldown),
            )
            for capability, ability in manifest.abilities.items()
        }
        return cls(found, ward, guards, settings, means, peers, nursery, Restarts(policy))

    @property
    def manifest(self) -> Manifest:
        """What the plugin says about itself."""
        return self.found.manifest

    @property
    def settled(self) -> bool:
        """Whether it has once got as far as running or failing."""
        return any(move.state in _SETTLED for move in self.ward.lifecycle.history)

    def status(self) -> PluginStatus:
        """Say how the plugin is now."""
        lifecycle, tally = self.ward.lifecycle, self.ward.tally
        failed = lifecycle.state is State.FAILED
        return PluginStatus(
            id=self.manifest.id,
            manifest=self.manifest,
            origin=self.found.origin,
            where=self.found.where,
            state=lifecycle.state,
            since=lifecycle.since,
            reason=lifecycle.reason,
            health=Health(HealthState.UNHEALTHY, lifecycle.reason) if failed else self._health,
            call_count=tally.call_count,
            error_count=tally.error_count,
            last_error=tally.last_error,
            hearing=tally.hearing if Capability.STT in self.guards else None,
            speech=tally.speech if Capability.TTS in self.guards else None,
            uses={capability: guard.use for capability, guard in self.guards.items()},
            open_circuits=frozenset(
                capability for capability, guard in self.guards.items() if guard.circuit_open
            ),
        )

    def stop(self) -> None:
        """Ask it to close the plugin and to end."""
        self._stopping = True
        self.ward.changes.ring()

    async def keep(self) -> None:
        """Be the task of this plugin until :meth:`stop`.

        Not cancellable: plugins close in an order, and each closing has its own deadlines.
        """
        again = True
        with trio.CancelScope(shield=True):
            while again:
                self.ward.take(Step.REGISTER)
                await self._live()
                again = self.ward.state is State.FAILED and await self._may_return()
        self.gone = True
        self.ward.changes.ring()

    async def _live(self) -> None:
        """One life, from registered to failed or stopped."""
        if not await self._requirements_run():
            return
        self.ward.take(Step.INIT)
        try:
            context = await self._context()
        except (SettingsMistake, OSError) as exc:
            self.ward.fail(str(exc))
            return
        opening = Opening(self.ward)
        self.holds = True
        name = f"plugins/{self.manifest.id}/open"
        self.nursery.start_soon(opening.run, self.manifest, context, name=name)
        await self._open(opening)
        if self.ward.state is State.READY:
            await self._serve(opening)
        await self._close(opening)

    async def _requirements_run(self) -> bool:
        """Wait for them; False if that is in vain or the plugin is to stop."""
        await self.ward.changes.until(
            lambda: self._stopping or self._obstacle() is not None or self._all_run()
        )
        if self._stopping:
            self.ward.take(Step.STOP)
            self.ward.take(Step.STOP_DONE)
        elif obstacle := self._obstacle():
            self.ward.fail(obstacle)
        return self.ward.state is State.REGISTERED

    def _all_run(self) -> bool:
        return all(self.peers[id_].ward.state is State.RUNNING for id_ in self.manifest.requires)

    def _obstacle(self) -> str | None:
        """Why this plugin cannot run now, as far as others are the reason."""
        requires = {id_: keeper.manifest.requires for id_, keeper in self.peers.items()}
        if cycle := cycle_of(self.manifest.id, requires):
            return f"requires itself: {' -> '.join(cycle)}"
        for id_ in self.manifest.requires:
            if (peer := self.peers.get(id_)) is None:
                return f"requires {id_}, which is not there"
            if (state := peer.ward.state) in _DOWN:
                reason = peer.ward.lifecycle.reason
                return f"requires {id_}, which is {state}{reason and f': {reason}'}"
        return None

    async def _context(self) -> PluginContext:
        if isinstance(self.settings, SettingsMistake):
            raise self.settings
        opened = {id_: self.peers[id_].ward.plugin for id_ in self.manifest.requires}
        requires = {id_: plugin for id_, plugin in opened.items() if plugin is not None}
        return await self.means.context(self.manifest, self.settings.own, requires)

    async def _open(self, opening: Opening) -> None:
        timeout = self.ward.policy.open_timeout
        await self.ward.changes.until_within(
            timeout, lambda: opening.opened or opening.ended or self._stopping
        )
        self._refuses = opening.refused
        if opening.ended:
            self.ward.fail(f"could not be opened: {opening.reason}")
        elif self._stopping:
            self.ward.take(Step.STOP)
        elif opening.opened:
            self.ward.take(Step.INIT_DONE)
        else:
            self.ward.fail(f"did not open within {timeout:g} s")

    async def _serve(self, opening: Opening) -> None:
        self.ward.take(Step.START)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch_health, name=f"plugins/{self.manifest.id}/watch")
            await self.ward.changes.until(
                lambda: (
                    self._stopping
                    or opening.ended
                    or self.ward.state is not State.RUNNING
                    or self._obstacle() is not None
                )
            )
            if opening.ended:
                self.ward.fail(opening.reason)
            elif self._stopping and self.ward.lifecycle.allows(Step.STOP):
                self.ward.take(Step.STOP)
            elif obstacle := self._obstacle():
                self.ward.fail(obstacle)
            nursery.cancel_scope.cancel(reason="the plugin does not run any more")
        self._health = Health()

    async def _watch_health(self) -> None:
        while True:
            try:
                self._health = await ask_health(self.ward)
            except PluginNotRunning:
                return
            await trio.sleep(self.ward.policy.health_interval)

    async def _close(self, opening: Opening) -> None:
        """Let go of the plugin, and make it let go; a deadline for each."""
        changes, policy = self.ward.changes, self.ward.policy
        # Those that require this plugin are on their way out, each with a deadline of its own.
        await changes.until(lambda: not any(map(self._is_held_by, self.peers.values())))
        opening.stop()
        if opening.opened:
            await changes.until_within(policy.close_timeout, lambda: opening.ended)
        late = opening.opened and not opening.ended
        opening.cancel("it did not close in time" if late else "it did not open in time")
        if not await changes.until_within(policy.patience, lambda: opening.ended):
            self.ward.fail(f"did not let go {policy.patience:g} s after it was cancelled")
            self.ward.give_up()
        self.holds = False
        self._judge_closing(opening, late=late)
        changes.ring()
        # Never two at a time: as long as it holds on it is not opened again.
        await changes.until(lambda: opening.ended or self._stopping)

    def _judge_closing(self, opening: Opening, *, late: bool) -> None:
        if self.ward.state is not State.STOPPING:
            return
        if opening.error is not None:
            self.ward.fail(f"could not be closed: {reason_of(opening.error)}")
        elif late:
            self.ward.fail(f"did not close within {self.ward.policy.close_timeout:g} s")
        else:
            self.ward.take(Step.STOP_DONE)

    def _is_held_by(self, other: "Keeper") -> bool:
        return other.holds and self.manifest.id in other.manifest.requires

    async def _may_return(self) -> bool:
        """Wait until a failed plugin may be opened again; False if it is to stop instead."""
        changes = self.ward.changes
        if self._stopping:
            return False
        if self._obstacle() is not None:
            # It comes back with what it requires, and that is no restart of its own.
            await changes.until(lambda: self._stopping or self._obstacle() is None)
        else:
            await changes.until_within(self._pause(), lambda: self._stopping)
        return not self._stopping

    def _pause(self) -> float:
        # Opening again changes neither the operator's settings nor what a plugin says of them.
        if isinstance(self.settings, SettingsMistake) or self._refuses:
            return inf
        pause = self.restarts.pause(trio.current_time())
        if pause is None:
            log.error("plugin %s: failed too often, it is not opened again", self.manifest.id)
            return inf
        return pause
