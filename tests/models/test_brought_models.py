"""Models, tokenizers, templates and adapters as people bring them; right values are plain transformers' and peft's."""

from __future__ import annotations

import json
import shutil
from functools import partial

import pytest
import torch
from bitsandbytes.functional import has_avx512bf16
from peft import (
    IA3Config,
    LoHaConfig,
    LoKrConfig,
    LoraConfig,
    PeftModel,
    PrefixTuningConfig,
    PromptTuningConfig,
    get_peft_model,
)
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, GPT2Config, GPT2LMHeadModel
from trial import LORA, logits, shake

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.examples import Example, check_lengths, encode_answer, question_ids, turn_end_id
from relearn_lite.models import backends
from relearn_lite.models.adapters import why_refused
from relearn_lite.models.generation import Decoding, answer_prompts, context_length
from relearn_lite.models.loaded import UNLEARNED, VANILLA, active_adapters
from relearn_lite.models.scoring import gradient_norms, mean_losses, token_scores
from relearn_lite.recipe import Model

IDS = torch.arange(10, 30)[None]


def load(folder, quantization="none", **changes):
    return backends.load(Model(name=str(folder), backend="transformers", quantization=quantization, **changes), 7)


@pytest.fixture
def folder(tiny_model_dir, tmp_path):
    """A copy of the tiny model that may be spoiled."""
    return shutil.copytree(tiny_model_dir, tmp_path / "model")


@pytest.fixture(scope="module")
def other_models(tiny_model_dir, tmp_path_factory):
    """A Llama with a head of its own, and a GPT-2, which has biases and a table of 64 positions."""
    place = tmp_path_factory.mktemp("models")
    tokenizer = AutoTokenizer.from_pretrained(tiny_model_dir)
    torch.manual_seed(1)
    untied = AutoModelForCausalLM.from_pretrained(tiny_model_dir)
    untied.config.tie_word_embeddings = False
    untied = type(untied)(untied.config)
    config = GPT2Config(vocab_size=len(tokenizer), n_positions=64, n_embd=32, n_layer=2, n_head=2, bos_token_id=1,
                        eos_token_id=1, pad_token_id=0)  # fmt: skip
    gpt2 = GPT2LMHeadModel(config)
    for name, parameter in gpt2.named_parameters():
        if name.endswith("bias"):  # they begin as zeros
            parameter.data.normal_(std=0.1)
    for name, model in (("untied", untied), ("gpt2", gpt2)):
        model.save_pretrained(place / name)
        tokenizer.save_pretrained(place / name)
    return {"tied": tiny_model_dir, "untied": place / "untied", "gpt2": place / "gpt2"}


@torch.no_grad()
def plain(model, ids=IDS):
    return model.eval()(input_ids=ids).logits


def adapter(base, place, config, seed=0):
    """An adapter made by plain peft, every weight of which says something."""
    torch.manual_seed(seed)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += torch.randn_like(parameter) * 0.1
    model.save_pretrained(place)
    return place


