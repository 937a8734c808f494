"""Asks a running plugin how it feels. What it answers is shown; it never stops a plugin."""

from typing import Any

import trio

from capabilities import Health, HealthState
from waav.plugins.reasons import reason_of
from waav.plugins.ward import Call, Ward


async def ask_health(ward: Ward) -> Health:
    """Return the plugin's answer; no answer, a wrong one or an exception is unhealthy.

    Raises:
        PluginNotRunning: there is nobody to ask.
    """
    call = ward.start("health", ward.running().health)
    timeout = ward.policy.health_timeout
    try:
        in_time = await call.wait(timeout)
    except trio.Cancelled:
        await ward.take_back(call)
        raise
    if not in_time:
        await ward.take_back(call)
        return Health(HealthState.UNHEALTHY, f"did not answer within {timeout:g} s")
    return _answer(call)


def _answer(call: Call[Any]) -> Health:
    match call:
        case Call(values=(Health() as health,)):
            return health
        case Call(values=(other,)):
            return Health(HealthState.UNHEALTHY, f"answered with a {type(other).__name__}")
        case _:
            reason = "" if call.error is None else reason_of(call.error)
            return Health(HealthState.UNHEALTHY, reason)
