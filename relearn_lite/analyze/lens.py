"""Knowledge memory: in which layers an answer takes shape, and how far they have moved.

The logit lens (nostalgebraist, 2020): the hidden state after each layer goes through the model's own final norm and
head, as if the later layers were not there. Layer 0 is the embeddings; the last one is the model's real output.

Shapes: `N` positions whose next token is supervised, `H` hidden size, `V` vocabulary, `L` layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from relearn_lite.analyze.anatomy import Anatomy, anatomy, tensor_of
from relearn_lite.analyze.distribution import POSITIONS, Models
from relearn_lite.analyze.numbers import mean, median, plain_list
from relearn_lite.analyze.probes import SIDES, Probe, batched
from relearn_lite.data.examples import IGNORE
from relearn_lite.models.loaded import Loaded, active_adapters
from relearn_lite.models.logprobs import head_logits, supervised_hidden

if TYPE_CHECKING:
    from torch import Tensor


def layer_states(model, parts: Anatomy, batch: dict[str, Tensor]) -> list[Tensor]:
    """Hidden states (N, H) at supervised positions: the embeddings, then after each layer, before the final norm.

    Taken by hooks, so that only supervised positions are kept of each layer.
    """
    mask = batch["labels"][:, 1:] != IGNORE
    states: list[Tensor] = []

    def keep(hidden: Tensor) -> None:
        states.append(hidden[:, :-1][mask])

    def before_first(_, args, named) -> None:
        keep(args[0] if args else named["hidden_states"])

    def after(_, args, output) -> None:
        keep(tensor_of(output))

    hooks = [parts.layers[0].register_forward_pre_hook(before_first, with_kwargs=True)]
    hooks += [layer.register_forward_hook(after) for layer in parts.layers]
    try:
        supervised_hidden(model, batch)
    finally:
        for hook in hooks:
            hook.remove()
    return states


def lens_numbers(model, parts: Anatomy, state: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Probability and rank (1: the likeliest) of each label, (N,) both, as read off a layer's hidden states (N, H)."""
    import torch

    chances, ranks = [], []
    for hidden, wanted in zip(state.split(POSITIONS), labels.split(POSITIONS), strict=True):
        log_p = head_logits(model, parts.norm(hidden)).log_softmax(-1)
        own = log_p.gather(-1, wanted[:, None])
        chances.append(own.exp().squeeze(-1))
        ranks.append((log_p > own).sum(-1) + 1)
    return torch.cat(chances), torch.cat(ranks)


def distances(state: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """1 - cosine and relative L2, |h - reference| / |reference|, of hidden states (N, H): (N,) both."""
    from torch.nn.functional import cosine_similarity

    state, reference = state.float(), reference.float()
    relative = (state - reference).norm(dim=-1) / reference.norm(dim=-1).clamp(min=1e-12)
    return (1 - cosine_similarity(state, reference, dim=-1)).clamp(min=0), relative


def lens(
    loaded: Loaded,
    probes: Sequence[Probe],
    models: Models,
    *,
    batch_size: int,
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """The layers of each model at the answers' telling tokens. The first of `models` is the one that knows.

    summary    by side and model, lists of L + 1 values: p (mean probability of the answer's token), likeliest (share
               of tokens that rank first), median_rank; and first_layer (mean over the tokens that ever rank first, of
               the first layer at which they do), never (share of tokens that do at no layer)
    distance   by side and other model, lists of L + 1 values: cosine (1 - cosine to the first model's hidden state)
               and relative_l2, means over tokens
    questions  one a probe: id, side, and by model first_layer of each telling token, None for never
    """
    import torch

    parts, known = anatomy(loaded.model), next(iter(models))
    rows: dict[tuple[str, str], dict] = {probe.key: {} for probe in probes}
    with torch.no_grad():
        for chosen, batch in batched(probes, batch_size, loaded, telling_only=True):
            labels = batch["labels"][:, 1:][batch["labels"][:, 1:] != IGNORE]
            sizes, reference = [sum(probe.telling) for probe in chosen], None
            for name, adapters in models.items():
                with active_adapters(loaded.model, adapters):
                    states = layer_states(loaded.model, parts, batch)
                    columns = _columns(loaded.model, parts, states, labels, reference)
                reference = states if name == known else reference
                for column, values in columns.items():
                    for probe, own in zip(chosen, values.split(sizes, dim=1), strict=True):
                        rows[probe.key][name, column] = [plain_list(layer) for layer in own]
            advance(len(chosen))
    return {
        "summary": {side: {name: _summary(_of(rows, side), name) for name in models} for side in SIDES},
        "distance": {
            side: {name: _distance(_of(rows, side), name) for name in models if name != known} for side in SIDES
        },
        "questions": [
            {"side": side, "id": id, "models": {name: {"first_layer": _firsts(row[name, "rank"])} for name in models}}
            for (side, id), row in rows.items()
        ],
    }


def _columns(model, parts: Anatomy, states: list[Tensor], labels: Tensor, reference: list[Tensor] | None) -> dict:
    """One (L + 1, N) tensor a number."""
    import torch

    seen = [lens_numbers(model, parts, state, labels) for state in states]
    columns = {"p": [p for p, _ in seen], "rank": [rank for _, rank in seen]}
    if reference is not None:
        moved = [distances(state, old) for state, old in zip(states, reference, strict=True)]
        columns |= {"cosine": [cosine for cosine, _ in moved], "relative_l2": [relative for _, relative in moved]}
    return {name: torch.stack(values) for name, values in columns.items()}


def _of(rows: Mapping[tuple[str, str], dict], side: str) -> list[dict]:
    return [row for (of, _), row in rows.items() if of == side]


def _by_layer(rows: Sequence[dict], name: str, column: str) -> list[list[float | None]]:
    """The values of all tokens, layer by layer."""
    layers = zip(*(row[name, column] for row in rows), strict=True)
    return [[value for question in layer for value in question] for layer in layers]


def _firsts(ranks: Sequence[Sequence[float]]) -> list[int | None]:
    """For each token, the first layer at which it ranks first; None where it never does. ranks: by layer, by token."""
    return [next((n for n, rank in enumerate(token) if rank == 1), None) for token in zip(*ranks, strict=True)]


def _summary(rows: Sequence[dict], name: str) -> dict[str, Any]:
    ranks = _by_layer(rows, name, "rank")
    firsts = [layer for row in rows for layer in _firsts(row[name, "rank"])]
    return {
        "p": [mean(layer) for layer in _by_layer(rows, name, "p")],
        "likeliest": [mean(float(rank == 1) for rank in layer) for layer in ranks],
        "median_rank": [median(layer) for layer in ranks],
        "first_layer": mean(firsts),
        "never": mean(float(layer is None) for layer in firsts),
    }


def _distance(rows: Sequence[dict], name: str) -> dict[str, Any]:
    return {
        column: [mean(layer) for layer in _by_layer(rows, name, column)] for column in ("cosine", "relative_l2")
    }