lora = partial(LoraConfig, task_type="CAUSAL_LM", r=4, target_modules="all-linear")
KINDS = {
    "plain": ("tied", lora()), "dora": ("tied", lora(use_dora=True)), "rslora": ("tied", lora(use_rslora=True)),
    "head saved": ("untied", lora(modules_to_save=["lm_head"])),
    "head saved, tied": ("tied", lora(modules_to_save=["lm_head"])),
    "embeddings saved": ("untied", lora(modules_to_save=["embed_tokens"])),
    "both saved": ("untied", lora(modules_to_save=["embed_tokens", "lm_head"])),
    "norms saved": ("tied", lora(modules_to_save=["input_layernorm", "norm"])),
    "tokens": ("untied", lora(trainable_token_indices=[11, 13, 17])),
    "tokens, tied": ("tied", lora(trainable_token_indices=[11, 13, 17])),
    "tokens of head": ("untied", lora(trainable_token_indices={"embed_tokens": [11], "lm_head": [13]})),
    "biases": ("gpt2", lora(target_modules=["c_attn"], bias="all")),
    "biases of its layers": ("gpt2", lora(target_modules=["c_attn", "c_fc"], bias="lora_only")),
    "biases and head": ("gpt2", lora(target_modules=["c_attn"], bias="all", modules_to_save=["ln_f"])),
    "ia3": ("tied", IA3Config(task_type="CAUSAL_LM", target_modules=["k_proj", "down_proj"],
                              feedforward_modules=["down_proj"])),
    "loha": ("tied", LoHaConfig(task_type="CAUSAL_LM", r=2, target_modules=["q_proj", "up_proj"])),
    "lokr": ("tied", LoKrConfig(task_type="CAUSAL_LM", r=2, target_modules=["q_proj", "up_proj"])),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_made_elsewhere_is_switched_whole(other_models, tmp_path, kind):
    """Only layers of LoRA were switched: a head saved with them judged the vanilla model's answers too."""
    base, config = KINDS[kind]
    place = adapter(other_models[base], tmp_path / "adapter", config)
    assert why_refused(place) is None
    without = plain(AutoModelForCausalLM.from_pretrained(other_models[base]))
    with_it = plain(PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(other_models[base]), place))
    assert (with_it - without).abs().max() > 1e-3
    loaded = load(other_models[base])
    backends.load_adapter(loaded, UNLEARNED, place)
    for _ in range(2):  # back and forth
        with active_adapters(loaded.model, ()):
            assert torch.equal(plain(loaded.model), without)
        with active_adapters(loaded.model, (UNLEARNED,)):
            assert torch.equal(plain(loaded.model), with_it)
            with active_adapters(loaded.model, ()):
                assert torch.equal(plain(loaded.model), without)
            assert torch.equal(plain(loaded.model), with_it)
    for names, right in (((), without), ((UNLEARNED,), with_it)):  # by this project's own head, as losses are computed
        (scores,) = token_scores(loaded, [Example(tuple(IDS[0].tolist()), 5)], names)
        likely = right[0, 4:-1].log_softmax(-1).gather(-1, IDS[0, 5:, None])[:, 0]
        torch.testing.assert_close(torch.tensor(scores.log_probs), likely[:-1], rtol=0, atol=1e-4)
    backends.load_adapter(loaded, UNLEARNED, place)  # again, as a resumed run does
    with active_adapters(loaded.model, ()):
        assert torch.equal(plain(loaded.model), without)
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())


@pytest.mark.parametrize("kind", ["plain", "loha", "lokr"])
def test_a_gradient_is_that_of_the_base_s_weights_and_not_of_the_adapter_s(other_models, tmp_path, kind):
    """Of LoHa, LoKr and IA3 the adapter's own gradients were added; merged weights have the same one without them."""
    base, config = KINDS[kind]
    place, rows = adapter(other_models[base], tmp_path / "adapter", config), [Example(tuple(IDS[0].tolist()), 5)]
    loaded, merged = load(other_models[base]), load(other_models[base])
    backends.load_adapter(loaded, UNLEARNED, place)
    merged.model = PeftModel.from_pretrained(merged.model, place).merge_and_unload()
    assert gradient_norms(loaded, rows, (UNLEARNED,)) == pytest.approx(gradient_norms(merged, rows, ()), rel=1e-3)


