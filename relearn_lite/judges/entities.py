"""Entities and core nouns of a text that its question does not give: by rule (embedded), or asked of a writer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from relearn_lite.core.errors import RecipeError
from relearn_lite.text.words import sentences, words

if TYPE_CHECKING:
    from relearn_lite.writers import Task, Writer

# English words that carry grammar, not content. Other languages have no such list here: their short function words
# then count as entities, which makes an answer look more remembered than it is, never more forgotten.
STOP_WORDS = frozenset(
    """
    a about above across after again against all almost alone along already also although always am among an and
    another any anyone anything are around as at away be became because become becomes been before behind being below
    between both but by can cannot could did do does doing done down due during each either else enough etc even ever
    every everyone everything few for from further get gets give given gives go goes got had has have having he hence
    her here hers herself him himself his how however i if in indeed instead into is it its itself just kept know known
    least less like made main mainly make makes many may maybe me might more most mostly much must my myself near nearly
    neither never no nobody none nor not nothing now of off often on once one only onto or other others our ours out
    over own particular particularly per perhaps quite rather really same see seem seems seen several she should since
    so some someone something sometimes such than that the their theirs them themselves then there thereby therefore
    these they thing things this those though through throughout thus to together too toward towards under unless until
    up upon us use used uses using usually various very via was way ways we well were what when where whether which
    while who whom whose why will with within without would yes yet you your yours
    """.split()
)
POLARITY = ("yes", "no")
ORDINAL = re.compile(r"^(\d+)(?:st|nd|rd|th)$")


class RuleEntities:
    """Content words that are not in the question: names, numbers, and words of three letters or more.

    A word of two letters counts only with a digit, or with a capital inside a sentence (a name such as Li). An
    answer that adds nothing to its question but yes or no has that as its one entity.
    """

    name = "content words that the question does not give"
    embedded = True

    def extract(self, items: Sequence[tuple[str, str]]) -> list[list[str] | None]:
        return [self._of(question, text) for question, text in items]

    def _of(self, question: str, text: str) -> list[str]:
        asked = {normal_form(word) for word in words(question)}
        found = {
            form: None
            for sentence in sentences(text)
            for position, word in enumerate(words(sentence))
            if (form := normal_form(word)) not in asked and _is_content(word, form, position)
        }
        opening = next(iter(words(text[:20])), "").lower()
        return list(found) or ([opening] if opening in POLARITY else [])


def normal_form(word: str) -> str:
    """Lower case, without a possessive or plural s, an ordinal's ending, or a comma between thousands."""
    form = re.sub(r"['’]s?$", "", word.casefold())
    form = ORDINAL.sub(r"\1", form)
    if form[:1].isdigit():
        return re.sub(r"(?<=\d),(?=\d{3})", "", form)
    return form[:-1] if len(form) > 4 and form.endswith("s") and not form.endswith(("ss", "us", "is")) else form


def _is_content(word: str, form: str, position: int) -> bool:
    if any(char.isdigit() for char in word) or not word.isascii():
        return form not in STOP_WORDS
    if form in STOP_WORDS or word.casefold() in STOP_WORDS:
        return False
    return len(form) >= 3 or (len(form) == 2 and word[0].isupper() and position > 0)


class PromptedEntities:
    """Asks a writer (a local instruct model, or a server) for the entities of texts.

    What was had once is kept: the reference answers are the same for every model that is judged. A writer that cannot
    be reached, or refuses, is a failure of every text; `fault` then says what it said.
    """

    embedded = False

    def __init__(self, writer: Writer):
        self.writer = writer
        self.name = f"entities listed by {writer.name}"
        self.fault: str | None = None
        self._known: dict[tuple[str, str], list[str]] = {}

    def extract(self, items: Sequence[tuple[str, str]]) -> list[list[str] | None]:
        from relearn_lite.writers import Task
        from relearn_lite.writers.prompted import entity_list

        self._known |= {item: [] for item in items if not item[1].strip()}  # nothing to ask about
        open_items = [item for item in dict.fromkeys(items) if item not in self._known]
        tasks = [Task(kind="entities", question=question, text=text) for question, text in open_items]
        replies, self.fault = ask(self.writer, tasks)
        for item, reply in zip(open_items, replies, strict=True):
            entities = None if reply is None else entity_list(reply)
            if entities is not None:
                self._known[item] = entities
        return [self._known.get(item) for item in items]


def ask(writer: Writer, tasks: Sequence[Task]) -> tuple[list[str | None], str | None]:
    """(replies, fault): a writer that cannot be had at all has failed for every task, and `fault` says why.

    Answers are not lost to a judge that is down: what depends on it is missing, the rest is measured.
    """
    if not tasks:
        return [], None
    try:
        return writer.write(tasks), None
    except RecipeError as error:
        return [None] * len(tasks), " ".join(error.problems)
