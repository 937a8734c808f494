"""``waav``: the group of commands. ``waav-gateway`` is its second name."""

from pathlib import Path

import click

from waav.cli.bench import bench
from waav.cli.context import Context
from waav.cli.demo import demo
from waav.cli.describe import check_config, openapi
from waav.cli.init import init
from waav.cli.listings import providers, voices
from waav.cli.plugins import plugins
from waav.cli.serve import serve
from waav.cli.speech import speak, transcribe
from waav.version import __version__

COMMANDS = (
    serve,
    demo,
    init,
    speak,
    transcribe,
    providers,
    voices,
    plugins,
    check_config,
    openapi,
    bench,
)
SERVING_NAME = "waav-gateway"

EPILOG = """\b
Settings come from, the strongest first: options, the file of --config, environment
variables, a .env file, defaults. `waav check-config` shows which value came from where.
\b
Try `waav demo` first. Tab completion: eval "$(_WAAV_COMPLETE=bash_source waav)"
"""


@click.group(
    epilog=EPILOG,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "-c",
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A configuration file: TOML, or YAML by its suffix.",
)
@click.option("--strict", is_flag=True, help="Take unknown keys for mistakes.")
@click.version_option(__version__, prog_name="waav")
@click.pass_context
def main(context: click.Context, config: Path | None, *, strict: bool) -> None:
    """A real-time voice gateway: one WebSocket and REST API in front of every speech vendor."""
    context.obj = Context(config, strict=strict)
    if context.invoked_subcommand is None:
        # The gateway that we replace served when it was called by its name alone.
        if context.info_name == SERVING_NAME:
            context.invoke(serve)
        else:
            click.echo(context.get_help())


for command in COMMANDS:
    main.add_command(command)
