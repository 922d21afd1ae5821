"""What the vanilla model makes of the rows in training: computed each time, or once and kept (`unlearn.reference`).

What is kept are the last hidden states at supervised positions, (N, H), not log-probabilities, (N, V): these would take
V / H times the memory (31 times for Llama 3, 8B), and the best k of them would not be exact. The head makes the same
logits of them, so nothing is lost but the bits in which a batch with other padding differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from relearn_lite.data.examples import Example

if TYPE_CHECKING:
    from torch import Tensor

MOST_BYTES = 1e9  # of main memory that `auto` lets kept states take


def worth_keeping(rows: Iterable[Example], hidden_size: int, epochs: int) -> bool:
    """Whether keeping pays: the rows that the vanilla model is asked for come up again, and their states fit."""
    tokens = sum(len(row) - row.n_prompt for row in rows)
    return epochs > 1 and 0 < tokens * hidden_size * 4 <= MOST_BYTES


class Reference:
    """The vanilla model's hidden states of the rows in training.

    keep: keeps those of every row that was asked for, in main memory and the model's precision. Takes N x H x bytes
    for a data set of N supervised tokens: 441 answers of KnowUnDo 90 MB at 4096 wide in 16 bit, 3600 of TOFU 1.5 GB;
    checkpoints hold them too, for computed in other batches they differ in their last bits, and a run that is resumed
    would not end as one that was not. It saves the reference's forward pass from the second time on that a row is
    drawn.
    """

    def __init__(self, keep: bool) -> None:
        self.keep = keep
        self.kept: dict[tuple[str, int], Tensor] = {}

    def states(self, part: str, batch: dict[str, Tensor], rows: Tensor, compute: Callable[[], Tensor]) -> Tensor:
        """States (N, H) of a batch: kept ones where all its rows are known, else from `compute`, and kept.

        part: which set the rows are of; batch["index"]: (B,) their numbers in it; rows: (N,) the row of each position.
        """
        import torch

        if not self.keep:
            return compute()
        names = [(part, number) for number in batch["index"].tolist()]
        if all(name in self.kept for name in names):
            return torch.cat([self.kept[name] for name in names]).to(rows.device)
        states = compute()
        for row, name in enumerate(names):
            self.kept[name] = states[rows == row].detach().cpu()
        return states
