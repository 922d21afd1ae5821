"""Micro-batches of training rows: like lengths together, in a seeded order, from a loader that can be resumed.

An optimizer step has `accumulate` micro-batches on each of `world_size` processes; the last step of an epoch has what
is left. Each micro-batch knows the rows of its whole step (`row_lengths`), so that a loss can be a share of the step's
mean and the gradient comes out the same however the rows are divided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING, Any

from relearn_lite.data.examples import Example, collate

if TYPE_CHECKING:
    from torch import Tensor

# parts: augmented, original, refusal, retain, generic -> input_ids, attention_mask, labels (B, T) and index (B,), the
#        rows' numbers in their data set
# row_lengths: part -> trained tokens of every row of the whole optimizer step, over all micro-batches and processes
# n_tokens: tokens computed here, prompts included
# counted: False where rows are only repeated, to keep a process in step with the others; they weigh nothing
Batch = dict[str, Any]


def steps_per_epoch(rows: int, batch_size: int, per_step: int) -> int:
    """Optimizer steps to see so many rows once, where a step has `per_step` batches of `batch_size`."""
    return ceil(ceil(rows / batch_size) / per_step)


class LengthGroupedSampler:
    """An endless, seeded order of batches over a data set: pass after pass, shuffled anew, like lengths together."""

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int):
        self.lengths, self.batch_size, self.seed = lengths, batch_size, seed
        self.per_pass = -(-len(lengths) // batch_size)
        self._order: tuple[int, list[list[int]]] = (-1, [])

    def __getitem__(self, number: int) -> list[int]:
        """Row indices of batch `number`, a function of (seed, number) alone: any batch can be had again."""
        shuffle, place = divmod(number, self.per_pass)
        if self._order[0] != shuffle:
            self._order = (shuffle, self._shuffled(shuffle))
        return self._order[1][place]

    def _shuffled(self, number: int) -> list[list[int]]:
        import torch

        generator = torch.Generator().manual_seed(self.seed * 100_003 + number)
        order = torch.randperm(len(self.lengths), generator=generator).tolist()
        window = 16 * self.batch_size  # sorting within windows keeps batches random, padding small
        grouped = [
            row
            for start in range(0, len(order), window)
            for row in sorted(order[start : start + window], key=lambda i: self.lengths[i])
        ]
        batches = [grouped[i : i + self.batch_size] for i in range(0, len(grouped), self.batch_size)]
        return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]


@dataclass(frozen=True)
class TrainingRows:
    """What a training learns from.

    forget: one mapping a row, from each part that the forget loss wants (`augmented`, `refusal`, `original`) to its
    Example. retain: Examples, or empty where no retain loss is used; generic: likewise, of general questions.
    """

    forget: Sequence[Mapping[str, Example]]
    retain: Sequence[Example] = ()
    generic: Sequence[Example] = ()


@dataclass(frozen=True)
class _Planned:
    """A micro-batch that is still to be made: its number in the samplers, the numbers of its step, what it holds."""

    number: int
    step: tuple[int, ...]
    sides: tuple[str, ...]
    counted: bool


class MicroBatches:
    """The training loader: each micro-batch holds forget rows, `retain_rows` times as many retain rows, and as many
    generic rows as forget rows.

    sides_apart: forget rows and the others come in micro-batches of their own, all forget rows of a step first;
    gradient masks need that. rank, world_size: which process this is.

    Lightning saves and restores `state_dict`, so a run that was killed in the middle of an epoch goes on with the very
    next micro-batch.
    """

    def __init__(
        self, rows: TrainingRows, *, batch_size: int, pad_id: int, seed: int, accumulate: int = 1, retain_rows: int = 1,
        sides_apart: bool = False, rank: int = 0, world_size: int = 1,
    ):  # fmt: skip
        self._rows = {part: [row[part] for row in rows.forget] for part in rows.forget[0]}
        self.pad_id = pad_id
        self.accumulate, self.rank, self.world_size = accumulate, rank, world_size
        kept = {"retain": (rows.retain, retain_rows, seed + 1), "generic": (rows.generic, 1, seed + 2)}
        self._kept = {
            part: (LengthGroupedSampler(list(map(len, examples)), batch_size * many, draw), examples)
            for part, (examples, many, draw) in kept.items() if examples
        }  # fmt: skip
        self._sides = (("forget",), ("kept",)) if sides_apart and self._kept else (("forget", "kept"),)
        self._forget = LengthGroupedSampler([max(map(len, row.values())) for row in rows.forget], batch_size, seed)
        self.done = 0

    @property
    def per_step(self) -> int:
        """Micro-batches of a full optimizer step on this process."""
        return self.accumulate * len(self._sides)

    @property
    def steps_per_epoch(self) -> int:
        return -(-self._forget.per_pass // (self.accumulate * self.world_size))

    def __len__(self) -> int:
        """Micro-batches of one epoch on this process."""
        whole, rest = divmod(self._forget.per_pass, self.accumulate * self.world_size)
        return whole * self.per_step + -(-rest // self.world_size) * len(self._sides)

    def __iter__(self) -> Iterator[Batch]:
        epoch, place = divmod(self.done, len(self))
        for planned in islice(self._planned(epoch), place, None):
            self.done += 1
            yield self._batch(planned)

    def _planned(self, epoch: int) -> Iterator[_Planned]:
        first, n = epoch * self._forget.per_pass, self._forget.per_pass
        for start in range(0, n, self.accumulate * self.world_size):
            step = tuple(range(first + start, first + min(n, start + self.accumulate * self.world_size)))
            for sides in self._sides:
                for offset in range(0, len(step), self.world_size):
                    mine = offset + self.rank
                    counted = mine < len(step)
                    yield _Planned(step[mine] if counted else step[0], step, sides, counted)

    def _batch(self, planned: _Planned) -> Batch:
        parts, row_lengths = {}, {}
        for part, sampler, rows in self._parts(planned.sides):
            chosen = sampler[planned.number]
            parts[part] = _numbered(chosen, [rows[i] for i in chosen], self.pad_id)
            row_lengths[part] = [len(rows[i]) - rows[i].n_prompt for number in planned.step for i in sampler[number]]
        return {
            "parts": parts, "row_lengths": row_lengths, "n_tokens": _n_tokens(parts), "counted": planned.counted
        }  # fmt: skip

    def _parts(self, sides: Sequence[str]) -> Iterator[tuple[str, LengthGroupedSampler, Sequence[Example]]]:
        if "forget" in sides:
            yield from ((part, self._forget, rows) for part, rows in self._rows.items())
        if "kept" in sides:
            yield from ((part, sampler, rows) for part, (sampler, rows) in self._kept.items())

    def state_dict(self) -> dict[str, Any]:
        return {"done": self.done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.done = state["done"]


def split_batch(batch: Batch, pieces: int) -> Iterator[Batch]:
    """A micro-batch's rows in so many pieces, for a step that did not fit in memory.

    A piece is as wide as its own longest row. It keeps the step's `row_lengths`, so its losses are still shares of the
    step's mean. A part with few rows is in the first pieces only.
    """
    rows = {part: len(tensors["labels"]) for part, tensors in batch["parts"].items()}
    size = -(-max(rows.values()) // pieces)
    for start in range(0, max(rows.values()), size):
        at = slice(start, start + size)
        parts = {part: _trimmed(tensors, at) for part, tensors in batch["parts"].items() if start < rows[part]}
        yield {**batch, "parts": parts, "n_tokens": _n_tokens(parts)}


def _n_tokens(parts: Mapping[str, Mapping[str, Tensor]]) -> int:
    return sum(int(tensors["attention_mask"].sum()) for tensors in parts.values())


def _trimmed(tensors: dict[str, Tensor], at: slice) -> dict[str, Tensor]:
    width = int(tensors["attention_mask"][at].sum(1).max())
    return {name: tensor[at, :width] if tensor.dim() == 2 else tensor[at] for name, tensor in tensors.items()}


def _numbered(numbers: Sequence[int], examples: Sequence[Example], pad_id: int) -> dict[str, Tensor]:
    """A collated batch, and as `index` (B,) the rows' numbers in their data set."""
    import torch

    return {**collate(examples, pad_id), "index": torch.tensor(numbers)}
