"""A batch in pieces of fewer rows, for a step that did not fit in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Batch = dict[str, dict[str, "Tensor"]]  # part (augmented, original, retain) -> input_ids, attention_mask, labels, index


def split(batch: Batch, pieces: int) -> Iterator[tuple[Batch, dict[str, float]]]:
    """A batch's rows in so many pieces, each with the share of every part's rows that it holds.

    Terms are means over rows or tokens, so pieces are weighted by their share of the rows, as gradient accumulation
    weights batches. A piece is as wide as its own longest row. A part with few rows is in the first pieces only.
    """
    if pieces == 1:
        yield batch, dict.fromkeys(batch, 1.0)
        return
    rows = {part: len(tensors["labels"]) for part, tensors in batch.items()}
    size = -(-max(rows.values()) // pieces)
    for start in range(0, max(rows.values()), size):
        at = slice(start, start + size)
        held = {part: _trimmed(tensors, at) for part, tensors in batch.items() if start < rows[part]}
        yield held, {part: len(held[part]["labels"]) / rows[part] for part in held}


def _trimmed(tensors: dict[str, Tensor], at: slice) -> dict[str, Tensor]:
    width = int(tensors["attention_mask"][at].sum(1).max())
    return {name: tensor[at, :width] if tensor.dim() == 2 else tensor[at] for name, tensor in tensors.items()}
