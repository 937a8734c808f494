"""What all commands share: the configuration, the gateway, and how failures are told."""

import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import attrs
import click
import trio

from capabilities import ProviderError
from waav.config import Config, Loaded, load
from waav.config.secrets import secrets_of
from waav.errors import ConfigError, WaavError
from waav.gateway import Gateway, open_gateway
from waav.observe.logging import set_up_logging
from waav.observe.scope import hiding, redact
from waav.tasks import collapsed

log = logging.getLogger(__name__)

T = TypeVar("T")


@attrs.frozen
class Context:
    """The options in front of the command."""

    path: Path | None = None
    strict: bool = False

    def load(self, arguments: Mapping[str, object] | None = None, *, warn: bool = True) -> Loaded:
        """Read the configuration; all of its mistakes end the program with status 1.

        Args:
            arguments: options of the command line, by dotted key; None is "not given".
            warn: also tell what is doubtful.
        """
        try:
            loaded = load(
                self.path, environ=os.environ, arguments=arguments or {}, strict=self.strict
            )
        except ConfigError as exc:
            for problem in exc.problems:
                click.echo(f"error: {problem}", err=True)
            raise SystemExit(1) from None
        for problem in loaded.warnings if warn else ():
            click.echo(f"warning: {problem}", err=True)
        return loaded

    def config(self, arguments: Mapping[str, object] | None = None, *, warn: bool = True) -> Config:
        """Read the configuration as :meth:`load`, and set up logging as it says."""
        config = self.load(arguments, warn=warn).config
        return _heeded(config, config.server.log_level)

    def quiet_config(self) -> Config:
        """Read the configuration for a command whose output is not a log: only errors show."""
        return _heeded(self.load().config, "error")


def _heeded(config: Config, level: str) -> Config:
    """Set up logging, and keep what is secret out of all that the command still says."""
    click.get_current_context().with_resource(hiding(secrets_of(config)))
    set_up_logging(config.server.log_format, level)
    return config


def run(main: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Run ``main`` under trio; an error that has a sentence for the user becomes that sentence.

    Any other is our bug, and becomes a log record: its text may have anything in it.
    """
    try:
        return trio.run(main, *args)
    except BaseException as exc:  # noqa: BLE001  # sorted out, and raised again
        error = collapsed(exc) if isinstance(exc, BaseExceptionGroup) else exc
    match error:
        case WaavError() | ProviderError() | OSError():
            raise click.ClickException(redact(str(error)))
        case KeyboardInterrupt():
            raise SystemExit(130)
        case SystemExit() | click.exceptions.Exit() | click.ClickException():
            raise error
        case _:
            log.critical("a bug has ended the program", exc_info=error)
            raise SystemExit(1)


async def with_gateway(config: Config, use: Callable[[Gateway], Awaitable[T]]) -> T:
    """Open a gateway, use it, close it."""
    async with open_gateway(config) as gateway:
        return await use(gateway)
