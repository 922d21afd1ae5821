"""Precision: each way holds the model that it says, alone, and leaves nothing behind."""

from __future__ import annotations

import gc
import weakref
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from people import known

from relearn_lite.attacks import run as attack_run
from relearn_lite.attacks.precision import AttackedModel, Unavailable, loaded_in
from relearn_lite.data.examples import question_ids
from relearn_lite.models import backends
from relearn_lite.models.loaded import UNLEARNED, active_adapters
from relearn_lite.recipe import PRECISIONS, Lora, Model


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """The embedded model with an adapter that changes every output."""
    folder = tmp_path_factory.mktemp("precision")
    loaded = backends.load(Model(quantization="none"), seed=0)
    backends.add_adapter(loaded, UNLEARNED, Lora(r=4, alpha=8, dropout=0.0), seed=0)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for key, parameter in loaded.model.named_parameters():
            if f".{UNLEARNED}." in key:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.05)
    (folder / "adapter").mkdir()
    backends.save_adapter(loaded, UNLEARNED, folder / "adapter")
    return AttackedModel(Model(), {UNLEARNED: folder / "adapter"}, 0, folder / "scratch")


@torch.no_grad()
def logits(attacked, way):
    with loaded_in(way, attacked) as (loaded, adapters), active_adapters(loaded.model, adapters):
        ids = torch.tensor([question_ids(loaded.tokenizer, known()[0].question)])
        return loaded.model(input_ids=ids).logits.float()


@pytest.fixture(scope="module")
def seen(attacked):
    return {way: logits(attacked, way) for way in PRECISIONS}


def apart(a, b):
    return (a - b).abs().max().item()


def test_merging_into_a_base_made_full_again_is_the_model_that_was_measured(seen):
    assert apart(seen["merged_dequantized"], seen["4bit"]) < 1e-3


def test_merging_into_full_weights_is_the_adapter_on_them(attacked, seen):
    base = backends.load(Model(quantization="none"), seed=0)
    ids = torch.tensor([question_ids(base.tokenizer, known()[0].question)])
    with torch.no_grad():
        without = base.model(input_ids=ids).logits
    backends.load_adapter(base, UNLEARNED, attacked.adapters[UNLEARNED])
    with torch.no_grad(), active_adapters(base.model, (UNLEARNED,)):
        expected = base.model(input_ids=ids).logits
    assert apart(seen["merged"], expected) < 1e-3 < 0.1 < apart(without, expected)


@pytest.mark.parametrize("way", ["bf16", "fp16", "8bit", "4bit", "merged_in_4bit", "merged_then_4bit"])
def test_rounding_shows_and_stays_small(seen, way):
    assert 1e-4 < apart(seen[way], seen["merged"]) < 6


def test_rounding_after_a_merge_is_not_rounding_before_it(seen):
    assert apart(seen["merged_in_4bit"], seen["4bit"]) > 1e-3
    assert apart(seen["merged_then_4bit"], seen["4bit"]) > 1e-3


def test_one_model_at_a_time_and_nothing_left_on_disk(attacked):
    with loaded_in("merged_then_4bit", attacked) as (loaded, _):
        assert attacked.scratch.exists()
        there = weakref.ref(loaded.model)
        del loaded
    gc.collect()
    assert there() is None and not attacked.scratch.exists()


def test_what_does_not_work_is_unavailable_with_its_reason(attacked, tmp_path):
    without = AttackedModel(Model(), {}, 0, tmp_path / "s")
    with pytest.raises(Unavailable, match="no adapter to merge"), loaded_in("merged", without):
        pass
    broken = AttackedModel(Model(), {UNLEARNED: tmp_path / "nowhere"}, 0, tmp_path / "s")
    with pytest.raises(Unavailable, match="nowhere"), loaded_in("4bit", broken):
        pass
    with pytest.raises(Unavailable, match="not implemented for 'Half'"), loaded_in("fp16", attacked):
        raise RuntimeError("addmm not implemented for 'Half'\nmore")
    with pytest.raises(OSError, match="No space"), loaded_in("bf16", attacked):
        raise OSError("No space left on device")


def test_a_model_that_failed_is_gone_before_the_next_is_loaded(attacked, tmp_path, monkeypatch):
    """What ran out of memory would else take the memory of every precision after it."""
    seen, load = [], backends.load

    def noting(settings, seed):
        assert not [model for model in seen if model() is not None], "the model that failed is still in memory"
        loaded = load(settings, seed)
        seen.append(weakref.ref(loaded.model))
        return loaded

    def failing(target, prompts, file, advance):
        logits = target.loaded.model(input_ids=torch.ones(1, 2, dtype=torch.long)).logits
        raise RuntimeError(f"not enough memory for {tuple(logits.shape)}")

    monkeypatch.setattr(backends, "load", noting)
    monkeypatch.setattr(attack_run, "collect_answers", failing)
    recipe = SimpleNamespace(attacks=SimpleNamespace(precision=["4bit", "8bit", "fp16"]), generate=None, seed=0)
    job = SimpleNamespace(recipe=recipe, questions={}, attacked=attacked, file=lambda attack: tmp_path / attack,
                          progress=lambda what, total: nullcontext(lambda done: None))  # fmt: skip
    reasons = attack_run._other_precisions(job)
    assert list(reasons) == ["4bit", "8bit", "fp16"] and len(seen) == 3
