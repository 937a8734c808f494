"""``waav plugins``: what is plugged in; ``test`` puts one to the test, ``new`` begins another."""

import json
import re
import wave
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import click

from capabilities import AudioFrame, Capability
from waav.cli.context import Context, run, with_gateway
from waav.cli.listings import as_json_option, show, statuses
from waav.cli.names import ANY_NAME, known
from waav.cli.scaffold import KINDS, package_of, project, write
from waav.cli.subject import find
from waav.errors import WaavError
from waav.testing.audio import read_wav
from waav.testing.bench import BUDGET, Trial
from waav.testing.scorecard import Card, Check, Row, Verdict, checks_of, judge, select

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_NAME = 40
_NEXT = """\
{place} is a plugin that works. Next:

  cd {place}
  waav plugins test ./{package}    the score card: which promises it keeps
  pip install -e '.[dev]'            now the gateway finds it: waav plugins test {name}
  pytest                             the same promises, and tests of your own

README.md says what to change."""
_COLOURS = {Verdict.PASSED: "green", Verdict.FAILED: "red", Verdict.NOT_APPLICABLE: None}


@click.group(invoke_without_command=True)
@as_json_option
@click.pass_context
def plugins(context: click.Context, *, as_json: bool) -> None:
    """List the plugins; test one; begin a new one."""
    if context.invoked_subcommand is None:
        context.invoke(list_plugins, as_json=as_json)
    elif as_json:
        raise click.UsageError(f"say: {context.command_path} {context.invoked_subcommand} --json")


@plugins.command("list")
@as_json_option
@click.pass_obj
def list_plugins(context: Context, *, as_json: bool) -> None:
    """List the plugins, also those that could not be loaded, and why."""
    found = [
        {
            "id": status.id,
            "version": status.manifest.version if status.manifest else "",
            "origin": str(status.origin),
            "state": str(status.state),
            "health": str(status.health.state),
            "reason": status.reason,
            "where": status.where,
        }
        for status in run(with_gateway, context.quiet_config(), statuses)
    ]
    show(found, ["id", "version", "origin", "state", "health", "reason"], as_json=as_json)


@plugins.command()
@click.argument("name", type=ANY_NAME)
@click.option(
    "--sound",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A WAV file to be recognised, instead of a question in English.",
)
@click.option("--text", help="The words that are said in it.")
@click.option("--language", help="Its language, as a BCP-47 tag.")
@click.option("--only", multiple=True, help="Only checks of this name: stt, tts/contract.")
@click.option(
    "--budget",
    type=click.FloatRange(1),
    default=BUDGET,
    show_default=True,
    help="Seconds that each suite may take.",
)
@as_json_option
@click.pass_obj
def test(
    context: Context,
    name: str,
    sound: Path | None,
    text: str | None,
    language: str | None,
    only: Sequence[str],
    budget: float,
    *,
    as_json: bool,
) -> None:
    """Put a plugin to the test: its contracts, and what it does when its vendor fails.

    NAME is a plugin of `waav plugins`, the path of a file or package, or module:MANIFEST. It gets
    the settings and keys of the configuration. A vendor is really called, and counts it: some
    hundred short requests, and a long one. The faults need its base_url. Ends with status 1 if a promise is broken, or if
    nothing could be tried.
    """
    try:
        subject = find(name, context.quiet_config())
        trial = Trial(None if sound is None else _read(sound), text, language, budget)
        checks = select(checks_of(subject, trial), only)
    except WaavError as exc:
        raise click.ClickException(str(exc)) from None
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--only") from None
    try:
        rows = run(partial(_judge_all, checks, aside=as_json))
    except SystemExit:
        click.echo("stopped", err=as_json)
        raise
    card = Card(subject.manifest.id, tuple(rows))
    if as_json:
        click.echo(json.dumps(_as_data(card), indent=2, ensure_ascii=False))
    else:
        click.echo(_totals(card))
    raise SystemExit(0 if card.good else 1)


def _read(path: Path) -> AudioFrame:
    try:
        return read_wav(path)
    except (ValueError, EOFError, wave.Error) as exc:
        raise click.BadParameter(f"{path}: {exc}", param_hint="--sound") from None


async def _judge_all(checks: Sequence[Check], *, aside: bool) -> list[Row]:
    """Do one check after the other, and tell how each goes: it may take a minute."""
    width = max(len(check.name) for check in checks)
    rows: list[Row] = []
    for check in checks:
        click.echo(f"{check.name:{width}}  ", nl=False, err=aside)
        rows.append(await judge(check, rows))
        click.echo(_told(rows[-1]), err=aside)
    return rows


def _told(row: Row) -> str:
    verdict = click.style(f"{row.verdict:14}", fg=_COLOURS[row.verdict])
    took = "" if row.verdict is Verdict.NOT_APPLICABLE else f"{row.took:.2f} s"
    return f"{verdict}  {took:>8}  {row.detail}".rstrip()


def _totals(card: Card) -> str:
    counts = ", ".join(f"{card.count(each)} {each}" for each in Verdict)
    return f"{card.plugin}: {counts}, in {sum(row.took for row in card.rows):.1f} s"


def _as_data(card: Card) -> dict[str, Any]:
    rows = [{**attrs.asdict(row), "took": round(row.took, 3)} for row in card.rows]
    counts = {each.name.lower(): card.count(each) for each in Verdict}
    return {"plugin": card.plugin, "good": card.good, **counts, "checks": rows}


@plugins.command()
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice([str(kind) for kind in KINDS]))
@click.option(
    "--dir",
    "folder",
    default=".",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the project's folder goes.",
)
def new(name: str, kind: str, folder: Path) -> None:
    """Begin a plugin: write a project that works, in a folder called NAME.

    NAME is what sessions will ask for: lower case letters, digits and "-".
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise click.BadParameter(
            f"{name!r} is not at most {_LONGEST_NAME} lower case letters, digits and single '-',"
            " with a letter first",
            param_hint="NAME",
        )
    if name in known(None):
        raise click.BadParameter(f"a plugin called {name} is there already", param_hint="NAME")
    place = folder / name
    try:
        write(place, project(name, Capability(kind)))
    except FileExistsError:
        raise click.ClickException(f"{place} is there already: nothing was written") from None
    except OSError as exc:
        raise click.ClickException(str(exc)) from None
    click.echo(_NEXT.format(place=place, package=package_of(name), name=name))
