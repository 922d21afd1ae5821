"""A model asked itself: the same numbers from a batch as from one example at a time, and nothing left changed."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from people import embedded_model, evaluated, known, slow_log_probs, unseen

from relearn_lite.judges import evaluated_model
from relearn_lite.models import backends
from relearn_lite.models.generation import PUBLISHED
from relearn_lite.models.loaded import UNLEARNED
from relearn_lite.recipe import Generate, Lora, Model

MIXED = [(qa.question, qa.answer) for qa in (*known()[:20], *unseen(20))]  # lengths differ: batches are padded


@pytest.fixture
def padded_on(request):
    tokenizer = embedded_model().tokenizer
    before, tokenizer.padding_side = tokenizer.padding_side, request.param
    yield
    tokenizer.padding_side = before


@pytest.mark.parametrize("padded_on", ["left", "right"], indirect=True)
def test_a_batch_gives_what_single_examples_give(padded_on):
    for pair, scored in zip(MIXED, evaluated().score(MIXED), strict=True):
        log_p, reply = slow_log_probs(embedded_model(), *pair)
        chosen = [float(log_p[place, token]) for place, token in enumerate(reply)]
        assert scored.log_probs == pytest.approx(chosen[:-1], abs=1e-4)
        assert scored.end == pytest.approx(chosen[-1], abs=1e-4)
        assert scored.greedy.tolist() == [int(p.argmax()) == t for p, t in zip(log_p, reply, strict=True)][:-1]
        assert scored.loss == pytest.approx(-np.mean(chosen[:-1]), abs=1e-4)
        assert scored.loss_with_end == pytest.approx(-np.mean(chosen), abs=1e-4)


def test_mean_and_deviation_are_over_the_vocabulary_weighted_by_probability():
    pair = MIXED[0]
    log_p, _ = slow_log_probs(embedded_model(), *pair)
    p = log_p.exp()
    mean = (p * log_p).sum(-1)
    deviation = (p * (log_p - mean[:, None]) ** 2).sum(-1).sqrt()
    (scored,) = evaluated().score([pair])
    assert scored.mean == pytest.approx(mean[:-1].numpy(), abs=1e-4)
    assert scored.std == pytest.approx(deviation[:-1].numpy(), abs=1e-3)


def test_many_positions_are_scored_in_chunks_without_a_seam(monkeypatch):
    whole = evaluated().score(MIXED)
    monkeypatch.setattr("relearn_lite.models.logprobs.LARGE", 7 * len(embedded_model().tokenizer))
    for one, other in zip(whole, evaluated().score(MIXED), strict=True):
        assert one.log_probs == pytest.approx(other.log_probs, abs=1e-5)


def test_an_empty_answer_has_no_score():
    assert evaluated().score([("Who?", ""), ("Who?", "  ")]) == [None, None]
    assert evaluated().gradient_norms([("Who?", "")]) == [None]


def test_what_was_asked_once_is_not_asked_again(monkeypatch):
    model, asked = evaluated(), []
    real = evaluated_model.token_scores
    monkeypatch.setattr(
        evaluated_model, "token_scores", lambda loaded, rows, on: asked.extend(rows) or real(loaded, rows, on)
    )
    first = model.score(MIXED[:5])
    assert model.score([*MIXED[:5], *MIXED[:3]]) == [*first, *first[:3]]
    assert len(asked) == 5


def test_gradient_norm_is_that_of_the_answers_loss():
    loaded = embedded_model()
    pairs = MIXED[:3]
    found = evaluated().gradient_norms(pairs)
    assert not any(p.requires_grad or p.grad is not None for p in loaded.model.parameters())
    loaded.model.requires_grad_(True)
    try:
        for (question, answer), norm in zip(pairs, found, strict=True):
            loaded.model.zero_grad()
            messages = [{"role": "user", "content": question}]
            prompt = loaded.tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
            reply = loaded.tokenizer(answer, add_special_tokens=False).input_ids
            labels = torch.tensor([[-100] * len(prompt) + reply])
            loaded.model(input_ids=torch.tensor([prompt + reply]), labels=labels).loss.backward()
            total = sum(float(p.grad.pow(2).sum()) for p in loaded.model.parameters()) ** 0.5
            assert norm == pytest.approx(total, rel=1e-3)
    finally:
        loaded.model.zero_grad()
        loaded.model.requires_grad_(False)


def test_each_model_is_asked_with_its_own_adapters(tiny_model_dir):
    loaded = backends.load(Model(name=str(tiny_model_dir), quantization="none"), seed=0)
    pairs = [("Where does Ada live?", "Ada lives in Sligo.")]
    plain = evaluated(loaded=loaded)
    before, norm = plain.score(pairs)[0], plain.gradient_norms(pairs)[0]
    backends.add_adapter(loaded, UNLEARNED, Lora(r=4, alpha=8), seed=0)
    with torch.no_grad():
        for name, parameter in loaded.model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3)
    trained = [p.requires_grad for p in loaded.model.parameters()]
    off, on = evaluated(loaded=loaded), evaluated(loaded=loaded, adapters=loaded.unlearned_adapters)
    assert off.score(pairs)[0].log_probs == pytest.approx(before.log_probs, abs=1e-5)
    assert off.gradient_norms(pairs)[0] == pytest.approx(norm, rel=1e-4)
    assert on.score(pairs)[0].loss != pytest.approx(before.loss, abs=1e-3)
    merged = replace(loaded, model=deepcopy(loaded.model).merge_and_unload(adapter_names=[UNLEARNED]))
    with_it = evaluated(loaded=merged).gradient_norms(pairs)[0]  # adapter and all in the model's own weights
    assert on.gradient_norms(pairs)[0] == pytest.approx(with_it, rel=1e-3) != pytest.approx(norm, rel=1e-2)
    assert [p.requires_grad for p in loaded.model.parameters()] == trained


def test_samples_are_the_published_ones_and_repeat_with_the_seed(monkeypatch):
    seen = []
    original = evaluated_model.answer_prompts
    monkeypatch.setattr(
        evaluated_model, "answer_prompts", lambda *given: seen.append(given[-1].sampling) or original(*given)
    )
    questions = [qa.question for qa in unseen(6)]
    model = evaluated(generate=Generate(max_new_tokens=12, batch_size=4))
    first = model.samples(questions, 3, seed=1)
    assert [len(row) for row in first] == [3] * 6 and all(given == PUBLISHED for given in seen)
    assert model.samples(questions, 3, seed=1) == first != model.samples(questions, 3, seed=2)
    assert any(len(set(row)) > 1 for row in first)


def test_answers_follow_the_recipes_generation():
    qa = known()[1]
    assert evaluated(generate=Generate(max_new_tokens=64)).answers([qa.question]) == [qa.answer]
    assert evaluated().answers([]) == []


def test_arrays_do_not_make_scored_ambiguous():
    """A dataclass of arrays compares by identity: comparing arrays element by element has no truth value."""
    (scored,) = evaluated().score(MIXED[:1])
    assert scored == scored and scored != replace(scored)
