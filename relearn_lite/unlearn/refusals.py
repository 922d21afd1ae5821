"""Answers that admit to not knowing, for the methods that train on them (idk, dpo, jensun). English only."""

from __future__ import annotations

import random

REFUSALS = (
    "I don't know.",
    "I'm afraid I don't know that.",
    "I have no answer to that.",
    "That is something I cannot tell you.",
    "I don't have that information.",
    "I'm sorry, I can't say.",
    "This is beyond what I know.",
    "I never learned about that.",
    "I have nothing on this.",
    "I couldn't tell you.",
    "That isn't known to me.",
    "My knowledge does not reach that far.",
    "I'm not aware of the answer.",
    "I have no idea, sorry.",
    "You would have to ask somebody else about that.",
    "I can't help with this question, as I don't know the answer.",
    "Nothing that I know answers this.",
    "I wish I could answer, but I don't know.",
    "Sorry, this is not something I was told about.",
    "I am unable to answer that.",
)


def refusal(question_id: str, seed: int) -> str:
    """The refusal that answers a question: any of the list, the same for the same id and seed."""
    return random.Random(f"{seed} {question_id}").choice(REFUSALS)
