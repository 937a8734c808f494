"""``waav check-config`` and ``waav openapi``: what is configured, and what is offered."""

import json
from pathlib import Path

import attrs
import click

from waav.cli.context import Context
from waav.cli.listings import table
from waav.config import Config, rows
from waav.plugins import Discovery, discover
from waav.server.openapi import document, to_yaml


@click.command("check-config")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_obj
def check_config(context: Context, *, as_json: bool) -> None:
    """Check the configuration; show every value, where it came from, and what cannot be used.

    Secrets show as ***. Ends with status 1 if there is a mistake; all are reported at once.
    """
    loaded = context.load()
    values = list(rows(loaded))
    unusable = _unusable(loaded.config)
    if as_json:
        told = {"config": [attrs.asdict(row) for row in values], "unusable": unusable}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    cells = [[row.key, json.dumps(row.value, ensure_ascii=False), row.origin] for row in values]
    for line in table(["key", "value", "from"], cells):
        click.echo(line)
    for name, reason in unusable.items():
        click.echo(f"not usable: {name}: {reason}")


def _unusable(config: Config) -> dict[str, str]:
    """Say which providers cannot work as configured, and what they lack."""
    discovery = discover(config.plugins.plugin_dir) if config.plugins.enabled else Discovery()
    reasons = {failure.name: failure.reason for failure in discovery.failures}
    for found in discovery.found:
        if missing := config.providers.missing(found.manifest.credentials):
            reasons[found.manifest.id] = f"not set: {', '.join(missing)}"
    return dict(sorted(reasons.items()))


@click.command()
@click.option(
    "-f", "--format", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path))
def openapi(format: str, output: Path | None) -> None:
    """Print or write the description of the REST API (OpenAPI 3.1)."""
    described = document()
    text = to_yaml(described) if format == "yaml" else json.dumps(described, indent=2) + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
