"""Perplexity: a batch says what its answers say alone, however the tokenizer pads."""

import math

import pytest

from relearn_lite.judges.language_model import CausalLanguageModel
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED
from relearn_lite.recipe import Lora, Model

PAIRS = [
    ("Where does Ada live?", "By the sea."),
    ("A much longer question, to make the rows of a batch unlike: where does Ada Fennimore live?", "No."),
    ("Where?", "Ada Fennimore comes from a place that has stayed important to her, " * 6),
    ("Where does Ada live?", ""),
    ("Who?", "Ada."),
] * 4


@pytest.fixture(scope="module", params=["embedded", "tiny"])
def loaded(request, tiny_model_dir):
    name = "embedded" if request.param == "embedded" else str(tiny_model_dir)
    return backends.load(Model(name=name, quantization="none"), seed=0)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_batch_equals_single_answers_padded_left_or_right(loaded, side):
    loaded.tokenizer.padding_side = side
    model = CausalLanguageModel(loaded, "m", True)
    alone = [model.perplexity([pair])[0] for pair in PAIRS[:5]] * 4
    for together, single in zip(model.perplexity(PAIRS), alone, strict=True):
        assert together == (None if single is None else pytest.approx(single, rel=1e-4))
    assert [value is None for value in alone[:5]] == [False, False, False, True, False]


def test_it_is_the_exponential_of_the_mean_token_loss(loaded):
    """Slow and obvious: one answer, whole logits, transformers' own loss; the end mark is no part of the answer."""
    import torch

    tokenizer = loaded.tokenizer
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Where?"}], add_generation_prompt=True, return_dict=False
    )
    answer = tokenizer("By the sea.", add_special_tokens=False).input_ids
    ids, labels = torch.tensor([[*prompt, *answer]]), torch.tensor([[*[-100] * len(prompt), *answer]])
    with torch.no_grad():
        loss = loaded.model(input_ids=ids, labels=labels).loss.item()
    (value,) = CausalLanguageModel(loaded, "m", True).perplexity([("Where?", "By the sea.")])
    assert value == pytest.approx(math.exp(loss), rel=1e-4)


def test_a_model_in_training_can_be_made_a_judge(tiny_model_dir):
    """It judges the checks of its own training; its dropout must not pass for a head that is not known."""
    loaded = backends.load(Model(name=str(tiny_model_dir), backend="transformers", quantization="none"), seed=0)
    backends.add_adapter(loaded, UNLEARNED, Lora(dropout=0.5), seed=0)
    for name, parameter in loaded.model.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(std=0.3)
    loaded.model.train()
    CausalLanguageModel(loaded, "m", False)
    assert loaded.model.training


@pytest.mark.parametrize(("loss", "told"), [(800.0, "inf"), (math.nan, "nan")])
def test_a_perplexity_past_the_largest_number_is_missing_not_capped(loaded, monkeypatch, loss, told):
    import torch

    from relearn_lite.core.records import Answer
    from relearn_lite.evaluate.evaluate import evaluate
    from relearn_lite.judges import Evaluators
    from relearn_lite.models import scoring

    monkeypatch.setattr(scoring, "answer_nll", lambda model, batch: torch.tensor([loss, 1.0]))
    answers = [Answer(text, "m", "forget", "Where?", "In Sligo.", text) for text in ("By the sea", "In a")]
    model = CausalLanguageModel(loaded, "m", True)
    numbers, scores = evaluate({"forget": answers}, Evaluators(language_model=model), ["ls"])
    assert numbers["missing"] == {"ppl_forget": 1} and numbers["ppl_forget"] == pytest.approx(math.e)
    assert {score.reason for score in scores if score.metric == "ppl"} == {f"not a finite number ({told})", None}


def test_an_answer_longer_than_the_positions_of_the_model_is_missing_with_a_reason(loaded, capfd):
    """Learned positions end: GPT-2 cannot read a token more than it has places for."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from relearn_lite.core.memory import tell_once
    from relearn_lite.core.records import Answer
    from relearn_lite.evaluate.evaluate import evaluate
    from relearn_lite.judges import Evaluators
    from relearn_lite.models.loaded import Loaded

    torch.manual_seed(0)
    tiny = GPT2LMHeadModel(GPT2Config(vocab_size=len(loaded.tokenizer), n_positions=64, n_embd=16, n_layer=1, n_head=2))
    model = CausalLanguageModel(Loaded(tiny.eval(), loaded.tokenizer, "transformers"), "small", False)
    tell_once.cache_clear()
    texts = ("Ada.", "by the sea " * 60)
    answers = [Answer(str(i), "m", "forget", "Where?", "x", text) for i, text in enumerate(texts)]
    numbers, scores = evaluate({"forget": answers}, Evaluators(language_model=model), ["ls"])
    assert numbers["missing"] == {"ppl_forget": 1}
    assert numbers["ppl_forget"] == model.perplexity([("Where?", "Ada.")])[0]
    (reason,) = {score.reason for score in scores if score.metric == "ppl"} - {None}
    assert reason == "question and answer are longer than the 64 tokens that small can read"
    assert capfd.readouterr().err.count("Perplexity: 1 of 2 have none") == 1
