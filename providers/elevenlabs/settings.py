"""What ``[plugins.providers.elevenlabs]`` accepts, and where the vendor is."""

from collections.abc import Mapping
from typing import Literal

import attrs
from attrs.validators import min_len

from providers._common.settings import VendorSettings

ID = "elevenlabs"
NAME = "ElevenLabs"
KEY = "elevenlabs_api_key"
OWNER = "waav_owner"
"""The label of a voice that says whose it is among those who share a key."""

# Of the SDK 2.78.0, environment.py.
_HOSTS: Mapping[str, str] = {
    "": "https://api.elevenlabs.io",
    "us": "https://api.us.elevenlabs.io",
    "eu": "https://api.eu.residency.elevenlabs.io",
    "in": "https://api.in.residency.elevenlabs.io",
    "sg": "https://api.sg.residency.elevenlabs.io",
}


@attrs.frozen(kw_only=True)
class ElevenLabsSettings(VendorSettings):
    """How to reach ElevenLabs, and who speaks if a session names nobody."""

    region: Literal["", "us", "eu", "in", "sg"] = ""
    """Where the API is, unless ``base_url`` names a place: empty for the nearest, or a region."""
    voice: str = attrs.field(default="JBFqnCBsd6RMkjVDRZzb", validator=min_len(1))
    """The id of the voice of a request that names none. The default is the vendor's "George"."""

    @property
    def host(self) -> str:
        """The address of the region."""
        return _HOSTS[self.region]
