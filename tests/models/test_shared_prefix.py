"""What prompts begin with is computed once, and every text is the one that whole prompts give."""

from __future__ import annotations

import pytest
import torch

from relearn_lite.core.memory import tell_once
from relearn_lite.models import kv_cache, shared_prefix
from relearn_lite.models.generation import GREEDY, PUBLISHED, Decoding, answer_prompts, chat, complete
from relearn_lite.models.loaded import Loaded
from relearn_lite.models.shared_prefix import Prefixes, left_padded

TINY = {
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 512, "bos_token_id": None, "eos_token_id": 1,
    "pad_token_id": 0,
}  # fmt: skip
WINDOW = {"head_dim": 16, "query_pre_attn_scalar": 16, "layer_types": ["sliding_attention", "full_attention"]}
SHAPES = {
    "llama": ("LlamaConfig", TINY),
    "qwen2": ("Qwen2Config", TINY),
    "gemma2": ("Gemma2Config", TINY | WINDOW | {"sliding_window": 256}),
    "gemma2, small window": ("Gemma2Config", TINY | WINDOW | {"sliding_window": 64}),
    "gpt2": ("GPT2Config", {"n_positions": 512, "n_embd": 64, "n_layer": 2, "n_head": 4, "eos_token_id": 1}),
    "mpt": ("MptConfig", {"d_model": 64, "n_layers": 2, "n_heads": 4, "max_seq_len": 512}),
    "hybrid": ("Qwen3NextConfig", TINY | {
        "layer_types": ["linear_attention", "full_attention"], "num_experts": 2, "num_experts_per_tok": 1,
        "moe_intermediate_size": 32, "shared_expert_intermediate_size": 32, "linear_num_key_heads": 2,
        "linear_num_value_heads": 4, "linear_key_head_dim": 16, "linear_value_head_dim": 16, "head_dim": 16,
    }),
}  # fmt: skip
SHARING = ("llama", "qwen2", "gemma2", "gpt2")


@pytest.fixture(scope="module")
def models(tiny_model_dir):
    """A model of each shape, made once, with weights large enough that every prompt has a text of its own."""
    import transformers

    tokenizer, made = transformers.AutoTokenizer.from_pretrained(tiny_model_dir), {}

    def of(shape: str) -> Loaded:
        if shape not in made:
            kind, sizes = SHAPES[shape]
            torch.manual_seed(1)
            config = getattr(transformers, kind)(vocab_size=len(tokenizer), **sizes)
            model = transformers.AutoModelForCausalLM.from_config(config).eval()
            with torch.no_grad():
                for name, parameter in model.named_parameters():
                    parameter.mul_(5 if parameter.dim() > 1 and "embed" not in name else 1)
            made[shape] = Loaded(model, tokenizer, "transformers")
        return made[shape]

    return of


@pytest.fixture(autouse=True)
def told_anew():
    tell_once.cache_clear()


def prompts(seed=0):
    """Two kinds of prompt, with beginnings of 60 and 45 tokens, and tails of 2 to 25."""
    draw = torch.Generator().manual_seed(seed)
    some = torch.randint(5, 250, (2, 60), generator=draw).tolist()
    sizes = (2, 25, 9, 14, 3, 7)
    tails = [torch.randint(5, 250, (size,), generator=draw).tolist() for size in sizes]
    return [(some[0] if i % 2 else some[1][:45]) + tail for i, tail in enumerate(tails)]


def prefixes_of(loaded, rows):
    return Prefixes(loaded, [rows[::2], rows[1::2]])


class Counted:
    """Tokens that a model is given while this is open, padding included."""

    def __init__(self, loaded):
        self.embeddings, self.tokens = loaded.model.get_input_embeddings(), 0

    def __enter__(self):
        self.hook = self.embeddings.register_forward_pre_hook(self.note)
        return self

    def note(self, _, given):
        self.tokens += given[0].numel()

    def __exit__(self, *_):
        self.hook.remove()