@pytest.mark.parametrize("kind", ["head saved", "tokens", "tokens, tied", "biases", "norms saved"])
def test_it_lies_on_a_vanilla_model_that_is_itself_an_adapter(other_models, tmp_path, kind):
    """A saved head was switched off by the vanilla adapter, which has none; tokens failed."""
    base, config = KINDS[kind]
    place = adapter(other_models[base], tmp_path / "adapter", config)
    loaded = load(other_models[base])
    backends.add_adapter(loaded, VANILLA, LORA.model_copy(update={"targets": config.target_modules}), 7)
    shake(loaded, VANILLA, 1)
    with active_adapters(loaded.model, (VANILLA,)):
        knows = plain(loaded.model)
    backends.load_adapter(loaded, UNLEARNED, place)
    with active_adapters(loaded.model, (VANILLA,)):
        assert torch.equal(plain(loaded.model), knows)
    with active_adapters(loaded.model, (VANILLA, UNLEARNED)):
        both = plain(loaded.model)
    shake(loaded, VANILLA, 1, scale=0.0)  # without effect: what is left is the adapter that was brought
    right = plain(PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(other_models[base]), place))
    with active_adapters(loaded.model, (VANILLA, UNLEARNED)):
        torch.testing.assert_close(plain(loaded.model), right, rtol=0, atol=1e-5)
    assert not torch.allclose(both, right, atol=1e-3) and not torch.allclose(both, knows, atol=1e-3)


def resized(base, place):
    model = AutoModelForCausalLM.from_pretrained(base)
    model.resize_token_embeddings(model.config.vocab_size + 3)
    get_peft_model(model, lora(target_modules=["q_proj"])).save_pretrained(place, save_embedding_layers=True)


def changed(base, place, **keys):
    adapter(base, place, lora())
    config = json.loads((place / "adapter_config.json").read_text())
    (place / "adapter_config.json").write_text(json.dumps(config | keys))


def written(base, place, name, content=None):
    adapter(base, place, lora())
    (place / name).unlink() if content is None else (place / name).write_bytes(content)


@pytest.mark.parametrize(("make", "says"), [
    (resized, "holds weights of the base too (base_model.model."),
    (partial(adapter, config=lora(target_modules=["q_proj", "embed_tokens"])), "holds weights of the base too"),
    (partial(adapter, config=PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)), "kind PROMPT_TUNING"),
    (partial(adapter, config=PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)), "kind PREFIX_TUNING"),
    (partial(changed, init_lora_weights="pissa"), "base's own weights (init_lora_weights: pissa)"),
    (partial(changed, init_lora_weights="olora"), "base's own weights (init_lora_weights: olora)"),
    (partial(changed, layer_replication=[[0, 2], [1, 2]]), "besides its weights (layer_replication)"),
    (partial(changed, peft_type=None), "kind None"),
    (partial(written, name="adapter_config.json", content=b"{"), "cannot be read"),
    (partial(written, name="adapter_model.safetensors", content=b"x" * 99), "cannot be read"),
    (partial(written, name="adapter_model.safetensors"), "has no adapter_model.safetensors"),
])  # fmt: skip
def test_an_adapter_that_leaves_traces_is_refused_before_anything_is_loaded(tiny_model_dir, tmp_path, make, says):
    make(tiny_model_dir, tmp_path / "adapter")
    assert says in why_refused(tmp_path / "adapter")


@pytest.mark.parametrize(("spoil", "says"), [
    (lambda weights: {k: v for k, v in weights.items() if "layers.1." not in k}, "14 of its 28 weights are missing"),
    (lambda weights: weights | {"base_model.model.model.layers.9.mlp.up_proj.lora_A.weight": torch.zeros(4, 64)},
     "1 of its 29 weights have no place in the model"),
    (lambda weights: {k: v[:2] if "lora_A" in k else v for k, v in weights.items()}, r"size mismatch for .*\[2, 64\]"),
])  # fmt: skip
def test_an_adapter_that_does_not_fit_is_told_with_numbers(tiny_model_dir, tmp_path, spoil, says):
    """peft warns of missing weights and goes on with none in their place."""
    from safetensors.torch import load_file, save_file

    from relearn_lite.core.errors import first_line

    place = adapter(tiny_model_dir, tmp_path / "adapter", lora(target_modules=[
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]))  # fmt: skip
    save_file(spoil(load_file(place / "adapter_model.safetensors")), place / "adapter_model.safetensors")
    with pytest.raises((ValueError, RuntimeError)) as error:
        backends.load_adapter(load(tiny_model_dir), UNLEARNED, place)
    with pytest.raises(AssertionError, match=says):
        raise AssertionError(first_line(error.value))


