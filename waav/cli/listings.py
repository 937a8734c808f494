"""``waav providers`` and ``waav voices``: what there is."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
import click

from capabilities import Capability, Voice
from waav.cli.context import Context, run, with_gateway
from waav.cli.names import TTS_NAME
from waav.gateway import Gateway
from waav.plugins import PluginStatus

as_json_option = click.option("--json", "as_json", is_flag=True, help="For scripts.")


@click.command()
@click.option(
    "--type",
    "capability",
    type=click.Choice([str(each) for each in Capability]),
    help="Only these.",
)
@as_json_option
@click.pass_obj
def providers(context: Context, capability: str | None, *, as_json: bool) -> None:
    """List the providers: what listens, what speaks."""
    found = [
        {
            "id": status.id,
            "capability": str(each),
            "aliases": list(status.manifest.aliases),
            "languages": list(ability.languages),
            "features": list(ability.features),
            "state": str(status.state),
            "reason": status.reason,
        }
        for status in run(with_gateway, context.quiet_config(), statuses)
        if status.manifest is not None
        for each, ability in sorted(status.manifest.abilities.items())
        if capability in {None, each}
    ]
    show(found, ["id", "capability", "state", "aliases", "languages", "features"], as_json=as_json)


@click.command()
@click.option("--provider", type=TTS_NAME, help="Only this one's.")
@click.option("--language", help="Only voices of this language: en, or en-GB.")
@as_json_option
@click.pass_obj
def voices(context: Context, provider: str | None, language: str | None, *, as_json: bool) -> None:
    """List the voices of all providers that speak."""

    async def ask(gateway: Gateway) -> dict[str, Sequence[Voice]]:
        if provider is not None:
            return {gateway.plugins.tts(provider).id: await gateway.voices(provider)}
        known, _ = await gateway.all_voices()
        return dict(known)

    found = [
        {"provider": name, **attrs.asdict(voice)}
        for name, known in run(with_gateway, context.quiet_config(), ask).items()
        for voice in known
        if language is None or voice.language.lower().startswith(language.lower())
    ]
    show(found, ["provider", "id", "name", "language", "gender"], as_json=as_json)


async def statuses(gateway: Gateway) -> list[PluginStatus]:
    """Say how each plugin is."""
    return gateway.plugins.statuses()


def show(rows: Sequence[dict[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print some columns of the rows as a table, or all as JSON."""
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for line in table(columns, [[_cell(row[column]) for column in columns] for row in rows]):
        click.echo(line)


def _cell(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Lay rows out under their headings."""
    widths = [max(len(cell) for cell in column) for column in zip(columns, *rows, strict=True)]
    for row in [columns, *rows]:
        cells = zip(row, widths, strict=True)
        yield "  ".join(cell.ljust(width) for cell, width in cells).rstrip()
