"""``waav serve``: the gateway until Ctrl-C."""

import click
import trio

from waav.cli.context import Context, run
from waav.config import Config
from waav.gateway import open_gateway
from waav.server.service import serve_gateway
from waav.server.signals import stop_on_signals


@click.command()
@click.option("--host", help="The address to listen on, instead of server.host.")
@click.option("--port", type=int, help="The port to listen on, instead of server.port; 0: any.")
@click.pass_obj
def serve(context: Context, host: str | None = None, port: int | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C; a second one ends at once."""
    run(_serve, context.config({"server.host": host, "server.port": port}))


async def _serve(config: Config) -> None:
    async with (
        stop_on_signals(config.server.shutdown_grace_seconds) as stopping,
        open_gateway(config) as gateway,
        trio.open_nursery() as nursery,
    ):
        bound = await nursery.start(serve_gateway, gateway, stopping, name="server")
        scheme = "https" if config.server.tls.enabled else "http"
        for address, port in bound:
            name = f"[{address}]" if ":" in address else address
            click.echo(f"WaaV listens on {scheme}://{name}:{port} (Ctrl-C ends it)")
