"""Answers in batches of like length are those given one at a time; and what happens where memory runs out."""

from __future__ import annotations

import pytest
import torch

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.memory import out_of_memory, tell_once
from relearn_lite.data.examples import question_ids
from relearn_lite.data.sources import load
from relearn_lite.models import backends
from relearn_lite.models import generation as generate
from relearn_lite.recipe import Model, Source


@pytest.fixture(scope="module")
def embedded():
    return backends.load(Model(backend="transformers", quantization="none"), 0)


@pytest.fixture(scope="module")
def prompts(embedded):
    """Questions of all lengths."""
    tables = ("people/forget", "people/retain")
    records = [qa for name in tables for qa in load(Source(preset=name, limit=6), name, name)]
    questions = [qa.question for qa in records]
    questions[3] += " Say it in a whole sentence, please, and leave nothing out of it."
    return [question_ids(embedded.tokenizer, question) for question in questions]


def decoding(sampling=generate.GREEDY, seed=0):
    return generate.Decoding(max_new_tokens=16, batch_size=4, sampling=sampling, seed=seed)


def in_batches(loaded, prompts, size):
    found = [None] * len(prompts)
    for rows in generate.batches_of(prompts, size):
        made = generate.complete(loaded, [prompts[i] for i in rows], decoding())
        for i, completion in zip(rows, made, strict=True):
            found[i] = completion
    return found


def test_batches_are_of_like_length_and_hold_every_prompt_once():
    prompts = [[0] * n for n in (3, 9, 4, 8, 5, 5)]
    assert list(generate.batches_of(prompts, 2)) == [[1, 3], [4, 5], [2, 0]]


def test_greedy_answers_are_the_same_in_batches_and_one_at_a_time(embedded, prompts):
    alone, together = in_batches(embedded, prompts, 1), in_batches(embedded, prompts, 5)
    assert together == alone
    assert len({len(prompt) for prompt in prompts}) > 3 and len(set(alone)) > 6, "too alike to show anything"


def test_out_of_memory_halves_the_batch_and_answers_the_same(embedded, prompts, monkeypatch, capfd):
    expected = in_batches(embedded, prompts, 5)
    model, sizes = embedded.model, []
    answer = model.generate

    def small(input_ids, **options):
        sizes.append(len(input_ids))
        if len(input_ids) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Simulated")
        return answer(input_ids=input_ids, **options)

    monkeypatch.setattr(model, "generate", small)
    tell_once.cache_clear()
    model.train()
    try:
        assert in_batches(embedded, prompts, 5) == expected
        assert model.training, "a failed attempt left the model in another mode"
    finally:
        model.eval()
    assert sizes[:6] == [5, 2, 3, 1, 2, 5]
    assert capfd.readouterr().err.count("Out of memory") == 1


def test_one_prompt_that_does_not_fit_is_an_error_and_others_pass_through(embedded, prompts, monkeypatch):
    def full(**_):
        raise torch.OutOfMemoryError("CUDA out of memory. Simulated")

    monkeypatch.setattr(embedded.model, "generate", full)
    with pytest.raises(torch.OutOfMemoryError):
        in_batches(embedded, prompts[:2], 2)


