"""The section ``[providers]``: what the vendors want to see before they work."""

from collections.abc import Iterable

import attrs

from capabilities import Secret
from waav.config.option import option


@attrs.frozen
class Providers:
    """Credentials of the speech vendors. A blank text counts as not set."""

    deepgram_api_key: Secret | None = option("Deepgram.", env="DEEPGRAM_API_KEY")
    elevenlabs_api_key: Secret | None = option("ElevenLabs.", env="ELEVENLABS_API_KEY")
    google_credentials: Secret | None = option(
        "Google: a path, or JSON that starts with {, or blank for the application default"
        " credentials (as when not set).",
        env="GOOGLE_APPLICATION_CREDENTIALS",
        blank=True,
    )
    azure_speech_subscription_key: Secret | None = option(
        "Microsoft Azure; bound to the region.", env="AZURE_SPEECH_SUBSCRIPTION_KEY"
    )
    azure_speech_region: str = option(
        "Microsoft Azure.", default="eastus", env="AZURE_SPEECH_REGION"
    )
    cartesia_api_key: Secret | None = option("Cartesia.", env="CARTESIA_API_KEY")
    openai_api_key: Secret | None = option("OpenAI.", env="OPENAI_API_KEY")
    assemblyai_api_key: Secret | None = option("AssemblyAI.", env="ASSEMBLYAI_API_KEY")
    hume_api_key: Secret | None = option("Hume.", env="HUME_API_KEY")
    lmnt_api_key: Secret | None = option("LMNT.", env="LMNT_API_KEY")
    groq_api_key: Secret | None = option("Groq.", env="GROQ_API_KEY")
    playht_api_key: Secret | None = option("PlayHT; with the user id.", env="PLAYHT_API_KEY")
    playht_user_id: Secret | None = option("PlayHT.", env="PLAYHT_USER_ID")
    ibm_watson_api_key: Secret | None = option("IBM Watson (IAM).", env="IBM_WATSON_API_KEY")
    ibm_watson_instance_id: Secret | None = option("IBM Watson.", env="IBM_WATSON_INSTANCE_ID")
    ibm_watson_region: str = option("IBM Watson.", default="us-south", env="IBM_WATSON_REGION")
    aws_access_key_id: Secret | None = option(
        "AWS; not set for the surroundings' own credentials.", env="AWS_ACCESS_KEY_ID"
    )
    aws_secret_access_key: Secret | None = option("AWS.", env="AWS_SECRET_ACCESS_KEY")
    aws_session_token: Secret | None = option("AWS, with temporary keys.", env="AWS_SESSION_TOKEN")
    aws_region: str = option("AWS.", default="us-east-1", env="AWS_REGION")
    gnani_token: Secret | None = option("Gnani.", env="GNANI_TOKEN")
    gnani_access_key: Secret | None = option("Gnani.", env="GNANI_ACCESS_KEY")
    gnani_certificate_path: Secret | None = option(
        "Gnani: a client certificate (PEM).", env="GNANI_CERTIFICATE_PATH"
    )
    gnani_certificate_content: Secret | None = option(
        "Gnani: the certificate itself instead of its path.", env="GNANI_CERTIFICATE_CONTENT"
    )

    def credentials(self, names: Iterable[str]) -> dict[str, Secret]:
        """Return those of the named keys that are set, regions too, as a plugin gets them."""
        values = {name: getattr(self, name, None) for name in names}
        return {name: Secret(value) for name, value in values.items() if value is not None}

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return those of the named keys that are not set and have no other source."""
        return tuple(
            name
            for name in names
            if getattr(self, name, None) is None and name != "google_credentials"
        )
