"""`batch_size: auto`: batches as large as memory takes, the same greedy answers, and a lesson learnt once."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from relearn_lite.core.memory import tell_once
from relearn_lite.data.examples import question_ids
from relearn_lite.data.sources import load
from relearn_lite.models import backends, batch_sizes
from relearn_lite.models.generation import PUBLISHED, Decoding, answer_prompts
from relearn_lite.recipe import Model, Source, WriterChoice, load_recipe
from relearn_lite.writers import Task, local

NEW = 12
AUTO = Decoding(NEW, "auto")


@pytest.fixture(scope="module")
def embedded():
    return backends.load(Model(backend="transformers", quantization="none"), 0)


@pytest.fixture(scope="module")
def prompts(embedded):
    rows = load(Source(preset="people/forget", limit=20), "forget", "forget")
    return [question_ids(embedded.tokenizer, qa.question) for qa in rows]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "relearn-lite" / "batch_sizes.json"


@pytest.fixture
def sizes(embedded, monkeypatch):
    """The batches that the model is given, of which none may be larger than `sizes.most`."""
    seen, answer = type("Sizes", (list,), {"most": 99})(), embedded.model.generate

    def generate(input_ids, **options):
        seen.append(len(input_ids))
        if len(input_ids) > seen.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Simulated")
        return answer(input_ids=input_ids, **options)

    monkeypatch.setattr(embedded.model, "generate", generate)
    return seen


def has_room_for(monkeypatch, loaded, prompts, rows):
    """Makes as much memory free as so many of the longest prompts may take."""
    room = rows * batch_sizes._bytes(loaded, max(map(len, prompts)), NEW)
    monkeypatch.setattr(batch_sizes, "_room", lambda _: room)


def test_a_prompt_is_reckoned_with_its_cache_in_the_models_own_numbers(embedded):
    ids = torch.arange(30).reshape(1, 30) + 5
    with torch.no_grad():
        made = embedded.model(input_ids=ids, use_cache=True)
    kept = sum(layer.keys.nbytes + layer.values.nbytes for layer in made.past_key_values.layers)
    least = kept + made.logits[:, -1].nbytes
    assert embedded.model.dtype == torch.float32 and least < batch_sizes._bytes(embedded, 18, 12) < 8 * least


def test_as_many_as_memory_takes_and_one_at_least(embedded, monkeypatch):
    monkeypatch.setattr(batch_sizes, "_room", lambda _: 10.5 * batch_sizes._bytes(embedded, 100, NEW))
    assert batch_sizes.fitting(embedded, 100, NEW) == 10
    assert 15 < batch_sizes.fitting(embedded, 50, NEW) < 21 and batch_sizes.fitting(embedded, 1000, NEW) == 1
    monkeypatch.setattr(batch_sizes, "_room", lambda _: 1e15)
    assert batch_sizes.fitting(embedded, 100, NEW) == batch_sizes.CPU_MOST
    monkeypatch.setattr(batch_sizes, "_room", lambda _: 0)
    assert batch_sizes.fitting(embedded, 100, NEW) == 1


def test_on_a_card_what_is_free_and_what_torch_holds_unused_is_shared_out(embedded, monkeypatch):
    each = batch_sizes._bytes(embedded, 100, NEW)
    card = SimpleNamespace(device=torch.device("cuda:0"), model=embedded.model)
    for name, value in {"mem_get_info": (90 * each, 999 * each), "memory_reserved": 40 * each,
                        "memory_allocated": 30 * each, "get_device_name": "Card 1"}.items():  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, lambda device, value=value: value)
    assert batch_sizes.fitting(card, 100, NEW) in (69, 70)  # 0.7 x (90 + 10)
    batch_sizes.ran_out(card, 70, 100, NEW)
    assert batch_sizes.fitting(card, 100, NEW) in (34, 35)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Card 2")
    assert batch_sizes.fitting(card, 100, NEW) in (69, 70), "another card has had no trouble"


def test_greedy_answers_are_those_of_one_at_a_time(embedded, prompts, sizes, monkeypatch):
    alone = answer_prompts(embedded, prompts, (), replace(AUTO, batch_size=1))
    sizes.clear()
    has_room_for(monkeypatch, embedded, prompts, 7)
    assert answer_prompts(embedded, prompts, (), AUTO) == alone
    assert sizes[0] == 7 and len(set(alone)) > 6


def test_running_out_is_learnt_from_within_a_run_and_for_the_next(embedded, prompts, sizes, monkeypatch, cache, capfd):
    alone = answer_prompts(embedded, prompts, (), replace(AUTO, batch_size=1))
    has_room_for(monkeypatch, embedded, prompts, 8)
    sizes.clear()
    sizes.most = 3
    tell_once.cache_clear()
    assert answer_prompts(embedded, prompts, (), AUTO) == alone
    assert [size for size in sizes if size > 3] == [8, 4, 4], "only the first batch was too large"
    assert "the next ones are smaller" in capfd.readouterr().err
    ((card, models),) = json.loads(cache.read_text()).items()
    assert card == "cpu" and [name.endswith(", float32") for name in models] == [True]
    sizes.clear()
    assert answer_prompts(embedded, prompts, (), AUTO) == alone and max(sizes) == 2
    sizes.clear()
    cache.write_text("{")  # cut: found out again
    assert answer_prompts(embedded, prompts, (), AUTO) == alone and max(sizes) == 8


def test_a_number_is_kept_to_and_teaches_nothing(embedded, prompts, sizes, monkeypatch, cache):
    monkeypatch.setattr(batch_sizes, "_room", lambda _: pytest.fail("memory was looked at"))
    sizes.most = 3
    answer_prompts(embedded, prompts[:12], (), replace(AUTO, batch_size=6))
    assert sizes.count(6) == 2 and not cache.exists()


def test_what_is_drawn_does_not_depend_on_memory(embedded, prompts, sizes, monkeypatch, cache):
    monkeypatch.setattr(batch_sizes, "_room", lambda _: pytest.fail("memory was looked at"))
    drawn = replace(AUTO, sampling=PUBLISHED, seed=3)
    fixed = replace(drawn, batch_size=batch_sizes.DRAWN)
    assert answer_prompts(embedded, prompts, (), drawn) == answer_prompts(embedded, prompts, (), fixed)
    assert sizes[0] == batch_sizes.DRAWN
    sizes.most = 8
    answer_prompts(embedded, prompts, (), drawn)
    assert not cache.exists(), "nothing is learnt where nothing is found by memory"


def test_a_model_whose_counts_are_not_told_takes_a_number():
    from transformers import MambaConfig, MambaForCausalLM

    config = MambaConfig(vocab_size=64, hidden_size=16, state_size=4, num_hidden_layers=1)
    loaded = SimpleNamespace(device=torch.device("cpu"), model=MambaForCausalLM(config))
    assert batch_sizes.fitting(loaded, 100, NEW) == batch_sizes.DRAWN
    batch_sizes.ran_out(loaded, 16, 100, NEW)


@pytest.mark.parametrize("temperature", [0, 0.7])
def test_a_local_writer_keeps_its_replies_batch_by_batch(embedded, tmp_path, monkeypatch, temperature):
    (tmp_path / "recipe.yaml").write_text("name: t\ndata: {preset: people}\n")
    recipe = load_recipe(tmp_path / "recipe.yaml", [])
    choice = WriterChoice(writer="local", batch_size="auto", temperature=temperature, max_new_tokens=8)
    writer = local.make(choice, "augment", recipe, lambda: embedded, {})
    asked, complete = [], writer._complete
    writer._complete = lambda chats, *given: asked.append(len(chats)) or complete(chats, *given)
    monkeypatch.setattr("relearn_lite.models.generation.fitting", lambda *_: 5)
    writer.ask([Task("simple", f"Where does {name} live?", seed=1) for name in "ABCDEFGHIJKLMNOPQRST"])
    assert asked == ([5, 5, 5, 5] if temperature == 0 else [16, 4])
