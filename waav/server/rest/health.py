"""``/`` and ``/health``: is anybody there, and can they work."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Literal

import attrs

from capabilities import Capability
from waav.gateway import Gateway
from waav.plugins import PluginStatus, State
from waav.server.rest.operation import Reply
from waav.version import __version__

_NEEDED = (Capability.STT, Capability.TTS)


@attrs.frozen
class Alive:
    """The process answers."""

    status: Literal["OK"]


@attrs.frozen
class Status:
    """The gateway answers; which one it is, and for how long it has been there."""

    status: Literal["OK"]
    version: str
    uptime_seconds: float


@attrs.frozen
class Check:
    """Whether one thing works that sessions need."""

    ok: bool
    running: list[str]
    """Ids of the plugins that are in service."""
    not_running: list[str]


@attrs.frozen
class Readiness:
    """Whether sessions can be served, and what that was judged by."""

    status: Literal["OK", "UNAVAILABLE"]
    checks: dict[str, Check]


async def show_status(gateway: Gateway) -> Reply[Status]:
    """Say that the gateway is there."""
    return Reply(Status("OK", __version__, round(gateway.uptime, 3)))


async def show_alive(_gateway: Gateway) -> Reply[Alive]:
    """Say that the process answers.

    For a supervisor that restarts what does not.
    """
    return Reply(Alive("OK"))


async def show_readiness(gateway: Gateway) -> Reply[Readiness]:
    """Say whether sessions can be served.

    For a load balancer. The gateway is ready while there is speech to text or text to speech, and
    of each kind that is installed at least one plugin runs.
    """
    statuses = gateway.plugins.statuses()
    installed = {kind: _with(statuses, kind) for kind in _NEEDED}
    checks = {str(kind): _check(having) for kind, having in installed.items() if having}
    ready = bool(checks) and all(check.ok for check in checks.values())
    if ready:
        return Reply(Readiness("OK", checks))
    return Reply(Readiness("UNAVAILABLE", checks), status=HTTPStatus.SERVICE_UNAVAILABLE)


def _with(statuses: Sequence[PluginStatus], kind: Capability) -> list[PluginStatus]:
    return [each for each in statuses if each.manifest and kind in each.manifest.abilities]


def _check(statuses: Sequence[PluginStatus]) -> Check:
    running = [each.id for each in statuses if each.state is State.RUNNING]
    others = [each.id for each in statuses if each.state is not State.RUNNING]
    return Check(bool(running), running, others)
