"""Knowledge circuits: which heads and MLPs hold the answers, which of them a method changed, and what this changed.

Three numbers for each part, on the answers' telling tokens, for forget and for retain questions:

holds     what the vanilla model loses, in log-probability (nats a token), when the part writes only its mean over all
          tokens: how much of the answer rests on this part
restores  what the unlearned model gains when the part writes what it writes in the vanilla model: how much of the loss
          is in this part (activation patching: Vig et al., 2020; Meng et al., 2022)
moved     how far what the part writes has gone from the vanilla's: |difference| / |vanilla's|, over all these tokens

Effects of parts do not add up to the whole: parts depend on one another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from relearn_lite.analyze.anatomy import Anatomy, anatomy
from relearn_lite.analyze.attribution import attributed
from relearn_lite.analyze.distribution import Models
from relearn_lite.analyze.numbers import mean, plain, rank_correlation
from relearn_lite.analyze.patching import Part, Recording, patched_logprob, record, written
from relearn_lite.analyze.probes import SIDES, Probe, batched
from relearn_lite.data.examples import IGNORE
from relearn_lite.models.loaded import Loaded

if TYPE_CHECKING:
    from torch import Tensor

MOST_RUNS = 2000  # forward passes up to which `auto` patches each part in turn
FIXED_RUNS = 3  # a batch: vanilla, unlearned, everything patched
TOP_SHARE = 0.1  # of the parts: those that "hold most"


def plan(loaded: Loaded, probes: Sequence[Probe], batch_size: int, method: str) -> tuple[str, int]:
    """The method that is meant (`auto` resolved), and how many forward passes it takes."""
    sides = [sum(probe.side == side for probe in probes) for side in SIDES]
    batches = sum(-(-count // batch_size) for count in sides)
    means = -(-len(probes) // batch_size)
    patching = means + batches * (FIXED_RUNS + 2 * len(anatomy(loaded.model).parts))
    if method == "auto":
        method = "patching" if patching <= MOST_RUNS else "attribution"
    return method, patching if method == "patching" else means + batches * (FIXED_RUNS + 2)


def circuits(
    loaded: Loaded,
    probes: Sequence[Probe],
    models: Models,
    *,
    method: str,
    batch_size: int,
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """The parts of the network, for a pair of models: the one that knows and the one that was changed.

    method: `patching` (one run a part) or `attribution` (one backward pass for all parts, to first order).

    sides    by side: logprob (of the answers' telling tokens, nats a token, by model), everything (the same with all
             parts of the changed model patched: that of the model that knows, but for rounding) and parts: layer, head
             (None: the MLP), holds, restores, moved. None for a side without questions
    summary  see `summary`
    """
    import torch

    parts = anatomy(loaded.model)
    known, changed = models.values()
    with torch.no_grad():
        means = mean_recording(loaded, parts, probes, known, batch_size, advance)
        sides = {}
        for side in SIDES:
            rows = [probe for probe in probes if probe.side == side]
            total = _Side(parts)
            for _, batch in batched(rows, batch_size, loaded, telling_only=True):
                total.add(loaded.model, batch, (known, changed), means, method, advance)
            sides[side] = total.result(list(models), len(rows))
    return {
        "method": method,
        "layers": len(parts.layers),
        "heads": parts.heads,
        "sides": sides,
        "summary": summary(sides),
    }


def mean_recording(
    loaded: Loaded, parts: Anatomy, probes: Sequence[Probe], adapters, batch_size: int, advance: Callable[[int], None]
) -> Recording:
    """What each part does on average over all tokens, prompts included, of these questions and answers."""
    heads, mlps, tokens = None, None, 0
    for _, batch in batched(probes, batch_size, loaded):
        run, _ = record(loaded.model, parts, batch, adapters)
        real = batch["attention_mask"].bool()
        added = [[states[real].double().sum(0) for states in kind] for kind in (run.heads, run.mlps)]
        if heads is None:
            heads, mlps, like = *added, run
        else:
            heads = [total + new for total, new in zip(heads, added[0], strict=True)]
            mlps = [total + new for total, new in zip(mlps, added[1], strict=True)]
        tokens += int(real.sum())
        advance(1)
    return Recording(
        [(total / tokens).to(old.dtype)[None, None] for total, old in zip(heads, like.heads, strict=True)],
        [(total / tokens).to(old.dtype)[None, None] for total, old in zip(mlps, like.mlps, strict=True)],
        adapters,
    )


class _Side:
    """Adds up the numbers of all parts over the batches of one side."""

    def __init__(self, parts: Anatomy):
        self.parts = parts
        self.known = self.changed = self.everything = 0.0
        self.holds = dict.fromkeys(parts.parts, 0.0)
        self.restores = dict.fromkeys(parts.parts, 0.0)
        self.difference = dict.fromkeys(parts.parts, 0.0)  # squared
        self.size = dict.fromkeys(parts.parts, 0.0)  # squared

    def add(self, model, batch, adapters, means: Recording, method: str, advance: Callable[[int], None]) -> None:
        parts, (known, changed) = self.parts, adapters
        before, known_logprob = record(model, parts, batch, known)
        after, changed_logprob = record(model, parts, batch, changed)
        self.known += known_logprob.sum().item()
        self.changed += changed_logprob.sum().item()
        self.everything += patched_logprob(model, parts, batch, changed, before, parts.parts).sum().item()
        advance(FIXED_RUNS)
        self._distances(batch, before, after)
        if method == "attribution":
            lost = attributed(model, parts, batch, before, means)
            gained = attributed(model, parts, batch, after, before)
            advance(2)
        else:
            lost = _patch_each(model, parts, batch, (known, means), known_logprob, advance)
            gained = _patch_each(model, parts, batch, (changed, before), changed_logprob, advance)
        for part in parts.parts:
            self.holds[part] -= lost[part]
            self.restores[part] += gained[part]

    def _distances(self, batch: dict[str, Tensor], before: Recording, after: Recording) -> None:
        mask = batch["labels"][:, 1:] != IGNORE
        for layer in range(len(self.parts.layers)):
            old, new = (_writings(self.parts, run, layer, mask) for run in (before, after))
            for number, part in enumerate(part for part in self.parts.parts if part[0] == layer):
                self.difference[part] += (new[number] - old[number]).square().sum().item()
                self.size[part] += old[number].square().sum().item()

    def result(self, names: Sequence[str], rows: int) -> dict[str, Any] | None:
        """None where the side has no questions."""
        if not rows:
            return None
        values = [
            {
                "layer": layer,
                "head": head,
                "holds": plain(self.holds[layer, head] / rows),
                "restores": plain(self.restores[layer, head] / rows),
                "moved": plain((self.difference[layer, head] / max(self.size[layer, head], 1e-30)) ** 0.5),
            }
            for layer, head in self.parts.parts
        ]
        logprob = dict(zip(names, (plain(self.known / rows), plain(self.changed / rows)), strict=True))
        return {"logprob": logprob, "everything": plain(self.everything / rows), "parts": values}


def _patch_each(model, parts: Anatomy, batch, host_and_donor, without: Tensor, advance) -> dict[Part, float]:
    """Change of the rows' summed log-probability by patching one part at a time."""
    host, donor = host_and_donor
    effects = {}
    for part in parts.parts:
        effects[part] = (patched_logprob(model, parts, batch, host, donor, [part]) - without).sum().item()
        advance(1)
    return effects


