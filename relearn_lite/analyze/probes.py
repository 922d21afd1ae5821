"""The questions that an analysis looks at: a few of each side, with the tokens of the answers that tell something.

Shapes: `B` rows, `T` tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relearn_lite.core.records import QA
from relearn_lite.data.examples import IGNORE, Example, collate, encode_answer
from relearn_lite.judges.entities import RuleEntities, normal_form
from relearn_lite.models.generation import batches_of
from relearn_lite.text.words import words

if TYPE_CHECKING:
    from torch import Tensor

SIDES = ("forget", "retain")


@dataclass(frozen=True)
class Probe:
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
        """Tells a probe from all others: ids are unique within a side."""
        return self.side, self.id

    @property
    def answer(self) -> tuple[int, ...]:
        """Token ids of the answer."""
        return self.example.ids[self.example.n_prompt :]


def choose(tokenizer, questions: Mapping[str, Sequence[QA]], count: int) -> list[Probe]:
    """`count` questions of each side, spread evenly over its rows: data sets are often sorted by person or topic."""
    probes = []
    for side in SIDES:
        rows = questions[side]
        taken = min(count, len(rows))
        probes += [_probe(tokenizer, rows[i * len(rows) // taken], side) for i in range(taken)]
    return [probe for probe in probes if probe.telling]


def _probe(tokenizer, qa: QA, side: str) -> Probe:
    whole = encode_answer(tokenizer, qa.question, qa.answer)
    example = Example(whole.ids[:-1], whole.n_prompt)
    return Probe(qa.id, side, example, telling_tokens(tokenizer, qa, example.ids[example.n_prompt :]))


def telling_tokens(tokenizer, qa: QA, answer: Sequence[int]) -> tuple[bool, ...]:
    """For each token of an answer, whether it overlaps a content word that the question does not give.

    Content words are those that the embedded entity extractor finds. An answer without any tells by all its tokens.
    """
    (entities,) = RuleEntities().extract([(qa.question, qa.answer)])
    ends = [len(tokenizer.decode(answer[: i + 1])) for i in range(len(answer))]
    text = tokenizer.decode(answer)
    spans, at = [], 0
    for word in words(text):
        start = text.find(word, at)
        if start >= 0 and normal_form(word) in entities:
            spans.append((start, start + len(word)))
            at = start + len(word)
    found = tuple(
        any(start < end and begin < stop for start, stop in spans)
        for begin, end in zip([0, *ends[:-1]], ends, strict=True)
    )
    return found if any(found) else (True,) * len(answer)


def batched(
    probes: Sequence[Probe], size: int, loaded, *, telling_only: bool = False
) -> Iterator[tuple[list[Probe], dict[str, Tensor]]]:
    """Probes in batches of like length, longest first, with their right-padded tensors on the model's device.

    telling_only: only tokens that tell are supervised. Supervised positions follow the order of the probes.
    """
    for rows in batches_of([probe.example.ids for probe in probes], size):
        chosen = [probes[i] for i in rows]
        batch = collate([probe.example for probe in chosen], loaded.tokenizer.pad_token_id)
        if telling_only:
            for row, probe in enumerate(chosen):
                for offset, tells in enumerate(probe.telling):
                    if not tells:
                        batch["labels"][row, probe.example.n_prompt + offset] = IGNORE
        yield chosen, {name: tensor.to(loaded.device) for name, tensor in batch.items()}
