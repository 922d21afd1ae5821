"""Knowledge distribution: what a model holds likely at each position of the original answer, and what took its place.

The original answer is fed to the model token by token (teacher forcing), so that every model is asked the same: how
likely is the next token of the answer, given all before it? (Xu et al., ACL 2025, section 5.)

Shapes: `N` positions, `V` vocabulary.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from relearn_lite.analyze.numbers import mean, median, plain, plain_list
from relearn_lite.analyze.probes import SIDES, Probe, batched
from relearn_lite.analyze.seesaw import Seesaw
from relearn_lite.models.loaded import Loaded, active_adapters
from relearn_lite.models.logprobs import head_logits, supervised_hidden

if TYPE_CHECKING:
    from torch import Tensor

POSITIONS = 64  # go through the head at once: with a vocabulary of 128k, 32 MB of logits a model
FEW = 5  # of the likeliest candidates, how many are words
Models = Mapping[str, tuple[str, ...]]  # name of a model -> the adapters that make it


def is_word_piece(text: str) -> bool:
    """Whether a token decodes to a piece of a word: letters (with their combining marks) and nothing else.

    Spaces around it do not count. Digits, punctuation, special tokens and torn bytes are no word pieces.
    """
    kinds = {unicodedata.category(char)[0] for char in text.strip()}
    return "L" in kinds and kinds <= {"L", "M"}


def word_pieces(tokenizer, size: int) -> list[bool]:
    """For each of `size` ids of the head, whether it is a piece of a word; ids without a token are not."""
    special = set(tokenizer.all_special_ids)
    texts = tokenizer.batch_decode([[token] for token in range(min(size, len(tokenizer)))])
    pieces = [is_word_piece(text) and token not in special for token, text in enumerate(texts)]
    return pieces + [False] * (size - len(pieces))


def distribution(
    loaded: Loaded,
    probes: Sequence[Probe],
    models: Models,
    *,
    top: int,
    batch_size: int,
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:
    """What each model gives the original answers' tokens. The first of `models` is the one that knows.

    questions  one a probe: id, side, tokens, telling, and by model one value a token: p, log_p (nats), rank (1: the
               likeliest), entropy (nats), non_word (mass on tokens that are no word pieces), other_words and
               other_non_words (mass beside the original token), words_in_top5, top (likeliest candidates, with p)
    summary    by side and model, over the tokens that tell: means of these, median_rank, likeliest (share of rank 1),
               tokens (how many); all_p is the mean p over all tokens of the answers, and first_p, first_rank (median)
               and first_entropy are of each answer's first token, where nothing of it has been given away yet
    seesaw     by other model and side, over the tokens that tell: see `Seesaw.result`
    """
    import torch

    size = loaded.model.get_output_embeddings().weight.shape[0]
    words = torch.tensor(word_pieces(loaded.tokenizer, size), device=loaded.device)
    questions = {probe.key: _empty(loaded.tokenizer, probe, models) for probe in probes}
    seesaws = {name: {side: Seesaw(words) for side in SIDES} for name in list(models)[1:]}
    with torch.no_grad():
        for chosen, batch in batched(probes, batch_size, loaded):
            places = [(probe, n) for probe in chosen for n in range(len(probe.answer))]
            for rows, labels, chances in _log_probabilities(loaded, batch, models):
                for name, log_p in chances.items():
                    noted = [questions[probe.key]["models"][name] for probe, _ in places[rows]]
                    _note(noted, _measure(log_p, labels, words), log_p.topk(top, dim=-1), loaded.tokenizer)
                for name, sides in seesaws.items():
                    _compare(places[rows], labels, chances[next(iter(models))], chances[name], sides)
            advance(len(chosen))
    kept = list(questions.values())
    results = {name: {side: s.result(loaded.tokenizer) for side, s in sides.items()} for name, sides in seesaws.items()}
    return {"summary": _summary(kept, models), "seesaw": results, "questions": kept}


def _log_probabilities(
    loaded: Loaded, batch: dict[str, Tensor], models: Models
) -> Iterator[tuple[slice, Tensor, dict[str, Tensor]]]:
    """(which positions, their labels (N,), log-probabilities (N, V) of every model), few positions at a time."""
    hidden = {}
    for name, adapters in models.items():
        with active_adapters(loaded.model, adapters):
            hidden[name], labels, _ = supervised_hidden(loaded.model, batch)
    for start in range(0, len(labels), POSITIONS):
        rows = slice(start, start + POSITIONS)
        chances = {}
        for name, adapters in models.items():
            with active_adapters(loaded.model, adapters):  # the head may be adapted too
                chances[name] = head_logits(loaded.model, hidden[name][rows]).log_softmax(-1)
        yield rows, labels[rows], chances


def _empty(tokenizer, probe: Probe, models: Models) -> dict[str, Any]:
    return {
        "id": probe.id,
        "side": probe.side,
        "tokens": [tokenizer.decode([token]) for token in probe.answer],
        "telling": list(probe.telling),
        "models": {name: {} for name in models},
    }


def _measure(log_p: Tensor, labels: Tensor, words: Tensor) -> dict[str, Tensor]:
    """The columns of `distribution`, each (N,), from log-probabilities (N, V)."""
    p = log_p.exp()
    own_log = log_p.gather(-1, labels[:, None])
    own, is_word, on_words = own_log.exp().squeeze(-1), words[labels], p[:, words].sum(-1)
    on_others = p[:, ~words].sum(-1)
    return {
        "p": own,
        "log_p": own_log.squeeze(-1),
        "rank": (log_p > own_log).sum(-1) + 1,
        "entropy": -(p * log_p).nan_to_num(0.0).sum(-1),  # 0 x -inf, where a token is ruled out, is 0
        "non_word": on_others,
        "other_words": (on_words - own * is_word).clamp(min=0),
        "other_non_words": (on_others - own * ~is_word).clamp(min=0),
        "words_in_top5": words[log_p.topk(min(FEW, log_p.shape[-1]), dim=-1).indices].float().mean(-1),
    }


def _note(noted: Sequence[dict], columns: Mapping[str, Tensor], likeliest, tokenizer) -> None:
    """Adds some positions' numbers to their questions."""
    values = {name: plain_list(column) for name, column in columns.items()}
    tops = [
        [[tokenizer.decode([token]), plain(chance)] for token, chance in zip(ids, chances, strict=True)]
        for ids, chances in zip(likeliest.indices.tolist(), likeliest.values.exp().tolist(), strict=True)
    ]
    for n, row in enumerate(noted):
        for name, column in (*values.items(), ("top", tops)):
            row.setdefault(name, []).append(column[n])


