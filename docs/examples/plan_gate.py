"""A whole middleware in one file: some paths are for tenants of a plan, and answers say how long they took.

Put it into the folder that ``plugins.plugin_dir`` names. docs/plugins/middleware.md goes through it.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import attrs

from capabilities import (
    Ability,
    Answer,
    Capability,
    Manifest,
    Outcome,
    Plugin,
    PluginContext,
    Request,
)

ID = "plan-gate"


@attrs.frozen
class GateSettings:
    """What the operator may set under ``[plugins.providers.plan-gate]``."""

    plan: str = "paid"
    """What ``plan`` in the metadata of a tenant must be."""
    paths: tuple[str, ...] = ("/voices/clone",)
    """For whom it must be that: these paths, and all below them."""


@attrs.frozen
class PlanGate:
    """The middleware. It keeps nothing between two requests."""

    settings: GateSettings

    async def before(self, request: Request) -> Answer | None:
        """Send away who has not the plan; an error has the form that all errors of the gateway have."""
        if not self._is_closed(request.path) or self._has_plan(request):
            return None
        text = f"This needs the plan {self.settings.plan!r}"
        error = {"error": text, "message": text, "code": "plan_needed", "request_id": request.id}
        return Answer(402, error)

    async def after(self, request: Request, outcome: Outcome) -> Mapping[str, str]:
        """Say how long it took to begin the answer. A WebSocket has only begun."""
        if request.websocket:
            return {}
        return {"server-timing": f"total;dur={outcome.seconds * 1000:.1f}"}

    def _is_closed(self, path: str) -> bool:
        # Every route is also there under /api.
        path = path.removeprefix("/api")
        return any(path == each or path.startswith(f"{each}/") for each in self.settings.paths)

    def _has_plan(self, request: Request) -> bool:
        tenant = request.principal
        return tenant is not None and tenant.metadata.get("plan") == self.settings.plan


@asynccontextmanager
async def open_gate(context: PluginContext) -> AsyncIterator[Plugin]:
    """Bring the middleware. One that asks a server would have its connections around the ``yield``."""
    yield Plugin(middleware=PlanGate(context.settings))


MANIFEST = Manifest(
    id=ID,
    name="Plan gate",
    description="Keeps some paths for tenants of a plan",
    open=open_gate,
    settings=GateSettings,
    abilities={Capability.MIDDLEWARE: Ability(priority=10)},
)
