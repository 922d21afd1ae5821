"""Knowledge circuits: which heads and MLPs hold the answers, which of them a method changed, and what this changed.

Three numbers for each component, on the answers' telling tokens, for forget and for retain questions:

holds     what the vanilla model loses, in log-probability (nats a token), when the component writes only its mean over
          all tokens: how much of the answer rests on it
restores  what the unlearned model gains when the component writes what it writes in the vanilla model: how much of the
          loss is in it (activation patching: Vig et al., 2020; Meng et al., 2022)
moved     how far what the component writes has gone from the vanilla's: |difference| / |vanilla's|, over all these
          tokens

Effects of components do not add up to the whole: they depend on one another.
Tables by component are (layers, heads + 1), last in each row the MLP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from relearn_lite.analyze.activation_patching import Activations, patched_logprob, project, record
from relearn_lite.analyze.aggregates import mean, rank_correlation, rounded
from relearn_lite.analyze.answers import AnalyzedAnswer, answer_batches
from relearn_lite.analyze.architecture import Architecture, find_architecture
from relearn_lite.analyze.attribution_patching import attributed
from relearn_lite.analyze.distribution import Models
from relearn_lite.data.examples import IGNORE
from relearn_lite.metrics.declaration import SIDES
from relearn_lite.models.loaded import Loaded

if TYPE_CHECKING:
    from torch import Tensor

MOST_RUNS = 2000  # forward passes up to which `auto` patches each component in turn
FIXED_RUNS = 3  # a batch: vanilla, unlearned, everything patched
TOP_SHARE = 0.1  # of the components: those that "hold most"
Advance = Callable[[int], None]


def choose_method(
    loaded: Loaded, answers: Sequence[AnalyzedAnswer], batch_size: int, method: str
) -> tuple[str, int]:
    """The method that is meant (`auto` resolved), and how many forward passes it takes."""
    sides = [sum(answer.side == side for answer in answers) for side in SIDES]
    batches = sum(-(-count // batch_size) for count in sides)
    for_means = -(-len(answers) // batch_size)
    patching = for_means + batches * (FIXED_RUNS + 2 * len(find_architecture(loaded.model).components))
    if method == "auto":
        method = "patching" if patching <= MOST_RUNS else "attribution"
    return method, patching if method == "patching" else for_means + batches * (FIXED_RUNS + 2)


def circuits(
    loaded: Loaded, answers: Sequence[AnalyzedAnswer], models: Models, *, method: str, batch_size: int,
    advance: Advance = lambda _: None,
) -> dict[str, Any]:  # fmt: skip
    """The components of the network, for a pair of models: the one that knows and the one that was changed.

    method: `patching` (one run a component) or `attribution` (one backward pass for all, to first order).

    sides    by side: logprob (of the answers' telling tokens, nats a token, by model), everything (the same with all
             components of the changed model patched: that of the model that knows, but for rounding) and parts: layer,
             head (None: the MLP), holds, restores, moved. None for a side without questions
    summary  see `_summary`
    """
    import torch

    architecture = find_architecture(loaded.model)
    known, changed = models.values()
    sides = {}
    with torch.no_grad():
        means = mean_activations(loaded, architecture, answers, known, batch_size, advance)
        for side in SIDES:
            totals = _Totals(architecture)
            for rows, batch in answer_batches(
                [answer for answer in answers if answer.side == side], batch_size, loaded, telling_only=True
            ):
                totals.add(loaded.model, batch, (known, changed), means, method, advance)
                totals.rows += len(rows)
            sides[side] = totals.result(list(models)) if totals.rows else None
    return {
        "method": method,
        "layers": len(architecture.layers),
        "heads": architecture.heads,
        "sides": sides,
        "summary": {side: None if values is None else _summary(values["parts"]) for side, values in sides.items()},
    }


def mean_activations(
    loaded: Loaded, architecture: Architecture, answers: Sequence[AnalyzedAnswer], adapters: tuple[str, ...],
    batch_size: int, advance: Advance,
) -> Activations:  # fmt: skip
    """What each component does on average over all tokens, prompts included, of these questions and answers."""
    sums: list[Tensor] = []
    tokens = 0
    for _, batch in answer_batches(answers, batch_size, loaded):
        run, _ = record(loaded.model, architecture, batch, adapters)
        real = batch["attention_mask"].bool()
        added = [states[real].double().sum(0) for states in (*run.heads, *run.mlps)]
        sums = [total + new for total, new in zip(sums, added, strict=True)] if sums else added
        tokens += int(real.sum())
        advance(1)
    like = (*run.heads, *run.mlps)
    means = [(total / tokens).to(states.dtype)[None, None] for total, states in zip(sums, like, strict=True)]
    return Activations(means[: len(run.heads)], means[len(run.heads) :], adapters)


class _Totals:
    """Sums over the answers of one side: log-probabilities, and tables by component."""

    def __init__(self, architecture: Architecture):
        import torch

        self.architecture = architecture
        self.rows = 0
        self.known = self.changed = self.everything = 0.0
        shape = len(architecture.layers), architecture.heads + 1
        self.holds, self.restores, self.difference, self.size = torch.zeros(4, *shape, dtype=torch.float64)

    def add(self, model, batch, adapters, means: Activations, method: str, advance: Advance) -> None:
        """One batch. adapters: of the model that knows, and of the one that was changed."""
        architecture, (known, changed) = self.architecture, adapters
        before, known_logprob = record(model, architecture, batch, known)
        after, changed_logprob = record(model, architecture, batch, changed)
        whole = patched_logprob(model, architecture, batch, changed, before, architecture.components)
        self.known += known_logprob.sum().item()
        self.changed += changed_logprob.sum().item()
        self.everything += whole.sum().item()
        advance(FIXED_RUNS)
        self._add_distances(batch, before, after)
        if method == "attribution":
            self.holds -= attributed(model, architecture, batch, before, means)
            self.restores += attributed(model, architecture, batch, after, before)
            advance(2)
        else:
            self.holds -= self._patch_each(model, batch, known, means, known_logprob, advance)
            self.restores += self._patch_each(model, batch, changed, before, changed_logprob, advance)

    def _patch_each(
        self, model, batch, adapters: tuple[str, ...], source: Activations, unpatched: Tensor, advance: Advance
    ) -> Tensor:
        """Change of the rows' summed log-probability by patching one component at a time, by component."""
        import torch

        effects = []
        for component in self.architecture.components:
            logprob = patched_logprob(model, self.architecture, batch, adapters, source, [component])
            effects.append((logprob - unpatched).sum().item())
            advance(1)
        return torch.tensor(effects, dtype=torch.float64).view(-1, self.architecture.heads + 1)

    def _add_distances(self, batch: dict[str, Tensor], before: Activations, after: Activations) -> None:
        """Squared lengths of what the components write before, and of its change."""
        mask = batch["labels"][:, 1:] != IGNORE
        for layer in range(len(self.architecture.layers)):
            old, new = (_written(self.architecture, run, layer, mask) for run in (before, after))
            self.difference[layer] += (new - old).square().sum((1, 2)).cpu()
            self.size[layer] += old.square().sum((1, 2)).cpu()

    def result(self, names: Sequence[str]) -> dict[str, Any]:
        moved = (self.difference / self.size.clamp(min=1e-30)).sqrt()
        tables = {"holds": self.holds / self.rows, "restores": self.restores / self.rows, "moved": moved}
        parts = [
            {"layer": layer, "head": head}
            | {name: rounded(table[layer, -1 if head is None else head].item()) for name, table in tables.items()}
            for layer, head in self.architecture.components
        ]
        logprob = [rounded(total / self.rows) for total in (self.known, self.changed)]
        return {
            "logprob": dict(zip(names, logprob, strict=True)),
            "everything": rounded(self.everything / self.rows),
            "parts": parts,
        }


