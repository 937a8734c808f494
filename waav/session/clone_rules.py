"""What must be true of a wish for a voice before a provider is asked. No I/O."""

from capabilities import CloneLimits, CloneRequest
from waav.errors import InvalidRequest

LONGEST_NAME = 256
"""Characters."""


def check_wish(provider: str, request: CloneRequest, limits: CloneLimits) -> None:
    """Refuse what the provider cannot make a voice from.

    Raises:
        InvalidRequest: with a code of its own for each reason.
    """
    samples = request.samples
    reasons = {
        "invalid_name": (
            not request.name.strip() or len(request.name) > LONGEST_NAME,
            f"A name has 1 to {LONGEST_NAME} characters",
        ),
        "missing_description": (
            limits.needs_description and not request.description.strip(),
            f"{provider} makes a voice from a description, and there is none",
        ),
        "audio_samples_not_supported": (
            bool(samples) and not limits.samples,
            f"{provider} makes a voice from a description, and takes no recordings",
        ),
        "missing_audio": (
            bool(limits.samples) and not samples,
            f"{provider} makes a voice from recordings, and there is none",
        ),
        "too_many_files": (
            len(samples) > limits.samples,
            f"{provider} takes at most {limits.samples} recordings, not {len(samples)}",
        ),
        "audio_too_large": (
            any(len(sample.data) > limits.sample_bytes for sample in samples),
            f"{provider} takes recordings of at most {limits.sample_bytes} bytes each",
        ),
    }
    for code, (holds, text) in reasons.items():
        if holds:
            raise InvalidRequest(text, code=code)
