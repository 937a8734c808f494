"""A gateway inside a trio program: no server, no socket.

python docs/examples/embed.py
"""

import trio

from capabilities import SpeechRequest, STTOptions
from waav import (
    Configure,
    Ready,
    Session,
    Speak,
    SpeechEnded,
    STTConfig,
    Transcribed,
    TTSConfig,
    open_gateway,
)
from waav.testing.audio import question


async def microphone(session: Session) -> None:
    """Push 20 ms at a time, as a microphone would: a question, then silence."""
    sound = question()
    size = sound.format.size(0.02)
    for at in range(0, 10**9, size):
        session.push_audio(sound.data[at : at + size].ljust(size, b"\0"))
        await trio.sleep(0.02)


async def loudspeaker(session: Session, heard: list[bytes]) -> None:
    """Take what the session says."""
    async for frame in session.audio_out:
        heard.append(frame.data)


async def main() -> tuple[str, bytes]:
    """Ask a question; let the session say the words back. Returns the words and the sound."""
    words, sound = "", []
    async with (
        open_gateway() as gateway,
        gateway.open_session() as session,
        trio.open_nursery() as nursery,
    ):
        await session.submit(
            Configure(
                stt=STTConfig("local", STTOptions(language="en-US")),
                tts=TTSConfig("local", SpeechRequest("", speed=1.1)),
            )
        )
        async for event in session.events:
            match event:
                case Ready():
                    nursery.start_soon(microphone, session)
                    nursery.start_soon(loudspeaker, session, sound)
                case Transcribed(speech_final=True, turn=words):
                    print("heard:", words)
                    await session.submit(Speak(words))
                case SpeechEnded(how="spoken", duration=duration):
                    print(f"said it in {duration:.1f} s")
                    break
                case _:
                    print(event)
        nursery.cancel_scope.cancel()
    return words, b"".join(sound)


if __name__ == "__main__":
    trio.run(main)
