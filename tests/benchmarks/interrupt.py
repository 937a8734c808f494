"""From ``clear`` to silence: ``python tests/benchmarks/interrupt.py [--sessions 100] [--seconds 20] [--json]``.

A gateway in a process of its own, with a voice that gives 20 ms frames as time goes by, and clients
that interrupt it at random moments. For each interruption: the time from sending ``clear`` to the
last byte of sound that arrived after it, and how many frames that were. ``stale`` counts sound that
came after the gateway's own word of the interruption; it must be 0.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import attrs
import trio
from websockets.trio.client import ClientConnection, connect

FRAME = 0.02
"""Seconds."""
BOUND = 3 * FRAME
"""Seconds after which nothing of an interrupted utterance should come any more."""

PLUGIN = """
import trio
from contextlib import asynccontextmanager
from capabilities import Ability, AudioFrame, Capability, Manifest, Plugin

class Pacer:
    @asynccontextmanager
    async def synthesize(self, request):
        async def frames():
            start = trio.current_time()
            for number in range(3000):
                await trio.sleep_until(start + number * 0.02)
                yield AudioFrame(bytes(request.format.size(0.02)), request.format)
        sound = frames()
        try:
            yield sound
        finally:
            await sound.aclose()

    async def voices(self, api_key=None):
        return []

@asynccontextmanager
async def open_plugin(context):
    yield Plugin(tts=Pacer())

MANIFEST = Manifest("pacer", "Pacer", open_plugin, {Capability.TTS: Ability()})
"""


@attrs.define
class Tally:
    """What all clients saw."""

    delays: list[float] = attrs.Factory(list)
    """Seconds from ``clear`` to the last sound behind it; 0 where none came."""
    frames: list[int] = attrs.Factory(list)
    acknowledged: list[float] = attrs.Factory(list)
    """Seconds from ``clear`` to the gateway's word of it."""
    stale: int = 0

    def report(self) -> dict[str, float]:
        """Return the figures, times in milliseconds."""
        return {
            "interruptions": len(self.delays),
            "to_silence_p50_ms": _share(self.delays, 50) * 1000,
            "to_silence_p99_ms": _share(self.delays, 99) * 1000,
            "to_silence_max_ms": max(self.delays) * 1000,
            "told_p50_ms": _share(self.acknowledged, 50) * 1000,
            "told_p99_ms": _share(self.acknowledged, 99) * 1000,
            "frames_after_clear_mean": statistics.fmean(self.frames),
            "frames_after_clear_max": max(self.frames),
            "stale_frames": self.stale,
        }


def _share(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


async def client(url: str, dice: random.Random, until: float, tally: Tally) -> None:
    """Speak and interrupt until then."""
    async with connect(url, proxy=None, compression=None) as socket:
        config = {
            "type": "config",
            "features": {"events": True},
            "tts_config": {"provider": "pacer", "sample_rate": 24000},
        }
        await socket.send(json.dumps(config))
        await _until(socket, "ready")
        while trio.current_time() < until:
            await socket.send('{"type": "speak", "text": "x"}')
            await _until(socket, "speaking_started")
            with trio.move_on_after(dice.uniform(0.2, 1.2)):
                while True:
                    await socket.recv()
            await _interrupt(socket, tally)


async def _interrupt(socket: ClientConnection, tally: Tally) -> None:
    start = last = trio.current_time()
    await socket.send('{"type": "clear"}')
    frames, told = 0, False
    while True:
        message = None
        with trio.move_on_at(start + BOUND + (0.0 if told else 5.0)):
            message = await socket.recv()
        if message is None:
            break
        if isinstance(message, bytes):
            last, frames = trio.current_time(), frames + 1
            tally.stale += told
        elif not told:
            told = True
            tally.acknowledged.append(trio.current_time() - start)
    tally.delays.append(last - start)
    tally.frames.append(frames)


async def _until(socket: ClientConnection, kind: str) -> None:
    while True:
        message = await socket.recv()
        if isinstance(message, str) and json.loads(message)["type"] == kind:
            return


async def run(port: int, sessions: int, seconds: float) -> Tally:
    """Let all clients do it at once."""
    tally = Tally()
    until = trio.current_time() + seconds
    async with trio.open_nursery() as nursery:
        for seed in range(sessions):
            url = f"ws://127.0.0.1:{port}/ws"
            nursery.start_soon(client, url, random.Random(seed), until, tally)
            await trio.sleep(1 / sessions)
    return tally


def main() -> None:
    """Start the gateway, run the clients, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pacer.py").write_text(PLUGIN)
        config = Path(folder, "waav.toml")
        config.write_text(
            f'[server]\nhost = "127.0.0.1"\nport = {_free_port()}\n[plugins]\nplugin_dir = "{folder}"\n'
        )
        report = measure(config, given.sessions, given.seconds)
    if given.json:
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
        return
    for name, value in report.items():
        sys.stdout.write(f"{name:28} {value:10.2f}\n")


def measure(config: Path, sessions: int, seconds: float) -> dict[str, float]:
    """Return the figures of one run."""
    port = int(config.read_text().split("port = ")[1].split()[0])
    command = [sys.executable, "-m", "waav", "--config", str(config), "serve"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            trio.run(_ready, port)
            return trio.run(run, port, sessions, seconds).report()
        finally:
            server.terminate()


async def _ready(port: int) -> None:
    with trio.fail_after(30):
        while True:
            try:
                stream = await trio.open_tcp_stream("127.0.0.1", port)
            except OSError:
                await trio.sleep(0.1)
            else:
                await stream.aclose()
                return


def _free_port() -> int:
    import socket

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
