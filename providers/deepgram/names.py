"""What this vendor is called, by whom."""

ID = "deepgram"
NAME = "Deepgram"
KEY = "deepgram_api_key"
"""In ``[providers]``."""
BASE_URL = "https://api.deepgram.com"
STT_MODEL = "nova-3"
"""Of a session that names none."""
TTS_MODEL = "aura-asteria-en"
"""Of a request that names neither voice nor model; the vendor's own default."""


def is_flux(model: str) -> bool:
    """Return whether a model belongs to the turn-based family, which has an API of its own."""
    return model.startswith("flux-")
