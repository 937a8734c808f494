"""What a client asks for when it wants a voice: from either form of the body to one value."""

from http import HTTPStatus
from typing import Annotated, Any

import attrs
import msgspec
from msgspec import Meta
from quart import Request

from capabilities import CloneRequest, VoiceSample
from waav.errors import InvalidRequest
from waav.server.refusal import Refused
from waav.server.rest.large_form import LargeForm
from waav.server.rest.large_json import LargeJson
from waav.server.rest.operation import FORM
from waav.server.rest.recording import Recording
from waav.server.rest.signature import HEAD, KNOWN, media_type_of
from waav.server.rest.upload import read_body
from waav.server.ws.names import Names
from waav.session.failures import shorten

LIMIT = 64 * 1024 * 1024
"""Bytes of the body."""
RECORDINGS = 100
"""The most that are read, whatever the provider takes."""

_NAMES = Names(
    {
        "audio_files": "audio_samples",
        "audioSamples": "audio_samples",
        "audioFiles": "audio_samples",
        "sampleText": "sample_text",
        "removeBackgroundNoise": "remove_background_noise",
        "labels[]": "labels",
    }
)
_SAMPLES = frozenset(
    {"audio_samples", *(name for name, key in _NAMES.aliases.items() if key == "audio_samples")}
)
_RAW = {"contentMediaType": "application/octet-stream"}

Flag = Annotated[bool, Meta(description="Clean the recordings first.")]
Provider = Annotated[str, Meta(description="Id or alias. Required.")]
Name = Annotated[str, Meta(description="Of the new voice. Required.")]


@attrs.frozen(kw_only=True)
class CloneOrder:
    """A voice that is wanted, as JSON."""

    provider: Provider = ""
    name: Name = ""
    description: str = ""
    audio_samples: Annotated[
        list[str],
        Meta(description="Base64 or data URLs. Also called `audio_files` or `audioSamples`."),
    ] = attrs.field(factory=list)
    sample_text: str = ""
    remove_background_noise: Flag = False
    labels: dict[str, str] | list[str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class CloneForm:
    """A voice that is wanted, as a form: recordings are files of any name."""

    provider: Provider = ""
    name: Name = ""
    description: str = ""
    audio_0: Annotated[
        str,
        Meta(description="A recording; more in `audio_1` and so on.", extra_json_schema=_RAW),
    ] = ""
    sample_text: str = ""
    remove_background_noise: Flag = False
    labels: Annotated[str, Meta(description="A JSON object or array, or one label.")] = ""


@attrs.frozen
class Wanted:
    """A voice that is wanted, and from whom."""

    provider: str
    request: CloneRequest


async def read_wanted(request: Request) -> Wanted:
    """Read the body, in either form.

    Raises:
        InvalidRequest: it is not readable, or something in it is no recording.
        Refused: another kind of body (415), or a too large one (413).
        werkzeug.exceptions.HTTPException: the body does not come.
    """
    if request.is_json:
        json = LargeJson(_SAMPLES, RECORDINGS)
        document = _NAMES.resolve(await read_body(request, json, LIMIT))
        order = _order(document, strict=True)
        chosen = [json.recordings[int(number)] for number in order.audio_samples]
        return await _wanted(order, chosen)
    if request.mimetype == FORM:
        form = LargeForm(request.mimetype_params.get("boundary", ""), RECORDINGS)
        fields = _NAMES.resolve(await read_body(request, form, LIMIT))
        fields.pop("audio_samples", None)
        return await _wanted(_order(_with_labels(fields), strict=False), form.recordings)
    raise Refused(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        f"The body must be application/json or {FORM}",
    )


def _order(document: dict[str, Any], *, strict: bool) -> CloneOrder:
    try:
        return msgspec.convert(document, CloneOrder, strict=strict)
    except ValueError as exc:
        raise InvalidRequest(shorten(str(exc)), code="invalid_schema") from None


def _with_labels(fields: dict[str, Any]) -> dict[str, Any]:
    """A form has only texts: labels are JSON in one, or one text each."""
    labels = fields.get("labels")
    if not isinstance(labels, str):
        return fields
    if not labels.lstrip().startswith(("{", "[")):
        return {**fields, "labels": [labels] if labels.strip() else []}
    try:
        return {**fields, "labels": msgspec.json.decode(labels)}
    except (ValueError, RecursionError) as exc:
        raise InvalidRequest(f"labels: invalid JSON: {exc}", code="invalid_schema") from None


async def _wanted(order: CloneOrder, recordings: list[Recording]) -> Wanted:
    labels = order.labels if isinstance(order.labels, dict) else dict.fromkeys(order.labels, "")
    samples = [await _sample(recording) for recording in recordings]
    return Wanted(
        order.provider,
        CloneRequest(
            name=order.name.strip(),
            description=order.description.strip(),
            samples=tuple(samples),
            sample_text=order.sample_text,
            remove_background_noise=order.remove_background_noise,
            labels=labels,
        ),
    )


async def _sample(recording: Recording) -> VoiceSample:
    data = await recording.whole()
    media_type = media_type_of(data[:HEAD])
    if media_type is None:
        text = f"{recording.place} is no recording that is known here ({KNOWN})"
        raise InvalidRequest(text, code="invalid_audio")
    return VoiceSample(data, media_type)