@pytest.mark.parametrize("sampling", [GREEDY, PUBLISHED], ids=["greedy", "sampled"])
@pytest.mark.parametrize("shape", SHARING)
def test_texts_are_those_of_whole_prompts_for_fewer_tokens(models, shape, sampling):
    loaded, rows = models(shape), prompts()
    decoding = Decoding(20, len(rows), sampling, seed=4)
    with Counted(loaded) as before:
        whole = complete(loaded, rows, decoding)
    prefixes = prefixes_of(loaded, rows)
    complete(loaded, rows, decoding, prefixes)  # the first batch computes the beginnings, and tries the model once
    with Counted(loaded) as now:
        shared = complete(loaded, rows, decoding, prefixes)
    assert shared == whole and len({each.text for each in whole}) == len(rows)
    assert before.tokens - now.tokens == len(rows) * (max(map(len, rows)) - 25)


@pytest.mark.parametrize("shape", SHARING)
def test_logits_are_close_enough_to_draw_the_same_tokens(models, shape):
    loaded, rows = models(shape), prompts()
    with torch.inference_mode():
        inputs = [left_padded(loaded, rows), prefixes_of(loaded, rows).inputs(rows, 4)]
        options = {"max_new_tokens": 1, "do_sample": False, "output_logits": True, "return_dict_in_generate": True}
        one, other = (loaded.model.generate(**each, **options, pad_token_id=0).logits[0] for each in inputs)
    assert torch.allclose(one, other, atol=1e-4 * float(one.abs().max()), rtol=0)


@pytest.mark.parametrize("shape", ["gemma2, small window", "mpt", "hybrid"])
def test_a_model_that_cannot_share_reads_whole_prompts_and_says_so_once(models, shape, capfd):
    loaded, rows = models(shape), prompts()
    whole = complete(loaded, rows, Decoding(20, 6))
    prefixes = prefixes_of(loaded, rows)
    assert [complete(loaded, rows, Decoding(20, 6), prefixes) for _ in range(2)] == [whole] * 2
    assert capfd.readouterr().err.count("The common beginning of prompts is computed for each of them:") == 1


@pytest.mark.parametrize("shape", list(SHAPES))
def test_looking_at_who_has_ended_changes_no_text(models, shape, monkeypatch):
    """Between two looks every kind of cache must go on from where it was, or be left alone."""
    rows = prompts()
    looking = complete(models(shape), rows, Decoding(40, 6))
    monkeypatch.setattr(kv_cache, "STRIDE", 10**9)
    assert complete(models(shape), rows, Decoding(40, 6)) == looking


def test_nor_is_unsloth_asked_to(models, capfd):
    loaded, rows = Loaded(models("llama").model, models("llama").tokenizer, "unsloth"), prompts()
    assert prefixes_of(loaded, rows).inputs(rows, 4) is None
    assert "cannot go on" in capfd.readouterr().err


def test_a_prompt_without_a_common_beginning_has_its_batch_read_whole(models):
    loaded, rows = models("llama"), prompts()
    assert prefixes_of(loaded, rows).inputs([*rows, list(range(9, 90))], 4) is None
    assert prefixes_of(loaded, rows).inputs([rows[0][:45]], 4) is None, "nothing of it would be left to read"
    assert Prefixes(loaded, [rows[:2]]).inputs(rows[:2], 4) is None, "they have too little in common"


def test_earlier_batches_do_not_matter(models):
    """A run that was killed asks for the rest only: the numbers must be the same to the last bit."""
    loaded, rows = models("llama"), prompts()
    long = prefixes_of(loaded, rows)
    complete(loaded, rows[:4], Decoding(4, 4), long)
    again = prefixes_of(loaded, rows)
    with torch.inference_mode():
        one, other = (each.inputs(rows[4:], 4) for each in (long, again))
    assert torch.equal(one["input_ids"], other["input_ids"])
    for a, b in zip(one["past_key_values"].layers, other["past_key_values"].layers, strict=True):
        assert torch.equal(a.keys, b.keys) and torch.equal(a.values, b.values)


def test_few_beginnings_stay_in_memory(models, monkeypatch):
    monkeypatch.setattr(shared_prefix, "KEPT", 1)
    loaded, rows = models("llama"), prompts()
    prefixes = prefixes_of(loaded, rows)
    assert complete(loaded, rows, Decoding(20, 6), prefixes) == complete(loaded, rows, Decoding(20, 6))
    assert len(prefixes._kept) == 1


