"""The conversations: what is said, and what makes it hard."""

from conversations.script import Agent, Filler, Make, Noise, Part, Pause, Say, Script, Step

LONG_ANSWER = (
    "Your table is booked for eight o'clock. The kitchen closes at ten, and there is music "
    "on the terrace, unless it rains. Parking is free behind the house."
)


def said(*parts: Part, interrupts: bool = False) -> Say:
    """One sentence of the user."""
    return Say(parts, interrupts)


THREE: tuple[Step, ...] = (
    said("what time is it"),
    Pause(2.0),
    said("my name is john smith"),
    Pause(2.0),
    said("turn on the light in the kitchen"),
)
"""Nothing hard about it but what is added."""

TWO_SENTENCES = Script("two sentences", (THREE[0], Pause(2.0), THREE[4]))
TELEPHONE = Script("two sentences, telephone", TWO_SENTENCES.steps, telephone=True)
NOISE = Script("two sentences, noise, 15 dB", THREE[:3], Noise("pink", 15))
COUGH = Script(
    "the user coughs while the agent talks",
    (Agent(LONG_ANSWER), Pause(1.5), Make(Filler.COUGH), Pause(2.0)),
)
INTERRUPTION = Script(
    "the user interrupts",
    (Agent(LONG_ANSWER), Pause(2.0), said("please call me tomorrow morning", interrupts=True)),
)
INTERRUPTED_LECTURE = Script(
    "the user interrupts while there is still sound to be sent",
    (Agent(40 * LONG_ANSWER), Pause(0.2), said("please call me tomorrow morning", interrupts=True)),
)

SCRIPTS = (
    TWO_SENTENCES,
    Script("two sentences, close together", (THREE[0], Pause(1.0), THREE[4])),
    Script(
        "a short pause within a sentence",
        (said("i would like to book a table", 0.4, "for two people"),),
    ),
    Script(
        "a pause for thought",
        (said("i would like to book a table", 0.9, "for two people"), Pause(2.0), THREE[0]),
    ),
    Script(
        "hums before, within and behind",
        (
            said(Filler.HUM, 0.2, "my name is john smith"),
            Pause(2.0),
            said("i would like to book a table", 0.1, Filler.HUM, 0.1, "for two people"),
            Pause(2.0),
            said("where is the station", 0.1, Filler.HUM),
        ),
    ),
    Script(
        "coughs between sentences",
        (
            *(THREE[0], Pause(1.5), Make(Filler.COUGH), Pause(1.5)),
            *(THREE[2], Pause(0.3), Make(Filler.COUGH)),
        ),
    ),
    COUGH,
    Script(
        "the user hums while the agent talks",
        (Agent(LONG_ANSWER), Pause(1.5), Make(Filler.HUM), Pause(3.0)),
    ),
    INTERRUPTION,
    Script(
        "the user answers when the agent is done",
        (
            *(Agent("May I call you?"), Pause(1.8), said("yes that is right"), Pause(1.0)),
            *(Agent("When?"), Pause(1.2), said("please call me tomorrow morning")),
        ),
    ),
    Script("telephone", THREE, telephone=True),
    Script("noise, 15 dB", THREE, Noise("pink", 15)),
    Script("noise, 15 dB, denoised", THREE, Noise("pink", 15), denoise=True),
    Script("noise, 5 dB", THREE, Noise("pink", 5)),
    Script("noise, 5 dB, denoised", THREE, Noise("pink", 5), denoise=True),
    Script("other voices, 15 dB", THREE, Noise("babble", 15)),
    Script("telephone, noise, 15 dB", THREE, Noise("pink", 15), telephone=True),
    Script(
        "an interruption in noise, 15 dB",
        INTERRUPTION.steps,
        Noise("pink", 15),
    ),
)
