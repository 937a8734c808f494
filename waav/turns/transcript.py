"""Final pieces of text -> the text of a turn."""

_CLINGING = frozenset(".,;:!?%)]}…。，！？")
"""What stands right behind the word before it."""


def join(pieces: list[str]) -> str:
    """Put pieces together with one space between them, and none in front of punctuation."""
    text = ""
    for piece in map(str.strip, pieces):
        if text and piece and piece[0] not in _CLINGING:
            text += " "
        text += piece
    return text
