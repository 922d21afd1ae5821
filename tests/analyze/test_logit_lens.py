"""The logit lens against transformers' own hidden states, one example at a time."""

import pytest
import torch

from relearn_lite.analyze.logit_lens import logit_lens


@pytest.fixture(scope="module")
def found(pair):
    return logit_lens(pair.loaded, pair.answers, pair.models, batch_size=2)


def telling(answer):
    """Positions in the sequence that predict a telling token, and these tokens."""
    return [
        (answer.example.n_prompt + n - 1, token)
        for n, (token, tells) in enumerate(zip(answer.tokens, answer.telling, strict=True)) if tells
    ]


def of_side(pair, side):
    return [answer for answer in pair.answers if answer.side == side]


@pytest.mark.parametrize("model", ["vanilla", "unlearned"])
@pytest.mark.parametrize("side", ["forget", "retain"])
def test_the_last_layer_is_the_models_output(pair, found, model, side):
    chances = [
        float(pair.ask(model, answer.example.ids).logits[0, at].softmax(-1)[token])
        for answer in of_side(pair, side) for at, token in telling(answer)
    ]
    assert found["summary"][side][model]["p"][-1] == pytest.approx(sum(chances) / len(chances), abs=1e-5)


def test_every_layer_is_norm_and_head_of_its_hidden_states(pair, found):
    base = pair.loaded.model.get_base_model()
    layers = base.config.num_hidden_layers
    # transformers puts the final norm into the last of its hidden states, so that one is checked above
    sums, count, firsts = [0.0] * layers, 0, []
    for answer in of_side(pair, "forget"):
        states = pair.ask("unlearned", answer.example.ids, output_hidden_states=True).hidden_states
        with torch.no_grad():
            seen = [base.lm_head(base.model.norm(state[0])).softmax(-1) for state in states[:layers]]
            seen.append(base.lm_head(states[layers][0]).softmax(-1))
        for at, token in telling(answer):
            sums = [total + float(p[at, token]) for total, p in zip(sums, seen, strict=False)]
            firsts.append(next((n for n, p in enumerate(seen) if int(p[at].argmax()) == token), None))
            count += 1
    summary = found["summary"]["forget"]["unlearned"]
    assert len(summary["p"]) == layers + 1
    assert summary["p"][:-1] == pytest.approx([total / count for total in sums], abs=1e-5)
    rows = [question["models"]["unlearned"] for question in found["questions"] if question["side"] == "forget"]
    told = [layer for row in rows for layer in row["first_layer"]]
    assert told == firsts
    known = [layer for layer in firsts if layer is not None]
    assert summary["first_layer"] == pytest.approx(sum(known) / len(known), rel=1e-4)
    assert summary["never"] == pytest.approx(firsts.count(None) / len(firsts), abs=1e-5)


def test_distances_are_the_plain_ones(pair, found):
    cosines, lengths, count = [0.0] * 4, [0.0] * 4, 0
    for answer in of_side(pair, "retain"):
        old, new = (
            pair.ask(model, answer.example.ids, output_hidden_states=True).hidden_states for model in pair.models
        )
        for at, _ in telling(answer):
            count += 1
            for layer in range(4):
                a, b = old[layer][0, at].double(), new[layer][0, at].double()
                cosines[layer] += float(1 - (a @ b) / (a.norm() * b.norm()))
                lengths[layer] += float((a - b).norm() / a.norm())
    distance = found["distance"]["retain"]["unlearned"]
    assert distance["cosine"][:4] == pytest.approx([total / count for total in cosines], rel=1e-3, abs=1e-6)
    assert distance["relative_l2"][:4] == pytest.approx([total / count for total in lengths], rel=1e-3, abs=1e-6)
    assert distance["relative_l2"][0] == 0, "embeddings are not adapted"
    assert distance["relative_l2"][-1] > 0.05


def test_hooks_are_gone_afterwards(pair, found):
    hooks = [
        hook for module in pair.loaded.model.modules()
        for hook in (*module._forward_hooks.values(), *module._forward_pre_hooks.values())
    ]
    assert not [hook for hook in hooks if hook.__module__.startswith("relearn_lite")]


def test_a_model_that_gives_no_numbers_leads_in_no_layer_and_misses_in_none(pair, no_numbers):
    summary = logit_lens(pair.loaded, pair.answers[:2], no_numbers, batch_size=2)["summary"]["forget"]["vanilla"]
    assert summary["first_layer"] is None and summary["never"] is None
    assert {value for column in ("p", "likeliest", "median_rank") for value in summary[column]} == {None}
