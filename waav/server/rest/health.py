"""``/`` and ``/health``: is anybody there, and can they work."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Literal

import attrs

from capabilities import Capability
from waav.gateway import Gateway
from waav.observe.load import Load
from waav.observe.stages import Stage
from waav.plugins import PluginStatus, State
from waav.server.rest.operation import Reply
from waav.version import __version__

_NEEDED = (Capability.STT, Capability.TTS)
_STAGES: Mapping[Stage, Literal["normal", "refuse", "shed", "evict"]] = {
    Stage.NORMAL: "normal",
    Stage.REFUSE: "refuse",
    Stage.SHED: "shed",
    Stage.EVICT: "evict",
}


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
    """Of the oldest of its processes."""
    workers: int
    """Processes that serve."""
    sessions: int
    """That are open, in all of them."""


@attrs.frozen
class Check:
    """Whether one thing works that sessions need."""

    ok: bool
    running: list[str]
    """Ids of the plugins that are in service."""
    not_running: list[str]


@attrs.frozen
class LoadCheck:
    """How much there is to do."""

    stage: Literal["normal", "refuse", "shed", "evict"]
    """What is done about it; each does also what those before it do."""
    loop_lag_seconds: float
    """A wake in five of the last second was as late or later."""
    memory_share: float
    """Of what may be used, from 0 to 1."""


@attrs.frozen
class Readiness:
    """Whether sessions can be served, and what that was judged by."""

    status: Literal["OK", "UNAVAILABLE"]
    checks: dict[str, Check]
    """Of the process that answers, as is ``load``."""
    load: LoadCheck
    workers_ready: int
    """Processes that can serve one more session."""


async def show_status(gateway: Gateway) -> Reply[Status]:
    """Say that the gateway is there."""
    others = (await gateway.fleet.others()).reports
    sessions = gateway.sessions + sum(each.sessions for each in others)
    uptime = max([gateway.uptime, *(each.uptime for each in others)])
    return Reply(Status("OK", __version__, round(uptime, 3), 1 + len(others), sessions))


async def show_alive(_gateway: Gateway) -> Reply[Alive]:
    """Say that the process answers.

    For a supervisor that restarts what does not.
    """
    return Reply(Alive("OK"))


async def show_readiness(gateway: Gateway) -> Reply[Readiness]:
    """Say whether sessions can be served.

    For a load balancer. The gateway is ready while there is speech to text or text to speech, of
    each kind that is installed at least one plugin runs, and there is not too much to do already. It
    is not when it has been told to stop. With several workers one that is ready is enough.
    """
    others = (await gateway.fleet.others()).reports
    ready = is_ready(gateway) + sum(each.ready for each in others)
    if gateway.stopping.is_set():
        ready = 0
    checks, load = _checks(gateway), _load(gateway.load)
    if ready:
        return Reply(Readiness("OK", checks, load, ready))
    unready = Readiness("UNAVAILABLE", checks, load, ready)
    return Reply(unready, status=HTTPStatus.SERVICE_UNAVAILABLE)


def is_ready(gateway: Gateway) -> bool:
    """Return whether this process can serve one more session."""
    checks = _checks(gateway).values()
    able = bool(checks) and all(check.ok for check in checks)
    return able and gateway.load.stage is Stage.NORMAL and not gateway.stopping.is_set()


def _checks(gateway: Gateway) -> dict[str, Check]:
    statuses = gateway.plugins.statuses()
    installed = {kind: _with(statuses, kind) for kind in _NEEDED}
    return {str(kind): _check(having) for kind, having in installed.items() if having}


def _load(load: Load) -> LoadCheck:
    return LoadCheck(_STAGES[load.stage], round(load.lag.lately, 4), round(load.memory, 3))


def _with(statuses: Sequence[PluginStatus], kind: Capability) -> list[PluginStatus]:
    return [each for each in statuses if each.manifest and kind in each.manifest.abilities]


def _check(statuses: Sequence[PluginStatus]) -> Check:
    running = [each.id for each in statuses if each.state is State.RUNNING]
    others = [each.id for each in statuses if each.state is not State.RUNNING]
    return Check(bool(running), running, others)
