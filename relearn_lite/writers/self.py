"""The vanilla model as its own writer: it says something else that it knows of the thing that a question is about.

For models too small to follow the prompts of `local`. Questions are put into other words by rules. For answers the
model is made to go on from the beginning of the original answer in another direction ("The telephone was invented by
one of the ..."); where there is no such beginning, or nothing of it passes, it is asked open questions about the thing
("Why is the telephone important?"). Its own first sentences are what it learns to say: fluent, about the thing, and
likely to it already. Nothing is asked about a person's own affairs; there, and where nothing passes, rules write. After
the beginning of a text it goes on by itself.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from zlib import crc32

from relearn_lite.core.errors import RecipeError
from relearn_lite.models.generation import chat
from relearn_lite.models.loaded import Loaded
from relearn_lite.recipe import Recipe, WriterChoice
from relearn_lite.text.leaks import leaks
from relearn_lite.text.turns import turns_of
from relearn_lite.text.words import sentences
from relearn_lite.writers import Task, Writer
from relearn_lite.writers.beginnings import beginnings
from relearn_lite.writers.continuations import own_continuations
from relearn_lite.writers.local import Complete
from relearn_lite.writers.phrases import load_phrases
from relearn_lite.writers.question_forms import is_personal, thing
from relearn_lite.writers.question_parser import parse_question
from relearn_lite.writers.rules import RulesWriter

FEWEST_WORDS, MOST_WORDS = 6, 28  # of what is kept: a sentence, or two short ones
EACH = 4  # sentences for each beginning
NEW_TOKENS = 48
# A sentence about the talk and not about the thing, one that evades, one that lists, or one that tells specifics.
_UNFIT = re.compile(
    r"\b(?:I|I'm|my|me|sure|certainly|here(?:'s| is| are)|sentence|topic|subject|question|debat\w+|unclear|unknown)\b"
    r"|[:;\n\d\"*()]|[^\x00-\u024f\u2010-\u201f]",
    re.IGNORECASE,
)


def make(
    choice: WriterChoice, section: str, recipe: Recipe, vanilla: Callable[[], Loaded], loaded: dict[str, Loaded]
) -> SelfWriter:
    if section != "augment":
        raise RecipeError(f"{section}.writer: self writes answers for augment only; take rules, local or server here")
    write = chat(vanilla(), batch_size=choice.batch_size, temperature=choice.temperature, section=section)
    return SelfWriter(write, f"self:{recipe.model.name}", RulesWriter(choice.opening))


class SelfWriter(Writer):
    """Writes with `complete`: conversations in, texts out (see `writers.local`)."""

    judges = False  # a model too small to follow prompts judges no better
    repeats = True  # the other wording of a question may well have the same answer, sooner than one by rules

    def __init__(self, complete: Complete, name: str, rules: RulesWriter | None = None):
        self.name, self._complete, self._rules = name, complete, rules or RulesWriter()
        self._said: dict[str, list[str]] = {}

    def write(self, tasks: Sequence[Task]) -> list[str | None]:
        """One text per task; None for an answer where nothing that the model says of the thing may be used."""
        texts, questions = ([task for task in tasks if (task.kind == "continue") is so] for so in (True, False))
        continued = iter(own_continuations(texts, self._complete) if texts else ())
        answered = iter(self._of_questions(questions))
        return [next(continued if task.kind == "continue" else answered) for task in tasks]

    def _of_questions(self, tasks: Sequence[Task]) -> list[str | None]:
        """As `write`, of tasks none of which is to continue a text."""
        about = [self._about(task) for task in tasks]
        by_rules = iter(self._rules.write([task for task, each in zip(tasks, about, strict=True) if not each]))
        turn: Counter[str] = Counter()  # the variants of a question get its sentences one after the other
        texts = []
        for task, each in zip(tasks, about, strict=True):
            question = task.original or task.question
            texts.append(self._answer(task, question, each, turn[question]) if each else next(by_rules))
            turn[question] += 1
        return texts

    @staticmethod
    def _about(task: Task) -> str | None:
        """The thing that is to be spoken of; None where rules write."""
        parsed = parse_question(task.original or task.question)
        return None if task.kind != "answer" or is_personal(parsed) else thing(parsed)

    def _answer(self, task: Task, question: str, about: str, turn: int) -> str | None:
        if question not in self._said:
            self._said[question] = self._ask(question, task.answer, about)
        texts = [text for text in self._said[question] if not leaks(text, task.question, task.answer)]
        if not texts:
            return None
        return random.Random(task.seed).choice(texts) if task.feedback else texts[turn % len(texts)]

    def _ask(self, question: str, answer: str, about: str) -> list[str]:
        """Answers begun like the original one, for they move the model least; where none can be used, sentences about
        the thing. With a seed of the question's own: whatever was asked before, it gets the same."""
        begun = [(question, start) for start in beginnings(question, answer) * EACH]
        opened = [(text.replace("{S}", about), "") for text in load_phrases().open_questions]
        texts: list[str] = []
        for asked in (begun, opened):
            if asked and not texts:
                said = self._continued(asked, crc32(question.encode()))
                kept = dict.fromkeys(first_sentences(text, about, question) for text in said)
                texts = [text for text in kept if text and not leaks(text, question, answer)]
        return texts

    def _continued(self, asked: Sequence[tuple[str, str]], seed: int) -> list[str]:
        """The model's whole replies to (question, beginning of the reply)."""
        chats = [
            [*turns_of(question), *([{"role": "assistant", "content": start}] if start else [])]
            for question, start in asked
        ]
        replies = self._complete(chats, NEW_TOKENS, seed)
        return [
            start + (" " if start and reply[:1].isalnum() else "") + reply
            for (_, start), reply in zip(asked, replies, strict=True)
        ]


def first_sentences(reply: str, about: str, question: str) -> str | None:
    """The first sentence of a reply, with the second where both are short; None where it does not name the thing, is
    not finished, evades the question, or tells specifics, such as names that the question does not have."""
    whole = [part for part in sentences(reply.strip()) if part.endswith((".", "!"))]
    kept: list[str] = []
    for sentence in whole[:2]:
        length = len(" ".join([*kept, sentence]).split())
        if _UNFIT.search(sentence) or _new_names(sentence, question) or length > MOST_WORDS:
            break
        kept.append(sentence)
    text = " ".join(kept)
    thing_named = re.compile(rf"(?<!\w){re.escape(about.split()[-1])}", re.IGNORECASE)
    return text if len(text.split()) >= FEWEST_WORDS and thing_named.search(kept[0]) else None


def _new_names(sentence: str, question: str) -> bool:
    """Whether a word beyond the first has a capital that the question does not have: a name, and often a wrong one."""
    known = {word.lower() for word in re.findall(r"\w+", question)}
    return any(word[0].isupper() and word.lower() not in known for word in re.findall(r"\w+", sentence)[1:])
