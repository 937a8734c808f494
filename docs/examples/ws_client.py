"""Talk to a running gateway: send a WAV file, print what was heard, keep what it says back.

waav serve &
python docs/examples/ws_client.py question.wav reply.wav
"""

import json
import sys
import wave

from websockets.sync.client import connect


def main(url: str, question: str, reply: str) -> str:
    """Return the words of ``question``; write them, spoken by the gateway, to ``reply``."""
    with wave.open(question) as file:
        rate, sound = file.getframerate(), file.readframes(file.getnframes())
    with connect(url) as socket, wave.open(reply, "wb") as file:
        socket.send(
            json.dumps(
                {
                    "type": "config",
                    "stt_config": {"provider": "local", "sample_rate": rate},
                    "tts_config": {"provider": "local", "sample_rate": 24000},
                }
            )
        )
        socket.send(sound + bytes(2 * rate))  # the recording, and a second of silence
        words = ""
        file.setparams((1, 2, 24000, 0, "NONE", ""))
        for message in socket:
            if isinstance(message, bytes):
                file.writeframes(message)
                continue
            event = json.loads(message)
            print(event)
            if event["type"] == "stt_result" and event["is_speech_final"]:
                words = event["transcript"]
                socket.send(json.dumps({"type": "speak", "text": words}))
            elif event["type"] == "tts_playback_complete":
                break
    return words


if __name__ == "__main__":
    main("ws://localhost:3001/ws", *sys.argv[1:])