# ---- an adapter in place of a model


def test_an_adapter_s_folder_is_no_model_with_a_tokenizer_or_without(tiny_model_dir, tmp_path):
    """Its answers were the base model's; without a tokenizer the network was blamed."""
    place = adapter(tiny_model_dir, tmp_path / "adapter", lora())
    for _ in range(2):
        with pytest.raises(ValueError, match="holds an adapter, and a whole model is needed here; merge it") as error:
            load(place)
        assert "network" not in str(error.value)
        AutoTokenizer.from_pretrained(tiny_model_dir).save_pretrained(place)


@pytest.mark.parametrize("whole", [False, True])
def test_a_model_that_turns_out_to_be_an_adapter_is_refused_when_it_is_loaded(folder, tiny_model_dir, tmp_path, whole):
    """As one on the hub does, whose files nobody has seen before."""
    settings = Model(name=str(folder), backend="transformers", quantization="none")
    place = adapter(tiny_model_dir, tmp_path / "adapter", lora())
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copy(place / name, folder / name)
    if not whole:
        (folder / "model.safetensors").unlink()
        (folder / "config.json").unlink()
    with pytest.raises(RecipeError, match="^model.name: "):
        backends.load(settings, 7)


# ---- tokens without embeddings


def tokenizer_with(folder, **tokens):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens(tokens)
    tokenizer.save_pretrained(folder)
    return tokenizer


def test_a_padding_token_without_an_embedding_is_replaced(folder):
    """It was an IndexError in the first batch of two."""
    tokenizer = tokenizer_with(folder, pad_token="[PAD]")
    loaded = load(folder)
    assert tokenizer.pad_token_id == loaded.model.config.vocab_size
    assert loaded.tokenizer.pad_token_id == loaded.tokenizer.eos_token_id
    prompts = [question_ids(loaded.tokenizer, text) for text in ("Who?", "Where does Ada Fennimore live, then?")]
    answers = answer_prompts(loaded, prompts, (), Decoding(8, 2))
    model = AutoModelForCausalLM.from_pretrained(folder)
    for prompt, answer in zip(prompts, answers, strict=True):
        new = model.generate(torch.tensor([prompt]), max_new_tokens=8, do_sample=False)[0, len(prompt) :]
        assert answer.text == loaded.tokenizer.decode(new, skip_special_tokens=True).strip()


def test_a_special_token_that_no_prompt_holds_may_lack_one(folder):
    """As <image_soft_token> of Gemma 3 does; a text that spells it out does not become it."""
    tokenizer_with(folder, additional_special_tokens=["<image>"])
    loaded = load(folder)
    assert max(encode_answer(loaded.tokenizer, "An <image>?", "An <image>.").ids) < loaded.model.config.vocab_size


@pytest.mark.parametrize("spoil", ["word", "end", "template"])
def test_any_other_token_without_an_embedding_is_told_when_the_model_is_loaded(folder, spoil):
    if spoil == "word":
        tokenizer = AutoTokenizer.from_pretrained(folder)
        tokenizer.add_tokens(["Fennimore"])
    else:
        tokenizer = tokenizer_with(folder, **({"eos_token": "[END]"} if spoil == "end" else
                                              {"additional_special_tokens": ["<turn>"]}))  # fmt: skip
        tokenizer.chat_template = tokenizer.chat_template.replace("<|end|>", "<turn>") if spoil == "template" else None
    tokenizer.save_pretrained(folder)
    says = "has 1 tokens that the model has no embedding for .*such as '(Fenn|.END|<turn)"
    with pytest.raises(RecipeError, match=says):
        load(folder)


# ---- weights


