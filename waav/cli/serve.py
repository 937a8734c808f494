"""``waav serve``: the gateway until Ctrl-C, in one process or in several."""

import os
import sys
from collections.abc import Iterable
from functools import partial

import click
import trio

from waav.cli.context import Context, run
from waav.config import Config
from waav.gateway import open_gateway
from waav.observe.scope import tell_always
from waav.security.limits import Capacities, Counts
from waav.server.garbage import short_searches
from waav.server.service import serve_gateway
from waav.server.signals import reload_on_hangup, stop_on_signals
from waav.server.workers.desk import Desk
from waav.server.workers.supervisor import Supervisor
from waav.server.workers.worker import Inherited, work

MARGIN = 2.0
"""Seconds that a supervisor waits longer than its workers: theirs is the better last word."""


@click.command()
@click.option("--host", help="The address to listen on, instead of server.host.")
@click.option("--port", type=int, help="The port to listen on, instead of server.port; 0: any.")
@click.option("--workers", type=int, help="Processes, instead of server.workers; 0: one a core.")
@click.option("--worker", "inherited", hidden=True, help="What a supervisor starts workers with.")
@click.pass_obj
def serve(
    context: Context,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
    inherited: str | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; a second one ends at once."""
    if inherited is not None:
        # What is doubtful in the configuration was told by the supervisor.
        config, place = context.config(warn=False), Inherited.read(inherited)
        tell_always(worker=place.place, pid=os.getpid())
        run(work, config, place)
        return
    config = context.config({"server.host": host, "server.port": port, "server.workers": workers})
    wanted = config.server.workers or cores()
    if wanted == 1:
        run(_serve, config)
    else:
        run(_supervise, config, wanted, _command(context))


def cores() -> int:
    """Return how many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


async def _serve(config: Config) -> None:
    async with (
        stop_on_signals(config.server.shutdown_grace_seconds) as stopping,
        reload_on_hangup() as reloads,
        open_gateway(config) as gateway,
        short_searches(lambda: not gateway.sessions),
        trio.open_nursery() as nursery,
    ):
        serving = partial(serve_gateway, gateway, stopping, reloads=reloads)
        bound = await nursery.start(serving, name="server")
        _announce(config, bound)


async def _supervise(config: Config, workers: int, command: list[str]) -> None:
    grace = config.server.shutdown_grace_seconds
    async with stop_on_signals(grace + MARGIN) as stopping, reload_on_hangup() as reloads:
        listeners = await trio.open_tcp_listeners(config.server.port, host=config.server.host)
        bound = [each.socket.getsockname()[:2] for each in listeners]
        desk = Desk(Counts(Capacities.of(config)))
        supervisor = Supervisor(command, workers, listeners, desk, reloads)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(supervisor.run, stopping, name="workers")
            await supervisor.up.wait()
            if not stopping.is_set():
                _announce(config, bound)


def _announce(config: Config, bound: Iterable[tuple[str, int]]) -> None:
    scheme = "https" if config.server.tls.enabled else "http"
    for address, port in bound:
        name = f"[{address}]" if ":" in address else address
        click.echo(f"WaaV listens on {scheme}://{name}:{port} (Ctrl-C ends it)")


def _command(context: Context) -> list[str]:
    """Return what starts a worker with the same configuration."""
    words = [sys.executable, "-m", "waav"]
    if context.path is not None:
        words += ["--config", str(context.path)]
    if context.strict:
        words += ["--strict"]
    return [*words, "serve", "--worker"]
