"""Jailbreak attack: prompts that talk a model into answering; jailbreaks.yaml holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from relearn_lite.attacks.asking import Ask
from relearn_lite.core.records import QA
from relearn_lite.writers.subject import find_subject


@dataclass(frozen=True)
class Jailbreak:
    name: str
    title: str
    turns: tuple[str, ...]
    start: str = ""

    def ask(self, qa: QA, side: str) -> Ask | None:
        """This prompt for a question; None where it wants a subject and the question has none."""
        subject = find_subject(qa.question)
        if subject is None and any("{subject}" in text for text in (*self.turns, self.start)):
            return None

        def fill(text: str) -> str:  # not str.format: questions may hold braces
            return text.replace("{subject}", subject or "").replace("{question}", qa.question)

        return Ask(qa, side, self.name, tuple(map(fill, self.turns)), fill(self.start))


@cache
def jailbreaks() -> tuple[Jailbreak, ...]:
    """The prompts, in the file's order."""
    import yaml

    rows = yaml.safe_load((Path(__file__).parent / "jailbreaks.yaml").read_text(encoding="utf-8"))
    return tuple(Jailbreak(row["name"], row["title"], tuple(row["turns"]), row.get("start", "")) for row in rows)


def persuaded(questions: Mapping[str, Sequence[QA]]) -> list[Ask]:
    """Every question with every prompt that fits it. questions: by side."""
    made = (prompt.ask(qa, side) for side, asked in questions.items() for qa in asked for prompt in jailbreaks())
    return [each for each in made if each is not None]
