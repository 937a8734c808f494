"""A gateway on a port: which path leads where, and which limits of the configuration apply."""

from collections.abc import Sequence
from functools import partial

import trio

from waav.config import Config
from waav.errors import ConfigError, Problem
from waav.gateway import Gateway
from waav.server.admission import Admission
from waav.server.answers import Answers
from waav.server.app import create_app
from waav.server.departures import Departures
from waav.server.doorkeeper import Doorkeeper, Visitor
from waav.server.frontdoor import DoorLimits, Handler
from waav.server.rest.operation import under_prefixes
from waav.server.run import Listener, serve
from waav.server.signals import Reloads
from waav.server.tls import Tls
from waav.server.websocket import Limits, WebSocket
from waav.server.ws.connection import serve_voice
from waav.tasks import open_scoped_nursery


async def serve_gateway(
    gateway: Gateway,
    stopping: trio.Event,
    *,
    listeners: Sequence[Listener] = (),
    reloads: Reloads | None = None,
    task_status: trio.TaskStatus[list[tuple[str, int]]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until ``stopping`` is set and everybody has gone, or the grace period is over.

    Args:
        listeners: what somebody else listens on, instead of the configured address.
        reloads: somebody's wishes that the certificate be read again; it is, too, when its file changes.

    Raises:
        ConfigError: encryption is wanted, but there is no certificate or no key; or a middleware
            that is named is not there.
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
    tls = await _read_tls(gateway.config)
    async with open_scoped_nursery("nobody is left") as nursery:
        if tls is not None:
            nursery.start_soon(tls.keep, reloads or Reloads(), name="server/certificate")
        see_off = partial(departures.see_off, stopping, server.shutdown_grace_seconds)
        nursery.start_soon(see_off, name="server/departures")
        await serve(
            create_app(gateway),
            routes,
            host=server.host,
            port=server.port,
            listeners=listeners,
            stopping=stopping,
            tls=tls,
            grace=server.shutdown_grace_seconds,
            admission=Admission.of(gateway, doorkeeper),
            answers=Answers.of(gateway.config),
            door_limits=_door_limits(gateway.config),
            websocket_limits=Limits(
                max_message=limits.max_message_bytes,
                send_timeout=limits.send_timeout_seconds,
                ping_interval=limits.ping_interval_seconds,
                ping_timeout=limits.ping_timeout_seconds,
            ),
            task_status=task_status,
        )


def _door_limits(config: Config) -> DoorLimits:
    return DoorLimits(
        head_timeout=config.server.head_timeout_seconds,
        waiting=config.security.max_waiting_connections,
        waiting_of_client=config.security.max_connections_per_ip,
    )


async def _read_tls(config: Config) -> Tls | None:
    tls = config.server.tls
    if not tls.enabled:
        return None
    if tls.cert_path is None or tls.key_path is None:
        # A file's mistake was told when it was read; this is a program's own configuration.
        raise ConfigError([Problem("server.tls", "cert_path, key_path", "both are required")])
    return await Tls.read(tls.cert_path, tls.key_path)
