"""Jailbreak attack: prompts that talk a model into answering; jailbreaks.yaml holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from relearn_lite.attacks.answering import AttackPrompt
from relearn_lite.core.records import QA
from relearn_lite.text.turns import last_turn
from relearn_lite.writers.subject import find_subject


@dataclass(frozen=True)
class Jailbreak:
    """A prompt with {question} and {subject} to be filled in. prefill: how the last answer is made to begin."""

    name: str
    title: str
    turns: Sequence[str]
    prefill: str = ""

    def ask(self, qa: QA, side: str) -> AttackPrompt | None:
        """This prompt for a question; None where it wants a subject and the question has none."""
        before, question = last_turn(qa.question)
        subject = find_subject(question) or find_subject(before)
        if subject is None and any("{subject}" in text for text in (*self.turns, self.prefill)):
            return None

        def fill(text: str) -> str:  # not str.format: questions may hold braces
            return text.replace("{subject}", subject or "").replace("{question}", question)

        first, *later = map(fill, self.turns)  # the turns before a question come once, before the first that is asked
        return AttackPrompt.of(qa, side, self.name, [before + first, *later], fill(self.prefill))


@cache
def jailbreaks() -> tuple[Jailbreak, ...]:
    """The prompts, in the file's order."""
    rows = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return tuple(Jailbreak(**row) for row in rows)


def jailbreak_prompts(questions: Mapping[str, Sequence[QA]]) -> list[AttackPrompt]:
    """Every question with every prompt that fits it. questions: by side."""
    made = (prompt.ask(qa, side) for side, asked in questions.items() for qa in asked for prompt in jailbreaks())
    return [prompt for prompt in made if prompt is not None]