@pytest.mark.parametrize(("key", "value", "says"), [
    ("intermediate_size", 160, r"up_proj.weight|down_proj.weight|gate_proj.weight) \(\(128, 64\)|.*\(64, 128\)"),
    ("vocab_size", 500, r"are of another size than config.json says"), ("num_hidden_layers", 3, "lacks 9 weights"),
    ("model_type", "no-such", "could not be loaded"), ("pad_token_id", 99999, "could not be loaded"),
    ("num_attention_heads", 5, "model.name"), ("hidden_act", "no-such", "could not be loaded"),
])  # fmt: skip
def test_a_configuration_that_its_weights_do_not_fit_is_told(folder, key, value, says):
    """transformers makes up what is missing, at random, and goes on."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {key: value}))
    with pytest.raises(RecipeError, match="^model.name: ") as error:
        load(folder)
    assert "network" not in str(error.value) and "\n" not in str(error.value)
    if key in ("vocab_size", "num_hidden_layers"):
        assert says in str(error.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_damaged_weights_are_told(folder, value):
    """Every answer was empty, and nothing said why."""
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"][3] = value
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(RecipeError, match="holds weights that are no numbers, in model.norm.weight"):
        load(folder)


def test_a_damaged_adapter_is_told(tiny_model_dir, tmp_path):
    from safetensors.torch import load_file, save_file

    place = adapter(tiny_model_dir, tmp_path / "adapter", lora())
    weights = load_file(place / "adapter_model.safetensors")
    weights[sorted(weights)[0]][0] = float("nan")
    save_file(weights, place / "adapter_model.safetensors")
    with pytest.raises(ValueError, match="1 of its 28 weights hold what is no number"):
        backends.load_adapter(load(tiny_model_dir), UNLEARNED, place)


@pytest.mark.parametrize("bits", ["4bit", "8bit"])
def test_a_folder_that_is_quantized_already_is_used_as_it_is(tiny_model_dir, tmp_path, capsys, bits):
    """`none` ended in a traceback, and the recipe's word was believed against the weights."""
    own = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="fp4") if bits == "4bit" else BitsAndBytesConfig(
        load_in_8bit=True)  # fmt: skip
    AutoModelForCausalLM.from_pretrained(tiny_model_dir, quantization_config=own).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tiny_model_dir).save_pretrained(tmp_path)
    right = plain(AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32))
    rounding = 5e-3 if has_avx512bf16() else 1e-4  # there bitsandbytes computes in bfloat16 where nothing is trained
    for asked in ("none", "4bit", "8bit"):
        loaded = load(tmp_path, asked)
        told = f"model.quantization: {tmp_path} is quantized already ({bits}); that is used, not {asked}."
        assert (told in capsys.readouterr().err) is (asked != bits)
        torch.testing.assert_close(plain(loaded.model), right, rtol=0, atol=rounding)
        backends.add_adapter(loaded, UNLEARNED, LORA, 7)
        assert logits(loaded).isfinite().all()
    with pytest.raises(RecipeError, match=f"quantized already \\({bits}\\), and all of them are to be trained"):
        backends.load(Model(name=str(tmp_path), quantization="none"), 7, full_precision=True)


def test_a_method_that_is_not_installed_is_told(folder):
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "gptq", "bits": 4, "group_size": 128}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(RecipeError, match="^model.name: .* could not be loaded"):
        load(folder)


# ---- chat templates

BEGIN = "{% for m in messages %}<|{{ m['role'] }}|>"
END = "<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
PARTS = [
    "{% for part in m['content'] %}{{ part['text'] }}{% endfor %}",
    "{% for part in m.content %}{% if part.type == 'text' %}{{ part.text | trim }}{% endif %}{% endfor %}",
    "{% for part in m.content if part.type == 'text' %}{{ part.text }}{% endfor %}",
    "{{ m.content[0].text }}",
    "{{ m.content | selectattr('type', 'equalto', 'text') | map(attribute='text') | join('') }}",
]


