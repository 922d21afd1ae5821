"""The answers that an analysis looks at: a few of each side, and which of their tokens tell something.

Shapes: `B` rows, `T` tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from relearn_lite.core.records import QA
from relearn_lite.data.examples import IGNORE, Example, encode_answer
from relearn_lite.judges.entities import content_words, word_form
from relearn_lite.metrics.declaration import SIDES
from relearn_lite.models.generation import batches_of
from relearn_lite.models.scoring import to_batch, without_end
from relearn_lite.text.words import script, words

if TYPE_CHECKING:
    from torch import Tensor


TORN = "\ufffd"  # what a character decodes to while some of its tokens are missing


@dataclass(frozen=True)
class AnalyzedAnswer:
    """A question and its original answer as the model reads them.

    example: ends with the answer's last token; the token that ends the turn is left out, since it tells nothing.
    telling: for each token of the answer, whether it is part of a content word that the question does not give.
    """

    id: str
    side: str  # forget or retain
    example: Example
    telling: tuple[bool, ...]

    @property
    def key(self) -> tuple[str, str]:
        """Ids are unique within a side only."""
        return self.side, self.id

    @property
    def tokens(self) -> tuple[int, ...]:
        """Token ids of the answer."""
        return self.example.ids[self.example.n_prompt :]


def choose_answers(tokenizer, questions: Mapping[str, Sequence[QA]], count: int) -> list[AnalyzedAnswer]:
    """`count` answers of each side, spread evenly over its rows: data sets are often sorted by person or topic."""
    chosen = []
    for side in SIDES:
        rows = questions[side]
        taken = min(count, len(rows))
        chosen += [_encoded(tokenizer, rows[i * len(rows) // taken], side) for i in range(taken)]
    return [answer for answer in chosen if answer.telling]


def _encoded(tokenizer, qa: QA, side: str) -> AnalyzedAnswer:
    example = without_end(encode_answer(tokenizer, qa.question, qa.answer))
    return AnalyzedAnswer(qa.id, side, example, telling_tokens(tokenizer, qa, example.ids[example.n_prompt :]))


def telling_tokens(tokenizer, qa: QA, tokens: Sequence[int]) -> tuple[bool, ...]:
    """For each token of an answer, whether it overlaps a content word that the question does not give.

    An answer without any tells by all its tokens.
    """
    entities = content_words(qa.question, qa.answer)
    text = tokenizer.decode(tokens)
    spans, at = [], 0
    for word in words(text):
        start = text.find(word, at)
        if start < 0:
            continue
        if word_form(word) in entities:
            spans.append((start, start + len(word)))
        # Of a script without spaces, words are pairs of characters, and the next begins with this one's second.
        at = start + (1 if script(word[0]) in ("unspaced", "mark") else len(word))
    bounds = [(0, 0), *(_ends(tokenizer.decode(tokens[: i + 1])) for i in range(len(tokens)))]
    found = tuple(
        any(start < end and begin < stop for start, stop in spans) for (begin, _), (_, end) in pairwise(bounds)
    )
    return found if any(found) else (True,) * len(tokens)


def _ends(text: str) -> tuple[int, int]:
    """Where the whole characters of a text end, and where it ends itself: a character that is torn there counts one."""
    whole = len(text.rstrip(TORN))
    return whole, min(len(text), whole + 1)


def answer_batches(
    answers: Sequence[AnalyzedAnswer], size: int, loaded, *, telling_only: bool = False
) -> Iterator[tuple[list[AnalyzedAnswer], dict[str, Tensor]]]:
    """Answers in batches of like length, longest first, with their right-padded tensors on the model's device.

    telling_only: only tokens that tell are supervised. Supervised positions follow the order of the answers.
    """
    for rows in batches_of([answer.example.ids for answer in answers], size):
        chosen = [answers[i] for i in rows]
        batch = to_batch(loaded, [answer.example for answer in chosen])
        if telling_only:
            for labels, answer in zip(batch["labels"], chosen, strict=True):
                silent = [answer.example.n_prompt + n for n, tells in enumerate(answer.telling) if not tells]
                labels[silent] = IGNORE
        yield chosen, batch
