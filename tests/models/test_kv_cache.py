"""Rows that have ended leave their batch; those that stay say what they say alone."""

from __future__ import annotations

import pytest
import torch

from relearn_lite.models import kv_cache
from relearn_lite.models.generation import GREEDY, PUBLISHED, Decoding, complete, end_ids
from relearn_lite.models.loaded import Loaded
from relearn_lite.models.shared_prefix import Prefixes, left_padded


@pytest.fixture(scope="module")
def loaded(tiny_model_dir):
    """A tiny model whose answers to random prompts are of all lengths."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(tiny_model_dir).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.mul_(6 if parameter.dim() > 1 and "embed" not in name else 1)
    return Loaded(model, AutoTokenizer.from_pretrained(tiny_model_dir), "transformers")


@pytest.fixture
def prompts():
    draw = torch.Generator().manual_seed(0)
    common = torch.randint(5, 250, (40,), generator=draw).tolist()
    return [common + torch.randint(5, 250, (n,), generator=draw).tolist() for n in (3, 9, 4, 12, 7, 5, 8, 6)]


class Sizes:
    """The rows of each forward pass while this is open."""

    def __init__(self, loaded):
        self.embeddings, self.rows = loaded.model.get_input_embeddings(), []

    def __enter__(self):
        self.hook = self.embeddings.register_forward_pre_hook(lambda _, given: self.rows.append(len(given[0])))
        return self.rows

    def __exit__(self, *_):
        self.hook.remove()


@pytest.fixture
def ending(loaded, prompts, monkeypatch):
    """Makes answers end at a token that is early in some of them and in others never."""
    inputs = left_padded(loaded, prompts)
    rows = loaded.model.generate(**inputs, max_new_tokens=48, do_sample=False, eos_token_id=None, pad_token_id=0)
    rows = rows[:, inputs["input_ids"].shape[1] :].tolist()
    token = next(t for row in rows for t in row[2:20] if 2 <= sum(t in other for other in rows) <= 5)
    monkeypatch.setattr(loaded.model.generation_config, "eos_token_id", token)


@pytest.mark.parametrize("shared", [False, True])
def test_greedy_texts_are_the_same_with_fewer_rows(loaded, prompts, ending, monkeypatch, shared):
    decoding = Decoding(48, 8)
    prefixes = Prefixes(loaded, [prompts]) if shared else None
    complete(loaded, prompts, decoding, prefixes)
    with Sizes(loaded) as leaving:
        made = complete(loaded, prompts, decoding, prefixes)
    monkeypatch.setattr(kv_cache, "STRIDE", 10**9)
    with Sizes(loaded) as staying:
        assert complete(loaded, prompts, decoding, prefixes) == made
    assert {each.finished for each in made} == {True, False}
    assert set(staying) == {8} and len(leaving) == len(staying) and leaving == sorted(leaving, reverse=True)
    assert 8 > leaving[-1] == sum(not each.finished for each in made)
    assert made == [complete(loaded, [prompt], decoding)[0] for prompt in prompts]


def test_sampled_texts_are_the_same_each_time(loaded, prompts, ending):
    decoding = Decoding(48, 8, PUBLISHED, seed=5)
    with Sizes(loaded) as rows:
        one = complete(loaded, prompts, decoding)
    assert min(rows) < 8 and complete(loaded, prompts, decoding) == one
    assert complete(loaded, prompts, Decoding(48, 8, PUBLISHED, seed=6)) != one


def test_a_text_ends_soon_after_it_holds_enough(loaded, prompts):
    whole = complete(loaded, prompts, Decoding(48, 8))
    with Sizes(loaded) as rows:
        made = complete(loaded, prompts, Decoding(48, 8, enough=lambda text: len(text) > 5))
    assert len(rows) == kv_cache.STRIDE and not any(each.finished for each in made)
    assert all(long.text.startswith(short.text) for long, short in zip(whole, made, strict=True))


def test_all_rows_may_end_at_once_and_none_need(loaded, prompts, monkeypatch):
    with Sizes(loaded) as rows:
        complete(loaded, prompts, Decoding(33, 8))
    assert rows == [8] * 33
    monkeypatch.setattr(loaded.model.generation_config, "eos_token_id", list(range(5, 300)))
    with Sizes(loaded) as rows:
        assert all(each.finished for each in complete(loaded, prompts, Decoding(33, 8)))
    assert rows == [8] and end_ids(loaded)[-1] == 299


def test_a_model_without_such_a_cache_goes_on_as_it_is():
    from transformers import MambaConfig, MambaForCausalLM

    config = MambaConfig(vocab_size=300, hidden_size=32, num_hidden_layers=2, state_size=4, eos_token_id=1)
    loaded = Loaded(MambaForCausalLM(config).eval(), None, "transformers")
    assert kv_cache.empty_cache(loaded) is None
    ids = torch.tensor([[5, 6, 7]] * 2)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.no_grad():
        made = kv_cache.new_tokens(loaded, inputs, 20, lambda row: False, {**GREEDY, "pad_token_id": 0})
    assert [len(row) for row in made] == [20, 20]