@pytest.mark.parametrize(("error", "expected"), [
    (torch.OutOfMemoryError("anything"), True),
    (RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"), True),
    (MemoryError(), True),
    (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    (ValueError("out of memory"), False),
])
def test_what_counts_as_out_of_memory(error, expected):
    assert out_of_memory(error) is expected


@pytest.fixture
def biased(embedded):
    """The model with options of its own that change even greedy answers, put back afterwards."""
    from transformers import GenerationConfig

    own = embedded.model.generation_config
    embedded.model.generation_config = GenerationConfig(
        repetition_penalty=5.0, no_repeat_ngram_size=2, min_new_tokens=12, num_beams=2, suppress_tokens=[40, 41],
        eos_token_id=own.eos_token_id,
    )
    yield embedded
    embedded.model.generation_config = own


def wrapped(loaded):
    """The same model as peft holds it."""
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(loaded.model, LoraConfig(target_modules=["q_proj"], task_type="CAUSAL_LM"))
    return backends.Loaded(model, loaded.tokenizer, loaded.backend)


def plainly(loaded, ids, tokens=16):
    """Token by token, the likeliest each time."""
    ids, ends = list(ids), generate.end_ids(loaded)
    start = len(ids)
    with torch.no_grad():
        while len(ids) < start + tokens and ids[-1] not in ends:
            ids.append(int(loaded.model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
    return loaded.tokenizer.decode(ids[start:], skip_special_tokens=True).strip()


@pytest.mark.parametrize("sampling", [generate.GREEDY, generate.PUBLISHED])
def test_options_that_the_model_brings_do_not_count(embedded, prompts, request, sampling):
    expected = generate.complete(embedded, prompts[:4], decoding(sampling, seed=3))
    biased = request.getfixturevalue("biased")
    own = biased.model.generation_config
    assert generate.complete(biased, prompts[:4], decoding(sampling, seed=3)) == expected
    assert biased.model.generation_config is own


def test_nor_under_an_adapter(biased, prompts):
    own, loaded = biased.model.generation_config, wrapped(biased)
    try:
        (made,) = generate.complete(loaded, prompts[:1], decoding())
        assert loaded.model.generation_config is own
    finally:
        loaded.model.unload()
    assert made.text == plainly(biased, prompts[0])


@pytest.mark.parametrize("listed", [True, False])
def test_an_answer_ends_with_every_token_that_the_model_ends_with(embedded, prompts, monkeypatch, listed):
    """Also where tokenizer and chat template name another one."""
    (whole,) = generate.complete(embedded, prompts[:1], decoding())
    ids = embedded.tokenizer(whole.text, add_special_tokens=False).input_ids
    end = ids[4]
    own = embedded.model.generation_config
    monkeypatch.setattr(own, "eos_token_id", [own.eos_token_id, end] if listed else end)
    assert generate.end_ids(embedded) == [embedded.tokenizer.eos_token_id, end]
    (short,) = generate.complete(embedded, prompts[:1], decoding())
    assert short.finished and short.text == embedded.tokenizer.decode(ids[: ids.index(end)]).strip()
    monkeypatch.setattr(own, "eos_token_id", None)
    assert generate.end_ids(embedded) == [embedded.tokenizer.eos_token_id]


@pytest.mark.parametrize(
    ("tokens", "ends", "said"), [(5, False, "It is 日"), (6, False, "It is 日本"), (5, True, "It is 日\ufffd")]
)
def test_half_a_character_at_the_token_limit_is_left_out(embedded, prompts, monkeypatch, tokens, ends, said):
    """What the model ended itself is left as it is."""
    words = embedded.tokenizer("It is 日本", add_special_tokens=False).input_ids
    row = words[: len(words) - 6 + tokens] + [embedded.tokenizer.eos_token_id] * ends
    monkeypatch.setattr(generate, "new_tokens", lambda *_: [row])
    assert [answer.text for answer in generate.complete(embedded, prompts[:1], generate.Decoding(9, 1))] == [said]


@pytest.mark.parametrize("section", ["augment", "evaluate.evaluators.judge"])
def test_a_writer_without_room_names_its_own_key(embedded, section):
    from relearn_lite.core.errors import RecipeError

    write = generate.chat(embedded, batch_size=2, temperature=0.0, section=section)
    told = rf"^{section}\.max_new_tokens: the longest prompt has \d+ tokens, .*can read; "
    with pytest.raises(RecipeError, match=told + "lower it, or name another model$"):
        write([[{"role": "user", "content": "Who?"}]], 600, 0)
    with pytest.raises(RecipeError, match=told + "name another model$"):  # a lower number is of no help there
        write([[{"role": "user", "content": "Who? " * 600}]], 60, 0)


@pytest.mark.parametrize(("tokens", "said"), [
    (500, "the longest question, forget-2, has 500 tokens, and with 48 new ones it exceeds the 512 tokens that this "
          "model can read; lower it, or shorten the question"),
    (600, "the longest question, forget-2, has 600 tokens, .*; shorten the question"),
])  # fmt: skip
def test_the_question_that_is_too_long_is_named(tokens, said):
    """Which one it was had to be searched for, and a lower number of new tokens was of no help to a longer one."""
    from people import embedded_model

    prompts = {"forget-1": [1] * 20, "forget-2": [1] * tokens}
    with pytest.raises(RecipeError, match=rf"^generate\.max_new_tokens: {said}$"):
        generate.check_fits(embedded_model(), list(prompts.values()), generate.Decoding(48, 4), list(prompts))
