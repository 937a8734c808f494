"""A recording is what its first bytes say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waav.audio.wav import wav_header
from waav.server.rest.signature import HEAD, media_type_of
from waav.testing import question

WAV = wav_header(question().format, 100) + bytes(100)

HEADS = {
    "wav": (WAV, "audio/wav"),
    "wav-64": (b"RF64\xff\xff\xff\xffWAVEds64", "audio/wav"),
    "mp3-with-id3": (b"ID3\x04\x00\x00\x00\x00\x00\x23TSSE", "audio/mpeg"),
    "mp3-44100": (b"\xff\xfb\x90\x64\x00\x0f\xf0", "audio/mpeg"),
    "mp3-22050": (b"\xff\xf3\x84\xc4\x00", "audio/mpeg"),
    "mp3-11025": (b"\xff\xe3\x18\xc4\x00", "audio/mpeg"),
    "ogg": (b"OggS\x00\x02\x00\x00OpusHead", "audio/ogg"),
    "flac": (b"fLaC\x00\x00\x00\x22", "audio/flac"),
    "webm": (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01B\x82\x84webm", "audio/webm"),
    "m4a": (b"\x00\x00\x00\x20ftypM4A \x00\x00", "audio/mp4"),
    "aac": (b"\xff\xf1\x50\x80\x02\x1f\xfc", "audio/aac"),
    "aac-mpeg-2": (b"\xff\xf9\x50\x80\x02\x1f\xfc", "audio/aac"),
}

STRANGERS = {
    "nothing": b"",
    "text": b"Hello, I am a recording. Really.",
    "html": b"<!DOCTYPE html><html>",
    "json": b'{"audio": "none"}',
    "png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "pdf": b"%PDF-1.7",
    "zip": b"PK\x03\x04\x14\x00",
    "avi": b"RIFF\x00\x00\x00\x00AVI LIST",
    "utf-16": "text".encode("utf-16-le").join([b"\xff\xfe", b""]),
    "bare-samples": bytes(100),
    "cut-off-wav": WAV[:10],
}


@pytest.mark.pins("D212")
@pytest.mark.parametrize(("head", "expected"), HEADS.values(), ids=HEADS)
def test_recordings_are_known_by_their_first_bytes(head: bytes, expected: str) -> None:
    assert media_type_of(head) == expected


@pytest.mark.pins("D212")
@pytest.mark.parametrize("head", STRANGERS.values(), ids=STRANGERS)
def test_anything_else_is_not_called_a_recording(head: bytes) -> None:
    assert media_type_of(head) is None


@given(st.binary(min_size=HEAD, max_size=2 * HEAD))
def test_the_head_is_enough(data: bytes) -> None:
    assert media_type_of(data[:HEAD]) == media_type_of(data)
