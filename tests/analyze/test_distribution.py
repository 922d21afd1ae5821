"""The distribution against a plain softmax and argsort, one example at a time."""

import json
import math

import pytest
import torch

from relearn_lite.analyze.distribution import distribution, is_word_piece, word_pieces


@pytest.fixture(scope="module")
def found(pair):
    return distribution(pair.loaded, pair.answers, pair.models, top=4, batch_size=2)


def naive(pair, model, answer):
    """(position, probabilities (V,), the original token) of each token of the answer."""
    logits = pair.ask(model, answer.example.ids).logits[0].double()
    for place, token in enumerate(answer.tokens):
        yield place, torch.softmax(logits[answer.example.n_prompt + place - 1], -1), token


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("the", True), (" Lane", True), ("é", True), ("住", True), ("नमस्ते", True), ("14", False), ("a1", False),
     (",", False), ("", False), (" ", False), ("\ufffd", False), ("it's", False), ("\u0301", False)],
)  # fmt: skip
def test_word_pieces_are_letters_only(text, is_one):
    assert is_word_piece(text) is is_one


def test_special_tokens_and_ids_without_a_token_are_no_words(pair):
    tokenizer = pair.loaded.tokenizer
    words = word_pieces(tokenizer, len(tokenizer) + 5)
    assert len(words) == len(tokenizer) + 5 and not any(words[-5:])
    assert not any(words[token] for token in tokenizer.all_special_ids)
    assert sum(words) > 1000


def test_columns_are_the_plain_numbers(pair, found):
    words = torch.tensor(word_pieces(pair.loaded.tokenizer, len(pair.loaded.tokenizer)))
    for answer, question in zip(pair.answers, found["questions"], strict=True):
        assert (question["side"], question["id"]) == answer.key
        for model, row in question["models"].items():
            for place, p, token in naive(pair, model, answer):
                order = torch.argsort(p, descending=True)
                others = p.clone()
                others[token] = 0
                expected = {
                    "p": p[token], "log_p": p[token].log(), "entropy": -(p * p.log()).sum(),
                    "non_word": p[~words].sum(),
                    "other_words": others[words].sum(), "other_non_words": others[~words].sum(),
                    "words_in_top5": words[order[:5]].double().mean(), "rank": order.tolist().index(token) + 1,
                }  # fmt: skip
                for column, value in expected.items():
                    assert row[column][place] == pytest.approx(float(value), rel=2e-3, abs=1e-5), (model, column, place)
                assert [text for text, _ in row["top"][place]] == [pair.loaded.tokenizer.decode([t]) for t in order[:4]]


def test_the_summary_is_over_telling_tokens(pair, found):
    for side in ("forget", "retain"):
        values = [
            float(p[token])
            for answer in pair.answers if answer.side == side
            for place, p, token in naive(pair, "unlearned", answer) if answer.telling[place]
        ]
        summary = found["summary"][side]["unlearned"]
        assert summary["p"] == pytest.approx(sum(values) / len(values), rel=1e-3)
        assert summary["tokens"] == len(values)
        firsts = [
            float(next(naive(pair, "unlearned", answer))[1][answer.tokens[0]])
            for answer in pair.answers if answer.side == side
        ]
        assert summary["first_p"] == pytest.approx(sum(firsts) / len(firsts), rel=1e-3)


def test_the_probability_shift_is_the_plain_difference(pair, found):
    words = torch.tensor(word_pieces(pair.loaded.tokenizer, len(pair.loaded.tokenizer)))
    sums, count, gained = dict.fromkeys(("moved", "lost", "to_words", "to_non_words"), 0.0), 0, 0
    for answer in (answer for answer in pair.answers if answer.side == "forget"):
        for (place, old, token), (_, new, _) in zip(
            naive(pair, "vanilla", answer), naive(pair, "unlearned", answer), strict=True
        ):
            if answer.telling[place]:
                gain = (new - old).clamp(min=0)
                gain[token] = 0
                sums["moved"] += float((new - old).abs().sum() / 2)
                sums["lost"] += float(old[token] - new[token])
                sums["to_words"] += float(gain[words].sum())
                sums["to_non_words"] += float(gain[~words].sum())
                gained, count = gained + gain, count + 1
    shift = found["seesaw"]["unlearned"]["forget"]
    for name, total in sums.items():
        assert shift[name] == pytest.approx(total / count, rel=1e-3, abs=1e-6), name
    assert sums["moved"] / count > 0.05, "too little moved for this test to see anything"
    assert shift["gainers"][0]["token"] == pair.loaded.tokenizer.decode([int(gained.argmax())])


def test_one_model_alone_has_no_probability_shift(pair):
    alone = distribution(pair.loaded, pair.answers[:1], {"vanilla": ()}, top=2, batch_size=1)
    assert alone["seesaw"] == {}
    assert alone["summary"]["retain"]["vanilla"]["p"] is None, "no retain question: not known, not 0"


def test_the_batch_size_changes_nothing_and_json_is_strict(pair, found):
    again = distribution(pair.loaded, pair.answers, pair.models, top=4, batch_size=6)
    for model in pair.models:
        for side in ("forget", "retain"):
            for key, value in found["summary"][side][model].items():
                assert math.isclose(value, again["summary"][side][model][key], rel_tol=1e-3, abs_tol=1e-6)
    json.dumps(found, allow_nan=False)


def test_a_model_that_gives_no_numbers_has_none_instead_of_rank_one(pair, no_numbers):
    found = distribution(pair.loaded, pair.answers[:2], no_numbers, top=4, batch_size=2)
    summary = found["summary"]["forget"]["vanilla"]
    assert summary.pop("tokens") > 0 and set(summary.values()) == {None}
