"""Where the probability went that the original answer's tokens lost.

Pushing one token down pushes others up, since probabilities sum to one: the seesaw of Xu et al. (ACL 2025), section 5.
Whether what goes up is a few fluent words or noise tells methods apart.

Shapes: `N` positions, `V` vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from relearn_lite.analyze.aggregates import rounded

if TYPE_CHECKING:
    from torch import Tensor

FEW = 5
GAINERS = 12  # tokens kept of those that gained most


class ProbabilityShift:
    """Adds up what moved from one distribution to another, batch by batch.

    words: (V,) bool, whether a token is a piece of a word.
    """

    def __init__(self, words: Tensor):
        import torch

        self.words, self.count = words, 0
        self.gained = torch.zeros(len(words), dtype=torch.float64, device=words.device)
        self.sums = dict.fromkeys(("moved", "lost", "to_words", "to_non_words", "to_five"), 0.0)

    def add(self, labels: Tensor, before: Tensor, after: Tensor) -> None:
        """labels: (N,) the original tokens; before, after: (N, V) probabilities."""
        change = after - before
        gain = change.clamp(min=0).scatter(-1, labels[:, None], 0.0)  # of the tokens beside the original one
        total, on_words = gain.sum(-1), gain[:, self.words].sum(-1)
        values = {
            "moved": change.abs().sum(-1) / 2,
            "lost": -change.gather(-1, labels[:, None]).squeeze(-1),
            "to_words": on_words,
            "to_non_words": (total - on_words).clamp(min=0),
            "to_five": gain.topk(min(FEW, gain.shape[-1]), dim=-1).values.sum(-1) / total.clamp(min=1e-12),
        }
        for name, value in values.items():
            self.sums[name] += value.sum().item()
        self.gained += gain.double().sum(0)
        self.count += len(labels)

    def result(self, tokenizer) -> dict[str, Any] | None:
        """Means over all positions, in probability; None where there was no position.

        moved         how much changed: total variation, half the sum of all |changes|
        lost          by the original token; negative where it gained
        to_words, to_non_words   what the other tokens gained
        to_five       share of this gain that went to the five tokens that gained most at the position
        gainers       tokens that gained most over all positions: token, gained, word
        """
        if not self.count:
            return None
        gained, ids = self.gained.topk(min(GAINERS, len(self.gained)))
        gainers = [
            {"token": tokenizer.decode([token]), "gained": rounded(value / self.count), "word": bool(self.words[token])}
            for token, value in zip(ids.tolist(), gained.tolist(), strict=True)
        ]
        return {name: rounded(total / self.count) for name, total in self.sums.items()} | {"gainers": gainers}
