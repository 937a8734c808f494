"""One opening of a plugin: the task that enters its recipe, stays, and leaves it."""

from typing import Any

import attrs
import trio

from capabilities import Manifest, Plugin, PluginContext, ProviderRefused
from waav.plugins.reasons import permitted, reason_of
from waav.plugins.ward import Ward


@attrs.define(eq=False)
class Opening:
    """Runs a plugin's recipe; nothing that the plugin does comes out of :meth:`run`."""

    _ward: Ward
    opened: bool = False
    """The recipe was entered and has brought what its manifest says."""
    ended: bool = False
    """It was left, with or without an error; nothing of the plugin runs any more."""
    error: BaseException | None = None
    _stopping: trio.Event = attrs.field(factory=trio.Event)
    # Closing politely has an order between plugins; a cancellation from outside knows none. So
    # only the keeper of this plugin cancels it, and it always does, in the end.
    _scope: trio.CancelScope = attrs.field(factory=lambda: trio.CancelScope(shield=True))

    @property
    def reason(self) -> str:
        """Why it ended."""
        return "it ended by itself" if self.error is None else reason_of(self.error)

    @property
    def refused(self) -> bool:
        """Whether it said that trying again is in vain."""
        return self.error is not None and isinstance(permitted(self.error), ProviderRefused)

    def stop(self) -> None:
        """Ask it to cancel its calls and to close."""
        self._stopping.set()

    def cancel(self, reason: str) -> None:
        """Do not wait any longer, neither for opening nor for closing."""
        self._scope.cancel(reason=reason)

    # As in Call.run: a KeyboardInterrupt that comes out here was raised by the plugin.
    @trio.lowlevel.enable_ki_protection
    async def run(self, manifest: Manifest, context: PluginContext) -> None:
        """Be the plugin's task until it ends."""
        try:
            with self._scope:
                async with manifest.open(context) as plugin:
                    await self._serve(brought(manifest, plugin))
        # The task ends here; as in Call.run, not even a stray Cancelled may go further.
        except BaseException as exc:  # noqa: BLE001
            self.error = exc
        self._ward.plugin = None
        self.ended = True
        self._ward.changes.ring()

    async def _serve(self, plugin: Plugin) -> None:
        async with trio.open_nursery() as calls:
            self._ward.plugin, self._ward.calls = plugin, calls
            self.opened = True
            self._ward.changes.ring()
            try:
                await self._stopping.wait()
            finally:
                self._ward.calls = None
                calls.cancel_scope.cancel(reason="the plugin goes out of service")


def brought(manifest: Manifest, plugin: Any) -> Plugin:
    """Return what a recipe gave, if it is what its manifest says.

    Raises:
        TypeError: it is no Plugin, or lacks a capability.
    """
    if not isinstance(plugin, Plugin):
        raise TypeError(f"open gave a {type(plugin).__name__}, not a Plugin")
    missing = [each for each in manifest.abilities if getattr(plugin, each) is None]
    if missing:
        raise TypeError(f"the manifest names {', '.join(missing)}, but the plugin has None there")
    return plugin