def _compare(places, labels: Tensor, before: Tensor, after: Tensor, seesaws: Mapping[str, Seesaw]) -> None:
    for side, seesaw in seesaws.items():
        rows = [n for n, (probe, place) in enumerate(places) if probe.side == side and probe.telling[place]]
        if rows:
            seesaw.add(labels[rows], before[rows].exp(), after[rows].exp())


def _summary(questions: Sequence[dict], models: Models) -> dict[str, Any]:
    return {side: {name: _side([q for q in questions if q["side"] == side], name) for name in models} for side in SIDES}


def _side(questions: Sequence[dict], name: str) -> dict[str, float | None]:
    def values(column: str) -> list[float | None]:
        return [
            value
            for question in questions
            for value, tells in zip(question["models"][name][column], question["telling"], strict=True)
            if tells
        ]

    columns = ("p", "log_p", "entropy", "words_in_top5", "non_word", "other_words", "other_non_words")
    return {column: mean(values(column)) for column in columns} | {
        "median_rank": median(values("rank")),
        "likeliest": mean(float(rank == 1) for rank in values("rank")),
        "tokens": len(values("rank")),
        "all_p": mean(value for question in questions for value in question["models"][name]["p"]),
        "first_p": mean(question["models"][name]["p"][0] for question in questions),
        "first_rank": median(question["models"][name]["rank"][0] for question in questions),
        "first_entropy": mean(question["models"][name]["entropy"][0] for question in questions),
    }
