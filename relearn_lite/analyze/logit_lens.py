"""Knowledge memory: in which layers an answer takes shape, and how far they have moved.

The logit lens (nostalgebraist, 2020): the hidden state after each layer goes through the model's own final norm and
head, as if the later layers were not there. Layer 0 is the embeddings; the last one is the model's real output.

Shapes: `N` positions whose next token is supervised, `H` hidden size, `V` vocabulary, `L` layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from relearn_lite.analyze.aggregates import mean, median
from relearn_lite.analyze.answers import AnalyzedAnswer, answer_batches
from relearn_lite.analyze.architecture import Architecture, find_architecture, hidden_of, hooked
from relearn_lite.analyze.distribution import POSITIONS, Models
from relearn_lite.data.examples import IGNORE
from relearn_lite.metrics.declaration import SIDES
from relearn_lite.models.loaded import Loaded, active_adapters
from relearn_lite.models.logprobs import head_logits, supervised_hidden

if TYPE_CHECKING:
    from torch import Tensor


def layer_states(model, architecture: Architecture, batch: dict[str, Tensor]) -> list[Tensor]:
    """Hidden states (N, H) at supervised positions: the embeddings, then after each layer, before the final norm.

    Taken by hooks, so that only supervised positions are kept of each layer.
    """
    mask = batch["labels"][:, 1:] != IGNORE
    states: list[Tensor] = []

    def keep(layer, args, kwargs, output) -> None:
        if not states:
            states.append((args[0] if args else kwargs["hidden_states"])[:, :-1][mask])
        states.append(hidden_of(output)[:, :-1][mask])

    with hooked((layer, keep) for layer in architecture.layers):
        supervised_hidden(model, batch)
    return states


def lens_numbers(model, architecture: Architecture, state: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Probability and rank (1: the likeliest) of each label, (N,) both, as read off a layer's hidden states (N, H)."""
    import torch

    chances, ranks = [], []
    for hidden, wanted in zip(state.split(POSITIONS), labels.split(POSITIONS), strict=True):
        log_p = head_logits(model, architecture.norm(hidden)).log_softmax(-1)
        own = log_p.gather(-1, wanted[:, None])
        chances.append(own.exp().squeeze(-1))
        rank = (log_p > own).sum(-1) + 1.0
        ranks.append(rank.masked_fill(own.squeeze(-1).isnan(), math.nan))  # nothing is above what is no number
    return torch.cat(chances), torch.cat(ranks)


def distances(state: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """1 - cosine and relative L2, |h - reference| / |reference|, of hidden states (N, H): (N,) both."""
    from torch.nn.functional import cosine_similarity

    state, reference = state.float(), reference.float()
    relative = (state - reference).norm(dim=-1) / reference.norm(dim=-1).clamp(min=1e-12)
    return (1 - cosine_similarity(state, reference, dim=-1)).clamp(min=0), relative


def logit_lens(
    loaded: Loaded, answers: Sequence[AnalyzedAnswer], models: Models, *, batch_size: int,
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:  # fmt: skip
    """The layers of each model at the answers' telling tokens. The first of `models` is the one that knows.

    summary    by side and model, lists of L + 1 values: p (mean probability of the answer's token), likeliest (share
               of tokens that rank first), median_rank; and first_layer (mean over the tokens that ever rank first, of
               the first layer at which they do), never (share of tokens that do at no layer)
    distance   by side and other model, lists of L + 1 values: cosine (1 - cosine to the first model's hidden state)
               and relative_l2, means over tokens
    questions  one an answer: id, side, and by model first_layer of each telling token, None for never
    """
    import torch

    architecture, (known, *others) = find_architecture(loaded.model), models
    columns: dict[tuple[str, str], dict] = {answer.key: {} for answer in answers}
    with torch.no_grad():
        for chosen, batch in answer_batches(answers, batch_size, loaded, telling_only=True):
            ends, reference = np.cumsum([sum(answer.telling) for answer in chosen])[:-1], None
            for name, adapters in models.items():
                with active_adapters(loaded.model, adapters):
                    states = layer_states(loaded.model, architecture, batch)
                    found = _columns(loaded.model, architecture, states, batch["labels"], reference)
                reference = states if name == known else reference
                for column, values in found.items():
                    for answer, own in zip(chosen, np.split(values, ends, axis=1), strict=True):
                        columns[answer.key][name, column] = own
            advance(len(chosen))
    of_side = {side: [row for (of, _), row in columns.items() if of == side] for side in SIDES}
    return {
        "summary": {side: {name: _summary(rows, name) for name in models} for side, rows in of_side.items()},
        "distance": {side: {name: _distance(rows, name) for name in others} for side, rows in of_side.items()},
        "questions": [
            {"side": side, "id": id, "models": {name: {"first_layer": _first(row[name, "rank"])} for name in models}}
            for (side, id), row in columns.items()
        ],
    }


def _columns(
    model, architecture: Architecture, states: list[Tensor], labels: Tensor, reference: list[Tensor] | None
) -> dict[str, np.ndarray]:
    """One (L + 1, N) array a number."""
    import torch

    labels = labels[:, 1:][labels[:, 1:] != IGNORE]
    layers = [lens_numbers(model, architecture, state, labels) for state in states]
    columns = dict(zip(("p", "rank"), zip(*layers, strict=True), strict=True))
    if reference is not None:
        moved = [distances(state, old) for state, old in zip(states, reference, strict=True)]
        columns |= zip(("cosine", "relative_l2"), zip(*moved, strict=True), strict=True)
    return {name: torch.stack(values).cpu().numpy() for name, values in columns.items()}


def _by_layer(rows: Sequence[dict], name: str, column: str) -> np.ndarray:
    """(L + 1, tokens of all answers)."""
    return np.hstack([row[name, column] for row in rows]) if rows else np.empty((0, 0))


def _first(ranks: np.ndarray) -> list[int | None]:
    """For each token, the first layer at which it ranks first; None where it never does. ranks: (L + 1, N)."""
    return [next((layer for layer, rank in enumerate(token) if rank == 1), None) for token in ranks.T]


def _summary(rows: Sequence[dict], name: str) -> dict[str, Any]:
    ranks = _by_layer(rows, name, "rank")
    unknown = np.isnan(ranks)
    first = _first(ranks[:, ~unknown.any(0)])
    return {
        "p": list(map(mean, _by_layer(rows, name, "p"))),
        "likeliest": list(map(mean, np.where(unknown, np.nan, ranks == 1))),
        "median_rank": list(map(median, ranks)),
        "first_layer": mean(first),
        "never": mean(layer is None for layer in first),
    }


def _distance(rows: Sequence[dict], name: str) -> dict[str, Any]:
    return {column: list(map(mean, _by_layer(rows, name, column))) for column in ("cosine", "relative_l2")}
