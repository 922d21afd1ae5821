"""What a loss says about itself, and how losses make a method's terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Loss:
    """A loss as values of single tokens or rows; their mean over the whole optimizer step is what is minimised.

    values: takes one `Supervised` (or `LayerStates`) for each of `trains_on`, then its hyper-parameters where it has
    some; returns (N,), a value a token, or (B,), a value a row, as `mean_over` says. trains_on: parts of a batch:
    `augmented` (new answers), `refusal` ("I don't know"), `original` (the answers to forget), `retain`, `generic`.
    needs_reference: whether it compares with the vanilla model. reads: `logits` of the answer's tokens, or `layer`,
    the hidden states of one layer. ascends: it is a loss with its sign turned. skips: how many first tokens of a row
    have no value, given the hyper-parameters.
    """

    values: Callable[..., Tensor]
    trains_on: tuple[str, ...] = ("retain",)
    mean_over: Literal["tokens", "rows"] = "tokens"
    needs_reference: bool = False
    reads: Literal["logits", "layer"] = "logits"
    ascends: bool = False
    skips: Callable[[Any], int] | None = None


@dataclass(frozen=True)
class Term:
    """A loss as part of a method, weighted; name: in logs, `forget`, `retain_<loss>` or `generic_kl`."""

    name: str
    loss: Loss
    weight: float
    hyperparameters: tuple[Any, ...] = ()

    def count(self, row_lengths: Mapping[str, Sequence[int]]) -> int:
        """How many values the mean is taken over; row_lengths: part -> trained tokens of each row. At least 1."""
        lengths = row_lengths[self.loss.trains_on[0]]
        if self.loss.mean_over == "rows":
            return len(lengths)
        skipped = self.loss.skips(*self.hyperparameters) if self.loss.skips else 0
        return max(1, sum(max(0, length - skipped) for length in lengths))
