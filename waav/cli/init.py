"""``waav init``: fetches the files that plugins need and do not bring."""

from collections.abc import Sequence
from pathlib import Path

import click

from capabilities.plugin import no_downloads
from waav.cli.context import Context
from waav.cli.download import DownloadFailed, Fetcher, open_client
from waav.cli.names import ProviderName
from waav.cli.progress import shown
from waav.cli.subject import find
from waav.config import Config
from waav.errors import WaavError
from waav.plugins import discover
from waav.plugins.reasons import reason_of
from waav.testing.bench import Subject

_NO_FOLDER = (
    "there is no folder for the files: set path under [cache] in the configuration,"
    " or CACHE_PATH in the environment"
)


@click.command()
@click.argument("names", nargs=-1, metavar="[PROVIDER]...", type=ProviderName())
@click.option("--force", is_flag=True, help="Fetch also what is there already, from its beginning.")
@click.pass_obj
def init(context: Context, names: Sequence[str], *, force: bool) -> None:
    """Fetch the files that providers need and do not bring, such as models.

    For all providers that need any, or those that are named. They go into the folder of each plugin
    under cache.path. What broke off goes on where it was. Every file is checked by its SHA-256; one
    that nobody has pinned is pinned to what came.
    """
    config = context.quiet_config()
    try:
        subjects = [find(name, config) for name in names or _installed(config)]
    except WaavError as exc:
        raise click.ClickException(str(exc)) from None
    try:
        good = [
            _fetch_all(subject, config.cache.path, named=bool(names), force=force)
            for subject in subjects
        ]
    except DownloadFailed as exc:
        raise click.ClickException(str(exc)) from None
    except KeyboardInterrupt:
        click.echo("stopped; run it again to go on", err=True)
        raise SystemExit(130) from None
    raise SystemExit(0 if all(good) else 1)


def _installed(config: Config) -> list[str]:
    manifests = [each.manifest for each in discover(config.plugins.plugin_dir).found]
    return sorted({each.id for each in manifests if each.downloads is not no_downloads})


def _fetch_all(subject: Subject, cache: Path | None, *, named: bool, force: bool) -> bool:
    """Fetch what one plugin needs, and tell of each file; what fails does not stop the others."""
    name, good = subject.manifest.id, True
    settings = subject.settings or subject.manifest.settings()
    try:
        wanted = subject.manifest.downloads(settings)
    except Exception as exc:  # noqa: BLE001 - it is a stranger's code
        click.echo(f"{name}: it does not say what it needs: {reason_of(exc)}", err=True)
        return False
    if not wanted:
        if named:
            click.echo(f"{name}: needs no files")
        return True
    if cache is None:
        raise click.ClickException(_NO_FOLDER)
    with open_client() as client:
        fetcher = Fetcher(client, cache / "plugins" / name, shown)
        for each in wanted:
            try:
                outcome = fetcher.fetch(each, force=force)
            except (DownloadFailed, OSError) as exc:
                click.echo(f"{name}: {exc}", err=True)
                good = False
            else:
                click.echo(f"{name}: {each.name}: {outcome}")
    return good