def _written(architecture: Architecture, run: Activations, layer: int, mask: Tensor) -> Tensor:
    """What each head and, last, the MLP of a layer writes at N supervised positions, a bias left out.

    -> (heads + 1, N, H)
    """
    import torch

    projection, heads = architecture.projections[layer], run.heads[layer][:, :-1][mask]
    sliced = heads.unflatten(-1, (architecture.heads, -1))
    alone = torch.zeros_like(sliced).expand(architecture.heads, *sliced.shape).clone()  # head h alone, the others 0
    for head in range(architecture.heads):
        alone[head, :, head] = sliced[:, head]
    bias = project(projection, heads.new_zeros(1, heads.shape[-1]), run.adapters)
    written = project(projection, alone.flatten(-2), run.adapters) - bias
    return torch.cat([written.float(), run.mlps[layer][:, :-1][mask][None].float()])


def _summary(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """`holders` and `restorers` (the tenth of the components with the largest effect, as [layer, head or None]),
    `moved` (mean over all), `moved_of_holders`, `agreement` (rank correlation of holds and restores over all: 1 where
    the method changed just what held the answers).
    """

    def largest(column: str) -> list[dict[str, Any]]:
        known = [part for part in parts if part[column] is not None]
        return sorted(known, key=lambda part: -part[column])[: max(3, round(TOP_SHARE * len(parts)))]

    both = [part for part in parts if part["holds"] is not None and part["restores"] is not None]
    return {
        "holders": [[part["layer"], part["head"]] for part in largest("holds")],
        "restorers": [[part["layer"], part["head"]] for part in largest("restores")],
        "moved": mean(part["moved"] for part in parts),
        "moved_of_holders": mean(part["moved"] for part in largest("holds")),
        "agreement": rank_correlation([part["holds"] for part in both], [part["restores"] for part in both]),
    }