@pytest.mark.parametrize("content", PARTS)
def test_a_template_that_goes_through_parts_is_given_parts(tiny_model_dir, content):
    """Every prompt was empty, and all answers the same."""
    tokenizer = AutoTokenizer.from_pretrained(tiny_model_dir)
    tokenizer.chat_template = BEGIN + content + END
    turns = [{"role": "user", "content": [{"type": "text", "text": "Who is Ada?"}]}]
    right = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False)
    assert question_ids(tokenizer, "Who is Ada?") == right
    assert tokenizer.decode(right) == "<|user|>Who is Ada?<|end|><|assistant|>"
    assert turn_end_id(tokenizer) == tokenizer.eos_token_id


@pytest.mark.parametrize(("template", "says"), [
    ("{{ raise_exception('a system turn is needed') }}", "refuses a question: a system turn is needed"),
    ("{% if messages[0].role != 'system' %}{{ raise_exception('System first!') }}{% endif %}x", "System first!"),
    ("{{ messages[0].content.no.such }}", "refuses a question"), ("{{ 1 / 0 }}", "refuses a question: division by"),
    ("{% for m in messages %}", "refuses a question"), ("<|user|>Hello<|end|>", "makes prompts that do not hold"),
    (BEGIN + END, "makes prompts that do not hold the question"),
    ("{% for m in messages %}{{ m.content }}{% endfor %}", "makes prompts that end with the question"),
    (BEGIN + "{{ m.text }}" + END, "makes prompts that do not hold the question"),
])  # fmt: skip
def test_a_template_that_cannot_ask_is_told_by_name_when_the_model_is_loaded(folder, template, says):
    (folder / "chat_template.jinja").write_text(template)
    with pytest.raises(RecipeError) as error:
        load(folder)
    assert str(error.value).startswith(f"model.name: the chat template of {folder} ") and says in str(error.value)


def test_a_template_that_refuses_some_turns_is_told_with_them(folder):
    refuses = "{% if m.role == 'system' %}{{ raise_exception('no system turns') }}{% endif %}"
    template = BEGIN + refuses + "{{ m.content }}" + END
    (folder / "chat_template.jinja").write_text(template)
    tokenizer = load(folder).tokenizer
    with pytest.raises(RecipeError, match=r"refuses these turns \(system, user\): no system turns"):
        question_ids(tokenizer, "␞system: Be brief.\n␞user: Who?")


def test_a_template_that_leaves_answers_out_ends_them_with_the_end_of_text(tiny_model_dir):
    """The first token of the whole conversation was taken for the end of an answer."""
    tokenizer = AutoTokenizer.from_pretrained(tiny_model_dir)
    tokenizer.chat_template = "<|user|>{{ messages[0].content }}<|system|>"
    assert turn_end_id(tokenizer) == tokenizer.eos_token_id


# ---- positions


@pytest.mark.parametrize(("base", "limit"), [("gpt2", 64), ("tied", 2048)])
def test_training_rows_are_as_long_as_the_model_reads_at_most(other_models, base, limit):
    """GPT-2's table of positions ended in an IndexError; a model without one went on beyond what it was taught."""
    loaded = load(other_models[base])
    assert context_length(loaded) == limit
    fits, long = Example((5,) * limit, 1), Example((5,) * (limit + 1), 1)
    check_lengths({"a": fits}, 9999, "data.retain", limit)
    says = rf"^data.retain: this model reads {limit} tokens at most, .* a, .*{limit + 1};"
    with pytest.raises(RecipeError, match=says):
        check_lengths({"a": long}, 9999, "data.retain", limit)
    with pytest.raises(RecipeError, match="^model.max_length: 20 tokens are too few"):
        check_lengths({"a": fits}, 20, "data.retain", limit)


def test_answers_that_are_scored_are_so_too(other_models):
    loaded = load(other_models["gpt2"])
    for score in (mean_losses, token_scores):
        assert len(score(loaded, [Example((5,) * 64, 1)], ())) == 1
        with pytest.raises(RecipeError, match="this model reads 64 tokens at most, .* has 65"):
            score(loaded, [Example((5,) * 3, 1), Example((5,) * 65, 1)], ())
