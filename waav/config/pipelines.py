"""What is done to the sound of every session: the section ``[pipelines]``."""

import attrs

from waav.config.option import option


@attrs.frozen
class Pipelines:
    """Audio processors for the sound of sessions that do not say; their options: [plugins.providers.NAME.processor]."""

    pre_stt: tuple[str, ...] = option(
        'What the user\'s sound goes through before it is heard, in this order: ["high-pass", "denoise"].',
        default=(),
    )
    post_tts: tuple[str, ...] = option(
        'What the agent\'s sound goes through before it is sent, in this order: ["gain"].',
        default=(),
    )
    denoiser: str = option(
        "The processor that lowers noise for a client that asks for it.", default="denoise"
    )
    budget_percent: float = option(
        "The longest that a processor may take, as a part of how long the sound lasts.",
        default=50.0,
        above=0,
    )
    late_frames: int = option(
        "So many frames in a row beyond that, and the processor is passed by for the rest of the stream.",
        default=10,
        least=1,
    )
