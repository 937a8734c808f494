"""Voice cloning as the vendor speaks it: the form of a new voice, and what is told of one.

Sources: the package ``elevenlabs`` 2.78.0 (``voices/ivc``, ``types/voice.py``), read on 2026-11-21;
for an unknown voice, reports of users: HTTP 400 with ``voice_not_found`` or ``voice_does_not_exist``
(elevenlabs-python issues 293 and 454), and 404 since 2025 (elevenlabs-docs 1317).
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from capabilities import (
    ClonedVoice,
    CloneLimits,
    CloneRequest,
    CloneStatus,
    ProviderProtocolError,
    ProviderRefused,
    VoiceSample,
)
from providers.elevenlabs.settings import ID, OWNER

LIMITS = CloneLimits(samples=25)
"""What the vendor's web page takes; its package does not say."""

_ENDINGS = {"mpeg": "mp3", "mp4": "m4a", "wave": "wav", "vnd.wave": "wav"}
_UNKNOWN = re.compile(r"not found|does not exist", re.IGNORECASE)


def form_of(request: CloneRequest) -> dict[str, str]:
    """Return the fields of the form but for the recordings. What is not set is not sent."""
    labels = {name: value for name, value in request.labels.items() if name != OWNER}
    if request.owner:
        labels[OWNER] = request.owner
    fields = {
        "name": request.name,
        "description": request.description,
        "labels": json.dumps(labels) if labels else "",
        "remove_background_noise": "true" if request.remove_background_noise else "",
    }
    return {name: value for name, value in fields.items() if value or name == "name"}


def parts_of(request: CloneRequest) -> list[tuple[str, tuple[str, bytes, str]]]:
    """Return the recordings as parts of the form, each with a name that says what it is.

    Raises:
        ProviderRefused: there is none.
    """
    if not request.samples:
        raise ProviderRefused(ID, "makes a voice from recordings, and there is none")
    return [
        ("files", (_file_name(number, sample), sample.data, sample.media_type))
        for number, sample in enumerate(request.samples, 1)
    ]


def _file_name(number: int, sample: VoiceSample) -> str:
    kind = sample.media_type.partition(";")[0].rpartition("/")[2].strip().removeprefix("x-")
    return f"sample-{number}.{_ENDINGS.get(kind, kind)}"


def read_new(told: Any, name: str) -> ClonedVoice:
    """Read the answer to a new voice, which does not repeat its name.

    Raises:
        ProviderProtocolError: it is none.
    """
    match told:
        case {"voice_id": str(voice_id)} if voice_id:
            return ClonedVoice(
                id=voice_id,
                name=name,
                status=_status(told),
                metadata=_noted(told, told.get("library_voice_match")),
            )
        case _:
            raise ProviderProtocolError(ID, "answered something that is no new voice")


def read_voice(told: Any) -> ClonedVoice:
    """Read what is told of one voice.

    Raises:
        ProviderProtocolError: it is no voice.
    """
    match told:
        case {"voice_id": str(voice_id)} if voice_id:
            name = told.get("name")
            verification = told.get("voice_verification")
            proof = verification if isinstance(verification, dict) else {}
            return ClonedVoice(
                id=voice_id,
                name=name if isinstance(name, str) and name else voice_id,
                status=_status(proof),
                created_at=_moment(told.get("created_at_unix")),
                metadata=_noted(proof, told),
                owner=owner_in(told),
            )
        case _:
            raise ProviderProtocolError(ID, "answered something that is no voice")


def owner_in(told: Mapping[str, Any]) -> str:
    """Return whose a voice is; empty if it does not say."""
    labels = told.get("labels")
    owner = labels.get(OWNER) if isinstance(labels, dict) else None
    return owner if isinstance(owner, str) else ""


def is_unknown(refusal: ProviderRefused) -> bool:
    """Tell whether a request about one voice was refused because there is none."""
    return refusal.status == 404 or (
        refusal.status in {400, 422} and _UNKNOWN.search(refusal.message) is not None
    )


def _status(proof: Mapping[str, Any]) -> CloneStatus:
    """A voice that somebody must prove to be theirs does not speak before."""
    wanted = proof.get("requires_verification") is True and proof.get("is_verified") is not True
    return CloneStatus.PROCESSING if wanted else CloneStatus.READY


def _noted(proof: Mapping[str, Any], more: Any) -> dict[str, str]:
    noted = {"requires_verification": "true"} if _status(proof) is CloneStatus.PROCESSING else {}
    told = more if isinstance(more, dict) else {}
    names = ("category", "description", "library_voice_id")
    return noted | {
        name: value for name in names if isinstance(value := told.get(name), str) and value
    }


def _moment(seconds: Any) -> str:
    """RFC 3339, of seconds since 1970; empty for anything else."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return ""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