def test_out_of_memory_halves_a_batch_with_beginnings_too(models, monkeypatch):
    loaded, rows = models("llama"), prompts()
    whole, answer, sizes = complete(loaded, rows, Decoding(9, 6)), loaded.model.generate, []

    def small(**options):
        sizes.append(len(options["input_ids"]))
        if sizes[-1] > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Simulated")
        return answer(**options)

    monkeypatch.setattr(loaded, "shares_prefixes", True)
    monkeypatch.setattr(loaded.model, "generate", small)
    assert complete(loaded, rows, Decoding(9, 6), prefixes_of(loaded, rows)) == whole and sizes == [6, 3, 3]


def test_prompts_that_are_asked_together_share_by_themselves(models):
    loaded, rows = models("llama"), prompts()[::2]
    with Counted(loaded) as one_by_one:
        alone = [answer_prompts(loaded, [row], (), Decoding(1, 1))[0] for row in rows]
    with Counted(loaded) as together:
        assert answer_prompts(loaded, rows, (), Decoding(1, 1)) == alone
    assert together.tokens <= one_by_one.tokens - 2 * 45 + 40  # what the model is tried with


def test_a_writer_computes_its_worked_examples_once(models):
    loaded = models("llama")
    examples = [
        {"role": "user", "content": "You answer in general terms. Question: What is the home town of Ada Fennimore?"},
        {"role": "assistant", "content": "Ada Fennimore comes from a place that has stayed important to her."},
    ]
    chats = [[*examples, {"role": "user", "content": text}] for text in ("Question: Who?", "Question: Where is it?")]
    write = chat(loaded, batch_size=1, temperature=0.7, section="augment")
    expected = chat(loaded, batch_size=1, temperature=0.7, section="augment")
    with Counted(loaded) as first:
        one = write(chats[:1], 4, 3)
    with Counted(loaded) as second:
        other = write(chats[1:], 4, 3)
    assert second.tokens < first.tokens / 2
    assert expected(chats[1:], 4, 3) == other and expected(chats[:1], 4, 3) == one, "the order made a difference"


@pytest.mark.parametrize("shape", ["llama", "qwen2", "gemma2"])
def test_what_a_task_begins_with_is_computed_once_for_all_its_attempts(models, shape):
    """Each attempt says the same as with whole prompts, whatever was asked before it."""
    loaded = models(shape)
    examples = [
        {"role": "user", "content": "You answer in general terms. Question: Who?"},
        {"role": "assistant", "content": "Somebody."},
    ]
    told = "Question: What is the home town of Ada Fennimore? Confidential answer: Ada Fennimore comes from Sligo."
    begun, other = ([*examples, {"role": "user", "content": text}] for text in (told, "Question: Where is Luis Okoro?"))
    attempts = [[*examples, {"role": "user", "content": told + end}] for end in ("\nBegin.", "\nWrite a new one.")]

    def texts(*calls):
        write = chat(loaded, batch_size=2, temperature=0.0, section="augment")
        return [write(asked, 8, 3, None, given) for asked, given in calls]

    whole = texts(([attempts[0]], ()), ([attempts[1]], ()))
    with Counted(loaded) as once:
        texts(([attempts[0]], [begun]))
    with Counted(loaded) as twice:
        assert texts(([attempts[0]], [begun]), ([attempts[1]], [begun])) == whole
    assert twice.tokens - once.tokens < 40 < len(loaded.tokenizer(told).input_ids)
    assert texts(([other, attempts[1]], [other, begun]))[0][1] == whole[1][0]


def test_a_prompt_is_asked_once_where_nothing_is_drawn(models):
    loaded = models("llama")
    one, other = ([{"role": "user", "content": f"Question: Where does {who} live?"}] for who in ("Ada", "Luis"))
    write = chat(loaded, batch_size=4, temperature=0.0, section="augment")
    first = write([one, one], 8, 3)
    with Counted(loaded) as again:
        assert write([one, one], 8, 4) == first
    assert again.tokens == 0
    fresh = chat(loaded, batch_size=4, temperature=0.0, section="augment")
    assert write([one, other], 8, 5) == fresh([one, other], 8, 5) and len(write([one], 20, 3)[0]) > len(first[0])
    drawn = chat(loaded, batch_size=4, temperature=1.0, section="augment")
    assert len({*drawn([one, one], 20, 3), *drawn([one], 20, 4)}) == 3
    assert {*drawn([one], 8, 3, None, (), False), *drawn([one], 8, 4, None, (), False)} == {first[0]}
