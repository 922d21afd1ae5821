"""Knowledge distribution: what a model finds likely at each position of the original answer, and what took its place.

The original answer is fed to the model token by token (teacher forcing), so that every model is asked the same: how
likely is the next token of the answer, given all before it? (Xu et al., ACL 2025, section 5.)

Shapes: `N` positions, `V` vocabulary.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from relearn_lite.analyze.aggregates import mean, median, rounded
from relearn_lite.analyze.answers import AnalyzedAnswer, answer_batches
from relearn_lite.analyze.probability_shift import ProbabilityShift
from relearn_lite.metrics.declaration import SIDES
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
    loaded: Loaded, answers: Sequence[AnalyzedAnswer], models: Models, *, top: int, batch_size: int,
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, Any]:  # fmt: skip
    """What each model gives the original answers' tokens. The first of `models` is the one that knows.

    questions  one an answer: id, side, tokens, telling, and by model one value a token: p, log_p (nats), rank (1: the
               likeliest), entropy (nats), non_word (mass on tokens that are no word pieces), other_words and
               other_non_words (mass beside the original token), words_in_top5, top (likeliest candidates, with p)
    summary    by side and model, over the tokens that tell: means of these, median_rank, likeliest (share of rank 1),
               tokens (how many); all_p is the mean p over all tokens of the answers, and first_p, first_rank (median)
               and first_entropy are of each answer's first token, where nothing of it has been given away yet
    seesaw     by other model and side, over the tokens that tell: see `ProbabilityShift.result`
    """
    import torch

    tokenizer, (known, *others) = loaded.tokenizer, models
    vocabulary = len(loaded.model.get_output_embeddings().weight)
    words = torch.tensor(word_pieces(tokenizer, vocabulary), device=loaded.device)
    questions = {answer.key: _empty(tokenizer, answer, models) for answer in answers}
    shifts = {name: {side: ProbabilityShift(words) for side in SIDES} for name in others}
    with torch.no_grad():
        for chosen, batch in answer_batches(answers, batch_size, loaded):
            positions = [(answer, n) for answer in chosen for n in range(len(answer.tokens))]
            for rows, labels, log_probs in _log_probabilities(loaded, batch, models):
                for name, log_p in log_probs.items():
                    columns = _columns(log_p, labels, words) | {"top": _likeliest(log_p, top, tokenizer)}
                    _append(columns, [questions[answer.key]["models"][name] for answer, _ in positions[rows]])
                for name in others:
                    _compare(positions[rows], labels, log_probs[known], log_probs[name], shifts[name])
            advance(len(chosen))
    kept = list(questions.values())
    return {
        "summary": {
            side: {name: _summary([q for q in kept if q["side"] == side], name) for name in models} for side in SIDES
        },
        "seesaw": {
            name: {side: shift.result(tokenizer) for side, shift in sides.items()} for name, sides in shifts.items()
        },
        "questions": kept,
    }


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
        log_probs = {}
        for name, adapters in models.items():
            with active_adapters(loaded.model, adapters):  # the head may be adapted too
                log_probs[name] = head_logits(loaded.model, hidden[name][rows]).log_softmax(-1)
        yield rows, labels[rows], log_probs


def _empty(tokenizer, answer: AnalyzedAnswer, models: Models) -> dict[str, Any]:
    return {
        "id": answer.id, "side": answer.side, "tokens": [tokenizer.decode([token]) for token in answer.tokens],
        "telling": list(answer.telling), "models": {name: {} for name in models},
    }  # fmt: skip


def _columns(log_p: Tensor, labels: Tensor, words: Tensor) -> dict[str, list[float | None]]:
    """The columns of `distribution`, each (N,), from log-probabilities (N, V)."""
    p = log_p.exp()
    own_log = log_p.gather(-1, labels[:, None])
    own, is_word, on_words = own_log.exp().squeeze(-1), words[labels], p[:, words].sum(-1)
    on_others = p[:, ~words].sum(-1)
    columns = {
        "p": own,
        "log_p": own_log.squeeze(-1),
        "rank": (log_p > own_log).sum(-1) + 1,
        "entropy": -(p * log_p).nan_to_num(0.0).sum(-1),  # 0 x -inf, where a token is ruled out, is 0
        "non_word": on_others,
        "other_words": (on_words - own * is_word).clamp(min=0),
        "other_non_words": (on_others - own * ~is_word).clamp(min=0),
        "words_in_top5": words[log_p.topk(min(FEW, log_p.shape[-1]), dim=-1).indices].float().mean(-1),
    }
    unknown = own.isnan()  # half precision may be too small for a model: no number, or such tokens would rank first
    return {
        name: list(map(rounded, values.float().masked_fill(unknown, math.nan).tolist()))
        for name, values in columns.items()
    }


def _likeliest(log_p: Tensor, top: int, tokenizer) -> list[list[list]]:
    """The `top` likeliest candidates of each position, each with its probability."""
    values, indices = log_p.topk(top, dim=-1)
    return [
        [[tokenizer.decode([token]), rounded(p)] for token, p in zip(tokens, chances, strict=True)]
        for tokens, chances in zip(indices.tolist(), values.exp().tolist(), strict=True)
    ]


def _append(columns: Mapping[str, Sequence], rows: Sequence[dict[str, list]]) -> None:
    """Adds each position's values to the row of its answer."""
    for column, values in columns.items():
        for row, value in zip(rows, values, strict=True):
            row.setdefault(column, []).append(value)


def _compare(positions, labels: Tensor, before: Tensor, after: Tensor, shifts: Mapping[str, ProbabilityShift]) -> None:
    for side, shift in shifts.items():
        rows = [n for n, (answer, at) in enumerate(positions) if answer.side == side and answer.telling[at]]
        if rows:
            shift.add(labels[rows], before[rows].exp(), after[rows].exp())


def _summary(questions: Sequence[dict], name: str) -> dict[str, float | None]:
    def telling(column: str) -> list[float | None]:
        return [
            value
            for question in questions
            for value, tells in zip(question["models"][name][column], question["telling"], strict=True)
            if tells
        ]

    def first(column: str) -> list[float | None]:
        return [question["models"][name][column][0] for question in questions]

    columns = ("p", "log_p", "entropy", "words_in_top5", "non_word", "other_words", "other_non_words")
    ranks = telling("rank")
    return {column: mean(telling(column)) for column in columns} | {
        "median_rank": median(ranks),
        "likeliest": mean(rank == 1 for rank in ranks if rank is not None),
        "tokens": len(ranks),
        "all_p": mean(value for question in questions for value in question["models"][name]["p"]),
        "first_p": mean(first("p")),
        "first_rank": median(first("rank")),
        "first_entropy": mean(first("entropy")),
    }
