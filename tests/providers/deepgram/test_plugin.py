"""The plugin as a whole: its manifest, its weight, its page."""

import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from capabilities import Capability
from providers._common.settings import VendorSettings
from providers.deepgram import MANIFEST
from providers.deepgram.options import DeepgramSTTOptions, DeepgramTTSOptions
from providers.deepgram.stt_query import FLUX_ENCODINGS, NOVA_ENCODINGS
from providers.deepgram.tts_wire import SOUNDS, SPEEDS
from waav.testing import check_manifest

PAGE = Path(__file__).parents[3] / "docs/providers/deepgram.md"


def test_the_manifest_is_sound() -> None:
    check_manifest(MANIFEST)
    assert MANIFEST.settings is VendorSettings


def test_it_names_what_the_code_knows() -> None:
    listens, speaks = MANIFEST.abilities[Capability.STT], MANIFEST.abilities[Capability.TTS]
    assert set(listens.encodings) == {*NOVA_ENCODINGS, *FLUX_ENCODINGS}
    assert set(speaks.encodings) == set(SOUNDS)
    assert set(speaks.sample_rates) == {rate for each in SOUNDS.values() for rate in each.rates}
    assert speaks.speeds == SPEEDS


def test_whoever_lists_providers_pays_for_neither_http_nor_tls() -> None:
    told = "import sys, providers.deepgram; print(*({'httpx', 'websockets'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


@pytest.mark.parametrize("kind", [DeepgramSTTOptions, DeepgramTTSOptions])
def test_every_option_is_on_the_page(kind: type) -> None:
    heading = {"DeepgramSTTOptions": "listening", "DeepgramTTSOptions": "speaking"}[kind.__name__]
    section = PAGE.read_text("utf-8").partition(f"### Options for {heading}\n")[2]
    rows = re.findall(r"^\| `(\w+)` \|", section.partition("\n#")[0], re.MULTILINE)
    assert rows == [field.name for field in attrs.fields(kind)]
