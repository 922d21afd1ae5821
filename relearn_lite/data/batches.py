"""From records to tensors: chat template, response mask, batches of like length, and a loader that can be resumed.

Shapes: `B` rows, `T` tokens. Training batches are padded on the right, to their own longest row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relearn_lite.data.tokens import as_chat, chat_tokens, continued, opened, spelled
from relearn_lite.errors import RecipeError
from relearn_lite.text.words import glue
from relearn_lite.unlearn.logprobs import IGNORE

if TYPE_CHECKING:
    from torch import Tensor

PLAIN_PROMPT = "Question: {question}\nAnswer:"  # for tokenizers without a chat template


@dataclass(frozen=True)
class Example:
    """One training row. Only the tokens from `n_prompt` on are trained."""

    ids: tuple[int, ...]
    n_prompt: int

    def __len__(self) -> int:
        return len(self.ids)


def chat_ids(tokenizer, messages: list[dict[str, str]]) -> list[int]:
    """Token ids of a conversation up to where the model is to answer, exactly as it is asked in generation."""
    return chat_tokens(tokenizer, messages) if tokenizer.chat_template else opened(tokenizer, _plain(messages))


def question_ids(tokenizer, question: str) -> list[int]:
    """Token ids of one question as the model is asked it."""
    return chat_ids(tokenizer, [{"role": "user", "content": question}])


def answered_ids(tokenizer, messages: list[dict[str, str]], answer: str) -> tuple[list[int], list[int]]:
    """Token ids of a conversation, as `chat_ids`, and of the answer to it, or the start of one, without its end."""
    if tokenizer.chat_template:
        return chat_ids(tokenizer, messages), spelled(tokenizer, answer)
    return continued(tokenizer, _plain(messages), " " + answer)


def _plain(messages: list[dict[str, str]]) -> str:
    return PLAIN_PROMPT.format(question="\n\n".join(message["content"] for message in messages))


def turn_end_id(tokenizer) -> int:
    """The token that ends an answer: what the chat template puts after one, else the end-of-text token."""
    if tokenizer.chat_template:
        mark = "answer-ends-here"
        turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": mark}]
        tail = as_chat(tokenizer, turns, to_answer=False).rpartition(mark)[2].strip()
        ids = tokenizer(tail, add_special_tokens=False).input_ids if tail else []
        if ids and ids[0] in tokenizer.added_tokens_decoder:
            return ids[0]
    return tokenizer.eos_token_id


def encode_answer(tokenizer, question: str, answer: str) -> Example:
    """A question in the chat template (or the plain prompt) and its answer, which alone is trained."""
    prompt, reply = answered_ids(tokenizer, [{"role": "user", "content": question}], answer)
    return Example((*prompt, *reply, turn_end_id(tokenizer)), len(prompt))


def encode_completion(tokenizer, start: str, rest: str) -> Example:
    """The start of a sentence and its rest as plain text, outside the chat template; the rest alone is trained."""
    prompt, reply = continued(tokenizer, start, glue(start + rest) + rest)
    return Example((*prompt, *reply, tokenizer.eos_token_id), len(prompt))


def check_lengths(examples: Mapping[str, Example], max_length: int, part: str) -> None:
    """Raises RecipeError where rows are longer than max_length: an answer cut in silence would be trained wrongly."""
    long = {name: len(example) for name, example in examples.items() if len(example) > max_length}
    if long:
        name = max(long, key=long.get)
        raise RecipeError(
            f"model.max_length: {max_length} tokens are too few for {len(long)} of {len(examples)} rows of {part} "
            f"(the longest, {name}, needs {long[name]}); set it to at least {long[name]}, or shorten these rows"
        )


def collate(examples: Sequence[Example], pad_id: int) -> dict[str, Tensor]:
    """Right-padded input_ids, attention_mask and labels (-100 where not trained), each (B, T)."""
    import torch

    width = max(map(len, examples))
    ids = torch.full((len(examples), width), pad_id)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, IGNORE)
    for row, example in enumerate(examples):
        n = len(example)
        ids[row, :n] = torch.tensor(example.ids)
        mask[row, :n] = 1
        labels[row, example.n_prompt : n] = ids[row, example.n_prompt : n]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def _numbered(numbers: Sequence[int], examples: Sequence[Example], pad_id: int) -> dict[str, Tensor]:
    """A collated batch, and as `index` (B,) the rows' numbers in their data set."""
    import torch

    return {**collate(examples, pad_id), "index": torch.tensor(numbers)}


class Stream:
    """An endless, seeded order of batches over a data set: pass after pass, shuffled anew, like lengths together."""

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int):
        self.lengths, self.batch_size, self.seed = lengths, batch_size, seed
        self.per_pass = -(-len(lengths) // batch_size)
        self._order: tuple[int, list[list[int]]] = (-1, [])

    def __getitem__(self, number: int) -> list[int]:
        """Row indices of batch `number`, a function of (seed, number) alone: any batch can be had again."""
        turn, place = divmod(number, self.per_pass)
        if self._order[0] != turn:
            self._order = (turn, self._shuffled(turn))
        return self._order[1][place]

    def _shuffled(self, turn: int) -> list[list[int]]:
        import torch

        generator = torch.Generator().manual_seed(self.seed * 100_003 + turn)
        order = torch.randperm(len(self.lengths), generator=generator).tolist()
        window = 16 * self.batch_size  # sorting within windows keeps batches random, padding small
        grouped = [
            row
            for start in range(0, len(order), window)
            for row in sorted(order[start : start + window], key=lambda i: self.lengths[i])
        ]
        batches = [grouped[i : i + self.batch_size] for i in range(0, len(grouped), self.batch_size)]
        return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]


class UnlearnBatches:
    """The training loader: each batch holds the forget rows of one step and as many retain rows.

    forget: one mapping a row, from the part that the forget term wants (`augmented`, `original`) to its Example.
    retain: Examples, or empty where no retain term is used. Lightning saves and restores `state_dict`, so a run that
    was killed in the middle of an epoch goes on with the very next batch.
    """

    def __init__(
        self,
        forget: Sequence[Mapping[str, Example]],
        retain: Sequence[Example],
        *,
        batch_size: int,
        pad_id: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
    ):
        self.forget, self.retain, self.pad_id = forget, retain, pad_id
        self.rank, self.world = rank, world
        self.done = 0
        self._forget = Stream([max(map(len, row.values())) for row in forget], batch_size, seed)
        self._retain = Stream([len(row) for row in retain], batch_size, seed + 1) if retain else None

    def __len__(self) -> int:
        """Batches of one epoch (on this device)."""
        return -(-self._forget.per_pass // self.world)

    def __iter__(self) -> Iterator[dict[str, dict[str, Tensor]]]:
        epoch, place = divmod(self.done, len(self))
        for step in range(place, len(self)):
            self.done += 1
            yield self._batch(epoch * self._forget.per_pass + (step * self.world + self.rank) % self._forget.per_pass)

    def _batch(self, number: int) -> dict[str, dict[str, Tensor]]:
        chosen = self._forget[number]
        batch = {
            part: _numbered(chosen, [self.forget[i][part] for i in chosen], self.pad_id)
            for part in self.forget[chosen[0]]
        }
        if self._retain:
            chosen = self._retain[number]
            batch["retain"] = _numbered(chosen, [self.retain[i] for i in chosen], self.pad_id)
        return batch

    def state_dict(self) -> dict[str, Any]:
        return {"done": self.done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.done = state["done"]
