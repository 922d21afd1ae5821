"""The vanilla model's hidden states of the rows in training: computed each time, or kept (`unlearn.reference`).

Hidden states at supervised positions (N, H) are kept, not log-probabilities (N, V): these would take V / H times the
memory (31 times for Llama 3, 8B), and the best k of them would not be exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from relearn_lite.data.examples import Example

if TYPE_CHECKING:
    from torch import Tensor

MOST_BYTES = 1e9  # of main memory that `auto` lets kept states take


def worth_keeping(rows: Iterable[Example], hidden_size: int, epochs: int | str) -> bool:
    """Whether keeping pays: the rows that the vanilla model is asked for come up again, and their states fit."""
    tokens = sum(len(row) - row.n_prompt for row in rows)
    return (epochs == "auto" or epochs > 1) and 0 < tokens * hidden_size * 4 <= MOST_BYTES


class Reference:
    """The vanilla model's hidden states of the rows in training.

    keep: keeps those of every row from the first time on, in main memory and the model's precision. Checkpoints hold
    them too: computed again in other batches they differ in their last bits, and a resumed run would end otherwise.
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
