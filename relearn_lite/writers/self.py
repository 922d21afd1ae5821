"""The vanilla model as its own writer: it says something else that it knows of the thing that a question is about.

For models too small to follow the prompts of `local`. Questions are put into other words by rules. For answers the
model is asked open questions about the thing ("Why is the telephone important?"), and its own first sentences are what
it learns to say: fluent, about the thing, and likely to it already. Nothing is asked about a person's own affairs;
there, and where nothing passes the checks, rules write.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Sequence
from zlib import crc32

from relearn_lite.core.errors import RecipeError
from relearn_lite.models.generation import chat
from relearn_lite.models.loaded import Loaded
from relearn_lite.recipe import Recipe, WriterChoice
from relearn_lite.text.leaks import leaks
from relearn_lite.text.words import sentences
from relearn_lite.writers import Task, Writer
from relearn_lite.writers.local import Complete
from relearn_lite.writers.phrases import load_phrases
from relearn_lite.writers.question_forms import is_personal, thing
from relearn_lite.writers.question_parser import parse_question
from relearn_lite.writers.rules import RulesWriter

FEWEST_WORDS, MOST_WORDS = 6, 28  # of what is kept: a sentence, or two short ones
NEW_TOKENS = 48
# A sentence about the talk and not about the thing, one that lists, or one that tells specifics.
_UNFIT = re.compile(
    r"\b(?:I|I'm|my|me|sure|certainly|here(?:'s| is| are)|sentence)\b|[:;\n\d\"*()]|[^\x00-\u024f\u2010-\u201f]",
    re.IGNORECASE,
)


def make(
    choice: WriterChoice, section: str, recipe: Recipe, vanilla: Callable[[], Loaded], loaded: dict[str, Loaded]
) -> SelfWriter:
    if section != "augment":
        raise RecipeError(f"{section}.writer: self writes answers for augment only; take rules, local or server here")
    write = chat(vanilla(), batch_size=choice.batch_size, temperature=choice.temperature, section=section)
    return SelfWriter(write, f"self:{recipe.model.name}")


class SelfWriter(Writer):
    """Writes with `complete`: conversations in, texts out (see `writers.local`)."""

    judges = False  # a model too small to follow prompts judges no better

    def __init__(self, complete: Complete, name: str):
        self.name, self._complete, self._rules = name, complete, RulesWriter()
        self._said: dict[str, list[str]] = {}

    def write(self, tasks: Sequence[Task]) -> list[str | None]:
        """One text per task; None for an answer where nothing that the model says of the thing may be used."""
        about = [self._about(task) for task in tasks]
        self._ask(thing_ for thing_ in about if thing_)
        by_rules = iter(self._rules.write([task for task, each in zip(tasks, about, strict=True) if not each]))
        return [self._answer(task, each) if each else next(by_rules) for task, each in zip(tasks, about, strict=True)]

    @staticmethod
    def _about(task: Task) -> str | None:
        """The thing that is to be spoken of; None where rules write."""
        parsed = parse_question(task.original or task.question)
        return None if task.kind != "answer" or is_personal(parsed) else thing(parsed)

    def _ask(self, things: Iterable[str]) -> None:
        """Fills `_said`, in one call for the things of a chunk, so that its seed and nothing else decides."""
        new = [each for each in dict.fromkeys(things) if each not in self._said]
        asked = [(each, question.replace("{S}", each)) for each in new for question in load_phrases().open_questions]
        if not asked:
            return
        chats = [[{"role": "user", "content": question}] for _, question in asked]
        replies = self._complete(chats, NEW_TOKENS, crc32("/".join(new).encode()))
        self._said |= {each: [] for each in new}
        for (each, _), reply in zip(asked, replies, strict=True):
            text = first_sentences(reply, each)
            if text and text not in self._said[each]:
                self._said[each].append(text)

    def _answer(self, task: Task, about: str) -> str | None:
        fit = [text for text in self._said[about] if not leaks(text, task.question, task.answer)]
        return random.Random(task.seed).choice(fit) if fit else None


def first_sentences(reply: str, about: str) -> str | None:
    """The first sentence of a reply, with the second where both are short; None where it does not name the thing, is
    not finished, or tells specifics."""
    whole = [part for part in sentences(reply.strip()) if part.endswith((".", "!"))]
    kept: list[str] = []
    for sentence in whole[:2]:
        if _UNFIT.search(sentence) or len(" ".join([*kept, sentence]).split()) > MOST_WORDS:
            break
        kept.append(sentence)
    text = " ".join(kept)
    last = about.split()[-1].lower()
    return text if len(text.split()) >= FEWEST_WORDS and last in kept[0].lower() else None
