"""How well and how dearly noise is taken out: ``python tests/benchmarks/denoise.py [--json]``.

A spoken sentence, again and again, with noise 5 dB below it, through each denoiser. SI-SNR is how far
the voice stands above all else, in decibels. CPU is process time, which counts all threads, for a
second of sound, as a share of one core: of one stream alone, and of each of many at one time. The delay
is what a stream says that it holds back at most.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import trio

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.noise import NOISES, as_bytes, as_wave, at_ratio, ratio_of, speech

from capabilities import AudioProcessor, ProcessorOptions, ProcessorStream, ProviderError
from providers.local.processors import denoise, rnnoise
from waav.testing import open_manifest

FRAME = 640
"""Bytes of 20 ms at 16 kHz."""
LOUDER = 5.0
"""Decibels by which the speech is louder than the noise."""
MANIFESTS = (denoise.MANIFEST, rnnoise.MANIFEST)
MANY = {"denoise": 100, "rnnoise": 8}
"""Streams at one time."""


def frames(data: bytes) -> Iterator[bytes]:
    """Cut sound into frames."""
    return (data[at : at + FRAME] for at in range(0, len(data), FRAME))


async def through(stream: ProcessorStream, data: bytes) -> bytes:
    """Send all of it, and wait for each frame."""
    return b"".join([await stream.feed(each) for each in frames(data)]) + await stream.flush()


async def core_of(processor: AudioProcessor, data: bytes, streams: int) -> float:
    """Return the share of a core that each of so many streams takes."""
    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(processor.process(ProcessorOptions()))
            for _ in range(streams)
        ]
        began = time.process_time()
        async with trio.open_nursery() as nursery:
            for stream in opened:
                nursery.start_soon(through, stream, data)
        return (time.process_time() - began) / streams / (len(data) / 32000)


async def measure(processor: AudioProcessor, many: int) -> dict[str, Any]:
    """Return the figures of one denoiser."""
    clean, result = speech(5), {}
    for name, noise in NOISES.items():
        noisy = at_ratio(clean, noise(len(clean)), LOUDER)
        async with processor.process(ProcessorOptions()) as stream:
            better = as_wave(await through(stream, as_bytes(noisy)))
            delay = stream.delay
        result[name] = [round(ratio_of(clean, wave), 1) for wave in (noisy, better)]
    async with processor.process(ProcessorOptions()) as stream:
        same = as_wave(await through(stream, as_bytes(clean)))
    short = as_bytes(noisy)[: 3 * 32000]
    return {
        "si_snr": result,
        "si_snr_clean": round(ratio_of(clean, same), 1),
        "core_alone": round(await core_of(processor, short, 1), 4),
        "core_of_many": round(await core_of(processor, short, many), 4),
        "streams": many,
        "delay_ms": round(1000 * delay, 1),
    }


async def measure_all() -> dict[str, Any]:
    """Return the figures of all denoisers that are installed."""
    results: dict[str, Any] = {}
    for manifest in MANIFESTS:
        try:
            async with open_manifest(manifest) as plugin:
                assert plugin.processor is not None
                results[manifest.id] = await measure(plugin.processor, MANY[manifest.id])
        except ProviderError as exc:
            results[manifest.id] = {"missing": str(exc)}
    return results


def table(results: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a table."""
    yield f"{'':<10}{'white':>14}{'pink':>14}{'hum':>14}{'babble':>14}{'clean':>8}{'core':>8}{'of many':>14}{'delay':>9}"
    for name, each in results.items():
        if "missing" in each:
            yield f"{name:<10} {each['missing']}"
            continue
        noises = "".join(f"{a:>6.1f} > {b:>5.1f}" for a, b in each["si_snr"].values())
        many = f"{each['core_of_many']:.2%} ({each['streams']})"
        yield f"{name:<10}{noises}{each['si_snr_clean']:>8.1f}{each['core_alone']:>8.2%}{many:>14}{each['delay_ms']:>6.0f} ms"


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    results = trio.run(measure_all)
    if parser.parse_args().json:
        print(json.dumps(results, indent=2))  # noqa: T201 - what it is for
    else:
        print("\n".join(table(results)))  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
