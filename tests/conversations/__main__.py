"""``make conversations``: has every conversation in real time, and prints how each of them went.

About three minutes for each way of ending a turn, two conversations at a time.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import attrs
import trio

from capabilities import Manifest
from conversations.gateway import DETECTORS, ENGINES, UNMARKED, open_local
from conversations.score import Score, score
from conversations.script import Script, assemble
from conversations.scripts import SCRIPTS
from conversations.talk import FEATURES, Message, converse
from waav.config import Config

PAGE = Path(__file__).parents[2] / "docs/topics/conversations.md"
BEGIN, END = "<!-- begin: {} -->", "<!-- end: {} -->"
AT_ONCE = 2
"""Each conversation takes a third of a core; a machine that is busy would measure itself."""


@attrs.frozen
class Way:
    """One way of ending turns."""

    about: str
    stt: Message
    silence_ms: int | None = None
    detector: bool = False

    @property
    def features(self) -> Message:
        """What its sessions ask for."""
        turn: Message = {"enabled": self.detector}
        if self.silence_ms is not None:
            turn["silence_ms"] = self.silence_ms
        return FEATURES | {"turn_detection": turn}


UNMARKED_STT: Message = {"provider": "unmarked", "endpointing": 300}
WAYS = {
    "recogniser": Way(
        "the recogniser decides, after 0.6 s of silence", {"provider": "pocketsphinx"}
    ),
    "patient": Way(
        "the recogniser decides, after 1.2 s of silence",
        {"provider": "pocketsphinx", "endpointing": 1200},
    ),
    "time": Way("the gateway decides, by time: 0.7 s after the voice has ended", UNMARKED_STT, 700),
    "detector": Way(
        "the gateway asks a turn detector, 0.3 s after the voice has ended",
        UNMARKED_STT,
        300,
        detector=True,
    ),
}


async def measure(
    way: Way, scripts: tuple[Script, ...], kind: str, plugins: dict[str, Any]
) -> dict[str, Score] | None:
    """Have these conversations; None if the turn detector that they want is not there."""
    scores: dict[str, Score] = {}
    limit = trio.CapacityLimiter(AT_ONCE)

    async def one(url: str, script: Script) -> None:
        async with limit:
            record = await converse(url, assemble(script), way.stt, way.features)
        if errors := record.of("error"):
            sys.exit(f"{script.name}: {errors}")
        scores[script.name] = score(record)

    manifests: tuple[Manifest, ...] = (*ENGINES, UNMARKED, *(DETECTORS if way.detector else ()))
    async with open_local(_config(kind, plugins), manifests) as gateway:
        if way.detector and not gateway.detects():
            return None
        async with trio.open_nursery() as nursery:
            for script in scripts:
                nursery.start_soon(one, gateway.url, script)
    return {script.name: scores[script.name] for script in scripts}


def _config(kind: str, providers: dict[str, Any]) -> Config:
    default = Config()
    return attrs.evolve(
        default,
        turn_detector=attrs.evolve(default.turn_detector, kind=kind),
        plugins=attrs.evolve(default.plugins, providers=providers),
    )


COLUMNS = (
    "conversation", "sentences", "turns", "cut off", "lost", "invented", "words right", "other words",
    "delay, s", "longest", "interruptions noticed", "false", "held on",
)  # fmt: skip


def row(name: str, it: Score) -> tuple[str, ...]:
    """Return one line of the table."""
    delay = it.typical(lambda each: each.delays)
    return (
        name, *map(str, (it.sentences, it.turns, it.cut_offs, it.lost, it.invented)),
        f"{it.right} of {it.words}", str(it.extra),
        "-" if delay is None else f"{delay:.2f}", "-" if delay is None else f"{max(it.delays):.2f}",
        f"{it.noticed} of {it.interrupting}", str(it.false_alarms), str(it.held_on),
    )  # fmt: skip


def table(scores: dict[str, Score]) -> list[tuple[str, ...]]:
    """Return the lines, the last one for all together."""
    total = sum(scores.values(), Score())
    return [COLUMNS, *(row(name, each) for name, each in scores.items()), row("all", total)]


def markdown(way: Way, scores: dict[str, Score] | None) -> str:
    """Return the table as it stands in the page."""
    if scores is None:
        return f"**{way.about}**: no model is here.\n"
    head, *rows = table(scores)
    rule = ("---", *("---:" for _ in head[1:]))
    lines = ("| " + " | ".join(each) + " |" for each in (head, rule, *rows))
    return f"**{way.about}**\n\n" + "\n".join(lines) + "\n"


def plain(way: Way, scores: dict[str, Score] | None) -> str:
    """Return the table for a terminal."""
    if scores is None:
        return f"\n{way.about}: no model is here"
    rows = table(scores)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            cell.ljust(w) if not n else cell.rjust(w)
            for n, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in rows
    )
    return f"\n{way.about}\n" + "\n".join(lines)


def keep(name: str, text: str) -> None:
    """Put a table into the page, where the last one stood."""
    page = PAGE.read_text()
    before, rest = page.split(BEGIN.format(name))
    _, after = rest.split(END.format(name))
    PAGE.write_text(f"{before}{BEGIN.format(name)}\n\n{text}\n{END.format(name)}{after}")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="make conversations", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of conversations")
    parser.add_argument("--way", choices=WAYS, action="append", help="all if not given")
    parser.add_argument("--detector", choices=["text", "audio", "both"], default="text")
    parser.add_argument("--plugins", type=json.loads, default={}, help="settings of plugins, JSON")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true", help="write the tables into the page")
    given = parser.parse_args()
    chosen = tuple(
        each
        for each in SCRIPTS
        if not given.names or any(name in each.name for name in given.names)
    )
    told: dict[str, Any] = {}
    for name in given.way or WAYS:
        scores = trio.run(measure, WAYS[name], chosen, given.detector, given.plugins)
        told[name] = scores and {each: attrs.asdict(its) for each, its in scores.items()}
        if given.markdown:
            keep(name, markdown(WAYS[name], scores))
        if not given.json:
            print(plain(WAYS[name], scores), flush=True)  # noqa: T201 - what it is for
    if given.json:
        print(json.dumps(told, indent=2))  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
