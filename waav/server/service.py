"""A gateway on a port: which path leads where, and which limits of the configuration apply."""

import ssl
from collections.abc import Sequence
from functools import partial

import trio

from waav.config import Config
from waav.errors import ConfigError, Problem
from waav.gateway import Gateway
from waav.server.admission import Admission
from waav.server.app import create_app
from waav.server.departures import Departures
from waav.server.doorkeeper import Doorkeeper, Visitor
from waav.server.frontdoor import DoorLimits, Handler
from waav.server.rest.operation import under_prefixes
from waav.server.run import Listener, make_ssl_context, serve
from waav.server.websocket import Limits, WebSocket
from waav.server.ws.connection import serve_voice
from waav.tasks import open_scoped_nursery


async def serve_gateway(
    gateway: Gateway,
    stopping: trio.Event,
    *,
    listeners: Sequence[Listener] = (),
    task_status: trio.TaskStatus[list[tuple[str, int]]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until ``stopping`` is set and everybody has gone, or the grace period is over.

    Args:
        listeners: what somebody else listens on, instead of the configured address.

    Raises:
        ConfigError: encryption is wanted, but there is no certificate or no key.
        OSError: the port cannot be had, or the certificate not be read.
    """
    server, limits = gateway.config.server, gateway.config.websocket
    departures = Departures()
    gateway.stopping = stopping

    async def voice(socket: WebSocket, visitor: Visitor) -> None:
        with departures.join() as leave:
            await serve_voice(socket, gateway, visitor, leave)

    routes: dict[str, Handler] = dict.fromkeys(under_prefixes("/ws"), voice)
    doorkeeper = Doorkeeper.of(gateway.config, gateway.authenticator, frozenset(routes))
    async with open_scoped_nursery("nobody is left") as nursery:
        see_off = partial(departures.see_off, stopping, server.shutdown_grace_seconds)
        nursery.start_soon(see_off, name="server/departures")
        await serve(
            create_app(gateway),
            routes,
            host=server.host,
            port=server.port,
            listeners=listeners,
            stopping=stopping,
            ssl_context=await _ssl_context(gateway.config),
            grace=server.shutdown_grace_seconds,
            admission=Admission.of(
                gateway.config, gateway.limiter, gateway.load, doorkeeper, gateway.counters.refused
            ),
            door_limits=DoorLimits(head_timeout=server.head_timeout_seconds),
            websocket_limits=Limits(
                max_message=limits.max_message_bytes,
                send_timeout=limits.send_timeout_seconds,
                ping_interval=limits.ping_interval_seconds,
                ping_timeout=limits.ping_timeout_seconds,
            ),
            task_status=task_status,
        )


async def _ssl_context(config: Config) -> ssl.SSLContext | None:
    tls = config.server.tls
    if not tls.enabled:
        return None
    if tls.cert_path is None or tls.key_path is None:
        # A file's mistake was told when it was read; this is a program's own configuration.
        raise ConfigError([Problem("server.tls", "cert_path, key_path", "both are required")])
    return await trio.to_thread.run_sync(make_ssl_context, tls.cert_path, tls.key_path)
