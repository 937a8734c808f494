"""Wishes for voices that no provider need be asked about."""

from typing import Any

import attrs
import pytest

from capabilities import CloneLimits, CloneRequest, VoiceSample
from waav.errors import InvalidRequest
from waav.session.clone_rules import LONGEST_NAME, check_wish

SAMPLE = VoiceSample(bytes(100), "audio/wav")
COPIES = CloneLimits(samples=2, sample_bytes=100)
DESIGNS = CloneLimits(samples=0, needs_description=True)
BOTH = CloneLimits(samples=1, needs_description=True)


@pytest.mark.parametrize(
    ("wish", "limits"),
    [
        (CloneRequest(name="x", samples=(SAMPLE, SAMPLE)), COPIES),
        (CloneRequest(name="x" * LONGEST_NAME, samples=(SAMPLE,)), COPIES),
        (CloneRequest(name="x", description="calm"), DESIGNS),
        (CloneRequest(name="x", description="calm", samples=(SAMPLE,)), BOTH),
    ],
)
def test_what_fits_is_let_through(wish: CloneRequest, limits: CloneLimits) -> None:
    check_wish("x", wish, limits)


@pytest.mark.pins("D209", "D210", "D221")
@pytest.mark.parametrize(
    ("limits", "change", "code"),
    [
        (COPIES, {"name": " "}, "invalid_name"),
        (COPIES, {"name": "x" * (LONGEST_NAME + 1)}, "invalid_name"),
        (COPIES, {"samples": ()}, "missing_audio"),
        (COPIES, {"samples": (SAMPLE,) * 3}, "too_many_files"),
        (COPIES, {"samples": (VoiceSample(bytes(101), ""),)}, "audio_too_large"),
        (DESIGNS, {"description": "calm"}, "audio_samples_not_supported"),
        (DESIGNS, {"samples": ()}, "missing_description"),
        (BOTH, {}, "missing_description"),
    ],
)
def test_what_does_not_is_refused(limits: CloneLimits, change: dict[str, Any], code: str) -> None:
    wish = attrs.evolve(CloneRequest(name="x", samples=(SAMPLE,)), **change)
    with pytest.raises(InvalidRequest) as caught:
        check_wish("someone", wish, limits)
    assert caught.value.code == code