def _writings(parts: Anatomy, run: Recording, layer: int, mask: Tensor) -> list[Tensor]:
    """What each head and, last, the MLP of a layer writes at supervised positions: (N, H) each, a bias left out."""
    projection, heads = parts.projections[layer], run.heads[layer][:, :-1][mask]
    alone = heads.new_zeros(parts.heads, *heads.shape)  # head h alone, the other slices 0
    sliced, width = heads.unflatten(-1, (parts.heads, -1)), heads.shape[-1] // parts.heads
    for head in range(parts.heads):
        alone[head, :, head * width : (head + 1) * width] = sliced[:, head]
    bias = written(projection, heads.new_zeros(1, heads.shape[-1]), run.adapters)
    return [*(written(projection, alone, run.adapters) - bias).float(), run.mlps[layer][:, :-1][mask].float()]


def summary(sides: dict[str, Any]) -> dict[str, Any]:
    """By side: `holders` and `restorers` (the tenth of the parts with the largest effect, as [layer, head or None]),
    `moved` (mean over all parts), `moved_of_holders`, `agreement` (rank correlation of holds and restores over all
    parts: 1 where the method changed just what held the answers).
    """
    return {side: None if values is None else _of_side(values["parts"]) for side, values in sides.items()}


def _of_side(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
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
