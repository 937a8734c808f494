"""Every light processor keeps the contract, at the rates that sessions have."""

import pytest

from capabilities import AudioFormat, Manifest, ProcessorOptions, ProviderRefused
from providers.local.processors import channels, gain, high_pass, level, resample
from waav.testing import check_plugin, check_processor, open_manifest, tone

MANIFESTS = [
    channels.MONO,
    channels.STEREO,
    gain.MANIFEST,
    high_pass.MANIFEST,
    level.MANIFEST,
    resample.MANIFEST,
]


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda each: each.id)
async def test_the_plugin(manifest: Manifest) -> None:
    await check_plugin(manifest)


@pytest.mark.parametrize("rate", [8000, 11025, 24000, 48000])
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda each: each.id)
async def test_other_formats(manifest: Manifest, count: int, rate: int) -> None:
    audio = AudioFormat(sample_rate=rate, channels=count)
    async with open_manifest(manifest) as plugin:
        assert plugin.processor is not None
        await check_processor(
            plugin.processor, options=ProcessorOptions(audio), sound=tone(0.7, audio=audio)
        )


async def test_three_channels_are_refused() -> None:
    async with open_manifest(level.MANIFEST) as plugin:
        assert plugin.processor is not None
        with pytest.raises(ProviderRefused, match="2 channels, not 3"):
            async with plugin.processor.process(ProcessorOptions(AudioFormat(channels=3))):
                pass
